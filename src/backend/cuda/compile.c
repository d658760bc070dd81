/* compile.c - plans to executables: memory for the values, a list of launches, weights. */
#include "backend/cuda/exec.h"
#include "backend/cuda/filling.h"
#include "backend/cuda/leave.h"
#include "backend/cuda/store.h"
#include "backend/cuda/ways.h"

static xl_cuda_compile_fn *const compile_fns[] = {
#define X(kind, suffix, ...) xl_cuda_compile_##suffix,
    XL_OP_LIST(X)
#undef X
};

/* --- For the ops --------------------------------------------------------------------------------
 */

struct xl_cuda_operand xl_cuda_operand(const struct xl_cuda_compiler *c, xl_val value) {
    if (!value) return (struct xl_cuda_operand){0};
    const struct xl_value *v = xl_plan_value(c->plan, value);
    return (struct xl_cuda_operand){c->memory + c->offset[value], v->dtype, v->shape,
                                    v->row_stride};
}

static enum xl_status ask(struct xl_cuda_compiler *c, xl_val value, enum xl_dtype dtype,
                          const struct xl_cuda_weight **out, struct xl_err *err) {
    *out = NULL;
    if (!value) return XL_OK;
    struct xl_cuda_weight_spec spec = {.weight = xl_plan_value(c->plan, value), .dtype = dtype};
    return xl_cuda_store_ask(c->hold, &spec, out, err);
}

enum xl_status xl_cuda_floats(struct xl_cuda_compiler *c, xl_val value,
                              const struct xl_cuda_weight **out, struct xl_err *err) {
    return ask(c, value, XL_DTYPE_F32, out, err);
}

enum xl_status xl_cuda_matrix(struct xl_cuda_compiler *c, xl_val value,
                              const struct xl_cuda_weight **out, struct xl_err *err) {
    return ask(c, value, xl_plan_act_dtype(c->plan), out, err);
}

enum xl_status xl_cuda_table(struct xl_cuda_compiler *c, xl_val value,
                             const struct xl_cuda_weight **out, struct xl_err *err) {
    enum xl_dtype dtype = value ? xl_plan_value(c->plan, value)->dtype : XL_DTYPE_F32;
    return ask(c, value, dtype, out, err);
}

void xl_cuda_need_scratch(struct xl_cuda_compiler *c, size_t bytes) {
    if (bytes > c->scratch_bytes) c->scratch_bytes = bytes;
}

size_t xl_cuda_need_constants(struct xl_cuda_compiler *c, int64_t n) {
    size_t at = c->constant_bytes;
    c->constant_bytes = xl_held_align(at + (size_t)n * sizeof(float));
    return at;
}

static void *append(struct xl_cuda_compiler *c, enum xl_rate part, xl_cuda_launch_fn *fn,
                    size_t args_bytes, struct xl_err *err) {
    struct xl_cuda_launch *launch = xl_arena_alloc(c->arena, sizeof *launch);
    void *args = xl_arena_alloc(c->arena, args_bytes);
    if (!launch || !args) {
        xl_fail_nomem(err, "a compiled plan", args_bytes);
        return NULL;
    }
    *launch = (struct xl_cuda_launch){NULL, fn, args, c->op};
    *c->next_launch[part] = launch;
    c->next_launch[part] = &launch->next;
    return args;
}

void *xl_cuda_launch(struct xl_cuda_compiler *c, xl_cuda_launch_fn *fn, size_t args_bytes,
                     struct xl_err *err) {
    return append(c, c->op->rate, fn, args_bytes, err);
}

void *xl_cuda_launch_before(struct xl_cuda_compiler *c, xl_cuda_launch_fn *fn, size_t args_bytes,
                            struct xl_err *err) {
    return append(c, XL_PER_PROMPT, fn, args_bytes, err);
}

/* --- Compiling ----------------------------------------------------------------------------------
 */

static struct xl_cuda_compiler compiler_of(struct xl_cuda_exec *exec) {
    return (struct xl_cuda_compiler){
        .backend = (struct xl_cuda_backend *)exec->base.backend,
        .hold = exec->weights,
        .plan = exec->base.plan,
        .arena = &exec->arena,
        .memory = exec->base.memory,
        .offset = exec->base.layout.offset,
        .space = &exec->space,
    };
}

/* Ops between two questions whether to go on. One of a new shape may take 50 ms. */
enum { ASK_EVERY = 8 };

/* The launches of one part of the plan. */
static enum xl_status compile_part(struct xl_cuda_compiler *c, enum xl_rate part,
                                   struct xl_err *err) {
    const struct xl_compile_options *options = c->options;
    for (int i = 0; i < xl_plan_n_ops(c->plan); i++) {
        c->op = xl_plan_op(c->plan, i);
        if (c->op->rate != part) continue;
        bool is_asked = options && options->tick && i % ASK_EVERY == 0;
        if (is_asked && !options->tick(options->user))
            return xl_fail(err, XL_ECANCELLED, "interrupted while preparing a plan");
        xl_turns_take(&c->backend->turns);
        enum xl_status status = compile_fns[c->op->kind](c, err);
        xl_turns_pass(&c->backend->turns);
        if (status) return xl_fail_context(err, status, "%s", xl_op_name(c->op->kind));
    }
    return XL_OK;
}

static enum xl_status compile_ops(struct xl_cuda_exec *exec, struct xl_cuda_compiler *c,
                                  struct xl_err *err) {
    enum xl_status status = xl_cuda_uses_new(c->plan, exec->base.keeps_taps, &c->uses, err);
    for (int part = 0; part < 2; part++) {
        exec->launches[part] = NULL;
        c->next_launch[part] = &exec->launches[part];
    }
    if (!status) status = compile_part(c, XL_PER_PROMPT, err);
    if (!status) status = compile_part(c, XL_PER_RUN, err);
    xl_cuda_uses_free(c->uses);
    return status;
}

static enum xl_status take_values(struct xl_cuda_exec *exec, struct xl_err *err) {
    size_t bytes = exec->base.layout.total_bytes;
    xl_exec_takes(&exec->base, bytes);
    cudaError_t error = cudaMalloc((void **)&exec->base.memory, bytes + 1);
    if (error) return xl_cuda_fail(err, error, "take memory for activations");
    for (int i = 0; !error && i < XL_CUDA_AHEAD + 1; i++)
        error = cudaEventCreateWithFlags(&exec->done[i],
                                         cudaEventDisableTiming | cudaEventBlockingSync);
    if (!error)
        error = cudaHostAlloc((void **)&exec->flags, sizeof(int32_t) * (XL_CUDA_AHEAD + 1),
                              cudaHostAllocDefault);
    return error ? xl_cuda_fail(err, error, "prepare a plan") : XL_OK;
}

static enum xl_status take_space(struct xl_cuda_exec *exec, const struct xl_cuda_compiler *c,
                                 struct xl_err *err) {
    cudaError_t error = cudaSuccess;
    xl_exec_takes(&exec->base, c->scratch_bytes + c->constant_bytes);
    if (c->scratch_bytes) error = cudaMalloc(&exec->space.scratch, c->scratch_bytes);
    if (!error && c->constant_bytes) error = cudaMalloc(&exec->space.constants, c->constant_bytes);
    return error ? xl_cuda_fail(err, error, "take scratch memory") : XL_OK;
}

/* What the ops will ask for, before anything is chosen. */
static enum xl_status ask_ahead(struct xl_cuda_exec *exec, struct xl_err *err) {
    struct xl_arena arena = exec->arena;
    exec->arena = (struct xl_arena){0}; /* for launches that are never made */
    struct xl_cuda_compiler c = compiler_of(exec);
    c.is_measuring = c.expects = true;
    enum xl_status status = compile_ops(exec, &c, err);
    xl_arena_deinit(&exec->arena);
    exec->arena = arena;
    return status;
}

/* Compile the ops while their weights come up. */
static enum xl_status compile_and_fill(struct xl_cuda_exec *exec, struct xl_cuda_compiler *c,
                                       struct xl_err *err) {
    struct xl_cuda_backend *backend = c->backend;
    struct xl_cuda_filling filling;
    enum xl_status status =
        xl_cuda_filling_begin(backend, exec->weights, exec->base.plan, c->options, &filling, err);
    if (status) return status;
    status = compile_ops(exec, c, err);
    xl_cuda_ways_save(backend->ways); /* while no other compilation finds new ones */
    if (!status) status = take_space(exec, c, err);
    enum xl_status filled = xl_cuda_filling_end(&filling, status != XL_OK, status ? NULL : err);
    if (status || filled || !xl_hold_asks(exec->weights)) return status ? status : filled;
    /* A way was chosen that wants weights in another form than was expected. */
    status = xl_cuda_filling_begin(backend, exec->weights, exec->base.plan, NULL, &filling, err);
    return status ? status : xl_cuda_filling_end(&filling, false, err);
}

enum xl_status xl_cuda_exec_compile(struct xl_exec *base, const struct xl_compile_options *options,
                                    struct xl_err *err) {
    struct xl_cuda_exec *exec = (struct xl_cuda_exec *)base;
    struct xl_cuda_backend *backend = (struct xl_cuda_backend *)base->backend;
    enum xl_status status = xl_cuda_use(backend, err);
    if (!status) status = take_values(exec, err);
    if (!status)
        status = xl_hold_new(xl_cuda_store_holds(backend->store), XL_HOLD_TO_COMPILE,
                             &exec->weights, err);
    if (!status) status = ask_ahead(exec, err);
    if (status) return status;
    struct xl_cuda_compiler c = compiler_of(exec);
    c.options = options;
    return compile_and_fill(exec, &c, err);
}

/* A run is over when its call returns, and cudaFree waits for copies. The stream may not be waited
 * for here: another thread may be recording a run on it. */
void xl_cuda_exec_free(struct xl_exec *base) {
    struct xl_cuda_exec *exec = (struct xl_cuda_exec *)base;
    struct xl_cuda_backend *backend = (struct xl_cuda_backend *)base->backend;
    cudaSetDevice(backend->device);
    if (exec->graph) cudaGraphExecDestroy(exec->graph);
    for (int i = 0; i < XL_CUDA_AHEAD + 1; i++)
        if (exec->done[i]) cudaEventDestroy(exec->done[i]);
    if (exec->flags) cudaFreeHost(exec->flags);
    cudaFree(exec->space.scratch);
    cudaFree(exec->space.constants);
    cudaFree(base->memory);
    xl_hold_free(exec->weights);
    xl_arena_deinit(&exec->arena);
}

/* --- Measuring ----------------------------------------------------------------------------------
 */

/* An address that values seem to lie at; nothing touches it. */
static unsigned char *const nowhere = (unsigned char *)(uintptr_t)0x100000;

static enum xl_status measure_plan(struct xl_cuda_backend *backend, struct xl_hold *hold,
                                   const struct xl_plan *plan, bool expects, size_t *bytes,
                                   struct xl_err *err) {
    struct xl_cuda_exec exec = {
        .base = {.backend = &backend->base, .plan = plan, .memory = nowhere}, .weights = hold};
    struct xl_layout_keeps keeps = {.joined = true};
    enum xl_status status = xl_plan_layout(plan, keeps, &exec.base.layout, err);
    struct xl_cuda_compiler c = compiler_of(&exec);
    c.is_measuring = true;
    c.expects = expects;
    if (!status) status = compile_ops(&exec, &c, err);
    *bytes = exec.base.layout.total_bytes + c.scratch_bytes + c.constant_bytes;
    xl_arena_deinit(&exec.arena);
    xl_layout_deinit(&exec.base.layout);
    return status;
}

/* What goes wrong shows again when it is compiled. */
void xl_cuda_exec_expect(struct xl_backend *base, const struct xl_plan *plan) {
    struct xl_cuda_backend *backend = (struct xl_cuda_backend *)base;
    struct xl_err unheard = {0};
    struct xl_hold *hold;
    size_t bytes;
    if (xl_hold_new(xl_cuda_store_holds(backend->store), XL_HOLD_TO_MEASURE, &hold, &unheard))
        return;
    if (measure_plan(backend, hold, plan, true, &bytes, &unheard)) unheard.text[0] = 0;
    xl_hold_free(hold);
}

enum xl_status xl_cuda_exec_measure(struct xl_backend *base, const struct xl_plan *const *plans,
                                    int n, struct xl_weight_need *weights, size_t *exec_bytes,
                                    struct xl_err *err) {
    struct xl_cuda_backend *backend = (struct xl_cuda_backend *)base;
    struct xl_hold *hold;
    enum xl_status status =
        xl_hold_new(xl_cuda_store_holds(backend->store), XL_HOLD_TO_MEASURE, &hold, err);
    if (status) return status;
    for (int i = 0; !status && i < n; i++)
        status = measure_plan(backend, hold, plans[i], false, &exec_bytes[i], err);
    *weights = xl_hold_need(hold);
    xl_hold_free(hold);
    return status;
}
