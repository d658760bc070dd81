/* threads_ops.c - every op of the table on the CPU backend with more threads than one: the bytes
 * are those of one thread. Prints "N passed, N failed". */
#include "backend/cpu/cpu.h"
#include "op/op_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The result; caller: free. NULL after printing why. A backend of its own: backends know weights by
 * their addresses. */
static void *run(const struct op_case *op_case, enum xl_dtype act, int n_threads, size_t *bytes) {
    struct xl_err err = {0};
    struct op_instance *instance = NULL;
    struct xl_backend *backend = NULL;
    struct op_dtypes dtypes = {act, XL_DTYPE_F32};
    void *out = NULL;
    enum xl_status status = op_instance_new(op_case, dtypes, false, &instance, &err);
    if (!status) status = xl_backend_cpu(n_threads, &backend, &err);
    if (!status) {
        *bytes = op_instance_out_bytes(instance);
        out = malloc(*bytes);
        status = out ? op_instance_run(instance, backend, out, &err) : XL_ENOMEM;
    }
    if (status) {
        printf("%s\n", err.text);
        free(out);
        out = NULL;
    }
    xl_backend_free(backend);
    op_instance_free(instance);
    return out;
}

static bool is_same(const struct op_case *op_case, enum xl_dtype act) {
    size_t bytes = 0;
    void *one = run(op_case, act, 1, &bytes), *four = run(op_case, act, 4, &bytes);
    bool same = one && four && memcmp(one, four, bytes) == 0;
    free(one);
    free(four);
    return same;
}

int main(void) {
    int passed = 0, failed = 0;
    for (int i = 0; i < n_op_cases; i++) {
        if (op_cases[i].with & REAL) continue;
        for (int bf16 = 0; bf16 < 2; bf16++) {
            char name[OP_CASE_TEXT];
            if (is_same(&op_cases[i], bf16 ? XL_DTYPE_BF16 : XL_DTYPE_F32)) {
                passed++;
                continue;
            }
            failed++;
            printf("FAIL %s in %s\n", op_case_name(&op_cases[i], name), bf16 ? "bf16" : "f32");
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
