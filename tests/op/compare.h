/* compare.h - how well a result agrees with what was expected: as a whole, and in its worst number.
 */
#ifndef XL_TESTS_OP_COMPARE_H
#define XL_TESTS_OP_COMPARE_H

#include "tensor/tensor.h"

#include <stdbool.h>

/* Number i of data. */
double op_number(const void *data, enum xl_dtype dtype, int64_t i);

/* All n of them in double; malloc'd, NULL when out of memory. */
double *op_doubles(const void *data, enum xl_dtype dtype, int64_t n);

/* One norm of a whole tensor says nothing about single numbers: of 460,800, a dozen may be wholly
 * wrong and change the norm by half a percent. So the worst number is judged as well, against the
 * size of the numbers around it. */
struct op_error {
    double norm;  /* ||out - ref|| / ||ref|| */
    double worst; /* the largest |out - ref| / scale; scale: the greater of the root mean squares of
                     the row (last axis) and of the tensor, since a row of few numbers may by chance
                     be near zero where the terms of its sums are not */
    int64_t at;   /* where that is */
};

/* Both infinite when out or ref holds a NaN or an infinity that the other lacks.
 * out: numbers of dtype; ref: in f64; both of this shape, dense */
struct op_error op_compare(const void *out, enum xl_dtype dtype, const double *ref,
                           struct xl_shape shape);

struct op_tolerance {
    double norm, worst;
};

/* For messages: printf(OP_ERROR, OP_ERROR_ARGS(error)). */
#define OP_ERROR "relative error %.3g, at worst %.3g (number %lld)"
#define OP_ERROR_ARGS(error) (error).norm, (error).worst, (long long)(error).at

bool op_agrees(struct op_error error, struct op_tolerance tolerance);

#endif
