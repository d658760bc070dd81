/* proxy.c - a painter of a job that has no device of its own: what the runner asks of it goes to
 * the worker of the place that its job was given, and between two shares the place may be
 * another's. Saving goes to the worker that drew, whoever has its place by then.
 */
#include "jobs/queue/parts.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double TELL_S = 0.2; /* between two reports of progress */

static struct xl_proxy *proxy_of(struct xl_painter *painter) {
    return (struct xl_proxy *)painter;
}

/* --- Following -------------------------------------------------------------------------------- */

/* Keep what a place is at; returns what to tell of it, now and then. */
static json_t *note_progress(struct xl_proxy *proxy, enum xl_phase phase, int64_t done,
                             int64_t total) {
    struct xl_queue *queue = proxy->drawing->queue;
    struct xl_slot *slot = proxy->slot;
    json_t *told = NULL;
    double now_s = xl_now_s();
    pthread_mutex_lock(&queue->mutex);
    if (slot->progress.phase != phase || !slot->progress.total || done < slot->progress.done) {
        slot->progress.begun_s = now_s;
        slot->progress.begun_done = done;
    }
    bool is_due = slot->progress.phase != phase || done >= total ||
                  now_s - slot->progress.told_s >= TELL_S;
    slot->progress.phase = phase;
    slot->progress.done = done;
    slot->progress.total = total;
    if (is_due) {
        slot->progress.told_s = now_s;
        told = xl_tell_progress(queue, slot);
    }
    pthread_mutex_unlock(&queue->mutex);
    return told;
}

static bool on_progress(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct xl_proxy *proxy = user;
    const struct xl_painter *painter = &proxy->painter;
    json_t *told = total > 0 ? note_progress(proxy, phase, done, total) : NULL;
    if (told) xl_event_ring_put(proxy->drawing->queue->events, "progress", told);
    /* Not before this picture has what it needs: it would wait for the same disk. */
    if (total > 0 && phase == XL_PHASE_SAMPLE) xl_next_tell(proxy->drawing->queue, proxy->slot);
    return !painter->progress || painter->progress(painter->user, phase, done, total);
}

static void on_preview(void *user, const struct xl_preview *preview) {
    struct xl_proxy *proxy = user;
    xl_tell_preview(proxy->drawing->queue, proxy->slot, proxy->drawing->job->id, preview);
}

/* --- Places ----------------------------------------------------------------------------------- */

/* Take up a place that was given to the job, if there is one. With the mutex held. */
static bool take_up(struct xl_proxy *proxy) {
    struct xl_queue *queue = proxy->drawing->queue;
    for (int i = 0; i < queue->n_slots; i++) {
        struct xl_slot *slot = &queue->slots[i];
        if (slot->job != proxy->drawing->job || slot->proxy) continue;
        slot->proxy = proxy;
        proxy->slot = slot;
        proxy->wants = false;
        slot->painter->progress = on_progress;
        slot->painter->preview = on_preview;
        slot->painter->user = proxy;
        slot->painter->has_left = false;
        proxy->painter.has_left = true; /* so that the model is asked for anew */
        return true;
    }
    return false;
}

/* Give the place back. With the mutex held. */
static void give_back(struct xl_proxy *proxy) {
    if (proxy->slot) xl_dispatch_free(proxy->drawing->queue, proxy->slot);
    proxy->slot = NULL;
    proxy->wants = false;
}

/* For a moment: the easel asks again, and asks whether to go on before. With the mutex held. */
static void await(struct xl_proxy *proxy) {
    enum { MS = 400 };
    struct xl_queue *queue = proxy->drawing->queue;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    int late = 0;
    while (!late && !take_up(proxy) && !atomic_load(&proxy->drawing->is_given_up))
        late = pthread_cond_timedwait(&queue->changed, &queue->mutex, &until);
}

bool xl_proxy_may_draw(struct xl_proxy *proxy) {
    struct xl_job_run *drawing = proxy->drawing;
    struct xl_queue *queue = drawing->queue;
    pthread_mutex_lock(&queue->mutex);
    if (proxy->slot) {
        xl_dispatch_charge(queue, proxy->slot);
        bool is_kept = proxy->slot->has_device && !xl_dispatch_is_held(proxy->slot) &&
                       xl_dispatch_choose(queue, proxy->slot) == drawing->job;
        if (!is_kept) give_back(proxy);
    }
    if (!proxy->slot && !proxy->wants) {
        proxy->wants = true;
        pthread_cond_broadcast(&queue->changed);
    }
    if (!proxy->slot) await(proxy);
    bool may_draw = proxy->slot != NULL;
    pthread_mutex_unlock(&queue->mutex);
    return may_draw;
}

void xl_proxy_rest(struct xl_proxy *proxy) {
    struct xl_queue *queue = proxy->drawing->queue;
    pthread_mutex_lock(&queue->mutex);
    give_back(proxy);
    pthread_mutex_unlock(&queue->mutex);
}

/* --- The painter ------------------------------------------------------------------------------ */

/* How it computes, as the place's painter knows: a copy, for another thread may have that painter
 * when this one lets go of it. */
static void take_over(struct xl_proxy *proxy) {
    const struct xl_painter *real = proxy->slot->painter;
    json_decref(proxy->painter.drawn_by);
    proxy->painter.drawn_by = json_deep_copy(real->drawn_by);
    memcpy(proxy->painter.label, real->label, sizeof proxy->painter.label);
    proxy->painter.life = real->life;
}

/* After a call that failed: what became of the place. */
static enum xl_status judge(struct xl_proxy *proxy, enum xl_status status,
                            const struct xl_err *err) {
    struct xl_slot *slot = proxy->slot;
    struct xl_queue *queue = proxy->drawing->queue;
    if (!status) return XL_OK;
    bool has_left = slot->painter->has_left;
    take_over(proxy); /* who it was that failed */
    proxy->painter.has_left = has_left;
    bool is_lost = status == XL_EWORKER || status == XL_EDEVICE;
    if (!has_left && !is_lost && status != XL_ECANCELLED) return status;
    pthread_mutex_lock(&queue->mutex);
    slot->digest[0] = slot->next.job[0] = 0; /* its worker is another, if there is one */
    if (!has_left && status != XL_ECANCELLED) xl_dispatch_hold_place(slot, err ? err->text : "");
    if (has_left) {
        slot->has_device = false;
        give_back(proxy);
    }
    json_t *places = has_left ? xl_tell_places(queue) : NULL;
    pthread_mutex_unlock(&queue->mutex);
    if (places) xl_event_ring_put(queue->events, "places", places);
    return status;
}

static void note_model(struct xl_proxy *proxy, const struct xl_sweep_model *model, int unit) {
    struct xl_queue *queue = proxy->drawing->queue;
    struct xl_slot *slot = proxy->slot;
    char *id = strdup(model->id), *old;
    pthread_mutex_lock(&queue->mutex);
    memcpy(slot->digest, model->digest, sizeof slot->digest);
    if (!id) slot->digest[0] = 0;
    old = slot->model_id;
    slot->model_id = id;
    slot->unit = unit;
    pthread_mutex_unlock(&queue->mutex);
    free(old);
}

/* So many cells are being drawn; what comes after them is to be looked for. */
static void note_at_hand(struct xl_proxy *proxy, int n) {
    struct xl_slot *slot = proxy->slot;
    if (!slot) return;
    pthread_mutex_lock(&proxy->drawing->queue->mutex);
    slot->n_at_hand = n;
    slot->next.at_s = 0;
    slot->next.change = -1;
    pthread_mutex_unlock(&proxy->drawing->queue->mutex);
}

/* A worker that has the model at hand is not asked to open it. */
static enum xl_status open_model(struct xl_painter *painter, const struct xl_sweep *sweep, int m,
                                 int *unit, struct xl_err *err) {
    struct xl_proxy *proxy = proxy_of(painter);
    struct xl_slot *slot = proxy->slot;
    const struct xl_sweep_model *model = &sweep->models[m];
    bool is_there = slot->digest[0] && !strcmp(slot->digest, model->digest) &&
                    !strcmp(slot->model_id, model->id);
    if (is_there) {
        *unit = slot->unit;
        take_over(proxy);
        return XL_OK;
    }
    enum xl_status status = slot->painter->open(slot->painter, sweep, m, unit, err);
    if (status) {
        pthread_mutex_lock(&proxy->drawing->queue->mutex);
        slot->digest[0] = 0; /* none is at hand */
        pthread_mutex_unlock(&proxy->drawing->queue->mutex);
        return judge(proxy, status, err);
    }
    take_over(proxy);
    note_model(proxy, model, *unit);
    return XL_OK;
}

static void expect(struct xl_painter *painter, const struct xl_group *group) {
    struct xl_proxy *proxy = proxy_of(painter);
    struct xl_slot *slot = proxy->slot;
    if (!slot) return;
    pthread_mutex_lock(&proxy->drawing->queue->mutex);
    if (group) slot->next.job[0] = 0; /* the worker knows of one only */
    pthread_mutex_unlock(&proxy->drawing->queue->mutex);
    slot->painter->expect(slot->painter, group);
}

static enum xl_status need(struct xl_painter *painter, const struct xl_group *group,
                           struct xl_need *out, struct xl_err *err) {
    struct xl_proxy *proxy = proxy_of(painter);
    struct xl_painter *real = proxy->slot->painter;
    return judge(proxy, real->need(real, group, out, err), err);
}

static enum xl_status draw(struct xl_painter *painter, struct xl_drawn *drawn, struct xl_err *err) {
    struct xl_proxy *proxy = proxy_of(painter);
    struct xl_painter *real = proxy->slot->painter;
    drawn->group.has_previews = xl_tell_wants_previews(proxy->drawing->queue);
    note_at_hand(proxy, drawn->group.n);
    enum xl_status status = judge(proxy, real->draw(real, drawn, err), err);
    note_at_hand(proxy, 0);
    drawn->painter = real; /* it saves them */
    if (status) return status;
    take_over(proxy);
    pthread_mutex_lock(&proxy->drawing->queue->mutex);
    proxy->slot->n_hitches = 0;
    pthread_mutex_unlock(&proxy->drawing->queue->mutex);
    return XL_OK;
}

/* What fails before it is drawn has nothing to be saved. */
static enum xl_status save(struct xl_painter *painter, struct xl_drawn *drawn, int i, char **path,
                           struct xl_err *err) {
    (void)painter, (void)drawn, (void)i, (void)path;
    return xl_fail(err, XL_EINTERNAL, "a group that no worker drew");
}

static void close_painter(struct xl_painter *painter) {
    (void)painter; /* it is a part of the drawing */
}

void xl_proxy_init(struct xl_proxy *proxy, struct xl_job_run *drawing, int number) {
    *proxy = (struct xl_proxy){.painter = {.open = open_model,
                                           .expect = expect,
                                           .need = need,
                                           .draw = draw,
                                           .save = save,
                                           .close = close_painter,
                                           .has_left = true},
                               .drawing = drawing,
                               .number = number};
}

void xl_proxy_deinit(struct xl_proxy *proxy) {
    xl_proxy_rest(proxy);
    json_decref(proxy->painter.drawn_by);
    proxy->painter.drawn_by = NULL;
}
