/* ints.h - a growing array of int32: code points on the way in, token ids on the way out.
 * Out of memory is sticky, as in base/str.h: pushes become no-ops and `failed` is set.
 */
#ifndef XL_TEXT_INTS_H
#define XL_TEXT_INTS_H

#include "base/status.h"

struct xl_ints {
    int32_t *at; /* NULL until something was pushed */
    size_t n, capacity;
    bool failed;
};

void xl_ints_push(struct xl_ints *ints, int32_t value);
void xl_ints_append(struct xl_ints *ints, const int32_t *values, size_t n);
void xl_ints_deinit(struct xl_ints *ints);

#endif
