/* ops.h - the ops: what a model may compute. Each is declared here once, computed plainly by
 * backend/reference/, and fast by the other backends.
 *
 * x: [..., c] means any leading axes ("rows") and c channels last. Results are dense. Operands are
 * dense unless the op says "may be a slice" (of the last axis, see xl_slice). Operands and results
 * have the plan's act_dtype unless said otherwise; weights (weight, bias, table, positions: made by
 * xl_plan_weight, and nothing else is) have any floating dtype. Sums, norms and softmax accumulate
 * in f32.
 */
#ifndef XL_BACKEND_OPS_H
#define XL_BACKEND_OPS_H

#include "backend/plan.h"

/* X(kind, suffix, operands...): the suffix names the op in messages, its kernel xl_ref_SUFFIX in
 * reference/ and its compilation xl_compile_SUFFIX in cpu/; the operands are the names, for
 * messages, of xl_op.in. */
#define XL_OP_LIST(X)                                                                              \
    X(XL_OP_LINEAR, linear, "x", "weight", "bias", "residual")                                     \
    X(XL_OP_CONV2D, conv2d, "x", "weight", "bias", "channel_bias", "residual")                     \
    X(XL_OP_GROUP_NORM, group_norm, "x", "weight", "bias")                                         \
    X(XL_OP_LAYER_NORM, layer_norm, "x", "weight", "bias")                                         \
    X(XL_OP_ATTENTION, attention, "q", "k", "v", "mask")                                           \
    X(XL_OP_GEGLU, geglu, "x")                                                                     \
    X(XL_OP_ACTIVATION, activation, "x")                                                           \
    X(XL_OP_CONCAT, concat, "a", "b")                                                              \
    X(XL_OP_EMBED, embed, "ids", "table", "positions", "extra")                                    \
    X(XL_OP_SINUSOID, sinusoid, "x")                                                               \
    X(XL_OP_PICK_ROW, pick_row, "x", "index")                                                      \
    X(XL_OP_CAST, cast, "x")                                                                       \
    X(XL_OP_STEP_VALUE, step_value, "steps", "counter")                                            \
    X(XL_OP_SCALE_INPUT, scale_input, "x", "steps", "counter")                                     \
    X(XL_OP_GUIDE, guide, "out", "params")                                                         \
    X(XL_OP_SAMPLER_STEP, sampler_step, "x", "out", "saved", "history", "noise", "steps",          \
      "counter", "flag")                                                                           \
    X(XL_OP_LATENTS_AFFINE, latents_affine, "x", "params")                                         \
    X(XL_OP_SAMPLE_LATENTS, sample_latents, "moments", "noise")                                    \
    X(XL_OP_FROM_RGB, from_rgb, "x")                                                               \
    X(XL_OP_TO_RGB, to_rgb, "x", "flag")

enum xl_op_kind {
#define X(kind, ...) kind,
    XL_OP_LIST(X)
#undef X
};

const char *xl_op_name(enum xl_op_kind kind);

enum xl_activation {
    XL_ACT_NONE,
    XL_ACT_SILU,       /* x * sigmoid(x) */
    XL_ACT_GELU,       /* x/2 * (1 + erf(x / sqrt(2))): the exact form */
    XL_ACT_QUICK_GELU, /* x * sigmoid(1.702 x) */
};

/* act(x W^T + bias) + residual */
struct xl_linear {
    xl_val weight;   /* [n, k], or [n, k, 1, 1]: a 1x1 convolution is the same product */
    xl_val bias;     /* [n] or none */
    xl_val residual; /* shape of the result, or none */
    enum xl_activation act;
    bool in_f8; /* a backend that can may round x and weight to 8 bits (E4M3), scaled */
};
/* x: [..., k] -> [..., n] */
xl_val xl_linear(struct xl_plan *plan, xl_val x, struct xl_linear attr);

/* conv(x) + bias + channel_bias + residual */
struct xl_conv2d {
    xl_val weight;       /* [o, c, kh, kw] */
    xl_val bias;         /* [o] or none */
    xl_val channel_bias; /* [n, o], added at every pixel (the time embedding), or none */
    xl_val residual;     /* shape of the result, or none */
    int stride;          /* 0 means 1 */
    int pad_top, pad_left, pad_bottom, pad_right;
    bool upsample; /* convolve the picture enlarged twice by nearest neighbour */
    /* With upsample: the enlarged picture's size, 2h or 2h - 1 (its last row is cut: the skip
     * connection of an odd size), likewise for the width. 0 means 2h, 2w. */
    int up_height, up_width;
    bool in_f8; /* as for linear */
};
/* x: [n, h, w, c] -> [n, h', w', o] */
xl_val xl_conv2d(struct xl_plan *plan, xl_val x, struct xl_conv2d attr);

/* act((x - mean) / sqrt(var + eps) * weight + bias), mean and var over a group of channels */
struct xl_group_norm {
    xl_val weight, bias; /* [c] */
    int groups;
    double eps;
    enum xl_activation act;
};
/* x: [n, ..., c] -> same */
xl_val xl_group_norm(struct xl_plan *plan, xl_val x, struct xl_group_norm attr);

struct xl_layer_norm {
    xl_val weight, bias; /* [c] */
    double eps;
};
/* x: [..., c] -> same, normalised along the last axis */
xl_val xl_layer_norm(struct xl_plan *plan, xl_val x, struct xl_layer_norm attr);

/* softmax(scale q k^T) v per head */
struct xl_attention {
    int heads;
    bool causal;  /* a query sees keys up to its own position */
    double scale; /* 0 means 1/sqrt(head size) */
    /* i32 [n, tk], or none: 0 hides a key from all queries of its sample. One that sees none gets
     * zeros. Rare, and slower. */
    xl_val mask;
};
/* q: [n, tq, heads*d], k, v: [n, tk, heads*d] -> [n, tq, heads*d]. q, k, v may be slices. */
xl_val xl_attention(struct xl_plan *plan, xl_val q, xl_val k, xl_val v, struct xl_attention attr);

/* x: [..., 2c] -> [..., c]: the first half times gelu (exact) of the second half */
xl_val xl_geglu(struct xl_plan *plan, xl_val x);

xl_val xl_activation(struct xl_plan *plan, xl_val x, enum xl_activation act);

/* a: [..., c1], b: [..., c2] -> [..., c1 + c2] */
xl_val xl_concat(struct xl_plan *plan, xl_val a, xl_val b);

/* ids: i32 [n, t], table: [vocab, c], positions: [>= t, c] -> [n, t, c]: table[id] + positions[t].
 * extra: f32 [m, c], an input, or none: what ids from vocab on mean. Ids outside of both are the
 * caller's bug: check before writing the input. */
struct xl_embed {
    xl_val table, positions, extra;
};
xl_val xl_embed(struct xl_plan *plan, xl_val ids, struct xl_embed attr);

/* Sinusoidal embedding. x: f32 [n, m] -> [n, m * dim]; for each number, with half = dim / 2 and
 * frequency f_i = 10000^(-i / (half - freq_shift)): [cos(x f_i)..., sin(x f_i)...], or the sines
 * first when sin_first. f_i and x f_i are rounded to f32.
 * Source: diffusers get_timestep_embedding */
struct xl_sinusoid {
    int dim;
    bool sin_first;
    double freq_shift;
};
xl_val xl_sinusoid(struct xl_plan *plan, xl_val x, struct xl_sinusoid attr);

/* x: [n, t, c], index: i32 [n] -> [n, c]: row index[i] of sample i */
xl_val xl_pick_row(struct xl_plan *plan, xl_val x, xl_val index);

/* The same numbers in another floating dtype. */
xl_val xl_cast(struct xl_plan *plan, xl_val x, enum xl_dtype dtype);

/* --- The sampling loop ------------------------------------------------------------------------
 * Steps are rows of a table (f32 [rows, XL_N_STEP_COLUMNS], an input), of which the counter (a
 * state, i32 [1]) names the one that this run makes. Everything is f32, whatever the act_dtype. */

enum { XL_HISTORY_SLOTS = 6 };

/* What a step adds up. */
enum xl_step_source {
    XL_SRC_X,               /* base_coef: the sample before the step */
    XL_SRC_BASE = XL_SRC_X, /* coef: the base in its place */
    XL_SRC_SAVED,
    XL_SRC_OUT, /* the model's output itself */
    XL_SRC_NOISE,
    XL_SRC_HISTORY, /* + slot */
    XL_N_SOURCES = XL_SRC_HISTORY + XL_HISTORY_SLOTS,
};

/* A row of the table. Whole numbers are exact in f32. */
enum xl_step_column {
    XL_STEP_TIMESTEP,
    XL_STEP_INPUT_SCALE,
    XL_STEP_CONVERT_X, /* m = convert_x * x + convert_out * out ... */
    XL_STEP_CONVERT_OUT,
    XL_STEP_CLIP,       /* ... clamped to +-clip; 0: not */
    XL_STEP_STORE_SLOT, /* history slot that receives m; -1: m is not needed */
    XL_STEP_NOISE_ROW,  /* of the noise; -1: none */
    XL_STEP_BASE_COEF,  /* + source */
    XL_STEP_COEF = XL_STEP_BASE_COEF + XL_N_SOURCES,
    XL_N_STEP_COLUMNS = XL_STEP_COEF + XL_N_SOURCES,
};

/* One number of the step, n times: f32 [n, 1] */
struct xl_step_value {
    enum xl_step_column column;
    int n;
};
xl_val xl_step_value(struct xl_plan *plan, xl_val steps, xl_val counter, struct xl_step_value attr);

/* x: [b, ...] times the step's input scale, `repeat` times one after the other:
 * [repeat * b, ...] */
xl_val xl_scale_input(struct xl_plan *plan, xl_val x, xl_val steps, xl_val counter, int repeat);

/* Classifier-free guidance. out: [2b, ...], unguided before guided -> [b, ...]
 *   y = u + scale * (g - u), then of each sample rescale * (y * std(g) / std(y)) + (1 - rescale) *
 * y params: f32 [2], scale and rescale. Standard deviations in double, of a sample (n - 1). Source:
 * Lin et al. 2023, "Common Diffusion Noise Schedules and Sample Steps are Flawed", 3.4 */
xl_val xl_guide(struct xl_plan *plan, xl_val out, xl_val params);

/* One step of any sampler (sampler/sampler.h says how a table comes about):
 *   m = convert_x * x + convert_out * out, clamped; history[store_slot] = m
 *   saved = sum of base_coef[i] * source i; x = sum of coef[i] * source i, with saved for x
 * Sums in double, in order of the sources, those with coefficient 0 left out.
 * Then the counter goes up by one. When x holds a number that is none and the flag was 0, it
 * becomes 1 + this step. Returns x. */
struct xl_sampler_step {
    xl_val saved;          /* state, shape of x */
    xl_val history;        /* state, f32 [slots, numbers of x]; none if no step stores */
    xl_val noise;          /* f32 [rows, numbers of x]; none if no step draws */
    xl_val steps, counter; /* the counter is updated */
    xl_val flag;           /* state, i32 [1] */
};
/* x: state; out: shape of x */
xl_val xl_sampler_step(struct xl_plan *plan, xl_val x, xl_val out, struct xl_sampler_step attr);

/* --- Pictures and latents: f32, whatever the act_dtype ------------------------------------------
 */

enum xl_latents_way {
    XL_LATENTS_TO_UNET, /* (x - shift) * scale */
    XL_LATENTS_TO_VAE,  /* x / scale + shift */
};
/* x: [..., c]; params: f32 [2, c], shift and scale of each channel */
xl_val xl_latents_affine(struct xl_plan *plan, xl_val x, xl_val params, enum xl_latents_way way);

/* A sample of what the VAE's encoder found: mean + exp(logvar / 2) * noise, logvar clamped to
 * -30..20. moments: [..., 2c], means before logarithms of variances; noise: [..., c] -> [..., c] */
xl_val xl_sample_latents(struct xl_plan *plan, xl_val moments, xl_val noise);

/* Bytes to -1..1: 2 * (x / 255) - 1. x: U8 -> f32 */
xl_val xl_from_rgb(struct xl_plan *plan, xl_val x);
/* And back, clamped, halves to the even byte, as diffusers does it. A number that is none becomes 0
 * and sets the flag (state, i32 [1]) to 1. x: f32 -> U8 */
xl_val xl_to_rgb(struct xl_plan *plan, xl_val x, xl_val flag);

/* Views: no op, no copy. */
xl_val xl_reshape(struct xl_plan *plan, xl_val x, struct xl_shape shape);  /* x dense */
xl_val xl_slice(struct xl_plan *plan, xl_val x, int64_t first, int64_t n); /* of the last axis */

/* One op of a plan, as backends see it. */
enum { XL_MAX_OPERANDS = 8 };

struct xl_op {
    enum xl_op_kind kind;
    enum xl_rate rate;          /* XL_PER_PROMPT: part of the prologue */
    xl_val out;                 /* its own, or a state that it updates */
    xl_val in[XL_MAX_OPERANDS]; /* as XL_OP_LIST names them; 0: none */
    unsigned writes;            /* bit i: in[i] is a state that it updates, too */
    /* With defaults filled in: conv2d has a stride and up_height, up_width (h, w without upsample),
     * attention a scale. */
    union {
        struct xl_linear linear;
        struct xl_conv2d conv2d;
        struct xl_group_norm group_norm;
        struct xl_layer_norm layer_norm;
        struct xl_attention attention;
        struct xl_sinusoid sinusoid;
        struct xl_step_value step_value;
        int repeat; /* scale_input */
        enum xl_latents_way way;
        enum xl_activation act;
    } attr;
};

/* Multiplications and additions of products (linear, conv2d, attention); 0 for the other ops. */
double xl_op_flops(const struct xl_plan *plan, const struct xl_op *op);
/* Floating-point operations of one run, or of the prologue (multiply and add count as two). */
double xl_plan_flops(const struct xl_plan *plan, enum xl_rate rate);

#endif
