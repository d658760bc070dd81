/* axes.c - reading the values of an axis. */
#include "lab/settings/axes.h"

#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "base/text_file.h"
#include "lab/settings/settings.h"

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
    const char **at;
    int n, capacity;
};

static enum xl_status add(struct values *values, const char *text, size_t n, struct xl_err *err) {
    if (values->n == XL_AXIS_MAX_VALUES)
        return xl_fail(err, XL_EINVAL, "%s: more than %d values", values->origin,
                       XL_AXIS_MAX_VALUES);
    if (values->n == values->capacity) {
        int capacity = values->capacity ? 2 * values->capacity : 16;
        const char **grown = realloc(values->at, (size_t)capacity * sizeof *grown);
        if (!grown) return xl_fail_nomem(err, "an axis", 0);
        values->at = grown;
        values->capacity = capacity;
    }
    char *copy = xl_arena_strndup(values->arena, text, n);
    if (!copy) return xl_fail_nomem(err, "an axis", n);
    /* Each value is tried on a copy of the settings: the option's own sentence says what is wrong.
     */
    struct xl_settings trial;
    xl_settings_default(&trial);
    trial.arena = values->arena;
    enum xl_status status = xl_settings_set(&trial, values->option, values->origin, copy, err);
    if (status) return status;
    const char *filled_in = xl_settings_text(&trial, values->option);
    values->at[values->n++] = filled_in ? filled_in : copy;
    return XL_OK;
}

static bool is_numeric(const struct xl_option *option) {
    return option->type == XL_OPTION_INT || option->type == XL_OPTION_REAL ||
           option->type == XL_OPTION_SEED;
}

/* "1..4": whole numbers up or down. Returns false when the text has another form. */
static bool read_span(const char *text, long long *first, long long *last) {
    char *end, *second = strstr(text, "..");
    if (!second) return false;
    errno = 0;
    *first = strtoll(text, &end, 10);
    if (end != second) return false;
    *last = strtoll(second + 2, &end, 10);
    return end != second + 2 && !*end && !errno;
}

static enum xl_status add_span(struct values *values, long long first, long long last,
                               struct xl_err *err) {
    long long step = first <= last ? 1 : -1;
    enum xl_status status = XL_OK;
    for (long long v = first; !status && (step > 0 ? v <= last : v >= last); v += step) {
        char text[24];
        int n = snprintf(text, sizeof text, "%lld", v);
        status = add(values, text, (size_t)n, err);
    }
    return status;
}

/* "5:8:1": first, last, step. */
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

static enum xl_status add_range(struct values *values, const double range[3], struct xl_err *err) {
    double first = range[0], last = range[1], step = range[2];
    double count = floor((last - first) / step + 1e-9) + 1;
    if (!(count >= 1) || !isfinite(count))
        return xl_fail(err, XL_EINVAL, "%s: no value from %g to %g by steps of %g", values->origin,
                       first, last, step);
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < count; i++) {
        char text[40];
        int n = snprintf(text, sizeof text, "%.10g", first + i * step);
        status = add(values, text, (size_t)n, err);
    }
    return status;
}

/* One value between commas. */
static enum xl_status add_item(struct values *values, const char *text, size_t n,
                               struct xl_err *err) {
    char number[80];
    if (is_numeric(values->option) && n < sizeof number) {
        long long first, last;
        double range[3];
        snprintf(number, sizeof number, "%.*s", (int)n, text);
        if (read_span(number, &first, &last)) return add_span(values, first, last, err);
        if (read_range(number, range)) return add_range(values, range, err);
    }
    return add(values, text, n, err);
}

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
            status = add_item(values, at, end, err);
            at += n;
        }
        if (!*at) break;
    }
    return status;
}

static enum xl_status add_json(struct values *values, const char *text, struct xl_err *err) {
    json_t *array = json_loads(text, JSON_DECODE_ANY, NULL);
    if (!json_is_array(array)) {
        json_decref(array);
        return xl_fail(err, XL_EINVAL, "%s: begins with '[' and is no JSON list", values->origin);
    }
    enum xl_status status = XL_OK;
    for (size_t i = 0; !status && i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        char *number = json_is_number(item)
                           ? json_dumps(item, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17))
                           : NULL;
        const char *value = number ? number : json_string_value(item);
        status = value ? add(values, value, strlen(value), err)
                       : xl_fail(err, XL_EINVAL, "%s: expected texts and numbers in the list",
                                 values->origin);
        free(number);
    }
    json_decref(array);
    return status;
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
        if (is_value(&line)) status = add(values, line.at, line.n, err);
        if (status) xl_fail_context(err, status, "%s:%d:1", path, line.number);
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

enum xl_status xl_axis_parse(const char *text, struct xl_arena *arena, struct xl_axis *out,
                             struct xl_err *err) {
    char origin[96];
    snprintf(origin, sizeof origin, "--sweep %.60s", text);
    const char *equals = strchr(text, '='), *list = equals ? equals + 1 : "";
    if (!equals)
        return xl_fail(err, XL_EINVAL, "%s: expected KEY=VALUES, like steps=20,30", origin);
    struct values values = {.arena = arena, .origin = origin};
    enum xl_status status = find_option(text, equals, origin, &values.option, err);
    if (status) return status;
    bool is_all = !strcmp(list, "all") && (!strcmp(values.option->name, "model") ||
                                           !strcmp(values.option->name, "profile"));
    if (!is_all && !list[0])
        status = xl_fail(err, XL_EINVAL, "%s: expected values after the '='", origin);
    else if (!is_all)
        status = list[0] == '@'   ? add_file(&values, list + 1, err)
                 : list[0] == '[' ? add_json(&values, list, err)
                                  : add_list(&values, list, err);
    if (!status && !is_all && !values.n)
        status = xl_fail(err, XL_EINVAL, "%s: there is no value", origin);
    size_t bytes = (size_t)values.n * sizeof *values.at;
    const char **kept = !status ? xl_arena_alloc(arena, bytes + 1) : NULL;
    if (!status && !kept) status = xl_fail_nomem(err, "an axis", bytes);
    if (!status && values.n) memcpy(kept, values.at, bytes);
    free(values.at);
    if (!status) *out = (struct xl_axis){values.option, kept, values.n, is_all};
    return status;
}

/* What xl_path_expand makes this path of. */
static void put_path(const char *path, struct xl_str *out) {
    xl_str_puts(out, "");
    for (; *path; path++) xl_str_puts(out, *path == '$' ? "$$" : (char[]){*path, 0});
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
    put_path(filled_in, out);
    return XL_OK;
}

/* KEY=[PATH, ...], whatever form the values had. */
static enum xl_status fill_in_values(const struct xl_axis *axis, struct xl_str *out) {
    json_t *list = json_array();
    struct xl_str path = {0};
    bool ok = list != NULL;
    for (int i = 0; ok && i < axis->n; i++) {
        put_path(axis->values[i], &path);
        ok = path.text && !json_array_append_new(list, xl_json_text(path.text));
        xl_str_deinit(&path);
    }
    char *text = ok ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    if (text) xl_str_puts(out, text);
    free(text);
    return text ? XL_OK : XL_ENOMEM;
}

enum xl_status xl_axis_fill_in(const char *text, struct xl_arena *arena, const char **out,
                               struct xl_err *err) {
    const char *equals = strchr(text, '=');
    const char *key = equals ? xl_arena_strndup(arena, text, (size_t)(equals - text)) : NULL;
    const struct xl_option *option = key ? xl_option_find(key) : NULL;
    struct xl_str filled = {0};
    struct xl_axis axis;
    enum xl_status status = XL_OK;
    if (!option || !option->is_axis) return XL_OK;
    xl_str_printf(&filled, "%s=", key);
    if (equals[1] == '@')
        status = fill_in_file(equals + 2, arena, &filled, err);
    else if (option->path == XL_PATH_KEPT && !(status = xl_axis_parse(text, arena, &axis, err)))
        status = fill_in_values(&axis, &filled);
    else
        xl_str_puts(&filled, equals + 1);
    char *whole = xl_str_take(&filled);
    const char *kept = whole && !status ? xl_arena_strdup(arena, whole) : NULL;
    free(whole);
    if (status && status != XL_ENOMEM) return status;
    if (!kept) return xl_fail_nomem(err, "an axis", 0);
    *out = kept;
    return XL_OK;
}
