/* components.c - the weights of a model's components from whatever files have them, and their
 * configurations where no file has those: a checkpoint is one file for all, and a VAE may come from
 * elsewhere. */
#include "engine/engine.h"

#include "model/shapes.h"
#include "weights/original.h"

#include <stdlib.h>
#include <string.h>

static const enum xl_original originals[XL_N_COMPONENTS] = {
    [XL_UNET] = XL_ORIGINAL_UNET,
    [XL_VAE] = XL_ORIGINAL_VAE,
    [XL_TEXT_ENCODER] = XL_ORIGINAL_TEXT,
    [XL_TEXT_ENCODER_2] = XL_ORIGINAL_TEXT_2,
};

/* A file of several components is mapped once. */
struct opened {
    const char *path;
    struct xl_weights *file;
};

static enum xl_status open_component(struct xl_model *model, enum xl_component c,
                                     struct opened *opened, struct xl_err *err) {
    const struct xl_component_files *files = &model->files.component[c];
    const char *label = xl_component_name(c), *path = files->files[0];
    if (!files->is_single)
        return xl_weights_open(label, files->files, files->n_files, &model->weights[c], err);
    enum xl_status status = XL_OK;
    if (!opened->path || strcmp(opened->path, path)) {
        xl_weights_close(opened->file);
        *opened = (struct opened){.path = path};
        status = xl_weights_open("checkpoint", &path, 1, &opened->file, err);
    }
    if (!status)
        status = xl_original_select(opened->file, originals[c], label, &model->weights[c], err);
    return status;
}

enum xl_status xl_model_open_weights(struct xl_model *model, struct xl_err *err) {
    struct opened opened = {NULL, NULL};
    enum xl_status status = XL_OK;
    for (int c = 0; !status && c < XL_N_COMPONENTS; c++)
        status = open_component(model, c, &opened, err);
    xl_weights_close(opened.file); /* the components hold on to it */
    return status;
}

/* Playground's checkpoints bring the statistics of their latents, by which diffusers scales them.
 */
static enum xl_status put_statistics(const struct xl_model *model, json_t *config,
                                     struct xl_err *err) {
    static const struct {
        const char *tensor, *key;
    } statistics[] = {{"edm_mean", "latents_mean"}, {"edm_std", "latents_std"}};
    const char *path = model->files.checkpoint;
    struct xl_weights *file;
    bool ok = true;
    enum xl_status status = xl_weights_open("checkpoint", &path, 1, &file, err);
    if (status) return status;
    for (int i = 0; !status && i < 2; i++) {
        const struct xl_tensor *tensor = xl_weights_find(file, statistics[i].tensor);
        float values[XL_VAE_MAX_LATENT_CHANNELS], plain[XL_VAE_MAX_LATENT_CHANNELS];
        int64_t n = tensor ? xl_shape_count(tensor->shape) : 0;
        if (n < 1 || n > XL_VAE_MAX_LATENT_CHANNELS) {
            status = xl_fail(err, XL_EFORMAT,
                             "%s: \"%s\" is missing, expected a number for each "
                             "latent channel",
                             path, statistics[i].tensor);
            break;
        }
        xl_tensor_read(tensor, 0, n, plain);
        xl_convert(values, XL_DTYPE_F32, plain, tensor->dtype, n);
        json_t *array = json_array();
        for (int64_t k = 0; k < n; k++)
            if (json_array_append_new(array, json_real((double)values[k]))) ok = false;
        xl_json_put(config, statistics[i].key, array, &ok);
    }
    xl_json_put(config, "scaling_factor", json_real(0.5), &ok);
    xl_weights_close(file);
    return status || ok ? status : xl_fail_nomem(err, "a configuration", 0);
}

static enum xl_status derive(const struct xl_model *model, enum xl_component c, json_t **out,
                             struct xl_err *err) {
    const struct xl_weights *weights = model->weights[c];
    const struct xl_pipeline_files *files = &model->files;
    switch (c) {
    case XL_TEXT_ENCODER:
        return xl_clip_config_of(weights, "quick_gelu", out, err);
    case XL_TEXT_ENCODER_2:
        return xl_clip_config_of(weights, "gelu", out, err);
    case XL_UNET:
        return xl_unet_config_of(weights, model->clip[1].projection_dim, out, err);
    case XL_VAE:
    case XL_N_COMPONENTS:
        break;
    }
    enum xl_status status = xl_vae_config_of(weights, out, err);
    if (!status && files->is_edm && !files->is_v_prediction) {
        status = put_statistics(model, *out, err);
        if (status) json_decref(*out);
    }
    return status;
}

enum xl_status xl_model_derive_config(struct xl_model *model, enum xl_component component,
                                      json_t **out, struct xl_err *err) {
    json_t *config;
    enum xl_status status = derive(model, component, &config, err);
    if (status) return status;
    char *text = xl_json_dump(config, JSON_COMPACT | JSON_SORT_KEYS);
    if (text) model->derived[component] = xl_arena_strdup(&model->arena, text);
    free(text);
    if (model->derived[component]) {
        *out = config;
        return XL_OK;
    }
    json_decref(config);
    return xl_fail_nomem(err, "a configuration", 0);
}
