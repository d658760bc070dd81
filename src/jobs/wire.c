/* wire.c - lines of JSON between a painter and its worker process. */
#include "jobs/wire.h"

#include "base/base64.h"
#include "base/json.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Lines ------------------------------------------------------------------------------------ */

enum { LINE_MAX_BYTES = 64 << 20, READ_BYTES = 64 << 10 };

void xl_line_reader_deinit(struct xl_line_reader *reader) {
    free(reader->text);
    *reader = (struct xl_line_reader){.fd = -1};
}

/* Read more behind what is there. *is_end: there is nothing more. */
static enum xl_status read_more(struct xl_line_reader *reader, bool *is_end, struct xl_err *err) {
    if (reader->n_used) {
        memmove(reader->text, reader->text + reader->n_used, reader->n - reader->n_used);
        reader->n -= reader->n_used;
        reader->n_used = 0;
    }
    if (reader->n > LINE_MAX_BYTES)
        return xl_fail(err, XL_EFORMAT, "a message is longer than %d bytes", LINE_MAX_BYTES);
    if (reader->capacity < reader->n + READ_BYTES) {
        size_t capacity = 2 * reader->n + READ_BYTES;
        char *grown = realloc(reader->text, capacity);
        if (!grown) return xl_fail_nomem(err, "a message", capacity);
        reader->text = grown;
        reader->capacity = capacity;
    }
    ssize_t n;
    do n = read(reader->fd, reader->text + reader->n, READ_BYTES);
    while (n < 0 && errno == EINTR && !reader->ends_at_signal);
    *is_end = n <= 0;
    if (n > 0) reader->n += (size_t)n;
    return XL_OK;
}

enum xl_status xl_line_read(struct xl_line_reader *reader, json_t **out, struct xl_err *err) {
    *out = NULL;
    size_t n_seen = 0;
    for (;;) {
        char *line = reader->text + reader->n_used, *end = NULL;
        size_t n = reader->n - reader->n_used;
        if (n > n_seen) end = memchr(line + n_seen, '\n', n - n_seen);
        if (end) {
            reader->n_used += (size_t)(end + 1 - line);
            return xl_json_parse("a message", line, (size_t)(end - line), out, err);
        }
        n_seen = n;
        bool is_end = false;
        enum xl_status status = read_more(reader, &is_end, err);
        if (status || is_end) return status;
    }
}

static bool write_all(int fd, const char *text, size_t n) {
    while (n) {
        ssize_t done = write(fd, text, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        text += done;
        n -= (size_t)done;
    }
    return true;
}

enum xl_status xl_line_write(int fd, json_t *object, bool ok, struct xl_err *err) {
    char *text = xl_json_take_text(object, ok, JSON_COMPACT);
    if (!text) return xl_fail_nomem(err, "a message", 0);
    size_t n = strlen(text);
    text[n] = '\n'; /* in the place of the NUL: one write */
    bool is_written = write_all(fd, text, n + 1);
    free(text);
    return is_written ? XL_OK : xl_fail(err, XL_EWORKER, "a worker process does not listen");
}

/* --- What the parent asks --------------------------------------------------------------------- */

/* JSON has no bytes: a path that is not text would become another one. */
static enum xl_status check_path(const char *path, struct xl_err *err) {
    if (!path || xl_utf8_valid(path, strlen(path))) return XL_OK;
    return xl_fail(
        err, XL_EINVAL,
        "%s: its name is not UTF-8, which worker processes need; rename it, or draw with "
        "--workers 0",
        path);
}

enum xl_status xl_wire_open(const struct xl_sweep_model *model, json_t **out, struct xl_err *err) {
    enum xl_status status = check_path(model->id, err);
    if (!status) status = check_path(model->vae, err);
    for (int i = 0; !status && i < model->n_loras; i++)
        status = check_path(model->loras[i].file, err);
    if (status) return status;
    json_t *message = json_object(), *about = json_object();
    bool ok = message && about;
    xl_json_put(about, "key", xl_json_text(model->key), &ok);
    xl_json_put(about, "id", xl_json_text(model->id), &ok);
    xl_json_put(about, "revision", xl_json_text(model->revision), &ok);
    xl_json_put(about, "commit", xl_json_text(model->commit), &ok);
    xl_json_put(about, "digest", json_string(model->digest), &ok);
    xl_sweep_variant_put(about, model, &ok);
    xl_json_put(message, "do", json_string("open"), &ok);
    xl_json_put(message, "model", about, &ok);
    *out = xl_json_finish(message, ok);
    return *out ? XL_OK : xl_fail_nomem(err, "a message", 0);
}

static json_t *describe_rung(const struct xl_rung *rung) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "vae_tile", json_integer(rung->vae_tile), &ok);
    xl_json_put(object, "group", json_integer(rung->group), &ok);
    xl_json_put(object, "width", json_integer(rung->width), &ok);
    xl_json_put(object, "height", json_integer(rung->height), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_claimant(const struct xl_claimant *claimant) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "dir", xl_json_text(claimant->dir), &ok);
    xl_json_put(object, "name", xl_json_text(claimant->name), &ok);
    return xl_json_finish(object, ok);
}

enum xl_status xl_wire_group(const struct xl_group *group, uint64_t ticket, json_t **out,
                             struct xl_err *err) {
    const struct xl_cell *cells = group->sweep->cells;
    enum xl_status status = check_path(group->dir, err);
    if (!status) status = check_path(group->claimant.dir, err);
    if (!status) status = check_path(cells[group->cells[0]].init_image, err);
    if (!status) status = check_path(cells[group->cells[0]].embedding_files, err);
    if (status) return status;
    json_t *message = json_object(), *list = json_array();
    bool ok = message && list;
    for (int i = 0; i < group->n; i++) {
        const struct xl_cell *cell = &cells[group->cells[i]];
        json_t *object = xl_cell_write(cell);
        ok &= object != NULL;
        xl_json_put(object, "tag", xl_json_text(cell->tag), &ok);
        ok &= !json_array_append_new(list, object);
    }
    xl_json_put(message, "do", json_string(ticket ? "draw" : "need"), &ok);
    if (ticket) xl_json_put(message, "ticket", json_integer((json_int_t)ticket), &ok);
    xl_json_put(message, "rung", describe_rung(&group->rung), &ok);
    xl_json_put(message, "fallback", xl_json_text(group->fallback), &ok);
    xl_json_put(message, "dir", xl_json_text(group->dir), &ok);
    xl_json_put(message, "stamp", xl_json_text(group->stamp), &ok);
    if (group->claimant.name)
        xl_json_put(message, "claims", describe_claimant(&group->claimant), &ok);
    if (group->has_previews) xl_json_put(message, "previews", json_true(), &ok);
    xl_json_put(message, "cells", list, &ok);
    *out = xl_json_finish(message, ok);
    return *out ? XL_OK : xl_fail_nomem(err, "a message", 0);
}

enum xl_status xl_wire_expect(const struct xl_group *group, json_t **out, struct xl_err *err) {
    const struct xl_sweep *sweep = group->sweep;
    json_t *open = NULL, *message = NULL;
    enum xl_status status =
        xl_wire_open(&sweep->models[sweep->cells[group->cells[0]].model], &open, err);
    if (!status) status = xl_wire_group(group, 0, &message, err);
    bool ok = !status;
    xl_json_put(message, "do", json_string("expect"), &ok);
    xl_json_put(message, "model", json_incref(json_object_get(open, "model")), &ok);
    json_decref(open);
    if (status) return status;
    *out = xl_json_finish(message, ok);
    return *out ? XL_OK : xl_fail_nomem(err, "a message", 0);
}

/* A text of a message, kept in the arena; NULL where there is none. */
static enum xl_status read_text(const json_t *object, const char *key, struct xl_arena *arena,
                                const char **out, struct xl_err *err) {
    const char *text = json_string_value(json_object_get(object, key));
    *out = text ? xl_arena_strdup(arena, text) : NULL;
    return *out || !text ? XL_OK : xl_fail_nomem(err, "a message", 0);
}

enum xl_status xl_wire_read_model(const json_t *message, struct xl_arena *arena,
                                  struct xl_sweep_model *out, struct xl_err *err) {
    const json_t *about = json_object_get(message, "model");
    const char *digest = NULL;
    struct xl_sweep_model model = {.key = NULL};
    enum xl_status status = read_text(about, "key", arena, &model.key, err);
    if (!status) status = read_text(about, "id", arena, &model.id, err);
    if (!status) status = read_text(about, "revision", arena, &model.revision, err);
    if (!status) status = read_text(about, "commit", arena, &model.commit, err);
    if (!status) status = read_text(about, "digest", arena, &digest, err);
    if (!status) status = xl_sweep_variant_read(about, "a message", arena, &model, err);
    if (status) return status;
    if (!model.key || !model.id)
        return xl_fail(err, XL_EINPUT, "a message: \"model\" has no \"key\" or no \"id\"");
    snprintf(model.digest, sizeof model.digest, "%s", digest ? digest : "");
    *out = model;
    return XL_OK;
}

static enum xl_status read_rung(const json_t *message, struct xl_rung *rung, struct xl_err *err) {
    enum { SIDE = 1 << 16 };
    struct xl_json json = {json_object_get(message, "rung"), "a message"};
    enum xl_status status = xl_json_int(json, "vae_tile", 0, SIDE, &rung->vae_tile, err);
    if (!status) status = xl_json_int(json, "group", 1, XL_GROUP_MAX, &rung->group, err);
    if (!status) status = xl_json_int(json, "width", 1, SIDE, &rung->width, err);
    if (!status) status = xl_json_int(json, "height", 1, SIDE, &rung->height, err);
    if (!status && !(rung->group && rung->width && rung->height))
        status = xl_fail(err, XL_EINPUT, "a message: \"rung\" has no group, width or height");
    return status == XL_EFORMAT ? XL_EINPUT : status;
}

static enum xl_status read_cells(const json_t *message, struct xl_wire_group *out,
                                 struct xl_err *err) {
    const json_t *list = json_object_get(message, "cells");
    size_t n = json_array_size(list);
    if (!n || n > XL_GROUP_MAX)
        return xl_fail(err, XL_EINPUT, "a message: expected a list of 1 to %d \"cells\"",
                       XL_GROUP_MAX);
    out->sweep.cells = calloc(n, sizeof *out->sweep.cells);
    if (!out->sweep.cells) return xl_fail_nomem(err, "cells", 0);
    out->sweep.n_cells = (int)n;
    for (size_t i = 0; i < n; i++) {
        struct xl_cell *cell = &out->sweep.cells[i];
        enum xl_status status =
            xl_cell_read(json_array_get(list, i), "a message", &out->sweep.arena, cell, err);
        if (!status)
            status = read_text(json_array_get(list, i), "tag", &out->sweep.arena, &cell->tag, err);
        if (status) return status;
        cell->index = out->cells[i] = (int)i;
        cell->model = 0;
    }
    return XL_OK;
}

enum xl_status xl_wire_read_group(const json_t *message, struct xl_sweep_model *models,
                                  struct xl_wire_group *out, struct xl_err *err) {
    *out = (struct xl_wire_group){.sweep = {.models = models, .n_models = 1}};
    struct xl_group *group = &out->group;
    const char *fallback = NULL;
    enum xl_status status = read_cells(message, out, err);
    if (!status) status = read_rung(message, &group->rung, err);
    if (!status) status = read_text(message, "dir", &out->sweep.arena, &group->dir, err);
    if (!status) status = read_text(message, "stamp", &out->sweep.arena, &group->stamp, err);
    const json_t *claims = json_object_get(message, "claims");
    struct xl_claimant *claimant = &group->claimant;
    if (!status) status = read_text(claims, "dir", &out->sweep.arena, &claimant->dir, err);
    if (!status) status = read_text(claims, "name", &out->sweep.arena, &claimant->name, err);
    if (!status && !claimant->dir != !claimant->name)
        status = xl_fail(err, XL_EINPUT, "a message: \"claims\" has no \"dir\" or no \"name\"");
    group->has_previews = json_is_true(json_object_get(message, "previews"));
    if (!status) status = read_text(message, "fallback", &out->sweep.arena, &fallback, err);
    if (!status && (!group->dir || !group->stamp))
        status = xl_fail(err, XL_EINPUT, "a message has no \"dir\" or no \"stamp\"");
    if (status) {
        xl_wire_group_deinit(out);
        return status;
    }
    group->sweep = &out->sweep;
    group->cells = out->cells;
    group->n = out->sweep.n_cells;
    snprintf(group->fallback, sizeof group->fallback, "%s", fallback ? fallback : "");
    out->ticket = (uint64_t)json_integer_value(json_object_get(message, "ticket"));
    return XL_OK;
}

void xl_wire_group_deinit(struct xl_wire_group *group) {
    xl_sweep_deinit(&group->sweep);
}

/* --- What a worker answers -------------------------------------------------------------------- */

json_t *xl_wire_event(const char *name) {
    json_t *message = json_object();
    bool ok = message != NULL;
    xl_json_put(message, "event", json_string(name), &ok);
    return xl_json_finish(message, ok);
}

json_t *xl_wire_failure(const char *name, enum xl_status status, const char *error) {
    json_t *message = xl_wire_event(name);
    bool ok = message != NULL;
    xl_json_put(message, "status", json_string(xl_status_name(status)), &ok);
    xl_json_put(message, "error", xl_json_text(error), &ok);
    return xl_json_finish(message, ok);
}

enum xl_status xl_wire_read_failure(const json_t *message, struct xl_err *err) {
    const char *name = json_string_value(json_object_get(message, "status"));
    const char *error = json_string_value(json_object_get(message, "error"));
    enum xl_status found = XL_EINTERNAL;
    for (int i = 1; name && xl_status_name((enum xl_status)i)[0] != '?'; i++)
        if (!strcmp(xl_status_name((enum xl_status)i), name)) found = (enum xl_status)i;
    return xl_fail(err, found, "%s", error ? error : "a worker gave no reason");
}

json_t *xl_wire_preview(const struct xl_preview *preview) {
    struct xl_str text = {0};
    xl_base64_put(&text, preview->jpeg, preview->n);
    json_t *message = xl_wire_event("preview");
    bool ok = message && !text.failed;
    xl_json_put(message, "step", json_integer(preview->step), &ok);
    xl_json_put(message, "jpeg", json_string(text.text ? text.text : ""), &ok);
    xl_str_deinit(&text);
    return xl_json_finish(message, ok);
}

bool xl_wire_read_preview(const json_t *message, struct xl_preview *out) {
    const char *text = json_string_value(json_object_get(message, "jpeg"));
    void *jpeg = NULL;
    if (!text || !xl_base64_read(text, &jpeg, &out->n)) return false;
    out->jpeg = jpeg;
    out->step = (int)json_integer_value(json_object_get(message, "step"));
    return true;
}

/* The figures of a need: whole numbers of bytes, operations. */
static const struct {
    const char *key;
    size_t offset;
    bool is_real;
} figures[] = {
#define BYTES(name)                                                                                \
    { #name, offsetof(struct xl_need, name), false }
#define FLOPS(name)                                                                                \
    { #name, offsetof(struct xl_need, name), true }
    BYTES(weight_bytes),      BYTES(work_bytes),      BYTES(tiled_bytes),        BYTES(least_bytes),
    BYTES(held_weight_bytes), BYTES(held_work_bytes), BYTES(available_bytes),    FLOPS(init_flops),
    FLOPS(step_flops),        FLOPS(decode_flops),    FLOPS(tiled_decode_flops),
};
enum { N_FIGURES = sizeof figures / sizeof *figures };

void xl_wire_put_need(json_t *message, const struct xl_need *need, bool *ok) {
    for (int i = 0; i < N_FIGURES; i++) {
        const void *at = (const char *)need + figures[i].offset;
        json_t *value = figures[i].is_real ? json_real(*(const double *)at)
                                           : json_integer(*(const int64_t *)at);
        xl_json_put(message, figures[i].key, value, ok);
    }
    xl_json_put(message, "n_evaluations", json_integer(need->n_evaluations), ok);
}

void xl_wire_read_need(const json_t *message, struct xl_need *out) {
    *out = (struct xl_need){0};
    for (int i = 0; i < N_FIGURES; i++) {
        void *at = (char *)out + figures[i].offset;
        const json_t *value = json_object_get(message, figures[i].key);
        if (figures[i].is_real)
            *(double *)at = json_number_value(value);
        else
            *(int64_t *)at = json_integer_value(value);
    }
    out->n_evaluations = (int)json_integer_value(json_object_get(message, "n_evaluations"));
}

void xl_wire_put_drawn(json_t *message, const struct xl_drawn *drawn, bool *ok) {
    const struct xl_result *result = &drawn->result;
    xl_json_put(message, "encode_s", json_real(result->encode_s), ok);
    xl_json_put(message, "sample_s", json_real(result->sample_s), ok);
    xl_json_put(message, "decode_s", json_real(result->decode_s), ok);
    xl_json_put(message, "total_s", json_real(drawn->total_s), ok);
    xl_json_put(message, "evaluations", json_integer(result->n_evaluations), ok);
    xl_json_put(message, "warnings", xl_json_text(result->warnings), ok);
    xl_json_put(message, "drawn_by", json_incref(drawn->drawn_by), ok);
    if (drawn->scheduler_config)
        xl_json_put(message, "scheduler_config", json_incref(drawn->scheduler_config), ok);
}

static double number(const json_t *message, const char *key) {
    return json_number_value(json_object_get(message, key));
}

enum xl_status xl_wire_read_drawn(const json_t *message, struct xl_drawn *drawn,
                                  struct xl_err *err) {
    const char *warnings = json_string_value(json_object_get(message, "warnings"));
    struct xl_result *result = &drawn->result;
    *result = (struct xl_result){
        .encode_s = number(message, "encode_s"),
        .sample_s = number(message, "sample_s"),
        .decode_s = number(message, "decode_s"),
        .n_evaluations = (int)json_integer_value(json_object_get(message, "evaluations")),
        .warnings = strdup(warnings ? warnings : "")};
    drawn->total_s = number(message, "total_s");
    drawn->drawn_by = json_incref(json_object_get(message, "drawn_by"));
    drawn->scheduler_config = json_incref(json_object_get(message, "scheduler_config"));
    return result->warnings ? XL_OK : xl_fail_nomem(err, "warnings", 0);
}

static const char *const phases[] = {[XL_PHASE_LOAD] = "load",
                                     [XL_PHASE_ENCODE] = "encode",
                                     [XL_PHASE_SAMPLE] = "sample",
                                     [XL_PHASE_DECODE] = "decode"};

const char *xl_wire_phase_name(enum xl_phase phase) {
    return phases[phase];
}

int xl_wire_phase(const char *name) {
    for (size_t i = 0; name && i < sizeof phases / sizeof *phases; i++)
        if (!strcmp(phases[i], name)) return (int)i;
    return -1;
}
