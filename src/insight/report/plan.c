/* plan.c - jobs, commands and YAML of settings that were found out. */
#include "insight/report/plan.h"

#include "base/json.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* Columns of the observations and the options that set them. */
static const struct {
    const char *column, *option;
    bool is_number;
} settings[] = {
    {"model", "model", false},         {"profile", "profile", false}, {"resolution", "size", false},
    {"scheduler", "scheduler", false}, {"lora", "lora", false},       {"steps", "steps", true},
    {"guidance", "guidance", true},
};
enum { N_SETTINGS = sizeof settings / sizeof *settings };

const char *xl_plan_option(const char *column) {
    for (int i = 0; i < N_SETTINGS; i++)
        if (!strcmp(settings[i].column, column)) return settings[i].option;
    return NULL;
}

/* A value as a job has it: numbers as numbers. */
static json_t *value_of(int i, const json_t *text) {
    char *end;
    const char *string = json_string_value(text);
    double number = string ? strtod(string, &end) : 0;
    if (!settings[i].is_number || !string || !*string || *end) return json_deep_copy(text);
    return number == (double)(json_int_t)number ? json_integer((json_int_t)number)
                                                : json_real(number);
}

/* What says nothing: no LoRA is the default. */
static bool is_default(int i, const json_t *text) {
    return !strcmp(settings[i].option, "lora") && json_is_string(text) &&
           !strcmp(json_string_value(text), "none");
}

json_t *xl_plan_job(const json_t *columns, int batch) {
    json_t *job = json_object(), *sweep = json_object();
    bool ok = job && sweep;
    for (int i = 0; ok && i < N_SETTINGS; i++) {
        json_t *value = json_object_get(columns, settings[i].column);
        size_t n = json_array_size(value);
        if (n == 1) value = json_array_get(value, 0);
        if (!value || is_default(i, value)) continue;
        if (n < 2) {
            xl_json_put(job, settings[i].option, value_of(i, value), &ok);
            continue;
        }
        json_t *values = json_array();
        for (size_t k = 0; k < n; k++)
            ok &= !json_array_append_new(values, value_of(i, json_array_get(value, k)));
        xl_json_put(sweep, settings[i].option, values, &ok);
    }
    if (json_object_size(sweep))
        xl_json_put(job, "sweep", sweep, &ok);
    else
        json_decref(sweep);
    if (batch) xl_json_put(job, "batch", json_integer(batch), &ok);
    return xl_json_finish(job, ok);
}

/* --- A command -------------------------------------------------------------------------------- */

/* "KEY=a,b", or as a list in JSON where a value has a comma, a quote or what makes a range or a
 * file. */
static void put_axis(struct xl_str *out, const char *option, const json_t *values) {
    struct xl_str word = {0};
    const json_t *value;
    size_t i;
    bool is_plain = true;
    json_array_foreach(values, i, value) {
        const char *text = json_string_value(value);
        is_plain &= !text || (*text && *text != '@' && *text != '[' && !strpbrk(text, ",\"") &&
                              !strstr(text, "..") && strcmp(text, "all") && *text != ' ');
    }
    xl_str_printf(&word, "%s=", option);
    json_array_foreach(values, i, value) {
        char *json = xl_json_dump(value, JSON_ENCODE_ANY);
        const char *text = is_plain && json_is_string(value) ? json_string_value(value) : json;
        xl_str_puts(&word, i ? (is_plain ? "," : ", ") : is_plain ? "" : "[");
        if (text)
            xl_str_puts(&word, text);
        else
            word.failed = true;
        free(json);
    }
    if (!is_plain) xl_str_puts(&word, "]");
    xl_str_puts(out, " --sweep ");
    if (word.text) xl_str_put_shell_word(out, word.text);
    out->failed |= word.failed;
    xl_str_deinit(&word);
}

char *xl_plan_command(const json_t *job) {
    struct xl_str out = {0};
    const char *key, *axis;
    json_t *value, *values;
    xl_str_puts(&out, "sdxl-lab generate --prompt \"...\"");
    json_object_foreach((json_t *)job, key, value) {
        if (!strcmp(key, "sweep")) {
            json_object_foreach(value, axis, values) put_axis(&out, axis, values);
            continue;
        }
        char *json = json_is_string(value) ? NULL : xl_json_dump(value, JSON_ENCODE_ANY);
        xl_str_printf(&out, " --%s ", key);
        xl_str_put_shell_word(&out, json ? json : json_string_value(value));
        free(json);
    }
    return xl_str_take(&out);
}

/* --- YAML ------------------------------------------------------------------------------------- */

/* Scalars are written as JSON writes them, which YAML reads. */
static void put_scalar(struct xl_str *out, const json_t *value) {
    char *json = xl_json_dump(value, JSON_ENCODE_ANY);
    if (json)
        xl_str_puts(out, json);
    else
        out->failed = true;
    free(json);
}

static void put_object(struct xl_str *out, const json_t *object, int indent) {
    const char *key;
    json_t *value, *item;
    json_object_foreach((json_t *)object, key, value) {
        xl_str_printf(out, "%*s%s:", indent, "", key);
        if (json_is_object(value)) {
            xl_str_puts(out, "\n");
            put_object(out, value, indent + 2);
        } else if (json_is_array(value)) {
            size_t i;
            json_array_foreach(value, i, item) {
                xl_str_puts(out, i ? ", " : " [");
                put_scalar(out, item);
            }
            xl_str_puts(out, "]\n");
        } else {
            xl_str_puts(out, " ");
            put_scalar(out, value);
            xl_str_puts(out, "\n");
        }
    }
}

char *xl_plan_yaml(const json_t *job, int indent) {
    struct xl_str out = {0};
    put_object(&out, job, indent);
    return xl_str_take(&out);
}
