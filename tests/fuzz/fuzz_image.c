/* fuzz_image.c - picture files: any bytes become a picture of a permitted size or a sentence. */
#include "fuzz.h"
#include "repair_png.h"

#include "image/image.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

static void try_decode(const uint8_t *data, size_t size) {
    struct xl_image image = {0};
    struct xl_err err = {0};
    if (xl_image_decode("in.png", data, size, &image, &err)) {
        expect(!image.pixels && !strncmp(err.text, "in.png: ", 8));
        return;
    }
    expect(!err.text[0] && image.width > 0 && image.height > 0);
    size_t n_pixels = (size_t)image.width * (size_t)image.height;
    expect(n_pixels <= XL_IMAGE_MAX_PIXELS);
    volatile uint8_t last = image.pixels[n_pixels * 3 - 1];
    (void)last;
    xl_image_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || data[0] != 0x89) {
        try_decode(data, size);
        return 0;
    }
    uint8_t *repaired = repair_png(data, size);
    try_decode(repaired, size);
    free(repaired);
    return 0;
}
