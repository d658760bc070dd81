/* threads.c - workers that spin for a moment and then sleep.
 * A denoising step runs about a thousand short loops back to back, so a worker that slept between
 * them would cost more than the loop; one that span for ever would burn a core while idle. */
#include "base/threads.h"

#include <errno.h>
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
    pthread_mutex_t mutex;
    pthread_cond_t wake;

    /* The current loop. `epoch` is raised after the fields are set; workers wait for it. */
    xl_task_fn *fn;
    void *user;
    int64_t n_tasks;
    _Atomic int64_t next_task;
    atomic_int epoch, n_working;
    atomic_bool quit;
};

struct worker {
    struct xl_pool *pool;
    int index;
};

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void run_tasks(struct xl_pool *pool, int worker) {
    for (;;) {
        int64_t task = atomic_fetch_add(&pool->next_task, 1);
        if (task >= pool->n_tasks) return;
        pool->fn(pool->user, task, worker);
    }
}

static int wait_for_epoch(struct xl_pool *pool, int seen) {
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&pool->epoch) != seen) return atomic_load(&pool->epoch);
        relax();
    }
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load(&pool->epoch) == seen) pthread_cond_wait(&pool->wake, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    return atomic_load(&pool->epoch);
}

static void *worker_main(void *arg) {
    struct worker self = *(struct worker *)arg;
    struct xl_pool *pool = self.pool;
    free(arg);
    if (pool->init) pool->init();
    for (int seen = 0;;) {
        seen = wait_for_epoch(pool, seen);
        if (atomic_load(&pool->quit)) return NULL;
        run_tasks(pool, self.index);
        atomic_fetch_sub(&pool->n_working, 1);
    }
}

static void start_epoch(struct xl_pool *pool) {
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->epoch, 1);
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
    atomic_store(&pool->quit, true);
    start_epoch(pool);
    for (int i = 1; i <= pool->n_started; i++) pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->threads);
    free(pool);
}

int xl_pool_size(const struct xl_pool *pool) {
    return pool->n_threads;
}

void xl_pool_run(struct xl_pool *pool, int64_t n_tasks, xl_task_fn *fn, void *user) {
    if (n_tasks <= 1 || pool->n_started == 0) {
        for (int64_t task = 0; task < n_tasks; task++) fn(user, task, 0);
        return;
    }
    pool->fn = fn;
    pool->user = user;
    pool->n_tasks = n_tasks;
    atomic_store(&pool->next_task, 0);
    atomic_store(&pool->n_working, pool->n_started);
    start_epoch(pool);
    run_tasks(pool, 0);
    for (int i = 0; atomic_load(&pool->n_working) > 0; i++) {
        if (i < SPINS)
            relax();
        else
            sched_yield();
    }
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
