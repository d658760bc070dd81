/* test_ops_reference.c - the reference backend against each op's definition in double. */
#include "op/naive.h"
#include "op/op_check.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* Results are computed in double and rounded once: half a unit of the last place, 2^-24 in f32,
 * 2^-8 in bf16, 2^-11 in f16, for each number; the worst one is at most eight times as large as its
 * row is on average. The frequencies of sinusoids come from expf, one unit of the last place beside
 * those from pow, and timesteps of 1000 amplify that. */
static struct op_tolerance tolerance(enum xl_op_kind kind, enum xl_dtype out_dtype) {
    if (out_dtype == XL_DTYPE_BF16) return (struct op_tolerance){0x1p-8, 0x1p-5};
    if (out_dtype == XL_DTYPE_F16) return (struct op_tolerance){0x1p-11, 0x1p-8};
    /* Two roundings more than the definition in double, one of them of exp. */
    if (kind == XL_OP_SAMPLE_LATENTS) return (struct op_tolerance){0x1p-23, 0x1p-20};
    if (kind == XL_OP_SINUSOID) return (struct op_tolerance){1e-4, 3e-4};
    return (struct op_tolerance){0x1p-24, 0x1p-21};
}

static void check(const struct op_case *op_case, struct op_dtypes dtypes,
                  struct xl_backend *backend) {
    struct xl_err err = {0};
    char name[OP_CASE_TEXT];
    op_case_name(op_case, name);
    struct op_instance *instance = NULL;
    cr_assert(!op_instance_new(op_case, dtypes, true, &instance, &err), "%s: %s", name, err.text);
    int64_t n = xl_shape_count(instance->out_shape);
    void *out = malloc(op_instance_out_bytes(instance));
    double *expected = calloc((size_t)n, sizeof *expected);
    cr_assert(out && expected && naive_run(instance, expected));
    cr_assert(!op_instance_run(instance, backend, out, &err), "%s: %s", name, err.text);
    struct op_error error = op_compare(out, instance->out_dtype, expected, instance->out_shape);
    cr_expect(op_agrees(error, tolerance(op_case->op.kind, instance->out_dtype)),
              "%s, weights %s, activations %s: " OP_ERROR, name, xl_dtype_name(dtypes.weight),
              xl_dtype_name(dtypes.act), OP_ERROR_ARGS(error));
    free(out);
    free(expected);
    op_instance_free(instance);
}

static void check_kind(enum xl_op_kind kind) {
    static const enum xl_dtype acts[] = {XL_DTYPE_F32, XL_DTYPE_BF16, XL_DTYPE_F16};
    static const enum xl_dtype weights[] = {XL_DTYPE_F32, XL_DTYPE_F16, XL_DTYPE_BF16};
    struct xl_backend *backend = NULL;
    cr_assert(!xl_backend_reference(&backend, NULL));
    int n_checked = 0;
    for (int i = 0; i < n_op_cases; i++) {
        if (op_cases[i].op.kind != kind || op_cases[i].with & (REAL | CHAINED)) continue;
        for (int act = 0; act < 3; act++)
            for (int weight = 0; weight < 3; weight++)
                if (op_case_takes(i, act, weight))
                    check(&op_cases[i], (struct op_dtypes){acts[act], weights[weight]}, backend);
        n_checked++;
    }
    cr_expect(n_checked > 0, "no case for %s in the table", xl_op_name(kind));
    xl_backend_free(backend);
}

#define X(kind, ...)                                                                               \
    Test(ops_reference, kind) {                                                                    \
        check_kind(kind);                                                                          \
    }
XL_OP_LIST(X)
#undef X

/* Rows one by one (sampled.c) are those of the whole result: two definitions, both in double. */
static void check_rows(const struct op_case *op_case) {
    struct xl_err err = {0};
    char name[OP_CASE_TEXT];
    struct op_instance *instance = NULL;
    struct op_dtypes dtypes = {XL_DTYPE_F32, XL_DTYPE_F32};
    cr_assert(!op_instance_new(op_case, dtypes, true, &instance, &err), "%s", err.text);
    int64_t n = xl_shape_count(instance->out_shape), columns = xl_shape_last(instance->out_shape);
    double *expected = calloc((size_t)n, sizeof *expected);
    double *row = calloc((size_t)columns, sizeof *row);
    cr_assert(expected && row && naive_run(instance, expected));
    bool agrees = true;
    for (int64_t i = 0; i < n; i += columns) {
        op_row(instance, i / columns, row);
        for (int64_t j = 0; j < columns; j++) agrees &= fabs(row[j] - expected[i + j]) < 1e-9;
    }
    cr_expect(agrees, "%s", op_case_name(op_case, name));
    free(row);
    free(expected);
    op_instance_free(instance);
}

Test(op_check, rows) {
    for (int i = 0; i < n_op_cases; i++) {
        enum xl_op_kind kind = op_cases[i].op.kind;
        if (op_cases[i].with & (REAL | CHAINED)) continue;
        if (kind == XL_OP_LINEAR || kind == XL_OP_CONV2D || kind == XL_OP_ATTENTION)
            check_rows(&op_cases[i]);
    }
}
