/* test_ops_cpu.c - the CPU backend, with the kernels for this CPU and with the plain ones, against
 * the reference; and against itself with other numbers of threads. */
#include "backend/cpu/cpu.h"
#include "op/op_case.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may lie between the two backends, as ||cpu - reference|| / ||reference||.
 *
 * f32: the reference sums in double; sums of up to some thousand products in f32, in any order,
 * stay within 1e-6; exp, erf and sigmoid by polynomials add about as much. Attention: a score of
 * 150 has an error of 1e-5 in f32, and exp makes that relative. Sinusoids: an angle of 1000 has an
 * error of 3e-5 when it is rounded to f32 after another order of operations.
 *
 * bf16: both round their result once (relative 2^-8 at most, 1.7e-3 on average); where both start
 * from the same f32 value they agree but for rare ties. Products take their weights in bf16, so an
 * f32 or f16 weight is rounded once more (on average 1.7e-3 again, and sums keep that ratio);
 * attention also rounds its probabilities. An f16 result of cast is exact in both. */
static double tolerance(const struct op_instance *instance) {
    enum xl_op_kind kind = instance->op->kind;
    bool is_bf16 = xl_plan_act_dtype(instance->plan) == XL_DTYPE_BF16;
    bool is_product = kind == XL_OP_LINEAR || kind == XL_OP_CONV2D || kind == XL_OP_ATTENTION;
    if (is_bf16) return is_product ? 0x1p-7 : 0x1p-8;
    if (kind == XL_OP_SINUSOID) return 1e-4;
    return kind == XL_OP_ATTENTION ? 2e-5 : 5e-6;
}

static struct op_instance *make(const struct op_case *op_case, struct op_dtypes dtypes) {
    struct xl_err err = {0};
    struct op_instance *instance = NULL;
    cr_assert(!op_instance_new(op_case, dtypes, false, &instance, &err), "%s", err.text);
    return instance;
}

enum { REFERENCE = 0, PLAIN = -1 }; /* in place of a number of threads */

static enum xl_status open_backend(int n_threads, struct xl_backend **out, struct xl_err *err) {
    static const struct xl_cpu_isa plain = {XL_VECTOR_GENERIC, false, false};
    if (n_threads == REFERENCE) return xl_backend_reference(out, err);
    if (n_threads == PLAIN) return xl_backend_cpu_isa(2, plain, out, err);
    return xl_backend_cpu(n_threads, out, err);
}

/* The result as bytes; caller: free. A backend of its own for each run: backends know weights by
 * their addresses, and the next case may have others there. */
static void *run(struct op_instance *instance, int n_threads, const char *name) {
    struct xl_err err = {0};
    struct xl_backend *backend = NULL;
    void *out = malloc(op_instance_out_bytes(instance));
    cr_assert(out);
    cr_assert(!open_backend(n_threads, &backend, &err));
    cr_assert(!op_instance_run(instance, backend, out, &err), "%s: %s", name, err.text);
    xl_backend_free(backend);
    return out;
}

static double *to_doubles(const struct op_instance *instance, const void *data) {
    int64_t n = xl_shape_count(instance->out_shape);
    float *f32 = calloc((size_t)n, sizeof *f32);
    double *doubles = calloc((size_t)n, sizeof *doubles);
    cr_assert(f32 && doubles);
    xl_convert(f32, XL_DTYPE_F32, data, instance->out_dtype, n);
    for (int64_t i = 0; i < n; i++) doubles[i] = (double)f32[i];
    free(f32);
    return doubles;
}

/* n_threads: 2 or PLAIN; expected: by the reference */
static void compare(struct op_instance *instance, int n_threads, const double *expected,
                    const char *name) {
    void *out = run(instance, n_threads, name);
    double error =
        op_relative_error(out, instance->out_dtype, expected, xl_shape_count(instance->out_shape));
    cr_expect(error <= tolerance(instance), "%s%s: relative error %.3g", name,
              n_threads == PLAIN ? ", plain kernels" : "", error);
    free(out);
}

static void check(const struct op_case *op_case, struct op_dtypes dtypes) {
    char text[OP_CASE_TEXT], name[OP_CASE_TEXT + 64];
    snprintf(name, sizeof name, "%s, weights %s, activations %s", op_case_name(op_case, text),
             xl_dtype_name(dtypes.weight), xl_dtype_name(dtypes.act));
    struct op_instance *instance = make(op_case, dtypes);
    void *expected = run(instance, REFERENCE, name);
    double *doubles = to_doubles(instance, expected);
    compare(instance, 2, doubles, name);
    compare(instance, PLAIN, doubles, name);
    free(doubles);
    free(expected);
    op_instance_free(instance);
}

static void check_kind(enum xl_op_kind kind) {
    static const enum xl_dtype acts[] = {XL_DTYPE_F32, XL_DTYPE_BF16};
    static const enum xl_dtype weights[] = {XL_DTYPE_F32, XL_DTYPE_F16, XL_DTYPE_BF16};
    for (int i = 0; i < n_op_cases; i++) {
        if (op_cases[i].op.kind != kind || op_cases[i].with & BENCH) continue;
        for (int act = 0; act < 2; act++)
            for (int weight = 0; weight < 3; weight++)
                check(&op_cases[i], (struct op_dtypes){acts[act], weights[weight]});
    }
}

#define X(kind, ...)                                                                               \
    Test(ops_cpu, kind) {                                                                          \
        check_kind(kind);                                                                          \
    }
XL_OP_LIST(X)
#undef X

/* Results do not depend on the number of threads: neither on how many there are nor on which of
 * them does what. */
static void check_same_bytes(const struct op_case *op_case, enum xl_dtype act) {
    static const int n_threads[] = {2, 8};
    char name[OP_CASE_TEXT];
    op_case_name(op_case, name);
    struct op_instance *instance = make(op_case, (struct op_dtypes){act, XL_DTYPE_F32});
    void *one = run(instance, 1, name);
    for (int i = 0; i < 2; i++) {
        void *more = run(instance, n_threads[i], name);
        cr_expect(memcmp(one, more, op_instance_out_bytes(instance)) == 0,
                  "%s in %s: %d threads give other bytes than one", name, xl_dtype_name(act),
                  n_threads[i]);
        free(more);
    }
    free(one);
    op_instance_free(instance);
}

static void check_threads(enum xl_dtype act) {
    for (int i = 0; i < n_op_cases; i++)
        if (!(op_cases[i].with & BENCH)) check_same_bytes(&op_cases[i], act);
}

Test(ops_cpu, same_bytes_f32) {
    check_threads(XL_DTYPE_F32);
}
Test(ops_cpu, same_bytes_bf16) {
    check_threads(XL_DTYPE_BF16);
}
