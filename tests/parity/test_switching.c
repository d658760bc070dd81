/* test_switching.c - text to image and image to image by turns with one model, while other threads
 * keep the cores busy: nothing is loaded twice, nothing waits for a lock, every picture is the one
 * that a fresh model draws. (The earlier app loaded a second pipeline and could wait for ever.) */
#include "sdxl/sdxl.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define REPO XL_SOURCE_DIR "/tests/data/models/repo"
#define INIT XL_SOURCE_DIR "/tests/data/models/pipeline/init.png"

enum { N_TURNS = 12, N_BUSY = 4, SIDE = 64 };

/* What loading was reported. */
struct loading {
    int64_t most, total;
    int n_falls; /* a second load would begin again from less */
};

static bool watch(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct loading *loading = user;
    if (phase != XL_PHASE_LOAD || total < 0) return true;
    if (done < loading->most) loading->n_falls++;
    loading->most = done;
    loading->total = total;
    return true;
}

static struct xl_model *open_model(struct loading *loading) {
    struct xl_model_params params;
    struct xl_err err = {0};
    struct xl_model *model;
    xl_model_params_default(&params);
    params.model = REPO;
    params.n_threads = 2;
    params.progress = watch;
    params.progress_user = loading;
    cr_assert_eq(xl_model_open(&params, &model, &err), XL_OK, "%s", err.text);
    return model;
}

static struct xl_image draw(struct xl_model *model, const struct xl_image *init) {
    struct xl_request request;
    struct xl_result result;
    struct xl_err err = {0};
    xl_request_default(&request);
    request.prompt = "a cat";
    request.width = request.height = SIDE;
    request.steps = 3;
    request.strength = 0.7;
    request.seed = 5;
    request.init = init;
    cr_assert_eq(xl_generate(model, &request, &result, &err), XL_OK, "%s", err.text);
    struct xl_image image = result.images[0];
    result.images[0] = (struct xl_image){0};
    xl_result_free(&result);
    return image;
}

static bool same(const struct xl_image *a, const struct xl_image *b) {
    return a->width == b->width && a->height == b->height &&
           !memcmp(a->pixels, b->pixels, 3 * (size_t)a->width * (size_t)a->height);
}

static void *burn(void *user) {
    atomic_bool *stops = user;
    for (volatile unsigned i = 0; !atomic_load(stops);) i++;
    return NULL;
}

Test(switching, back_and_forth_under_load, .timeout = 300) {
    struct loading loading = {0}, fresh = {0};
    struct xl_image init, expected[2], *inits[2] = {NULL, &init};
    pthread_t busy[N_BUSY];
    atomic_bool stops = false;
    cr_assert_eq(xl_image_load(INIT, &init, NULL), XL_OK);
    for (int mode = 0; mode < 2; mode++) {
        struct xl_model *model = open_model(&fresh);
        fresh = (struct loading){0};
        expected[mode] = draw(model, inits[mode]);
        xl_model_close(model);
    }
    cr_expect_not(same(&expected[0], &expected[1]));
    for (int i = 0; i < N_BUSY; i++) pthread_create(&busy[i], NULL, burn, &stops);
    struct xl_model *model = open_model(&loading);
    for (int turn = 0; turn < N_TURNS; turn++) {
        struct xl_image image = draw(model, inits[turn % 2]);
        cr_expect(same(&image, &expected[turn % 2]), "turn %d", turn);
        xl_image_free(&image);
    }
    atomic_store(&stops, true);
    for (int i = 0; i < N_BUSY; i++) pthread_join(busy[i], NULL);
    cr_expect_gt(loading.most, 0);
    cr_expect_leq(loading.most, loading.total, "read %lld of %lld bytes", (long long)loading.most,
                  (long long)loading.total);
    cr_expect_eq(loading.n_falls, 0, "loading began again");
    xl_model_close(model);
    for (int mode = 0; mode < 2; mode++) xl_image_free(&expected[mode]);
    xl_image_free(&init);
}
