/* lora_alpha.h - the scales that PEFT keeps beside its tensors: diffusers writes its configuration
 * into the file's metadata, as JSON under "lora_adapter_metadata". */
#ifndef XL_WEIGHTS_LORA_ALPHA_H
#define XL_WEIGHTS_LORA_ALPHA_H

#include "base/json.h"

/* Read it. *out NULL: the file has none. Caller: json_decref. Errors: XL_EFORMAT, XL_ENOMEM */
enum xl_status xl_lora_alphas_read(const char *path, int fd, json_t **out,
                                   struct xl_err *err) XL_CHECKED;

/* alpha / rank of a module, or alpha / sqrt(rank) of rsLoRA; 1 where alphas (NULL) say nothing. */
double xl_lora_alphas_scale(const json_t *alphas, const char *module, int64_t rank);

#endif
