/* linear.c - linear: one product, with bias and residual in it. Where an activation follows, the
 * product is kept in f32 until that, so that its result is rounded once. */
#include "backend/cuda/finish.h"
#include "backend/cuda/product.h"
#include "backend/cuda/store.h"

struct linear {
    const struct xl_cuda_product *product;
    const struct xl_cuda_weight *weight, *bias;
    const struct xl_cuda_space *space;
    struct xl_cuda_product_data data; /* but for weight and bias; out NULL: scratch memory */
};

static bool run_linear(const void *args, cudaStream_t stream) {
    const struct linear *linear = args;
    struct xl_cuda_product_data data = linear->data;
    data.w = linear->weight->data;
    data.bias = linear->bias ? linear->bias->data : NULL;
    if (!data.out) data.out = linear->space->scratch;
    return xl_cuda_product_run(linear->product, &data, stream);
}

/* act(product + bias) + residual */
static enum xl_status add_activation(struct xl_cuda_compiler *c, struct xl_err *err) {
    struct xl_cuda_operand out = xl_cuda_out(c);
    struct xl_cuda_finish *finish = xl_cuda_launch(c, xl_cuda_run_finish, sizeof *finish, err);
    if (!finish) return XL_ENOMEM;
    *finish = (struct xl_cuda_finish){
        .space = c->space,
        .residual = xl_cuda_in(c, 3).data,
        .out = out.data,
        .x_dtype = XL_DTYPE_F32,
        .dtype = out.dtype,
        .act = c->op->attr.linear.act,
        .n = 1,
        .c = xl_shape_last(out.shape),
        .x_stride = xl_shape_last(out.shape),
    };
    finish->pixels = xl_shape_count(out.shape) / finish->c;
    return xl_cuda_floats(c, c->op->in[2], &finish->bias, err);
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static struct xl_cuda_product_shape shape_of(const struct xl_cuda_compiler *c, bool has_act) {
    struct xl_cuda_operand x = xl_cuda_in(c, 0), out = xl_cuda_out(c);
    struct xl_cuda_product_shape shape = {
        .dtype = x.dtype,
        .out_dtype = has_act ? XL_DTYPE_F32 : out.dtype,
        .n = xl_shape_last(out.shape),
        .k = xl_shape_last(x.shape),
        .x_stride = x.row_stride,
        .has_bias = c->op->in[2] && !has_act,
        .has_residual = c->op->in[3] && !has_act,
    };
    shape.m = xl_shape_count(out.shape) / shape.n;
    shape.w_stride = shape.k;
    shape.out_stride = shape.n;
    shape.alignment = smaller(xl_cuda_alignment(x.data, x.row_stride, x.dtype),
                              smaller(xl_cuda_alignment(NULL, shape.k, x.dtype),
                                      xl_cuda_alignment(out.data, shape.n, out.dtype)));
    return shape;
}

enum xl_status xl_cuda_compile_linear(struct xl_cuda_compiler *c, struct xl_err *err) {
    bool has_act = c->op->attr.linear.act != XL_ACT_NONE;
    struct xl_cuda_product_shape shape = shape_of(c, has_act);
    struct xl_cuda_product *product;
    enum xl_status status = xl_cuda_product_get(c, &shape, &product, err);
    if (status) return status;
    struct linear *linear = xl_cuda_launch(c, run_linear, sizeof *linear, err);
    if (!linear) return XL_ENOMEM;
    linear->product = product;
    linear->space = c->space;
    linear->data.x = xl_cuda_in(c, 0).data;
    linear->data.factor = 1.0F;
    status = xl_cuda_matrix(c, c->op->in[1], &linear->weight, err);
    if (status) return status;
    if (has_act) {
        xl_cuda_need_scratch(c, (size_t)(shape.m * shape.n) * sizeof(float));
        return add_activation(c, err);
    }
    linear->data.residual = xl_cuda_in(c, 3).data;
    linear->data.out = xl_cuda_out(c).data;
    return xl_cuda_matrix(c, c->op->in[2], &linear->bias, err);
}
