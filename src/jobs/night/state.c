/* state.c - night.json, written and read by one table of its members. */
#include "jobs/night/state.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1 };

static const char *const phases[] = {"drawing", "paused", "stopped", "done", "given up"};

const char *xl_night_phase_name(enum xl_night_phase phase) {
    return phases[phase];
}

/* --- The members ------------------------------------------------------------------------------ */

enum kind { TEXT, CHARS, SEED, LONG, REAL, INT, TIME, PHASE, OBJECT, ARRAY };

static const struct member {
    const char *key;
    enum kind kind;
    size_t offset, size; /* size: of CHARS */
    bool is_new;         /* a night that an earlier version began has none */
} members[] = {
#define SIZE(field) sizeof((struct xl_night_state *)NULL)->field
#define OLD(key, kind, field)                                                                      \
    { key, kind, offsetof(struct xl_night_state, field), SIZE(field), false }
#define NEW(key, kind, field)                                                                      \
    { key, kind, offsetof(struct xl_night_state, field), SIZE(field), true }
    OLD("config", TEXT, config),       OLD("digest", CHARS, digest),
    OLD("seed", SEED, seed),           OLD("begun", CHARS, begun),
    OLD("written", CHARS, written),    OLD("until", TIME, until),
    OLD("bound_s", REAL, bound_s),     OLD("elapsed_s", REAL, elapsed_s),
    OLD("jobs_taken", LONG, n_taken),  OLD("jobs", LONG, n_jobs),
    OLD("done", INT, n_done),          OLD("failed", INT, n_failed),
    OLD("waiting", INT, n_waiting),    OLD("bytes", LONG, bytes),
    OLD("state", PHASE, phase),        OLD("why", TEXT, why),
    OLD("failures", OBJECT, failures), OLD("refused_jobs", ARRAY, refused),
    OLD("energy_j", OBJECT, energy_j), OLD("workers", ARRAY, workers),
    OLD("events", ARRAY, events),      NEW("n_losses", INT, n_losses),
    NEW("losses", ARRAY, losses),
};
enum { N_MEMBERS = sizeof members / sizeof *members };

static json_t *write_member(const struct xl_night_state *state, const struct member *member) {
    const void *field = (const char *)state + member->offset;
    switch (member->kind) {
    case TEXT:
        return xl_json_text(*(char *const *)field);
    case CHARS:
        return xl_json_text(field);
    case SEED:
        return xl_json_seed(*(const uint64_t *)field);
    case LONG:
        return json_integer(*(const int64_t *)field);
    case REAL:
        return json_real(*(const double *)field);
    case INT:
        return json_integer(*(const int *)field);
    case TIME:
        return json_integer((json_int_t) * (const time_t *)field);
    case PHASE:
        return json_string(phases[*(const enum xl_night_phase *)field]);
    default:
        return json_incref(*(json_t *const *)field);
    }
}

/* Whether the value is one of the member's. */
static bool read_member(struct xl_night_state *state, const struct member *member,
                        const json_t *value) {
    void *field = (char *)state + member->offset;
    const char *text = json_string_value(value);
    switch (member->kind) {
    case TEXT:
        *(char **)field = text ? strdup(text) : NULL;
        return text || json_is_null(value);
    case CHARS:
        if (!text || strlen(text) >= member->size) return false;
        memcpy(field, text, strlen(text) + 1);
        return true;
    case SEED:
        return xl_json_read_seed(value, field);
    case LONG:
        *(int64_t *)field = json_integer_value(value);
        return json_is_integer(value);
    case REAL:
        *(double *)field = json_number_value(value);
        return json_is_number(value);
    case INT:
        *(int *)field = (int)json_integer_value(value);
        return json_is_integer(value);
    case TIME:
        *(time_t *)field = (time_t)json_integer_value(value);
        return json_is_integer(value);
    case PHASE:
        for (int i = 0; text && i <= (int)XL_NIGHT_GIVEN_UP; i++)
            if (!strcmp(text, phases[i])) return *(enum xl_night_phase *)field = i, true;
        return false;
    default:
        if (member->kind == OBJECT ? !json_is_object(value) : !json_is_array(value)) return false;
        json_decref(*(json_t **)field);
        *(json_t **)field = json_incref((json_t *)value);
        return true;
    }
}

/* --- Its life --------------------------------------------------------------------------------- */

enum xl_status xl_night_state_init(struct xl_night_state *state, struct xl_err *err) {
    *state = (struct xl_night_state){.failures = json_object(),
                                     .refused = json_array(),
                                     .energy_j = json_object(),
                                     .workers = json_array(),
                                     .events = json_array(),
                                     .losses = json_array()};
    if (state->failures && state->refused && state->energy_j && state->workers && state->events &&
        state->losses)
        return XL_OK;
    xl_night_state_deinit(state);
    return xl_fail_nomem(err, "the state of a night", 0);
}

void xl_night_state_deinit(struct xl_night_state *state) {
    free(state->config);
    free(state->why);
    json_decref(state->failures);
    json_decref(state->refused);
    json_decref(state->energy_j);
    json_decref(state->workers);
    json_decref(state->events);
    json_decref(state->losses);
    *state = (struct xl_night_state){.config = NULL};
}

void xl_night_state_note(struct xl_night_state *state, const char *text) {
    char now[21];
    bool ok = true;
    xl_iso8601_utc(now);
    json_t *event = json_object();
    xl_json_put(event, "at", json_string(now), &ok);
    xl_json_put(event, "text", xl_json_text(text), &ok);
    if (ok && event) json_array_append(state->events, event);
    json_decref(event);
    while (json_array_size(state->events) > XL_NIGHT_EVENTS) json_array_remove(state->events, 0);
}

const char *xl_night_loss_name(enum xl_status status) {
    return status == XL_EWORKER   ? "worker died"
           : status == XL_EDEVICE ? "GPU lost"
                                  : "GPU left to others";
}

json_t *xl_night_state_lose(struct xl_night_state *state, const struct xl_night_loss *loss) {
    char now[21];
    bool ok = true;
    xl_iso8601_utc(now);
    json_t *entry = json_object();
    xl_json_put(entry, "at", json_string(now), &ok);
    xl_json_put(entry, "worker", xl_json_text(loss->worker), &ok);
    xl_json_put(entry, "name", xl_json_text(loss->name), &ok);
    xl_json_put(entry, "how", json_string(xl_night_loss_name(loss->status)), &ok);
    xl_json_put(entry, "error", xl_json_text(loss->error), &ok);
    xl_json_put(entry, "cells", json_array(), &ok);
    state->n_losses++;
    bool is_in = ok && entry && !json_array_append(state->losses, entry);
    json_decref(entry);
    while (json_array_size(state->losses) > XL_NIGHT_LOSSES) json_array_remove(state->losses, 0);
    return is_in ? entry : NULL;
}

void xl_night_loss_add(json_t *entry, const char *cell) {
    json_array_append_new(json_object_get(entry, "cells"), json_string(cell));
}

void xl_night_state_say(struct xl_night_state *state, const char *why) {
    char *text = why ? strdup(why) : NULL;
    if (why && !text) return;
    free(state->why);
    state->why = text;
}

int xl_night_state_failures(const struct xl_night_state *state, const char *cell,
                            enum xl_status *status, const char **error) {
    const json_t *failure = json_object_get(state->failures, cell);
    if (status) *status = (enum xl_status)json_integer_value(json_object_get(failure, "status"));
    if (error) *error = json_string_value(json_object_get(failure, "error"));
    return (int)json_integer_value(json_object_get(failure, "n"));
}

int xl_night_state_fail(struct xl_night_state *state, const char *cell, enum xl_status status,
                        const char *error) {
    int n = xl_night_state_failures(state, cell, NULL, NULL) + 1;
    bool ok = true;
    json_t *failure = json_object();
    xl_json_put(failure, "n", json_integer(n), &ok);
    xl_json_put(failure, "status", json_integer(status), &ok);
    xl_json_put(failure, "error", xl_json_text(error), &ok);
    json_object_set_new(state->failures, cell, failure);
    return n;
}

/* --- The file --------------------------------------------------------------------------------- */

enum xl_status xl_night_state_write(struct xl_night_state *state, const char *dir,
                                    struct xl_err *err) {
    xl_iso8601_utc(state->written);
    xl_json_watch();
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "format", json_integer(FORMAT), &ok);
    xl_json_put(object, "program", json_string("sdxl-lab " XL_VERSION), &ok);
    for (int i = 0; i < N_MEMBERS; i++)
        xl_json_put(object, members[i].key, write_member(state, &members[i]), &ok);
    char *text = xl_json_take_text(object, ok, JSON_INDENT(1));
    char *path = xl_path_join(dir, "night.json");
    enum xl_status status = path && text ? xl_file_replace(path, text, strlen(text), err)
                                         : xl_fail_nomem(err, "night.json", 0);
    free(path);
    free(text);
    return status;
}

static enum xl_status read_all(const char *path, const json_t *root, struct xl_night_state *out,
                               struct xl_err *err) {
    json_int_t format = json_integer_value(json_object_get(root, "format"));
    if (format != FORMAT)
        return xl_fail(err, XL_EINPUT,
                       "%s: its format is %lld, and this program knows %d; another version made it",
                       path, (long long)format, FORMAT);
    for (int i = 0; i < N_MEMBERS; i++) {
        const json_t *value = json_object_get(root, members[i].key);
        if (!value && members[i].is_new) continue;
        if (!value || !read_member(out, &members[i], value))
            return xl_fail(err, XL_EINPUT, "%s: \"%s\" is %s; the file is damaged", path,
                           members[i].key, value ? "no value that it can have" : "missing");
    }
    return XL_OK;
}

enum xl_status xl_night_state_read(const char *dir, struct xl_night_state *out,
                                   struct xl_err *err) {
    char *path = xl_path_join(dir, "night.json");
    json_t *root = NULL;
    if (!path) return xl_fail_nomem(err, "a path", 0);
    enum xl_status status = xl_json_load(path, &root, err);
    if (status == XL_EMODEL)
        status = xl_fail(
            err, XL_EINPUT,
            "%s: there is none; expected the folder of a night, made by sdxl-lab night", path);
    if (status == XL_EFORMAT) status = XL_EINPUT;
    if (!status) status = xl_night_state_init(out, err);
    if (!status) {
        status = read_all(path, root, out, err);
        if (status) xl_night_state_deinit(out);
    }
    json_decref(root);
    free(path);
    return status;
}
