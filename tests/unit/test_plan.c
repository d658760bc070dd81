/* test_plan.c - plans: what constructors accept and refuse, rates, views, names, and memory layout.
 */
#include "backend/ops.h"
#include "base/arena.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A plan under construction, its weights all made of the same zeros. */
struct maker {
    struct xl_plan *plan;
    struct xl_arena arena;
};

static struct maker maker_new(enum xl_dtype act) {
    struct maker maker = {xl_plan_new(act), {NULL}};
    cr_assert(maker.plan);
    return maker;
}

static void maker_free(struct maker *maker) {
    xl_plan_free(maker->plan);
    xl_arena_deinit(&maker->arena);
}

static struct xl_tensor *tensor(struct maker *maker, enum xl_dtype dtype, struct xl_shape shape,
                                const char *name) {
    struct xl_tensor *result = xl_arena_alloc(&maker->arena, sizeof *result);
    cr_assert(result);
    *result = (struct xl_tensor){.name = name, .dtype = dtype, .shape = shape, .data = ""};
    return result;
}

static xl_val weight(struct maker *maker, struct xl_shape shape) {
    struct xl_weight_part part = {.tensor = tensor(maker, XL_DTYPE_F16, shape, "a.weight")};
    return xl_plan_weight(maker->plan, &part, 1);
}

static xl_val input(struct maker *maker, const char *name, struct xl_shape shape) {
    return xl_plan_input(maker->plan, name, xl_plan_act_dtype(maker->plan), shape, XL_PER_RUN);
}

static struct xl_shape shape_of(struct maker *maker, xl_val value) {
    cr_assert(value, "the plan refused an op that it should take");
    return xl_plan_value(maker->plan, value)->shape;
}

static void expect_shape(struct maker *maker, xl_val value, struct xl_shape expected) {
    char found[XL_SHAPE_TEXT], wanted[XL_SHAPE_TEXT];
    cr_expect(xl_shape_equal(shape_of(maker, value), expected), "shape %s, expected %s",
              xl_shape_format(shape_of(maker, value), found), xl_shape_format(expected, wanted));
}

/* The plan has failed with this status and a sentence that holds `text`. Frees the plan. */
static void expect_failure(struct maker *maker, enum xl_status expected, const char *text) {
    struct xl_err err = {0};
    cr_expect(xl_plan_failed(maker->plan));
    enum xl_status status = xl_plan_finish(maker->plan, &err);
    cr_expect_eq(status, expected, "%s for: %s", xl_status_name(status), err.text);
    cr_expect(strstr(err.text, text) != NULL, "\"%s\" does not say \"%s\"", err.text, text);
    maker_free(maker);
}

Test(plan, shapes_of_results) {
    struct maker m = maker_new(XL_DTYPE_BF16);
    struct xl_plan *p = m.plan;
    xl_val picture = input(&m, "picture", XL_SHAPE(2, 7, 9, 8));
    xl_val w = weight(&m, XL_SHAPE(16, 8, 3, 3));
    struct xl_conv2d conv = {.weight = w, .bias = weight(&m, XL_SHAPE(16))};
    expect_shape(&m, xl_conv2d(p, picture, conv), XL_SHAPE(2, 5, 7, 16));
    conv.stride = 2;
    conv.pad_bottom = conv.pad_right = 1;
    expect_shape(&m, xl_conv2d(p, picture, conv), XL_SHAPE(2, 3, 4, 16));
    conv = (struct xl_conv2d){.weight = w, .upsample = true, .up_height = 13};
    expect_shape(&m, xl_conv2d(p, picture, conv), XL_SHAPE(2, 11, 16, 16));

    xl_val tokens = input(&m, "tokens", XL_SHAPE(2, 77, 24));
    xl_val wide = xl_linear(p, tokens, (struct xl_linear){.weight = weight(&m, XL_SHAPE(72, 24))});
    expect_shape(&m, wide, XL_SHAPE(2, 77, 72));
    expect_shape(&m, xl_geglu(p, wide), XL_SHAPE(2, 77, 36));
    xl_val q = xl_slice(p, wide, 0, 24), k = xl_slice(p, wide, 24, 24),
           v = xl_slice(p, wide, 48, 24);
    expect_shape(&m, xl_attention(p, q, k, v, (struct xl_attention){.heads = 3}),
                 XL_SHAPE(2, 77, 24));
    expect_shape(&m, xl_concat(p, tokens, wide), XL_SHAPE(2, 77, 96));

    xl_val ids = xl_plan_input(p, "ids", XL_DTYPE_I32, XL_SHAPE(2, 77), XL_PER_PROMPT);
    xl_val embedded = xl_embed(
        p, ids, (struct xl_embed){weight(&m, XL_SHAPE(100, 24)), weight(&m, XL_SHAPE(80, 24)), 0});
    expect_shape(&m, embedded, XL_SHAPE(2, 77, 24));
    xl_val index = xl_plan_input(p, "index", XL_DTYPE_I32, XL_SHAPE(2), XL_PER_PROMPT);
    expect_shape(&m, xl_pick_row(p, embedded, index), XL_SHAPE(2, 24));
    xl_val t = xl_plan_input(p, "t", XL_DTYPE_F32, XL_SHAPE(2, 6), XL_PER_RUN);
    expect_shape(&m, xl_sinusoid(p, t, (struct xl_sinusoid){.dim = 256}), XL_SHAPE(2, 1536));
    xl_val cast = xl_cast(p, tokens, XL_DTYPE_F32);
    cr_expect_eq(xl_plan_value(p, cast)->dtype, XL_DTYPE_F32);

    cr_expect_eq(xl_plan_finish(p, NULL), XL_OK);
    maker_free(&m);
}

Test(plan, ops_know_their_defaults) {
    struct maker m = maker_new(XL_DTYPE_F32);
    xl_val picture = input(&m, "picture", XL_SHAPE(1, 3, 5, 16));
    xl_conv2d(m.plan, picture, (struct xl_conv2d){.weight = weight(&m, XL_SHAPE(4, 16, 1, 1))});
    xl_val tokens = xl_reshape(m.plan, picture, XL_SHAPE(1, 15, 16));
    xl_attention(m.plan, tokens, tokens, tokens, (struct xl_attention){.heads = 4});
    cr_assert(!xl_plan_finish(m.plan, NULL));
    const struct xl_conv2d *conv = &xl_plan_op(m.plan, 0)->attr.conv2d;
    cr_expect_eq(conv->stride, 1);
    cr_expect_eq(conv->up_height, 3);
    cr_expect_eq(conv->up_width, 5);
    cr_expect_eq(xl_plan_op(m.plan, 1)->attr.attention.scale, 0.5);
    maker_free(&m);
}

Test(plan, refuses_a_weight_of_another_shape) {
    struct maker m = maker_new(XL_DTYPE_F32);
    xl_val x = input(&m, "x", XL_SHAPE(2, 77, 768));
    xl_val y = xl_linear(m.plan, x, (struct xl_linear){.weight = weight(&m, XL_SHAPE(640, 640))});
    cr_expect_eq(y, 0);
    expect_failure(&m, XL_EFORMAT,
                   "linear: weight is \"a.weight\" F16 [640, 640], expected a "
                   "floating-point weight of shape [any, 768]");
}

Test(plan, refuses_operands_that_do_not_fit) {
    struct maker m = maker_new(XL_DTYPE_F32);
    xl_val x = input(&m, "x", XL_SHAPE(2, 8, 8, 6));
    struct xl_conv2d conv = {.weight = weight(&m, XL_SHAPE(4, 6, 3, 3)), .residual = x};
    xl_conv2d(m.plan, x, conv);
    expect_failure(&m, XL_EFORMAT, "conv2d: residual is \"x\" F32 [2, 8, 8, 6]");

    m = maker_new(XL_DTYPE_F32);
    xl_val small = input(&m, "small", XL_SHAPE(1, 2, 9, 6));
    xl_conv2d(m.plan, small, (struct xl_conv2d){.weight = weight(&m, XL_SHAPE(4, 6, 3, 3))});
    expect_failure(&m, XL_EFORMAT, "does not fit into x [1, 2, 9, 6]");

    m = maker_new(XL_DTYPE_F32);
    x = input(&m, "x", XL_SHAPE(1, 4, 4, 6));
    conv = (struct xl_conv2d){.weight = weight(&m, XL_SHAPE(4, 6, 1, 1)), .up_height = 8};
    xl_conv2d(m.plan, x, conv);
    expect_failure(&m, XL_EFORMAT, "cannot be enlarged");

    m = maker_new(XL_DTYPE_F32);
    x = input(&m, "x", XL_SHAPE(1, 4, 4, 6));
    struct xl_group_norm norm = {weight(&m, XL_SHAPE(6)), weight(&m, XL_SHAPE(6)), 4, 1e-5, 0};
    xl_group_norm(m.plan, x, norm);
    expect_failure(&m, XL_EFORMAT, "4 equal groups");

    m = maker_new(XL_DTYPE_F32);
    x = input(&m, "x", XL_SHAPE(1, 7, 10));
    xl_attention(m.plan, x, x, x, (struct xl_attention){.heads = 3});
    expect_failure(&m, XL_EFORMAT, "3 equal heads");

    m = maker_new(XL_DTYPE_F32);
    xl_concat(m.plan, input(&m, "a", XL_SHAPE(3, 4)), input(&m, "b", XL_SHAPE(4, 3)));
    expect_failure(&m, XL_EFORMAT, "concat: b is \"b\" F32 [4, 3]");
}

Test(plan, refuses_other_dtypes) {
    struct maker m = maker_new(XL_DTYPE_BF16);
    xl_val x = xl_plan_input(m.plan, "x", XL_DTYPE_F32, XL_SHAPE(2, 3), XL_PER_RUN);
    xl_activation(m.plan, x, XL_ACT_SILU);
    expect_failure(&m, XL_EFORMAT, "expected an activation in BF16");

    m = maker_new(XL_DTYPE_F32);
    struct xl_weight_part ids = {.tensor = tensor(&m, XL_DTYPE_I64, XL_SHAPE(4, 3), "ids")};
    x = input(&m, "x", XL_SHAPE(2, 3));
    xl_linear(m.plan, x, (struct xl_linear){.weight = xl_plan_weight(m.plan, &ids, 1)});
    expect_failure(&m, XL_EFORMAT, "\"ids\" I64 [4, 3]");

    m = maker_new(XL_DTYPE_F32);
    x = input(&m, "x", XL_SHAPE(2, 3));
    xl_linear(m.plan, x, (struct xl_linear){.weight = x});
    expect_failure(&m, XL_EFORMAT, "expected a floating-point weight");
}

Test(plan, refuses_slices_where_operands_are_dense) {
    struct maker m = maker_new(XL_DTYPE_F32);
    xl_val slice = xl_slice(m.plan, input(&m, "x", XL_SHAPE(2, 8)), 0, 4);
    xl_activation(m.plan, slice, XL_ACT_SILU);
    expect_failure(&m, XL_EFORMAT, "F32 [2, 4] (a slice)");

    m = maker_new(XL_DTYPE_F32);
    slice = xl_slice(m.plan, input(&m, "x", XL_SHAPE(2, 8)), 0, 4);
    xl_reshape(m.plan, slice, XL_SHAPE(8));
    expect_failure(&m, XL_EFORMAT, "(a slice)");

    m = maker_new(XL_DTYPE_F32);
    xl_slice(m.plan, input(&m, "x", XL_SHAPE(2, 8)), 5, 4);
    expect_failure(&m, XL_EFORMAT, "no channels 5 to 9");
}

Test(plan, keeps_the_first_mistake) {
    struct maker m = maker_new(XL_DTYPE_F32);
    xl_val x = input(&m, "x", XL_SHAPE(2, 3));
    xl_plan_fail(m.plan, XL_EMODEL, "weight %s is missing", "conv_in.weight");
    xl_plan_fail(m.plan, XL_EFORMAT, "another");
    int n_values = xl_plan_n_values(m.plan), n_ops = xl_plan_n_ops(m.plan);
    xl_val y = xl_concat(m.plan, xl_activation(m.plan, x, XL_ACT_SILU), 0);
    xl_plan_output(m.plan, xl_reshape(m.plan, y, XL_SHAPE(6)), "out");
    xl_plan_tap(m.plan, y, "tap");
    cr_expect_eq(xl_plan_n_values(m.plan), n_values);
    cr_expect_eq(xl_plan_n_ops(m.plan), n_ops);
    expect_failure(&m, XL_EMODEL, "weight conv_in.weight is missing");
}

Test(plan, refuses_impossible_shapes) {
    struct maker m = maker_new(XL_DTYPE_F32);
    input(&m, "x", XL_SHAPE(2, 0, 3));
    expect_failure(&m, XL_EINVAL, "x has the impossible shape [2, 0, 3]");

    m = maker_new(XL_DTYPE_F32);
    input(&m, "x", XL_SHAPE(INT64_MAX / 2, 5));
    expect_failure(&m, XL_EINVAL, "impossible shape");
}

Test(plan, concatenates_weights) {
    struct maker m = maker_new(XL_DTYPE_F32);
    struct xl_weight_part parts[] = {{.tensor = tensor(&m, XL_DTYPE_F16, XL_SHAPE(3, 5), "q")},
                                     {.tensor = tensor(&m, XL_DTYPE_F16, XL_SHAPE(4, 5), "k")},
                                     {.tensor = tensor(&m, XL_DTYPE_F16, XL_SHAPE(2, 5), "v")}};
    expect_shape(&m, xl_plan_weight(m.plan, parts, 3), XL_SHAPE(9, 5));
    parts[2].tensor = tensor(&m, XL_DTYPE_F32, XL_SHAPE(2, 5), "v"); /* read as what it is */
    expect_shape(&m, xl_plan_weight(m.plan, parts, 3), XL_SHAPE(9, 5));
    parts[2].tensor = tensor(&m, XL_DTYPE_F16, XL_SHAPE(2, 4), "v");
    xl_plan_weight(m.plan, parts, 3);
    expect_failure(&m, XL_EFORMAT, "\"v\" is [2, 4], which does not go with \"q\", [3, 5]");
}

Test(plan, refuses_deltas_that_do_not_fit) {
    struct maker m = maker_new(XL_DTYPE_F32);
    struct xl_delta delta = {.a = {.up = tensor(&m, XL_DTYPE_F16, XL_SHAPE(3, 2), "up"),
                                   .down = tensor(&m, XL_DTYPE_F16, XL_SHAPE(2, 5), "down")}};
    struct xl_weight_part part = {
        tensor(&m, XL_DTYPE_F16, XL_SHAPE(3, 5), "q"), {{1, 2}}, &delta, 1};
    expect_shape(&m, xl_plan_weight(m.plan, &part, 1), XL_SHAPE(3, 5));
    delta.a.down = tensor(&m, XL_DTYPE_F16, XL_SHAPE(2, 4), "down");
    xl_plan_weight(m.plan, &part, 1);
    expect_failure(&m, XL_EFORMAT, "the delta with \"down\" [2, 4] does not fit weight \"q\"");
}

/* Factors by the shapes of up, mid and down; a rank of 0 leaves the tensor out. */
static void expect_fit(bool fits, const struct xl_delta *like, const struct xl_shape shapes[6],
                       struct xl_shape magnitude, struct xl_shape weight) {
    struct xl_tensor tensors[7] = {{.shape = magnitude}};
    const struct xl_tensor *at[7];
    for (int i = 1; i < 7; i++) tensors[i].shape = shapes[i - 1];
    for (int i = 0; i < 7; i++) at[i] = tensors[i].shape.rank ? &tensors[i] : NULL;
    struct xl_delta delta = *like;
    delta.a = (struct xl_factor){at[1], at[2], at[3]};
    delta.b = (struct xl_factor){at[4], at[5], at[6]};
    delta.magnitude = at[0];
    char text[XL_SHAPE_TEXT];
    cr_expect_eq(xl_delta_fits(&delta, weight), fits, "kind %d of %s", (int)delta.kind,
                 xl_shape_format(weight, text));
}

Test(plan, which_deltas_fit) {
    static const struct xl_delta plain = {.kind = XL_DELTA_PLAIN},
                                 hadamard = {.kind = XL_DELTA_HADAMARD},
                                 kronecker = {.kind = XL_DELTA_KRONECKER},
                                 by_column = {.is_by_column = true};
    struct xl_shape none = {0}, conv = XL_SHAPE(6, 4, 3, 3);
    const struct xl_shape whole[6] = {none, none, conv};
    const struct xl_shape tucker[6] = {XL_SHAPE(6, 2), XL_SHAPE(2, 5, 3, 3), XL_SHAPE(5, 4)};
    const struct xl_shape twisted[6] = {XL_SHAPE(6, 5), XL_SHAPE(2, 5, 3, 3), XL_SHAPE(2, 4)};
    const struct xl_shape no_up[6] = {none, XL_SHAPE(2, 5, 3, 3), XL_SHAPE(5, 4)};
    const struct xl_shape pair[6] = {XL_SHAPE(6, 2), none, XL_SHAPE(2, 36),
                                     XL_SHAPE(6, 3), none, XL_SHAPE(3, 36)};
    const struct xl_shape kron[6] = {none, none, XL_SHAPE(2, 4), none, none, XL_SHAPE(3, 1, 3, 3)};
    expect_fit(true, &plain, whole, none, conv);
    expect_fit(false, &plain, whole, none, XL_SHAPE(4, 6, 3, 3));
    expect_fit(true, &plain, tucker, XL_SHAPE(6), conv);
    expect_fit(false, &plain, tucker, XL_SHAPE(4), conv);
    expect_fit(true, &by_column, tucker, XL_SHAPE(1, 4, 1, 1), conv);
    expect_fit(false, &by_column, tucker, XL_SHAPE(6), conv);
    expect_fit(false, &plain, twisted, none, conv);
    expect_fit(false, &plain, no_up, none, conv);
    expect_fit(true, &hadamard, pair, none, conv);
    expect_fit(false, &hadamard, whole, none, conv);
    expect_fit(true, &kronecker, kron, none, conv);
    expect_fit(false, &kronecker, kron, none, XL_SHAPE(6, 8, 3, 3));
    expect_fit(false, &plain, (const struct xl_shape[6]){none, none, XL_SHAPE(0, 4)}, none, conv);
}

static bool is_same_id(struct xl_weight_id a, struct xl_weight_id b) {
    return a.word[0] == b.word[0] && a.word[1] == b.word[1];
}

Test(plan, weight_ids) {
    struct xl_weight_id one = {{1, 0}}, two = {{0, 1}};
    cr_expect(is_same_id(xl_weight_id_of(one, "conv_in"), xl_weight_id_of(one, "conv_in")));
    cr_expect_not(is_same_id(xl_weight_id_of(one, "conv_in"), xl_weight_id_of(two, "conv_in")));
    cr_expect_not(is_same_id(xl_weight_id_of(one, "12345678"), xl_weight_id_of(one, "12345679")));
    cr_expect_not(is_same_id(xl_weight_id_of(one, ""), one));
    struct xl_delta delta = {.scale = 0.5F, .id = two};
    struct xl_weight_part plain = {.id = one},
                          changed = {.id = one, .deltas = &delta, .n_deltas = 1};
    struct xl_weight_id id = xl_weight_part_id(&changed);
    cr_expect(is_same_id(xl_weight_part_id(&plain), one));
    cr_expect_not(is_same_id(id, one));
    delta.scale = 0.25F;
    cr_expect_not(is_same_id(id, xl_weight_part_id(&changed)));
    delta.scale = 0.5F;
    cr_expect(is_same_id(id, xl_weight_part_id(&changed)));
    delta.strength = 1;
    cr_expect_not(is_same_id(id, xl_weight_part_id(&changed)));
    delta.strength = 0;
    delta.is_by_column = true;
    cr_expect_not(is_same_id(id, xl_weight_part_id(&changed)));
}

Test(plan, rates) {
    struct maker m = maker_new(XL_DTYPE_F32);
    struct xl_plan *p = m.plan;
    xl_val text = xl_plan_input(p, "text", XL_DTYPE_F32, XL_SHAPE(1, 7, 8), XL_PER_PROMPT);
    xl_val x = xl_plan_input(p, "x", XL_DTYPE_F32, XL_SHAPE(1, 5, 8), XL_PER_RUN);
    xl_val kv = xl_linear(p, text, (struct xl_linear){.weight = weight(&m, XL_SHAPE(16, 8))});
    xl_val k = xl_slice(p, kv, 0, 8), v = xl_slice(p, kv, 8, 8);
    xl_val y = xl_attention(p, x, k, v, (struct xl_attention){.heads = 1});
    cr_assert(!xl_plan_finish(p, NULL));
    cr_expect_eq(xl_plan_value(p, kv)->rate, XL_PER_PROMPT);
    cr_expect_eq(xl_plan_value(p, k)->rate, XL_PER_PROMPT);
    cr_expect_eq(xl_plan_value(p, y)->rate, XL_PER_RUN);
    cr_expect_eq(xl_plan_op(p, 0)->rate, XL_PER_PROMPT);
    cr_expect_eq(xl_plan_op(p, 1)->rate, XL_PER_RUN);
    cr_expect_eq(xl_plan_flops(p, XL_PER_RUN), 4.0 * 8 * 5 * 7, "the prologue is not counted");
    maker_free(&m);
}

Test(plan, flops) {
    struct maker m = maker_new(XL_DTYPE_F32);
    struct xl_plan *p = m.plan;
    xl_val x = input(&m, "x", XL_SHAPE(1, 6, 6, 4));
    xl_conv2d(p, x, (struct xl_conv2d){.weight = weight(&m, XL_SHAPE(8, 4, 3, 3)), .stride = 2});
    xl_val tokens = xl_reshape(p, x, XL_SHAPE(1, 36, 4));
    xl_attention(p, tokens, tokens, tokens, (struct xl_attention){.heads = 2, .causal = true});
    cr_assert(!xl_plan_finish(p, NULL));
    cr_expect_eq(xl_op_flops(p, xl_plan_op(p, 0)), 2.0 * 2 * 2 * 8 * 4 * 9);
    cr_expect_eq(xl_op_flops(p, xl_plan_op(p, 1)), 4.0 * 4 * (36 * 37 / 2));
    maker_free(&m);
}

Test(plan, views_lie_in_the_root) {
    struct maker m = maker_new(XL_DTYPE_F32);
    struct xl_plan *p = m.plan;
    xl_val x = input(&m, "x", XL_SHAPE(2, 3, 4, 10));
    xl_val flat = xl_reshape(p, x, XL_SHAPE(2, 12, 10));
    xl_val slice = xl_slice(p, flat, 4, 6), inner = xl_slice(p, slice, 1, 3);
    xl_val one_row = xl_slice(p, xl_reshape(p, x, XL_SHAPE(1, 240)), 20, 30);
    xl_val dense = xl_reshape(p, one_row, XL_SHAPE(3, 10));
    const struct xl_value *v = xl_plan_value(p, inner);
    cr_expect_eq(v->base, x);
    cr_expect_eq(v->offset, 5);
    cr_expect_eq(v->row_stride, 10);
    expect_shape(&m, inner, XL_SHAPE(2, 12, 3));
    v = xl_plan_value(p, dense);
    cr_expect_eq(v->base, x);
    cr_expect_eq(v->offset, 20);
    cr_expect_eq(v->row_stride, 10);
    struct xl_layout layout;
    cr_assert(!xl_plan_finish(p, NULL) &&
              !xl_plan_layout(p, (struct xl_layout_keeps){0}, &layout, NULL));
    cr_expect_eq(layout.offset[inner], layout.offset[x] + 5 * sizeof(float));
    xl_layout_deinit(&layout);
    maker_free(&m);
}

Test(plan, names) {
    struct maker m = maker_new(XL_DTYPE_F32);
    struct xl_plan *p = m.plan;
    xl_val x = input(&m, "x", XL_SHAPE(2, 3)), y = xl_activation(p, x, XL_ACT_SILU);
    xl_plan_tap(p, y, "block.%d", 4);
    xl_plan_output(p, y, "out");
    xl_plan_tap(p, x, "seen.x");
    cr_expect_eq(xl_plan_find(p, "block.4"), y);
    cr_expect_eq(xl_plan_find(p, "x"), x);
    cr_expect_eq(xl_plan_find(p, "nothing"), 0);
    xl_val out = xl_plan_find(p, "out"), seen = xl_plan_find(p, "seen.x");
    cr_assert(out && seen);
    cr_expect(xl_plan_value(p, out)->is_output && xl_plan_value(p, out)->base == y);
    cr_expect_eq(xl_plan_value(p, seen)->base, x);
    xl_plan_tap(p, y, "x");
    expect_failure(&m, XL_EINTERNAL, "two values of a plan are named \"x\"");
}

/* ---- layout ---- */

/* A model in small with all that makes lives long or short: skip connections over the whole depth,
 * slices, residuals, a prologue with results used all along. */
static xl_val block(struct maker *m, xl_val x, xl_val text, int64_t c) {
    struct xl_plan *p = m->plan;
    struct xl_shape shape = shape_of(m, x);
    int64_t from = shape.dim[3];
    struct xl_group_norm norm = {weight(m, XL_SHAPE(from)), weight(m, XL_SHAPE(from)), 4, 1e-5,
                                 XL_ACT_SILU};
    struct xl_conv2d conv = {.weight = weight(m, XL_SHAPE(c, from, 3, 3)),
                             .pad_top = 1,
                             .pad_left = 1,
                             .pad_bottom = 1,
                             .pad_right = 1};
    xl_val h = xl_conv2d(p, xl_group_norm(p, x, norm), conv);
    struct xl_linear shortcut = {.weight = weight(m, XL_SHAPE(c, from, 1, 1)), .residual = h};
    x = xl_linear(p, x, shortcut);
    shape.dim[3] = c;
    xl_val tokens = xl_reshape(p, x, XL_SHAPE(shape.dim[0], shape.dim[1] * shape.dim[2], c));
    xl_val qkv = xl_linear(p, tokens, (struct xl_linear){.weight = weight(m, XL_SHAPE(3 * c, c))});
    h = xl_attention(p, xl_slice(p, qkv, 0, c), xl_slice(p, qkv, c, c), xl_slice(p, qkv, 2 * c, c),
                     (struct xl_attention){.heads = 2});
    tokens = xl_linear(p, h,
                       (struct xl_linear){.weight = weight(m, XL_SHAPE(c, c)), .residual = tokens});
    xl_val kv = xl_linear(p, text, (struct xl_linear){.weight = weight(m, XL_SHAPE(2 * c, 16))});
    h = xl_attention(p, tokens, xl_slice(p, kv, 0, c), xl_slice(p, kv, c, c),
                     (struct xl_attention){.heads = 2});
    h = xl_linear(p, h,
                  (struct xl_linear){.weight = weight(m, XL_SHAPE(c, c)), .residual = tokens});
    h = xl_linear(p, h, (struct xl_linear){.weight = weight(m, XL_SHAPE(8 * c, c))});
    h = xl_linear(p, xl_geglu(p, h),
                  (struct xl_linear){.weight = weight(m, XL_SHAPE(c, 4 * c)), .residual = tokens});
    h = xl_reshape(p, h, shape);
    xl_plan_tap(p, h, "block.%d", xl_plan_n_ops(p));
    return h;
}

static void make_unet(struct maker *m) {
    struct xl_plan *p = m->plan;
    xl_val text = xl_plan_input(p, "text", XL_DTYPE_F32, XL_SHAPE(2, 77, 16), XL_PER_PROMPT);
    text = xl_activation(p, text, XL_ACT_GELU); /* the prologue's own: dead before the main part */
    xl_val x = input(m, "x", XL_SHAPE(2, 32, 32, 8)), skips[6];
    xl_plan_output(p, xl_activation(p, x, XL_ACT_SILU), "early"); /* read by no op */
    int n_skips = 0;
    for (int level = 0; level < 3; level++) {
        for (int i = 0; i < 2; i++) skips[n_skips++] = x = block(m, x, text, 32 << level);
        int64_t c = 32 << level;
        struct xl_conv2d down = {.weight = weight(m, XL_SHAPE(c, c, 3, 3)),
                                 .stride = 2,
                                 .pad_top = 1,
                                 .pad_left = 1,
                                 .pad_bottom = 1,
                                 .pad_right = 1};
        if (level < 2) x = xl_conv2d(p, x, down);
    }
    for (int level = 2; level >= 0; level--) {
        for (int i = 0; i < 2; i++)
            x = block(m, xl_concat(p, x, skips[--n_skips]), text, 32 << level);
        int64_t c = 32 << level;
        struct xl_conv2d up = {.weight = weight(m, XL_SHAPE(c, c, 3, 3)),
                               .upsample = true,
                               .pad_top = 1,
                               .pad_left = 1,
                               .pad_bottom = 1,
                               .pad_right = 1};
        if (level) x = xl_conv2d(p, x, up);
    }
    xl_plan_output(p, x, "out");
    struct xl_err err = {0};
    cr_assert(!xl_plan_finish(p, &err), "%s", err.text);
}

/* Memory as a machine would see it: each unit of alignment belongs to the value written last. */
struct memory {
    const struct xl_plan *plan;
    const struct xl_layout *layout;
    xl_val *owner;
    bool keeps_joined;
};

static xl_val root_of(const struct xl_plan *plan, xl_val value) {
    xl_val base = xl_plan_value(plan, value)->base;
    return base ? base : value;
}

/* The units of a value: first..end-1 */
static size_t first_unit(const struct memory *memory, xl_val value) {
    cr_assert_eq(memory->layout->offset[value] % XL_LAYOUT_ALIGN, 0);
    return memory->layout->offset[value] / XL_LAYOUT_ALIGN;
}

static size_t end_unit(const struct memory *memory, xl_val value) {
    const struct xl_value *v = xl_plan_value(memory->plan, value);
    size_t bytes = (size_t)xl_shape_count(v->shape) * xl_dtype_size(v->dtype);
    size_t end = memory->layout->offset[value] + bytes;
    cr_assert_leq(end, memory->layout->total_bytes);
    return (end + XL_LAYOUT_ALIGN - 1) / XL_LAYOUT_ALIGN;
}

static void write_value(struct memory *memory, xl_val value) {
    for (size_t i = first_unit(memory, value); i < end_unit(memory, value); i++)
        memory->owner[i] = value;
}

static void expect_whole(const struct memory *memory, xl_val value, const char *when) {
    value = root_of(memory->plan, value);
    if (xl_plan_value(memory->plan, value)->kind == XL_VALUE_WEIGHT) return;
    for (size_t i = first_unit(memory, value); i < end_unit(memory, value); i++)
        cr_assert_eq(memory->owner[i], value, "value %d is overwritten by %d before %s", value,
                     memory->owner[i], when);
}

static void expect_whole_operands(const struct memory *memory, const struct xl_op *op,
                                  const char *when) {
    for (int j = 0; j < XL_MAX_OPERANDS; j++)
        if (op->in[j]) expect_whole(memory, op->in[j], when);
}

/* The operands must be whole when the result is written over them or not, so they are checked again
 * after the write: an op may not run in place. So must those of the op before it where both may be
 * computed as one. */
static void run_ops(struct memory *memory, enum xl_rate rate) {
    const struct xl_op *before = NULL;
    for (int i = 0; i < xl_plan_n_ops(memory->plan); i++) {
        const struct xl_op *op = xl_plan_op(memory->plan, i);
        if (op->rate != rate) continue;
        write_value(memory, op->out);
        expect_whole_operands(memory, op, xl_op_name(op->kind));
        if (memory->keeps_joined && before && xl_plan_joined(memory->plan, before) == op)
            expect_whole_operands(memory, before, "it is computed with the op after it");
        before = op;
    }
}

static void check_layout(const struct xl_plan *plan, struct xl_layout_keeps keeps,
                         size_t *total_bytes) {
    struct xl_layout layout;
    cr_assert(!xl_plan_layout(plan, keeps, &layout, NULL));
    struct memory memory = {plan, &layout,
                            calloc(layout.total_bytes / XL_LAYOUT_ALIGN + 1, sizeof(xl_val)),
                            keeps.joined};
    cr_assert(memory.owner);
    for (xl_val v = 1; v < xl_plan_n_values(plan); v++)
        if (xl_plan_value(plan, v)->kind == XL_VALUE_INPUT) write_value(&memory, v);
    run_ops(&memory, XL_PER_PROMPT);
    for (int run = 0; run < 2;
         run++) { /* the second finds the prologue and the inputs as they were */
        run_ops(&memory, XL_PER_RUN);
        for (xl_val v = 1; v < xl_plan_n_values(plan); v++) {
            const struct xl_value *value = xl_plan_value(plan, v);
            if (value->kind == XL_VALUE_INPUT || value->is_output || (keeps.taps && value->name))
                expect_whole(&memory, v, "the end of the run");
        }
    }
    *total_bytes = layout.total_bytes;
    free(memory.owner);
    xl_layout_deinit(&layout);
}

/* Bytes that any layout needs: the most that live at one moment of a run. last[v]: the last op of
 * the main part that reads v, n_ops for what stays. */
static size_t most_live_bytes(const struct xl_plan *plan) {
    int n_ops = xl_plan_n_ops(plan), n_values = xl_plan_n_values(plan);
    int *first = calloc((size_t)n_values, sizeof *first),
        *last = calloc((size_t)n_values, sizeof *last);
    cr_assert(first && last);
    for (xl_val v = 1; v < n_values; v++) last[v] = -1;
    for (int i = 0; i < n_ops; i++) {
        const struct xl_op *op = xl_plan_op(plan, i);
        if (op->rate == XL_PER_PROMPT) continue;
        first[op->out] = last[op->out] = i;
        for (int j = 0; j < XL_MAX_OPERANDS; j++) {
            xl_val root = op->in[j] ? root_of(plan, op->in[j]) : 0;
            bool stays = root && xl_plan_value(plan, root)->rate == XL_PER_PROMPT;
            last[root] = stays ? n_ops : i;
        }
    }
    for (xl_val v = 1; v < n_values; v++)
        if (xl_plan_value(plan, v)->kind == XL_VALUE_INPUT || xl_plan_value(plan, v)->is_output)
            last[root_of(plan, v)] = n_ops;
    size_t most = 0;
    for (int i = 0; i < n_ops; i++) {
        size_t bytes = 0;
        for (xl_val v = 1; v < n_values; v++) {
            const struct xl_value *value = xl_plan_value(plan, v);
            bool has_memory = value->kind == XL_VALUE_INPUT || value->kind == XL_VALUE_RESULT;
            if (has_memory && first[v] <= i && last[v] >= i)
                bytes += (size_t)xl_shape_count(value->shape) * xl_dtype_size(value->dtype);
        }
        if (bytes > most) most = bytes;
    }
    free(first);
    free(last);
    return most;
}

Test(layout, no_value_is_overwritten_while_it_lives) {
    struct maker m = maker_new(XL_DTYPE_F32);
    make_unet(&m);
    size_t without, with, joined;
    check_layout(m.plan, (struct xl_layout_keeps){0}, &without);
    check_layout(m.plan, (struct xl_layout_keeps){.taps = true}, &with);
    check_layout(m.plan, (struct xl_layout_keeps){.joined = true}, &joined);
    cr_expect_lt(without, with, "taps that nobody keeps must cost nothing");
    cr_expect_leq(without, joined);
    maker_free(&m);
}

Test(layout, is_close_to_what_lives_at_once) {
    struct maker m = maker_new(XL_DTYPE_F32);
    make_unet(&m);
    size_t total, least = most_live_bytes(m.plan);
    check_layout(m.plan, (struct xl_layout_keeps){0}, &total);
    cr_log_info("%zu bytes, %.3f of the most that live at once", total,
                (double)total / (double)least);
    cr_expect_geq(total, least);
    cr_expect_leq((double)total, 1.15 * (double)least, "%zu bytes for %zu live ones", total, least);
    maker_free(&m);
}

Test(plan, a_linear_and_its_gates_are_joined) {
    struct maker m = maker_new(XL_DTYPE_F32);
    xl_val x = input(&m, "x", XL_SHAPE(3, 8));
    xl_val both = xl_linear(m.plan, x, (struct xl_linear){.weight = weight(&m, XL_SHAPE(32, 8))});
    xl_val gated = xl_geglu(m.plan, both);
    xl_val other = xl_linear(m.plan, x, (struct xl_linear){.weight = weight(&m, XL_SHAPE(32, 8))});
    xl_plan_output(m.plan, xl_geglu(m.plan, both), "again");
    xl_plan_output(m.plan, xl_concat(m.plan, gated, other), "out");
    cr_assert(!xl_plan_finish(m.plan, NULL));
    const struct xl_op *first = xl_plan_op(m.plan, 0);
    cr_expect_eq(xl_plan_joined(m.plan, first), first + 1);
    for (int i = 1; i < xl_plan_n_ops(m.plan); i++)
        cr_expect_null(xl_plan_joined(m.plan, xl_plan_op(m.plan, i)), "op %d", i);
    maker_free(&m);
}

Test(layout, of_a_plan_without_ops) {
    struct maker m = maker_new(XL_DTYPE_F32);
    struct xl_layout layout;
    cr_assert(!xl_plan_finish(m.plan, NULL) &&
              !xl_plan_layout(m.plan, (struct xl_layout_keeps){true, true}, &layout, NULL));
    cr_expect_eq(layout.total_bytes, 0);
    xl_layout_deinit(&layout);
    xl_layout_deinit(&layout);
    maker_free(&m);
}
