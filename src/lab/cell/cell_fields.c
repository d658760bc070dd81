/* cell_fields.c - the table of fields, and what is done with one field. Keeps no state. */
#include "lab/cell/cell_fields.h"

#include "base/json.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { SIDE = 1 << 16, MANY = 1 << 30 };

/* Shorthand for the rows. */
#define AT(field) offsetof(struct xl_cell, field)
#define TEXT(field) .key = #field, .type = XL_CELL_TEXT, .offset = AT(field)
#define INT(field, min_, max_)                                                                     \
    .key = #field, .type = XL_CELL_INT, .offset = AT(field), .min = min_, .max = max_
#define REAL(field, min_, max_)                                                                    \
    .key = #field, .type = XL_CELL_REAL, .offset = AT(field), .min = min_, .max = max_
#define CHOICE(name, field) .key = name, .type = XL_CELL_CHOICE, .offset = AT(field)

#define DECIDES XL_CELL_DECIDES
#define SHARED XL_CELL_SHARED
#define NEEDED XL_CELL_NEEDED
#define ALWAYS XL_CELL_ALWAYS
#define PLAIN XL_CELL_PLAIN
#define LONG XL_CELL_LONG
#define FROM_INIT XL_CELL_FROM_INIT
#define YIELDS XL_CELL_YIELDS
#define FOLLOWS XL_CELL_FOLLOWS
#define NAMES XL_CELL_NAMES
#define NOT_NONE XL_CELL_NOT_NONE

/* Order: a model is loaded once; a plan is compiled for a size, and once more without guidance; an
 * init image is read and encoded; a text is encoded once when the cells that share it are
 * neighbours. */
static const struct xl_cell_field fields[] = {
    {INT(index, 0, MANY), .bits = XL_CELL_PLACE},
    {INT(model, 0, MANY), .bits = XL_CELL_PLACE | SHARED, .order = 1},
    {INT(job, 0, MANY), .bits = XL_CELL_PLACE},
    {TEXT(model_key), .bits = NAMES | ALWAYS | PLAIN, .caption = "Model"},
    {TEXT(lora), .caption = "LoRA"},
    {TEXT(vae), .caption = "VAE", .absent = "the model's own"},
    {TEXT(profile), .bits = NAMES | NEEDED | ALWAYS | PLAIN | XL_CELL_TITLE, .log = "profile_style",
     .caption = "Profile"},
    {TEXT(prompt), .bits = NAMES | NEEDED | LONG | PLAIN, .caption = "Prompt"},
    {TEXT(negative), .bits = LONG, .log = "negative_prompt", .caption = "Negative"},
    {TEXT(prompt_template), .bits = LONG | NOT_NONE | FOLLOWS, .caption = "Template"},
    {TEXT(negative_template), .bits = LONG | NOT_NONE | FOLLOWS, .caption = "Negative template"},
    {TEXT(styled_prompt), .bits = NEEDED | DECIDES | LONG | FOLLOWS, .order = 13,
     .caption = "Styled prompt"},
    {TEXT(effective_negative), .bits = DECIDES | LONG | FOLLOWS, .order = 14,
     .log = "effective_negative_prompt", .caption = "Effective negative"},
    {INT(width, 1, SIDE), .bits = NEEDED | DECIDES | SHARED | YIELDS | ALWAYS | PLAIN, .order = 2,
     .caption = "Size"},
    {INT(height, 1, SIDE), .bits = NEEDED | DECIDES | SHARED | YIELDS | ALWAYS | PLAIN, .order = 3,
     .caption = "Size"},
    {.key = "seed",
     .type = XL_CELL_SEED,
     .offset = AT(seed),
     .bits = NAMES | NEEDED | DECIDES | ALWAYS,
     .log = "seed_base",
     .caption = "Seed"},
    {INT(steps, 1, SIDE), .bits = NEEDED | DECIDES | SHARED | ALWAYS, .order = 8,
     .caption = "Steps"},
    {REAL(guidance, 0, 1e6), .bits = NEEDED | DECIDES | SHARED | ALWAYS, .order = 4,
     .log = "guidance_scale", .caption = "Guidance"},
    {REAL(guidance_rescale, 0, 1), .bits = DECIDES | SHARED, .order = 9,
     .caption = "Guidance rescale"},
    {TEXT(scheduler), .bits = NEEDED | DECIDES | SHARED | PLAIN, .order = 7,
     .caption = "Scheduler"},
    {CHOICE("rng", rng), .bits = DECIDES | SHARED | PLAIN, .order = 11,
     .caption = "Random numbers"},
    {CHOICE("dtype", precision), .bits = DECIDES | SHARED | PLAIN, .order = 12,
     .caption = "Arithmetic"},
    {TEXT(init_image), .bits = SHARED | FROM_INIT | XL_CELL_PATH, .order = 5,
     .caption = "Init image"},
    {TEXT(init_digest), .bits = DECIDES | FROM_INIT},
    {REAL(strength, 0, 1), .bits = DECIDES | SHARED | FROM_INIT, .order = 10,
     .caption = "Strength"},
    {INT(vae_tile, 0, SIDE), .bits = DECIDES | SHARED | YIELDS, .order = 6, .caption = "VAE tile"},
    {CHOICE("prompt_syntax", prompt_syntax), .bits = DECIDES | SHARED | NOT_NONE, .order = 16,
     .caption = "Prompt syntax", .absent = "plain"},
    {INT(clip_skip, 0, SIDE), .bits = DECIDES | SHARED | NOT_NONE, .order = 17,
     .caption = "Clip skip", .absent = "2"},
    {TEXT(embedding), .bits = DECIDES | SHARED | NOT_NONE | FOLLOWS, .order = 18,
     .caption = "Embedding"},
    {TEXT(embedding_digests), .bits = DECIDES | SHARED | NOT_NONE | FOLLOWS, .order = 19},
    {TEXT(embedding_files), .bits = XL_CELL_PLACE | NOT_NONE},
#ifdef XL_CELL_TEST_FIELD
    {REAL(test_field, 0, 1), .bits = DECIDES | SHARED, .order = 15, .caption = "Test field"},
#endif
};
enum { N_FIELDS = sizeof fields / sizeof *fields };
_Static_assert((int)N_FIELDS <= (int)XL_CELL_MAX_FIELDS, "a set of fields has 64 bits");

const struct xl_cell_field *xl_cell_field_at(int i) {
    return i >= 0 && i < N_FIELDS ? &fields[i] : NULL;
}

const struct xl_cell_field *xl_cell_field_find(const char *key) {
    for (int i = 0; i < N_FIELDS; i++)
        if (!strcmp(fields[i].key, key)) return &fields[i];
    return NULL;
}

/* --- One value -------------------------------------------------------------------------------- */

static const void *value_at(const struct xl_cell *cell, const struct xl_cell_field *field) {
    return (const char *)cell + field->offset;
}

static const char *text_at(const struct xl_cell *cell, const struct xl_cell_field *field) {
    return *(const char *const *)value_at(cell, field);
}

static int int_at(const struct xl_cell *cell, const struct xl_cell_field *field) {
    return *(const int *)value_at(cell, field);
}

static double real_at(const struct xl_cell *cell, const struct xl_cell_field *field) {
    return *(const double *)value_at(cell, field);
}

static uint64_t seed_at(const struct xl_cell *cell, const struct xl_cell_field *field) {
    return *(const uint64_t *)value_at(cell, field);
}

static const char *const *choices_of(const struct xl_cell_field *field) {
    return xl_option_find(field->key)->choices;
}

bool xl_cell_has(const struct xl_cell *cell, const struct xl_cell_field *field) {
    static const struct xl_cell nothing;
    if (field->bits & NOT_NONE && !xl_cell_compare(cell, &nothing, field)) return false;
    return !(field->bits & FROM_INIT) || cell->init_image;
}

json_t *xl_cell_value(const struct xl_cell *cell, const struct xl_cell_field *field) {
    switch (field->type) {
    case XL_CELL_TEXT:
        return xl_json_text(text_at(cell, field));
    case XL_CELL_INT:
        return json_integer(int_at(cell, field));
    case XL_CELL_REAL:
        return json_real(real_at(cell, field));
    case XL_CELL_SEED:
        return xl_json_seed(seed_at(cell, field));
    case XL_CELL_CHOICE:
        return json_string(choices_of(field)[int_at(cell, field)]);
    }
    return NULL;
}

json_t *xl_cell_shared_value(const struct xl_cell *cell, const struct xl_cell_field *field) {
    const char *path = field->bits & XL_CELL_PATH ? text_at(cell, field) : NULL;
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? xl_json_text(slash + 1) : xl_cell_value(cell, field);
}

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

int xl_cell_compare(const struct xl_cell *a, const struct xl_cell *b,
                    const struct xl_cell_field *field) {
    switch (field->type) {
    case XL_CELL_TEXT: {
        const char *x = text_at(a, field), *y = text_at(b, field);
        if (x == y || !x || !y) return x == y ? 0 : x ? 1 : -1;
        int order = strcmp(x, y);
        return ORDER(order, 0);
    }
    case XL_CELL_REAL:
        return ORDER(real_at(a, field), real_at(b, field));
    case XL_CELL_SEED:
        return ORDER(seed_at(a, field), seed_at(b, field));
    case XL_CELL_INT:
    case XL_CELL_CHOICE:
        break;
    }
    return ORDER(int_at(a, field), int_at(b, field));
}

const char *xl_cell_drawn_key(const struct xl_cell_field *field, bool in_log,
                              char out[XL_CELL_KEY_MAX]) {
    const char *key = in_log && field->log ? field->log : field->key;
    snprintf(out, XL_CELL_KEY_MAX, "%s%s", field->bits & YIELDS ? "requested_" : "", key);
    return out;
}

/* --- Reading ---------------------------------------------------------------------------------- */

static enum xl_status read_text(struct xl_json json, const char *key, struct xl_arena *arena,
                                const char **out, struct xl_err *err) {
    const char *text = NULL;
    enum xl_status status = xl_json_string(json, key, &text, err);
    if (status || !text) return status;
    *out = xl_arena_strdup(arena, text);
    return *out ? XL_OK : xl_fail_nomem(err, "a cell", 0);
}

static enum xl_status read_seed(struct xl_json json, const char *key, uint64_t *out,
                                struct xl_err *err) {
    const json_t *value = json_object_get(json.object, key);
    if (!value || xl_json_read_seed(value, out)) return XL_OK;
    return xl_fail(err, XL_EINPUT, "%s: \"%s\" is no seed: a whole number from 0 to 2^64 - 1",
                   json.name, key);
}

static enum xl_status read_choice(struct xl_json json, const struct xl_cell_field *field, int *out,
                                  struct xl_err *err) {
    const char *text = NULL, *const *choices = choices_of(field);
    enum xl_status status = xl_json_string(json, field->key, &text, err);
    if (status || !text) return status;
    for (int i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text)) continue;
        *out = i;
        return XL_OK;
    }
    return xl_fail(err, XL_EINPUT, "%s: \"%s\" is \"%.40s\", which is none that this program knows",
                   json.name, field->key, text);
}

enum xl_status xl_cell_read_field(const json_t *object, const char *name,
                                  const struct xl_cell_field *field, struct xl_arena *arena,
                                  struct xl_cell *cell, struct xl_err *err) {
    struct xl_json json = {object, name};
    void *out = (char *)cell + field->offset;
    enum xl_status status = XL_OK;
    switch (field->type) {
    case XL_CELL_TEXT:
        status = read_text(json, field->key, arena, out, err);
        break;
    case XL_CELL_INT:
        status = xl_json_int(json, field->key, (int64_t)field->min, (int64_t)field->max, out, err);
        break;
    case XL_CELL_REAL:
        status = xl_json_double(json, field->key, field->min, field->max, out, err);
        break;
    case XL_CELL_SEED:
        status = read_seed(json, field->key, out, err);
        break;
    case XL_CELL_CHOICE:
        status = read_choice(json, field, out, err);
        break;
    }
    return status == XL_EFORMAT ? XL_EINPUT : status;
}
