/* test_ops_cpu.c - the CPU backend against the reference, and against itself with other numbers of
 * threads: with the kernels of every instruction set up to the best that this CPU has. oneDNN is
 * held to the same set by its own environment variable, which it reads once a process; Criterion
 * runs each test in a process of its own. */
#include "backend/cpu/cpu.h"
#include "op/compare.h"
#include "op/op_case.h"

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

/* What may lie between the two backends: as a whole, and for the worst number beside its row.
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
 * is off by one unit of the last place, 2^-7, and four times as large as its row is on average. */
static struct op_tolerance tolerance(const struct op_instance *instance) {
    enum xl_op_kind kind = instance->op->kind;
    bool is_bf16 = xl_plan_act_dtype(instance->plan) == XL_DTYPE_BF16;
    bool is_product = kind == XL_OP_LINEAR || kind == XL_OP_CONV2D || kind == XL_OP_ATTENTION;
    if (is_bf16) return (struct op_tolerance){is_product ? 0x1p-7 : 0x1p-8, 0x1p-5};
    if (kind == XL_OP_SINUSOID) return (struct op_tolerance){1e-4, 3e-4};
    if (kind == XL_OP_ATTENTION) return (struct op_tolerance){2e-5, 1e-4};
    return (struct op_tolerance){5e-6, 2e-5};
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

static double *to_doubles(const struct op_instance *instance, const void *data) {
    int64_t n = xl_shape_count(instance->out_shape);
    double *doubles = calloc((size_t)n, sizeof *doubles);
    cr_assert(doubles);
    for (int64_t i = 0; i < n; i++) doubles[i] = op_number(data, instance->out_dtype, i);
    return doubles;
}

static void check(const struct op_case *op_case, struct op_dtypes dtypes, const struct isa *isa) {
    char text[OP_CASE_TEXT], name[OP_CASE_TEXT + 64];
    snprintf(name, sizeof name, "%s, weights %s, activations %s, %s", op_case_name(op_case, text),
             xl_dtype_name(dtypes.weight), xl_dtype_name(dtypes.act), isa->name);
    struct op_instance *instance = make(op_case, dtypes);
    void *expected = run(instance, NULL, 1, name), *out = run(instance, isa, 2, name);
    double *doubles = to_doubles(instance, expected);
    struct op_error error = op_compare(out, instance->out_dtype, doubles, instance->out_shape);
    cr_expect(op_agrees(error, tolerance(instance)), "%s: " OP_ERROR, name, OP_ERROR_ARGS(error));
    free(doubles);
    free(out);
    free(expected);
    op_instance_free(instance);
}

static void check_kind(enum xl_op_kind kind, const struct isa *isa) {
    static const enum xl_dtype acts[] = {XL_DTYPE_F32, XL_DTYPE_BF16};
    static const enum xl_dtype weights[] = {XL_DTYPE_F32, XL_DTYPE_F16, XL_DTYPE_BF16};
    limit_to(isa);
    for (int i = 0; i < n_op_cases; i++) {
        if (op_cases[i].op.kind != kind || op_cases[i].with & BENCH) continue;
        for (int act = 0; act < 2; act++)
            for (int weight = 0; weight < 3; weight++)
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
        if (op_cases[i].with & BENCH) continue;
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
    return op_agrees(error, tolerance(p->instance));
}

/* The result of the largest convolution of the tests, in bf16, as it should be. */
static struct picked pick(void) {
    const struct op_case *largest = &op_cases[0];
    for (int i = 0; i < n_op_cases; i++)
        if (op_cases[i].op.kind == XL_OP_CONV2D && !(op_cases[i].with & BENCH) &&
            op_cases[i].y.dim[0] > largest->y.dim[0])
            largest = &op_cases[i];
    struct picked p = {.instance = make(largest, (struct op_dtypes){XL_DTYPE_BF16, XL_DTYPE_BF16})};
    p.out = run(p.instance, NULL, 1, "the largest convolution");
    p.expected = to_doubles(p.instance, p.out);
    p.n = xl_shape_count(p.instance->out_shape);
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
