/* test_runs.c - runs in a row: states from run to run, hooks, the halt flag, and numbers copied
 * from one executable to another; on every backend. */
#include "backend/backend.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = 5, STEPS = 4 };

/* A plan of one step: x goes up by the step's factor times `out`. */
struct adder {
    struct xl_plan *plan;
    struct xl_exec *exec;
    xl_val x, out, steps, counter, flag;
};

static void adder_init(struct adder *a, struct xl_backend *backend) {
    struct xl_plan *plan = a->plan = xl_plan_new(XL_DTYPE_F32);
    struct xl_shape table = XL_SHAPE(STEPS, XL_N_STEP_COLUMNS);
    a->x = xl_plan_state(plan, "x", XL_DTYPE_F32, XL_SHAPE(N));
    a->out = xl_plan_input(plan, "out", XL_DTYPE_F32, XL_SHAPE(N), XL_PER_RUN);
    a->steps = xl_plan_input(plan, "steps", XL_DTYPE_F32, table, XL_PER_PROMPT);
    a->counter = xl_plan_state(plan, "counter", XL_DTYPE_I32, XL_SHAPE(1));
    a->flag = xl_plan_state(plan, "flag", XL_DTYPE_I32, XL_SHAPE(1));
    struct xl_sampler_step attr = {.steps = a->steps, .counter = a->counter, .flag = a->flag};
    attr.saved = xl_plan_state(plan, "saved", XL_DTYPE_F32, XL_SHAPE(N));
    xl_sampler_step(plan, a->x, a->out, attr);
    xl_plan_halt(plan, a->flag);
    cr_assert_eq(xl_plan_finish(plan, NULL), XL_OK);
    cr_assert_eq(xl_compile(backend, plan, NULL, &a->exec, NULL), XL_OK);
}

static void adder_free(struct adder *a) {
    xl_exec_free(a->exec);
    xl_plan_free(a->plan);
}

static void start(const struct adder *a, const float factors[STEPS]) {
    float table[STEPS][XL_N_STEP_COLUMNS] = {0};
    const float x[N] = {0, 1, 2, 3, 4}, out[N] = {1, 1, 1, 1, -1};
    int32_t zero = 0;
    for (int i = 0; i < STEPS; i++) {
        table[i][XL_STEP_STORE_SLOT] = table[i][XL_STEP_NOISE_ROW] = -1;
        table[i][XL_STEP_BASE_COEF + XL_SRC_X] = 1;
        table[i][XL_STEP_COEF + XL_SRC_BASE] = 1;
        table[i][XL_STEP_COEF + XL_SRC_OUT] = factors[i];
    }
    xl_exec_write(a->exec, a->x, x);
    xl_exec_write(a->exec, a->out, out);
    xl_exec_write(a->exec, a->steps, table);
    xl_exec_write(a->exec, a->counter, &zero);
    xl_exec_write(a->exec, a->flag, &zero);
}

static int32_t int_of(const struct adder *a, xl_val value) {
    int32_t number;
    xl_exec_read(a->exec, value, &number);
    return number;
}

static void expect_x(const struct adder *a, const float expected[N]) {
    float x[N];
    xl_exec_read(a->exec, a->x, x);
    for (int i = 0; i < N; i++) cr_expect_eq(x[i], expected[i], "number %d is %g", i, (double)x[i]);
}

/* Counts what the hooks see; stops after so many runs. */
struct watch {
    int64_t n_after, stop_after;
};

static bool tick(void *user) {
    const struct watch *watch = user;
    return watch->n_after < watch->stop_after;
}

static void after(void *user, int64_t i) {
    struct watch *watch = user;
    cr_expect_eq(i, watch->n_after);
    watch->n_after++;
}

static bool reads_always(const void *user, int64_t i) {
    (void)user, (void)i;
    return true;
}

static void check_states(struct adder *a) {
    struct watch watch = {.stop_after = 100};
    struct xl_run_hooks hooks = {tick, after, &watch, reads_always};
    start(a, (const float[STEPS]){1, 10, 100, 1000});
    cr_assert_eq(xl_exec_run(a->exec, 3, &hooks, NULL), XL_OK);
    expect_x(a, (const float[N]){111, 112, 113, 114, -107});
    cr_expect(watch.n_after == 3 && int_of(a, a->counter) == 3 && int_of(a, a->flag) == 0);
    cr_assert_eq(xl_exec_run(a->exec, 1, NULL, NULL), XL_OK);
    expect_x(a, (const float[N]){1111, 1112, 1113, 1114, -1107});
}

static void check_halt(struct adder *a) {
    struct watch watch = {.stop_after = 100};
    struct xl_run_hooks hooks = {tick, after, &watch, reads_always};
    start(a, (const float[STEPS]){1, INFINITY, 1, 1});
    cr_assert_eq(xl_exec_run(a->exec, STEPS, &hooks, NULL), XL_OK);
    cr_expect_eq(int_of(a, a->flag), 2, "the first step without numbers, counted from 1");
    cr_expect(watch.n_after >= 2 && watch.n_after == int_of(a, a->counter));
    cr_expect_eq(watch.n_after, 2, "these backends look at once");
}

static void check_cancel(struct adder *a) {
    struct watch watch = {.stop_after = 2};
    struct xl_run_hooks hooks = {tick, after, &watch, reads_always};
    start(a, (const float[STEPS]){1, 10, 100, 1000});
    cr_expect_eq(xl_exec_run(a->exec, STEPS, &hooks, NULL), XL_ECANCELLED);
    cr_expect_eq(watch.n_after, 2);
    expect_x(a, (const float[N]){11, 12, 13, 14, -7});
}

static void check_copy(struct adder *from, struct adder *to) {
    float numbers[2] = {70, 80}, read[2];
    start(from, (const float[STEPS]){1, 1, 1, 1});
    start(to, (const float[STEPS]){1, 1, 1, 1});
    xl_exec_write_at((struct xl_place){from->exec, from->x, 1}, numbers, 2);
    xl_exec_copy((struct xl_place){from->exec, from->x, 1}, (struct xl_place){to->exec, to->x, 3},
                 2);
    expect_x(to, (const float[N]){0, 1, 2, 70, 80});
    xl_exec_read_at((struct xl_place){to->exec, to->x, 2}, read, 2);
    cr_expect(read[0] == 2 && read[1] == 70);
}

static void check(struct xl_backend *backend) {
    struct adder a, b;
    adder_init(&a, backend);
    adder_init(&b, backend);
    check_states(&a);
    check_halt(&a);
    check_cancel(&a);
    check_copy(&a, &b);
    adder_free(&a);
    adder_free(&b);
    xl_backend_free(backend);
}

Test(runs, reference) {
    struct xl_backend *backend = NULL;
    cr_assert_eq(xl_backend_reference(&backend, NULL), XL_OK);
    check(backend);
}

Test(runs, cpu) {
    struct xl_backend *backend = NULL;
    cr_assert_eq(xl_backend_cpu(2, &backend, NULL), XL_OK);
    check(backend);
}

Test(runs, cuda) {
    struct xl_backend *backend = NULL;
    struct xl_err err = {0};
    if (xl_backend_cuda(0, &backend, &err)) cr_skip_test("no GPU: %s", err.text);
    check(backend);
}

Test(runs, only_an_i32_state_can_halt_a_plan) {
    struct xl_plan *plan = xl_plan_new(XL_DTYPE_F32);
    struct xl_err err = {0};
    xl_plan_halt(plan, xl_plan_state(plan, "x", XL_DTYPE_F32, XL_SHAPE(1)));
    cr_expect_eq(xl_plan_finish(plan, &err), XL_EINTERNAL);
    cr_expect_not_null(strstr(err.text, "\"x\" cannot halt a plan"), "%s", err.text);
    xl_plan_free(plan);
}
