/* test_need.c - what xl_model_need says against what drawing takes, reading ahead, and that a
 * failed request gives its memory back. */
#include "engine/engine.h"
#include "engine_case.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char repo[] = XL_SOURCE_DIR "/tests/data/models/repo";

enum { MOST = 16 };
static struct xl_picture cats[MOST];

static struct xl_request request_of(int width, int height, int n_pictures) {
    struct xl_request request;
    for (int i = 0; i < MOST; i++)
        cats[i] = (struct xl_picture){.prompt = "a cat", .seed = (uint64_t)i};
    xl_request_default(&request);
    request.pictures = cats;
    request.precision = XL_PRECISION_F32;
    request.steps = 1;
    request.width = width;
    request.height = height;
    request.n_pictures = n_pictures;
    return request;
}

static struct xl_need need_of(struct engine_case engine, const struct xl_request *request) {
    struct xl_need need;
    struct xl_err err = {0};
    cr_assert_eq(xl_model_need(engine.device, engine.model, request, &need, &err), XL_OK, "%s",
                 err.text);
    return need;
}

static void draw(struct engine_case engine, const struct xl_request *request) {
    struct xl_result result = engine_draw(engine, request);
    xl_result_free(&result);
}

static int64_t work_of(struct engine_case engine) {
    struct xl_memory memory;
    xl_backend_memory(engine.device->backend, &memory);
    return memory.work_bytes;
}

static int64_t weights_of(struct engine_case engine) {
    struct xl_memory memory;
    xl_backend_memory(engine.device->backend, &memory);
    return memory.weight_bytes;
}

/* Weights to the byte. Work is what the executables take to the byte, and arrays of the engine that
 * are no more than a tenth of it at any size. */
static void check(enum xl_precision precision, const char *device, int width, int height,
                  int n_pictures) {
    struct engine_case engine = engine_open(repo, device, 2);
    struct xl_request request = request_of(width, height, n_pictures);
    request.precision = precision;
    struct xl_need before = need_of(engine, &request);
    cr_expect_eq(before.held_weight_bytes, 0);
    cr_expect_eq(before.held_work_bytes, 0);
    cr_expect_leq(before.least_bytes, before.tiled_bytes);
    cr_expect_leq(before.tiled_bytes, before.work_bytes);
    draw(engine, &request);
    int64_t weights = weights_of(engine);
    cr_expect_eq(before.weight_bytes, weights, "%lld and %lld", (long long)before.weight_bytes,
                 (long long)weights);
    int64_t arrays = before.work_bytes - work_of(engine);
    cr_expect(arrays > 0 && arrays * 10 < before.work_bytes, "%lld of %lld", (long long)arrays,
              (long long)before.work_bytes);
    struct xl_need after = need_of(engine, &request);
    cr_expect_eq(after.held_weight_bytes, weights);
    cr_expect_eq(after.held_work_bytes, work_of(engine));
    cr_expect_eq(after.work_bytes, before.work_bytes);
    cr_expect_eq(after.weight_bytes, !strcmp(device, "reference") ? weights : 0);
    cr_expect_eq(weights_of(engine), weights);
    engine_close(engine);
}

Test(need, what_is_told_is_what_is_taken) {
    check(XL_PRECISION_F32, "cpu", 64, 64, 1);
    check(XL_PRECISION_F32, "cpu", 200, 136, 3);
    check(XL_PRECISION_BF16, "cpu", 64, 64, 1);
    check(XL_PRECISION_BF16, "cpu", 256, 192, 2);
    check(XL_PRECISION_F32, "reference", 64, 48, 2);
}

Test(need, tiles_need_less_and_an_init_picture_more) {
    struct engine_case engine = engine_open(repo, "cpu", 2);
    struct xl_request request = request_of(2048, 1536, 1);
    struct xl_image init = {2048, 1536, NULL};
    struct xl_need plain = need_of(engine, &request);
    request.init = &init;
    struct xl_need with_init = need_of(engine, &request);
    cr_expect_lt(plain.tiled_bytes * 2, plain.work_bytes);
    cr_expect_gt(with_init.weight_bytes, plain.weight_bytes);
    cr_expect_gt(with_init.init_flops, 0);
    cr_expect_eq(plain.init_flops, 0);
    cr_expect(plain.decode_flops > 0 && plain.tiled_decode_flops > 0);
    cr_expect_gt(plain.step_flops, 0);
    request.n_pictures = 4;
    request.steps = 7;
    struct xl_need batch = need_of(engine, &request);
    cr_expect_float_eq(batch.step_flops / plain.step_flops, 4, 1e-6);
    cr_expect_float_eq(batch.decode_flops / plain.decode_flops, 1, 1e-6);
    cr_expect_eq(batch.n_evaluations, 2); /* 0.3 of 7 */
    request.guidance = -1;
    struct xl_err err = {0};
    cr_expect_eq(xl_model_need(engine.device, engine.model, &request, &batch, &err), XL_EINVAL);
    engine_close(engine);
}

/* Peak and present resident memory in bytes, or -1. */
static int64_t resident(const char *key) {
    FILE *file = fopen("/proc/self/status", "re");
    char line[128];
    long long kib = -1;
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, key, strlen(key))) sscanf(line + strlen(key), ": %lld", &kib);
    if (file) fclose(file);
    return kib < 0 ? -1 : kib * 1024;
}

static bool reset_peak(void) {
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, "5", 1) == 1;
    if (fd >= 0) close(fd);
    return ok;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { HAS_SHADOW = 1 }; /* memory beside the program's own */
#else
enum { HAS_SHADOW = 0 };
#endif

/* At 1024 x 1024 the miniature takes some hundred megabytes. Above the need: code that oneDNN
 * generates, the allocator's slack and pages of the mapped weights, up to 48 MiB together. Below
 * it: gaps of the layout and scratch memory that no op touches, up to a quarter. */
Test(need, peak_memory_is_near_the_need) {
    struct engine_case engine = engine_open(repo, "cpu", 2);
    struct xl_request request = request_of(1024, 1024, 1);
    struct xl_need need = need_of(engine, &request);
    int64_t told = need.weight_bytes + need.work_bytes;
    int64_t before = resident("VmRSS");
    if (HAS_SHADOW || before < 0 || !reset_peak()) {
        engine_close(engine);
        cr_skip("no meaningful peak of resident memory here");
    }
    draw(engine, &request);
    int64_t taken = resident("VmHWM") - before;
    cr_expect_gt(told, 100 << 20);
    cr_expect_lt(taken, told + (48 << 20), "%lld taken, %lld told", (long long)taken,
                 (long long)told);
    cr_expect_gt(taken, told / 4 * 3, "%lld taken, %lld told", (long long)taken, (long long)told);
    engine_close(engine);
}

/* The need of pictures of 64 megapixels. What telling takes is the lists of strips that
 * convolutions are cut into. */
Test(need, telling_takes_nothing) {
    struct engine_case engine = engine_open(repo, "cpu", 2);
    struct xl_request request = request_of(8000, 8000, 16);
    int64_t before = resident("VmRSS");
    struct xl_need need = need_of(engine, &request);
    int64_t taken = resident("VmRSS") - before;
    cr_expect_gt(need.work_bytes, (int64_t)8 << 30);
    if (!HAS_SHADOW) cr_expect_lt(taken * 20, need.work_bytes, "%lld", (long long)taken);
    engine_close(engine);
}

/* xl_generate with so many megabytes of address space above what is taken now. Criterion itself
 * cannot do without memory, so nothing is asserted in here. */
static enum xl_status draw_within(int megabytes, struct engine_case engine, int side,
                                  struct xl_result *result, struct xl_err *err) {
    struct rlimit limit, old;
    getrlimit(RLIMIT_AS, &old);
    limit = old;
    limit.rlim_cur = (rlim_t)(resident("VmSize") + ((int64_t)megabytes << 20));
    struct xl_request request = request_of(side, side, 1);
    setrlimit(RLIMIT_AS, &limit);
    enum xl_status status = xl_generate(engine.device, engine.model, &request, result, err);
    setrlimit(RLIMIT_AS, &old);
    return status;
}

/* A picture that needs more address space than there is fails with a sentence, in different stages,
 * gives back what it had, and a smaller one goes on as before. */
Test(need, out_of_memory_leaves_the_model_usable) {
    if (HAS_SHADOW) cr_skip("the sanitizers reserve all of the address space");
    static const int rooms[] = {40, 160, 300};
    struct engine_case engine = engine_open(repo, "cpu", 2);
    struct xl_err err = {0};
    struct xl_result first, failed = {0}, again;
    cr_assert_eq(draw_within(400, engine, 64, &first, &err), XL_OK, "%s", err.text);
    int64_t held = work_of(engine), weights = weights_of(engine);
    int64_t before = resident("VmRSS");
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        enum xl_status status = draw_within(rooms[i], engine, 2048, &failed, &err);
        cr_expect_eq(status, XL_ENOMEM, "%d: %s", rooms[i], err.text);
        cr_expect_not_null(strstr(err.text, "memory"), "%s", err.text);
        cr_expect(!failed.pictures && !work_of(engine));
        cr_expect_eq(weights_of(engine), weights);
        cr_assert_eq(draw_within(40, engine, 64, &again, &err), XL_OK, "%s", err.text);
        cr_expect_eq(
            memcmp(first.pictures[0].image.pixels, again.pictures[0].image.pixels, 64 * 64 * 3), 0);
        cr_expect_leq(work_of(engine), held); /* the text is still known */
        xl_result_free(&again);
    }
    int64_t grown = resident("VmRSS") - before;
    cr_expect_lt(grown, 32 << 20, "%lld", (long long)grown);
    xl_result_free(&first);
    engine_close(engine);
}

/* Counts what prefetching reports, and stops it. */
struct watch {
    int64_t last, total, stop_at;
};

static bool watch(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct watch *w = user;
    cr_expect_eq(phase, XL_PHASE_LOAD);
    cr_expect_geq(done, w->last);
    w->last = done;
    w->total = total;
    return done < w->stop_at;
}

static int64_t bytes_of(const char *path) {
    struct stat st;
    cr_assert_eq(stat(path, &st), 0, "%s", path);
    return st.st_size;
}

Test(need, reading_ahead_covers_the_weights_and_can_be_cancelled) {
    struct watch w = {.stop_at = INT64_MAX};
    struct xl_model_params params = {.model = repo};
    struct xl_err err = {0};
    cr_assert_eq(xl_model_prefetch(&params, NULL, 0, watch, &w, &err), XL_OK, "%s", err.text);
    struct engine_case engine = engine_open(repo, "cpu", 2);
    int64_t bytes = 0;
    for (int c = 0; c < XL_N_COMPONENTS; c++) bytes += xl_weights_bytes(engine.model->weights[c]);
    cr_expect(w.last == w.total && w.total >= bytes);
    w = (struct watch){.stop_at = 1};
    cr_expect_eq(xl_model_prefetch(&params, NULL, 0, watch, &w, &err), XL_ECANCELLED);
    cr_expect_lt(w.last, w.total);
    params.model = "nobody/nothing";
    cr_expect_eq(xl_model_prefetch(&params, NULL, 0, watch, &w, &err), XL_EMODEL);
    engine_close(engine);
}

/* What is said beside a model counts as well: LoRAs that do something, another VAE, embeddings. A
 * variant of a model that is there asks for nothing else. */
Test(need, reading_ahead_covers_what_a_picture_adds_to_a_model) {
    static const char lora_file[] = XL_SOURCE_DIR "/tests/data/lora/picture.safetensors";
    static const char glow[] = XL_SOURCE_DIR "/tests/data/embeddings/glow.safetensors";
    static const char vae[] = XL_SOURCE_DIR
        "/tests/data/models/repo/vae/diffusion_pytorch_model.safetensors";
    const struct xl_lora loras[] = {{lora_file, 0.5, 1}, {lora_file, 1, 1}, {glow, 0, 0}};
    const struct xl_embedding embedding = {glow, "glow", NULL};
    struct xl_model_params plain = {.model = repo};
    struct xl_model_params with = {.model = repo, .loras = loras, .n_loras = 3};
    struct xl_model_params alone = {.vae = vae, .loras = loras, .n_loras = 3};
    struct watch w = {.stop_at = INT64_MAX};
    struct xl_err err = {0};
    cr_assert_eq(xl_model_prefetch(&plain, NULL, 0, watch, &w, &err), XL_OK, "%s", err.text);
    int64_t model_bytes = w.total;
    w = (struct watch){.stop_at = INT64_MAX};
    cr_assert_eq(xl_model_prefetch(&with, &embedding, 1, watch, &w, &err), XL_OK, "%s", err.text);
    cr_expect_eq(w.total, model_bytes + bytes_of(lora_file) + bytes_of(glow));
    cr_expect_eq(w.last, w.total);
    w = (struct watch){.stop_at = INT64_MAX};
    cr_assert_eq(xl_model_prefetch(&alone, NULL, 0, watch, &w, &err), XL_OK, "%s", err.text);
    cr_expect_eq(w.total, bytes_of(lora_file) + bytes_of(vae));
    cr_expect_eq(w.last, w.total);
}
