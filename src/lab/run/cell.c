/* cell.c - the name of a cell, and cells as JSON. */
#include "lab/run/cell.h"

#include "base/json.h"
#include "base/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const rngs[] = {"torch-cpu", "torch-cuda"};

/* A seed as text: JSON readers lose digits of numbers above 2^53. */
static json_t *seed_text(uint64_t seed) {
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    return json_string(text);
}

/* What decides the pixels on the side of the request. */
static json_t *decisive(const struct xl_cell *cell) {
    json_t *object = json_object();
    json_object_set_new(object, "styled_prompt", xl_json_text(cell->styled_prompt));
    json_object_set_new(object, "effective_negative", xl_json_text(cell->effective_negative));
    json_object_set_new(object, "width", json_integer(cell->width));
    json_object_set_new(object, "height", json_integer(cell->height));
    json_object_set_new(object, "steps", json_integer(cell->steps));
    json_object_set_new(object, "guidance", json_real(cell->guidance));
    json_object_set_new(object, "guidance_rescale", json_real(cell->guidance_rescale));
    json_object_set_new(object, "scheduler", json_string(cell->scheduler));
    json_object_set_new(object, "seed", seed_text(cell->seed));
    json_object_set_new(object, "rng", json_string(rngs[cell->rng]));
    json_object_set_new(object, "vae_tile", json_integer(cell->vae_tile));
    if (cell->init_image) {
        json_object_set_new(object, "init_digest", xl_json_text(cell->init_digest));
        json_object_set_new(object, "strength", json_real(cell->strength));
    }
    return object;
}

enum xl_status xl_cell_identify(struct xl_cell *cell, const char *identity, struct xl_err *err) {
    json_t *object = decisive(cell);
    json_object_set_new(object, "identity", xl_json_text(identity));
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    json_decref(object);
    if (!text) return xl_fail_nomem(err, "a cell", 0);
    char digest[XL_SHA256_HEX];
    enum xl_status status = xl_sha256(text, strlen(text), digest, err);
    free(text);
    if (!status) snprintf(cell->id, sizeof cell->id, "%.*s", XL_CELL_ID_DIGITS, digest);
    return status;
}

json_t *xl_cell_write(const struct xl_cell *cell) {
    json_t *object = decisive(cell);
    int failed = !object;
    failed |= json_object_set_new(object, "id", json_string(cell->id));
    failed |= json_object_set_new(object, "index", json_integer(cell->index));
    failed |= json_object_set_new(object, "model", json_integer(cell->model));
    failed |= json_object_set_new(object, "job", json_integer(cell->job));
    failed |= json_object_set_new(object, "profile", xl_json_text(cell->profile));
    failed |= json_object_set_new(object, "prompt", xl_json_text(cell->prompt));
    failed |= json_object_set_new(object, "negative", xl_json_text(cell->negative));
    failed |= json_object_set_new(object, "init_image", xl_json_text(cell->init_image));
    failed |= json_object_set_new(object, "strength", json_real(cell->strength));
    if (!failed) return object;
    json_decref(object);
    return NULL;
}

/* A text of the object, kept in the arena; null stays NULL. */
static enum xl_status read_text(struct xl_json json, const char *key, struct xl_arena *arena,
                                const char **out, struct xl_err *err) {
    const char *text = NULL;
    enum xl_status status = xl_json_string(json, key, &text, err);
    if (status || !text) return status;
    *out = xl_arena_strdup(arena, text);
    return *out ? XL_OK : xl_fail_nomem(err, "a cell", 0);
}

static enum xl_status read_texts(struct xl_json json, struct xl_arena *arena, struct xl_cell *cell,
                                 struct xl_err *err) {
    const struct {
        const char *key;
        const char **out;
        bool is_needed;
    } texts[] = {
        {"profile", &cell->profile, true},
        {"prompt", &cell->prompt, true},
        {"negative", &cell->negative, false},
        {"styled_prompt", &cell->styled_prompt, true},
        {"effective_negative", &cell->effective_negative, false},
        {"scheduler", &cell->scheduler, true},
        {"init_image", &cell->init_image, false},
        {"init_digest", &cell->init_digest, false},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        enum xl_status status = read_text(json, texts[i].key, arena, texts[i].out, err);
        if (status) return status;
        if (texts[i].is_needed && !*texts[i].out)
            return xl_fail(err, XL_EINPUT, "%s: a cell has no \"%s\"", json.name, texts[i].key);
    }
    return XL_OK;
}

static enum xl_status read_names(struct xl_json json, struct xl_cell *cell, struct xl_err *err) {
    const char *id = "", *seed = "", *rng = "";
    enum xl_status status = xl_json_string(json, "id", &id, err);
    if (!status) status = xl_json_string(json, "seed", &seed, err);
    if (!status) status = xl_json_string(json, "rng", &rng, err);
    if (status) return status;
    char *end;
    cell->seed = strtoull(seed, &end, 10);
    cell->rng = !strcmp(rng, rngs[1]);
    if (strlen(id) != XL_CELL_ID_DIGITS || !seed[0] || *end)
        return xl_fail(err, XL_EINPUT, "%s: a cell has no \"id\" of %d digits or no \"seed\"",
                       json.name, XL_CELL_ID_DIGITS);
    strcpy(cell->id, id);
    return XL_OK;
}

enum xl_status xl_cell_read(const json_t *object, const char *name, struct xl_arena *arena,
                            struct xl_cell *out, struct xl_err *err) {
    struct xl_json json = {object, name};
    struct xl_cell cell = {.steps = 0};
    enum { SIDE = 1 << 16, MANY = 1 << 30 };
    enum xl_status status = read_texts(json, arena, &cell, err);
    if (!status) status = read_names(json, &cell, err);
    if (!status) status = xl_json_int(json, "index", 0, MANY, &cell.index, err);
    if (!status) status = xl_json_int(json, "model", 0, MANY, &cell.model, err);
    if (!status) status = xl_json_int(json, "job", 0, MANY, &cell.job, err);
    if (!status) status = xl_json_int(json, "width", 1, SIDE, &cell.width, err);
    if (!status) status = xl_json_int(json, "height", 1, SIDE, &cell.height, err);
    if (!status) status = xl_json_int(json, "steps", 1, SIDE, &cell.steps, err);
    if (!status) status = xl_json_int(json, "vae_tile", 0, SIDE, &cell.vae_tile, err);
    if (!status) status = xl_json_double(json, "guidance", 0, 1e6, &cell.guidance, err);
    if (!status)
        status = xl_json_double(json, "guidance_rescale", 0, 1, &cell.guidance_rescale, err);
    if (!status) status = xl_json_double(json, "strength", 0, 1, &cell.strength, err);
    if (!status) *out = cell;
    return status == XL_EFORMAT ? XL_EINPUT : status;
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && !strcmp(a, b));
}

bool xl_cell_fits(const struct xl_cell *a, const struct xl_cell *b) {
    return a->model == b->model && a->width == b->width && a->height == b->height &&
           a->steps == b->steps && a->guidance == b->guidance &&
           a->guidance_rescale == b->guidance_rescale && a->rng == b->rng &&
           a->strength == b->strength && a->vae_tile == b->vae_tile &&
           (a->effective_negative == NULL) == (b->effective_negative == NULL) &&
           same_text(a->scheduler, b->scheduler) && same_text(a->init_image, b->init_image);
}
