/* test_lora_kinds.c - LoRA files of every kind that LyCORIS and PEFT wrote, against the weights
 * that they merged them to (tools/reference/topics/lora.py), on each backend. Numbers are read off
 * products with a unit matrix, as the oracle's were. */
#include "backend/backend.h"
#include "config_case.h"
#include "model/lora_map.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DATA XL_SOURCE_DIR "/tests/data/"
#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)

/* Of the largest number of a tensor. Both sides sum in f32, in different orders; what is wrong by
 * formula is wrong by far more: see the last test. */
static const double tolerance = 1e-6;

static struct xl_err err;

static const char *const kinds[] = {
    "locon",       "locon-tucker", "loha",     "loha-tucker", "lokr",      "lokr-both", "lokr-full",
    "lokr-tucker", "dora-out",     "dora-in",  "dora-loha",   "dora-lokr", "full",      "norms",
    "peft",        "peft-rslora",  "peft-raw", "peft-bias",   "peft-dora", "peft-loha", "peft-lokr",
};

static struct xl_weights *open_data(const char *name) {
    char path[512];
    const char *files[] = {path};
    struct xl_weights *weights;
    snprintf(path, sizeof path, DATA "lora/%s.safetensors", name);
    ok(xl_weights_open("unet", files, 1, &weights, &err));
    return weights;
}

static struct xl_lora_map *open_map(void) {
    static struct xl_unet_config unet;
    static struct xl_clip_config text, text_2;
    struct xl_lora_map *map;
    ok(CONFIG_READ(xl_unet_config_read, DATA "models/repo/unet/config.json", &err, &unet));
    ok(CONFIG_READ(xl_clip_config_read, DATA "models/repo/text_encoder/config.json", &err, &text));
    ok(CONFIG_READ(xl_clip_config_read, DATA "models/repo/text_encoder_2/config.json", &err,
                   &text_2));
    ok(xl_lora_map_new((struct xl_lora_configs){&unet, &text, &text_2}, &map, &err));
    return map;
}

enum { MOST = 1 << 14 };

/* The numbers of a weight as a backend has packed it, in the order of the tensor. */
struct probe {
    struct xl_backend *backend;
    struct xl_weight_part part;
    float x[MOST], y[MOST], out[MOST];
};

static void run(struct probe *probe, struct xl_plan *plan, const char *out) {
    struct xl_exec *exec;
    ok(xl_plan_finish(plan, &err));
    ok(xl_compile(probe->backend, plan, NULL, &exec, &err));
    xl_exec_write(exec, xl_plan_find(plan, "x"), probe->x);
    ok(xl_exec_run(exec, 1, NULL, &err));
    xl_exec_read(exec, xl_plan_find(plan, out), probe->y);
    xl_exec_free(exec);
    xl_plan_free(plan);
}

/* x: [c, c], the unit matrix */
static void read_matrix(struct probe *probe) {
    int64_t o = probe->part.tensor->shape.dim[0], c = probe->part.tensor->shape.dim[1];
    struct xl_plan *plan = xl_plan_new(XL_DTYPE_F32);
    xl_val x = xl_plan_input(plan, "x", XL_DTYPE_F32, XL_SHAPE(c, c), XL_PER_RUN);
    xl_val weight = xl_plan_weight(plan, &probe->part, 1);
    xl_plan_output(plan, xl_linear(plan, x, (struct xl_linear){.weight = weight}), "y");
    for (int64_t i = 0; i < c * c; i++) probe->x[i] = i % (c + 1) == 0;
    run(probe, plan, "y");
    for (int64_t i = 0; i < o * c; i++) probe->out[i] = probe->y[i % c * o + i / c];
}

/* x: [c, k, k, c], one pixel of one channel in each picture */
static void read_convolution(struct probe *probe) {
    const int64_t *dim = probe->part.tensor->shape.dim;
    int64_t o = dim[0], c = dim[1], k = dim[2], middle = (k / 2 * k + k / 2) * c;
    struct xl_plan *plan = xl_plan_new(XL_DTYPE_F32);
    xl_val x = xl_plan_input(plan, "x", XL_DTYPE_F32, XL_SHAPE(c, k, k, c), XL_PER_RUN);
    struct xl_conv2d attr = {.weight = xl_plan_weight(plan, &probe->part, 1), .stride = 1};
    attr.pad_top = attr.pad_left = attr.pad_bottom = attr.pad_right = (int)k / 2;
    xl_plan_output(plan, xl_conv2d(plan, x, attr), "y");
    memset(probe->x, 0, sizeof probe->x);
    for (int64_t i = 0; i < c; i++) probe->x[i * k * k * c + middle + i] = 1;
    run(probe, plan, "y");
    for (int64_t i = 0; i < o; i++)
        for (int64_t j = 0; j < c; j++)
            for (int64_t t = 0; t < k * k; t++)
                probe->out[(i * c + j) * k * k + t] = probe->y[(j * k * k + k * k - 1 - t) * o + i];
}

/* x: [1, 1], 0 */
static void read_vector(struct probe *probe) {
    static const float zeros[MOST];
    int64_t n = probe->part.tensor->shape.dim[0];
    struct xl_tensor zero = {.name = "zero", .shape = XL_SHAPE(n, 1), .data = zeros};
    struct xl_weight_part nothing = {.tensor = &zero, .id = {{1, (uint64_t)n}}};
    struct xl_plan *plan = xl_plan_new(XL_DTYPE_F32);
    xl_val x = xl_plan_input(plan, "x", XL_DTYPE_F32, XL_SHAPE(1, 1), XL_PER_RUN);
    struct xl_linear attr = {.weight = xl_plan_weight(plan, &nothing, 1),
                             .bias = xl_plan_weight(plan, &probe->part, 1)};
    xl_plan_output(plan, xl_linear(plan, x, attr), "y");
    probe->x[0] = 0;
    run(probe, plan, "y");
    memcpy(probe->out, probe->y, (size_t)n * sizeof *probe->out);
}

static void read_weight(struct probe *probe) {
    int rank = probe->part.tensor->shape.rank;
    cr_assert_leq(xl_shape_count(probe->part.tensor->shape), MOST);
    rank == 1 ? read_vector(probe) : rank == 2 ? read_matrix(probe) : read_convolution(probe);
}

/* The largest difference over the largest number. */
static double distance(const struct probe *probe, const struct xl_tensor *expected) {
    double most = 0, worst = 0;
    for (int64_t i = 0; i < xl_shape_count(expected->shape); i++) {
        double x = (double)((const float *)expected->data)[i];
        most = fmax(most, fabs(x));
        worst = fmax(worst, fabs((double)probe->out[i] - x));
    }
    return worst / most;
}

/* All tensors of the base against what a kind makes of them; those that it leaves have no deltas.
 * strength: of the LoRA. Returns the greatest distance. */
static double compare(struct xl_backend *backend, const char *kind, double strength) {
    static struct probe probe;
    struct xl_weights *base = open_data("base"), *expected = open_data("expected");
    struct xl_lora_map *map = open_map();
    struct xl_lora_file *file;
    struct xl_lora_count count;
    char path[512], name[256];
    snprintf(path, sizeof path, DATA "lora/%s.safetensors", kind);
    ok(xl_lora_file_open(path, &file, &err));
    struct xl_lora_use use = {file, xl_weight_id_of((struct xl_weight_id){{0}}, kind), 0, strength};
    ok(xl_lora_map_apply(map, &use, &count, &err));
    cr_expect_eq(count.n_unmatched, 0, "%s", kind);
    struct xl_file_tensors files = {base, {{7, 7}}};
    struct xl_lora_tensors tensors = {xl_source_of_files(&files).tensors, map, XL_LORA_UNET};
    struct xl_source source = xl_source_with_loras(&tensors);
    double worst = 0;
    int n_compared = 0;
    for (int i = 0; i < xl_weights_count(base); i++) {
        const char *tensor = xl_weights_at(base, i)->name;
        snprintf(name, sizeof name, "%s %s", kind, tensor);
        const struct xl_tensor *wanted = xl_weights_find(expected, name);
        cr_assert(source.tensors.find(source.tensors.user, tensor, &probe.part));
        if (!wanted) cr_expect_eq(probe.part.n_deltas, 0, "%s", name);
        if (!wanted || !probe.part.n_deltas) continue;
        probe.backend = backend;
        read_weight(&probe);
        double d = distance(&probe, wanted);
        if (strength == 1) cr_expect_lt(d, tolerance, "%s: %.2g", name, d);
        worst = fmax(worst, d);
        n_compared++;
    }
    cr_expect_gt(n_compared, 0, "%s", kind);
    xl_lora_map_free(map);
    xl_lora_file_close(file);
    xl_weights_close(base);
    xl_weights_close(expected);
    return worst;
}

static void compare_all(struct xl_backend *backend) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) compare(backend, kinds[i], 1);
    xl_backend_free(backend);
}

Test(lora_kinds, reference) {
    struct xl_backend *backend;
    ok(xl_backend_reference(&backend, &err));
    compare_all(backend);
}

Test(lora_kinds, cpu) {
    struct xl_backend *backend;
    ok(xl_backend_cpu(2, &backend, &err));
    compare_all(backend);
}

/* A LoRA at 99 percent is told from a whole one. */
Test(lora_kinds, the_comparison_sees_a_percent) {
    struct xl_backend *backend;
    ok(xl_backend_reference(&backend, &err));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        cr_expect_gt(compare(backend, kinds[i], 0.99), 1e-3, "%s", kinds[i]);
    xl_backend_free(backend);
}
