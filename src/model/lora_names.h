/* lora_names.h - what trainers call the modules of a model in LoRA files. */
#ifndef XL_MODEL_LORA_NAMES_H
#define XL_MODEL_LORA_NAMES_H

#include "model/unet.h"

/* The parts of a model that LoRAs change. */
enum xl_lora_part { XL_LORA_UNET, XL_LORA_TEXT, XL_LORA_TEXT_2, XL_LORA_N_PARTS };

enum { XL_LORA_NAME = 2 * XL_MODULE_PATH };

/* Tells one name after the other to `add` until it returns false. module: as diffusers and
 * transformers call it. config: the UNet's, whose levels count in the other naming. False: add
 * did. */
typedef bool xl_lora_name_fn(void *user, const char *name);
bool xl_lora_names(enum xl_lora_part part, const struct xl_unet_config *config, const char *module,
                   xl_lora_name_fn *add, void *user);

/* The UNet's module in the naming of the original code ("sgm"): "input_blocks.4.1.proj_in" for
 * "down_blocks.1.attentions.0.proj_in". False: it has none. */
bool xl_unet_sgm_name(const struct xl_unet_config *config, const char *module,
                      char out[XL_LORA_NAME]);

#endif
