/* job_process.c - fork, exec, and asking whether it is over. Keeps no state. */
#include "jobs/job_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child, between fork and exec. A group of its own: a terminal's Ctrl-C reaches our process,
 * which hands it on once; twice would end the job without saving what it has. */
static void become(const struct xl_job_start *start, pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1); /* gone before the line above */
    signal(SIGUSR1, SIG_IGN);          /* until it listens: else it would be killed */
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    int input = open("/dev/null", O_RDONLY);
    if (input < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(start->log, STDOUT_FILENO) < 0 ||
        dup2(start->log, STDERR_FILENO) < 0)
        _exit(127);
    if (input > STDERR_FILENO) close(input);
    if (start->kept_open >= 0) fcntl(start->kept_open, F_SETFD, 0);
    execvpe(start->path, (char *const *)start->argv, start->environment);
    dprintf(STDERR_FILENO, "%s cannot be started: %s\n", start->path, strerror(errno));
    _exit(127);
}

enum xl_status xl_job_start(const struct xl_job_start *start, pid_t *pid, struct xl_err *err) {
    pid_t self = getpid(), child = fork();
    if (!child) become(start, self);
    if (child < 0)
        return xl_fail(err, XL_ENOMEM, "cannot start %s: %s", start->path, strerror(errno));
    *pid = child;
    return XL_OK;
}

bool xl_job_has_ended(pid_t pid, int *code) {
    int status = 0;
    pid_t found = waitpid(pid, &status, WNOHANG);
    if (found == 0 || (found < 0 && errno == EINTR)) return false;
    if (found < 0)
        *code = 127;
    else
        *code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}
