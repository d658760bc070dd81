/* embed.cu - token and position embedding, sinusoidal embedding, picking a row a sample. */
#include "backend/cuda/rows.cuh"

#include <math.h>

using namespace xl;

/* A weight in whatever dtype it is held in. */
struct table {
    const struct xl_cuda_weight *weight;
    enum xl_dtype dtype;
};

/* In its own dtype; with deltas, whose sums need more digits, in f32. */
static enum xl_status find_table(struct xl_cuda_compiler *c, xl_val value, struct table *out,
                                 struct xl_err *err) {
    const struct xl_value *weight = xl_plan_value(c->plan, value);
    bool has_deltas = false;
    for (int i = 0; i < weight->n_parts; i++) has_deltas |= weight->parts[i].n_deltas > 0;
    out->dtype = has_deltas ? XL_DTYPE_F32 : weight->dtype;
    return has_deltas ? xl_cuda_floats(c, value, &out->weight, err)
                      : xl_cuda_table(c, value, &out->weight, err);
}

__device__ static float number_at(const void *data, enum xl_dtype dtype, int64_t i) {
    XL_WITH_TYPE(dtype, T, return to_f32(((const T *)data)[i]));
}

struct embed {
    const int32_t *ids;
    struct table table, positions;
    const float *extra;
    void *out;
    enum xl_dtype dtype;
    int64_t rows, tokens, c, n_table; /* rows: all tokens; tokens: of a sample; n_table: ids */
};

/* What the kernel needs of two tables. */
struct embed_tables {
    const void *table, *positions;
    enum xl_dtype table_dtype, positions_dtype;
};

template <typename T>
__global__ void embed_kernel(const embed a, const embed_tables tables, T *out) {
    int64_t row = row_index();
    if (row >= a.rows) return;
    int64_t id = a.ids[row], position = row % a.tokens;
    bool is_extra = id >= a.n_table;
    const void *token = is_extra ? a.extra : tables.table;
    enum xl_dtype dtype = is_extra ? XL_DTYPE_F32 : tables.table_dtype;
    if (is_extra) id -= a.n_table;
    for (int64_t i = first_column(); i < a.c; i += column_step())
        out[row * a.c + i] =
            from_f32<T>(number_at(token, dtype, id * a.c + i) +
                        number_at(tables.positions, tables.positions_dtype, position * a.c + i));
}

static bool run_embed(const void *args, cudaStream_t stream) {
    const embed *a = (const embed *)args;
    row_grid grid = rows_of(a->rows, a->c);
    embed_tables tables = {a->table.weight->data, a->positions.weight->data, a->table.dtype,
                           a->positions.dtype};
    XL_WITH_TYPE(
        a->dtype, T,
        (embed_kernel<T><<<grid.blocks, grid.threads, 0, stream>>>(*a, tables, (T *)a->out)));
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_embed(struct xl_cuda_compiler *c, struct xl_err *err) {
    embed *a = (embed *)xl_cuda_launch(c, run_embed, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand out = xl_cuda_out(c);
    a->ids = (const int32_t *)xl_cuda_in(c, 0).data;
    a->extra = (const float *)xl_cuda_in(c, 3).data;
    a->out = out.data;
    a->dtype = out.dtype;
    a->tokens = out.shape.dim[1];
    a->c = out.shape.dim[2];
    a->rows = out.shape.dim[0] * a->tokens;
    a->n_table = xl_plan_value(c->plan, c->op->in[1])->shape.dim[0];
    enum xl_status status = find_table(c, c->op->in[1], &a->table, err);
    return status ? status : find_table(c, c->op->in[2], &a->positions, err);
}

struct sinusoid {
    const float *x;
    void *out;
    enum xl_dtype dtype;
    int64_t n;
    int half;
    int first_sine; /* where sines begin; cosines are in the other half */
    float divisor;  /* of exponents */
};

/* Frequency and angle are rounded to f32 (ops.h), their sine and cosine are exact: in double. */
template <typename T> __global__ void sinusoid_kernel(const sinusoid a, T *out) {
    int64_t row = row_index();
    if (row >= a.n) return;
    T *sines = out + row * 2 * a.half + a.first_sine;
    T *cosines = out + row * 2 * a.half + a.half - a.first_sine;
    const float log_10000 = 9.21034037F;
    for (int64_t i = first_column(); i < a.half; i += column_step()) {
        float exponent = -log_10000 * (float)i / a.divisor;
        float angle = a.x[row] * (float)exp((double)exponent);
        sines[i] = from_f32<T>((float)sin((double)angle));
        cosines[i] = from_f32<T>((float)cos((double)angle));
    }
}

static bool run_sinusoid(const void *args, cudaStream_t stream) {
    const sinusoid *a = (const sinusoid *)args;
    row_grid grid = rows_of(a->n, a->half);
    XL_WITH_TYPE(a->dtype, T,
                 (sinusoid_kernel<T><<<grid.blocks, grid.threads, 0, stream>>>(*a, (T *)a->out)));
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_sinusoid(struct xl_cuda_compiler *c, struct xl_err *err) {
    const struct xl_sinusoid *attr = &c->op->attr.sinusoid;
    sinusoid *a = (sinusoid *)xl_cuda_launch(c, run_sinusoid, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand x = xl_cuda_in(c, 0), out = xl_cuda_out(c);
    a->x = (const float *)x.data;
    a->out = out.data;
    a->dtype = out.dtype;
    a->n = xl_shape_count(x.shape);
    a->half = attr->dim / 2;
    a->first_sine = attr->sin_first ? 0 : a->half;
    a->divisor = (float)(a->half - attr->freq_shift);
    return XL_OK;
}

struct pick_row {
    const void *x;
    const int32_t *index;
    void *out;
    enum xl_dtype dtype;
    int64_t n, tokens, c;
};

template <typename T> __global__ void pick_row_kernel(const pick_row a, const T *x, T *out) {
    int64_t sample = row_index();
    if (sample >= a.n) return;
    const T *from = x + (sample * a.tokens + a.index[sample]) * a.c;
    for (int64_t i = first_column(); i < a.c; i += column_step()) out[sample * a.c + i] = from[i];
}

static bool run_pick_row(const void *args, cudaStream_t stream) {
    const pick_row *a = (const pick_row *)args;
    row_grid grid = rows_of(a->n, a->c);
    XL_WITH_TYPE(a->dtype, T,
                 (pick_row_kernel<T>
                  <<<grid.blocks, grid.threads, 0, stream>>>(*a, (const T *)a->x, (T *)a->out)));
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_pick_row(struct xl_cuda_compiler *c, struct xl_err *err) {
    pick_row *a = (pick_row *)xl_cuda_launch(c, run_pick_row, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand x = xl_cuda_in(c, 0);
    a->x = x.data;
    a->index = (const int32_t *)xl_cuda_in(c, 1).data;
    a->out = xl_cuda_out(c).data;
    a->dtype = x.dtype;
    a->n = x.shape.dim[0];
    a->tokens = x.shape.dim[1];
    a->c = x.shape.dim[2];
    return XL_OK;
}
