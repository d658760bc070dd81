/* sheet_layout.c - frames, rows, bands and pages. Keeps no state. */
#include "image/sheet_layout.h"

#include "image/sheet_text.h"

#include <math.h>
#include <stdlib.h>

enum {
    FRAME = 320,       /* side of a square frame, at most; others have its area */
    LEAST_FRAME = 160, /* at least: labels need room. Between them pictures keep their own size */
    ROW_MOST = 240,    /* width of the headings of rows */
    COLUMN_LINES = 4,  /* of a heading, at most */
    MORE_LINES = 2,
    HEAD_GAP = 12,
};

enum { INK = 0x1F2328, GREY = 0x62676D };

const struct xl_text_style xl_sheet_title_style = {26, true, INK},
                           xl_sheet_line_style = {15, false, GREY},
                           xl_sheet_block_style = {18, true, INK},
                           xl_sheet_head_style = {14, true, INK},
                           xl_sheet_more_style = {12, false, GREY};

/* --- Sizes ------------------------------------------------------------------------------------ */

int xl_sheet_card_height(const struct xl_sheet_layout *layout) {
    if (!layout->n_labels) return layout->frame_height;
    return layout->frame_height + XL_SHEET_PADDING + XL_SHEET_FIRST_LINE +
           (layout->n_labels - 1) * XL_SHEET_NEXT_LINE;
}

static int part_width(const struct xl_sheet_layout *layout, const struct xl_sheet_part *part) {
    return part->row_width + part->n_columns * (layout->frame_width + XL_SHEET_GUTTER) -
           XL_SHEET_GUTTER;
}

int xl_sheet_band_height(const struct xl_sheet_layout *layout, const struct xl_sheet_band *band) {
    const struct xl_sheet_part *part = &layout->parts[band->part];
    return (part->heading ? XL_SHEET_BLOCK_HEADING : 0) + part->column_height +
           band->n_rows * (xl_sheet_card_height(layout) + XL_SHEET_GUTTER) - XL_SHEET_GUTTER;
}

int xl_sheet_page_width(const struct xl_sheet_layout *layout, int page) {
    int width = 0;
    for (int b = 0; b < layout->n_bands; b++) {
        const struct xl_sheet_band *band = &layout->bands[b];
        int needed = part_width(layout, &layout->parts[band->part]);
        if (band->page == page && needed > width) width = needed;
    }
    return 2 * XL_SHEET_MARGIN + width;
}

int xl_sheet_header_height(const struct xl_sheet_layout *layout, struct _cairo *cairo, int width) {
    int n = 0;
    for (int i = 0; i < XL_SHEET_LINES; i++)
        if (layout->lines[i])
            n += xl_text_count_lines(cairo, layout->lines[i], &xl_sheet_line_style,
                                     width - 2 * XL_SHEET_MARGIN, XL_SHEET_LINE_MAX);
    return XL_SHEET_TITLE + (n ? 4 + (int)(n * xl_text_line_height(&xl_sheet_line_style)) : 0);
}

int xl_sheet_page_height(const struct xl_sheet_layout *layout, struct _cairo *cairo, int page) {
    int n = 0, height = 0;
    for (int b = 0; b < layout->n_bands; b++) {
        if (layout->bands[b].page != page) continue;
        height += xl_sheet_band_height(layout, &layout->bands[b]) + (n++ ? XL_SHEET_BAND_GAP : 0);
    }
    int width = xl_sheet_page_width(layout, page);
    return 2 * XL_SHEET_MARGIN + xl_sheet_header_height(layout, cairo, width) + height;
}

static void choose_frame(struct xl_sheet_layout *layout, const struct xl_sheet_params *params) {
    double shape = fmin(fmax((double)params->width / params->height, 0.25), 4);
    double side = sqrt((double)params->width * params->height);
    side = fmin(fmax(side, LEAST_FRAME), FRAME);
    layout->frame_width = (int)round(side * sqrt(shape));
    layout->frame_height = (int)round(side / sqrt(shape));
}

/* --- Cells without headings ------------------------------------------------------------------- */

/* The number of columns whose page is nearest to 4:3, for the cells of one page; holes in the last
 * row count against it. */
static int choose_columns(const struct xl_sheet_layout *layout, int n) {
    enum { MOST = 8 };
    int best = 1;
    double best_distance = INFINITY;
    for (int columns = 1; columns <= MOST && columns <= n; columns++) {
        int rows = (n + columns - 1) / columns;
        double width = columns * (layout->frame_width + XL_SHEET_GUTTER);
        double height = rows * (xl_sheet_card_height(layout) + XL_SHEET_GUTTER) + XL_SHEET_TITLE;
        double distance = fabs(log((width + 60) / (height + 60) / (4.0 / 3))) +
                          (double)(rows * columns - n) / n;
        if (distance >= best_distance) continue;
        best_distance = distance;
        best = columns;
    }
    return best;
}

static void lay_out_flow(const struct xl_sheet_params *params, struct xl_sheet_layout *layout) {
    struct xl_sheet_part *part = &layout->parts[0];
    int n_pages = (params->n_cells + XL_SHEET_PAGE_CELLS - 1) / XL_SHEET_PAGE_CELLS;
    int n = (params->n_cells + n_pages - 1) / n_pages;
    part->n_cells = params->n_cells;
    part->n_columns = params->columns ? params->columns : choose_columns(layout, n);
    part->n_rows = (params->n_cells + part->n_columns - 1) / part->n_columns;
}

/* --- Headings --------------------------------------------------------------------------------- */

static const char *clean(struct xl_arena *arena, const char *text, bool *failed) {
    if (!text || !*text) return NULL;
    char *copy = xl_text_clean(text);
    const char *kept = copy ? xl_arena_strdup(arena, copy) : NULL;
    free(copy);
    *failed |= !kept;
    return kept && *kept ? kept : NULL;
}

static struct xl_sheet_words *clean_all(struct xl_arena *arena, int n,
                                        const struct xl_sheet_heading *headings, bool *failed) {
    if (!headings) return NULL;
    struct xl_sheet_words *words = xl_arena_alloc(arena, (size_t)n * sizeof *words);
    *failed |= !words;
    for (int i = 0; words && i < n; i++) {
        words[i].text = clean(arena, headings[i].text, failed);
        words[i].more = clean(arena, headings[i].more, failed);
    }
    return words;
}

/* Room for the headings of the columns, and of the rows. */
static void measure(const struct xl_sheet_layout *layout, struct _cairo *cairo,
                    struct xl_sheet_part *part) {
    for (int i = 0; part->columns && i < part->n_columns; i++) {
        const struct xl_sheet_words *words = &part->columns[i];
        double height = HEAD_GAP;
        if (words->text)
            height += xl_text_line_height(&xl_sheet_head_style) *
                      xl_text_count_lines(cairo, words->text, &xl_sheet_head_style,
                                          layout->frame_width, COLUMN_LINES);
        if (words->more)
            height += xl_text_line_height(&xl_sheet_more_style) *
                      xl_text_count_lines(cairo, words->more, &xl_sheet_more_style,
                                          layout->frame_width, MORE_LINES);
        part->column_height = (int)fmax(part->column_height, height);
    }
    double most = 0;
    for (int i = 0; part->rows && i < part->n_rows; i++) {
        const struct xl_sheet_words *words = &part->rows[i];
        if (words->text)
            most = fmax(most, xl_text_width_of(cairo, words->text, &xl_sheet_head_style));
        if (words->more)
            most = fmax(most, xl_text_width_of(cairo, words->more, &xl_sheet_more_style));
    }
    if (most > 0) part->row_width = (int)fmin(ceil(most), ROW_MOST) + XL_SHEET_GUTTER;
}

static void lay_out_blocks(const struct xl_sheet_params *params, struct _cairo *cairo,
                           struct xl_arena *arena, struct xl_sheet_layout *layout, bool *failed) {
    for (int i = 0; i < params->n_blocks; i++) {
        const struct xl_sheet_block *block = &params->blocks[i];
        struct xl_sheet_part *part = &layout->parts[i];
        part->heading = clean(arena, block->heading, failed);
        part->n_rows = block->n_rows;
        part->n_columns = block->n_columns;
        part->n_cells = block->n_rows * block->n_columns;
        part->rows = clean_all(arena, block->n_rows, block->rows, failed);
        part->columns = clean_all(arena, block->n_columns, block->columns, failed);
        measure(layout, cairo, part);
    }
}

/* --- Pages ------------------------------------------------------------------------------------ */

/* A part whose rows do not fit a page is spread over pages of equal length; one that fits what is
 * left of a page stands there. */
static void break_pages(struct xl_sheet_layout *layout) {
    int on_page = 0;
    layout->n_bands = 0;
    layout->n_pages = 1;
    for (int p = 0; p < layout->n_parts; p++) {
        const struct xl_sheet_part *part = &layout->parts[p];
        int most = XL_SHEET_PAGE_CELLS / part->n_columns;
        if (most < 1) most = 1;
        int n_pages = (part->n_rows + most - 1) / most;
        int each = (part->n_rows + n_pages - 1) / n_pages;
        for (int row = 0; row < part->n_rows; row += each) {
            int n = part->n_rows - row < each ? part->n_rows - row : each;
            if (on_page && on_page + n * part->n_columns > XL_SHEET_PAGE_CELLS) {
                layout->n_pages++;
                on_page = 0;
            }
            layout->bands[layout->n_bands++] = (struct xl_sheet_band){p, row, n, layout->n_pages};
            on_page += n * part->n_columns;
        }
    }
}

enum xl_status xl_sheet_lay_out(const struct xl_sheet_params *params, struct _cairo *cairo,
                                struct xl_arena *arena, struct xl_sheet_layout *out,
                                struct xl_err *err) {
    struct xl_sheet_layout layout = {.n_parts = params->n_blocks ? params->n_blocks : 1,
                                     .n_labels = params->n_labels};
    bool failed = false;
    choose_frame(&layout, params);
    layout.title = clean(arena, params->title, &failed);
    for (int i = 0; i < XL_SHEET_LINES; i++)
        layout.lines[i] = clean(arena, params->lines[i], &failed);
    layout.parts = xl_arena_alloc(arena, (size_t)layout.n_parts * sizeof *layout.parts);
    if (layout.parts && params->n_blocks)
        lay_out_blocks(params, cairo, arena, &layout, &failed);
    else if (layout.parts)
        lay_out_flow(params, &layout);
    size_t n_rows = 0;
    for (int p = 0; layout.parts && p < layout.n_parts; p++)
        n_rows += (size_t)layout.parts[p].n_rows;
    layout.bands = xl_arena_alloc(arena, n_rows * sizeof *layout.bands);
    if (failed || !layout.parts || !layout.bands) return xl_fail_nomem(err, "a contact sheet", 0);
    break_pages(&layout);
    *out = layout;
    return XL_OK;
}
