/* worker_painter.h - a painter that is a process of its own, `sdxl-lab worker` at the end of two
 * pipes: what kills it costs the group that it had in hand, and this process touches no device.
 */
#ifndef XL_JOBS_WORKER_PAINTER_H
#define XL_JOBS_WORKER_PAINTER_H

#include "lab/run/painter.h"

struct xl_worker_params {
    const struct xl_settings *settings; /* device, threads, memory of one worker; borrowed */
    const char *program;                /* NULL: this one */
    int kept_open; /* a descriptor that a worker keeps open while it lives: the lock of the run,
                      which so outlives this process if it must; -1: none */
    const struct xl_worker_gpu *gpu; /* NULL: whatever --device finds. Borrowed */
    int number;                      /* of the workers of a run, for its label; 0: the first */
};

/* The one GPU that a worker sees, and how to tell whether it is still ours. */
struct xl_worker_gpu {
    const char *uuid;
    int kept_open; /* its lock */
    /* Before each group, on the thread that draws; n_own: processes that we have on it; at_once: an
     * answer of a moment ago will not do. Errors: XL_EYIELD it is left to somebody else; XL_EDEVICE
     * it is lost. Then the worker has ended, and the painter leaves the run */
    enum xl_status (*check)(void *user, int n_own, bool at_once, struct xl_err *err);
    void (*leave)(void *user); /* its worker has ended: it can be unlocked */
    void *user;
};

/* The process starts with the first model that is asked for, and again when it has died. SIGPIPE
 * must be ignored: who writes to a worker that has just died is told by the status.
 * Errors: XL_ENOMEM */
/* Another descriptor for params->kept_open, of processes that start from now on. */
void xl_worker_painter_keep_open(struct xl_painter *painter, int descriptor);

/* End the process of a painter that is asked for nothing for a while, and give back its GPU, so
 * that somebody else may have it: the painter has left. On the thread that draws. */
void xl_worker_painter_rest(struct xl_painter *painter);

enum xl_status xl_worker_painter_new(const struct xl_worker_params *params, struct xl_painter **out,
                                     struct xl_err *err) XL_CHECKED;

#endif
