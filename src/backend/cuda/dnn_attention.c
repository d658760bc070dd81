/* dnn_attention.c - attention as a graph of cuDNN: one operation; tensors are [n, heads, tokens, d]
 * to it. */
#include "backend/cuda/attention.h"
#include "backend/cuda/dnn_graph.h"

#include <stdio.h>

enum { KEY_TEXT = 192, N_TENSORS = 5 };

static void name_key(const struct xl_cuda_attention *a, char key[KEY_TEXT]) {
    snprintf(key, KEY_TEXT, "cuDNN attention %s %lldx%lldx%lld by %lldx%lld rows %lld %lld %lld",
             xl_dtype_name(a->dtype), (long long)a->n, (long long)a->tq, (long long)a->tk,
             (long long)a->heads, (long long)a->d, (long long)a->q_stride, (long long)a->k_stride,
             (long long)a->v_stride);
}

static struct xl_dnn_tensor tokens_of(const struct xl_cuda_attention *a, int64_t tokens,
                                      int64_t stride) {
    return (struct xl_dnn_tensor){.type = xl_dnn_type(a->dtype),
                                  .dims = {a->n, a->heads, tokens, a->d},
                                  .strides = {tokens * stride, a->d, stride, 1}};
}

static void build(struct xl_dnn_graph *graph, const void *shape) {
    const struct xl_cuda_attention *a = shape;
    static const struct xl_dnn_tensor scale = {.type = CUDNN_DATA_FLOAT,
                                               .dims = {1, 1, 1, 1},
                                               .strides = {1, 1, 1, 1},
                                               .is_by_value = true};
    static const cudnnBackendAttributeName_t names[] = {
        CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC,
        CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC,
        CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC};
    const struct xl_dnn_tensor tensors[] = {
        tokens_of(a, a->tq, a->q_stride), tokens_of(a, a->tk, a->k_stride),
        tokens_of(a, a->tk, a->v_stride), tokens_of(a, a->tq, a->out_stride), scale};
    cudnnBackendDescriptor_t made[N_TENSORS];
    for (int i = 0; i < N_TENSORS; i++) made[i] = xl_dnn_tensor(graph, &tensors[i]);
    cudnnBackendDescriptor_t operation =
        xl_dnn_make(graph, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
    for (int i = 0; i < N_TENSORS; i++)
        xl_dnn_set(graph, operation, names[i], CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &made[i]);
    xl_dnn_add(graph, operation);
}

/* Whether rows of numbers lie as 16-byte words. */
static bool is_aligned(const void *address, int64_t stride) {
    return (uintptr_t)address % 16 == 0 && stride % 8 == 0;
}

static bool suits_dnn(const struct xl_cuda_attention *a) {
    return a->dtype != XL_DTYPE_F32 && !a->mask && !a->is_causal && a->d % 8 == 0 && a->d <= 256 &&
           is_aligned(a->q, a->q_stride) && is_aligned(a->k, a->k_stride) &&
           is_aligned(a->v, a->v_stride) && is_aligned(a->out, a->out_stride);
}

enum xl_status xl_cuda_dnn_attention(const struct xl_cuda_compiler *c,
                                     const struct xl_cuda_attention *a,
                                     const struct xl_cuda_dnn_plan **out, struct xl_err *err) {
    char key[KEY_TEXT];
    *out = NULL;
    if (!suits_dnn(a)) return XL_OK;
    name_key(a, key);
    size_t size = xl_dtype_size(a->dtype);
    struct xl_dnn_choice choice = {
        .key = key,
        .n_tensors = N_TENSORS,
        .bytes = {(size_t)(a->n * a->tq * a->q_stride) * size,
                  (size_t)(a->n * a->tk * a->k_stride) * size,
                  (size_t)(a->n * a->tk * a->v_stride) * size,
                  (size_t)(a->n * a->tq * a->out_stride) * size, 0},
        .is_compiled = true,
        .build = build,
        .shape = a,
        .shape_bytes = sizeof *a,
    };
    return xl_dnn_choose(c, &choice, out, err);
}
