/* launch.c - posix_spawn into a session of its own, patience until it works, and a thread that
 * learns of its end.
 */
#include "jobs/night/launch.h"

#include "base/clock.h"
#include "base/file.h"
#include "jobs/night/state.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const double PATIENCE_S = 30;

static enum xl_status start(const struct xl_night_launch *launch, pid_t *pid, struct xl_err *err) {
    const char *program = launch->program ? launch->program : "/proc/self/exe";
    const char *argv[] = {"sdxl-lab", "night", launch->config, "--new", NULL};
    if (launch->dir) argv[2] = "resume", argv[3] = launch->dir;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    sigemptyset(&none);
    sigfillset(&usual);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, launch->log,
                                     O_WRONLY | O_CREAT | O_APPEND, 0666);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int failed = posix_spawn(pid, program, &actions, &attributes, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed ? xl_fail(err, XL_ENOMEM, "the night's process cannot be started: %s",
                            strerror(failed))
                  : XL_OK;
}

/* What it said last. */
static void read_complaint(const char *log, long from, char *out, size_t size) {
    static const char MARK[] = "error: ";
    char line[2048];
    snprintf(out, size, "it ended before it began");
    FILE *file = fopen(log, "r");
    if (file && !fseek(file, from, SEEK_SET))
        while (fgets(line, sizeof line, file)) {
            line[strcspn(line, "\n")] = 0;
            const char *at = strstr(line, MARK);
            if (at) snprintf(out, size, "%s", at + sizeof MARK - 1);
        }
    if (file) fclose(file);
}

static long length_of(const char *path) {
    FILE *file = fopen(path, "r");
    long n = file && !fseek(file, 0, SEEK_END) ? ftell(file) : 0;
    if (file) fclose(file);
    return n > 0 ? n : 0;
}

static void *bury(void *user) {
    pid_t pid = (pid_t)(intptr_t)user;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return NULL;
}

/* Without a thread it is a zombie until this process ends. */
static void leave(pid_t pid) {
    pthread_t thread;
    if (!pthread_create(&thread, NULL, bury, (void *)(intptr_t)pid)) pthread_detach(thread);
}

/* Its folder, once there is one; a process works on it or has done so. */
static enum xl_status find(const struct xl_night_launch *launch, char **dir, bool *is_running,
                           struct xl_err *err) {
    *is_running = false;
    enum xl_status status = XL_OK;
    if (!launch->dir)
        status = xl_night_find(launch->output_dir, launch->config, false, dir, err);
    else if (!(*dir = strdup(launch->dir)))
        status = xl_fail_nomem(err, "a path", 0);
    if (!status && *dir) status = xl_night_is_running(*dir, is_running, err);
    return status;
}

static enum xl_status wait_for(const struct xl_night_launch *launch, pid_t pid, long log_from,
                               char **dir, struct xl_err *err) {
    const struct timespec moment = {.tv_nsec = 50000000};
    double began_s = xl_now_s();
    bool has_ended = false, is_running = false;
    for (int how = 0;;) {
        has_ended = waitpid(pid, &how, WNOHANG) == pid;
        free(*dir);
        *dir = NULL;
        enum xl_status status = find(launch, dir, &is_running, err);
        if (status || is_running || has_ended) {
            char why[1024];
            if (!has_ended) leave(pid);
            if (status || !has_ended || (WIFEXITED(how) && !WEXITSTATUS(how))) return status;
            if (!launch->dir && *dir) return XL_OK; /* it began: its folder says how it ended */
            read_complaint(launch->log, log_from, why, sizeof why);
            return xl_fail(err, XL_EINPUT, "%s", why);
        }
        if (xl_now_s() - began_s > PATIENCE_S) break;
        nanosleep(&moment, NULL);
    }
    leave(pid);
    return XL_OK;
}

enum xl_status xl_night_launch(const struct xl_night_launch *launch, char **dir,
                               struct xl_err *err) {
    pid_t pid = 0;
    long log_from = length_of(launch->log);
    *dir = NULL;
    enum xl_status status = start(launch, &pid, err);
    if (!status) status = wait_for(launch, pid, log_from, dir, err);
    if (status) {
        free(*dir);
        *dir = NULL;
    }
    return status;
}
