/* nights.c - routes of nights. Keeps no state: a night is its folder, and the process that works on
 * it says so by a lock.
 */
#include "http/api/nights.h"
#include "http/api/night_routes.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/path.h"
#include "jobs/night/config.h"
#include "jobs/night/report.h"
#include "lab/data/themes.h"
#include "prompts/learned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LISTED = 100 };

/* --- Looking ---------------------------------------------------------------------------------- */

static json_t *describe(const char *dir, const struct xl_night_state *state, bool is_running) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "id", xl_json_text(xl_night_id(dir)), &ok);
    xl_json_put(object, "state", json_string(xl_night_state_name(state, is_running)), &ok);
    xl_json_put(object, "is_running", json_boolean(is_running), &ok);
    xl_json_put(object, "why", xl_json_text(state->why), &ok);
    xl_json_put(object, "begun", json_string(state->begun), &ok);
    xl_json_put(object, "until",
                state->until ? json_integer((json_int_t)state->until) : json_null(), &ok);
    xl_json_put(object, "elapsed_s", json_real(state->elapsed_s), &ok);
    xl_json_put(object, "n_done", json_integer(state->n_done), &ok);
    xl_json_put(object, "n_failed", json_integer(state->n_failed), &ok);
    xl_json_put(object, "n_waiting", json_integer(state->n_waiting), &ok);
    xl_json_put(object, "bytes", json_integer(state->bytes), &ok);
    return xl_json_finish(object, ok);
}

/* A night, and whether somebody works on it. On success the caller: xl_night_state_deinit. */
static enum xl_status look(const char *dir, struct xl_night_state *state, bool *is_running,
                           struct xl_err *err) {
    enum xl_status status = xl_night_state_read(dir, state, err);
    if (status) return status;
    status = xl_night_is_running(dir, is_running, err);
    if (status) xl_night_state_deinit(state);
    return status;
}

static enum xl_status get_nights(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const char *const *dirs = NULL;
    int n = 0;
    enum xl_status status =
        xl_nights_list(xl_nights_api_of(call)->dir, &call->arena, &dirs, &n, err);
    if (status) return status;
    xl_json_watch();
    json_t *object = json_object(), *list = json_array();
    bool ok = object && list;
    for (int i = 0; ok && i < n && i < MOST_LISTED; i++) {
        struct xl_night_state state;
        struct xl_err gone;
        bool is_running = false;
        if (look(dirs[i], &state, &is_running, &gone)) continue;
        ok = !json_array_append_new(list, describe(dirs[i], &state, is_running));
        xl_night_state_deinit(&state);
    }
    xl_json_put(object, "nights", list, &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

enum xl_status xl_night_of_call(struct xl_call *call, struct xl_reply *reply, const char **dir,
                                struct xl_night_state *state, bool *is_running,
                                struct xl_err *err) {
    const char *id = xl_call_text(call, "id");
    *dir = xl_arena_printf(&call->arena, "%s/%s", xl_nights_api_of(call)->dir, id);
    if (!*dir) return xl_fail_nomem(err, "a path", 0);
    struct xl_err why;
    if (!strncmp(id, "night_", 6) && !strchr(id, '/') && !look(*dir, state, is_running, &why))
        return XL_OK;
    return xl_reply_refuse(reply, 404, err,
                           "there is no night \"%.80s\"; GET /api/v1/nights lists those there are",
                           id);
}

enum xl_status xl_night_reply(struct xl_reply *reply, int code, const char *dir,
                              struct xl_err *err) {
    struct xl_night_report report;
    enum xl_status status = xl_night_report_read(dir, &report, err);
    if (status) return status;
    xl_json_watch();
    json_t *object = describe(dir, &report.state, report.is_running);
    bool ok = object != NULL;
    xl_json_put(object, "config", xl_json_text(report.state.config), &ok);
    xl_json_put(object, "at_work", json_incref(report.state.workers), &ok);
    xl_json_put(object, "report", xl_night_report_describe(&report), &ok);
    xl_night_report_deinit(&report);
    return xl_reply_json(reply, code, xl_json_finish(object, ok), err);
}

static enum xl_status get_night(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_night_state state;
    const char *dir = NULL;
    bool is_running = false;
    enum xl_status status = xl_night_of_call(call, reply, &dir, &state, &is_running, err);
    if (status) return status;
    xl_night_state_deinit(&state);
    return xl_night_reply(reply, 200, dir, err);
}

/* The page that can be given away: no script of it runs, and it loads nothing. */
static enum xl_status get_report(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_night_state state;
    struct xl_night_report report;
    struct xl_str html = {0};
    const char *dir = NULL;
    bool is_running = false;
    enum xl_status status = xl_night_of_call(call, reply, &dir, &state, &is_running, err);
    if (status) return status;
    xl_night_state_deinit(&state);
    status = xl_night_report_read(dir, &report, err);
    if (status) return status;
    status = xl_night_report_put_html(&html, &report, err);
    xl_night_report_deinit(&report);
    size_t n = html.len;
    char *text = status ? NULL : xl_str_take(&html);
    if (!status && !text) status = xl_fail_nomem(err, "a report", 0);
    if (status) {
        xl_str_deinit(&html);
        return status;
    }
    const char *name =
        xl_arena_printf(&call->arena, "attachment; filename=\"%s.html\"", xl_night_id(dir));
    if (name) xl_reply_header(reply, "Content-Disposition", name);
    xl_reply_text(reply, "text/html; charset=utf-8", text, n);
    return XL_OK;
}

/* --- What a configuration may say ------------------------------------------------------------- */

static const char *type_name(enum xl_night_type type) {
    static const char *const names[] = {
        [XL_NIGHT_INT] = "integer",       [XL_NIGHT_REAL] = "number",
        [XL_NIGHT_DURATION] = "duration", [XL_NIGHT_BYTES] = "bytes",
        [XL_NIGHT_TEXT] = "text",         [XL_NIGHT_PATH] = "choice",
        [XL_NIGHT_SEVERAL] = "several",   [XL_NIGHT_JOBS] = "jobs"};
    return names[type];
}

static enum xl_status get_keys(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const struct xl_night_key *key;
    (void)call;
    xl_json_watch();
    json_t *object = json_object(), *list = json_array();
    bool ok = object && list;
    for (int i = 0; ok && (key = xl_night_key_at(i)); i++) {
        json_t *one = json_object();
        if (key->type == XL_NIGHT_PATH) /* no file is read for the network */
            xl_json_put(one, "choices", json_pack("[s]", XL_LEARNED_FAVOURITES), &ok);
        xl_json_put(one, "name", json_string(key->name), &ok);
        xl_json_put(one, "argument", json_string(key->argument), &ok);
        xl_json_put(one, "type", json_string(type_name(key->type)), &ok);
        xl_json_put(one, "default", xl_json_text(key->fallback), &ok);
        xl_json_put(one, "group", json_string(key->group), &ok);
        xl_json_put(one, "help", json_string(key->help), &ok);
        ok = !json_array_append_new(list, one) && ok;
    }
    xl_json_put(object, "keys", list, &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

/* A theme of a person's own may be wrong: it is listed with its sentence. */
static json_t *describe_theme(const struct xl_theme *theme) {
    struct xl_grammar *grammar = NULL;
    struct xl_err why = {0};
    enum xl_status status = xl_theme_load(theme->name, NULL, &grammar, &why);
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "name", xl_json_text(theme->name), &ok);
    xl_json_put(object, "about", xl_json_text(grammar ? grammar->about : NULL), &ok);
    xl_json_put(object, "is_own", json_boolean(theme->path != NULL), &ok);
    xl_json_put(object, "error", xl_json_text(status ? why.text : NULL), &ok);
    xl_grammar_free(grammar);
    return xl_json_finish(object, ok);
}

static enum xl_status get_themes(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const struct xl_theme *themes = NULL;
    int n = 0;
    enum xl_status status = xl_themes_list(&call->arena, &themes, &n, err);
    if (status) return status;
    xl_json_watch();
    json_t *object = json_object(), *list = json_array();
    bool ok = object && list;
    for (int i = 0; ok && i < n; i++) ok = !json_array_append_new(list, describe_theme(&themes[i]));
    xl_json_put(object, "themes", list, &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}

/* --- Rows ------------------------------------------------------------------------------------- */

static const struct xl_param of_night[] = {
    {.name = "id", .max = 200, .help = "the name of the night's folder, night_..."},
    {.name = NULL}};

static const struct xl_route rows[] = {
    {"GET", "/api/v1/nights", get_nights, XL_ROUTE_SLOW, 0, NULL, "Nights, the newest first",
     "nights: id, state, is_running, why, begun, until, elapsed_s, n_done, n_failed, n_waiting, "
     "bytes",
     NULL, NULL},
    {"GET", "/api/v1/nights/keys", get_keys, 0, 0, NULL, "What a night's configuration may say",
     "keys: name, argument, type, default, group, help; beside them the settings of "
     "GET /api/v1/options, and gpus",
     NULL, NULL},
    {"GET", "/api/v1/themes", get_themes, XL_ROUTE_SLOW, 0, NULL, "Grammars of prompts by name",
     "themes: name, about, is_own, error (why it cannot be used; null)", NULL, NULL},
    {"POST", "/api/v1/nights/check", xl_night_check, XL_ROUTE_SLOW | XL_ROUTE_JSON, 0, NULL,
     "What a night would be, without beginning it: {\"config\": {...}}",
     "until (when it ends, in words), prompts (how many), settings and first_jobs", NULL, NULL},
    {"POST", "/api/v1/nights", xl_night_begin, XL_ROUTE_SLOW | XL_ROUTE_JSON, 0, NULL,
     "Begin a night: {\"config\": {...}}",
     "the night; 202 with id null where it still plans after half a minute; 409 where one is "
     "running",
     NULL, NULL},
    {"GET", "/api/v1/nights/{id}", get_night, XL_ROUTE_SLOW, 0, of_night,
     "A night, and what came of it so far",
     "as in the list, config (its file), at_work (who draws) and report, as "
     "`sdxl-lab night report --json` has it",
     NULL, NULL},
    {"GET", "/api/v1/nights/{id}/report", get_report, XL_ROUTE_SLOW, 0, of_night,
     "The report as a page that needs nothing beside itself", "HTML, to be kept", "text/html",
     NULL},
    {"POST", "/api/v1/nights/{id}/stop", xl_night_stop, XL_ROUTE_SLOW | XL_ROUTE_JSON, 0, of_night,
     "End a night after the pictures at hand, or {\"now\": true} at once", "the night", NULL, NULL},
    {"POST", "/api/v1/nights/{id}/resume", xl_night_resume, XL_ROUTE_SLOW | XL_ROUTE_JSON, 0,
     of_night, "Go on with a night that was stopped or killed", "the night", NULL, NULL},
    {"POST", "/api/v1/nights/{id}/jobs", xl_night_add_jobs, XL_ROUTE_SLOW | XL_ROUTE_JSON, 0,
     of_night, "Add jobs, which are drawn next: {\"jobs\": [{SETTINGS}, ...]}", "added: how many",
     NULL, NULL},
};

struct xl_route_table xl_nights_table(const struct xl_nights_api *api) {
    return (struct xl_route_table){.rows = rows,
                                   .n = sizeof rows / sizeof *rows,
                                   .user = (void *)(uintptr_t)api,
                                   .prefix = "/api/v1/"};
}
