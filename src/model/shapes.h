/* shapes.h - the configuration of a component that brings none, from the shapes of its tensors.
 * What shapes cannot tell is SDXL's: the size of pictures, activations, the scaling factor of
 * latents, heads of 64 channels.
 *
 * Each gives an object as its config.json would be, for the reader of that kind; the caller's:
 * json_decref. Names are diffusers'. Errors: XL_EFORMAT a tensor is missing without which a number
 * is not known, or has too few dimensions (names the tensor); XL_ENOMEM
 */
#ifndef XL_MODEL_SHAPES_H
#define XL_MODEL_SHAPES_H

#include "base/json.h"
#include "weights/weights.h"

/* pooled_dim: of the second text encoder, without which the size numbers' width is not known */
enum xl_status xl_unet_config_of(const struct xl_weights *unet, int pooled_dim, json_t **out,
                                 struct xl_err *err) XL_CHECKED;
enum xl_status xl_vae_config_of(const struct xl_weights *vae, json_t **out,
                                struct xl_err *err) XL_CHECKED;
/* activation: "quick_gelu" (the first encoder), "gelu" (the second) */
enum xl_status xl_clip_config_of(const struct xl_weights *text, const char *activation,
                                 json_t **out, struct xl_err *err) XL_CHECKED;

#endif
