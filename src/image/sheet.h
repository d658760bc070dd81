/* sheet.h - contact sheets: labelled thumbnails on pages, sheet_01.png, sheet_02.png, ...
 *
 * Either cells one after the other, each with its labels, or blocks of rows and columns with
 * headings, on as many pages as they need. Pictures come one at a time, in order, and only their
 * thumbnails are kept; a page is written (whole or absent, a page of that name is replaced) and its
 * memory given back when it is full, so the memory is that of one page whatever the run's size.
 * Texts are any UTF-8; what does not fit is wrapped where there is room, and cut with an ellipsis.
 * One thread at a time may use a sheet.
 */
#ifndef XL_IMAGE_SHEET_H
#define XL_IMAGE_SHEET_H

#include "image/sheet_params.h"

/* The record of a page, as pictures have theirs (XL_PNG_RECORD). It tells a page from a picture
 * whatever its file is called, and whether it still shows what there is. No path is in it. */
enum { XL_SHEET_SHOWS_MAX = 64, XL_SHEET_RECORD_MAX = 160 };
struct xl_sheet_record {
    int page, n_pages;
    char shows[XL_SHEET_SHOWS_MAX + 1]; /* hexadecimal digits */
};

struct xl_sheet; /* opaque */

/* Strings are copied. On success *out is the caller's: xl_sheet_finish or xl_sheet_abandon.
 * Errors: XL_EINVAL n_cells, rows, columns, labels or size; XL_ENOMEM */
enum xl_status xl_sheet_new(const struct xl_sheet_params *params, struct xl_sheet **out,
                            struct xl_err *err) XL_CHECKED;

/* Add the next cell; the image may be freed afterwards. Writes the page that this fills.
 * Errors: XL_EDISK, XL_ENOMEM, XL_EINVAL more cells than there is room for; the sheet can then only
 * be abandoned */
enum xl_status xl_sheet_add(struct xl_sheet *sheet, const struct xl_sheet_cell *cell,
                            struct xl_err *err) XL_CHECKED;

/* Write the last page, remove pages that an earlier sheet of this name had beyond it, and free the
 * sheet, also on failure. *n_pages may be NULL.
 * Errors: XL_EDISK, XL_ENOMEM */
enum xl_status xl_sheet_finish(struct xl_sheet *sheet, int *n_pages, struct xl_err *err) XL_CHECKED;

/* Free the sheet; pages that were written stay. NULL is fine. */
void xl_sheet_abandon(struct xl_sheet *sheet);

/* sheet_record.c: the text of a record and back. parse: false when it is one of something else. */
void xl_sheet_record_write(const struct xl_sheet_record *record, char out[XL_SHEET_RECORD_MAX]);
bool xl_sheet_record_parse(const char *text, struct xl_sheet_record *out);

/* The name of page 1, 2, ...: "sheet_01.png". */
enum { XL_SHEET_NAME_MAX = 128 };
void xl_sheet_page_name(const char *stem, int page, char out[XL_SHEET_NAME_MAX]);

#endif
