/* conv_dnn.c - convolutions by cuDNN in 16 bits. */
#include "backend/cuda/columns.h"
#include "backend/cuda/conv.h"
#include "backend/cuda/store.h"

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

struct xl_cuda_conv_shape xl_cuda_conv_dnn_shape(const struct xl_cuda_conv *conv) {
    const struct xl_conv2d *attr = conv->attr;
    return (struct xl_cuda_conv_shape){
        .dtype = conv->x.dtype,
        .n = conv->n,
        .h = attr->up_height,
        .w = attr->up_width,
        .c = conv->c,
        .o = (conv->o + CHANNELS - 1) / CHANNELS * CHANNELS,
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
static size_t dnn_scratch(const struct xl_cuda_conv *conv, const struct xl_cuda_conv_shape *shape) {
    int64_t enlarged = conv->attr->upsample ? shape->n * shape->h * shape->w * shape->c : 0;
    int64_t result = shape->o != conv->o ? conv->pixels * shape->o : 0;
    return (size_t)(enlarged + result) * xl_dtype_size(shape->dtype);
}

static bool suits_dnn(const struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv) {
    bool is_both = conv->attr->upsample && conv->o % CHANNELS != 0;
    return c->backend->dnn && conv->x.dtype != XL_DTYPE_F32 && conv->c % CHANNELS == 0 && !is_both;
}

static enum xl_status compile_dnn(struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv,
                                  const struct xl_cuda_dnn_plan *plan, struct xl_err *err) {
    struct xl_cuda_conv_shape shape = xl_cuda_conv_dnn_shape(conv);
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
    return xl_cuda_conv_finish(c, conv, shape.o, c->op->in[2] != 0, err);
}

enum xl_status xl_cuda_conv_by_dnn(struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv,
                                   bool *is_done, struct xl_err *err) {
    const struct xl_cuda_dnn_plan *plan = NULL;
    struct xl_cuda_conv_shape shape = xl_cuda_conv_dnn_shape(conv);
    *is_done = false;
    if (!suits_dnn(c, conv)) return XL_OK;
    xl_cuda_need_scratch(c, dnn_scratch(conv, &shape));
    enum xl_status status = xl_cuda_dnn_conv(c, &shape, &plan, err);
    if (status || (!plan && !c->is_measuring)) return status;
    *is_done = true;
    return compile_dnn(c, conv, plan, err);
}
