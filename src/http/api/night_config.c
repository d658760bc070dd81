/* night_config.c - what a night may be told over the network, and its file. Keeps no state. */
#include "http/api/night_config.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "http/reply.h"
#include "jobs/night/config.h"
#include "lab/settings/options.h"
#include "prompts/learned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who draws and what from, as the server was told: settings that a configuration may have, too. */
static const char *const inherited[] = {
    "models-file",     "profiles-file",
    "device",          "dtype",
    "threads",         "max-memory",
    "workers",         "gpus",
    "idle-memory",     "idle-utilization",
    "allow-processes", "on-foreign-process",
    "gpu-lock-dir",    NULL,
};

static const struct xl_nights_api *api_of(const struct xl_call *call) {
    return call->user;
}

/* --- What may be said ------------------------------------------------------------------------- */

static bool is_path(const char *text) {
    size_t n = strlen(text);
    return strchr(text, '/') || strchr("~$.", text[0]) ||
           (n > 4 && !strcmp(text + n - 5, ".yaml")) || (n > 3 && !strcmp(text + n - 4, ".yml")) ||
           (n > 4 && !strcmp(text + n - 5, ".json"));
}

/* A theme's name, or a list of them: no file. */
static enum xl_status check_themes(const json_t *value, struct xl_err *err) {
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; i < n; i++) {
        const char *text =
            json_string_value(json_is_array(value) ? json_array_get(value, i) : value);
        if (text && is_path(text))
            return xl_fail(err, XL_EINVAL,
                           "prompts: \"%.200s\" is a file; expected the name of a theme, as GET "
                           "/api/v1/themes lists them",
                           text);
    }
    return XL_OK;
}

enum xl_status xl_night_job_vet(struct xl_call *call, const json_t *job, json_t **out,
                                struct xl_err *err) {
    const struct xl_queue *queue = api_of(call)->queue;
    struct xl_settings read;
    enum xl_status status = xl_queue_read_settings(queue, job, &call->arena, &read, err);
    return status ? status : xl_queue_vet(queue, job, out, err);
}

static enum xl_status check_jobs(struct xl_call *call, const json_t *value, json_t **out,
                                 struct xl_err *err) {
    if (!json_is_array(value))
        return xl_fail(err, XL_EINVAL, "jobs: expected a list of objects of settings");
    json_t *list = json_array();
    enum xl_status status = list ? XL_OK : xl_fail_nomem(err, "jobs", 0);
    for (size_t i = 0; !status && i < json_array_size(value); i++) {
        json_t *job = NULL;
        status = xl_night_job_vet(call, json_array_get(value, i), &job, err);
        if (!status && json_array_append_new(list, job)) status = xl_fail_nomem(err, "jobs", 0);
    }
    if (status)
        json_decref(list);
    else
        *out = list;
    return status;
}

/* A key of a night. *out: its value, the caller's. */
static enum xl_status check_key(struct xl_call *call, const struct xl_night_key *key, json_t *value,
                                json_t **out, struct xl_err *err) {
    if (key->type == XL_NIGHT_JOBS) return check_jobs(call, value, out, err);
    const char *text = json_string_value(value);
    bool is_favourites = text && !strcmp(text, XL_LEARNED_FAVOURITES);
    if (key->type == XL_NIGHT_PATH && !is_favourites)
        return xl_fail(err, XL_EINVAL,
                       "%s: no file is read for the network; expected " XL_LEARNED_FAVOURITES
                       ", or leave it out",
                       key->name);
    enum xl_status status = strcmp(key->name, "prompts") ? XL_OK : check_themes(value, err);
    if (!status) *out = json_incref(value);
    return status;
}

/* A setting of all jobs, or the GPUs. */
static enum xl_status check_setting(struct xl_call *call, const char *name, json_t *value,
                                    json_t **out, struct xl_err *err) {
    const struct xl_option *option = xl_option_find(name);
    if (option && !strcmp(option->name, "gpus")) {
        *out = json_incref(value);
        return XL_OK;
    }
    if (option && !(option->commands & XL_FOR_API))
        return xl_fail(err, XL_EINVAL, "%.60s: is not set over the network; leave it out", name);
    json_t *one = json_object(), *vetted = NULL;
    bool ok = one && !json_object_set(one, name, value);
    enum xl_status status = ok ? xl_queue_vet(api_of(call)->queue, one, &vetted, err)
                               : xl_fail_nomem(err, "settings", 0);
    if (!status) *out = json_incref(json_object_get(vetted, name));
    json_decref(vetted);
    json_decref(one);
    return status;
}

static enum xl_status check_config(struct xl_call *call, struct xl_reply *reply,
                                   const json_t *config, json_t *out, struct xl_err *err) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)config, name, value) {
        const struct xl_night_key *key = xl_night_key_find(name);
        json_t *checked = NULL;
        enum xl_status status = key ? check_key(call, key, value, &checked, err)
                                    : check_setting(call, name, value, &checked, err);
        if (status) return xl_reply_about(reply, name, status);
        if (json_object_set_new(out, name, checked)) return xl_fail_nomem(err, "a night", 0);
    }
    return XL_OK;
}

/* --- The file --------------------------------------------------------------------------------- */

static bool says(const json_t *config, const struct xl_option *option) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)config, name,
                        value) if (xl_option_find(name) == option) return true;
    return false;
}

static bool inherit(const struct xl_nights_api *api, json_t *config) {
    json_t *mine = xl_settings_write_object(api->settings);
    bool ok = mine != NULL;
    for (int i = 0; inherited[i] && ok; i++) {
        const struct xl_option *option = xl_option_find(inherited[i]);
        const char *name;
        json_t *value;
        json_object_foreach(mine, name,
                            value) if (xl_option_find(name) == option && !says(config, option))
            ok = !json_object_set(config, name, value) && ok;
    }
    json_decref(mine);
    xl_json_put(config, "output_dir", xl_json_text(api->dir), &ok);
    return ok;
}

/* Under the first free name: two may ask within one second. */
static enum xl_status write_new(struct xl_call *call, const char *text, const char **path,
                                struct xl_err *err) {
    enum { TRIES = 100 };
    char stamp[16];
    xl_stamp_utc(stamp);
    const char *dir = xl_arena_printf(&call->arena, "%s/nights", api_of(call)->dir);
    enum xl_status status = dir ? xl_dir_create(dir, err) : xl_fail_nomem(err, "a path", 0);
    bool exists = true;
    for (int i = 0; !status && exists && i < TRIES; i++) {
        const char *name = i ? xl_arena_printf(&call->arena, "%s/night-%s-%d.json", dir, stamp, i)
                             : xl_arena_printf(&call->arena, "%s/night-%s.json", dir, stamp);
        if (!name) return xl_fail_nomem(err, "a path", 0);
        exists = false;
        status = xl_file_write_new(name, text, strlen(text), &exists, err);
        if (status && exists) status = XL_OK;
        *path = name;
    }
    return !status && exists ? xl_fail(err, XL_EDISK, "%s: too many nights in one second", dir)
                             : status;
}

enum xl_status xl_night_config_write(struct xl_call *call, struct xl_reply *reply,
                                     const char **path, struct xl_err *err) {
    const json_t *asked = json_object_get(call->json, "config");
    if (!json_is_object(asked))
        return xl_reply_about(
            reply, "config",
            xl_fail(err, XL_EINVAL,
                    "config: %s; expected an object with keys as GET /api/v1/nights/keys lists "
                    "them",
                    asked ? "not an object" : "missing"));
    json_t *config = json_object();
    enum xl_status status = config ? check_config(call, reply, asked, config, err)
                                   : xl_fail_nomem(err, "a night", 0);
    char *text = NULL;
    if (!status &&
        (!inherit(api_of(call), config) || !(text = xl_json_dump(config, JSON_INDENT(2)))))
        status = xl_fail_nomem(err, "a night", 0);
    if (!status) status = write_new(call, text, path, err);
    free(text);
    json_decref(config);
    return status;
}

enum xl_status xl_night_config_about(struct xl_call *call, struct xl_reply *reply, const char *path,
                                     enum xl_status status, struct xl_err *err) {
    size_t n = strlen(path);
    if (strncmp(err->text, path, n) != 0) return status;
    const char *rest = err->text + n;
    while (rest[0] == ':' && strchr("0123456789", rest[1]) && rest[1])
        rest += 1 + strspn(rest + 1, "0123456789");
    rest += strspn(rest, ": ");
    const char *key = xl_arena_strndup(&call->arena, rest, strcspn(rest, ": "));
    const char *sentence = xl_arena_strdup(&call->arena, rest);
    if (!key || !sentence) return status;
    if (json_object_get(json_object_get(call->json, "config"), key))
        xl_reply_about(reply, key, status);
    return xl_fail(err, status == XL_EINPUT ? XL_EINVAL : status, "%s", sentence);
}
