/* distance.c - SSIM and GMSD in doubles, a row at a time. Keeps no state; any thread. */
#include "image/distance.h"

#include "image/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum xl_status check_sizes(const struct xl_image *a, const struct xl_image *b,
                                  struct xl_err *err) {
    if (a->width == b->width && a->height == b->height) return XL_OK;
    return xl_fail(err, XL_EINVAL,
                   "pictures of %dx%d and of %dx%d cannot be compared; expected two of one size",
                   a->width, a->height, b->width, b->height);
}

static void put_luma(const struct xl_image *image, int y, double *row) {
    const uint8_t *pixel = image->pixels + (size_t)y * (size_t)image->width * 3;
    for (int x = 0; x < image->width; x++, pixel += 3)
        row[x] = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

/* An index beyond an edge, mirrored so that the edge's own pixel comes twice (scipy's "reflect"),
 * as often as it takes. */
static int mirror(int i, int n) {
    while (i < 0 || i >= n) i = i < 0 ? -1 - i : 2 * n - 1 - i;
    return i;
}

/* --- SSIM ------------------------------------------------------------------------------------- */

enum { RADIUS = 5, WINDOW = 2 * RADIUS + 1 };

/* What is averaged over the window: both, their squares, their product. */
enum { MEAN_A, MEAN_B, SQUARE_A, SQUARE_B, PRODUCT, N_MAPS };

/* Rows that were averaged along x, the last WINDOW of them, and where sums are built. */
struct averages {
    const struct xl_image *a, *b;
    double weights[WINDOW];
    double *padded; /* [N_MAPS][width + 2 * RADIUS] of one row */
    double *rows;   /* [WINDOW][N_MAPS][width] */
    double *sums;   /* [N_MAPS][width] */
};

static enum xl_status averages_init(struct averages *averages, struct xl_err *err) {
    size_t width = (size_t)averages->a->width, padded = width + 2 * RADIUS;
    size_t n = N_MAPS * (padded + width * (WINDOW + 1));
    double total = 0;
    averages->padded = malloc(n * sizeof *averages->padded);
    if (!averages->padded) return xl_fail_nomem(err, "a comparison", n * sizeof(double));
    averages->sums = averages->padded + N_MAPS * padded;
    averages->rows = averages->sums + N_MAPS * width;
    for (int i = 0; i < WINDOW; i++) {
        averages->weights[i] = exp(-(i - RADIUS) * (i - RADIUS) / (2 * 1.5 * 1.5));
        total += averages->weights[i];
    }
    for (int i = 0; i < WINDOW; i++) averages->weights[i] /= total;
    return XL_OK;
}

static double *row_of(const struct averages *averages, int y, int map) {
    size_t width = (size_t)averages->a->width;
    return averages->rows + ((size_t)(y % WINDOW) * N_MAPS + (size_t)map) * width;
}

/* Row y of all maps, averaged along x. */
static void add_row(struct averages *averages, int y) {
    int width = averages->a->width;
    size_t n = (size_t)width + 2 * RADIUS;
    double *a = averages->padded + MEAN_A * n, *b = averages->padded + MEAN_B * n;
    put_luma(averages->a, y, a + RADIUS);
    put_luma(averages->b, y, b + RADIUS);
    for (int i = 0; i < RADIUS; i++) {
        int before = mirror(i - RADIUS, width), behind = mirror(width + i, width);
        a[i] = a[before + RADIUS], a[width + RADIUS + i] = a[behind + RADIUS];
        b[i] = b[before + RADIUS], b[width + RADIUS + i] = b[behind + RADIUS];
    }
    double *squares_a = averages->padded + SQUARE_A * n,
           *squares_b = averages->padded + SQUARE_B * n;
    double *products = averages->padded + PRODUCT * n;
    for (size_t x = 0; x < n; x++) {
        squares_a[x] = a[x] * a[x];
        squares_b[x] = b[x] * b[x];
        products[x] = a[x] * b[x];
    }
    for (int m = 0; m < N_MAPS; m++) {
        double *restrict out = row_of(averages, y, m);
        memset(out, 0, (size_t)width * sizeof *out);
        for (int i = 0; i < WINDOW; i++) {
            const double weight = averages->weights[i], *in = averages->padded + (size_t)m * n + i;
            for (int x = 0; x < width; x++) out[x] += weight * in[x];
        }
    }
}

/* The averages of row y along both axes; the rows that it needs are there. */
static void sum_rows(struct averages *averages, int y) {
    int width = averages->a->width, height = averages->a->height;
    for (int m = 0; m < N_MAPS; m++) {
        double *restrict out = averages->sums + (size_t)m * (size_t)width;
        memset(out, 0, (size_t)width * sizeof *out);
        for (int i = 0; i < WINDOW; i++) {
            const double weight = averages->weights[i];
            const double *in = row_of(averages, mirror(y + i - RADIUS, height), m);
            for (int x = 0; x < width; x++) out[x] += weight * in[x];
        }
    }
}

/* The sum of the similarities of pixels from..to of a row. */
static double similarities(const struct averages *averages, int from, int to) {
    const double c1 = 0.01 * 255 * (0.01 * 255), c2 = 0.03 * 255 * (0.03 * 255);
    const double *s = averages->sums + from;
    size_t n = (size_t)averages->a->width;
    double total = 0;
    for (int x = from; x < to; x++, s++) {
        double a = s[MEAN_A * n], b = s[MEAN_B * n];
        double variances = (s[SQUARE_A * n] - a * a) + (s[SQUARE_B * n] - b * b);
        double covariance = s[PRODUCT * n] - a * b;
        total += (2 * (a * b) + c1) * (2 * covariance + c2) /
                 ((a * a + b * b + c1) * (variances + c2));
    }
    return total;
}

static enum xl_status find_ssim(const struct xl_image *a, const struct xl_image *b, double *out,
                                struct xl_err *err) {
    struct averages averages = {.a = a, .b = b};
    enum xl_status status = averages_init(&averages, err);
    if (status) return status;
    int left = a->width < WINDOW ? 0 : RADIUS, top = a->height < WINDOW ? 0 : RADIUS, n_rows = 0;
    double total = 0;
    for (int y = top; y < a->height - top; y++) {
        for (; n_rows < a->height && n_rows <= y + RADIUS; n_rows++) add_row(&averages, n_rows);
        sum_rows(&averages, y);
        total += similarities(&averages, left, a->width - left);
    }
    *out = total / ((double)(a->width - 2 * left) * (a->height - 2 * top));
    free(averages.padded);
    return XL_OK;
}

/* --- GMSD ------------------------------------------------------------------------------------- */

/* Luma at half the size, as the authors' program has it: means of 2x2 pixels, and beyond the right
 * and lower edge there is 0. plane: [height / 2][width / 2], halves rounded up; row: [2][width + 1]
 */
static void halve(const struct xl_image *image, double *plane, double *row) {
    int width = image->width, half_width = (width + 1) / 2;
    double *first = row, *second = row + width + 1;
    first[width] = second[width] = 0;
    for (int y = 0; y < image->height; y += 2) {
        put_luma(image, y, first);
        if (y + 1 < image->height)
            put_luma(image, y + 1, second);
        else
            memset(second, 0, (size_t)width * sizeof *second);
        for (int x = 0; x < half_width; x++)
            *plane++ = (first[2 * x] + first[2 * x + 1] + second[2 * x] + second[2 * x + 1]) / 4;
    }
}

/* Prewitt's gradient at a pixel; beyond the edges there is 0. */
static double gradient(const double *plane, int width, int height, int x, int y) {
    double at[3][3];
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 3; i++) {
            int u = x + i - 1, v = y + j - 1;
            bool is_inside = u >= 0 && u < width && v >= 0 && v < height;
            at[j][i] = is_inside ? plane[(size_t)v * (size_t)width + (size_t)u] : 0;
        }
    double dx = at[0][0] + at[1][0] + at[2][0] - at[0][2] - at[1][2] - at[2][2];
    double dy = at[0][0] + at[0][1] + at[0][2] - at[2][0] - at[2][1] - at[2][2];
    return sqrt(dx * dx + dy * dy) / 3;
}

/* The standard deviation of the similarity of gradients over [height][width]. */
static double deviation(const double *a, const double *b, int width, int height) {
    const double c = 170;
    double n = (double)width * height, mean = 0, squares = 0;
    int64_t count = 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double p = gradient(a, width, height, x, y), q = gradient(b, width, height, x, y);
            double similarity = (2 * p * q + c) / (p * p + q * q + c);
            double away = similarity - mean; /* Welford: exact where all are equal */
            mean += away / (double)++count;
            squares += away * (similarity - mean);
        }
    return n > 1 ? sqrt(squares / (n - 1)) : 0;
}

static enum xl_status find_gmsd(const struct xl_image *a, const struct xl_image *b, double *out,
                                struct xl_err *err) {
    int width = (a->width + 1) / 2, height = (a->height + 1) / 2;
    size_t n = (size_t)width * (size_t)height, n_row = 2 * ((size_t)a->width + 1);
    double *memory = malloc((2 * n + n_row) * sizeof *memory);
    if (!memory) return xl_fail_nomem(err, "a comparison", (2 * n + n_row) * sizeof *memory);
    halve(a, memory, memory + 2 * n);
    halve(b, memory + n, memory + 2 * n);
    *out = deviation(memory, memory + n, width, height);
    free(memory);
    return XL_OK;
}

/* ---------------------------------------------------------------------------------------------- */

enum xl_status xl_image_distance(const struct xl_image *a, const struct xl_image *b,
                                 struct xl_distance *out, struct xl_err *err) {
    struct xl_distance distance = {.ssim = 1};
    enum xl_status status = check_sizes(a, b, err);
    if (status) return status;
    distance.psnr = xl_image_psnr(a, b);
    if (isinf(distance.psnr)) return *out = distance, XL_OK; /* no rounding makes it 0.999... */
    status = find_ssim(a, b, &distance.ssim, err);
    if (!status) status = find_gmsd(a, b, &distance.gmsd, err);
    if (!status) *out = distance;
    return status;
}

enum xl_status xl_image_difference(const struct xl_image *a, const struct xl_image *b, int gain,
                                   struct xl_image *out, struct xl_err *err) {
    enum xl_status status = check_sizes(a, b, err);
    if (!status) status = xl_image_new(a->width, a->height, out, err);
    if (status) return status;
    size_t n = (size_t)a->width * (size_t)a->height * 3;
    for (size_t i = 0; i < n; i++) {
        int away = abs(a->pixels[i] - b->pixels[i]) * gain;
        out->pixels[i] = (uint8_t)(away < 255 ? away : 255);
    }
    return XL_OK;
}
