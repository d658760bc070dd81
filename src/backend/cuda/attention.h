/* attention.h - softmax(scale q k^T) v per head in kernels of our own: one that is right for
 * everything, and faster ones for what they fit. */
#ifndef XL_BACKEND_CUDA_ATTENTION_H
#define XL_BACKEND_CUDA_ATTENTION_H

#include "backend/cuda/cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* q, out: [n, tq, heads, d]; k, v: [n, tk, heads, d]. A token's heads lie together; *_stride:
 * elements from a token to the next; a sample is t strides long. */
struct xl_cuda_attention {
    const void *q, *k, *v;
    void *out;
    const int32_t *mask; /* [n, tk], 0 hides a key; NULL: none */
    enum xl_dtype dtype; /* of q, k, v and out */
    int64_t n, heads, d, tq, tk;
    int64_t q_stride, k_stride, v_stride, out_stride;
    float scale;
    bool is_causal; /* a query sees keys up to its own position */
};

/* Their arguments are a struct xl_cuda_attention. Any; a query that sees no key gets zeros. */
xl_cuda_launch_fn xl_cuda_attention_plain;

/* On mma.sync: f16 and bf16, heads of up to 128 numbers, no mask, a scale above 0, rows of
 * 16-byte words. */
bool xl_cuda_attention_mma_fits(const struct xl_cuda_attention *a);
xl_cuda_launch_fn xl_cuda_attention_mma;

#ifdef __cplusplus
}
#endif
#endif
