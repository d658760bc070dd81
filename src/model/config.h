/* config.h - what the readers of the models' config.json files share. */
#ifndef XL_MODEL_CONFIG_H
#define XL_MODEL_CONFIG_H

#include "base/json.h"

/* A key of which this program supports one value: its default. */
struct xl_config_rule {
    const char *key;
    const char *supported; /* as JSON: "null", "3", "\"default\"" */
    const char *meaning;   /* what other values ask for: "conditioning on classes" */
};

/* Absent and null are fine; an array is fine when all its elements are; 1 and 1.0 are the same.
 * Errors: XL_EFORMAT another value */
enum xl_status xl_config_check(struct xl_json json, const struct xl_config_rule *rules, int n_rules,
                               struct xl_err *err) XL_CHECKED;

/* A key and what diffusers takes where it is absent, as JSON. */
struct xl_config_default {
    const char *key, *value;
};

/* A copy of the object with the defaults where their keys are absent. Caller: json_decref.
 * Errors: XL_ENOMEM */
enum xl_status xl_config_fill(struct xl_json json, const struct xl_config_default *defaults,
                              int n_defaults, json_t **out, struct xl_err *err) XL_CHECKED;

/* A key without which the model's shape is unknown. Errors: XL_EFORMAT absent or null */
enum xl_status xl_config_require(struct xl_json json, const char *key,
                                 struct xl_err *err) XL_CHECKED;

/* A string, or an array of 1..max_n strings, out of `known` (which ends with NULL), as indexes into
 * it. *n is 0 when the key is absent. Errors: XL_EFORMAT */
enum xl_status xl_config_names(struct xl_json json, const char *key, const char *const *known,
                               int *values, int max_n, int *n, struct xl_err *err) XL_CHECKED;

/* Errors: XL_EFORMAT when `divisor` does not divide `value`, naming both keys */
enum xl_status xl_config_divides(struct xl_json json, const char *divisor_key, int divisor,
                                 const char *value_key, int value, struct xl_err *err) XL_CHECKED;

#endif
