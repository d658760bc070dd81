/* deltas.c - what LoRAs add to a weight, of every kind, and its definition once more in double. */
#include "op/compare.h"
#include "op/maker.h"

#include <math.h>
#include <string.h>

static struct xl_tensor *random_tensor(struct op_maker *maker, enum xl_dtype dtype,
                                       struct xl_shape shape, struct op_spread spread) {
    struct xl_tensor *tensor = op_allocate(maker, sizeof *tensor);
    const void *data = op_random_numbers(maker, dtype, xl_shape_count(shape), spread);
    if (!tensor || !data) return NULL;
    *tensor = (struct xl_tensor){.name = "delta", .dtype = dtype, .shape = shape, .data = data};
    return tensor;
}

/* Number (i, j) of a factor, as plan.h says it. */
static double factor_at(const struct xl_factor *f, int64_t i, int64_t j) {
    int64_t first = f->down->shape.dim[0], length = xl_shape_count(f->down->shape) / first;
    if (!f->up) return op_number(f->down->data, f->down->dtype, i * length + j);
    int64_t r = xl_shape_count(f->up->shape) / f->up->shape.dim[0];
    double sum = 0;
    for (int64_t p = 0; p < r; p++) {
        double right = 0;
        int64_t taps = f->mid ? xl_shape_count(f->mid->shape) / (r * first) : 1;
        for (int64_t q = 0; f->mid && q < first; q++)
            right += op_number(f->mid->data, f->mid->dtype, (p * first + q) * taps + j % taps) *
                     op_number(f->down->data, f->down->dtype, q * length + j / taps);
        if (!f->mid) right = op_number(f->down->data, f->down->dtype, p * length + j);
        sum += op_number(f->up->data, f->up->dtype, i * r + p) * right;
    }
    return sum;
}

static double term_at(const struct xl_delta *delta, int64_t i, int64_t j) {
    struct xl_factor_size b = xl_factor_size(&delta->a);
    if (delta->kind != XL_DELTA_PLAIN) b = xl_factor_size(&delta->b);
    if (delta->kind == XL_DELTA_KRONECKER)
        return factor_at(&delta->a, i / b.rows, j / b.length) *
               factor_at(&delta->b, i % b.rows, j % b.length);
    double x = factor_at(&delta->a, i, j);
    return delta->kind == XL_DELTA_HADAMARD ? x * factor_at(&delta->b, i, j) : x;
}

/* As the delta of a part adds it. x: NULL, or the sum so far; w: the part, both in double */
static void add_to_doubles(struct op_maker *maker, const struct xl_delta *delta,
                           const struct xl_tensor *tensor, const double *w, double *x) {
    int64_t n = xl_shape_count(tensor->shape), rows = tensor->shape.dim[0], length = n / rows;
    int64_t taps = tensor->shape.rank > 1 ? length / tensor->shape.dim[1] : 1;
    double *term = x ? op_allocate(maker, (size_t)n * sizeof *term) : NULL;
    double *squares = x ? op_allocate(maker, (size_t)n * sizeof *squares) : NULL;
    if (!term || !squares) return;
    for (int64_t k = 0; k < n; k++) {
        int64_t f = delta->is_by_column ? k % length / taps : k / length;
        term[k] = (double)delta->scale * term_at(delta, k / length, k % length);
        squares[f] += (w[k] + term[k]) * (w[k] + term[k]);
    }
    for (int64_t k = 0; k < n; k++) {
        int64_t f = delta->is_by_column ? k % length / taps : k / length;
        if (!delta->magnitude) {
            x[k] += term[k];
            continue;
        }
        double m = op_number(delta->magnitude->data, delta->magnitude->dtype, f);
        x[k] += (double)delta->strength *
                (m / (sqrt(squares[f]) + 0x1p-23) * (w[k] + term[k]) - w[k]);
    }
}

enum { N_DELTAS = 3, N_KINDS = 5 };

static struct xl_factor product(struct op_maker *maker, enum xl_dtype dtype, struct xl_shape like,
                                int64_t r, struct op_spread spread) {
    struct xl_shape up = XL_SHAPE(like.dim[0], r);
    like.dim[0] = r;
    return (struct xl_factor){random_tensor(maker, dtype, up, op_unit), NULL,
                              random_tensor(maker, dtype, like, spread)};
}

/* Three products, of ranks 1, 3 and 128. */
static void make_products(struct op_maker *maker, struct xl_delta *deltas, struct xl_shape shape,
                          struct op_spread spread) {
    struct op_spread tenth = {0, spread.deviation / 10};
    deltas[0].a = product(maker, XL_DTYPE_F16, shape, 1, spread);
    deltas[1].a = product(maker, XL_DTYPE_F32, shape, 3, spread);
    deltas[2].a = product(maker, XL_DTYPE_BF16, shape, 128, tenth);
}

/* The least divisor above 1; 1 of 1. */
static int64_t divisor_of(int64_t n) {
    int64_t d = 2;
    while (n > 1 && n % d) d++;
    return n > 1 ? d : 1;
}

/* a a matrix or a product, b what is left of the weight. */
static void make_kronecker(struct op_maker *maker, struct xl_delta *delta, struct xl_shape shape,
                           struct op_spread spread) {
    int64_t p = divisor_of(shape.dim[0]), q = shape.rank > 1 ? divisor_of(shape.dim[1]) : 1;
    delta->kind = XL_DELTA_KRONECKER;
    delta->a = product(maker, XL_DTYPE_F32, XL_SHAPE(p, q), 2, op_unit);
    shape.dim[0] /= p;
    if (shape.rank > 1) shape.dim[1] /= q;
    delta->b.down = random_tensor(maker, XL_DTYPE_BF16, shape, spread);
}

static void make_hadamard(struct op_maker *maker, struct xl_delta *delta, struct xl_shape shape,
                          struct op_spread spread) {
    delta->kind = XL_DELTA_HADAMARD;
    delta->a = product(maker, XL_DTYPE_F16, shape, 3, spread);
    delta->b = product(maker, XL_DTYPE_F32, shape, 2, op_unit);
}

/* Tucker's form where there are taps. */
static struct xl_factor tucker(struct op_maker *maker, struct xl_shape shape,
                               struct op_spread spread) {
    struct xl_factor factor = product(maker, XL_DTYPE_F32, shape, 3, spread);
    if (shape.rank < 3) return factor;
    struct xl_shape mid = shape;
    mid.dim[0] = 3;
    mid.dim[1] = 2;
    factor.mid = random_tensor(maker, XL_DTYPE_F16, mid, op_unit);
    factor.down = random_tensor(maker, XL_DTYPE_F32, XL_SHAPE(2, shape.dim[1]), spread);
    return factor;
}

/* One of each kind, and magnitudes about as large as the rows and columns are long. */
static void make_kinds(struct op_maker *maker, struct xl_delta *deltas, struct xl_shape shape,
                       struct op_spread spread) {
    int64_t rows = shape.dim[0], length = xl_shape_count(shape) / rows;
    int64_t columns = shape.rank > 1 ? shape.dim[1] : 1;
    struct op_spread row = {sqrt((double)length) * spread.deviation, 0.1};
    struct op_spread column = {sqrt((double)(rows * length / columns)) * spread.deviation, 0.1};
    make_hadamard(maker, &deltas[0], shape, spread);
    make_kronecker(maker, &deltas[1], shape, spread);
    deltas[2].a = tucker(maker, shape, spread);
    deltas[2].magnitude = random_tensor(maker, XL_DTYPE_F32, XL_SHAPE(rows), row);
    make_kronecker(maker, &deltas[3], shape, spread);
    deltas[3].magnitude = random_tensor(maker, XL_DTYPE_F16, XL_SHAPE(columns), column);
    deltas[3].is_by_column = true;
    deltas[4].a.down = random_tensor(maker, XL_DTYPE_F16, shape, spread);
}

void op_add_deltas(struct op_maker *maker, struct xl_weight_part *part, struct op_spread spread,
                   double *doubles) {
    bool has_kinds = maker->op_case->with & KINDS;
    int n = has_kinds ? N_KINDS : N_DELTAS;
    int64_t count = xl_shape_count(part->tensor->shape);
    struct xl_delta *deltas = op_allocate(maker, (size_t)n * sizeof *deltas);
    double *w = doubles ? op_allocate(maker, (size_t)count * sizeof *w) : NULL;
    if (!deltas || (doubles && !w)) return;
    if (has_kinds)
        make_kinds(maker, deltas, part->tensor->shape, spread);
    else
        make_products(maker, deltas, part->tensor->shape, spread);
    if (xl_plan_failed(maker->instance->plan)) return;
    if (w) memcpy(w, doubles, (size_t)count * sizeof *w);
    for (int i = 0; i < n; i++) {
        deltas[i].scale = 0.75F;
        deltas[i].strength = deltas[i].magnitude ? 0.5F : 0;
        deltas[i].id = op_new_id();
        add_to_doubles(maker, &deltas[i], part->tensor, w, doubles);
    }
    part->deltas = deltas;
    part->n_deltas = n;
}
