/* test_switching.c - text to image and image to image by turns with one model, while other threads
 * keep the cores busy: nothing is loaded twice, nothing waits for a lock, every picture is the one
 * that a fresh model draws. (The earlier app loaded a second pipeline and could wait for ever.) */
#include "engine_case.h"

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

static struct xl_image draw(struct engine_case engine, const struct xl_image *init,
                            struct loading *loading) {
    struct xl_picture picture = {.prompt = "a cat", .seed = 5};
    struct xl_request request;
    xl_request_default(&request);
    request.pictures = &picture;
    request.width = request.height = SIDE;
    request.steps = 3;
    request.strength = 0.7;
    request.init = init;
    request.progress = watch;
    request.progress_user = loading;
    struct xl_result result = engine_draw(engine, &request);
    struct xl_image image = result.pictures[0].image;
    result.pictures[0].image = (struct xl_image){0};
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
        struct engine_case engine = engine_open(REPO, "cpu", 2);
        expected[mode] = draw(engine, inits[mode], &fresh);
        engine_close(engine);
    }
    cr_expect_not(same(&expected[0], &expected[1]));
    for (int i = 0; i < N_BUSY; i++) pthread_create(&busy[i], NULL, burn, &stops);
    struct engine_case engine = engine_open(REPO, "cpu", 2);
    for (int turn = 0; turn < N_TURNS; turn++) {
        struct xl_image image = draw(engine, inits[turn % 2], &loading);
        cr_expect(same(&image, &expected[turn % 2]), "turn %d", turn);
        xl_image_free(&image);
    }
    atomic_store(&stops, true);
    for (int i = 0; i < N_BUSY; i++) pthread_join(busy[i], NULL);
    cr_expect_gt(loading.most, 0);
    cr_expect_leq(loading.most, loading.total, "read %lld of %lld bytes", (long long)loading.most,
                  (long long)loading.total);
    cr_expect_eq(loading.n_falls, 0, "loading began again");
    engine_close(engine);
    for (int mode = 0; mode < 2; mode++) xl_image_free(&expected[mode]);
    xl_image_free(&init);
}
