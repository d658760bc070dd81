/* pack_deltas.c - deltas of weights (plan.h) block by block, while the weights are packed. Factors
 * are copied in f32 for as long as that takes; the sums are never there as a whole.
 *
 * A magnitude needs the lengths of rows or columns first: one more reading of the weight. */
#include "backend/cpu/pack_factor.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

struct xl_pack_delta {
    enum xl_delta_kind kind;
    struct xl_pack_factor a, b; /* the scale is in a. KRONECKER: neither has an up */
    /* With a magnitude: strength F, by row or column, and the strength; else NULL and 0. */
    float *by;
    bool is_by_column;
    int64_t taps;
    float strength;
};

enum { TERM = XL_PACK_TERM, TERM_ROWS = XL_PACK_STAGE_ROWS };

/* --- Terms ----------------------------------------------------------------------------------- */

/* b's rows lie in the delta's once for each number of a's: a piece of the block that one number of
 * a belongs to. */
static void kronecker_piece(const struct xl_pack_source *source, const struct xl_pack_delta *delta,
                            struct xl_pack_block piece, float *out) {
    const struct xl_pack_factor *a = &delta->a, *b = &delta->b;
    float by = a->down[piece.row / b->rows * a->length + piece.first / b->length];
    piece.row %= b->rows;
    piece.first %= b->length;
    xl_pack_factor_read(source->kernels, b, piece, out, TERM);
    for (int64_t r = 0; r < piece.n_rows; r++)
        for (int64_t i = 0; i < piece.n; i++) out[r * TERM + i] *= by;
}

static void kronecker_term(struct xl_pack_source *source, const struct xl_pack_delta *delta,
                           struct xl_pack_block block) {
    int64_t rows = delta->b.rows, length = delta->b.length;
    struct xl_pack_block piece;
    for (int64_t r = 0; r < block.n_rows; r += piece.n_rows) {
        piece.row = block.row + r;
        piece.n_rows = rows - piece.row % rows;
        if (piece.n_rows > block.n_rows - r) piece.n_rows = block.n_rows - r;
        for (int64_t i = 0; i < block.n; i += piece.n) {
            piece.first = block.first + i;
            piece.n = length - piece.first % length;
            if (piece.n > block.n - i) piece.n = block.n - i;
            kronecker_piece(source, delta, piece, source->term[r] + i);
        }
    }
}

/* A block of scale T into source->term. */
static void read_term(struct xl_pack_source *source, const struct xl_pack_delta *delta,
                      struct xl_pack_block block) {
    if (delta->kind == XL_DELTA_KRONECKER) {
        kronecker_term(source, delta, block);
        return;
    }
    xl_pack_factor_read(source->kernels, &delta->a, block, source->term[0], TERM);
    if (delta->kind == XL_DELTA_PLAIN) return;
    xl_pack_factor_read(source->kernels, &delta->b, block, source->other[0], TERM);
    for (int64_t r = 0; r < block.n_rows; r++)
        for (int64_t i = 0; i < block.n; i++) source->term[r][i] *= source->other[r][i];
}

/* The block of a part as it lies in the file, into source->weight. */
static void read_weight(struct xl_pack_source *source, int part, struct xl_pack_block block) {
    int64_t length = source->entry->key.length;
    for (int64_t r = 0; r < block.n_rows; r++) {
        int64_t first = (block.row + r) * length + block.first;
        struct xl_pack_numbers read = xl_pack_read(source, part, first, block.n);
        source->kernels->convert(source->weight[r], XL_DTYPE_F32, read.x, read.dtype, block.n);
    }
}

/* --- Sums ------------------------------------------------------------------------------------ */

/* source->term becomes strength (F (W + term) - W). */
static void apply_magnitude(struct xl_pack_source *source, const struct xl_pack_delta *delta,
                            struct xl_pack_block block) {
    for (int64_t r = 0; r < block.n_rows; r++) {
        const float *w = source->weight[r];
        float *term = source->term[r], by = delta->is_by_column ? 0 : delta->by[block.row + r];
        int64_t column = block.first / delta->taps, tap = block.first % delta->taps;
        for (int64_t i = 0; i < block.n; i++) {
            if (delta->is_by_column) by = delta->by[column];
            term[i] = by * (w[i] + term[i]) - delta->strength * w[i];
            if (++tap == delta->taps) tap = 0, column++;
        }
    }
}

/* Numbers `at` .. of the block's rows: of source->sum from row `to` on. n: at most TERM */
static void add_to_part(struct xl_pack_source *source, int part, struct xl_pack_block block,
                        int64_t to, int64_t at) {
    const struct xl_pack_entry *entry = source->entry;
    read_weight(source, part, block);
    for (int i = 0; i < entry->weight->parts[part].n_deltas; i++) {
        const struct xl_pack_delta *delta = &entry->deltas[part][i];
        read_term(source, delta, block);
        if (delta->by) apply_magnitude(source, delta, block);
        for (int64_t r = 0; r < block.n_rows; r++) {
            float *sum = source->sum[to + r] + at;
            source->kernels->add(sum, i ? sum : source->weight[r], source->term[r], block.n,
                                 XL_DTYPE_F32);
        }
    }
}

void xl_pack_add_deltas(struct xl_pack_source *source, struct xl_pack_block block) {
    const struct xl_pack_entry *entry = source->entry;
    for (int64_t r = 0, n_rows; r < block.n_rows; r += n_rows) {
        int64_t row = block.row + r;
        int part = xl_pack_part(entry, &row);
        n_rows = entry->weight->parts[part].tensor->shape.dim[0] - row;
        if (n_rows > block.n_rows - r) n_rows = block.n_rows - r;
        for (int64_t i = 0; entry->deltas[part] && i < block.n; i += TERM) {
            int64_t n = block.n - i < TERM ? block.n - i : TERM;
            add_to_part(source, part, (struct xl_pack_block){row, n_rows, block.first + i, n}, r,
                        i);
        }
    }
}

/* --- Magnitudes ------------------------------------------------------------------------------ */

/* The lengths of rows or columns of W + scale T, which become factors. */
struct measuring {
    const struct xl_pack_tools *tools;
    const struct xl_pack_entry *entry;
    struct xl_pack_delta *delta;
    int part;
    int64_t rows;
    int64_t columns_of_task; /* by columns */
};

/* A block of W + scale T, in source->term. */
static void read_sum(const struct measuring *m, struct xl_pack_source *source,
                     struct xl_pack_block block) {
    read_weight(source, m->part, block);
    read_term(source, m->delta, block);
    for (int64_t r = 0; r < block.n_rows; r++)
        source->kernels->add(source->term[r], source->term[r], source->weight[r], block.n,
                             XL_DTYPE_F32);
}

static void set_factor(struct xl_pack_delta *delta, int64_t i, double squares) {
    delta->by[i] *= delta->strength / ((float)sqrt(squares) + FLT_EPSILON);
}

/* In sums that do not wait for each other. */
static double sum_squares(const float *x, int64_t n) {
    enum { SUMS = 8 };
    double sum[SUMS] = {0};
    int64_t i = 0;
    for (; i + SUMS <= n; i += SUMS)
        for (int k = 0; k < SUMS; k++) sum[k] += (double)x[i + k] * (double)x[i + k];
    for (; i < n; i++) sum[0] += (double)x[i] * (double)x[i];
    for (int k = 1; k < SUMS; k++) sum[0] += sum[k];
    return sum[0];
}

static void measure_rows(void *user, int64_t task, int worker) {
    const struct measuring *m = user;
    struct xl_pack_source source;
    double squares[TERM_ROWS] = {0};
    int64_t length = m->entry->key.length, left = m->rows - task * TERM_ROWS;
    struct xl_pack_block block = {task * TERM_ROWS, left < TERM_ROWS ? left : TERM_ROWS, 0, 0};
    (void)worker;
    source.kernels = m->tools->kernels;
    source.entry = m->entry;
    for (; block.first < length; block.first += block.n) {
        block.n = length - block.first < TERM ? length - block.first : TERM;
        read_sum(m, &source, block);
        for (int64_t r = 0; r < block.n_rows; r++)
            squares[r] += sum_squares(source.term[r], block.n);
    }
    for (int64_t r = 0; r < block.n_rows; r++) set_factor(m->delta, block.row + r, squares[r]);
}

static void measure_columns(void *user, int64_t task, int worker) {
    const struct measuring *m = user;
    struct xl_pack_source source;
    double squares[TERM] = {0};
    int64_t taps = m->delta->taps, n = m->columns_of_task, first = task * n;
    if (n > m->entry->key.length / taps - first) n = m->entry->key.length / taps - first;
    struct xl_pack_block block = {.first = first * taps, .n = n * taps};
    (void)worker;
    source.kernels = m->tools->kernels;
    source.entry = m->entry;
    for (; block.row < m->rows; block.row += block.n_rows) {
        block.n_rows = m->rows - block.row < TERM_ROWS ? m->rows - block.row : TERM_ROWS;
        read_sum(m, &source, block);
        for (int64_t r = 0; r < block.n_rows; r++)
            for (int64_t j = 0; j < n; j++)
                for (int64_t t = 0; t < taps; t++) {
                    double x = (double)source.term[r][j * taps + t];
                    squares[j] += x * x;
                }
    }
    for (int64_t j = 0; j < n; j++) set_factor(m->delta, first + j, squares[j]);
}

/* delta->by, which the magnitude was copied into, becomes factors. */
static void measure(const struct xl_pack_tools *tools, const struct xl_pack_entry *entry, int part,
                    struct xl_pack_delta *delta) {
    struct xl_shape shape = entry->weight->parts[part].tensor->shape;
    int64_t columns = shape.rank > 1 ? shape.dim[1] : 1;
    struct measuring m = {tools, entry, delta, part, shape.dim[0], 1};
    delta->taps = entry->key.length / columns;
    m.columns_of_task = TERM / delta->taps;
    assert(m.columns_of_task > 0);
    if (delta->is_by_column)
        xl_pool_run(tools->pool, (columns + m.columns_of_task - 1) / m.columns_of_task,
                    measure_columns, &m);
    else
        xl_pool_run(tools->pool, (m.rows + TERM_ROWS - 1) / TERM_ROWS, measure_rows, &m);
}

/* --- Opening --------------------------------------------------------------------------------- */

void xl_pack_close_deltas(struct xl_pack_entry *entry) {
    for (int part = 0; part < entry->key.n_parts; part++) {
        struct xl_pack_delta *deltas = entry->deltas[part];
        for (int i = 0; deltas && i < entry->weight->parts[part].n_deltas; i++) {
            xl_pack_factor_close(&deltas[i].a);
            xl_pack_factor_close(&deltas[i].b);
            free(deltas[i].by);
        }
        free(deltas);
        entry->deltas[part] = NULL;
    }
}

/* One delta to be opened. */
struct opening {
    const struct xl_cpu_kernels *kernels;
    const struct xl_delta *from;
    struct xl_pack_delta *to;
    bool is_open; /* else there was no memory */
};

static bool open_delta(const struct xl_cpu_kernels *kernels, const struct xl_delta *from,
                       struct xl_pack_delta *out) {
    out->kind = from->kind;
    out->is_by_column = from->is_by_column;
    out->strength = from->strength;
    if (!xl_pack_factor_open(kernels, &from->a, &out->a)) return false;
    if (from->kind != XL_DELTA_PLAIN && !xl_pack_factor_open(kernels, &from->b, &out->b))
        return false;
    if (from->kind == XL_DELTA_KRONECKER &&
        !(xl_pack_factor_multiply(kernels, &out->a) && xl_pack_factor_multiply(kernels, &out->b)))
        return false;
    xl_pack_factor_scale(&out->a, from->scale);
    if (from->magnitude) out->by = xl_pack_copy_f32(kernels, from->magnitude);
    return out->by || !from->magnitude;
}

static void run_opening(void *user, int64_t task, int worker) {
    struct opening *opening = (struct opening *)user + task;
    (void)worker;
    opening->is_open = open_delta(opening->kernels, opening->from, opening->to);
}

/* List the deltas of an entry. False: no memory */
static bool list_openings(const struct xl_pack_tools *tools, struct xl_pack_entry *entry,
                          struct opening *openings, int64_t *n) {
    for (int i = 0; i < entry->key.n_parts; i++) {
        const struct xl_weight_part *part = &entry->weight->parts[i];
        if (!part->n_deltas) continue;
        entry->deltas[i] = calloc((size_t)part->n_deltas, sizeof **entry->deltas);
        if (!entry->deltas[i]) return false;
        for (int j = 0; j < part->n_deltas; j++)
            openings[(*n)++] =
                (struct opening){tools->kernels, &part->deltas[j], &entry->deltas[i][j], false};
    }
    return true;
}

static void measure_all(const struct xl_pack_tools *tools, const struct xl_pack_entry *entry) {
    for (int i = 0; i < entry->key.n_parts; i++)
        for (int j = 0; j < entry->weight->parts[i].n_deltas; j++)
            if (entry->deltas[i][j].by) measure(tools, entry, i, &entry->deltas[i][j]);
}

static int count_deltas(const struct xl_pack_entry *entry) {
    int n = 0;
    for (int i = 0; i < entry->key.n_parts; i++) n += entry->weight->parts[i].n_deltas;
    return n;
}

enum xl_status xl_pack_open_deltas(const struct xl_pack_tools *tools,
                                   struct xl_held *const *entries, int n_entries,
                                   struct xl_err *err) {
    int64_t n = 0, n_deltas = 0;
    for (int i = 0; i < n_entries; i++) n_deltas += count_deltas(xl_pack_entry_of(entries[i]));
    if (!n_deltas) return XL_OK;
    struct opening *openings = calloc((size_t)n_deltas, sizeof *openings);
    bool ok = openings;
    for (int i = 0; ok && i < n_entries; i++)
        ok = list_openings(tools, xl_pack_entry_of(entries[i]), openings, &n);
    if (ok) xl_pool_run(tools->pool, n, run_opening, openings);
    for (int64_t i = 0; ok && i < n; i++) ok = openings[i].is_open;
    free(openings);
    if (!ok) return xl_fail_nomem(err, "the deltas of a weight", 0);
    for (int i = 0; i < n_entries; i++) measure_all(tools, xl_pack_entry_of(entries[i]));
    return XL_OK;
}
