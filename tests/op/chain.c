/* chain.c - what stands before and behind the op of a case, where backends do the work of two ops
 * in one. */
#include "op/maker.h"

#include <math.h>

/* Operands of the neighbours, behind those of the op itself. */
enum { BIAS_OF_GATES = 4, GAIN, BIAS_OF_NORM, GATES };

static xl_val norm(struct op_maker *maker, xl_val x, bool is_of_groups, enum xl_activation act) {
    struct xl_plan *plan = maker->instance->plan;
    if (xl_plan_failed(plan)) return 0;
    int64_t c = xl_shape_last(xl_plan_value(plan, x)->shape);
    xl_val gain = op_weight(maker, GAIN, XL_SHAPE(c), (struct op_spread){1, 0.3});
    xl_val bias = op_weight(maker, BIAS_OF_NORM, XL_SHAPE(c), op_unit);
    if (!is_of_groups) return xl_layer_norm(plan, x, (struct xl_layer_norm){gain, bias, 1e-5});
    struct xl_group_norm attr = {
        .weight = gain, .bias = bias, .groups = c % 8 ? 1 : 8, .eps = 1e-5, .act = act};
    return xl_group_norm(plan, x, attr);
}

/* As many numbers as x has, each with a gate. */
static xl_val gated(struct op_maker *maker, xl_val x, int64_t c) {
    struct xl_plan *plan = maker->instance->plan;
    struct xl_linear attr = {.in_f8 = maker->op_case->with & IN_F8};
    attr.weight =
        op_weight(maker, GATES, XL_SHAPE(2 * c, c), (struct op_spread){0, 1 / sqrt((double)c)});
    attr.bias = op_weight(maker, BIAS_OF_GATES, XL_SHAPE(2 * c), op_unit);
    return xl_geglu(plan, xl_linear(plan, x, attr));
}

xl_val op_before(struct op_maker *maker, struct xl_shape shape) {
    const struct op_case *c = maker->op_case;
    if (c->with & AFTER_GEGLU) {
        struct xl_shape twice = shape;
        twice.dim[shape.rank - 1] *= 2;
        return xl_geglu(maker->instance->plan,
                        op_activation(maker, 0, twice, (struct op_spread){0, 2}));
    }
    xl_val x = op_activation(maker, 0, shape, op_unit);
    if (c->with & AFTER_NORM) x = norm(maker, x, c->op.kind == XL_OP_CONV2D, XL_ACT_SILU);
    return c->with & AFTER_GATES ? gated(maker, x, xl_shape_last(shape)) : x;
}

xl_val op_behind(struct op_maker *maker, xl_val y) {
    const struct op_case *c = maker->op_case;
    if (!(c->with & THEN)) return y;
    if (c->op.kind == XL_OP_CONV2D) return norm(maker, y, true, XL_ACT_NONE);
    return xl_geglu(maker->instance->plan, y);
}
