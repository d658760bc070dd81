/* model.c - opening and closing a model: its files are found and mapped, configurations and
 * tokenizers read, and that they fit each other is checked. No device is touched. Once open, a
 * model is read-only and may be shared by threads; the last reference frees it. */
#include "engine/engine.h"

#include "text/clip_vocab.h"

#include <stdlib.h>
#include <string.h>

void xl_model_params_default(struct xl_model_params *params) {
    *params = (struct xl_model_params){.model = NULL};
}

/* A configuration is needed only until it is read. */
static enum xl_status read_config(struct xl_model *model, enum xl_component component,
                                  struct xl_err *err) {
    json_t *root;
    const char *path = model->files.component[component].config;
    enum xl_status status = path ? xl_json_load(path, &root, err)
                                 : xl_model_derive_config(model, component, &root, err);
    if (status) return status;
    struct xl_json json = {root, xl_model_config_name(model, component)};
    switch (component) {
    case XL_TEXT_ENCODER:
        status = xl_clip_config_read(json, &model->clip[0], err);
        break;
    case XL_TEXT_ENCODER_2:
        status = xl_clip_config_read(json, &model->clip[1], err);
        break;
    case XL_UNET:
        status = xl_unet_config_read(json, &model->unet, err);
        break;
    case XL_VAE:
        status = xl_vae_config_read(json, &model->vae, err);
        break;
    case XL_N_COMPONENTS:
        break;
    }
    json_decref(root);
    return status;
}

const char *xl_model_config_name(const struct xl_model *model, enum xl_component component) {
    const struct xl_component_files *files = &model->files.component[component];
    return files->config ? files->config : files->files[0];
}

struct xl_json xl_model_scheduler(const struct xl_model *model) {
    const struct xl_pipeline_files *files = &model->files;
    return (struct xl_json){model->scheduler_config,
                            files->scheduler_config ? files->scheduler_config : files->checkpoint};
}

/* Of a checkpoint: the one of the model that it was made from. */
static enum xl_status load_scheduler(struct xl_model *model, struct xl_err *err) {
    struct xl_pipeline_files *files = &model->files;
    if (files->scheduler_config)
        return xl_json_load(files->scheduler_config, &model->scheduler_config, err);
    struct xl_checkpoint_marks marks = {files->is_v_prediction, files->is_zero_snr, files->is_edm,
                                        files->sigma_min, files->sigma_max};
    model->scheduler_config = xl_scheduler_of_checkpoint(marks);
    if (!model->scheduler_config) return xl_fail_nomem(err, "a scheduler", 0);
    files->scheduler_class =
        json_string_value(json_object_get(model->scheduler_config, "_class_name"));
    return XL_OK;
}

static enum xl_status load_configs(struct xl_model *model, struct xl_err *err) {
    static const enum xl_component order[] = {XL_TEXT_ENCODER, XL_TEXT_ENCODER_2, XL_UNET, XL_VAE};
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < XL_N_COMPONENTS; i++) status = read_config(model, order[i], err);
    if (status) return status;
    status = load_scheduler(model, err);
    if (status) return status;
    return xl_scheduler_own_class(xl_model_scheduler(model), model->files.scheduler_class,
                                  &model->scheduler, err);
}

/* The four components must fit each other; each config alone was checked by its reader. */
static enum xl_status check_configs(const struct xl_model *model, struct xl_err *err) {
    const char *unet = xl_model_config_name(model, XL_UNET);
    int width = model->clip[0].hidden_size + model->clip[1].hidden_size;
    if (model->unet.cross_attention_dim != width)
        return xl_fail(
            err, XL_EFORMAT,
            "%s: \"cross_attention_dim\" is %d, expected %d: the widths %d and %d of the "
            "two text encoders",
            unet, model->unet.cross_attention_dim, width, model->clip[0].hidden_size,
            model->clip[1].hidden_size);
    if (model->unet.pooled_dim != model->clip[1].projection_dim)
        return xl_fail(
            err, XL_EFORMAT,
            "%s: the pooled text is %d wide by \"projection_class_embeddings_input_dim\", "
            "expected %d: \"projection_dim\" of text_encoder_2",
            unet, model->unet.pooled_dim, model->clip[1].projection_dim);
    if (model->unet.in_channels != model->vae.latent_channels ||
        model->unet.out_channels != model->vae.latent_channels)
        return xl_fail(err, XL_EFORMAT,
                       "%s: %d channels in and %d out, expected %d: \"latent_channels\" of the VAE",
                       unet, model->unet.in_channels, model->unet.out_channels,
                       model->vae.latent_channels);
    return XL_OK;
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static enum xl_status open_tokenizers(struct xl_model *model, struct xl_err *err) {
    const struct xl_pipeline_files *files = &model->files;
    enum xl_status status =
        xl_tokenizer_open_or_clip(files->tokenizer_dir, XL_CLIP_PAD_END, &model->tokenizer[0], err);
    if (!status)
        status = xl_tokenizer_open_or_clip(files->tokenizer_2_dir, XL_CLIP_PAD_ZERO,
                                           &model->tokenizer[1], err);
    if (status) return status;
    model->n_tokens = xl_tokenizer_max_length(model->tokenizer[0]);
    for (int e = 0; e < XL_N_ENCODERS; e++) {
        model->n_tokens = smaller(model->n_tokens, xl_tokenizer_max_length(model->tokenizer[e]));
        model->n_tokens = smaller(model->n_tokens, model->clip[e].max_position_embeddings);
    }
    return XL_OK;
}

/* What a VAE without a configuration is taken for. */
static const char *vae_notice(struct xl_model *model) {
    return xl_arena_printf(&model->arena,
                           "vae: %s has no config.json: took its shapes, and SDXL's scaling factor "
                           "of latents, %g",
                           model->files.component[XL_VAE].files[0], model->vae.scaling_factor);
}

/* Whether the same was chosen for two components, between the same variants. */
static bool is_same_choice(const struct xl_component_files *a, const struct xl_component_files *b) {
    return a->also && b->also && !strcmp(a->also, b->also) && !strcmp(a->variant, b->variant);
}

/* Which files were chosen, in a line for those of which the same is to be said. */
static void put_choices(const struct xl_component_files *component, struct xl_str *out) {
    bool is_told[XL_N_COMPONENTS] = {false};
    for (enum xl_component c = 0; c < XL_N_COMPONENTS; c++) {
        const struct xl_component_files *files = &component[c];
        struct xl_str names = {0};
        int n = 0;
        if (!files->notice || is_told[c]) continue;
        for (enum xl_component k = c; k < XL_N_COMPONENTS; k++) {
            if (k != c && !is_same_choice(files, &component[k])) continue;
            xl_str_printf(&names, "%s%s", n++ ? ", " : "", xl_component_name(k));
            is_told[k] = true;
        }
        if (n > 1)
            xl_str_printf(out, "%s: took the %s files (%s is complete too)\n", names.text,
                          files->variant[0] ? files->variant : "plain",
                          files->also[0] ? files->also : "the plain name");
        else
            xl_str_printf(out, "%s\n", files->notice);
        out->failed |= names.failed;
        xl_str_deinit(&names);
    }
}

static enum xl_status open_loras(struct xl_model *model, const struct xl_model_params *params,
                                 struct xl_err *err) {
    struct xl_str notices = {0};
    if (model->snapshot.notice) xl_str_printf(&notices, "%s\n", model->snapshot.notice);
    put_choices(model->files.component, &notices);
    /* The shapes of a whole checkpoint are no news. */
    const struct xl_component_files *vae = &model->files.component[XL_VAE];
    if (!vae->config && vae->files[0] != model->files.checkpoint) {
        const char *notice = vae_notice(model);
        xl_str_printf(&notices, "%s\n", notice ? notice : "");
        if (!notice) notices.failed = true;
    }
    enum xl_status status = xl_model_open_loras(model, params, &notices, err);
    model->notices = xl_str_take(&notices);
    return status || model->notices ? status : xl_fail_nomem(err, "notices", 0);
}

enum xl_status xl_model_open(const struct xl_model_params *params, struct xl_model **out,
                             struct xl_err *err) {
    if (!params->model || !params->model[0])
        return xl_fail(err, XL_EINVAL, "model: missing; expected a repository or a folder");
    struct xl_model *model = calloc(1, sizeof *model);
    if (!model) return xl_fail_nomem(err, "the model", sizeof *model);
    atomic_init(&model->n_refs, 1);
    enum xl_status status =
        xl_hub_resolve(params->model, params->revision, &model->arena, &model->snapshot, err);
    if (!status)
        status = xl_hub_pipeline(&model->snapshot, params->vae, &model->arena, &model->files, err);
    if (!status) status = xl_model_open_weights(model, err);
    if (!status) status = load_configs(model, err);
    if (!status) status = check_configs(model, err);
    if (!status) status = open_tokenizers(model, err);
    if (!status) status = open_loras(model, params, err);
    if (!status) status = xl_model_describe(model, params->is_brief, err);
    if (status) {
        xl_model_close(model);
        return status;
    }
    *out = model;
    return XL_OK;
}

struct xl_model *xl_model_ref(struct xl_model *model) {
    atomic_fetch_add(&model->n_refs, 1);
    return model;
}

void xl_model_close(struct xl_model *model) {
    if (!model || atomic_fetch_sub(&model->n_refs, 1) > 1) return;
    for (int c = 0; c < XL_N_COMPONENTS; c++) xl_weights_close(model->weights[c]);
    for (int e = 0; e < XL_N_ENCODERS; e++) xl_tokenizer_close(model->tokenizer[e]);
    xl_model_close_loras(model);
    json_decref(model->scheduler_config);
    free(model->notices);
    xl_arena_deinit(&model->arena);
    free(model);
}
