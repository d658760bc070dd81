/* sheet_draw.c - paper, headings and cards. Keeps no state. */
#include "image/sheet_draw.h"
#include "image/image.h"
#include "image/sheet_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <cairo.h>

enum { RADIUS = 6, HEAD_GAP = 12 };

enum {
    PAPER = 0xF3F3F0,
    CARD = 0xFFFFFF,
    EDGE = 0xDCDCD7,
    EMPTY = 0xE9E9E5,
    INK = 0x1F2328,
    GREY = 0x62676D,
    WARNING = 0x8F3B26,
};

static const struct xl_text_style first_style = {14, true, INK}, next_style = {12, false, GREY},
                                  reason_style = {13, false, WARNING};

/* ---- A page ---- */

static void draw_header(const struct xl_sheet_layout *layout, cairo_t *cairo, int page) {
    char number[32] = "";
    double right = xl_sheet_page_width(layout, page) - XL_SHEET_MARGIN;
    double width = right - XL_SHEET_MARGIN, used = 0, y = XL_SHEET_MARGIN + 24;
    if (layout->n_pages > 1) {
        snprintf(number, sizeof number, "%d / %d", page, layout->n_pages);
        used = xl_text_draw(cairo, number, &xl_sheet_line_style,
                            (struct xl_text_place){right, y, width, 1}) +
               XL_SHEET_GUTTER;
    }
    if (layout->title)
        xl_text_draw(cairo, layout->title, &xl_sheet_title_style,
                     (struct xl_text_place){XL_SHEET_MARGIN, y, width - used, 0});
    y += 28;
    for (int i = 0; i < XL_SHEET_LINES; i++) {
        if (!layout->lines[i]) continue;
        int n = xl_text_draw_lines(cairo, layout->lines[i], &xl_sheet_line_style,
                                   (struct xl_text_place){XL_SHEET_MARGIN, y, width, 0},
                                   XL_SHEET_LINE_MAX);
        y += n * xl_text_line_height(&xl_sheet_line_style);
    }
}

/* Where a band's cards begin: x of the first, and y. */
struct corner {
    int x, y;
};

/* Where a band begins, above its headings. */
static int top_of(const struct xl_sheet_layout *layout, cairo_t *cairo, int band) {
    int page = layout->bands[band].page;
    int y = XL_SHEET_MARGIN +
            xl_sheet_header_height(layout, cairo, xl_sheet_page_width(layout, page));
    for (int b = 0; b < band; b++)
        if (layout->bands[b].page == page)
            y += xl_sheet_band_height(layout, &layout->bands[b]) + XL_SHEET_BAND_GAP;
    return y;
}

static struct corner cards_of(const struct xl_sheet_layout *layout, cairo_t *cairo, int band) {
    const struct xl_sheet_part *part = &layout->parts[layout->bands[band].part];
    return (struct corner){XL_SHEET_MARGIN + part->row_width,
                           top_of(layout, cairo, band) +
                               (part->heading ? XL_SHEET_BLOCK_HEADING : 0) + part->column_height};
}

/* The lines that words take, at most `most` of them, one left for what is said below. */
static void draw_words(cairo_t *cairo, const struct xl_sheet_words *words,
                       struct xl_text_place place, int most) {
    int more = words->more ? 2 : 0;
    if (most < more + 1) more = 0;
    if (words->text) {
        int n = xl_text_draw_lines(cairo, words->text, &xl_sheet_head_style, place, most - more);
        place.y += n * xl_text_line_height(&xl_sheet_head_style);
    }
    if (words->more && more)
        xl_text_draw_lines(cairo, words->more, &xl_sheet_more_style, place, more);
}

/* The heights that words take below one another. */
static double height_of(cairo_t *cairo, const struct xl_sheet_words *words, double width,
                        int most) {
    double height = 0;
    if (words->text)
        height += xl_text_line_height(&xl_sheet_head_style) *
                  xl_text_count_lines(cairo, words->text, &xl_sheet_head_style, width,
                                      most - (words->more ? 2 : 0));
    if (words->more)
        height += xl_text_line_height(&xl_sheet_more_style) *
                  xl_text_count_lines(cairo, words->more, &xl_sheet_more_style, width, 2);
    return height;
}

/* Headings of columns end just above the cards; those of rows stand beside the middle of a frame.
 */
static void draw_headings(const struct xl_sheet_layout *layout, cairo_t *cairo, int b) {
    enum { COLUMN_LINES = 6 };
    const struct xl_sheet_band *band = &layout->bands[b];
    const struct xl_sheet_part *part = &layout->parts[band->part];
    struct corner corner = cards_of(layout, cairo, b);
    double line = xl_text_line_height(&xl_sheet_head_style);
    if (part->heading)
        xl_text_draw(cairo, part->heading, &xl_sheet_block_style,
                     (struct xl_text_place){
                         XL_SHEET_MARGIN, top_of(layout, cairo, b) + 18,
                         xl_sheet_page_width(layout, band->page) - 2 * XL_SHEET_MARGIN, 0});
    for (int i = 0; part->columns && i < part->n_columns; i++) {
        double height = height_of(cairo, &part->columns[i], layout->frame_width, COLUMN_LINES);
        draw_words(cairo, &part->columns[i],
                   (struct xl_text_place){corner.x + i * (layout->frame_width + XL_SHEET_GUTTER),
                                          corner.y - HEAD_GAP - height + line * 0.75,
                                          layout->frame_width, 0},
                   COLUMN_LINES);
    }
    int most = (int)(layout->frame_height / line);
    for (int i = 0; part->rows && i < band->n_rows; i++) {
        const struct xl_sheet_words *words = &part->rows[band->first_row + i];
        double width = part->row_width - XL_SHEET_GUTTER;
        double middle = corner.y + i * (xl_sheet_card_height(layout) + XL_SHEET_GUTTER) +
                        layout->frame_height / 2.0;
        draw_words(cairo, words,
                   (struct xl_text_place){
                       XL_SHEET_MARGIN,
                       middle - height_of(cairo, words, width, most) / 2 + line * 0.75, width, 0},
                   most);
    }
}

void xl_sheet_draw_page(const struct xl_sheet_layout *layout, cairo_t *cairo, int page) {
    xl_text_colour(cairo, PAPER);
    cairo_paint(cairo);
    draw_header(layout, cairo, page);
    for (int b = 0; b < layout->n_bands; b++)
        if (layout->bands[b].page == page) draw_headings(layout, cairo, b);
}

/* ---- A card ---- */

/* A card that is drawn: where it begins. */
struct card {
    const struct xl_sheet_layout *layout;
    cairo_t *cairo;
    double x, y;
    bool has_labels;
};

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

/* The whole picture in the middle of its frame. */
static enum xl_status draw_picture(const struct card *card, const struct xl_image *image,
                                   struct xl_err *err) {
    int frame_width = card->layout->frame_width, frame_height = card->layout->frame_height;
    double scale = fmin((double)frame_width / image->width, (double)frame_height / image->height);
    int width = (int)fmax(1, round(image->width * scale));
    int height = (int)fmax(1, round(image->height * scale));
    /* A hair of paper beside a picture that nearly fills its frame would look like a mistake. */
    if (abs(width - frame_width) <= 2) width = frame_width;
    if (abs(height - frame_height) <= 2) height = frame_height;
    struct xl_image small = {0};
    enum xl_status status = xl_image_resize_lanczos(image, width, height, &small, err);
    if (status) return status;
    cairo_surface_t *surface = surface_of(&small);
    xl_image_free(&small);
    if (!surface) return xl_fail_nomem(err, "a thumbnail", (size_t)width * (size_t)height * 4);
    cairo_save(card->cairo);
    trace_card(card->cairo, card->x, card->y, frame_width, frame_height, card->has_labels);
    cairo_clip(card->cairo);
    int left = (frame_width - width) / 2, top = (frame_height - height) / 2;
    cairo_set_source_surface(card->cairo, surface, card->x + left, card->y + top);
    cairo_paint(card->cairo);
    cairo_restore(card->cairo);
    cairo_surface_destroy(surface);
    return XL_OK;
}

/* Draw a text that may hold anything. */
static enum xl_status draw_reason(const struct card *card, const char *reason, struct xl_err *err) {
    int width = card->layout->frame_width, height = card->layout->frame_height;
    char *clean = xl_text_clean(reason && *reason ? reason : "no picture");
    if (!clean) return xl_fail_nomem(err, "a label", 0);
    xl_text_draw_block(card->cairo, clean, &reason_style,
                       (struct xl_text_place){card->x + width / 2.0, card->y + height / 2.0,
                                              width - 4 * XL_SHEET_PADDING, 0.5},
                       height / 24);
    free(clean);
    return XL_OK;
}

static enum xl_status draw_labels(const struct card *card, const char *const *labels,
                                  struct xl_err *err) {
    double width = card->layout->frame_width - 2 * XL_SHEET_PADDING;
    double y = card->y + card->layout->frame_height + XL_SHEET_FIRST_LINE;
    int most = card->layout->n_labels;
    for (int i = 1; i < card->layout->n_labels; i++)
        if (labels[i] && *labels[i]) most = 1; /* alone, the first takes the room of all */
    for (int i = 0; i < card->layout->n_labels; i++) {
        char *clean = labels[i] && *labels[i] ? xl_text_clean(labels[i]) : NULL;
        if (labels[i] && *labels[i] && !clean) return xl_fail_nomem(err, "a label", 0);
        if (clean)
            xl_text_draw_lines(card->cairo, clean, i ? &next_style : &first_style,
                               (struct xl_text_place){card->x + XL_SHEET_PADDING, y, width, 0},
                               i ? 1 : most);
        free(clean);
        y += i ? XL_SHEET_NEXT_LINE : XL_SHEET_FIRST_LINE - 4;
    }
    return XL_OK;
}

enum xl_status xl_sheet_draw_cell(const struct xl_sheet_layout *layout, cairo_t *cairo,
                                  const struct xl_sheet_spot *spot,
                                  const struct xl_sheet_cell *cell, struct xl_err *err) {
    struct corner corner = cards_of(layout, cairo, spot->band);
    int width = layout->frame_width, height = xl_sheet_card_height(layout);
    struct card card = {.layout = layout,
                        .cairo = cairo,
                        .x = corner.x + spot->column * (width + XL_SHEET_GUTTER),
                        .y = corner.y + spot->row * (height + XL_SHEET_GUTTER),
                        .has_labels = layout->n_labels > 0};
    trace_card(cairo, card.x, card.y, width, height, false);
    xl_text_colour(cairo, CARD);
    cairo_fill(cairo);
    trace_card(cairo, card.x, card.y, width, layout->frame_height, card.has_labels);
    xl_text_colour(cairo, EMPTY);
    cairo_fill(cairo);
    enum xl_status status = cell->image ? draw_picture(&card, cell->image, err)
                                        : draw_reason(&card, cell->reason, err);
    if (!status) status = draw_labels(&card, cell->labels, err);
    trace_card(cairo, card.x - 0.5, card.y - 0.5, width + 1, height + 1, false);
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
