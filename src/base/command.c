/* command.c - posix_spawn, a pipe, and patience that ends. Keeps no state; any thread. */
#include "base/command.h"

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
static pid_t start(const char *const *argv, int output, int complaint, int *failed) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid = -1;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (complaint >= 0)
        posix_spawn_file_actions_adddup2(&actions, complaint, STDERR_FILENO);
    else
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

/* One piece of what there is to read; *fd -1 after its end. False: too much, or an error */
static bool read_some(int *fd, struct xl_str *out) {
    char bytes[4096];
    ssize_t n = read(*fd, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) return true;
    if (n > 0) xl_str_append(out, bytes, (size_t)n);
    if (n == 0) *fd = -1; /* poll passes over it */
    return n >= 0 && out->len <= MOST_BYTES;
}

/* Read both until they end, or until the deadline. */
static bool read_all(const int fds[2], double until_s, struct xl_str *const out[2]) {
    struct pollfd input[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};
    while (input[0].fd >= 0 || input[1].fd >= 0) {
        int left_ms = (int)((until_s - xl_now_s()) * 1000);
        if (left_ms <= 0) return false;
        int ready = poll(input, 2, left_ms);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        for (int i = 0; i < 2; i++)
            if (input[i].fd >= 0 && input[i].revents && !read_some(&input[i].fd, out[i]))
                return false;
    }
    return true;
}

static void close_pipe(int ends[2]) {
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0) close(ends[i]);
    ends[0] = ends[1] = -1;
}

enum xl_status xl_command_read(const char *const *argv, double limit_s, struct xl_str *out,
                               struct xl_str *complaint, int *code, struct xl_err *err) {
    int ends[2] = {-1, -1}, errors[2] = {-1, -1}, failed, status = 0;
    double until_s = xl_now_s() + limit_s;
    if (pipe2(ends, O_CLOEXEC) || (complaint && pipe2(errors, O_CLOEXEC))) {
        int why = errno;
        close_pipe(ends);
        return xl_fail(err, XL_ENOMEM, "no pipe to %s: %s", argv[0], strerror(why));
    }
    pid_t pid = start(argv, ends[1], errors[1], &failed);
    close(ends[1]);
    if (errors[1] >= 0) close(errors[1]);
    ends[1] = errors[1] = -1;
    *code = 127;
    if (pid > 0) {
        const int fds[2] = {ends[0], errors[0]};
        struct xl_str *const texts[2] = {out, complaint};
        if (!read_all(fds, until_s, texts)) kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    close_pipe(ends);
    close_pipe(errors);
    if (pid < 0 && failed != ENOENT && failed != EACCES)
        return xl_fail(err, XL_ENOMEM, "cannot start %s: %s", argv[0], strerror(failed));
    bool has_failed = out->failed || (complaint && complaint->failed);
    return has_failed ? xl_fail_nomem(err, "what a program says", 0) : XL_OK;
}
