/* classify_models.h - networks that this program does not know. Internal to this folder. */
#ifndef XL_HUB_CLASSIFY_MODELS_H
#define XL_HUB_CLASSIFY_MODELS_H

#include "weights/safetensors.h"

/* The name of a kind of network that this program does not know, with what
 * takes it: "a ControlNet"; NULL: none of those. */
const char *xl_classify_stranger(const struct xl_safetensors *file);

#endif
