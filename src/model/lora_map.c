/* lora_map.c - the modules of a model under their names, sorted once, and what is added to them. */
#include "model/lora_map.h"

#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tensor of the model and its deltas. */
struct changed {
    const char *name; /* NULL: the module has none */
    struct xl_shape shape;
    struct xl_delta *deltas;
    int n_deltas;
};

struct module {
    const char *path;
    enum xl_lora_part part;
    struct changed weight, bias;
};

struct named {
    const char *name;
    struct module *module;
};

struct xl_lora_map {
    struct xl_arena arena;
    struct module *modules; /* by part and canonical path */
    int n_modules;
    struct named *names; /* by name */
    int n_names, capacity;
};

/* Text encoders are found with and without this. */
static const char *canonical(const char *name) {
    static const char prefix[] = "text_model.";
    return strncmp(name, prefix, sizeof prefix - 1) ? name : name + sizeof prefix - 1;
}

/* ---- The modules of a model ----------------------------------------------------------------- */

static int by_tensor_name(const void *a, const void *b) {
    return strcmp((*(const struct xl_tensor *const *)a)->name,
                  (*(const struct xl_tensor *const *)b)->name);
}

/* "P.weight" or "P.bias" into its module. The tensors come by name order. */
static bool add_tensor(struct xl_lora_map *map, enum xl_lora_part part,
                       const struct xl_tensor *tensor) {
    const char *end = strrchr(tensor->name, '.');
    bool is_bias = end && !strcmp(end, ".bias");
    if (!end || (!is_bias && strcmp(end, ".weight") != 0)) return true;
    size_t n = (size_t)(end - tensor->name);
    struct module *last = map->n_modules ? &map->modules[map->n_modules - 1] : NULL;
    if (!last || last->part != part || strlen(last->path) != n ||
        strncmp(last->path, tensor->name, n) != 0) {
        last = &map->modules[map->n_modules++];
        *last =
            (struct module){.path = xl_arena_strndup(&map->arena, tensor->name, n), .part = part};
    }
    struct changed *changed = is_bias ? &last->bias : &last->weight;
    changed->name = xl_arena_strdup(&map->arena, tensor->name);
    changed->shape = tensor->shape;
    return last->path && changed->name;
}

static enum xl_status add_part(struct xl_lora_map *map, enum xl_lora_part part,
                               struct xl_manifest *manifest, struct xl_err *err) {
    size_t n = (size_t)(map->n_modules + manifest->n);
    struct module *grown = realloc(map->modules, (n + 1) * sizeof *grown);
    bool ok = grown != NULL;
    if (grown) map->modules = grown;
    qsort(manifest->tensors, (size_t)manifest->n, sizeof *manifest->tensors, by_tensor_name);
    for (int i = 0; ok && i < manifest->n; i++) ok = add_tensor(map, part, manifest->tensors[i]);
    return ok ? XL_OK : xl_fail_nomem(err, "the modules of a model", 0);
}

/* Any shape does: that of weights does not depend on it. */
static enum xl_status add_unet(struct xl_lora_map *map, const struct xl_unet_config *config,
                               struct xl_err *err) {
    struct xl_manifest manifest = {0};
    struct xl_source source = {.manifest = &manifest};
    struct xl_unet_shape shape = {1, 32, 32, 1, XL_DTYPE_F32, false};
    struct xl_unet_io io;
    struct xl_plan *plan = NULL;
    enum xl_status status = xl_unet_build(config, source, shape, &io, &plan, err);
    if (!status) status = add_part(map, XL_LORA_UNET, &manifest, err);
    xl_plan_free(plan);
    xl_manifest_deinit(&manifest);
    return status;
}

static enum xl_status add_text(struct xl_lora_map *map, enum xl_lora_part part,
                               const struct xl_clip_config *config, struct xl_err *err) {
    struct xl_manifest manifest = {0};
    struct xl_source source = {.manifest = &manifest};
    struct xl_clip_shape shape = {.n = 1, .tokens = 1, .act_dtype = XL_DTYPE_F32};
    struct xl_clip_io io;
    struct xl_plan *plan = NULL;
    shape.head = part == XL_LORA_TEXT_2 ? XL_CLIP_HEAD_PROJECTION : XL_CLIP_HEAD_POOLER;
    enum xl_status status = xl_clip_build(config, source, shape, &io, &plan, err);
    if (!status) status = add_part(map, part, &manifest, err);
    xl_plan_free(plan);
    xl_manifest_deinit(&manifest);
    return status;
}

/* ---- Their names ---------------------------------------------------------------------------- */

struct naming {
    struct xl_lora_map *map;
    struct module *module;
};

static bool add_name(void *user, const char *name) {
    struct naming *naming = user;
    struct xl_lora_map *map = naming->map;
    if (map->n_names == map->capacity) {
        int capacity = map->capacity ? 2 * map->capacity : 1024;
        struct named *grown = realloc(map->names, (size_t)capacity * sizeof *grown);
        if (!grown) return false;
        map->names = grown;
        map->capacity = capacity;
    }
    const char *copy = xl_arena_strdup(&map->arena, name);
    if (!copy) return false;
    map->names[map->n_names++] = (struct named){copy, naming->module};
    return true;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static int by_place(const void *a, const void *b) {
    const struct module *x = a, *y = b;
    int order = (int)x->part - (int)y->part;
    return order ? order : strcmp(canonical(x->path), canonical(y->path));
}

/* Sorted first: names point at modules. */
static enum xl_status name_modules(struct xl_lora_map *map, const struct xl_unet_config *unet,
                                   struct xl_err *err) {
    struct xl_original_unet original;
    xl_unet_original(unet, &original);
    if (map->n_modules) qsort(map->modules, (size_t)map->n_modules, sizeof *map->modules, by_place);
    for (int i = 0; i < map->n_modules; i++) {
        struct naming naming = {map, &map->modules[i]};
        if (!xl_lora_names(naming.module->part, &original, naming.module->path, add_name, &naming))
            return xl_fail_nomem(err, "the names of a model's modules", 0);
    }
    if (map->n_names) qsort(map->names, (size_t)map->n_names, sizeof *map->names, by_name);
    return XL_OK;
}

enum xl_status xl_lora_map_new(struct xl_lora_configs configs, struct xl_lora_map **out,
                               struct xl_err *err) {
    struct xl_lora_map *map = calloc(1, sizeof *map);
    if (!map) return xl_fail_nomem(err, "the modules of a model", sizeof *map);
    enum xl_status status = add_unet(map, configs.unet, err);
    if (!status) status = add_text(map, XL_LORA_TEXT, configs.text, err);
    if (!status) status = add_text(map, XL_LORA_TEXT_2, configs.text_2, err);
    if (!status) status = name_modules(map, configs.unet, err);
    if (status) {
        xl_lora_map_free(map);
        return status;
    }
    *out = map;
    return XL_OK;
}

void xl_lora_map_free(struct xl_lora_map *map) {
    if (!map) return;
    for (int i = 0; i < map->n_modules; i++) {
        free(map->modules[i].weight.deltas);
        free(map->modules[i].bias.deltas);
    }
    free(map->modules);
    free(map->names);
    xl_arena_deinit(&map->arena);
    free(map);
}

/* ---- Applying ------------------------------------------------------------------------------- */

/* Where a delta belongs, and whose it is. */
struct applying {
    struct xl_lora_map *map;
    const struct xl_lora_use *use;
    const struct xl_lora_module *from;
};

static enum xl_status add_delta(struct changed *changed, const struct xl_delta *delta,
                                struct xl_err *err) {
    size_t n = (size_t)changed->n_deltas + 1;
    struct xl_delta *grown = realloc(changed->deltas, n * sizeof *grown);
    if (!grown) return xl_fail_nomem(err, "the deltas of a weight", 0);
    changed->deltas = grown;
    changed->deltas[changed->n_deltas++] = *delta;
    return XL_OK;
}

/* slots: of the tensors that are told */
static enum xl_status fail_shape(const struct applying *a, const struct changed *changed,
                                 enum xl_lora_slot first, enum xl_lora_slot last,
                                 struct xl_err *err) {
    char text[XL_SHAPE_TEXT];
    struct xl_str list = {0};
    for (int slot = (int)first; slot <= (int)last; slot++) {
        const struct xl_tensor *tensor = a->from->slot[slot];
        if (!tensor || slot == XL_LORA_ALPHA || slot == XL_LORA_SCALAR) continue;
        xl_str_printf(&list, "%s\"%s\" %s", list.len ? ", " : "", tensor->name,
                      xl_shape_format(tensor->shape, text));
    }
    enum xl_status status =
        xl_fail(err, XL_EFORMAT, "%s: %s: this does not fit \"%s\" %s of the model",
                xl_lora_file_path(a->use->file), list.text ? list.text : a->from->first,
                changed->name, xl_shape_format(changed->shape, text));
    xl_str_deinit(&list);
    return status;
}

/* The product, or the one tensor, that these slots are. */
static struct xl_factor factor_of(const struct xl_lora_module *module, enum xl_lora_slot whole,
                                  enum xl_lora_slot up, enum xl_lora_slot mid,
                                  enum xl_lora_slot down) {
    if (module->slot[whole]) return (struct xl_factor){.down = module->slot[whole]};
    return (struct xl_factor){module->slot[up], module->slot[mid], module->slot[down]};
}

static void set_factors(const struct xl_lora_module *from, struct xl_delta *delta) {
    switch (from->form) {
    case XL_LORA_NO_WEIGHT:
        break;
    case XL_LORA_PRODUCT:
    case XL_LORA_DIFFERENCE:
        delta->a = factor_of(from, XL_LORA_DIFF, XL_LORA_UP, XL_LORA_MID, XL_LORA_DOWN);
        break;
    case XL_LORA_HADAMARD:
        delta->kind = XL_DELTA_HADAMARD;
        delta->a =
            factor_of(from, XL_LORA_DIFF, XL_LORA_HADA_W1_A, XL_LORA_HADA_T1, XL_LORA_HADA_W1_B);
        delta->b =
            factor_of(from, XL_LORA_DIFF, XL_LORA_HADA_W2_A, XL_LORA_HADA_T2, XL_LORA_HADA_W2_B);
        break;
    case XL_LORA_KRONECKER:
        delta->kind = XL_DELTA_KRONECKER;
        delta->a =
            factor_of(from, XL_LORA_LOKR_W1, XL_LORA_LOKR_W1_A, XL_LORA_DIFF, XL_LORA_LOKR_W1_B);
        delta->b =
            factor_of(from, XL_LORA_LOKR_W2, XL_LORA_LOKR_W2_A, XL_LORA_LOKR_T2, XL_LORA_LOKR_W2_B);
        break;
    }
}

/* A magnitude takes the strength for itself. */
static void set_magnitude(const struct xl_lora_module *from, struct xl_shape shape, double strength,
                          struct xl_delta *delta) {
    const struct xl_tensor *kohya = from->slot[XL_LORA_DORA_SCALE];
    delta->magnitude = kohya ? kohya : from->slot[XL_LORA_MAGNITUDE];
    delta->scale = (float)from->scale;
    delta->strength = (float)strength;
    if (!delta->magnitude) {
        delta->scale = (float)(from->scale * strength);
        delta->strength = 0;
    } else if (kohya && kohya->shape.rank > 1) {
        delta->is_by_column = kohya->shape.dim[0] == 1 && shape.dim[0] != 1;
    }
}

static enum xl_status apply_weight(const struct applying *a, struct module *to, double strength,
                                   struct xl_err *err) {
    const struct xl_lora_module *from = a->from;
    struct changed *changed = &to->weight;
    struct xl_delta delta = {.id = xl_weight_id_of(a->use->id, from->name)};
    if (from->form == XL_LORA_NO_WEIGHT) return XL_OK;
    if (!changed->name)
        return xl_fail(err, XL_EFORMAT, "%s: \"%s\" is for a module without a weight",
                       xl_lora_file_path(a->use->file), from->first);
    set_factors(from, &delta);
    set_magnitude(from, changed->shape, strength, &delta);
    if (!isfinite(delta.scale))
        return xl_fail(err, XL_EFORMAT, "%s: the alpha of module \"%s\" is beyond all measure",
                       xl_lora_file_path(a->use->file), from->name);
    if (!xl_delta_fits(&delta, changed->shape))
        return fail_shape(a, changed, XL_LORA_DOWN, XL_LORA_SCALAR, err);
    return add_delta(changed, &delta, err);
}

static enum xl_status apply_bias(const struct applying *a, struct module *to,
                                 enum xl_lora_slot slot, double scale, struct xl_err *err) {
    const struct xl_tensor *tensor = a->from->slot[slot];
    struct changed *changed = &to->bias;
    struct xl_delta delta = {.a = {.down = tensor}, .scale = (float)scale};
    if (!tensor) return XL_OK;
    if (!changed->name)
        return xl_fail(err, XL_EFORMAT,
                       "%s: tensor \"%s\" changes the bias of %s, which has none in this model",
                       xl_lora_file_path(a->use->file), tensor->name, to->path);
    delta.id = xl_weight_id_of(a->use->id, tensor->name);
    if (!xl_delta_fits(&delta, changed->shape)) return fail_shape(a, changed, slot, slot, err);
    return add_delta(changed, &delta, err);
}

static enum xl_status apply_module(const struct applying *a, struct module *to, double strength,
                                   struct xl_err *err) {
    enum xl_status status = apply_weight(a, to, strength, err);
    if (!status) status = apply_bias(a, to, XL_LORA_DIFF_B, strength, err);
    if (!status) status = apply_bias(a, to, XL_LORA_UP_BIAS, strength * a->from->scale, err);
    return status;
}

static struct module *find_named(const struct xl_lora_map *map, const char *name) {
    const struct named key = {name, NULL};
    const struct named *found =
        bsearch(&key, map->names, (size_t)map->n_names, sizeof key, by_name);
    return found ? found->module : NULL;
}

bool xl_lora_map_find(const struct xl_lora_map *map, const char *name, enum xl_lora_part *part) {
    const struct module *module = find_named(map, name);
    if (module) *part = module->part;
    return module != NULL;
}

enum xl_status xl_lora_map_apply(struct xl_lora_map *map, const struct xl_lora_use *use,
                                 struct xl_lora_count *count, struct xl_err *err) {
    enum xl_status status = XL_OK;
    *count = (struct xl_lora_count){0};
    for (int i = 0; !status && i < xl_lora_file_count(use->file); i++) {
        struct applying a = {map, use, xl_lora_file_at(use->file, i)};
        struct module *to = find_named(map, a.from->name);
        if (!to) {
            if (!count->n_unmatched++) count->first_unmatched = a.from->name;
            continue;
        }
        bool is_unet = to->part == XL_LORA_UNET;
        double scale = is_unet ? use->unet_scale : use->text_scale;
        count->n_applied++;
        if (scale != 0) status = apply_module(&a, to, scale, err);
    }
    return status;
}

/* ---- As a source ---------------------------------------------------------------------------- */

static struct module *find_module(const struct xl_lora_map *map, enum xl_lora_part part,
                                  const char *name, bool *is_bias) {
    const char *end = strrchr(name, '.');
    if (!end) return NULL;
    size_t n = (size_t)(end - name);
    *is_bias = !strcmp(end, ".bias");
    int low = 0, high = map->n_modules;
    while (low < high) {
        int middle = low + (high - low) / 2;
        const struct module *module = &map->modules[middle];
        int order = (int)module->part - (int)part;
        if (!order) order = strncmp(canonical(module->path), name, n);
        if (!order) order = canonical(module->path)[n] != 0;
        if (!order) return &map->modules[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool find_changed(const void *user, const char *name, struct xl_weight_part *out) {
    const struct xl_lora_tensors *tensors = user;
    if (!tensors->base.find(tensors->base.user, name, out)) return false;
    bool is_bias;
    struct module *module = find_module(tensors->map, tensors->part, canonical(name), &is_bias);
    if (!module) return true;
    const struct changed *changed = is_bias ? &module->bias : &module->weight;
    out->deltas = changed->deltas;
    out->n_deltas = changed->n_deltas;
    return true;
}

static const char *why_not(const void *user, const char *name) {
    const struct xl_tensors *base = &((const struct xl_lora_tensors *)user)->base;
    return base->why_not ? base->why_not(base->user, name) : NULL;
}

struct xl_source xl_source_with_loras(const struct xl_lora_tensors *tensors) {
    return (struct xl_source){.tensors = {tensors->base.label, find_changed, tensors, why_not}};
}
