/* data_fields.c - the fields of an entry by a table: types, ranges, and sentences with their place.
 */
#include "base/str.h"
#include "lab/data/data.h"
#include "sampler/sampler.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_TEXT = 16 << 10, MAX_NAMES = 64 };

enum { MAX_SENTENCE = 600 };

static enum xl_status fail(const struct xl_data_entry *entry, struct xl_yaml_place place,
                           const char *field, struct xl_err *err, const char *text) {
    return xl_fail(err, XL_EINPUT, "%.300s:%d:%d: %.100s%s%.60s: %s", xl_data_file_name(entry),
                   place.line, place.column, entry->name, field ? ": " : "", field ? field : "",
                   text);
}

enum xl_status xl_data_fail(const struct xl_data_entry *entry, const char *field,
                            struct xl_err *err, const char *format, ...) {
    char text[MAX_SENTENCE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fail(entry, xl_data_place(entry, field), field, err, text);
}

enum xl_status xl_data_fail_at(const struct xl_data_entry *entry, struct xl_yaml_place place,
                               const char *field, struct xl_err *err, const char *format, ...) {
    char text[MAX_SENTENCE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fail(entry, place, field, err, text);
}

int32_t xl_data_bad_character(const char *text, bool is_name) {
    size_t n = strlen(text);
    for (size_t i = 0; i < n;) {
        int32_t code;
        int len = xl_utf8_get(text + i, n - i, &code);
        if (len < 0) return 0xFFFD;
        bool is_blank = code == '\n' || code == '\t';
        bool is_control = code < 32 || (code >= 127 && code < 160);
        bool turns = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
                     code == 0x200E || code == 0x200F || code == 0x061C;
        bool breaks = code == 0x2028 || code == 0x2029;
        if (turns || breaks || (is_control && (is_name || !is_blank))) return code ? code : 0xFFFD;
        i += (size_t)len;
    }
    return 0;
}

const char *const *xl_data_schedulers(struct xl_arena *arena) {
    int n = 0;
    while (xl_scheduler_list(n)) n++;
    const char **names = xl_arena_alloc(arena, (size_t)(n + 1) * sizeof *names);
    for (int i = 0; names && i < n; i++) names[i] = xl_scheduler_list(i);
    return names;
}

static const char *type_of(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "a map";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "nothing";
}

/* A field that is being read, or one value of a list in it. */
struct reading {
    const struct xl_data_entry *entry;
    const struct xl_data_field *field;
    const json_t *value;
    struct xl_arena *arena;
    char *out; /* of this field */
    struct xl_err *err;
    const json_t *list; /* that the value is in, or NULL */
    size_t index;
};

static struct xl_yaml_place place_of(const struct reading *r) {
    return r->list ? xl_yaml_value_place(xl_data_places(r->entry), r->list, NULL, r->index)
                   : xl_data_place(r->entry, r->field->name);
}

static enum xl_status wrong_type(const struct reading *r, const char *expected) {
    return xl_data_fail_at(r->entry, place_of(r), r->field->name, r->err, "found %s, expected %s",
                           type_of(r->value), expected);
}

/* One line of it: newlines and tabs become blanks, blanks at the ends go. */
static enum xl_status clean_text(const struct reading *r, bool is_name, const char **out) {
    const char *text = json_string_value(r->value);
    size_t n = json_string_length(r->value);
    int32_t bad = xl_data_bad_character(text, is_name);
    if (n > MAX_TEXT)
        return xl_data_fail_at(r->entry, place_of(r), r->field->name, r->err,
                               "a text of %zu bytes, at most %d", n, MAX_TEXT);
    if (bad)
        return xl_data_fail_at(r->entry, place_of(r), r->field->name, r->err,
                               "the text holds the character U+%04X", bad);
    while (n && strchr(" \t\n", text[n - 1])) n--;
    while (n && strchr(" \t\n", text[0])) text++, n--;
    char *copy = xl_arena_strndup(r->arena, text, n);
    if (!copy) return xl_fail_nomem(r->err, r->field->name, n);
    for (char *c = copy; *c; c++)
        if (*c == '\n' || *c == '\t') *c = ' ';
    *out = copy;
    return XL_OK;
}

static enum xl_status read_name(const struct reading *r, const char **out) {
    if (!json_is_string(r->value)) return wrong_type(r, "a text (numbers need quotes)");
    enum xl_status status = clean_text(r, true, out);
    if (status || (*out)[0]) return status;
    return xl_data_fail_at(r->entry, place_of(r), r->field->name, r->err, "an empty name");
}

static enum xl_status read_names(const struct reading *r) {
    bool is_list = json_is_array(r->value);
    size_t n = is_list ? json_array_size(r->value) : 1;
    if (n > MAX_NAMES)
        return xl_data_fail(r->entry, r->field->name, r->err, "%zu names, at most %d", n,
                            MAX_NAMES);
    const char **names = xl_arena_alloc(r->arena, (n + 1) * sizeof *names);
    if (!names) return xl_fail_nomem(r->err, r->field->name, 0);
    for (size_t i = 0; i < n; i++) {
        struct reading item = *r;
        if (is_list) {
            item.list = r->value;
            item.index = i;
            item.value = json_array_get(r->value, i);
        }
        enum xl_status status = read_name(&item, &names[i]);
        if (status) return status;
    }
    *(const char *const **)(void *)r->out = names;
    *(int *)(void *)(r->out + sizeof names) = (int)n;
    return XL_OK;
}

static enum xl_status read_number(const struct reading *r) {
    const struct xl_data_field *field = r->field;
    bool is_int = field->type == XL_DATA_INT;
    if (is_int ? !json_is_integer(r->value) : !json_is_number(r->value))
        return wrong_type(r, is_int ? "a whole number" : "a number");
    double value = json_number_value(r->value);
    if (value < field->min || value > field->max)
        return xl_data_fail(r->entry, field->name, r->err, "found %g, expected %g to %g", value,
                            field->min, field->max);
    if (is_int)
        *(int *)(void *)r->out = (int)json_integer_value(r->value);
    else
        *(double *)(void *)r->out = value;
    return XL_OK;
}

static enum xl_status read_choice(const struct reading *r) {
    char known[400] = "";
    if (!json_is_string(r->value)) return wrong_type(r, "a text");
    for (int i = 0; r->field->choices[i]; i++) {
        const char *choice = r->field->choices[i];
        if (!strcmp(choice, json_string_value(r->value))) {
            if (r->field->type == XL_DATA_CHOICE)
                *(int *)(void *)r->out = i;
            else
                *(const char **)(void *)r->out = choice;
            return XL_OK;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", choice);
    }
    return xl_data_fail(r->entry, r->field->name, r->err, "\"%.60s\" is not one of: %s",
                        json_string_value(r->value), known);
}

static enum xl_status read_field(const struct reading *r) {
    switch (r->field->type) {
    case XL_DATA_TEXT:
        if (!json_is_string(r->value))
            return wrong_type(r, "a text (numbers and true need quotes)");
        return clean_text(r, false, (const char **)(void *)r->out);
    case XL_DATA_NAMES:
        return read_names(r);
    case XL_DATA_INT:
    case XL_DATA_REAL:
        return read_number(r);
    case XL_DATA_BOOL:
        if (!json_is_boolean(r->value)) return wrong_type(r, "true or false");
        *(bool *)(void *)r->out = json_is_true(r->value);
        return XL_OK;
    case XL_DATA_CHOICE:
    case XL_DATA_CHOSEN:
        return read_choice(r);
    }
    return XL_OK;
}

static enum xl_status unknown_field(const struct xl_data_entry *entry, const char *name,
                                    const struct xl_data_field *fields, struct xl_err *err) {
    const char *nearest = NULL;
    char known[400] = "";
    int best = 3;
    for (; fields->name; fields++) {
        int distance = xl_edit_distance(name, fields->name, 2);
        size_t used = strlen(known);
        if (distance < best) best = distance, nearest = fields->name;
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", fields->name);
    }
    struct xl_yaml_place key = xl_yaml_key_place(xl_data_places(entry), entry->fields, name);
    if (nearest)
        return xl_data_fail_at(entry, key, name, err, "no such field; did you mean %s?", nearest);
    return xl_data_fail_at(entry, key, name, err, "no such field; there are %s", known);
}

enum xl_status xl_data_read(const struct xl_data_entry *entry, const struct xl_data_field *fields,
                            struct xl_arena *arena, void *out, struct xl_err *err) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)entry->fields, key, value) {
        const struct xl_data_field *field = fields;
        while (field->name && strcmp(field->name, key)) field++;
        if (!field->name) return unknown_field(entry, key, fields, err);
        if (json_is_null(value)) continue; /* "steps:" with nothing behind it */
        struct reading r = {entry, field, value, arena, (char *)out + field->offset, err, NULL, 0};
        enum xl_status status = read_field(&r);
        if (status) return status;
    }
    return XL_OK;
}
