/* submit.c - a job from what is asked for to its place in the queue: planned, written down, told.
 */
#include "jobs/queue/parts.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What planning says. */
static enum xl_status tell_plan(struct xl_queue *queue, struct xl_asked *asked,
                                struct xl_queue_plan *out, struct xl_err *err) {
    char *notices = strdup(asked->sweep.notices.text ? asked->sweep.notices.text : "");
    if (!notices) return xl_fail_nomem(err, "notices", 0);
    pthread_mutex_lock(&queue->mutex);
    double estimate_s = xl_estimate_sweep(queue, &asked->sweep);
    pthread_mutex_unlock(&queue->mutex);
    *out = (struct xl_queue_plan){asked->sweep.n_cells, estimate_s, notices};
    return XL_OK;
}

enum xl_status xl_queue_check(struct xl_queue *queue, const json_t *settings,
                              struct xl_queue_plan *plan, struct xl_err *err) {
    struct xl_asked asked;
    enum xl_status status = xl_asked_plan(queue, settings, false, &asked, err);
    if (status) return status;
    status = tell_plan(queue, &asked, plan, err);
    xl_asked_deinit(&asked);
    return status;
}

/* A job as it was asked for; it has no id yet. */
static enum xl_status make_job(const struct xl_asked *asked, const struct xl_queue_ask *ask,
                               struct xl_job **out, struct xl_err *err) {
    struct xl_job *job = xl_job_new();
    char client[XL_QUEUE_CLIENT + 1];
    bool ok = job != NULL;
    snprintf(client, sizeof client, "%s", ask->client ? ask->client : "");
    xl_json_watch();
    json_t *settled = xl_asked_settle(asked);
    if (ok && settled) {
        json_decref(job->ask);
        job->ask = settled;
        job->is_next = ask->is_next;
        job->n_cells = asked->sweep.n_cells;
        job->cost = xl_pace_sweep(&asked->sweep);
        job->created_s = xl_tell_now();
        memcpy(job->digest, xl_asked_digest(asked), sizeof job->digest);
        for (int m = 0; m < asked->sweep.n_models; m++)
            if (asked->sweep.models[m].base == m && !asked->sweep.models[m].skipped)
                json_array_append_new(job->models, xl_json_text(asked->sweep.models[m].key));
        ok = xl_job_set_text(&job->client, client) &&
             xl_job_set_text(&job->origin, ask->origin ? ask->origin : "");
    }
    if (ok && settled && !xl_json_ran_out()) {
        *out = job;
        return XL_OK;
    }
    if (!ok) json_decref(settled);
    xl_job_free(job);
    return xl_fail_nomem(err, "a job", 0);
}

/* Write the job down, and then it waits with the others, or is through by the time that this
 * returns. */
static enum xl_status accept(struct xl_queue *queue, struct xl_job *job, char id[XL_JOB_ID],
                             struct xl_err *err) {
    json_t *line = NULL, *told = NULL, *order = NULL;
    bool ok = true;
    pthread_mutex_lock(&queue->mutex);
    bool has_room = queue->order.n + queue->coming.n < queue->most_waiting;
    if (has_room) {
        xl_job_id_make(&queue->last_id, job->id);
        memcpy(id, job->id, XL_JOB_ID);
        line = xl_history_line(queue, job, "submit");
        xl_json_put(line, "job", xl_job_write(job, false), &ok);
        xl_order_expect(queue, job);
    }
    pthread_mutex_unlock(&queue->mutex);
    if (!has_room)
        return xl_fail(err, XL_EYIELD, "%d jobs wait already, as many as may; try again later",
                       queue->most_waiting);
    enum xl_status status = xl_history_put(queue, xl_json_finish(line, ok), true, true, err);
    pthread_mutex_lock(&queue->mutex);
    xl_order_settle(queue, job, !status);
    if (!status) {
        told = xl_tell_job(queue, job, true);
        order = xl_tell_queue(queue);
    }
    pthread_mutex_unlock(&queue->mutex);
    if (status) return status;
    xl_event_ring_put(queue->events, "job", told);
    xl_event_ring_put(queue->events, "queue", order);
    return XL_OK;
}

enum xl_status xl_queue_submit(struct xl_queue *queue, const struct xl_queue_ask *ask,
                               char id[XL_JOB_ID], struct xl_queue_plan *plan, struct xl_err *err) {
    struct xl_asked asked;
    struct xl_queue_plan told = {.notices = NULL};
    struct xl_job *job = NULL;
    char given[XL_JOB_ID];
    enum xl_status status = xl_asked_plan(queue, ask->settings, false, &asked, err);
    if (status) return status;
    status = tell_plan(queue, &asked, &told, err);
    if (!status) status = make_job(&asked, ask, &job, err);
    xl_asked_deinit(&asked);
    if (!status) status = accept(queue, job, given, err);
    if (status) {
        xl_job_free(job);
        free(told.notices);
        return status;
    }
    memcpy(id, given, sizeof given);
    if (plan)
        *plan = told;
    else
        free(told.notices);
    return XL_OK;
}
