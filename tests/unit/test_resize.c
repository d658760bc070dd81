/* test_resize.c - Lanczos gives Pillow's bytes: up, down, odd, one pixel, extreme ratios. The data
 * is written by tools/reference/topics/images.py. */
#include "base/json.h"
#include "image/image.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <zlib.h>

#define DATA XL_SOURCE_DIR "/tests/data/images/"
#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)

/* The same pseudo-random bytes as in images.py. */
static struct xl_image noise(int width, int height) {
    struct xl_err err = {0};
    struct xl_image image;
    ok(xl_image_new(width, height, &image, &err));
    uint32_t state = (uint32_t)width << 16 | (uint32_t)height;
    for (int i = 0; i < width * height * 3; i++) {
        state = state * 1664525u + 1013904223u;
        image.pixels[i] = (uint8_t)(state >> 24);
    }
    return image;
}

Test(resize, gives_the_bytes_of_pillow) {
    struct xl_err err = {0};
    json_t *root = NULL, *row;
    ok(xl_json_load(DATA "resize.json", &root, &err));
    size_t i;
    json_array_foreach(json_object_get(root, "sizes"), i, row) {
        int size[4];
        for (size_t k = 0; k < 4; k++) size[k] = (int)json_integer_value(json_array_get(row, k));
        struct xl_image in = noise(size[0], size[1]), out = {0};
        ok(xl_image_resize_lanczos(&in, size[2], size[3], &out, &err));
        cr_assert(out.width == size[2] && out.height == size[3]);
        uLong crc = crc32(0, out.pixels, (uInt)(out.width * out.height * 3));
        cr_expect_eq(crc, (uLong)json_integer_value(json_array_get(row, 4)), "%d x %d -> %d x %d",
                     size[0], size[1], size[2], size[3]);
        xl_image_free(&in);
        xl_image_free(&out);
    }
    cr_assert_geq(i, 20);
    json_decref(root);
}

Test(resize, a_flat_picture_stays_flat) {
    static const uint8_t values[] = {0, 1, 127, 254, 255};
    for (size_t v = 0; v < sizeof values; v++) {
        struct xl_image in = noise(31, 17), out = {0};
        struct xl_err err = {0};
        for (int i = 0; i < 31 * 17 * 3; i++) in.pixels[i] = values[v];
        ok(xl_image_resize_lanczos(&in, 400, 5, &out, &err));
        for (int i = 0; i < 400 * 5 * 3; i++) cr_assert_eq(out.pixels[i], values[v]);
        xl_image_free(&in);
        xl_image_free(&out);
    }
}
