/* lora_names.h - what trainers call the modules of a model in LoRA files. */
#ifndef XL_MODEL_LORA_NAMES_H
#define XL_MODEL_LORA_NAMES_H

#include "model/unet.h"
#include "weights/original_names.h"

/* The parts of a model that LoRAs change. */
enum xl_lora_part { XL_LORA_UNET, XL_LORA_TEXT, XL_LORA_TEXT_2, XL_LORA_N_PARTS };

enum { XL_LORA_NAME = 2 * XL_MODULE_PATH };

/* What the first implementation calls the modules of a UNet. */
void xl_unet_original(const struct xl_unet_config *config, struct xl_original_unet *out);

/* Tells one name after the other to `add` until it returns false. module: as diffusers and
 * transformers call it. False: add did. */
typedef bool xl_lora_name_fn(void *user, const char *name);
bool xl_lora_names(enum xl_lora_part part, const struct xl_original_unet *unet, const char *module,
                   xl_lora_name_fn *add, void *user);

#endif
