/* plan.c - the container: values, ops, names, the first mistake. What an op may be is in ops.c. */
#include "backend/plan_build.h"

#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct xl_plan {
    struct xl_arena arena;
    enum xl_dtype act_dtype;
    struct xl_value *values; /* [0] is "none" */
    struct xl_op *ops;
    int n_values, values_capacity;
    int n_ops, ops_capacity;
    enum xl_status status; /* the first mistake, and its sentence */
    struct xl_err err;
    xl_val halt_flag;
    bool is_finished;
};

/* Far beyond any machine's memory, and far from overflow in a product with a dtype's size. */
static const int64_t MAX_ELEMENTS = INT64_C(1) << 48;

struct xl_plan *xl_plan_new(enum xl_dtype act_dtype) {
    assert(act_dtype == XL_DTYPE_F32 || act_dtype == XL_DTYPE_BF16 || act_dtype == XL_DTYPE_F16);
    struct xl_plan *plan = calloc(1, sizeof *plan);
    if (!plan) return NULL;
    plan->act_dtype = act_dtype;
    plan->n_values = 1;
    return plan;
}

void xl_plan_free(struct xl_plan *plan) {
    if (!plan) return;
    xl_arena_deinit(&plan->arena);
    free(plan);
}

void xl_plan_fail(struct xl_plan *plan, enum xl_status status, const char *format, ...) {
    if (plan->status) return;
    va_list args;
    va_start(args, format);
    char text[sizeof plan->err.text];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    plan->status = xl_fail(&plan->err, status, "%s", text);
}

bool xl_plan_failed(const struct xl_plan *plan) {
    return plan->status != XL_OK;
}

static void fail_nomem(struct xl_plan *plan) {
    if (!plan->status) plan->status = xl_fail_nomem(&plan->err, "the plan of a model", 0);
}

enum xl_status xl_plan_finish(struct xl_plan *plan, struct xl_err *err) {
    plan->is_finished = true;
    if (plan->status) return xl_fail(err, plan->status, "%s", plan->err.text);
    return XL_OK;
}

/* Room for one more item of an array in the arena: twice the size when full; the old one stays in
 * the arena, which at most doubles it. NULL when out of memory. */
static void *grow(struct xl_plan *plan, void *items, int n, int *capacity, size_t item_bytes) {
    if (n < *capacity) return items;
    int wanted = *capacity ? 2 * *capacity : 64;
    void *larger = xl_arena_alloc(&plan->arena, (size_t)wanted * item_bytes);
    if (!larger) {
        fail_nomem(plan);
        return NULL;
    }
    if (items) memcpy(larger, items, (size_t)*capacity * item_bytes);
    *capacity = wanted;
    return larger;
}

static bool is_possible_shape(struct xl_shape shape) {
    if (shape.rank < 1 || shape.rank > XL_MAX_RANK) return false;
    int64_t count = 1;
    for (int i = 0; i < shape.rank; i++) {
        if (shape.dim[i] < 1 || shape.dim[i] > MAX_ELEMENTS / count) return false;
        count *= shape.dim[i];
    }
    return true;
}

static xl_val add_value(struct xl_plan *plan, const struct xl_value *value) {
    assert(!plan->is_finished);
    if (plan->status) return 0;
    if (!is_possible_shape(value->shape)) {
        char text[XL_SHAPE_TEXT];
        xl_plan_fail(plan, XL_EINVAL, "%s%shas the impossible shape %s",
                     value->name ? value->name : "a value", value->name ? " " : " of the model ",
                     xl_shape_format(value->shape, text));
        return 0;
    }
    struct xl_value *values =
        grow(plan, plan->values, plan->n_values, &plan->values_capacity, sizeof *values);
    if (!values) return 0;
    plan->values = values;
    plan->values[plan->n_values] = *value;
    return plan->n_values++;
}

/* A copy of a name that no other value has; NULL after recording the failure. */
static const char *add_name(struct xl_plan *plan, const char *name) {
    if (plan->status) return NULL;
    if (xl_plan_find(plan, name)) {
        xl_plan_fail(plan, XL_EINTERNAL, "two values of a plan are named \"%s\"", name);
        return NULL;
    }
    const char *copy = xl_arena_strdup(&plan->arena, name);
    if (!copy) fail_nomem(plan);
    return copy;
}

xl_val xl_plan_input(struct xl_plan *plan, const char *name, enum xl_dtype dtype,
                     struct xl_shape shape, enum xl_rate rate) {
    struct xl_value value = {
        .kind = XL_VALUE_INPUT,
        .rate = rate,
        .dtype = dtype,
        .shape = shape,
        .row_stride = xl_shape_last(shape),
        .name = add_name(plan, name),
    };
    return add_value(plan, &value);
}

xl_val xl_plan_state(struct xl_plan *plan, const char *name, enum xl_dtype dtype,
                     struct xl_shape shape) {
    xl_val value = xl_plan_input(plan, name, dtype, shape, XL_PER_RUN);
    if (value) plan->values[value].kind = XL_VALUE_STATE;
    return value;
}

void xl_plan_halt(struct xl_plan *plan, xl_val flag) {
    if (plan->status) return;
    const struct xl_value *v = xl_plan_value(plan, flag);
    if (v->kind != XL_VALUE_STATE || v->dtype != XL_DTYPE_I32 || xl_shape_count(v->shape) != 1)
        xl_plan_fail(plan, XL_EINTERNAL, "\"%s\" cannot halt a plan",
                     v->name ? v->name : "a value");
    plan->halt_flag = flag;
}

xl_val xl_plan_halt_flag(const struct xl_plan *plan) {
    return plan->halt_flag;
}

/* Whether b may follow a in a concatenation along axis 0. */
static bool is_concatenable(const struct xl_tensor *a, const struct xl_tensor *b) {
    struct xl_shape shape = b->shape;
    if (shape.rank) shape.dim[0] = a->shape.dim[0];
    return xl_shape_equal(a->shape, shape);
}

/* Record why a part does not do, and return false. first: the first part of its weight */
static bool check_part(struct xl_plan *plan, const struct xl_weight_part *part,
                       const struct xl_tensor *first) {
    const struct xl_tensor *tensor = part->tensor;
    char text[XL_SHAPE_TEXT], found[XL_SHAPE_TEXT];
    if (!is_possible_shape(tensor->shape) || !is_concatenable(first, tensor)) {
        xl_plan_fail(plan, XL_EFORMAT, "weight \"%s\" is %s, which does not go with \"%s\", %s",
                     tensor->name, xl_shape_format(tensor->shape, found), first->name,
                     xl_shape_format(first->shape, text));
        return false;
    }
    for (int i = 0; i < part->n_deltas; i++) {
        const struct xl_delta *delta = &part->deltas[i];
        if (xl_delta_fits(delta, tensor->shape)) continue;
        xl_plan_fail(plan, XL_EFORMAT, "the delta with \"%s\" %s does not fit weight \"%s\", %s",
                     delta->a.down->name, xl_shape_format(delta->a.down->shape, found),
                     tensor->name, xl_shape_format(tensor->shape, text));
        return false;
    }
    return true;
}

xl_val xl_plan_weight(struct xl_plan *plan, const struct xl_weight_part *parts, int n) {
    assert(n >= 1 && n <= XL_MAX_PARTS);
    if (plan->status) return 0;
    const struct xl_tensor *first = parts[0].tensor;
    struct xl_value value = {
        .kind = XL_VALUE_WEIGHT,
        .rate = XL_PER_PROMPT,
        .dtype = first->dtype,
        .shape = first->shape,
        .row_stride = xl_shape_last(first->shape),
        .n_parts = n,
    };
    for (int i = 0; i < n; i++) {
        if (!check_part(plan, &parts[i], first)) return 0;
        value.parts[i] = parts[i];
        if (i) value.shape.dim[0] += parts[i].tensor->shape.dim[0];
    }
    if (value.shape.rank == 1) value.row_stride = value.shape.dim[0];
    return add_value(plan, &value);
}

/* splitmix64's finalizer (Steele, Lea, Flood 2014) */
static uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

/* 128 bits, each input bit of which reaches all others: among a million ids two are equal by chance
 * once in 10^26 times. */
static struct xl_weight_id mix_in(struct xl_weight_id id, uint64_t word) {
    uint64_t a = mix(id.word[0] ^ word), b = mix(id.word[1] + word + 0x9E3779B97F4A7C15U);
    return (struct xl_weight_id){{mix(a + b), mix(b ^ a * 3)}};
}

struct xl_weight_id xl_weight_id_of(struct xl_weight_id base, const char *name) {
    size_t left = strlen(name);
    base = mix_in(base, left);
    for (size_t n; left; left -= n, name += n) {
        uint64_t word = 0;
        n = left < sizeof word ? left : sizeof word;
        memcpy(&word, name, n);
        base = mix_in(base, word);
    }
    return base;
}

struct xl_weight_id xl_weight_part_id(const struct xl_weight_part *part) {
    struct xl_weight_id id = part->id;
    for (int i = 0; i < part->n_deltas; i++) {
        const struct xl_delta *delta = &part->deltas[i];
        uint32_t scale, strength;
        memcpy(&scale, &delta->scale, sizeof scale);
        memcpy(&strength, &delta->strength, sizeof strength);
        id = mix_in(id, delta->id.word[0]);
        id = mix_in(id, delta->id.word[1]);
        id = mix_in(id, (uint64_t)strength << 32 | scale);
        id = mix_in(id, (uint64_t)delta->kind << 1 | delta->is_by_column);
    }
    return id;
}

xl_val xl_plan_add_view(struct xl_plan *plan, xl_val base, int64_t offset, struct xl_shape shape,
                        int64_t row_stride) {
    if (plan->status) return 0;
    const struct xl_value *from = &plan->values[base];
    bool is_view = from->kind == XL_VALUE_VIEW;
    struct xl_value value = {
        .kind = XL_VALUE_VIEW,
        .rate = from->rate,
        .dtype = from->dtype,
        .shape = shape,
        .row_stride = row_stride,
        .base = is_view ? from->base : base,
        .offset = offset,
    };
    return add_value(plan, &value);
}

/* Returns out; 0 once the plan has failed. */
static xl_val append_op(struct xl_plan *plan, const struct xl_op *op, enum xl_rate rate,
                        xl_val out) {
    if (plan->status) return 0;
    struct xl_op *ops = grow(plan, plan->ops, plan->n_ops, &plan->ops_capacity, sizeof *ops);
    if (!ops) return 0;
    plan->ops = ops;
    plan->ops[plan->n_ops] = *op;
    plan->ops[plan->n_ops].rate = rate;
    plan->ops[plan->n_ops].out = out;
    plan->n_ops++;
    return out;
}

xl_val xl_plan_add_op(struct xl_plan *plan, const struct xl_op *op, enum xl_dtype dtype,
                      struct xl_shape shape) {
    if (plan->status) return 0;
    enum xl_rate rate = op->writes ? XL_PER_RUN : XL_PER_PROMPT;
    for (int i = 0; i < XL_MAX_OPERANDS; i++)
        if (op->in[i] && plan->values[op->in[i]].rate == XL_PER_RUN) rate = XL_PER_RUN;
    struct xl_value value = {
        .kind = XL_VALUE_RESULT,
        .rate = rate,
        .dtype = dtype,
        .shape = shape,
        .row_stride = xl_shape_last(shape),
    };
    xl_val out = add_value(plan, &value);
    return append_op(plan, op, rate, out);
}

xl_val xl_plan_add_update(struct xl_plan *plan, const struct xl_op *op, xl_val state) {
    if (plan->status) return 0;
    assert(plan->values[state].kind == XL_VALUE_STATE);
    return append_op(plan, op, XL_PER_RUN, state);
}

/* The value to name: itself, or a view of it when it already has a name. 0 once failed. */
static xl_val nameable(struct xl_plan *plan, xl_val value, const char *name) {
    assert(!plan->is_finished);
    if (plan->status) return 0;
    assert(value >= 0 && value < plan->n_values);
    const struct xl_value *v = &plan->values[value];
    if (!value || v->kind == XL_VALUE_WEIGHT) {
        xl_plan_fail(plan, XL_EINTERNAL, "\"%s\" names %s", name, value ? "a weight" : "no value");
        return 0;
    }
    if (!v->name) return value;
    return xl_plan_add_view(plan, value, v->offset, v->shape, v->row_stride);
}

void xl_plan_output(struct xl_plan *plan, xl_val value, const char *name) {
    value = nameable(plan, value, name);
    const char *copy = add_name(plan, name);
    if (!copy) return;
    plan->values[value].name = copy;
    plan->values[value].is_output = true;
}

void xl_plan_tap(struct xl_plan *plan, xl_val value, const char *format, ...) {
    char name[128];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    value = nameable(plan, value, name);
    const char *copy = add_name(plan, name);
    if (copy) plan->values[value].name = copy;
}

int xl_plan_n_values(const struct xl_plan *plan) {
    return plan->n_values;
}

const struct xl_value *xl_plan_value(const struct xl_plan *plan, xl_val value) {
    assert(value > 0 && value < plan->n_values);
    return &plan->values[value];
}

int xl_plan_n_ops(const struct xl_plan *plan) {
    return plan->n_ops;
}

const struct xl_op *xl_plan_op(const struct xl_plan *plan, int i) {
    assert(i >= 0 && i < plan->n_ops);
    return &plan->ops[i];
}

const struct xl_op *xl_plan_joined(const struct xl_plan *plan, const struct xl_op *op) {
    int after = (int)(op - plan->ops) + 1;
    const struct xl_op *next = after < plan->n_ops ? &plan->ops[after] : NULL;
    bool is_joined = next && op->kind == XL_OP_LINEAR && next->kind == XL_OP_GEGLU &&
                     next->in[0] == op->out && next->rate == op->rate;
    return is_joined ? next : NULL;
}

enum xl_dtype xl_plan_act_dtype(const struct xl_plan *plan) {
    return plan->act_dtype;
}

xl_val xl_plan_find(const struct xl_plan *plan, const char *name) {
    for (xl_val v = 1; v < plan->n_values; v++)
        if (plan->values[v].name && strcmp(plan->values[v].name, name) == 0) return v;
    return 0;
}

char *xl_plan_describe(const struct xl_plan *plan, xl_val value, char out[XL_VALUE_TEXT]) {
    const struct xl_value *v = xl_plan_value(plan, value);
    const char *name = v->kind == XL_VALUE_WEIGHT ? v->parts[0].tensor->name : v->name;
    char shape[XL_SHAPE_TEXT];
    xl_shape_format(v->shape, shape);
    if (name)
        snprintf(out, XL_VALUE_TEXT, "\"%.120s\" %s %s", name, xl_dtype_name(v->dtype), shape);
    else
        snprintf(out, XL_VALUE_TEXT, "%s %s", xl_dtype_name(v->dtype), shape);
    return out;
}
