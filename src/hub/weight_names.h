/* weight_names.h - what the name of a safetensors file says: one file, a shard, or an index; and
 * the variant. Internal to this folder. The names are those of diffusers' and transformers'
 * save_pretrained, now and formerly; .V is a variant such as .fp16:
 *   single  STEM.safetensors            STEM.V.safetensors
 *   shard   STEM-00001-of-00002.safetensors  STEM.V-00001-of-00002.safetensors
 *           STEM-00001-of-00002.V.safetensors
 *   index   STEM.safetensors.index.json STEM.V.safetensors.index.json
 *           STEM.safetensors.index.V.json
 */
#ifndef XL_HUB_WEIGHT_NAMES_H
#define XL_HUB_WEIGHT_NAMES_H

#include "base/status.h"

enum xl_name_kind { XL_NAME_OTHER, XL_NAME_SINGLE, XL_NAME_SHARD, XL_NAME_INDEX };

struct xl_weight_name {
    enum xl_name_kind kind;
    const char *variant; /* without its dot, in the name that was read; n_variant bytes, may be 0 */
    int n_variant;
    int shard, n_shards; /* of a shard: this one, from 1, and how many there are */
};

/* stem: "diffusion_pytorch_model"; name: without its folder. */
void xl_hub_read_weight_name(const char *stem, const char *name, struct xl_weight_name *out);

#endif
