/* maker.h - what makes the operands of a case: random numbers, inputs, states, weights and what is
 * added to weights. Running out of memory fails the plan, and what depends on it is 0 or NULL.
 * Internal to this folder.
 */
#ifndef XL_TESTS_OP_MAKER_H
#define XL_TESTS_OP_MAKER_H

#include "op/op_case.h"

struct op_maker {
    struct op_instance *instance;
    const struct op_case *op_case;
    struct op_dtypes dtypes;
    bool with_doubles;
};

/* Uniform with this mean and standard deviation. */
struct op_spread {
    double mean, deviation;
};
extern const struct op_spread op_unit; /* 0, 1 */

/* --- operands.c --- */

uint64_t op_next_random(struct op_instance *instance);

/* From the instance's arena. */
void *op_allocate(struct op_maker *maker, size_t bytes);

/* n random numbers in dtype. */
void *op_random_numbers(struct op_maker *maker, enum xl_dtype dtype, int64_t n,
                        struct op_spread spread);

/* Where operand i lies in data: columns `first`.. of rows of `stride` numbers. */
struct op_window {
    const void *data;
    enum xl_dtype dtype;
    int64_t stride, first;
};
void op_keep_doubles(struct op_maker *maker, int i, struct xl_shape shape, struct op_window window);

/* data: written before each run. is_state: to a state. */
xl_val op_add_value(struct op_maker *maker, enum xl_dtype dtype, struct xl_shape shape,
                    const void *data, bool is_state);
xl_val op_add_input(struct op_maker *maker, enum xl_dtype dtype, struct xl_shape shape,
                    const void *data);

/* Operand i: a dense input of random numbers. */
xl_val op_activation(struct op_maker *maker, int i, struct xl_shape shape, struct op_spread spread);

/* Operand i: whole numbers in 0..limit-1, the first and the last among them. */
xl_val op_indices(struct op_maker *maker, int i, struct xl_shape shape, int64_t limit);

/* Operands i.. : n slices of one input, side by side, each of this shape. */
void op_slices(struct op_maker *maker, int i, int n, struct xl_shape shape, xl_val *out);

/* Operand i: a weight, in three tensors of unequal length when the case asks for parts, with deltas
 * when it asks for those. */
xl_val op_weight(struct op_maker *maker, int i, struct xl_shape shape, struct op_spread spread);

/* Weights no two of which in a program are the same. */
struct xl_weight_id op_new_id(void);

/* --- deltas.c --- */

/* Give a part deltas about as large as it is. doubles: of the part, which get them too; or NULL */
void op_add_deltas(struct op_maker *maker, struct xl_weight_part *part, struct op_spread spread,
                   double *doubles);

/* --- chain.c --- */

/* Operand 0 of linear and conv2d, after what the case has before the op; and what it has behind. */
xl_val op_before(struct op_maker *maker, struct xl_shape shape);
xl_val op_behind(struct op_maker *maker, xl_val y);

/* --- make.c --- */

/* The case's op on new operands; returns its result. */
xl_val op_make(struct op_maker *maker);

#endif
