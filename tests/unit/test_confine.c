/* test_confine.c - a confined process computes, reads and writes what it has open, and can do
 * nothing else. Sanitizers need more than is left, so there it is not confined. */
#include "http/confine.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a child that is confined: 0 where it could not. */
static bool open_file(void) {
    return open("/etc/passwd", O_RDONLY) < 0;
}
static bool make_file(void) {
    return open("/tmp/sdxl-lab-confined", O_WRONLY | O_CREAT, 0600) < 0;
}
static bool open_socket(void) {
    return socket(AF_INET, SOCK_STREAM, 0) < 0 && socket(AF_UNIX, SOCK_STREAM, 0) < 0;
}
static bool start_process(void) {
    return fork() < 0;
}
static bool run_program(void) {
    char *const argv[] = {(char *)(uintptr_t) "true", NULL};
    execv("/bin/true", argv);
    return true;
}
static bool remove_file(void) {
    return unlink("/tmp/sdxl-lab-none") && mkdir("/tmp/sdxl-lab-confined", 0700);
}
static bool end_another(void) {
    return kill(getppid(), 0) < 0;
}
static bool take_too_much(void) {
    return mmap(NULL, (size_t)4 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) == MAP_FAILED;
}
static bool compute(void) {
    char *bytes = malloc(1 << 20);
    bool fine = bytes && write(STDOUT_FILENO, "", 0) == 0;
    free(bytes);
    return fine;
}

static int in_a_confined_child(bool (*try)(void)) {
    int status;
    pid_t pid = fork();
    if (!pid) {
        const struct xl_confinement confinement = {
            .memory_bytes = (size_t)1 << 30, .cpu_s = 5, .file_bytes = 1 << 20};
        if (xl_confine(&confinement, NULL)) _exit(2);
        _exit(try() ? 0 : 1);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

Test(confine, what_it_cannot) {
#if defined(__SANITIZE_ADDRESS__)
    cr_skip_test("sanitizer: its processes are not confined");
#endif
    const struct {
        const char *what;
        bool (*try)(void);
    } tries[] = {
        {"opens no file", open_file},     {"makes no file", make_file},
        {"opens no socket", open_socket}, {"starts no process", start_process},
        {"runs no program", run_program}, {"removes and makes nothing", remove_file},
        {"ends nobody", end_another},     {"takes no more memory", take_too_much},
        {"computes and writes", compute},
    };
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++)
        cr_expect_eq(in_a_confined_child(tries[i].try), 0, "it %s", tries[i].what);
    cr_expect_neq(access("/tmp/sdxl-lab-confined", F_OK), 0);
}
