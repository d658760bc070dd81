/* comparison.c - measuring what belongs together, what it comes to, and the sheet. */
#include "lab/run/comparison.h"

#include "base/str.h"
#include "image/image.h"
#include "image/sheet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void xl_comparison_deinit(struct xl_comparison *comparison) {
    xl_arena_deinit(&comparison->arena);
    *comparison = (struct xl_comparison){.n_rows = 0};
}

/* --- A row ------------------------------------------------------------------------------------ */

/* Pictures of a row while it is measured. */
struct loaded {
    struct xl_image images[XL_COMPARISON_MAX_VALUES];
};

static void unload(struct loaded *loaded, int n) {
    for (int v = 0; v < n; v++) xl_image_free(&loaded->images[v]);
}

static enum xl_status keep_why(struct xl_comparison *comparison, struct xl_compared *picture,
                               const char *why, struct xl_err *err) {
    picture->why = xl_arena_strdup(&comparison->arena, why);
    return picture->why ? XL_OK : xl_fail_nomem(err, "a comparison", 0);
}

/* Read one picture and measure it; what is wrong with it is told where it stands. */
static enum xl_status measure(struct xl_comparison *comparison, const struct xl_compared *reference,
                              struct xl_compared *picture, struct loaded *loaded,
                              struct xl_err *err) {
    int v = (int)(picture - reference);
    struct xl_err why = {0};
    if (!picture->path) return XL_OK;
    enum xl_status status = xl_image_load(picture->path, &loaded->images[v], &why);
    if (!status && v && loaded->images[0].pixels)
        status =
            xl_image_distance(&loaded->images[0], &loaded->images[v], &picture->distance, &why);
    else if (!status && v)
        status = xl_fail(&why, XL_EINPUT, "there is no picture to measure it by");
    if (!status) return XL_OK;
    if (status == XL_ENOMEM) return xl_fail(err, status, "%s", why.text);
    return keep_why(comparison, picture, why.text, err);
}

/* --- The sheet -------------------------------------------------------------------------------- */

static enum xl_status add_picture(struct xl_sheet *sheet, const struct xl_compared *picture,
                                  const struct xl_image *image, bool is_reference,
                                  struct xl_err *err) {
    char labels[XL_SHEET_LABELS][32] = {"reference"};
    const struct xl_distance *distance = &picture->distance;
    struct xl_sheet_cell cell = {.reason = picture->why ? picture->why : "not there"};
    if (!is_reference && isinf(distance->psnr)) {
        snprintf(labels[0], sizeof labels[0], "equal");
    } else if (!is_reference) {
        snprintf(labels[0], sizeof labels[0], "%.1f dB", distance->psnr);
        snprintf(labels[1], sizeof labels[1], "SSIM %.4f", distance->ssim);
        snprintf(labels[2], sizeof labels[2], "GMSD %.4f", distance->gmsd);
    }
    if (image->pixels) cell.image = image;
    for (int i = 0; image->pixels && !picture->why && i < XL_SHEET_LABELS; i++)
        cell.labels[i] = labels[i];
    return xl_sheet_add(sheet, &cell, err);
}

static enum xl_status add_difference(struct xl_sheet *sheet, const struct xl_compared *picture,
                                     const struct xl_image *reference, const struct xl_image *image,
                                     struct xl_err *err) {
    struct xl_image difference = {0};
    struct xl_sheet_cell cell = {.image = &difference};
    if (picture->why || !reference->pixels || !image->pixels)
        cell = (struct xl_sheet_cell){.reason = "not measured"};
    enum xl_status status = XL_OK;
    if (cell.image)
        status = xl_image_difference(reference, image, XL_COMPARISON_GAIN, &difference, err);
    if (!status) status = xl_sheet_add(sheet, &cell, err);
    xl_image_free(&difference);
    return status;
}

static enum xl_status add_row(const struct xl_comparison *comparison, int r, struct xl_sheet *sheet,
                              const struct loaded *loaded, struct xl_err *err) {
    const struct xl_compared *pictures = comparison->rows[r].pictures;
    const struct xl_image *images = loaded->images;
    enum xl_status status = add_picture(sheet, &pictures[0], &images[0], true, err);
    for (int v = 1; !status && v < comparison->n_values; v++) {
        status = add_picture(sheet, &pictures[v], &images[v], false, err);
        if (!status) status = add_difference(sheet, &pictures[v], &images[0], &images[v], err);
    }
    return status;
}

/* The size of the first picture that can be read gives all frames their shape. */
static void find_shape(const struct xl_comparison *comparison, struct xl_sheet_params *look) {
    look->width = look->height = 1;
    for (int r = 0; r < comparison->n_rows; r++) {
        struct xl_image image = {0};
        const char *path = comparison->rows[r].pictures[0].path;
        if (!path || xl_image_load(path, &image, NULL)) continue;
        look->width = image.width;
        look->height = image.height;
        xl_image_free(&image);
        return;
    }
}

static enum xl_status new_sheet(struct xl_comparison *comparison, const char *dir,
                                struct xl_sheet **out, struct xl_err *err) {
    struct xl_arena *arena = &comparison->arena;
    int n_columns = 2 * comparison->n_values - 1;
    struct xl_sheet_heading *columns = xl_arena_alloc(arena, (size_t)n_columns * sizeof *columns);
    struct xl_sheet_heading *rows =
        xl_arena_alloc(arena, (size_t)comparison->n_rows * sizeof *rows);
    const char *more = xl_arena_printf(arena, "%d times", XL_COMPARISON_GAIN);
    const char *title =
        xl_arena_printf(arena, "%s compared with %s", comparison->caption, comparison->values[0]);
    if (!columns || !rows || !more || !title) return xl_fail_nomem(err, "a contact sheet", 0);
    columns[0] = (struct xl_sheet_heading){comparison->values[0], NULL};
    for (int v = 1; v < comparison->n_values; v++) {
        columns[2 * v - 1] = (struct xl_sheet_heading){comparison->values[v], NULL};
        columns[2 * v] = (struct xl_sheet_heading){"difference", more};
    }
    for (int r = 0; r < comparison->n_rows; r++)
        rows[r] = (struct xl_sheet_heading){comparison->rows[r].name, NULL};
    const struct xl_sheet_block block = {
        .n_rows = comparison->n_rows, .n_columns = n_columns, .rows = rows, .columns = columns};
    struct xl_sheet_params look = {.dir = dir,
                                   .stem = "compare",
                                   .title = title,
                                   .lines = {comparison->about},
                                   .n_labels = XL_SHEET_LABELS,
                                   .blocks = &block,
                                   .n_blocks = 1};
    find_shape(comparison, &look);
    return xl_sheet_new(&look, out, err);
}

/* ---------------------------------------------------------------------------------------------- */

static enum xl_status measure_row(struct xl_comparison *comparison, int r, struct xl_sheet *sheet,
                                  struct xl_err *err) {
    struct loaded loaded = {0};
    struct xl_compared *pictures = comparison->rows[r].pictures;
    enum xl_status status = XL_OK;
    for (int v = 0; !status && v < comparison->n_values; v++)
        status = measure(comparison, pictures, &pictures[v], &loaded, err);
    if (!status && sheet) status = add_row(comparison, r, sheet, &loaded, err);
    unload(&loaded, comparison->n_values);
    return status;
}

enum xl_status xl_comparison_measure(struct xl_comparison *comparison, const char *dir,
                                     int *n_pages, bool (*go_on)(void), struct xl_err *err) {
    struct xl_sheet *sheet = NULL;
    enum xl_status status = dir ? new_sheet(comparison, dir, &sheet, err) : XL_OK;
    for (int r = 0; !status && r < comparison->n_rows; r++)
        status = go_on && !go_on() ? xl_fail(err, XL_ECANCELLED, "interrupted while comparing")
                                   : measure_row(comparison, r, sheet, err);
    *n_pages = 0;
    if (!status && sheet) return xl_sheet_finish(sheet, n_pages, err);
    xl_sheet_abandon(sheet);
    return status;
}

/* --- What it comes to ------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Sorts. 0 of none */
static double median(double *numbers, int n) {
    if (!n) return 0;
    qsort(numbers, (size_t)n, sizeof *numbers, ascending);
    double low = numbers[(n - 1) / 2], high = numbers[n / 2];
    return low == high ? low : (low + high) / 2; /* both may be infinite */
}

static bool is_measured(const struct xl_compared *pictures, int v) {
    return pictures[0].path && pictures[v].path && !pictures[0].why && !pictures[v].why;
}

/* The numbers of value v at `offset` of struct xl_compared, where there are any; *n of them. */
static double *collect(const struct xl_comparison *comparison, int v, size_t offset, int *n) {
    double *numbers = malloc(((size_t)comparison->n_rows + 1) * sizeof *numbers);
    bool is_time = offset == offsetof(struct xl_compared, seconds);
    *n = 0;
    for (int r = 0; numbers && r < comparison->n_rows; r++) {
        const struct xl_compared *pictures = comparison->rows[r].pictures;
        double number = *(const double *)(const void *)((const char *)&pictures[v] + offset);
        if (is_time ? number > 0 : is_measured(pictures, v)) numbers[(*n)++] = number;
    }
    return numbers;
}

/* median_of 0 where memory is out: what is told is then less, not wrong. */
static void sum_up(const struct xl_comparison *comparison, int v, size_t offset, double *median_of,
                   double *least, double *most) {
    int n;
    double *numbers = collect(comparison, v, offset, &n);
    *median_of = numbers ? median(numbers, n) : 0;
    if (least) *least = numbers && n ? numbers[0] : 0;
    if (most) *most = numbers && n ? numbers[n - 1] : 0;
    free(numbers);
}

struct xl_comparison_sum xl_comparison_sum(const struct xl_comparison *comparison, int v) {
    struct xl_comparison_sum sum = {0};
    for (int r = 0; r < comparison->n_rows; r++) {
        const struct xl_compared *pictures = comparison->rows[r].pictures;
        sum.n_timed += pictures[v].seconds > 0;
        if (!v || !is_measured(pictures, v)) continue;
        sum.n++;
        sum.n_equal += isinf(pictures[v].distance.psnr);
    }
#define AT(field) offsetof(struct xl_compared, field)
    sum_up(comparison, v, AT(distance.psnr), &sum.median.psnr, &sum.worst.psnr, NULL);
    sum_up(comparison, v, AT(distance.ssim), &sum.median.ssim, &sum.worst.ssim, NULL);
    sum_up(comparison, v, AT(distance.gmsd), &sum.median.gmsd, NULL, &sum.worst.gmsd);
    sum_up(comparison, v, AT(seconds), &sum.seconds, NULL, NULL);
#undef AT
    return sum;
}

/* What a median means, and the bar below which a picture is worse than that. */
static const char *say_median(double psnr, double *bar) {
    static const struct {
        double from;
        const char *words;
    } bars[] = {
        {XL_PSNR_UNSEEN, "nobody tells them apart side by side"},
        {XL_PSNR_TEXTURE, "only fine texture differs"},
        {XL_PSNR_STRUCTURE, "details differ, the picture is the same"},
        {0, "shapes or colours differ, plain to see"},
    };
    int i = 0;
    while (psnr < bars[i].from) i++;
    *bar = bars[i].from;
    return bars[i].words;
}

static int count_below(const struct xl_comparison *comparison, int v, double bar) {
    int n = 0;
    for (int r = 0; r < comparison->n_rows; r++) {
        const struct xl_compared *pictures = comparison->rows[r].pictures;
        n += is_measured(pictures, v) && pictures[v].distance.psnr < bar;
    }
    return n;
}

const char *xl_comparison_verdict(struct xl_comparison *comparison, int v) {
    struct xl_comparison_sum sum = xl_comparison_sum(comparison, v);
    const char *value = comparison->values[v], *reference = comparison->values[0];
    struct xl_arena *arena = &comparison->arena;
    char far[64] = "", rest[64] = "";
    double bar;
    if (!sum.n) return xl_arena_printf(arena, "%s: nothing could be measured", value);
    if (sum.n == sum.n_equal)
        return xl_arena_printf(arena, "%s is the same as %s in every pixel", value, reference);
    if (isinf(sum.median.psnr))
        return xl_arena_printf(arena,
                               "%s equals %s in %d of %d pictures; the worst lies %.1f dB away",
                               value, reference, sum.n_equal, sum.n, sum.worst.psnr);
    const char *words = say_median(sum.median.psnr, &bar);
    int n_below = count_below(comparison, v, bar);
    if (n_below)
        snprintf(rest, sizeof rest, ", but for %d of %d, which %s more", n_below, sum.n,
                 xl_plural(n_below, "differs", "differ"));
    if (sum.n == 1)
        snprintf(far, sizeof far, "%.1f dB", sum.median.psnr);
    else
        snprintf(far, sizeof far, "%.1f dB (median; worst %.1f)", sum.median.psnr, sum.worst.psnr);
    return xl_arena_printf(arena, "%s lies %s from %s: %s%s", value, far, reference, words, rest);
}
