/* sheet.c - contact sheets: cards on pages. Only the page in hand is in memory. */
#include "image/sheet.h"
#include "base/file.h"
#include "image/image.h"
#include "image/sheet_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo.h>

/* Pixels. A card is a frame for the picture with its labels below. */
enum {
    FRAME = 320,       /* side of a square frame, at most; others have its area */
    LEAST_FRAME = 160, /* at least: labels need room. Between them pictures keep their own size */
    MARGIN = 40,
    GUTTER = 20,
    PADDING = 12, /* of the text in a card */
    RADIUS = 6,
    FIRST_LINE = 24,
    NEXT_LINE = 18,
    PAGE_CELLS = 64,
    MAX_COLUMNS = 16,
    MAX_CELLS = 1000000,
};

enum {
    PAPER = 0xF3F3F0,
    CARD = 0xFFFFFF,
    EDGE = 0xDCDCD7,
    EMPTY = 0xE9E9E5,
    INK = 0x1F2328,
    GREY = 0x62676D,
    WARNING = 0x8F3B26,
};

static const struct xl_text_style title_style = {26, true, INK}, subtitle_style = {15, false, GREY},
                                  first_style = {14, true, INK}, next_style = {12, false, GREY},
                                  reason_style = {13, false, WARNING};

struct xl_sheet {
    char *dir, *stem, *title, *subtitle; /* title and subtitle are clean; subtitle may be NULL */
    char shows[XL_SHEET_SHOWS_MAX + 1];
    int n_cells, columns, per_page, n_pages;
    int frame_width, frame_height;
    int n_added, page; /* pages begun */
    int on_page;       /* cells on the page in hand */
    cairo_surface_t *surface;
    cairo_t *cairo;
};

void xl_sheet_page_name(const char *stem, int page, char out[XL_SHEET_NAME_MAX]) {
    snprintf(out, XL_SHEET_NAME_MAX, "%s_%02d.png", stem, page);
}

/* ---- Layout ---- */

static int card_width(const struct xl_sheet *sheet) {
    return sheet->frame_width;
}

static int card_height(const struct xl_sheet *sheet) {
    return sheet->frame_height + PADDING + FIRST_LINE + (XL_SHEET_LABELS - 1) * NEXT_LINE;
}

static int header_height(const struct xl_sheet *sheet) {
    return sheet->subtitle ? 84 : 60;
}

static int page_width(const struct xl_sheet *sheet) {
    return 2 * MARGIN + sheet->columns * (card_width(sheet) + GUTTER) - GUTTER;
}

static int page_height(const struct xl_sheet *sheet, int rows) {
    return MARGIN + header_height(sheet) + rows * (card_height(sheet) + GUTTER) - GUTTER + MARGIN;
}

/* The number of columns whose page is nearest to 4:3, for the cells of one page; holes in the last
 * row count against it. */
static int choose_columns(struct xl_sheet *sheet, int n) {
    enum { MOST = 8 };
    int best = 1;
    double best_distance = INFINITY;
    for (int columns = 1; columns <= MOST && columns <= n; columns++) {
        sheet->columns = columns;
        int rows = (n + columns - 1) / columns;
        double shape = (double)page_width(sheet) / page_height(sheet, rows);
        double distance = fabs(log(shape / (4.0 / 3))) + (double)(rows * columns - n) / n;
        if (distance >= best_distance) continue;
        best_distance = distance;
        best = columns;
    }
    return best;
}

/* Pages of equal length, in whole rows. */
static void lay_out(struct xl_sheet *sheet, const struct xl_sheet_params *params) {
    double shape = fmin(fmax((double)params->width / params->height, 0.25), 4);
    double side = sqrt((double)params->width * params->height);
    side = fmin(fmax(side, LEAST_FRAME), FRAME);
    sheet->frame_width = (int)round(side * sqrt(shape));
    sheet->frame_height = (int)round(side / sqrt(shape));
    int n_pages = (params->n_cells + PAGE_CELLS - 1) / PAGE_CELLS;
    int n = (params->n_cells + n_pages - 1) / n_pages;
    sheet->columns = params->columns ? params->columns : choose_columns(sheet, n);
    sheet->per_page = (n + sheet->columns - 1) / sheet->columns * sheet->columns;
    sheet->n_pages = (params->n_cells + sheet->per_page - 1) / sheet->per_page;
    sheet->n_cells = params->n_cells;
}

enum xl_status xl_sheet_new(const struct xl_sheet_params *params, struct xl_sheet **out,
                            struct xl_err *err) {
    if (params->n_cells < 1 || params->n_cells > MAX_CELLS)
        return xl_fail(err, XL_EINVAL, "a contact sheet of %d cells; expected 1 to %d",
                       params->n_cells, MAX_CELLS);
    if (params->columns < 0 || params->columns > MAX_COLUMNS)
        return xl_fail(err, XL_EINVAL, "a contact sheet with %d columns; expected at most %d",
                       params->columns, MAX_COLUMNS);
    if (params->width < 1 || params->height < 1)
        return xl_fail(err, XL_EINVAL, "a contact sheet of pictures of %dx%d", params->width,
                       params->height);
    struct xl_sheet *sheet = calloc(1, sizeof *sheet);
    if (!sheet) return xl_fail_nomem(err, "a contact sheet", sizeof *sheet);
    snprintf(sheet->shows, sizeof sheet->shows, "%s", params->shows ? params->shows : "");
    sheet->dir = strdup(params->dir);
    sheet->stem = strdup(params->stem);
    sheet->title = xl_text_clean(params->title ? params->title : "");
    bool has_subtitle = params->subtitle && *params->subtitle;
    if (has_subtitle) sheet->subtitle = xl_text_clean(params->subtitle);
    if (!sheet->dir || !sheet->stem || !sheet->title || (has_subtitle && !sheet->subtitle)) {
        xl_sheet_abandon(sheet);
        return xl_fail_nomem(err, "a contact sheet", 0);
    }
    lay_out(sheet, params);
    *out = sheet;
    return XL_OK;
}

static void close_page(struct xl_sheet *sheet) {
    if (sheet->cairo) cairo_destroy(sheet->cairo);
    if (sheet->surface) cairo_surface_destroy(sheet->surface);
    sheet->cairo = NULL;
    sheet->surface = NULL;
    sheet->on_page = 0;
}

void xl_sheet_abandon(struct xl_sheet *sheet) {
    if (!sheet) return;
    close_page(sheet);
    free(sheet->dir);
    free(sheet->stem);
    free(sheet->title);
    free(sheet->subtitle);
    free(sheet);
}

/* ---- Drawing ---- */

static void draw_header(struct xl_sheet *sheet) {
    char page[32] = "";
    double right = page_width(sheet) - MARGIN, width = right - MARGIN;
    int n_pages = sheet->n_pages > sheet->page ? sheet->n_pages : sheet->page;
    if (n_pages > 1) snprintf(page, sizeof page, "%d / %d", sheet->page, n_pages);
    double used = xl_text_draw(sheet->cairo, page, &subtitle_style,
                               (struct xl_text_place){right, MARGIN + 24, width, 1});
    xl_text_draw(sheet->cairo, sheet->title, &title_style,
                 (struct xl_text_place){MARGIN, MARGIN + 24, width - used - GUTTER, 0});
    if (sheet->subtitle)
        xl_text_draw(sheet->cairo, sheet->subtitle, &subtitle_style,
                     (struct xl_text_place){MARGIN, MARGIN + 52, width, 0});
}

static enum xl_status open_page(struct xl_sheet *sheet, struct xl_err *err) {
    int left = sheet->n_cells - sheet->n_added;
    int n = left > 0 && left < sheet->per_page ? left : sheet->per_page;
    int rows = (n + sheet->columns - 1) / sheet->columns;
    int width = page_width(sheet), height = page_height(sheet, rows);
    sheet->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    sheet->cairo = cairo_create(sheet->surface);
    if (cairo_status(sheet->cairo))
        return xl_fail_nomem(err, "a page of a contact sheet", (size_t)width * (size_t)height * 4);
    sheet->page++;
    xl_text_colour(sheet->cairo, PAPER);
    cairo_paint(sheet->cairo);
    draw_header(sheet);
    return XL_OK;
}

/* A rectangle with round corners; the lower ones stay sharp when is_open. */
static void trace_card(cairo_t *cairo, double x, double y, double width, double height,
                       bool is_open) {
    double low = is_open ? 0 : RADIUS;
    cairo_new_sub_path(cairo);
    cairo_arc(cairo, x + width - RADIUS, y + RADIUS, RADIUS, -M_PI / 2, 0);
    cairo_arc(cairo, x + width - low, y + height - low, low, 0, M_PI / 2);
    cairo_arc(cairo, x + low, y + height - low, low, M_PI / 2, M_PI);
    cairo_arc(cairo, x + RADIUS, y + RADIUS, RADIUS, M_PI, 3 * M_PI / 2);
    cairo_close_path(cairo);
}

/* A picture as cairo has it: 32 bits a pixel in the machine's order. NULL: out of memory */
static cairo_surface_t *surface_of(const struct xl_image *image) {
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, image->width, image->height);
    if (cairo_surface_status(surface)) {
        cairo_surface_destroy(surface);
        return NULL;
    }
    cairo_surface_flush(surface);
    unsigned char *rows = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < image->height; y++) {
        uint32_t *out = (uint32_t *)(void *)(rows + (size_t)y * (size_t)stride);
        const uint8_t *in = image->pixels + (size_t)y * (size_t)image->width * 3;
        for (int x = 0; x < image->width; x++, in += 3)
            out[x] = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
    }
    cairo_surface_mark_dirty(surface);
    return surface;
}

/* The whole picture in the middle of its frame, which begins at x, y. */
static enum xl_status draw_picture(struct xl_sheet *sheet, const struct xl_image *image, double x,
                                   double y, struct xl_err *err) {
    double scale = fmin((double)sheet->frame_width / image->width,
                        (double)sheet->frame_height / image->height);
    int width = (int)fmax(1, round(image->width * scale));
    int height = (int)fmax(1, round(image->height * scale));
    /* A hair of paper beside a picture that nearly fills its frame would look like a mistake. */
    if (abs(width - sheet->frame_width) <= 2) width = sheet->frame_width;
    if (abs(height - sheet->frame_height) <= 2) height = sheet->frame_height;
    struct xl_image small = {0};
    enum xl_status status = xl_image_resize_lanczos(image, width, height, &small, err);
    if (status) return status;
    cairo_surface_t *surface = surface_of(&small);
    xl_image_free(&small);
    if (!surface) return xl_fail_nomem(err, "a thumbnail", (size_t)width * (size_t)height * 4);
    cairo_save(sheet->cairo);
    trace_card(sheet->cairo, x, y, sheet->frame_width, sheet->frame_height, true);
    cairo_clip(sheet->cairo);
    int left = (sheet->frame_width - width) / 2, top = (sheet->frame_height - height) / 2;
    cairo_set_source_surface(sheet->cairo, surface, x + left, y + top);
    cairo_paint(sheet->cairo);
    cairo_restore(sheet->cairo);
    cairo_surface_destroy(surface);
    return XL_OK;
}

/* Draw a text that may hold anything. */
static enum xl_status draw_reason(struct xl_sheet *sheet, const char *reason, double x, double y,
                                  struct xl_err *err) {
    char *clean = xl_text_clean(reason && *reason ? reason : "no picture");
    if (!clean) return xl_fail_nomem(err, "a label", 0);
    xl_text_draw_block(sheet->cairo, clean, &reason_style,
                       (struct xl_text_place){x + sheet->frame_width / 2.0,
                                              y + sheet->frame_height / 2.0,
                                              sheet->frame_width - 4 * PADDING, 0.5},
                       sheet->frame_height / 24);
    free(clean);
    return XL_OK;
}

static enum xl_status draw_labels(struct xl_sheet *sheet, const char *const *labels, double x,
                                  double y, struct xl_err *err) {
    double width = card_width(sheet) - 2 * PADDING;
    y += sheet->frame_height + FIRST_LINE;
    for (int i = 0; i < XL_SHEET_LABELS; i++) {
        char *clean = labels[i] && *labels[i] ? xl_text_clean(labels[i]) : NULL;
        if (labels[i] && *labels[i] && !clean) return xl_fail_nomem(err, "a label", 0);
        if (clean)
            xl_text_draw(sheet->cairo, clean, i ? &next_style : &first_style,
                         (struct xl_text_place){x + PADDING, y, width, 0});
        free(clean);
        y += i ? NEXT_LINE : FIRST_LINE - 4;
    }
    return XL_OK;
}

static enum xl_status draw_cell(struct xl_sheet *sheet, const struct xl_sheet_cell *cell,
                                struct xl_err *err) {
    cairo_t *cairo = sheet->cairo;
    int row = sheet->on_page / sheet->columns, column = sheet->on_page % sheet->columns;
    double x = MARGIN + column * (card_width(sheet) + GUTTER);
    double y = MARGIN + header_height(sheet) + row * (card_height(sheet) + GUTTER);
    trace_card(cairo, x, y, card_width(sheet), card_height(sheet), false);
    xl_text_colour(cairo, CARD);
    cairo_fill(cairo);
    trace_card(cairo, x, y, sheet->frame_width, sheet->frame_height, true);
    xl_text_colour(cairo, EMPTY);
    cairo_fill(cairo);
    enum xl_status status = cell->image ? draw_picture(sheet, cell->image, x, y, err)
                                        : draw_reason(sheet, cell->reason, x, y, err);
    if (!status) status = draw_labels(sheet, cell->labels, x, y, err);
    trace_card(cairo, x - 0.5, y - 0.5, card_width(sheet) + 1, card_height(sheet) + 1, false);
    xl_text_colour(cairo, EDGE);
    cairo_set_line_width(cairo, 1);
    cairo_stroke(cairo);
    if (!status && cairo_status(cairo) == CAIRO_STATUS_NO_MEMORY)
        status = xl_fail_nomem(err, "a contact sheet", 0);
    else if (!status && cairo_status(cairo))
        status = xl_fail(err, XL_EINTERNAL, "cairo cannot draw a contact sheet: %s",
                         cairo_status_to_string(cairo_status(cairo)));
    return status;
}

/* ---- Pages ---- */

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
    struct xl_sheet_record record = {.page = sheet->page, .n_pages = sheet->n_pages};
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

enum xl_status xl_sheet_add(struct xl_sheet *sheet, const struct xl_sheet_cell *cell,
                            struct xl_err *err) {
    enum xl_status status = sheet->surface ? XL_OK : open_page(sheet, err);
    if (!status) status = draw_cell(sheet, cell, err);
    if (status) return status;
    sheet->n_added++;
    sheet->on_page++;
    return sheet->on_page < sheet->per_page ? XL_OK : write_page(sheet, err);
}

enum xl_status xl_sheet_finish(struct xl_sheet *sheet, int *n_pages, struct xl_err *err) {
    enum xl_status status = sheet->surface ? write_page(sheet, err) : XL_OK;
    if (!status && n_pages) *n_pages = sheet->page;
    xl_sheet_abandon(sheet);
    return status;
}
