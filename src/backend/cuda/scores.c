/* scores.c - attention as products: some queries at a time, as many as the workspace has room for
 * the scores of. */
#include "backend/cuda/scores.h"

#include "backend/cuda/product.h"

enum {
    SCORES_BYTES = XL_CUDA_WORKSPACE_BYTES - XL_CUDA_PRODUCT_BYTES,
    MIN_HEAD = 256,   /* narrower heads are better kept on the chip */
    MAX_KEYS = 32768, /* of softmax.cu */
};

bool xl_cuda_scores_fit(const struct xl_cuda_attention *a) {
    return a->dtype != XL_DTYPE_F32 && !a->mask && !a->is_causal && a->heads == 1 &&
           a->d >= MIN_HEAD && a->d % 8 == 0 && a->tk % 8 == 0 && a->tk >= 256 && a->tk <= MAX_KEYS;
}

/* One of the two products; what it reads or writes in the workspace is found when it runs. */
struct step {
    const struct xl_cuda_product *product;
    const struct xl_cuda_workspace *workspace;
    struct xl_cuda_product_data data; /* x or out NULL: the scores */
};

static bool run_step(const void *args, cudaStream_t stream) {
    const struct step *step = args;
    struct xl_cuda_product_data data = step->data;
    unsigned char *scores = (unsigned char *)step->workspace->data + XL_CUDA_PRODUCT_BYTES;
    if (!data.x) data.x = scores;
    if (!data.out) data.out = scores;
    return xl_cuda_product_run(step->product, &data, stream);
}

static enum xl_status add_step(struct xl_cuda_compiler *c,
                               const struct xl_cuda_product_shape *shape,
                               const struct xl_cuda_product_data *data, struct xl_err *err) {
    struct xl_cuda_product *product;
    enum xl_status status = xl_cuda_product_get(c, shape, &product, err);
    if (status) return status;
    struct step *step = xl_cuda_launch(c, run_step, sizeof *step, err);
    if (!step) return XL_ENOMEM;
    *step = (struct step){product, &c->backend->workspace, *data};
    return XL_OK;
}

static enum xl_status add_softmax(struct xl_cuda_compiler *c, const struct xl_cuda_attention *a,
                                  int64_t rows, struct xl_err *err) {
    struct xl_cuda_softmax *softmax = xl_cuda_launch(c, xl_cuda_run_softmax, sizeof *softmax, err);
    if (!softmax) return XL_ENOMEM;
    *softmax = (struct xl_cuda_softmax){&c->backend->workspace, a->dtype, rows, a->tk};
    return XL_OK;
}

static int alignment_of(const struct xl_cuda_attention *a) {
    const void *addresses[] = {a->q, a->k, a->v, a->out};
    const int64_t strides[] = {a->q_stride, a->k_stride, a->v_stride, a->out_stride};
    int least = 256;
    for (int i = 0; i < 4; i++) {
        int alignment = xl_cuda_alignment(addresses[i], strides[i], a->dtype);
        if (alignment < least) least = alignment;
    }
    return least;
}

/* Queries first .. first + n - 1 of a sample. Weights take half of the rows of scores. */
static enum xl_status add_queries(struct xl_cuda_compiler *c, const struct xl_cuda_attention *a,
                                  int64_t sample, int64_t first, int64_t n, struct xl_err *err) {
    size_t size = xl_dtype_size(a->dtype);
    int64_t query = sample * a->tq + first, key = sample * a->tk;
    struct xl_cuda_product_shape scores = {.dtype = a->dtype,
                                           .out_dtype = XL_DTYPE_F32,
                                           .m = n,
                                           .n = a->tk,
                                           .k = a->d,
                                           .x_stride = a->q_stride,
                                           .w_stride = a->k_stride,
                                           .out_stride = a->tk,
                                           .alignment = alignment_of(a)};
    struct xl_cuda_product_shape result = {.dtype = a->dtype,
                                           .out_dtype = a->dtype,
                                           .m = n,
                                           .n = a->d,
                                           .k = a->tk,
                                           .x_stride = a->tk * (int64_t)(sizeof(float) / size),
                                           .w_stride = a->v_stride,
                                           .out_stride = a->out_stride,
                                           .is_w_turned = true,
                                           .alignment = scores.alignment};
    struct xl_cuda_product_data of_scores = {
        .x = (const unsigned char *)a->q + (size_t)(query * a->q_stride) * size,
        .w = (const unsigned char *)a->k + (size_t)(key * a->k_stride) * size,
        .factor = a->scale};
    struct xl_cuda_product_data of_result = {
        .w = (const unsigned char *)a->v + (size_t)(key * a->v_stride) * size,
        .out = (unsigned char *)a->out + (size_t)(query * a->out_stride) * size,
        .factor = 1.0F};
    enum xl_status status = add_step(c, &scores, &of_scores, err);
    if (!status) status = add_softmax(c, a, n, err);
    return status ? status : add_step(c, &result, &of_result, err);
}

enum xl_status xl_cuda_compile_scores(struct xl_cuda_compiler *c, const struct xl_cuda_attention *a,
                                      struct xl_err *err) {
    int64_t most = SCORES_BYTES / (a->tk * (int64_t)sizeof(float)) / 128 * 128;
    enum xl_status status = XL_OK;
    for (int64_t sample = 0; !status && sample < a->n; sample++)
        for (int64_t first = 0; !status && first < a->tq; first += most) {
            int64_t n = a->tq - first < most ? a->tq - first : most;
            status = add_queries(c, a, sample, first, n, err);
        }
    return status;
}
