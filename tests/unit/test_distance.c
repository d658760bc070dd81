/* test_distance.c - PSNR, SSIM and GMSD are those of scikit-image and of the papers, whatever the
 * size; equal pictures, other sizes. tools/reference/topics/distance.py writes the data. */
#include "base/json.h"
#include "image/distance.h"
#include "image/image.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#define DATA XL_SOURCE_DIR "/tests/data/distance/"
#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)

/* The same bytes as in distance.py. */
static struct xl_image picture(int width, int height, int noise, int shift) {
    struct xl_err err = {0};
    struct xl_image image;
    ok(xl_image_new(width, height, &image, &err));
    uint32_t state = (uint32_t)width << 16 | (uint32_t)height;
    for (int i = 0; i < width * height * 3; i++) {
        int c = i % 3, x = i / 3 % width, y = i / 3 / width;
        int value = (x * x / 9 + y * 5 + c * 40 + (x / 8 + y / 8) % 2 * 60) % 512;
        if (value > 255) value = 511 - value;
        state = state * 1664525u + 1013904223u;
        value += (int)((state >> 16) * (uint32_t)noise / 65536) - noise / 2 + shift;
        image.pixels[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
    return image;
}

static int number(const json_t *row, const char *key) {
    return (int)json_integer_value(json_object_get(row, key));
}

static double real(const json_t *row, const char *key) {
    return json_number_value(json_object_get(row, key));
}

/* Sums of doubles in another order. */
#define near(a, b) cr_expect(fabs((a) - (b)) < 1e-9, "%d x %d: " #a " %.12f", width, height, (a))

Test(distance, is_that_of_scikit_image_and_the_papers) {
    struct xl_err err = {0};
    json_t *root = NULL, *row;
    ok(xl_json_load(DATA "distance.json", &root, &err));
    size_t i;
    json_array_foreach(json_object_get(root, "pairs"), i, row) {
        int width = number(row, "width"), height = number(row, "height");
        struct xl_image a = picture(width, height, 0, 0);
        struct xl_image b = picture(width, height, number(row, "noise"), number(row, "shift"));
        struct xl_distance there, back;
        ok(xl_image_distance(&a, &b, &there, &err));
        ok(xl_image_distance(&b, &a, &back, &err));
        if (json_is_null(json_object_get(row, "psnr")))
            cr_expect(isinf(there.psnr) && there.psnr > 0);
        else
            near(there.psnr, real(row, "psnr"));
        near(there.ssim, real(row, "ssim"));
        near(there.gmsd, real(row, "gmsd"));
        near(back.ssim, there.ssim);
        near(back.gmsd, there.gmsd);
        xl_image_free(&a);
        xl_image_free(&b);
    }
    cr_assert_geq(i, 15);
    json_decref(root);
}

Test(distance, of_equal_pictures_is_none) {
    static const int sizes[][2] = {{1, 1}, {10, 11}, {64, 33}};
    for (int i = 0; i < 3; i++) {
        struct xl_err err = {0};
        struct xl_image a = picture(sizes[i][0], sizes[i][1], 90, 0);
        struct xl_distance d;
        ok(xl_image_distance(&a, &a, &d, &err));
        cr_expect(isinf(d.psnr) && d.ssim == 1 && d.gmsd == 0);
        xl_image_free(&a);
    }
}

Test(distance, needs_equal_sizes) {
    struct xl_err err = {0};
    struct xl_image a = picture(16, 8, 0, 0), b = picture(8, 16, 0, 0), out = {0};
    struct xl_distance d = {.psnr = 7};
    cr_expect_eq(xl_image_distance(&a, &b, &d, &err), XL_EINVAL);
    cr_expect(d.psnr == 7, "untouched");
    cr_expect_str_eq(err.text,
                     "pictures of 16x8 and of 8x16 cannot be compared; expected two of one size");
    cr_expect_eq(xl_image_difference(&a, &b, 8, &out, &err), XL_EINVAL);
    xl_image_free(&a);
    xl_image_free(&b);
}

Test(distance, is_seen_when_amplified) {
    struct xl_err err = {0};
    struct xl_image a = picture(20, 10, 0, 0), b = picture(20, 10, 50, 0), out = {0};
    ok(xl_image_difference(&a, &b, 8, &out, &err));
    cr_assert(out.width == 20 && out.height == 10);
    for (int i = 0; i < 20 * 10 * 3; i++) {
        int away = abs(a.pixels[i] - b.pixels[i]) * 8;
        cr_assert_eq(out.pixels[i], away > 255 ? 255 : away);
    }
    xl_image_free(&a);
    xl_image_free(&b);
    xl_image_free(&out);
}
