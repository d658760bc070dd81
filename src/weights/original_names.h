/* original_names.h - names of the first implementation ("sgm") and of diffusers for the same
 * tensors: single-file checkpoints have the former, LoRAs either.
 *
 * A name is a module's path and a leaf ("weight", "bias", "scale_weight"); modules are translated,
 * leaves stay. Names come without the component's prefix.
 */
#ifndef XL_WEIGHTS_ORIGINAL_NAMES_H
#define XL_WEIGHTS_ORIGINAL_NAMES_H

#include "weights/weights.h"

enum { XL_ORIGINAL_NAME = 640, XL_ORIGINAL_LEVELS = 8, XL_ORIGINAL_PLACES = 320 };

/* How many layers the levels of a UNet have, down and up, each in the order of running. */
struct xl_original_levels {
    struct xl_original_level {
        int n_layers;
        bool has_sampler;   /* the size changes at its end, and another level follows */
        bool has_attention; /* only said of up: of down it makes no difference to names */
    } down[XL_ORIGINAL_LEVELS], up[XL_ORIGINAL_LEVELS];
};

/* Of the UNet in a file. prefix: "model.diffusion_model." */
void xl_original_read_levels(const struct xl_weights *file, const char *prefix,
                             struct xl_original_levels *out);

/* What the places of a UNet are called, which the first implementation counts through:
 * "input_blocks.4.1" is "down_blocks.1.attentions.0". */
struct xl_original_unet {
    struct xl_original_place {
        char original[24], diffusers[36];
        const struct xl_original_words *modules; /* in it; NULL: the same names in both */
    } place[XL_ORIGINAL_PLACES];
    int n;
};

void xl_original_unet_init(const struct xl_original_levels *levels, struct xl_original_unet *out);

/* A tensor's name in diffusers' words. False: no tensor of the component has this name. */
bool xl_original_unet_name(const struct xl_original_unet *unet, const char *name,
                           char out[XL_ORIGINAL_NAME]);
/* The other way, of a module: "input_blocks.4.1.proj_in" for "down_blocks.1.attentions.0.proj_in".
 * False: there is no such module. */
bool xl_original_unet_module(const struct xl_original_unet *unet, const char *module,
                             char out[XL_ORIGINAL_NAME]);
/* n_levels: of the decoder, which counts them the other way round. */
bool xl_original_vae_name(int n_levels, const char *name, char out[XL_ORIGINAL_NAME]);

/* What of a tensor of the second text encoder is wanted. */
enum xl_original_form { XL_ORIGINAL_WHOLE, XL_ORIGINAL_TURNED, XL_ORIGINAL_FUSED };
/* FUSED: the tensor holds three; out has "%s" in the place of q, k and v. */
bool xl_original_text_name(const char *name, char out[XL_ORIGINAL_NAME],
                           enum xl_original_form *form);

#endif
