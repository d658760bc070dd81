/* progress.c - GET progress, POST interrupt and skip: of the client's call that is drawn, where
 * that program has one for all. Keeps no state. */
#include "http/a1111/parts.h"

#include "base/base64.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How far a call is. */
struct far {
    int n_done, step, steps;
    double started_s; /* since 1970; 0: not yet */
};

static struct far look_at(const struct xl_a1111_call *call, const json_t *job) {
    const json_t *first = json_array_get(json_object_get(job, "progress"), 0);
    int64_t n_done = json_integer_value(json_object_get(job, "n_done"));
    struct far far = {.started_s = json_number_value(json_object_get(job, "started"))};
    const char *phase = json_string_value(json_object_get(first, "phase"));
    far.n_done = call->n_behind + (int)(n_done / call->batch_size);
    far.steps = call->steps;
    if (first && phase && !strcmp(phase, "sample")) {
        far.step = (int)json_integer_value(json_object_get(first, "step"));
        far.steps = (int)json_integer_value(json_object_get(first, "steps"));
    } else if (phase && !strcmp(phase, "decode")) {
        far.step = far.steps;
    }
    return far;
}

static json_t *timestamp(double seconds) {
    time_t begun = (time_t)seconds;
    struct tm parts;
    char text[32] = "0";
    if (begun > 0 && localtime_r(&begun, &parts))
        strftime(text, sizeof text, "%Y%m%d%H%M%S", &parts);
    return json_string(text);
}

/* call NULL: nothing is drawn. */
static json_t *state_of(const struct xl_a1111_call *call, const struct far *far) {
    json_t *object = json_object();
    bool ok = object != NULL;
    const char *name = !call ? "" : call->is_img2img ? "scripts_img2img" : "scripts_txt2img";
    xl_json_put(object, "skipped", json_false(), &ok);
    xl_json_put(object, "interrupted", json_false(), &ok);
    xl_json_put(object, "stopping_generation", json_false(), &ok);
    xl_json_put(object, "job", json_string(name), &ok);
    xl_json_put(object, "job_count", json_integer(call ? call->n_iter : 0), &ok);
    xl_json_put(object, "job_timestamp", timestamp(far->started_s), &ok);
    xl_json_put(object, "job_no", json_integer(far->n_done), &ok);
    xl_json_put(object, "sampling_step", json_integer(far->step), &ok);
    xl_json_put(object, "sampling_steps", json_integer(far->steps), &ok);
    return xl_json_finish(object, ok);
}

/* What it looks like so far, in base64; null where there is nothing yet. */
static json_t *picture_of(struct xl_a1111 *a1111, const char *id) {
    struct xl_str text = {0};
    int64_t number = 0;
    void *bytes = NULL;
    size_t n = 0;
    xl_queue_preview(a1111->params.queue, id, 0, &number, &bytes, &n);
    if (!bytes) return json_null();
    xl_base64_put(&text, bytes, n);
    free(bytes);
    json_t *string = text.failed ? NULL : json_string(text.text);
    xl_str_deinit(&text);
    return string;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

enum xl_status xl_a1111_progress(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_a1111 *a1111 = call->user;
    struct xl_a1111_call drawn;
    struct far far = {.n_done = 0};
    json_t *job, *object = json_object(), *picture = NULL;
    double progress = 0, passed_s = 0;
    bool ok = object != NULL, is_any;
    xl_json_watch();
    is_any = xl_a1111_call_at_work(a1111, call->client, &drawn, &job) ||
             xl_a1111_call_at_work(a1111, NULL, &drawn, &job);
    if (is_any) {
        far = look_at(&drawn, job);
        progress = 0.01 + (double)far.n_done / drawn.n_iter;
        if (far.steps > 0) progress += (double)far.step / far.steps / drawn.n_iter;
        if (far.started_s > 0) passed_s = now() - far.started_s;
        if (!xl_call_switch(call, "skip_current_image", false))
            picture = picture_of(a1111, drawn.id);
    }
    json_decref(job);
    if (progress > 1) progress = 1;
    double left_s = is_any && passed_s > 0 ? passed_s / progress - passed_s : 0;
    xl_json_put(object, "progress", json_real(progress), &ok);
    xl_json_put(object, "eta_relative", json_real(left_s), &ok);
    xl_json_put(object, "state", state_of(is_any ? &drawn : NULL, &far), &ok);
    xl_json_put(object, "current_image", picture ? picture : json_null(), &ok);
    xl_json_put(object, "textinfo",
                is_any && far.started_s <= 0 ? json_string("Waiting...") : json_null(), &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

/* Give up what is drawn for this client, or waits: all of it, or the iteration at hand. Others'
 * calls, and jobs of the page, go on. */
static void give_up(struct xl_call *call, bool is_skipped) {
    struct xl_a1111 *a1111 = call->user;
    struct xl_a1111_call drawn;
    json_t *job;
    if (!xl_a1111_call_at_work(a1111, call->client, &drawn, &job)) return;
    json_decref(job);
    xl_a1111_call_mark(a1111, drawn.id, is_skipped);
    (void)xl_queue_cancel(a1111->params.queue, drawn.id, NULL);
}

enum xl_status xl_a1111_interrupt(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    give_up(call, false);
    return xl_reply_json(reply, 200, json_object(), err);
}

enum xl_status xl_a1111_skip(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    give_up(call, true);
    return xl_reply_json(reply, 200, json_null(), err);
}
