/* make.c - an op of each kind on random operands that suit it. */
#include "op/maker.h"

#include <math.h>

/* Weights of a product over k numbers: results of deviation 1. */
static struct op_spread product_spread(struct xl_shape weight_shape) {
    double k = (double)(xl_shape_count(weight_shape) / weight_shape.dim[0]);
    return (struct op_spread){0, 1 / sqrt(k)};
}

static xl_val make_linear(struct op_maker *maker) {
    const struct op_case *c = maker->op_case;
    struct xl_linear attr = c->op.attr.linear;
    struct xl_shape shape = c->x;
    shape.dim[shape.rank - 1] = c->y.dim[0];
    xl_val x = op_before(maker, c->x);
    attr.in_f8 = c->with & IN_F8;
    attr.weight = op_weight(maker, 1, c->y, product_spread(c->y));
    if (c->with & BIAS) attr.bias = op_weight(maker, 2, XL_SHAPE(c->y.dim[0]), op_unit);
    if (c->with & RESIDUAL) attr.residual = op_activation(maker, 3, shape, op_unit);
    return op_behind(maker, xl_linear(maker->instance->plan, x, attr));
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

static xl_val make_conv2d(struct op_maker *maker) {
    const struct op_case *c = maker->op_case;
    struct xl_conv2d attr = c->op.attr.conv2d;
    int64_t n = c->x.dim[0], o = c->y.dim[0];
    xl_val x = op_before(maker, c->x);
    attr.in_f8 = c->with & IN_F8;
    attr.weight = op_weight(maker, 1, c->y, product_spread(c->y));
    if (c->with & BIAS) attr.bias = op_weight(maker, 2, XL_SHAPE(o), op_unit);
    if (c->with & CHANNEL_BIAS)
        attr.channel_bias = op_activation(maker, 3, XL_SHAPE(n, o), op_unit);
    if (c->with & RESIDUAL) attr.residual = op_activation(maker, 4, conv2d_shape(c), op_unit);
    return op_behind(maker, xl_conv2d(maker->instance->plan, x, attr));
}

static xl_val make_norm(struct op_maker *maker) {
    const struct op_case *c = maker->op_case;
    struct xl_plan *plan = maker->instance->plan;
    struct xl_shape channels = XL_SHAPE(xl_shape_last(c->x));
    xl_val x =
        op_activation(maker, 0, c->x, c->with & SHIFTED ? (struct op_spread){20, 1} : op_unit);
    xl_val gain = op_weight(maker, 1, channels, (struct op_spread){1, 0.3});
    xl_val bias = op_weight(maker, 2, channels, op_unit);
    if (c->op.kind == XL_OP_GROUP_NORM) {
        struct xl_group_norm attr = c->op.attr.group_norm;
        attr.weight = gain;
        attr.bias = bias;
        return xl_group_norm(plan, x, attr);
    }
    struct xl_layer_norm attr = {gain, bias, c->op.attr.layer_norm.eps};
    return xl_layer_norm(plan, x, attr);
}

static xl_val make_attention(struct op_maker *maker) {
    const struct op_case *c = maker->op_case;
    xl_val qkv[3];
    if (c->with & SLICES && xl_shape_equal(c->x, c->y))
        op_slices(maker, 0, 3, c->x, qkv);
    else {
        qkv[0] = op_activation(maker, 0, c->x, op_unit);
        if (c->with & SLICES)
            op_slices(maker, 1, 2, c->y, qkv + 1);
        else
            for (int i = 1; i < 3; i++) qkv[i] = op_activation(maker, i, c->y, op_unit);
    }
    struct xl_attention attr = c->op.attr.attention;
    if (c->with & BIAS) attr.mask = op_indices(maker, 3, XL_SHAPE(c->y.dim[0], c->y.dim[1]), 2);
    return xl_attention(maker->instance->plan, qkv[0], qkv[1], qkv[2], attr);
}

static xl_val make_embed(struct op_maker *maker) {
    const struct op_case *c = maker->op_case;
    int64_t more_positions = c->x.dim[1] + 2;
    int64_t n_extra = c->with & BIAS ? 5 : 0;
    xl_val ids = op_indices(maker, 0, c->x, c->y.dim[0] + n_extra), extra = 0;
    xl_val table = op_weight(maker, 1, c->y, op_unit);
    xl_val positions = op_weight(maker, 2, XL_SHAPE(more_positions, c->y.dim[1]), op_unit);
    enum xl_dtype act = maker->dtypes.act;
    maker->dtypes.act = XL_DTYPE_F32;
    if (n_extra) extra = op_activation(maker, 3, XL_SHAPE(n_extra, c->y.dim[1]), op_unit);
    maker->dtypes.act = act;
    return xl_embed(maker->instance->plan, ids, (struct xl_embed){table, positions, extra});
}

/* Timesteps and picture sizes: whole and broken numbers up to 1000. */
static xl_val make_sinusoid(struct op_maker *maker) {
    const struct op_case *c = maker->op_case;
    enum xl_dtype act = maker->dtypes.act;
    maker->dtypes.act = XL_DTYPE_F32;
    xl_val x = op_activation(maker, 0, c->x, (struct op_spread){500, 1000 / sqrt(12)});
    maker->dtypes.act = act;
    return xl_sinusoid(maker->instance->plan, x, c->op.attr.sinusoid);
}

/* The ops of one or two operands. Twice the usual spread: activations are to see their bends and
 * their flat parts. */
static xl_val make_simple(struct op_maker *maker) {
    const struct op_case *c = maker->op_case;
    struct xl_plan *plan = maker->instance->plan;
    xl_val x = op_activation(maker, 0, c->x, (struct op_spread){0, 2}), y = 0;
    if (c->op.kind == XL_OP_PICK_ROW)
        y = op_indices(maker, 1, c->y, c->x.dim[1]);
    else if (c->y.rank)
        y = op_activation(maker, 1, c->y, op_unit);
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
static xl_val f32_input(struct op_maker *maker, int i, struct xl_shape shape,
                        struct op_spread spread) {
    maker->dtypes.act = XL_DTYPE_F32;
    return op_activation(maker, i, shape, spread);
}

static xl_val f32_state(struct op_maker *maker, int i, struct xl_shape shape) {
    const void *data = op_random_numbers(maker, XL_DTYPE_F32, xl_shape_count(shape), op_unit);
    op_keep_doubles(maker, i, shape,
                    (struct op_window){data, XL_DTYPE_F32, xl_shape_last(shape), 0});
    return op_add_value(maker, XL_DTYPE_F32, shape, data, true);
}

/* Operand i: a counter, or a flag. */
static xl_val counter(struct op_maker *maker, int i, int32_t number) {
    int32_t *data = op_allocate(maker, sizeof *data);
    if (data) *data = number;
    op_keep_doubles(maker, i, XL_SHAPE(1), (struct op_window){data, XL_DTYPE_I32, 1, 0});
    return op_add_value(maker, XL_DTYPE_I32, XL_SHAPE(1), data, true);
}

enum { N_STEPS = 3, STEP = 1, N_HISTORY = 3, N_NOISE = 2 }; /* STEP: that is made */

/* Operand i: a table of steps of which the middle one clips, stores and draws. */
static xl_val steps(struct op_maker *maker, int i) {
    struct xl_shape shape = XL_SHAPE(N_STEPS, XL_N_STEP_COLUMNS);
    float *data = op_random_numbers(maker, XL_DTYPE_F32, xl_shape_count(shape), op_unit);
    if (!data) return 0;
    float *row = data + STEP * XL_N_STEP_COLUMNS;
    row[XL_STEP_CLIP] = 1;
    row[XL_STEP_STORE_SLOT] = N_HISTORY - 1;
    row[XL_STEP_NOISE_ROW] = N_NOISE - 1;
    for (int slot = N_HISTORY; slot < XL_HISTORY_SLOTS; slot++)
        row[XL_STEP_BASE_COEF + XL_SRC_HISTORY + slot] = row[XL_STEP_COEF + XL_SRC_HISTORY + slot] =
            0;
    op_keep_doubles(maker, i, shape, (struct op_window){data, XL_DTYPE_F32, XL_N_STEP_COLUMNS, 0});
    maker->instance->inputs[maker->instance->n_inputs].is_table = true;
    return op_add_input(maker, XL_DTYPE_F32, shape, data);
}

static xl_val make_sampler_step(struct op_maker *maker) {
    const struct op_case *c = maker->op_case;
    int64_t n = xl_shape_count(c->x);
    xl_val x = f32_state(maker, 0, c->x), out = f32_input(maker, 1, c->x, op_unit);
    struct xl_sampler_step attr = {.saved = f32_state(maker, 2, c->x)};
    attr.history = f32_state(maker, 3, XL_SHAPE(N_HISTORY, n));
    attr.noise = f32_input(maker, 4, XL_SHAPE(N_NOISE, n), op_unit);
    attr.steps = steps(maker, 5);
    attr.counter = counter(maker, 6, STEP);
    attr.flag = counter(maker, 7, 0);
    return xl_sampler_step(maker->instance->plan, x, out, attr);
}

static xl_val make_from_rgb(struct op_maker *maker) {
    const struct op_case *c = maker->op_case;
    int64_t n = xl_shape_count(c->x);
    uint8_t *data = op_allocate(maker, (size_t)n);
    for (int64_t i = 0; data && i < n; i++) data[i] = (uint8_t)op_next_random(maker->instance);
    op_keep_doubles(maker, 0, c->x, (struct op_window){data, XL_DTYPE_U8, xl_shape_last(c->x), 0});
    return xl_from_rgb(maker->instance->plan, op_add_input(maker, XL_DTYPE_U8, c->x, data));
}

/* The other ops around the sampling loop. */
static xl_val make_around_loop(struct op_maker *maker) {
    const struct op_case *c = maker->op_case;
    struct xl_plan *plan = maker->instance->plan;
    if (c->op.kind == XL_OP_STEP_VALUE) {
        xl_val table = steps(maker, 0);
        return xl_step_value(plan, table, counter(maker, 1, STEP), c->op.attr.step_value);
    }
    xl_val x = f32_input(maker, 0, c->x, op_unit), y;
    switch (c->op.kind) {
    case XL_OP_SCALE_INPUT:
        y = steps(maker, 1);
        return xl_scale_input(plan, x, y, counter(maker, 2, STEP), c->op.attr.repeat);
    case XL_OP_GUIDE:
        return xl_guide(plan, x, f32_input(maker, 1, c->y, (struct op_spread){3, 1}));
    case XL_OP_LATENTS_AFFINE:
        return xl_latents_affine(plan, x, f32_input(maker, 1, c->y, (struct op_spread){2, 0.5}),
                                 c->op.attr.way);
    case XL_OP_SAMPLE_LATENTS:
        return xl_sample_latents(plan, x, f32_input(maker, 1, c->y, op_unit));
    default:
        return xl_to_rgb(plan, x, counter(maker, 1, 0));
    }
}

xl_val op_make(struct op_maker *maker) {
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
