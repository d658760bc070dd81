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
};

/* The process starts with the first model that is asked for, and again when it has died. SIGPIPE
 * must be ignored: who writes to a worker that has just died is told by the status.
 * Errors: XL_ENOMEM */
enum xl_status xl_worker_painter_new(const struct xl_worker_params *params, struct xl_painter **out,
                                     struct xl_err *err) XL_CHECKED;

#endif
