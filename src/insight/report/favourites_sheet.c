/* favourites_sheet.c - contact sheets of what is loved: model, profile and size under each picture.
 */
#include "insight/report/export.h"

#include "base/str.h"
#include "image/image.h"
#include "image/sheet.h"

#include <stdio.h>
#include <stdlib.h>

/* A loved row and what decides its place. */
struct place {
    int rating;
    int64_t at;
    uint32_t row;
};

static int best_first(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->rating != y->rating) return y->rating - x->rating;
    if (x->at != y->at) return x->at < y->at ? 1 : -1;
    return x->row < y->row ? 1 : -1;
}

/* NULL: out of memory */
static struct place *order(const struct xl_taste *taste, size_t *n) {
    const struct xl_observations *rows = taste->observations;
    struct place *places = malloc((taste->all.loved + 1) * sizeof *places);
    *n = 0;
    if (!places) return NULL;
    for (size_t i = 0; i < rows->row_count; i++)
        if (rows->loved[i])
            places[(*n)++] = (struct place){rows->rating ? rows->rating[i] : 0,
                                            rows->made_at ? rows->made_at[i] : 0, (uint32_t)i};
    qsort(places, *n, sizeof *places, best_first);
    if (*n > XL_EXPORT_SHEET_MOST) *n = XL_EXPORT_SHEET_MOST;
    return places;
}

static void put_label(const struct xl_taste *taste, const char *column, uint32_t row,
                      const char *lead, struct xl_str *out) {
    int factor = xl_taste_factor(taste->observations, column);
    uint32_t level = factor < 0 ? XL_NO_LEVEL : taste->observations->level[factor][row];
    if (level == XL_NO_LEVEL) return;
    xl_str_printf(out, "%s%s%s", out->len ? "  " : "", lead,
                  xl_taste_text(taste, (uint32_t)factor, level));
}

/* A picture that is gone leaves an empty frame with the reason. */
static enum xl_status add(const struct xl_taste *taste, const struct xl_report_pictures *pictures,
                          const struct place *place, struct xl_sheet *sheet, struct xl_err *err) {
    struct xl_str labels[XL_SHEET_LABELS] = {{0}};
    struct xl_image image = {0};
    struct xl_err why = {0};
    struct xl_sheet_cell cell = {.reason = "not found"};
    const char *path = pictures->path(pictures->user, taste->observations->picture[place->row]);
    put_label(taste, "model", place->row, "", &labels[0]);
    put_label(taste, "profile", place->row, "", &labels[1]);
    put_label(taste, "resolution", place->row, "", &labels[2]);
    put_label(taste, "seed", place->row, "seed ", &labels[2]);
    if (place->rating) xl_str_printf(&labels[2], "  %d of 5", place->rating);
    for (int i = 0; i < XL_SHEET_LABELS; i++) cell.labels[i] = labels[i].text;
    if (path && !xl_image_load(path, &image, &why))
        cell.image = &image;
    else if (path)
        cell.reason = why.text;
    enum xl_status status = xl_sheet_add(sheet, &cell, err);
    xl_image_free(&image);
    for (int i = 0; i < XL_SHEET_LABELS; i++) xl_str_deinit(&labels[i]);
    return status;
}

enum xl_status xl_report_sheet(const char *dir, const struct xl_taste *taste,
                               const struct xl_report_pictures *pictures, struct xl_err *err) {
    size_t n;
    struct xl_sheet *sheet = NULL;
    struct place *places = order(taste, &n);
    char line[96];
    if (!places) return xl_fail_nomem(err, "a contact sheet", 0);
    snprintf(line, sizeof line, "%llu of %llu pictures", (unsigned long long)taste->all.loved,
             (unsigned long long)taste->all.made);
    const struct xl_sheet_params params = {.dir = dir,
                                           .stem = "favourites",
                                           .title = "Favourites",
                                           .lines = {line},
                                           .n_labels = XL_SHEET_LABELS,
                                           .width = 1024,
                                           .height = 1024,
                                           .n_cells = (int)n};
    enum xl_status status = n ? xl_sheet_new(&params, &sheet, err) : XL_OK;
    for (size_t i = 0; !status && i < n; i++) status = add(taste, pictures, &places[i], sheet, err);
    if (status)
        xl_sheet_abandon(sheet);
    else if (n)
        status = xl_sheet_finish(sheet, NULL, err);
    free(places);
    return status;
}
