/* vae.h - SDXL's autoencoder: pictures to latents and back.
 * Source: diffusers AutoencoderKL
 */
#ifndef XL_MODEL_VAE_H
#define XL_MODEL_VAE_H

#include "base/json.h"
#include "model/build.h"

enum { XL_VAE_MAX_BLOCKS = 8, XL_VAE_MAX_LATENT_CHANNELS = 64 };

/* vae/config.json. What stands between the latents here and the UNet's is the caller's work:
 *   z_unet = z * scaling_factor, or with has_latents_stats
 *   z_unet = (z - latents_mean) * scaling_factor / latents_std
 * shift_factor is not read: diffusers' SDXL pipelines do not look at it, whatever the file says. */
struct xl_vae_config {
    int latent_channels;
    int n_blocks;
    int block_out_channels[XL_VAE_MAX_BLOCKS];
    int layers_per_block;
    int norm_num_groups;
    bool use_quant_conv, use_post_quant_conv;
    bool mid_block_add_attention;
    double scaling_factor;
    bool has_latents_stats;
    double latents_mean[XL_VAE_MAX_LATENT_CHANNELS], latents_std[XL_VAE_MAX_LATENT_CHANNELS];
};

/* Outputs are untouched on failure.
 * Errors: XL_EFORMAT impossible or unsupported values */
enum xl_status xl_vae_config_read(struct xl_json json, struct xl_vae_config *out,
                                  struct xl_err *err) XL_CHECKED;

/* Pixels a side for one latent pixel: 8. */
int xl_vae_scale(const struct xl_vae_config *config);

struct xl_vae_shape {
    int n;
    int height, width; /* of the latents */
    enum xl_dtype act_dtype;
};

struct xl_vae_io {
    xl_val in, out;
};

/* For plans that hold more than the autoencoder (picture.h). root: of the component. x, z and the
 * results: see below, in the plan's act_dtype */
xl_val xl_vae_encode(const struct xl_module *root, xl_val x, const struct xl_vae_config *config);
xl_val xl_vae_decode(const struct xl_module *root, xl_val z, const struct xl_vae_config *config);

/* Encoder. in: f32 [n, scale * height, scale * width, 3], -1..1
 * out: f32 [n, height, width, 2 * latent_channels], mean and logarithm of the variance
 * Decoder. in: f32 [n, height, width, latent_channels]
 * out: f32 [n, scale * height, scale * width, 3], -1..1 (not clamped)
 * The plan is the caller's: xl_plan_free.
 * Errors: XL_EMODEL a tensor is missing, XL_EFORMAT a tensor's shape, XL_ENOMEM */
enum xl_status xl_vae_build_encoder(const struct xl_vae_config *config, struct xl_source source,
                                    struct xl_vae_shape shape, struct xl_vae_io *io,
                                    struct xl_plan **plan, struct xl_err *err) XL_CHECKED;
enum xl_status xl_vae_build_decoder(const struct xl_vae_config *config, struct xl_source source,
                                    struct xl_vae_shape shape, struct xl_vae_io *io,
                                    struct xl_plan **plan, struct xl_err *err) XL_CHECKED;

#endif
