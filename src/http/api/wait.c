/* wait.c - a list that one thread goes through, and one of newcomers, under the mutex. */
#include "http/api/wait.h"

#include "base/clock.h"
#include "base/json.h"
#include "http/slow.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { END_THREADS = 2, ENDS_WAITING = 1024 };
static const double look_s = 0.25; /* between two looks at whether somebody has gone */

struct waiter {
    char id[XL_JOB_ID];
    struct xl_wait wait;
    bool is_known; /* its job was looked at: from here on events tell */
    bool is_cancelled;
    json_t *job; /* how it ended */
    struct waiter *next;
};

struct xl_waits {
    struct xl_queue *queue;
    struct xl_subscriber *subscriber;
    struct xl_slow *slow;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    struct waiter *coming;
    bool is_over;

    struct waiter *waiters; /* the thread's */
};

/* --- Ends ------------------------------------------------------------------------------------- */

static void end(void *user) {
    struct waiter *waiter = user;
    waiter->wait.end(waiter->wait.user, waiter->job);
    free(waiter);
}

static void end_with(struct xl_waits *waits, struct waiter *waiter, json_t *job) {
    waiter->job = job;
    if (!xl_slow_add(waits->slow, end, waiter)) end(waiter);
}

static bool has_ended(const json_t *job) {
    int state = xl_job_state_find(json_string_value(json_object_get(job, "state")));
    return state != XL_JOB_QUEUED && state != XL_JOB_RUNNING;
}

/* Whether it has ended by what the queue knows now; out of memory: it is asked again. *job: it, the
 * caller's; NULL: there is none of this id. */
static bool is_at_end(struct xl_waits *waits, struct waiter *waiter, json_t **job) {
    xl_json_watch();
    *job = xl_queue_job(waits->queue, waiter->id);
    waiter->is_known = *job || !xl_json_ran_out();
    if (!*job) return waiter->is_known;
    if (has_ended(*job)) return true;
    json_decref(*job);
    return false;
}

/* --- The thread ------------------------------------------------------------------------------- */

/* Newcomers go to the others; true: it is over. */
static bool take_coming(struct xl_waits *waits) {
    pthread_mutex_lock(&waits->mutex);
    bool is_over = waits->is_over;
    while (waits->coming) {
        struct waiter *waiter = waits->coming;
        waits->coming = waiter->next;
        waiter->next = waits->waiters;
        waits->waiters = waiter;
    }
    pthread_mutex_unlock(&waits->mutex);
    return is_over;
}

/* Look at those that events tell nothing about yet; all: at every one. */
static void look(struct xl_waits *waits, bool all) {
    for (struct waiter **at = &waits->waiters; *at;) {
        struct waiter *waiter = *at;
        json_t *job;
        if ((all || !waiter->is_known) && is_at_end(waits, waiter, &job)) {
            *at = waiter->next;
            end_with(waits, waiter, job);
        } else {
            at = &waiter->next;
        }
    }
}

static void drop_gone(struct xl_waits *waits) {
    for (struct waiter *waiter = waits->waiters; waiter; waiter = waiter->next) {
        if (waiter->is_cancelled || !waiter->wait.is_gone(waiter->wait.user)) continue;
        waiter->is_cancelled = true;
        (void)xl_queue_cancel(waits->queue, waiter->id, NULL);
    }
}

/* A "job" that has ended is looked at as a whole: the event is without its pictures. */
static void tell(struct xl_waits *waits, const struct xl_event *event) {
    bool is_job = !strcmp(event->type, "job");
    bool counts = is_job || !strcmp(event->type, "progress") || !strcmp(event->type, "preview") ||
                  !strcmp(event->type, "cell");
    json_t *data = NULL;
    if (!counts || !waits->waiters) return;
    xl_json_watch();
    if (xl_json_parse("an event", event->text, strlen(event->text), &data, NULL)) {
        look(waits, true);
        return;
    }
    const char *id = json_string_value(json_object_get(data, is_job ? "id" : "job"));
    bool ends = is_job && has_ended(data);
    for (struct waiter *waiter = waits->waiters; waiter && id; waiter = waiter->next) {
        if (strcmp(waiter->id, id) != 0) continue;
        if (ends)
            waiter->is_known = false;
        else if (!is_job && waiter->wait.event)
            waiter->wait.event(waiter->wait.user, event->type, data);
    }
    if (ends) look(waits, false);
    json_decref(data);
}

static void *run(void *user) {
    struct xl_waits *waits = user;
    double looked_s = 0;
    while (!take_coming(waits)) {
        struct xl_event event;
        look(waits, false);
        enum xl_next next = xl_subscriber_next(waits->subscriber, look_s, &event);
        if (next == XL_NEXT_EVENT) {
            if (event.text)
                tell(waits, &event);
            else /* "reset": events were lost */
                look(waits, true);
            free(event.text);
        }
        if (xl_now_s() - looked_s < look_s) continue;
        looked_s = xl_now_s();
        drop_gone(waits);
    }
    while (waits->waiters) {
        struct waiter *waiter = waits->waiters;
        waits->waiters = waiter->next;
        end_with(waits, waiter, NULL);
    }
    return NULL;
}

/* --- From outside ----------------------------------------------------------------------------- */

enum xl_status xl_waits_add(struct xl_waits *waits, const char *id, const struct xl_wait *wait,
                            struct xl_err *err) {
    struct waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter) return xl_fail_nomem(err, "a call that waits", sizeof *waiter);
    strncpy(waiter->id, id, sizeof waiter->id - 1);
    waiter->wait = *wait;
    pthread_mutex_lock(&waits->mutex);
    bool is_over = waits->is_over;
    if (!is_over) {
        waiter->next = waits->coming;
        waits->coming = waiter;
    }
    pthread_mutex_unlock(&waits->mutex);
    if (!is_over) return XL_OK;
    free(waiter);
    return xl_fail(err, XL_ECANCELLED, "the server is stopping");
}

enum xl_status xl_waits_new(struct xl_queue *queue, struct xl_waits **out, struct xl_err *err) {
    struct xl_waits *waits = calloc(1, sizeof *waits);
    if (!waits) return xl_fail_nomem(err, "calls that wait", sizeof *waits);
    waits->queue = queue;
    pthread_mutex_init(&waits->mutex, NULL);
    enum xl_status status = xl_slow_new(END_THREADS, ENDS_WAITING, &waits->slow, err);
    if (!status)
        status = xl_subscriber_new(xl_queue_events(queue), UINT64_MAX, NULL, NULL,
                                   &waits->subscriber, err);
    if (!status && pthread_create(&waits->thread, NULL, run, waits)) {
        xl_subscriber_free(waits->subscriber);
        waits->subscriber = NULL;
        status = xl_fail_nomem(err, "a thread for calls that wait", 0);
    }
    if (status) {
        xl_waits_free(waits);
        return status;
    }
    *out = waits;
    return XL_OK;
}

void xl_waits_stop(struct xl_waits *waits) {
    if (!waits || !waits->subscriber) return;
    pthread_mutex_lock(&waits->mutex);
    waits->is_over = true;
    pthread_mutex_unlock(&waits->mutex);
    pthread_join(waits->thread, NULL);
    xl_subscriber_free(waits->subscriber);
    waits->subscriber = NULL;
    xl_slow_free(waits->slow);
    waits->slow = NULL;
}

void xl_waits_free(struct xl_waits *waits) {
    if (!waits) return;
    xl_waits_stop(waits);
    xl_slow_free(waits->slow);
    pthread_mutex_destroy(&waits->mutex);
    free(waits);
}
