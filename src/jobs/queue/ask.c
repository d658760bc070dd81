/* ask.c - from what somebody on the network asks for to a sweep, with what the network may not name
 * refused. Keeps nothing; any thread.
 */
#include "jobs/queue/parts.h"

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char NAME[] = "settings";

/* --- What may be named ------------------------------------------------------------------------ */

/* Whether a path, links and all, lies in a folder. */
static bool is_below(const char *path, const char *folder) {
    char *real = folder ? realpath(folder, NULL) : NULL;
    size_t n = real ? strlen(real) : 0;
    bool is_its = n && !strncmp(path, real, n) && (path[n] == '/' || n == 1);
    free(real);
    return is_its;
}

/* The picture that a text means: a name is that of one that was uploaded. *out: in the arena, from
 * the root. */
static enum xl_status find_picture(const struct xl_queue *queue, const char *text,
                                   struct xl_arena *arena, const char **out, struct xl_err *err) {
    const char *path = text;
    if (!strchr(text, '/'))
        path = queue->uploads ? xl_arena_printf(arena, "%s/%s", queue->uploads, text) : NULL;
    char *real = path ? realpath(path, NULL) : NULL;
    bool is_allowed =
        real && (is_below(real, queue->uploads) || is_below(real, queue->settings.output_dir));
    const char *kept = is_allowed ? xl_arena_strdup(arena, real) : NULL;
    free(real);
    if (!is_allowed)
        return xl_fail(
            err, XL_EINVAL,
            "%s: init_image: \"%.200s\" is no picture that was uploaded, and none of the "
            "output directory",
            NAME, text);
    *out = kept;
    return kept ? XL_OK : xl_fail_nomem(err, "a path", 0);
}

/* Whether some name in a text ("A:0.5 + B") begins as paths do. */
static bool has_path(const char *text) {
    bool is_start = true;
    for (const char *c = text; *c; c++) {
        if (is_start && strchr("/.~$", *c)) return true;
        if (*c == '$' || !strncmp(c, "/../", 4)) return true;
        is_start = *c == ' ' || *c == '+' || *c == ',';
    }
    return false;
}

/* A value of an option; *out: what stands for it. */
static enum xl_status check_value(const struct xl_queue *queue, const struct xl_option *option,
                                  const char *text, struct xl_arena *arena, const char **out,
                                  struct xl_err *err) {
    *out = text;
    if (option->path == XL_PATH_NONE || !text[0]) return XL_OK;
    if (!strcmp(option->name, "init-image")) return find_picture(queue, text, arena, out, err);
    if (!has_path(text)) return XL_OK;
    return xl_fail(
        err, XL_EINVAL,
        "%s: %s: \"%.200s\" is a path; expected a name of the list, or a repository of the "
        "cache",
        NAME, option->name, text);
}

/* Check and settle an option's value, one or a list of them. *out: the caller's; NULL on failure.
 */
static enum xl_status check_values(const struct xl_queue *queue, const struct xl_option *option,
                                   json_t *value, json_t **out, struct xl_arena *arena,
                                   struct xl_err *err) {
    const char *text = json_string_value(value);
    enum xl_status status = XL_OK;
    *out = NULL;
    if (text) {
        status = check_value(queue, option, text, arena, &text, err);
        *out = status ? NULL : xl_json_text(text);
    } else if (json_is_array(value)) {
        *out = json_array();
        for (size_t i = 0; !status && i < json_array_size(value); i++) {
            json_t *one = NULL;
            status = check_values(queue, option, json_array_get(value, i), &one, arena, err);
            if (!status) json_array_append_new(*out, one);
        }
    } else {
        *out = json_incref(value);
    }
    if (status) {
        json_decref(*out);
        *out = NULL;
        return status;
    }
    return *out ? XL_OK : xl_fail_nomem(err, "settings", 0);
}

static enum xl_status refuse_file(const char *axis, struct xl_err *err) {
    return xl_fail(err, XL_EINVAL, "%s: sweep: %.40s: values of a file (@FILE) are not read here",
                   NAME, axis);
}

/* An axis as a text, "steps=20,30". Of those whose values may be paths the text is told apart as
 * little as it can be: a list of an object is how these are said. */
static enum xl_status check_axis_text(const char *text, struct xl_err *err) {
    const char *equals = strchr(text, '=');
    char name[48] = "";
    if (!equals) return XL_OK; /* reading says so */
    snprintf(name, sizeof name, "%.*s", (int)(equals - text < 47 ? equals - text : 47), text);
    const struct xl_option *option = xl_option_find(name);
    if (equals[1] == '@') return refuse_file(name, err);
    if (!option || option->path == XL_PATH_NONE) return XL_OK;
    if (!strcmp(option->name, "init-image"))
        return xl_fail(err, XL_EINVAL,
                       "%s: sweep: init_image: expected {\"init_image\": [\"a.png\", \"b.png\"]}",
                       NAME);
    const char *values = equals + 1 + strspn(equals + 1, "[\" ");
    if (!has_path(values) && !strstr(values, "\"/") && !strstr(values, "\".")) return XL_OK;
    return xl_fail(err, XL_EINVAL, "%s: sweep: %s: paths are not taken here", NAME, name);
}

static enum xl_status check_sweep(const struct xl_queue *queue, const json_t *sweep, json_t **out,
                                  struct xl_arena *arena, struct xl_err *err) {
    const char *key;
    json_t *value;
    enum xl_status status = XL_OK;
    if (json_is_object(sweep)) {
        *out = json_object();
        json_object_foreach((json_t *)sweep, key, value) {
            const struct xl_option *option = xl_option_find(key);
            const char *text = json_string_value(value);
            json_t *settled = json_incref(value);
            if (text && text[0] == '@') status = refuse_file(key, err);
            if (!status && option && option->path != XL_PATH_NONE) {
                json_decref(settled);
                status = check_values(queue, option, value, &settled, arena, err);
            }
            if (status) {
                json_decref(settled);
                break;
            }
            json_object_set_new(*out, key, settled);
        }
    } else {
        size_t n = json_is_array(sweep) ? json_array_size(sweep) : 0;
        if (json_is_string(sweep)) status = check_axis_text(json_string_value(sweep), err);
        for (size_t i = 0; !status && i < n; i++) {
            const char *text = json_string_value(json_array_get(sweep, i));
            if (text) status = check_axis_text(text, err);
        }
        *out = json_incref((json_t *)sweep);
    }
    return status;
}

/* The ask with what it names looked for: a new object. */
static enum xl_status check_ask(const struct xl_queue *queue, const json_t *ask, json_t **out,
                                struct xl_arena *arena, struct xl_err *err) {
    const char *key;
    json_t *value;
    if (!json_is_object(ask))
        return xl_fail(err, XL_EINVAL, "%s: expected an object like {\"prompt\": \"a cat\"}", NAME);
    json_t *checked = json_object();
    enum xl_status status = checked ? XL_OK : xl_fail_nomem(err, NAME, 0);
    json_object_foreach((json_t *)ask, key, value) {
        const struct xl_option *option = xl_option_find(key);
        json_t *settled = NULL;
        if (status) break;
        if (option && !(option->commands & XL_FOR_API)) option = NULL;
        if (option && !strcmp(option->name, "sweep"))
            status = check_sweep(queue, value, &settled, arena, err);
        else if (option)
            status = check_values(queue, option, value, &settled, arena, err);
        else
            settled = json_incref(value); /* reading refuses it, and says what may be meant */
        if (status)
            json_decref(settled);
        else if (json_object_set_new(checked, key, settled))
            status = xl_fail_nomem(err, NAME, 0);
    }
    if (status)
        json_decref(checked);
    else
        *out = checked;
    return status;
}

enum xl_status xl_queue_vet(const struct xl_queue *queue, const json_t *settings, json_t **out,
                            struct xl_err *err) {
    struct xl_arena arena = {0};
    enum xl_status status = check_ask(queue, settings, out, &arena, err);
    xl_arena_deinit(&arena);
    return status;
}

/* --- Planning --------------------------------------------------------------------------------- */

static enum xl_status read_settings(const struct xl_queue *queue, const json_t *ask,
                                    struct xl_arena *arena, struct xl_settings *settings,
                                    struct xl_err *err) {
    const struct xl_settings_part part = {.name = NAME, .object = ask, .commands = XL_FOR_API};
    *settings = queue->settings;
    settings->arena = arena;
    xl_settings_end_source(settings);
    return xl_settings_read_part(settings, &part, arena, err);
}

enum xl_status xl_queue_read_settings(const struct xl_queue *queue, const json_t *settings,
                                      struct xl_arena *arena, struct xl_settings *out,
                                      struct xl_err *err) {
    json_t *ask;
    enum xl_status status = check_ask(queue, settings, &ask, arena, err);
    if (status) return status;
    status = read_settings(queue, ask, arena, out, err);
    json_decref(ask);
    return status;
}

static enum xl_status plan(const struct xl_queue *queue, struct xl_asked *out, struct xl_err *err) {
    enum xl_status status = read_settings(queue, out->ask, &out->arena, &out->settings, err);
    return status ? status : xl_sweep_plan(&out->settings, &out->sweep, err);
}

enum xl_status xl_asked_plan(const struct xl_queue *queue, const json_t *ask, bool is_settled,
                             struct xl_asked *out, struct xl_err *err) {
    *out = (struct xl_asked){.arena = {0}};
    enum xl_status status = XL_OK;
    if (is_settled)
        out->ask = json_incref((json_t *)ask);
    else
        status = check_ask(queue, ask, &out->ask, &out->arena, err);
    if (!status) status = plan(queue, out, err);
    if (!status) return XL_OK;
    json_decref(out->ask);
    xl_arena_deinit(&out->arena);
    return status;
}

void xl_asked_deinit(struct xl_asked *asked) {
    xl_sweep_deinit(&asked->sweep);
    json_decref(asked->ask);
    xl_arena_deinit(&asked->arena);
}

/* Set a member under its key, whatever other spelling it had. */
static void settle(json_t *object, const char *key, json_t *value, bool *ok) {
    const char *other;
    json_t *ignored;
    void *next;
    json_object_foreach_safe(object, next, other,
                             ignored) if (xl_option_find(other) == xl_option_find(key))
        json_object_del(object, other);
    xl_json_put(object, key, value, ok);
}

json_t *xl_asked_settle(const struct xl_asked *asked) {
    const struct xl_settings *settings = &asked->settings;
    const struct xl_sweep *sweep = &asked->sweep;
    json_t *all = xl_settings_write_object(settings), *settled = json_deep_copy(asked->ask);
    bool ok = all && settled;
    if (sweep->n_random && settings->has_seed)
        settle(settled, "seed", json_incref(json_object_get(all, "seed")), &ok);
    if (sweep->n_random && settings->sweep.n)
        settle(settled, "sweep", json_incref(json_object_get(all, "sweep")), &ok);
    if (!xl_settings_is_given(settings, "model") && !sweep->has_models)
        settle(settled, "model", xl_json_text(sweep->models[0].key), &ok);
    json_decref(all);
    return xl_json_finish(settled, ok);
}

const char *xl_asked_digest(const struct xl_asked *asked) {
    const struct xl_sweep *sweep = &asked->sweep;
    return sweep->n_cells ? sweep->models[sweep->cells[sweep->order[0]].model].digest : "";
}
