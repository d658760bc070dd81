/* config.c - configurations say more than this program computes: what is absent or at its default
 * passes, anything else is refused by name instead of being drawn wrongly. */
#include "model/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_value(const json_t *found, const json_t *supported) {
    if (json_is_number(found) && json_is_number(supported))
        return json_number_value(found) == json_number_value(supported);
    if (json_is_array(found) && !json_is_array(supported)) {
        size_t i;
        json_t *element;
        json_array_foreach(found, i, element) {
            if (!same_value(element, supported)) return false;
        }
        return true;
    }
    return json_equal(found, supported);
}

static enum xl_status check_rule(struct xl_json json, const struct xl_config_rule *rule,
                                 struct xl_err *err) {
    const json_t *found = json_object_get(json.object, rule->key);
    if (!found || json_is_null(found)) return XL_OK;
    xl_json_watch();
    json_t *supported = json_loads(rule->supported, JSON_DECODE_ANY, NULL);
    if (!supported || xl_json_ran_out()) {
        json_decref(supported);
        return xl_fail_nomem(err, "a configuration", 0);
    }
    bool same = same_value(found, supported);
    json_decref(supported);
    if (same) return XL_OK;
    char *text = json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT);
    enum xl_status status = xl_fail(err, XL_EFORMAT,
                                    "%s: \"%s\" is %.60s, only %s is supported (no %s)", json.name,
                                    rule->key, text ? text : "?", rule->supported, rule->meaning);
    free(text);
    return status;
}

enum xl_status xl_config_check(struct xl_json json, const struct xl_config_rule *rules, int n_rules,
                               struct xl_err *err) {
    for (int i = 0; i < n_rules; i++) {
        enum xl_status status = check_rule(json, &rules[i], err);
        if (status) return status;
    }
    return XL_OK;
}

enum xl_status xl_config_fill(struct xl_json json, const struct xl_config_default *defaults,
                              int n_defaults, json_t **out, struct xl_err *err) {
    xl_json_watch();
    json_t *filled = json_copy((json_t *)json.object); /* reads it */
    bool ok = filled != NULL;
    for (int i = 0; ok && i < n_defaults; i++)
        if (!json_object_get(filled, defaults[i].key))
            xl_json_put(filled, defaults[i].key,
                        json_loads(defaults[i].value, JSON_DECODE_ANY, NULL), &ok);
    filled = xl_json_finish(filled, ok);
    if (!filled) return xl_fail_nomem(err, "a configuration", 0);
    *out = filled;
    return XL_OK;
}

enum xl_status xl_config_require(struct xl_json json, const char *key, struct xl_err *err) {
    const json_t *found = json_object_get(json.object, key);
    if (found && !json_is_null(found)) return XL_OK;
    return xl_fail(err, XL_EFORMAT, "%s: \"%s\" is missing", json.name, key);
}

static enum xl_status find_name(struct xl_json json, const char *key, const json_t *element,
                                const char *const *known, int *value, struct xl_err *err) {
    if (!json_is_string(element))
        return xl_fail(err, XL_EFORMAT, "%s: \"%s\" must hold strings such as \"%s\"", json.name,
                       key, known[0]);
    for (int i = 0; known[i]; i++) {
        if (strcmp(json_string_value(element), known[i]) == 0) {
            *value = i;
            return XL_OK;
        }
    }
    char list[256] = "";
    for (int i = 0; known[i]; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", known[i]);
    }
    return xl_fail(err, XL_EFORMAT, "%s: \"%s\" names \"%.60s\", supported: %s", json.name, key,
                   json_string_value(element), list);
}

enum xl_status xl_config_names(struct xl_json json, const char *key, const char *const *known,
                               int *values, int max_n, int *n, struct xl_err *err) {
    const json_t *found = json_object_get(json.object, key);
    *n = 0;
    if (!found || json_is_null(found)) return XL_OK;
    bool is_array = json_is_array(found);
    size_t count = is_array ? json_array_size(found) : 1;
    if (count < 1 || count > (size_t)max_n)
        return xl_fail(err, XL_EFORMAT, "%s: \"%s\" has %zu entries, expected 1 to %d", json.name,
                       key, count, max_n);
    for (size_t i = 0; i < count; i++) {
        const json_t *element = is_array ? json_array_get(found, i) : found;
        enum xl_status status = find_name(json, key, element, known, &values[i], err);
        if (status) return status;
    }
    *n = (int)count;
    return XL_OK;
}

enum xl_status xl_config_divides(struct xl_json json, const char *divisor_key, int divisor,
                                 const char *value_key, int value, struct xl_err *err) {
    if (value % divisor == 0) return XL_OK;
    return xl_fail(err, XL_EFORMAT, "%s: \"%s\" is %d, which does not divide %d of \"%s\"",
                   json.name, divisor_key, divisor, value, value_key);
}
