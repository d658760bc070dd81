/* product_shape.h - what a product is, whoever computes it: its shape, and what a run of it reads
 * and writes. */
#ifndef XL_BACKEND_CUDA_PRODUCT_SHAPE_H
#define XL_BACKEND_CUDA_PRODUCT_SHAPE_H

#include "backend/cuda/f8.h"

/* out[m, n] = factor x[m, k] w[n, k]^T + bias[n] + residual[m, n], rows at strides in elements. */
struct xl_cuda_product_shape {
    enum xl_dtype dtype, out_dtype; /* of x, w; of out and bias */
    enum xl_cuda_form x_form;       /* in F8 w is too, with a scale a row; dtype does not matter */
    enum xl_cuda_form out_form;     /* in F8 of rows that are dense */
    int64_t m, n, k;
    int64_t x_stride, w_stride, out_stride;
    bool is_w_turned; /* w lies as [k, n] */
    bool has_bias;
    bool has_residual; /* as out lies; may be out itself */
    bool is_gated;     /* of the n columns that second half are gates: out[m, n / 2] is the first
                        * half times gelu of the second */
    int alignment;     /* bytes, of all addresses and rows; see xl_cuda_alignment */
};

/* What a run of one reads and writes; bias and residual as the shape says. */
struct xl_cuda_product_data {
    const void *x, *w, *bias, *residual;
    const float *x_scales, *w_scales; /* of products in F8 */
    void *out;
    float factor;
};

#endif
