/* sdxl.h - the networks of SDXL itself, as its own repository configures them: for questions that
 * are asked without a model, such as what a LoRA is for. */
#ifndef XL_MODEL_SDXL_H
#define XL_MODEL_SDXL_H

#include "model/clip.h"
#include "model/unet.h"

extern const struct xl_unet_config xl_sdxl_unet;
extern const struct xl_clip_config xl_sdxl_text, xl_sdxl_text_2;

#endif
