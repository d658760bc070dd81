/* elementwise.c - activations, GEGLU, concatenation, casts. */
#include "backend/reference/reference.h"

#include <math.h>
#include <string.h>

double xl_ref_act(enum xl_activation act, double x) {
    switch (act) {
    case XL_ACT_SILU:
        return x / (1 + exp(-x));
    case XL_ACT_GELU:
        return x / 2 * (1 + erf(x / sqrt(2)));
    case XL_ACT_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    case XL_ACT_NONE:
        break;
    }
    return x;
}

void xl_ref_activation(const struct xl_ref_op *op) {
    int64_t n = xl_shape_count(op->shape);
    for (int64_t i = 0; i < n; i++)
        op->out[i] = (float)xl_ref_act(op->op->attr.act, (double)op->in[0].x[i]);
}

void xl_ref_geglu(const struct xl_ref_op *op) {
    int64_t c = xl_shape_last(op->shape), rows = xl_shape_count(op->shape) / c;
    for (int64_t row = 0; row < rows; row++) {
        const float *x = op->in[0].x + row * 2 * c, *gate = x + c;
        for (int64_t i = 0; i < c; i++)
            op->out[row * c + i] = (float)((double)x[i] * xl_ref_act(XL_ACT_GELU, (double)gate[i]));
    }
}

void xl_ref_concat(const struct xl_ref_op *op) {
    int64_t c1 = xl_shape_last(op->in[0].shape), c2 = xl_shape_last(op->in[1].shape);
    int64_t rows = xl_shape_count(op->shape) / (c1 + c2);
    for (int64_t row = 0; row < rows; row++) {
        float *out = op->out + row * (c1 + c2);
        memcpy(out, op->in[0].x + row * c1, (size_t)c1 * sizeof *out);
        memcpy(out + c1, op->in[1].x + row * c2, (size_t)c2 * sizeof *out);
    }
}

/* The conversion is done by those who bring operands and take results. */
void xl_ref_cast(const struct xl_ref_op *op) {
    memcpy(op->out, op->in[0].x, (size_t)xl_shape_count(op->shape) * sizeof *op->out);
}
