/* cpu.c - the CPU backend: compiling plans into steps, running them. */
#include "backend/cpu/cpu.h"

#include "backend/cpu/pages.h"

#include <stdlib.h>

struct cpu_exec {
    struct xl_exec base;
    struct xl_hold *weights;
    struct xl_arena arena;     /* states of the ops */
    struct xl_cpu_step *steps; /* by op */
    struct xl_space space;
    size_t scratch_bytes, shared_bytes; /* all workers together */
};

static xl_compile_fn *const compile_fns[] = {
#define X(kind, suffix, ...) xl_compile_##suffix,
    XL_OP_LIST(X)
#undef X
};

static struct xl_cpu_backend *backend_of(const struct xl_exec *exec) {
    return (struct xl_cpu_backend *)exec->backend;
}

/* --- For the ops ----------------------------------------------------------------------------- */

struct xl_operand xl_operand(const struct xl_compiler *c, xl_val value) {
    if (!value) return (struct xl_operand){0};
    const struct xl_value *v = xl_plan_value(c->plan, value);
    return (struct xl_operand){c->memory + c->offset[value], v->dtype, v->shape, v->row_stride};
}

unsigned char *xl_element(struct xl_operand operand, int64_t i) {
    return operand.data + (size_t)i * xl_dtype_size(operand.dtype);
}

enum xl_status xl_floats(struct xl_compiler *c, xl_val value, const struct xl_numbers **out,
                         struct xl_err *err) {
    *out = NULL;
    if (!value) return XL_OK;
    return xl_pack_floats(c->hold, xl_plan_value(c->plan, value), out, err);
}

void *xl_state(struct xl_compiler *c, size_t bytes, struct xl_err *err) {
    void *state = xl_arena_alloc(c->arena, bytes);
    if (!state) xl_fail_nomem(err, "a compiled plan", bytes);
    return state;
}

void xl_add_loop(struct xl_compiler *c, xl_task_fn *fn, void *state, int64_t n_tasks) {
    c->step->loops[c->step->n_loops++] = (struct xl_loop){fn, state, n_tasks};
}

void xl_need_scratch(struct xl_compiler *c, size_t bytes) {
    if (bytes > c->scratch_bytes) c->scratch_bytes = bytes;
}

void xl_need_shared(struct xl_compiler *c, size_t bytes) {
    if (bytes > c->shared_bytes) c->shared_bytes = bytes;
}

/* --- Compiling ------------------------------------------------------------------------------- */

static void exec_free(struct xl_exec *base) {
    struct cpu_exec *exec = (struct cpu_exec *)base;
    xl_pages_free(base->memory, base->layout.total_bytes);
    xl_pages_free(exec->space.scratch, exec->scratch_bytes);
    xl_pages_free(exec->space.shared, exec->shared_bytes);
    xl_hold_free(exec->weights);
    xl_arena_deinit(&exec->arena);
    free(exec->steps);
}

static enum xl_status compile_ops(struct cpu_exec *exec, struct xl_compiler *c,
                                  struct xl_err *err) {
    for (int i = 0; i < xl_plan_n_ops(c->plan); i++) {
        c->op = xl_plan_op(c->plan, i);
        c->step = &exec->steps[i];
        enum xl_status status = compile_fns[c->op->kind](c, err);
        if (status) return xl_fail_context(err, status, "%s", xl_op_name(c->op->kind));
    }
    return XL_OK;
}

static enum xl_status allocate_values(struct cpu_exec *exec, struct xl_err *err) {
    size_t bytes = exec->base.layout.total_bytes;
    xl_exec_takes(&exec->base, bytes);
    exec->base.memory = xl_pages_alloc(bytes);
    if (!exec->base.memory) return xl_fail_nomem(err, "activations", bytes);
    exec->steps = calloc((size_t)xl_plan_n_ops(exec->base.plan) + 1, sizeof *exec->steps);
    if (!exec->steps) return xl_fail_nomem(err, "a compiled plan", 0);
    return XL_OK;
}

static size_t scratch_stride(const struct xl_compiler *c) {
    return xl_piece(c->scratch_bytes + 1);
}

static enum xl_status allocate_space(struct cpu_exec *exec, const struct xl_compiler *c,
                                     struct xl_err *err) {
    size_t n_workers = (size_t)xl_pool_size(backend_of(&exec->base)->pool);
    exec->space.scratch_stride = scratch_stride(c);
    exec->scratch_bytes = exec->space.scratch_stride * n_workers;
    exec->shared_bytes = c->shared_bytes;
    xl_exec_takes(&exec->base, exec->scratch_bytes + exec->shared_bytes);
    exec->space.scratch = xl_pages_alloc(exec->scratch_bytes);
    exec->space.shared = xl_pages_alloc(exec->shared_bytes);
    if (!exec->space.scratch || !exec->space.shared)
        return xl_fail_nomem(err, "scratch", exec->scratch_bytes + exec->shared_bytes);
    return XL_OK;
}

static enum xl_status compile_exec(struct cpu_exec *exec, const struct xl_compile_options *options,
                                   struct xl_err *err) {
    struct xl_cpu_backend *backend = backend_of(&exec->base);
    enum xl_status status = allocate_values(exec, err);
    if (!status)
        status = xl_hold_new(xl_pack_holds(backend->pack), XL_HOLD_TO_COMPILE, &exec->weights, err);
    if (status) return status;
    struct xl_compiler c = {.backend = backend,
                            .hold = exec->weights,
                            .plan = exec->base.plan,
                            .memory = exec->base.memory,
                            .offset = exec->base.layout.offset,
                            .space = &exec->space,
                            .arena = &exec->arena};
    status = compile_ops(exec, &c, err);
    if (!status) status = allocate_space(exec, &c, err);
    return status ? status : xl_pack_fill(backend->pack, exec->weights, c.plan, options, err);
}

/* Compile without memory: values lie at addresses that are reserved and never touched. */
static enum xl_status measure_plan(struct xl_cpu_backend *backend, struct xl_hold *hold,
                                   const struct xl_plan *plan, size_t *bytes, struct xl_err *err) {
    struct cpu_exec exec = {.base = {.plan = plan}};
    struct xl_layout *layout = &exec.base.layout;
    enum xl_status status = xl_plan_layout(plan, (struct xl_layout_keeps){0}, layout, err);
    if (!status) {
        exec.base.memory = xl_pages_reserve(layout->total_bytes);
        exec.steps = calloc((size_t)xl_plan_n_ops(plan) + 1, sizeof *exec.steps);
        if (!exec.base.memory || !exec.steps) status = xl_fail_nomem(err, "a measured plan", 0);
    }
    struct xl_compiler c = {.backend = backend,
                            .hold = hold,
                            .plan = plan,
                            .memory = exec.base.memory,
                            .offset = layout->offset,
                            .space = &exec.space,
                            .arena = &exec.arena};
    if (!status) status = compile_ops(&exec, &c, err);
    size_t n_workers = (size_t)xl_pool_size(backend->pool);
    *bytes = layout->total_bytes + scratch_stride(&c) * n_workers + c.shared_bytes;
    exec_free(&exec.base);
    xl_layout_deinit(layout);
    return status;
}

static enum xl_status measure(struct xl_backend *base, const struct xl_plan *const *plans, int n,
                              struct xl_weight_need *weights, size_t *exec_bytes,
                              struct xl_err *err) {
    struct xl_cpu_backend *backend = (struct xl_cpu_backend *)base;
    struct xl_hold *hold;
    enum xl_status status =
        xl_hold_new(xl_pack_holds(backend->pack), XL_HOLD_TO_MEASURE, &hold, err);
    if (status) return status;
    int n_before = xl_dnn_limit_threads(1);
    for (int i = 0; !status && i < n; i++)
        status = measure_plan(backend, hold, plans[i], &exec_bytes[i], err);
    *weights = xl_hold_need(hold);
    xl_hold_free(hold);
    xl_dnn_limit_threads(n_before);
    return status;
}

static enum xl_status compile(struct xl_exec *base, const struct xl_compile_options *options,
                              struct xl_err *err) {
    int n_before = xl_dnn_limit_threads(1);
    enum xl_status status = compile_exec((struct cpu_exec *)base, options, err);
    xl_dnn_limit_threads(n_before);
    return status;
}

/* --- Running --------------------------------------------------------------------------------- */

static enum xl_status run_part(struct xl_exec *base, enum xl_rate rate,
                               const struct xl_run_hooks *hooks, struct xl_err *err) {
    struct cpu_exec *exec = (struct cpu_exec *)base;
    struct xl_pool *pool = backend_of(base)->pool;
    for (int i = 0; i < xl_plan_n_ops(base->plan); i++) {
        const struct xl_op *op = xl_plan_op(base->plan, i);
        const struct xl_cpu_step *step = &exec->steps[i];
        if (op->rate != rate) continue;
        if (hooks->tick && !hooks->tick(hooks->user))
            return xl_fail(err, XL_ECANCELLED, "interrupted");
        for (int j = 0; j < step->n_loops; j++)
            xl_pool_run(pool, step->loops[j].n_tasks, step->loops[j].fn, step->loops[j].state);
        if (atomic_load(&exec->space.has_failed))
            return xl_fail(err, XL_EINTERNAL, "oneDNN failed in op %d of the plan (%s)", i,
                           xl_op_name(op->kind));
    }
    return XL_OK;
}

static enum xl_status run(struct xl_exec *exec, int64_t n, const struct xl_run_hooks *hooks,
                          struct xl_err *err) {
    int n_before = xl_dnn_limit_threads(1);
    atomic_store(&((struct cpu_exec *)exec)->space.has_failed, false);
    enum xl_status status = xl_host_run(exec, n, hooks, run_part, err);
    xl_dnn_limit_threads(n_before);
    return status;
}

/* --- The backend ----------------------------------------------------------------------------- */

static void backend_free(struct xl_backend *base) {
    struct xl_cpu_backend *backend = (struct xl_cpu_backend *)base;
    xl_pack_free(backend->pack);
    xl_dnn_close(backend->dnn);
    xl_pool_free(backend->pool);
    free(backend);
}

static const char *isa(const struct xl_backend *base) {
    return xl_cpu_isa_text(((const struct xl_cpu_backend *)base)->isa);
}

static const char *libraries(const struct xl_backend *base) {
    return xl_dnn_version(((const struct xl_cpu_backend *)base)->dnn);
}

static int n_threads(const struct xl_backend *base) {
    return xl_pool_size(((const struct xl_cpu_backend *)base)->pool);
}

static bool is_native(const struct xl_backend *base, enum xl_dtype act_dtype) {
    if (act_dtype == XL_DTYPE_BF16) return ((const struct xl_cpu_backend *)base)->isa.has_bf16;
    return act_dtype == XL_DTYPE_F32;
}

static enum xl_status check_dtype(const struct xl_backend *base, enum xl_dtype act_dtype,
                                  struct xl_err *err) {
    (void)base;
    if (act_dtype != XL_DTYPE_F16) return XL_OK;
    return xl_fail(err, XL_EINVAL,
                   "a CPU does not compute in f16; use --dtype bf16 or f32, or a GPU");
}

static void memory(const struct xl_backend *base, struct xl_memory *out) {
    struct xl_pack *pack = ((const struct xl_cpu_backend *)base)->pack;
    struct xl_held_bytes weights = xl_holds_bytes(xl_pack_holds(pack));
    xl_host_memory(out);
    out->weight_bytes = (int64_t)weights.held;
    out->idle_weight_bytes = (int64_t)weights.idle;
}

static size_t release(struct xl_backend *base, size_t wanted) {
    return xl_holds_release(xl_pack_holds(((struct xl_cpu_backend *)base)->pack), wanted);
}

static const struct xl_backend_vtable vtable = {
    .name = "cpu",
    .free = backend_free,
    .isa = isa,
    .libraries = libraries,
    .n_threads = n_threads,
    .is_native = is_native,
    .check_dtype = check_dtype,
    .memory = memory,
    .release = release,
    .exec_size = sizeof(struct cpu_exec),
    .compile = compile,
    .exec_free = exec_free,
    .measure = measure,
    .copy = xl_host_copy,
    .run = run,
};

static void limit_threads(void) {
    xl_dnn_limit_threads(1);
}

enum xl_status xl_backend_cpu_isa(int threads, struct xl_cpu_isa isa_wanted,
                                  struct xl_backend **out, struct xl_err *err) {
    struct xl_cpu_backend *backend = calloc(1, sizeof *backend);
    if (!backend) return xl_fail_nomem(err, "the CPU backend", sizeof *backend);
    backend->base.vtable = &vtable;
    backend->isa = isa_wanted;
    backend->kernels = xl_cpu_kernels(isa_wanted);
    int n_before = xl_dnn_limit_threads(1);
    enum xl_status status = xl_pool_new(threads, limit_threads, &backend->pool, err);
    if (!status) status = xl_dnn_open(xl_pool_size(backend->pool), &backend->dnn, err);
    if (!status)
        status = xl_pack_new(backend->dnn, backend->pool, backend->kernels, &backend->pack, err);
    xl_dnn_limit_threads(n_before);
    if (status) {
        backend_free(&backend->base);
        return status;
    }
    *out = &backend->base;
    return XL_OK;
}

enum xl_status xl_backend_cpu(int threads, struct xl_backend **out, struct xl_err *err) {
    return xl_backend_cpu_isa(threads, xl_cpu_isa_detect(), out, err);
}
