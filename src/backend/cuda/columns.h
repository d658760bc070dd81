/* columns.h - pictures rearranged for convolutions: what a kernel covers as rows of a matrix, and
 * pictures enlarged. */
#ifndef XL_BACKEND_CUDA_COLUMNS_H
#define XL_BACKEND_CUDA_COLUMNS_H

#include "backend/cuda/cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Pixels first .. first + n_pixels - 1 of the result of a convolution, counted over all samples, as
 * rows [kh, kw, c] of what the kernel covers there, zeros outside the picture and up to row_length.
 */
struct xl_cuda_columns {
    const void *x; /* [n, h, w, c] */
    void *out;     /* [n_pixels, row_length] */
    enum xl_dtype dtype;
    int64_t h, w, c, kh, kw, out_h, out_w, row_length, first, n_pixels;
    int64_t up_h, up_w; /* of the picture that the kernel sees, enlarged twice where `upsample` */
    int stride, pad_top, pad_left;
    bool upsample;
};
xl_cuda_launch_fn xl_cuda_run_columns; /* args: struct xl_cuda_columns */

/* [n, h, w, c] enlarged twice by nearest neighbour, cut to up_h x up_w. */
struct xl_cuda_enlarge {
    const void *x;
    void *out;
    enum xl_dtype dtype;
    int64_t n, h, w, c, up_h, up_w;
};
xl_cuda_launch_fn xl_cuda_run_enlarge; /* args: struct xl_cuda_enlarge */

/* Put the four kinds of pixels of an enlarged picture in their order: pixel 2y + i, 2x + j of the
 * result is pixel y + i, x + j of kind 2i + j, plus bias. */
struct xl_cuda_unfold {
    const void *x; /* [n, h + 1, w + 1, 4, c] */
    void *out;     /* [n, 2h, 2w, c] */
    enum xl_dtype dtype;
    const float *bias; /* [c], or NULL */
    int64_t n, h, w, c;
};
xl_cuda_launch_fn xl_cuda_run_unfold; /* args: struct xl_cuda_unfold */

#ifdef __cplusplus
}
#endif
#endif
