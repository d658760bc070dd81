/* test_prompts.c - texts with weights, breaks, schedules and many chunks: embeddings against
 * A1111's algorithm on transformers' encoders, whole pictures against diffusers with those
 * embeddings (tools/reference/topics/prompts.py). And a picture does not depend on its neighbours.
 */
#include "encoded_case.h"
#include "image/image.h"

#include <stdlib.h>
#include <string.h>

#define DATA XL_SOURCE_DIR "/tests/data/"

static json_t *load(const char *name) {
    char path[512];
    struct xl_err err = {0};
    json_t *root = NULL;
    snprintf(path, sizeof path, DATA "prompts/%s", name);
    cr_assert_eq(xl_json_load(path, &root, &err), XL_OK, "%s", err.text);
    return root;
}

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static int int_of(const json_t *object, const char *key) {
    return (int)json_integer_value(json_object_get(object, key));
}

static enum xl_prompt_syntax syntax_of(const json_t *object) {
    enum xl_prompt_syntax syntax = XL_PROMPT_PLAIN;
    while (strcmp(xl_prompt_syntax_name(syntax), text_of(object, "syntax")) != 0) syntax++;
    return syntax;
}

static struct xl_request request_of(const json_t *object, struct xl_picture *picture) {
    struct xl_request request;
    xl_request_default(&request);
    *picture = (struct xl_picture){.prompt = text_of(object, "prompt"),
                                   .negative = text_of(object, "negative"),
                                   .seed = (uint64_t)int_of(object, "seed")};
    request.pictures = picture;
    request.precision = XL_PRECISION_F32;
    request.prompt_syntax = syntax_of(object);
    request.clip_skip = int_of(object, "clip_skip");
    request.width = 64;
    request.height = 48;
    request.steps = 4;
    return request;
}

/* --- Embeddings --- */

static void expect_embeddings(struct engine_case engine, const json_t *object) {
    struct xl_picture picture;
    struct xl_request request = request_of(object, &picture);
    request.guidance = 1;
    encoded_expect(engine, &request, object);
}

static void check_embeddings(const char *device) {
    struct engine_case engine = engine_open(DATA "models/repo", device, 2);
    json_t *root = load("encoded.json"), *cases = json_object_get(root, "cases"), *object;
    size_t i;
    cr_assert_geq(json_array_size(cases), 16);
    json_array_foreach(cases, i, object) expect_embeddings(engine, object);
    json_decref(root);
    engine_close(engine);
}

Test(prompts, embeddings_on_cpu) {
    check_embeddings("cpu");
}
Test(prompts, embeddings_on_reference) {
    check_embeddings("reference");
}

/* --- Whole pictures --- */

Test(prompts, pictures_equal_those_of_diffusers) {
    struct engine_case engine = engine_open(DATA "models/repo", "cpu", 2);
    json_t *root = load("pictures.json"), *cases = json_object_get(root, "cases"), *object;
    size_t i;
    cr_assert_geq(json_array_size(cases), 9);
    json_array_foreach(cases, i, object) {
        char path[512];
        struct xl_err err = {0};
        struct xl_picture picture;
        struct xl_image expected;
        struct xl_request request = request_of(object, &picture);
        snprintf(path, sizeof path, DATA "prompts/%s.png", text_of(object, "name"));
        cr_assert_eq(xl_image_load(path, &expected, &err), XL_OK, "%s", err.text);
        struct xl_result result = engine_draw(engine, &request);
        double psnr = xl_image_psnr(&result.pictures[0].image, &expected);
        cr_expect_geq(psnr, 60.0, "%s: %.1f dB", text_of(object, "name"), psnr);
        xl_image_free(&expected);
        xl_result_free(&result);
    }
    json_decref(root);
    engine_close(engine);
}

/* --- Neighbours --- */

static const char LONG[] = "a (long:1.2) text, a long text, a long text, a long text, a long text, "
                           "a long text, a long text, a long text";

static const struct xl_picture pictures[] = {
    {"a (red:1.4) cat", "blurry", 7, NULL}, {LONG, NULL, 8, NULL},
    {"[cat:dog:0.5] a", "", 9, NULL},       {"a BREAK b BREAK c", LONG, 10, NULL},
    {"[a|b|c]", "[x::1]", 11, NULL},
};
enum { N = sizeof pictures / sizeof *pictures };

static void expect_as_alone(struct xl_request request) {
    struct engine_case engine = engine_open(DATA "models/repo", "cpu", 2);
    request.pictures = pictures;
    request.n_pictures = N;
    struct xl_result all = engine_draw(engine, &request);
    cr_assert_eq(all.n_pictures, N);
    request.n_pictures = 1;
    for (int i = 0; i < N; i++) {
        request.pictures = &pictures[i];
        struct xl_result alone = engine_draw(engine, &request);
        const struct xl_image *image = &alone.pictures[0].image;
        size_t bytes = (size_t)image->width * (size_t)image->height * 3;
        cr_expect_eq(memcmp(all.pictures[i].image.pixels, image->pixels, bytes), 0, "picture %d",
                     i);
        cr_expect_str_eq(all.pictures[i].record, alone.pictures[0].record);
        xl_result_free(&alone);
    }
    xl_result_free(&all);
    engine_close(engine);
}

static struct xl_request request_a1111(void) {
    struct xl_request request;
    xl_request_default(&request);
    request.prompt_syntax = XL_PROMPT_A1111;
    request.width = 72;
    request.height = 64;
    request.steps = 4;
    return request;
}

Test(prompts, a_picture_is_as_it_would_be_alone) {
    struct xl_request request = request_a1111();
    request.precision = XL_PRECISION_F32;
    expect_as_alone(request);
    request.precision = XL_PRECISION_BF16;
    request.scheduler = "heun"; /* calls the model twice a step */
    expect_as_alone(request);
    request.guidance = 1;
    expect_as_alone(request);
}

/* What a step sees is what a text without a schedule would have it see. */
Test(prompts, a_schedule_that_never_comes_is_none) {
    static const struct xl_picture two[] = {{"cat", NULL, 5, NULL}, {"[cat:dog:9]", NULL, 5, NULL}};
    struct engine_case engine = engine_open(DATA "models/repo", "cpu", 2);
    struct xl_request request = request_a1111();
    request.pictures = two;
    request.n_pictures = 2;
    struct xl_result result = engine_draw(engine, &request);
    cr_expect_eq(memcmp(result.pictures[0].image.pixels, result.pictures[1].image.pixels,
                        (size_t)72 * 64 * 3),
                 0);
    xl_result_free(&result);
    engine_close(engine);
}

/* --- What is refused and what is warned of --- */

Test(prompts, what_cannot_be_drawn_is_refused_before) {
    struct engine_case engine = engine_open(DATA "models/repo", "cpu", 2);
    struct xl_request request = request_a1111();
    struct xl_err err = {0};
    char *text = calloc(100001, 1);
    struct xl_picture picture = {.prompt = text};
    request.pictures = &picture;
    memset(text, 'x', 100000);
    cr_expect_eq(xl_model_check(engine.model, &request, &err), XL_EINVAL);
    cr_expect_not_null(strstr(err.text, "more than 32 chunks"), "%s", err.text);
    text[32 * 75] = 0;
    cr_expect_eq(xl_model_check(engine.model, &request, &err), XL_OK, "%s", err.text);
    memset(text, '(', 32 * 75);
    cr_expect_eq(xl_model_check(engine.model, &request, &err), XL_EINVAL);
    cr_expect_not_null(strstr(err.text, "within each other"), "%s", err.text);
    picture.prompt = "a";
    for (int skip = -1; skip <= 4; skip++) {
        request.clip_skip = skip;
        enum xl_status status = xl_model_check(engine.model, &request, &err);
        cr_expect_eq(status, skip < 0 || skip > 3 ? XL_EINVAL : XL_OK, "clip_skip %d", skip);
    }
    cr_expect_not_null(strstr(err.text, "clip_skip is 4, expected 1 (the last layer) to 3"), "%s",
                       err.text);
    free(text);
    engine_close(engine);
}

static void expect_warning(struct engine_case engine, enum xl_prompt_syntax syntax,
                           const char *prompt, const char *words) {
    struct xl_picture both[] = {{.prompt = prompt}, {.prompt = prompt, .negative = prompt}};
    struct xl_request request = request_a1111();
    request.prompt_syntax = syntax;
    request.steps = 1;
    request.width = request.height = 16;
    request.pictures = both;
    request.n_pictures = 2;
    struct xl_result result = engine_draw(engine, &request);
    const char *at = words ? strstr(result.warnings, words) : NULL;
    cr_expect_eq(at != NULL, words != NULL, "%s: %s", prompt, result.warnings);
    if (!words) cr_expect_str_eq(result.warnings, "", "%s", prompt);
    if (at) cr_expect_null(strstr(at + 1, words), "said twice: %s", result.warnings);
    xl_result_free(&result);
}

Test(prompts, each_warning_is_said_once) {
    struct engine_case engine = engine_open(DATA "models/repo", "reference", 1);
    char text[100];
    memset(text, 'x', 99);
    text[99] = 0;
    expect_warning(engine, XL_PROMPT_PLAIN, text, "its last 24 tokens were cut off (75 fit)");
    expect_warning(engine, XL_PROMPT_PLAIN, "a cat", NULL);
    expect_warning(engine, XL_PROMPT_A1111, text, NULL);
    expect_warning(engine, XL_PROMPT_A1111, "a (cat:1.3)", NULL);
    expect_warning(engine, XL_PROMPT_A1111, "a) cat]", NULL);
    expect_warning(engine, XL_PROMPT_A1111, "a ((cat:1.3)",
                   "a bracket of the prompt is not closed");
    expect_warning(engine, XL_PROMPT_PLAIN, "a ((cat", NULL);
    expect_warning(engine, XL_PROMPT_COMPEL, "a cat.swap(dog)", ".swap() is left out");
    expect_warning(engine, XL_PROMPT_A1111, "a cat AND a dog", "AND is drawn as the word");
    expect_warning(engine, XL_PROMPT_A1111, "SAND", NULL);
    engine_close(engine);
}
