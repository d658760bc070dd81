/* cpu.c - the CPU backend: compiling plans into steps, running them. */
#include "backend/cpu/cpu.h"

#include "backend/cpu/pages.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

struct cpu_exec {
    struct xl_exec base;
    struct xl_cpu_backend *backend;
    const struct xl_plan *plan;
    struct xl_layout layout;
    struct xl_arena arena; /* states of the ops */
    struct xl_step *steps; /* by op */
    double *seconds;       /* by op */
    unsigned char *memory; /* of the values */
    struct xl_space space;
    size_t scratch_bytes, shared_bytes; /* all workers together */
    bool is_timing, is_prologue_due;
};

static xl_compile_fn *const compile_fns[] = {
    [XL_OP_LINEAR] = xl_compile_linear,
    [XL_OP_CONV2D] = xl_compile_conv2d,
    [XL_OP_GROUP_NORM] = xl_compile_group_norm,
    [XL_OP_LAYER_NORM] = xl_compile_layer_norm,
    [XL_OP_ATTENTION] = xl_compile_attention,
    [XL_OP_GEGLU] = xl_compile_geglu,
    [XL_OP_ACTIVATION] = xl_compile_activation,
    [XL_OP_ADD] = xl_compile_add,
    [XL_OP_CONCAT] = xl_compile_concat,
    [XL_OP_EMBED] = xl_compile_embed,
    [XL_OP_SINUSOID] = xl_compile_sinusoid,
    [XL_OP_PICK_ROW] = xl_compile_pick_row,
    [XL_OP_CAST] = xl_compile_cast,
};

/* --- For the ops ----------------------------------------------------------------------------- */

struct xl_operand xl_operand(const struct xl_compiler *c, xl_val value) {
    if (!value) return (struct xl_operand){0};
    const struct xl_value *v = xl_plan_value(c->plan, value);
    return (struct xl_operand){c->memory + c->offset[value], v->dtype, v->shape, v->row_stride};
}

unsigned char *xl_element(struct xl_operand operand, int64_t i) {
    return operand.data + (size_t)i * xl_dtype_size(operand.dtype);
}

enum xl_status xl_floats(struct xl_compiler *c, xl_val value, const float **out,
                         struct xl_err *err) {
    *out = NULL;
    if (!value) return XL_OK;
    return xl_pack_floats(c->backend->pack, xl_plan_value(c->plan, value), out, err);
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
    xl_pages_free(exec->memory, exec->layout.total_bytes);
    xl_pages_free(exec->space.scratch, exec->scratch_bytes);
    xl_pages_free(exec->space.shared, exec->shared_bytes);
    xl_layout_deinit(&exec->layout);
    xl_arena_deinit(&exec->arena);
    free(exec->steps);
    free(exec->seconds);
    free(exec);
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

static enum xl_status allocate_values(struct cpu_exec *exec, bool keep_taps, struct xl_err *err) {
    const struct xl_plan *plan = exec->plan;
    enum xl_status status = xl_plan_layout(plan, keep_taps, &exec->layout, err);
    if (status) return status;
    exec->memory = xl_pages_alloc(exec->layout.total_bytes);
    if (!exec->memory) return xl_fail_nomem(err, "activations", exec->layout.total_bytes);
    exec->steps = calloc((size_t)xl_plan_n_ops(plan) + 1, sizeof *exec->steps);
    exec->seconds = calloc((size_t)xl_plan_n_ops(plan) + 1, sizeof *exec->seconds);
    if (!exec->steps || !exec->seconds) return xl_fail_nomem(err, "a compiled plan", 0);
    return XL_OK;
}

static size_t scratch_stride(const struct xl_compiler *c) {
    return xl_piece(c->scratch_bytes + 1);
}

static enum xl_status allocate_space(struct cpu_exec *exec, const struct xl_compiler *c,
                                     struct xl_err *err) {
    size_t n_workers = (size_t)xl_pool_size(exec->backend->pool);
    exec->space.scratch_stride = scratch_stride(c);
    exec->scratch_bytes = exec->space.scratch_stride * n_workers;
    exec->shared_bytes = c->shared_bytes;
    exec->space.scratch = xl_pages_alloc(exec->scratch_bytes);
    exec->space.shared = xl_pages_alloc(exec->shared_bytes);
    if (!exec->space.scratch || !exec->space.shared)
        return xl_fail_nomem(err, "scratch", exec->scratch_bytes + exec->shared_bytes);
    return XL_OK;
}

static enum xl_status compile_exec(struct cpu_exec *exec, const struct xl_compile_options *options,
                                   struct xl_err *err) {
    enum xl_status status = allocate_values(exec, options->keep_taps, err);
    if (status) return status;
    struct xl_compiler c = {.backend = exec->backend,
                            .plan = exec->plan,
                            .memory = exec->memory,
                            .offset = exec->layout.offset,
                            .space = &exec->space,
                            .arena = &exec->arena};
    status = compile_ops(exec, &c, err);
    if (!status) status = allocate_space(exec, &c, err);
    if (status) {
        xl_pack_forget(exec->backend->pack);
        return status;
    }
    return xl_pack_flush(exec->backend->pack, exec->plan, options, err);
}

/* Compile without memory: values lie at addresses that are reserved and never touched. */
static enum xl_status measure_plan(struct xl_cpu_backend *backend, const struct xl_plan *plan,
                                   size_t *bytes, struct xl_err *err) {
    struct cpu_exec exec = {.backend = backend, .plan = plan};
    enum xl_status status = xl_plan_layout(plan, false, &exec.layout, err);
    if (!status) {
        exec.memory = xl_pages_reserve(exec.layout.total_bytes);
        exec.steps = calloc((size_t)xl_plan_n_ops(plan) + 1, sizeof *exec.steps);
        if (!exec.memory || !exec.steps) status = xl_fail_nomem(err, "a measured plan", 0);
    }
    struct xl_compiler c = {.backend = backend,
                            .plan = plan,
                            .memory = exec.memory,
                            .offset = exec.layout.offset,
                            .space = &exec.space,
                            .arena = &exec.arena};
    if (!status) status = compile_ops(&exec, &c, err);
    size_t n_workers = (size_t)xl_pool_size(backend->pool);
    *bytes = exec.layout.total_bytes + scratch_stride(&c) * n_workers + c.shared_bytes;
    xl_pages_free(exec.memory, exec.layout.total_bytes);
    xl_layout_deinit(&exec.layout);
    xl_arena_deinit(&exec.arena);
    free(exec.steps);
    return status;
}

static enum xl_status measure(struct xl_backend *base, const struct xl_plan *const *plans, int n,
                              size_t *weight_bytes, size_t *exec_bytes, struct xl_err *err) {
    struct xl_cpu_backend *backend = (struct xl_cpu_backend *)base;
    size_t held = xl_pack_bytes(backend->pack);
    int n_before = xl_dnn_limit_threads(1);
    xl_pack_measure(backend->pack, true);
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < n; i++)
        status = measure_plan(backend, plans[i], &exec_bytes[i], err);
    *weight_bytes = xl_pack_bytes(backend->pack) - held;
    xl_pack_forget(backend->pack);
    xl_pack_measure(backend->pack, false);
    xl_dnn_limit_threads(n_before);
    return status;
}

static enum xl_status compile(struct xl_backend *base, const struct xl_plan *plan,
                              const struct xl_compile_options *options, struct xl_exec **out,
                              struct xl_err *err) {
    struct cpu_exec *exec = calloc(1, sizeof *exec);
    if (!exec) return xl_fail_nomem(err, "a compiled plan", sizeof *exec);
    exec->backend = (struct xl_cpu_backend *)base;
    exec->plan = plan;
    exec->is_prologue_due = true;
    int n_before = xl_dnn_limit_threads(1);
    enum xl_status status = compile_exec(exec, options, err);
    xl_dnn_limit_threads(n_before);
    if (status) {
        exec_free(&exec->base);
        return status;
    }
    *out = &exec->base;
    return XL_OK;
}

/* --- Running --------------------------------------------------------------------------------- */

static void run_step(const struct cpu_exec *exec, const struct xl_step *step) {
    for (int i = 0; i < step->n_loops; i++)
        xl_pool_run(exec->backend->pool, step->loops[i].n_tasks, step->loops[i].fn,
                    step->loops[i].state);
}

/* Run the ops of one part of the plan. */
static enum xl_status run_part(struct cpu_exec *exec, enum xl_rate rate, xl_tick_fn *tick,
                               void *user, struct xl_err *err) {
    for (int i = 0; i < xl_plan_n_ops(exec->plan); i++) {
        const struct xl_op *op = xl_plan_op(exec->plan, i);
        if (op->rate != rate) continue;
        if (tick && !tick(user)) return xl_fail(err, XL_ECANCELLED, "interrupted");
        double start = exec->is_timing ? xl_now_s() : 0;
        run_step(exec, &exec->steps[i]);
        if (exec->is_timing) exec->seconds[i] += xl_now_s() - start;
        if (atomic_load(&exec->space.has_failed))
            return xl_fail(err, XL_EINTERNAL, "oneDNN failed in op %d of the plan (%s)", i,
                           xl_op_name(op->kind));
    }
    return XL_OK;
}

static enum xl_status run_parts(struct cpu_exec *exec, xl_tick_fn *tick, void *user,
                                struct xl_err *err) {
    atomic_store(&exec->space.has_failed, false);
    if (exec->is_prologue_due) {
        enum xl_status status = run_part(exec, XL_PER_PROMPT, tick, user, err);
        if (status) return status;
        exec->is_prologue_due = false;
    }
    return run_part(exec, XL_PER_RUN, tick, user, err);
}

static enum xl_status run(struct xl_exec *base, xl_tick_fn *tick, void *user, struct xl_err *err) {
    int n_before = xl_dnn_limit_threads(1);
    enum xl_status status = run_parts((struct cpu_exec *)base, tick, user, err);
    xl_dnn_limit_threads(n_before);
    return status;
}

static void write_input(struct xl_exec *base, xl_val v, const void *data) {
    struct cpu_exec *exec = (struct cpu_exec *)base;
    const struct xl_value *value = xl_plan_value(exec->plan, v);
    memcpy(exec->memory + exec->layout.offset[v], data,
           (size_t)xl_shape_count(value->shape) * xl_dtype_size(value->dtype));
    if (value->rate == XL_PER_PROMPT) exec->is_prologue_due = true;
}

static void read_value(const struct xl_exec *base, xl_val v, void *data) {
    const struct cpu_exec *exec = (const struct cpu_exec *)base;
    xl_value_gather(xl_plan_value(exec->plan, v), exec->memory + exec->layout.offset[v], data);
}

static size_t exec_bytes(const struct xl_exec *base) {
    const struct cpu_exec *exec = (const struct cpu_exec *)base;
    return exec->layout.total_bytes + exec->scratch_bytes + exec->shared_bytes;
}

static void set_timing(struct xl_exec *base, bool on) {
    ((struct cpu_exec *)base)->is_timing = on;
}

static double op_seconds(const struct xl_exec *base, int op) {
    return ((const struct cpu_exec *)base)->seconds[op];
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

static int n_threads(const struct xl_backend *base) {
    return xl_pool_size(((const struct xl_cpu_backend *)base)->pool);
}

static bool is_native(const struct xl_backend *base, enum xl_dtype act_dtype) {
    return act_dtype == XL_DTYPE_F32 || ((const struct xl_cpu_backend *)base)->isa.has_bf16;
}

static size_t weight_bytes(const struct xl_backend *base) {
    return xl_pack_bytes(((const struct xl_cpu_backend *)base)->pack);
}

static const struct xl_backend_vtable vtable = {
    .name = "cpu",
    .free = backend_free,
    .isa = isa,
    .n_threads = n_threads,
    .is_native = is_native,
    .weight_bytes = weight_bytes,
    .compile = compile,
    .measure = measure,
    .exec_free = exec_free,
    .write = write_input,
    .read = read_value,
    .run = run,
    .exec_bytes = exec_bytes,
    .set_timing = set_timing,
    .op_seconds = op_seconds,
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
