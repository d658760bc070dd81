/* model.c - opening and closing a model: files, configurations, tokenizers, weights, backend. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

void xl_model_params_default(struct xl_model_params *params) {
    *params = (struct xl_model_params){.precision = XL_PRECISION_AUTO};
}

struct xl_source xl_model_source(const struct xl_model *model, enum xl_component component) {
    return (struct xl_source){.weights = model->weights[component]};
}

static enum xl_status load_configs(struct xl_model *model, struct xl_err *err) {
    const struct xl_component_files *component = model->files.component;
    enum xl_status status =
        xl_clip_config_load(component[XL_TEXT_ENCODER].config, &model->clip[0], err);
    if (!status)
        status = xl_clip_config_load(component[XL_TEXT_ENCODER_2].config, &model->clip[1], err);
    if (!status) status = xl_unet_config_load(component[XL_UNET].config, &model->unet, err);
    if (!status) status = xl_vae_config_load(component[XL_VAE].config, &model->vae, err);
    return status;
}

/* The four components must fit each other; each config alone was checked by its reader. */
static enum xl_status check_configs(const struct xl_model *model, struct xl_err *err) {
    const struct xl_component_files *component = model->files.component;
    int width = model->clip[0].hidden_size + model->clip[1].hidden_size;
    if (model->unet.cross_attention_dim != width)
        return xl_fail(
            err, XL_EFORMAT,
            "%s: \"cross_attention_dim\" is %d, expected %d: the widths %d and %d of the "
            "two text encoders",
            component[XL_UNET].config, model->unet.cross_attention_dim, width,
            model->clip[0].hidden_size, model->clip[1].hidden_size);
    if (model->unet.pooled_dim != model->clip[1].projection_dim)
        return xl_fail(
            err, XL_EFORMAT,
            "%s: the pooled text is %d wide by \"projection_class_embeddings_input_dim\", "
            "expected %d: \"projection_dim\" of text_encoder_2",
            component[XL_UNET].config, model->unet.pooled_dim, model->clip[1].projection_dim);
    if (model->unet.in_channels != model->vae.latent_channels ||
        model->unet.out_channels != model->vae.latent_channels)
        return xl_fail(err, XL_EFORMAT,
                       "%s: %d channels in and %d out, expected %d: \"latent_channels\" of the VAE",
                       component[XL_UNET].config, model->unet.in_channels, model->unet.out_channels,
                       model->vae.latent_channels);
    return XL_OK;
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static enum xl_status open_tokenizers(struct xl_model *model, struct xl_err *err) {
    enum xl_status status =
        xl_tokenizer_open(model->files.tokenizer_dir, &model->tokenizer[0], err);
    if (!status)
        status = xl_tokenizer_open(model->files.tokenizer_2_dir, &model->tokenizer[1], err);
    if (status) return status;
    model->n_tokens = xl_tokenizer_max_length(model->tokenizer[0]);
    for (int e = 0; e < XL_N_ENCODERS; e++) {
        model->n_tokens = smaller(model->n_tokens, xl_tokenizer_max_length(model->tokenizer[e]));
        model->n_tokens = smaller(model->n_tokens, model->clip[e].max_position_embeddings);
    }
    return XL_OK;
}

static enum xl_status open_weights(struct xl_model *model, struct xl_err *err) {
    for (int c = 0; c < XL_N_COMPONENTS; c++) {
        const struct xl_component_files *files = &model->files.component[c];
        enum xl_status status = xl_weights_open(xl_component_name(c), files->files, files->n_files,
                                                &model->weights[c], err);
        if (status) return status;
        model->load_total += xl_weights_bytes(model->weights[c]);
    }
    return XL_OK;
}

static enum xl_status open_backend(struct xl_model *model, struct xl_err *err) {
    enum xl_status status = model->params.use_reference_backend
                                ? xl_backend_reference(&model->backend, err)
                                : xl_backend_cpu(model->params.n_threads, &model->backend, err);
    if (status) return status;
    bool native = xl_backend_is_native(model->backend, XL_DTYPE_BF16);
    enum xl_precision precision = model->params.precision;
    if (precision == XL_PRECISION_AUTO) precision = native ? XL_PRECISION_BF16 : XL_PRECISION_F32;
    model->act_dtype = precision == XL_PRECISION_BF16 ? XL_DTYPE_BF16 : XL_DTYPE_F32;
    return XL_OK;
}

static enum xl_status collect_notices(struct xl_model *model, struct xl_err *err) {
    struct xl_str notices = {0};
    if (model->snapshot.notice) xl_str_printf(&notices, "%s\n", model->snapshot.notice);
    for (int c = 0; c < XL_N_COMPONENTS; c++)
        if (model->files.component[c].notice)
            xl_str_printf(&notices, "%s\n", model->files.component[c].notice);
    if (model->act_dtype == XL_DTYPE_BF16 && !xl_backend_is_native(model->backend, XL_DTYPE_BF16))
        xl_str_printf(&notices,
                      "this CPU has no bf16 instructions: --dtype bf16 is slower than f32 here\n");
    model->notices = xl_str_take(&notices);
    return model->notices ? XL_OK : xl_fail_nomem(err, "notices", 0);
}

enum xl_status xl_model_open(const struct xl_model_params *params, struct xl_model **out,
                             struct xl_err *err) {
    if (!params->model || !params->model[0])
        return xl_fail(err, XL_EINVAL, "model: missing; expected a repository or a folder");
    struct xl_model *model = calloc(1, sizeof *model);
    if (!model) return xl_fail_nomem(err, "the model", sizeof *model);
    model->params = *params;
    enum xl_status status =
        xl_hub_resolve(params->model, params->revision, &model->arena, &model->snapshot, err);
    if (!status) status = xl_hub_pipeline(&model->snapshot, &model->arena, &model->files, err);
    if (!status) status = load_configs(model, err);
    if (!status) status = check_configs(model, err);
    if (!status) status = open_tokenizers(model, err);
    if (!status) status = open_weights(model, err);
    if (!status) status = open_backend(model, err);
    if (!status) status = collect_notices(model, err);
    if (status) {
        xl_model_close(model);
        return status;
    }
    *out = model;
    return XL_OK;
}

void xl_model_close(struct xl_model *model) {
    if (!model) return;
    for (int i = 0; i < XL_N_ENCODED; i++) xl_encoded_deinit(&model->encoded[i]);
    for (int e = 0; e < XL_N_ENCODERS; e++) xl_stage_deinit(&model->clip_stage[e]);
    xl_stage_deinit(&model->unet_stage);
    xl_stage_deinit(&model->vae_stage);
    xl_backend_free(model->backend);
    for (int c = 0; c < XL_N_COMPONENTS; c++) xl_weights_close(model->weights[c]);
    for (int e = 0; e < XL_N_ENCODERS; e++) xl_tokenizer_close(model->tokenizer[e]);
    free(model->notices);
    xl_arena_deinit(&model->arena);
    free(model);
}
