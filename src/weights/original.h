/* original.h - components in files of the first implementation's key names, under the names that
 * diffusers gives them. One file holds all components of an SDXL checkpoint:
 *
 *   model.diffusion_model.             UNet
 *   first_stage_model. or vae.         VAE; such a file of a VAE alone has no prefix
 *   conditioner.embedders.0.transformer.   first text encoder, as transformers names it, with or
 *                                      without "text_model."
 *   conditioner.embedders.1.model.     second text encoder, as OpenCLIP names it
 *
 * Names are taken apart and put together; each has one meaning. What has none here (averages of
 * training, an optimiser's state, noise levels) is left out.
 * Source: diffusers' loaders/single_file_utils.py
 */
#ifndef XL_WEIGHTS_ORIGINAL_H
#define XL_WEIGHTS_ORIGINAL_H

#include "weights/weights.h"

enum xl_original {
    XL_ORIGINAL_UNET,
    XL_ORIGINAL_VAE, /* alone or in a checkpoint, under its original names or diffusers' */
    XL_ORIGINAL_TEXT,
    XL_ORIGINAL_TEXT_2,
};

/* The component as weights of its own: a selection of the file's. label: "unet".
 * Errors: XL_EFORMAT the file holds no such component (says what was looked for), fused weights
 * that are not three of a kind, the same tensor twice; XL_ENOMEM */
enum xl_status xl_original_select(struct xl_weights *file, enum xl_original component,
                                  const char *label, struct xl_weights **out,
                                  struct xl_err *err) XL_CHECKED;

#endif
