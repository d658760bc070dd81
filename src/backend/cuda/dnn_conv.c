/* dnn_conv.c - a convolution as a graph of cuDNN: one operation, tensors NHWC. */
#include "backend/cuda/dnn_graph.h"

#include <stdio.h>

enum { KEY_TEXT = 192 };

static void name_key(const struct xl_cuda_conv_shape *s, char key[KEY_TEXT]) {
    snprintf(key, KEY_TEXT,
             "conv %s %lldx%lldx%lldx%lld to %lldx%lldx%lld by %lldx%lld stride %d pad %d %d %d %d",
             xl_dtype_name(s->dtype), (long long)s->n, (long long)s->h, (long long)s->w,
             (long long)s->c, (long long)s->out_h, (long long)s->out_w, (long long)s->o,
             (long long)s->kh, (long long)s->kw, s->stride, s->pad_top, s->pad_left, s->pad_bottom,
             s->pad_right);
}

/* [n, h, w, c] as cuDNN names it: dimensions n, c, h, w. */
static struct xl_dnn_tensor tensor_of(enum xl_dtype dtype, int64_t n, int64_t h, int64_t w,
                                      int64_t c) {
    return (struct xl_dnn_tensor){
        .type = xl_dnn_type(dtype), .dims = {n, c, h, w}, .strides = {h * w * c, 1, w * c, c}};
}

static cudnnBackendDescriptor_t describe(struct xl_dnn_graph *graph,
                                         const struct xl_cuda_conv_shape *s) {
    cudnnBackendDescriptor_t conv = xl_dnn_make(graph, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    int64_t n = 2, dilations[] = {1, 1}, strides[] = {s->stride, s->stride};
    int64_t before[] = {s->pad_top, s->pad_left}, after[] = {s->pad_bottom, s->pad_right};
    xl_dnn_set(graph, conv, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &n);
    xl_dnn_set(graph, conv, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute);
    xl_dnn_set(graph, conv, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1,
               &mode);
    xl_dnn_set(graph, conv, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, n, dilations);
    xl_dnn_set(graph, conv, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, n, strides);
    xl_dnn_set(graph, conv, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, n, before);
    xl_dnn_set(graph, conv, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, n, after);
    xl_dnn_finalize(graph, conv);
    return conv;
}

static void build(struct xl_dnn_graph *graph, const struct xl_cuda_conv_shape *s) {
    struct xl_dnn_tensor x = tensor_of(s->dtype, s->n, s->h, s->w, s->c);
    struct xl_dnn_tensor w = tensor_of(s->dtype, s->o, s->kh, s->kw, s->c);
    struct xl_dnn_tensor y = tensor_of(s->dtype, s->n, s->out_h, s->out_w, s->o);
    cudnnBackendDescriptor_t tensors[] = {xl_dnn_tensor(graph, &x), xl_dnn_tensor(graph, &w),
                                          xl_dnn_tensor(graph, &y)};
    static const cudnnBackendAttributeName_t names[] = {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                                                        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                                                        CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y};
    cudnnBackendDescriptor_t conv = describe(graph, s);
    cudnnBackendDescriptor_t operation =
        xl_dnn_make(graph, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    float alpha = 1, beta = 0;
    for (int i = 0; i < 3; i++)
        xl_dnn_set(graph, operation, names[i], CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &tensors[i]);
    xl_dnn_set(graph, operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
               CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &conv);
    xl_dnn_set(graph, operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT,
               1, &alpha);
    xl_dnn_set(graph, operation, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1,
               &beta);
    xl_dnn_add(graph, operation);
}

enum xl_status xl_cuda_dnn_conv(const struct xl_cuda_compiler *c,
                                const struct xl_cuda_conv_shape *s,
                                const struct xl_cuda_dnn_plan **out, struct xl_err *err) {
    char key[KEY_TEXT];
    bool is_known;
    name_key(s, key);
    *out = xl_dnn_find(c->backend->dnn, key, &is_known);
    if (is_known) return XL_OK;
    size_t size = xl_dtype_size(s->dtype);
    struct xl_dnn_choice choice = {
        .key = key,
        .n_tensors = 3,
        .bytes = {(size_t)(s->n * s->h * s->w * s->c) * size,
                  (size_t)(s->o * s->kh * s->kw * s->c) * size,
                  (size_t)(s->n * s->out_h * s->out_w * s->o) * size},
    };
    struct xl_dnn_graph graph = xl_dnn_graph_begin(c->backend->dnn);
    build(&graph, s);
    enum xl_status status = xl_dnn_choose(c, &graph, &choice, out, err);
    xl_dnn_graph_end(&graph);
    return status;
}
