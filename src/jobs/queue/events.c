/* events.c - a ring of texts, and a list of places in it. */
#include "jobs/queue/events.h"

#include "base/json.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct entry {
    const char *type;
    char *text; /* NULL: memory was out */
};

struct xl_subscriber {
    struct xl_event_ring *events;
    struct xl_subscriber *next;
    uint64_t next_id;
    void (*wake)(void *user);
    void *user;
    bool is_woken; /* and has not said since that it has seen everything */
    int n_wakes;   /* under way */
};

struct xl_event_ring {
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    struct entry *ring; /* [n]: event number i is at i % n */
    int n;
    uint64_t first, end; /* numbers that are there; the next is end */
    size_t bytes;        /* of their texts */
    struct xl_subscriber *subscribers;
    int n_subscribers;
};

enum xl_status xl_event_ring_new(int n, uint64_t first, struct xl_event_ring **out,
                                 struct xl_err *err) {
    struct xl_event_ring *events = calloc(1, sizeof *events);
    struct entry *ring = calloc((size_t)n, sizeof *ring);
    if (!events || !ring) {
        free(events);
        free(ring);
        return xl_fail_nomem(err, "events", 0);
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&events->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&events->mutex, NULL);
    events->ring = ring;
    events->n = n;
    events->first = events->end = first;
    *out = events;
    return XL_OK;
}

void xl_event_ring_free(struct xl_event_ring *events) {
    if (!events) return;
    for (int i = 0; i < events->n; i++) free(events->ring[i].text);
    free(events->ring);
    pthread_cond_destroy(&events->changed);
    pthread_mutex_destroy(&events->mutex);
    free(events);
}

/* Wake those who have not been woken. With the mutex held, which is let go of meanwhile; somebody
 * whose wake is under way is not freed. */
static void wake_all(struct xl_event_ring *events) {
    struct xl_subscriber *waked[256];
    int n;
    do {
        n = 0;
        for (struct xl_subscriber *one = events->subscribers; one && n < 256; one = one->next)
            if (one->wake && !one->is_woken) {
                one->is_woken = true;
                one->n_wakes++;
                waked[n++] = one;
            }
        pthread_mutex_unlock(&events->mutex);
        for (int i = 0; i < n; i++) waked[i]->wake(waked[i]->user);
        pthread_mutex_lock(&events->mutex);
        for (int i = 0; i < n; i++) waked[i]->n_wakes--;
    } while (n == 256);
    pthread_cond_broadcast(&events->changed);
}

/* Forget the oldest. With the mutex held. */
static void drop_first(struct xl_event_ring *events) {
    struct entry *entry = &events->ring[events->first++ % (uint64_t)events->n];
    if (entry->text) events->bytes -= strlen(entry->text);
    free(entry->text);
    entry->text = NULL;
}

void xl_event_ring_put(struct xl_event_ring *events, const char *type, json_t *data) {
    char *text = data ? xl_json_dump(data, JSON_COMPACT) : NULL;
    json_decref(data);
    pthread_mutex_lock(&events->mutex);
    if (events->end - events->first == (uint64_t)events->n) drop_first(events);
    events->ring[events->end++ % (uint64_t)events->n] = (struct entry){type, text};
    if (text) events->bytes += strlen(text);
    while (events->bytes > XL_EVENT_RING_BYTES && events->first + 1 < events->end)
        drop_first(events);
    wake_all(events);
    pthread_mutex_unlock(&events->mutex);
}

uint64_t xl_event_ring_newest(struct xl_event_ring *events) {
    pthread_mutex_lock(&events->mutex);
    uint64_t newest = events->end - 1;
    pthread_mutex_unlock(&events->mutex);
    return newest;
}

enum xl_status xl_subscriber_new(struct xl_event_ring *events, uint64_t after,
                                 void (*wake)(void *user), void *user, struct xl_subscriber **out,
                                 struct xl_err *err) {
    struct xl_subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (!subscriber) return xl_fail_nomem(err, "a subscriber", sizeof *subscriber);
    *subscriber = (struct xl_subscriber){.events = events, .wake = wake, .user = user};
    pthread_mutex_lock(&events->mutex);
    subscriber->next_id = after == UINT64_MAX ? events->end : after + 1;
    subscriber->is_woken = true; /* until it has asked for the first time */
    subscriber->next = events->subscribers;
    events->subscribers = subscriber;
    pthread_mutex_unlock(&events->mutex);
    *out = subscriber;
    return XL_OK;
}

void xl_subscriber_free(struct xl_subscriber *subscriber) {
    if (!subscriber) return;
    struct xl_event_ring *events = subscriber->events;
    pthread_mutex_lock(&events->mutex);
    struct xl_subscriber **at = &events->subscribers;
    while (*at != subscriber) at = &(*at)->next;
    *at = subscriber->next;
    while (subscriber->n_wakes) pthread_cond_wait(&events->changed, &events->mutex);
    pthread_mutex_unlock(&events->mutex);
    free(subscriber);
}

/* With the mutex held. */
static void wait_for(struct xl_subscriber *subscriber, double wait_s) {
    struct xl_event_ring *events = subscriber->events;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (int64_t)((wait_s - (double)(int64_t)wait_s) * 1e9);
    until.tv_sec += (time_t)wait_s + (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    int late = 0;
    while (!late && subscriber->next_id == events->end)
        late = pthread_cond_timedwait(&events->changed, &events->mutex, &until);
}

/* With the mutex held; there is one. */
static enum xl_next take(struct xl_subscriber *subscriber, struct xl_event *out) {
    const struct xl_event_ring *events = subscriber->events;
    uint64_t id = subscriber->next_id;
    const struct entry *entry = &events->ring[id % (uint64_t)events->n];
    bool is_lost = id > events->end || id < events->first || !entry->text;
    if (is_lost) {
        subscriber->next_id = events->end;
        *out = (struct xl_event){events->end - 1, "reset", NULL};
        return XL_NEXT_EVENT;
    }
    char *text = strdup(entry->text);
    if (!text) return XL_NEXT_NO_MEMORY;
    *out = (struct xl_event){id, entry->type, text};
    subscriber->next_id++;
    return XL_NEXT_EVENT;
}

enum xl_next xl_subscriber_next(struct xl_subscriber *subscriber, double wait_s,
                                struct xl_event *out) {
    struct xl_event_ring *events = subscriber->events;
    enum xl_next next = XL_NEXT_NOTHING;
    pthread_mutex_lock(&events->mutex);
    if (wait_s > 0) wait_for(subscriber, wait_s);
    if (subscriber->next_id != events->end)
        next = take(subscriber, out);
    else
        subscriber->is_woken = false;
    pthread_mutex_unlock(&events->mutex);
    return next;
}
