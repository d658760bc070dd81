/* compare.c - the norm of what is wrong, and the worst of it beside the size of its row. */
#include "op/compare.h"

#include <math.h>
#include <stdlib.h>

double op_number(const void *data, enum xl_dtype dtype, int64_t i) {
    if (dtype == XL_DTYPE_I32) return ((const int32_t *)data)[i];
    if (dtype == XL_DTYPE_U8) return ((const uint8_t *)data)[i];
    float x;
    xl_convert(&x, XL_DTYPE_F32, (const char *)data + (size_t)i * xl_dtype_size(dtype), dtype, 1);
    return (double)x;
}

double *op_doubles(const void *data, enum xl_dtype dtype, int64_t n) {
    double *doubles = calloc((size_t)n, sizeof *doubles);
    for (int64_t i = 0; doubles && i < n; i++) doubles[i] = op_number(data, dtype, i);
    return doubles;
}

static double square_sum(const double *x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sum;
}

struct op_error op_compare(const void *out, enum xl_dtype dtype, const double *ref,
                           struct xl_shape shape) {
    int64_t n = xl_shape_count(shape), columns = xl_shape_last(shape);
    double norm = square_sum(ref, n), difference = 0, scale = 1;
    struct op_error error = {0, 0, 0};
    for (int64_t i = 0; i < n; i++) {
        if (i % columns == 0) {
            double row = square_sum(ref + i, columns) / (double)columns;
            scale = sqrt(fmax(row, norm / (double)n));
        }
        double wrong = fabs(op_number(out, dtype, i) - ref[i]);
        difference += wrong * wrong;
        double relative = wrong / (scale > 0 ? scale : 1);
        if (!isfinite(relative)) return (struct op_error){INFINITY, INFINITY, i};
        if (relative > error.worst) error = (struct op_error){0, relative, i};
    }
    error.norm = sqrt(difference / (norm > 0 ? norm : 1));
    return error;
}

bool op_agrees(struct op_error error, struct op_tolerance tolerance) {
    return error.norm <= tolerance.norm && error.worst <= tolerance.worst;
}
