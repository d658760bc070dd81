/* plan.h - a plan: a flat list of ops over values with fixed shapes. The contract between the
 * model sources, which build plans, and the backends, which compile and run them.
 *
 * Building is straight-line: an op's constructor (ops.h) appends the op and returns its result. The
 * first mistake (a missing weight, shapes that do not fit) is kept in the plan, later constructors
 * do nothing, and xl_plan_finish reports it. A plan borrows its weight tensors and deltas: they
 * must outlive the compilation of the plan, not its runs.
 *
 * Values that depend only on PER_PROMPT inputs (and weights) form the prologue: a backend computes
 * them when such an input was written since the last run, and keeps them.
 */
#ifndef XL_BACKEND_PLAN_H
#define XL_BACKEND_PLAN_H

#include "tensor/tensor.h"

/* Who a tensor is, wherever it lies: backends know the weights that they hold by it. The caller
 * makes it from what tells files apart (a digest), and the tensor's name. */
struct xl_weight_id {
    uint64_t word[2];
};

/* The id of what is called `name` in what has the id `base`. */
struct xl_weight_id xl_weight_id_of(struct xl_weight_id base, const char *name);

/* A matrix in f32, from tensors whose numbers lie row by row: up @ down. up NULL: `down` itself.
 * With `mid` (Tucker's form) the right half is made first:
 * sum over q of mid[p, q, tap] down[q, c], as [p, (c, tap)]. */
struct xl_factor {
    const struct xl_tensor *up;   /* [rows, r], or [rows, r, 1, 1] */
    const struct xl_tensor *mid;  /* [r, q, taps...] */
    const struct xl_tensor *down; /* [r, length...], or [q, c] before a mid */
};

/* What is added to a weight W, seen as a matrix [o, length]: scale T, where T is */
enum xl_delta_kind {
    XL_DELTA_PLAIN,     /* a (LoRA; a whole difference) */
    XL_DELTA_HADAMARD,  /* a times b, number by number (LoHa) */
    XL_DELTA_KRONECKER, /* T[i, j] = a[i / b.rows, j / b.length] b[i % b.rows, j % b.length] (LoKr)
                         */
};

/* With a magnitude m (DoRA) it is strength (F (W + scale T) - W) instead, where F is m over the
 * length of each row of W + scale T, or of each column c with all its taps. Lengths are those with
 * FLT_EPSILON added. W is always the weight as it lies: deltas do not see each other. All of it in
 * f32, before the weight is packed. */
struct xl_delta {
    enum xl_delta_kind kind;
    struct xl_factor a, b;
    float scale;
    const struct xl_tensor *magnitude; /* [o], or by columns [c], of any rank; NULL: none */
    bool is_by_column;
    float strength;
    struct xl_weight_id id; /* of all tensors; the rest is seen to by xl_weight_part_id */
};

/* Sizes of a factor. rows 0: its tensors do not go together. */
struct xl_factor_size {
    int64_t rows, r, length; /* r: 0 without an up */
    int64_t q, c, taps;      /* of a mid; else 0 */
};
struct xl_factor_size xl_factor_size(const struct xl_factor *factor);
/* Whether the delta is one of a weight of this shape. */
bool xl_delta_fits(const struct xl_delta *delta, struct xl_shape shape);

/* One tensor of a weight, with what is added to it. */
struct xl_weight_part {
    const struct xl_tensor *tensor;
    struct xl_weight_id id;
    const struct xl_delta *deltas; /* [n_deltas], or NULL */
    int n_deltas;
};

/* The id of a part as it is packed, deltas included. */
struct xl_weight_id xl_weight_part_id(const struct xl_weight_part *part);

/* A value of a plan, by index. 0 is "none": optional operands of ops default to it. */
typedef int xl_val;

enum xl_value_kind {
    XL_VALUE_INPUT,  /* written by the caller before a run */
    XL_VALUE_WEIGHT, /* constant: `parts`, concatenated along axis 0 */
    XL_VALUE_RESULT, /* computed by the op that has it as `out` */
    /* Kept from run to run: written by the caller before the first one, like an input, and updated
     * in place by the ops that say so. */
    XL_VALUE_STATE,
    XL_VALUE_VIEW, /* the elements of `base` seen otherwise; no memory of its own */
};

enum xl_rate { XL_PER_RUN, XL_PER_PROMPT };

enum { XL_MAX_PARTS = 3 };

struct xl_value {
    enum xl_value_kind kind;
    enum xl_rate rate; /* how often it changes; XL_PER_PROMPT for weights */
    enum xl_dtype dtype;
    struct xl_shape shape;
    /* Elements from one row (the last axis) to the next; equals the last dimension except in a
     * slice of the last axis. */
    int64_t row_stride;
    xl_val base;    /* VIEW: the value that has the memory (never itself a view) */
    int64_t offset; /* VIEW: first element, counted in elements of base */
    struct xl_weight_part parts[XL_MAX_PARTS];
    int n_parts;
    bool is_output;   /* kept until the end of the run, readable by the caller */
    const char *name; /* inputs, states, outputs and taps; else NULL */
};

struct xl_plan; /* opaque */
struct xl_op;   /* ops.h */

/* act_dtype: dtype of every computed value unless an op says otherwise (F32, BF16 or
 * F16).
 * NULL when out of memory. */
struct xl_plan *xl_plan_new(enum xl_dtype act_dtype);
void xl_plan_free(struct xl_plan *plan);

xl_val xl_plan_input(struct xl_plan *plan, const char *name, enum xl_dtype dtype,
                     struct xl_shape shape, enum xl_rate rate);
xl_val xl_plan_state(struct xl_plan *plan, const char *name, enum xl_dtype dtype,
                     struct xl_shape shape);
/* n tensors of one dtype and shape but for axis 0, concatenated along axis 0 (QKV in one product).
 * parts: copied, but for what they point at. */
xl_val xl_plan_weight(struct xl_plan *plan, const struct xl_weight_part *parts, int n);
void xl_plan_output(struct xl_plan *plan, xl_val value, const char *name);
/* Runs in a row end early, with the run or a later one that finds this state (i32 [1]) not 0. */
void xl_plan_halt(struct xl_plan *plan, xl_val flag);
/* Name a value for parity tests. Costs nothing unless the plan is compiled with keep_taps. */
void xl_plan_tap(struct xl_plan *plan, xl_val value, const char *format, ...) XL_PRINTF(3, 4);

/* Record a mistake found while building (the first one stays). */
void xl_plan_fail(struct xl_plan *plan, enum xl_status status, const char *format, ...)
    XL_PRINTF(3, 4);
/* True once a mistake was recorded. */
bool xl_plan_failed(const struct xl_plan *plan);

/* Call when the last op is in; the plan is read-only from here on.
 * Errors: the first mistake recorded; XL_ENOMEM */
enum xl_status xl_plan_finish(struct xl_plan *plan, struct xl_err *err) XL_CHECKED;

/* For backends and tests. Values are 1 .. xl_plan_n_values - 1. */
int xl_plan_n_values(const struct xl_plan *plan);
const struct xl_value *xl_plan_value(const struct xl_plan *plan, xl_val value);
int xl_plan_n_ops(const struct xl_plan *plan);
const struct xl_op *xl_plan_op(const struct xl_plan *plan, int i);
/* The op right after this one, if a backend may compute both as one: a linear's result is its first
 * operand, and it is a GEGLU. NULL: none */
const struct xl_op *xl_plan_joined(const struct xl_plan *plan, const struct xl_op *op);
enum xl_dtype xl_plan_act_dtype(const struct xl_plan *plan);
xl_val xl_plan_halt_flag(const struct xl_plan *plan); /* 0: none */
/* The input, output or tap of that name; 0 when there is none. */
xl_val xl_plan_find(const struct xl_plan *plan, const char *name);

/* Where each value lives in one block of memory. Values share memory when their lives do not
 * overlap; inputs, states, outputs, kept taps and prologue results used by the main part never
 * share. */
struct xl_layout {
    size_t total_bytes;
    size_t *offset; /* by value; views point into their base; weights have none (0) */
};

enum { XL_LAYOUT_ALIGN = 64 };

/* What is kept longer than it is read. */
struct xl_layout_keeps {
    bool taps;
    bool joined; /* what an op reads until the one that is joined to it is done */
};

/* Caller: xl_layout_deinit. Errors: XL_ENOMEM */
enum xl_status xl_plan_layout(const struct xl_plan *plan, struct xl_layout_keeps keeps,
                              struct xl_layout *out, struct xl_err *err) XL_CHECKED;
void xl_layout_deinit(struct xl_layout *layout);

#endif
