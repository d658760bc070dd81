/* cuda.h - the inside of the CUDA backend: how ops become launches.
 *
 * Compiling turns each op into a few launches on the backend's one stream. A launch is a function
 * and its arguments; addresses of operands are fixed at compilation, and what is not known by then
 * (weights, workspace) is reached through pointers that are there when it runs. The launches of a
 * plan's main part are captured as one CUDA graph.
 *
 * A plan may be compiled while another one runs. The stream, the workspace and cuDNN's handle are
 * then taken in turns (`turns`): for a run to be queued, for one op to be compiled, which may try
 * ways. Weights come up over a stream of their own (upload.h), which nothing else waits for.
 */
#ifndef XL_BACKEND_CUDA_CUDA_H
#define XL_BACKEND_CUDA_CUDA_H

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "backend/backend.h"
#include "base/arena.h"
#include "base/turns.h"

struct xl_cuda_store;    /* store.h */
struct xl_hold;          /* backend/holds.h */
struct xl_cuda_ways;     /* ways.h */
struct xl_cuda_products; /* product.h */
struct xl_cuda_dnn;      /* dnn.h */
struct xl_cuda_uses;     /* leave.h */

/* Memory that the launches of all executables use one after the other. Products take the beginning.
 */
struct xl_cuda_workspace {
    void *data;
    size_t bytes;
};
enum { XL_CUDA_WORKSPACE_BYTES = 128 << 20, XL_CUDA_PRODUCT_BYTES = 32 << 20 };

/* Memory of one executable: what its launches use one after the other, and what the first of them
 * compute for all later runs. */
struct xl_cuda_space {
    void *scratch, *constants;
};

struct xl_cuda_backend {
    struct xl_backend base;
    int device; /* CUDA's own index */
    struct cudaDeviceProp properties;
    char isa[320], libraries[160];
    cudaStream_t stream;
    struct xl_turns turns; /* of whoever queues work */
    struct xl_cuda_workspace workspace;
    struct xl_cuda_store *store;
    struct xl_cuda_ways *ways;
    struct xl_cuda_products *products;
    struct xl_cuda_dnn *dnn; /* NULL: no cuDNN here */
    bool has_f8;             /* products of numbers in F8 */
};

/* Queue work on the stream. False: it could not be queued. */
typedef bool xl_cuda_launch_fn(const void *args, cudaStream_t stream);

/* What a compilation hands to the function that makes an op's launches. */
struct xl_cuda_compiler {
    struct xl_cuda_backend *backend;
    struct xl_hold *hold; /* the weights that are asked for */
    const struct xl_plan *plan;
    struct xl_cuda_uses *uses; /* of its values */
    const struct xl_op *op;
    struct xl_arena *arena;                 /* of the executable */
    unsigned char *memory;                  /* of the values, on the device */
    const size_t *offset;                   /* of each value in memory */
    struct xl_cuda_launch **next_launch[2]; /* by enum xl_rate */
    struct xl_cuda_space *space;
    size_t scratch_bytes;                     /* the most that an op asked for */
    size_t constant_bytes;                    /* of all ops together */
    const struct xl_compile_options *options; /* NULL: it only measures */
    bool is_measuring;                        /* nothing may be run: the memory is not there */
    bool expects; /* it only measures, but what takes long is to be begun */
};

typedef enum xl_status xl_cuda_compile_fn(struct xl_cuda_compiler *c, struct xl_err *err);
/* One an op, each in the file of its kind. */
#define X(kind, suffix, ...) xl_cuda_compile_fn xl_cuda_compile_##suffix;
XL_OP_LIST(X)
#undef X

/* A value as a launch sees it. */
struct xl_cuda_operand {
    void *data; /* on the device; NULL: the operand is absent */
    enum xl_dtype dtype;
    struct xl_shape shape;
    int64_t row_stride; /* elements */
};
struct xl_cuda_operand xl_cuda_operand(const struct xl_cuda_compiler *c, xl_val value);
static inline struct xl_cuda_operand xl_cuda_in(const struct xl_cuda_compiler *c, int i) {
    return xl_cuda_operand(c, c->op->in[i]);
}
static inline struct xl_cuda_operand xl_cuda_out(const struct xl_cuda_compiler *c) {
    return xl_cuda_operand(c, c->op->out);
}

/* A weight on the device, dense; it is there when launches run. */
struct xl_cuda_weight {
    const void *data;
    const float *scales; /* of each row of one in F8 */
};
/* Ask for a weight: in f32 (norms, biases of convolutions), in the plan's act_dtype (products), or
 * in its own dtype (tables). *out: NULL when absent. Errors: XL_ENOMEM */
enum xl_status xl_cuda_floats(struct xl_cuda_compiler *c, xl_val value,
                              const struct xl_cuda_weight **out, struct xl_err *err) XL_CHECKED;
enum xl_status xl_cuda_matrix(struct xl_cuda_compiler *c, xl_val value,
                              const struct xl_cuda_weight **out, struct xl_err *err) XL_CHECKED;
enum xl_status xl_cuda_table(struct xl_cuda_compiler *c, xl_val value,
                             const struct xl_cuda_weight **out, struct xl_err *err) XL_CHECKED;

/* Ask for scratch memory, which is there when launches run. */
void xl_cuda_need_scratch(struct xl_cuda_compiler *c, size_t bytes);
/* Ask for n floats of the constants; where they begin, in bytes. */
size_t xl_cuda_need_constants(struct xl_cuda_compiler *c, int64_t n);

/* Append a launch: its arguments, zeroed, for the caller to fill in. They live as long as the
 * executable and may be changed until it runs. NULL after writing err. */
void *xl_cuda_launch(struct xl_cuda_compiler *c, xl_cuda_launch_fn *fn, size_t args_bytes,
                     struct xl_err *err);
/* The same for the prologue, whatever the op's rate: it computes constants. */
void *xl_cuda_launch_before(struct xl_cuda_compiler *c, xl_cuda_launch_fn *fn, size_t args_bytes,
                            struct xl_err *err);

/* Whether kernels that were launched since the last call could be queued. */
static inline bool xl_cuda_is_queued(void) {
    return cudaGetLastError() == cudaSuccess;
}

/* The sentence of a failure of CUDA, and its status: XL_ENOMEM when memory is out, XL_EDEVICE when
 * the device is lost. what: "copy the weights" */
enum xl_status xl_cuda_fail(struct xl_err *err, cudaError_t error, const char *what);

#ifdef __cplusplus
}
#endif
#endif
