/* unet.h - SDXL's UNet: noisy latents, a timestep and the conditions to the predicted noise.
 * Source: diffusers UNet2DConditionModel with addition_embed_type "text_time"
 */
#ifndef XL_MODEL_UNET_H
#define XL_MODEL_UNET_H

#include "base/json.h"
#include "model/build.h"

enum { XL_UNET_MAX_BLOCKS = 8, XL_UNET_MAX_LAYERS = 8 };
enum { XL_UNET_TIME_IDS = 6 }; /* original height, width, crop top, left, target height, width */

/* One level of the way down or up, or the middle. */
struct xl_unet_block {
    bool has_attention; /* CrossAttn...Block2D: a transformer after each resnet */
    int channels;
    int n_resnets;
    int heads;
    int depth[XL_UNET_MAX_LAYERS]; /* transformer blocks after resnet i */
};

/* unet/config.json, with the levels worked out. */
struct xl_unet_config {
    int in_channels, out_channels;
    int sample_size; /* latent pixels of a side at the model's own size */
    int n_blocks;
    struct xl_unet_block down[XL_UNET_MAX_BLOCKS];
    struct xl_unet_block up[XL_UNET_MAX_BLOCKS]; /* in the order of running */
    struct xl_unet_block mid;                    /* n_resnets 0: there is no middle */
    bool use_linear_projection; /* into and out of transformers; else 1x1 convolutions */
    int norm_num_groups;
    double norm_eps;
    int cross_attention_dim; /* of the text's states */
    int pooled_dim;          /* of the pooled text */
    int addition_time_embed_dim;
    int time_embed_dim;
    bool flip_sin_to_cos; /* cosines first */
    double freq_shift;
};

/* Outputs are untouched on failure.
 * Errors: XL_EFORMAT impossible or unsupported values */
enum xl_status xl_unet_config_read(struct xl_json json, struct xl_unet_config *out,
                                   struct xl_err *err) XL_CHECKED;

struct xl_unet_shape {
    int n;             /* samples of a run: images, twice that with guidance */
    int height, width; /* of the latents */
    int tokens;
    enum xl_dtype act_dtype;
    bool in_f8; /* large products may be computed in F8 (ops.h) */
};

struct xl_unet_io {
    xl_val latents;  /* f32 [n, height, width, in_channels], already scaled for the timestep */
    xl_val timestep; /* f32 [n, 1] */
    xl_val text;     /* f32 [n, tokens, cross_attention_dim], per prompt */
    xl_val pooled;   /* f32 [n, pooled_dim], per prompt */
    xl_val time_ids; /* f32 [n, XL_UNET_TIME_IDS], per prompt */
    xl_val out;      /* f32 [n, height, width, out_channels] */
};

/* For a plan that holds more than the UNet (denoise.h): declare text, pooled and time_ids ... */
void xl_unet_conditions(const struct xl_unet_config *config, struct xl_unet_shape shape,
                        struct xl_plan *plan, struct xl_unet_io *io);
/* ... and compute from io's inputs, whatever made them. Returns the prediction in the plan's
 * act_dtype. in_f8: as in the shape */
xl_val xl_unet_forward(const struct xl_unet_config *config, const struct xl_module *root,
                       const struct xl_unet_io *io, bool in_f8);

/* The UNet alone. The plan is the caller's: xl_plan_free.
 * Errors: XL_EMODEL a tensor is missing, XL_EFORMAT a tensor's shape, XL_ENOMEM */
enum xl_status xl_unet_build(const struct xl_unet_config *config, struct xl_source source,
                             struct xl_unet_shape shape, struct xl_unet_io *io,
                             struct xl_plan **plan, struct xl_err *err) XL_CHECKED;

#endif
