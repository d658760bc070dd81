/* test_embeddings.c - textual inversions: what the encoders make of texts with them against
 * diffusers, compel and A1111 (tools/reference/topics/embeddings.py), files that are refused, and
 * that kept texts and pictures know which vectors they were made with.
 */
#include "base/sha256.h"
#include "encoded_case.h"
#include "unit/lora_case.h"

#include <stdlib.h>
#include <string.h>

#define DATA XL_SOURCE_DIR "/tests/data/"
#define REPO DATA "models/repo"
enum { WIDTH = 24, WIDTH_2 = 40, BYTES = 64 * 64 * 3 };

/* In the order in which the reference loaded them. */
static const struct xl_embedding all[] = {
    {DATA "embeddings/glow.safetensors", "glow", NULL},
    {DATA "embeddings/wave.safetensors", "wave", NULL},
    {DATA "embeddings/half.safetensors", "half", NULL},
};

static struct xl_err err;
static struct lora_case file;
TestSuite(embeddings, .init = scratch_open, .fini = scratch_close);

static struct xl_request request_of(struct xl_picture *picture, const struct xl_embedding *list,
                                    int n) {
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = picture;
    request.embeddings = list;
    request.n_embeddings = n;
    request.precision = XL_PRECISION_F32;
    request.width = request.height = 64;
    request.steps = 2;
    return request;
}

/* --- Encoders against the reference --- */

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static void expect_case(struct engine_case engine, const json_t *object) {
    struct xl_picture picture = {.prompt = text_of(object, "prompt")};
    struct xl_request request = request_of(&picture, all, 3);
    const char *syntax = text_of(object, "syntax");
    while (strcmp(xl_prompt_syntax_name(request.prompt_syntax), syntax) != 0)
        request.prompt_syntax++;
    engine.model->clip[1].eos_token_id = (int)json_integer_value(json_object_get(object, "eos"));
    request.guidance = 1;
    encoded_expect(engine, &request, object);
}

/* The two rules of pooling are a device each: kept texts do not know the rule. */
static void check_cases(const char *device) {
    json_t *root = NULL, *object;
    cr_assert_eq(xl_json_load(DATA "embeddings/encoded.json", &root, &err), XL_OK, "%s", err.text);
    const json_t *cases = json_object_get(root, "cases");
    cr_assert_eq(json_array_size(cases), 38);
    for (int eos = 2; eos <= 513; eos += 511) {
        struct engine_case engine = engine_open(REPO, device, 2);
        size_t i;
        json_array_foreach((json_t *)cases, i,
                           object) if (json_integer_value(json_object_get(object, "eos")) == eos)
            expect_case(engine, object);
        engine_close(engine);
    }
    json_decref(root);
}

Test(embeddings, encoders_on_cpu) {
    check_cases("cpu");
}
Test(embeddings, encoders_on_reference) {
    check_cases("reference");
}

/* --- Words in texts --- */

static void draw(struct engine_case engine, const char *prompt, const struct xl_embedding *list,
                 int n, struct xl_result *out) {
    struct xl_picture picture = {.prompt = prompt, .negative = "", .seed = 3};
    struct xl_request request = request_of(&picture, list, n);
    *out = engine_draw(engine, &request);
}

static bool is_same(struct engine_case engine, const char *a, const char *b) {
    struct xl_result one, two;
    draw(engine, a, all, 3, &one);
    draw(engine, b, all, 3, &two);
    bool same = !memcmp(one.pictures[0].image.pixels, two.pictures[0].image.pixels, BYTES);
    xl_result_free(&one);
    xl_result_free(&two);
    return same;
}

Test(embeddings, a_word_is_found_however_it_is_written) {
    struct engine_case engine = engine_open(REPO, "cpu", 2);
    cr_expect(is_same(engine, "a glow cat", "a GLOW cat"));
    cr_expect(is_same(engine, "a glow cat", "a embedding:glow cat"));
    cr_expect(is_same(engine, "a glow cat", "a Embedding:Glow.safetensors cat"));
    cr_expect(is_same(engine, "a glow cat", "a embedding:glow.pt cat"));
    cr_expect_not(is_same(engine, "a glow cat", "a glows cat"));
    engine_close(engine);
}

Test(embeddings, a_word_in_the_negative_prompt_counts) {
    struct engine_case engine = engine_open(REPO, "cpu", 2);
    struct xl_picture picture = {.prompt = "a cat", .negative = "glow", .seed = 3};
    struct xl_request request = request_of(&picture, all, 1);
    struct xl_result with = engine_draw(engine, &request);
    request.n_embeddings = 0;
    struct xl_result without = engine_draw(engine, &request);
    cr_expect(memcmp(with.pictures[0].image.pixels, without.pictures[0].image.pixels, BYTES) != 0);
    cr_expect_not_null(strstr(with.pictures[0].record, "\"embedding\":\"glow\""));
    cr_expect_null(strstr(without.pictures[0].record, "\"embedding"));
    xl_result_free(&with);
    xl_result_free(&without);
    engine_close(engine);
}

/* Nothing changes where no word stands, to the byte. */
Test(embeddings, an_embedding_that_is_not_named_does_nothing) {
    struct engine_case engine = engine_open(REPO, "cpu", 2);
    struct xl_result with, without;
    draw(engine, "a cat", all, 3, &with);
    draw(engine, "a cat", NULL, 0, &without);
    cr_expect_eq(memcmp(with.pictures[0].image.pixels, without.pictures[0].image.pixels, BYTES), 0);
    cr_expect_str_eq(with.pictures[0].record, without.pictures[0].record);
    cr_expect_str_eq(with.pictures[0].parameters, without.pictures[0].parameters);
    xl_result_free(&with);
    xl_result_free(&without);
    engine_close(engine);
}

/* The same text with other vectors is encoded anew, and with the first ones again as before. */
Test(embeddings, kept_texts_know_their_vectors) {
    struct engine_case engine = engine_open(REPO, "cpu", 2);
    struct xl_embedding as_glow[] = {{all[0].file, "glow", NULL}, {all[1].file, "glow", NULL}};
    struct xl_result drawn[4];
    for (int i = 0; i < 4; i++) draw(engine, "a glow cat", &as_glow[i % 2], i < 3, &drawn[i]);
    const uint8_t *pixels[4];
    for (int i = 0; i < 4; i++) pixels[i] = drawn[i].pictures[0].image.pixels;
    cr_expect(memcmp(pixels[0], pixels[1], BYTES) != 0);
    cr_expect_eq(memcmp(pixels[0], pixels[2], BYTES), 0);
    cr_expect(memcmp(pixels[0], pixels[3], BYTES) != 0);
    for (int i = 0; i < 4; i++) xl_result_free(&drawn[i]);
    engine_close(engine);
}

Test(embeddings, a_picture_says_what_was_used) {
    struct engine_case engine = engine_open(REPO, "cpu", 2);
    struct xl_result drawn;
    char digest[2][XL_SHA256_HEX], text[512];
    for (int i = 0; i < 2; i++)
        cr_assert_eq(xl_sha256_file(all[2 * i].file, digest[i], &err), XL_OK, "%s", err.text);
    draw(engine, "a glow cat, half", all, 3, &drawn);
    snprintf(text, sizeof text, "\"embedding\":\"glow, half\",\"embedding_digests\":\"%s, %s\"",
             digest[0], digest[1]);
    cr_expect_not_null(strstr(drawn.pictures[0].record, text), "%s", drawn.pictures[0].record);
    snprintf(text, sizeof text, "TI hashes: \"glow: %.12s, half: %.12s\"", digest[0], digest[1]);
    cr_expect_not_null(strstr(drawn.pictures[0].parameters, text), "%s",
                       drawn.pictures[0].parameters);
    xl_result_free(&drawn);
    engine_close(engine);
}

/* --- What is refused --- */

static void expect_refused(struct engine_case engine, const struct xl_embedding *list, int n,
                           enum xl_status wanted, const char *why) {
    struct xl_picture picture = {.prompt = "a cat"};
    struct xl_request request = request_of(&picture, list, n);
    cr_expect_eq(xl_model_check(engine.model, &request, &err), wanted, "%s: %s", why, err.text);
    cr_expect_not_null(strstr(err.text, why), "\"%s\", expected \"%s\"", err.text, why);
}

static void refuse_tensor(struct engine_case engine, const char *key, struct xl_shape shape,
                          const char *key_2, struct xl_shape shape_2, const char *why) {
    struct xl_embedding one = {scratch("x.safetensors"), "x", NULL};
    enum xl_status status = strstr(why, "room for") ? XL_EINVAL : XL_EFORMAT;
    lora_case_begin(&file);
    lora_case_add(&file, key, shape, NULL);
    if (key_2) lora_case_add(&file, key_2, shape_2, NULL);
    lora_case_write(&file, one.file);
    expect_refused(engine, &one, 1, status, why);
}

Test(embeddings, files_that_do_not_fit_are_refused_by_name) {
    struct engine_case engine = engine_open(REPO, "cpu", 2);
    const struct xl_shape none = {0}, l = XL_SHAPE(2, WIDTH), g = XL_SHAPE(2, WIDTH_2);
    refuse_tensor(engine, "emb_params", XL_SHAPE(2, 768), NULL, none, "Stable Diffusion 1.x");
    refuse_tensor(engine, "<cat>", XL_SHAPE(768), NULL, none, "Stable Diffusion 1.x");
    refuse_tensor(engine, "emb_params", XL_SHAPE(2, 1024), NULL, none, "Stable Diffusion 2.x");
    refuse_tensor(engine, "<cat>", XL_SHAPE(2, 1280), NULL, none, "one text encoder");
    refuse_tensor(engine, "clip_l", XL_SHAPE(1, 768), "clip_g", XL_SHAPE(1, 1280),
                  "have 768 and 1280 numbers, expected 24 and 40");
    refuse_tensor(engine, "clip_l", l, NULL, none, "one text encoder");
    refuse_tensor(engine, "clip_l", l, "clip_g", XL_SHAPE(3, WIDTH_2), "as many of both");
    refuse_tensor(engine, "clip_l", XL_SHAPE(0, WIDTH), "clip_g", XL_SHAPE(0, WIDTH_2),
                  "\"clip_l\" is [0, 24]");
    refuse_tensor(engine, "clip_l", XL_SHAPE(1, 2, WIDTH), "clip_g", g, "\"clip_l\" is [1, 2, 24]");
    refuse_tensor(engine, "clip_l", XL_SHAPE(76, WIDTH), "clip_g", XL_SHAPE(76, WIDTH_2),
                  "76 vectors, and a prompt has room for 75");
    refuse_tensor(engine, "a.lora_down.weight", l, "a.lora_up.weight", g, "LoRA");
    engine_close(engine);
}

Test(embeddings, numbers_that_are_none_are_refused) {
    struct engine_case engine = engine_open(REPO, "cpu", 2);
    struct xl_embedding one = {scratch("x.safetensors"), "x", NULL};
    for (int i = 0; i < 2; i++) {
        float numbers[WIDTH_2] = {0};
        lora_case_begin(&file);
        lora_case_add(&file, "clip_l", XL_SHAPE(1, WIDTH), numbers);
        numbers[WIDTH_2 - 1] = i ? INFINITY : NAN;
        lora_case_add(&file, "clip_g", XL_SHAPE(1, WIDTH_2), numbers);
        lora_case_write(&file, one.file);
        expect_refused(engine, &one, 1, XL_EFORMAT, "\"clip_g\" holds NaN or infinity");
    }
    engine_close(engine);
}

Test(embeddings, pickles_are_not_opened) {
    struct engine_case engine = engine_open(REPO, "cpu", 2);
    struct xl_embedding one = {"/nowhere/x.PT", "x", NULL};
    expect_refused(engine, &one, 1, XL_EFORMAT, "convert it with torch.load");
    one.file = "/nowhere/x.bin";
    expect_refused(engine, &one, 1, XL_EFORMAT, "are never read");
    one.file = "/nowhere/x.safetensors";
    expect_refused(engine, &one, 1, XL_EMODEL, "/nowhere/x.safetensors");
    engine_close(engine);
}

Test(embeddings, words_and_digests_are_checked) {
    struct engine_case engine = engine_open(REPO, "cpu", 2);
    struct xl_embedding list[] = {all[0], all[1]};
    list[1].word = "GLOW";
    expect_refused(engine, list, 2, XL_EINVAL, "stands for two embeddings");
    list[0].word = "";
    expect_refused(engine, list, 1, XL_EINVAL, "empty word");
    list[0].word = "a b";
    expect_refused(engine, list, 1, XL_EINVAL, "\"a b\"");
    list[0].word = "a,b";
    expect_refused(engine, list, 1, XL_EINVAL, "expected one word");
    list[0] = all[0];
    list[0].digest = "0123456789abcdef";
    expect_refused(engine, list, 1, XL_EINPUT, "was 0123456789...");
    expect_refused(engine, list, 65, XL_EINVAL, "n_embeddings is 65");
    engine_close(engine);
}
