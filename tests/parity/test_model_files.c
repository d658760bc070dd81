/* test_model_files.c - what the files of a model say and how it is drawn: models whose files say
 * the same in other words draw the same picture, and a file that decides pixels another one. */
#include "base/json.h"
#include "engine_case.h"
#include "image/image.h"
#include "unit/scratch.h"

#include <math.h>

#define REPO XL_SOURCE_DIR "/tests/data/models/repo"

static struct xl_err err;

static void copy_file(const char *from, const char *to) {
    FILE *in = fopen(from, "rb");
    cr_assert_not_null(in, "%s", from);
    char *data = malloc(16 << 20);
    cr_assert_not_null(data);
    size_t n = fread(data, 1, 16 << 20, in);
    fclose(in);
    scratch_write(to, data, n);
    free(data);
}

static int copy_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st, (void)ftw;
    if (flag == FTW_F) copy_file(path, scratch("model%s", path + strlen(REPO)));
    return 0;
}

/* A copy of the small model, to be changed. */
static void set_up(void) {
    scratch_open();
    cr_assert_eq(nftw(REPO, copy_one, 16, 0), 0);
}
TestSuite(model_files, .init = set_up, .fini = scratch_close);

static json_t *load(const char *file) {
    json_t *root = NULL;
    cr_assert_eq(xl_json_load(scratch("model/%s", file), &root, &err), XL_OK, "%s", err.text);
    return root;
}

/* Set a key of a file of the copy; value NULL: take it out. */
static void set(const char *file, const char *key, json_t *value) {
    json_t *root = load(file);
    if (value)
        json_object_set_new(root, key, value);
    else
        json_object_del(root, key);
    cr_assert_eq(json_dump_file(root, scratch("model/%s", file), 0), 0);
    json_decref(root);
}

static void set_class(const char *part, const char *library, const char *class_name) {
    set("model_index.json", part, json_pack("[s, s]", library, class_name));
}

/* What a picture was drawn from. */
struct drawn {
    struct xl_image image;
    char digest[80], scheduler[64];
};

static struct drawn draw(const char *dir, const char *scheduler) {
    struct engine_case engine = engine_open(dir, "cpu", 0);
    struct xl_picture picture = {.prompt = "a red cat", .seed = 3};
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = &picture;
    request.width = request.height = 64;
    request.steps = 4;
    request.guidance = 4;
    request.scheduler = scheduler;
    request.precision = XL_PRECISION_F32;
    struct xl_result result = engine_draw(engine, &request);
    struct drawn drawn = {.image = result.pictures[0].image};
    result.pictures[0].image = (struct xl_image){0};
    snprintf(drawn.digest, sizeof drawn.digest, "%s", xl_model_info(engine.model)->digest);
    snprintf(drawn.scheduler, sizeof drawn.scheduler, "%s",
             xl_model_info(engine.model)->scheduler_class);
    xl_result_free(&result);
    engine_close(engine);
    return drawn;
}

static void expect_psnr(struct drawn *a, struct drawn *b, double at_least, double at_most,
                        const char *what) {
    double psnr = xl_image_psnr(&a->image, &b->image);
    cr_expect(psnr >= at_least && psnr <= at_most, "%s: %.1f dB", what, psnr);
    xl_image_free(&a->image);
    xl_image_free(&b->image);
}

static void expect_refused(enum xl_status status, const char *says) {
    struct xl_model_params params;
    struct xl_model *model;
    xl_model_params_default(&params);
    params.model = scratch("model");
    cr_expect_eq(xl_model_open(&params, &model, &err), status, "%s", says);
    cr_expect_not_null(strstr(err.text, says), "\"%s\" does not say \"%s\"", err.text, says);
}

/* ---- Classes ---- */

Test(model_files, the_scheduler_of_model_index_is_drawn) {
    set_class("scheduler", "diffusers", "DDIMScheduler");
    struct drawn index = draw(scratch("model"), "default"), named = draw(REPO, "ddim"),
                 own = draw(REPO, "default");
    cr_expect_str_eq(index.scheduler, "DDIMScheduler");
    cr_expect_str_eq(own.scheduler, "EulerDiscreteScheduler");
    cr_expect_str_neq(index.digest, own.digest, "it is another model");
    cr_expect_str_eq(named.digest, own.digest);
    double apart = xl_image_psnr(&index.image, &own.image);
    cr_expect(apart < 40, "%.1f dB", apart);
    expect_psnr(&index, &named, INFINITY, INFINITY, "the same class, the same picture");
    xl_image_free(&own.image);
}

Test(model_files, what_another_class_is_called_in_its_file_does_not_matter) {
    set("unet/config.json", "_class_name", json_string("UNet3DConditionModel"));
    set("vae/config.json", "_class_name", json_string("AutoencoderTiny"));
    set("scheduler/scheduler_config.json", "_class_name", json_string("FlowMatchHeunScheduler"));
    set_class("tokenizer_2", "transformers", "CLIPTokenizerFast");
    struct drawn copy = draw(scratch("model"), "default"), own = draw(REPO, "default");
    expect_psnr(&copy, &own, INFINITY, INFINITY, "the classes of model_index.json");
}

Test(model_files, a_class_that_is_not_known_is_refused_by_name) {
    static const struct {
        const char *part, *library, *name;
    } strange[] = {
        {"scheduler", "diffusers", "FlowMatchEulerDiscreteScheduler"},
        {"scheduler", "diffusers", "MyScheduler"},
        {"unet", "diffusers", "SD3Transformer2DModel"},
        {"vae", "diffusers", "AutoencoderTiny"},
        {"text_encoder", "transformers", "T5EncoderModel"},
        {"text_encoder_2", "transformers", "CLIPTextModel"},
        {"tokenizer", "transformers", "T5Tokenizer"},
        {"tokenizer_2", "transformers", "T5TokenizerFast"},
    };
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        copy_file(REPO "/model_index.json", scratch("model/model_index.json"));
        set_class(strange[i].part, strange[i].library, strange[i].name);
        expect_refused(XL_EFORMAT, strange[i].name);
    }
    copy_file(REPO "/model_index.json", scratch("model/model_index.json"));
    set("model_index.json", "tokenizer", json_pack("[n, n]"));
    expect_refused(XL_EFORMAT, "\"tokenizer\" is of class null");
}

/* ---- Keys ---- */

/* An omitted negative prompt is zeros unless the file says that it is not. */
Test(model_files, force_zeros_is_the_default) {
    struct drawn own = draw(REPO, "default");
    set("model_index.json", "force_zeros_for_empty_prompt", NULL);
    struct drawn absent = draw(scratch("model"), "default");
    set("model_index.json", "force_zeros_for_empty_prompt", json_false());
    struct drawn encoded = draw(scratch("model"), "default");
    double apart = xl_image_psnr(&encoded.image, &own.image);
    cr_expect(apart < 40, "%.1f dB", apart);
    expect_psnr(&absent, &own, INFINITY, INFINITY, "absent means true");
    xl_image_free(&encoded.image);
}

Test(model_files, a_shift_factor_is_not_looked_at) {
    set("vae/config.json", "shift_factor", json_real(0.3));
    struct drawn copy = draw(scratch("model"), "default"), own = draw(REPO, "default");
    expect_psnr(&copy, &own, INFINITY, INFINITY, "diffusers' SDXL pipelines do not");
    set("vae/config.json", "shift_factor", json_string("of another kind"));
    copy = draw(scratch("model"), "default");
    xl_image_free(&copy.image);
}
