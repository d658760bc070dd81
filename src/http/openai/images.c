/* images.c - POST generations and edits: a job, and a call that waits for it. Keeps no state. */
#include "http/openai/openai.h"

#include "base/json.h"
#include "http/api/jobs.h"
#include "http/api/uploads.h"
#include "http/openai/answer.h"

#include <stdlib.h>
#include <string.h>

/* --- The picture of an edit ------------------------------------------------------------------- */

/* "image", "image[]" or "image[0]": how clients send one or a list. */
static bool is_image(const char *name) {
    return !strcmp(name, "image") || !strncmp(name, "image[", 6);
}

static enum xl_status refuse(struct xl_reply *reply, const char *field, struct xl_err *err,
                             const char *sentence) {
    return xl_reply_about(reply, field, xl_reply_refuse(reply, 400, err, "%s", sentence));
}

static enum xl_status find_image(struct xl_call *call, struct xl_reply *reply,
                                 const struct xl_form_part **out, struct xl_err *err) {
    *out = NULL;
    for (int i = 0; call->form && i < call->form->n; i++) {
        const struct xl_form_part *part = &call->form->parts[i];
        if (!strcmp(part->name, "mask"))
            return refuse(reply, "mask", err,
                          "mask: parts of a picture cannot be repainted here; without a mask all "
                          "of it is redrawn");
        if (part->fd < 0) continue;
        if (!is_image(part->name))
            return xl_reply_about(reply, xl_arena_strdup(&call->arena, part->name),
                                  xl_reply_refuse(reply, 400, err,
                                                  "there is no file \"%.60s\" here; expected image",
                                                  part->name));
        if (*out)
            return refuse(reply, "image", err,
                          "image: more than one was sent, and one is what can be redrawn");
        *out = part;
    }
    return *out
               ? XL_OK
               : refuse(reply, "image", err, "image is missing, expected a PNG, JPEG or WebP file");
}

static enum xl_status take_image(struct xl_call *call, struct xl_reply *reply,
                                 struct xl_openai_ask *ask, struct xl_err *err) {
    const struct xl_openai *openai = call->user;
    const struct xl_form_part *part;
    struct xl_clean_picture picture;
    const char *path = NULL;
    bool ok = true;
    enum xl_status status = find_image(call, reply, &part, err);
    if (status) return status;
    status = xl_upload_keep(call, openai->library, part, &picture, &path, err);
    if (status && xl_status_code(status) == 422) reply->code = 400;
    if (status) return xl_reply_about(reply, "image", status);
    xl_json_put(ask->settings, "init_image", xl_json_text(path), &ok);
    return ok ? XL_OK : xl_fail_nomem(err, "settings", 0);
}

/* --- The job ---------------------------------------------------------------------------------- */

/* A sentence of the option table, as their errors have it: 400, and what it is about. */
static enum xl_status about_setting(struct xl_call *call, struct xl_reply *reply,
                                    enum xl_status status, struct xl_err *err) {
    static const char before[] = "settings: ";
    xl_jobs_about_setting(call, reply, status, err);
    if (xl_status_code(status) == 422) reply->code = 400;
    if (!strncmp(err->text, "size ", 5)) reply->field = "size";
    if (!strncmp(err->text, "model ", 6)) reply->field = "model";
    if (status == XL_EMODEL && reply->field && !strcmp(reply->field, "model")) {
        reply->code = 404;
        reply->name = "model_not_found";
    }
    if (strncmp(err->text, before, sizeof before - 1) != 0) return status;
    const char *rest = xl_arena_strdup(&call->arena, err->text + sizeof before - 1);
    return rest ? xl_fail(err, status, "%s", rest) : status;
}

/* Templates make more of a prompt than one, too. */
static enum xl_status check_count(struct xl_call *call, struct xl_reply *reply,
                                  const struct xl_openai_ask *ask, struct xl_err *err) {
    const struct xl_openai *openai = call->user;
    struct xl_queue_plan plan = {.notices = NULL};
    enum xl_status status = xl_queue_check(openai->queue, ask->settings, &plan, err);
    free(plan.notices);
    if (status) return about_setting(call, reply, status, err);
    if (plan.n_cells == ask->n) return XL_OK;
    return xl_reply_refuse(reply, 400, err,
                           "these settings come to %d pictures, and \"n\" says %d; POST "
                           "/api/v1/jobs draws as many as there are",
                           plan.n_cells, ask->n);
}

/* "http://127.0.0.1:7860", as the client sees this server; malloc'd. */
static char *base_url(const struct xl_call *call) {
    const char *proto = call->headers.forwarded_proto;
    bool is_secure = call->is_loopback && proto && !strcmp(proto, "https");
    struct xl_str url = {0};
    xl_str_printf(&url, "%s://%s%s", is_secure ? "https" : "http", call->headers.host,
                  call->prefix);
    return xl_str_take(&url);
}

static enum xl_status wait_for(struct xl_call *call, struct xl_reply *reply,
                               struct xl_openai_wait *wait, struct xl_err *err) {
    const struct xl_openai *openai = call->user;
    const struct xl_wait told = {xl_openai_wait_is_gone,
                                 wait->ask.n_partial ? xl_openai_wait_event : NULL,
                                 xl_openai_wait_end, wait};
    enum xl_status status = XL_OK;
    if (wait->ask.is_stream)
        status = xl_reply_stream(call, reply, &wait->stream, err);
    else if (!(wait->later = xl_reply_later(call)))
        status = xl_fail_nomem(err, "a call that waits", 0);
    if (!status) status = xl_waits_add(openai->waits, wait->id, &told, err);
    if (!status) return XL_OK;
    (void)xl_queue_cancel(openai->queue, wait->id, NULL);
    if (wait->later) { /* it is the only one that may answer now */
        xl_later_send(wait->later, status, err);
        status = XL_OK;
    }
    if (wait->stream) xl_stream_end(wait->stream);
    xl_openai_wait_free(wait);
    return status;
}

static enum xl_status draw(struct xl_call *call, struct xl_reply *reply, struct xl_openai_ask *ask,
                           struct xl_err *err) {
    const struct xl_openai *openai = call->user;
    const struct xl_queue_ask asked = {
        .settings = ask->settings, .client = call->client, .origin = "openai"};
    enum xl_status status = XL_OK;
    if (!openai->has_token) ask->wants_url |= ask->would_take_url;
    if (ask->wants_url && openai->has_token)
        status = refuse(reply, "response_format", err,
                        "response_format is \"url\", and addresses of this server want its token, "
                        "which clients do not send there; expected b64_json");
    if (!status && ask->is_own) status = check_count(call, reply, ask, err);
    struct xl_openai_wait *wait = status ? NULL : calloc(1, sizeof *wait);
    if (wait && ask->wants_url) wait->base_url = base_url(call);
    if (!status && (!wait || (ask->wants_url && !wait->base_url)))
        status = xl_fail_nomem(err, "a call that waits", 0);
    if (!status && ask->n_partial) xl_queue_want_previews(openai->queue);
    if (!status) {
        status = xl_queue_submit(openai->queue, &asked, wait->id, NULL, err);
        if (status) status = about_setting(call, reply, status, err);
    }
    if (status) {
        xl_openai_ask_deinit(ask);
        if (wait) free(wait->base_url);
        free(wait);
        return status;
    }
    wait->queue = openai->queue;
    wait->ask = *ask;
    return wait_for(call, reply, wait, err);
}

enum xl_status xl_openai_generate(struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    struct xl_openai_ask ask;
    enum xl_status status = xl_openai_read(call, reply, false, &ask, err);
    return status ? status : draw(call, reply, &ask, err);
}

enum xl_status xl_openai_edit(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_openai_ask ask;
    enum xl_status status = xl_openai_read(call, reply, true, &ask, err);
    if (status) return status;
    status = take_image(call, reply, &ask, err);
    if (!status) return draw(call, reply, &ask, err);
    xl_openai_ask_deinit(&ask);
    return status;
}
