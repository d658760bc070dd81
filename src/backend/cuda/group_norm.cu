/* group_norm.cu - the op group norm: in registers where a picture fits, else in slabs. */
#include "backend/cuda/group_norm.cuh"

using namespace xl;

static bool run_group_norm(const void *args, cudaStream_t stream) {
    const group_norm *a = (const group_norm *)args;
    affine affine = {(const float *)a->weight->data, (const float *)a->bias->data};
    if (!group_norm_held(a, affine, stream)) group_norm_slabs(a, affine, stream);
    return xl_cuda_is_queued();
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
    enum xl_status status = xl_cuda_floats(c, c->op->in[1], &a->weight, err);
    return status ? status : xl_cuda_floats(c, c->op->in[2], &a->bias, err);
}
