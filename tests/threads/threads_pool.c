/* threads_pool.c - many short loops on a pool, each reading what the one before wrote: the memory
 * is plain, so the pool alone keeps its threads apart. Prints "N passed, N failed". */
#include "base/threads.h"

#include <stdio.h>
#include <stdlib.h>

enum { N = 97, LOOPS = 4000 };

struct turn {
    const int64_t *from;
    int64_t *to;
};

/* One number from its neighbours in the last turn. */
static void step(void *user, int64_t task, int worker) {
    const struct turn *turn = user;
    (void)worker;
    turn->to[task] = turn->from[(task + 1) % N] + turn->from[(task + N - 1) % N] * 3 % 1000;
}

/* xl_pool_run is given a `turn` that is gone when it returns, and from one loop to the next the
 * same address holds another. */
static void run(struct xl_pool *pool, int64_t n_tasks, const int64_t *from, int64_t *to) {
    struct turn turn = {from, to};
    if (pool)
        xl_pool_run(pool, n_tasks, step, &turn);
    else
        for (int64_t i = 0; i < n_tasks; i++) step(&turn, i, 0);
}

static int64_t sum_of_loops(struct xl_pool *pool) {
    int64_t numbers[2][N] = {{1, 2, 3}, {0}};
    for (int i = 0; i < LOOPS; i++) {
        int64_t *from = numbers[i % 2], *to = numbers[(i + 1) % 2];
        for (int j = 0; j < N; j++) to[j] = from[j];
        run(pool, 1 + i % N, from, to);
        for (int j = 0; j < N; j++) to[j] %= 1000003;
    }
    int64_t sum = 0;
    for (int j = 0; j < N; j++) sum += numbers[0][j] * (j + 1);
    return sum;
}

/* Each worker counts in its own place, as the scratch memory of kernels is used. */
static void count(void *user, int64_t task, int worker) {
    (void)task;
    ((int64_t *)user)[worker * 8]++;
}

int main(void) {
    int passed = 0, failed = 0;
    int64_t expected = sum_of_loops(NULL);
    for (int n_threads = 1; n_threads <= 8; n_threads++) {
        struct xl_err err = {0};
        struct xl_pool *pool = NULL;
        if (xl_pool_new(n_threads, NULL, &pool, &err)) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        int64_t counts[8 * 8] = {0}, sum = 0;
        bool is_right = sum_of_loops(pool) == expected;
        for (int i = 0; i < 100; i++) xl_pool_run(pool, N, count, counts);
        for (int i = 0; i < 8; i++) sum += counts[i * 8];
        is_right = is_right && sum == 100 * N;
        xl_pool_free(pool);
        if (is_right)
            passed++;
        else
            failed++;
        if (!is_right) printf("FAIL %d threads\n", n_threads);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
