/* pack_deltas.c - deltas of weights (plan.h) row by row, while the weights are packed. Factors are
 * copied in f32 for as long as that takes; the sums are never there as a whole.
 *
 * A magnitude needs the lengths of rows or columns first: one more reading of the weight. */
#include "backend/cpu/pack_entry.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A matrix [rows, length]: up @ down, or down alone. */
struct factor {
    float *up;   /* [rows, r] or NULL */
    float *down; /* [r, length] */
    int64_t rows, r, length;
};

struct xl_pack_delta {
    enum xl_delta_kind kind;
    struct factor a, b; /* the scale is in a. KRONECKER: a has no up */
    /* With a magnitude: strength F, by row or column, and the strength; else NULL and 0. */
    float *by;
    bool is_by_column;
    int64_t taps;
    float strength;
};

/* ---- Opening -------------------------------------------------------------------------------- */

static void close_delta(struct xl_pack_delta *delta) {
    free(delta->a.up);
    free(delta->a.down);
    free(delta->b.up);
    free(delta->b.down);
    free(delta->by);
}

void xl_pack_close_deltas(struct xl_pack_entry *entry) {
    for (int part = 0; part < entry->key.n_parts; part++) {
        struct xl_pack_delta *deltas = entry->deltas[part];
        for (int i = 0; deltas && i < entry->weight->parts[part].n_deltas; i++)
            close_delta(&deltas[i]);
        free(deltas);
        entry->deltas[part] = NULL;
    }
}

/* NULL: no memory */
static float *copy_f32(const struct xl_cpu_kernels *kernels, const struct xl_tensor *tensor) {
    int64_t n = xl_shape_count(tensor->shape);
    float *copy = malloc((size_t)n * sizeof *copy), piece[XL_PACK_STAGE];
    for (int64_t i = 0; copy && i < n; i += XL_PACK_STAGE) {
        int64_t some = n - i < XL_PACK_STAGE ? n - i : XL_PACK_STAGE;
        xl_tensor_read(tensor, i, some, piece);
        kernels->convert(copy + i, XL_DTYPE_F32, piece, tensor->dtype, some);
    }
    return copy;
}

/* Tucker's right half [r, (c, taps)] of mid [r, q, taps] and down [q, c]. NULL: no memory */
static float *join_mid(const float *mid, const float *down, const struct xl_factor_size *s) {
    float *out = calloc((size_t)(s->r * s->length), sizeof *out);
    for (int64_t p = 0; out && p < s->r; p++)
        for (int64_t q = 0; q < s->q; q++)
            for (int64_t c = 0; c < s->c; c++)
                for (int64_t t = 0; t < s->taps; t++)
                    out[p * s->length + c * s->taps + t] += mid[(p * s->q + q) * s->taps + t] *
                                                            down[q * s->c + c];
    return out;
}

/* False: no memory */
static bool open_factor(const struct xl_cpu_kernels *kernels, const struct xl_factor *from,
                        struct factor *out) {
    struct xl_factor_size size = xl_factor_size(from);
    out->rows = size.rows;
    out->r = size.r;
    out->length = size.length;
    out->down = copy_f32(kernels, from->down);
    if (!out->down || !from->up) return out->down != NULL;
    out->up = copy_f32(kernels, from->up);
    if (!out->up || !from->mid) return out->up != NULL;
    float *mid = copy_f32(kernels, from->mid), *joined = NULL;
    if (mid) joined = join_mid(mid, out->down, &size);
    free(mid);
    free(out->down);
    out->down = joined;
    return joined != NULL;
}

/* n numbers of row o from `first` on. */
static void factor_row(const struct xl_cpu_kernels *kernels, const struct factor *factor, int64_t o,
                       int64_t first, int64_t n, float *out) {
    if (factor->up)
        kernels->mix(out, (struct xl_mix){factor->down + first, factor->length}, n,
                     factor->up + o * factor->r, factor->r);
    else
        memcpy(out, factor->down + o * factor->length + first, (size_t)n * sizeof *out);
}

/* The product itself instead of its factors. False: no memory */
static bool multiply_out(const struct xl_cpu_kernels *kernels, struct factor *factor) {
    if (!factor->up) return true;
    float *whole = malloc((size_t)(factor->rows * factor->length) * sizeof *whole);
    if (!whole) return false;
    for (int64_t o = 0; o < factor->rows; o++)
        factor_row(kernels, factor, o, 0, factor->length, whole + o * factor->length);
    free(factor->up);
    free(factor->down);
    factor->up = NULL;
    factor->down = whole;
    return true;
}

/* All but the factors of a magnitude. False: no memory */
static bool open_delta(const struct xl_cpu_kernels *kernels, const struct xl_delta *from,
                       struct xl_pack_delta *out) {
    out->kind = from->kind;
    if (!open_factor(kernels, &from->a, &out->a)) return false;
    if (from->kind != XL_DELTA_PLAIN && !open_factor(kernels, &from->b, &out->b)) return false;
    if (from->kind == XL_DELTA_KRONECKER && !multiply_out(kernels, &out->a)) return false;
    float *scaled = out->a.up ? out->a.up : out->a.down;
    int64_t n = out->a.rows * (out->a.up ? out->a.r : out->a.length);
    for (int64_t i = 0; i < n; i++) scaled[i] *= from->scale;
    return true;
}

/* ---- Rows ----------------------------------------------------------------------------------- */

/* b's row lies in the delta's once for each number of a's. */
static void kronecker_row(struct xl_pack_source *source, const struct xl_pack_delta *delta,
                          int64_t o, int64_t first, int64_t n) {
    const struct factor *a = &delta->a, *b = &delta->b;
    const float *by = a->down + o / b->rows * a->length;
    for (int64_t i = 0, some; i < n; i += some) {
        int64_t at = (first + i) % b->length;
        float factor = by[(first + i) / b->length];
        some = b->length - at < n - i ? b->length - at : n - i;
        factor_row(source->kernels, b, o % b->rows, at, some, source->term + i);
        for (int64_t j = i; j < i + some; j++) source->term[j] *= factor;
    }
}

/* n numbers of row o of scale T into source->term. */
static void term_row(struct xl_pack_source *source, const struct xl_pack_delta *delta, int64_t o,
                     int64_t first, int64_t n) {
    if (delta->kind == XL_DELTA_KRONECKER) {
        kronecker_row(source, delta, o, first, n);
        return;
    }
    factor_row(source->kernels, &delta->a, o, first, n, source->term);
    if (delta->kind == XL_DELTA_PLAIN) return;
    factor_row(source->kernels, &delta->b, o, first, n, source->other);
    for (int64_t i = 0; i < n; i++) source->term[i] *= source->other[i];
}

/* source->term becomes strength (F (W + term) - W). */
static void apply_magnitude(struct xl_pack_source *source, const struct xl_pack_delta *delta,
                            int64_t o, int64_t first, int64_t n) {
    const float *w = source->weight;
    float *term = source->term;
    for (int64_t i = 0; i < n; i++) {
        float by = delta->by[delta->is_by_column ? (first + i) / delta->taps : o];
        term[i] = by * (w[i] + term[i]) - delta->strength * w[i];
    }
}

struct xl_pack_numbers xl_pack_add_deltas(struct xl_pack_source *source, int part, int64_t o,
                                          int64_t first, int64_t n, struct xl_pack_numbers read) {
    const struct xl_pack_entry *entry = source->entry;
    source->kernels->convert(source->weight, XL_DTYPE_F32, read.x, read.dtype, n);
    memcpy(source->sum, source->weight, (size_t)n * sizeof *source->sum);
    for (int i = 0; i < entry->weight->parts[part].n_deltas; i++) {
        const struct xl_pack_delta *delta = &entry->deltas[part][i];
        term_row(source, delta, o, first, n);
        if (delta->by) apply_magnitude(source, delta, o, first, n);
        source->kernels->add(source->sum, source->sum, source->term, n, XL_DTYPE_F32);
    }
    return (struct xl_pack_numbers){source->sum, XL_DTYPE_F32};
}

/* ---- Magnitudes ----------------------------------------------------------------------------- */

enum { NORM_ROWS = 16 }; /* of a task, by rows */

/* The lengths of rows or columns of W + scale T, which become factors. */
struct measuring {
    const struct xl_pack_tools *tools;
    const struct xl_pack_entry *entry;
    struct xl_pack_delta *delta;
    int part;
    int64_t rows;
    int64_t columns_of_task; /* by columns */
};

/* n numbers of row o of W + scale T, in source->term. */
static void read_sum(const struct measuring *m, struct xl_pack_source *source, int64_t o,
                     int64_t first, int64_t n) {
    int64_t length = m->entry->key.length;
    struct xl_pack_numbers read = xl_pack_read(source, m->part, o * length + first, n);
    source->kernels->convert(source->weight, XL_DTYPE_F32, read.x, read.dtype, n);
    term_row(source, m->delta, o, first, n);
    source->kernels->add(source->term, source->term, source->weight, n, XL_DTYPE_F32);
}

static void set_factor(struct xl_pack_delta *delta, int64_t i, double squares) {
    delta->by[i] *= delta->strength / ((float)sqrt(squares) + FLT_EPSILON);
}

static void measure_rows(void *user, int64_t task, int worker) {
    const struct measuring *m = user;
    struct xl_pack_source source;
    int64_t length = m->entry->key.length, last = (task + 1) * NORM_ROWS;
    (void)worker;
    source.kernels = m->tools->kernels;
    source.entry = m->entry;
    for (int64_t o = task * NORM_ROWS; o < last && o < m->rows; o++) {
        double squares = 0;
        for (int64_t i = 0; i < length; i += XL_PACK_STAGE) {
            int64_t n = length - i < XL_PACK_STAGE ? length - i : XL_PACK_STAGE;
            read_sum(m, &source, o, i, n);
            for (int64_t j = 0; j < n; j++)
                squares += (double)source.term[j] * (double)source.term[j];
        }
        set_factor(m->delta, o, squares);
    }
}

static void measure_columns(void *user, int64_t task, int worker) {
    const struct measuring *m = user;
    struct xl_pack_source source;
    double squares[XL_PACK_STAGE] = {0};
    int64_t taps = m->delta->taps, first = task * m->columns_of_task * taps;
    int64_t left = m->entry->key.length - first, n = m->columns_of_task * taps;
    (void)worker;
    if (n > left) n = left;
    source.kernels = m->tools->kernels;
    source.entry = m->entry;
    for (int64_t o = 0; o < m->rows; o++) {
        read_sum(m, &source, o, first, n);
        for (int64_t j = 0; j < n; j++)
            squares[j / taps] += (double)source.term[j] * (double)source.term[j];
    }
    for (int64_t j = 0; j < n / taps; j++) set_factor(m->delta, first / taps + j, squares[j]);
}

/* False: no memory */
static bool open_magnitude(const struct xl_pack_tools *tools, const struct xl_pack_entry *entry,
                           int part, int i) {
    const struct xl_weight_part *from = &entry->weight->parts[part];
    const struct xl_delta *delta = &from->deltas[i];
    if (!delta->magnitude) return true;
    struct xl_shape shape = from->tensor->shape;
    int64_t columns = shape.rank > 1 ? shape.dim[1] : 1;
    struct measuring m = {tools, entry, &entry->deltas[part][i], part, shape.dim[0], 1};
    m.delta->by = copy_f32(tools->kernels, delta->magnitude);
    if (!m.delta->by) return false;
    m.delta->is_by_column = delta->is_by_column;
    m.delta->taps = entry->key.length / columns;
    m.delta->strength = delta->strength;
    m.columns_of_task = XL_PACK_STAGE / m.delta->taps;
    assert(m.columns_of_task > 0);
    if (delta->is_by_column)
        xl_pool_run(tools->pool, (columns + m.columns_of_task - 1) / m.columns_of_task,
                    measure_columns, &m);
    else
        xl_pool_run(tools->pool, (m.rows + NORM_ROWS - 1) / NORM_ROWS, measure_rows, &m);
    return true;
}

enum xl_status xl_pack_open_deltas(const struct xl_pack_tools *tools, struct xl_pack_entry *entry,
                                   struct xl_err *err) {
    for (int i = 0; i < entry->key.n_parts; i++) {
        const struct xl_weight_part *part = &entry->weight->parts[i];
        if (!part->n_deltas) continue;
        bool ok = (entry->deltas[i] = calloc((size_t)part->n_deltas, sizeof **entry->deltas));
        for (int j = 0; ok && j < part->n_deltas; j++)
            ok = open_delta(tools->kernels, &part->deltas[j], &entry->deltas[i][j]) &&
                 open_magnitude(tools, entry, i, j);
        if (ok) continue;
        xl_pack_close_deltas(entry);
        return xl_fail_nomem(err, "the deltas of a weight", 0);
    }
    return XL_OK;
}
