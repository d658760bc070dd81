/* inspect.h - a model described for people and programs. */
#ifndef XL_ENGINE_INSPECT_H
#define XL_ENGINE_INSPECT_H

#include "base/status.h"

#include <jansson.h>

/* {id, folder, commit, width, height, unit (sides are multiples of it), precision, backend,
 * scheduler, components: [{name, parameters, dtype, bytes, files: [{path, digest}]}]}. Caller:
 * json_decref; NULL when out of memory. */
json_t *xl_model_describe(const struct xl_model *model);

/* The components part of it: what decides the pixels on the model's side. */
json_t *xl_model_describe_components(const struct xl_model *model);

#endif
