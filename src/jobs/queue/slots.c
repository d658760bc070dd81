/* slots.c - places and their devices: GPUs are locked when there is work for them and given back
 * when there was none for a while, with the workers. The watch's thread does that, and writes the
 * journal anew where that is due.
 */
#include "jobs/queue/parts.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool goes_on(void *user) {
    struct xl_queue *queue = user;
    return !atomic_load(&queue->is_closing);
}

enum xl_status xl_slots_open(struct xl_queue *queue, const struct xl_queue_params *params,
                             struct xl_err *err) {
    const struct xl_workers_params workers = {.settings = &queue->settings,
                                              .program = params->program,
                                              .goes_on = goes_on,
                                              .user = queue};
    enum xl_status status = xl_workers_open(&workers, &queue->workers, err);
    if (status) return status;
    queue->n_slots = queue->workers.n;
    for (int i = 0; i < queue->n_slots; i++) {
        struct xl_slot *slot = &queue->slots[i];
        slot->painter = queue->workers.painters[i];
        slot->has_device = !queue->workers.pool;
        slot->used_s = xl_now_s();
        snprintf(slot->name, sizeof slot->name, "%s", slot->has_device ? "CPU" : "");
        /* Who brings the queue back waits until nobody draws for it any more. */
        xl_worker_painter_keep_open(slot->painter, xl_journal_descriptor(queue->journal));
    }
    return XL_OK;
}

const char *xl_slots_device(const struct xl_queue *queue, const char *label) {
    if (!queue->workers.pool) return "CPU";
    for (int i = 0; i < queue->n_slots; i++)
        if (!strcmp(queue->slots[i].uuid, label)) return queue->slots[i].name;
    return "";
}

void xl_slots_close(struct xl_queue *queue) {
    xl_workers_close(&queue->workers);
    for (int i = 0; i < queue->n_slots; i++) free(queue->slots[i].model_id);
    queue->n_slots = 0;
}

/* --- GPUs ------------------------------------------------------------------------------------- */

/* Whether some job has something to draw that no place draws. With the mutex held. */
static bool has_work(struct xl_queue *queue) {
    struct xl_slot none = {.digest = ""};
    return xl_dispatch_choose(queue, &none) != NULL;
}

static bool lacks_device(const struct xl_queue *queue) {
    for (int i = 0; i < queue->n_slots; i++)
        if (!queue->slots[i].has_device && !queue->slots[i].is_resting) return true;
    return false;
}

/* Take over what was found. With the mutex held; returns whether there is a new one. */
static bool note_found(struct xl_queue *queue) {
    bool is_changed = false;
    for (int i = 0; i < queue->n_slots; i++) {
        struct xl_slot *slot = &queue->slots[i];
        struct xl_gpu gpu;
        if (slot->has_device || !xl_gpu_pool_has(queue->workers.pool, i, &gpu)) continue;
        slot->has_device = is_changed = true;
        slot->used_s = xl_now_s();
        snprintf(slot->name, sizeof slot->name, "%s", gpu.name);
        snprintf(slot->uuid, sizeof slot->uuid, "%s", gpu.uuid);
        snprintf(slot->painter->label, sizeof slot->painter->label, "%s", gpu.uuid);
    }
    return is_changed;
}

/* Lock idle GPUs for places that have none. Takes a second or two. */
static void seek(struct xl_queue *queue) {
    struct xl_str busy = {0};
    struct xl_err why = {0};
    enum xl_status status = xl_gpu_pool_seek(queue->workers.pool, &busy, &why);
    if (status) xl_info("looking for GPUs: %s", why.text);
    if (busy.len) xl_info("GPUs that are busy: %s", busy.text);
    xl_str_deinit(&busy);
    pthread_mutex_lock(&queue->mutex);
    bool is_changed = note_found(queue);
    json_t *places = is_changed ? xl_tell_places(queue) : NULL;
    if (is_changed) pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
    if (places) xl_event_ring_put(queue->events, "places", places);
}

/* --- Rest ------------------------------------------------------------------------------------- */

/* A place that has drawn nothing for so long that its worker ends; it is nobody else's then. With
 * the mutex held. */
static struct xl_slot *find_idle(struct xl_queue *queue) {
    double now_s = xl_now_s();
    for (int i = 0; i < queue->n_slots; i++) {
        struct xl_slot *slot = &queue->slots[i];
        bool has_something = slot->digest[0] || (queue->workers.pool && slot->has_device);
        if (slot->job || slot->is_resting || !has_something) continue;
        if (now_s - slot->used_s < queue->idle_s && slot->used_s > queue->rest_s) continue;
        slot->is_resting = true;
        return slot;
    }
    return NULL;
}

void xl_queue_rest(struct xl_queue *queue) {
    pthread_mutex_lock(&queue->mutex);
    queue->rest_s = xl_now_s();
    pthread_mutex_unlock(&queue->mutex);
}

static void rest(struct xl_queue *queue, struct xl_slot *slot) {
    xl_worker_painter_rest(slot->painter);
    pthread_mutex_lock(&queue->mutex);
    slot->digest[0] = 0;
    slot->has_device = !queue->workers.pool;
    slot->is_resting = false;
    json_t *places = xl_tell_places(queue);
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
    xl_event_ring_put(queue->events, "places", places);
}

/* --- The thread ------------------------------------------------------------------------------- */

static void renew_journal(struct xl_queue *queue) {
    struct xl_err why = {0};
    if (!xl_journal_is_behind(queue->journal) && !xl_journal_is_long(queue->journal)) return;
    if (xl_history_renew(queue, &why)) xl_info("the journal is written later: %s", why.text);
}

/* Wait for a moment, or until it is over. With the mutex held. */
static void wait(struct xl_queue *queue, double seconds) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(seconds * 1e9);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    int late = 0;
    while (!late && !atomic_load(&queue->is_closing))
        late = pthread_cond_timedwait(&queue->changed, &queue->mutex, &until);
}

void *xl_slots_run(void *user) {
    static const double LOOK_S = 0.5;
    struct xl_queue *queue = user;
    for (;;) {
        pthread_mutex_lock(&queue->mutex);
        wait(queue, LOOK_S);
        bool seeks = queue->workers.pool && lacks_device(queue) && has_work(queue);
        struct xl_slot *idle = find_idle(queue);
        pthread_mutex_unlock(&queue->mutex);
        if (atomic_load(&queue->is_closing)) break;
        if (idle) rest(queue, idle);
        if (seeks) seek(queue);
        renew_journal(queue);
    }
    return NULL;
}
