/* conv.h - one convolution while it is compiled, as the files see it that each compute it in one
 * way.
 */
#ifndef XL_BACKEND_CUDA_CONV_H
#define XL_BACKEND_CUDA_CONV_H

#include "backend/cuda/cuda.h"
#include "backend/cuda/dnn.h"

/* An op's convolution: [n, h, w, c] with a kernel [o, c, kh, kw] */
struct xl_cuda_conv {
    const struct xl_conv2d *attr;
    struct xl_cuda_operand x, channel_bias, residual, out;
    int64_t n, h, w, c, o, kh, kw, out_h, out_w, pixels; /* pixels: of the result, all samples */
};

/* Add what follows the products: bias, channel bias, residual. From rows of x_stride in the scratch
 * memory, or of as many channels as the result has in it. Nothing, where there is nothing. */
enum xl_status xl_cuda_conv_finish(struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv,
                                   int64_t x_stride, bool has_bias, struct xl_err *err) XL_CHECKED;

/* As cuDNN is to be asked for it: channels of the result by eights. */
struct xl_cuda_conv_shape xl_cuda_conv_dnn_shape(const struct xl_cuda_conv *conv);

/* Ways to compute it. *is_done: false where cuDNN has no engine for it, and nothing was added.
 * Errors: XL_ENOMEM, XL_EDEVICE */
enum xl_status xl_cuda_conv_by_dnn(struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv,
                                   bool *is_done, struct xl_err *err) XL_CHECKED;
enum xl_status xl_cuda_conv_folded(struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv,
                                   bool *is_done, struct xl_err *err) XL_CHECKED;
/* x is a picture in F8. */
enum xl_status xl_cuda_conv_in_f8(struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv,
                                  struct xl_err *err) XL_CHECKED;

/* Whether the picture is enlarged to twice its size, whole, for a kernel of 3x3: a pixel of the
 * result then sees 2x2 different ones only. */
bool xl_cuda_conv_can_fold(const struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv);

#endif
