/* command.c - posix_spawn, a pipe, and patience that ends. Keeps no state; any thread. */
#include "gpu/command.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MOST_BYTES = 1 << 20 };

/* *failed: errno of a program that could not be started; 0 */
static pid_t start(const char *const *argv, int output, int *failed) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid = -1;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    *failed = posix_spawnp(&pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return *failed ? -1 : pid;
}

/* Read until the end, or the deadline. */
static bool read_all(int fd, double until_s, struct xl_str *out) {
    char bytes[4096];
    for (;;) {
        int left_ms = (int)((until_s - xl_now_s()) * 1000);
        struct pollfd input = {.fd = fd, .events = POLLIN};
        if (left_ms <= 0 || out->len > MOST_BYTES) return false;
        int ready = poll(&input, 1, left_ms);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n == 0;
        xl_str_append(out, bytes, (size_t)n);
    }
}

enum xl_status xl_command_read(const char *const *argv, double limit_s, struct xl_str *out,
                               int *code, struct xl_err *err) {
    int ends[2], failed, status = 0;
    double until_s = xl_now_s() + limit_s;
    if (pipe2(ends, O_CLOEXEC))
        return xl_fail(err, XL_ENOMEM, "no pipe to %s: %s", argv[0], strerror(errno));
    pid_t pid = start(argv, ends[1], &failed);
    close(ends[1]);
    *code = 127;
    if (pid > 0) {
        if (!read_all(ends[0], until_s, out)) kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    close(ends[0]);
    if (pid < 0 && failed != ENOENT && failed != EACCES)
        return xl_fail(err, XL_ENOMEM, "cannot start %s: %s", argv[0], strerror(failed));
    return out->failed ? xl_fail_nomem(err, "what a program says", 0) : XL_OK;
}
