/* pack.h - weights on the device in the order and dtype that products want. */
#ifndef XL_BACKEND_CUDA_PACK_H
#define XL_BACKEND_CUDA_PACK_H

#include "tensor/tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A kernel of 3x3 folds into four of 2x2: fold 2i + j: what pixels of row 2y + i and column
 * 2x + j of an enlarged picture see of the small one, sums of the taps that see the same pixel. */
enum { XL_CUDA_FOLDS = 4, XL_CUDA_FOLDED_TAPS = 4 };

/* Rows [columns, taps] become rows [taps, columns], then zeros up to to_length. With scales they
 * are rounded to F8: a number is what is written times the scale of its row. */
struct xl_cuda_packing {
    const void *from;
    void *to;
    enum xl_dtype from_dtype, to_dtype;
    int64_t rows, columns, taps, to_length;
    bool is_folded;
    int fold;
    float *scales; /* [rows], or NULL */
};
/* False: it could not be queued. */
bool xl_cuda_pack(const struct xl_cuda_packing *packing, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
