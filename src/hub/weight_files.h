/* weight_files.h - the safetensors files of one component, among all that lie in its folder.
 * Internal to this folder.
 */
#ifndef XL_HUB_WEIGHT_FILES_H
#define XL_HUB_WEIGHT_FILES_H

#include "hub/files.h"
#include "hub/hub.h"

struct xl_hub_weights_spec {
    const char *folder; /* "unet" */
    const char *stem;   /* "diffusion_pytorch_model" */
    bool shards_first;  /* a shard set before a single file of the same variant */
};

/* Of a component of a pipeline. */
const struct xl_hub_weights_spec *xl_hub_component_weights(enum xl_component component);

/* Choose the files of a component of the snapshot in `dir`: fills in files, n_files, variant and
 * notice of *out, or adds to *problems what keeps the best set from being complete. A folder
 * without any set of safetensors files, and without pickles instead, leaves both as they are.
 * Errors: XL_ENOMEM */
enum xl_status xl_hub_weight_files(const char *dir, const struct xl_hub_weights_spec *spec,
                                   struct xl_arena *arena, struct xl_component_files *out,
                                   struct xl_hub_problems *problems, struct xl_err *err) XL_CHECKED;

/* The sentence for a noun ("model", "VAE") whose files are missing, damaged or pickles: each is
 * named, with what to do. problems: one at least. Returns XL_EMODEL where files are missing, else
 * XL_EFORMAT. */
enum xl_status xl_hub_fail_problems(const char *noun, const struct xl_snapshot *snapshot,
                                    const struct xl_hub_problems *problems, struct xl_arena *arena,
                                    struct xl_err *err);

#endif
