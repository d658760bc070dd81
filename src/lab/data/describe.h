/* describe.h - profiles, sizes, models and named files as JSON, the same for commands and for the
 * network.
 */
#ifndef XL_LAB_DESCRIBE_H
#define XL_LAB_DESCRIBE_H

#include "base/json.h"
#include "lab/data/catalogue.h"
#include "lab/data/presets.h"

/* Objects; NULL: out of memory. Caller: json_decref */
json_t *xl_profile_object(const struct xl_profile *profile);
json_t *xl_preset_object(const struct xl_preset *preset);
json_t *xl_model_object(const struct xl_catalogue_model *model,
                        const struct xl_catalogue_status *state);

/* A model and what was found of it. */
struct xl_model_found {
    const struct xl_catalogue_model *model;
    struct xl_catalogue_status state;
};

/* The models of the catalogue, then those of the cache that it does not know, with their states:
 * [*n], in the arena. Errors: XL_ENOMEM */
enum xl_status xl_models_found(const struct xl_catalogue *catalogue, struct xl_arena *arena,
                               struct xl_model_found **out, int *n, struct xl_err *err) XL_CHECKED;

#endif
