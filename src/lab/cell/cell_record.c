/* cell_record.c - records of pictures. Keeps no state. */
#include "lab/cell/cell_record.h"

#include "base/json.h"
#include "lab/cell/cell_fields.h"

#include <stdlib.h>
#include <string.h>

char *xl_cell_extra(const struct xl_cell *cell, const char *fallback) {
    xl_json_watch();
    json_t *object = xl_cell_write_shared(cell);
    bool ok = object != NULL;
    if (fallback[0]) xl_json_put(object, "fallback", xl_json_text(fallback), &ok);
    return xl_json_take_text(object, ok, JSON_COMPACT);
}

/* --- Format 1 --------------------------------------------------------------------------------- */

/* Give a member of one object to another under another key. */
static void move(json_t *from, const char *key, json_t *to, const char *new_key, bool *ok) {
    json_t *value = json_incref(json_object_get(from, key));
    json_object_del(from, key);
    if (value) xl_json_put(to, new_key, value, ok);
}

/* The styled texts were called prompt and negative; what was asked for, asked_prompt. */
static void upgrade_texts(json_t *record, bool *ok) {
    move(record, "prompt", record, "styled_prompt", ok);
    move(record, "negative", record, "effective_negative", ok);
    move(record, "asked_prompt", record, "prompt", ok);
    move(record, "asked_negative", record, "negative", ok);
}

/* scheduler was an object, with a part of the config and names for A1111's tools in it. */
static void upgrade_scheduler(json_t *record, bool *ok) {
    json_t *config = json_object();
    move(record, "scheduler", record, "scheduler_config", ok);
    json_t *old = json_object_get(record, "scheduler_config");
    move(old, "class", config, "_class_name", ok);
    move(old, "timestep_spacing", config, "timestep_spacing", ok);
    move(old, "prediction_type", config, "prediction_type", ok);
    move(old, "name", record, "scheduler", ok);
    move(record, "requested_scheduler", record, "scheduler", ok);
    xl_json_put(record, "scheduler_config", config, ok);
}

static void upgrade_drawn_by(json_t *record, bool *ok) {
    json_t *drawn_by = json_object();
    move(record, "program", drawn_by, "program", ok);
    move(record, "backend", drawn_by, "device", ok);
    move(record, "isa", drawn_by, "isa", ok);
    move(record, "precision", drawn_by, "precision", ok);
    move(record, "vae_precision", drawn_by, "vae_precision", ok);
    xl_json_put(record, "drawn_by", drawn_by, ok);
}

/* Files of weights were listed by component; configurations and tokenizers not at all. */
static void upgrade_model(json_t *record, bool *ok) {
    json_t *model = json_object_get(record, "model"), *files = json_array(), *component, *file;
    size_t i, k;
    json_array_foreach(json_object_get(model, "components"), i, component)
        json_array_foreach(json_object_get(component, "files"), k, file) {
        json_t *object = json_object(), *role = json_object_get(component, "name");
        if (role) xl_json_put(object, "role", json_incref(role), ok);
        move(file, "digest", object, "digest", ok);
        if (json_array_append_new(files, object)) *ok = false;
    }
    json_object_del(model, "components");
    if (!model)
        json_decref(files);
    else
        xl_json_put(model, "files", files, ok);
}

/* --- Reading ---------------------------------------------------------------------------------- */

enum xl_status xl_record_parse(const char *text, const char *name, json_t **out,
                               struct xl_err *err) {
    json_t *record = NULL;
    enum xl_status status = xl_json_parse(name, text, strlen(text), &record, err);
    if (status) return status == XL_EFORMAT ? XL_EINPUT : status;
    json_int_t format = json_integer_value(json_object_get(record, "format"));
    bool ok = true;
    xl_json_watch();
    if (format == 0) { /* the first had no number */
        upgrade_texts(record, &ok);
        upgrade_scheduler(record, &ok);
        upgrade_drawn_by(record, &ok);
        upgrade_model(record, &ok);
    } else if (format > XL_RECORD_FORMAT) {
        status = xl_fail(err, XL_EINPUT,
                         "%s: its record has format %lld, and this program knows 1 to %d; a newer "
                         "one made it",
                         name, (long long)format, XL_RECORD_FORMAT);
    }
    if (!status && (!ok || xl_json_ran_out())) status = xl_fail_nomem(err, "a record", 0);
    if (status)
        json_decref(record);
    else
        *out = record;
    return status;
}

enum xl_status xl_cell_from_record(const json_t *record, const char *name, struct xl_arena *arena,
                                   struct xl_cell *out, struct xl_err *err) {
    const unsigned needed = XL_CELL_NEEDED | XL_CELL_DECIDES;
    const struct xl_cell_field *field;
    struct xl_cell cell = {.index = 0};
    enum xl_status status = XL_OK;
    for (int i = 0; !status && (field = xl_cell_field_at(i)); i++) {
        if (field->bits & XL_CELL_PLACE) continue;
        const json_t *value = json_object_get(record, field->key);
        if ((field->bits & needed) == needed && (!value || json_is_null(value)))
            status = xl_fail(err, XL_EINPUT, "%s: its record has no \"%s\"", name, field->key);
        if (!status) status = xl_cell_read_field(record, name, field, arena, &cell, err);
    }
    if (status) return status;
    const json_t *drawn_by = json_object_get(record, "drawn_by");
    const char *precision = json_string_value(json_object_get(drawn_by, "precision"));
    if (precision) cell.precision = xl_precision_of_name(precision);
    *out = cell;
    return XL_OK;
}
