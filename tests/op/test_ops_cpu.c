/* test_ops_cpu.c - the CPU backend against the reference, and against itself with other numbers of
 * threads: with the kernels of every instruction set up to the best that this CPU has. oneDNN is
 * held to the same set by its own environment variable, which it reads once a process; Criterion
 * runs each test in a process of its own. */
#include "backend/cpu/cpu.h"
#include "op/op_check.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct isa {
    const char *name;
    struct xl_cpu_isa isa;
    const char *onednn;
};
static const struct isa isa_generic = {"generic", {XL_VECTOR_GENERIC, false, false}, "SSE41"};
static const struct isa isa_avx2 = {"AVX2", {XL_VECTOR_AVX2, false, false}, "AVX2"};
static const struct isa isa_avx512 = {"AVX-512", {XL_VECTOR_AVX512, false, false}, "AVX512_CORE"};
static const struct isa isa_bf16 = {"BF16", {XL_VECTOR_AVX512, true, false}, "AVX512_CORE_BF16"};
static const struct isa isa_amx = {"AMX", {XL_VECTOR_AVX512, true, true}, "AVX512_CORE_AMX"};

/* For the life of this process, which has asked nothing of oneDNN yet. */
static void limit_to(const struct isa *wanted) {
    struct xl_cpu_isa has = xl_cpu_isa_detect(), isa = wanted->isa;
    if (isa.vector > has.vector || isa.has_bf16 > has.has_bf16 || isa.has_amx > has.has_amx)
        cr_skip_test("this CPU has no %s", wanted->name);
    setenv("ONEDNN_MAX_CPU_ISA", wanted->onednn, 1);
}

static struct op_instance *make(const struct op_case *op_case, struct op_dtypes dtypes) {
    struct xl_err err = {0};
    struct op_instance *instance = NULL;
    cr_assert(!op_instance_new(op_case, dtypes, false, &instance, &err), "%s", err.text);
    return instance;
}

/* The result as bytes; caller: free. isa: NULL is the reference */
static void *run(struct op_instance *instance, const struct isa *isa, int n_threads,
                 const char *name) {
    struct xl_err err = {0};
    struct xl_backend *backend = NULL;
    void *out = malloc(op_instance_out_bytes(instance));
    cr_assert(out);
    cr_assert(!(isa ? xl_backend_cpu_isa(n_threads, isa->isa, &backend, &err)
                    : xl_backend_reference(&backend, &err)));
    cr_assert(!op_instance_run(instance, backend, out, &err), "%s: %s", name, err.text);
    xl_backend_free(backend);
    return out;
}

static void check(const struct op_case *op_case, struct op_dtypes dtypes, const struct isa *isa) {
    struct xl_err err = {0};
    struct xl_backend *backend = NULL;
    struct op_verdict verdict;
    char text[OP_CASE_TEXT];
    cr_assert(!xl_backend_cpu_isa(2, isa->isa, &backend, &err));
    cr_assert(!op_check(op_case, dtypes, backend, &verdict, &err), "%s: %s",
              op_case_name(op_case, text), err.text);
    cr_expect(verdict.agrees, "%s, weights %s, activations %s, %s: " OP_ERROR,
              op_case_name(op_case, text), xl_dtype_name(dtypes.weight), xl_dtype_name(dtypes.act),
              isa->name, OP_ERROR_ARGS(verdict.error));
    xl_backend_free(backend);
}

static void check_kind(enum xl_op_kind kind, const struct isa *isa) {
    static const enum xl_dtype acts[] = {XL_DTYPE_F32, XL_DTYPE_BF16};
    static const enum xl_dtype weights[] = {XL_DTYPE_F32, XL_DTYPE_F16, XL_DTYPE_BF16};
    limit_to(isa);
    for (int i = 0; i < n_op_cases; i++) {
        if (op_cases[i].op.kind != kind || op_cases[i].with & REAL) continue;
        for (int act = 0; act < 2; act++)
            for (int weight = 0; weight < 3; weight++)
                if (op_case_takes(i, act, weight))
                    check(&op_cases[i], (struct op_dtypes){acts[act], weights[weight]}, isa);
    }
}

#define X(kind, ...)                                                                               \
    Test(ops_generic, kind) {                                                                      \
        check_kind(kind, &isa_generic);                                                            \
    }                                                                                              \
    Test(ops_avx2, kind) {                                                                         \
        check_kind(kind, &isa_avx2);                                                               \
    }                                                                                              \
    Test(ops_avx512, kind) {                                                                       \
        check_kind(kind, &isa_avx512);                                                             \
    }                                                                                              \
    Test(ops_bf16, kind) {                                                                         \
        check_kind(kind, &isa_bf16);                                                               \
    }                                                                                              \
    Test(ops_amx, kind) {                                                                          \
        check_kind(kind, &isa_amx);                                                                \
    }
XL_OP_LIST(X)
#undef X

/* Results do not depend on the number of threads: neither on how many there are nor on which of
 * them does what. */
static void check_same_bytes(const struct op_case *op_case, enum xl_dtype act,
                             const struct isa *isa) {
    static const int n_threads[] = {2, 8};
    char name[OP_CASE_TEXT];
    op_case_name(op_case, name);
    struct op_instance *instance = make(op_case, (struct op_dtypes){act, XL_DTYPE_F32});
    void *one = run(instance, isa, 1, name);
    for (int i = 0; i < 2; i++) {
        void *more = run(instance, isa, n_threads[i], name);
        cr_expect(memcmp(one, more, op_instance_out_bytes(instance)) == 0,
                  "%s in %s: %d threads give other bytes than one", name, xl_dtype_name(act),
                  n_threads[i]);
        free(more);
    }
    free(one);
    op_instance_free(instance);
}

static void check_threads(const struct isa *isa) {
    limit_to(isa);
    for (int i = 0; i < n_op_cases; i++) {
        if (op_cases[i].with & REAL) continue;
        check_same_bytes(&op_cases[i], XL_DTYPE_F32, isa);
        check_same_bytes(&op_cases[i], XL_DTYPE_BF16, isa);
    }
}

Test(ops_generic, same_bytes) {
    check_threads(&isa_generic);
}
Test(ops_avx2, same_bytes) {
    check_threads(&isa_avx2);
}
Test(ops_avx512, same_bytes) {
    check_threads(&isa_avx512);
}
Test(ops_bf16, same_bytes) {
    check_threads(&isa_bf16);
}
Test(ops_amx, same_bytes) {
    check_threads(&isa_amx);
}

/* --- The comparison itself ------------------------------------------------------------------- */

struct picked {
    struct op_instance *instance;
    uint16_t *out; /* bf16 */
    double *expected;
    int64_t n, columns;
};

static bool agrees(const struct picked *p) {
    struct op_error error = op_compare(p->out, XL_DTYPE_BF16, p->expected, p->instance->out_shape);
    return op_agrees(error, op_tolerance(p->instance, false));
}

/* The result of the largest convolution of the tests, in bf16, as it should be. */
static struct picked pick(void) {
    const struct op_case *largest = &op_cases[0];
    for (int i = 0; i < n_op_cases; i++)
        if (op_cases[i].op.kind == XL_OP_CONV2D && !(op_cases[i].with & REAL) &&
            op_cases[i].y.dim[0] > largest->y.dim[0])
            largest = &op_cases[i];
    struct picked p = {.instance = make(largest, (struct op_dtypes){XL_DTYPE_BF16, XL_DTYPE_BF16})};
    p.out = run(p.instance, NULL, 1, "the largest convolution");
    p.n = xl_shape_count(p.instance->out_shape);
    p.expected = op_doubles(p.out, XL_DTYPE_BF16, p.n);
    cr_assert(p.expected);
    p.columns = xl_shape_last(p.instance->out_shape);
    cr_assert(p.n > 400000 && agrees(&p));
    return p;
}

static void drop(struct picked *p) {
    free(p->out);
    free(p->expected);
    op_instance_free(p->instance);
}

/* Makes numbers first, first + step, ... wrong by as much as numbers are on average (1), sees that
 * it shows, and puts them right again. */
static void expect_bite(struct picked *p, int64_t first, int64_t step, int64_t n,
                        const char *what) {
    for (int64_t i = first; n > 0; i += step, n--)
        p->out[i] = xl_f32_to_bf16((float)p->expected[i] + 1);
    cr_expect(!agrees(p), "%s may be wrong", what);
    for (int64_t i = first; i < p->n; i += step) p->out[i] = xl_f32_to_bf16((float)p->expected[i]);
    cr_expect(agrees(p));
}

Test(op_compare, one_wrong_number_in_half_a_million) {
    struct picked p = pick();
    expect_bite(&p, 0, 1, 1, "the first number");
    expect_bite(&p, p.n / 3, 1, 1, "a number");
    expect_bite(&p, p.n - 1, 1, 1, "the last number");
    expect_bite(&p, 77 * p.columns, 1, p.columns, "a row");
    expect_bite(&p, 123, p.columns, p.n / p.columns, "a column");
    drop(&p);
}

/* What is not there at all: zeros, and what is no number. */
Test(op_compare, zeros_and_nan) {
    struct picked p = pick();
    int64_t at = p.n / 2;
    while (fabs(p.expected[at]) < 0.1) at++;
    p.out[at] = 0;
    cr_expect(!agrees(&p), "a number may be left out");
    p.out[at] = xl_f32_to_bf16(NAN);
    cr_expect(!agrees(&p), "a number may be none");
    drop(&p);
}
