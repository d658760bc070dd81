/* backend.c - dispatch to the backend behind a handle, and what all backends share. */
#include "backend/backend.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
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

const char *xl_backend_libraries(const struct xl_backend *backend) {
    return backend->vtable->libraries ? backend->vtable->libraries(backend) : "";
}

int xl_backend_n_threads(const struct xl_backend *backend) {
    return backend->vtable->n_threads(backend);
}

bool xl_backend_is_native(const struct xl_backend *backend, enum xl_dtype act_dtype) {
    return backend->vtable->is_native(backend, act_dtype);
}

enum xl_status xl_backend_check_dtype(const struct xl_backend *backend, enum xl_dtype act_dtype,
                                      struct xl_err *err) {
    if (!backend->vtable->check_dtype) return XL_OK;
    return backend->vtable->check_dtype(backend, act_dtype, err);
}

enum xl_status xl_backend_check_f8(const struct xl_backend *backend, struct xl_err *err) {
    if (backend->vtable->has_f8 && backend->vtable->has_f8(backend)) return XL_OK;
    return xl_fail(err, XL_EINVAL,
                   "f8 needs a GPU of compute capability 9.0 or later and cuBLASLt 12.9 or later; "
                   "here is %s: use --dtype auto",
                   xl_backend_isa(backend));
}

enum xl_dtype xl_backend_picture_dtype(const struct xl_backend *backend, enum xl_dtype act_dtype) {
    if (!backend->vtable->picture_dtype) return XL_DTYPE_F32;
    return backend->vtable->picture_dtype(backend, act_dtype);
}

bool xl_backend_compiles_aside(const struct xl_backend *backend) {
    return backend->vtable->compiles_aside;
}

static struct xl_memory read_memory(const struct xl_backend *backend) {
    struct xl_memory memory = {0};
    memory.work_bytes = (int64_t)__atomic_load_n(&backend->work_bytes, __ATOMIC_SEQ_CST);
    backend->vtable->memory(backend, &memory);
    return memory;
}

/* Another thread may take or give back memory between two of these numbers. It counts what it takes
 * before it does, and what it gives back after that: where nothing was counted meanwhile, there is
 * never less than these say together. */
void xl_backend_memory(const struct xl_backend *backend, struct xl_memory *out) {
    struct xl_memory again = read_memory(backend);
    enum { MOST = 8 };
    for (int i = 0; i < MOST; i++) {
        *out = again;
        again = read_memory(backend);
        if (again.work_bytes == out->work_bytes && again.weight_bytes == out->weight_bytes) break;
    }
}

size_t xl_backend_release(struct xl_backend *backend, size_t wanted) {
    return backend->vtable->release(backend, wanted);
}

void xl_host_memory(struct xl_memory *out) {
    out->total = xl_memory_total();
    out->available = xl_memory_available();
}

enum xl_status xl_compile(struct xl_backend *backend, const struct xl_plan *plan,
                          const struct xl_compile_options *options, struct xl_exec **out,
                          struct xl_err *err) {
    assert(!xl_plan_failed(plan));
    static const struct xl_compile_options none = {0};
    if (!options) options = &none;
    struct xl_exec *exec = calloc(1, backend->vtable->exec_size);
    if (!exec) return xl_fail_nomem(err, "a compiled plan", backend->vtable->exec_size);
    exec->backend = backend;
    exec->plan = plan;
    exec->keeps_taps = options->keep_taps;
    exec->is_prologue_due = true;
    struct xl_layout_keeps keeps = {options->keep_taps, backend->vtable->joins_ops};
    enum xl_status status = xl_plan_layout(plan, keeps, &exec->layout, err);
    if (!status) status = backend->vtable->compile(exec, options, err);
    if (status)
        xl_exec_free(exec);
    else
        *out = exec;
    return status;
}

void xl_exec_takes(struct xl_exec *exec, size_t bytes) {
    exec->work_bytes += bytes;
    __atomic_fetch_add(&exec->backend->work_bytes, bytes, __ATOMIC_SEQ_CST);
}

void xl_exec_free(struct xl_exec *exec) {
    if (!exec) return;
    exec->backend->vtable->exec_free(exec);
    __atomic_fetch_sub(&exec->backend->work_bytes, exec->work_bytes, __ATOMIC_SEQ_CST);
    xl_layout_deinit(&exec->layout);
    free(exec);
}

enum xl_status xl_measure(struct xl_backend *backend, const struct xl_plan *const *plans, int n,
                          struct xl_weight_need *weights, size_t *exec_bytes, struct xl_err *err) {
    return backend->vtable->measure(backend, plans, n, weights, exec_bytes, err);
}

void xl_expect(struct xl_backend *backend, const struct xl_plan *plan) {
    if (backend->vtable->expect) backend->vtable->expect(backend, plan);
}

/* --- Copying --------------------------------------------------------------------------------- */

static const struct xl_value *value_of(const struct xl_exec *exec, xl_val value) {
    return xl_plan_value(exec->plan, value);
}

static int64_t count_of(const struct xl_exec *exec, xl_val value) {
    return xl_shape_count(value_of(exec, value)->shape);
}

static bool is_writable(const struct xl_exec *exec, xl_val value) {
    enum xl_value_kind kind = value_of(exec, value)->kind;
    return kind == XL_VALUE_INPUT || kind == XL_VALUE_STATE;
}

/* Whether the value still has its numbers after a run: itself or what it is a view of is kept. */
static bool is_readable(const struct xl_exec *exec, xl_val value) {
    const struct xl_value *v = value_of(exec, value);
    if (is_writable(exec, value) || v->is_output) return true;
    return v->kind != XL_VALUE_WEIGHT && v->name && exec->keeps_taps;
}

/* Where the numbers of a place begin, n of which are there. */
static unsigned char *address_of(struct xl_place place, int64_t n) {
    const struct xl_value *v = value_of(place.exec, place.value);
    assert(place.first >= 0 && n <= count_of(place.exec, place.value) - place.first);
    assert(v->row_stride == xl_shape_last(v->shape));
    (void)n;
    return (unsigned char *)xl_exec_address(place.exec, place.value) +
           (size_t)place.first * xl_dtype_size(v->dtype);
}

/* The bytes of n numbers of a value as a copy of one row. */
static struct xl_copy copy_of(struct xl_place place, int64_t n) {
    size_t bytes = (size_t)n * xl_dtype_size(value_of(place.exec, place.value)->dtype);
    return (struct xl_copy){.row_bytes = bytes, .from_stride = bytes, .rows = 1};
}

static void note_write(struct xl_place to) {
    assert(is_writable(to.exec, to.value));
    if (value_of(to.exec, to.value)->rate == XL_PER_PROMPT) to.exec->is_prologue_due = true;
}

void xl_exec_write_at(struct xl_place to, const void *data, int64_t n) {
    struct xl_copy copy = copy_of(to, n);
    copy.kind = XL_COPY_IN;
    copy.to = address_of(to, n);
    copy.from = data;
    note_write(to);
    to.exec->backend->vtable->copy(to.exec, &copy);
}

void xl_exec_write(struct xl_exec *exec, xl_val value, const void *data) {
    xl_exec_write_at((struct xl_place){exec, value, 0}, data, count_of(exec, value));
}

void xl_exec_read_at(struct xl_place from, void *data, int64_t n) {
    struct xl_copy copy = copy_of(from, n);
    assert(is_readable(from.exec, from.value));
    copy.kind = XL_COPY_OUT;
    copy.to = data;
    copy.from = address_of(from, n);
    from.exec->backend->vtable->copy(from.exec, &copy);
}

void xl_exec_read(const struct xl_exec *exec, xl_val value, void *data) {
    const struct xl_value *v = value_of(exec, value);
    size_t size = xl_dtype_size(v->dtype);
    int64_t columns = xl_shape_last(v->shape);
    struct xl_copy copy = {
        .kind = XL_COPY_OUT,
        .to = data,
        .from = xl_exec_address(exec, value),
        .row_bytes = (size_t)columns * size,
        .from_stride = (size_t)v->row_stride * size,
        .rows = xl_shape_count(v->shape) / columns,
    };
    assert(is_readable(exec, value));
    exec->backend->vtable->copy(exec, &copy);
}

void xl_exec_copy(struct xl_place from, struct xl_place to, int64_t n) {
    struct xl_copy copy = copy_of(from, n);
    assert(from.exec->backend == to.exec->backend && is_readable(from.exec, from.value));
    assert(value_of(from.exec, from.value)->dtype == value_of(to.exec, to.value)->dtype);
    copy.kind = XL_COPY_BETWEEN;
    copy.to = address_of(to, n);
    copy.from = address_of(from, n);
    note_write(to);
    to.exec->backend->vtable->copy(to.exec, &copy);
}

void xl_host_copy(const struct xl_exec *exec, const struct xl_copy *copy) {
    (void)exec;
    if (copy->from_stride == copy->row_bytes) {
        memcpy(copy->to, copy->from, copy->row_bytes * (size_t)copy->rows);
        return;
    }
    for (int64_t i = 0; i < copy->rows; i++)
        memcpy((char *)copy->to + (size_t)i * copy->row_bytes,
               (const char *)copy->from + (size_t)i * copy->from_stride, copy->row_bytes);
}

/* --- Running --------------------------------------------------------------------------------- */

enum xl_status xl_exec_run(struct xl_exec *exec, int64_t n, const struct xl_run_hooks *hooks,
                           struct xl_err *err) {
    static const struct xl_run_hooks none = {0};
    return exec->backend->vtable->run(exec, n, hooks ? hooks : &none, err);
}

enum xl_status xl_host_run(struct xl_exec *exec, int64_t n, const struct xl_run_hooks *hooks,
                           xl_run_part_fn *run_part, struct xl_err *err) {
    if (exec->is_prologue_due) {
        enum xl_status status = run_part(exec, XL_PER_PROMPT, hooks, err);
        if (status) return status;
        exec->is_prologue_due = false;
    }
    xl_val flag = xl_plan_halt_flag(exec->plan);
    for (int64_t i = 0; i < n; i++) {
        enum xl_status status = run_part(exec, XL_PER_RUN, hooks, err);
        if (status) return status;
        if (hooks->after) hooks->after(hooks->user, i);
        if (flag && *(const int32_t *)xl_exec_address(exec, flag)) break;
    }
    return XL_OK;
}
