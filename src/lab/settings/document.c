/* document.c - settings from and to objects of names and values: job files, requests, run.json. */
#include "lab/settings/settings.h"

#include "base/json.h"
#include "base/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A scalar as the text that a flag would have; NULL: no scalar, or out of memory. */
static const char *text_of(const json_t *value, struct xl_arena *arena) {
    switch (json_typeof(value)) {
    case JSON_STRING:
        return xl_arena_strdup(arena, json_string_value(value));
    case JSON_INTEGER:
        return xl_arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_REAL:
        return xl_arena_printf(arena, "%.17g", json_real_value(value));
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    default:
        return NULL;
    }
}

static enum xl_status set_scalar(struct xl_settings *settings, const struct xl_option *option,
                                 const char *origin, const json_t *value, struct xl_arena *arena,
                                 struct xl_err *err) {
    const char *text = text_of(value, arena);
    if (!text)
        return xl_fail(err, XL_EINVAL, "%s: found a list or a map, expected one value", origin);
    return xl_settings_set(settings, option, origin, text, err);
}

/* One axis as the text of --sweep: KEY=[...], whatever the values hold. */
static enum xl_status set_axis(struct xl_settings *settings, const char *origin, const char *key,
                               const json_t *values, struct xl_arena *arena, struct xl_err *err) {
    char *list = json_is_array(values) ? json_dumps(values, JSON_COMPACT) : NULL;
    const char *text = json_is_array(values) ? list : text_of(values, arena);
    const char *axis = text ? xl_arena_printf(arena, "%s=%s", key, text) : NULL;
    free(list);
    if (!axis)
        return xl_fail(err, XL_EINVAL,
                       "%s: \"%.40s\" needs a list of values, or a text like "
                       "\"1..4\"",
                       origin, key);
    return xl_settings_set(settings, xl_option_find("sweep"), origin, axis, err);
}

static enum xl_status set_value(struct xl_settings *settings, const struct xl_option *option,
                                const char *origin, const json_t *value, struct xl_arena *arena,
                                struct xl_err *err) {
    enum xl_status status = XL_OK;
    if (!strcmp(option->name, "sweep") && json_is_object(value)) {
        const char *key;
        json_t *values;
        json_object_foreach((json_t *)value, key, values) {
            status = set_axis(settings, origin, key, values, arena, err);
            if (status) return status;
        }
        return XL_OK;
    }
    if (option->type != XL_OPTION_LIST || !json_is_array(value))
        return set_scalar(settings, option, origin, value, arena, err);
    for (size_t i = 0; !status && i < json_array_size(value); i++)
        status = set_scalar(settings, option, origin, json_array_get(value, i), arena, err);
    return status;
}

enum xl_status xl_settings_read_object(struct xl_settings *settings, const char *name,
                                       const json_t *object, struct xl_arena *arena,
                                       struct xl_err *err) {
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return xl_fail(err, XL_EINVAL, "%s: expected a map of settings, like prompt: a cat", name);
    json_object_foreach((json_t *)object, key, value) {
        const struct xl_option *option = xl_option_find(key);
        if (!option || !(option->commands & XL_FOR_GENERATE) || !strcmp(option->name, "job")) {
            const struct xl_option *near = xl_option_nearest(key, XL_FOR_GENERATE);
            return xl_fail(err, XL_EINVAL, "%s: \"%.60s\" is no setting%s%s%s", name, key,
                           near ? "; did you mean \"" : "", near ? near->name : "",
                           near ? "\"?" : "");
        }
        if (json_is_null(value)) continue;
        char origin[512];
        snprintf(origin, sizeof origin, "%.400s: %.60s", name, key);
        enum xl_status status = set_value(settings, option, origin, value, arena, err);
        if (status) return status;
    }
    return XL_OK;
}

enum xl_status xl_settings_read_file(struct xl_settings *settings, const char *path,
                                     struct xl_arena *arena, struct xl_err *err) {
    json_t *root = NULL;
    enum xl_status status = xl_yaml_load(path, &root, err); /* JSON is YAML */
    if (!status) status = xl_settings_read_object(settings, path, root, arena, err);
    json_decref(root);
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

static json_t *field_to_json(const struct xl_settings *settings, const struct xl_option *option) {
    const void *field = (const char *)settings + option->offset;
    switch (option->type) {
    case XL_OPTION_STRING:
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
        if (!(settings->given >> i & 1) || !(option->commands & XL_FOR_GENERATE)) continue;
        if (!strcmp(option->name, "job")) continue; /* its settings are here themselves */
        char key[64];
        snprintf(key, sizeof key, "%s", option->name);
        for (char *c = key; *c; c++) *c = *c == '-' ? '_' : *c;
        failed |= json_object_set_new(object, key, field_to_json(settings, option));
    }
    if (!failed) return object;
    json_decref(object);
    return NULL;
}
