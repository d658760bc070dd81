/* product_lt.h - products by cuBLASLt. It thinks in columns: out^T [n, m] = w [n, k] x^T [k, m]. */
#ifndef XL_BACKEND_CUDA_PRODUCT_LT_H
#define XL_BACKEND_CUDA_PRODUCT_LT_H

#include "backend/cuda/libraries.h"
#include "backend/cuda/product_shape.h"

/* The library, as it is used on one device. */
struct xl_cuda_lt {
    const struct xl_cublaslt *library;
    cublasLtHandle_t handle;
    const struct xl_cuda_workspace *workspace;
};

/* A shape in its terms; all NULL: it has no such products. */
struct xl_cuda_lt_product {
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t w, x, out;
};

/* Errors: XL_EDEVICE no cuBLASLt */
enum xl_status xl_cuda_lt_open(const struct xl_cuda_workspace *workspace, struct xl_cuda_lt *out,
                               struct xl_err *err) XL_CHECKED;
void xl_cuda_lt_close(struct xl_cuda_lt *lt);

/* False: it refuses the shape, or cannot be told of it. */
bool xl_cuda_lt_describe(const struct xl_cuda_lt *lt, const struct xl_cuda_product_shape *shape,
                         struct xl_cuda_lt_product *out);
void xl_cuda_lt_free(const struct xl_cuda_lt *lt, struct xl_cuda_lt_product *product);

/* The ways that it offers, the best in its opinion first; how many. */
enum { XL_CUDA_LT_MAX_WAYS = 12 };
int xl_cuda_lt_ways(const struct xl_cuda_lt *lt, const struct xl_cuda_lt_product *product,
                    int alignment, cublasLtMatmulAlgo_t ways[XL_CUDA_LT_MAX_WAYS]);
/* Whether a way that was kept is one: it may come from a damaged file. */
bool xl_cuda_lt_knows(const struct xl_cuda_lt *lt, const struct xl_cuda_lt_product *product,
                      const cublasLtMatmulAlgo_t *way);

/* Queue it. False: it could not be queued. */
bool xl_cuda_lt_run(const struct xl_cuda_lt *lt, const struct xl_cuda_lt_product *product,
                    const struct xl_cuda_product_shape *shape, const cublasLtMatmulAlgo_t *way,
                    const struct xl_cuda_product_data *data, cudaStream_t stream);

#endif
