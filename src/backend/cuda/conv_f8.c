/* conv_f8.c - convolutions by cuDNN in F8, with scales, bias and residual in them. */
#include "backend/cuda/conv.h"
#include "backend/cuda/f8.h"
#include "backend/cuda/leave.h"
#include "backend/cuda/store.h"

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

/* Only a channel bias still follows. */
enum xl_status xl_cuda_conv_in_f8(struct xl_cuda_compiler *c, const struct xl_cuda_conv *conv,
                                  struct xl_err *err) {
    struct xl_cuda_conv_shape shape = xl_cuda_conv_dnn_shape(conv);
    const struct xl_cuda_dnn_plan *plan = NULL;
    shape.is_f8 = true;
    shape.has_residual = conv->residual.data != NULL;
    enum xl_status status = xl_cuda_dnn_conv(c, &shape, &plan, err);
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
    struct xl_cuda_conv rest = *conv;
    rest.residual = (struct xl_cuda_operand){0};
    return status ? status : xl_cuda_conv_finish(c, &rest, conv->o, false, err);
}
