/* open.c - opening and closing the queue: its journal, its places, its threads. */
#include "jobs/queue/parts.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "lab/log/instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- Opening ---------------------------------------------------------------------------------- */

static enum xl_status make_settings(struct xl_queue *queue, const struct xl_queue_params *params,
                                    struct xl_err *err) {
    struct xl_arena arena = {0};
    queue->settings = *params->settings;
    queue->settings.arena = NULL;
    const char *path = xl_path_absolute(params->settings->output_dir, &arena);
    queue->output_dir = path ? strdup(path) : NULL;
    queue->settings.output_dir = queue->output_dir;
    xl_arena_deinit(&arena);
    return queue->output_dir ? xl_dir_create(queue->output_dir, err)
                             : xl_fail_nomem(err, "a path", 0);
}

static struct xl_queue *new_queue(const struct xl_queue_params *params) {
    struct xl_queue *queue = calloc(1, sizeof *queue);
    if (!queue) return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&queue->mutex, NULL);
    queue->uploads = params->uploads;
    queue->idle_s = params->idle_s > 0 ? params->idle_s : XL_QUEUE_IDLE_S;
    queue->patience_s = params->patience_s > 0 ? params->patience_s : XL_QUEUE_PATIENCE_S;
    queue->most_waiting = params->most_waiting > 0 ? params->most_waiting : XL_QUEUE_MOST_WAITING;
    return queue;
}

static enum xl_status start_threads(struct xl_queue *queue, struct xl_err *err) {
    int failed = pthread_create(&queue->dispatcher, NULL, xl_dispatch_run, queue);
    queue->has_dispatcher = !failed;
    if (!failed) {
        failed = pthread_create(&queue->watch, NULL, xl_slots_run, queue);
        queue->has_watch = !failed;
    }
    return failed
               ? xl_fail(err, XL_ENOMEM, "cannot start the queue's threads: %s", strerror(failed))
               : XL_OK;
}

char *xl_queue_file(const struct xl_queue *queue, const char *ending) {
    char name[XL_INSTANCE_MAX + 1], *path;
    xl_instance_name(queue->settings.instance, name);
    int n = asprintf(&path, "%s/.queue/%s.%s", queue->output_dir, name[0] ? name : "queue", ending);
    return n < 0 ? NULL : path;
}

enum xl_status xl_queue_open(const struct xl_queue_params *params, struct xl_queue **out,
                             struct xl_err *err) {
    struct xl_queue *queue = new_queue(params);
    if (!queue) return xl_fail_nomem(err, "a queue", sizeof *queue);
    const char *instance = params->settings->instance;
    uint64_t first = (uint64_t)(xl_tell_now() * 1000); /* later than all of an earlier process */
    enum xl_status status = make_settings(queue, params, err);
    if (!status) status = xl_event_ring_new(XL_QUEUE_EVENTS, first, &queue->events, err);
    if (!status) status = xl_journal_open(queue->output_dir, instance, &queue->journal, err);
    if (!status) status = xl_history_read(queue, err);
    if (!status) status = xl_job_log_open(queue->output_dir, instance, &queue->log, err);
    if (!status) status = xl_slots_open(queue, params, err);
    if (!status) xl_pace_file_read(queue);
    if (!status) status = start_threads(queue, err);
    if (status)
        xl_queue_close(queue);
    else
        *out = queue;
    return status;
}

/* --- Closing ---------------------------------------------------------------------------------- */

static void give_up_all(struct xl_queue *queue) {
    pthread_mutex_lock(&queue->mutex);
    atomic_store(&queue->is_closing, true);
    for (struct xl_job *job = queue->order.first; job; job = job->after) xl_job_run_give_up(job);
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
}

static void free_jobs(struct xl_jobs *jobs) {
    for (struct xl_job *job = jobs->first, *next; job; job = next) {
        next = job->after;
        xl_job_free(job);
    }
}

const char *xl_queue_log_path(const struct xl_queue *queue) {
    return xl_job_log_path(queue->log);
}

void xl_queue_close(struct xl_queue *queue) {
    struct xl_err why = {0};
    if (!queue) return;
    give_up_all(queue);
    if (queue->has_dispatcher) pthread_join(queue->dispatcher, NULL);
    if (queue->has_watch) pthread_join(queue->watch, NULL);
    if (queue->has_watch) xl_pace_file_save(queue, true);
    xl_slots_close(queue);
    if (queue->has_watch && xl_journal_is_behind(queue->journal) && xl_history_renew(queue, &why))
        xl_warn("%s", why.text);
    xl_job_log_close(queue->log);
    xl_journal_close(queue->journal);
    xl_event_ring_free(queue->events);
    free_jobs(&queue->order);
    free_jobs(&queue->ended);
    for (int i = 0; i < XL_QUEUE_PREVIEWS; i++) free(queue->previews[i].bytes);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->output_dir);
    free(queue);
}
