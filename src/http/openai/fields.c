/* fields.c - the table. Keeps no state. */
#include "http/openai/fields.h"

#include "base/json.h"
#include "base/str.h"
#include "lab/settings/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, INT, SWITCH, CHOICE };
enum { GENERATION = 1, EDIT = 2, BOTH = 3 };

struct row {
    const char *name;
    enum kind kind;
    unsigned calls;
    int min, max; /* INT */
    const char *const *choices;
};

static const char *const response_formats[] = {
    [XL_OPENAI_URL] = "url", [XL_OPENAI_B64_JSON] = "b64_json", NULL};
static const char *const output_formats[] = {"png", "jpeg", "webp", NULL};
static const char *const qualities[] = {"auto", "low", "medium",   "high", "xhigh",
                                        "max",  "hd",  "standard", NULL};
static const char *const backgrounds[] = {"auto", "opaque", "transparent", NULL};
static const char *const styles[] = {"vivid", "natural", NULL};
static const char *const fidelities[] = {"high", "low", NULL};
static const char *const moderations[] = {"auto", "low", NULL};

static const struct row rows[XL_OPENAI_N_FIELDS] = {
    [XL_OPENAI_PROMPT] = {.name = "prompt", .kind = TEXT, .calls = BOTH},
    [XL_OPENAI_MODEL] = {.name = "model", .kind = TEXT, .calls = BOTH},
    [XL_OPENAI_N] = {.name = "n", .kind = INT, .calls = BOTH, .min = 1, .max = 10},
    [XL_OPENAI_SIZE] = {.name = "size", .kind = TEXT, .calls = BOTH},
    [XL_OPENAI_RESPONSE_FORMAT] = {.name = "response_format",
                                   .kind = CHOICE,
                                   .calls = BOTH,
                                   .choices = response_formats},
    [XL_OPENAI_OUTPUT_FORMAT] = {.name = "output_format",
                                 .kind = CHOICE,
                                 .calls = BOTH,
                                 .choices = output_formats},
    [XL_OPENAI_OUTPUT_COMPRESSION] = {.name = "output_compression",
                                      .kind = INT,
                                      .calls = BOTH,
                                      .max = 100},
    [XL_OPENAI_STREAM] = {.name = "stream", .kind = SWITCH, .calls = BOTH},
    [XL_OPENAI_PARTIAL_IMAGES] = {.name = "partial_images", .kind = INT, .calls = BOTH, .max = 3},
    [XL_OPENAI_QUALITY] = {.name = "quality", .kind = CHOICE, .calls = BOTH, .choices = qualities},
    [XL_OPENAI_BACKGROUND] = {.name = "background",
                              .kind = CHOICE,
                              .calls = BOTH,
                              .choices = backgrounds},
    [XL_OPENAI_STYLE] = {.name = "style", .kind = CHOICE, .calls = GENERATION, .choices = styles},
    [XL_OPENAI_INPUT_FIDELITY] = {.name = "input_fidelity",
                                  .kind = CHOICE,
                                  .calls = EDIT,
                                  .choices = fidelities},
    [XL_OPENAI_MODERATION] = {.name = "moderation",
                              .kind = CHOICE,
                              .calls = BOTH,
                              .choices = moderations},
    [XL_OPENAI_USER] = {.name = "user", .kind = TEXT, .calls = BOTH},
    [XL_OPENAI_SAFETY_IDENTIFIER] = {.name = "safety_identifier", .kind = TEXT, .calls = BOTH},
};

static bool has_field(const struct row *row, bool is_edit) {
    return row->calls & (is_edit ? EDIT : GENERATION);
}

const char *xl_openai_field_name(enum xl_openai_field field) {
    return rows[field].name;
}

int xl_openai_field_find(const char *name, bool is_edit) {
    for (int i = 0; i < XL_OPENAI_N_FIELDS; i++)
        if (has_field(&rows[i], is_edit) && !strcmp(rows[i].name, name)) return i;
    return -1;
}

/* --- Values ----------------------------------------------------------------------------------- */

/* What was found, for a sentence. */
static void show(const json_t *value, char out[48]) {
    char *text = xl_json_dump(value, JSON_ENCODE_ANY | JSON_COMPACT);
    snprintf(out, 48, "%.40s", text ? text : "something else");
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < 32 || (unsigned char)*c > 126) *c = '?';
    free(text);
}

static enum xl_status refuse(const struct row *row, const json_t *value, const char *expected,
                             struct xl_err *err) {
    char found[48];
    show(value, found);
    return xl_fail(err, XL_EINVAL, "%s is %s, expected %s", row->name, found, expected);
}

static enum xl_status read_int(const struct row *row, const json_t *value, int *out,
                               struct xl_err *err) {
    const char *text = json_string_value(value);
    char expected[64], *end = NULL;
    long long number = json_is_integer(value) ? json_integer_value(value) : LLONG_MIN;
    errno = 0;
    if (text && *text) number = strtoll(text, &end, 10);
    bool fits = !errno && (!end || !*end) && number >= row->min && number <= row->max;
    snprintf(expected, sizeof expected, "a whole number from %d to %d", row->min, row->max);
    if (!fits) return refuse(row, value, expected, err);
    *out = (int)number;
    return XL_OK;
}

static enum xl_status read_switch(const struct row *row, const json_t *value, int *out,
                                  struct xl_err *err) {
    bool is_on = json_is_true(value);
    bool fits = json_is_boolean(value) ||
                (json_is_string(value) &&
                 !xl_read_switch(json_string_value(value), row->name, &is_on, NULL));
    *out = is_on;
    return fits ? XL_OK : refuse(row, value, "true or false", err);
}

static enum xl_status read_choice(const struct row *row, const json_t *value,
                                  struct xl_openai_value *out, struct xl_err *err) {
    const char *text = json_string_value(value);
    struct xl_str list = {0};
    for (int i = 0; row->choices[i]; i++) {
        xl_str_printf(&list, "%s%s", i ? ", " : "one of ", row->choices[i]);
        if (!text || strcmp(text, row->choices[i]) != 0) continue;
        out->text = row->choices[i];
        out->number = i;
    }
    enum xl_status status = out->text ? XL_OK
                                      : refuse(row, value, list.text ? list.text : "another", err);
    xl_str_deinit(&list);
    return status;
}

enum xl_status xl_openai_field_read(enum xl_openai_field field, const json_t *value,
                                    struct xl_openai_value *out, struct xl_err *err) {
    const struct row *row = &rows[field];
    enum xl_status status = XL_OK;
    *out = (struct xl_openai_value){.is_said = !json_is_null(value)};
    if (!out->is_said) return XL_OK;
    switch (row->kind) {
    case TEXT:
        out->text = json_string_value(value);
        if (!out->text) status = refuse(row, value, "a text", err);
        break;
    case INT:
        status = read_int(row, value, &out->number, err);
        break;
    case SWITCH:
        status = read_switch(row, value, &out->number, err);
        break;
    case CHOICE:
        status = read_choice(row, value, out, err);
        break;
    }
    return status;
}

/* --- OpenAPI ---------------------------------------------------------------------------------- */

static json_t *row_schema(const struct row *row, bool *ok) {
    static const char *const types[] = {
        [TEXT] = "string", [INT] = "integer", [SWITCH] = "boolean", [CHOICE] = "string"};
    json_t *schema = json_object(), *choices = row->choices ? json_array() : NULL;
    xl_json_put(schema, "type", json_string(types[row->kind]), ok);
    if (row->kind == INT) xl_json_put(schema, "minimum", json_integer(row->min), ok);
    if (row->kind == INT) xl_json_put(schema, "maximum", json_integer(row->max), ok);
    for (int i = 0; choices && row->choices[i]; i++)
        *ok = !json_array_append_new(choices, json_string(row->choices[i])) && *ok;
    if (choices) xl_json_put(schema, "enum", choices, ok);
    return schema;
}

json_t *xl_openai_fields_schema(bool is_edit) {
    json_t *properties = json_object();
    bool ok = properties != NULL;
    for (int i = 0; i < XL_OPENAI_N_FIELDS; i++)
        if (has_field(&rows[i], is_edit))
            xl_json_put(properties, rows[i].name, row_schema(&rows[i], &ok), &ok);
    return xl_json_finish(properties, ok);
}
