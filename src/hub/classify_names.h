/* classify_names.h - questions to the names and shapes of a header. Internal to this folder. */
#ifndef XL_HUB_CLASSIFY_NAMES_H
#define XL_HUB_CLASSIFY_NAMES_H

#include "weights/safetensors.h"

/* The first tensor, by name order, whose name begins so; NULL: none. */
const struct xl_st_tensor *xl_names_begin(const struct xl_safetensors *file, const char *prefix);

/* The first whose name is one text and then the other ("model.diffusion_model.", "out.2.bias"). */
const struct xl_st_tensor *xl_names_find(const struct xl_safetensors *file, const char *prefix,
                                         const char *name);
/* The first whose name begins with one text and then the other. */
const struct xl_st_tensor *xl_names_below(const struct xl_safetensors *file, const char *prefix,
                                          const char *name);

/* The first whose name begins with the prefix and holds `part`; NULL: none. */
const struct xl_st_tensor *xl_names_with(const struct xl_safetensors *file, const char *prefix,
                                         const char *part);

/* The dimension of a tensor, counted from 0; 0: there is no tensor, or no such dimension. */
int64_t xl_names_dim(const struct xl_st_tensor *tensor, int i);
/* The same as an int: INT_MAX stands for more. */
int xl_names_width(const struct xl_st_tensor *tensor, int i);

#endif
