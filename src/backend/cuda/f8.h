/* f8.h - products of numbers in F8 (E4M3: 4 bits of exponent, 3 of mantissa, up to 448), which run
 * at twice the speed of f16.
 *
 * A floating format keeps its relative precision over most of its range: all that a scale has to
 * see to is that nothing is too large. So no scale is learned from pictures:
 * - rows of activations for a linear layer are scaled by their own largest number, found on the way
 *   by what computes them (layer norm, GEGLU), so that a row depends on nothing but itself;
 * - a picture for a convolution has one scale, from the largest number that the group norm before
 *   it can give at all, whatever it is given (a number of n with mean 0 and variance 1 is at most
 *   sqrt(n));
 * - where products in F8 are our own (hopper.h), GEGLU has a scale for each 128 numbers of a row;
 * - weights are scaled by output channel.
 * Nothing saturates, whatever the picture, its size and the LoRA. */
#ifndef XL_BACKEND_CUDA_F8_H
#define XL_BACKEND_CUDA_F8_H

#include "backend/cuda/cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether products of the op are computed in F8: it may be (in_f8), and its shapes suit. */
bool xl_cuda_linear_is_f8(const struct xl_cuda_compiler *c, const struct xl_op *op);
bool xl_cuda_conv_is_f8(const struct xl_cuda_compiler *c, const struct xl_op *op);

/* How numbers lie. */
enum xl_cuda_form {
    XL_CUDA_AS_TYPED,
    XL_CUDA_F8_ROWS,    /* F8, a scale for each row */
    XL_CUDA_F8_BLOCKS,  /* F8, a scale for each XL_CUDA_F8_BLOCK numbers of each row */
    XL_CUDA_F8_PICTURE, /* F8, one scale */
};
enum { XL_CUDA_F8_BLOCK = 128 };

/* Rows in F8 with their scales behind them: a number is data * scale. In the memory of as many
 * numbers of 16 bits there is room for both. */
struct xl_cuda_f8_rows {
    unsigned char *data;
    float *scales; /* [rows], or [rows, blocks] */
};
static inline struct xl_cuda_f8_rows xl_cuda_f8_rows_at(void *memory, int64_t rows,
                                                        int64_t columns) {
    unsigned char *data = (unsigned char *)memory;
    return (struct xl_cuda_f8_rows){data, (float *)(void *)(data + rows * columns)};
}
static inline size_t xl_cuda_f8_rows_bytes(int64_t rows, int64_t columns) {
    return (size_t)(rows * columns) + (size_t)rows * sizeof(float);
}

/* Round rows of 16-bit numbers, in the scratch memory. columns: a multiple of 16 */
struct xl_cuda_to_f8 {
    const void *x;
    enum xl_dtype dtype;
    const struct xl_cuda_space *space;
    int64_t rows, columns;
};
xl_cuda_launch_fn xl_cuda_run_to_f8; /* args: struct xl_cuda_to_f8 */

/* The scale of a picture that comes from a group norm, for which n numbers share a mean:
 * bounds[0] such that number / bounds[0] is at most 448, and bounds[1] = 1 / bounds[0]. */
struct xl_cuda_f8_bound {
    const struct xl_cuda_weight *weight, *bias; /* f32 [c], of the norm */
    int64_t c;
    float n;
    const struct xl_cuda_space *space;
    size_t at; /* of the bounds in the constants */
};
xl_cuda_launch_fn xl_cuda_run_f8_bound; /* args: struct xl_cuda_f8_bound */

/* What a convolution's sums are to be multiplied with: scales[k] of the weight times bounds[0].
 * constants: [o] at `to`, and the bounds at `bounds` */
struct xl_cuda_f8_scales {
    const struct xl_cuda_weight *weight;
    int64_t o;
    const struct xl_cuda_space *space;
    size_t bounds, to;
};
xl_cuda_launch_fn xl_cuda_run_f8_scales; /* args: struct xl_cuda_f8_scales */

#ifdef __cplusplus
}
#endif
#endif
