/* image.c - pictures in memory, and which decoder a file needs. */
#include "image/image.h"

#include "base/file.h"
#include "image/decode.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t image_bytes(const struct xl_image *image) {
    return (size_t)image->width * (size_t)image->height * 3;
}

enum xl_status xl_image_new(int width, int height, struct xl_image *out, struct xl_err *err) {
    assert(width > 0 && height > 0);
    struct xl_image image = {width, height, NULL};
    image.pixels = calloc(image_bytes(&image), 1);
    if (!image.pixels) return xl_fail_nomem(err, "a picture", image_bytes(&image));
    *out = image;
    return XL_OK;
}

void xl_image_free(struct xl_image *image) {
    if (!image) return;
    free(image->pixels);
    *image = (struct xl_image){0};
}

enum xl_status xl_image_new_claimed(const char *name, uint64_t width, uint64_t height,
                                    struct xl_image *out, struct xl_err *err) {
    if (!width || !height || width > XL_IMAGE_MAX_PIXELS || height > XL_IMAGE_MAX_PIXELS ||
        width * height > XL_IMAGE_MAX_PIXELS)
        return xl_fail(err, XL_EINPUT,
                       "%s: the picture claims %llu x %llu pixels; expected 1 to %d megapixels, "
                       "make it smaller",
                       name, (unsigned long long)width, (unsigned long long)height,
                       XL_IMAGE_MAX_PIXELS / 1000000);
    return xl_image_new((int)width, (int)height, out, err);
}

/* ---- Decoding ---- */

typedef enum xl_status decode_fn(struct xl_image_file file, struct xl_image *out,
                                 struct xl_err *err);

/* How files begin: `magic` at `offset`. The kinds without a decoder are there for their names. */
static const struct {
    int offset, n;
    const char *magic, *kind;
    decode_fn *decode;
} kinds[] = {
    {0, 8, "\x89PNG\r\n\x1a\n", "PNG", xl_png_decode},
    {0, 3, "\xFF\xD8\xFF", "JPEG", xl_jpeg_decode},
    {8, 4, "WEBP", "WebP", xl_webp_decode},
    {0, 4, "GIF8", "GIF", NULL},
    {0, 2, "BM", "BMP", NULL},
    {0, 4, "II*\0", "TIFF", NULL},
    {0, 4, "MM\0*", "TIFF", NULL},
    {4, 8, "ftypavif", "AVIF", NULL},
    {4, 7, "ftyphei", "HEIF", NULL},
    {4, 8, "ftypmif1", "HEIF", NULL},
    {0, 2, "\xFF\x0A", "JPEG XL", NULL},
    {4, 8, "JXL \r\n\x87\n", "JPEG XL", NULL},
    {4, 4, "jP  ", "JPEG 2000", NULL},
    {0, 5, "<?xml", "XML or SVG", NULL},
    {0, 4, "<svg", "SVG", NULL},
};

enum { N_KINDS = sizeof kinds / sizeof *kinds };

enum xl_status xl_image_decode(const char *name, const void *data, size_t n, struct xl_image *out,
                               struct xl_err *err) {
    if (!n) return xl_fail(err, XL_EINPUT, "%s: the file is empty; expected a picture", name);
    struct xl_image_file file = {name, data, n};
    for (int i = 0; i < N_KINDS; i++) {
        size_t end = (size_t)(kinds[i].offset + kinds[i].n);
        if (n < end || memcmp(file.data + kinds[i].offset, kinds[i].magic, (size_t)kinds[i].n))
            continue;
        if (kinds[i].decode) return kinds[i].decode(file, out, err);
        return xl_fail(err, XL_EINPUT,
                       "%s: a picture of kind %s; expected PNG, JPEG or WebP, convert it first",
                       name, kinds[i].kind);
    }
    char start[16] = "";
    for (size_t i = 0; i < n && i < 4; i++) snprintf(start + 3 * i, 4, " %02x", file.data[i]);
    return xl_fail(err, XL_EINPUT,
                   "%s: no picture that is known here (it begins with%s); expected PNG, JPEG or "
                   "WebP",
                   name, start);
}

enum xl_status xl_image_load(const char *path, struct xl_image *out, struct xl_err *err) {
    struct xl_read_rule rule = {XL_IMAGE_MAX_FILE_BYTES, XL_EINPUT, XL_EINPUT};
    char *data = NULL;
    size_t n = 0;
    enum xl_status status = xl_file_read(path, rule, &data, &n, err);
    if (!status) status = xl_image_decode(path, data, n, out, err);
    free(data);
    return status;
}

/* ---- Comparing ---- */

double xl_image_psnr(const struct xl_image *a, const struct xl_image *b) {
    if (a->width != b->width || a->height != b->height) return -1;
    size_t n = image_bytes(a);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int difference = a->pixels[i] - b->pixels[i];
        sum += (uint64_t)(difference * difference);
    }
    if (!sum) return INFINITY;
    return 10 * log10(255.0 * 255.0 * (double)n / (double)sum);
}
