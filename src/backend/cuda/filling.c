/* filling.c - a thread that brings weights up; where none can be started, the caller does. */
#include "backend/cuda/filling.h"

#include "backend/cuda/exec.h"

#include <time.h>

static const struct timespec a_moment = {.tv_nsec = 2000000};

static bool goes_on(void *user) {
    const struct xl_cuda_filling *filling = user;
    return !atomic_load(&filling->is_given_up);
}

static void weight_done(void *user, const struct xl_tensor *tensor) {
    const struct xl_cuda_filling *filling = user;
    const struct xl_compile_options *options = filling->options;
    if (options && options->weight_done) options->weight_done(options->user, tensor);
}

static void *fill(void *user) {
    struct xl_cuda_filling *filling = user;
    const struct xl_compile_options options = {
        .weight_done = weight_done, .tick = goes_on, .user = filling};
    filling->status = xl_cuda_use(filling->backend, &filling->err);
    if (!filling->status)
        filling->status = xl_cuda_store_fill(filling->backend->store, filling->missing,
                                             filling->plan, &options, &filling->err);
    if (!filling->status) xl_hold_close(filling->hold);
    atomic_store(&filling->is_over, true);
    return NULL;
}

enum xl_status xl_cuda_filling_begin(const struct xl_cuda_backend *backend, struct xl_hold *hold,
                                     const struct xl_plan *plan,
                                     const struct xl_compile_options *options,
                                     struct xl_cuda_filling *filling, struct xl_err *err) {
    *filling = (struct xl_cuda_filling){
        .backend = backend, .hold = hold, .plan = plan, .options = options};
    enum xl_status status = xl_cuda_store_take(hold, &filling->missing, err);
    if (status) {
        filling->status = status;
        return status;
    }
    filling->has_thread = filling->missing &&
                          !pthread_create(&filling->thread, NULL, fill, filling);
    if (!filling->has_thread) fill(filling);
    return XL_OK;
}

/* The caller's user is asked on the caller's thread. */
static void wait(struct xl_cuda_filling *filling) {
    const struct xl_compile_options *options = filling->options;
    while (!atomic_load(&filling->is_over) && !atomic_load(&filling->is_given_up)) {
        nanosleep(&a_moment, NULL);
        if (options && options->tick && !options->tick(options->user))
            atomic_store(&filling->is_given_up, true);
    }
}

enum xl_status xl_cuda_filling_end(struct xl_cuda_filling *filling, bool is_given_up,
                                   struct xl_err *err) {
    if (is_given_up) atomic_store(&filling->is_given_up, true);
    if (filling->has_thread) {
        wait(filling);
        pthread_join(filling->thread, NULL);
    }
    if (filling->status && err) *err = filling->err;
    return filling->status;
}
