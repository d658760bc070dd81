/* linear.c - linear: one product, with bias and residual in it. Where an activation follows, the
 * product is kept in f32 until that, so that its result is rounded once. A GEGLU that follows is in
 * the product where that can be; else a bias before it is left to it: in the product it costs up to
 * a sixth more time. In F8 where that is wished. */
#include "backend/cuda/f8.h"
#include "backend/cuda/finish.h"
#include "backend/cuda/leave.h"
#include "backend/cuda/product.h"
#include "backend/cuda/store.h"

struct linear {
    const struct xl_cuda_product *product;
    const struct xl_cuda_weight *weight, *bias;
    const struct xl_cuda_space *space;
    struct xl_cuda_product_data data; /* but for weight and bias; out NULL: scratch memory */
    int64_t f8_rows, f8_columns;      /* of x in F8 (x NULL: in the scratch memory); 0: it is not */
};

static bool run_linear(const void *args, cudaStream_t stream) {
    const struct linear *linear = args;
    struct xl_cuda_product_data data = linear->data;
    data.w = linear->weight->data;
    data.bias = linear->bias ? linear->bias->data : NULL;
    if (!data.out) data.out = linear->space->scratch;
    if (linear->f8_rows) {
        void *at = data.x ? (void *)data.x : linear->space->scratch;
        struct xl_cuda_f8_rows x = xl_cuda_f8_rows_at(at, linear->f8_rows, linear->f8_columns);
        data.x = x.data;
        data.x_scales = x.scales;
        data.w_scales = linear->weight->scales;
    }
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

static bool leaves_bias(const struct xl_cuda_compiler *c) {
    const struct xl_op *reader = xl_cuda_only_reader(c);
    return reader && reader->kind == XL_OP_GEGLU && c->op->in[2] && !c->op->in[3] &&
           c->op->attr.linear.act == XL_ACT_NONE;
}

/* F8 in blocks is read by products with a residual only (hopper_product.cu). */
static bool reads_blocks(const struct xl_cuda_compiler *c, const struct xl_op *op) {
    return op && xl_cuda_linear_is_f8(c, op) && op->in[3] &&
           xl_shape_last(xl_plan_value(c->plan, op->in[0])->shape) % XL_CUDA_F8_BLOCK == 0;
}

static enum xl_cuda_form x_form_of(const struct xl_cuda_compiler *c) {
    enum xl_cuda_form left = xl_cuda_left(c).form;
    if (left == XL_CUDA_F8_BLOCKS) return left;
    return xl_cuda_linear_is_f8(c, c->op) ? XL_CUDA_F8_ROWS : XL_CUDA_AS_TYPED;
}

static void align(struct xl_cuda_product_shape *shape, const struct xl_cuda_operand *x,
                  const struct xl_cuda_operand *out) {
    enum xl_dtype stored = shape->x_form == XL_CUDA_AS_TYPED ? x->dtype : XL_DTYPE_U8;
    shape->alignment =
        smaller(xl_cuda_alignment(x->data, x->row_stride, stored),
                smaller(xl_cuda_alignment(NULL, shape->k, stored),
                        xl_cuda_alignment(out->data, shape->out_stride, out->dtype)));
}

static struct xl_cuda_product_shape shape_of(const struct xl_cuda_compiler *c, bool has_act) {
    struct xl_cuda_operand x = xl_cuda_in(c, 0), out = xl_cuda_out(c);
    struct xl_cuda_product_shape shape = {
        .dtype = x.dtype,
        .out_dtype = has_act ? XL_DTYPE_F32 : out.dtype,
        .x_form = x_form_of(c),
        .n = xl_shape_last(out.shape),
        .k = xl_shape_last(x.shape),
        .x_stride = x.row_stride,
        .has_bias = c->op->in[2] && !has_act && !leaves_bias(c),
        .has_residual = c->op->in[3] && !has_act,
    };
    shape.m = xl_shape_count(out.shape) / shape.n;
    shape.w_stride = shape.k;
    shape.out_stride = shape.n;
    align(&shape, &x, &out);
    return shape;
}

/* Make the shape one with the GEGLU that follows, if there is such a product. Its op; NULL: none */
static const struct xl_op *join_gate(const struct xl_cuda_compiler *c,
                                     struct xl_cuda_product_shape *shape) {
    const struct xl_op *gate = xl_plan_joined(c->plan, c->op);
    if (!gate || gate->kind != XL_OP_GEGLU || gate != xl_cuda_only_reader(c) || c->op->in[3] ||
        c->op->attr.linear.act != XL_ACT_NONE)
        return NULL;
    struct xl_cuda_operand x = xl_cuda_in(c, 0), out = xl_cuda_operand(c, gate->out);
    struct xl_cuda_product_shape joined = *shape;
    joined.is_gated = true;
    joined.has_bias = c->op->in[2] != 0;
    joined.out_stride = shape->n / 2;
    if (shape->x_form != XL_CUDA_AS_TYPED && reads_blocks(c, xl_cuda_only_reader_of(c, gate)))
        joined.out_form = XL_CUDA_F8_BLOCKS;
    align(&joined, &x, &out);
    if (!xl_cuda_products_have(c->backend->products, &joined)) return NULL;
    *shape = joined;
    return gate;
}

bool xl_cuda_linear_is_f8(const struct xl_cuda_compiler *c, const struct xl_op *op) {
    if (op->kind != XL_OP_LINEAR || !op->attr.linear.in_f8 || !c->backend->has_f8) return false;
    const struct xl_value *x = xl_plan_value(c->plan, op->in[0]);
    int64_t k = xl_shape_last(x->shape), n = xl_plan_value(c->plan, op->in[1])->shape.dim[0];
    return x->dtype != XL_DTYPE_F32 && x->row_stride == k && k % 16 == 0 && n % 16 == 0 &&
           op->attr.linear.act == XL_ACT_NONE;
}

/* The weight, and x where it is not in F8 already. */
static enum xl_status prepare_f8(struct xl_cuda_compiler *c,
                                 const struct xl_cuda_product_shape *shape, struct linear *linear,
                                 struct xl_err *err) {
    struct xl_cuda_weight_spec spec = {.weight = xl_plan_value(c->plan, c->op->in[1]),
                                       .is_f8 = true};
    linear->f8_rows = shape->m;
    linear->f8_columns = shape->k;
    if (xl_cuda_left(c).form == XL_CUDA_AS_TYPED) linear->data.x = NULL;
    return xl_cuda_store_ask(c->hold, &spec, &linear->weight, err);
}

static enum xl_status add_to_f8(struct xl_cuda_compiler *c,
                                const struct xl_cuda_product_shape *shape, struct xl_err *err) {
    struct xl_cuda_to_f8 *to_f8 = xl_cuda_launch(c, xl_cuda_run_to_f8, sizeof *to_f8, err);
    if (!to_f8) return XL_ENOMEM;
    *to_f8 = (struct xl_cuda_to_f8){.x = xl_cuda_in(c, 0).data,
                                    .dtype = shape->dtype,
                                    .space = c->space,
                                    .rows = shape->m,
                                    .columns = shape->k};
    xl_cuda_need_scratch(c, xl_cuda_f8_rows_bytes(shape->m, shape->k));
    return XL_OK;
}

enum xl_status xl_cuda_compile_linear(struct xl_cuda_compiler *c, struct xl_err *err) {
    bool has_act = c->op->attr.linear.act != XL_ACT_NONE;
    struct xl_cuda_product_shape shape = shape_of(c, has_act);
    const struct xl_op *gate = join_gate(c, &shape);
    bool is_f8 = shape.x_form != XL_CUDA_AS_TYPED;
    struct xl_cuda_product *product;
    enum xl_status status = xl_cuda_product_get(c, &shape, &product, err);
    if (!status && is_f8 && xl_cuda_left(c).form == XL_CUDA_AS_TYPED)
        status = add_to_f8(c, &shape, err);
    if (status) return status;
    struct linear *linear = xl_cuda_launch(c, run_linear, sizeof *linear, err);
    if (!linear) return XL_ENOMEM;
    linear->product = product;
    linear->space = c->space;
    linear->data.x = xl_cuda_in(c, 0).data;
    linear->data.factor = 1.0F;
    status = is_f8 ? prepare_f8(c, &shape, linear, err)
                   : xl_cuda_matrix(c, c->op->in[1], &linear->weight, err);
    if (status) return status;
    if (has_act) {
        xl_cuda_need_scratch(c, (size_t)(shape.m * shape.n) * sizeof(float));
        return add_activation(c, err);
    }
    linear->data.residual = xl_cuda_in(c, 3).data;
    linear->data.out = gate ? xl_cuda_operand(c, gate->out).data : xl_cuda_out(c).data;
    if (gate)
        xl_cuda_leave(c, (struct xl_cuda_left){.is_done = true, .form = shape.out_form});
    else if (leaves_bias(c))
        xl_cuda_leave(c, (struct xl_cuda_left){.bias = c->op->in[2]});
    return shape.has_bias ? xl_cuda_matrix(c, c->op->in[2], &linear->bias, err) : XL_OK;
}
