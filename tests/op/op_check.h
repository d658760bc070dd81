/* op_check.h - a case of the table on one backend against the reference backend, or, at real sizes,
 * against the definition of a few of its rows. */
#ifndef XL_TESTS_OP_OP_CHECK_H
#define XL_TESTS_OP_OP_CHECK_H

#include "op/compare.h"
#include "op/op_case.h"

/* What may lie between a fast backend and the reference. is_f8: products are computed in F8 */
struct op_tolerance op_tolerance(const struct op_instance *instance, bool is_f8);

struct op_verdict {
    struct op_error error;
    bool agrees;
};

/* Run the case on the backend and compare. Errors: what building, compiling and running can say */
enum xl_status op_check(const struct op_case *op_case, struct op_dtypes dtypes,
                        struct xl_backend *backend, struct op_verdict *out,
                        struct xl_err *err) XL_CHECKED;

/* sampled.c: whether rows of the op's result can be had one by one (linear, conv2d, attention). */
bool op_has_rows(const struct op_instance *instance);
/* Row `row` (along the last axis) of the result in double; the instance has doubles.
 * out: [columns] */
void op_row(const struct op_instance *instance, int64_t row, double *out);

#endif
