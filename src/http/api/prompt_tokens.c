/* prompt_tokens.c - POST tokens: what is typed as the text encoders get it. The tokenizers of the
 * last model stay open for a while, for somebody goes on typing.
 */
#include "http/api/prompt_parts.h"

#include "base/clock.h"
#include "base/json.h"
#include "http/api/jobs.h"
#include "lab/data/lora_text.h"
#include "lab/data/profiles.h"
#include "lab/run/prompt_tokens.h"

#include <stdlib.h>
#include <string.h>

enum { OPEN_S = 60 };

/* --- Tokenizers ------------------------------------------------------------------------------- */

/* Open those of a model; with the mutex held. */
static enum xl_status open_encoders(struct xl_prompt_encoders *encoders,
                                    const struct xl_settings *settings, struct xl_arena *arena,
                                    struct xl_err *err) {
    struct xl_pipeline_files files;
    struct xl_tokenizer *opened[2];
    const char *name = xl_arena_printf(arena, "%s\n%s", settings->model ? settings->model : "",
                                       settings->revision ? settings->revision : "");
    if (!name) return xl_fail_nomem(err, "a model's name", 0);
    bool is_open = encoders->name && !strcmp(encoders->name, name);
    if (is_open && xl_now_s() - encoders->opened_at < OPEN_S) return XL_OK;
    enum xl_status status = xl_model_files(settings, arena, &files, err);
    if (!status) status = xl_model_tokenizers(&files, opened, err);
    if (status) return status;
    free(encoders->name);
    for (int t = 0; t < 2; t++) {
        xl_tokenizer_close(encoders->tokenizers[t]);
        encoders->tokenizers[t] = opened[t];
    }
    encoders->name = strdup(name);
    encoders->opened_at = xl_now_s();
    return encoders->name ? XL_OK : xl_fail_nomem(err, "a model's name", 0);
}

/* --- Where it is cut -------------------------------------------------------------------------- */

/* Bytes of a text that are there once the tags of LoRAs are out of it, up to the n-th of those. */
static size_t with_tags(const char *text, const char *without, size_t n) {
    size_t at = 0, kept = 0;
    while (text[at]) {
        const char *end = xl_lora_tag_end(text + at);
        if (end) {
            at = (size_t)(end - text);
        } else if (text[at] != without[kept]) {
            at++; /* a blank that went with a tag */
        } else if (kept == n) {
            break;
        } else {
            at++;
            kept++;
        }
    }
    return at;
}

/* Characters of what was typed that fit; -1: all do, or nobody knows. styled: with the profile's
 * words, without: and without tags; cut: byte of that from which on it does not fit */
static json_int_t place_in_typed(const char *typed, const char *styled, const char *without,
                                 size_t cut) {
    size_t n = strlen(typed), fits = 0;
    while (n && strchr(" \t\n,", typed[n - 1])) n--; /* a profile's words follow without those */
    const char *found = n ? memmem(styled, strlen(styled), typed, n) : NULL;
    if (!found) return -1;
    size_t begin = (size_t)(found - styled), at = with_tags(styled, without, cut);
    if (at > begin) fits = at - begin;
    if (fits >= n) return -1;
    json_int_t characters = 0;
    for (size_t i = 0; i < fits; i++) characters += ((unsigned char)typed[i] & 0xC0) != 0x80;
    return characters;
}

/* --- Counting --------------------------------------------------------------------------------- */

struct count {
    const struct xl_settings *settings;
    struct xl_tokenizer *const *tokenizers;
    struct xl_arena *arena;
};

/* typed: NULL where nobody typed one. With the mutex held. */
static enum xl_status count_text(const struct count *count, const char *typed, const char *styled,
                                 json_t **out, struct xl_err *err) {
    bool ok = true;
    const char *without;
    styled = styled ? styled : "";
    enum xl_status status = xl_lora_tags_take(styled, count->arena, &without, NULL, err);
    if (status) return status;
    json_t *row = json_object();
    status = xl_prompt_tokens(count->settings, count->tokenizers, styled, true, row, err);
    const char *cut = json_string_value(json_object_get(row, "cut_text"));
    json_int_t fits = -1;
    if (!status && cut)
        fits = place_in_typed(typed ? typed : "", styled, without, strlen(without) - strlen(cut));
    xl_json_put(row, "text", xl_json_text(without), &ok);
    xl_json_put(row, "cut_at", fits < 0 ? json_null() : json_integer(fits), &ok);
    json_object_del(row, "cut_text");
    json_object_del(row, "syntax");
    if (status) {
        json_decref(row);
        return status;
    }
    *out = xl_json_finish(row, ok);
    return *out ? XL_OK : xl_fail_nomem(err, "counts", 0);
}

static enum xl_status count_both(const struct count *count, const struct xl_profiles_text *styled,
                                 json_t **out, struct xl_err *err) {
    const struct xl_settings *settings = count->settings;
    json_t *object = json_object(), *row = NULL;
    bool ok = object != NULL;
    const char *const keys[] = {"prompt", "negative"};
    const char *const typed[] = {settings->prompt, settings->negative};
    const char *const texts[] = {styled->prompt, styled->negative};
    int limit = xl_tokenizer_max_length(count->tokenizers[0]) - 2;
    enum xl_status status = XL_OK;
    xl_json_put(object, "syntax", json_string(xl_prompt_syntax_name(settings->prompt_syntax)), &ok);
    xl_json_put(object, "limit", json_integer(limit), &ok);
    for (int i = 0; i < 2 && !status; i++) {
        status = count_text(count, typed[i], texts[i], &row, err);
        if (status) status = xl_fail_context(err, status, "settings: %s", keys[i]);
        if (!status) xl_json_put(object, keys[i], row, &ok);
    }
    object = xl_json_finish(object, ok && !status);
    if (!status) *out = object;
    return status;
}

/* What is typed with the words of its profile. */
static enum xl_status style(const struct xl_settings *settings, struct xl_profiles *profiles,
                            struct xl_arena *arena, struct xl_profiles_text *out,
                            struct xl_err *err) {
    const struct xl_profile *stack[XL_MAX_STACK];
    const struct xl_profiles_text given = {settings->prompt ? settings->prompt : "",
                                           settings->negative};
    int n = 0;
    const char *name = settings->profile && settings->profile[0] ? settings->profile
                                                                 : XL_PROFILE_RAW;
    enum xl_status status = xl_profiles_parse_stack(profiles, name, stack, XL_MAX_STACK, &n, err);
    if (status) return xl_fail_context(err, status, "settings: profile");
    return xl_profiles_apply(stack, n, &given, arena, out, err);
}

static enum xl_status count_settings(struct xl_call *call, const struct xl_settings *settings,
                                     json_t **out, struct xl_err *err) {
    struct xl_prompt_api *api = call->user;
    struct xl_profiles *profiles = NULL;
    struct xl_profiles_text styled;
    enum xl_status status =
        xl_profiles_load(settings->profile_files.item, settings->profile_files.n, &profiles, err);
    if (!status) status = style(settings, profiles, &call->arena, &styled, err);
    if (!status) {
        const struct count count = {settings, api->encoders.tokenizers, &call->arena};
        pthread_mutex_lock(&api->mutex);
        status = open_encoders(&api->encoders, settings, &call->arena, err);
        if (status) status = xl_fail_context(err, status, "settings: model");
        if (!status) status = count_both(&count, &styled, out, err);
        pthread_mutex_unlock(&api->mutex);
    }
    xl_profiles_free(profiles);
    return status;
}

enum xl_status xl_prompt_post_tokens(struct xl_call *call, struct xl_reply *reply,
                                     struct xl_err *err) {
    struct xl_prompt_api *api = call->user;
    struct xl_settings settings;
    json_t *object = NULL;
    const json_t *asked = json_object_get(call->json, "settings");
    if (!json_is_object(asked) || json_object_size(call->json) > 1)
        return xl_reply_about(reply, "settings",
                              xl_fail(err, XL_EINVAL,
                                      "expected {\"settings\": {...}} and nothing else, with "
                                      "settings as GET /api/v1/options lists them"));
    enum xl_status status = xl_queue_read_settings(api->queue, asked, &call->arena, &settings, err);
    if (!status) {
        xl_json_watch();
        status = count_settings(call, &settings, &object, err);
    }
    if (status) return xl_jobs_about_setting(call, reply, status, err);
    return xl_reply_json(reply, 200, object, err);
}
