/* test_held_weights.c - the weights that a backend holds: known by id and not by address, kept
 * while an executable uses them, given back when asked for. */
#include "backend/cpu/cpu.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { N = 48, C = 40, ROWS = 5 };

/* A plan of one linear layer. */
struct layer {
    struct xl_plan *plan;
    struct xl_tensor tensor;
    xl_val x, out;
};

static void layer_init(struct layer *layer, const float *weight, uint64_t id) {
    layer->plan = xl_plan_new(XL_DTYPE_F32);
    layer->tensor = (struct xl_tensor){
        .name = "w", .dtype = XL_DTYPE_F32, .shape = XL_SHAPE(N, C), .data = weight};
    struct xl_weight_part part = {.tensor = &layer->tensor, .id = {{id}}};
    layer->x = xl_plan_input(layer->plan, "x", XL_DTYPE_F32, XL_SHAPE(ROWS, C), XL_PER_RUN);
    layer->out = xl_linear(layer->plan, layer->x,
                           (struct xl_linear){.weight = xl_plan_weight(layer->plan, &part, 1)});
    xl_plan_output(layer->plan, layer->out, "out");
    cr_assert_eq(xl_plan_finish(layer->plan, NULL), XL_OK);
}

static struct xl_exec *compile(struct xl_backend *backend, const struct layer *layer) {
    struct xl_exec *exec = NULL;
    struct xl_err err = {0};
    cr_assert_eq(xl_compile(backend, layer->plan, NULL, &exec, &err), XL_OK, "%s", err.text);
    return exec;
}

static void run(struct xl_exec *exec, const struct layer *layer, float *out) {
    float x[ROWS * C];
    for (int i = 0; i < ROWS * C; i++) x[i] = (float)(i % 7) - 3;
    xl_exec_write(exec, layer->x, x);
    cr_assert_eq(xl_exec_run(exec, 1, NULL, NULL), XL_OK);
    xl_exec_read(exec, layer->out, out);
}

static struct xl_memory memory_of(const struct xl_backend *backend) {
    struct xl_memory memory;
    xl_backend_memory(backend, &memory);
    return memory;
}

static size_t missing(struct xl_backend *backend, const struct layer *layer) {
    const struct xl_plan *plan = layer->plan;
    struct xl_weight_need weights;
    size_t work;
    cr_assert_eq(xl_measure(backend, &plan, 1, &weights, &work, NULL), XL_OK);
    return weights.missing;
}

static struct xl_backend *open_backend(void) {
    struct xl_backend *backend = NULL;
    cr_assert_eq(xl_backend_cpu(2, &backend, NULL), XL_OK);
    return backend;
}

/* The second plan has the id of the first and other numbers, which nobody looks at. */
Test(held_weights, are_known_by_id) {
    float first[N * C], other[N * C], out[3][ROWS * N];
    struct xl_backend *backend = open_backend();
    struct layer layer, again, another;
    for (int i = 0; i < N * C; i++) first[i] = (float)(i % 11) - 5;
    for (int i = 0; i < N * C; i++) other[i] = (float)(i % 5);
    layer_init(&layer, first, 1);
    struct xl_exec *exec = compile(backend, &layer);
    run(exec, &layer, out[0]);
    xl_exec_free(exec);
    int64_t held = memory_of(backend).weight_bytes;

    layer_init(&again, other, 1);
    cr_expect_eq(missing(backend, &again), 0);
    exec = compile(backend, &again);
    cr_expect_eq(memory_of(backend).weight_bytes, held);
    run(exec, &again, out[1]);
    cr_expect_eq(memcmp(out[0], out[1], sizeof out[0]), 0);
    xl_exec_free(exec);

    layer_init(&another, other, 2);
    cr_expect_eq((int64_t)missing(backend, &another), held);
    exec = compile(backend, &another);
    cr_expect_eq(memory_of(backend).weight_bytes, 2 * held);
    run(exec, &another, out[2]);
    cr_expect_neq(memcmp(out[0], out[2], sizeof out[0]), 0);
    xl_exec_free(exec);
    xl_backend_free(backend);
    xl_plan_free(layer.plan);
    xl_plan_free(again.plan);
    xl_plan_free(another.plan);
}

Test(held_weights, go_when_asked_for_and_idle) {
    float weight[N * C], out[2][ROWS * N];
    struct xl_backend *backend = open_backend();
    struct layer layers[3];
    struct xl_exec *execs[3];
    for (int i = 0; i < N * C; i++) weight[i] = (float)(i % 11) - 5;
    for (int i = 0; i < 3; i++) {
        layer_init(&layers[i], weight, (uint64_t)i + 1);
        execs[i] = compile(backend, &layers[i]);
    }
    struct xl_memory all = memory_of(backend);
    int64_t each = all.weight_bytes / 3;
    cr_expect(all.idle_weight_bytes == 0 && all.work_bytes > 0 && all.total >= all.available);
    cr_expect_eq(xl_backend_release(backend, SIZE_MAX), 0);
    run(execs[2], &layers[2], out[0]);

    /* Idle in this order: 1, 0. The longest idle goes first, and no more than is wanted. */
    xl_exec_free(execs[1]);
    xl_exec_free(execs[0]);
    cr_expect_eq(memory_of(backend).idle_weight_bytes, 2 * each);
    cr_expect_eq((int64_t)xl_backend_release(backend, 1), each);
    cr_expect_eq(missing(backend, &layers[0]), 0);
    cr_expect_eq((int64_t)missing(backend, &layers[1]), each);
    cr_expect_eq((int64_t)xl_backend_release(backend, SIZE_MAX), each);
    struct xl_memory left = memory_of(backend);
    cr_expect(left.weight_bytes == each && left.idle_weight_bytes == 0);
    cr_expect_lt(left.work_bytes, all.work_bytes);
    run(execs[2], &layers[2], out[1]);
    cr_expect_eq(memcmp(out[0], out[1], sizeof out[0]), 0);
    xl_exec_free(execs[2]);
    cr_expect_eq(memory_of(backend).work_bytes, 0);
    xl_backend_free(backend);
    for (int i = 0; i < 3; i++) xl_plan_free(layers[i].plan);
}

static bool refuse(void *user) {
    (void)user;
    return false;
}

Test(held_weights, nothing_stays_of_a_cancelled_compilation) {
    float weight[N * C] = {0};
    struct xl_backend *backend = open_backend();
    struct layer layer;
    struct xl_exec *exec = NULL;
    layer_init(&layer, weight, 1);
    struct xl_compile_options options = {.tick = refuse};
    cr_expect_eq(xl_compile(backend, layer.plan, &options, &exec, NULL), XL_ECANCELLED);
    struct xl_memory memory = memory_of(backend);
    cr_expect(!exec && memory.weight_bytes == 0 && memory.work_bytes == 0);
    exec = compile(backend, &layer);
    cr_expect_gt(memory_of(backend).weight_bytes, 0);
    xl_exec_free(exec);
    xl_backend_free(backend);
    xl_plan_free(layer.plan);
}
