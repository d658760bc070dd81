/* hopper.h - products by a kernel of our own (hopper_tile.cuh), for GPUs of compute capability 9.0.
 * It does what cuBLASLt has no product for: GEGLU in one, F8 with scales for parts of rows; and it
 * is one more way where that has one. */
#ifndef XL_BACKEND_CUDA_HOPPER_H
#define XL_BACKEND_CUDA_HOPPER_H

#include "backend/cuda/product_shape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the GPU is one of them. */
bool xl_cuda_is_hopper(const struct xl_cuda_backend *backend);

/* Its ways, by number: sizes of tiles. */
enum { XL_CUDA_HOPPER_WAYS = 5 };
/* "256x2"; of a number below XL_CUDA_HOPPER_WAYS */
const char *xl_cuda_hopper_name(int way);
/* Whether a product can be computed that way, on a GPU that is one. */
bool xl_cuda_hopper_suits(int way, const struct xl_cuda_product_shape *shape);
/* Queue it. False: it could not be queued. */
bool xl_cuda_hopper_run(int way, const struct xl_cuda_product_shape *shape,
                        const struct xl_cuda_product_data *data, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
