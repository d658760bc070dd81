/* resize.c - Lanczos resampling with the arithmetic of Pillow's Image.resize for 8-bit pictures:
 * one direction, then the other, each with fixed-point weights and rounding to 8 bits.
 * Source: Pillow src/libImaging/Resample.c. */
#include "image/image.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 32 bits less 8 of the pixel and 2 for sums beyond the range of a pixel. */
enum { WEIGHT_BITS = 32 - 8 - 2, LOBES = 3 };

/* The input pixels that make up each output pixel: pixel i takes n[i] from first[i] on, with the
 * weights from weights[start[i]] on. */
struct taps {
    int *first, *n;
    size_t *start;
    int32_t *weights;
};

static void taps_deinit(struct taps *taps) {
    free(taps->first);
    free(taps->n);
    free(taps->start);
    free(taps->weights);
}

static double sinc(double x) {
    if (x == 0) return 1;
    x *= M_PI;
    return sin(x) / x;
}

static double lanczos(double x) {
    return x >= -LOBES && x < LOBES ? sinc(x) * sinc(x / LOBES) : 0;
}

/* The kernel is stretched when the picture shrinks, never squeezed when it grows. */
struct kernel {
    double scale, support, inverse_stretch;
};

static double kernel_centre(const struct kernel *kernel, int i) {
    return (i + 0.5) * kernel->scale;
}

/* The weight of input pixel j for an output pixel that is centred at `centre`. */
static double kernel_at(const struct kernel *kernel, double centre, int j) {
    return lanczos((j - centre + 0.5) * kernel->inverse_stretch);
}

static void fill_weights(const struct kernel *kernel, double centre, int first, int n,
                         int32_t *weights) {
    double sum = 0;
    for (int k = 0; k < n; k++) sum += kernel_at(kernel, centre, first + k);
    for (int k = 0; k < n; k++) {
        double weight = kernel_at(kernel, centre, first + k);
        if (sum != 0) weight /= sum;
        weights[k] = (int32_t)((weight < 0 ? -0.5 : 0.5) + weight * (1 << WEIGHT_BITS));
    }
}

static enum xl_status taps_init(int n_in, int n_out, struct taps *taps, struct xl_err *err) {
    double scale = (double)n_in / n_out;
    double stretch = scale < 1 ? 1 : scale;
    struct kernel kernel = {scale, LOBES * stretch, 1 / stretch};
    taps->first = malloc((size_t)n_out * sizeof *taps->first);
    taps->n = malloc((size_t)n_out * sizeof *taps->n);
    taps->start = malloc((size_t)n_out * sizeof *taps->start);
    if (!taps->first || !taps->n || !taps->start)
        return xl_fail_nomem(err, "resampling weights", 0);
    size_t total = 0;
    for (int i = 0; i < n_out; i++) {
        double centre = kernel_centre(&kernel, i);
        int first = (int)(centre - kernel.support + 0.5),
            end = (int)(centre + kernel.support + 0.5);
        if (first < 0) first = 0;
        if (end > n_in) end = n_in;
        taps->first[i] = first;
        taps->n[i] = end - first;
        taps->start[i] = total;
        total += (size_t)taps->n[i];
    }
    taps->weights = malloc(total * sizeof *taps->weights);
    if (!taps->weights)
        return xl_fail_nomem(err, "resampling weights", total * sizeof *taps->weights);
    for (int i = 0; i < n_out; i++)
        fill_weights(&kernel, kernel_centre(&kernel, i), taps->first[i], taps->n[i],
                     taps->weights + taps->start[i]);
    return XL_OK;
}

/* From the fixed-point sum, which began at one half, to a pixel. */
static uint8_t clip8(int32_t sum) {
    int32_t value = sum >> WEIGHT_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

enum { ONE_HALF = 1 << (WEIGHT_BITS - 1) };

static void resize_row(const uint8_t *in, const struct taps *taps, int n_out, uint8_t *out) {
    for (int i = 0; i < n_out; i++) {
        const uint8_t *pixel = in + (size_t)taps->first[i] * 3;
        const int32_t *weights = taps->weights + taps->start[i];
        int32_t r = ONE_HALF, g = ONE_HALF, b = ONE_HALF;
        for (int k = 0; k < taps->n[i]; k++, pixel += 3) {
            r += pixel[0] * weights[k];
            g += pixel[1] * weights[k];
            b += pixel[2] * weights[k];
        }
        out[3 * i] = clip8(r);
        out[3 * i + 1] = clip8(g);
        out[3 * i + 2] = clip8(b);
    }
}

/* One output row from n input rows. Blocks of a fixed width keep the sums in the nearest cache and
 * let the compiler use vectors. */
static void mix_rows(const uint8_t *rows, size_t stride, const int32_t *weights, int n,
                     uint8_t *out) {
    enum { BLOCK = 256 };
    size_t x = 0;
    for (; x + BLOCK <= stride; x += BLOCK) {
        int32_t sums[BLOCK];
        for (int i = 0; i < BLOCK; i++) sums[i] = ONE_HALF;
        for (int k = 0; k < n; k++) {
            const uint8_t *row = rows + (size_t)k * stride + x;
            for (int i = 0; i < BLOCK; i++) sums[i] += row[i] * weights[k];
        }
        for (int i = 0; i < BLOCK; i++) out[x + (size_t)i] = clip8(sums[i]);
    }
    for (; x < stride; x++) {
        int32_t sum = ONE_HALF;
        for (int k = 0; k < n; k++) sum += rows[(size_t)k * stride + x] * weights[k];
        out[x] = clip8(sum);
    }
}

static enum xl_status resize_columns(const struct xl_image *in, int width, struct xl_image *out,
                                     struct xl_err *err) {
    struct taps taps = {0};
    struct xl_image image = {0};
    enum xl_status status = taps_init(in->width, width, &taps, err);
    if (!status) status = xl_image_new(width, in->height, &image, err);
    for (int y = 0; !status && y < in->height; y++)
        resize_row(in->pixels + (size_t)y * (size_t)in->width * 3, &taps, width,
                   image.pixels + (size_t)y * (size_t)width * 3);
    taps_deinit(&taps);
    if (!status) *out = image;
    return status;
}

static enum xl_status resize_rows(const struct xl_image *in, int height, struct xl_image *out,
                                  struct xl_err *err) {
    size_t stride = (size_t)in->width * 3;
    struct taps taps = {0};
    struct xl_image image = {0};
    enum xl_status status = taps_init(in->height, height, &taps, err);
    if (!status) status = xl_image_new(in->width, height, &image, err);
    for (int y = 0; !status && y < height; y++)
        mix_rows(in->pixels + (size_t)taps.first[y] * stride, stride, taps.weights + taps.start[y],
                 taps.n[y], image.pixels + (size_t)y * stride);
    taps_deinit(&taps);
    if (!status) *out = image;
    return status;
}

static enum xl_status copy(const struct xl_image *in, struct xl_image *out, struct xl_err *err) {
    enum xl_status status = xl_image_new(in->width, in->height, out, err);
    if (!status) memcpy(out->pixels, in->pixels, (size_t)in->width * (size_t)in->height * 3);
    return status;
}

/* Pillow 13 begins with the rows where that saves work (pull request 9549; releases before it began
 * with the columns always). The rounding in between makes the order visible in the result. */
static bool begins_with_rows(const struct xl_image *in, int width, int height) {
    return height < in->height && in->height - height > 2 * (in->width - width);
}

enum xl_status xl_image_resize_lanczos(const struct xl_image *in, int width, int height,
                                       struct xl_image *out, struct xl_err *err) {
    assert(width > 0 && height > 0);
    /* A direction that keeps its length is left alone. */
    if (width == in->width && height == in->height) return copy(in, out, err);
    if (height == in->height) return resize_columns(in, width, out, err);
    if (width == in->width) return resize_rows(in, height, out, err);
    struct xl_image between = {0};
    enum xl_status status;
    if (begins_with_rows(in, width, height)) {
        status = resize_rows(in, height, &between, err);
        if (!status) status = resize_columns(&between, width, out, err);
    } else {
        status = resize_columns(in, width, &between, err);
        if (!status) status = resize_rows(&between, height, out, err);
    }
    xl_image_free(&between);
    return status;
}
