/* finish.h - what follows a product: act(x + bias + channel_bias) + residual. */
#ifndef XL_BACKEND_CUDA_FINISH_H
#define XL_BACKEND_CUDA_FINISH_H

#include "backend/cuda/cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* x: [n, pixels, x_stride], of which the first c count; out: [n, pixels, c] */
struct xl_cuda_finish {
    const void *x; /* NULL: the scratch memory */
    const struct xl_cuda_space *space;
    const struct xl_cuda_weight *bias; /* f32 [c], or NULL */
    const void *channel_bias;          /* [n, c], or NULL */
    const void *residual;              /* as out, or NULL */
    void *out;                         /* may be x, where dtype and stride are the same */
    enum xl_dtype x_dtype, dtype;      /* of x; of the others and the result */
    enum xl_activation act;
    int64_t n, pixels, c, x_stride;
};
xl_cuda_launch_fn xl_cuda_run_finish; /* args: struct xl_cuda_finish */

#ifdef __cplusplus
}
#endif
#endif
