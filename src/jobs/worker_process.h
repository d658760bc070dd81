/* worker_process.h - a child process that is spoken to through its standard input and heard through
 * its standard output.
 *
 * One thread a process starts it, listens to it and waits for its end: the kernel counts the thread
 * that started a process as the parent whose death kills it (PR_SET_PDEATHSIG), so that thread must
 * live as long as the process.
 */
#ifndef XL_JOBS_WORKER_PROCESS_H
#define XL_JOBS_WORKER_PROCESS_H

#include "base/status.h"

#include <jansson.h>

struct xl_process; /* opaque */

struct xl_process_params {
    const char *path;
    char *const *argv;        /* NULL-terminated */
    char *const *environment; /* NULL-terminated; NULL: this process's. Borrowed for the call */
    int kept_open[2];         /* descriptors that stay open in the process (locks); -1: none */
    /* On the process's thread: an object that it wrote, handed over. */
    void (*heard)(void *user, json_t *message);
    /* On the process's thread, once: it is gone, and all that it wrote was heard. how: "was killed
     * by signal 9 (Killed)" */
    void (*ended)(void *user, const char *how);
    void *user;
};

/* Start a process. params is copied, argv borrowed for the call. Errors: XL_ENOMEM, also for
 * whatever else the system lacks */
enum xl_status xl_process_start(const struct xl_process_params *params, struct xl_process **out,
                                struct xl_err *err) XL_CHECKED;

/* Say what was built since xl_json_watch; the object is released. One thread at a time, as for what
 * follows. Errors: XL_ENOMEM; XL_EWORKER the process does not listen */
enum xl_status xl_process_say(struct xl_process *process, json_t *message, bool ok,
                              struct xl_err *err) XL_CHECKED;

/* Close its standard input, wait for its end, for at most patience_s seconds, then kill it; free
 * it. NULL is fine. */
void xl_process_end(struct xl_process *process, double patience_s);

#endif
