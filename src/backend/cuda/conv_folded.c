/* conv_folded.c - a convolution of a picture that is enlarged twice, without enlarging it.
 *
 * A pixel of the result sees 3x3 pixels of the enlarged picture, but only 2x2 different ones, which
 * ones depends on whether its row and its column are even or odd. So each of these four kinds of
 * pixels is a convolution of the small picture by a kernel of 2x2, whose taps are sums of the 3x3:
 * 4 of 9 products. The four are one convolution with four times the channels; its result, a pixel
 * larger than the small picture, is then put in its order, and the bias added. */
#include "backend/cuda/columns.h"
#include "backend/cuda/conv.h"
#include "backend/cuda/store.h"

enum { KINDS = 4, CHANNELS = 8 };

struct folded_conv {
    const struct xl_cuda_dnn_plan *plan;
    const struct xl_cuda_weight *weight, *bias;
    const struct xl_cuda_space *space;
    const void *x;
    struct xl_cuda_unfold unfold;
};

static bool run_folded_conv(const void *args, cudaStream_t stream) {
    const struct folded_conv *conv = args;
    struct xl_cuda_unfold unfold = conv->unfold;
    void *data[XL_DNN_MAX_TENSORS] = {(void *)conv->x, (void *)conv->weight->data,
                                      conv->space->scratch};
    unfold.x = conv->space->scratch;
    unfold.bias = conv->bias ? conv->bias->data : NULL;
    return xl_cuda_dnn_run(conv->plan, data, stream) && xl_cuda_run_unfold(&unfold, stream);
}

bool xl_cuda_conv_can_fold(const struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv) {
    const struct xl_conv2d *attr = conv->attr;
    bool is_whole = attr->upsample && conv->out_h == 2 * conv->h && conv->out_w == 2 * conv->w;
    return is_whole && c->backend->dnn && conv->x.dtype != XL_DTYPE_F32 && conv->kh == 3 &&
           conv->kw == 3 && attr->stride == 1 && attr->pad_top == 1 && attr->pad_left == 1 &&
           conv->c % CHANNELS == 0 && conv->o % CHANNELS == 0 && !conv->channel_bias.data &&
           !conv->residual.data;
}

static struct xl_cuda_conv_shape shape_of(const struct xl_cuda_conv *conv) {
    struct xl_cuda_conv_shape shape = xl_cuda_conv_dnn_shape(conv);
    shape.h = conv->h;
    shape.w = conv->w;
    shape.o = KINDS * conv->o;
    shape.kh = shape.kw = 2;
    shape.out_h = conv->h + 1;
    shape.out_w = conv->w + 1;
    return shape; /* a pixel of padding on all sides, as before */
}

static enum xl_status compile(struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv,
                              const struct xl_cuda_dnn_plan *plan, struct xl_err *err) {
    struct folded_conv *launch = xl_cuda_launch(c, run_folded_conv, sizeof *launch, err);
    if (!launch) return XL_ENOMEM;
    *launch = (struct folded_conv){
        .plan = plan,
        .space = c->space,
        .x = conv->x.data,
        .unfold = {.out = conv->out.data,
                   .dtype = conv->out.dtype,
                   .n = conv->n,
                   .h = conv->h,
                   .w = conv->w,
                   .c = conv->o},
    };
    struct xl_cuda_weight_spec spec = {.weight = xl_plan_value(c->plan, c->op->in[1]),
                                       .dtype = conv->x.dtype,
                                       .has_taps = true,
                                       .is_folded = true};
    enum xl_status status = xl_cuda_store_ask(c->hold, &spec, &launch->weight, err);
    return status ? status : xl_cuda_floats(c, c->op->in[2], &launch->bias, err);
}

enum xl_status xl_cuda_conv_folded(struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv,
                                   bool *is_done, struct xl_err *err) {
    const struct xl_cuda_dnn_plan *plan = NULL;
    struct xl_cuda_conv_shape shape = shape_of(conv);
    int64_t count = shape.n * shape.out_h * shape.out_w * shape.o;
    *is_done = false;
    xl_cuda_need_scratch(c, (size_t)count * xl_dtype_size(shape.dtype));
    enum xl_status status = xl_cuda_dnn_conv(c, &shape, &plan, err);
    if (status || (!plan && !c->is_measuring)) return status;
    *is_done = true;
    return compile(c, conv, plan, err);
}
