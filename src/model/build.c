/* build.c - names of tensors from places in the module tree, each checked against the shape that
 * the configuration implies; the first that does not fit fails the plan. */
#include "model/build.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void xl_manifest_deinit(struct xl_manifest *manifest) {
    xl_arena_deinit(&manifest->arena);
    free(manifest->tensors);
    *manifest = (struct xl_manifest){0};
}

int64_t xl_manifest_parameters(const struct xl_manifest *manifest) {
    int64_t n = 0;
    for (int i = 0; i < manifest->n; i++) n += xl_shape_count(manifest->tensors[i]->shape);
    return n;
}

static const struct xl_tensor *manifest_add(struct xl_manifest *manifest, const char *name,
                                            struct xl_shape shape) {
    if (manifest->n == manifest->capacity) {
        int capacity = manifest->capacity ? 2 * manifest->capacity : 256;
        struct xl_tensor **tensors = realloc(manifest->tensors, (size_t)capacity * sizeof *tensors);
        if (!tensors) return NULL;
        manifest->tensors = tensors;
        manifest->capacity = capacity;
    }
    struct xl_tensor *tensor = xl_arena_alloc(&manifest->arena, sizeof *tensor);
    char *copy = xl_arena_strdup(&manifest->arena, name);
    if (!tensor || !copy) return NULL;
    *tensor = (struct xl_tensor){.name = copy, .dtype = XL_DTYPE_BF16, .shape = shape};
    return manifest->tensors[manifest->n++] = tensor;
}

static bool find_in_files(const void *user, const char *name, struct xl_weight_part *out) {
    const struct xl_file_tensors *files = user;
    const struct xl_tensor *tensor = xl_weights_find(files->weights, name);
    if (!tensor) return false;
    *out = (struct xl_weight_part){.tensor = tensor, .id = xl_weight_id_of(files->base, name)};
    return true;
}

static const char *why_not_in_files(const void *user, const char *name) {
    return xl_weights_why_not(((const struct xl_file_tensors *)user)->weights, name);
}

struct xl_source xl_source_of_files(const struct xl_file_tensors *files) {
    return (struct xl_source){
        .tensors = {xl_weights_label(files->weights), find_in_files, files, why_not_in_files}};
}

enum xl_status xl_build_finish(const struct xl_module *module, struct xl_plan **out,
                               struct xl_err *err) {
    enum xl_status status = xl_plan_finish(module->plan, err);
    if (status)
        xl_plan_free(module->plan);
    else
        *out = module->plan;
    return status;
}

/* Paths come from this folder's formats and configurations with bounded counts. */
static void join(char out[XL_MODULE_PATH], const char *path, const char *name) {
    int n = snprintf(out, XL_MODULE_PATH, "%s%s%s", path, *path && *name ? "." : "", name);
    assert(n < XL_MODULE_PATH);
    (void)n;
}

struct xl_module xl_module_sub(const struct xl_module *module, const char *format, ...) {
    char name[XL_MODULE_PATH];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    struct xl_module sub = *module;
    join(sub.path, module->path, name);
    return sub;
}

bool xl_module_has(const struct xl_module *module, const char *name) {
    char full[XL_MODULE_PATH];
    join(full, module->path, name);
    struct xl_weight_part part;
    const struct xl_tensors *tensors = &module->source.tensors;
    return tensors->find && tensors->find(tensors->user, full, &part);
}

xl_val xl_module_tap(const struct xl_module *module, xl_val value) {
    if (!xl_plan_failed(module->plan)) xl_plan_tap(module->plan, value, "%s", module->path);
    return value;
}

struct xl_shape xl_build_shape(const struct xl_module *module, xl_val value) {
    if (xl_plan_failed(module->plan)) return (struct xl_shape){0};
    return xl_plan_value(module->plan, value)->shape;
}

int64_t xl_build_channels(const struct xl_module *module, xl_val value) {
    struct xl_shape shape = xl_build_shape(module, value);
    return shape.rank ? shape.dim[shape.rank - 1] : 0;
}

xl_val xl_build_cast(const struct xl_module *module, xl_val value, enum xl_dtype dtype) {
    if (xl_plan_failed(module->plan)) return 0;
    if (xl_plan_value(module->plan, value)->dtype == dtype) return value;
    return xl_cast(module->plan, value, dtype);
}

xl_val xl_build_output(const struct xl_module *module, xl_val value, const char *name) {
    xl_plan_output(module->plan, xl_build_cast(module, value, XL_DTYPE_F32), name);
    return xl_plan_failed(module->plan) ? 0 : xl_plan_find(module->plan, name);
}

/* [out, in, 1, 1] is the same weight as [out, in]. */
static bool is_same_weight(struct xl_shape a, struct xl_shape b) {
    if (a.rank == 4 && a.dim[2] == 1 && a.dim[3] == 1) a.rank = 2;
    if (b.rank == 4 && b.dim[2] == 1 && b.dim[3] == 1) b.rank = 2;
    return xl_shape_equal(a, b);
}

/* What the manifest makes of a name that is asked for. */
static struct xl_weight_part list_part(const struct xl_module *module, const char *name,
                                       struct xl_shape shape) {
    struct xl_weight_part part = {.tensor = manifest_add(module->source.manifest, name, shape),
                                  .id = xl_weight_id_of((struct xl_weight_id){{0}}, name)};
    if (!part.tensor)
        xl_plan_fail(module->plan, XL_ENOMEM, "out of memory for the list of tensors");
    return part;
}

/* Without a tensor after a failure, which is then recorded in the plan. */
static struct xl_weight_part find_part(const struct xl_module *module, const char *name,
                                       struct xl_shape shape) {
    static const struct xl_weight_part none = {0};
    if (xl_plan_failed(module->plan)) return none;
    char full[XL_MODULE_PATH], expected[XL_SHAPE_TEXT], found[XL_SHAPE_TEXT];
    join(full, module->path, name);
    const struct xl_tensors *tensors = &module->source.tensors;
    if (!tensors->find) return list_part(module, full, shape);
    struct xl_weight_part part = none;
    xl_shape_format(shape, expected);
    if (!tensors->find(tensors->user, full, &part)) {
        const char *why = tensors->why_not ? tensors->why_not(tensors->user, full) : NULL;
        if (why)
            xl_plan_fail(module->plan, XL_EFORMAT, "%s: %s", tensors->label, why);
        else
            xl_plan_fail(
                module->plan, XL_EMODEL,
                "%s: tensor \"%s\" is missing, expected with shape %s; the file is incomplete "
                "or does not belong to its config.json",
                tensors->label, full, expected);
        return none;
    }
    if (is_same_weight(part.tensor->shape, shape)) return part;
    xl_plan_fail(module->plan, XL_EFORMAT,
                 "%s: tensor \"%s\" has shape %s, expected %s; the file does not belong to its "
                 "config.json",
                 tensors->label, full, xl_shape_format(part.tensor->shape, found), expected);
    return none;
}

xl_val xl_build_weight(const struct xl_module *module, const char *name, struct xl_shape shape) {
    struct xl_weight_part part = find_part(module, name, shape);
    return part.tensor ? xl_plan_weight(module->plan, &part, 1) : 0;
}

/* "NAME.weight" of each of the layer's parts, or "NAME.bias", stacked. */
static xl_val stacked(const struct xl_module *module, const struct xl_layer *layer,
                      const char *what, struct xl_shape shape) {
    struct xl_weight_part parts[XL_MAX_PARTS];
    int n = 0;
    for (; n < XL_MAX_PARTS && layer->names[n]; n++) {
        struct xl_module part = xl_module_sub(module, "%s", layer->names[n]);
        parts[n] = find_part(&part, what, shape);
    }
    return xl_plan_failed(module->plan) ? 0 : xl_plan_weight(module->plan, parts, n);
}

xl_val xl_build_linear(const struct xl_module *module, xl_val x, struct xl_layer layer) {
    struct xl_linear attr = {.residual = layer.residual, .act = layer.act, .in_f8 = layer.in_f8};
    struct xl_shape shape = XL_SHAPE(layer.out, xl_build_channels(module, x), 1, 1);
    shape.rank = layer.is_conv ? 4 : 2;
    attr.weight = stacked(module, &layer, "weight", shape);
    if (!layer.no_bias) attr.bias = stacked(module, &layer, "bias", XL_SHAPE(layer.out));
    return xl_linear(module->plan, x, attr);
}

xl_val xl_build_conv3x3(const struct xl_module *module, const char *name, xl_val x, int64_t out,
                        struct xl_conv2d attr) {
    struct xl_module conv = xl_module_sub(module, "%s", name);
    attr.weight =
        xl_build_weight(&conv, "weight", XL_SHAPE(out, xl_build_channels(&conv, x), 3, 3));
    attr.bias = xl_build_weight(&conv, "bias", XL_SHAPE(out));
    attr.pad_top = attr.pad_left = attr.pad_bottom = attr.pad_right = 1;
    return xl_conv2d(module->plan, x, attr);
}

xl_val xl_build_group_norm(const struct xl_module *module, const char *name, xl_val x,
                           struct xl_group_norm attr) {
    struct xl_module norm = xl_module_sub(module, "%s", name);
    struct xl_shape shape = XL_SHAPE(xl_build_channels(&norm, x));
    attr.weight = xl_build_weight(&norm, "weight", shape);
    attr.bias = xl_build_weight(&norm, "bias", shape);
    return xl_group_norm(module->plan, x, attr);
}

xl_val xl_build_layer_norm(const struct xl_module *module, const char *name, xl_val x, double eps) {
    struct xl_module norm = xl_module_sub(module, "%s", name);
    struct xl_shape shape = XL_SHAPE(xl_build_channels(&norm, x));
    struct xl_layer_norm attr = {.eps = eps};
    attr.weight = xl_build_weight(&norm, "weight", shape);
    attr.bias = xl_build_weight(&norm, "bias", shape);
    return xl_layer_norm(module->plan, x, attr);
}

xl_val xl_build_resnet(const struct xl_module *module, xl_val x, struct xl_resnet resnet) {
    struct xl_group_norm norm = {.groups = resnet.groups, .eps = resnet.eps, .act = XL_ACT_SILU};
    struct xl_conv2d conv1 = {.in_f8 = resnet.in_f8}, conv2 = {.residual = x};
    conv2.in_f8 = resnet.in_f8;
    if (resnet.temb)
        conv1.channel_bias = xl_build_linear(
            module, resnet.temb, (struct xl_layer){{"time_emb_proj"}, .out = resnet.out});
    xl_val h = xl_build_group_norm(module, "norm1", x, norm);
    h = xl_build_conv3x3(module, "conv1", h, resnet.out, conv1);
    h = xl_build_group_norm(module, "norm2", h, norm);
    if (xl_build_channels(module, x) != resnet.out)
        conv2.residual = xl_build_linear(
            module, x, (struct xl_layer){{"conv_shortcut"}, .out = resnet.out, .is_conv = true});
    h = xl_build_conv3x3(module, "conv2", h, resnet.out, conv2);
    return xl_module_tap(module, h);
}
