/* worker_process.c - fork, exec, a pipe each way, and the thread that listens. */
#include "jobs/worker_process.h"

#include "base/log.h"
#include "jobs/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct xl_process {
    struct xl_process_params params;
    pthread_t thread;
    int to, from;              /* pipes: this process's ends; to is -1 once closed */
    int its_input, its_output; /* the other ends, until it has them */
    pthread_mutex_t mutex;     /* for what follows */
    pthread_cond_t changed;
    pid_t pid; /* 0: not started yet; -1: it could not be */
    bool has_ended;
};

/* In the child, between fork and exec: only what a signal handler may call. */
static void become(const struct xl_process *process, pid_t parent) {
    const struct xl_process_params *params = &process->params;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1); /* gone before the line above */
    if (dup2(process->its_input, STDIN_FILENO) < 0 || dup2(process->its_output, STDOUT_FILENO) < 0)
        _exit(127);
    for (int i = 0; i < 2; i++)
        if (params->kept_open[i] >= 0) fcntl(params->kept_open[i], F_SETFD, 0);
    execve(params->path, params->argv, params->environment ? params->environment : environ);
    _exit(127);
}

static void set_pid(struct xl_process *process, pid_t pid) {
    pthread_mutex_lock(&process->mutex);
    process->pid = pid;
    pthread_cond_broadcast(&process->changed);
    pthread_mutex_unlock(&process->mutex);
}

static void describe_end(int status, char *out, size_t size) {
    if (WIFSIGNALED(status))
        snprintf(out, size, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(out, size, "ended with exit code %d", WEXITSTATUS(status));
}

/* Hear the process out. What is no message ends it: it is not what we took it for. */
static void listen_to(struct xl_process *process, pid_t pid) {
    struct xl_line_reader reader = {.fd = process->from};
    struct xl_err err = {0};
    for (;;) {
        json_t *message = NULL;
        enum xl_status status = xl_line_read(&reader, &message, &err);
        if (status) {
            xl_warn("a worker process is ended: %s", err.text);
            kill(pid, SIGKILL);
        }
        if (!message) break;
        process->params.heard(process->params.user, message);
    }
    xl_line_reader_deinit(&reader);
}

static void *run(void *user) {
    struct xl_process *process = user;
    char how[80];
    int status = 0;
    siginfo_t info;
    pid_t self = getpid(), pid = fork();
    if (!pid) become(process, self);
    int why = errno;
    close(process->its_input);
    close(process->its_output);
    set_pid(process, pid);
    if (pid < 0) {
        xl_warn("cannot start a worker process: %s", strerror(why));
        return NULL;
    }
    listen_to(process, pid);
    /* Its number is its own until has_ended says that it is not. */
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
    }
    pthread_mutex_lock(&process->mutex);
    waitpid(pid, &status, 0);
    process->has_ended = true;
    pthread_cond_broadcast(&process->changed);
    pthread_mutex_unlock(&process->mutex);
    describe_end(status, how, sizeof how);
    process->params.ended(process->params.user, how);
    return NULL;
}

static void free_process(struct xl_process *process) {
    if (process->to >= 0) close(process->to);
    close(process->from);
    pthread_cond_destroy(&process->changed);
    pthread_mutex_destroy(&process->mutex);
    free(process);
}

static void init_clock_cond(pthread_cond_t *cond) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

enum xl_status xl_process_start(const struct xl_process_params *params, struct xl_process **out,
                                struct xl_err *err) {
    int input[2], output[2];
    struct xl_process *process = calloc(1, sizeof *process);
    if (!process) return xl_fail_nomem(err, "a worker process", sizeof *process);
    bool has_input = !pipe2(input, O_CLOEXEC);
    if (!has_input || pipe2(output, O_CLOEXEC)) {
        int why = errno;
        if (has_input) close(input[0]), close(input[1]);
        free(process);
        return xl_fail(err, XL_ENOMEM, "no pipe to a worker process: %s", strerror(why));
    }
    process->params = *params;
    process->its_input = input[0], process->to = input[1];
    process->from = output[0], process->its_output = output[1];
    pthread_mutex_init(&process->mutex, NULL);
    init_clock_cond(&process->changed);
    int failed = pthread_create(&process->thread, NULL, run, process);
    if (failed) {
        close(process->its_input), close(process->its_output);
        free_process(process);
        return xl_fail(err, XL_ENOMEM, "cannot start a thread: %s", strerror(failed));
    }
    pthread_mutex_lock(&process->mutex);
    while (!process->pid) pthread_cond_wait(&process->changed, &process->mutex);
    bool is_there = process->pid > 0;
    pthread_mutex_unlock(&process->mutex);
    if (is_there) {
        *out = process;
        return XL_OK;
    }
    pthread_join(process->thread, NULL);
    free_process(process);
    return xl_fail(err, XL_ENOMEM, "the system does not start a worker process");
}

enum xl_status xl_process_say(struct xl_process *process, json_t *message, bool ok,
                              struct xl_err *err) {
    return xl_line_write(process->to, message, ok, err);
}

void xl_process_end(struct xl_process *process, double patience_s) {
    if (!process) return;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)patience_s;
    close(process->to);
    process->to = -1;
    pthread_mutex_lock(&process->mutex);
    int late = 0;
    while (!process->has_ended && !late)
        late = pthread_cond_timedwait(&process->changed, &process->mutex, &until);
    if (!process->has_ended) kill(process->pid, SIGKILL);
    pthread_mutex_unlock(&process->mutex);
    pthread_join(process->thread, NULL);
    free_process(process);
}
