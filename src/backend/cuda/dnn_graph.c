/* dnn_graph.c - descriptors of cuDNN's backend API. */
#include "backend/cuda/dnn_graph.h"

struct xl_dnn_graph xl_dnn_graph_begin(const struct xl_cudnn *lib, cudnnHandle_t handle) {
    return (struct xl_dnn_graph){
        .lib = lib, .handle = handle, .next_uid = 1, .next_virtual_uid = 1000};
}

cudnnBackendDescriptor_t xl_dnn_make(struct xl_dnn_graph *graph,
                                     cudnnBackendDescriptorType_t type) {
    cudnnBackendDescriptor_t made = NULL;
    if (graph->n_descriptors == XL_DNN_MAX_DESCRIPTORS) graph->has_failed = true;
    if (graph->has_failed) return NULL;
    if (graph->lib->cudnnBackendCreateDescriptor(type, &made) != CUDNN_STATUS_SUCCESS) {
        graph->has_failed = true;
        return NULL;
    }
    graph->descriptors[graph->n_descriptors++] = made;
    return made;
}

void xl_dnn_graph_end(struct xl_dnn_graph *graph) {
    while (graph->n_descriptors)
        graph->lib->cudnnBackendDestroyDescriptor(graph->descriptors[--graph->n_descriptors]);
}

void xl_dnn_set(struct xl_dnn_graph *graph, cudnnBackendDescriptor_t descriptor,
                cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t n,
                const void *values) {
    if (graph->has_failed) return;
    graph->has_failed = graph->lib->cudnnBackendSetAttribute(descriptor, name, type, n, values) !=
                        CUDNN_STATUS_SUCCESS;
}

void xl_dnn_finalize(struct xl_dnn_graph *graph, cudnnBackendDescriptor_t descriptor) {
    if (graph->has_failed) return;
    graph->has_failed = graph->lib->cudnnBackendFinalize(descriptor) != CUDNN_STATUS_SUCCESS;
}

void xl_dnn_add(struct xl_dnn_graph *graph, cudnnBackendDescriptor_t operation) {
    xl_dnn_finalize(graph, operation);
    if (graph->n_operations == XL_DNN_MAX_OPERATIONS) graph->has_failed = true;
    if (!graph->has_failed) graph->operations[graph->n_operations++] = operation;
}

cudnnDataType_t xl_dnn_type(enum xl_dtype dtype) {
    if (dtype == XL_DTYPE_F16) return CUDNN_DATA_HALF;
    return dtype == XL_DTYPE_BF16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

cudnnBackendDescriptor_t xl_dnn_tensor(struct xl_dnn_graph *graph,
                                       const struct xl_dnn_tensor *tensor) {
    cudnnBackendDescriptor_t made = xl_dnn_make(graph, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    int64_t uid = tensor->is_virtual ? graph->next_virtual_uid++ : graph->next_uid++;
    int64_t alignment = 16;
    xl_dnn_set(graph, made, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &tensor->type);
    xl_dnn_set(graph, made, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, tensor->dims);
    xl_dnn_set(graph, made, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, tensor->strides);
    xl_dnn_set(graph, made, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &uid);
    xl_dnn_set(graph, made, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    xl_dnn_set(graph, made, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1,
               &tensor->is_virtual);
    xl_dnn_set(graph, made, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1,
               &tensor->is_by_value);
    xl_dnn_finalize(graph, made);
    return made;
}
