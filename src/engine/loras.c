/* loras.c - the LoRAs of a model: opened, told apart by their digests, put on top of its weights.
 * Their order is that of the digests, so that sums are the same to the bit whichever was named
 * first. */
#include "engine/engine.h"

#include "hub/classify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct xl_source xl_model_source(const struct xl_model *model, enum xl_component component) {
    if (model->lora_map && component != XL_VAE)
        return xl_source_with_loras(&model->lora_tensors[component]);
    return xl_source_of_files(&model->tensors[component]);
}

/* The last part of a path without its ending. */
static const char *name_of(struct xl_arena *arena, const char *path) {
    static const char end[] = ".safetensors";
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name), n_end = sizeof end - 1;
    if (n > n_end && !strcmp(name + n - n_end, end)) n -= n_end;
    return xl_arena_strndup(arena, name, n);
}

bool xl_lora_is_used(const struct xl_lora *lora) {
    return lora->text_scale != 0 || lora->unet_scale != 0;
}

static enum xl_status check_params(const struct xl_model_params *params, struct xl_err *err) {
    for (int i = 0; i < params->n_loras; i++) {
        const struct xl_lora *lora = &params->loras[i];
        if (!lora->file || !lora->file[0]) return xl_fail(err, XL_EINVAL, "a LoRA without a file");
        if (!isfinite(lora->text_scale) || !isfinite(lora->unet_scale))
            return xl_fail(err, XL_EINVAL, "%s: the scale of a LoRA is no number", lora->file);
    }
    return XL_OK;
}

static enum xl_status describe(struct xl_model *model, const struct xl_lora *lora,
                               struct xl_lora_info *info, struct xl_err *err) {
    char hex[XL_SHA256_HEX];
    enum xl_status status = xl_hub_file_digest(lora->file, hex, err);
    if (status) return status == XL_EINPUT ? XL_EFORMAT : status;
    *info = (struct xl_lora_info){
        .name = name_of(&model->arena, lora->file),
        .path = xl_arena_strdup(&model->arena, lora->file),
        .digest = xl_arena_strdup(&model->arena, hex),
        .text_scale = lora->text_scale,
        .unet_scale = lora->unet_scale,
    };
    if (!info->name || !info->path || !info->digest) return xl_fail_nomem(err, "a LoRA", 0);
    return XL_OK;
}

static int compare(const struct xl_lora_info *x, const struct xl_lora_info *y) {
    int order = strcmp(x->digest, y->digest);
    if (!order) order = (x->text_scale > y->text_scale) - (x->text_scale < y->text_scale);
    return order ? order : (x->unet_scale > y->unet_scale) - (x->unet_scale < y->unet_scale);
}

/* What is no LoRA for SDXL at all is named, rather than the first tensor that does not fit. */
static enum xl_status explain(const char *path, enum xl_status status, struct xl_err *err) {
    if (status == XL_EFORMAT) xl_hub_file_fit(path, XL_FILE_LORA, err);
    return status;
}

/* Open one more LoRA, in its place. */
static enum xl_status open_one(struct xl_model *model, const struct xl_lora *lora,
                               struct xl_lora_info *loras, struct xl_err *err) {
    struct xl_lora_info info;
    struct xl_lora_file *file;
    enum xl_status status = xl_lora_file_open(lora->file, &file, err);
    if (status) return explain(lora->file, status, err);
    status = describe(model, lora, &info, err);
    if (status) {
        xl_lora_file_close(file);
        return status;
    }
    int i = model->info.n_loras++;
    for (; i && compare(&info, &loras[i - 1]) < 0; i--) {
        loras[i] = loras[i - 1];
        model->lora_files[i] = model->lora_files[i - 1];
    }
    loras[i] = info;
    model->lora_files[i] = file;
    return XL_OK;
}

/* The LoRAs that count, sorted. loras: room for them all */
static enum xl_status open_files(struct xl_model *model, const struct xl_model_params *params,
                                 struct xl_lora_info *loras, struct xl_err *err) {
    enum xl_status status = XL_OK;
    model->info.loras = loras;
    for (int i = 0; !status && i < params->n_loras; i++)
        if (xl_lora_is_used(&params->loras[i]))
            status = open_one(model, &params->loras[i], loras, err);
    return status;
}

static enum xl_status open_map(struct xl_model *model, struct xl_err *err) {
    static const enum xl_component components[XL_LORA_N_PARTS] = {
        [XL_LORA_UNET] = XL_UNET,
        [XL_LORA_TEXT] = XL_TEXT_ENCODER,
        [XL_LORA_TEXT_2] = XL_TEXT_ENCODER_2,
    };
    struct xl_lora_configs configs = {&model->unet, &model->clip[0], &model->clip[1]};
    enum xl_status status = xl_lora_map_new(configs, &model->lora_map, err);
    for (int part = 0; !status && part < XL_LORA_N_PARTS; part++) {
        enum xl_component c = components[part];
        model->tensors[c].weights = model->weights[c];
        model->lora_tensors[c] = (struct xl_lora_tensors){
            xl_source_of_files(&model->tensors[c]).tensors, model->lora_map, part};
    }
    return status;
}

static enum xl_status apply(struct xl_model *model, struct xl_lora_info *info,
                            const struct xl_lora_file *file, struct xl_str *notices,
                            struct xl_err *err) {
    struct xl_lora_use use = {
        .file = file,
        .id = xl_weight_id_of((struct xl_weight_id){{0}}, info->digest),
        .text_scale = info->text_scale,
        .unet_scale = info->unet_scale,
    };
    struct xl_lora_count count;
    enum xl_status status = xl_lora_map_apply(model->lora_map, &use, &count, err);
    if (status) return status;
    info->n_applied = count.n_applied;
    info->n_modules = count.n_applied + count.n_unmatched;
    if (!count.n_applied)
        return xl_fail(err, XL_EFORMAT,
                       "%s: nothing in this LoRA is for a model of this kind: none of its %d "
                       "modules is known here, the first is \"%s\"",
                       info->path, info->n_modules, count.first_unmatched);
    if (count.n_unmatched)
        xl_str_printf(notices,
                      "%s: %d of %d modules are for parts that this model does not have: first "
                      "%s\n",
                      info->name, count.n_unmatched, info->n_modules, count.first_unmatched);
    return XL_OK;
}

enum xl_status xl_model_open_loras(struct xl_model *model, const struct xl_model_params *params,
                                   struct xl_str *notices, struct xl_err *err) {
    if (!params->n_loras) return XL_OK;
    size_t most = (size_t)params->n_loras;
    struct xl_lora_info *loras = xl_arena_alloc(&model->arena, most * sizeof *loras);
    model->lora_files = xl_arena_alloc(&model->arena, most * sizeof(struct xl_lora_file *));
    if (!loras || !model->lora_files) return xl_fail_nomem(err, "the LoRAs of a model", 0);
    enum xl_status status = check_params(params, err);
    if (!status) status = open_files(model, params, loras, err);
    if (status || !model->info.n_loras) return status;
    status = open_map(model, err);
    for (int i = 0; !status && i < model->info.n_loras; i++)
        status = explain(loras[i].path, apply(model, &loras[i], model->lora_files[i], notices, err),
                         err);
    return status;
}

void xl_model_close_loras(struct xl_model *model) {
    xl_lora_map_free(model->lora_map);
    for (int i = 0; i < model->info.n_loras; i++) xl_lora_file_close(model->lora_files[i]);
}

enum xl_status xl_model_verify_loras(const struct xl_model *model, struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < model->info.n_loras; i++)
        status = xl_lora_file_verify(model->lora_files[i], err);
    return status;
}
