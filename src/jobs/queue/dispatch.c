/* dispatch.c - which place draws for which job. One thread gives free places away, has jobs that
 * come next planned before there is a place for them, and sees threads of jobs off that have ended.
 */
#include "jobs/queue/parts.h"

#include "base/clock.h"
#include "base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "jobs/queue/choose.h"

/* --- Clients ---------------------------------------------------------------------------------- */

static struct xl_client *find_client(struct xl_queue *queue, const char *name) {
    for (int i = 0; i < queue->n_clients; i++)
        if (!strncmp(queue->clients[i].name, name, XL_QUEUE_CLIENT)) return &queue->clients[i];
    return NULL;
}

static double served(struct xl_queue *queue, const char *name, double now_s) {
    const struct xl_client *client = find_client(queue, name ? name : "");
    return client ? xl_choose_fade(client->served_s, now_s - client->at_s) : 0;
}

/* One of many that were served long ago makes room. */
static struct xl_client *add_client(struct xl_queue *queue, const char *name, double now_s) {
    struct xl_client *least = NULL;
    if (queue->n_clients < XL_QUEUE_CLIENTS) {
        least = &queue->clients[queue->n_clients++];
    } else {
        double least_s = INFINITY;
        for (int i = 0; i < queue->n_clients; i++) {
            double s = xl_choose_fade(queue->clients[i].served_s, now_s - queue->clients[i].at_s);
            if (s < least_s) least_s = s, least = &queue->clients[i];
        }
    }
    *least = (struct xl_client){.at_s = now_s};
    snprintf(least->name, sizeof least->name, "%s", name);
    return least;
}

void xl_dispatch_charge(struct xl_queue *queue, struct xl_slot *slot) {
    double now_s = xl_now_s(), passed_s = now_s - slot->since_s;
    slot->since_s = now_s;
    if (!slot->job) return;
    const char *name = slot->job->client ? slot->job->client : "";
    struct xl_client *client = find_client(queue, name);
    if (!client) client = add_client(queue, name, now_s);
    client->served_s = xl_choose_fade(client->served_s, now_s - client->at_s) + passed_s;
    client->at_s = now_s;
    queue->counts.device_s += passed_s;
}

/* --- Choosing --------------------------------------------------------------------------------- */

/* Places that were given to a job and not taken up yet. */
static int count_given(const struct xl_queue *queue, const struct xl_job *job) {
    int n = 0;
    for (int i = 0; i < queue->n_slots; i++)
        n += queue->slots[i].job == job && !queue->slots[i].proxy;
    return n;
}

static int count_wanting(const struct xl_job_run *drawing) {
    int n = 0;
    for (int i = 0; i < drawing->n_proxies; i++) n += drawing->proxies[i].wants;
    return n;
}

/* Whether a job has something to draw and nobody at it, but for this place. */
static bool wants(const struct xl_queue *queue, const struct xl_job *job,
                  const struct xl_slot *slot) {
    const struct xl_job_run *drawing = job->drawing;
    int n_given = count_given(queue, job);
    if (drawing && (atomic_load(&drawing->is_given_up) || drawing->has_ended)) return false;
    if (slot->job == job && slot->proxy) return true; /* it asks whether it may go on */
    if (!drawing || !drawing->has_begun) return !n_given;
    return count_wanting(drawing) > n_given;
}

/* The same, once all that is being drawn is through: of another place's next job no more than that
 * one leaves. */
static bool will_want(const struct xl_queue *queue, const struct xl_job *job,
                      const struct xl_slot *slot) {
    const struct xl_job_run *drawing = job->drawing;
    if (drawing && (atomic_load(&drawing->is_given_up) || drawing->has_ended)) return false;
    int n_left = job->n_cells - job->n_done - job->n_failed;
    for (int i = 0; i < queue->n_slots; i++) {
        const struct xl_slot *other = &queue->slots[i];
        if (other->job == job) n_left -= other->n_at_hand;
        n_left -= other != slot && other->job != job && !strcmp(other->next.job, job->id);
    }
    return n_left > 0;
}

/* The seconds of devices that a job's client had, with those of a place that are not counted yet.
 */
static double served_by_now(struct xl_queue *queue, const struct xl_job *job,
                            const struct xl_slot *slot, double now_s) {
    const char *client = job->client ? job->client : "";
    const char *at_it = slot->job && slot->job->client ? slot->job->client : "";
    double all_s = served(queue, client, now_s);
    return slot->job && !strcmp(client, at_it) ? all_s + now_s - slot->since_s : all_s;
}

/* *passed: who is passed over for the sake of a model; NULL: nobody */
static struct xl_job *choose(struct xl_queue *queue, const struct xl_slot *slot, bool is_later,
                             struct xl_job **passed_over) {
    struct xl_contender *candidates = NULL;
    struct xl_job **jobs = NULL, *chosen = NULL;
    int n = 0, passed = -1;
    double now_s = xl_now_s();
    *passed_over = NULL;
    if (queue->is_paused || atomic_load(&queue->is_closing)) return NULL;
    bool is_held = now_s < queue->held_until_s;
    candidates = malloc((size_t)(queue->order.n + 1) * sizeof *candidates);
    jobs = malloc((size_t)(queue->order.n + 1) * sizeof *jobs);
    for (struct xl_job *job = queue->order.first; candidates && jobs && job; job = job->after) {
        bool has_begun = job->drawing && job->drawing->has_begun;
        if (is_held && !has_begun) continue;
        if (!(is_later ? will_want : wants)(queue, job, slot)) continue;
        bool is_warm = slot->digest[0] && !strcmp(slot->digest, job->digest);
        candidates[n] = (struct xl_contender){
            .is_next = job->is_next,
            .is_warm = is_warm || slot->job == job,
            .served_s = is_later ? served_by_now(queue, job, slot, now_s)
                                 : served(queue, job->client, now_s),
            .passed_s = job->passed_since_s > 0 ? now_s - job->passed_since_s : 0};
        jobs[n++] = job;
    }
    int found = xl_choose(candidates, n, queue->patience_s, &passed);
    if (found >= 0) chosen = jobs[found];
    if (passed >= 0) *passed_over = jobs[passed];
    free(candidates);
    free(jobs);
    return chosen;
}

struct xl_job *xl_dispatch_choose(struct xl_queue *queue, struct xl_slot *slot) {
    struct xl_job *passed, *chosen = choose(queue, slot, false, &passed);
    if (passed && !(passed->passed_since_s > 0)) passed->passed_since_s = xl_now_s();
    return chosen;
}

struct xl_job *xl_dispatch_foresee(struct xl_queue *queue, const struct xl_slot *slot) {
    struct xl_job *passed;
    return choose(queue, slot, true, &passed);
}

void xl_dispatch_free(struct xl_queue *queue, struct xl_slot *slot) {
    xl_dispatch_charge(queue, slot);
    slot->used_s = slot->since_s;
    slot->job = NULL;
    slot->proxy = NULL;
    slot->progress.total = 0;
    slot->n_at_hand = 0;
    slot->next.job[0] = 0;
    pthread_cond_broadcast(&queue->changed);
}

/* --- Failures of the machine ------------------------------------------------------------------ */

/* How long to wait after the n-th of them in a row. */
static double pause_after(int n) {
    static const double FIRST_S = 1, LONGEST_S = 60;
    return n < 1 ? 0 : fmin(FIRST_S * exp2(fmin(n - 1, 10)), LONGEST_S);
}

void xl_dispatch_hold(struct xl_queue *queue, const char *why) {
    queue->held_until_s = xl_now_s() + pause_after(++queue->n_hitches);
    snprintf(queue->held, sizeof queue->held, "%s", why);
}

void xl_dispatch_hold_place(struct xl_slot *slot, const char *why) {
    slot->held_until_s = xl_now_s() + pause_after(slot->n_hitches++);
    snprintf(slot->held, sizeof slot->held, "%s", why);
}

bool xl_dispatch_is_held(const struct xl_slot *slot) {
    return slot->n_hitches && xl_now_s() < slot->held_until_s;
}

/* --- The thread ------------------------------------------------------------------------------- */

/* Start the thread of a job that has none. With the mutex held. */
static void start(struct xl_queue *queue, struct xl_job *job) {
    struct xl_err why = {0};
    if (job->drawing || xl_job_run_start(queue, job, &why)) return;
    xl_dispatch_hold(queue, why.text);
    for (int i = 0; i < queue->n_slots; i++)
        if (queue->slots[i].job == job) xl_dispatch_free(queue, &queue->slots[i]);
}

/* Give each free place a job. Returns whether one was given. */
static bool give_places(struct xl_queue *queue) {
    bool is_changed = false;
    for (int i = 0; i < queue->n_slots; i++) {
        struct xl_slot *slot = &queue->slots[i];
        if (slot->job || !slot->has_device || slot->is_resting || xl_dispatch_is_held(slot))
            continue;
        struct xl_job *job = xl_dispatch_choose(queue, slot);
        if (!job) continue;
        slot->job = job;
        slot->since_s = xl_now_s();
        job->passed_since_s = 0;
        start(queue, job);
        is_changed = true;
    }
    if (is_changed) pthread_cond_broadcast(&queue->changed);
    return is_changed;
}

/* Have the first jobs that will get a place planned already. Those that were first, and are not any
 * more, stay planned. */
static void prepare(struct xl_queue *queue) {
    int n = 0, n_planned = 0;
    if (queue->is_paused || xl_now_s() < queue->held_until_s) return;
    for (struct xl_job *job = queue->order.first; job; job = job->after)
        n_planned += job->drawing && !job->drawing->has_begun;
    for (struct xl_job *job = queue->order.first; job && n < queue->n_slots; job = job->after) {
        if (job->drawing && job->drawing->has_begun) continue;
        n++;
        if (!job->drawing && n_planned++ < 2 * queue->n_slots) start(queue, job);
    }
}

/* A thread that has ended, taken from its job. */
static struct xl_job_run *take_ended(struct xl_queue *queue) {
    struct xl_jobs *lists[] = {&queue->order, &queue->ended};
    for (int i = 0; i < 2; i++)
        for (struct xl_job *job = lists[i]->last; job; job = job->before) {
            struct xl_job_run *drawing = job->drawing;
            if (!drawing || !drawing->has_ended) continue;
            job->drawing = NULL;
            return drawing;
        }
    return NULL;
}

static bool has_drawings(const struct xl_queue *queue) {
    const struct xl_jobs *lists[] = {&queue->order, &queue->ended};
    for (int i = 0; i < 2; i++)
        for (struct xl_job *job = lists[i]->first; job; job = job->after)
            if (job->drawing) return true;
    return false;
}

/* Until something changes, or a moment has passed. With the mutex held. */
static void wait(struct xl_queue *queue) {
    enum { MS = 500 };
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&queue->changed, &queue->mutex, &until);
}

void *xl_dispatch_run(void *user) {
    struct xl_queue *queue = user;
    pthread_mutex_lock(&queue->mutex);
    while (!atomic_load(&queue->is_closing) || has_drawings(queue)) {
        struct xl_job_run *ended = take_ended(queue);
        if (ended) {
            pthread_mutex_unlock(&queue->mutex);
            xl_job_run_join(ended);
            pthread_mutex_lock(&queue->mutex);
            continue;
        }
        bool is_changed = false;
        if (!atomic_load(&queue->is_closing)) {
            is_changed = give_places(queue);
            prepare(queue);
        }
        if (!is_changed) wait(queue);
    }
    pthread_mutex_unlock(&queue->mutex);
    return NULL;
}
