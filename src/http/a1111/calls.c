/* calls.c - the calls that wait, a list under the mutex. */
#include "http/a1111/parts.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

void xl_a1111_call_add(struct xl_a1111 *a1111, struct xl_a1111_call *call) {
    pthread_mutex_lock(&a1111->mutex);
    struct xl_a1111_call *last = a1111->calls;
    while (last && last->next) last = last->next;
    call->before = last;
    if (last)
        last->next = call;
    else
        a1111->calls = call;
    pthread_mutex_unlock(&a1111->mutex);
}

void xl_a1111_call_remove(struct xl_a1111_call *call) {
    struct xl_a1111 *a1111 = call->a1111;
    pthread_mutex_lock(&a1111->mutex);
    if (call->next) call->next->before = call->before;
    if (call->before)
        call->before->next = call->next;
    else
        a1111->calls = call->next;
    pthread_mutex_unlock(&a1111->mutex);
}

void xl_a1111_call_free(struct xl_a1111_call *call) {
    if (!call) return;
    json_decref(call->echo);
    json_decref(call->settings);
    json_decref(call->pictures);
    free(call);
}

void xl_a1111_call_mark(struct xl_a1111 *a1111, const char *id, bool is_skipped) {
    pthread_mutex_lock(&a1111->mutex);
    for (struct xl_a1111_call *call = a1111->calls; call; call = call->next)
        if (!strcmp(call->id, id)) call->is_skipped = is_skipped;
    pthread_mutex_unlock(&a1111->mutex);
}

bool xl_a1111_call_take_mark(struct xl_a1111_call *call) {
    pthread_mutex_lock(&call->a1111->mutex);
    bool is_skipped = call->is_skipped;
    call->is_skipped = false;
    pthread_mutex_unlock(&call->a1111->mutex);
    return is_skipped;
}

void xl_a1111_call_move(struct xl_a1111_call *call, const char id[XL_JOB_ID], int n) {
    pthread_mutex_lock(&call->a1111->mutex);
    memcpy(call->id, id, sizeof call->id);
    call->n_behind += n;
    pthread_mutex_unlock(&call->a1111->mutex);
}

/* The i-th of a client, as a copy without what it owns. */
static bool copy_at(struct xl_a1111 *a1111, const char *client, int i, struct xl_a1111_call *out) {
    bool is_found = false;
    pthread_mutex_lock(&a1111->mutex);
    for (const struct xl_a1111_call *call = a1111->calls; call && !is_found; call = call->next) {
        if ((client && strcmp(call->client, client) != 0) || i--) continue;
        *out = *call;
        out->echo = out->settings = out->pictures = NULL;
        out->later = NULL;
        is_found = true;
    }
    pthread_mutex_unlock(&a1111->mutex);
    return is_found;
}

bool xl_a1111_call_at_work(struct xl_a1111 *a1111, const char *client, struct xl_a1111_call *out,
                           json_t **job) {
    struct xl_a1111_call call;
    *job = NULL;
    for (int i = 0; copy_at(a1111, client, i, &call); i++) {
        json_t *found = xl_queue_job(a1111->params.queue, call.id);
        const char *state = json_string_value(json_object_get(found, "state"));
        bool is_running = state && xl_job_state_find(state) == XL_JOB_RUNNING;
        bool is_waiting = state && xl_job_state_find(state) == XL_JOB_QUEUED;
        if (is_running || (is_waiting && !*job)) {
            json_decref(*job);
            *job = found;
            *out = call;
        } else {
            json_decref(found);
        }
        if (is_running) break;
    }
    return *job != NULL;
}
