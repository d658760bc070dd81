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
    params.name = "cpu";
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

/* Back and forth between models with one, the other, both, turned round and none: each time the
 * same bytes, and after the first round nothing is packed anew. */
Test(loras, many_switches_leave_nothing_behind) {
    enum { N_VARIANTS = 6, N_ROUNDS = 3 };
    static struct drawn first[N_VARIANTS], again;
    const char *a = scratch("a.safetensors"), *b = scratch("b.safetensors");
    const struct xl_lora lists[N_VARIANTS][2] = {{{NULL, 0, 0}},  {{a, 1, 1}},
                                                 {{b, 0.5, 0.5}}, {{a, 1, 1}, {b, 0.5, 0.5}},
                                                 {{a, -1, -1}},   {{a, 1, 1}, {b, -0.25, -2}}};
    const int n[N_VARIANTS] = {0, 1, 1, 2, 1, 2};
    struct xl_device *device = open_device();
    for (int i = 0; i < N_VARIANTS; i++) draw(device, lists[i], n[i], &first[i]);
    for (int i = 0; i < N_VARIANTS; i++)
        for (int k = 0; k < i; k++)
            cr_expect(memcmp(first[i].pixels, first[k].pixels, BYTES), "%d and %d", i, k);
    for (int turn = 0; turn < N_ROUNDS * N_VARIANTS; turn++) {
        int i = turn * 5 % N_VARIANTS; /* in another order */
        draw(device, lists[i], n[i], &again);
        cr_expect(same(&first[i], &again), "turn %d", turn);
        cr_expect_eq(again.held, first[N_VARIANTS - 1].held, "turn %d", turn);
    }
    xl_device_close(device);
}

/* What goes on at one scale goes off at its negative. Sums in f32 are rounded once more. */
Test(loras, a_negative_scale_takes_away) {
    static struct drawn base, plus, minus, both;
    const char *a = scratch("a.safetensors");
    struct xl_device *device = open_device();
    draw(device, NULL, 0, &base);
    draw(device, &(struct xl_lora){a, 1, 1}, 1, &plus);
    draw(device, &(struct xl_lora){a, -1, -1}, 1, &minus);
    draw(device, (struct xl_lora[]){{a, 1, 1}, {a, -1, -1}}, 2, &both);
    cr_expect(memcmp(minus.pixels, base.pixels, BYTES) && memcmp(minus.pixels, plus.pixels, BYTES));
    for (int i = 0; i < BYTES; i++) cr_assert_leq(abs(both.pixels[i] - base.pixels[i]), 1);
    xl_device_close(device);
}

/* An alpha of 0 is none: the rank stands in its place. */
Test(loras, an_alpha_of_0_is_the_rank) {
    static const float alphas[] = {0, 4, 2};
    static struct drawn drawn[4];
    struct xl_device *device = open_device();
    for (int i = 0; i < 4; i++) {
        lora_case_begin(&file);
        lora_case_pair(&file, TO_Q, (const char **)kohya, XL_SHAPE(4, 16), XL_SHAPE(16, 4));
        if (i < 3) lora_case_add(&file, TO_Q ".alpha", (struct xl_shape){0}, &alphas[i]);
        lora_case_write(&file, scratch("%d.safetensors", i));
        draw(device, &(struct xl_lora){scratch("%d.safetensors", i), 1, 1}, 1, &drawn[i]);
    }
    cr_expect_eq(memcmp(drawn[0].pixels, drawn[3].pixels, BYTES), 0, "as without an alpha");
    cr_expect_eq(memcmp(drawn[1].pixels, drawn[3].pixels, BYTES), 0, "as the rank");
    cr_expect(memcmp(drawn[2].pixels, drawn[3].pixels, BYTES), "another alpha is another scale");
    xl_device_close(device);
}

/* The base and a variant are open at once; a LoRA that says 0 is the base. */
Test(loras, residents_that_share_weights_leave_them_alone) {
    static struct drawn base, with, off, again;
    const char *a = scratch("a.safetensors"), *b = scratch("b.safetensors");
    const struct xl_lora nothing[] = {{a, 0, 0}, {b, 0, 0}}, text_only[] = {{a, 1, 0}};
    struct xl_device *device = open_device();
    struct xl_model_params params = {.model = REPO};
    struct xl_model *open;
    cr_assert_eq(xl_model_open(&params, &open, &err), XL_OK, "%s", err.text);
    draw(device, NULL, 0, &base);
    draw(device, text_only, 1, &with);
    draw(device, nothing, 2, &off);
    cr_expect(same(&base, &off));
    cr_expect_eq(off.held, with.held, "nothing is packed for it");
    draw(device, text_only, 1, &again);
    cr_expect(same(&with, &again));
    draw(device, NULL, 0, &again);
    cr_expect(same(&base, &again));
    xl_model_close(open);
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
