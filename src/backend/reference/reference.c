/* reference.c - the backend in plain C: the definition of what each op computes, and the oracle of
 * the fast backends. One thread. For plans in bf16 and f16 the arithmetic is that of f32 and
 * results are rounded when they are stored. */
#include "backend/reference/reference.h"

#include "backend/backend.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static void (*const kernels[])(const struct xl_ref_op *op) = {
#define X(kind, suffix, ...) xl_ref_##suffix,
    XL_OP_LIST(X)
#undef X
};

struct ref_backend {
    struct xl_backend base;
    atomic_size_t weight_bytes;
};

struct ref_exec {
    struct xl_exec base;
    float **weights; /* by value: in f32; NULL for values that are no weights */
    char *scratch;   /* of one op: what it asks for, then its operands and its result in f32 */
    size_t weight_bytes;
};

/* Scratch is handed out in pieces of this alignment. */
static size_t piece_bytes(size_t bytes) {
    return (bytes + XL_LAYOUT_ALIGN - 1) / XL_LAYOUT_ALIGN * XL_LAYOUT_ALIGN;
}

static size_t f32_bytes(const struct xl_value *v) {
    return (size_t)xl_shape_count(v->shape) * sizeof(float);
}

/* Whether the kernel can use the value where it lies. */
static bool is_plain(const struct xl_value *v) {
    return v->row_stride == xl_shape_last(v->shape) &&
           (v->dtype == XL_DTYPE_F32 || v->dtype == XL_DTYPE_I32);
}

static size_t kernel_scratch_bytes(const struct xl_plan *plan, const struct xl_op *op) {
    if (op->kind == XL_OP_CONV2D) return piece_bytes(xl_ref_conv2d_scratch(plan, op));
    if (op->kind == XL_OP_ATTENTION) return piece_bytes(xl_ref_attention_scratch(plan, op));
    return 0;
}

static size_t op_scratch_bytes(const struct xl_plan *plan, const struct xl_op *op) {
    size_t bytes = kernel_scratch_bytes(plan, op) +
                   piece_bytes(f32_bytes(xl_plan_value(plan, op->out)));
    for (int i = 0; i < XL_MAX_OPERANDS; i++)
        if (op->in[i]) bytes += 2 * piece_bytes(f32_bytes(xl_plan_value(plan, op->in[i])));
    return bytes;
}

static void exec_free(struct xl_exec *base) {
    struct ref_exec *exec = (struct ref_exec *)base;
    if (exec->weights)
        for (xl_val v = 1; v < xl_plan_n_values(base->plan); v++) free(exec->weights[v]);
    atomic_fetch_sub(&((struct ref_backend *)base->backend)->weight_bytes, exec->weight_bytes);
    free(exec->weights);
    free(base->memory);
    free(exec->scratch);
}

/* An own copy of each weight in f32: the plan's tensors may go away. */
static enum xl_status copy_weight(struct ref_exec *exec, xl_val v,
                                  const struct xl_compile_options *options, struct xl_err *err) {
    const struct xl_value *value = xl_plan_value(exec->base.plan, v);
    float *copy = malloc(f32_bytes(value));
    if (!copy) return xl_fail_nomem(err, "weights", f32_bytes(value));
    exec->weights[v] = copy;
    exec->weight_bytes += f32_bytes(value);
    atomic_fetch_add(&((struct ref_backend *)exec->base.backend)->weight_bytes, f32_bytes(value));
    for (int i = 0; i < value->n_parts; i++) {
        const struct xl_weight_part *part = &value->parts[i];
        const struct xl_tensor *tensor = part->tensor;
        int64_t n = xl_shape_count(tensor->shape);
        if (!xl_ref_read(copy, tensor)) return xl_fail_nomem(err, "weights", f32_bytes(value));
        if (part->n_deltas && !xl_ref_add_deltas(copy, part))
            return xl_fail_nomem(err, "the deltas of a weight", 0);
        copy += n;
        if (options->tick && !options->tick(options->user))
            return xl_fail(err, XL_ECANCELLED, "interrupted while reading weights");
    }
    return XL_OK;
}

/* After the last use of any of them: a tensor may be part of several weights. */
static void report_weights_done(const struct xl_plan *plan,
                                const struct xl_compile_options *options) {
    for (xl_val v = 1; options->weight_done && v < xl_plan_n_values(plan); v++)
        for (int i = 0; i < xl_plan_value(plan, v)->n_parts; i++)
            options->weight_done(options->user, xl_plan_value(plan, v)->parts[i].tensor);
}

static size_t plan_scratch_bytes(const struct xl_plan *plan) {
    size_t most = 0;
    for (int i = 0; i < xl_plan_n_ops(plan); i++) {
        size_t bytes = op_scratch_bytes(plan, xl_plan_op(plan, i));
        if (bytes > most) most = bytes;
    }
    return most;
}

static enum xl_status allocate(struct ref_exec *exec, struct xl_err *err) {
    const struct xl_plan *plan = exec->base.plan;
    size_t total = piece_bytes(exec->base.layout.total_bytes + 1);
    size_t scratch = plan_scratch_bytes(plan);
    xl_exec_takes(&exec->base, exec->base.layout.total_bytes + scratch);
    exec->base.memory = aligned_alloc(XL_LAYOUT_ALIGN, total);
    exec->scratch = aligned_alloc(XL_LAYOUT_ALIGN, piece_bytes(scratch + 1));
    exec->weights = calloc((size_t)xl_plan_n_values(plan), sizeof *exec->weights);
    if (!exec->base.memory || !exec->scratch || !exec->weights)
        return xl_fail_nomem(err, "activations", total + scratch);
    /* All ones is NaN in every floating dtype: an element that is read but was never written
     * shows. */
    memset(exec->base.memory, 0xFF, total);
    return XL_OK;
}

static enum xl_status compile(struct xl_exec *base, const struct xl_compile_options *options,
                              struct xl_err *err) {
    struct ref_exec *exec = (struct ref_exec *)base;
    enum xl_status status = allocate(exec, err);
    for (xl_val v = 1; !status && v < xl_plan_n_values(base->plan); v++)
        if (xl_plan_value(base->plan, v)->kind == XL_VALUE_WEIGHT)
            status = copy_weight(exec, v, options, err);
    if (!status) report_weights_done(base->plan, options);
    return status;
}

/* Executables share nothing here: the weights of each are new. */
static enum xl_status measure(struct xl_backend *backend, const struct xl_plan *const *plans, int n,
                              struct xl_weight_need *weights, size_t *exec_bytes,
                              struct xl_err *err) {
    (void)backend;
    *weights = (struct xl_weight_need){0};
    for (int i = 0; i < n; i++) {
        struct xl_layout layout;
        enum xl_status status = xl_plan_layout(plans[i], (struct xl_layout_keeps){0}, &layout, err);
        if (status) return status;
        exec_bytes[i] = layout.total_bytes + plan_scratch_bytes(plans[i]);
        xl_layout_deinit(&layout);
        for (xl_val v = 1; v < xl_plan_n_values(plans[i]); v++)
            if (xl_plan_value(plans[i], v)->kind == XL_VALUE_WEIGHT)
                weights->missing += f32_bytes(xl_plan_value(plans[i], v));
    }
    return XL_OK;
}

static void *take(char **scratch, size_t bytes) {
    void *piece = *scratch;
    *scratch += piece_bytes(bytes);
    return piece;
}

/* Without the gaps between the rows of a slice. */
static void gather(const struct xl_value *value, const char *data, char *dense) {
    size_t size = xl_dtype_size(value->dtype);
    int64_t columns = xl_shape_last(value->shape), rows = xl_shape_count(value->shape) / columns;
    for (int64_t i = 0; i < rows; i++)
        memcpy(dense + (size_t)(i * columns) * size, data + (size_t)(i * value->row_stride) * size,
               (size_t)columns * size);
}

/* An operand as kernels see it, converted into scratch memory when need be. */
static struct xl_ref_operand load(const struct ref_exec *exec, const struct xl_op *op, int i,
                                  char **scratch) {
    xl_val v = op->in[i];
    if (!v) return (struct xl_ref_operand){0};
    const struct xl_value *value = xl_plan_value(exec->base.plan, v);
    struct xl_ref_operand operand = {.shape = value->shape, .x = exec->weights[v]};
    if (operand.x) return operand;
    void *data = xl_exec_address(&exec->base, v);
    if (op->writes >> i & 1) operand.state = data;
    if (value->dtype == XL_DTYPE_I32)
        operand.ids = data;
    else if (value->dtype == XL_DTYPE_U8)
        operand.bytes = data;
    else if (is_plain(value))
        operand.x = data;
    else {
        void *dense = take(scratch, f32_bytes(value));
        float *converted = take(scratch, f32_bytes(value));
        gather(value, data, dense);
        xl_convert(converted, XL_DTYPE_F32, dense, value->dtype, xl_shape_count(value->shape));
        operand.x = converted;
    }
    return operand;
}

static void run_op(const struct ref_exec *exec, const struct xl_op *op) {
    const struct xl_plan *plan = exec->base.plan;
    const struct xl_value *out = xl_plan_value(plan, op->out);
    char *scratch = exec->scratch;
    struct xl_ref_op ready = {.op = op, .shape = out->shape, .scratch = scratch};
    take(&scratch, kernel_scratch_bytes(plan, op));
    for (int i = 0; i < XL_MAX_OPERANDS; i++) ready.in[i] = load(exec, op, i, &scratch);
    void *result = xl_exec_address(&exec->base, op->out);
    if (out->dtype == XL_DTYPE_U8)
        ready.bytes = result;
    else
        ready.out = out->dtype == XL_DTYPE_F32 ? result : take(&scratch, f32_bytes(out));
    kernels[op->kind](&ready);
    if (ready.out && ready.out != result)
        xl_convert(result, out->dtype, ready.out, XL_DTYPE_F32, xl_shape_count(out->shape));
}

static enum xl_status run_part(struct xl_exec *exec, enum xl_rate rate,
                               const struct xl_run_hooks *hooks, struct xl_err *err) {
    for (int i = 0; i < xl_plan_n_ops(exec->plan); i++) {
        const struct xl_op *op = xl_plan_op(exec->plan, i);
        if (op->rate != rate) continue;
        if (hooks->tick && !hooks->tick(hooks->user))
            return xl_fail(err, XL_ECANCELLED, "interrupted");
        run_op((const struct ref_exec *)exec, op);
    }
    return XL_OK;
}

static enum xl_status run(struct xl_exec *exec, int64_t n, const struct xl_run_hooks *hooks,
                          struct xl_err *err) {
    return xl_host_run(exec, n, hooks, run_part, err);
}

static void backend_free(struct xl_backend *backend) {
    free(backend);
}

static const char *isa(const struct xl_backend *backend) {
    (void)backend;
    return "plain C";
}

static int n_threads(const struct xl_backend *backend) {
    (void)backend;
    return 1;
}

static bool is_native(const struct xl_backend *backend, enum xl_dtype act_dtype) {
    (void)backend;
    return act_dtype == XL_DTYPE_F32;
}

static void memory(const struct xl_backend *backend, struct xl_memory *out) {
    xl_host_memory(out);
    out->weight_bytes = (int64_t)atomic_load(&((const struct ref_backend *)backend)->weight_bytes);
}

/* Weights go with their executables. */
static size_t release(struct xl_backend *backend, size_t wanted) {
    (void)backend;
    (void)wanted;
    return 0;
}

static const struct xl_backend_vtable vtable = {
    .name = "reference",
    .compiles_aside = true, /* on a core that nobody else uses */
    .free = backend_free,
    .isa = isa,
    .n_threads = n_threads,
    .is_native = is_native,
    .memory = memory,
    .release = release,
    .exec_size = sizeof(struct ref_exec),
    .compile = compile,
    .exec_free = exec_free,
    .measure = measure,
    .copy = xl_host_copy,
    .run = run,
};

enum xl_status xl_backend_reference(struct xl_backend **out, struct xl_err *err) {
    struct ref_backend *backend = calloc(1, sizeof *backend);
    if (!backend) return xl_fail_nomem(err, "the reference backend", sizeof *backend);
    backend->base.vtable = &vtable;
    *out = &backend->base;
    return XL_OK;
}
