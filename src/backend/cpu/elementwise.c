/* elementwise.c - the ops that only move and combine numbers: GEGLU, activation, concat, cast, and
 * the embeddings. Tasks are runs of rows or of numbers. */
#include "backend/cpu/cpu.h"

#include <math.h>
#include <string.h>

/* One state for all of them. */
struct elementwise {
    const struct xl_cpu_kernels *kernels;
    struct xl_operand a, b, out; /* b: where there are two; of embed its extra rows */
    enum xl_activation act;
    int64_t n;         /* rows, or numbers */
    int64_t c, c1;     /* numbers of a row of the result; of which from a (concat) */
    int64_t task_size; /* rows or numbers of a task */
    /* Embeddings. */
    const struct xl_numbers *table, *positions;
    enum xl_dtype table_dtype, positions_dtype;
    int64_t tokens, n_rows; /* of a sample; of the table */
    struct xl_sinusoid sinusoid;
};

/* The part of the rows or numbers that a task does. */
struct range {
    int64_t first, n;
};

static struct range range_of(const struct elementwise *e, int64_t task) {
    int64_t first = task * e->task_size;
    return (struct range){first, xl_min(e->task_size, e->n - first)};
}

/* A state whose tasks are rows of `c` numbers (c = 1: numbers). */
static struct elementwise *add_step(struct xl_compiler *c, xl_task_fn *fn, int64_t row_numbers,
                                    struct xl_err *err) {
    struct elementwise *e = xl_state(c, sizeof *e, err);
    if (!e) return NULL;
    e->kernels = c->backend->kernels;
    e->a = xl_operand(c, c->op->in[0]);
    e->b = xl_operand(c, c->op->in[1]);
    e->out = xl_operand(c, c->op->out);
    e->c = row_numbers;
    e->n = xl_shape_count(e->out.shape) / row_numbers;
    e->task_size = xl_div_up(XL_TASK_NUMBERS, row_numbers);
    xl_add_loop(c, fn, e, xl_div_up(e->n, e->task_size));
    return e;
}

static void run_geglu(void *user, int64_t task, int worker) {
    const struct elementwise *e = user;
    struct range range = range_of(e, task);
    (void)worker;
    e->kernels->geglu((struct xl_rows){xl_element(e->a, range.first * 2 * e->c),
                                       xl_element(e->out, range.first * e->c), range.n, e->c,
                                       e->out.dtype});
}

enum xl_status xl_compile_geglu(struct xl_compiler *c, struct xl_err *err) {
    int64_t columns = xl_shape_last(xl_plan_value(c->plan, c->op->out)->shape);
    return add_step(c, run_geglu, columns, err) ? XL_OK : XL_ENOMEM;
}

static void run_activation(void *user, int64_t task, int worker) {
    const struct elementwise *e = user;
    struct range range = range_of(e, task);
    (void)worker;
    e->kernels->activation(xl_element(e->out, range.first), xl_element(e->a, range.first), range.n,
                           e->out.dtype, e->act);
}

enum xl_status xl_compile_activation(struct xl_compiler *c, struct xl_err *err) {
    struct elementwise *e = add_step(c, run_activation, 1, err);
    if (!e) return XL_ENOMEM;
    e->act = c->op->attr.act;
    return XL_OK;
}

static void run_cast(void *user, int64_t task, int worker) {
    const struct elementwise *e = user;
    struct range range = range_of(e, task);
    (void)worker;
    e->kernels->convert(xl_element(e->out, range.first), e->out.dtype,
                        xl_element(e->a, range.first), e->a.dtype, range.n);
}

enum xl_status xl_compile_cast(struct xl_compiler *c, struct xl_err *err) {
    return add_step(c, run_cast, 1, err) ? XL_OK : XL_ENOMEM;
}

static void run_concat(void *user, int64_t task, int worker) {
    const struct elementwise *e = user;
    struct range range = range_of(e, task);
    int64_t c2 = e->c - e->c1;
    size_t size = xl_dtype_size(e->out.dtype);
    (void)worker;
    for (int64_t row = range.first; row < range.first + range.n; row++) {
        memcpy(xl_element(e->out, row * e->c), xl_element(e->a, row * e->c1), (size_t)e->c1 * size);
        memcpy(xl_element(e->out, row * e->c + e->c1), xl_element(e->b, row * c2),
               (size_t)c2 * size);
    }
}

enum xl_status xl_compile_concat(struct xl_compiler *c, struct xl_err *err) {
    int64_t columns = xl_shape_last(xl_plan_value(c->plan, c->op->out)->shape);
    struct elementwise *e = add_step(c, run_concat, columns, err);
    if (!e) return XL_ENOMEM;
    e->c1 = xl_shape_last(e->a.shape);
    return XL_OK;
}

static const void *table_row(const void *table, enum xl_dtype dtype, int64_t row, int64_t c) {
    return (const char *)table + (size_t)(row * c) * xl_dtype_size(dtype);
}

static void run_embed(void *user, int64_t task, int worker) {
    enum { AT_ONCE = 256 };
    const struct elementwise *e = user;
    struct range range = range_of(e, task);
    const int32_t *ids = (const int32_t *)(const void *)e->a.data;
    (void)worker;
    for (int64_t row = range.first; row < range.first + range.n; row++) {
        bool is_extra = ids[row] >= e->n_rows;
        enum xl_dtype dtype = is_extra ? XL_DTYPE_F32 : e->table_dtype;
        const char *token = is_extra ? table_row(e->b.data, dtype, ids[row] - e->n_rows, e->c)
                                     : table_row(e->table->data, dtype, ids[row], e->c);
        const char *position =
            table_row(e->positions->data, e->positions_dtype, row % e->tokens, e->c);
        for (int64_t i = 0; i < e->c; i += AT_ONCE) {
            float x[AT_ONCE], y[AT_ONCE];
            int64_t n = xl_min(AT_ONCE, e->c - i);
            e->kernels->convert(x, XL_DTYPE_F32, token + (size_t)i * xl_dtype_size(dtype), dtype,
                                n);
            e->kernels->convert(y, XL_DTYPE_F32,
                                position + (size_t)i * xl_dtype_size(e->positions_dtype),
                                e->positions_dtype, n);
            e->kernels->add(x, x, y, n, XL_DTYPE_F32);
            e->kernels->convert(xl_element(e->out, row * e->c + i), e->out.dtype, x, XL_DTYPE_F32,
                                n);
        }
    }
}

/* In its own dtype; with deltas, whose sums need more digits, in f32. */
static enum xl_status find_table(struct xl_compiler *c, const struct xl_value *weight,
                                 const struct xl_numbers **out, enum xl_dtype *dtype,
                                 struct xl_err *err) {
    bool has_deltas = false;
    for (int i = 0; i < weight->n_parts; i++) has_deltas |= weight->parts[i].n_deltas > 0;
    *dtype = has_deltas ? XL_DTYPE_F32 : weight->dtype;
    return has_deltas ? xl_pack_floats(c->hold, weight, out, err)
                      : xl_pack_copy(c->hold, weight, out, err);
}

enum xl_status xl_compile_embed(struct xl_compiler *c, struct xl_err *err) {
    const struct xl_value *table = xl_plan_value(c->plan, c->op->in[1]);
    const struct xl_value *positions = xl_plan_value(c->plan, c->op->in[2]);
    struct elementwise *e = add_step(c, run_embed, xl_shape_last(table->shape), err);
    if (!e) return XL_ENOMEM;
    e->tokens = e->out.shape.dim[1];
    e->n_rows = table->shape.dim[0];
    e->b = xl_operand(c, c->op->in[3]);
    enum xl_status status = find_table(c, table, &e->table, &e->table_dtype, err);
    return status ? status : find_table(c, positions, &e->positions, &e->positions_dtype, err);
}

/* Frequency and angle are rounded to f32 (ops.h), their sine and cosine are exact. */
static void run_sinusoid(void *user, int64_t task, int worker) {
    const struct elementwise *e = user;
    struct range range = range_of(e, task);
    const float *x = (const float *)(const void *)e->a.data;
    int half = e->sinusoid.dim / 2;
    int first_sine = e->sinusoid.sin_first ? 0 : half;
    (void)worker;
    for (int64_t row = range.first; row < range.first + range.n; row++) {
        for (int i = 0; i < half; i++) {
            float exponent = -logf(10000.0F) * (float)i / (float)(half - e->sinusoid.freq_shift);
            float angle = x[row] * expf(exponent);
            float sine = (float)sin((double)angle), cosine = (float)cos((double)angle);
            int64_t at = row * e->c + i;
            e->kernels->convert(xl_element(e->out, at + first_sine), e->out.dtype, &sine,
                                XL_DTYPE_F32, 1);
            e->kernels->convert(xl_element(e->out, at + half - first_sine), e->out.dtype, &cosine,
                                XL_DTYPE_F32, 1);
        }
    }
}

enum xl_status xl_compile_sinusoid(struct xl_compiler *c, struct xl_err *err) {
    struct elementwise *e = add_step(c, run_sinusoid, c->op->attr.sinusoid.dim, err);
    if (!e) return XL_ENOMEM;
    e->sinusoid = c->op->attr.sinusoid;
    return XL_OK;
}

static void run_pick_row(void *user, int64_t task, int worker) {
    const struct elementwise *e = user;
    struct range range = range_of(e, task);
    const int32_t *index = (const int32_t *)(const void *)e->b.data;
    (void)worker;
    for (int64_t row = range.first; row < range.first + range.n; row++)
        memcpy(xl_element(e->out, row * e->c),
               xl_element(e->a, (row * e->tokens + index[row]) * e->c),
               (size_t)e->c * xl_dtype_size(e->out.dtype));
}

enum xl_status xl_compile_pick_row(struct xl_compiler *c, struct xl_err *err) {
    int64_t columns = xl_shape_last(xl_plan_value(c->plan, c->op->out)->shape);
    struct elementwise *e = add_step(c, run_pick_row, columns, err);
    if (!e) return XL_ENOMEM;
    e->tokens = e->a.shape.dim[1];
    return XL_OK;
}
