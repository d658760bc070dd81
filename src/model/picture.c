/* picture.c - bytes, the autoencoder, the affine map between its latents and the UNet's. */
#include "model/picture.h"

void xl_picture_affine(const struct xl_vae_config *config, float *out) {
    int n = config->latent_channels;
    for (int c = 0; c < n; c++) {
        bool has_stats = config->has_latents_stats;
        out[c] = has_stats ? (float)config->latents_mean[c] : 0;
        out[n + c] = (float)(has_stats ? config->scaling_factor / config->latents_std[c]
                                       : config->scaling_factor);
    }
}

static struct xl_shape picture_shape(const struct xl_vae_config *config, struct xl_vae_shape s) {
    int64_t scale = xl_vae_scale(config);
    return XL_SHAPE(s.n, scale * s.height, scale * s.width, 3);
}

static struct xl_shape latents_shape(const struct xl_vae_config *config, struct xl_vae_shape s) {
    return XL_SHAPE(s.n, s.height, s.width, config->latent_channels);
}

static xl_val affine_input(struct xl_plan *plan, const struct xl_vae_config *config) {
    return xl_plan_input(plan, "affine", XL_DTYPE_F32, XL_SHAPE(2, config->latent_channels),
                         XL_PER_PROMPT);
}

static void encoder(const struct xl_module *root, const struct xl_vae_config *config,
                    struct xl_vae_shape s, struct xl_picture_io *io) {
    struct xl_plan *plan = root->plan;
    io->picture =
        xl_plan_input(plan, "picture", XL_DTYPE_U8, picture_shape(config, s), XL_PER_PROMPT);
    io->affine = affine_input(plan, config);
    io->noise = xl_plan_input(plan, "noise", XL_DTYPE_F32, latents_shape(config, s), XL_PER_RUN);
    xl_val x = xl_build_cast(root, xl_from_rgb(plan, io->picture), s.act_dtype);
    xl_val moments = xl_build_cast(root, xl_vae_encode(root, x, config), XL_DTYPE_F32);
    xl_val z = xl_sample_latents(plan, moments, io->noise);
    z = xl_latents_affine(plan, z, io->affine, XL_LATENTS_TO_UNET);
    io->latents = xl_build_output(root, z, "latents");
}

static void decoder(const struct xl_module *root, const struct xl_vae_config *config,
                    struct xl_vae_shape s, bool is_tile, struct xl_picture_io *io) {
    struct xl_plan *plan = root->plan;
    io->latents =
        xl_plan_input(plan, "latents", XL_DTYPE_F32, latents_shape(config, s), XL_PER_RUN);
    io->affine = affine_input(plan, config);
    xl_val z = xl_latents_affine(plan, io->latents, io->affine, XL_LATENTS_TO_VAE);
    xl_val x = xl_vae_decode(root, xl_build_cast(root, z, s.act_dtype), config);
    if (is_tile) {
        io->picture = xl_build_output(root, x, "picture");
        return;
    }
    io->flag = xl_plan_state(plan, "flag", XL_DTYPE_I32, XL_SHAPE(1));
    io->picture = xl_to_rgb(plan, xl_build_cast(root, x, XL_DTYPE_F32), io->flag);
    xl_plan_output(plan, io->picture, "picture");
}

static enum xl_status begin(struct xl_module *root, struct xl_source source,
                            struct xl_vae_shape shape, struct xl_err *err) {
    *root = (struct xl_module){.plan = xl_plan_new(shape.act_dtype), .source = source};
    return root->plan ? XL_OK : xl_fail_nomem(err, "the plan of the autoencoder", 0);
}

enum xl_status xl_picture_build_encoder(const struct xl_vae_config *config, struct xl_source source,
                                        struct xl_vae_shape shape, struct xl_picture_io *io,
                                        struct xl_plan **plan, struct xl_err *err) {
    struct xl_module root;
    struct xl_picture_io values = {0};
    enum xl_status status = begin(&root, source, shape, err);
    if (status) return status;
    encoder(&root, config, shape, &values);
    status = xl_build_finish(&root, plan, err);
    if (!status) *io = values;
    return status;
}

enum xl_status xl_picture_build_decoder(const struct xl_vae_config *config, struct xl_source source,
                                        struct xl_vae_shape shape, bool is_tile,
                                        struct xl_picture_io *io, struct xl_plan **plan,
                                        struct xl_err *err) {
    struct xl_module root;
    struct xl_picture_io values = {0};
    enum xl_status status = begin(&root, source, shape, err);
    if (status) return status;
    decoder(&root, config, shape, is_tile, &values);
    status = xl_build_finish(&root, plan, err);
    if (!status) *io = values;
    return status;
}
