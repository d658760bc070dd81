/* test_pipeline.c - whole pictures against diffusers' StableDiffusionXLPipeline: prompt to PNG, the
 * latents after every step, on both backends. Data: tools/reference/topics/models.py
 *
 * The miniature network has random weights and amplifies every difference, so the bounds are those
 * of two correct float32 implementations: 60 dB for pictures (a byte differs here and there), 1e-3
 * relative for latents after a few steps. */
#include "base/file.h"
#include "base/json.h"
#include "engine_case.h"
#include "image/image.h"
#include "tensor/tensor.h"
#include "weights/weights.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DATA XL_SOURCE_DIR "/tests/data/models/"

static json_t *load_cases(void) {
    json_error_t error;
    json_t *cases = json_load_file(DATA "pipeline/cases.json", 0, &error);
    cr_assert_not_null(cases, "%s", error.text);
    cr_assert_gt(json_array_size(cases), 0);
    return cases;
}

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static double number_of(const json_t *object, const char *key, double fallback) {
    const json_t *value = json_object_get(object, key);
    return value ? json_number_value(value) : fallback;
}

static struct xl_image load_image(const char *file) {
    char path[512];
    struct xl_err err = {0};
    struct xl_image image;
    snprintf(path, sizeof path, DATA "pipeline/%s", file);
    cr_assert_eq(xl_image_load(path, &image, &err), XL_OK, "%s", err.text);
    return image;
}

enum { MAX_PICTURES = 8 };

/* pictures: [MAX_PICTURES], filled in: one text, seeds counting up. */
static struct xl_request request_of(const json_t *object, const struct xl_image *init,
                                    struct xl_picture *pictures) {
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = pictures;
    request.n_pictures = (int)number_of(object, "batch", 1);
    cr_assert_leq(request.n_pictures, MAX_PICTURES);
    for (int i = 0; i < request.n_pictures; i++)
        pictures[i] =
            (struct xl_picture){.prompt = text_of(object, "prompt"),
                                .negative = text_of(object, "negative"),
                                .seed = (uint64_t)number_of(object, "seed", 0) + (uint64_t)i};
    request.width = (int)number_of(object, "width", 0);
    request.height = (int)number_of(object, "height", 0);
    request.steps = (int)number_of(object, "steps", 0);
    request.guidance = number_of(object, "guidance", 0);
    request.scheduler = text_of(object, "scheduler");
    request.strength = number_of(object, "strength", 1);
    request.precision = XL_PRECISION_F32;
    request.rng = strcmp(text_of(object, "rng"), "torch-cuda") ? XL_RNG_TORCH_CPU
                                                               : XL_RNG_TORCH_CUDA;
    request.init = init->pixels ? init : NULL;
    return request;
}

/* Compares the latents of every step; user of xl_latents_fn. */
struct steps {
    struct xl_weights *expected;
    int n_seen;
    double worst;
};

static void compare_step(void *user, int evaluation, const float *latents, int64_t count) {
    struct steps *steps = user;
    char name[32];
    snprintf(name, sizeof name, "step.%d", evaluation);
    const struct xl_tensor *tensor = xl_weights_find(steps->expected, name);
    cr_assert_not_null(tensor, "no %s in the reference data", name);
    cr_assert_eq(xl_shape_count(tensor->shape), count);
    const float *expected = tensor->data;
    double error = 0, norm = 0;
    for (int64_t i = 0; i < count; i++) {
        double difference = latents[i] - expected[i];
        error += difference * difference;
        norm += (double)expected[i] * expected[i];
    }
    double relative = sqrt(error / norm);
    if (!(relative <= steps->worst)) steps->worst = relative; /* NaN sticks */
    steps->n_seen++;
}

static void check_pictures(const json_t *object, const struct xl_result *result, const char *name) {
    const json_t *expect = json_object_get(object, "expect");
    cr_assert_eq((size_t)result->n_pictures, json_array_size(expect));
    for (int i = 0; i < result->n_pictures; i++) {
        struct xl_image expected = load_image(json_string_value(json_array_get(expect, (size_t)i)));
        double psnr = xl_image_psnr(&result->pictures[i].image, &expected);
        cr_expect_geq(psnr, 60.0, "%s, picture %d: %.1f dB", name, i, psnr);
        xl_image_free(&expected);
    }
}

static void run_case(struct engine_case engine, const json_t *object) {
    const char *name = text_of(object, "name"), *init_file = text_of(object, "init");
    char path[512];
    snprintf(path, sizeof path, DATA "pipeline/%s.safetensors", name);
    const char *files[] = {path};
    struct xl_err err = {0};
    struct steps steps = {0};
    cr_assert_eq(xl_weights_open("steps", files, 1, &steps.expected, &err), XL_OK, "%s", err.text);
    struct xl_image init = {0};
    if (init_file) init = load_image(init_file);
    struct xl_picture pictures[MAX_PICTURES];
    struct xl_request request = request_of(object, &init, pictures);
    request.latents = compare_step;
    request.latents_user = &steps;
    struct xl_result result = engine_draw(engine, &request);
    cr_expect_eq(steps.n_seen, result.n_evaluations);
    cr_expect_lt(steps.worst, 1e-3, "%s: latents differ by %.2e", name, steps.worst);
    check_pictures(object, &result, name);
    xl_result_free(&result);
    xl_image_free(&init);
    xl_weights_close(steps.expected);
}

static void run_all(const char *device, int n_threads) {
    struct engine_case engine = engine_open(DATA "repo", device, n_threads);
    json_t *cases = load_cases(), *object;
    size_t i;
    json_array_foreach(cases, i, object) run_case(engine, object);
    json_decref(cases);
    engine_close(engine);
}

Test(pipeline, reference_backend) {
    run_all("reference", 1);
}
Test(pipeline, cpu_backend) {
    run_all("cpu", 2);
}

static struct xl_result draw(int n_threads, enum xl_precision precision, int vae_tile, int side) {
    struct engine_case engine = engine_open(DATA "repo", "cpu", n_threads);
    struct xl_picture picture = {.prompt = "a photo of a cat"};
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = &picture;
    request.precision = precision;
    request.steps = 3;
    request.width = request.height = side;
    request.vae_tile = vae_tile;
    struct xl_result result = engine_draw(engine, &request);
    engine_close(engine);
    return result;
}

Test(pipeline, any_number_of_threads_gives_the_same_bytes) {
    struct xl_result one = draw(1, XL_PRECISION_F32, 0, 72);
    for (int n = 2; n <= 8; n *= 2) {
        struct xl_result many = draw(n, XL_PRECISION_F32, 0, 72);
        cr_expect_eq(
            memcmp(one.pictures[0].image.pixels, many.pictures[0].image.pixels, 72 * 72 * 3), 0,
            "%d threads", n);
        xl_result_free(&many);
    }
    xl_result_free(&one);
}

/* Group norms see a tile instead of the picture, so a random-weight VAE differs in tone; what tiles
 * must not do is show: no step between neighbouring pixels at a seam that the whole picture does
 * not have as well. */
Test(pipeline, tiles_leave_no_seam) {
    struct xl_result whole = draw(2, XL_PRECISION_F32, 0, 192);
    struct xl_result tiled = draw(2, XL_PRECISION_F32, 96, 192);
    double steps[2] = {0, 0};
    const struct xl_image *images[2] = {&whole.pictures[0].image, &tiled.pictures[0].image};
    for (int k = 0; k < 2; k++)
        for (int x = 1; x < 192; x++) {
            double sum = 0;
            for (int y = 0; y < 192; y++)
                for (int c = 0; c < 3; c++)
                    sum += abs(images[k]->pixels[(y * 192 + x) * 3 + c] -
                               images[k]->pixels[(y * 192 + x - 1) * 3 + c]);
            if (sum > steps[k]) steps[k] = sum;
        }
    cr_expect_lt(steps[1], 1.25 * steps[0], "largest column step %.0f tiled, %.0f whole", steps[1],
                 steps[0]);
    cr_expect_gt(xl_image_psnr(images[0], images[1]), 15.0);
    xl_result_free(&whole);
    xl_result_free(&tiled);
}
