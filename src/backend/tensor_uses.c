/* tensor_uses.c - a sorted list of tensors, each with its last reader. */
#include "backend/tensor_uses.h"

#include <stdlib.h>

enum { UNREAD = -1 };

struct xl_tensor_use {
    const struct xl_tensor *tensor;
    int last; /* reader */
};

static int compare_uses(const void *a, const void *b) {
    uintptr_t x = (uintptr_t)((const struct xl_tensor_use *)a)->tensor;
    uintptr_t y = (uintptr_t)((const struct xl_tensor_use *)b)->tensor;
    return x < y ? -1 : x > y;
}

enum xl_status xl_tensor_uses_init(const struct xl_plan *plan,
                                   const struct xl_compile_options *options,
                                   struct xl_tensor_uses *out, struct xl_err *err) {
    size_t n = 0, capacity = (size_t)xl_plan_n_values(plan) * XL_MAX_PARTS;
    struct xl_tensor_use *uses = calloc(capacity, sizeof *uses);
    *out = (struct xl_tensor_uses){uses, 0, options};
    if (!uses) return xl_fail_nomem(err, "packed weights", capacity * sizeof *uses);
    for (xl_val v = 1; v < xl_plan_n_values(plan); v++)
        for (int i = 0; i < xl_plan_value(plan, v)->n_parts; i++)
            uses[n++] = (struct xl_tensor_use){xl_plan_value(plan, v)->parts[i].tensor, UNREAD};
    qsort(uses, n, sizeof *uses, compare_uses);
    for (size_t i = 0; i < n; i++)
        if (!out->n || uses[out->n - 1].tensor != uses[i].tensor) uses[out->n++] = uses[i];
    return XL_OK;
}

void xl_tensor_uses_deinit(struct xl_tensor_uses *uses) {
    free(uses->uses);
}

void xl_tensor_uses_mark(struct xl_tensor_uses *uses, const struct xl_value *weight, int number) {
    for (int part = 0; part < weight->n_parts; part++) {
        struct xl_tensor_use key = {weight->parts[part].tensor, 0};
        struct xl_tensor_use *use = bsearch(&key, uses->uses, uses->n, sizeof key, compare_uses);
        if (use) use->last = number;
    }
}

void xl_tensor_uses_report(const struct xl_tensor_uses *uses, int first, int last) {
    const struct xl_compile_options *options = uses->options;
    for (size_t i = 0; options->weight_done && i < uses->n; i++)
        if (uses->uses[i].last >= first && uses->uses[i].last < last)
            options->weight_done(options->user, uses->uses[i].tensor);
}

void xl_tensor_uses_report_unread(const struct xl_tensor_uses *uses) {
    xl_tensor_uses_report(uses, UNREAD, UNREAD + 1);
}
