/* attention_masked.c - attention with keys that are hidden: one query after the other in plain C.
 * Only texts whose weights take words out ask for it, and those are short. */
#include "backend/cpu/cpu.h"

#include <math.h>

struct masked {
    const struct xl_space *space;
    const struct xl_cpu_kernels *kernels;
    struct xl_operand q, k, v, mask, out;
    int64_t heads, d, tq, tk;
    float scale;
    bool is_causal;
};

/* One head's columns of `n` rows of a sample, in f32. */
static void read_rows(const struct masked *a, struct xl_operand from, int64_t first, int64_t n,
                      float *out) {
    for (int64_t i = 0; i < n; i++)
        a->kernels->convert(out + i * a->d, XL_DTYPE_F32,
                            xl_element(from, first + i * from.row_stride), from.dtype, a->d);
}

/* scores: [n], of keys that are seen; -INFINITY hides one. */
static void softmax(float *scores, int64_t n) {
    float max = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++) max = fmaxf(max, scores[i]);
    for (int64_t i = 0; i < n; i++) sum += scores[i] = max == -INFINITY ? 0 : expf(scores[i] - max);
    for (int64_t i = 0; i < n && sum > 0; i++) scores[i] /= sum;
}

/* A task is one head of one sample. Scratch: keys, values, a query, a result, scores. */
static void attend(void *user, int64_t task, int worker) {
    const struct masked *a = user;
    int64_t sample = task / a->heads, column = task % a->heads * a->d, d = a->d;
    float *k = (float *)(void *)xl_scratch(a->space, worker), *v = k + a->tk * d;
    float *q = v + a->tk * d, *out = q + d, *scores = out + d;
    const int32_t *mask = (const int32_t *)(const void *)a->mask.data + sample * a->tk;
    read_rows(a, a->k, sample * a->tk * a->k.row_stride + column, a->tk, k);
    read_rows(a, a->v, sample * a->tk * a->v.row_stride + column, a->tk, v);
    for (int64_t i = 0; i < a->tq; i++) {
        int64_t row = sample * a->tq + i;
        int64_t n_keys = a->is_causal && i + 1 < a->tk ? i + 1 : a->tk;
        read_rows(a, a->q, row * a->q.row_stride + column, 1, q);
        for (int64_t j = 0; j < n_keys; j++) {
            float sum = 0;
            for (int64_t x = 0; x < d; x++) sum += q[x] * k[j * d + x];
            scores[j] = mask[j] ? a->scale * sum : -INFINITY;
        }
        softmax(scores, n_keys);
        for (int64_t x = 0; x < d; x++) out[x] = 0;
        for (int64_t j = 0; j < n_keys; j++)
            for (int64_t x = 0; x < d; x++) out[x] += scores[j] * v[j * d + x];
        a->kernels->convert(xl_element(a->out, row * a->out.row_stride + column), a->out.dtype, out,
                            XL_DTYPE_F32, d);
    }
}

enum xl_status xl_compile_masked_attention(struct xl_compiler *c, struct xl_err *err) {
    const struct xl_op *op = c->op;
    struct masked *a = xl_state(c, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    a->space = c->space;
    a->kernels = c->backend->kernels;
    a->q = xl_operand(c, op->in[0]);
    a->k = xl_operand(c, op->in[1]);
    a->v = xl_operand(c, op->in[2]);
    a->mask = xl_operand(c, op->in[3]);
    a->out = xl_operand(c, op->out);
    a->heads = op->attr.attention.heads;
    a->d = a->q.shape.dim[2] / a->heads;
    a->tq = a->q.shape.dim[1];
    a->tk = a->k.shape.dim[1];
    a->scale = (float)op->attr.attention.scale;
    a->is_causal = op->attr.attention.causal;
    xl_need_scratch(c, (size_t)(2 * a->tk * a->d + 2 * a->d + a->tk) * sizeof(float));
    xl_add_loop(c, attend, a, a->q.shape.dim[0] * a->heads);
    return XL_OK;
}
