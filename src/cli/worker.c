/* worker.c - sdxl-lab worker: a process that draws what it is told; docs/WORKERS.md. */
#include "cli/cli.h"

#include "jobs/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static bool goes_on(void *user) {
    (void)user;
    return !xl_interrupted();
}

static enum xl_status worker(const struct xl_settings *settings, struct xl_err *err) {
    /* These go to all processes of a terminal: whoever started this one decides. */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    /* What a library may print must not get among the answers. */
    int output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (output < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return xl_fail(err, XL_EDISK, "standard output: %s", strerror(errno));
    const struct xl_worker params = {
        .settings = settings, .input = STDIN_FILENO, .output = output, .goes_on = goes_on};
    return xl_worker_run(&params, err);
}

const struct xl_command xl_command_worker = {
    .name = "worker",
    .summary = "draw what standard input asks for, a JSON object a line",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_WORKER,
    .is_hidden = true,
    .run = worker,
};
