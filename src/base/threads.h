/* threads.h - a pool of threads for data-parallel loops.
 *
 * A loop is cut into tasks by its caller, from its shape alone: never from the number of threads.
 * Which thread runs a task is left to chance, so results do not depend on the number of threads.
 * One loop runs at a time; the caller works along and returns when every task is done. A loop of
 * another thread waits for it.
 */
#ifndef XL_BASE_THREADS_H
#define XL_BASE_THREADS_H

#include "base/status.h"

struct xl_pool; /* opaque */

/* worker: 0 .. xl_pool_size - 1, one running task each: an index for scratch memory. */
typedef void xl_task_fn(void *user, int64_t task, int worker);

/* n_threads: 0 takes xl_cpu_count(). init: run once on each thread before its first task, may be
 * NULL (the CPU backend sets a library's own thread count there).
 * Errors: XL_ENOMEM */
enum xl_status xl_pool_new(int n_threads, void (*init)(void), struct xl_pool **out,
                           struct xl_err *err);
void xl_pool_free(struct xl_pool *pool);
int xl_pool_size(const struct xl_pool *pool);

/* Run tasks 0..n_tasks-1. */
void xl_pool_run(struct xl_pool *pool, int64_t n_tasks, xl_task_fn *fn, void *user);

/* Cores that this process may run on (affinity mask, then cgroup quota). At least 1. */
int xl_cpu_count(void);

#endif
