/* sheet_text.h - lines of text on a cairo surface that fit; for sheet.c. Keeps no state. */
#ifndef XL_IMAGE_SHEET_TEXT_H
#define XL_IMAGE_SHEET_TEXT_H

#include "base/status.h"

struct _cairo; /* cairo_t, without its header's folder */

struct xl_text_style {
    double size; /* pixels */
    bool is_bold;
    uint32_t colour; /* 0xRRGGBB */
};

/* Text that can be drawn, malloc'd: one line of UTF-8 without control characters and without
 * characters that change the direction, cut where nobody would see it. NULL: out of memory */
char *xl_text_clean(const char *text);

/* Draw clean text with its baseline at y, at most `width` wide, cut with an ellipsis. align: 0 from
 * x to the right, 1 up to x, 0.5 around x. Returns its width. */
struct xl_text_place {
    double x, y, width, align;
};
double xl_text_draw(struct _cairo *cairo, const char *text, const struct xl_text_style *style,
                    struct xl_text_place place);

double xl_text_width_of(struct _cairo *cairo, const char *text, const struct xl_text_style *style);
double xl_text_line_height(const struct xl_text_style *style);

/* Clean text in at most max_lines (up to 16) lines, broken between words, or between characters
 * where a word is wider than a line; the last line is cut with an ellipsis. How many there are. */
int xl_text_count_lines(struct _cairo *cairo, const char *text, const struct xl_text_style *style,
                        double width, int max_lines);

/* Draw them, the first with its baseline at place.y. Returns how many. */
int xl_text_draw_lines(struct _cairo *cairo, const char *text, const struct xl_text_style *style,
                       struct xl_text_place place, int max_lines);

/* Draw them around the middle (x, y). */
void xl_text_draw_block(struct _cairo *cairo, const char *text, const struct xl_text_style *style,
                        struct xl_text_place middle, int max_lines);

void xl_text_colour(struct _cairo *cairo, uint32_t colour);

#endif
