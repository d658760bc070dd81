/* dnn.h - what cuDNN computes: graphs of its operations, each run by the engine that was measured
 * to be fastest. Names as in cuDNN's backend API. */
#ifndef XL_BACKEND_CUDA_DNN_H
#define XL_BACKEND_CUDA_DNN_H

#include "backend/cuda/cuda.h"

/* Errors: XL_EDEVICE no cuDNN, XL_ENOMEM */
enum xl_status xl_cuda_dnn_new(const struct xl_cuda_backend *backend, struct xl_cuda_dnn **out,
                               struct xl_err *err) XL_CHECKED;
void xl_cuda_dnn_free(struct xl_cuda_dnn *dnn); /* NULL is fine */

/* A graph with its engine; belongs to the dnn. */
struct xl_cuda_dnn_plan; /* opaque */

enum { XL_DNN_MAX_TENSORS = 6 };

/* Queue it: addresses in the order of the tensors of its graph. False: it could not be queued. */
bool xl_cuda_dnn_run(const struct xl_cuda_dnn_plan *plan, void *const data[XL_DNN_MAX_TENSORS],
                     cudaStream_t stream);

/* x [n, h, w, c] with w [o, kh, kw, c] -> [n, out_h, out_w, o] */
struct xl_cuda_conv_shape {
    enum xl_dtype dtype;
    int64_t n, h, w, c, o, kh, kw, out_h, out_w;
    int stride, pad_top, pad_left, pad_bottom, pad_right;
    bool is_f8;        /* x and w are; sums are multiplied by scales, then a bias is added ... */
    bool has_residual; /* ... and this */
};
/* Tensors: x, w, out; in F8 also scales, bias (f32 [o]) and residual (as out). *out: NULL when
 * cuDNN has no engine for it, and while a plan is measured. Errors: XL_ENOMEM */
enum xl_status xl_cuda_dnn_conv(const struct xl_cuda_compiler *c,
                                const struct xl_cuda_conv_shape *shape,
                                const struct xl_cuda_dnn_plan **out, struct xl_err *err) XL_CHECKED;

struct xl_cuda_attention;
/* Tensors: q, k, v, out, as the attention has them, and its scale, which lies on the host. *out:
 * NULL as above. Errors: XL_ENOMEM */
enum xl_status xl_cuda_dnn_attention(const struct xl_cuda_compiler *c,
                                     const struct xl_cuda_attention *attention,
                                     const struct xl_cuda_dnn_plan **out,
                                     struct xl_err *err) XL_CHECKED;

#endif
