/* threads_holds.c - weights that several threads ask for at once: who finds one that another thread
 * is just filling waits for it, and has it to fill itself when that fails. Prints "N passed, N
 * failed". */
#include "backend/holds.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BYTES = 1000 };

struct entry {
    struct xl_held held;
    int64_t key;
    int content; /* plain: the holds alone keep threads apart */
};

static int passed, failed;
static atomic_int n_blocks; /* of memory */

static void expect(bool holds, const char *what) {
    passed += holds;
    failed += !holds;
    if (!holds) printf("FAIL %s\n", what);
}

static unsigned char *take(void *user, size_t bytes) {
    (void)user;
    atomic_fetch_add(&n_blocks, 1);
    return malloc(bytes);
}

static void give(void *user, unsigned char *data, size_t bytes) {
    (void)user, (void)bytes;
    atomic_fetch_sub(&n_blocks, 1);
    free(data);
}

static const struct xl_holds_kind kind = {.entry_size = sizeof(struct entry),
                                          .key_offset = offsetof(struct entry, key),
                                          .key_size = sizeof(int64_t),
                                          .alloc = take,
                                          .free = give};
static struct xl_holds *holds;

static struct xl_hold *begin(enum xl_hold_use use) {
    struct xl_hold *hold = NULL;
    if (xl_hold_new(holds, use, &hold, NULL)) exit(1);
    return hold;
}

static struct entry *ask(struct xl_hold *hold, int64_t key, bool *is_new) {
    struct entry *entry = (struct entry *)xl_hold_ask(hold, &key, is_new);
    if (!entry) exit(1);
    if (*is_new) xl_held_set_bytes(&entry->held, BYTES);
    return entry;
}

/* Memory for what is missing; whether anything is. */
static bool is_missing(struct xl_hold *hold) {
    struct xl_held_group *group = NULL;
    if (xl_hold_take_memory(hold, &group, NULL)) exit(1);
    return group != NULL;
}

/* --- Another thread asks for an entry that is being filled -------------------------------------
 */

struct asker {
    pthread_t thread;
    int64_t key;
    struct xl_hold *hold;
    bool is_new, was_missing;
    int content; /* as it found it */
    atomic_bool has_got_it;
};

static void *run(void *user) {
    struct asker *asker = user;
    asker->hold = begin(XL_HOLD_TO_COMPILE);
    struct entry *entry = ask(asker->hold, asker->key, &asker->is_new);
    atomic_store(&asker->has_got_it, true);
    asker->was_missing = is_missing(asker->hold);
    if (asker->was_missing) entry->content = -1;
    asker->content = entry->content;
    xl_hold_close(asker->hold);
    return NULL;
}

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void start(int64_t key, struct asker *asker) {
    *asker = (struct asker){.key = key};
    if (pthread_create(&asker->thread, NULL, run, asker)) exit(1);
}

static void try_filling(void) {
    struct asker other;
    bool is_new;
    struct xl_hold *hold = begin(XL_HOLD_TO_COMPILE);
    struct entry *entry = ask(hold, 1, &is_new);
    expect(is_new && is_missing(hold), "what nobody holds is missing");
    expect(xl_holds_bytes(holds).held == xl_held_align(BYTES), "it counts from when it has memory");
    struct xl_hold *measure = begin(XL_HOLD_TO_MEASURE);
    (void)ask(measure, 1, &is_new);
    struct xl_weight_need need = xl_hold_need(measure);
    expect(!is_new && !need.missing && need.held == xl_held_align(BYTES),
           "whoever measures does not wait, and finds it held");
    xl_hold_free(measure);
    start(1, &other);
    pause_ms(20);
    expect(!atomic_load(&other.has_got_it), "whoever compiles waits");
    entry->content = 7;
    xl_hold_close(hold);
    pthread_join(other.thread, NULL);
    expect(!other.is_new && !other.was_missing && other.content == 7, "and finds it filled");
    xl_hold_free(hold);
    expect(xl_holds_bytes(holds).idle == 0, "the other one still holds it");
    xl_hold_free(other.hold);
    expect(xl_holds_bytes(holds).idle == xl_held_align(BYTES), "nobody holds it now");
    expect(xl_holds_release(holds, 1) == xl_held_align(BYTES) && !n_blocks, "it can be released");
}

static void try_failing(void) {
    struct asker other;
    bool is_new;
    struct xl_hold *hold = begin(XL_HOLD_TO_COMPILE);
    (void)ask(hold, 2, &is_new);
    if (!is_missing(hold)) exit(1);
    struct xl_hold *measure = begin(XL_HOLD_TO_MEASURE);
    struct entry *lost = ask(measure, 2, &is_new);
    lost->content = 3;
    start(2, &other);   /* which waits until nobody asks */
    xl_hold_free(hold); /* not closed: it could not be filled */
    expect(lost->content == 3, "what is measured stays until that is over");
    xl_hold_free(measure);
    pthread_join(other.thread, NULL);
    expect(other.is_new && other.was_missing && other.content == -1,
           "what could not be filled is missing again");
    expect(xl_holds_bytes(holds).held == xl_held_align(BYTES) && n_blocks == 1,
           "and what was lost is gone");
    xl_hold_free(other.hold);
    xl_holds_release(holds, SIZE_MAX);
    expect(!xl_holds_bytes(holds).held && !n_blocks, "everything comes back");
}

/* A hold that fills is asked for what it has, and for something new. */
static void try_asking_again(void) {
    struct asker other;
    bool is_new;
    struct xl_hold *hold = begin(XL_HOLD_TO_COMPILE);
    struct entry *entry = ask(hold, 3, &is_new);
    if (!is_missing(hold)) exit(1);
    expect(!xl_hold_asks(hold), "a hold that has its memory asks no more");
    start(3, &other);
    expect(ask(hold, 3, &is_new) == entry && !is_new, "what it fills itself it finds at once");
    pause_ms(20);
    expect(!atomic_load(&other.has_got_it), "others wait for it");
    entry->content = 5;
    xl_hold_close(hold);
    pthread_join(other.thread, NULL);
    expect(other.content == 5, "until it is filled");
    (void)ask(hold, 4, &is_new);
    expect(is_new && xl_hold_asks(hold), "anything else is asked for anew");
    expect(is_missing(hold) && n_blocks == 2, "and gets memory of its own");
    xl_hold_close(hold);
    xl_hold_free(hold);
    xl_hold_free(other.hold);
    xl_holds_release(holds, SIZE_MAX);
    expect(!xl_holds_bytes(holds).held && !n_blocks, "both come back");
}

int main(void) {
    struct xl_err err;
    if (xl_holds_new(&kind, NULL, &holds, &err)) return 1;
    try_filling();
    try_failing();
    try_asking_again();
    xl_holds_free(holds);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
