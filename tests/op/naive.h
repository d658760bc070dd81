/* naive.h - each op once more, straight from its definition: the oracle of the reference backend.
 * In double, on whole arrays, and by other ways than backend/reference/ takes. */
#ifndef XL_TESTS_OP_NAIVE_H
#define XL_TESTS_OP_NAIVE_H

#include "op/op_case.h"

/* out: as many numbers as instance->out_shape has. False when out of memory. */
bool naive_run(const struct op_instance *instance, double *out);

#endif
