/* lora_json.h - a LoRA of a model as a JSON object: one writer for records, run.json, job logs and
 * what inspect model tells. */
#ifndef XL_ENGINE_LORA_JSON_H
#define XL_ENGINE_LORA_JSON_H

#include "base/json.h"
#include "sdxl/sdxl.h"

/* "name", "digest", "text_scale", "unet_scale": what a picture says of it. Who keeps the object at
 * home adds where the file is. NULL: out of memory */
json_t *xl_lora_json(const struct xl_lora_info *lora);

#endif
