/* conv.c - conv2d in one of three ways: as one product where the kernel is a single tap, by cuDNN,
 * or as products of what the kernel covers. Bias, channel bias and residual follow. */
#include "backend/cuda/columns.h"
#include "backend/cuda/dnn.h"
#include "backend/cuda/f8.h"
#include "backend/cuda/finish.h"
#include "backend/cuda/leave.h"
#include "backend/cuda/product.h"
#include "backend/cuda/store.h"

/* An op's convolution while it is compiled. */
struct conv {
    const struct xl_conv2d *attr;
    struct xl_cuda_operand x, channel_bias, residual, out;
    int64_t n, h, w, c, o, kh, kw, out_h, out_w, pixels; /* pixels: of the result, all samples */
};

static struct conv conv_of(const struct xl_cuda_compiler *c) {
    struct conv conv = {.attr = &c->op->attr.conv2d,
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
static bool leaves_biases(const struct xl_cuda_compiler *c, const struct conv *conv) {
    const struct xl_op *reader = xl_cuda_only_reader(c);
    return reader && reader->kind == XL_OP_GROUP_NORM && !conv->residual.data;
}

/* From rows of x_stride in the scratch memory, or of as many channels as the result has in it.
 * Nothing, where there is nothing. */
static enum xl_status add_finish(struct xl_cuda_compiler *c, const struct conv *conv,
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

static bool is_pointwise(const struct conv *conv) {
    const struct xl_conv2d *attr = conv->attr;
    return conv->kh == 1 && conv->kw == 1 && attr->stride == 1 && !attr->upsample &&
           !attr->pad_top && !attr->pad_left && !attr->pad_bottom && !attr->pad_right;
}

static struct xl_cuda_columns columns_of(const struct conv *conv, int64_t row_length) {
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
static int64_t row_length_of(const struct conv *conv) {
    return is_pointwise(conv) ? conv->c : round_up(conv->kh * conv->kw * conv->c, 8);
}

static struct xl_cuda_product_shape shape_of(const struct xl_cuda_compiler *c,
                                             const struct conv *conv, int64_t n_pixels) {
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

static enum xl_status add_piece(struct xl_cuda_compiler *c, const struct conv *conv, int64_t first,
                                int64_t n, struct xl_err *err) {
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

static enum xl_status compile_products(struct xl_cuda_compiler *c, const struct conv *conv,
                                       struct xl_err *err) {
    int64_t row_bytes = row_length_of(conv) * (int64_t)xl_dtype_size(conv->x.dtype);
    int64_t most = is_pointwise(conv) ? conv->pixels : COLUMNS_BYTES / row_bytes;
    enum xl_status status = XL_OK;
    for (int64_t first = 0; !status && first < conv->pixels; first += most) {
        int64_t n = conv->pixels - first < most ? conv->pixels - first : most;
        status = add_piece(c, conv, first, n, err);
    }
    if (status || !conv->channel_bias.data) return status;
    return add_finish(c, conv, conv->o, false, err);
}

/* --- cuDNN --------------------------------------------------------------------------------------
 */

/* Its channels go by eights, and its pictures are there: enlarged ones and results of other numbers
 * of channels lie in the scratch memory of the executable. */
enum { CHANNELS = 8 };

struct dnn_conv {
    const struct xl_cuda_dnn_plan *plan;
    const struct xl_cuda_weight *weight;
    const struct xl_cuda_space *space;
    const void *x;
    void *out; /* NULL: scratch */
    bool is_enlarged;
    struct xl_cuda_enlarge enlarge;
};

static bool run_dnn_conv(const void *args, cudaStream_t stream) {
    const struct dnn_conv *conv = args;
    void *data[XL_DNN_MAX_TENSORS] = {(void *)conv->x, (void *)conv->weight->data, conv->out};
    if (!conv->out) data[2] = conv->space->scratch;
    if (conv->is_enlarged) {
        struct xl_cuda_enlarge enlarge = conv->enlarge;
        data[0] = enlarge.out = conv->space->scratch;
        if (!xl_cuda_run_enlarge(&enlarge, stream)) return false;
    }
    return xl_cuda_dnn_run(conv->plan, data, stream);
}

static struct xl_cuda_conv_shape dnn_shape(const struct conv *conv) {
    const struct xl_conv2d *attr = conv->attr;
    return (struct xl_cuda_conv_shape){
        .dtype = conv->x.dtype,
        .n = conv->n,
        .h = attr->up_height,
        .w = attr->up_width,
        .c = conv->c,
        .o = round_up(conv->o, CHANNELS),
        .kh = conv->kh,
        .kw = conv->kw,
        .out_h = conv->out_h,
        .out_w = conv->out_w,
        .stride = attr->stride,
        .pad_top = attr->pad_top,
        .pad_left = attr->pad_left,
        .pad_bottom = attr->pad_bottom,
        .pad_right = attr->pad_right,
    };
}

/* Bytes of scratch memory, 0 for none. */
static size_t dnn_scratch(const struct conv *conv, const struct xl_cuda_conv_shape *shape) {
    int64_t enlarged = conv->attr->upsample ? shape->n * shape->h * shape->w * shape->c : 0;
    int64_t result = shape->o != conv->o ? conv->pixels * shape->o : 0;
    return (size_t)(enlarged + result) * xl_dtype_size(shape->dtype);
}

static bool suits_dnn(const struct xl_cuda_compiler *c, const struct conv *conv) {
    bool is_both = conv->attr->upsample && conv->o % CHANNELS != 0;
    return c->backend->dnn && conv->x.dtype != XL_DTYPE_F32 && conv->c % CHANNELS == 0 && !is_both;
}

static enum xl_status compile_dnn(struct xl_cuda_compiler *c, const struct conv *conv,
                                  const struct xl_cuda_dnn_plan *plan, struct xl_err *err) {
    struct xl_cuda_conv_shape shape = dnn_shape(conv);
    bool is_direct = shape.o == conv->o;
    struct dnn_conv *launch = xl_cuda_launch(c, run_dnn_conv, sizeof *launch, err);
    if (!launch) return XL_ENOMEM;
    *launch = (struct dnn_conv){
        .plan = plan,
        .space = c->space,
        .x = conv->x.data,
        .out = is_direct ? conv->out.data : NULL,
        .is_enlarged = conv->attr->upsample,
        .enlarge = {.x = conv->x.data,
                    .dtype = shape.dtype,
                    .n = shape.n,
                    .h = conv->h,
                    .w = conv->w,
                    .c = shape.c,
                    .up_h = shape.h,
                    .up_w = shape.w},
    };
    struct xl_cuda_weight_spec spec = {.weight = xl_plan_value(c->plan, c->op->in[1]),
                                       .dtype = shape.dtype,
                                       .has_taps = true,
                                       .rows = shape.o};
    enum xl_status status = xl_cuda_store_ask(c->hold, &spec, &launch->weight, err);
    if (status) return status;
    return add_finish(c, conv, shape.o, c->op->in[2] != 0, err);
}

/* --- In F8 --------------------------------------------------------------------------------------
 */

bool xl_cuda_conv_is_f8(const struct xl_cuda_compiler *c, const struct xl_op *op) {
    if (op->kind != XL_OP_CONV2D || !op->attr.conv2d.in_f8) return false;
    const struct xl_value *x = xl_plan_value(c->plan, op->in[0]);
    const struct xl_value *weight = xl_plan_value(c->plan, op->in[1]);
    bool is_sixteens = xl_shape_last(x->shape) % 16 == 0 && weight->shape.dim[0] % 16 == 0;
    return c->backend->has_f8 && c->backend->dnn && x->dtype != XL_DTYPE_F32 && is_sixteens &&
           op->in[2] && !op->attr.conv2d.upsample && weight->shape.dim[2] > 1;
}

struct f8_conv {
    const struct xl_cuda_dnn_plan *plan;
    const struct xl_cuda_weight *weight, *bias;
    const struct xl_cuda_space *space;
    size_t scales; /* in the constants */
    const void *x, *residual;
    void *out;
};

static bool run_f8_conv(const void *args, cudaStream_t stream) {
    const struct f8_conv *conv = args;
    void *data[XL_DNN_MAX_TENSORS] = {(void *)conv->x,
                                      (void *)conv->weight->data,
                                      conv->out,
                                      (char *)conv->space->constants + conv->scales,
                                      (void *)conv->bias->data,
                                      (void *)conv->residual};
    return xl_cuda_dnn_run(conv->plan, data, stream);
}

/* Multiply the scales of the weight by that of the picture, once. */
static enum xl_status add_scales(struct xl_cuda_compiler *c, struct f8_conv *conv, int64_t o,
                                 struct xl_err *err) {
    struct xl_cuda_f8_scales *scales =
        xl_cuda_launch_before(c, xl_cuda_run_f8_scales, sizeof *scales, err);
    if (!scales) return XL_ENOMEM;
    conv->scales = xl_cuda_need_constants(c, o);
    *scales = (struct xl_cuda_f8_scales){.weight = conv->weight,
                                         .o = o,
                                         .space = c->space,
                                         .bounds = xl_cuda_left(c).bounds,
                                         .to = conv->scales};
    return XL_OK;
}

/* x is a picture in F8. Only a channel bias still follows. */
static enum xl_status compile_f8(struct xl_cuda_compiler *c, const struct conv *conv,
                                 struct xl_err *err) {
    struct xl_cuda_conv_shape shape = dnn_shape(conv);
    const struct xl_cuda_dnn_plan *plan = NULL;
    enum xl_status status = XL_OK;
    shape.is_f8 = true;
    shape.has_residual = conv->residual.data != NULL;
    if (!c->is_measuring) status = xl_cuda_dnn_conv(c, &shape, &plan, err);
    if (!status && !plan && !c->is_measuring)
        status = xl_fail(err, XL_EDEVICE, "cuDNN has no convolution in F8 here; use --dtype f16");
    if (status) return status;
    struct f8_conv *launch = xl_cuda_launch(c, run_f8_conv, sizeof *launch, err);
    if (!launch) return XL_ENOMEM;
    *launch = (struct f8_conv){.plan = plan,
                               .space = c->space,
                               .x = conv->x.data,
                               .residual = conv->residual.data,
                               .out = conv->out.data};
    struct xl_cuda_weight_spec spec = {
        .weight = xl_plan_value(c->plan, c->op->in[1]), .has_taps = true, .is_f8 = true};
    status = xl_cuda_store_ask(c->hold, &spec, &launch->weight, err);
    if (!status) status = xl_cuda_floats(c, c->op->in[2], &launch->bias, err);
    if (!status) status = add_scales(c, launch, conv->o, err);
    struct conv rest = *conv;
    rest.residual = (struct xl_cuda_operand){0};
    return status ? status : add_finish(c, &rest, conv->o, false, err);
}

enum xl_status xl_cuda_compile_conv2d(struct xl_cuda_compiler *c, struct xl_err *err) {
    struct conv conv = conv_of(c);
    const struct xl_cuda_dnn_plan *plan = NULL;
    bool is_dnn = !is_pointwise(&conv) && suits_dnn(c, &conv);
    struct xl_cuda_conv_shape shape = dnn_shape(&conv);
    enum xl_status status = XL_OK;
    if (xl_cuda_left(c).is_f8) return compile_f8(c, &conv, err);
    if (is_dnn) xl_cuda_need_scratch(c, dnn_scratch(&conv, &shape));
    if (is_dnn && !c->is_measuring) status = xl_cuda_dnn_conv(c, &shape, &plan, err);
    if (status) return status;
    if (is_dnn && (plan || c->is_measuring)) return compile_dnn(c, &conv, plan, err);
    return compile_products(c, &conv, err);
}
