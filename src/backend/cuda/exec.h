/* exec.h - executables of the CUDA backend: made by compile.c, run by run.c. */
#ifndef XL_BACKEND_CUDA_EXEC_H
#define XL_BACKEND_CUDA_EXEC_H

#include "backend/cuda/cuda.h"
#include "backend/holds.h"

/* One piece of work for the stream. */
struct xl_cuda_launch {
    struct xl_cuda_launch *next;
    xl_cuda_launch_fn *fn;
    void *args;
    const struct xl_op *op; /* whose it is, for messages */
};

/* Runs that are queued before the first of them is waited for: the device never waits for the host.
 */
enum { XL_CUDA_AHEAD = 2 };

struct xl_cuda_exec {
    struct xl_exec base;
    struct xl_hold *weights;
    struct xl_arena arena;              /* launches and their arguments */
    struct xl_cuda_launch *launches[2]; /* by enum xl_rate */
    struct xl_cuda_space space;
    cudaGraphExec_t graph; /* of a run; NULL: not captured yet */
    bool has_run;          /* once, without a graph: libraries have loaded what they need */
    cudaEvent_t done[XL_CUDA_AHEAD + 1]; /* of the last runs, in turns */
    int32_t *flags;                      /* pinned: what the halt flag was after each of them */
};

/* Make the backend's device the one of this thread. Errors: XL_EDEVICE */
enum xl_status xl_cuda_use(const struct xl_cuda_backend *backend, struct xl_err *err) XL_CHECKED;

/* As the vtable has them. */
enum xl_status xl_cuda_exec_compile(struct xl_exec *exec, const struct xl_compile_options *options,
                                    struct xl_err *err) XL_CHECKED;
void xl_cuda_exec_free(struct xl_exec *exec);
void xl_cuda_exec_expect(struct xl_backend *backend, const struct xl_plan *plan);
enum xl_status xl_cuda_exec_measure(struct xl_backend *backend, const struct xl_plan *const *plans,
                                    int n, struct xl_weight_need *weights, size_t *exec_bytes,
                                    struct xl_err *err) XL_CHECKED;
enum xl_status xl_cuda_exec_run(struct xl_exec *exec, int64_t n, const struct xl_run_hooks *hooks,
                                struct xl_err *err) XL_CHECKED;
void xl_cuda_exec_copy(const struct xl_exec *exec, const struct xl_copy *copy);

#endif
