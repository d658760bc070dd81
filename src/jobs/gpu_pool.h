/* gpu_pool.h - the GPUs that a run has for itself: found idle, locked, looked at between groups,
 * given back one by one.
 *
 * A worker is made for each (worker_painter.h); the pool outlives the workers. Its functions may be
 * called on the threads of all painters.
 */
#ifndef XL_JOBS_GPU_POOL_H
#define XL_JOBS_GPU_POOL_H

#include "jobs/gpu_wish.h"
#include "jobs/worker_painter.h"

struct xl_gpu_pool; /* opaque */

/* Lock what settings->gpus asks for, at least one; waits for it as settings->wait says, and tells
 * so. goes_on: asked meanwhile. Errors: those of xl_cards_wait */
enum xl_status xl_gpu_pool_open(const struct xl_settings *settings, bool (*goes_on)(void *user),
                                void *user, struct xl_gpu_pool **out,
                                struct xl_err *err) XL_CHECKED;

/* A pool that has none yet, with a place for each that settings->gpus allows of those that are
 * here; xl_gpu_pool_seek fills places, now and after a GPU of one was given back. Errors:
 * XL_EDEVICE no driver, no GPU, or none of a UUID that is wanted; XL_EDISK they cannot be locked;
 * XL_EINVAL, XL_ENOMEM */
enum xl_status xl_gpu_pool_open_empty(const struct xl_settings *settings,
                                      bool (*goes_on)(void *user), void *user,
                                      struct xl_gpu_pool **out, struct xl_err *err) XL_CHECKED;

/* Lock idle GPUs for the places that have none. One thread. why: as xl_cards_take has it.
 * Errors: those of xl_cards_take */
enum xl_status xl_gpu_pool_seek(struct xl_gpu_pool *pool, struct xl_str *why,
                                struct xl_err *err) XL_CHECKED;

/* Whether place i has a GPU; *gpu (may be NULL): as it was when it was taken. */
bool xl_gpu_pool_has(struct xl_gpu_pool *pool, int i, struct xl_gpu *gpu);

/* What all GPUs of this host show now. Errors: those of xl_gpus_read */
enum xl_status xl_gpu_pool_look(struct xl_gpu_pool *pool, struct xl_gpu_list *out,
                                struct xl_err *err) XL_CHECKED;

/* How many places there are: of a pool that was not opened empty, each with a GPU. */
int xl_gpu_pool_count(const struct xl_gpu_pool *pool);
/* The i-th, for a worker. The pool's. */
const struct xl_worker_gpu *xl_gpu_pool_at(const struct xl_gpu_pool *pool, int i);

/* Give back what is still ours. NULL is fine. */
void xl_gpu_pool_close(struct xl_gpu_pool *pool);

#endif
