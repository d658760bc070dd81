/* test_loras.c - models with LoRAs on a device: a LoRA changes the picture and goes without a
 * trace, what it does not change is shared, and two of them add up in any order. */
#include "engine_case.h"
#include "image/image.h"
#include "unit/lora_case.h"

#include <math.h>

#define REPO XL_SOURCE_DIR "/tests/data/models/repo"

enum { SIDE = 64, BYTES = SIDE * SIDE * 3 };

static struct xl_err err;
static struct lora_case file;
static const char *const kohya[] = {".lora_down.weight", ".lora_up.weight"};

#define TO_Q "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"
#define FC1 "lora_te1_text_model_encoder_layers_0_mlp_fc1"

/* Of a query of the UNet and of the first text encoder. The order decides the numbers. */
static void write_lora(const char *name, bool unet_first) {
    lora_case_begin(&file);
    for (int i = 0; i < 2; i++) {
        bool is_unet = (i == 0) == unet_first;
        lora_case_pair(&file, is_unet ? TO_Q : FC1, (const char **)kohya,
                       is_unet ? XL_SHAPE(4, 16) : XL_SHAPE(4, 24),
                       is_unet ? XL_SHAPE(16, 4) : XL_SHAPE(48, 4));
    }
    lora_case_write(&file, scratch("%s", name));
}

static void set_up(void) {
    scratch_open();
    write_lora("a.safetensors", true);
    write_lora("b.safetensors", false);
}
TestSuite(loras, .init = set_up, .fini = scratch_close);

/* What a model with these LoRAs draws. */
struct drawn {
    uint8_t pixels[BYTES];
    char digest[80];
    int64_t held; /* weights on the device, after it */
};

static struct xl_device *open_device(void) {
    struct xl_device_params params;
    struct xl_device *device;
    xl_device_params_default(&params);
    params.n_threads = 2;
    cr_assert_eq(xl_device_open(&params, &device, &err), XL_OK, "%s", err.text);
    return device;
}

static void draw(struct xl_device *device, const struct xl_lora *loras, int n, struct drawn *out) {
    struct xl_model_params params = {.model = REPO, .loras = loras, .n_loras = n};
    struct xl_model *model;
    cr_assert_eq(xl_model_open(&params, &model, &err), XL_OK, "%s", err.text);
    struct xl_picture picture = {.prompt = "a red cat", .seed = 3};
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = &picture;
    request.width = request.height = SIDE;
    request.steps = 2;
    struct xl_result result = engine_draw((struct engine_case){device, model}, &request);
    struct xl_need need;
    cr_assert_eq(xl_model_need(device, model, &request, &need, &err), XL_OK, "%s", err.text);
    memcpy(out->pixels, result.pictures[0].image.pixels, BYTES);
    out->held = need.held_weight_bytes;
    snprintf(out->digest, sizeof out->digest, "%s", xl_model_info(model)->digest);
    xl_result_free(&result);
    xl_model_close(model);
}

static bool same(const struct drawn *a, const struct drawn *b) {
    return !memcmp(a->pixels, b->pixels, BYTES) && !strcmp(a->digest, b->digest);
}

Test(loras, one_goes_without_a_trace) {
    static struct drawn base, with, again, off, text, unet;
    struct xl_device *device = open_device();
    const char *a = scratch("a.safetensors");
    draw(device, NULL, 0, &base);
    draw(device, &(struct xl_lora){a, 1, 1}, 1, &with);
    draw(device, NULL, 0, &again);
    draw(device, &(struct xl_lora){a, 0, 0}, 1, &off);
    draw(device, &(struct xl_lora){a, 1, 0}, 1, &text);
    draw(device, &(struct xl_lora){a, 0, 1}, 1, &unet);
    cr_expect(memcmp(base.pixels, with.pixels, BYTES), "it changes the picture");
    cr_expect_str_neq(base.digest, with.digest);
    cr_expect(same(&base, &again), "and is undone");
    cr_expect(same(&base, &off), "scales of 0 are as none");
    cr_expect(memcmp(text.pixels, unet.pixels, BYTES) && memcmp(text.pixels, base.pixels, BYTES) &&
              memcmp(unet.pixels, base.pixels, BYTES) && memcmp(text.pixels, with.pixels, BYTES));
    cr_expect_str_neq(text.digest, unet.digest);
    xl_device_close(device);
}

/* The model has some 500 kB of weights: one product of three in one attention of the UNet and one
 * of the text encoder are packed anew. */
Test(loras, what_one_does_not_change_is_shared) {
    static struct drawn base, with;
    struct xl_device *device = open_device();
    draw(device, NULL, 0, &base);
    draw(device, &(struct xl_lora){scratch("a.safetensors"), 1, 1}, 1, &with);
    int64_t more = with.held - base.held;
    cr_expect(more > 0 && more < base.held / 20, "%lld more than %lld bytes", (long long)more,
              (long long)base.held);
    xl_device_close(device);
}

Test(loras, several_add_up_in_any_order) {
    static struct drawn ab, ba, twice, doubled;
    struct xl_device *device = open_device();
    const char *a = scratch("a.safetensors"), *b = scratch("b.safetensors");
    draw(device, (struct xl_lora[]){{a, 1, 0.5}, {b, 0.25, 1}}, 2, &ab);
    draw(device, (struct xl_lora[]){{b, 0.25, 1}, {a, 1, 0.5}}, 2, &ba);
    cr_expect(same(&ab, &ba));
    draw(device, (struct xl_lora[]){{a, 0.5, 0.5}, {a, 0.5, 0.5}}, 2, &twice);
    draw(device, &(struct xl_lora){a, 1, 1}, 1, &doubled);
    /* Sums in f32 are rounded once more. */
    for (int i = 0; i < BYTES; i++)
        cr_assert_leq(abs(twice.pixels[i] - doubled.pixels[i]), 1, "half and half is a whole");
    cr_expect_str_neq(twice.digest, doubled.digest);
    xl_device_close(device);
}

Test(loras, the_model_says_what_was_applied) {
    struct xl_model *model;
    lora_case_begin(&file);
    lora_case_pair(&file, TO_Q, (const char **)kohya, XL_SHAPE(4, 16), XL_SHAPE(16, 4));
    lora_case_pair(&file, "lora_unet_nothing", (const char **)kohya, XL_SHAPE(4, 8),
                   XL_SHAPE(8, 4));
    lora_case_write(&file, scratch("style.safetensors"));
    struct xl_lora lora = {scratch("style.safetensors"), 0.5, 1.25};
    struct xl_model_params params = {.model = REPO, .loras = &lora, .n_loras = 1};
    cr_assert_eq(xl_model_open(&params, &model, &err), XL_OK, "%s", err.text);
    const struct xl_model_info *info = xl_model_info(model);
    cr_assert_eq(info->n_loras, 1);
    cr_expect_str_eq(info->loras[0].name, "style");
    cr_expect_eq(strlen(info->loras[0].digest), 64);
    cr_expect_eq(info->loras[0].text_scale, 0.5);
    cr_expect_eq(info->loras[0].unet_scale, 1.25);
    cr_expect_eq(info->loras[0].n_modules, 2);
    cr_expect_eq(info->loras[0].n_applied, 1);
    struct engine_case engine = {open_device(), model};
    struct xl_picture picture = {.prompt = "a", .seed = 3};
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = &picture;
    request.width = request.height = SIDE;
    request.steps = 1;
    struct xl_result result = engine_draw(engine, &request);
    cr_expect(strstr(result.warnings, "style: 1 of 2 modules are for parts that this model does "
                                      "not have: first lora_unet_nothing"),
              "%s", result.warnings);
    cr_expect(strstr(result.pictures[0].record, "\"unet_scale\":1.25"));
    xl_result_free(&result);
    engine_close(engine);
}

/* Original names of the UNet, both text encoders, convolutions: tools/reference/topics/lora.py. The
 * bound is that of test_pipeline.c. */
Test(loras, a_picture_is_that_of_diffusers) {
    static const char *const devices[] = {"cpu", "reference"};
    struct xl_lora lora = {XL_SOURCE_DIR "/tests/data/lora/picture.safetensors", 0.8, 0.8};
    struct xl_model_params params = {.model = REPO, .loras = &lora, .n_loras = 1};
    struct xl_picture picture = {.prompt = "a red cat", .negative = "blue", .seed = 3};
    struct xl_request request;
    struct xl_image expected;
    cr_assert_eq(xl_image_load(XL_SOURCE_DIR "/tests/data/lora/picture.png", &expected, &err),
                 XL_OK, "%s", err.text);
    xl_request_default(&request);
    request.pictures = &picture;
    request.width = request.height = SIDE;
    request.steps = 4;
    request.guidance = 4;
    request.precision = XL_PRECISION_F32;
    for (int i = 0; i < 2; i++) {
        struct xl_device_params device_params = {.name = devices[i], .n_threads = 2};
        struct engine_case engine;
        cr_assert_eq(xl_device_open(&device_params, &engine.device, &err), XL_OK, "%s", err.text);
        cr_assert_eq(xl_model_open(&params, &engine.model, &err), XL_OK, "%s", err.text);
        cr_expect_eq(xl_model_info(engine.model)->loras[0].n_applied,
                     xl_model_info(engine.model)->loras[0].n_modules);
        struct xl_result result = engine_draw(engine, &request);
        double psnr = xl_image_psnr(&result.pictures[0].image, &expected);
        cr_expect_gt(psnr, 60, "%s: %.1f dB", devices[i], psnr);
        xl_result_free(&result);
        engine_close(engine);
    }
    xl_image_free(&expected);
}

static void expect_refused(enum xl_status status, double scale, const char *says) {
    struct xl_lora lora = {scratch("c.safetensors"), scale, scale};
    struct xl_model_params params = {.model = REPO, .loras = &lora, .n_loras = 1};
    struct xl_model *model = NULL;
    cr_expect_eq(xl_model_open(&params, &model, &err), status, "%s", says);
    cr_expect(strstr(err.text, "c.safetensors") && strstr(err.text, says), "%s", err.text);
    cr_expect_null(model);
}

Test(loras, what_cannot_be_applied_is_refused) {
    expect_refused(XL_EMODEL, 1, "cannot open");
    lora_case_begin(&file);
    lora_case_pair(&file, "lora_unet_nothing", (const char **)kohya, XL_SHAPE(4, 8),
                   XL_SHAPE(8, 4));
    lora_case_write(&file, scratch("c.safetensors"));
    expect_refused(XL_EFORMAT, 1, "none of its 1 modules is known");
    expect_refused(XL_EINVAL, (double)NAN, "no number");
    lora_case_begin(&file);
    lora_case_pair(&file, TO_Q, (const char **)kohya, XL_SHAPE(4, 17), XL_SHAPE(16, 4));
    lora_case_write(&file, scratch("c.safetensors"));
    expect_refused(XL_EFORMAT, 1, "does not fit");
}

/* By name, not by the first tensor that does not fit. */
Test(loras, files_for_other_models_are_named) {
    lora_case_begin(&file);
    lora_case_pair(&file, "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k",
                   (const char **)kohya, XL_SHAPE(4, 768), XL_SHAPE(640, 4));
    lora_case_write(&file, scratch("c.safetensors"));
    expect_refused(XL_EFORMAT, 1, "Stable Diffusion 1");
    lora_case_begin(&file);
    lora_case_pair(&file, "lora_unet_double_blocks_0_img_attn_proj", (const char **)kohya,
                   XL_SHAPE(4, 3072), XL_SHAPE(3072, 4));
    lora_case_write(&file, scratch("c.safetensors"));
    expect_refused(XL_EFORMAT, 1, "Flux");
    lora_case_begin(&file);
    lora_case_add(&file, "clip_l", XL_SHAPE(2, 768), NULL);
    lora_case_add(&file, "clip_g", XL_SHAPE(2, 1280), NULL);
    lora_case_write(&file, scratch("c.safetensors"));
    expect_refused(XL_EFORMAT, 1, "textual inversion");
}
