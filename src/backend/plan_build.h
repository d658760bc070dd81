/* plan_build.h - what the constructors of ops (ops.c) need of a plan beyond plan.h. */
#ifndef XL_BACKEND_PLAN_BUILD_H
#define XL_BACKEND_PLAN_BUILD_H

#include "backend/ops.h"

/* Append a value of this shape seen in `base`, from element `offset` of base's own root on.
 * Returns 0 once the plan has failed. */
xl_val xl_plan_add_view(struct xl_plan *plan, xl_val base, int64_t offset, struct xl_shape shape,
                        int64_t row_stride);

/* Append an op, its operands being checked, and its result. The rates follow from the operands.
 * Returns 0 once the plan has failed. */
xl_val xl_plan_add_op(struct xl_plan *plan, const struct xl_op *op, enum xl_dtype dtype,
                      struct xl_shape shape);

/* Append an op that updates a state in place instead of having a result of its own. */
xl_val xl_plan_add_update(struct xl_plan *plan, const struct xl_op *op, xl_val state);

/* For messages: `"conv_in.weight" F16 [320, 4, 3, 3]`, without quotes when it has no name. */
enum { XL_VALUE_TEXT = 256 };
char *xl_plan_describe(const struct xl_plan *plan, xl_val value, char out[XL_VALUE_TEXT]);

#endif
