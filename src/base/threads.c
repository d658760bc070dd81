/* threads.c - workers that spin for a moment and then sleep.
 * A denoising step runs about a thousand short loops back to back, so a worker that slept between
 * them would cost more than the loop; one that span for ever would burn a core while idle.
 *
 * The caller waits for tasks, not for workers: on a busy machine a worker may get a core only when
 * the loop is over, and then finds nothing to do. So a late worker may look at the loop while the
 * next one is being set up. `ticket` keeps it out: it holds the loop's number and its next task, a
 * task is taken by compare-and-swap, and the fields are changed only while the ticket is closed;
 * whoever takes a task has therefore read the fields that belong to it. */
#include "base/threads.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPINS = 20000 }; /* about 50 us: longer than the gap between two loops of a step */

struct xl_pool {
    int n_threads, n_started;
    void (*init)(void);
    pthread_t *threads;
    pthread_mutex_t turn; /* held by whoever runs a loop */
    pthread_mutex_t mutex;
    pthread_cond_t wake;

    /* The current loop. */
    _Atomic(xl_task_fn *) fn;
    _Atomic(void *) user;
    _Atomic uint32_t n_tasks;
    _Atomic uint64_t ticket; /* number of the loop << 32 | next task, or CLOSED */
    _Atomic uint32_t n_done; /* tasks finished */
    atomic_bool quit;
};

enum { LOOP_SHIFT = 32 };
static const uint32_t CLOSED = UINT32_MAX;

struct worker {
    struct xl_pool *pool;
    int index;
};

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static uint32_t loop_of(uint64_t ticket) {
    return (uint32_t)(ticket >> LOOP_SHIFT);
}

/* Run tasks of the current loop until none is left. */
static void run_tasks(struct xl_pool *pool, int worker) {
    uint64_t ticket = atomic_load(&pool->ticket);
    for (;;) {
        xl_task_fn *fn = atomic_load(&pool->fn);
        void *user = atomic_load(&pool->user);
        uint32_t task = (uint32_t)ticket;
        if (task == CLOSED || task >= atomic_load(&pool->n_tasks)) return;
        if (!atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket + 1)) continue;
        fn(user, task, worker);
        atomic_fetch_add(&pool->n_done, 1);
        ticket = atomic_load(&pool->ticket);
    }
}

/* Wait for a loop other than number `seen`; returns its number. */
static uint32_t wait_for_loop(struct xl_pool *pool, uint32_t seen) {
    for (int i = 0; i < SPINS; i++) {
        if (loop_of(atomic_load(&pool->ticket)) != seen) return loop_of(atomic_load(&pool->ticket));
        relax();
    }
    pthread_mutex_lock(&pool->mutex);
    while (loop_of(atomic_load(&pool->ticket)) == seen)
        pthread_cond_wait(&pool->wake, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    return loop_of(atomic_load(&pool->ticket));
}

static void *worker_main(void *arg) {
    struct worker self = *(struct worker *)arg;
    struct xl_pool *pool = self.pool;
    free(arg);
    if (pool->init) pool->init();
    for (uint32_t seen = 0;;) {
        seen = wait_for_loop(pool, seen);
        if (atomic_load(&pool->quit)) return NULL;
        run_tasks(pool, self.index);
    }
}

/* Open the next loop, whose fields are set, or wake the workers to quit. */
static void open_loop(struct xl_pool *pool, uint32_t loop) {
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->ticket, (uint64_t)loop << LOOP_SHIFT);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
}

enum xl_status xl_pool_new(int n_threads, void (*init)(void), struct xl_pool **out,
                           struct xl_err *err) {
    if (n_threads <= 0) n_threads = xl_cpu_count();
    struct xl_pool *pool = calloc(1, sizeof *pool);
    pthread_t *threads = calloc((size_t)n_threads, sizeof *threads);
    if (!pool || !threads) {
        free(pool);
        free(threads);
        return xl_fail_nomem(err, "the thread pool", 0);
    }
    pool->n_threads = n_threads;
    pool->init = init;
    pool->threads = threads;
    pthread_mutex_init(&pool->turn, NULL);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    if (init) init();
    for (int i = 1; i < n_threads; i++) {
        struct worker *worker = malloc(sizeof *worker);
        if (worker) *worker = (struct worker){pool, i};
        int failed = !worker || pthread_create(&threads[i], NULL, worker_main, worker);
        if (failed) {
            free(worker);
            xl_pool_free(pool);
            return xl_fail(err, XL_ENOMEM, "cannot start thread %d of %d", i + 1, n_threads);
        }
        pool->n_started++;
    }
    *out = pool;
    return XL_OK;
}

void xl_pool_free(struct xl_pool *pool) {
    if (!pool) return;
    atomic_store(&pool->n_tasks, 0);
    atomic_store(&pool->quit, true);
    open_loop(pool, loop_of(atomic_load(&pool->ticket)) + 1);
    for (int i = 1; i <= pool->n_started; i++) pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    pthread_mutex_destroy(&pool->turn);
    free(pool->threads);
    free(pool);
}

int xl_pool_size(const struct xl_pool *pool) {
    return pool->n_threads;
}

static void run_loop(struct xl_pool *pool, int64_t n_tasks, xl_task_fn *fn, void *user) {
    if (n_tasks <= 1 || pool->n_started == 0) {
        for (int64_t task = 0; task < n_tasks; task++) fn(user, task, 0);
        return;
    }
    assert(n_tasks < CLOSED);
    /* Workers see the loop when it opens, not when its number first appears: a worker that notices
     * the closed ticket runs no task, and would then sleep through the loop. So the closed ticket
     * keeps the old number. */
    uint32_t loop = loop_of(atomic_load(&pool->ticket));
    atomic_store(&pool->ticket, (uint64_t)loop << LOOP_SHIFT | CLOSED);
    atomic_store(&pool->fn, fn);
    atomic_store(&pool->user, user);
    atomic_store(&pool->n_tasks, (uint32_t)n_tasks);
    atomic_store(&pool->n_done, 0);
    open_loop(pool, loop + 1);
    run_tasks(pool, 0);
    for (int i = 0; atomic_load(&pool->n_done) < (uint32_t)n_tasks; i++) {
        if (i < SPINS)
            relax();
        else
            sched_yield();
    }
}

void xl_pool_run(struct xl_pool *pool, int64_t n_tasks, xl_task_fn *fn, void *user) {
    pthread_mutex_lock(&pool->turn);
    run_loop(pool, n_tasks, fn, user);
    pthread_mutex_unlock(&pool->turn);
}

/* The quota of a version 2 control group, in cores; 0 when there is none. */
static int cgroup_quota(void) {
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (!file) return 0;
    long long quota = 0, period = 0;
    int n = fscanf(file, "%lld %lld", &quota, &period);
    fclose(file);
    return n == 2 && period > 0 && quota >= period ? (int)(quota / period) : n == 2 ? 1 : 0;
}

int xl_cpu_count(void) {
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                        : (int)sysconf(_SC_NPROCESSORS_ONLN);
    int quota = cgroup_quota();
    if (quota > 0 && quota < n) n = quota;
    return n > 0 ? n : 1;
}
