/* sheet.c - contact sheets from the first cell to the last page. Only the page in hand is in
 * memory.
 */
#include "image/sheet.h"
#include "base/file.h"
#include "image/image.h"
#include "image/sheet_draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cairo.h>

enum { MAX_CELLS = 1000000, MAX_BLOCKS = 100000 };

struct xl_sheet {
    char *dir, *stem;
    char shows[XL_SHEET_SHOWS_MAX + 1];
    struct xl_arena arena; /* of the layout */
    struct xl_sheet_layout layout;
    int page;              /* in hand, or written last; 0: none */
    int band, row, column; /* where the next cell goes */
    cairo_surface_t *surface;
    cairo_t *cairo;
};

void xl_sheet_page_name(const char *stem, int page, char out[XL_SHEET_NAME_MAX]) {
    snprintf(out, XL_SHEET_NAME_MAX, "%s_%02d.png", stem, page);
}

/* ---- Beginning ---- */

static enum xl_status check_size(const char *what, int n, int most, struct xl_err *err) {
    if (n >= 1 && n <= most) return XL_OK;
    return xl_fail(err, XL_EINVAL, "a contact sheet with %d %s; expected 1 to %d", n, what, most);
}

static enum xl_status check(const struct xl_sheet_params *params, struct xl_err *err) {
    enum xl_status status = XL_OK;
    if (params->n_blocks)
        status = check_size("blocks", params->n_blocks, MAX_BLOCKS, err);
    else
        status = check_size("cells", params->n_cells, MAX_CELLS, err);
    for (int i = 0; !status && i < params->n_blocks; i++) {
        status = check_size("rows", params->blocks[i].n_rows, MAX_CELLS, err);
        if (!status)
            status = check_size("columns", params->blocks[i].n_columns, XL_SHEET_COLUMNS, err);
    }
    if (!status && params->columns)
        status = check_size("columns", params->columns, XL_SHEET_COLUMNS, err);
    if (!status && (params->n_labels < 0 || params->n_labels > XL_SHEET_LABELS))
        status = xl_fail(err, XL_EINVAL, "a contact sheet with %d labels", params->n_labels);
    if (!status && (params->width < 1 || params->height < 1))
        status = xl_fail(err, XL_EINVAL, "a contact sheet of pictures of %dx%d", params->width,
                         params->height);
    return status;
}

/* Measuring text needs something to draw on. */
static enum xl_status lay_out(struct xl_sheet *sheet, const struct xl_sheet_params *params,
                              struct xl_err *err) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    cairo_t *cairo = cairo_create(surface);
    enum xl_status status =
        cairo_status(cairo) ? xl_fail_nomem(err, "a contact sheet", 0)
                            : xl_sheet_lay_out(params, cairo, &sheet->arena, &sheet->layout, err);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return status;
}

enum xl_status xl_sheet_new(const struct xl_sheet_params *params, struct xl_sheet **out,
                            struct xl_err *err) {
    enum xl_status status = check(params, err);
    if (status) return status;
    struct xl_sheet *sheet = calloc(1, sizeof *sheet);
    if (!sheet) return xl_fail_nomem(err, "a contact sheet", sizeof *sheet);
    snprintf(sheet->shows, sizeof sheet->shows, "%s", params->shows ? params->shows : "");
    sheet->dir = strdup(params->dir);
    sheet->stem = strdup(params->stem);
    status = sheet->dir && sheet->stem ? lay_out(sheet, params, err)
                                       : xl_fail_nomem(err, "a contact sheet", 0);
    if (status)
        xl_sheet_abandon(sheet);
    else
        *out = sheet;
    return status;
}

static void close_page(struct xl_sheet *sheet) {
    if (sheet->cairo) cairo_destroy(sheet->cairo);
    if (sheet->surface) cairo_surface_destroy(sheet->surface);
    sheet->cairo = NULL;
    sheet->surface = NULL;
}

void xl_sheet_abandon(struct xl_sheet *sheet) {
    if (!sheet) return;
    close_page(sheet);
    xl_arena_deinit(&sheet->arena);
    free(sheet->dir);
    free(sheet->stem);
    free(sheet);
}

/* ---- Pages ---- */

static enum xl_status open_page(struct xl_sheet *sheet, struct xl_err *err) {
    int page = sheet->layout.bands[sheet->band].page;
    cairo_surface_t *probe = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    cairo_t *measure = cairo_create(probe);
    int width = xl_sheet_page_width(&sheet->layout, page);
    int height = xl_sheet_page_height(&sheet->layout, measure, page);
    cairo_destroy(measure);
    cairo_surface_destroy(probe);
    sheet->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    sheet->cairo = cairo_create(sheet->surface);
    if (cairo_status(sheet->cairo))
        return xl_fail_nomem(err, "a page of a contact sheet", (size_t)width * (size_t)height * 4);
    sheet->page = page;
    xl_sheet_draw_page(&sheet->layout, sheet->cairo, page);
    return XL_OK;
}

static enum xl_status image_of(cairo_surface_t *surface, struct xl_image *out, struct xl_err *err) {
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);
    enum xl_status status = xl_image_new(width, height, out, err);
    if (status) return status;
    cairo_surface_flush(surface);
    const unsigned char *rows = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < height; y++) {
        const uint32_t *in = (const uint32_t *)(const void *)(rows + (size_t)y * (size_t)stride);
        uint8_t *pixel = out->pixels + (size_t)y * (size_t)width * 3;
        for (int x = 0; x < width; x++, pixel += 3) {
            pixel[0] = (uint8_t)(in[x] >> 16);
            pixel[1] = (uint8_t)(in[x] >> 8);
            pixel[2] = (uint8_t)in[x];
        }
    }
    return XL_OK;
}

static enum xl_status write_page(struct xl_sheet *sheet, struct xl_err *err) {
    char name[XL_SHEET_NAME_MAX];
    xl_sheet_page_name(sheet->stem, sheet->page, name);
    struct xl_sheet_record record = {.page = sheet->page, .n_pages = sheet->layout.n_pages};
    memcpy(record.shows, sheet->shows, sizeof record.shows);
    char text[XL_SHEET_RECORD_MAX];
    xl_sheet_record_write(&record, text);
    const struct xl_png_text texts[] = {{XL_PNG_RECORD, text, NULL}};
    struct xl_image image = {0};
    void *data = NULL;
    size_t n = 0;
    enum xl_status status = image_of(sheet->surface, &image, err);
    close_page(sheet);
    if (!status) status = xl_png_encode_quick(&image, texts, 1, &data, &n, err);
    xl_image_free(&image);
    char *path = status ? NULL : xl_path_join(sheet->dir, name);
    if (!status && !path) status = xl_fail_nomem(err, "a path", 0);
    if (!status) status = xl_file_replace(path, data, n, err);
    free(path);
    free(data);
    return status;
}

/* The place of the next cell moves on. */
static void advance(struct xl_sheet *sheet) {
    const struct xl_sheet_band *band = &sheet->layout.bands[sheet->band];
    if (++sheet->column < sheet->layout.parts[band->part].n_columns) return;
    sheet->column = 0;
    if (++sheet->row < band->n_rows) return;
    sheet->row = 0;
    sheet->band++;
}

enum xl_status xl_sheet_add(struct xl_sheet *sheet, const struct xl_sheet_cell *cell,
                            struct xl_err *err) {
    const struct xl_sheet_layout *layout = &sheet->layout;
    if (sheet->band == layout->n_bands)
        return xl_fail(err, XL_EINVAL, "a contact sheet has no room for one more cell");
    enum xl_status status = sheet->surface ? XL_OK : open_page(sheet, err);
    const struct xl_sheet_spot spot = {sheet->band, sheet->row, sheet->column};
    if (!status) status = xl_sheet_draw_cell(layout, sheet->cairo, &spot, cell, err);
    if (status) return status;
    advance(sheet);
    bool is_full = sheet->band == layout->n_bands || layout->bands[sheet->band].page != sheet->page;
    return is_full ? write_page(sheet, err) : XL_OK;
}

/* Pages behind the last, of a sheet that was longer. */
static void remove_rest(const struct xl_sheet *sheet) {
    bool was_there = true;
    for (int page = sheet->page + 1; was_there; page++) {
        char name[XL_SHEET_NAME_MAX];
        xl_sheet_page_name(sheet->stem, page, name);
        char *path = xl_path_join(sheet->dir, name);
        was_there = path && xl_file_exists(path) && !unlink(path);
        free(path);
    }
}

enum xl_status xl_sheet_finish(struct xl_sheet *sheet, int *n_pages, struct xl_err *err) {
    enum xl_status status = sheet->surface ? write_page(sheet, err) : XL_OK;
    if (!status && sheet->page) remove_rest(sheet);
    if (!status && n_pages) *n_pages = sheet->page;
    xl_sheet_abandon(sheet);
    return status;
}
