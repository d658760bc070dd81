/* test_batch.c - a batch of different pictures gives the bytes that each gives alone, on both
 * backends: a sweep may put any cells together. And what the caller adds to records. */
#include "engine_case.h"
#include "parity/latents_case.h"

#include "base/json.h"
#include "image/image.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char repo[] = XL_SOURCE_DIR "/tests/data/models/repo";

static const struct xl_picture pictures[] = {
    {"a cat", "blurry", 7, "{\"cell\": \"c1\", \"profile\": \"Oil, thick\"}"},
    {"a lighthouse on a cliff at dusk, oil painting", NULL, 18446744073709551615u, NULL},
    {"", "", 8, "{\"requested_width\": 768, \"requested_height\": 768, \"cell\": [1, {\"a\": 2}]}"},
};
enum { N = sizeof pictures / sizeof *pictures };

static const struct xl_picture a_cat = {.prompt = "a cat"};

static struct xl_request request_of(int width, int height) {
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = &a_cat;
    request.precision = XL_PRECISION_F32;
    request.steps = 3;
    request.width = width;
    request.height = height;
    return request;
}

/* The file of one picture, malloc'd. */
static char *file_of(const struct xl_result *result, int i, size_t *n) {
    char path[64];
    struct xl_err err = {0};
    snprintf(path, sizeof path, "/tmp/xl-test-batch-%d.png", (int)getpid());
    unlink(path);
    cr_assert_eq(xl_result_save_png(result, i, path, &err), XL_OK, "%s", err.text);
    FILE *file = fopen(path, "rb");
    char *data = malloc(1 << 20);
    *n = fread(data, 1, 1 << 20, file);
    fclose(file);
    unlink(path);
    return data;
}

/* Files hold the pixels and the record, so both must be those of the picture drawn alone: whether
 * they are made together on several threads or one by one. */
static void check_equal(struct engine_case engine, struct xl_request request) {
    request.pictures = pictures;
    request.n_pictures = N;
    struct xl_result all = engine_draw(engine, &request);
    cr_assert_eq(all.n_pictures, N);
    struct xl_err err = {0};
    cr_assert_eq(xl_result_encode_png(&all, 2, &err), XL_OK, "%s", err.text);
    request.n_pictures = 1;
    for (int i = 0; i < N; i++) {
        request.pictures = &pictures[i];
        struct xl_result alone = engine_draw(engine, &request);
        const struct xl_image *image = &alone.pictures[0].image;
        size_t bytes = (size_t)image->width * (size_t)image->height * 3;
        cr_expect_eq(memcmp(all.pictures[i].image.pixels, image->pixels, bytes), 0, "picture %d",
                     i);
        size_t n, n_alone;
        char *file = file_of(&all, i, &n), *file_alone = file_of(&alone, 0, &n_alone);
        cr_expect(n == n_alone && !memcmp(file, file_alone, n), "file of picture %d", i);
        cr_expect_str_eq(all.pictures[i].record, alone.pictures[0].record);
        free(file);
        free(file_alone);
        xl_result_free(&alone);
    }
    xl_result_free(&all);
}

static void check_sizes(enum xl_precision precision, const char *device, int n_sizes) {
    static const int sizes[][2] = {{64, 64}, {72, 104}, {128, 96}, {256, 192}};
    struct engine_case engine = engine_open(repo, device, 2);
    for (int i = 0; i < n_sizes; i++) {
        struct xl_request request = request_of(sizes[i][0], sizes[i][1]);
        request.precision = precision;
        check_equal(engine, request);
        request.guidance = 1; /* no unguided half */
        check_equal(engine, request);
    }
    engine_close(engine);
}

Test(batch, f32) {
    check_sizes(XL_PRECISION_F32, "cpu", 4);
}
Test(batch, bf16) {
    check_sizes(XL_PRECISION_BF16, "cpu", 4);
}
Test(batch, f32_on_reference) {
    check_sizes(XL_PRECISION_F32, "reference", 1);
}

Test(batch, from_a_picture_with_noise_in_every_step) {
    struct engine_case engine = engine_open(repo, "cpu", 2);
    struct xl_image init;
    struct xl_err err = {0};
    cr_assert_eq(xl_image_load(XL_SOURCE_DIR "/tests/data/models/pipeline/init.png", &init, &err),
                 XL_OK, "%s", err.text);
    struct xl_request request = request_of(64, 72);
    request.init = &init;
    request.strength = 0.7;
    request.scheduler = "euler-ancestral";
    check_equal(engine, request);
    xl_image_free(&init);
    engine_close(engine);
}

/* More distinct texts than the model keeps. */
Test(batch, latents_are_shown_every_few_evaluations) {
    struct engine_case engine = engine_open(repo, "cpu", 2);
    check_latents_every(engine);
    engine_close(engine);
}

Test(batch, more_texts_than_are_kept) {
    enum { MANY = 40 };
    struct engine_case engine = engine_open(repo, "cpu", 2);
    struct xl_request request = request_of(16, 16);
    struct xl_picture many[MANY];
    char texts[MANY][2][16];
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i][0], 16, "picture %d", i);
        snprintf(texts[i][1], 16, "not %d", i);
        many[i] = (struct xl_picture){texts[i][0], texts[i][1], (uint64_t)i, NULL};
    }
    request.steps = 1;
    request.pictures = many;
    request.n_pictures = MANY;
    struct xl_result all = engine_draw(engine, &request);
    request.pictures = &many[3];
    request.n_pictures = 1;
    struct xl_result one = engine_draw(engine, &request);
    cr_expect_eq(memcmp(all.pictures[3].image.pixels, one.pictures[0].image.pixels, 16 * 16 * 3),
                 0);
    cr_expect_neq(memcmp(all.pictures[4].image.pixels, one.pictures[0].image.pixels, 16 * 16 * 3),
                  0);
    xl_result_free(&all);
    xl_result_free(&one);
    engine_close(engine);
}

static json_t *record_of(const struct xl_result *result, int i) {
    json_t *record = json_loads(result->pictures[i].record, 0, NULL);
    cr_assert_not_null(record);
    return record;
}

static const char *text_at(const json_t *record, const char *key) {
    return json_string_value(json_object_get(record, key));
}

Test(batch, a_record_tells_the_seed_in_all_its_digits) {
    struct engine_case engine = engine_open(repo, "cpu", 2);
    struct xl_picture picture = {.prompt = "a cat", .seed = 18446744073709551615u};
    struct xl_request request = request_of(16, 16);
    request.steps = 1;
    request.pictures = &picture;
    struct xl_result result = engine_draw(engine, &request);
    json_t *record = record_of(&result, 0);
    cr_expect_str_eq(text_at(record, "seed"), "18446744073709551615");
    cr_expect(json_is_null(json_object_get(record, "negative")));
    struct xl_err err = {0};
    cr_expect_eq(xl_result_save_png(&result, 1, "/tmp/never", &err), XL_EINVAL);
    cr_expect_str_eq(err.text, "there is no picture 1 of 1");
    json_decref(record);
    xl_result_free(&result);
    engine_close(engine);
}

/* What was saved comes back, whatever happens to the other texts; and what is wrong is said. */
Test(batch, a_record_is_read_back) {
    struct engine_case engine = engine_open(repo, "cpu", 2);
    struct xl_request request = request_of(16, 16);
    request.steps = 1;
    struct xl_picture picture = {.prompt = "a \xC3\xA4 \"cat\"\n\xF0\x9F\x90\x88"};
    request.pictures = &picture;
    struct xl_result result = engine_draw(engine, &request);
    char *record = NULL, path[64];
    struct xl_err err = {0};
    snprintf(path, sizeof path, "/tmp/xl-test-record-%d.png", (int)getpid());
    size_t n;
    char *file = file_of(&result, 0, &n);
    static const struct {
        const char *spoil; /* a byte of this is changed */
        const char *words; /* of the error; NULL: none */
    } cases[] = {
        {NULL, NULL},
        {"Steps: 1", NULL},
        {"IDAT", NULL},
        {"\"program\"", "damaged: its chunk has a wrong checksum"},
        {"sdxl-lab\0", "no record"},
        {"PNG", "not a PNG"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *spoil = cases[i].spoil;
        size_t length = spoil ? strlen(spoil) + !strcmp(spoil, "sdxl-lab") : 0;
        char *at = spoil ? memmem(file, n, spoil, length) : NULL;
        cr_assert(!spoil || at);
        if (at) at[0] ^= 1;
        FILE *out = fopen(path, "wb");
        fwrite(file, 1, n, out);
        fclose(out);
        if (at) at[0] ^= 1;
        record = NULL;
        enum xl_status status = xl_record_read(path, &record, &err);
        cr_expect_eq(status, cases[i].words ? XL_EINPUT : XL_OK, "case %zu: %s", i, err.text);
        if (!cases[i].words) cr_expect_str_eq(record, result.pictures[0].record);
        if (cases[i].words) cr_expect_not_null(strstr(err.text, cases[i].words), "%s", err.text);
        if (cases[i].words) cr_expect_null(record);
        free(record);
    }
    unlink(path);
    cr_expect_eq(xl_record_read(path, &record, &err), XL_EINPUT);
    cr_expect_not_null(strstr(err.text, "cannot open"), "%s", err.text);
    free(file);
    xl_result_free(&result);
    engine_close(engine);
}

static void digest_of(const char *dir, char out[65]) {
    struct engine_case engine = engine_open(dir, "cpu", 2);
    snprintf(out, 65, "%s", xl_model_info(engine.model)->digest);
    engine_close(engine);
}

static void run(const char *format, const char *dir) {
    char command[512];
    snprintf(command, sizeof command, format, dir);
    cr_assert_eq(system(command), 0, "%s", command);
}

/* The same for a copy; another one when any file changes. */
Test(batch, the_digest_of_a_model_follows_its_content) {
    static const char *const changes[] = {
        ("printf '\\001' | dd of=%s/unet/diffusion_pytorch_model.safetensors bs=1 conv=notrunc "
         "seek=$(($(stat -c %%s unet/diffusion_pytorch_model.safetensors) - 9)) 2>/dev/null"),
        "echo >>%s/scheduler/scheduler_config.json",
        "echo >>%s/vae/config.json",
        "echo >>%s/tokenizer_2/merges.txt",
    };
    char dir[] = "/tmp/xl-test-identity-XXXXXX";
    cr_assert_not_null(mkdtemp(dir));
    run("cp -r " XL_SOURCE_DIR "/tests/data/models/repo/. %s", dir);
    cr_assert_eq(chdir(dir), 0);
    char of_repo[65], last[65], now[65];
    digest_of(repo, of_repo);
    digest_of(dir, last);
    cr_expect_str_eq(of_repo, last);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        run(changes[i], dir);
        digest_of(dir, now);
        cr_expect_str_neq(now, last, "change %zu", i);
        strcpy(last, now);
    }
    run("rm -rf %s", dir);
}

/* Every key of a record is protected, but the two that say what was asked for; and what is no
 * object is refused before anything is drawn. */
Test(batch, extra_is_checked) {
    struct engine_case engine = engine_open(repo, "cpu", 2);
    struct xl_request request = request_of(16, 16);
    struct xl_image init = {16, 16, calloc(16 * 16, 3)};
    struct xl_picture picture = a_cat;
    request.pictures = &picture;
    request.steps = 1;
    request.init = &init;
    struct xl_result result = engine_draw(engine, &request), untouched = {0};
    json_t *record = record_of(&result, 0), *value;
    const char *key;
    struct xl_err err = {0};
    json_t *extra = json_pack("{s:i}", "mine", 1);
    cr_expect_geq(json_object_size(record), 19);
    json_object_foreach(record, key, value) json_object_set_new(extra, key, json_integer(2));
    char *text = json_dumps(extra, 0);
    picture.extra = text;
    struct xl_result mine = engine_draw(engine, &request);
    json_t *with = record_of(&mine, 0);
    cr_expect_eq(json_object_size(with), json_object_size(record) + 1);
    json_object_foreach(record, key, value) {
        bool is_asked = !strcmp(key, "prompt") || !strcmp(key, "negative");
        cr_expect_neq(json_equal(json_object_get(with, key), value), is_asked, "%s", key);
    }
    xl_result_free(&mine);
    json_decref(with);
    json_decref(extra);
    free(text);
    static const char *const bad[] = {"", "[]", "1", "{\"a\":1,\"a\":2}", "{\"a\":", "{} x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        picture.extra = bad[i];
        cr_expect_eq(xl_generate(engine.device, engine.model, &request, &untouched, &err),
                     XL_EINVAL, "%s", bad[i]);
        struct xl_picture both[] = {{"a", NULL, 1, NULL}, {"b", NULL, 1, bad[i]}};
        struct xl_request two = request;
        two.pictures = both;
        two.n_pictures = 2;
        cr_expect_eq(xl_generate(engine.device, engine.model, &two, &untouched, &err), XL_EINVAL);
        cr_expect_eq(strncmp(err.text, "picture 2: ", 11), 0, "%s", err.text);
        both[1].prompt = NULL;
        cr_expect_eq(xl_generate(engine.device, engine.model, &two, &untouched, &err), XL_EINVAL);
    }
    cr_expect_null(untouched.pictures);
    json_decref(record);
    xl_image_free(&init);
    xl_result_free(&result);
    engine_close(engine);
}

Test(batch, extra_gets_into_record_and_infotext) {
    struct engine_case engine = engine_open(repo, "cpu", 2);
    struct xl_request request = request_of(64, 48);
    request.pictures = pictures;
    request.n_pictures = N;
    struct xl_result result = engine_draw(engine, &request);
    static const char *const infotexts[N] = {"Style profile: \"Oil, thick\"", NULL,
                                             "Requested size: 768x768"};
    for (int i = 0; i < N; i++) {
        size_t n;
        char *file = file_of(&result, i, &n);
        struct xl_png_text *texts;
        int n_texts;
        struct xl_err err = {0};
        cr_assert_eq(xl_png_texts("f", file, n, &texts, &n_texts, &err), XL_OK, "%s", err.text);
        cr_assert_eq(n_texts, 2);
        for (int k = 0; k < N; k++)
            if (infotexts[k])
                cr_expect_eq(strstr(texts[0].text, infotexts[k]) != NULL, k == i, "%s in %d: %s",
                             infotexts[k], i, texts[0].text);
        json_t *record = json_loads(texts[1].text, 0, NULL);
        json_t *extra = pictures[i].extra ? json_loads(pictures[i].extra, 0, NULL) : json_object();
        json_t *value;
        const char *key;
        json_object_foreach(extra, key, value)
            cr_expect(json_equal(json_object_get(record, key), value), "%s", key);
        cr_expect_str_eq(text_at(record, "prompt"), pictures[i].prompt);
        json_decref(record);
        json_decref(extra);
        free(texts);
        free(file);
    }
    xl_result_free(&result);
    engine_close(engine);
}
