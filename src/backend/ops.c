/* ops.c - the constructors: which operands fit an op, and the shape of its result. */
#include "backend/ops.h"

#include "backend/plan_build.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const op_names[] = {
#define X(kind, suffix, ...) #suffix,
    XL_OP_LIST(X)
#undef X
};

static const char *const operand_names[][XL_MAX_OPERANDS] = {
#define X(kind, suffix, ...) {__VA_ARGS__},
    XL_OP_LIST(X)
#undef X
};

const char *xl_op_name(enum xl_op_kind kind) {
    return op_names[kind];
}

/* What an operand may be. */
enum need {
    DENSE,    /* of the plan's act_dtype */
    STRIDED,  /* the same, or a slice of the last axis */
    FLOAT,    /* dense, any floating dtype */
    F32,      /* dense f32 */
    INDEX,    /* dense i32 */
    BYTES,    /* dense u8 */
    STATE,    /* an f32 state */
    COUNTER,  /* an i32 state */
    CONSTANT, /* a weight of any floating dtype */
};

static const char *const need_texts[] = {
    [DENSE] = "an activation", [STRIDED] = "an activation", [FLOAT] = "floating-point numbers",
    [F32] = "F32 numbers",     [INDEX] = "I32 numbers",     [BYTES] = "U8 numbers",
    [STATE] = "an F32 state",  [COUNTER] = "an I32 state",  [CONSTANT] = "a floating-point weight",
};

/* A shape with free dimensions: -1 is any size, rank 0 any shape. */
enum { FREE = -1 };
#define ANY_SHAPE ((struct xl_shape){0})

static bool matches(struct xl_shape shape, struct xl_shape pattern) {
    if (pattern.rank == 0) return true;
    if (shape.rank != pattern.rank) return false;
    for (int i = 0; i < shape.rank; i++)
        if (pattern.dim[i] != FREE && pattern.dim[i] != shape.dim[i]) return false;
    return true;
}

/* " of shape [any, 768]", or nothing for any shape. */
static void format_pattern(struct xl_shape pattern, char out[XL_SHAPE_TEXT]) {
    int n = 0;
    out[0] = 0;
    for (int i = 0; i < pattern.rank && n < XL_SHAPE_TEXT; i++) {
        const char *before = i ? ", " : " of shape [", *after = i + 1 == pattern.rank ? "]" : "";
        size_t room = (size_t)(XL_SHAPE_TEXT - n);
        if (pattern.dim[i] == FREE)
            n += snprintf(out + n, room, "%sany%s", before, after);
        else
            n += snprintf(out + n, room, "%s%lld%s", before, (long long)pattern.dim[i], after);
    }
}

static bool is_float(enum xl_dtype dtype) {
    return dtype == XL_DTYPE_F32 || dtype == XL_DTYPE_F16 || dtype == XL_DTYPE_BF16;
}

static bool is_dense(const struct xl_value *v) {
    return v->row_stride == xl_shape_last(v->shape);
}

static bool satisfies(const struct xl_plan *plan, const struct xl_value *v, enum need need) {
    if (need == CONSTANT) return v->kind == XL_VALUE_WEIGHT && is_float(v->dtype);
    if (v->kind == XL_VALUE_WEIGHT) return false;
    if (need != STRIDED && !is_dense(v)) return false;
    if (need == FLOAT) return is_float(v->dtype);
    if (need == F32) return v->dtype == XL_DTYPE_F32;
    if (need == INDEX) return v->dtype == XL_DTYPE_I32;
    if (need == BYTES) return v->dtype == XL_DTYPE_U8;
    if (need == STATE) return v->kind == XL_VALUE_STATE && v->dtype == XL_DTYPE_F32;
    if (need == COUNTER) return v->kind == XL_VALUE_STATE && v->dtype == XL_DTYPE_I32;
    return v->dtype == xl_plan_act_dtype(plan);
}

/* The operand is there and is what the op needs; else the mistake is recorded. */
static bool operand(struct xl_plan *plan, const struct xl_op *op, int i, enum need need,
                    struct xl_shape pattern) {
    if (xl_plan_failed(plan)) return false;
    const char *op_name = xl_op_name(op->kind), *role = operand_names[op->kind][i];
    assert(op->in[i] >= 0 && op->in[i] < xl_plan_n_values(plan));
    if (!op->in[i]) {
        xl_plan_fail(plan, XL_EINTERNAL, "%s: the operand %s is missing", op_name, role);
        return false;
    }
    const struct xl_value *v = xl_plan_value(plan, op->in[i]);
    if (satisfies(plan, v, need) && matches(v->shape, pattern)) return true;

    char found[XL_VALUE_TEXT], expected[XL_SHAPE_TEXT];
    format_pattern(pattern, expected);
    const char *dtype = need == DENSE || need == STRIDED ? xl_dtype_name(xl_plan_act_dtype(plan))
                                                         : "";
    xl_plan_fail(plan, XL_EFORMAT, "%s: %s is %s%s, expected %s%s%s%s", op_name, role,
                 xl_plan_describe(plan, op->in[i], found),
                 need != STRIDED && !is_dense(v) ? " (a slice)" : "", need_texts[need],
                 *dtype ? " in " : "", dtype, expected);
    return false;
}

static bool optional(struct xl_plan *plan, const struct xl_op *op, int i, enum need need,
                     struct xl_shape pattern) {
    return !op->in[i] || operand(plan, op, i, need, pattern);
}

/* Record "op: sentence"; returns 0, the result of a failed constructor. */
static xl_val refuse(struct xl_plan *plan, enum xl_op_kind kind, const char *format, ...)
    XL_PRINTF(3, 4);

static xl_val refuse(struct xl_plan *plan, enum xl_op_kind kind, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    xl_plan_fail(plan, XL_EFORMAT, "%s: %s", xl_op_name(kind), text);
    return 0;
}

static struct xl_shape shape_of(const struct xl_plan *plan, xl_val value) {
    return xl_plan_value(plan, value)->shape;
}

static struct xl_shape with_last(struct xl_shape shape, int64_t last) {
    shape.dim[shape.rank - 1] = last;
    return shape;
}

xl_val xl_linear(struct xl_plan *plan, xl_val x, struct xl_linear attr) {
    struct xl_op op = {
        .kind = XL_OP_LINEAR,
        .in = {x, attr.weight, attr.bias, attr.residual},
        .attr.linear = attr,
    };
    if (!operand(plan, &op, 0, DENSE, ANY_SHAPE)) return 0;
    int64_t k = xl_shape_last(shape_of(plan, x));
    bool is_conv = attr.weight && xl_plan_value(plan, attr.weight)->shape.rank == 4;
    struct xl_shape pattern = is_conv ? XL_SHAPE(FREE, k, 1, 1) : XL_SHAPE(FREE, k);
    if (!operand(plan, &op, 1, CONSTANT, pattern)) return 0;
    int64_t n = shape_of(plan, attr.weight).dim[0];
    struct xl_shape shape = with_last(shape_of(plan, x), n);
    if (!optional(plan, &op, 2, CONSTANT, XL_SHAPE(n))) return 0;
    if (!optional(plan, &op, 3, DENSE, shape)) return 0;
    return xl_plan_add_op(plan, &op, xl_plan_act_dtype(plan), shape);
}

/* Check the numbers of a convolution and fill in its defaults. x: [n, h, w, c] */
static bool complete_conv2d(struct xl_plan *plan, struct xl_shape x, struct xl_conv2d *attr) {
    int64_t h = x.dim[1], w = x.dim[2];
    if (!attr->stride) attr->stride = 1;
    if (attr->stride < 1 || attr->pad_top < 0 || attr->pad_left < 0 || attr->pad_bottom < 0 ||
        attr->pad_right < 0) {
        refuse(plan, XL_OP_CONV2D, "stride %d and paddings %d, %d, %d, %d must not be negative",
               attr->stride, attr->pad_top, attr->pad_left, attr->pad_bottom, attr->pad_right);
        return false;
    }
    int64_t factor = attr->upsample ? 2 : 1;
    if (h > INT32_MAX / 2 || w > INT32_MAX / 2) {
        refuse(plan, XL_OP_CONV2D, "a picture of %lld x %lld is too large", (long long)w,
               (long long)h);
        return false;
    }
    if (!attr->up_height) attr->up_height = (int)(factor * h);
    if (!attr->up_width) attr->up_width = (int)(factor * w);
    int64_t cut = attr->upsample ? 1 : 0;
    if (attr->up_height > factor * h || attr->up_height < factor * h - cut ||
        attr->up_width > factor * w || attr->up_width < factor * w - cut) {
        refuse(plan, XL_OP_CONV2D, "%lld x %lld pixels cannot be enlarged%s to %d x %d",
               (long long)w, (long long)h, attr->upsample ? " twice" : " (upsample is off)",
               attr->up_width, attr->up_height);
        return false;
    }
    return true;
}

xl_val xl_conv2d(struct xl_plan *plan, xl_val x, struct xl_conv2d attr) {
    struct xl_op op = {
        .kind = XL_OP_CONV2D,
        .in = {x, attr.weight, attr.bias, attr.channel_bias, attr.residual},
    };
    if (!operand(plan, &op, 0, DENSE, XL_SHAPE(FREE, FREE, FREE, FREE))) return 0;
    struct xl_shape in = shape_of(plan, x);
    if (!operand(plan, &op, 1, CONSTANT, XL_SHAPE(FREE, in.dim[3], FREE, FREE))) return 0;
    struct xl_shape kernel = shape_of(plan, attr.weight);
    if (!complete_conv2d(plan, in, &attr)) return 0;
    op.attr.conv2d = attr;

    int64_t rows = attr.up_height + (int64_t)attr.pad_top + attr.pad_bottom - kernel.dim[2];
    int64_t columns = attr.up_width + (int64_t)attr.pad_left + attr.pad_right - kernel.dim[3];
    if (rows < 0 || columns < 0) {
        char weight[XL_VALUE_TEXT], found[XL_SHAPE_TEXT];
        return refuse(plan, XL_OP_CONV2D, "the kernel of weight %s does not fit into x %s",
                      xl_plan_describe(plan, attr.weight, weight), xl_shape_format(in, found));
    }
    int64_t n = in.dim[0], o = kernel.dim[0];
    struct xl_shape shape = XL_SHAPE(n, rows / attr.stride + 1, columns / attr.stride + 1, o);
    if (!optional(plan, &op, 2, CONSTANT, XL_SHAPE(o))) return 0;
    if (!optional(plan, &op, 3, DENSE, XL_SHAPE(n, o))) return 0;
    if (!optional(plan, &op, 4, DENSE, shape)) return 0;
    return xl_plan_add_op(plan, &op, xl_plan_act_dtype(plan), shape);
}

/* What the norms have in common: x, weight and bias [c], eps. */
static bool norm_operands(struct xl_plan *plan, const struct xl_op *op, double eps) {
    if (!operand(plan, op, 0, DENSE, ANY_SHAPE)) return false;
    struct xl_shape channels = XL_SHAPE(xl_shape_last(shape_of(plan, op->in[0])));
    if (!operand(plan, op, 1, CONSTANT, channels)) return false;
    if (!operand(plan, op, 2, CONSTANT, channels)) return false;
    if (eps >= 0 && isfinite(eps)) return true;
    refuse(plan, op->kind, "eps is %g, expected zero or more", eps);
    return false;
}

xl_val xl_group_norm(struct xl_plan *plan, xl_val x, struct xl_group_norm attr) {
    struct xl_op op = {
        .kind = XL_OP_GROUP_NORM,
        .in = {x, attr.weight, attr.bias},
        .attr.group_norm = attr,
    };
    if (!norm_operands(plan, &op, attr.eps)) return 0;
    struct xl_shape shape = shape_of(plan, x);
    int64_t c = xl_shape_last(shape);
    if (shape.rank < 2 || attr.groups < 1 || c % attr.groups) {
        char found[XL_VALUE_TEXT];
        return refuse(plan, XL_OP_GROUP_NORM, "x is %s, expected channels in %d equal groups",
                      xl_plan_describe(plan, x, found), attr.groups);
    }
    return xl_plan_add_op(plan, &op, xl_plan_act_dtype(plan), shape);
}

xl_val xl_layer_norm(struct xl_plan *plan, xl_val x, struct xl_layer_norm attr) {
    struct xl_op op = {
        .kind = XL_OP_LAYER_NORM,
        .in = {x, attr.weight, attr.bias},
        .attr.layer_norm = attr,
    };
    if (!norm_operands(plan, &op, attr.eps)) return 0;
    return xl_plan_add_op(plan, &op, xl_plan_act_dtype(plan), shape_of(plan, x));
}

xl_val xl_attention(struct xl_plan *plan, xl_val q, xl_val k, xl_val v, struct xl_attention attr) {
    struct xl_op op = {.kind = XL_OP_ATTENTION, .in = {q, k, v, attr.mask}};
    if (!operand(plan, &op, 0, STRIDED, XL_SHAPE(FREE, FREE, FREE))) return 0;
    struct xl_shape shape = shape_of(plan, q);
    int64_t n = shape.dim[0], c = shape.dim[2];
    if (!operand(plan, &op, 1, STRIDED, XL_SHAPE(n, FREE, c))) return 0;
    if (!operand(plan, &op, 2, STRIDED, shape_of(plan, k))) return 0;
    int64_t n_keys = shape_of(plan, k).dim[1];
    if (!optional(plan, &op, 3, INDEX, XL_SHAPE(n, n_keys))) return 0;
    if (attr.heads < 1 || c % attr.heads) {
        char found[XL_VALUE_TEXT];
        return refuse(plan, XL_OP_ATTENTION, "q is %s, expected channels in %d equal heads",
                      xl_plan_describe(plan, q, found), attr.heads);
    }
    if (attr.scale == 0) attr.scale = 1 / sqrt((double)(c / attr.heads));
    op.attr.attention = attr;
    return xl_plan_add_op(plan, &op, xl_plan_act_dtype(plan), shape);
}

xl_val xl_geglu(struct xl_plan *plan, xl_val x) {
    struct xl_op op = {.kind = XL_OP_GEGLU, .in = {x}};
    if (!operand(plan, &op, 0, DENSE, ANY_SHAPE)) return 0;
    struct xl_shape shape = shape_of(plan, x);
    if (xl_shape_last(shape) % 2) {
        char found[XL_VALUE_TEXT];
        return refuse(plan, XL_OP_GEGLU, "x is %s, expected an even number of channels",
                      xl_plan_describe(plan, x, found));
    }
    shape = with_last(shape, xl_shape_last(shape) / 2);
    return xl_plan_add_op(plan, &op, xl_plan_act_dtype(plan), shape);
}

xl_val xl_activation(struct xl_plan *plan, xl_val x, enum xl_activation act) {
    struct xl_op op = {.kind = XL_OP_ACTIVATION, .in = {x}, .attr.act = act};
    if (!operand(plan, &op, 0, DENSE, ANY_SHAPE)) return 0;
    return xl_plan_add_op(plan, &op, xl_plan_act_dtype(plan), shape_of(plan, x));
}

xl_val xl_concat(struct xl_plan *plan, xl_val a, xl_val b) {
    struct xl_op op = {.kind = XL_OP_CONCAT, .in = {a, b}};
    if (!operand(plan, &op, 0, DENSE, ANY_SHAPE)) return 0;
    if (!operand(plan, &op, 1, DENSE, with_last(shape_of(plan, a), FREE))) return 0;
    int64_t c = xl_shape_last(shape_of(plan, a)) + xl_shape_last(shape_of(plan, b));
    return xl_plan_add_op(plan, &op, xl_plan_act_dtype(plan), with_last(shape_of(plan, a), c));
}

xl_val xl_embed(struct xl_plan *plan, xl_val ids, struct xl_embed attr) {
    xl_val table = attr.table, positions = attr.positions;
    struct xl_op op = {.kind = XL_OP_EMBED, .in = {ids, table, positions, attr.extra}};
    if (!operand(plan, &op, 0, INDEX, XL_SHAPE(FREE, FREE))) return 0;
    if (!operand(plan, &op, 1, CONSTANT, XL_SHAPE(FREE, FREE))) return 0;
    struct xl_shape shape = shape_of(plan, ids);
    int64_t c = shape_of(plan, table).dim[1];
    if (!operand(plan, &op, 2, CONSTANT, XL_SHAPE(FREE, c))) return 0;
    if (!optional(plan, &op, 3, F32, XL_SHAPE(FREE, c))) return 0;
    if (shape_of(plan, positions).dim[0] < shape.dim[1]) {
        char found[XL_VALUE_TEXT];
        return refuse(plan, XL_OP_EMBED, "positions is %s, expected a row for each of %lld tokens",
                      xl_plan_describe(plan, positions, found), (long long)shape.dim[1]);
    }
    return xl_plan_add_op(plan, &op, xl_plan_act_dtype(plan),
                          XL_SHAPE(shape.dim[0], shape.dim[1], c));
}

xl_val xl_sinusoid(struct xl_plan *plan, xl_val x, struct xl_sinusoid attr) {
    struct xl_op op = {.kind = XL_OP_SINUSOID, .in = {x}, .attr.sinusoid = attr};
    if (!operand(plan, &op, 0, F32, XL_SHAPE(FREE, FREE))) return 0;
    if (attr.dim < 2 || attr.dim % 2 || !(attr.freq_shift < attr.dim / 2))
        return refuse(plan, XL_OP_SINUSOID,
                      "dim %d with freq_shift %g, expected an even dim and a shift below dim / 2",
                      attr.dim, attr.freq_shift);
    struct xl_shape shape = shape_of(plan, x);
    if (shape.dim[1] > INT32_MAX / attr.dim)
        return refuse(plan, XL_OP_SINUSOID, "x has %lld numbers, too many for dim %d",
                      (long long)shape.dim[1], attr.dim);
    return xl_plan_add_op(plan, &op, xl_plan_act_dtype(plan),
                          with_last(shape, shape.dim[1] * attr.dim));
}

xl_val xl_pick_row(struct xl_plan *plan, xl_val x, xl_val index) {
    struct xl_op op = {.kind = XL_OP_PICK_ROW, .in = {x, index}};
    if (!operand(plan, &op, 0, DENSE, XL_SHAPE(FREE, FREE, FREE))) return 0;
    struct xl_shape shape = shape_of(plan, x);
    if (!operand(plan, &op, 1, INDEX, XL_SHAPE(shape.dim[0]))) return 0;
    return xl_plan_add_op(plan, &op, xl_plan_act_dtype(plan), XL_SHAPE(shape.dim[0], shape.dim[2]));
}

xl_val xl_cast(struct xl_plan *plan, xl_val x, enum xl_dtype dtype) {
    struct xl_op op = {.kind = XL_OP_CAST, .in = {x}};
    assert(is_float(dtype));
    if (!operand(plan, &op, 0, FLOAT, ANY_SHAPE)) return 0;
    return xl_plan_add_op(plan, &op, dtype, shape_of(plan, x));
}

/* --- The sampling loop, pictures and latents -------------------------------------------------- */

/* Operands i and i + 1: a table of steps, and the counter. */
static bool step_operands(struct xl_plan *plan, const struct xl_op *op, int i) {
    return operand(plan, op, i, F32, XL_SHAPE(FREE, XL_N_STEP_COLUMNS)) &&
           operand(plan, op, i + 1, COUNTER, XL_SHAPE(1));
}

xl_val xl_step_value(struct xl_plan *plan, xl_val steps, xl_val counter,
                     struct xl_step_value attr) {
    struct xl_op op = {.kind = XL_OP_STEP_VALUE, .in = {steps, counter}, .attr.step_value = attr};
    assert(attr.column < XL_N_STEP_COLUMNS);
    if (!step_operands(plan, &op, 0)) return 0;
    return xl_plan_add_op(plan, &op, XL_DTYPE_F32, XL_SHAPE(attr.n, 1));
}

xl_val xl_scale_input(struct xl_plan *plan, xl_val x, xl_val steps, xl_val counter, int repeat) {
    struct xl_op op = {.kind = XL_OP_SCALE_INPUT, .in = {x, steps, counter}, .attr.repeat = repeat};
    if (!operand(plan, &op, 0, F32, ANY_SHAPE) || !step_operands(plan, &op, 1)) return 0;
    struct xl_shape shape = shape_of(plan, x);
    shape.dim[0] *= repeat;
    return xl_plan_add_op(plan, &op, XL_DTYPE_F32, shape);
}

xl_val xl_guide(struct xl_plan *plan, xl_val out, xl_val params) {
    struct xl_op op = {.kind = XL_OP_GUIDE, .in = {out, params}};
    if (!operand(plan, &op, 0, F32, ANY_SHAPE) || !operand(plan, &op, 1, F32, XL_SHAPE(2)))
        return 0;
    struct xl_shape shape = shape_of(plan, out);
    if (shape.dim[0] % 2) {
        char found[XL_VALUE_TEXT];
        return refuse(plan, XL_OP_GUIDE, "out is %s, expected an even number of samples",
                      xl_plan_describe(plan, out, found));
    }
    shape.dim[0] /= 2;
    return xl_plan_add_op(plan, &op, XL_DTYPE_F32, shape);
}

/* Bits of xl_op.writes: from the names of the operands in XL_OP_LIST. */
enum {
    WRITES_SAVED = 1 << 2,
    WRITES_HISTORY = 1 << 3,
    WRITES_COUNTER = 1 << 6,
    WRITES_FLAG = 1 << 7
};

xl_val xl_sampler_step(struct xl_plan *plan, xl_val x, xl_val out, struct xl_sampler_step attr) {
    struct xl_op op = {
        .kind = XL_OP_SAMPLER_STEP,
        .in = {x, out, attr.saved, attr.history, attr.noise, attr.steps, attr.counter, attr.flag},
        .writes = WRITES_SAVED | WRITES_COUNTER | WRITES_FLAG,
    };
    if (!operand(plan, &op, 0, STATE, ANY_SHAPE)) return 0;
    struct xl_shape shape = shape_of(plan, x), rows = XL_SHAPE(FREE, xl_shape_count(shape));
    if (!operand(plan, &op, 1, F32, shape) || !operand(plan, &op, 2, STATE, shape) ||
        !optional(plan, &op, 3, STATE, rows) || !optional(plan, &op, 4, F32, rows) ||
        !step_operands(plan, &op, 5) || !operand(plan, &op, 7, COUNTER, XL_SHAPE(1)))
        return 0;
    if (attr.history) op.writes |= WRITES_HISTORY;
    return xl_plan_add_update(plan, &op, x);
}

xl_val xl_latents_affine(struct xl_plan *plan, xl_val x, xl_val params, enum xl_latents_way way) {
    struct xl_op op = {.kind = XL_OP_LATENTS_AFFINE, .in = {x, params}, .attr.way = way};
    if (!operand(plan, &op, 0, F32, ANY_SHAPE)) return 0;
    if (!operand(plan, &op, 1, F32, XL_SHAPE(2, xl_shape_last(shape_of(plan, x))))) return 0;
    return xl_plan_add_op(plan, &op, XL_DTYPE_F32, shape_of(plan, x));
}

xl_val xl_sample_latents(struct xl_plan *plan, xl_val moments, xl_val noise) {
    struct xl_op op = {.kind = XL_OP_SAMPLE_LATENTS, .in = {moments, noise}};
    if (!operand(plan, &op, 1, F32, ANY_SHAPE)) return 0;
    struct xl_shape shape = shape_of(plan, noise);
    if (!operand(plan, &op, 0, F32, with_last(shape, 2 * xl_shape_last(shape)))) return 0;
    return xl_plan_add_op(plan, &op, XL_DTYPE_F32, shape);
}

xl_val xl_from_rgb(struct xl_plan *plan, xl_val x) {
    struct xl_op op = {.kind = XL_OP_FROM_RGB, .in = {x}};
    if (!operand(plan, &op, 0, BYTES, ANY_SHAPE)) return 0;
    return xl_plan_add_op(plan, &op, XL_DTYPE_F32, shape_of(plan, x));
}

xl_val xl_to_rgb(struct xl_plan *plan, xl_val x, xl_val flag) {
    struct xl_op op = {.kind = XL_OP_TO_RGB, .in = {x, flag}, .writes = 1 << 1};
    if (!operand(plan, &op, 0, F32, ANY_SHAPE)) return 0;
    if (!operand(plan, &op, 1, COUNTER, XL_SHAPE(1))) return 0;
    return xl_plan_add_op(plan, &op, XL_DTYPE_U8, shape_of(plan, x));
}

/* --- Views ------------------------------------------------------------------------------------ */

/* The value that a view is asked of; NULL after recording why there can be none. */
static const struct xl_value *viewable(struct xl_plan *plan, const char *view, xl_val x) {
    if (xl_plan_failed(plan)) return NULL;
    assert(x >= 0 && x < xl_plan_n_values(plan));
    const struct xl_value *v = x ? xl_plan_value(plan, x) : NULL;
    if (v && v->kind != XL_VALUE_WEIGHT) return v;
    xl_plan_fail(plan, XL_EINTERNAL, "%s: x is %s", view, v ? "a weight" : "missing");
    return NULL;
}

xl_val xl_reshape(struct xl_plan *plan, xl_val x, struct xl_shape shape) {
    const struct xl_value *v = viewable(plan, "reshape", x);
    if (!v) return 0;
    if (!is_dense(v) || xl_shape_count(shape) != xl_shape_count(v->shape)) {
        char found[XL_VALUE_TEXT], wanted[XL_SHAPE_TEXT];
        xl_plan_fail(plan, XL_EFORMAT, "reshape: x is %s%s, expected as many numbers as in %s",
                     xl_plan_describe(plan, x, found), is_dense(v) ? "" : " (a slice)",
                     xl_shape_format(shape, wanted));
        return 0;
    }
    return xl_plan_add_view(plan, x, v->offset, shape, xl_shape_last(shape));
}

xl_val xl_slice(struct xl_plan *plan, xl_val x, int64_t first, int64_t n) {
    const struct xl_value *v = viewable(plan, "slice", x);
    if (!v) return 0;
    int64_t c = xl_shape_last(v->shape);
    if (first < 0 || n < 1 || n > c || first > c - n) {
        char found[XL_VALUE_TEXT];
        xl_plan_fail(plan, XL_EFORMAT, "slice: x is %s, which has no channels %lld to %lld",
                     xl_plan_describe(plan, x, found), (long long)first, (long long)(first + n));
        return 0;
    }
    struct xl_shape shape = with_last(v->shape, n);
    bool has_one_row = xl_shape_count(shape) == n;
    return xl_plan_add_view(plan, x, v->offset + first, shape, has_one_row ? n : v->row_stride);
}

/* Pairs of a query and a key that it sees. */
static double attention_pairs(int64_t tq, int64_t tk, bool causal) {
    if (!causal) return (double)tq * (double)tk;
    int64_t diagonal = tq < tk ? tq : tk;
    return (double)diagonal * (double)(diagonal + 1) / 2 + (double)(tq - diagonal) * (double)tk;
}

double xl_op_flops(const struct xl_plan *plan, const struct xl_op *op) {
    double n_out = (double)xl_shape_count(shape_of(plan, op->out));
    switch (op->kind) {
    case XL_OP_LINEAR:
        return 2 * n_out * (double)xl_shape_last(shape_of(plan, op->in[0]));
    case XL_OP_CONV2D: {
        struct xl_shape kernel = shape_of(plan, op->in[1]);
        return 2 * n_out * (double)(kernel.dim[1] * kernel.dim[2] * kernel.dim[3]);
    }
    case XL_OP_ATTENTION: {
        struct xl_shape q = shape_of(plan, op->in[0]);
        double pairs =
            attention_pairs(q.dim[1], shape_of(plan, op->in[1]).dim[1], op->attr.attention.causal);
        return 4 * (double)(q.dim[0] * q.dim[2]) * pairs;
    }
    default:
        return 0;
    }
}

double xl_plan_flops(const struct xl_plan *plan, enum xl_rate rate) {
    double flops = 0;
    for (int i = 0; i < xl_plan_n_ops(plan); i++)
        if (xl_plan_op(plan, i)->rate == rate) flops += xl_op_flops(plan, xl_plan_op(plan, i));
    return flops;
}
