/* ask.c - from a body to settings. Keeps no state. */
#include "http/openai/ask.h"

#include "base/json.h"
#include "http/form.h"
#include "http/openai/fields.h"
#include "http/openapi.h"
#include "lab/settings/options.h"

#include <stdio.h>
#include <string.h>

enum { FORMAT_DEFAULT = XL_SENT_PNG, BEST = 100 };

/* What the settings of this program are called by who comes from other APIs. */
static const char *const other_names[][2] = {
    {"negative_prompt", "negative"}, {"cfg_scale", "guidance"}, {"style_profile", "profile"}};

/* Settings that make more pictures of a call than it says, or that their API has a word for. */
static const char *const refused[][2] = {{"batch", "say how many pictures with \"n\""},
                                         {"sweep", "POST /api/v1/jobs draws sweeps"},
                                         {"all-profiles", "POST /api/v1/jobs draws sweeps"},
                                         {"all-models", "POST /api/v1/jobs draws sweeps"}};

/* The form's texts as an object; its files are not in it. */
static json_t *object_of_form(const struct xl_form *form) {
    json_t *object = json_object();
    bool ok = object != NULL;
    for (int i = 0; form && i < form->n; i++)
        if (form->parts[i].text)
            xl_json_put(object, form->parts[i].name, json_string(form->parts[i].text), &ok);
    return xl_json_finish(object, ok);
}

/* --- Settings --------------------------------------------------------------------------------- */

/* A key that their API has not. */
static enum xl_status take_setting(struct xl_call *call, struct xl_reply *reply, const char *key,
                                   json_t *value, struct xl_openai_ask *out, struct xl_err *err) {
    const char *name = key;
    bool ok = true;
    if (json_is_null(value)) return XL_OK;
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++)
        if (!strcmp(key, other_names[i][0])) name = other_names[i][1];
    const struct xl_option *option = xl_option_find(name);
    for (size_t i = 0; option && i < sizeof refused / sizeof *refused; i++)
        if (!strcmp(option->name, refused[i][0]))
            return xl_reply_about(reply, xl_arena_strdup(&call->arena, key),
                                  xl_fail(err, XL_EINVAL, "%.40s is no setting of this call: %s",
                                          key, refused[i][1]));
    xl_json_put(out->settings, name, json_incref(value), &ok);
    out->is_own = true;
    return ok ? XL_OK : xl_fail_nomem(err, "settings", 0);
}

/* OpenAI's own models are asked for by clients that know no others: the model of this server. */
static bool is_theirs(const char *model) {
    static const char *const theirs[] = {"gpt-image", "chatgpt-image", "dall-e"};
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
        if (!strncmp(model, theirs[i], strlen(theirs[i]))) return true;
    return false;
}

static enum xl_status put_settings(struct xl_openai_ask *out, const struct xl_openai_value *said,
                                   struct xl_err *err) {
    const char *model = said[XL_OPENAI_MODEL].text, *size = said[XL_OPENAI_SIZE].text;
    bool ok = true;
    out->n = said[XL_OPENAI_N].is_said ? said[XL_OPENAI_N].number : 1;
    xl_json_put(out->settings, "prompt", json_string(said[XL_OPENAI_PROMPT].text), &ok);
    if (out->n > 1) xl_json_put(out->settings, "batch", json_integer(out->n), &ok);
    if (model && model[0] && !is_theirs(model))
        xl_json_put(out->settings, "model", json_string(model), &ok);
    if (size && strcmp(size, "auto") != 0)
        xl_json_put(out->settings, "size", json_string(size), &ok);
    snprintf(out->size, sizeof out->size, "%s", size ? size : "auto");
    return ok ? XL_OK : xl_fail_nomem(err, "settings", 0);
}

/* --- The answer ------------------------------------------------------------------------------- */

static enum xl_status refuse(struct xl_reply *reply, enum xl_openai_field field,
                             const char *sentence, struct xl_err *err) {
    return xl_reply_about(reply, xl_openai_field_name(field),
                          xl_fail(err, XL_EINVAL, "%s", sentence));
}

/* Who asks for these expects addresses where nothing is said of it. */
static bool is_dall_e(const struct xl_openai_value *said) {
    const char *model = said[XL_OPENAI_MODEL].text;
    return model && !strncmp(model, "dall-e", 6);
}

/* Those that are about what is sent back. */
static enum xl_status put_answer(struct xl_reply *reply, struct xl_openai_ask *out,
                                 const struct xl_openai_value *said, struct xl_err *err) {
    static const enum xl_sent_format formats[] = {XL_SENT_PNG, XL_SENT_JPEG, XL_SENT_WEBP};
    const struct xl_openai_value *compression = &said[XL_OPENAI_OUTPUT_COMPRESSION];
    const char *background = said[XL_OPENAI_BACKGROUND].text;
    out->format = formats[said[XL_OPENAI_OUTPUT_FORMAT].number];
    out->compression = !compression->is_said ? BEST : compression->number ? compression->number : 1;
    out->is_stream = said[XL_OPENAI_STREAM].number;
    out->n_partial = said[XL_OPENAI_PARTIAL_IMAGES].number;
    out->quality = said[XL_OPENAI_QUALITY].text ? said[XL_OPENAI_QUALITY].text : "auto";
    out->wants_url = said[XL_OPENAI_RESPONSE_FORMAT].is_said &&
                     said[XL_OPENAI_RESPONSE_FORMAT].number == XL_OPENAI_URL;
    out->would_take_url = is_dall_e(said) && !said[XL_OPENAI_RESPONSE_FORMAT].is_said &&
                          !out->is_stream && out->format == XL_SENT_PNG;
    if (background && !strcmp(background, "transparent"))
        return refuse(reply, XL_OPENAI_BACKGROUND,
                      "background is \"transparent\", expected opaque or auto: pictures have no "
                      "transparency here",
                      err);
    if (out->format == XL_SENT_PNG && compression->is_said && compression->number < BEST)
        return refuse(reply, XL_OPENAI_OUTPUT_COMPRESSION,
                      "output_compression is below 100, which only jpeg and webp can be", err);
    if (out->n_partial && !out->is_stream)
        return refuse(reply, XL_OPENAI_PARTIAL_IMAGES, "partial_images needs \"stream\": true",
                      err);
    if (out->wants_url && out->is_stream)
        return refuse(reply, XL_OPENAI_RESPONSE_FORMAT,
                      "response_format is \"url\", expected b64_json with \"stream\": true", err);
    if (out->wants_url && out->format != XL_SENT_PNG)
        return refuse(reply, XL_OPENAI_RESPONSE_FORMAT,
                      "response_format is \"url\", which gives the file as it is kept, a PNG; "
                      "output_format asks for another",
                      err);
    return XL_OK;
}

/* --- Reading ---------------------------------------------------------------------------------- */

static enum xl_status read_keys(struct xl_call *call, struct xl_reply *reply, const json_t *body,
                                struct xl_openai_ask *out, struct xl_openai_value *said,
                                struct xl_err *err) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)body, key, value) {
        int field = xl_openai_field_find(key, out->is_edit);
        enum xl_status status =
            field < 0 ? take_setting(call, reply, key, value, out, err)
                      : xl_openai_field_read((enum xl_openai_field)field, value, &said[field], err);
        if (status && field >= 0) reply->field = xl_openai_field_name((enum xl_openai_field)field);
        if (status) return status;
    }
    const char *prompt = said[XL_OPENAI_PROMPT].text;
    if (prompt && prompt[0]) return XL_OK;
    return refuse(reply, XL_OPENAI_PROMPT, "prompt is missing or empty, expected what to draw",
                  err);
}

enum xl_status xl_openai_read(struct xl_call *call, struct xl_reply *reply, bool is_edit,
                              struct xl_openai_ask *out, struct xl_err *err) {
    struct xl_openai_value said[XL_OPENAI_N_FIELDS] = {{.is_said = false}};
    json_t *body = is_edit ? object_of_form(call->form) : json_incref(call->json);
    *out = (struct xl_openai_ask){.settings = json_object(), .is_edit = is_edit};
    enum xl_status status = body && out->settings ? XL_OK
                                                  : xl_fail_nomem(err, "what is asked for", 0);
    if (!status) status = read_keys(call, reply, body, out, said, err);
    if (!status) status = put_settings(out, said, err);
    if (!status) status = put_answer(reply, out, said, err);
    json_decref(body);
    if (!status) return XL_OK;
    if (status == XL_EINVAL) reply->code = 400;
    xl_openai_ask_deinit(out);
    return status;
}

void xl_openai_ask_deinit(struct xl_openai_ask *ask) {
    json_decref(ask->settings);
    ask->settings = NULL;
}

/* --- OpenAPI ---------------------------------------------------------------------------------- */

/* Their fields, and the settings that a call may have beside them. */
static json_t *schema_of(bool is_edit) {
    json_t *schema = xl_settings_schema(), *properties = json_object_get(schema, "properties");
    json_t *fields = xl_openai_fields_schema(is_edit), *required = json_pack("[s]", "prompt");
    bool ok = fields && required;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char key[24];
        snprintf(key, sizeof key, "%s", refused[i][0]);
        for (char *c = key; *c; c++)
            if (*c == '-') *c = '_';
        json_object_del(properties, key);
    }
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++)
        xl_json_put(properties, other_names[i][0],
                    json_incref(json_object_get(properties, other_names[i][1])), &ok);
    ok = ok && !json_object_update(properties, fields);
    json_decref(fields);
    if (is_edit) {
        json_object_del(properties, "init_image");
        xl_json_put(properties, "image",
                    json_pack("{s:s, s:s}", "type", "string", "format", "binary"), &ok);
        ok = ok && !json_array_append_new(required, json_string("image"));
    }
    xl_json_put(schema, "required", required, &ok);
    return xl_json_finish(schema, ok);
}

json_t *xl_openai_generate_schema(void) {
    return schema_of(false);
}
json_t *xl_openai_edit_schema(void) {
    return schema_of(true);
}
