/* slow.c - a ring of calls, a mutex, and threads that take them. */
#include "http/slow.h"

#include <pthread.h>
#include <stdlib.h>

struct call {
    void (*run)(void *user);
    void *user;
};

struct xl_slow {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t *threads;
    int n_threads;
    struct call *ring; /* [n_ring] */
    int n_ring, first, n_waiting, n_running;
    bool is_ending;
};

static void *work(void *user) {
    struct xl_slow *slow = user;
    pthread_mutex_lock(&slow->mutex);
    for (;;) {
        while (!slow->n_waiting && !slow->is_ending)
            pthread_cond_wait(&slow->changed, &slow->mutex);
        if (!slow->n_waiting) break;
        struct call call = slow->ring[slow->first];
        slow->first = (slow->first + 1) % slow->n_ring;
        slow->n_waiting--;
        slow->n_running++;
        pthread_mutex_unlock(&slow->mutex);
        call.run(call.user);
        pthread_mutex_lock(&slow->mutex);
        slow->n_running--;
    }
    pthread_mutex_unlock(&slow->mutex);
    return NULL;
}

enum xl_status xl_slow_new(int n_threads, int n_waiting, struct xl_slow **out, struct xl_err *err) {
    struct xl_slow *slow = calloc(1, sizeof *slow);
    if (!slow) return xl_fail_nomem(err, "threads of the server", 0);
    pthread_mutex_init(&slow->mutex, NULL);
    pthread_cond_init(&slow->changed, NULL);
    slow->n_ring = n_waiting;
    slow->ring = calloc((size_t)n_waiting, sizeof *slow->ring);
    slow->threads = calloc((size_t)n_threads, sizeof *slow->threads);
    bool ok = slow->ring && slow->threads;
    for (; ok && slow->n_threads < n_threads; slow->n_threads++)
        if (pthread_create(&slow->threads[slow->n_threads], NULL, work, slow)) break;
    if (slow->n_threads < n_threads) {
        xl_slow_free(slow);
        return xl_fail_nomem(err, "threads of the server", 0);
    }
    *out = slow;
    return XL_OK;
}

bool xl_slow_add(struct xl_slow *slow, void (*run)(void *user), void *user) {
    pthread_mutex_lock(&slow->mutex);
    bool fits = slow->n_waiting < slow->n_ring && !slow->is_ending;
    if (fits)
        slow->ring[(slow->first + slow->n_waiting++) % slow->n_ring] = (struct call){run, user};
    pthread_cond_signal(&slow->changed);
    pthread_mutex_unlock(&slow->mutex);
    return fits;
}

int xl_slow_load(struct xl_slow *slow) {
    pthread_mutex_lock(&slow->mutex);
    int n = slow->n_waiting + slow->n_running;
    pthread_mutex_unlock(&slow->mutex);
    return n;
}

void xl_slow_free(struct xl_slow *slow) {
    if (!slow) return;
    pthread_mutex_lock(&slow->mutex);
    slow->is_ending = true;
    pthread_cond_broadcast(&slow->changed);
    pthread_mutex_unlock(&slow->mutex);
    for (int i = 0; i < slow->n_threads; i++) pthread_join(slow->threads[i], NULL);
    pthread_cond_destroy(&slow->changed);
    pthread_mutex_destroy(&slow->mutex);
    free(slow->ring);
    free(slow->threads);
    free(slow);
}
