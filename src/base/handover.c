/* handover.c - a ring of pointers, one mutex, one thread. */
#include "base/handover.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ALWAYS = 2 }; /* items that may be on their way whatever their size */

struct xl_handover {
    xl_handover_fn *handle;
    void *user;
    pthread_t thread;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    int first, n;   /* the item that is being handled is the first */
    int most, size; /* of all items that are on their way */
    bool is_ending;
    int capacity;
    struct item {
        void *at;
        int size;
    } items[]; /* [capacity] */
};

static void *run(void *user) {
    struct xl_handover *handover = user;
    pthread_mutex_lock(&handover->mutex);
    for (;;) {
        while (!handover->n && !handover->is_ending)
            pthread_cond_wait(&handover->changed, &handover->mutex);
        if (!handover->n) break;
        struct item item = handover->items[handover->first];
        pthread_mutex_unlock(&handover->mutex);
        handover->handle(handover->user, item.at);
        pthread_mutex_lock(&handover->mutex);
        handover->first = (handover->first + 1) % handover->capacity;
        handover->n--;
        handover->size -= item.size;
        pthread_cond_broadcast(&handover->changed);
    }
    pthread_mutex_unlock(&handover->mutex);
    return NULL;
}

enum xl_status xl_handover_new(int most, xl_handover_fn *handle, void *user,
                               struct xl_handover **out, struct xl_err *err) {
    int capacity = most > ALWAYS ? most : ALWAYS;
    size_t bytes = sizeof **out + (size_t)capacity * sizeof(struct item);
    struct xl_handover *handover = calloc(1, bytes);
    if (!handover) return xl_fail_nomem(err, "a thread's queue", bytes);
    handover->handle = handle;
    handover->user = user;
    handover->most = most;
    handover->capacity = capacity;
    pthread_mutex_init(&handover->mutex, NULL);
    pthread_cond_init(&handover->changed, NULL);
    int failed = pthread_create(&handover->thread, NULL, run, handover);
    if (!failed) {
        *out = handover;
        return XL_OK;
    }
    pthread_cond_destroy(&handover->changed);
    pthread_mutex_destroy(&handover->mutex);
    free(handover);
    return xl_fail(err, XL_ENOMEM, "cannot start a thread: %s", strerror(failed));
}

static bool has_room(const struct xl_handover *handover, int size) {
    return handover->n < ALWAYS || size <= handover->most - handover->size;
}

void xl_handover_put(struct xl_handover *handover, void *item, int size) {
    pthread_mutex_lock(&handover->mutex);
    while (!has_room(handover, size)) pthread_cond_wait(&handover->changed, &handover->mutex);
    int at = (handover->first + handover->n++) % handover->capacity;
    handover->items[at] = (struct item){item, size};
    handover->size += size;
    pthread_cond_broadcast(&handover->changed);
    pthread_mutex_unlock(&handover->mutex);
}

void xl_handover_finish(struct xl_handover *handover) {
    if (!handover) return;
    pthread_mutex_lock(&handover->mutex);
    handover->is_ending = true;
    pthread_cond_broadcast(&handover->changed);
    pthread_mutex_unlock(&handover->mutex);
    pthread_join(handover->thread, NULL);
    pthread_cond_destroy(&handover->changed);
    pthread_mutex_destroy(&handover->mutex);
    free(handover);
}
