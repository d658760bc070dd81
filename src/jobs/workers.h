/* workers.h - the workers of a machine: a place for each GPU that may be had, or as many on the CPU
 * as were asked for, with their shares of threads and memory. A place without a GPU has a painter
 * that has left (painter.h) until one is found for it. Nights and the queue draw with them.
 */
#ifndef XL_JOBS_WORKERS_H
#define XL_JOBS_WORKERS_H

#include "jobs/gpu_pool.h"

enum {
    XL_PLACES_MAX = (int)XL_GPUS_MAX > (int)XL_WORKERS_MAX ? (int)XL_GPUS_MAX : (int)XL_WORKERS_MAX
};

struct xl_workers {
    struct xl_settings settings; /* of each; a copy whose texts are borrowed */
    struct xl_gpu_pool *pool;    /* NULL: the CPU */
    struct xl_painter *painters[XL_PLACES_MAX];
    int n;
};

struct xl_workers_params {
    const struct xl_settings *settings; /* device, gpus, workers, threads, memory */
    const char *program;                /* NULL: this one */
    bool (*goes_on)(void *user);        /* asked while GPUs are looked at */
    void *user;
};

/* Nothing is locked or started yet. out stays where it is until it is closed. Errors: XL_EDEVICE no
 * driver or GPU where GPUs are asked for; XL_EINVAL, XL_ENOMEM */
enum xl_status xl_workers_open(const struct xl_workers_params *params, struct xl_workers *out,
                               struct xl_err *err) XL_CHECKED;
void xl_workers_close(struct xl_workers *workers);

/* The share of one of n workers in the threads, and in the memory unless each has a GPU's own. */
void xl_workers_divide(struct xl_settings *settings, int n, bool is_on_gpus);

#endif
