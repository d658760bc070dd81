/* test_model_files.c - what the files of a model say and how it is drawn: models whose files say
 * the same in other words draw the same picture, and a file that decides pixels another one. */
#include "base/json.h"
#include "engine_case.h"
#include "image/image.h"
#include "tensor/tensor.h"
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

/* lora: its file, or NULL */
static struct drawn draw_with(const char *dir, const char *scheduler, const char *lora) {
    struct engine_case engine = engine_open(dir, "cpu", 0);
    if (lora) {
        struct xl_lora one = {lora, 1, 1};
        struct xl_model_params params = {.model = dir, .loras = &one, .n_loras = 1};
        xl_model_close(engine.model);
        cr_assert_eq(xl_model_open(&params, &engine.model, &err), XL_OK, "%s", err.text);
    }
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

static struct drawn draw(const char *dir, const char *scheduler) {
    return draw_with(dir, scheduler, NULL);
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

/* ---- Weights ---- */

/* How F16 numbers of a file are written anew. */
enum rewrite { AS_THEY_ARE, AS_F64, AS_F8, TRUNCATED };

static size_t rewrite_numbers(enum rewrite how, const uint16_t *from, size_t n, uint8_t *to) {
    for (size_t i = 0; i < n; i++) {
        uint16_t truncated = from[i] & 0xFF00; /* F8_E5M2 is the upper byte of F16 */
        double wide = (double)xl_f16_to_f32(from[i]);
        switch (how) {
        case AS_THEY_ARE:
            memcpy(to + 2 * i, from + i, 2);
            break;
        case AS_F64:
            memcpy(to + 8 * i, &wide, 8);
            break;
        case AS_F8:
            to[i] = (uint8_t)(from[i] >> 8);
            break;
        case TRUNCATED:
            memcpy(to + 2 * i, &truncated, 2);
            break;
        }
    }
    return n * (how == AS_F64 ? 8 : how == AS_F8 ? 1 : 2);
}

/* Write a file of the copy anew, its header of odd length: all tensors begin at odd bytes. */
static void rewrite(const char *file, enum rewrite how) {
    char path[512];
    snprintf(path, sizeof path, REPO "/%s", file);
    FILE *in = fopen(path, "rb");
    uint8_t *old = malloc(16 << 20), *new = malloc(64 << 20), *data = malloc(64 << 20);
    cr_assert(in && old && new &&data);
    size_t n_old = fread(old, 1, 16 << 20, in), n_header = old[0] | old[1] << 8 | old[2] << 16;
    fclose(in);
    cr_assert_gt(n_old, n_header + 8);
    json_t *header = json_loadb((char *)old + 8, n_header, 0, NULL), *tensor;
    const char *name;
    size_t at = 0;
    json_object_foreach(header, name, tensor) {
        json_t *offsets = json_object_get(tensor, "data_offsets");
        if (!offsets) continue;
        size_t begin = (size_t)json_integer_value(json_array_get(offsets, 0));
        size_t end = (size_t)json_integer_value(json_array_get(offsets, 1)), start = at;
        /* What is F32 stays so. */
        bool is_f16 = !strcmp(json_string_value(json_object_get(tensor, "dtype")), "F16");
        uint16_t *aligned = malloc(end - begin + 2);
        memcpy(aligned, old + 8 + n_header + begin, end - begin);
        at += rewrite_numbers(is_f16 ? how : AS_THEY_ARE, aligned, (end - begin) / 2, data + at);
        free(aligned);
        if (is_f16 && how == AS_F64) json_object_set_new(tensor, "dtype", json_string("F64"));
        if (is_f16 && how == AS_F8) json_object_set_new(tensor, "dtype", json_string("F8_E5M2"));
        json_object_set_new(tensor, "data_offsets", json_pack("[I, I]", start, at));
    }
    char *text = json_dumps(header, JSON_COMPACT);
    size_t n = strlen(text), n_padded = n + !(n % 2);
    memset(new, 0, 8);
    for (int i = 0; i < 3; i++) new[i] = (uint8_t)(n_padded >> 8 * i);
    memset(new + 8, ' ', n_padded);
    memcpy(new + 8, text, n);
    memcpy(new + 8 + n_padded, data, at);
    scratch_write(scratch("model/%s", file), new, 8 + n_padded + at);
    json_decref(header);
    free(text), free(old), free(new), free(data);
}

static void rewrite_all(enum rewrite how) {
    rewrite("unet/diffusion_pytorch_model.safetensors", how);
    rewrite("vae/diffusion_pytorch_model.safetensors", how);
    rewrite("text_encoder/model.safetensors", how);
    rewrite("text_encoder_2/model.safetensors", how);
}

Test(model_files, weights_may_begin_at_any_byte_and_be_wider) {
    struct drawn own = draw(REPO, "default");
    rewrite_all(AS_THEY_ARE);
    struct drawn unaligned = draw(scratch("model"), "default");
    rewrite_all(AS_F64);
    struct drawn wide = draw(scratch("model"), "default");
    double same = xl_image_psnr(&unaligned.image, &own.image);
    cr_expect(isinf(same), "unaligned: %.1f dB", same);
    expect_psnr(&wide, &own, INFINITY, INFINITY, "F64");
    xl_image_free(&unaligned.image);
}

Test(model_files, f8_weights_are_the_numbers_that_they_stand_for) {
    rewrite_all(TRUNCATED);
    struct drawn truncated = draw(scratch("model"), "default");
    rewrite_all(AS_F8);
    struct drawn f8 = draw(scratch("model"), "default");
    expect_psnr(&f8, &truncated, INFINITY, INFINITY, "F8_E5M2");
}

/* What a LoRA adds is added to the numbers, however they are stored. */
Test(model_files, loras_go_on_f8_weights) {
    static const char lora[] = XL_SOURCE_DIR "/tests/data/lora/picture.safetensors";
    rewrite_all(TRUNCATED);
    struct drawn truncated = draw_with(scratch("model"), "default", lora);
    rewrite_all(AS_F8);
    struct drawn plain = draw(scratch("model"), "default");
    struct drawn f8 = draw_with(scratch("model"), "default", lora);
    cr_expect(!isinf(xl_image_psnr(&f8.image, &plain.image)), "it changes the picture");
    expect_psnr(&f8, &truncated, INFINITY, INFINITY, "F8_E5M2 with a LoRA");
    xl_image_free(&plain.image);
}
