/* sheet_layout.h - where things stand on the pages of a contact sheet; for sheet.c and
 * sheet_draw.c.
 */
#ifndef XL_IMAGE_SHEET_LAYOUT_H
#define XL_IMAGE_SHEET_LAYOUT_H

#include "base/arena.h"
#include "image/sheet_params.h"

struct _cairo; /* cairo_t, without its header's folder */

/* Pixels. A card is a frame for the picture with its labels below. */
enum {
    XL_SHEET_MARGIN = 40,
    XL_SHEET_GUTTER = 20,
    XL_SHEET_PADDING = 12, /* of the text in a card */
    XL_SHEET_FIRST_LINE = 24,
    XL_SHEET_NEXT_LINE = 18,
    XL_SHEET_TITLE = 60, /* the height of a header without lines below the title */
    XL_SHEET_PAGE_CELLS = 64,
};

/* What stands above, beside or before pictures: clean texts; NULL: none. */
struct xl_sheet_words {
    const char *text, *more;
};

/* A block as it is laid out. */
struct xl_sheet_part {
    const char *heading; /* clean; NULL: none */
    int n_cells, n_columns, n_rows;
    struct xl_sheet_words *rows, *columns; /* NULL: none */
    int row_width, column_height;          /* room for these */
};

/* Rows of a part that stand on one page. */
struct xl_sheet_band {
    int part, first_row, n_rows, page; /* page: from 1 */
};

struct xl_sheet_layout {
    int frame_width, frame_height, n_labels;
    struct xl_sheet_part *parts;
    int n_parts;
    struct xl_sheet_band *bands;
    int n_bands, n_pages;
    const char *title, *lines[XL_SHEET_LINES]; /* clean; a line may be NULL */
};

/* Styles of what is measured and drawn. */
struct xl_text_style;
extern const struct xl_text_style xl_sheet_title_style, xl_sheet_line_style, xl_sheet_head_style,
    xl_sheet_block_style, xl_sheet_more_style;

/* Lay out the cells of params. Everything is in the arena. cairo: to measure text with.
 * Errors: XL_ENOMEM */
enum xl_status xl_sheet_lay_out(const struct xl_sheet_params *params, struct _cairo *cairo,
                                struct xl_arena *arena, struct xl_sheet_layout *out,
                                struct xl_err *err) XL_CHECKED;

int xl_sheet_card_height(const struct xl_sheet_layout *layout);
/* The height that a band takes, headings included. */
int xl_sheet_band_height(const struct xl_sheet_layout *layout, const struct xl_sheet_band *band);
enum { XL_SHEET_BLOCK_HEADING = 38, XL_SHEET_BAND_GAP = 30, XL_SHEET_LINE_MAX = 3 };

/* Of a page; the header's height hangs on the page's width. */
int xl_sheet_page_width(const struct xl_sheet_layout *layout, int page);
int xl_sheet_header_height(const struct xl_sheet_layout *layout, struct _cairo *cairo, int width);
int xl_sheet_page_height(const struct xl_sheet_layout *layout, struct _cairo *cairo, int page);

#endif
