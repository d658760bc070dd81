/* attention.c - softmax(scale q k^T) v per head, one query at a time. */
#include "backend/reference/reference.h"

#include <math.h>

/* The row of scores (tk doubles), then the row of the result (one head, in double). */
size_t xl_ref_attention_scratch(const struct xl_plan *plan, const struct xl_op *op) {
    struct xl_shape k = xl_plan_value(plan, op->in[1])->shape;
    return (size_t)(k.dim[1] + k.dim[2]) * sizeof(double);
}

/* scores: in place, so that they sum to 1; zeros where there is none. The maximum is taken off lest
 * exp overflow. */
static void softmax(double *scores, int64_t n) {
    double max = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++) max = fmax(max, scores[i]);
    if (max == -INFINITY) {
        for (int64_t i = 0; i < n; i++) scores[i] = 0;
        return;
    }
    for (int64_t i = 0; i < n; i++) sum += scores[i] = exp(scores[i] - max);
    for (int64_t i = 0; i < n; i++) scores[i] /= sum;
}

/* One query of one head. k, v: the head's columns of a sample, c numbers from key to key. mask: of
 * the sample's keys, or NULL */
static void attend(const struct xl_ref_op *op, const float *q, const float *k, const float *v,
                   int64_t n_keys, const int32_t *mask, float *out) {
    const struct xl_attention *attr = &op->op->attr.attention;
    int64_t c = op->shape.dim[2], d = c / attr->heads;
    double *scores = op->scratch, *sum = scores + op->in[1].shape.dim[1];
    for (int64_t i = 0; i < n_keys; i++) scores[i] = attr->scale * xl_ref_dot(q, k + i * c, d);
    for (int64_t i = 0; mask && i < n_keys; i++)
        if (!mask[i]) scores[i] = -INFINITY;
    softmax(scores, n_keys);
    for (int64_t j = 0; j < d; j++) sum[j] = 0;
    for (int64_t i = 0; i < n_keys; i++)
        for (int64_t j = 0; j < d; j++) sum[j] += scores[i] * (double)v[i * c + j];
    for (int64_t j = 0; j < d; j++) out[j] = (float)sum[j];
}

void xl_ref_attention(const struct xl_ref_op *op) {
    const struct xl_attention *attr = &op->op->attr.attention;
    int64_t n = op->shape.dim[0], tq = op->shape.dim[1], c = op->shape.dim[2];
    int64_t tk = op->in[1].shape.dim[1], d = c / attr->heads;
    for (int64_t sample = 0; sample < n; sample++) {
        const int32_t *mask = op->in[3].ids ? op->in[3].ids + sample * tk : NULL;
        for (int64_t head = 0; head < attr->heads; head++) {
            const float *q = op->in[0].x + sample * tq * c + head * d;
            const float *k = op->in[1].x + sample * tk * c + head * d;
            const float *v = op->in[2].x + sample * tk * c + head * d;
            for (int64_t i = 0; i < tq; i++) {
                int64_t n_keys = attr->causal && i + 1 < tk ? i + 1 : tk;
                float *out = op->out + (sample * tq + i) * c + head * d;
                attend(op, q + i * c, k, v, n_keys, mask, out);
            }
        }
    }
}
