/* reference.h - inside the reference backend: an op made ready to compute.
 *
 * Whatever the floating dtypes and strides of a plan, a kernel sees dense f32 operands and writes a
 * dense f32 result; reference.c converts before and after. So each kernel is its formula and little
 * else. Sums are taken in double: results are right to the last bit or so of f32.
 */
#ifndef XL_BACKEND_REFERENCE_REFERENCE_H
#define XL_BACKEND_REFERENCE_REFERENCE_H

#include "backend/ops.h"

struct xl_ref_operand {
    struct xl_shape shape;
    const float *x;       /* NULL: an optional operand that is absent, or one of the others */
    const int32_t *ids;   /* i32 */
    const uint8_t *bytes; /* u8 */
    void *state;          /* where it lies, if the op updates it */
};

struct xl_ref_op {
    const struct xl_op *op;
    struct xl_ref_operand in[XL_MAX_OPERANDS];
    struct xl_shape shape; /* of the result */
    float *out;
    uint8_t *bytes; /* instead of out, for a result in u8 */
    void *scratch;  /* as much as the op wants (below) */
};

/* One kernel an op, each in the file of its kind. */
#define X(kind, suffix, ...) void xl_ref_##suffix(const struct xl_ref_op *op);
XL_OP_LIST(X)
#undef X

/* Scratch memory of the ops that want some. */
size_t xl_ref_conv2d_scratch(const struct xl_plan *plan, const struct xl_op *op);
size_t xl_ref_attention_scratch(const struct xl_plan *plan, const struct xl_op *op);

/* deltas.c: all numbers of a tensor in f32. False: no memory */
bool xl_ref_read(float *out, const struct xl_tensor *tensor);
/* Add the deltas of a part to its tensor, which is in x. False: no memory */
bool xl_ref_add_deltas(float *x, const struct xl_weight_part *part);

double xl_ref_act(enum xl_activation act, double x);

/* Four sums at a time: one alone would wait for each addition. */
static inline double xl_ref_dot(const float *a, const float *b, int64_t n) {
    double sum[4] = {0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int j = 0; j < 4; j++) sum[j] += (double)a[i + j] * (double)b[i + j];
    for (; i < n; i++) sum[0] += (double)a[i] * (double)b[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

#endif
