/* operands.c - random operands: numbers, inputs, states, weights. */
#include "op/compare.h"
#include "op/maker.h"

#include <math.h>

/* splitmix64 (Steele, Lea, Flood 2014): one multiply-xorshift of a counter */
uint64_t op_next_random(struct op_instance *instance) {
    uint64_t z = instance->random += 0x9E3779B97F4A7C15U;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

const struct op_spread op_unit = {0, 1};

static float next_float(struct op_instance *instance, struct op_spread spread) {
    double u = (double)(op_next_random(instance) >> 11) * 0x1p-53; /* 0..1 */
    return (float)(spread.mean + spread.deviation * sqrt(12) * (u - 0.5));
}

void *op_allocate(struct op_maker *maker, size_t bytes) {
    void *memory = xl_arena_alloc(&maker->instance->arena, bytes);
    if (!memory) xl_plan_fail(maker->instance->plan, XL_ENOMEM, "out of memory for an op case");
    return memory;
}

void *op_random_numbers(struct op_maker *maker, enum xl_dtype dtype, int64_t n,
                        struct op_spread spread) {
    char *data = op_allocate(maker, (size_t)n * xl_dtype_size(dtype));
    for (int64_t i = 0; data && i < n; i++) {
        float x = next_float(maker->instance, spread);
        xl_convert(data + (size_t)i * xl_dtype_size(dtype), dtype, &x, XL_DTYPE_F32, 1);
    }
    return data;
}

void op_keep_doubles(struct op_maker *maker, int i, struct xl_shape shape,
                     struct op_window window) {
    int64_t columns = xl_shape_last(shape), n = xl_shape_count(shape);
    struct op_operand *operand = &maker->instance->in[i];
    operand->shape = shape;
    if (!maker->with_doubles || !window.data) return;
    operand->x = op_allocate(maker, (size_t)n * sizeof *operand->x);
    for (int64_t j = 0; operand->x && j < n; j++) {
        int64_t at = j / columns * window.stride + window.first + j % columns;
        operand->x[j] = op_number(window.data, window.dtype, at);
    }
}

xl_val op_add_value(struct op_maker *maker, enum xl_dtype dtype, struct xl_shape shape,
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

xl_val op_add_input(struct op_maker *maker, enum xl_dtype dtype, struct xl_shape shape,
                    const void *data) {
    return op_add_value(maker, dtype, shape, data, false);
}

xl_val op_activation(struct op_maker *maker, int i, struct xl_shape shape,
                     struct op_spread spread) {
    enum xl_dtype dtype = maker->dtypes.act;
    const void *data = op_random_numbers(maker, dtype, xl_shape_count(shape), spread);
    op_keep_doubles(maker, i, shape, (struct op_window){data, dtype, xl_shape_last(shape), 0});
    return op_add_input(maker, dtype, shape, data);
}

xl_val op_indices(struct op_maker *maker, int i, struct xl_shape shape, int64_t limit) {
    int64_t n = xl_shape_count(shape);
    int32_t *data = op_allocate(maker, (size_t)n * sizeof *data);
    for (int64_t j = 0; data && j < n; j++)
        data[j] = (int32_t)(op_next_random(maker->instance) % (uint64_t)limit);
    if (data) data[0] = (int32_t)limit - 1;
    if (data && n > 1) data[1] = 0;
    op_keep_doubles(maker, i, shape,
                    (struct op_window){data, XL_DTYPE_I32, xl_shape_last(shape), 0});
    return op_add_input(maker, XL_DTYPE_I32, shape, data);
}

void op_slices(struct op_maker *maker, int i, int n, struct xl_shape shape, xl_val *out) {
    enum xl_dtype dtype = maker->dtypes.act;
    int64_t c = xl_shape_last(shape);
    struct xl_shape whole = shape;
    whole.dim[whole.rank - 1] = n * c;
    const void *data =
        op_random_numbers(maker, dtype, xl_shape_count(whole), (struct op_spread){0, 1});
    xl_val input = op_add_input(maker, dtype, whole, data);
    for (int j = 0; j < n; j++) {
        op_keep_doubles(maker, i + j, shape, (struct op_window){data, dtype, n * c, j * c});
        out[j] = xl_slice(maker->instance->plan, input, j * c, c);
    }
}

struct xl_weight_id op_new_id(void) {
    static uint64_t n_made;
    return (struct xl_weight_id){{++n_made}};
}

xl_val op_weight(struct op_maker *maker, int i, struct xl_shape shape, struct op_spread spread) {
    enum xl_dtype dtype = maker->dtypes.weight;
    int n_parts = maker->op_case->with & PARTS ? 3 : 1;
    int64_t rows = shape.dim[0], row_count = xl_shape_count(shape) / rows, first = 0;
    const char *data = op_random_numbers(maker, dtype, rows * row_count, spread);
    struct xl_tensor *tensors = op_allocate(maker, XL_MAX_PARTS * sizeof *tensors);
    if (!data || !tensors) return 0;
    op_keep_doubles(maker, i, shape, (struct op_window){data, dtype, xl_shape_last(shape), 0});
    double *doubles = maker->instance->in[i].x;
    struct xl_weight_part parts[XL_MAX_PARTS];
    for (int p = 0; p < n_parts; p++) {
        int64_t n = p + 1 == n_parts ? rows - first : rows / n_parts - p;
        const void *part = data + (size_t)(first * row_count) * xl_dtype_size(dtype);
        tensors[p] =
            (struct xl_tensor){.name = "weight", .dtype = dtype, .shape = shape, .data = part};
        tensors[p].shape.dim[0] = n;
        parts[p] = (struct xl_weight_part){.tensor = &tensors[p], .id = op_new_id()};
        if (maker->op_case->with & (DELTAS | KINDS))
            op_add_deltas(maker, &parts[p], spread, doubles ? doubles + first * row_count : NULL);
        first += n;
    }
    return xl_plan_weight(maker->instance->plan, parts, n_parts);
}
