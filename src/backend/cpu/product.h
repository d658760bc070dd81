/* product.h - a convolution, or a linear layer seen as one: what linear and conv2d share. */
#ifndef XL_BACKEND_CPU_PRODUCT_H
#define XL_BACKEND_CPU_PRODUCT_H

#include "backend/cpu/cpu.h"

/* out = act(conv(x) + bias + channel_bias) + residual, fields as in struct xl_conv2d (ops.h) */
struct xl_product_spec {
    struct xl_operand x, out, residual, channel_bias;
    const struct xl_value *weight;
    const struct xl_numbers *bias; /* f32, or NULL */
    enum xl_activation act;
    int64_t n, h, w, c, oh, ow, o;
    int64_t kernel_h, kernel_w, stride;
    int64_t pad_top, pad_left, pad_bottom, pad_right;
    bool upsample;
    int64_t up_height, up_width;
};

/* Make the current op's step. */
enum xl_status xl_compile_product(struct xl_compiler *c, const struct xl_product_spec *spec,
                                  struct xl_err *err) XL_CHECKED;

/* Output channels of a task, of o. */
int64_t xl_product_chunk(int64_t o);

/* winograd.c: whether it suits the product (dtype: in which it is computed), and the step. */
bool xl_can_winograd(const struct xl_product_spec *spec, enum xl_dtype dtype);
enum xl_status xl_compile_winograd(struct xl_compiler *c, const struct xl_product_spec *spec,
                                   struct xl_err *err) XL_CHECKED;

#endif
