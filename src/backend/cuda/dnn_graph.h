/* dnn_graph.h - building a graph of cuDNN's operations, and having its plan chosen. Mistakes are
 * kept: functions do nothing once one has failed, and the last one tells. */
#ifndef XL_BACKEND_CUDA_DNN_GRAPH_H
#define XL_BACKEND_CUDA_DNN_GRAPH_H

#include "backend/cuda/dnn.h"
#include "backend/cuda/libraries.h"

enum { XL_DNN_MAX_DESCRIPTORS = 64, XL_DNN_MAX_OPERATIONS = 4 };

struct xl_dnn_graph {
    const struct xl_cudnn *lib;
    cudnnHandle_t handle;
    cudnnBackendDescriptor_t descriptors[XL_DNN_MAX_DESCRIPTORS]; /* all that were made */
    cudnnBackendDescriptor_t operations[XL_DNN_MAX_OPERATIONS];
    int n_descriptors, n_operations;
    int64_t next_uid, next_virtual_uid;
    bool has_failed;
};

/* Tensors of the caller have uids from 1 on, in the order in which they are made. */
struct xl_dnn_graph xl_dnn_graph_begin(const struct xl_cudnn *lib, cudnnHandle_t handle);
void xl_dnn_graph_end(struct xl_dnn_graph *graph);

cudnnBackendDescriptor_t xl_dnn_make(struct xl_dnn_graph *graph, cudnnBackendDescriptorType_t type);
void xl_dnn_set(struct xl_dnn_graph *graph, cudnnBackendDescriptor_t descriptor,
                cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t n,
                const void *values);
void xl_dnn_finalize(struct xl_dnn_graph *graph, cudnnBackendDescriptor_t descriptor);
/* Finalize an operation and put it into the graph. */
void xl_dnn_add(struct xl_dnn_graph *graph, cudnnBackendDescriptor_t operation);

/* A tensor of four dimensions. is_virtual: between two operations, in no memory; it has no uid of
 * the caller's */
struct xl_dnn_tensor {
    cudnnDataType_t type;
    int64_t dims[4], strides[4];
    bool is_virtual;
    bool is_by_value; /* a number on the host, read when the run is queued */
};
cudnnBackendDescriptor_t xl_dnn_tensor(struct xl_dnn_graph *graph,
                                       const struct xl_dnn_tensor *tensor);
cudnnDataType_t xl_dnn_type(enum xl_dtype dtype);

/* A graph of n tensors, and what its plan is looked for with. */
enum { XL_DNN_SHAPE_BYTES = 192 };
struct xl_dnn_choice {
    const char *key; /* of the ways */
    int n_tensors;
    size_t bytes[XL_DNN_MAX_TENSORS]; /* 0: by value, a float of 1 */
    bool is_compiled; /* when the plan is made, half a second an engine: few are tried, and the plan
                         itself is kept */
    /* Builds the graph of a shape: also on another thread, where shape is a copy. */
    void (*build)(struct xl_dnn_graph *graph, const void *shape);
    const void *shape;
    size_t shape_bytes; /* at most XL_DNN_SHAPE_BYTES */
};

/* The plan for a graph: of the engines that cuDNN offers the one that is kept in the ways, or the
 * fastest on memory of `bytes` for each tensor, which is then kept. *out: NULL when there is none.
 * While a plan of ops is only measured, *out is NULL; where it is expected, threads begin to make
 * what will be chosen from. Errors: XL_ENOMEM */
enum xl_status xl_dnn_choose(const struct xl_cuda_compiler *c, const struct xl_dnn_choice *choice,
                             const struct xl_cuda_dnn_plan **out, struct xl_err *err) XL_CHECKED;

#endif
