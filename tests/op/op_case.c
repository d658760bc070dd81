/* op_case.c - random operands, plans of one op. */
#include "op/op_case.h"

#include "op/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64 (Steele, Lea, Flood 2014): one multiply-xorshift of a counter */
static uint64_t next_random(struct op_instance *instance) {
    uint64_t z = instance->random += 0x9E3779B97F4A7C15U;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

/* Uniform with this mean and standard deviation. */
struct spread {
    double mean, deviation;
};

static const struct spread unit = {0, 1};

static float next_float(struct op_instance *instance, struct spread spread) {
    double u = (double)(next_random(instance) >> 11) * 0x1p-53; /* 0..1 */
    return (float)(spread.mean + spread.deviation * sqrt(12) * (u - 0.5));
}

/* Everything that a constructor of operands needs. */
struct maker {
    struct op_instance *instance;
    const struct op_case *op_case;
    struct op_dtypes dtypes;
    bool with_doubles;
};

static void *allocate(struct maker *maker, size_t bytes) {
    void *memory = xl_arena_alloc(&maker->instance->arena, bytes);
    if (!memory) xl_plan_fail(maker->instance->plan, XL_ENOMEM, "out of memory for an op case");
    return memory;
}

/* n random numbers in dtype; NULL when out of memory. */
static void *random_numbers(struct maker *maker, enum xl_dtype dtype, int64_t n,
                            struct spread spread) {
    char *data = allocate(maker, (size_t)n * xl_dtype_size(dtype));
    for (int64_t i = 0; data && i < n; i++) {
        float x = next_float(maker->instance, spread);
        xl_convert(data + (size_t)i * xl_dtype_size(dtype), dtype, &x, XL_DTYPE_F32, 1);
    }
    return data;
}

/* Where operand i lies in data: columns `first`.. of rows of `stride` numbers. */
struct window {
    const void *data;
    enum xl_dtype dtype;
    int64_t stride, first;
};

static void keep_doubles(struct maker *maker, int i, struct xl_shape shape, struct window window) {
    int64_t columns = xl_shape_last(shape), n = xl_shape_count(shape);
    struct op_operand *operand = &maker->instance->in[i];
    operand->shape = shape;
    if (!maker->with_doubles || !window.data) return;
    operand->x = allocate(maker, (size_t)n * sizeof *operand->x);
    for (int64_t j = 0; operand->x && j < n; j++) {
        int64_t at = j / columns * window.stride + window.first + j % columns;
        operand->x[j] = op_number(window.data, window.dtype, at);
    }
}

/* data: written before each run. is_state: to a state. */
static xl_val add_value(struct maker *maker, enum xl_dtype dtype, struct xl_shape shape,
                        const void *data, bool is_state) {
    struct op_instance *instance = maker->instance;
    static const char *const names[] = {"in0", "in1", "in2", "in3", "in4", "in5", "in6", "in7"};
    int i = instance->n_inputs++;
    xl_val value = is_state ? xl_plan_state(instance->plan, names[i], dtype, shape)
                            : xl_plan_input(instance->plan, names[i], dtype, shape, XL_PER_RUN);
    instance->inputs[i].value = value;
    instance->inputs[i].data = data;
    return value;
}

static xl_val add_input(struct maker *maker, enum xl_dtype dtype, struct xl_shape shape,
                        const void *data) {
    return add_value(maker, dtype, shape, data, false);
}

/* Operand i: a dense input of random numbers. */
static xl_val activation(struct maker *maker, int i, struct xl_shape shape, struct spread spread) {
    enum xl_dtype dtype = maker->dtypes.act;
    const void *data = random_numbers(maker, dtype, xl_shape_count(shape), spread);
    keep_doubles(maker, i, shape, (struct window){data, dtype, xl_shape_last(shape), 0});
    return add_input(maker, dtype, shape, data);
}

/* Operand i: whole numbers in 0..limit-1, the first and the last among them. */
static xl_val indices(struct maker *maker, int i, struct xl_shape shape, int64_t limit) {
    int64_t n = xl_shape_count(shape);
    int32_t *data = allocate(maker, (size_t)n * sizeof *data);
    for (int64_t j = 0; data && j < n; j++)
        data[j] = (int32_t)(next_random(maker->instance) % (uint64_t)limit);
    if (data) data[0] = (int32_t)limit - 1;
    if (data && n > 1) data[1] = 0;
    keep_doubles(maker, i, shape, (struct window){data, XL_DTYPE_I32, xl_shape_last(shape), 0});
    return add_input(maker, XL_DTYPE_I32, shape, data);
}

/* Operands i.. : n slices of one input, side by side, each of this shape. */
static void slices(struct maker *maker, int i, int n, struct xl_shape shape, xl_val *out) {
    enum xl_dtype dtype = maker->dtypes.act;
    int64_t c = xl_shape_last(shape);
    struct xl_shape whole = shape;
    whole.dim[whole.rank - 1] = n * c;
    const void *data = random_numbers(maker, dtype, xl_shape_count(whole), (struct spread){0, 1});
    xl_val input = add_input(maker, dtype, whole, data);
    for (int j = 0; j < n; j++) {
        keep_doubles(maker, i + j, shape, (struct window){data, dtype, n * c, j * c});
        out[j] = xl_slice(maker->instance->plan, input, j * c, c);
    }
}

static struct xl_tensor *random_tensor(struct maker *maker, enum xl_dtype dtype,
                                       struct xl_shape shape, struct spread spread) {
    struct xl_tensor *tensor = allocate(maker, sizeof *tensor);
    const void *data = random_numbers(maker, dtype, xl_shape_count(shape), spread);
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
static void add_to_doubles(struct maker *maker, const struct xl_delta *delta,
                           const struct xl_tensor *tensor, const double *w, double *x) {
    int64_t n = xl_shape_count(tensor->shape), rows = tensor->shape.dim[0], length = n / rows;
    int64_t taps = tensor->shape.rank > 1 ? length / tensor->shape.dim[1] : 1;
    double *term = x ? allocate(maker, (size_t)n * sizeof *term) : NULL;
    double *squares = x ? allocate(maker, (size_t)n * sizeof *squares) : NULL;
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

/* Weights no two of which in a program are the same. */
static struct xl_weight_id new_id(void) {
    static uint64_t n_made;
    return (struct xl_weight_id){{++n_made}};
}

enum { N_DELTAS = 2, N_KINDS = 5 };

static struct xl_factor product(struct maker *maker, enum xl_dtype dtype, struct xl_shape like,
                                int64_t r, struct spread spread) {
    struct xl_shape up = XL_SHAPE(like.dim[0], r);
    like.dim[0] = r;
    return (struct xl_factor){random_tensor(maker, dtype, up, unit), NULL,
                              random_tensor(maker, dtype, like, spread)};
}

/* Two products, of ranks 1 and 5. */
static void make_products(struct maker *maker, struct xl_delta *deltas, struct xl_shape shape,
                          struct spread spread) {
    deltas[0].a = product(maker, XL_DTYPE_F16, shape, 1, spread);
    deltas[1].a = product(maker, XL_DTYPE_F32, shape, 5, spread);
}

/* The least divisor above 1; 1 of 1. */
static int64_t divisor_of(int64_t n) {
    int64_t d = 2;
    while (n > 1 && n % d) d++;
    return n > 1 ? d : 1;
}

/* a a matrix or a product, b what is left of the weight. */
static void make_kronecker(struct maker *maker, struct xl_delta *delta, struct xl_shape shape,
                           struct spread spread) {
    int64_t p = divisor_of(shape.dim[0]), q = shape.rank > 1 ? divisor_of(shape.dim[1]) : 1;
    delta->kind = XL_DELTA_KRONECKER;
    delta->a = product(maker, XL_DTYPE_F32, XL_SHAPE(p, q), 2, unit);
    shape.dim[0] /= p;
    if (shape.rank > 1) shape.dim[1] /= q;
    delta->b.down = random_tensor(maker, XL_DTYPE_BF16, shape, spread);
}

static void make_hadamard(struct maker *maker, struct xl_delta *delta, struct xl_shape shape,
                          struct spread spread) {
    delta->kind = XL_DELTA_HADAMARD;
    delta->a = product(maker, XL_DTYPE_F16, shape, 3, spread);
    delta->b = product(maker, XL_DTYPE_F32, shape, 2, unit);
}

/* Tucker's form where there are taps. */
static struct xl_factor tucker(struct maker *maker, struct xl_shape shape, struct spread spread) {
    struct xl_factor factor = product(maker, XL_DTYPE_F32, shape, 3, spread);
    if (shape.rank < 3) return factor;
    struct xl_shape mid = shape;
    mid.dim[0] = 3;
    mid.dim[1] = 2;
    factor.mid = random_tensor(maker, XL_DTYPE_F16, mid, unit);
    factor.down = random_tensor(maker, XL_DTYPE_F32, XL_SHAPE(2, shape.dim[1]), spread);
    return factor;
}

/* One of each kind, and magnitudes about as large as the rows and columns are long. */
static void make_kinds(struct maker *maker, struct xl_delta *deltas, struct xl_shape shape,
                       struct spread spread) {
    int64_t rows = shape.dim[0], length = xl_shape_count(shape) / rows;
    int64_t columns = shape.rank > 1 ? shape.dim[1] : 1;
    struct spread row = {sqrt((double)length) * spread.deviation, 0.1};
    struct spread column = {sqrt((double)(rows * length / columns)) * spread.deviation, 0.1};
    make_hadamard(maker, &deltas[0], shape, spread);
    make_kronecker(maker, &deltas[1], shape, spread);
    deltas[2].a = tucker(maker, shape, spread);
    deltas[2].magnitude = random_tensor(maker, XL_DTYPE_F32, XL_SHAPE(rows), row);
    make_kronecker(maker, &deltas[3], shape, spread);
    deltas[3].magnitude = random_tensor(maker, XL_DTYPE_F16, XL_SHAPE(columns), column);
    deltas[3].is_by_column = true;
    deltas[4].a.down = random_tensor(maker, XL_DTYPE_F16, shape, spread);
}

/* Deltas about as large as the part. doubles: of the part, or NULL */
static void add_deltas(struct maker *maker, struct xl_weight_part *part, struct spread spread,
                       double *doubles) {
    bool has_kinds = maker->op_case->with & KINDS;
    int n = has_kinds ? N_KINDS : N_DELTAS;
    int64_t count = xl_shape_count(part->tensor->shape);
    struct xl_delta *deltas = allocate(maker, (size_t)n * sizeof *deltas);
    double *w = doubles ? allocate(maker, (size_t)count * sizeof *w) : NULL;
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
        deltas[i].id = new_id();
        add_to_doubles(maker, &deltas[i], part->tensor, w, doubles);
    }
    part->deltas = deltas;
    part->n_deltas = n;
}

/* Operand i: a weight, in three tensors of unequal length when the case asks for parts. */
static xl_val weight(struct maker *maker, int i, struct xl_shape shape, struct spread spread) {
    enum xl_dtype dtype = maker->dtypes.weight;
    int n_parts = maker->op_case->with & PARTS ? 3 : 1;
    int64_t rows = shape.dim[0], row_count = xl_shape_count(shape) / rows, first = 0;
    const char *data = random_numbers(maker, dtype, rows * row_count, spread);
    struct xl_tensor *tensors = allocate(maker, XL_MAX_PARTS * sizeof *tensors);
    if (!data || !tensors) return 0;
    keep_doubles(maker, i, shape, (struct window){data, dtype, xl_shape_last(shape), 0});
    double *doubles = maker->instance->in[i].x;
    struct xl_weight_part parts[XL_MAX_PARTS];
    for (int p = 0; p < n_parts; p++) {
        int64_t n = p + 1 == n_parts ? rows - first : rows / n_parts - p;
        const void *part = data + (size_t)(first * row_count) * xl_dtype_size(dtype);
        tensors[p] =
            (struct xl_tensor){.name = "weight", .dtype = dtype, .shape = shape, .data = part};
        tensors[p].shape.dim[0] = n;
        parts[p] = (struct xl_weight_part){.tensor = &tensors[p], .id = new_id()};
        if (maker->op_case->with & (DELTAS | KINDS))
            add_deltas(maker, &parts[p], spread, doubles ? doubles + first * row_count : NULL);
        first += n;
    }
    return xl_plan_weight(maker->instance->plan, parts, n_parts);
}

/* Weights of a product over k numbers: results of deviation 1. */
static struct spread product_spread(struct xl_shape weight_shape) {
    double k = (double)(xl_shape_count(weight_shape) / weight_shape.dim[0]);
    return (struct spread){0, 1 / sqrt(k)};
}

static xl_val make_linear(struct maker *maker) {
    const struct op_case *c = maker->op_case;
    struct xl_linear attr = c->op.attr.linear;
    struct xl_shape shape = c->x;
    shape.dim[shape.rank - 1] = c->y.dim[0];
    xl_val x = activation(maker, 0, c->x, unit);
    attr.weight = weight(maker, 1, c->y, product_spread(c->y));
    if (c->with & BIAS) attr.bias = weight(maker, 2, XL_SHAPE(c->y.dim[0]), unit);
    if (c->with & RESIDUAL) attr.residual = activation(maker, 3, shape, unit);
    return xl_linear(maker->instance->plan, x, attr);
}

/* Pixels of a result along one axis of `size` pixels, enlarged, padded, in steps of `stride`. */
struct axis {
    int64_t size, kernel;
    int stride, padding, up_size;
    bool upsample;
};

static int64_t conv2d_pixels(struct axis axis) {
    int64_t size = axis.up_size ? axis.up_size : axis.upsample ? 2 * axis.size : axis.size;
    return (size + axis.padding - axis.kernel) / (axis.stride ? axis.stride : 1) + 1;
}

static struct xl_shape conv2d_shape(const struct op_case *c) {
    const struct xl_conv2d *attr = &c->op.attr.conv2d;
    struct axis rows = {c->x.dim[1],     c->y.dim[2],
                        attr->stride,    attr->pad_top + attr->pad_bottom,
                        attr->up_height, attr->upsample};
    struct axis columns = {c->x.dim[2],    c->y.dim[3],
                           attr->stride,   attr->pad_left + attr->pad_right,
                           attr->up_width, attr->upsample};
    return XL_SHAPE(c->x.dim[0], conv2d_pixels(rows), conv2d_pixels(columns), c->y.dim[0]);
}

static xl_val make_conv2d(struct maker *maker) {
    const struct op_case *c = maker->op_case;
    struct xl_conv2d attr = c->op.attr.conv2d;
    int64_t n = c->x.dim[0], o = c->y.dim[0];
    xl_val x = activation(maker, 0, c->x, unit);
    attr.weight = weight(maker, 1, c->y, product_spread(c->y));
    if (c->with & BIAS) attr.bias = weight(maker, 2, XL_SHAPE(o), unit);
    if (c->with & CHANNEL_BIAS) attr.channel_bias = activation(maker, 3, XL_SHAPE(n, o), unit);
    if (c->with & RESIDUAL) attr.residual = activation(maker, 4, conv2d_shape(c), unit);
    return xl_conv2d(maker->instance->plan, x, attr);
}

static xl_val make_norm(struct maker *maker) {
    const struct op_case *c = maker->op_case;
    struct xl_plan *plan = maker->instance->plan;
    struct xl_shape channels = XL_SHAPE(xl_shape_last(c->x));
    xl_val x = activation(maker, 0, c->x, c->with & SHIFTED ? (struct spread){20, 1} : unit);
    xl_val gain = weight(maker, 1, channels, (struct spread){1, 0.3});
    xl_val bias = weight(maker, 2, channels, unit);
    if (c->op.kind == XL_OP_GROUP_NORM) {
        struct xl_group_norm attr = c->op.attr.group_norm;
        attr.weight = gain;
        attr.bias = bias;
        return xl_group_norm(plan, x, attr);
    }
    struct xl_layer_norm attr = {gain, bias, c->op.attr.layer_norm.eps};
    return xl_layer_norm(plan, x, attr);
}

static xl_val make_attention(struct maker *maker) {
    const struct op_case *c = maker->op_case;
    xl_val qkv[3];
    if (c->with & SLICES && xl_shape_equal(c->x, c->y))
        slices(maker, 0, 3, c->x, qkv);
    else {
        qkv[0] = activation(maker, 0, c->x, unit);
        if (c->with & SLICES)
            slices(maker, 1, 2, c->y, qkv + 1);
        else
            for (int i = 1; i < 3; i++) qkv[i] = activation(maker, i, c->y, unit);
    }
    struct xl_attention attr = c->op.attr.attention;
    if (c->with & BIAS) attr.mask = indices(maker, 3, XL_SHAPE(c->y.dim[0], c->y.dim[1]), 2);
    return xl_attention(maker->instance->plan, qkv[0], qkv[1], qkv[2], attr);
}

static xl_val make_embed(struct maker *maker) {
    const struct op_case *c = maker->op_case;
    int64_t more_positions = c->x.dim[1] + 2;
    int64_t n_extra = c->with & BIAS ? 5 : 0;
    xl_val ids = indices(maker, 0, c->x, c->y.dim[0] + n_extra), extra = 0;
    xl_val table = weight(maker, 1, c->y, unit);
    xl_val positions = weight(maker, 2, XL_SHAPE(more_positions, c->y.dim[1]), unit);
    enum xl_dtype act = maker->dtypes.act;
    maker->dtypes.act = XL_DTYPE_F32;
    if (n_extra) extra = activation(maker, 3, XL_SHAPE(n_extra, c->y.dim[1]), unit);
    maker->dtypes.act = act;
    return xl_embed(maker->instance->plan, ids, (struct xl_embed){table, positions, extra});
}

/* Timesteps and picture sizes: whole and broken numbers up to 1000. */
static xl_val make_sinusoid(struct maker *maker) {
    const struct op_case *c = maker->op_case;
    enum xl_dtype act = maker->dtypes.act;
    maker->dtypes.act = XL_DTYPE_F32;
    xl_val x = activation(maker, 0, c->x, (struct spread){500, 1000 / sqrt(12)});
    maker->dtypes.act = act;
    return xl_sinusoid(maker->instance->plan, x, c->op.attr.sinusoid);
}

/* The ops of one or two operands. Twice the usual spread: activations are to see their bends and
 * their flat parts. */
static xl_val make_simple(struct maker *maker) {
    const struct op_case *c = maker->op_case;
    struct xl_plan *plan = maker->instance->plan;
    xl_val x = activation(maker, 0, c->x, (struct spread){0, 2}), y = 0;
    if (c->op.kind == XL_OP_PICK_ROW)
        y = indices(maker, 1, c->y, c->x.dim[1]);
    else if (c->y.rank)
        y = activation(maker, 1, c->y, unit);
    switch (c->op.kind) {
    case XL_OP_GEGLU:
        return xl_geglu(plan, x);
    case XL_OP_ACTIVATION:
        return xl_activation(plan, x, c->op.attr.act);
    case XL_OP_CONCAT:
        return xl_concat(plan, x, y);
    case XL_OP_PICK_ROW:
        return xl_pick_row(plan, x, y);
    default:
        return xl_cast(plan, x, c->to);
    }
}

/* Operand i, f32 whatever the activations are. */
static xl_val f32_input(struct maker *maker, int i, struct xl_shape shape, struct spread spread) {
    maker->dtypes.act = XL_DTYPE_F32;
    return activation(maker, i, shape, spread);
}

static xl_val f32_state(struct maker *maker, int i, struct xl_shape shape) {
    const void *data = random_numbers(maker, XL_DTYPE_F32, xl_shape_count(shape), unit);
    keep_doubles(maker, i, shape, (struct window){data, XL_DTYPE_F32, xl_shape_last(shape), 0});
    return add_value(maker, XL_DTYPE_F32, shape, data, true);
}

/* Operand i: a counter, or a flag. */
static xl_val counter(struct maker *maker, int i, int32_t number) {
    int32_t *data = allocate(maker, sizeof *data);
    if (data) *data = number;
    keep_doubles(maker, i, XL_SHAPE(1), (struct window){data, XL_DTYPE_I32, 1, 0});
    return add_value(maker, XL_DTYPE_I32, XL_SHAPE(1), data, true);
}

enum { N_STEPS = 3, STEP = 1, N_HISTORY = 3, N_NOISE = 2 }; /* STEP: that is made */

/* Operand i: a table of steps of which the middle one clips, stores and draws. */
static xl_val steps(struct maker *maker, int i) {
    struct xl_shape shape = XL_SHAPE(N_STEPS, XL_N_STEP_COLUMNS);
    float *data = random_numbers(maker, XL_DTYPE_F32, xl_shape_count(shape), unit);
    if (!data) return 0;
    float *row = data + STEP * XL_N_STEP_COLUMNS;
    row[XL_STEP_CLIP] = 1;
    row[XL_STEP_STORE_SLOT] = N_HISTORY - 1;
    row[XL_STEP_NOISE_ROW] = N_NOISE - 1;
    for (int slot = N_HISTORY; slot < XL_HISTORY_SLOTS; slot++)
        row[XL_STEP_BASE_COEF + XL_SRC_HISTORY + slot] = row[XL_STEP_COEF + XL_SRC_HISTORY + slot] =
            0;
    keep_doubles(maker, i, shape, (struct window){data, XL_DTYPE_F32, XL_N_STEP_COLUMNS, 0});
    maker->instance->inputs[maker->instance->n_inputs].is_table = true;
    return add_input(maker, XL_DTYPE_F32, shape, data);
}

static xl_val make_sampler_step(struct maker *maker) {
    const struct op_case *c = maker->op_case;
    int64_t n = xl_shape_count(c->x);
    xl_val x = f32_state(maker, 0, c->x), out = f32_input(maker, 1, c->x, unit);
    struct xl_sampler_step attr = {.saved = f32_state(maker, 2, c->x)};
    attr.history = f32_state(maker, 3, XL_SHAPE(N_HISTORY, n));
    attr.noise = f32_input(maker, 4, XL_SHAPE(N_NOISE, n), unit);
    attr.steps = steps(maker, 5);
    attr.counter = counter(maker, 6, STEP);
    attr.flag = counter(maker, 7, 0);
    return xl_sampler_step(maker->instance->plan, x, out, attr);
}

static xl_val make_from_rgb(struct maker *maker) {
    const struct op_case *c = maker->op_case;
    int64_t n = xl_shape_count(c->x);
    uint8_t *data = allocate(maker, (size_t)n);
    for (int64_t i = 0; data && i < n; i++) data[i] = (uint8_t)next_random(maker->instance);
    keep_doubles(maker, 0, c->x, (struct window){data, XL_DTYPE_U8, xl_shape_last(c->x), 0});
    return xl_from_rgb(maker->instance->plan, add_input(maker, XL_DTYPE_U8, c->x, data));
}

/* The other ops around the sampling loop. */
static xl_val make_around_loop(struct maker *maker) {
    const struct op_case *c = maker->op_case;
    struct xl_plan *plan = maker->instance->plan;
    if (c->op.kind == XL_OP_STEP_VALUE) {
        xl_val table = steps(maker, 0);
        return xl_step_value(plan, table, counter(maker, 1, STEP), c->op.attr.step_value);
    }
    xl_val x = f32_input(maker, 0, c->x, unit), y;
    switch (c->op.kind) {
    case XL_OP_SCALE_INPUT:
        y = steps(maker, 1);
        return xl_scale_input(plan, x, y, counter(maker, 2, STEP), c->op.attr.repeat);
    case XL_OP_GUIDE:
        return xl_guide(plan, x, f32_input(maker, 1, c->y, (struct spread){3, 1}));
    case XL_OP_LATENTS_AFFINE:
        return xl_latents_affine(plan, x, f32_input(maker, 1, c->y, (struct spread){2, 0.5}),
                                 c->op.attr.way);
    case XL_OP_SAMPLE_LATENTS:
        return xl_sample_latents(plan, x, f32_input(maker, 1, c->y, unit));
    default:
        return xl_to_rgb(plan, x, counter(maker, 1, 0));
    }
}

static xl_val make_op(struct maker *maker) {
    switch (maker->op_case->op.kind) {
    case XL_OP_LINEAR:
        return make_linear(maker);
    case XL_OP_CONV2D:
        return make_conv2d(maker);
    case XL_OP_GROUP_NORM:
    case XL_OP_LAYER_NORM:
        return make_norm(maker);
    case XL_OP_ATTENTION:
        return make_attention(maker);
    case XL_OP_EMBED:
        return make_embed(maker);
    case XL_OP_SINUSOID:
        return make_sinusoid(maker);
    case XL_OP_SAMPLER_STEP:
        return make_sampler_step(maker);
    case XL_OP_FROM_RGB:
        return make_from_rgb(maker);
    case XL_OP_STEP_VALUE:
    case XL_OP_SCALE_INPUT:
    case XL_OP_GUIDE:
    case XL_OP_LATENTS_AFFINE:
    case XL_OP_SAMPLE_LATENTS:
    case XL_OP_TO_RGB:
        return make_around_loop(maker);
    default:
        return make_simple(maker);
    }
}

enum xl_status op_instance_new(const struct op_case *op_case, struct op_dtypes dtypes,
                               bool with_doubles, struct op_instance **out, struct xl_err *err) {
    struct op_instance *instance = calloc(1, sizeof *instance);
    struct xl_plan *plan = xl_plan_new(dtypes.act);
    if (!instance || !plan) {
        free(instance);
        xl_plan_free(plan);
        return xl_fail_nomem(err, "an op case", 0);
    }
    instance->plan = plan;
    struct maker maker = {instance, op_case, dtypes, with_doubles};
    instance->out = make_op(&maker);
    xl_plan_output(plan, instance->out, "out");
    enum xl_status status = xl_plan_finish(plan, err);
    if (status) {
        op_instance_free(instance);
        return status;
    }
    instance->op = xl_plan_op(plan, 0);
    instance->out_dtype = xl_plan_value(plan, instance->out)->dtype;
    instance->out_shape = xl_plan_value(plan, instance->out)->shape;
    *out = instance;
    return XL_OK;
}

void op_instance_free(struct op_instance *instance) {
    if (!instance) return;
    xl_plan_free(instance->plan);
    xl_arena_deinit(&instance->arena);
    free(instance);
}

size_t op_instance_out_bytes(const struct op_instance *instance) {
    return (size_t)xl_shape_count(instance->out_shape) * xl_dtype_size(instance->out_dtype);
}

/* NaN in every floating dtype; indices stay valid. */
static enum xl_status write_poison(struct op_instance *instance, struct xl_exec *exec,
                                   struct xl_err *err) {
    for (int i = 0; i < instance->n_inputs; i++) {
        const struct xl_value *value = xl_plan_value(instance->plan, instance->inputs[i].value);
        if (value->dtype == XL_DTYPE_I32 || instance->inputs[i].is_table) continue;
        size_t bytes = (size_t)xl_shape_count(value->shape) * xl_dtype_size(value->dtype);
        void *poison = malloc(bytes);
        if (!poison) return xl_fail_nomem(err, "an op case", bytes);
        memset(poison, 0xFF, bytes);
        xl_exec_write(exec, instance->inputs[i].value, poison);
        free(poison);
    }
    return XL_OK;
}

static void write_inputs(struct op_instance *instance, struct xl_exec *exec) {
    for (int i = 0; i < instance->n_inputs; i++)
        xl_exec_write(exec, instance->inputs[i].value, instance->inputs[i].data);
}

enum xl_status op_instance_compile(struct op_instance *instance, struct xl_backend *backend,
                                   struct xl_exec **out, struct xl_err *err) {
    enum xl_status status = xl_compile(backend, instance->plan, NULL, out, err);
    if (!status) write_inputs(instance, *out);
    return status;
}

enum xl_status op_instance_run(struct op_instance *instance, struct xl_backend *backend, void *out,
                               struct xl_err *err) {
    struct xl_exec *exec = NULL;
    enum xl_status status = op_instance_compile(instance, backend, &exec, err);
    if (!status) status = write_poison(instance, exec, err);
    if (!status) status = xl_exec_run(exec, 1, NULL, err);
    if (!status) {
        write_inputs(instance, exec);
        status = xl_exec_run(exec, 1, NULL, err);
    }
    if (!status) xl_exec_read(exec, instance->out, out);
    xl_exec_free(exec);
    return status;
}
