/* sampled.c - single rows of products from their definitions in double: at SDXL's sizes the whole
 * result would take the reference minutes. */
#include "op/op_check.h"

#include <math.h>

static double act_of(enum xl_activation act, double x) {
    switch (act) {
    case XL_ACT_SILU:
        return x / (1 + exp(-x));
    case XL_ACT_GELU:
        return x / 2 * (1 + erf(x * M_SQRT1_2));
    case XL_ACT_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    default:
        return x;
    }
}

static void linear_row(const struct op_instance *run, int64_t row, double *out) {
    int64_t k = xl_shape_last(run->in[0].shape), n = xl_shape_last(run->out_shape);
    const double *x = run->in[0].x + row * k;
    for (int64_t j = 0; j < n; j++) {
        const double *w = run->in[1].x + j * k;
        double sum = run->in[2].x ? run->in[2].x[j] : 0;
        for (int64_t i = 0; i < k; i++) sum += x[i] * w[i];
        out[j] = act_of(run->op->attr.linear.act, sum);
        if (run->in[3].x) out[j] += run->in[3].x[row * n + j];
    }
}

/* The pixel that a tap sees, [c]; NULL: beyond the edge. y, x: in the picture that is convolved */
static const double *pixel_at(const struct op_instance *run, int64_t n, int64_t y, int64_t x) {
    const struct xl_conv2d *attr = &run->op->attr.conv2d;
    struct xl_shape in = run->in[0].shape;
    if (y < 0 || x < 0 || y >= attr->up_height || x >= attr->up_width) return NULL;
    if (attr->upsample) y /= 2, x /= 2;
    return run->in[0].x + ((n * in.dim[1] + y) * in.dim[2] + x) * in.dim[3];
}

static void conv2d_row(const struct op_instance *run, int64_t row, double *out) {
    const struct xl_conv2d *attr = &run->op->attr.conv2d;
    struct xl_shape kernel = run->in[1].shape, to = run->out_shape;
    int64_t o = to.dim[3], c = kernel.dim[1], taps = kernel.dim[2] * kernel.dim[3];
    int64_t x = row % to.dim[2], y = row / to.dim[2] % to.dim[1];
    int64_t n = row / (to.dim[2] * to.dim[1]);
    for (int64_t j = 0; j < o; j++) {
        out[j] = run->in[2].x ? run->in[2].x[j] : 0;
        if (run->in[3].x) out[j] += run->in[3].x[n * o + j];
        if (run->in[4].x) out[j] += run->in[4].x[row * o + j];
    }
    for (int64_t tap = 0; tap < taps; tap++) {
        const double *from = pixel_at(run, n,
                                      y * attr->stride + tap / kernel.dim[3] - attr->pad_top,
                                      x * attr->stride + tap % kernel.dim[3] - attr->pad_left);
        for (int64_t j = 0; from && j < o; j++)
            for (int64_t i = 0; i < c; i++)
                out[j] += from[i] * run->in[1].x[(j * c + i) * taps + tap];
    }
}

/* Whether a query sees a key of its sample; key: counted over all samples */
static bool is_seen(const struct op_instance *run, int64_t query, int64_t key, int64_t tk) {
    if (run->op->attr.attention.causal && key % tk > query) return false;
    return !run->in[3].x || run->in[3].x[key] > 0;
}

static void attention_row(const struct op_instance *run, int64_t row, double *out) {
    const struct xl_attention *attr = &run->op->attr.attention;
    int64_t c = run->out_shape.dim[2], tq = run->out_shape.dim[1], tk = run->in[1].shape.dim[1];
    int64_t d = c / attr->heads, first = row / tq * tk;
    for (int64_t j = 0; j < c; j++) out[j] = 0;
    for (int64_t head = 0; head < c; head += d) {
        double most = -INFINITY, sum = 0;
        for (int pass = 0; pass < 2; pass++) { /* the greatest score, then the sums */
            for (int64_t key = first; key < first + tk; key++) {
                if (!is_seen(run, row % tq, key, tk)) continue;
                double score = 0;
                for (int64_t j = head; j < head + d; j++)
                    score += run->in[0].x[row * c + j] * run->in[1].x[key * c + j];
                score *= attr->scale;
                if (pass == 0) most = fmax(most, score);
                if (pass == 0) continue;
                double share = exp(score - most);
                sum += share;
                for (int64_t j = head; j < head + d; j++)
                    out[j] += share * run->in[2].x[key * c + j];
            }
        }
        for (int64_t j = head; sum > 0 && j < head + d; j++) out[j] /= sum;
    }
}

bool op_has_rows(const struct op_instance *instance) {
    enum xl_op_kind kind = instance->op->kind;
    return kind == XL_OP_LINEAR || kind == XL_OP_CONV2D || kind == XL_OP_ATTENTION;
}

void op_row(const struct op_instance *instance, int64_t row, double *out) {
    if (instance->op->kind == XL_OP_LINEAR)
        linear_row(instance, row, out);
    else if (instance->op->kind == XL_OP_CONV2D)
        conv2d_row(instance, row, out);
    else
        attention_row(instance, row, out);
}
