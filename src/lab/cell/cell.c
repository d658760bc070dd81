/* cell.c - the name of a cell; cells from settings, as JSON and as requests. Keeps no state. */
#include "lab/cell/cell.h"

#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "image/image.h"
#include "lab/cell/cell_fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The type of an option whose value a field of this type can take. */
static enum xl_option_type option_type(enum xl_cell_type type) {
    static const enum xl_option_type types[] = {
        [XL_CELL_TEXT] = XL_OPTION_STRING,   [XL_CELL_INT] = XL_OPTION_INT,
        [XL_CELL_REAL] = XL_OPTION_REAL,     [XL_CELL_SEED] = XL_OPTION_SEED,
        [XL_CELL_CHOICE] = XL_OPTION_CHOICE,
    };
    return types[type];
}

static size_t size_of(enum xl_cell_type type) {
    static const size_t sizes[] = {
        [XL_CELL_TEXT] = sizeof(const char *), [XL_CELL_INT] = sizeof(int),
        [XL_CELL_REAL] = sizeof(double),       [XL_CELL_SEED] = sizeof(uint64_t),
        [XL_CELL_CHOICE] = sizeof(int),
    };
    return sizes[type];
}

void xl_cell_from_settings(struct xl_cell *cell, const struct xl_settings *settings) {
    const struct xl_cell_field *field;
    *cell = (struct xl_cell){.index = 0};
    for (int i = 0; (field = xl_cell_field_at(i)); i++) {
        const struct xl_option *option = xl_option_find(field->key);
        if (!option || option->type != option_type(field->type)) continue;
        memcpy((char *)cell + field->offset, (const char *)settings + option->offset,
               size_of(field->type));
    }
    if (cell->clip_skip == XL_CLIP_SKIP_OWN) cell->clip_skip = 0;
}

const char *xl_cell_mode(const struct xl_cell *cell) {
    return cell->init_image ? "img2img" : "txt2img";
}

/* --- Its name --------------------------------------------------------------------------------- */

enum xl_status xl_cell_identify(struct xl_cell *cell, const char *digest, struct xl_err *err) {
    static const struct xl_cell nothing; /* what does nothing is 0 or NULL and is left out */
    const struct xl_cell_field *field;
    xl_json_watch();
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "model_digest", json_string(digest), &ok);
    for (int i = 0; (field = xl_cell_field_at(i)); i++)
        if (field->bits & XL_CELL_DECIDES && xl_cell_has(cell, field) &&
            xl_cell_compare(cell, &nothing, field))
            xl_json_put(object, field->key, xl_cell_value(cell, field), &ok);
    char *text =
        xl_json_take_text(object, ok, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    if (!text) return xl_fail_nomem(err, "a cell", 0);
    char sha256[XL_SHA256_HEX];
    enum xl_status status = xl_sha256(text, strlen(text), sha256, err);
    free(text);
    if (!status) snprintf(cell->id, sizeof cell->id, "%.*s", XL_CELL_ID_DIGITS, sha256);
    return status;
}

/* --- JSON ------------------------------------------------------------------------------------- */

json_t *xl_cell_write(const struct xl_cell *cell) {
    const struct xl_cell_field *field;
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "id", json_string(cell->id), &ok);
    for (int i = 0; (field = xl_cell_field_at(i)); i++)
        if (xl_cell_has(cell, field))
            xl_json_put(object, field->key, xl_cell_value(cell, field), &ok);
    return xl_json_finish(object, ok);
}

static json_t *write_drawn(const struct xl_cell *cell, bool is_shared) {
    const struct xl_cell_field *field;
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "cell", json_string(cell->id), &ok);
    for (int i = 0; (field = xl_cell_field_at(i)); i++) {
        char key[XL_CELL_KEY_MAX];
        if (field->bits & XL_CELL_PLACE || !xl_cell_has(cell, field)) continue;
        xl_cell_drawn_key(field, false, key);
        xl_json_put(object, key,
                    is_shared ? xl_cell_shared_value(cell, field) : xl_cell_value(cell, field),
                    &ok);
    }
    return xl_json_finish(object, ok);
}

json_t *xl_cell_write_drawn(const struct xl_cell *cell) {
    return write_drawn(cell, false);
}

json_t *xl_cell_write_shared(const struct xl_cell *cell) {
    return write_drawn(cell, true);
}

static enum xl_status read_id(const json_t *object, const char *name, struct xl_cell *cell,
                              struct xl_err *err) {
    const char *id = json_string_value(json_object_get(object, "id"));
    if (!id || strlen(id) != XL_CELL_ID_DIGITS)
        return xl_fail(err, XL_EINPUT, "%s: a cell has no \"id\" of %d digits", name,
                       XL_CELL_ID_DIGITS);
    strcpy(cell->id, id);
    return XL_OK;
}

enum xl_status xl_cell_read(const json_t *object, const char *name, struct xl_arena *arena,
                            struct xl_cell *out, struct xl_err *err) {
    const struct xl_cell_field *field;
    struct xl_cell cell = {.index = 0};
    enum xl_status status = read_id(object, name, &cell, err);
    for (int i = 0; !status && (field = xl_cell_field_at(i)); i++) {
        const json_t *value = json_object_get(object, field->key);
        if (field->bits & XL_CELL_NEEDED && (!value || json_is_null(value)))
            status = xl_fail(err, XL_EINPUT, "%s: a cell has no \"%s\"", name, field->key);
        if (!status) status = xl_cell_read_field(object, name, field, arena, &cell, err);
    }
    if (!status) status = xl_cell_settle_embeddings(&cell, name, arena, err);
    if (!status) *out = cell;
    return status;
}

/* --- Requests --------------------------------------------------------------------------------- */

void xl_cell_request(const struct xl_cell *cell, struct xl_request *request,
                     struct xl_picture *picture) {
    *picture = (struct xl_picture){cell->styled_prompt, cell->effective_negative, cell->seed, NULL};
    xl_request_default(request);
    request->pictures = picture;
    request->n_pictures = 1;
    request->width = cell->width;
    request->height = cell->height;
    request->steps = cell->steps;
    request->guidance = cell->guidance;
    request->guidance_rescale = cell->guidance_rescale;
    request->scheduler = cell->scheduler;
    request->prompt_syntax = cell->prompt_syntax;
    request->clip_skip = cell->clip_skip;
    request->embeddings = cell->embeddings;
    request->n_embeddings = cell->n_embeddings;
    request->rng = cell->rng;
    request->strength = cell->strength;
    request->vae_tile = cell->vae_tile;
    request->precision = cell->precision;
}

enum xl_status xl_init_read(const char *path, struct xl_image *image, const char **digest,
                            struct xl_arena *arena, struct xl_err *err) {
    const struct xl_read_rule rule = {XL_IMAGE_MAX_FILE_BYTES, XL_EINPUT, XL_EINPUT};
    char *data = NULL, hex[XL_SHA256_HEX];
    size_t n = 0;
    struct xl_image read = {0};
    enum xl_status status = xl_file_read(path, rule, &data, &n, err);
    if (!status) status = xl_sha256(data, n, hex, err);
    if (!status) status = xl_image_decode(path, data, n, &read, err);
    free(data);
    const char *kept = status ? NULL : xl_arena_strdup(arena, hex);
    if (!status && !kept) status = xl_fail_nomem(err, "a digest", 0);
    if (status) {
        xl_image_free(&read);
        return status;
    }
    *image = read;
    *digest = kept;
    return XL_OK;
}

enum xl_status xl_cell_load_init(const struct xl_cell *cell, struct xl_image *out,
                                 struct xl_err *err) {
    static const char GO_ON[] = "put the picture back that it started from, or start a new run";
    struct xl_arena arena = {0};
    struct xl_image image = {0};
    const char *digest = NULL;
    if (!cell->init_digest)
        return xl_fail(err, XL_EINPUT, "the digest of %s, which it started from, is not known",
                       cell->init_image);
    enum xl_status status = xl_init_read(cell->init_image, &image, &digest, &arena, err);
    struct xl_err why = err ? *err : (struct xl_err){{0}};
    if (!status && strcmp(digest, cell->init_digest) != 0)
        status = xl_fail(err, XL_EINPUT,
                         "%s is not the picture any more that it started from (its digest is "
                         "%.10s..., and was %.10s...); %s",
                         cell->init_image, digest, cell->init_digest, GO_ON);
    else if (status == XL_EINPUT)
        xl_fail(err, status, "%s; %s", why.text, GO_ON);
    xl_arena_deinit(&arena);
    if (status)
        xl_image_free(&image);
    else
        *out = image;
    return status;
}
