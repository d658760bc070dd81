/* document.c - settings from and to objects of names and values: job files, requests, run.json. */
#include "lab/settings/settings.h"

#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "base/yaml.h"
#include "lab/settings/axes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A scalar as the text that a flag would have; NULL: no scalar, or out of memory. */
static const char *text_of(const json_t *value, struct xl_arena *arena) {
    char number[XL_REAL_MAX];
    switch (json_typeof(value)) {
    case JSON_STRING:
        return xl_arena_strdup(arena, json_string_value(value));
    case JSON_INTEGER:
        return xl_arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_REAL:
        xl_real_text(json_real_value(value), number);
        return xl_arena_strdup(arena, number);
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    default:
        return NULL;
    }
}

/* What is read: where it goes, and where it is from. */
struct document {
    struct xl_settings *settings;
    const char *name;
    const struct xl_yaml_places *places; /* NULL: it is no file that somebody wrote */
    struct xl_arena *arena;
    struct xl_err *err;
    bool (*is_other)(const char *key); /* keys that are somebody else's; NULL: none */
    xl_command_set commands;           /* whose settings are known */
};

/* How a sentence begins: "job.yaml:4:8: steps", or less when the place is not known or is enough.
 */
enum { MAX_ORIGIN = 512 };
static const char *write_origin(const struct document *document, struct xl_yaml_place place,
                                const char *key, char out[MAX_ORIGIN]) {
    char where[40] = "";
    if (place.line) snprintf(where, sizeof where, ":%d:%d", place.line, place.column);
    snprintf(out, MAX_ORIGIN, "%.400s%s%s%.60s", document->name, where, key ? ": " : "",
             key ? key : "");
    return out;
}

/* Of a value of an object, or of an array when key is NULL. */
static struct xl_yaml_place value_place(const struct document *document, const json_t *container,
                                        const char *key, size_t index) {
    if (!document->places) return (struct xl_yaml_place){0};
    return xl_yaml_value_place(document->places, container, key, index);
}
static struct xl_yaml_place key_place(const struct document *document, const json_t *object,
                                      const char *key) {
    if (!document->places) return (struct xl_yaml_place){0};
    return xl_yaml_key_place(document->places, object, key);
}

/* "job.yaml:4:8" in the arena; NULL: not known, or out of memory. */
static const char *keep_place(const struct document *document, struct xl_yaml_place place) {
    if (!place.line) return NULL;
    return xl_arena_printf(document->arena, "%.400s:%d:%d", document->name, place.line,
                           place.column);
}

/* Where an axis and the values of its list were written: planning tells mistakes that only it can
 * see. list: NULL where the values are one text. */
static const struct xl_axis_places *keep_places(const struct document *document,
                                                struct xl_yaml_place whole, const json_t *list) {
    if (!document->places) return NULL;
    size_t n = json_array_size(list);
    struct xl_axis_places *places = xl_arena_alloc(document->arena, sizeof *places);
    const char **items = xl_arena_alloc(document->arena, n * sizeof *items + 1);
    if (!places || !items) return NULL;
    for (size_t i = 0; i < n; i++)
        items[i] = keep_place(document, value_place(document, list, NULL, i));
    *places = (struct xl_axis_places){keep_place(document, whole), items, (int)n};
    return places;
}

/* A mistake in an axis of a job file is told while its place is known; what run.json has was read
 * once, and a file that it names may be gone. */
static enum xl_status add_axis(const struct document *document, const char *origin,
                               const char *axis, const struct xl_axis_places *places) {
    struct xl_settings *settings = document->settings;
    struct xl_axis parsed;
    if (document->places && !places) return xl_fail_nomem(document->err, "an axis", 0);
    enum xl_status status = XL_OK;
    if (places) status = xl_axis_parse(axis, places, document->arena, &parsed, document->err);
    if (!status)
        status = xl_settings_set(settings, xl_option_find("sweep"), origin, axis, document->err);
    if (!status) settings->sweep_places[settings->sweep.n - 1] = places;
    return status;
}

static enum xl_status set_scalar(const struct document *document, const struct xl_option *option,
                                 const char *key, struct xl_yaml_place place, const json_t *value) {
    char origin[MAX_ORIGIN];
    write_origin(document, place, key, origin);
    const char *text = text_of(value, document->arena);
    if (!text)
        return xl_fail(document->err, XL_EINVAL, "%s: found a list or a map, expected one value",
                       origin);
    if (!strcmp(option->name, "sweep"))
        return add_axis(document, origin, text, keep_places(document, place, NULL));
    return xl_settings_set(document->settings, option, origin, text, document->err);
}

/* One axis as the text of --sweep: KEY=[...], whatever the values hold. */
static enum xl_status set_axis(const struct document *document, const json_t *sweep,
                               const char *key, const json_t *values) {
    const struct xl_option *option = xl_option_find(key);
    bool is_axis = option && option->is_axis;
    struct xl_yaml_place place = is_axis ? value_place(document, sweep, key, 0)
                                         : key_place(document, sweep, key);
    char origin[MAX_ORIGIN];
    write_origin(document, place, "sweep", origin);
    char *list = json_is_array(values) ? xl_json_dump(values, JSON_COMPACT) : NULL;
    const char *text = json_is_array(values) ? list : text_of(values, document->arena);
    const char *axis = text ? xl_arena_printf(document->arena, "%s=%s", key, text) : NULL;
    free(list);
    if (!axis)
        return xl_fail(document->err, XL_EINVAL,
                       "%s: \"%.40s\" needs a list of values, or a text like "
                       "\"1..4\"",
                       origin, key);
    return add_axis(document, origin, axis, keep_places(document, place, values));
}

/* ":3", the line of a key, or "" where there is no file. */
static const char *write_line(struct xl_yaml_place place, char out[16]) {
    out[0] = 0;
    if (place.line) snprintf(out, 16, ":%d", place.line);
    return out;
}

/* One setting in two spellings, guidance_rescale and guidance-rescale, says two things of which one
 * would be lost. seen: the key of each option so far */
static enum xl_status check_twice(const struct document *document, const json_t *object,
                                  const char *key, const struct xl_option *option,
                                  const char *seen[XL_OPTIONS_MAX]) {
    const char *first = seen[xl_option_index(option)];
    char origin[MAX_ORIGIN], line[16];
    seen[xl_option_index(option)] = key;
    if (!first) return XL_OK;
    write_origin(document, key_place(document, object, key), NULL, origin);
    return xl_fail(document->err, XL_EINVAL,
                   "%s: \"%.60s\" is there already as \"%.60s\" (%.300s%s); leave one of them out",
                   origin, key, first, document->name,
                   write_line(key_place(document, object, first), line));
}

static enum xl_status set_value(const struct document *document, const struct xl_option *option,
                                const char *key, struct xl_yaml_place place, const json_t *value) {
    enum xl_status status = XL_OK;
    if (!strcmp(option->name, "sweep") && json_is_object(value)) {
        const char *axis, *seen[XL_OPTIONS_MAX] = {NULL};
        json_t *values;
        json_object_foreach((json_t *)value, axis, values) {
            const struct xl_option *varied = xl_option_find(axis);
            if (varied) status = check_twice(document, value, axis, varied, seen);
            if (!status) status = set_axis(document, value, axis, values);
            if (status) return status;
        }
        return XL_OK;
    }
    if (option->type != XL_OPTION_LIST || !json_is_array(value))
        return set_scalar(document, option, key, place, value);
    for (size_t i = 0; !status && i < json_array_size(value); i++)
        status = set_scalar(document, option, key, value_place(document, value, NULL, i),
                            json_array_get(value, i));
    return status;
}

static enum xl_status read_document(const struct document *document, const json_t *object) {
    const char *key, *seen[XL_OPTIONS_MAX] = {NULL};
    json_t *value;
    char origin[MAX_ORIGIN];
    if (!json_is_object(object))
        return xl_fail(document->err, XL_EINVAL,
                       "%s: expected a map of settings, like prompt: a cat",
                       write_origin(document, value_place(document, NULL, NULL, 0), NULL, origin));
    json_object_foreach((json_t *)object, key, value) {
        const struct xl_option *option = xl_option_find(key);
        if (document->is_other && document->is_other(key)) continue;
        if (!option || !(option->commands & document->commands) || !strcmp(option->name, "job")) {
            const struct xl_option *near = xl_option_nearest(key, document->commands);
            write_origin(document, key_place(document, object, key), NULL, origin);
            return xl_fail(document->err, XL_EINVAL, "%s: \"%.60s\" is no setting%s%s%s", origin,
                           key, near ? "; did you mean \"" : "", near ? near->name : "",
                           near ? "\"?" : "");
        }
        enum xl_status status = check_twice(document, object, key, option, seen);
        if (status) return status;
        if (json_is_null(value)) continue;
        status = set_value(document, option, key, value_place(document, object, key, 0), value);
        if (status) return status;
    }
    return XL_OK;
}

enum xl_status xl_settings_read_object(struct xl_settings *settings, const char *name,
                                       const json_t *object, struct xl_arena *arena,
                                       struct xl_err *err) {
    const struct document document = {settings, name, NULL, arena, err, NULL, XL_FOR_GENERATE};
    return read_document(&document, object);
}

enum xl_status xl_settings_read_part(struct xl_settings *settings,
                                     const struct xl_settings_part *part, struct xl_arena *arena,
                                     struct xl_err *err) {
    const struct document document = {settings,
                                      part->name,
                                      part->places,
                                      arena,
                                      err,
                                      part->is_other,
                                      part->commands ? part->commands : XL_FOR_GENERATE};
    return read_document(&document, part->object);
}

enum xl_status xl_settings_read_file(struct xl_settings *settings, const char *path,
                                     struct xl_arena *arena, struct xl_err *err) {
    json_t *root = NULL;
    struct xl_yaml_places places = {0};
    const struct document document = {settings, path, &places, arena, err, NULL, XL_FOR_GENERATE};
    enum xl_status status = xl_yaml_load(path, &places, &root, err); /* JSON is YAML */
    if (!status) status = read_document(&document, root);
    json_decref(root);
    xl_yaml_places_deinit(&places);
    return status;
}

static json_t *list_to_json(const struct xl_list *list) {
    json_t *array = json_array();
    for (int i = 0; i < list->n; i++) json_array_append_new(array, xl_json_text(list->item[i]));
    return array;
}

static json_t *seed_to_json(const struct xl_settings *settings) {
    char text[24]; /* as text: beyond 2^63 it is no JSON integer */
    if (!settings->has_seed) return json_integer(-1);
    snprintf(text, sizeof text, "%llu", (unsigned long long)settings->seed);
    return json_string(text);
}

/* As it is found from every folder. */
static json_t *path_to_json(const char *path) {
    struct xl_arena arena = {0};
    json_t *text = xl_json_text(path && path[0] ? xl_path_absolute(path, &arena) : path);
    xl_arena_deinit(&arena);
    return text;
}

static json_t *field_to_json(const struct xl_settings *settings, const struct xl_option *option) {
    const void *field = (const char *)settings + option->offset;
    switch (option->type) {
    case XL_OPTION_STRING:
        if (option->path == XL_PATH_SHOWN) return path_to_json(*(const char *const *)field);
        return xl_json_text(*(const char *const *)field);
    case XL_OPTION_INT:
        return json_integer(*(const int *)field);
    case XL_OPTION_REAL:
        return json_real(*(const double *)field);
    case XL_OPTION_SEED:
        return seed_to_json(settings);
    case XL_OPTION_CHOICE:
        return json_string(option->choices[*(const int *)field]);
    case XL_OPTION_SWITCH:
        return json_boolean(*(const bool *)field);
    case XL_OPTION_LIST:
        return list_to_json(field);
    }
    return NULL;
}

json_t *xl_settings_write_object(const struct xl_settings *settings) {
    json_t *object = json_object();
    const struct xl_option *option;
    int failed = !object;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        if (!(settings->given >> i & 1) || !(option->commands & XL_FOR_GENERATE) ||
            option->is_passing)
            continue;
        if (!strcmp(option->name, "job") || !strcmp(option->name, "from"))
            continue; /* their settings are here themselves */
        char key[64];
        snprintf(key, sizeof key, "%s", option->name);
        for (char *c = key; *c; c++) *c = *c == '-' ? '_' : *c;
        failed |= json_object_set_new(object, key, field_to_json(settings, option));
    }
    if (!failed) return object;
    json_decref(object);
    return NULL;
}
