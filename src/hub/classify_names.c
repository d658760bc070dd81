/* classify_names.c - looking up names of a header, which are sorted. */
#include "hub/classify_names.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

const struct xl_st_tensor *xl_names_begin(const struct xl_safetensors *file, const char *prefix) {
    size_t n = strlen(prefix);
    int low = 0, high = file->n_tensors;
    while (low < high) { /* the first name that is not below the prefix */
        int middle = low + (high - low) / 2;
        if (strcmp(file->tensors[middle].name, prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == file->n_tensors || strncmp(file->tensors[low].name, prefix, n)) return NULL;
    return &file->tensors[low];
}

const struct xl_st_tensor *xl_names_below(const struct xl_safetensors *file, const char *prefix,
                                          const char *name) {
    char text[XL_ST_MAX_NAME + 1];
    snprintf(text, sizeof text, "%s%s", prefix, name);
    return xl_names_begin(file, text);
}

const struct xl_st_tensor *xl_names_find(const struct xl_safetensors *file, const char *prefix,
                                         const char *name) {
    char text[XL_ST_MAX_NAME + 1];
    snprintf(text, sizeof text, "%s%s", prefix, name);
    return xl_safetensors_find(file, text);
}

const struct xl_st_tensor *xl_names_with(const struct xl_safetensors *file, const char *prefix,
                                         const char *part) {
    const struct xl_st_tensor *tensor = xl_names_begin(file, prefix),
                              *end = file->tensors + file->n_tensors;
    size_t n = strlen(prefix);
    for (; tensor && tensor < end && !strncmp(tensor->name, prefix, n); tensor++)
        if (strstr(tensor->name + n, part)) return tensor;
    return NULL;
}

int64_t xl_names_dim(const struct xl_st_tensor *tensor, int i) {
    return tensor && i < tensor->rank && i < XL_MAX_RANK ? tensor->dim[i] : 0;
}

int xl_names_width(const struct xl_st_tensor *tensor, int i) {
    int64_t dim = xl_names_dim(tensor, i);
    return dim < INT_MAX ? (int)dim : INT_MAX;
}
