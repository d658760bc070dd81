/* test_cuda.c - whole pictures on a GPU beside the CPU's in f32; skipped where there is no GPU.
 *
 * Tolerances. f32 (no TF32): sums in another order, 1e-6 relative; a network of random weights
 * makes 1e-3 of a byte of it in three steps, the trained one less: 60 dB, a byte wrong by one here
 * and there. f16 and bf16: the VAE computes in bf16 in both, 8 bits, which alone is some 48 dB;
 * bf16 in the UNet is what test_precision.c says of the CPU. 35 dB: a wrong rounding somewhere
 * makes another picture, below 25 dB. f8: 4 bits a factor; pictures of 20 steps at 256 x 256 were
 * found at 27 dB and more.
 */
#include "engine_case.h"
#include "image/image.h"
#include "parity/latents_case.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define TRAINED XL_SOURCE_DIR "/models/lab-tiny-xl"
#define RANDOM XL_SOURCE_DIR "/tests/data/models/repo"

static const struct xl_picture pictures[] = {
    {.prompt = "a red ball on a beach", .seed = 3},
    {.prompt = "three yellow mushrooms in the forest", .negative = "blurry", .seed = 4},
    {.prompt = "a purple castle in the mountains at sunset, watercolor", .seed = 5},
};
enum { N = sizeof pictures / sizeof *pictures };

static void need_gpu(void) {
    struct xl_device_params params;
    struct xl_device *device = NULL;
    struct xl_err err = {0};
    xl_device_params_default(&params);
    params.name = "cuda";
    if (xl_device_open(&params, &device, &err)) cr_skip_test("no GPU: %s", err.text);
    xl_device_close(device);
}

static struct xl_request request_of(enum xl_precision precision) {
    struct xl_request request;
    xl_request_default(&request);
    request.precision = precision;
    request.width = 192;
    request.height = 128;
    request.steps = 10;
    return request;
}

/* All pictures, together or one by one. */
static void draw(struct engine_case engine, struct xl_request request, bool is_together,
                 struct xl_image images[N]) {
    request.n_pictures = is_together ? N : 1;
    for (int first = 0; first < N; first += request.n_pictures) {
        request.pictures = &pictures[first];
        struct xl_result result = engine_draw(engine, &request);
        for (int i = 0; i < request.n_pictures; i++) {
            images[first + i] = result.pictures[i].image;
            result.pictures[i].image = (struct xl_image){0};
        }
        xl_result_free(&result);
    }
}

static void draw_on(const char *device, const char *model, struct xl_request request,
                    struct xl_image images[N]) {
    struct engine_case engine = engine_open(model, device, 0);
    draw(engine, request, true, images);
    engine_close(engine);
}

static void free_all(struct xl_image images[N]) {
    for (int i = 0; i < N; i++) xl_image_free(&images[i]);
}

/* The GPU's pictures in `precision` beside the CPU's in f32. */
static void check(const char *model, enum xl_precision precision, int steps, double least_db) {
    struct xl_image cpu[N], gpu[N];
    need_gpu();
    struct xl_request request = request_of(XL_PRECISION_F32);
    request.steps = steps;
    draw_on("cpu", model, request, cpu);
    request.precision = precision;
    draw_on("cuda", model, request, gpu);
    for (int i = 0; i < N; i++) {
        double psnr = xl_image_psnr(&cpu[i], &gpu[i]);
        cr_expect_geq(psnr, least_db, "%s, %s: %.1f dB", xl_precision_name(precision),
                      pictures[i].prompt, psnr);
        if (precision != XL_PRECISION_F32) cr_expect(isfinite(psnr), "it was computed in f32");
    }
    free_all(cpu);
    free_all(gpu);
}

Test(cuda, f32_trained, .timeout = 600) {
    check(TRAINED, XL_PRECISION_F32, 10, 60);
}

Test(cuda, f32_random, .timeout = 600) {
    check(RANDOM, XL_PRECISION_F32, 3, 60);
}

Test(cuda, f16, .timeout = 600) {
    check(TRAINED, XL_PRECISION_F16, 10, 35);
}

Test(cuda, bf16, .timeout = 600) {
    check(TRAINED, XL_PRECISION_BF16, 10, 35);
}

Test(cuda, f8, .timeout = 600) {
    struct xl_device_params params;
    struct xl_device *device = NULL;
    need_gpu();
    xl_device_params_default(&params);
    params.name = "cuda";
    cr_assert_eq(xl_device_open(&params, &device, NULL), XL_OK);
    struct xl_err err = {0};
    enum xl_status status = xl_device_check_precision(device, XL_PRECISION_F8, &err);
    xl_device_close(device);
    if (status) cr_skip_test("%s", err.text);
    check(TRAINED, XL_PRECISION_F8, 10, 22);
}

/* Products of other shapes may sum in another order, so a batch's pictures are near the single
 * ones, not equal; the same request again is equal. */
Test(cuda, together_alone_and_again, .timeout = 600) {
    struct xl_image together[N], alone[N], again[N];
    need_gpu();
    struct engine_case engine = engine_open(TRAINED, "cuda", 0);
    draw(engine, request_of(XL_PRECISION_F32), true, together);
    draw(engine, request_of(XL_PRECISION_F32), false, alone);
    draw(engine, request_of(XL_PRECISION_F32), true, again);
    engine_close(engine);
    for (int i = 0; i < N; i++) {
        size_t bytes = (size_t)together[i].width * (size_t)together[i].height * 3;
        cr_expect_geq(xl_image_psnr(&together[i], &alone[i]), 60, "%s", pictures[i].prompt);
        cr_expect(!memcmp(together[i].pixels, again[i].pixels, bytes), "%s", pictures[i].prompt);
    }
    free_all(together);
    free_all(alone);
    free_all(again);
}

Test(cuda, latents_are_shown_every_few_evaluations) {
    need_gpu();
    struct engine_case engine = engine_open(TRAINED, "cuda", 0);
    check_latents_every(engine);
    engine_close(engine);
}

/* "auto" takes the GPU, in f16. */
Test(cuda, auto_takes_it) {
    struct xl_device_params params;
    struct xl_device *device = NULL;
    need_gpu();
    xl_device_params_default(&params);
    cr_assert_eq(xl_device_open(&params, &device, NULL), XL_OK);
    cr_expect_str_eq(xl_device_info(device)->name, "cuda");
    cr_expect_eq(xl_device_precision(device, XL_PRECISION_AUTO), XL_PRECISION_F16);
    xl_device_close(device);
}
