/* jobs.c - routes of jobs. Keeps no state: the queue has all of it. */
#include "http/api/jobs.h"

#include "base/json.h"
#include "base/str.h"
#include "http/body.h"
#include "http/metrics.h"
#include "http/reply.h"
#include "lab/settings/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct xl_queue *queue_of(const struct xl_call *call) {
    return ((const struct xl_jobs_api *)call->user)->queue;
}

/* A document that the queue made; NULL where it found none of this id. */
static enum xl_status reply_job(struct xl_call *call, struct xl_reply *reply, int code,
                                const char *id, struct xl_err *err) {
    xl_json_watch();
    json_t *job = xl_queue_job(queue_of(call), id);
    if (job || xl_json_ran_out()) return xl_reply_json(reply, code, job, err);
    return xl_reply_refuse(reply, 404, err,
                           "there is no job \"%.40s\": it never was, or is forgotten "
                           "(the last %d that have ended are known)",
                           id, XL_QUEUE_MOST_ENDED);
}

/* What the queue answered about a job, which then is the reply. */
static enum xl_status reply_answer(struct xl_call *call, struct xl_reply *reply,
                                   enum xl_queue_answer answer, struct xl_err *err) {
    const char *id = xl_call_text(call, "id");
    if (answer != XL_QUEUE_CONFLICT) return reply_job(call, reply, 200, id, err);
    reply->code = 409;
    return XL_EINVAL; /* the queue has told err why */
}

/* --- Bodies ----------------------------------------------------------------------------------- */

/* {"settings": {...}, "next": true} */
static enum xl_status read_ask(const struct xl_call *call, struct xl_reply *reply,
                               struct xl_queue_ask *ask, struct xl_err *err) {
    static const char *const known[] = {"settings", "next", NULL};
    enum xl_status status = xl_body_check(call, reply, known, err);
    if (!status) status = xl_body_switch(call, reply, "next", &ask->is_next, err);
    if (status) return status;
    ask->settings = json_object_get(call->json, "settings");
    if (json_is_object(ask->settings)) return XL_OK;
    return xl_reply_about(
        reply, "settings",
        xl_fail(err, XL_EINVAL,
                "settings: %s; expected an object of settings, as GET /api/v1/options lists them",
                ask->settings ? "not an object" : "missing"));
}

/* The setting that a sentence of the option table begins with ("settings: steps: ..."), in the
 * arena; NULL: it is about none. */
static const char *field_of(struct xl_call *call, const char *sentence) {
    static const char before[] = "settings: ";
    if (strncmp(sentence, before, sizeof before - 1) != 0) return NULL;
    sentence += sizeof before - 1;
    const char *name = xl_arena_strndup(&call->arena, sentence, strcspn(sentence, ":"));
    return name && xl_option_find(name) ? name : NULL;
}

enum xl_status xl_jobs_about_setting(struct xl_call *call, struct xl_reply *reply,
                                     enum xl_status status, const struct xl_err *err) {
    const char *field = field_of(call, err->text);
    return field ? xl_reply_about(reply, field, status) : status;
}

static json_t *plan_object(const struct xl_queue_plan *plan) {
    bool ok = true;
    json_t *object = json_object(), *notices = json_array();
    for (const char *line = plan->notices ? plan->notices : ""; *line;) {
        size_t n = strcspn(line, "\n");
        json_t *text = json_stringn(line, n);
        ok = text && !json_array_append_new(notices, text) && ok;
        line += n + (line[n] == '\n');
    }
    xl_json_put(object, "n_cells", json_integer(plan->n_cells), &ok);
    xl_json_put(object, "estimate_s",
                plan->estimate_s < 0 ? json_null() : json_real(plan->estimate_s), &ok);
    xl_json_put(object, "notices", notices, &ok);
    return xl_json_finish(object, ok);
}

/* --- Handlers --------------------------------------------------------------------------------- */

static enum xl_status post_job(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_queue_ask ask = {.client = call->client, .origin = "api"};
    struct xl_queue_plan plan = {0};
    char id[XL_JOB_ID];
    enum xl_status status = read_ask(call, reply, &ask, err);
    if (status) return status;
    status = xl_queue_submit(queue_of(call), &ask, id, &plan, err);
    if (status) return xl_jobs_about_setting(call, reply, status, err);
    xl_json_watch();
    bool ok = true;
    json_t *job = xl_queue_job(queue_of(call), id), *told = plan_object(&plan);
    free(plan.notices);
    xl_json_put(job, "notices", json_incref(json_object_get(told, "notices")), &ok);
    json_decref(told);
    return xl_reply_json(reply, 201, xl_json_finish(job, ok), err);
}

static enum xl_status check_job(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_queue_ask ask = {.client = NULL};
    struct xl_queue_plan plan = {0};
    enum xl_status status = read_ask(call, reply, &ask, err);
    if (status) return status;
    status = xl_queue_check(queue_of(call), ask.settings, &plan, err);
    if (status) return xl_jobs_about_setting(call, reply, status, err);
    xl_json_watch();
    json_t *object = plan_object(&plan);
    free(plan.notices);
    return xl_reply_json(reply, 200, object, err);
}

static const char *const states[] = {"queued", "running", "done", "failed", "cancelled", NULL};

static enum xl_status get_jobs(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    xl_json_watch();
    json_t *list = xl_queue_list(queue_of(call), xl_call_choice(call, "state", -1));
    return xl_reply_json(reply, 200, list, err);
}

static enum xl_status get_job(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    return reply_job(call, reply, 200, xl_call_text(call, "id"), err);
}

static enum xl_status delete_job(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    return reply_answer(call, reply, xl_queue_cancel(queue_of(call), xl_call_text(call, "id"), err),
                        err);
}

static enum xl_status restore_job(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    return reply_answer(call, reply,
                        xl_queue_restore(queue_of(call), xl_call_text(call, "id"), err), err);
}

/* {"to": "top" or "bottom"} or {"before": ID}, and "revision". */
static enum xl_status read_move(const struct xl_call *call, struct xl_reply *reply,
                                struct xl_queue_move *move, struct xl_err *err) {
    static const char *const known[] = {"to", "before", "revision", NULL};
    enum xl_status status = xl_body_check(call, reply, known, err);
    if (status) return status;
    const json_t *said_to = json_object_get(call->json, "to");
    const json_t *said_before = json_object_get(call->json, "before");
    const char *to = json_string_value(said_to);
    const json_t *revision = json_object_get(call->json, "revision");
    move->before = json_string_value(said_before);
    move->revision = revision ? json_integer_value(revision) : -1;
    if (revision && !json_is_integer(revision))
        return xl_reply_about(
            reply, "revision",
            xl_fail(err, XL_EINVAL, "revision: expected the number that GET /api/v1/jobs gave"));
    move->place = move->before               ? XL_QUEUE_BEFORE
                  : to && !strcmp(to, "top") ? XL_QUEUE_TOP
                                             : XL_QUEUE_BOTTOM;
    bool is_known = to && (!strcmp(to, "top") || !strcmp(to, "bottom"));
    if (!said_to != !said_before && (is_known || move->before)) return XL_OK;
    return xl_reply_about(
        reply, "to",
        xl_fail(err, XL_EINVAL,
                "expected either \"to\": \"top\" or \"bottom\", or \"before\": ID"));
}

static enum xl_status move_job(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_queue_move move = {.id = xl_call_text(call, "id")};
    enum xl_status status = read_move(call, reply, &move, err);
    return status ? status
                  : reply_answer(call, reply, xl_queue_move(queue_of(call), &move, err), err);
}

static enum xl_status post_queue(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    static const char *const known[] = {"paused", NULL};
    struct xl_queue_counts counts;
    enum xl_status status = xl_body_check(call, reply, known, err);
    xl_queue_count(queue_of(call), &counts);
    bool is_paused = counts.is_paused;
    if (!status) status = xl_body_switch(call, reply, "paused", &is_paused, err);
    if (status) return status;
    xl_queue_pause(queue_of(call), is_paused);
    return get_jobs(call, reply, err);
}

static enum xl_status cancel_all(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    bool ok = true;
    int n = xl_queue_cancel_all(queue_of(call));
    xl_json_watch();
    json_t *object = json_object();
    xl_json_put(object, "cancelled", json_integer(n), &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

static enum xl_status get_places(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    bool ok = true;
    xl_json_watch();
    json_t *object = json_object();
    xl_json_put(object, "places", xl_queue_places(queue_of(call)), &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

/* --- Following -------------------------------------------------------------------------------- */

/* What a client that comes in has to know: the jobs, as GET /api/v1/jobs gives them. */
static char *state_text(void *user) {
    const struct xl_jobs_api *api = user;
    xl_json_watch();
    json_t *list = xl_queue_list(api->queue, -1);
    return xl_json_take_text(list, list != NULL, JSON_COMPACT);
}

static enum xl_status get_events(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const struct xl_jobs_api *api = call->user;
    return xl_reply_events(call, reply, api->events, state_text, call->user, err);
}

static enum xl_status get_preview(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    int64_t number = 0;
    void *bytes = NULL;
    size_t n = 0;
    (void)err;
    xl_queue_preview(queue_of(call), xl_call_text(call, "id"), xl_call_int(call, "after", 0),
                     &number, &bytes, &n);
    if (!bytes) {
        xl_reply_empty(reply, 204);
        return XL_OK;
    }
    const char *text = xl_arena_printf(&call->arena, "%lld", (long long)number);
    if (text) xl_reply_header(reply, "X-Preview", text);
    xl_reply_header(reply, "Cache-Control", "no-store");
    xl_reply_text(reply, "image/jpeg", bytes, n);
    return XL_OK;
}

/* --- Rows ------------------------------------------------------------------------------------- */

void xl_jobs_metrics(void *user, struct xl_str *out) {
    struct xl_queue_counts counts;
    xl_queue_count(user, &counts);
    xl_metric_put(out, "jobs_waiting", "gauge", "That wait in the queue.", counts.n_waiting);
    xl_metric_put(out, "jobs_running", "gauge", "That are drawn.", counts.n_running);
    xl_metric_put(out, "queue_paused", "gauge", "1: nothing new is begun.", counts.is_paused);
    xl_metric_put(out, "places", "gauge", "Devices to draw on.", counts.n_places);
    xl_metric_put(out, "places_busy", "gauge", "That draw.", counts.n_at_work);
    xl_metric_put(out, "jobs_done_total", "counter", "Since the start.", (double)counts.n_done);
    xl_metric_put(out, "jobs_failed_total", "counter", "Since the start.", (double)counts.n_failed);
    xl_metric_put(out, "jobs_cancelled_total", "counter", "Since the start.",
                  (double)counts.n_cancelled);
    xl_metric_put(out, "pictures_total", "counter", "Drawn since the start.",
                  (double)counts.n_pictures);
    xl_metric_put(out, "device_seconds_total", "counter", "That devices drew.", counts.device_s);
}

static json_t *ask_schema(void) {
    return json_pack("{s:s, s:{s:{s:s}, s:{s:s}}, s:[s], s:b}", "type", "object", "properties",
                     "settings", "$ref", "#/components/schemas/Settings", "next", "type", "boolean",
                     "required", "settings", "additionalProperties", 0);
}
static json_t *move_schema(void) {
    return json_pack("{s:s, s:{s:{s:[ss]}, s:{s:s}, s:{s:s}}, s:[{s:[s]}, {s:[s]}], s:b}", "type",
                     "object", "properties", "to", "enum", "top", "bottom", "before", "type",
                     "string", "revision", "type", "integer", "oneOf", "required", "to", "required",
                     "before", "additionalProperties", 0);
}
static json_t *pause_schema(void) {
    return json_pack("{s:s, s:{s:{s:s}}, s:b}", "type", "object", "properties", "paused", "type",
                     "boolean", "additionalProperties", 0);
}

#define OF_JOB                                                                                     \
    { .name = "id", .help = "of the job" }
static const struct xl_param of_job[] = {OF_JOB, {.name = NULL}};
static const struct xl_param of_list[] = {{.name = "state",
                                           .type = XL_PARAM_CHOICE,
                                           .choices = states,
                                           .help = "jobs in this state only"},
                                          {.name = NULL}};
static const struct xl_param of_events[] = {
    {.name = "after",
     .max = 64,
     .help = "the id of the last event that was seen: what came since is sent; as Last-Event-ID, "
             "which goes before"},
    {.name = NULL}};
static const struct xl_param of_preview[] = {
    OF_JOB,
    {.name = "after",
     .type = XL_PARAM_INT,
     .max = 9e15,
     .help = "the number of the one that is known (X-Preview)"},
    {.name = NULL}};
static const struct xl_route rows[] = {
    {"POST", "/api/v1/jobs", post_job, XL_ROUTE_SLOW | XL_ROUTE_JSON, 0, NULL,
     "Have pictures drawn: {\"settings\": {...}, \"next\": true or false}",
     "the job, and notices: sentences about it", NULL, ask_schema},
    {"POST", "/api/v1/jobs/check", check_job, XL_ROUTE_SLOW | XL_ROUTE_JSON, 0, NULL,
     "What a job would come to, without queueing it",
     "n_cells, estimate_s (null: not known) and notices", NULL, ask_schema},
    {"GET", "/api/v1/jobs", get_jobs, 0, 0, of_list,
     "The queue, and jobs that have ended, the last one first",
     "revision (of the order), paused, held and jobs, without their pictures", NULL, NULL},
    {"GET", "/api/v1/jobs/{id}", get_job, 0, 0, of_job, "One job",
     "the job, with its pictures and, while it is drawn, its progress", NULL, NULL},
    {"DELETE", "/api/v1/jobs/{id}", delete_job, XL_ROUTE_SLOW, 0, of_job,
     "Cancel a job, within a step of what it draws; what is drawn stays", "the job", NULL, NULL},
    {"POST", "/api/v1/jobs/{id}/restore", restore_job, XL_ROUTE_SLOW | XL_ROUTE_JSON, 0, of_job,
     "Queue a cancelled or failed job again", "the job", NULL, NULL},
    {"POST", "/api/v1/jobs/{id}/move", move_job, XL_ROUTE_SLOW | XL_ROUTE_JSON, 0, of_job,
     "Move a job in the queue: {\"to\": \"top\" or \"bottom\"} or {\"before\": ID}, with the "
     "\"revision\" that the order had",
     "the job; 409 where the order is another by now", NULL, move_schema},
    {"GET", "/api/v1/jobs/{id}/preview", get_preview, XL_ROUTE_EMPTY, 0, of_preview,
     "What a job's picture looks like so far; asking has previews made for a minute",
     "a JPEG, with its number in X-Preview; 204 where there is none, or none newer", "image/jpeg",
     NULL},
    {"POST", "/api/v1/queue", post_queue, XL_ROUTE_SLOW | XL_ROUTE_JSON, 0, NULL,
     "Pause the queue, or go on: {\"paused\": true or false}", "as GET /api/v1/jobs", NULL,
     pause_schema},
    {"POST", "/api/v1/queue/cancel-all", cancel_all, XL_ROUTE_SLOW | XL_ROUTE_JSON, 0, NULL,
     "Cancel everything that waits or is drawn", "cancelled: how many", NULL, NULL},
    {"GET", "/api/v1/places", get_places, 0, 0, NULL, "Who draws: GPUs, or workers on the CPU",
     "places: label, state, job and model of each, and next: the job whose model it makes ready",
     NULL, NULL},
    {"GET", "/api/v1/events", get_events, XL_ROUTE_SLOW, 0, of_events,
     "What happens, as server-sent events: state (first), job, progress, cell, preview, queue, "
     "places, reset",
     "a stream of events; docs/SERVER.md lists them", "text/event-stream", NULL},
};

struct xl_route_table xl_jobs_table(const struct xl_jobs_api *api) {
    return (struct xl_route_table){.rows = rows,
                                   .n = sizeof rows / sizeof *rows,
                                   .user = (void *)(uintptr_t)api,
                                   .prefix = "/api/v1/"};
}
