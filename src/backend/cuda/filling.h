/* filling.h - weights on their way to the device, on a thread of their own, while the ops that read
 * them are compiled. */
#ifndef XL_BACKEND_CUDA_FILLING_H
#define XL_BACKEND_CUDA_FILLING_H

#include "backend/cuda/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct xl_cuda_filling {
    const struct xl_cuda_backend *backend;
    struct xl_hold *hold;
    const struct xl_plan *plan;
    const struct xl_compile_options *options; /* weight_done is called on the thread */
    struct xl_held_group *missing;
    pthread_t thread;
    bool has_thread;
    atomic_bool is_given_up, is_over;
    enum xl_status status; /* of the thread, once it is over */
    struct xl_err err;
};

/* Take memory for what the hold asked for, and begin. filling stays where it is until
 * xl_cuda_filling_end, which must follow. Errors: XL_ENOMEM */
enum xl_status xl_cuda_filling_begin(const struct xl_cuda_backend *backend, struct xl_hold *hold,
                                     const struct xl_plan *plan,
                                     const struct xl_compile_options *options,
                                     struct xl_cuda_filling *filling,
                                     struct xl_err *err) XL_CHECKED;

/* Wait for it, asking options->tick meanwhile, or give it up. The hold is closed once all is there.
 * Errors: those of xl_cuda_store_fill */
enum xl_status xl_cuda_filling_end(struct xl_cuda_filling *filling, bool is_given_up,
                                   struct xl_err *err) XL_CHECKED;

#endif
