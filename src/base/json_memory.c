/* json_memory.c - memory for jansson, which copes badly with having none: some failures it does not
 * notice, and when the text of a token cannot grow it writes beyond its end (2.14). So a failure is
 * noted for xl_json_ran_out, and jansson gets a block that was set aside for that, with which it
 * comes to the end of what it was asked. All blocks are malloc's: anyone may free them.
 *
 * What is set aside is for all threads, guarded by its mutex. */
#include "base/json.h"

#include <pthread.h>
#include <stdlib.h>

enum { N_SMALL = 256, SMALL_BYTES = 160, N_LARGE = 8, LARGE_BYTES = 8192 };

static void *aside[N_SMALL + N_LARGE]; /* the small ones first; NULL: given away */
static pthread_mutex_t aside_mutex = PTHREAD_MUTEX_INITIALIZER;
static bool is_aside_whole; /* guarded as well */

static _Thread_local bool has_run_out;

static void *take_aside(size_t size) {
    void *block = NULL;
    pthread_mutex_lock(&aside_mutex);
    is_aside_whole = false;
    for (int i = size <= SMALL_BYTES ? 0 : N_SMALL; !block && i < N_SMALL + N_LARGE; i++) {
        block = size <= LARGE_BYTES ? aside[i] : NULL;
        if (block) aside[i] = NULL;
    }
    pthread_mutex_unlock(&aside_mutex);
    return block;
}

/* What cannot be had now is had the next time. */
static void set_aside(void) {
    pthread_mutex_lock(&aside_mutex);
    bool is_whole = true;
    for (int i = 0; !is_aside_whole && i < N_SMALL + N_LARGE; i++) {
        if (!aside[i]) aside[i] = malloc(i < N_SMALL ? SMALL_BYTES : LARGE_BYTES);
        is_whole = is_whole && aside[i];
    }
    is_aside_whole = is_whole;
    pthread_mutex_unlock(&aside_mutex);
}

static void *allocate(size_t size) {
    void *block = malloc(size);
    if (block) return block;
    has_run_out = true;
    return take_aside(size);
}

static void install(void) {
    json_set_alloc_funcs(allocate, free);
}

void xl_json_watch(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    set_aside();
    has_run_out = false;
}

bool xl_json_ran_out(void) {
    return has_run_out;
}
