/* group_norm.cu - the op group norm: in registers where a picture fits, else in slabs. */
#include "backend/cuda/group_norm.cuh"

extern "C" {
#include "backend/cuda/leave.h"
}

using namespace xl;

static const float *factor_of(const group_norm *a) {
    return (const float *)(const void *)((const char *)a->space->constants + a->bounds) + 1;
}

static bool run_group_norm(const void *args, cudaStream_t stream) {
    const group_norm *a = (const group_norm *)args;
    affine affine = {(const float *)a->weight->data, (const float *)a->bias->data,
                     a->left_bias ? (const float *)a->left_bias->data : NULL, a->left_channel_bias,
                     a->is_f8 ? factor_of(a) : NULL};
    if (!group_norm_held(a, affine, stream)) group_norm_slabs(a, affine, stream);
    return xl_cuda_is_queued();
}

/* Where the only reader is a convolution in F8. */
static enum xl_status leave_f8(struct xl_cuda_compiler *c, group_norm *a, struct xl_err *err) {
    const struct xl_op *reader = xl_cuda_only_reader(c);
    if (!reader || !xl_cuda_conv_is_f8(c, reader)) return XL_OK;
    struct xl_cuda_f8_bound *bound = (struct xl_cuda_f8_bound *)xl_cuda_launch_before(
        c, xl_cuda_run_f8_bound, sizeof *bound, err);
    if (!bound) return XL_ENOMEM;
    a->is_f8 = true;
    a->space = bound->space = c->space;
    a->bounds = bound->at = xl_cuda_need_constants(c, 2);
    bound->weight = a->weight;
    bound->bias = a->bias;
    bound->c = a->c;
    bound->n = (float)(a->pixels * a->width);
    xl_cuda_leave(c, xl_cuda_left_picture(a->bounds));
    return XL_OK;
}

enum xl_status xl_cuda_compile_group_norm(struct xl_cuda_compiler *c, struct xl_err *err) {
    const struct xl_group_norm *attr = &c->op->attr.group_norm;
    group_norm *a = (group_norm *)xl_cuda_launch(c, run_group_norm, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand x = xl_cuda_in(c, 0);
    a->x = x.data;
    a->out = xl_cuda_out(c).data;
    a->dtype = x.dtype;
    a->workspace = &c->backend->workspace;
    a->eps = attr->eps;
    a->act = attr->act;
    a->groups = attr->groups;
    a->n = x.shape.dim[0];
    a->c = xl_shape_last(x.shape);
    a->pixels = xl_shape_count(x.shape) / (a->n * a->c);
    a->sms = c->backend->properties.multiProcessorCount;
    a->has_clusters = c->backend->properties.major >= 9 && group_norm_has_clusters();
    if (a->n > MAX_SAMPLES || a->n * a->c > MAX_CHANNELS)
        return xl_fail(err, XL_EINTERNAL, "group_norm: %lld samples of %lld channels are too many",
                       (long long)a->n, (long long)a->c);
    a->width = (int)(a->c / attr->groups);
    struct xl_cuda_left left = xl_cuda_left(c);
    a->left_channel_bias = xl_cuda_operand(c, left.channel_bias).data;
    enum xl_status status = xl_cuda_floats(c, c->op->in[1], &a->weight, err);
    if (!status) status = xl_cuda_floats(c, c->op->in[2], &a->bias, err);
    if (!status) status = xl_cuda_floats(c, left.bias, &a->left_bias, err);
    return status ? status : leave_f8(c, a, err);
}
