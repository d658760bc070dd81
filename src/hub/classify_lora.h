/* classify_lora.h - telling LoRA files. Internal to this folder. */
#ifndef XL_HUB_CLASSIFY_LORA_H
#define XL_HUB_CLASSIFY_LORA_H

#include "hub/file_class.h"
#include "weights/safetensors.h"

/* Whether the file is a LoRA; then kinds, rank, base, what, need, use are set.
 * Errors: XL_ENOMEM */
enum xl_status xl_classify_lora(const struct xl_safetensors *file, struct xl_arena *arena,
                                struct xl_file_class *out, bool *is_one,
                                struct xl_err *err) XL_CHECKED;

#endif
