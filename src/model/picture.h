/* picture.h - pictures to the UNet's latents and back as plans: the autoencoder with what stands
 * before and after it. One picture a run. */
#ifndef XL_MODEL_PICTURE_H
#define XL_MODEL_PICTURE_H

#include "model/vae.h"

struct xl_picture_io {
    xl_val
        picture; /* u8 [1, scale * height, scale * width, 3]; of a tile f32, -1..1, not clamped */
    xl_val latents; /* f32 [1, height, width, latent_channels], the UNet's */
    xl_val affine;  /* f32 [2, latent_channels], per prompt: xl_picture_affine */
    xl_val noise;   /* encoder: f32, shape of latents; else 0 */
    xl_val flag;    /* decoder: state, i32 [1], set to 1 by a picture with numbers that are none */
};

/* Shift and scale of each channel between the VAE's latents and the UNet's. out: [2, channels] */
void xl_picture_affine(const struct xl_vae_config *config, float *out);

/* Encoder: a picture, once for all samples of its latents that differ in their noise.
 * Decoder: latents to a picture, or (is_tile) to numbers that will be blended.
 * The plan is the caller's: xl_plan_free. Errors: see vae.h */
enum xl_status xl_picture_build_encoder(const struct xl_vae_config *config, struct xl_source source,
                                        struct xl_vae_shape shape, struct xl_picture_io *io,
                                        struct xl_plan **plan, struct xl_err *err) XL_CHECKED;
enum xl_status xl_picture_build_decoder(const struct xl_vae_config *config, struct xl_source source,
                                        struct xl_vae_shape shape, bool is_tile,
                                        struct xl_picture_io *io, struct xl_plan **plan,
                                        struct xl_err *err) XL_CHECKED;

#endif
