/* run.c - running executables: the prologue when it is due, then the main part again and again as
 * one CUDA graph, queued ahead of the device. */
#include "backend/cuda/exec.h"

static cudaStream_t stream_of(const struct xl_cuda_exec *exec) {
    return ((const struct xl_cuda_backend *)exec->base.backend)->stream;
}

/* The stream and what launches use on it: nobody compiles an op meanwhile. */
static struct xl_turns *turns_of(const struct xl_cuda_exec *exec) {
    return &((struct xl_cuda_backend *)exec->base.backend)->turns;
}

static enum xl_status queue(const struct xl_cuda_exec *exec, enum xl_rate part,
                            struct xl_err *err) {
    for (const struct xl_cuda_launch *launch = exec->launches[part]; launch;
         launch = launch->next) {
        if (launch->fn(launch->args, stream_of(exec))) continue;
        cudaError_t error = cudaGetLastError();
        if (error) return xl_cuda_fail(err, error, xl_op_name(launch->op->kind));
        return xl_fail(err, XL_EDEVICE, "a library for the GPU failed in %s",
                       xl_op_name(launch->op->kind));
    }
    return XL_OK;
}

/* One run as a graph. */
static enum xl_status capture(struct xl_cuda_exec *exec, struct xl_err *err) {
    cudaGraph_t graph = NULL;
    cudaError_t error = cudaStreamBeginCapture(stream_of(exec), cudaStreamCaptureModeThreadLocal);
    if (error) return xl_cuda_fail(err, error, "record a run");
    enum xl_status status = queue(exec, XL_PER_RUN, err);
    error = cudaStreamEndCapture(stream_of(exec), &graph);
    if (!status && !error) error = cudaGraphInstantiate(&exec->graph, graph, 0);
    if (graph) cudaGraphDestroy(graph);
    if (status || !error) return status;
    return xl_cuda_fail(err, error, "record a run");
}

/* The first run is queued launch by launch; the second one makes the graph. */
static enum xl_status queue_run(struct xl_cuda_exec *exec, struct xl_err *err) {
    if (!exec->has_run) {
        exec->has_run = true;
        return queue(exec, XL_PER_RUN, err);
    }
    enum xl_status status = exec->graph ? XL_OK : capture(exec, err);
    if (status) return status;
    cudaError_t error = cudaGraphLaunch(exec->graph, stream_of(exec));
    return error ? xl_cuda_fail(err, error, "start a run") : XL_OK;
}

/* Runs of one call: how many are queued, and how many are known to be done. */
struct runs {
    struct xl_cuda_exec *exec;
    const struct xl_run_hooks *hooks;
    int64_t n_queued, n_done;
    bool is_halted;
};

/* Have the flag copied after the run, and a mark behind it. */
static enum xl_status mark(struct runs *runs, struct xl_err *err) {
    struct xl_cuda_exec *exec = runs->exec;
    int64_t slot = runs->n_queued++ % (XL_CUDA_AHEAD + 1);
    xl_val flag = xl_plan_halt_flag(exec->base.plan);
    cudaError_t error = cudaSuccess;
    exec->flags[slot] = 0;
    if (flag)
        error = cudaMemcpyAsync(&exec->flags[slot], xl_exec_address(&exec->base, flag),
                                sizeof(int32_t), cudaMemcpyDeviceToHost, stream_of(exec));
    if (!error) error = cudaEventRecord(exec->done[slot], stream_of(exec));
    return error ? xl_cuda_fail(err, error, "start a run") : XL_OK;
}

/* Wait for the oldest run that is not known to be done. */
static enum xl_status wait(struct runs *runs, struct xl_err *err) {
    struct xl_cuda_exec *exec = runs->exec;
    int64_t i = runs->n_done++, slot = i % (XL_CUDA_AHEAD + 1);
    cudaError_t error = cudaEventSynchronize(exec->done[slot]);
    if (error) return xl_cuda_fail(err, error, "run a plan");
    if (exec->flags[slot]) runs->is_halted = true;
    if (runs->hooks->after) runs->hooks->after(runs->hooks->user, i);
    return XL_OK;
}

/* Whether what the last queued run leaves is to be read before the next one begins. */
static bool is_read(const struct runs *runs) {
    const struct xl_run_hooks *hooks = runs->hooks;
    return hooks->after && hooks->after_reads && runs->n_queued > runs->n_done &&
           hooks->after_reads(hooks->user, runs->n_queued - 1);
}

/* Nothing is asked of a run that was queued behind one that halted: its `after` is left out. */
static enum xl_status run_all(struct runs *runs, int64_t n, struct xl_err *err) {
    const struct xl_run_hooks *hooks = runs->hooks;
    enum xl_status status = XL_OK;
    while (!status && !runs->is_halted && runs->n_done < n) {
        if (hooks->tick && !hooks->tick(hooks->user))
            return xl_fail(err, XL_ECANCELLED, "interrupted");
        bool waits = is_read(runs);
        if (runs->n_queued < n && !waits) {
            xl_turns_take(turns_of(runs->exec));
            status = queue_run(runs->exec, err);
            if (!status) status = mark(runs, err);
            xl_turns_pass(turns_of(runs->exec));
        }
        waits |= runs->n_queued == n || runs->n_queued - runs->n_done > XL_CUDA_AHEAD;
        if (!status && waits) status = wait(runs, err);
    }
    return status;
}

enum xl_status xl_cuda_exec_run(struct xl_exec *base, int64_t n, const struct xl_run_hooks *hooks,
                                struct xl_err *err) {
    struct xl_cuda_exec *exec = (struct xl_cuda_exec *)base;
    enum xl_status status = xl_cuda_use((struct xl_cuda_backend *)base->backend, err);
    if (!status && base->is_prologue_due) {
        xl_turns_take(turns_of(exec));
        status = queue(exec, XL_PER_PROMPT, err);
        xl_turns_pass(turns_of(exec));
        base->is_prologue_due = status != XL_OK;
    }
    struct runs runs = {.exec = exec, .hooks = hooks};
    if (!status) status = run_all(&runs, n, err);
    cudaError_t error = cudaStreamSynchronize(stream_of(exec));
    if (!status && error) status = xl_cuda_fail(err, error, "run a plan");
    return status;
}

/* A copy that fails leaves an error that the next run tells. */
void xl_cuda_exec_copy(const struct xl_exec *base, const struct xl_copy *copy) {
    static const enum cudaMemcpyKind kinds[] = {
        [XL_COPY_IN] = cudaMemcpyHostToDevice,
        [XL_COPY_OUT] = cudaMemcpyDeviceToHost,
        [XL_COPY_BETWEEN] = cudaMemcpyDeviceToDevice,
    };
    const struct xl_cuda_backend *backend = (const struct xl_cuda_backend *)base->backend;
    cudaSetDevice(backend->device);
    if (copy->rows == 1 || copy->from_stride == copy->row_bytes)
        cudaMemcpyAsync(copy->to, copy->from, copy->row_bytes * (size_t)copy->rows,
                        kinds[copy->kind], backend->stream);
    else
        cudaMemcpy2DAsync(copy->to, copy->row_bytes, copy->from, copy->from_stride, copy->row_bytes,
                          (size_t)copy->rows, kinds[copy->kind], backend->stream);
    if (copy->kind == XL_COPY_OUT) cudaStreamSynchronize(backend->stream);
}
