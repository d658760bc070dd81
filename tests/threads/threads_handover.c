/* threads_handover.c - things that are passed from thread to thread: items of different sizes, in
 * order and no more than may be on their way; turns, which everybody gets. Prints "N passed, N
 * failed". */
#include "base/handover.h"
#include "base/turns.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { N_ITEMS = 600, MOST = 16, N_TURNS = 2000 };

static int passed, failed;

static void expect(bool holds, const char *what) {
    passed += holds;
    failed += !holds;
    if (!holds) printf("FAIL %s\n", what);
}

/* --- Items ------------------------------------------------------------------------------------ */

static int sizes[N_ITEMS];
static atomic_int n_handled, n_put;
static bool is_in_order = true, is_within = true;

static void handle(void *user, void *item) {
    int i = (int)((int *)item - sizes), n = atomic_load(&n_put), size = 0;
    (void)user;
    is_in_order &= i == atomic_fetch_add(&n_handled, 1);
    /* Those that have been put by now, and not handled. */
    for (int k = i; k < n; k++) size += sizes[k];
    is_within &= n - i <= 2 || size <= MOST;
    if (i % 50 == 0) nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static void try_items(void) {
    struct xl_handover *handover;
    struct xl_err err = {0};
    if (xl_handover_new(MOST, handle, NULL, &handover, &err)) return expect(false, err.text);
    for (int i = 0; i < N_ITEMS; i++) {
        sizes[i] = i % 7 == 3 ? 40 : 1 + i % 5;
        xl_handover_put(handover, &sizes[i], sizes[i]);
        atomic_fetch_add(&n_put, 1);
    }
    xl_handover_finish(handover);
    expect(atomic_load(&n_handled) == N_ITEMS && is_in_order, "every item is handled, in order");
    expect(is_within, "no more is on its way than may be");
}

/* --- Turns ------------------------------------------------------------------------------------ */

static struct xl_turns turns;
static int64_t n_taken; /* plain: the turns alone keep threads apart */
static atomic_bool is_over, has_begun;

static void *take_always(void *user) {
    (void)user;
    while (!atomic_load(&is_over)) {
        xl_turns_take(&turns);
        n_taken++;
        xl_turns_pass(&turns);
        atomic_store(&has_begun, true);
    }
    return NULL;
}

/* One that takes the lock again and again and one that wants it now and then. */
static void try_turns(void) {
    pthread_t thread;
    int64_t worst = 0;
    xl_turns_init(&turns);
    if (pthread_create(&thread, NULL, take_always, NULL)) return expect(false, "a thread");
    while (!atomic_load(&has_begun)) nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    for (int i = 0; i < N_TURNS; i++) {
        xl_turns_take(&turns);
        int64_t before = n_taken;
        xl_turns_pass(&turns);
        xl_turns_take(&turns);
        if (n_taken - before > worst) worst = n_taken - before;
        xl_turns_pass(&turns);
    }
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    xl_turns_deinit(&turns);
    /* The other one may run for a while between this one's passing and its asking; not for ever. */
    expect(worst < 1000000, "nobody is kept waiting");
}

int main(void) {
    try_items();
    try_turns();
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
