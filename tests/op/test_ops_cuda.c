/* test_ops_cuda.c - the GPU backend against the reference, where there is a GPU. */
#include "op/op_check.h"

#include <criterion/criterion.h>

static void check(const struct op_case *op_case, struct op_dtypes dtypes,
                  struct xl_backend *backend) {
    char name[OP_CASE_TEXT];
    struct xl_err err = {0};
    struct op_verdict verdict;
    op_case_name(op_case, name);
    cr_assert(!op_check(op_case, dtypes, backend, &verdict, &err), "%s: %s", name, err.text);
    cr_expect(verdict.agrees, "%s, weights %s, activations %s: " OP_ERROR, name,
              xl_dtype_name(dtypes.weight), xl_dtype_name(dtypes.act),
              OP_ERROR_ARGS(verdict.error));
}

static void check_kind(enum xl_op_kind kind) {
    static const enum xl_dtype dtypes[] = {XL_DTYPE_F32, XL_DTYPE_F16, XL_DTYPE_BF16};
    struct xl_backend *backend = NULL;
    struct xl_err err = {0};
    if (xl_backend_cuda(0, &backend, &err)) cr_skip_test("no GPU: %s", err.text);
    for (int i = 0; i < n_op_cases; i++) {
        if (op_cases[i].op.kind != kind || op_cases[i].with & REAL) continue;
        for (int act = 0; act < 3; act++)
            for (int weight = 0; weight < 3; weight++)
                check(&op_cases[i], (struct op_dtypes){dtypes[act], dtypes[weight]}, backend);
    }
    xl_backend_free(backend);
}

#define X(kind, ...)                                                                               \
    Test(ops_cuda, kind) {                                                                         \
        check_kind(kind);                                                                          \
    }
XL_OP_LIST(X)
#undef X
