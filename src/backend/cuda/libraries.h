/* libraries.h - the functions of cuBLASLt and cuDNN, found when the program runs: one binary works
 * with them and without. */
#ifndef XL_BACKEND_CUDA_LIBRARIES_H
#define XL_BACKEND_CUDA_LIBRARIES_H

#include "base/status.h"

#include <cublasLt.h>
#include <cudnn.h>

#define XL_CUBLASLT_LIST(X)                                                                        \
    X(cublasLtCreate)                                                                              \
    X(cublasLtDestroy)                                                                             \
    X(cublasLtGetVersion)                                                                          \
    X(cublasLtMatmul)                                                                              \
    X(cublasLtMatmulAlgoCheck)                                                                     \
    X(cublasLtMatmulAlgoGetHeuristic)                                                              \
    X(cublasLtMatmulDescCreate)                                                                    \
    X(cublasLtMatmulDescDestroy)                                                                   \
    X(cublasLtMatmulDescSetAttribute)                                                              \
    X(cublasLtMatmulPreferenceCreate)                                                              \
    X(cublasLtMatmulPreferenceDestroy)                                                             \
    X(cublasLtMatmulPreferenceSetAttribute)                                                        \
    X(cublasLtMatrixLayoutCreate)                                                                  \
    X(cublasLtMatrixLayoutDestroy)

#define XL_CUDNN_LIST(X)                                                                           \
    X(cudnnCreate)                                                                                 \
    X(cudnnDestroy)                                                                                \
    X(cudnnGetVersion)                                                                             \
    X(cudnnSetStream)                                                                              \
    X(cudnnBackendCreateDescriptor)                                                                \
    X(cudnnBackendDestroyDescriptor)                                                               \
    X(cudnnBackendSetAttribute)                                                                    \
    X(cudnnBackendGetAttribute)                                                                    \
    X(cudnnBackendFinalize)                                                                        \
    X(cudnnBackendExecute)

#define X(name) __typeof__(name) *name;
struct xl_cublaslt {
    XL_CUBLASLT_LIST(X)
};
struct xl_cudnn {
    XL_CUDNN_LIST(X)
};
#undef X

/* Load once a process; NULL: not here, and the loader's words are in why. why: may be NULL */
enum { XL_LOAD_TEXT = 200 };
const struct xl_cublaslt *xl_cublaslt(char why[XL_LOAD_TEXT]);
const struct xl_cudnn *xl_cudnn(char why[XL_LOAD_TEXT]);

/* "cuBLASLt 13.1.0, cuDNN 9.19.0"; what is not here is left out. */
void xl_cuda_libraries_describe(char *out, size_t size);

#endif
