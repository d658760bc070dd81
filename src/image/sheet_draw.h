/* sheet_draw.h - what stands on a page of a contact sheet; for sheet.c. Keeps no state. */
#ifndef XL_IMAGE_SHEET_DRAW_H
#define XL_IMAGE_SHEET_DRAW_H

#include "image/sheet_layout.h"

/* Paper, title, lines and all headings of a page. */
void xl_sheet_draw_page(const struct xl_sheet_layout *layout, struct _cairo *cairo, int page);

/* A row of a band, from 0, and a column. */
struct xl_sheet_spot {
    int band, row, column;
};

/* The card of a cell. Errors: XL_ENOMEM, XL_EINTERNAL */
enum xl_status xl_sheet_draw_cell(const struct xl_sheet_layout *layout, struct _cairo *cairo,
                                  const struct xl_sheet_spot *spot,
                                  const struct xl_sheet_cell *cell, struct xl_err *err) XL_CHECKED;

#endif
