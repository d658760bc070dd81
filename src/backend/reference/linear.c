/* linear.c - act(x W^T + bias) + residual. */
#include "backend/reference/reference.h"

void xl_ref_linear(const struct xl_ref_op *op) {
    const float *weight = op->in[1].x, *bias = op->in[2].x, *residual = op->in[3].x;
    int64_t k = xl_shape_last(op->in[0].shape), n = xl_shape_last(op->shape);
    int64_t rows = xl_shape_count(op->shape) / n;
    for (int64_t row = 0; row < rows; row++) {
        const float *x = op->in[0].x + row * k;
        for (int64_t i = 0; i < n; i++) {
            double y = xl_ref_dot(x, weight + i * k, k);
            if (bias) y += (double)bias[i];
            y = xl_ref_act(op->op->attr.linear.act, y);
            if (residual) y += (double)residual[row * n + i];
            op->out[row * n + i] = (float)y;
        }
    }
}
