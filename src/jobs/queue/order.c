/* order.c - the lists of jobs, and what people do to them. */
#include "jobs/queue/parts.h"

#include "base/clock.h"
#include "base/json.h"

#include <string.h>

/* --- Lists (with the mutex held) -------------------------------------------------------------- */

static void link_before(struct xl_jobs *jobs, struct xl_job *job, struct xl_job *after) {
    struct xl_job *before = after ? after->before : jobs->last;
    job->before = before;
    job->after = after;
    *(before ? &before->after : &jobs->first) = job;
    *(after ? &after->before : &jobs->last) = job;
    jobs->n++;
}

static void unlink_job(struct xl_jobs *jobs, struct xl_job *job) {
    *(job->before ? &job->before->after : &jobs->first) = job->after;
    *(job->after ? &job->after->before : &jobs->last) = job->before;
    job->before = job->after = NULL;
    jobs->n--;
}

static struct xl_job *find_in(const struct xl_jobs *jobs, const char *id) {
    struct xl_job *job = jobs->last;
    while (job && strcmp(job->id, id) != 0) job = job->before;
    return job;
}

static bool is_open(const struct xl_job *job) {
    return job->state == XL_JOB_QUEUED || job->state == XL_JOB_RUNNING;
}

struct xl_job *xl_order_find(const struct xl_queue *queue, const char *id) {
    struct xl_job *job = id ? find_in(&queue->order, id) : NULL;
    return job || !id ? job : find_in(&queue->ended, id);
}

struct xl_job *xl_order_first_plain(const struct xl_queue *queue) {
    struct xl_job *job = queue->order.first;
    while (job && job->is_next) job = job->after;
    return job;
}

void xl_order_insert(struct xl_queue *queue, struct xl_job *job, struct xl_job *before) {
    link_before(&queue->order, job, before);
}

void xl_order_remove(struct xl_queue *queue, struct xl_job *job) {
    unlink_job(is_open(job) ? &queue->order : &queue->ended, job);
}

void xl_order_expect(struct xl_queue *queue, struct xl_job *job) {
    link_before(&queue->coming, job, NULL);
}

void xl_order_settle(struct xl_queue *queue, struct xl_job *job, bool has_come) {
    unlink_job(&queue->coming, job);
    if (!has_come) return;
    xl_order_insert(queue, job, job->is_next ? xl_order_first_plain(queue) : NULL);
    queue->revision++;
    pthread_cond_broadcast(&queue->changed);
}

/* One whose thread still has it stays until that has ended. */
static void forget_oldest(struct xl_queue *queue) {
    struct xl_job *job = queue->ended.first;
    while (job && queue->ended.n > XL_QUEUE_MOST_ENDED) {
        struct xl_job *next = job->after;
        if (!job->drawing) {
            unlink_job(&queue->ended, job);
            xl_job_free(job);
        }
        job = next;
    }
}

void xl_order_end(struct xl_queue *queue, struct xl_job *job) {
    unlink_job(&queue->order, job);
    xl_job_shrink(job);
    job->is_next = false;
    link_before(&queue->ended, job, NULL);
    forget_oldest(queue);
}

/* --- What people do --------------------------------------------------------------------------- */

/* Tell of a job, and of the order where that changed. Without the mutex. */
static void tell(struct xl_queue *queue, json_t *job, json_t *order) {
    if (job) xl_event_ring_put(queue->events, "job", job);
    if (order) xl_event_ring_put(queue->events, "queue", order);
}

/* A job of this id in one of two states; NULL: conflict or unknown. With the mutex held. */
static struct xl_job *find_for(struct xl_queue *queue, const char *id, enum xl_job_state one,
                               enum xl_job_state other, enum xl_queue_answer *answer,
                               struct xl_err *err) {
    struct xl_job *job = xl_order_find(queue, id);
    *answer = XL_QUEUE_OK;
    if (job && (job->state == one || job->state == other)) return job;
    *answer = job ? XL_QUEUE_CONFLICT : XL_QUEUE_UNKNOWN;
    if (job)
        xl_fail(err, XL_EINVAL, "job %s is %s; expected one that is %s or %s", job->id,
                xl_job_state_name(job->state), xl_job_state_name(one), xl_job_state_name(other));
    else
        xl_fail(err, XL_EINVAL, "there is no job %.40s", id ? id : "without an id");
    return NULL;
}

/* With the mutex held. Returns the line for the journal. */
static json_t *cancel(struct xl_queue *queue, struct xl_job *job) {
    job->state = XL_JOB_CANCELLED;
    job->ended_s = xl_tell_now();
    xl_job_run_give_up(job);
    json_t *line = xl_history_line(queue, job, "cancel");
    xl_order_end(queue, job);
    queue->revision++;
    queue->counts.n_cancelled++;
    pthread_cond_broadcast(&queue->changed);
    return line;
}

enum xl_queue_answer xl_queue_cancel(struct xl_queue *queue, const char *id, struct xl_err *err) {
    enum xl_queue_answer answer;
    json_t *line = NULL, *told = NULL, *order = NULL;
    pthread_mutex_lock(&queue->mutex);
    struct xl_job *job = find_for(queue, id, XL_JOB_QUEUED, XL_JOB_RUNNING, &answer, err);
    if (job) {
        line = cancel(queue, job);
        told = xl_tell_job(queue, job, true);
        order = xl_tell_queue(queue);
    }
    pthread_mutex_unlock(&queue->mutex);
    if (answer) return answer;
    tell(queue, told, order);
    xl_history_note(queue, line, true);
    return XL_QUEUE_OK;
}

/* Cancel the last job that waits or runs. false: there is none. */
static bool cancel_last(struct xl_queue *queue) {
    char id[XL_JOB_ID] = "";
    struct xl_err ignored;
    pthread_mutex_lock(&queue->mutex);
    if (queue->order.last) memcpy(id, queue->order.last->id, sizeof id);
    pthread_mutex_unlock(&queue->mutex);
    if (id[0]) xl_queue_cancel(queue, id, &ignored); /* or it has just ended */
    return id[0];
}

int xl_queue_cancel_all(struct xl_queue *queue) {
    int n = 0;
    while (cancel_last(queue)) n++;
    return n;
}

enum xl_queue_answer xl_queue_restore(struct xl_queue *queue, const char *id, struct xl_err *err) {
    enum xl_queue_answer answer;
    json_t *line = NULL, *told = NULL, *order = NULL;
    pthread_mutex_lock(&queue->mutex);
    struct xl_job *job = find_for(queue, id, XL_JOB_CANCELLED, XL_JOB_FAILED, &answer, err);
    if (job) {
        xl_order_remove(queue, job);
        job->state = XL_JOB_QUEUED;
        job->status = XL_OK;
        job->ended_s = 0;
        job->passed_since_s = 0;
        xl_job_set_text(&job->error, NULL);
        xl_order_insert(queue, job, NULL);
        queue->revision++;
        line = xl_history_line(queue, job, "restore");
        told = xl_tell_job(queue, job, true);
        order = xl_tell_queue(queue);
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->mutex);
    if (answer) return answer;
    tell(queue, told, order);
    xl_history_note(queue, line, true);
    return XL_QUEUE_OK;
}

/* Where a move puts a job: before *to, NULL: last. With the mutex held. */
static enum xl_queue_answer find_place(struct xl_queue *queue, const struct xl_queue_move *move,
                                       struct xl_job *job, struct xl_job **to, struct xl_err *err) {
    enum xl_queue_answer answer = XL_QUEUE_OK;
    *to = NULL;
    if (move->revision >= 0 && move->revision != queue->revision) {
        xl_fail(err, XL_EINVAL, "the order of the queue is another by now: %lld, not %lld",
                (long long)queue->revision, (long long)move->revision);
        return XL_QUEUE_CONFLICT;
    }
    if (move->place == XL_QUEUE_TOP)
        *to = queue->order.first;
    else if (move->place == XL_QUEUE_BEFORE)
        *to = find_for(queue, move->before, XL_JOB_QUEUED, XL_JOB_RUNNING, &answer, err);
    if (*to == job) *to = job->after; /* before itself: where it is */
    return answer;
}

/* With the mutex held. */
static json_t *move_to(struct xl_queue *queue, struct xl_job *job, struct xl_job *to, bool is_top) {
    xl_order_remove(queue, job);
    xl_order_insert(queue, job, to);
    /* Those that are next stand first. */
    job->is_next = is_top || (to && to->is_next);
    job->passed_since_s = 0;
    queue->revision++;
    json_t *line = xl_history_line(queue, job, "move");
    bool ok = line != NULL;
    xl_json_put(line, "before", xl_json_text(to ? to->id : NULL), &ok);
    xl_json_put(line, "next", json_boolean(job->is_next), &ok);
    pthread_cond_broadcast(&queue->changed);
    return xl_json_finish(line, ok);
}

enum xl_queue_answer xl_queue_move(struct xl_queue *queue, const struct xl_queue_move *move,
                                   struct xl_err *err) {
    enum xl_queue_answer answer;
    struct xl_job *to = NULL;
    json_t *line = NULL, *told = NULL, *order = NULL;
    pthread_mutex_lock(&queue->mutex);
    struct xl_job *job = find_for(queue, move->id, XL_JOB_QUEUED, XL_JOB_RUNNING, &answer, err);
    if (job) answer = find_place(queue, move, job, &to, err);
    if (!answer) {
        line = move_to(queue, job, to, move->place == XL_QUEUE_TOP);
        told = xl_tell_job(queue, job, true);
        order = xl_tell_queue(queue);
    }
    pthread_mutex_unlock(&queue->mutex);
    if (answer) return answer;
    tell(queue, told, order);
    xl_history_note(queue, line, true);
    return XL_QUEUE_OK;
}

void xl_queue_pause(struct xl_queue *queue, bool is_paused) {
    json_t *line = NULL, *order = NULL;
    pthread_mutex_lock(&queue->mutex);
    if (queue->is_paused != is_paused) {
        queue->is_paused = is_paused;
        line = xl_history_line(queue, NULL, is_paused ? "pause" : "resume");
        order = xl_tell_queue(queue);
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->mutex);
    if (!line) return;
    tell(queue, NULL, order);
    xl_history_note(queue, line, true);
}
