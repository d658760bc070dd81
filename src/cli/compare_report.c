/* compare_report.c - what a comparison comes to, for people and for programs. */
#include "cli/compare.h"

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/table.h"
#include "image/sheet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_measured(const struct xl_comparison_row *row, int v) {
    return row->pictures[v].path && !row->pictures[v].why && row->pictures[0].path &&
           !row->pictures[0].why;
}

/* Why a pair has no distance. */
static const char *reason_of(const struct xl_comparison_row *row, int v) {
    const struct xl_compared *picture = &row->pictures[row->pictures[0].why ? 0 : v];
    return picture->why ? picture->why : "not measured";
}

/* --- The table -------------------------------------------------------------------------------- */

enum { NUMBER = 24 };

/* A row of the table; value NULL: two values alone need none. distance NULL: none was measured. */
static void add(struct xl_table *table, const char *name, const char *value,
                const struct xl_distance *distance, enum xl_color color) {
    char psnr[NUMBER] = "-", ssim[NUMBER] = "-", gmsd[NUMBER] = "-";
    const char *cells[XL_TABLE_MAX_COLUMNS];
    int n = 0;
    if (distance) {
        if (isfinite(distance->psnr))
            snprintf(psnr, sizeof psnr, "%.1f", distance->psnr);
        else
            snprintf(psnr, sizeof psnr, "equal");
        snprintf(ssim, sizeof ssim, "%.4f", distance->ssim);
        snprintf(gmsd, sizeof gmsd, "%.4f", distance->gmsd);
    }
    cells[n++] = name;
    if (value) cells[n++] = value;
    cells[n++] = psnr;
    cells[n++] = ssim;
    cells[n++] = gmsd;
    xl_table_add(table, cells, color);
}

static enum xl_status print_table(const struct xl_comparison *comparison, struct xl_err *err) {
    bool has_values = comparison->n_values > 2;
    struct xl_table table = {.n_columns = has_values ? 5 : 4};
    const char *heads[] = {"", "", "PSNR", "SSIM", "GMSD"};
    xl_table_add(&table, has_values ? heads : heads + 1, XL_COLOR_BOLD);
    for (int r = 0; r < comparison->n_rows; r++)
        for (int v = 1; v < comparison->n_values; v++) {
            const struct xl_comparison_row *row = &comparison->rows[r];
            add(&table, row->name, has_values ? comparison->values[v] : NULL,
                is_measured(row, v) ? &row->pictures[v].distance : NULL, XL_COLOR_NONE);
        }
    for (int v = 1; v < comparison->n_values; v++) {
        struct xl_comparison_sum sum = xl_comparison_sum(comparison, v);
        const char *value = has_values ? comparison->values[v] : NULL;
        if (sum.n < 2) continue;
        add(&table, "median", value, &sum.median, XL_COLOR_BOLD);
        add(&table, "worst", value, &sum.worst, XL_COLOR_BOLD);
    }
    return xl_table_print(&table, 0, err);
}

/* --- Lines below it --------------------------------------------------------------------------- */

static void print_reasons(const struct xl_comparison *comparison) {
    enum { MOST = 10 };
    int n = 0;
    for (int r = 0; r < comparison->n_rows; r++)
        for (int v = 1; v < comparison->n_values; v++) {
            const struct xl_comparison_row *row = &comparison->rows[r];
            if (is_measured(row, v) || n++ >= MOST) continue;
            struct xl_str line = {0};
            xl_str_printf(&line, "%s: %s", row->name, reason_of(row, v));
            xl_print_lines(0, n == 1 ? "not measured  " : "              ",
                           line.text ? line.text : "", XL_COLOR_NONE);
            xl_str_deinit(&line);
        }
    if (n > MOST) printf("              and %d more\n", n - MOST);
}

/* "time     f32 1.23 s a picture, bf16 0.61 s (2.0 times as fast)". The first picture of a run pays
 * for more than itself: speeds are compared where a median leaves it out. */
static void print_times(const struct xl_comparison *comparison) {
    enum { ENOUGH = 3 };
    int least = comparison->n_rows;
    struct xl_str line = {0};
    double reference = xl_comparison_sum(comparison, 0).seconds;
    for (int v = 0; v < comparison->n_values; v++) {
        struct xl_comparison_sum sum = xl_comparison_sum(comparison, v);
        double seconds = sum.seconds;
        if (sum.n_timed < least) least = sum.n_timed;
        if (!(seconds > 0)) continue;
        xl_str_printf(&line, "%s%s %.*f s%s", line.len ? ", " : "", comparison->values[v],
                      seconds < 1 ? 3 : 2, seconds, line.len ? "" : " a picture");
        if (v && least >= ENOUGH)
            xl_str_printf(&line, " (%.2f times as fast)", reference / seconds);
    }
    if (line.len && !line.failed) xl_print_lines(0, "time     ", line.text, XL_COLOR_NONE);
    xl_str_deinit(&line);
}

enum xl_status xl_compare_print(struct xl_comparison *comparison, const char *dir, int n_pages,
                                struct xl_err *err) {
    enum xl_status status = print_table(comparison, err);
    if (status) return status;
    printf("\n");
    print_reasons(comparison);
    print_times(comparison);
    for (int v = 1; v < comparison->n_values; v++) {
        const char *verdict = xl_comparison_verdict(comparison, v);
        if (!verdict) return xl_fail_nomem(err, "a comparison", 0);
        xl_print_lines(0, "", verdict, XL_COLOR_BOLD);
    }
    for (int page = 1; page <= n_pages; page++) {
        char name[XL_SHEET_NAME_MAX];
        xl_sheet_page_name("compare", page, name);
        printf("%s%s/%s\n", page == 1 ? "sheet    " : "         ", dir, name);
    }
    return XL_OK;
}

/* --- For programs ----------------------------------------------------------------------------- */

/* Equal pictures have no number of dB. */
static void put_distance(json_t *object, const struct xl_distance *distance, bool *ok) {
    bool is_equal = isinf(distance->psnr);
    xl_json_put(object, "psnr", is_equal ? json_null() : json_real(distance->psnr), ok);
    xl_json_put(object, "ssim", json_real(distance->ssim), ok);
    xl_json_put(object, "gmsd", json_real(distance->gmsd), ok);
}

/* From the root: whoever reads the answer may work in another folder. */
static json_t *describe_path(const char *path) {
    struct xl_arena arena = {0};
    const char *absolute = path ? xl_path_absolute(path, &arena) : NULL;
    json_t *value = path && !absolute ? NULL : xl_json_text(absolute);
    xl_arena_deinit(&arena);
    return value;
}

static json_t *describe_pair(const struct xl_comparison *comparison, int r, int v) {
    const struct xl_comparison_row *row = &comparison->rows[r];
    const struct xl_compared *picture = &row->pictures[v];
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "name", xl_json_text(row->name), &ok);
    xl_json_put(object, "value", xl_json_text(comparison->values[v]), &ok);
    xl_json_put(object, "reference_path", describe_path(row->pictures[0].path), &ok);
    xl_json_put(object, "path", describe_path(picture->path), &ok);
    if (is_measured(row, v)) {
        xl_json_put(object, "equal", json_boolean(isinf(picture->distance.psnr)), &ok);
        put_distance(object, &picture->distance, &ok);
    } else {
        xl_json_put(object, "error", xl_json_text(reason_of(row, v)), &ok);
    }
    return xl_json_finish(object, ok);
}

static json_t *describe_value(struct xl_comparison *comparison, int v) {
    struct xl_comparison_sum sum = xl_comparison_sum(comparison, v);
    json_t *object = json_object(), *median = json_object(), *worst = json_object();
    bool ok = object && median && worst;
    xl_json_put(object, "value", xl_json_text(comparison->values[v]), &ok);
    if (sum.seconds > 0) xl_json_put(object, "seconds", json_real(sum.seconds), &ok);
    if (v) {
        xl_json_put(object, "pictures", json_integer(sum.n), &ok);
        xl_json_put(object, "equal", json_integer(sum.n_equal), &ok);
        xl_json_put(object, "verdict", xl_json_text(xl_comparison_verdict(comparison, v)), &ok);
    }
    if (v && sum.n) {
        put_distance(median, &sum.median, &ok);
        put_distance(worst, &sum.worst, &ok);
        xl_json_put(object, "median", json_incref(median), &ok);
        xl_json_put(object, "worst", json_incref(worst), &ok);
    }
    json_decref(median);
    json_decref(worst);
    return xl_json_finish(object, ok);
}

static json_t *describe_sheet(const char *dir, int n_pages) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int page = 1; ok && page <= n_pages; page++) {
        char name[XL_SHEET_NAME_MAX];
        xl_sheet_page_name("compare", page, name);
        char *path = xl_path_join(dir, name);
        ok = path && !json_array_append_new(list, describe_path(path));
        free(path);
    }
    return xl_json_finish(list, ok);
}

json_t *xl_compare_describe(struct xl_comparison *comparison, const char *dir, int n_pages) {
    json_t *object = json_object(), *pictures = json_array(), *values = json_array();
    bool ok = object && pictures && values;
    for (int r = 0; r < comparison->n_rows; r++)
        for (int v = 1; v < comparison->n_values; v++)
            ok &= !json_array_append_new(pictures, describe_pair(comparison, r, v));
    for (int v = 0; v < comparison->n_values; v++)
        ok &= !json_array_append_new(values, describe_value(comparison, v));
    xl_json_put(object, "compared", xl_json_text(comparison->caption), &ok);
    xl_json_put(object, "reference", xl_json_text(comparison->values[0]), &ok);
    xl_json_put(object, "values", values, &ok);
    xl_json_put(object, "pictures", pictures, &ok);
    xl_json_put(object, "sheet", describe_sheet(dir, n_pages), &ok);
    return xl_json_finish(object, ok);
}

/* --- How it ends ------------------------------------------------------------------------------ */

enum xl_status xl_compare_judge(const struct xl_settings *settings,
                                const struct xl_comparison *comparison, struct xl_err *err) {
    int n = 0, n_missing = 0, n_far = 0;
    const char *missing = NULL, *furthest = NULL;
    double least = settings->min_psnr;
    for (int r = 0; r < comparison->n_rows; r++)
        for (int v = 1; v < comparison->n_values; v++) {
            const struct xl_comparison_row *row = &comparison->rows[r];
            double psnr = row->pictures[v].distance.psnr;
            n++;
            if (!is_measured(row, v)) {
                if (!n_missing++) missing = reason_of(row, v);
            } else if (psnr < settings->min_psnr) {
                n_far++;
                if (psnr < least) least = psnr, furthest = row->name;
            }
        }
    if (n_missing && n == 1) return xl_fail(err, XL_EINPUT, "%s", missing);
    if (n_missing)
        return xl_fail(err, XL_EINPUT, "%d of %d could not be measured; the first: %s", n_missing,
                       n, missing);
    if (!n_far) return XL_OK;
    return xl_fail(err, XL_EPARTIAL,
                   "%d of %d %s further than %g dB from %s; the furthest, %.1f dB: %.100s", n_far,
                   n, xl_plural(n_far, "picture lies", "pictures lie"), settings->min_psnr,
                   comparison->values[0], least, furthest);
}
