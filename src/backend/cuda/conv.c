/* conv.c - conv2d in one of several ways: as one product where the kernel is a single tap, by cuDNN
 * (conv_dnn.c, conv_folded.c, conv_f8.c), or as products of what the kernel covers. Bias, channel
 * bias and residual follow. */
#include "backend/cuda/conv.h"

#include "backend/cuda/columns.h"
#include "backend/cuda/finish.h"
#include "backend/cuda/leave.h"
#include "backend/cuda/product.h"
#include "backend/cuda/store.h"

static struct xl_cuda_conv conv_of(const struct xl_cuda_compiler *c) {
    struct xl_cuda_conv conv = {.attr = &c->op->attr.conv2d,
                                .x = xl_cuda_in(c, 0),
                                .channel_bias = xl_cuda_in(c, 3),
                                .residual = xl_cuda_in(c, 4),
                                .out = xl_cuda_out(c)};
    const struct xl_value *weight = xl_plan_value(c->plan, c->op->in[1]);
    conv.n = conv.x.shape.dim[0];
    conv.h = conv.x.shape.dim[1];
    conv.w = conv.x.shape.dim[2];
    conv.c = conv.x.shape.dim[3];
    conv.o = weight->shape.dim[0];
    conv.kh = weight->shape.dim[2];
    conv.kw = weight->shape.dim[3];
    conv.out_h = conv.out.shape.dim[1];
    conv.out_w = conv.out.shape.dim[2];
    conv.pixels = conv.n * conv.out_h * conv.out_w;
    return conv;
}

enum { COLUMNS_BYTES = XL_CUDA_WORKSPACE_BYTES - XL_CUDA_PRODUCT_BYTES };

static int64_t round_up(int64_t n, int64_t to) {
    return (n + to - 1) / to * to;
}

/* --- What follows -------------------------------------------------------------------------------
 */

/* A group norm that alone reads the result adds biases on the way. */
static bool leaves_biases(const struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv) {
    const struct xl_op *reader = xl_cuda_only_reader(c);
    return reader && reader->kind == XL_OP_GROUP_NORM && !conv->residual.data;
}

enum xl_status xl_cuda_conv_finish(struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv,
                                   int64_t x_stride, bool has_bias, struct xl_err *err) {
    bool is_whole = x_stride == conv->o;
    if (is_whole && !has_bias && !conv->channel_bias.data && !conv->residual.data) return XL_OK;
    if (is_whole && leaves_biases(c, conv)) {
        xl_cuda_leave(c, (struct xl_cuda_left){.bias = has_bias ? c->op->in[2] : 0,
                                               .channel_bias = c->op->in[3]});
        return XL_OK;
    }
    struct xl_cuda_finish *finish = xl_cuda_launch(c, xl_cuda_run_finish, sizeof *finish, err);
    if (!finish) return XL_ENOMEM;
    *finish = (struct xl_cuda_finish){
        .x = is_whole ? conv->out.data : NULL,
        .space = c->space,
        .channel_bias = conv->channel_bias.data,
        .residual = conv->residual.data,
        .out = conv->out.data,
        .x_dtype = conv->out.dtype,
        .dtype = conv->out.dtype,
        .n = conv->n,
        .pixels = conv->out_h * conv->out_w,
        .c = conv->o,
        .x_stride = x_stride,
    };
    return has_bias ? xl_cuda_floats(c, c->op->in[2], &finish->bias, err) : XL_OK;
}

/* --- Products -----------------------------------------------------------------------------------
 */

/* Some pixels of the result: columns where the kernel has several taps, and their product. */
struct piece {
    bool has_columns;
    struct xl_cuda_columns columns;
    const struct xl_cuda_workspace *workspace; /* columns lie in it behind what the product wants */
    const struct xl_cuda_product *product;
    const struct xl_cuda_weight *weight, *bias;
    struct xl_cuda_product_data data;
};

static bool run_piece(const void *args, cudaStream_t stream) {
    const struct piece *piece = args;
    struct xl_cuda_product_data data = piece->data;
    data.w = piece->weight->data;
    data.bias = piece->bias ? piece->bias->data : NULL;
    if (piece->has_columns) {
        struct xl_cuda_columns columns = piece->columns;
        data.x = columns.out = (unsigned char *)piece->workspace->data + XL_CUDA_PRODUCT_BYTES;
        if (!xl_cuda_run_columns(&columns, stream)) return false;
    }
    return xl_cuda_product_run(piece->product, &data, stream);
}

static bool is_pointwise(const struct xl_cuda_conv *conv) {
    const struct xl_conv2d *attr = conv->attr;
    return conv->kh == 1 && conv->kw == 1 && attr->stride == 1 && !attr->upsample &&
           !attr->pad_top && !attr->pad_left && !attr->pad_bottom && !attr->pad_right;
}

static struct xl_cuda_columns columns_of(const struct xl_cuda_conv *conv, int64_t row_length) {
    const struct xl_conv2d *attr = conv->attr;
    return (struct xl_cuda_columns){.x = conv->x.data,
                                    .dtype = conv->x.dtype,
                                    .h = conv->h,
                                    .w = conv->w,
                                    .c = conv->c,
                                    .kh = conv->kh,
                                    .kw = conv->kw,
                                    .out_h = conv->out_h,
                                    .out_w = conv->out_w,
                                    .row_length = row_length,
                                    .up_h = attr->up_height,
                                    .up_w = attr->up_width,
                                    .stride = attr->stride,
                                    .pad_top = attr->pad_top,
                                    .pad_left = attr->pad_left,
                                    .upsample = attr->upsample};
}

/* Numbers of a row that a product reads: what the kernel covers, up to a multiple of 16 bytes. */
static int64_t row_length_of(const struct xl_cuda_conv *conv) {
    return is_pointwise(conv) ? conv->c : round_up(conv->kh * conv->kw * conv->c, 8);
}

static struct xl_cuda_product_shape shape_of(const struct xl_cuda_compiler *c,
                                             const struct xl_cuda_conv *conv, int64_t n_pixels) {
    int64_t k = row_length_of(conv);
    const void *x = is_pointwise(conv) ? conv->x.data : NULL;
    int of_x = xl_cuda_alignment(x, k, conv->x.dtype);
    int of_out = xl_cuda_alignment(conv->out.data, conv->o, conv->x.dtype);
    return (struct xl_cuda_product_shape){
        .dtype = conv->x.dtype,
        .out_dtype = conv->out.dtype,
        .m = n_pixels,
        .n = conv->o,
        .k = k,
        .x_stride = k,
        .w_stride = k,
        .out_stride = conv->o,
        .has_bias = c->op->in[2] != 0,
        .has_residual = conv->residual.data && !conv->channel_bias.data,
        .alignment = of_x < of_out ? of_x : of_out,
    };
}

static enum xl_status add_piece(struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv,
                                int64_t first, int64_t n, struct xl_err *err) {
    struct xl_cuda_product_shape shape = shape_of(c, conv, n);
    size_t before = (size_t)(first * conv->o) * xl_dtype_size(conv->x.dtype);
    struct xl_cuda_product *product;
    enum xl_status status = xl_cuda_product_get(c, &shape, &product, err);
    if (status) return status;
    struct piece *piece = xl_cuda_launch(c, run_piece, sizeof *piece, err);
    if (!piece) return XL_ENOMEM;
    piece->product = product;
    piece->workspace = &c->backend->workspace;
    piece->has_columns = !is_pointwise(conv);
    piece->columns = columns_of(conv, shape.k);
    piece->columns.first = first;
    piece->columns.n_pixels = n;
    piece->data.x = conv->x.data;
    piece->data.out = (unsigned char *)conv->out.data + before;
    piece->data.factor = 1.0F;
    if (shape.has_residual)
        piece->data.residual = (const unsigned char *)conv->residual.data + before;
    struct xl_cuda_weight_spec spec = {.weight = xl_plan_value(c->plan, c->op->in[1]),
                                       .dtype = conv->x.dtype,
                                       .has_taps = true,
                                       .row_length = shape.k};
    status = xl_cuda_store_ask(c->hold, &spec, &piece->weight, err);
    return status ? status : xl_cuda_matrix(c, c->op->in[2], &piece->bias, err);
}

static enum xl_status compile_products(struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv,
                                       struct xl_err *err) {
    int64_t row_bytes = row_length_of(conv) * (int64_t)xl_dtype_size(conv->x.dtype);
    int64_t most = is_pointwise(conv) ? conv->pixels : COLUMNS_BYTES / row_bytes;
    enum xl_status status = XL_OK;
    for (int64_t first = 0; !status && first < conv->pixels; first += most) {
        int64_t n = conv->pixels - first < most ? conv->pixels - first : most;
        status = add_piece(c, conv, first, n, err);
    }
    if (status || !conv->channel_bias.data) return status;
    return xl_cuda_conv_finish(c, conv, conv->o, false, err);
}

enum xl_status xl_cuda_compile_conv2d(struct xl_cuda_compiler *c, struct xl_err *err) {
    struct xl_cuda_conv conv = conv_of(c);
    enum xl_status status = XL_OK;
    bool is_done = false;
    if (xl_cuda_left(c).form == XL_CUDA_F8_PICTURE) return xl_cuda_conv_in_f8(c, &conv, err);
    if (xl_cuda_conv_can_fold(c, &conv)) status = xl_cuda_conv_folded(c, &conv, &is_done, err);
    if (!status && !is_done && !is_pointwise(&conv))
        status = xl_cuda_conv_by_dnn(c, &conv, &is_done, err);
    return status || is_done ? status : compile_products(c, &conv, err);
}
