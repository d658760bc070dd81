/* backend.c - dispatch to the backend behind a handle, and what all backends share. */
#include "backend/backend.h"

#include <assert.h>
#include <string.h>

void xl_backend_free(struct xl_backend *backend) {
    if (backend) backend->vtable->free(backend);
}

const char *xl_backend_name(const struct xl_backend *backend) {
    return backend->vtable->name;
}

const char *xl_backend_isa(const struct xl_backend *backend) {
    return backend->vtable->isa(backend);
}

int xl_backend_n_threads(const struct xl_backend *backend) {
    return backend->vtable->n_threads(backend);
}

bool xl_backend_is_native(const struct xl_backend *backend, enum xl_dtype act_dtype) {
    return backend->vtable->is_native(backend, act_dtype);
}

size_t xl_backend_weight_bytes(const struct xl_backend *backend) {
    return backend->vtable->weight_bytes(backend);
}

enum xl_status xl_compile(struct xl_backend *backend, const struct xl_plan *plan,
                          const struct xl_compile_options *options, struct xl_exec **out,
                          struct xl_err *err) {
    assert(!xl_plan_failed(plan));
    static const struct xl_compile_options none = {0};
    struct xl_exec *exec = NULL;
    enum xl_status status =
        backend->vtable->compile(backend, plan, options ? options : &none, &exec, err);
    if (status) return status;
    exec->backend = backend;
    exec->plan = plan;
    exec->keeps_taps = options && options->keep_taps;
    *out = exec;
    return XL_OK;
}

enum xl_status xl_measure(struct xl_backend *backend, const struct xl_plan *const *plans, int n,
                          size_t *weight_bytes, size_t *exec_bytes, struct xl_err *err) {
    return backend->vtable->measure(backend, plans, n, weight_bytes, exec_bytes, err);
}

void xl_exec_free(struct xl_exec *exec) {
    if (exec) exec->backend->vtable->exec_free(exec);
}

void xl_exec_write(struct xl_exec *exec, xl_val value, const void *data) {
    assert(xl_plan_value(exec->plan, value)->kind == XL_VALUE_INPUT);
    exec->backend->vtable->write(exec, value, data);
}

/* Whether the value still has its numbers after a run: itself or what it is a view of is kept. */
static bool is_readable(const struct xl_exec *exec, xl_val value) {
    const struct xl_value *v = xl_plan_value(exec->plan, value);
    if (v->kind == XL_VALUE_INPUT || v->is_output) return true;
    return v->kind != XL_VALUE_WEIGHT && v->name && exec->keeps_taps;
}

void xl_exec_read(const struct xl_exec *exec, xl_val value, void *data) {
    assert(is_readable(exec, value));
    exec->backend->vtable->read(exec, value, data);
}

enum xl_status xl_exec_run(struct xl_exec *exec, xl_tick_fn *tick, void *user, struct xl_err *err) {
    return exec->backend->vtable->run(exec, tick, user, err);
}

size_t xl_exec_bytes(const struct xl_exec *exec) {
    return exec->backend->vtable->exec_bytes(exec);
}

void xl_exec_set_timing(struct xl_exec *exec, bool on) {
    exec->backend->vtable->set_timing(exec, on);
}

double xl_exec_op_seconds(const struct xl_exec *exec, int op) {
    return exec->backend->vtable->op_seconds(exec, op);
}

void xl_value_gather(const struct xl_value *value, const void *memory, void *data) {
    size_t size = xl_dtype_size(value->dtype);
    int64_t columns = xl_shape_last(value->shape), rows = xl_shape_count(value->shape) / columns;
    if (value->row_stride == columns) {
        memcpy(data, memory, (size_t)(rows * columns) * size);
        return;
    }
    size_t row_bytes = (size_t)columns * size, stride_bytes = (size_t)value->row_stride * size;
    for (int64_t i = 0; i < rows; i++)
        memcpy((char *)data + (size_t)i * row_bytes,
               (const char *)memory + (size_t)i * stride_bytes, row_bytes);
}
