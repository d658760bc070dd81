/* tell.c - the queue as JSON, for who asks and who follows, and the newest small pictures. */
#include "jobs/queue/parts.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

double xl_tell_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)(int64_t)((double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6) / 1000;
}

/* Seconds; below 0: not known. */
static json_t *seconds(double value) {
    return value < 0 ? json_null() : json_real((double)(int64_t)(value * 1000 + 0.5) / 1000);
}

/* --- Progress (with the mutex held) ----------------------------------------------------------- */

static int place_of(const struct xl_queue *queue, const struct xl_slot *slot) {
    return (int)(slot - queue->slots);
}

/* Steps a second, of those since the phase was first heard of; 0: not known yet. */
static double rate_of(const struct xl_slot *slot) {
    double passed_s = xl_now_s() - slot->progress.begun_s;
    int64_t n = slot->progress.done - slot->progress.begun_done;
    return passed_s > 0 && n > 0 ? (double)n / passed_s : 0;
}

/* Of what a place draws now; -1: not known. */
static double left_of(const struct xl_slot *slot) {
    double rate = rate_of(slot);
    if (slot->progress.phase != XL_PHASE_SAMPLE || rate <= 0) return -1;
    return (double)(slot->progress.total - slot->progress.done) / rate;
}

json_t *xl_tell_progress(struct xl_queue *queue, const struct xl_slot *slot) {
    static const char *const phases[] = {[XL_PHASE_LOAD] = "load",
                                         [XL_PHASE_ENCODE] = "encode",
                                         [XL_PHASE_SAMPLE] = "sample",
                                         [XL_PHASE_DECODE] = "decode"};
    json_t *object = json_object();
    bool ok = object != NULL;
    if (!slot->job) return xl_json_finish(object, false);
    xl_json_put(object, "job", json_string(slot->job->id), &ok);
    xl_json_put(object, "place", json_integer(place_of(queue, slot)), &ok);
    xl_json_put(object, "phase", json_string(phases[slot->progress.phase]), &ok);
    xl_json_put(object, "step", json_integer(slot->progress.done), &ok);
    xl_json_put(object, "steps", json_integer(slot->progress.total), &ok);
    double rate = rate_of(slot);
    xl_json_put(object, "rate", rate > 0 ? json_real(rate) : json_null(), &ok);
    xl_json_put(object, "left_s", seconds(left_of(slot)), &ok);
    xl_json_put(object, "job_left_s", seconds(xl_estimate_left(queue, slot->job)), &ok);
    return xl_json_finish(object, ok);
}

/* --- Jobs and places (with the mutex held) ---------------------------------------------------- */

json_t *xl_tell_job(struct xl_queue *queue, const struct xl_job *job, bool is_brief) {
    json_t *object = xl_job_write(job, is_brief), *progress = json_array();
    bool ok = object && progress;
    for (int i = 0; ok && i < queue->n_slots; i++) {
        const struct xl_slot *slot = &queue->slots[i];
        if (slot->job == job && slot->progress.total > 0)
            json_array_append_new(progress, xl_tell_progress(queue, slot));
    }
    xl_json_put(object, "estimate_s", seconds(xl_estimate_left(queue, job)), &ok);
    xl_json_put(object, "progress", progress, &ok);
    return xl_json_finish(object, ok);
}

/* Why nothing is begun; null: it is. */
static json_t *tell_held(const struct xl_queue *queue) {
    const struct xl_slot *held = NULL;
    if (xl_now_s() < queue->held_until_s) return xl_json_text(queue->held);
    for (int i = 0; i < queue->n_slots; i++) {
        if (!xl_dispatch_is_held(&queue->slots[i])) return json_null();
        held = &queue->slots[i];
    }
    return held ? xl_json_text(held->held) : json_null();
}

static void put_queue(struct xl_queue *queue, json_t *object, bool *ok) {
    xl_json_put(object, "revision", json_integer(queue->revision), ok);
    xl_json_put(object, "paused", json_boolean(queue->is_paused), ok);
    xl_json_put(object, "held", tell_held(queue), ok);
}

json_t *xl_tell_queue(struct xl_queue *queue) {
    enum { MOST = 50 };
    json_t *object = json_object(), *order = json_array();
    bool ok = object && order;
    int n = 0;
    put_queue(queue, object, &ok);
    for (const struct xl_job *job = queue->order.first; ok && job && n < MOST;
         job = job->after, n++)
        ok = !json_array_append_new(order, json_string(job->id));
    xl_json_put(object, "n", json_integer(queue->order.n), &ok);
    xl_json_put(object, "order", order, &ok);
    return xl_json_finish(object, ok);
}

static json_t *tell_place(struct xl_queue *queue, int i) {
    const struct xl_slot *slot = &queue->slots[i];
    const char *state = slot->job ? "draws" : slot->has_device ? "idle" : "no GPU";
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "place", json_integer(i), &ok);
    xl_json_put(object, "label", xl_json_text(slot->has_device ? slot->painter->label : ""), &ok);
    xl_json_put(object, "name", xl_json_text(slot->has_device ? slot->name : ""), &ok);
    xl_json_put(object, "state", json_string(state), &ok);
    xl_json_put(object, "job", slot->job ? json_string(slot->job->id) : json_null(), &ok);
    xl_json_put(object, "model", slot->digest[0] ? xl_json_text(slot->model_id) : json_null(), &ok);
    xl_json_put(object, "next", slot->next.job[0] ? json_string(slot->next.job) : json_null(), &ok);
    return xl_json_finish(object, ok);
}

json_t *xl_tell_places(struct xl_queue *queue) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < queue->n_slots; i++)
        ok = !json_array_append_new(list, tell_place(queue, i));
    return xl_json_finish(list, ok);
}

/* --- For who asks ----------------------------------------------------------------------------- */

json_t *xl_queue_job(struct xl_queue *queue, const char *id) {
    pthread_mutex_lock(&queue->mutex);
    const struct xl_job *job = xl_order_find(queue, id);
    json_t *told = job ? xl_tell_job(queue, job, false) : NULL;
    pthread_mutex_unlock(&queue->mutex);
    return told;
}

json_t *xl_queue_list(struct xl_queue *queue, int state) {
    json_t *object = json_object(), *list = json_array();
    bool ok = object && list;
    pthread_mutex_lock(&queue->mutex);
    put_queue(queue, object, &ok);
    for (const struct xl_job *job = queue->order.first; ok && job; job = job->after)
        if (state < 0 || (int)job->state == state)
            ok = !json_array_append_new(list, xl_tell_job(queue, job, true));
    for (const struct xl_job *job = queue->ended.last; ok && job; job = job->before)
        if (state < 0 || (int)job->state == state)
            ok = !json_array_append_new(list, xl_tell_job(queue, job, true));
    pthread_mutex_unlock(&queue->mutex);
    xl_json_put(object, "jobs", list, &ok);
    return xl_json_finish(object, ok);
}

json_t *xl_queue_places(struct xl_queue *queue) {
    pthread_mutex_lock(&queue->mutex);
    json_t *places = xl_tell_places(queue);
    pthread_mutex_unlock(&queue->mutex);
    return places;
}

void xl_queue_count(struct xl_queue *queue, struct xl_queue_counts *out) {
    pthread_mutex_lock(&queue->mutex);
    *out = queue->counts;
    for (const struct xl_job *job = queue->order.first; job; job = job->after)
        *(job->state == XL_JOB_RUNNING ? &out->n_running : &out->n_waiting) += 1;
    for (int i = 0; i < queue->n_slots; i++) out->n_at_work += queue->slots[i].job != NULL;
    out->n_places = queue->n_slots;
    out->is_paused = queue->is_paused;
    pthread_mutex_unlock(&queue->mutex);
}

struct xl_event_ring *xl_queue_events(struct xl_queue *queue) {
    return queue->events;
}

/* --- Small pictures --------------------------------------------------------------------------- */

void xl_queue_want_previews(struct xl_queue *queue) {
    pthread_mutex_lock(&queue->mutex);
    queue->previews_until_s = xl_now_s() + XL_QUEUE_PREVIEW_S;
    pthread_mutex_unlock(&queue->mutex);
}

/* The one of a job, or the oldest, which makes room. With the mutex held. */
static struct xl_preview_kept *find_preview(struct xl_queue *queue, const char *job,
                                            bool makes_room) {
    struct xl_preview_kept *oldest = &queue->previews[0];
    for (int i = 0; i < XL_QUEUE_PREVIEWS; i++) {
        struct xl_preview_kept *kept = &queue->previews[i];
        if (!strcmp(kept->job, job)) return kept;
        if (kept->number < oldest->number) oldest = kept;
    }
    return makes_room ? oldest : NULL;
}

bool xl_tell_wants_previews(struct xl_queue *queue) {
    pthread_mutex_lock(&queue->mutex);
    bool are_wanted = queue->previews_until_s > xl_now_s();
    pthread_mutex_unlock(&queue->mutex);
    return are_wanted;
}

void xl_tell_preview(struct xl_queue *queue, const struct xl_slot *slot, const char *job,
                     const struct xl_preview *preview) {
    size_t n = preview->n;
    void *copy = malloc(n);
    if (!copy) return;
    memcpy(copy, preview->jpeg, n);
    pthread_mutex_lock(&queue->mutex);
    struct xl_preview_kept *kept = find_preview(queue, job, true);
    void *old = kept->bytes;
    *kept = (struct xl_preview_kept){.number = ++queue->n_previews, .bytes = copy, .n = n};
    strncpy(kept->job, job, sizeof kept->job - 1);
    int64_t number = kept->number;
    pthread_mutex_unlock(&queue->mutex);
    free(old);
    json_t *told = json_object();
    bool ok = told != NULL;
    xl_json_put(told, "job", json_string(job), &ok);
    xl_json_put(told, "place", json_integer(place_of(queue, slot)), &ok);
    xl_json_put(told, "number", json_integer(number), &ok);
    xl_json_put(told, "step", json_integer(preview->step), &ok);
    xl_event_ring_put(queue->events, "preview", xl_json_finish(told, ok));
}

void xl_queue_preview(struct xl_queue *queue, const char *id, int64_t known, int64_t *number,
                      void **bytes, size_t *n) {
    *bytes = NULL;
    *n = 0;
    *number = known;
    xl_queue_want_previews(queue);
    pthread_mutex_lock(&queue->mutex);
    const struct xl_preview_kept *kept = id && id[0] ? find_preview(queue, id, false) : NULL;
    if (kept && kept->number > known && (*bytes = malloc(kept->n))) {
        memcpy(*bytes, kept->bytes, kept->n);
        *n = kept->n;
        *number = kept->number;
    }
    pthread_mutex_unlock(&queue->mutex);
}
