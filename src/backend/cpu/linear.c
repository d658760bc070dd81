/* linear.c - the ops linear and conv2d, described as products. */
#include "backend/cpu/product.h"

/* Rows times columns: pixels of one tall picture. */
static void flatten(struct xl_product_spec *spec, int64_t rows) {
    spec->n = spec->w = spec->ow = spec->up_width = 1;
    spec->h = spec->oh = spec->up_height = rows;
}

enum xl_status xl_compile_linear(struct xl_compiler *c, struct xl_err *err) {
    const struct xl_op *op = c->op;
    struct xl_product_spec spec = {
        .x = xl_operand(c, op->in[0]),
        .out = xl_operand(c, op->out),
        .residual = xl_operand(c, op->in[3]),
        .weight = xl_plan_value(c->plan, op->in[1]),
        .act = op->attr.linear.act,
        .kernel_h = 1,
        .kernel_w = 1,
        .stride = 1,
    };
    spec.c = xl_shape_last(spec.x.shape);
    spec.o = xl_shape_last(spec.out.shape);
    flatten(&spec, xl_shape_count(spec.out.shape) / spec.o);
    enum xl_status status = xl_floats(c, op->in[2], &spec.bias, err);
    return status ? status : xl_compile_product(c, &spec, err);
}

enum xl_status xl_compile_conv2d(struct xl_compiler *c, struct xl_err *err) {
    const struct xl_op *op = c->op;
    const struct xl_conv2d *attr = &op->attr.conv2d;
    const struct xl_value *weight = xl_plan_value(c->plan, op->in[1]);
    struct xl_operand x = xl_operand(c, op->in[0]), out = xl_operand(c, op->out);
    struct xl_product_spec spec = {
        .x = x,
        .out = out,
        .channel_bias = xl_operand(c, op->in[3]),
        .residual = xl_operand(c, op->in[4]),
        .weight = weight,
        .n = x.shape.dim[0],
        .h = x.shape.dim[1],
        .w = x.shape.dim[2],
        .c = x.shape.dim[3],
        .oh = out.shape.dim[1],
        .ow = out.shape.dim[2],
        .o = out.shape.dim[3],
        .kernel_h = weight->shape.dim[2],
        .kernel_w = weight->shape.dim[3],
        .stride = attr->stride,
        .pad_top = attr->pad_top,
        .pad_left = attr->pad_left,
        .pad_bottom = attr->pad_bottom,
        .pad_right = attr->pad_right,
        .upsample = attr->upsample,
        .up_height = attr->up_height,
        .up_width = attr->up_width,
    };
    bool is_matrix = spec.kernel_h == 1 && spec.kernel_w == 1 && spec.stride == 1 &&
                     spec.oh == spec.h && spec.ow == spec.w && !spec.pad_top && !spec.pad_left &&
                     !spec.upsample && !spec.channel_bias.data;
    if (is_matrix) flatten(&spec, spec.n * spec.h * spec.w);
    enum xl_status status = xl_floats(c, op->in[2], &spec.bias, err);
    return status ? status : xl_compile_product(c, &spec, err);
}
