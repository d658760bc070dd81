/* parity.c - taps of a plan against recorded ones, on the reference and on the CPU backend. */
#include "parity/parity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum xl_status open_cpu(struct xl_backend **out, struct xl_err *err) {
    return xl_backend_cpu(0, out, err);
}

const struct parity_setup parity_setups[] = {
    {"reference, f32", xl_backend_reference, XL_DTYPE_F32, 1e-5},
    {"cpu, f32", open_cpu, XL_DTYPE_F32, 1e-5},
    {"reference, bf16", xl_backend_reference, XL_DTYPE_BF16, 6e-2},
    {"cpu, bf16", open_cpu, XL_DTYPE_BF16, 6e-2},
};
const int parity_n_setups = sizeof parity_setups / sizeof *parity_setups;

struct xl_weights *parity_open(const char *label, const char *file) {
    char path[512];
    snprintf(path, sizeof path, PARITY_DATA "%s", file);
    const char *files[] = {path};
    struct xl_weights *weights;
    struct xl_err err = {0};
    parity_ok(xl_weights_open(label, files, 1, &weights, &err), err);
    return weights;
}

void parity_start(struct parity_run *run, const struct parity_setup *setup,
                  const struct xl_plan *plan) {
    struct xl_err err = {0};
    struct xl_compile_options options = {.keep_taps = true};
    run->plan = plan;
    parity_ok(setup->open(&run->backend, &err), err);
    parity_ok(xl_compile(run->backend, plan, &options, &run->exec, &err), err);
}

void parity_stop(struct parity_run *run) {
    xl_exec_free(run->exec);
    xl_backend_free(run->backend);
    *run = (struct parity_run){0};
}

const float *parity_input(const struct xl_weights *taps, const char *name, struct xl_shape *shape) {
    char full[128];
    snprintf(full, sizeof full, "in.%s", name);
    const struct xl_tensor *tensor = xl_weights_find(taps, full);
    if (!tensor) return NULL;
    cr_assert_eq(tensor->dtype, XL_DTYPE_F32);
    if (shape) *shape = tensor->shape;
    return tensor->data;
}

static void feed_one(const struct parity_run *run, xl_val v, const struct xl_weights *taps) {
    const struct xl_value *value = xl_plan_value(run->plan, v);
    struct xl_shape shape;
    const float *data = parity_input(taps, value->name, &shape);
    if (!data) return;
    cr_assert(xl_shape_equal(shape, value->shape), "input %s", value->name);
    if (value->dtype == XL_DTYPE_F32) {
        xl_exec_write(run->exec, v, data);
        return;
    }
    cr_assert_eq(value->dtype, XL_DTYPE_I32);
    int64_t n = xl_shape_count(shape);
    int32_t *ids = malloc((size_t)n * sizeof *ids);
    for (int64_t i = 0; i < n; i++) ids[i] = (int32_t)data[i];
    xl_exec_write(run->exec, v, ids);
    free(ids);
}

void parity_feed(const struct parity_run *run, const struct xl_weights *taps) {
    for (xl_val v = 1; v < xl_plan_n_values(run->plan); v++)
        if (xl_plan_value(run->plan, v)->kind == XL_VALUE_INPUT) feed_one(run, v, taps);
}

/* The value as f32; the caller frees. */
static float *read_value(const struct parity_run *run, xl_val v, int64_t *n) {
    const struct xl_value *value = xl_plan_value(run->plan, v);
    *n = xl_shape_count(value->shape);
    void *raw = malloc((size_t)*n * xl_dtype_size(value->dtype));
    float *numbers = malloc((size_t)*n * sizeof *numbers);
    xl_exec_read(run->exec, v, raw);
    xl_convert(numbers, XL_DTYPE_F32, raw, value->dtype, *n);
    free(raw);
    return numbers;
}

/* Error of the sampled numbers, or of mean and root mean square of all, whichever is greater. */
static double tap_error(const struct parity_run *run, xl_val v, const struct xl_tensor *tap) {
    enum { SAMPLES = 64, STRIDE = 7919 };
    int64_t n;
    float *found = read_value(run, v, &n);
    const float *expected = tap->data;
    int64_t m = n < SAMPLES ? n : SAMPLES;
    cr_assert_eq(tap->shape.dim[0], m + 2, "tap %s has another size", tap->name);
    double difference = 0, sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += found[i];
        squares += (double)found[i] * found[i];
    }
    for (int64_t i = 0; i < m; i++) {
        double d = found[n > SAMPLES ? i * STRIDE % n : i] - (double)expected[i];
        difference += d * d;
    }
    free(found);
    double mean = expected[m], rms = expected[m + 1];
    double error = sqrt(difference / (double)m);
    error = fmax(error, fabs(sum / (double)n - mean));
    error = fmax(error, fabs(sqrt(squares / (double)n) - rms));
    return isfinite(error) ? error / rms : INFINITY;
}

void parity_check(const struct parity_run *run, const struct parity_setup *setup,
                  const struct xl_weights *taps, const char *label) {
    struct xl_err err = {0};
    parity_ok(xl_exec_run(run->exec, 1, NULL, &err), err);
    double worst = 0;
    const char *worst_name = "";
    int n_taps = 0;
    for (int i = 0; i < xl_weights_count(taps); i++) {
        const struct xl_tensor *tap = xl_weights_at(taps, i);
        if (strncmp(tap->name, "in.", 3) == 0) continue;
        xl_val v = xl_plan_find(run->plan, tap->name);
        cr_assert(v, "%s: the plan has no value \"%s\"", label, tap->name);
        double error = tap_error(run, v, tap);
        cr_expect_leq(error, setup->tolerance, "%s, %s: \"%s\" is off by %.2g", label, setup->name,
                      tap->name, error);
        if (error >= worst) worst = error, worst_name = tap->name;
        n_taps++;
    }
    cr_assert_geq(n_taps, 6, "%s: only %d taps in the file", label, n_taps);
    /* Seen with --verbose: what the tolerances are derived from. */
    cr_log_info("%s, %s: %d taps, worst %.2g at %s", label, setup->name, n_taps, worst, worst_name);
}
