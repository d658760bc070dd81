/* job_process.h - a program that runs by itself, in a group of its own, writing into a log: a job
 * of sdxl-lab run. Its parent has one thread; when that dies, the job is asked to end (SIGTERM).
 */
#ifndef XL_JOBS_JOB_PROCESS_H
#define XL_JOBS_JOB_PROCESS_H

#include "base/status.h"

#include <sys/types.h>

struct xl_job_start {
    const char *path;         /* as execvp takes it; argv[0] may be another */
    const char *const *argv;  /* NULL-terminated */
    char *const *environment; /* NULL-terminated */
    int log;                  /* gets what it writes to standard output and error */
    int kept_open;            /* a descriptor that it keeps while it lives, a lock; -1: none */
};

/* Errors: XL_ENOMEM the system does not start it. What cannot be executed ends with 127. */
enum xl_status xl_job_start(const struct xl_job_start *start, pid_t *pid,
                            struct xl_err *err) XL_CHECKED;

/* Whether it has ended, without waiting. *code: its exit code, 128 + the signal that killed it */
bool xl_job_has_ended(pid_t pid, int *code);

#endif
