/* job_line.c - a job as a line of JSON that always fits: pictures are dealt out to as many lines as
 * their paths need, then texts are cut until the rest fits too. */
#include "lab/log/job_line.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "lab/cell/cell_fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a line that pictures may take. The rest holds the texts at their shortest, even if every
 * byte of them has to be escaped as \u001f. */
enum { PICTURES_MAX = 40 << 10, PATH_LIMIT = 4096, ESCAPE_MAX = 6 };

/* The longest texts that are tried, one after the other: prompts, then everything else. */
struct limits {
    size_t prompt, other;
};
static const struct limits ladder[] = {
    {SIZE_MAX, PATH_LIMIT},
    {12288, PATH_LIMIT},
    {8192, PATH_LIMIT},
    {4096, 1024},
    {2048, 512},
    {512, 256},
    {64, 64},
};
enum { N_RUNGS = sizeof ladder / sizeof *ladder };

/* A line on its way. Out of memory and cuts are sticky. */
struct line {
    json_t *object;
    const struct limits *limits;
    bool failed, is_cut;
};

static void put(struct line *line, const char *key, json_t *value) {
    if (!value || json_object_set_new(line->object, key, value)) line->failed = true;
}

/* JSON text of any bytes: what is no UTF-8 becomes U+FFFD, what is beyond the limit is cut. */
static json_t *text_value(struct line *line, const char *text, size_t limit) {
    struct xl_str clean = {0};
    size_t left = strlen(text);
    if (left <= limit && xl_utf8_valid(text, left)) return json_string_nocheck(text);
    while (left && clean.len < limit) {
        int length = xl_utf8_len(text, left);
        xl_str_append(&clean, length ? text : "\xEF\xBF\xBD", length ? (size_t)length : 3);
        text += length ? length : 1;
        left -= length ? (size_t)length : 1;
    }
    if (left) {
        xl_str_puts(&clean, "\xE2\x80\xA6 [cut]");
        line->is_cut = true;
    }
    char *taken = xl_str_take(&clean);
    json_t *value = taken ? json_string_nocheck(taken) : NULL;
    free(taken);
    return value;
}

static void put_limited(struct line *line, const char *key, const char *text, size_t limit) {
    put(line, key, text ? text_value(line, text, limit) : json_null());
}

static void put_text(struct line *line, const char *key, const char *text) {
    put_limited(line, key, text, line->limits->other);
}

static void put_int(struct line *line, const char *key, int64_t value) {
    put(line, key, json_integer(value));
}

/* Seconds and operations, to a millionth: what a clock's difference has behind that is chance.
 * Nothing was measured where there are none. */
static void put_amount(struct line *line, const char *key, double value) {
    put(line, key, value > 0 ? json_real(round(value * 1e6) / 1e6) : json_null());
}

static void append(struct line *line, json_t *array, json_t *value) {
    if (!value || json_array_append_new(array, value)) line->failed = true;
}

static void put_pictures(struct line *line, const char *key, const struct xl_job_picture *pictures,
                         int n) {
    json_t *array = json_array();
    for (int i = 0; array && i < n; i++) {
        if (!strcmp(key, "seeds"))
            append(line, array, xl_json_seed(pictures[i].seed));
        else if (!strcmp(key, "paths") && pictures[i].path)
            append(line, array, text_value(line, pictures[i].path, PATH_LIMIT));
        else if (!strcmp(key, "cells") && pictures[i].cell)
            append(line, array, text_value(line, pictures[i].cell, 64));
    }
    put(line, key, array);
}

static void put_field(struct line *line, const struct xl_cell *cell,
                      const struct xl_cell_field *field) {
    char key[XL_CELL_KEY_MAX];
    xl_cell_drawn_key(field, true, key);
    json_t *value = xl_cell_has(cell, field) ? xl_cell_value(cell, field) : json_null();
    if (!json_is_string(value)) {
        put(line, key, value);
        return;
    }
    const struct limits *limits = line->limits;
    put_limited(line, key, json_string_value(value),
                field->bits & XL_CELL_LONG ? limits->prompt : limits->other);
    json_decref(value);
}

/* What was asked for. */
static void put_cell(struct line *line, const struct xl_cell *cell) {
    const struct xl_cell_field *field;
    put_text(line, "mode", xl_cell_mode(cell));
    for (int i = 0; (field = xl_cell_field_at(i)); i++)
        if (!(field->bits & XL_CELL_PLACE)) put_field(line, cell, field);
}

static void put_drawn_by(struct line *line, const json_t *drawn_by) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)drawn_by, key, value) put(line, key, json_incref(value));
}

/* Other files than the model's own; where they would not fit they are left out. */
static void put_variant(struct line *line, const json_t *variant) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)variant, key, value) {
        if (line->limits->other == PATH_LIMIT)
            put(line, key, json_incref(value));
        else
            line->is_cut = true;
    }
}

/* What became of it. */
static void put_outcome(struct line *line, const struct xl_job_entry *entry,
                        const struct xl_job_picture *pictures, int n) {
    put_pictures(line, "seeds", pictures, n);
    put_pictures(line, "paths", pictures, n);
    put_pictures(line, "cells", pictures, n);
    put_text(line, "status", xl_status_name(entry->status));
    put_text(line, "error", entry->error);
    put_text(line, "run_dir", entry->run_dir);
    if (entry->worker) put_text(line, "worker", entry->worker);
    put_text(line, "fallback", entry->fallback);
    put(line, "scheduler_config",
        entry->scheduler_config ? json_incref((json_t *)entry->scheduler_config) : json_null());
    put_drawn_by(line, entry->drawn_by);
    put_amount(line, "encode_s", entry->encode_s);
    put_amount(line, "sample_s", entry->sample_s);
    put_amount(line, "decode_s", entry->decode_s);
    put_amount(line, "total_s", entry->total_s);
    put_amount(line, "tflop", entry->tflop);
}

static void put_entry(struct line *line, const struct xl_job_entry *entry, const char *instance,
                      const struct xl_job_picture *pictures, int n) {
    char stamp[16], now[21];
    xl_stamp_utc(stamp);
    xl_iso8601_utc(now);
    put_int(line, "format", XL_FORMAT);
    if (entry->job) put_text(line, "job", entry->job);
    put_text(line, "timestamp", entry->timestamp ? entry->timestamp : stamp);
    put(line, "multi_profile", json_boolean(entry->multi_profile));
    put_text(line, "model_id", entry->model_id);
    put_text(line, "revision", entry->revision);
    put_text(line, "weights", entry->weights);
    put_variant(line, entry->variant);
    put_int(line, "width", entry->width);
    put_int(line, "height", entry->height);
    put_int(line, "vae_tile", entry->vae_tile);
    put_int(line, "batch_size", entry->batch_size);
    put_cell(line, entry->cell);
    put_outcome(line, entry, pictures, n);
    put_text(line, "instance_id", instance);
    put_text(line, "logged_at", now);
    put_text(line, "version", XL_VERSION);
}

/* Bytes that text takes in JSON; an upper bound. */
static size_t quoted_length(const char *text, size_t limit) {
    size_t n = 2;
    for (size_t i = 0; text && text[i] && i < limit; i++) {
        unsigned char c = (unsigned char)text[i];
        n += c < 32 ? ESCAPE_MAX : c == '"' || c == '\\' ? 2 : c < 128 ? 1 : 3;
    }
    return n;
}

struct xl_job_part xl_job_part_at(const struct xl_job_entry *entry, int first) {
    enum { SEED_AND_COMMAS = 32, CELL_LIMIT = 64 };
    struct xl_job_part part = {.first = first};
    size_t bytes = 0;
    for (int i = first; i < entry->n_pictures; i++) {
        bytes += SEED_AND_COMMAS + quoted_length(entry->pictures[i].cell, CELL_LIMIT) +
                 quoted_length(entry->pictures[i].path, PATH_LIMIT);
        if (part.n && bytes > PICTURES_MAX) break;
        part.n++;
    }
    return part;
}

/* The line with texts of a certain length, malloc'd without its newline; NULL when out of memory.
 */
static char *try_rung(const struct xl_job_entry *entry, const char *instance,
                      struct xl_job_part part, const struct limits *limits) {
    xl_json_watch();
    struct line line = {json_object(), limits, .failed = false};
    if (!line.object) return NULL;
    const struct xl_job_picture *pictures = part.n ? entry->pictures + part.first : NULL;
    put_entry(&line, entry, instance, pictures, part.n);
    if (part.parts > 1) {
        put_int(&line, "part", part.part);
        put_int(&line, "n_parts", part.parts);
    }
    if (line.is_cut) put(&line, "truncated", json_true());
    return xl_json_take_text(line.object, !line.failed, JSON_COMPACT);
}

enum xl_status xl_job_line(const struct xl_job_entry *entry, const char *instance,
                           struct xl_job_part part, char **text, size_t *n, struct xl_err *err) {
    for (int i = 0; i < N_RUNGS; i++) {
        char *line = try_rung(entry, instance, part, &ladder[i]);
        size_t length = line ? strlen(line) : 0;
        if (!line) return xl_fail_nomem(err, "a line of the job log", 0);
        if (length < XL_JOB_LINE_MAX) {
            line[length] = '\n'; /* in the place of the NUL: a line has its length */
            *text = line;
            *n = length + 1;
            return XL_OK;
        }
        free(line);
    }
    return xl_fail(err, XL_EINTERNAL, "a line of the job log does not fit into %d bytes",
                   XL_JOB_LINE_MAX);
}
