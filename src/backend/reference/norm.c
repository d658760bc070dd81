/* norm.c - group norm and layer norm: (x - mean) / sqrt(var + eps) * weight + bias, with the mean
 * square distance from the mean as var, as PyTorch has it. */
#include "backend/reference/reference.h"

#include <math.h>

/* A block of numbers: `rows` rows of `columns`, `stride` apart. */
struct block {
    int64_t rows, columns, stride;
};

struct moments {
    double mean, rstd; /* rstd: 1 / sqrt(var + eps) */
};

static struct moments measure(const float *x, struct block block, double eps) {
    double sum = 0, squares = 0, n = (double)(block.rows * block.columns);
    for (int64_t i = 0; i < block.rows; i++)
        for (int64_t j = 0; j < block.columns; j++) sum += (double)x[i * block.stride + j];
    double mean = sum / n;
    for (int64_t i = 0; i < block.rows; i++) {
        for (int64_t j = 0; j < block.columns; j++) {
            double distance = (double)x[i * block.stride + j] - mean;
            squares += distance * distance;
        }
    }
    return (struct moments){mean, 1 / sqrt(squares / n + eps)};
}

void xl_ref_group_norm(const struct xl_ref_op *op) {
    const struct xl_group_norm *attr = &op->op->attr.group_norm;
    const float *weight = op->in[1].x, *bias = op->in[2].x;
    int64_t n = op->shape.dim[0], c = xl_shape_last(op->shape);
    struct block block = {xl_shape_count(op->shape) / (n * c), c / attr->groups, c};
    for (int64_t i = 0; i < n * attr->groups; i++) {
        int64_t sample = i / attr->groups, first = i % attr->groups * block.columns;
        int64_t start = sample * block.rows * c + first;
        struct moments moments = measure(op->in[0].x + start, block, attr->eps);
        for (int64_t row = 0; row < block.rows; row++) {
            for (int64_t j = 0; j < block.columns; j++) {
                int64_t at = start + row * c + j;
                double y = ((double)op->in[0].x[at] - moments.mean) * moments.rstd;
                y = y * (double)weight[first + j] + (double)bias[first + j];
                op->out[at] = (float)xl_ref_act(attr->act, y);
            }
        }
    }
}

void xl_ref_layer_norm(const struct xl_ref_op *op) {
    const float *weight = op->in[1].x, *bias = op->in[2].x;
    int64_t c = xl_shape_last(op->shape), rows = xl_shape_count(op->shape) / c;
    for (int64_t row = 0; row < rows; row++) {
        const float *x = op->in[0].x + row * c;
        struct block block = {1, c, c};
        struct moments moments = measure(x, block, op->op->attr.layer_norm.eps);
        for (int64_t j = 0; j < c; j++) {
            double y = ((double)x[j] - moments.mean) * moments.rstd;
            op->out[row * c + j] = (float)(y * (double)weight[j] + (double)bias[j]);
        }
    }
}
