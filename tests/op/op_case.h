/* op_case.h - a case of the table made real: a plan of one op (or with its neighbours) with random
 * operands, ready to run on any backend. */
#ifndef XL_TESTS_OP_OP_CASE_H
#define XL_TESTS_OP_OP_CASE_H

#include "backend/backend.h"
#include "base/arena.h"
#include "op/cases.h"

/* An operand as numbers, dense, exactly as backends get it (after rounding to its dtype). */
struct op_operand {
    struct xl_shape shape;
    double *x;
};

struct op_instance {
    struct xl_arena arena; /* of everything below but the plan */
    struct xl_plan *plan;
    const struct xl_op *op; /* the case's, among others where it is chained */
    struct {
        xl_val value;
        const void *data;
        bool is_table; /* of steps: rows and slots, which NaN are none */
    } inputs[XL_MAX_OPERANDS];
    int n_inputs;
    struct op_operand in[XL_MAX_OPERANDS];
    xl_val out;
    enum xl_dtype out_dtype;
    struct xl_shape out_shape;
    uint64_t random; /* state of the generator */
};

struct op_dtypes {
    enum xl_dtype act, weight;
};

/* The same case and dtypes give the same numbers. with_doubles: fill in `in` (tests of the
 * reference; a waste in benchmarks). Caller: op_instance_free.
 * Errors: what building a plan can say; XL_ENOMEM */
enum xl_status op_instance_new(const struct op_case *op_case, struct op_dtypes dtypes,
                               bool with_doubles, struct op_instance **out,
                               struct xl_err *err) XL_CHECKED;
void op_instance_free(struct op_instance *instance);

/* Compile for a backend and write the inputs. Caller: xl_exec_free. */
enum xl_status op_instance_compile(struct op_instance *instance, struct xl_backend *backend,
                                   struct xl_exec **out, struct xl_err *err) XL_CHECKED;

/* Run once on NaN and once on the inputs. The first run leaves NaN in all memory of the executable,
 * scratch memory too, so that an element that is read before it is written shows.
 * out: out_shape in out_dtype */
enum xl_status op_instance_run(struct op_instance *instance, struct xl_backend *backend, void *out,
                               struct xl_err *err) XL_CHECKED;

size_t op_instance_out_bytes(const struct op_instance *instance);

/* Whether case `number` is tried with these of three kinds of activations and of weights: all of
 * them; under AddressSanitizer, which looks at memory and takes its time, one kind of weights each,
 * in turn. */
static inline bool op_case_takes(int number, int act, int weight) {
#ifdef __SANITIZE_ADDRESS__
    return (number + act) % 3 == weight;
#else
    (void)number, (void)act, (void)weight;
    return true;
#endif
}

#endif
