/* draw.c - POST txt2img and img2img: a job for the queue, and an answer when it has ended. */
#include "http/a1111/parts.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* --- The end ---------------------------------------------------------------------------------- */

/* How the job has ended, for who waits: one that was given up has what it drew by then. */
static enum xl_status judge(const json_t *job, struct xl_err *err) {
    const char *state = json_string_value(json_object_get(job, "state"));
    const char *why = json_string_value(json_object_get(job, "error"));
    enum xl_status status = XL_EINTERNAL;
    if (!job) return xl_fail(err, XL_ECANCELLED, "the server is stopping");
    if (!state || xl_job_state_find(state) != XL_JOB_FAILED) return XL_OK;
    if (!xl_job_status_find(json_string_value(json_object_get(job, "status")), &status) || !status)
        status = XL_EINTERNAL;
    return xl_fail(err, status, "%s", why ? why : "it could not be drawn");
}

/* That program goes on when a client has gone, and so does this one: the picture is kept. */
static bool is_gone(void *user) {
    (void)user;
    return false;
}

static void end(void *user, json_t *job);

static enum xl_status wait_for(struct xl_a1111_call *call, const char *id, struct xl_err *err) {
    const struct xl_wait wait = {.is_gone = is_gone, .end = end, .user = call};
    return xl_waits_add(call->a1111->params.waits, id, &wait, err);
}

/* After a skip: have the iterations behind the skipped one drawn. True: `end` is called again. */
static bool go_on(struct xl_a1111_call *call, const json_t *job) {
    struct xl_queue *queue = call->a1111->params.queue;
    const struct xl_queue_ask ask = {
        .settings = call->settings, .client = call->client, .origin = "a1111"};
    int64_t n_done = json_integer_value(json_object_get(job, "n_done"));
    int n = (int)(n_done / call->batch_size) + 1, n_left = call->n_iter - call->n_behind - n;
    char id[XL_JOB_ID];
    bool ok = true;
    if (!xl_a1111_call_take_mark(call) || n_left <= 0) return false;
    json_int_t seed = (json_int_t)call->seed + (json_int_t)(call->n_behind + n) * call->batch_size;
    xl_json_put(call->settings, "seed", json_integer(seed), &ok);
    xl_json_put(call->settings, "batch", json_integer(n_left * call->batch_size), &ok);
    if (!ok || xl_queue_submit(queue, &ask, id, NULL, NULL)) return false;
    xl_a1111_call_move(call, id, n);
    if (!wait_for(call, id, NULL)) return true;
    (void)xl_queue_cancel(queue, id, NULL);
    return false;
}

static void end(void *user, json_t *job) {
    struct xl_a1111_call *call = user;
    struct xl_later *later = call->later;
    struct xl_reply *reply = xl_later_reply(later);
    struct xl_err err = {0};
    json_t *document = NULL;
    xl_json_watch();
    enum xl_status status = judge(job, &err);
    if (!status && json_array_extend(call->pictures, json_object_get(job, "pictures")))
        status = xl_fail_nomem(&err, "pictures", 0);
    if (!status && go_on(call, job)) {
        json_decref(job);
        return;
    }
    xl_a1111_call_remove(call);
    if (!status) status = xl_a1111_answer(call, job, &document, &err);
    if (!status) status = xl_reply_json(reply, 200, document, &err);
    reply->name = XL_A1111_EXCEPTION;
    json_decref(job);
    xl_a1111_call_free(call);
    xl_later_send(later, status, &err);
}

/* --- The beginning ---------------------------------------------------------------------------- */

/* The sentence of a setting, about the field that it came from. */
static enum xl_status about(struct xl_call *call, struct xl_reply *reply, enum xl_status status,
                            struct xl_err *err) {
    static const char before[] = "settings: ";
    const char *sentence = err->text, *field = NULL;
    if (strncmp(sentence, before, sizeof before - 1) == 0) sentence += sizeof before - 1;
    size_t n = strcspn(sentence, ": ");
    const char *setting = xl_arena_strndup(&call->arena, sentence, n);
    const char *rest = xl_arena_strdup(&call->arena, sentence);
    if (setting) field = xl_a1111_field_of(setting);
    if (!field || !rest || xl_status_code(status) != 422) return status;
    reply->name = "value_error";
    return xl_reply_about(reply, field, xl_fail(err, status, "%s%s", field, rest + n));
}

/* The request as it was understood, for another thread; what was sent to begin from, which is
 * large, only where that is wanted. */
static json_t *echo_of(const struct xl_a1111_asked *asked) {
    json_t *echo = json_copy(asked->fields), *own = NULL;
    bool ok = echo != NULL;
    if (asked->is_img2img && !xl_field_switch(echo, "include_init_images"))
        xl_json_put(echo, "init_images", json_null(), &ok);
    if (ok) own = json_deep_copy(echo);
    json_decref(echo);
    return own;
}

static struct xl_a1111_call *new_call(const struct xl_call *call,
                                      const struct xl_a1111_asked *asked, const char *id) {
    struct xl_a1111_call *mine = calloc(1, sizeof *mine);
    if (!mine) return NULL;
    mine->a1111 = call->user;
    memcpy(mine->id, id, sizeof mine->id);
    memcpy(mine->client, call->client, sizeof mine->client);
    mine->is_img2img = asked->is_img2img;
    mine->sends_images = xl_field_switch(asked->fields, "send_images");
    mine->batch_size = (int)xl_field_int(asked->fields, "batch_size");
    mine->n_iter = (int)xl_field_int(asked->fields, "n_iter");
    mine->steps = (int)xl_field_int(asked->fields, "steps");
    mine->sampler = asked->sampler;
    mine->seed = (uint64_t)json_integer_value(json_object_get(asked->settings, "seed"));
    mine->echo = echo_of(asked);
    mine->settings = json_deep_copy(asked->settings);
    mine->pictures = json_array();
    if (mine->echo && mine->settings && mine->pictures) return mine;
    xl_a1111_call_free(mine);
    return NULL;
}

/* From here on the answer is somebody else's. */
static enum xl_status hand_over(struct xl_call *call, const struct xl_a1111_asked *asked,
                                const char *id, struct xl_err *err) {
    struct xl_a1111_call *mine = new_call(call, asked, id);
    struct xl_later *later = mine ? xl_reply_later(call) : NULL;
    struct xl_err why = {0};
    if (!later) {
        xl_a1111_call_free(mine);
        return xl_fail_nomem(err, "a call that waits", 0);
    }
    mine->later = later;
    xl_a1111_call_add(mine->a1111, mine);
    enum xl_status status = wait_for(mine, id, &why);
    if (!status) return XL_OK;
    xl_a1111_call_remove(mine);
    xl_a1111_call_free(mine);
    xl_later_send(later, status, &why);
    return XL_OK;
}

static enum xl_status draw(struct xl_call *call, struct xl_reply *reply, bool is_img2img,
                           struct xl_err *err) {
    struct xl_a1111 *a1111 = call->user;
    struct xl_a1111_asked asked;
    char id[XL_JOB_ID];
    xl_json_watch();
    enum xl_status status = xl_a1111_request_read(call, reply, is_img2img, &asked, err);
    if (status) return status;
    const struct xl_queue_ask ask = {
        .settings = asked.settings, .client = call->client, .origin = "a1111"};
    xl_queue_want_previews(a1111->params.queue);
    status = xl_queue_submit(a1111->params.queue, &ask, id, NULL, err);
    if (status)
        status = about(call, reply, status, err);
    else
        status = hand_over(call, &asked, id, err);
    xl_a1111_request_deinit(&asked);
    return status;
}

enum xl_status xl_a1111_txt2img(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    return draw(call, reply, false, err);
}

enum xl_status xl_a1111_img2img(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    return draw(call, reply, true, err);
}
