/* op_check.c - runs a case on two backends, or on one and by its definition, and compares. */
#include "op/op_check.h"

#include <stdlib.h>
#include <string.h>

/* As a whole, and for the worst number beside its row.
 *
 * f32: the reference sums in double; sums of up to some thousand products in f32, in any order,
 * stay within 1e-6; exp, erf and sigmoid by polynomials add about as much. A mean far from zero
 * costs norms four bits more. Attention: a score of 150 has an error of 1e-5 in f32, and exp makes
 * that relative. Sinusoids: an angle of 1000 has an error of 3e-5 when it is rounded to f32 after
 * another order of operations. The worst of some 10,000 numbers is five to ten times as far off as
 * they are on average.
 *
 * bf16: both round their result once (relative 2^-8 at most, 1.7e-3 on average); where both start
 * from the same f32 value they agree but for rare ties. Products take their weights in bf16, so an
 * f32 or f16 weight is rounded once more (on average 1.7e-3 again, and sums keep that ratio);
 * attention also rounds its probabilities. An f16 result of cast is exact in both. The worst number
 * is off by one unit of the last place, 2^-7, and four times as large as its row is on average.
 *
 * f16: the same with three bits more. Numbers of these cases lie far within its range.
 *
 * F8: numbers with 3 bits behind the first are rounded by up to 2^-4 of themselves, 2.6 % on
 * average, x and weight alike: 3.7 % of a sum.
 *
 * Chained ops may round what is between them once more or not at all, and what follows makes the
 * worst number up to four times worse; GEGLU multiplies two of them. */
struct op_tolerance op_tolerance(const struct op_instance *instance, bool is_f8) {
    enum xl_op_kind kind = instance->op->kind;
    double more = xl_plan_n_ops(instance->plan) > 1 ? 4 : 1;
    if (is_f8) return (struct op_tolerance){0.06, 0.5};
    enum xl_dtype act = xl_plan_act_dtype(instance->plan);
    bool is_product = kind == XL_OP_LINEAR || kind == XL_OP_CONV2D || kind == XL_OP_ATTENTION;
    if (act == XL_DTYPE_BF16)
        return (struct op_tolerance){is_product ? 0x1p-7 : 0x1p-8, more * 0x1p-5};
    if (act == XL_DTYPE_F16)
        return (struct op_tolerance){is_product ? 0x1p-10 : 0x1p-11, more * 0x1p-8};
    if (kind == XL_OP_SINUSOID) return (struct op_tolerance){1e-4, 3e-4};
    if (kind == XL_OP_ATTENTION) return (struct op_tolerance){2e-5, 1e-4};
    return (struct op_tolerance){5e-6, 2e-5};
}

static enum xl_status compare_to_reference(struct op_instance *instance, const void *out,
                                           struct op_error *error, struct xl_err *err) {
    struct xl_backend *reference = NULL;
    void *expected = malloc(op_instance_out_bytes(instance));
    double *doubles = NULL;
    enum xl_status status = XL_ENOMEM;
    if (expected) status = xl_backend_reference(&reference, err);
    if (!status) status = op_instance_run(instance, reference, expected, err);
    if (!status) {
        doubles = op_doubles(expected, instance->out_dtype, xl_shape_count(instance->out_shape));
        if (!doubles) status = XL_ENOMEM;
    }
    if (!status) *error = op_compare(out, instance->out_dtype, doubles, instance->out_shape);
    free(doubles);
    free(expected);
    xl_backend_free(reference);
    return status;
}

/* Some rows from the first to the last, corners of pictures among them. */
enum { N_SAMPLED = 8 };

static enum xl_status compare_rows(const struct op_instance *instance, const char *out,
                                   struct op_error *error, struct xl_err *err) {
    int64_t columns = xl_shape_last(instance->out_shape);
    int64_t rows = xl_shape_count(instance->out_shape) / columns;
    size_t row_bytes = (size_t)columns * xl_dtype_size(instance->out_dtype);
    double *expected = calloc((size_t)(N_SAMPLED * columns), sizeof *expected);
    char *found = malloc(N_SAMPLED * row_bytes);
    if (expected && found) {
        for (int i = 0; i < N_SAMPLED; i++) {
            int64_t row = i * (rows - 1) / (N_SAMPLED - 1);
            op_row(instance, row, expected + i * columns);
            memcpy(found + (size_t)i * row_bytes, out + (size_t)row * row_bytes, row_bytes);
        }
        *error = op_compare(found, instance->out_dtype, expected, XL_SHAPE(N_SAMPLED, columns));
    }
    bool ok = expected && found;
    free(expected);
    free(found);
    return ok ? XL_OK : xl_fail_nomem(err, "rows of an op", 0);
}

/* Whether the backend is to compute the case in F8. */
static bool is_in_f8(const struct op_case *op_case, struct op_dtypes dtypes,
                     const struct xl_backend *backend) {
    bool is_sixteens = xl_shape_last(op_case->x) % 16 == 0 && op_case->y.dim[0] % 16 == 0;
    return op_case->with & IN_F8 && is_sixteens && dtypes.act != XL_DTYPE_F32 &&
           !xl_backend_check_f8(backend, NULL);
}

/* What is as exact as with 16 bits was not computed in F8. */
static bool judge(struct op_error error, const struct op_instance *instance, bool is_f8) {
    return op_agrees(error, op_tolerance(instance, is_f8)) && (!is_f8 || error.norm > 0.005);
}

enum xl_status op_check(const struct op_case *op_case, struct op_dtypes dtypes,
                        struct xl_backend *backend, struct op_verdict *out, struct xl_err *err) {
    struct op_instance *instance = NULL;
    bool is_real = op_case->with & REAL;
    enum xl_status status = op_instance_new(op_case, dtypes, is_real, &instance, err);
    if (status) return status;
    void *result = malloc(op_instance_out_bytes(instance));
    struct op_verdict verdict = {.agrees = false};
    status = result ? op_instance_run(instance, backend, result, err)
                    : xl_fail_nomem(err, "an op's result", op_instance_out_bytes(instance));
    if (!status)
        status = is_real && op_has_rows(instance)
                     ? compare_rows(instance, result, &verdict.error, err)
                     : compare_to_reference(instance, result, &verdict.error, err);
    if (!status) {
        verdict.agrees = judge(verdict.error, instance, is_in_f8(op_case, dtypes, backend));
        *out = verdict;
    }
    free(result);
    op_instance_free(instance);
    return status;
}
