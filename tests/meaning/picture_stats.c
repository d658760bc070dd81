/* picture_stats.c - numbers about pictures, for the scripts that test what is in them.
 * usage: picture_stats A.png [B.png]
 * Prints name=value lines in whole 8-bit values: the mean of the middle third (mid_r, mid_g, mid_b)
 * and of everything (r, g, b), the mean distance between the largest and the smallest channel of a
 * pixel (chroma), how much redder than blue the left and the right half are (left_warm,
 * right_warm), the mean difference of neighbours in hundredths (detail), and, with a second
 * picture, the mean absolute difference in hundredths (difference). */
#include "image/image.h"

#include "sdxl/sdxl.h"

#include <stdio.h>
#include <stdlib.h>

/* Means of the channels over x0 <= x < x1, y0 <= y < y1. */
static void means(const struct xl_image *image, const int box[4], double out[3]) {
    double sum[3] = {0};
    for (int y = box[1]; y < box[3]; y++)
        for (int x = box[0]; x < box[2]; x++)
            for (int c = 0; c < 3; c++)
                sum[c] +=
                    image->pixels[((size_t)y * (size_t)image->width + (size_t)x) * 3 + (size_t)c];
    double n = (double)(box[2] - box[0]) * (box[3] - box[1]);
    for (int c = 0; c < 3; c++) out[c] = sum[c] / n;
}

static double chroma(const struct xl_image *image) {
    double sum = 0;
    size_t n = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = image->pixels + 3 * i;
        int high = p[0] > p[1] ? p[0] : p[1], low = p[0] < p[1] ? p[0] : p[1];
        if (p[2] > high) high = p[2];
        if (p[2] < low) low = p[2];
        sum += high - low;
    }
    return sum / (double)n;
}

/* Mean absolute difference of neighbours in a row. */
static double detail(const struct xl_image *image) {
    double sum = 0;
    size_t row = (size_t)image->width * 3;
    for (size_t y = 0; y < (size_t)image->height; y++)
        for (size_t i = 3; i < row; i++)
            sum += abs(image->pixels[y * row + i] - image->pixels[y * row + i - 3]);
    return sum / (double)((row - 3) * (size_t)image->height);
}

static double warm(const struct xl_image *image, int x0, int x1) {
    double c[3];
    means(image, (const int[4]){x0, 0, x1, image->height}, c);
    return c[0] - c[2];
}

static double difference(const struct xl_image *a, const struct xl_image *b) {
    if (a->width != b->width || a->height != b->height) return -1;
    size_t n = (size_t)a->width * (size_t)a->height * 3;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += abs(a->pixels[i] - b->pixels[i]);
    return 100 * sum / (double)n;
}

int main(int argc, char **argv) {
    struct xl_image a = {0}, b = {0};
    struct xl_err err = {0};
    if (argc < 2 || xl_image_load(argv[1], &a, &err) ||
        (argc > 2 && xl_image_load(argv[2], &b, &err))) {
        fprintf(stderr, "picture_stats: cannot read the pictures\n");
        xl_image_free(&a);
        return 1;
    }
    int third[4] = {a.width / 3, a.height / 3, a.width * 2 / 3, a.height * 2 / 3};
    int whole[4] = {0, 0, a.width, a.height};
    double mid[3], all[3];
    means(&a, third, mid);
    means(&a, whole, all);
    printf("mid_r=%.0f\nmid_g=%.0f\nmid_b=%.0f\n", mid[0], mid[1], mid[2]);
    printf("r=%.0f\ng=%.0f\nb=%.0f\nchroma=%.0f\n", all[0], all[1], all[2], chroma(&a));
    printf("left_warm=%.0f\nright_warm=%.0f\n", warm(&a, 0, a.width / 2),
           warm(&a, a.width / 2, a.width));
    printf("detail=%.0f\n", 100 * detail(&a));
    if (argc > 2) printf("difference=%.0f\n", difference(&a, &b));
    xl_image_free(&a);
    xl_image_free(&b);
    return 0;
}
