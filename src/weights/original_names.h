/* original_names.h - one name of a tensor from the first implementation's into diffusers' words.
 * Internal to this folder.
 *
 * A name is a module's path and a leaf ("weight", "bias", "scale_weight"); modules are translated,
 * leaves stay. Names come without the component's prefix.
 */
#ifndef XL_WEIGHTS_ORIGINAL_NAMES_H
#define XL_WEIGHTS_ORIGINAL_NAMES_H

#include "weights/weights.h"

enum { XL_ORIGINAL_NAME = 640, XL_ORIGINAL_BLOCKS = 64 };

/* Which level and layer the blocks of a UNet are: the first implementation counts them through. */
struct xl_original_unet {
    struct xl_original_block {
        int level, layer;
        bool is_down; /* input: only a downsampler */
    } in[XL_ORIGINAL_BLOCKS], out[XL_ORIGINAL_BLOCKS];
    int n_in, n_out; /* in[0] is conv_in */
};

/* prefix: "model.diffusion_model." */
void xl_original_read_unet(const struct xl_weights *file, const char *prefix,
                           struct xl_original_unet *out);

/* False: no tensor of the component has this name. */
bool xl_original_unet_name(const struct xl_original_unet *unet, const char *name,
                           char out[XL_ORIGINAL_NAME]);
/* n_levels: of the decoder, which counts them the other way round. */
bool xl_original_vae_name(int n_levels, const char *name, char out[XL_ORIGINAL_NAME]);

/* What of a tensor of the second text encoder is wanted. */
enum xl_original_form { XL_ORIGINAL_WHOLE, XL_ORIGINAL_TURNED, XL_ORIGINAL_FUSED };
/* FUSED: the tensor holds three; out has "%s" in the place of q, k and v. */
bool xl_original_text_name(const char *name, char out[XL_ORIGINAL_NAME],
                           enum xl_original_form *form);

#endif
