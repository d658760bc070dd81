/* answer.c - writes what a job has become. Pictures of megabytes go from the file to the text of
 * the answer without a tree of JSON in between: base64 needs no escapes. */
#include "http/openai/answer.h"

#include "base/base64.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const format_names[] = {
    [XL_SENT_PNG] = "png", [XL_SENT_JPEG] = "jpeg", [XL_SENT_WEBP] = "webp"};

/* Nothing is counted in tokens here. */
#define USAGE                                                                                      \
    "\"usage\":{\"input_tokens\":0,\"input_tokens_details\":{\"image_tokens\":0,"                  \
    "\"text_tokens\":0},\"output_tokens\":0,\"total_tokens\":0}"

static void put_size(struct xl_str *out, const struct xl_openai_ask *ask) {
    json_t *size = xl_json_text(ask->size);
    char *text = size ? xl_json_dump(size, JSON_ENCODE_ANY) : NULL;
    xl_str_puts(out, text ? text : "\"auto\"");
    free(text);
    json_decref(size);
}

static void put_facts(struct xl_str *out, const struct xl_openai_ask *ask,
                      enum xl_sent_format format) {
    xl_str_printf(out, "\"background\":\"opaque\",\"output_format\":\"%s\",\"quality\":\"%s\",",
                  format_names[format], ask->quality);
    xl_str_puts(out, "\"size\":");
    put_size(out, ask);
}

/* The i-th picture of a job: [cell, path, seconds]. */
static const char *picture_member(const json_t *job, size_t i, size_t member) {
    const json_t *picture = json_array_get(json_object_get(job, "pictures"), i);
    const char *text = json_string_value(json_array_get(picture, member));
    return text ? text : "";
}

/* --- In a stream ------------------------------------------------------------------------------ */

/* `b64` ends the event's text with the picture. */
static void begin_event(struct xl_str *out, const struct xl_openai_wait *wait, const char *what,
                        enum xl_sent_format format) {
    const char *kind = wait->ask.is_edit ? "image_edit" : "image_generation";
    xl_str_printf(out, "{\"type\":\"%s.%s\",\"created_at\":%lld,", kind, what,
                  (long long)time(NULL));
    put_facts(out, &wait->ask, format);
}

static void send_event(struct xl_openai_wait *wait, const char *what, struct xl_str *text) {
    char name[64];
    snprintf(name, sizeof name, "%s.%s", wait->ask.is_edit ? "image_edit" : "image_generation",
             what);
    xl_str_puts(text, "\"}");
    if (!text->failed) xl_stream_event(wait->stream, name, text->text);
    xl_str_deinit(text);
}

static void send_partial(struct xl_openai_wait *wait) {
    struct xl_str text = {0};
    void *bytes = NULL;
    size_t n = 0;
    xl_queue_preview(wait->queue, wait->id, wait->preview, &wait->preview, &bytes, &n);
    if (!bytes) return;
    begin_event(&text, wait, "partial_image", XL_SENT_JPEG);
    xl_str_printf(&text, ",\"partial_image_index\":%d,\"b64_json\":\"", wait->n_sent++);
    xl_base64_put(&text, bytes, n);
    send_event(wait, "partial_image", &text);
    free(bytes);
}

/* Of what a step gives so many are sent as were asked for, evenly over the steps. */
void xl_openai_wait_event(void *user, const char *type, const json_t *data) {
    struct xl_openai_wait *wait = user;
    if (!strcmp(type, "progress"))
        wait->n_steps = (int)json_integer_value(json_object_get(data, "steps"));
    if (strcmp(type, "preview") != 0 || wait->n_sent >= wait->ask.n_partial) return;
    json_int_t step = json_integer_value(json_object_get(data, "step"));
    if (step * (wait->ask.n_partial + 1) >= (json_int_t)(wait->n_sent + 1) * wait->n_steps)
        send_partial(wait);
}

bool xl_openai_wait_is_gone(void *user) {
    struct xl_openai_wait *wait = user;
    if (wait->n_sent < wait->ask.n_partial) xl_queue_want_previews(wait->queue);
    return wait->stream ? xl_stream_is_gone(wait->stream) : xl_later_is_gone(wait->later);
}

static enum xl_status send_pictures(struct xl_openai_wait *wait, const json_t *job,
                                    struct xl_err *err) {
    size_t n = json_array_size(json_object_get(job, "pictures"));
    for (size_t i = 0; i < n; i++) {
        struct xl_str text = {0};
        begin_event(&text, wait, "completed", wait->ask.format);
        xl_str_puts(&text, "," USAGE ",\"b64_json\":\"");
        enum xl_status status = xl_sent_picture_put(&text, picture_member(job, i, 1),
                                                    wait->ask.format, wait->ask.compression, err);
        if (status) {
            xl_str_deinit(&text);
            return status;
        }
        send_event(wait, "completed", &text);
    }
    return XL_OK;
}

/* Their clients raise what the member "error" says. */
static void send_error(struct xl_openai_wait *wait, const struct xl_err *err) {
    json_t *object = json_pack("{s:{s:s, s:s, s:n, s:n}}", "error", "message", err->text, "type",
                               "server_error", "param", "code");
    char *text = xl_json_take_text(object, object != NULL, JSON_COMPACT);
    if (text) xl_stream_event(wait->stream, "error", text);
    free(text);
}

/* --- At once ---------------------------------------------------------------------------------- */

static enum xl_status put_picture(struct xl_str *out, const struct xl_openai_wait *wait,
                                  const json_t *job, size_t i, struct xl_err *err) {
    enum xl_status status = XL_OK;
    if (wait->base_url) {
        xl_str_printf(out, "{\"url\":\"%s/api/v1/pictures/%s/file\"}", wait->base_url,
                      picture_member(job, i, 0));
        return XL_OK;
    }
    xl_str_puts(out, "{\"b64_json\":\"");
    status = xl_sent_picture_put(out, picture_member(job, i, 1), wait->ask.format,
                                 wait->ask.compression, err);
    xl_str_puts(out, "\"}");
    return status;
}

static enum xl_status reply_pictures(struct xl_openai_wait *wait, const json_t *job,
                                     struct xl_err *err) {
    size_t n = json_array_size(json_object_get(job, "pictures"));
    struct xl_str text = {0};
    enum xl_status status = XL_OK;
    xl_str_printf(&text, "{\"created\":%lld,\"data\":[", (long long)time(NULL));
    for (size_t i = 0; i < n && !status; i++) {
        if (i) xl_str_puts(&text, ",");
        status = put_picture(&text, wait, job, i, err);
    }
    xl_str_puts(&text, "],");
    put_facts(&text, &wait->ask, wait->ask.format);
    xl_str_puts(&text, "," USAGE "}");
    if (!status && text.failed) status = xl_fail_nomem(err, "an answer", 0);
    size_t length = text.len;
    if (!status) xl_reply_text(xl_later_reply(wait->later), NULL, xl_str_take(&text), length);
    xl_str_deinit(&text);
    return status;
}

/* --- The end ---------------------------------------------------------------------------------- */

/* Why there are no pictures. *code: of HTTP; 0: what the status stands for */
static enum xl_status look_at(const json_t *job, int *code, struct xl_err *err) {
    const char *state = json_string_value(json_object_get(job, "state"));
    const char *error = json_string_value(json_object_get(job, "error"));
    const char *name = json_string_value(json_object_get(job, "status"));
    enum xl_status status = XL_EINTERNAL;
    *code = 0;
    if (!job)
        return xl_fail(err, XL_ECANCELLED, "the server is stopping, or has forgotten the job");
    if (xl_job_state_find(state) == XL_JOB_DONE) return XL_OK;
    if (xl_job_state_find(state) == XL_JOB_CANCELLED) {
        *code = 410;
        return xl_fail(err, XL_EINVAL, "the job was cancelled");
    }
    if (!name || !xl_job_status_find(name, &status) || !status) status = XL_EINTERNAL;
    if (xl_status_code(status) == 422) *code = 400;
    return xl_fail(err, status, "%s", error && error[0] ? error : xl_status_text(status));
}

void xl_openai_wait_free(struct xl_openai_wait *wait) {
    xl_openai_ask_deinit(&wait->ask);
    free(wait->base_url);
    free(wait);
}

void xl_openai_wait_end(void *user, json_t *job) {
    struct xl_openai_wait *wait = user;
    struct xl_err err = {0};
    int code;
    enum xl_status status = look_at(job, &code, &err);
    if (wait->stream) {
        if (!status) status = send_pictures(wait, job, &err);
        if (status) send_error(wait, &err);
        xl_stream_end(wait->stream);
    } else {
        if (!status) status = reply_pictures(wait, job, &err);
        if (status) xl_later_reply(wait->later)->code = code;
        xl_later_send(wait->later, status, &err);
    }
    json_decref(job);
    xl_openai_wait_free(wait);
}
