/* fields.c - values by their types, as pydantic takes them: "20" and 20.0 are whole numbers, too.
 * Keeps no state. */
#include "http/a1111/fields.h"

#include "base/json.h"
#include "lab/settings/settings.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What FastAPI says of a value of another type. */
static const struct {
    const char *sentence, *name, *schema;
} types[] = {
    [XL_FIELD_TEXT] = {"str type expected", "type_error.str", "string"},
    [XL_FIELD_INT] = {"value is not a valid integer", "type_error.integer", "integer"},
    [XL_FIELD_REAL] = {"value is not a valid float", "type_error.float", "number"},
    [XL_FIELD_SWITCH] = {"value could not be parsed to a boolean", "type_error.bool", "boolean"},
    [XL_FIELD_LIST] = {"value is not a valid list", "type_error.list", "array"},
    [XL_FIELD_OBJECT] = {"value is not a valid dict", "type_error.dict", "object"},
};

/* --- Refusing --------------------------------------------------------------------------------- */

enum xl_status xl_field_refuse(struct xl_reply *reply, const char *field, struct xl_err *err,
                               const char *format, ...) {
    char sentence[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    reply->code = 422;
    if (!reply->name) reply->name = "value_error";
    return xl_reply_about(reply, field, xl_fail(err, XL_EINVAL, "%s", sentence));
}

enum xl_status xl_a1111_refuse(struct xl_reply *reply, int code, struct xl_err *err,
                               const char *format, ...) {
    char sentence[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    reply->name = XL_A1111_EXCEPTION;
    return xl_reply_refuse(reply, code, err, "%s", sentence);
}

static enum xl_status refuse_type(const struct xl_field *row, const json_t *value,
                                  struct xl_reply *reply, struct xl_err *err) {
    char *text = xl_json_dump(value, JSON_COMPACT | JSON_ENCODE_ANY);
    reply->name = types[row->type].name;
    enum xl_status status = xl_field_refuse(reply, row->name, err, "%s: %s is %.60s%s",
                                            types[row->type].sentence, row->name, text ? text : "",
                                            text && strlen(text) > 60 ? "..." : "");
    free(text);
    return status;
}

/* --- Values ----------------------------------------------------------------------------------- */

static json_t *read_number(const json_t *value, bool is_whole) {
    const char *text = json_string_value(value);
    double number = json_is_true(value) ? 1 : json_number_value(value);
    if (json_is_integer(value)) return is_whole ? json_incref((json_t *)value) : json_real(number);
    if (text) {
        char *end;
        errno = 0;
        number = strtod(text, &end);
        bool is_number = *text && *text != ' ' && !*end && !errno;
        if (!is_number) return NULL;
        long long whole = strtoll(text, &end, 10);
        if (is_whole) return *end || errno ? NULL : json_integer(whole);
    }
    if (!isfinite(number) || (!text && !json_is_number(value) && !json_is_boolean(value)))
        return NULL;
    if (!is_whole) return json_real(number);
    bool is_its = fabs(number) < 9e15 && number == (double)(long long)number;
    return is_its ? json_integer((json_int_t)number) : NULL;
}

static json_t *read_switch(const json_t *value) {
    const char *text = json_string_value(value);
    bool is_on = json_is_true(value);
    if (json_is_boolean(value)) return json_boolean(is_on);
    if (json_is_integer(value) && json_integer_value(value) >> 1 == 0)
        return json_boolean(json_integer_value(value));
    return text && !xl_read_switch(text, "", &is_on, NULL) ? json_boolean(is_on) : NULL;
}

/* A number is a text of its digits. */
static json_t *text_of(const json_t *number) {
    char *digits = xl_json_dump(number, JSON_ENCODE_ANY);
    json_t *text = digits ? json_string(digits) : NULL;
    free(digits);
    return text;
}

/* As the type has it; NULL: it is none. */
static json_t *read_value(enum xl_field_type type, const json_t *value) {
    bool is_its = true;
    switch (type) {
    case XL_FIELD_INT:
    case XL_FIELD_REAL:
        return read_number(value, type == XL_FIELD_INT);
    case XL_FIELD_SWITCH:
        return read_switch(value);
    case XL_FIELD_TEXT:
        if (json_is_number(value)) return text_of(value);
        is_its = json_is_string(value) &&
                 strlen(json_string_value(value)) == json_string_length(value);
        break;
    case XL_FIELD_LIST:
        is_its = json_is_array(value);
        break;
    case XL_FIELD_OBJECT:
        is_its = json_is_object(value);
        break;
    }
    return is_its ? json_incref((json_t *)value) : NULL;
}

static json_t *parse(const char *text) {
    return json_loads(text, JSON_DECODE_ANY, NULL);
}

static bool is_nothing(const json_t *value) {
    return json_is_null(value) || json_is_false(value) ||
           (json_is_number(value) && json_number_value(value) == 0) ||
           (json_is_string(value) && !json_string_length(value)) ||
           (json_is_array(value) && !json_array_size(value)) ||
           (json_is_object(value) && !json_object_size(value));
}

static bool is_off(const struct xl_field *row, const json_t *value) {
    json_t *off = parse(row->off ? row->off : row->otherwise);
    bool is_it = json_is_number(off) && json_is_number(value)
                     ? json_number_value(off) == json_number_value(value)
                     : json_equal(value, off);
    json_decref(off);
    return is_it || json_is_null(value) || (!row->off && is_nothing(value));
}

/* --- Objects ---------------------------------------------------------------------------------- */

static enum xl_status read_row(const struct xl_field *row, const json_t *said,
                               struct xl_reply *reply, json_t *out, struct xl_err *err) {
    const json_t *given = json_object_get(said, row->name);
    bool is_said = given && !json_is_null(given);
    json_t *value = is_said ? read_value(row->type, given) : parse(row->otherwise);
    if (!value) return refuse_type(row, given, reply, err);
    if (row->use == XL_FIELD_LACKS && !is_off(row, value)) {
        json_decref(value);
        return xl_field_refuse(reply, row->name, err,
                               "%s: this program has nothing like it; leave it out, or at %s",
                               row->name, row->off ? row->off : row->otherwise);
    }
    return json_object_set_new(out, row->name, value) ? xl_fail_nomem(err, "a request", 0) : XL_OK;
}

static enum xl_status check_known(const struct xl_field_table *table, const json_t *said,
                                  struct xl_call *call, struct xl_reply *reply,
                                  struct xl_err *err) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)said, key, value) {
        bool is_known = false;
        for (int i = 0; i < table->n; i++) is_known |= !strcmp(table->rows[i].name, key);
        if (!is_known)
            return xl_field_refuse(reply, xl_arena_strdup(&call->arena, key), err,
                                   "\"%.60s\" is no option here; GET /sdapi/v1/options has those "
                                   "that there are",
                                   key);
    }
    return XL_OK;
}

enum xl_status xl_fields_read(const struct xl_field_table *table, const json_t *said,
                              struct xl_call *call, struct xl_reply *reply, json_t **out,
                              struct xl_err *err) {
    json_t *object = json_object();
    enum xl_status status = object ? XL_OK : xl_fail_nomem(err, "a request", 0);
    if (!status && table->is_closed) status = check_known(table, said, call, reply, err);
    for (int i = 0; !status && i < table->n; i++)
        status = read_row(&table->rows[i], said, reply, object, err);
    if (status)
        json_decref(object);
    else
        *out = object;
    return status;
}

json_t *xl_fields_schema(const struct xl_field_table *table) {
    json_t *schema = json_object(), *properties = json_object();
    bool ok = schema && properties;
    for (int i = 0; ok && i < table->n; i++) {
        const struct xl_field *row = &table->rows[i];
        json_t *property = json_object();
        xl_json_put(property, "type", json_string(types[row->type].schema), &ok);
        xl_json_put(property, "default", parse(row->otherwise), &ok);
        xl_json_put(properties, row->name, property, &ok);
    }
    xl_json_put(schema, "type", json_string("object"), &ok);
    xl_json_put(schema, "properties", properties, &ok);
    return xl_json_finish(schema, ok);
}

const char *xl_field_text(const json_t *fields, const char *name) {
    const char *text = json_string_value(json_object_get(fields, name));
    return text ? text : "";
}
int64_t xl_field_int(const json_t *fields, const char *name) {
    return json_integer_value(json_object_get(fields, name));
}
double xl_field_real(const json_t *fields, const char *name) {
    return json_number_value(json_object_get(fields, name));
}
bool xl_field_switch(const json_t *fields, const char *name) {
    return json_is_true(json_object_get(fields, name));
}
