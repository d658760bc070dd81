/* leave.c - who reads which value of a plan, and what was left of it. */
#include "backend/cuda/leave.h"

#include <stdlib.h>

struct use {
    int n_reads;
    const struct xl_op *reader; /* the last one */
    struct xl_cuda_left left;
};

struct xl_cuda_uses {
    struct use *of; /* by value */
};

static xl_val root_of(const struct xl_plan *plan, xl_val value) {
    const struct xl_value *v = xl_plan_value(plan, value);
    return v->kind == XL_VALUE_VIEW ? v->base : value;
}

static void count_reads(const struct xl_plan *plan, const struct xl_op *op, struct use *of) {
    for (int i = 0; i < XL_MAX_OPERANDS; i++) {
        if (!op->in[i]) continue;
        struct use *use = &of[root_of(plan, op->in[i])];
        use->n_reads++;
        use->reader = op;
    }
}

enum xl_status xl_cuda_uses_new(const struct xl_plan *plan, bool keeps_taps,
                                struct xl_cuda_uses **out, struct xl_err *err) {
    struct xl_cuda_uses *uses = calloc(1, sizeof *uses);
    int n = xl_plan_n_values(plan);
    if (uses) uses->of = calloc((size_t)n, sizeof *uses->of);
    if (!uses || !uses->of) {
        free(uses);
        return xl_fail_nomem(err, "the readers of values", 0);
    }
    for (int i = 0; i < xl_plan_n_ops(plan); i++) count_reads(plan, xl_plan_op(plan, i), uses->of);
    for (xl_val v = 1; v < n; v++) {
        const struct xl_value *value = xl_plan_value(plan, v);
        if (value->is_output || (keeps_taps && value->name)) uses->of[root_of(plan, v)].n_reads++;
    }
    *out = uses;
    return XL_OK;
}

void xl_cuda_uses_free(struct xl_cuda_uses *uses) {
    if (uses) free(uses->of);
    free(uses);
}

const struct xl_op *xl_cuda_only_reader_of(const struct xl_cuda_compiler *c,
                                           const struct xl_op *op) {
    const struct use *use = &c->uses->of[op->out];
    bool is_one = xl_plan_value(c->plan, op->out)->kind == XL_VALUE_RESULT && use->n_reads == 1 &&
                  use->reader && use->reader->in[0] == op->out && use->reader->rate == op->rate;
    return is_one ? use->reader : NULL;
}

const struct xl_op *xl_cuda_only_reader(const struct xl_cuda_compiler *c) {
    return xl_cuda_only_reader_of(c, c->op);
}

void xl_cuda_leave(const struct xl_cuda_compiler *c, struct xl_cuda_left left) {
    c->uses->of[c->op->out].left = left;
}

struct xl_cuda_left xl_cuda_left(const struct xl_cuda_compiler *c) {
    return c->uses->of[root_of(c->plan, c->op->in[0])].left;
}
