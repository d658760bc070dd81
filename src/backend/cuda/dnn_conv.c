/* dnn_conv.c - a convolution as a graph of cuDNN, tensors NHWC: one operation; in F8 with those on
 * its sums that follow. */
#include "backend/cuda/dnn_graph.h"

#include <stdio.h>

enum { KEY_TEXT = 192 };

static void name_key(const struct xl_cuda_conv_shape *s, char key[KEY_TEXT]) {
    snprintf(
        key, KEY_TEXT,
        "conv %s%s%s %lldx%lldx%lldx%lld to %lldx%lldx%lld by %lldx%lld stride %d pad %d %d %d "
        "%d",
        s->is_f8 ? "F8 " : "", xl_dtype_name(s->dtype), s->has_residual ? " residual" : "",
        (long long)s->n, (long long)s->h, (long long)s->w, (long long)s->c, (long long)s->out_h,
        (long long)s->out_w, (long long)s->o, (long long)s->kh, (long long)s->kw, s->stride,
        s->pad_top, s->pad_left, s->pad_bottom, s->pad_right);
}

/* [n, h, w, c] as cuDNN names it: dimensions n, c, h, w. */
static struct xl_dnn_tensor tensor_of(cudnnDataType_t type, int64_t n, int64_t h, int64_t w,
                                      int64_t c) {
    return (struct xl_dnn_tensor){
        .type = type, .dims = {n, c, h, w}, .strides = {h * w * c, 1, w * c, c}};
}

static cudnnBackendDescriptor_t describe(struct xl_dnn_graph *graph,
                                         const struct xl_cuda_conv_shape *s) {
    cudnnBackendDescriptor_t conv = xl_dnn_make(graph, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    cudnnDataType_t compute = s->is_f8 ? CUDNN_DATA_FAST_FLOAT_FOR_FP8 : CUDNN_DATA_FLOAT;
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

static void add_conv(struct xl_dnn_graph *graph, const struct xl_cuda_conv_shape *s,
                     const cudnnBackendDescriptor_t tensors[3]) {
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

/* out = a (mode) b, number by number */
static void add_pointwise(struct xl_dnn_graph *graph, cudnnPointwiseMode_t mode,
                          cudnnBackendDescriptor_t a, cudnnBackendDescriptor_t b,
                          cudnnBackendDescriptor_t out) {
    cudnnDataType_t math = CUDNN_DATA_FLOAT;
    cudnnBackendDescriptor_t pointwise = xl_dnn_make(graph, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    xl_dnn_set(graph, pointwise, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    xl_dnn_set(graph, pointwise, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &math);
    xl_dnn_finalize(graph, pointwise);
    cudnnBackendDescriptor_t operation =
        xl_dnn_make(graph, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    xl_dnn_set(graph, operation, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR,
               CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &pointwise);
    xl_dnn_set(graph, operation, CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
               CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &a);
    xl_dnn_set(graph, operation, CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
               CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &b);
    xl_dnn_set(graph, operation, CUDNN_ATTR_OPERATION_POINTWISE_YDESC,
               CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &out);
    xl_dnn_add(graph, operation);
}

/* The sums of a convolution in F8 to its result: times scales, plus bias, plus residual. */
static void build_f8(struct xl_dnn_graph *graph, const struct xl_cuda_conv_shape *s) {
    cudnnDataType_t act = xl_dnn_type(s->dtype);
    struct xl_dnn_tensor x = tensor_of(CUDNN_DATA_FP8_E4M3, s->n, s->h, s->w, s->c);
    struct xl_dnn_tensor w = tensor_of(CUDNN_DATA_FP8_E4M3, s->o, s->kh, s->kw, s->c);
    struct xl_dnn_tensor y = tensor_of(act, s->n, s->out_h, s->out_w, s->o);
    struct xl_dnn_tensor of_channels = tensor_of(CUDNN_DATA_FLOAT, 1, 1, 1, s->o);
    struct xl_dnn_tensor sums = tensor_of(CUDNN_DATA_FLOAT, s->n, s->out_h, s->out_w, s->o);
    sums.is_virtual = true;
    cudnnBackendDescriptor_t of_conv[3] = {xl_dnn_tensor(graph, &x), xl_dnn_tensor(graph, &w)};
    cudnnBackendDescriptor_t out = xl_dnn_tensor(graph, &y);
    cudnnBackendDescriptor_t scales = xl_dnn_tensor(graph, &of_channels);
    cudnnBackendDescriptor_t bias = xl_dnn_tensor(graph, &of_channels), scaled, biased = out;
    of_conv[2] = xl_dnn_tensor(graph, &sums);
    scaled = xl_dnn_tensor(graph, &sums);
    if (s->has_residual) biased = xl_dnn_tensor(graph, &sums);
    add_conv(graph, s, of_conv);
    add_pointwise(graph, CUDNN_POINTWISE_MUL, of_conv[2], scales, scaled);
    add_pointwise(graph, CUDNN_POINTWISE_ADD, scaled, bias, biased);
    if (s->has_residual)
        add_pointwise(graph, CUDNN_POINTWISE_ADD, biased, xl_dnn_tensor(graph, &y), out);
}

static void build_plain(struct xl_dnn_graph *graph, const struct xl_cuda_conv_shape *s) {
    cudnnDataType_t act = xl_dnn_type(s->dtype);
    struct xl_dnn_tensor x = tensor_of(act, s->n, s->h, s->w, s->c);
    struct xl_dnn_tensor w = tensor_of(act, s->o, s->kh, s->kw, s->c);
    struct xl_dnn_tensor y = tensor_of(act, s->n, s->out_h, s->out_w, s->o);
    cudnnBackendDescriptor_t tensors[3] = {xl_dnn_tensor(graph, &x), xl_dnn_tensor(graph, &w),
                                           xl_dnn_tensor(graph, &y)};
    add_conv(graph, s, tensors);
}

static void build(struct xl_dnn_graph *graph, const void *shape) {
    const struct xl_cuda_conv_shape *s = shape;
    if (s->is_f8)
        build_f8(graph, s);
    else
        build_plain(graph, s);
}

enum xl_status xl_cuda_dnn_conv(const struct xl_cuda_compiler *c,
                                const struct xl_cuda_conv_shape *s,
                                const struct xl_cuda_dnn_plan **out, struct xl_err *err) {
    char key[KEY_TEXT];
    name_key(s, key);
    size_t size = xl_dtype_size(s->dtype), in_size = s->is_f8 ? 1 : size;
    size_t out_bytes = (size_t)(s->n * s->out_h * s->out_w * s->o) * size;
    size_t channel_bytes = (size_t)s->o * sizeof(float);
    struct xl_dnn_choice choice = {
        .key = key,
        .n_tensors = !s->is_f8         ? 3
                     : s->has_residual ? 6
                                       : 5,
        .bytes = {(size_t)(s->n * s->h * s->w * s->c) * in_size,
                  (size_t)(s->o * s->kh * s->kw * s->c) * in_size, out_bytes, channel_bytes,
                  channel_bytes, out_bytes},
        .is_compiled = s->is_f8,
        .build = build,
        .shape = s,
        .shape_bytes = sizeof *s,
    };
    return xl_dnn_choose(c, &choice, out, err);
}
