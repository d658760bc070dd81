/* axes.c - reading the values of an axis. */
#include "lab/settings/axes.h"

#include "base/json.h"
#include "base/json_scan.h"
#include "base/path.h"
#include "base/str.h"
#include "base/text_file.h"
#include "base/yaml.h"
#include "lab/data/lora_text.h"
#include "lab/data/loras.h"
#include "lab/settings/settings.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values as they are collected. */
struct values {
    struct xl_arena *arena;
    const struct xl_option *option;
    const char *origin;
    const char *place; /* of what is added now; NULL: argv */
    const char **at, **places;
    int n, capacity;
};

static enum xl_status too_many(const struct values *values, double n, struct xl_err *err) {
    return xl_fail(err, XL_EINVAL, "%s: %.0f values, at most %d go onto one axis", values->origin,
                   n, XL_AXIS_MAX_VALUES);
}

static enum xl_status grow(struct values *values, struct xl_err *err) {
    int capacity = values->capacity ? 2 * values->capacity : 16;
    const char **at = realloc(values->at, (size_t)capacity * sizeof *at);
    if (at) values->at = at;
    const char **places = at ? realloc(values->places, (size_t)capacity * sizeof *places) : NULL;
    if (!places) return xl_fail_nomem(err, "an axis", 0);
    values->places = places;
    values->capacity = capacity;
    return XL_OK;
}

static bool is_numeric(const struct xl_option *option) {
    return option->type == XL_OPTION_INT || option->type == XL_OPTION_REAL ||
           option->type == XL_OPTION_SEED;
}

/* What looks like a range and is none. */
static void explain_ranges(const struct values *values, const char *text, struct xl_err *err) {
    if (!err || !is_numeric(values->option) || !(strstr(text, "..") || strchr(text, ':'))) return;
    size_t n = strlen(err->text);
    snprintf(err->text + n, sizeof err->text - n,
             "; a range is FIRST..LAST, or with a step FIRST:LAST:STEP");
}

/* text NULL: what counts without the axis. */
static enum xl_status keep(struct values *values, const char *text, struct xl_err *err) {
    if (values->n == XL_AXIS_MAX_VALUES) return too_many(values, values->n + 1.0, err);
    enum xl_status status = values->n == values->capacity ? grow(values, err) : XL_OK;
    if (status) return status;
    values->places[values->n] = values->place;
    values->at[values->n++] = text;
    return XL_OK;
}

static enum xl_status add(struct values *values, const char *text, size_t n, struct xl_err *err) {
    char *copy = xl_arena_strndup(values->arena, text, n);
    if (!copy) return xl_fail_nomem(err, "an axis", n);
    /* Each value is tried on a copy of the settings: the option's own sentence says what is wrong.
     */
    struct xl_settings trial;
    xl_settings_default(&trial);
    trial.arena = values->arena;
    enum xl_status status = xl_settings_set(&trial, values->option, values->origin, copy, err);
    const char *filled_in = xl_settings_text(&trial, values->option);
    if (!status) return keep(values, filled_in ? filled_in : copy, err);
    explain_ranges(values, copy, err);
    return status;
}

/* --- Ranges ----------------------------------------------------------------------------------- */

/* Digits alone, up to 2^64 - 1; *text moves behind them. */
static bool read_whole(const char **text, uint64_t *out) {
    char *end;
    if (!isdigit((unsigned char)**text)) return false;
    errno = 0;
    *out = strtoull(*text, &end, 10);
    *text = end;
    return !errno;
}

/* Whole numbers, up or down, exact to 2^64 - 1. */
struct span {
    uint64_t first, last, step;
    bool is_down;
};

/* "1..4" or "1:4:1". Returns false when the text has another form. */
static bool read_span(const char *text, struct span *out) {
    struct span span = {.step = 1};
    if (!read_whole(&text, &span.first)) return false;
    bool has_step = *text == ':';
    if (!has_step && strncmp(text, "..", 2) != 0) return false;
    text += has_step ? 1 : 2;
    if (!read_whole(&text, &span.last)) return false;
    span.is_down = span.first > span.last;
    if (has_step) {
        if (*text++ != ':') return false;
        span.is_down = *text == '-';
        text += span.is_down;
        if (!read_whole(&text, &span.step)) return false;
    }
    *out = span;
    return !*text;
}

static enum xl_status no_value(const struct values *values, const char *text, struct xl_err *err) {
    return xl_fail(err, XL_EINVAL, "%s: there is no value in %s, which is FIRST:LAST:STEP",
                   values->origin, text);
}

static enum xl_status add_span(struct values *values, const char *text, const struct span *span,
                               struct xl_err *err) {
    bool is_away = span->is_down ? span->first < span->last : span->first > span->last;
    if (is_away || !span->step) return no_value(values, text, err);
    uint64_t width = span->is_down ? span->first - span->last : span->last - span->first;
    uint64_t n = width / span->step; /* steps between n + 1 values */
    if (n >= XL_AXIS_MAX_VALUES) return too_many(values, (double)n + 1, err);
    enum xl_status status = XL_OK;
    for (uint64_t i = 0; !status && i <= n; i++) {
        char number[24];
        uint64_t away = i * span->step;
        int length =
            snprintf(number, sizeof number, "%llu",
                     (unsigned long long)(span->is_down ? span->first - away : span->first + away));
        status = add(values, number, (size_t)length, err);
    }
    return status;
}

/* "0.5:0.8:0.1": first, last, step. */
static bool read_range(const char *text, double out[3]) {
    char *end = (char *)text;
    for (int i = 0; i < 3; i++) {
        const char *start = end;
        out[i] = strtod(start, &end);
        if (end == start || *end != (i < 2 ? ':' : 0)) return false;
        end++;
    }
    return true;
}

static enum xl_status add_range(struct values *values, const char *text, const double range[3],
                                struct xl_err *err) {
    double first = range[0], last = range[1], step = range[2];
    double count = floor((last - first) / step + 1e-9) + 1;
    if (!(count >= 1) || !isfinite(count)) return no_value(values, text, err);
    if (count > XL_AXIS_MAX_VALUES) return too_many(values, count, err);
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < count; i++) {
        char number[40];
        int n = snprintf(number, sizeof number, "%.10g", first + i * step);
        status = add(values, number, (size_t)n, err);
    }
    return status;
}

/* One value between commas, or a text of a list: a number may be a range. */
static enum xl_status add_item(struct values *values, const char *text, size_t n,
                               struct xl_err *err) {
    char number[80];
    struct span span;
    double range[3];
    if (!is_numeric(values->option) || n >= sizeof number) return add(values, text, n, err);
    snprintf(number, sizeof number, "%.*s", (int)n, text);
    if (read_span(number, &span)) return add_span(values, number, &span, err);
    if (read_range(number, range)) return add_range(values, number, range, err);
    return add(values, text, n, err);
}

/* --- Lists ------------------------------------------------------------------------------------ */

/* "a" to its content: the quotes off, "" inside is one quote. */
static enum xl_status add_quoted(struct values *values, const char **at, struct xl_err *err) {
    struct xl_str text = {0};
    const char *c = *at + 1;
    for (; *c && (*c != '"' || c[1] == '"'); c++) {
        xl_str_append(&text, c, 1);
        if (*c == '"') c++;
    }
    size_t n = text.len;
    char *content = xl_str_take(&text);
    enum xl_status status =
        !content    ? xl_fail_nomem(err, "an axis", n)
        : *c != '"' ? xl_fail(err, XL_EINVAL, "%s: a quote is not closed", values->origin)
                    : add(values, content, n, err);
    free(content);
    *at = *c ? c + 1 : c;
    return status;
}

static enum xl_status add_list(struct values *values, const char *text, struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (const char *at = text; !status; at++) {
        at += strspn(at, " ");
        if (*at == '"') {
            status = add_quoted(values, &at, err);
            at += strspn(at, " ");
            if (!status && *at && *at != ',')
                return xl_fail(err, XL_EINVAL, "%s: expected a comma after a quoted value",
                               values->origin);
        } else {
            size_t n = strcspn(at, ","), end = n;
            while (end && at[end - 1] == ' ') end--;
            bool is_slip = !end && !is_numeric(values->option);
            status = is_slip ? xl_fail(err, XL_EINVAL,
                                       "%s: nothing between two commas; write \"\" for an empty "
                                       "text",
                                       values->origin)
                             : add_item(values, at, end, err);
            at += n;
        }
        if (!*at) break;
    }
    return status;
}

/* One item of a JSON list. Numbers are taken as they are written: no digit is lost. */
static enum xl_status add_element(struct values *values, struct xl_scan *scan, struct xl_err *err) {
    struct xl_span item;
    int first = xl_scan_peek(scan);
    enum xl_status status = first == '"'
                                ? xl_scan_string(scan, "a value", XL_YAML_MAX_BYTES, &item, err)
                                : xl_scan_value(scan, &item, err);
    if (status) return status;
    if (first == '"') return add_item(values, item.at, item.n, err);
    if (first == '-' || isdigit(first)) return add(values, item.at, item.n, err);
    if (xl_span_is(item, "null")) return keep(values, NULL, err);
    return xl_fail(err, XL_EINVAL, "%s: \"%.*s\" in the list: expected texts and numbers",
                   values->origin, (int)(item.n < 40 ? item.n : 40), item.at);
}

static enum xl_status add_json(struct values *values, const char *text,
                               const struct xl_axis_places *places, struct xl_err *err) {
    struct xl_scan scan = xl_scan_text(values->origin, text, strlen(text));
    struct xl_err why = {0};
    bool more = false;
    const char *whole = values->place;
    enum xl_status status = xl_scan_enter(&scan, '[', "a list", &why);
    for (int i = 0; !status; i++) {
        values->place = places && i < places->n ? places->items[i] : whole;
        status = xl_scan_more(&scan, ']', "the list", &more, &why);
        if (status || !more) break;
        status = add_element(values, &scan, &why);
    }
    if (!status) values->place = whole;
    if (!status) status = xl_scan_end(&scan, &why);
    xl_scan_deinit(&scan);
    if (status == XL_EFORMAT)
        return xl_fail(err, XL_EINVAL, "%s: begins with '[' and is no JSON list", values->origin);
    return status ? xl_fail(err, status, "%s", why.text) : XL_OK;
}

/* A line that is a value: blanks at its ends off; not an empty one or a comment. */
static bool is_value(struct xl_text_line *line) {
    while (line->n && strchr(" \t", line->at[0])) line->at++, line->n--;
    while (line->n && strchr(" \t", line->at[line->n - 1])) line->n--;
    return line->n && line->at[0] != '#';
}

static enum xl_status add_file(struct values *values, const char *given, struct xl_err *err) {
    char *text = NULL;
    const char *path = given;
    size_t size;
    enum xl_status status = xl_path_expand(given, values->arena, &path, err);
    if (status) return xl_fail_context(err, status, "%s", values->origin);
    status = xl_text_file_read(path, 16 << 20, &text, &size, err);
    struct xl_text_line line = {.next = text};
    while (!status && xl_text_line_next(&line)) {
        if (!is_value(&line)) continue;
        values->place = xl_arena_printf(values->arena, "%s:%d:1", path, line.number);
        status = values->place ? add(values, line.at, line.n, err)
                               : xl_fail_nomem(err, "an axis", 0);
    }
    free(text);
    if (!status && !values->n)
        status = xl_fail(err, XL_EINPUT,
                         "%s: no value in it; expected one a line, beside empty lines and those "
                         "that begin with #",
                         path);
    return status;
}

static enum xl_status find_option(const char *text, const char *equals, const char *origin,
                                  const struct xl_option **out, struct xl_err *err) {
    char name[48];
    size_t n = (size_t)(equals - text);
    snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), text);
    *out = xl_option_find(name);
    if (*out && (*out)->is_axis) return XL_OK;
    const struct xl_option *near = xl_option_nearest(name, XL_FOR_GENERATE);
    if (*out) return xl_fail(err, XL_EINVAL, "%s: %s cannot be swept", origin, (*out)->name);
    return xl_fail(err, XL_EINVAL, "%s: \"%s\" is no setting%s%s%s", origin, name,
                   near && near->is_axis ? "; did you mean " : "",
                   near && near->is_axis ? near->name : "", near && near->is_axis ? "?" : "");
}

static enum xl_status read_values(struct values *values, const char *list,
                                  const struct xl_axis_places *places, struct xl_err *err) {
    if (!list[0])
        return xl_fail(err, XL_EINVAL, "%s: expected values after the '='", values->origin);
    enum xl_status status = list[0] == '@'   ? add_file(values, list + 1, err)
                            : list[0] == '[' ? add_json(values, list, places, err)
                                             : add_list(values, list, err);
    if (status || values->n) return status;
    return xl_fail(err, XL_EINVAL, "%s: there is no value", values->origin);
}

/* From what grew into the arena. */
static enum xl_status finish(const struct values *values, struct xl_axis *out, struct xl_err *err) {
    size_t bytes = (size_t)values->n * sizeof *values->at;
    const char **at = xl_arena_alloc(values->arena, bytes + 1);
    const char **places = at ? xl_arena_alloc(values->arena, bytes + 1) : NULL;
    if (!places) return xl_fail_nomem(err, "an axis", bytes);
    if (values->n) memcpy(at, values->at, bytes), memcpy(places, values->places, bytes);
    *out = (struct xl_axis){values->option, at, places, values->n, !values->n};
    return XL_OK;
}

enum xl_status xl_axis_parse(const char *text, const struct xl_axis_places *places,
                             struct xl_arena *arena, struct xl_axis *out, struct xl_err *err) {
    char origin[96];
    snprintf(origin, sizeof origin, "--sweep %.60s", text);
    const char *equals = strchr(text, '=');
    struct values values = {
        .arena = arena, .origin = origin, .place = places ? places->whole : NULL};
    enum xl_status status =
        equals ? find_option(text, equals, origin, &values.option, err)
               : xl_fail(err, XL_EINVAL, "%s: expected KEY=VALUES, like steps=20,30", origin);
    bool is_all =
        !status && !strcmp(equals + 1, "all") &&
        (!strcmp(values.option->name, "model") || !strcmp(values.option->name, "profile"));
    if (!status && !is_all) status = read_values(&values, equals + 1, places, err);
    if (!status) status = finish(&values, out, err);
    free(values.at);
    free(values.places);
    return status && values.place ? xl_fail_context(err, status, "%s", values.place) : status;
}

enum xl_status xl_axis_fail(const struct xl_axis *axis, int i, enum xl_status status,
                            struct xl_err *err) {
    if (i >= axis->n || !axis->places[i])
        return xl_fail_context(err, status, "--sweep %s", axis->option->name);
    return xl_fail_context(err, status, "%s: --sweep %s", axis->places[i], axis->option->name);
}

/* What reading fills in stands for itself. user: the arena */
static enum xl_status escape(void *user, const char *path, const char **to, struct xl_err *err) {
    struct xl_str text = {0};
    for (; *path; path++) xl_str_puts(&text, *path == '$' ? "$$" : (char[]){*path, 0});
    *to = text.failed ? NULL : xl_arena_strdup(user, text.text ? text.text : "");
    xl_str_deinit(&text);
    return *to ? XL_OK : xl_fail_nomem(err, "a path", 0);
}

static enum xl_status escape_path(void *user, const char *name, const char **to,
                                  struct xl_err *err) {
    return xl_is_path_word(name) ? escape(user, name, to, err) : XL_OK;
}

/* A value as it is written. NULL: out of memory */
static json_t *write_value(const struct xl_option *option, const char *value,
                           struct xl_arena *arena) {
    const char *to = NULL;
    enum xl_status status = XL_OK;
    if (!value || !value[0] || option->path == XL_PATH_NONE) return xl_json_text(value);
    if (option->type == XL_OPTION_LIST)
        status = xl_lora_text_rename(value, escape_path, arena, arena, &to, NULL);
    else if (option->path == XL_PATH_KEPT || option->path == XL_PATH_SHOWN)
        status = escape(arena, value, &to, NULL);
    else
        status = escape_path(arena, value, &to, NULL);
    return status ? NULL : xl_json_text(to ? to : value);
}

const char *xl_axis_text(const struct xl_axis *axis, struct xl_arena *arena) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; i < axis->n; i++)
        ok &= !json_array_append_new(list, write_value(axis->option, axis->values[i], arena));
    char *text = ok ? json_dumps(list, JSON_COMPACT) : NULL;
    const char *out = text ? xl_arena_printf(arena, "%s=%s", axis->option->name, text) : NULL;
    free(text);
    json_decref(list);
    return out;
}

/* KEY=@FILE */
static enum xl_status fill_in_file(const char *path, struct xl_arena *arena, struct xl_str *out,
                                   struct xl_err *err) {
    const char *filled_in = path;
    enum xl_status status = xl_path_expand(path, arena, &filled_in, err);
    if (status) return xl_fail_context(err, status, "--sweep %s@%.60s", out->text, path);
    filled_in = xl_path_absolute(filled_in, arena);
    if (!filled_in) return xl_fail_nomem(err, "a path", 0);
    xl_str_puts(out, "@");
    for (; *filled_in; filled_in++)
        xl_str_puts(out, *filled_in == '$' ? "$$" : (char[]){*filled_in, 0});
    return XL_OK;
}

/* KEY=[PATH, ...], whatever form the values had. */
static enum xl_status fill_in_values(const char *text, struct xl_arena *arena, struct xl_str *out,
                                     struct xl_err *err) {
    struct xl_axis axis;
    enum xl_status status = xl_axis_parse(text, NULL, arena, &axis, err);
    const char *list = status ? NULL : xl_axis_text(&axis, arena);
    if (!status && !list) return xl_fail_nomem(err, "an axis", 0);
    if (list) xl_str_puts(out, strchr(list, '=') + 1);
    return status;
}

enum xl_status xl_axis_fill_in(const char *text, struct xl_arena *arena, const char **out,
                               struct xl_err *err) {
    const char *equals = strchr(text, '=');
    const char *key = equals ? xl_arena_strndup(arena, text, (size_t)(equals - text)) : NULL;
    const struct xl_option *option = key ? xl_option_find(key) : NULL;
    struct xl_str filled = {0};
    enum xl_status status = XL_OK;
    if (!option || !option->is_axis) return XL_OK;
    xl_str_printf(&filled, "%s=", key);
    if (equals[1] == '@')
        status = fill_in_file(equals + 2, arena, &filled, err);
    else if (option->path == XL_PATH_KEPT || option->path == XL_PATH_WEIGHTS)
        status = fill_in_values(text, arena, &filled, err);
    else
        xl_str_puts(&filled, equals + 1);
    char *whole = xl_str_take(&filled);
    const char *kept = whole && !status ? xl_arena_strdup(arena, whole) : NULL;
    free(whole);
    if (status) return status;
    if (!kept) return xl_fail_nomem(err, "an axis", 0);
    *out = kept;
    return XL_OK;
}
