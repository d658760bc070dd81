/* test_preview.c - small pictures from latents: the map that is fitted finds a linear one again. */
#include "lab/run/preview.h"

#include "base/base64.h"
#include "image/image.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { W = 6, H = 4, SIDE = 8 };

/* A number of -1 to 1, always the same ones. */
static float some(int i) {
    return (float)sin(i * 12.9898 + 4.1414);
}

/* Colours that are linear in latents, and the picture that is made of them. */
static void make(float latents[W * H * 4], struct xl_image *picture) {
    static const double weights[5][3] = {
        {20, -10, 5}, {-7, 30, 2}, {11, 3, -25}, {4, 9, 14}, {120, 130, 110}};
    struct xl_err err;
    cr_assert_eq(xl_image_new(W * SIDE, H * SIDE, picture, &err), XL_OK);
    for (int i = 0; i < W * H * 4; i++) latents[i] = some(i);
    for (int y = 0; y < H * SIDE; y++)
        for (int x = 0; x < W * SIDE; x++)
            for (int k = 0; k < 3; k++) {
                const float *latent = latents + (y / SIDE * W + x / SIDE) * 4;
                double value = weights[4][k];
                for (int c = 0; c < 4; c++) value += weights[c][k] * latent[c];
                picture->pixels[(y * W * SIDE + x) * 3 + k] = (uint8_t)(value + 0.5);
            }
}

/* The largest difference of a preview from the picture. */
static int worst(const struct xl_preview_map *map, const float *latents,
                 const struct xl_image *picture) {
    struct xl_image small = {0};
    struct xl_err err;
    int most = 0;
    cr_assert_eq(xl_preview_draw(map, latents, W, H, &small, &err), XL_OK);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int k = 0; k < 3; k++) {
                int is = small.pixels[(y * W + x) * 3 + k];
                int ought = picture->pixels[(y * SIDE * W * SIDE + x * SIDE) * 3 + k];
                if (abs(is - ought) > most) most = abs(is - ought);
            }
    xl_image_free(&small);
    return most;
}

Test(preview, finds_the_map_again) {
    float latents[W * H * 4];
    struct xl_image picture = {0};
    struct xl_preview_maps maps = {.n = 0};
    make(latents, &picture);
    struct xl_preview_map *map = xl_preview_find(&maps, "a");
    cr_expect_gt(worst(map, latents, &picture), 10);
    xl_preview_learn(map, latents, W, H, &picture);
    cr_expect_leq(worst(map, latents, &picture), 1);
    /* Noise of a larger spread is brought down to it. */
    for (int i = 0; i < W * H * 4; i++) latents[i] *= 14;
    cr_expect_leq(worst(map, latents, &picture), 1);
    xl_image_free(&picture);
}

Test(preview, learns_nothing_from_what_does_not_fit) {
    float latents[W * H * 4] = {NAN};
    struct xl_image picture = {0};
    struct xl_preview_maps maps = {.n = 0};
    struct xl_preview_map *map = xl_preview_find(&maps, "a"), before = *map;
    struct xl_err err;
    cr_assert_eq(xl_image_new(W * SIDE, H * SIDE + 1, &picture, &err), XL_OK);
    xl_preview_learn(map, latents, W, H, &picture); /* other sides */
    xl_image_free(&picture);
    make(latents, &picture);
    latents[5] = NAN;
    xl_preview_learn(map, latents, W, H, &picture);
    cr_expect_eq(memcmp(map, &before, sizeof before), 0);
    xl_image_free(&picture);
}

Test(preview, keeps_a_map_for_each_of_the_last_models) {
    struct xl_preview_maps maps = {.n = 0};
    xl_preview_find(&maps, "first")->spread = 7;
    for (int i = 0; i < XL_PREVIEW_MAPS - 1; i++) {
        char digest[8];
        snprintf(digest, sizeof digest, "m%d", i);
        xl_preview_find(&maps, digest);
    }
    cr_expect_eq(xl_preview_find(&maps, "first")->spread, 7);
    xl_preview_find(&maps, "one too many");
    cr_expect_eq(maps.n, XL_PREVIEW_MAPS);
    cr_expect_eq(xl_preview_find(&maps, "first")->spread, 7); /* it was used lately */
    cr_expect_eq(xl_preview_find(&maps, "m0")->spread, 1);
}

Test(base64, is_read_as_it_is_written) {
    static const char *const texts[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE="};
    for (size_t n = 0; n < 6; n++) { /* RFC 4648, 10 */
        struct xl_str text = {0};
        void *bytes = NULL;
        size_t n_read = 99;
        xl_base64_put(&text, "foobar", n);
        cr_expect_str_eq(text.text ? text.text : "", texts[n]);
        cr_assert(xl_base64_read(texts[n], &bytes, &n_read));
        cr_expect_eq(n_read, n);
        cr_expect_eq(memcmp(bytes, "foobar", n), 0);
        free(bytes);
        xl_str_deinit(&text);
    }
    void *bytes;
    size_t n;
    cr_expect_not(xl_base64_read("Zg=", &bytes, &n));
    cr_expect_not(xl_base64_read("Z!==", &bytes, &n));
    cr_expect_not(xl_base64_read("====", &bytes, &n));
}
