/* sheet_params.h - what a contact sheet is asked for as, and a cell of it; see sheet.h. */
#ifndef XL_IMAGE_SHEET_PARAMS_H
#define XL_IMAGE_SHEET_PARAMS_H

#include "base/status.h"

struct xl_image;

enum {
    XL_SHEET_LABELS = 3,  /* lines under a picture, at most; the first is emphasised */
    XL_SHEET_LINES = 3,   /* below the title */
    XL_SHEET_COLUMNS = 16 /* at most */
};

/* NULL: none. more: in small letters below. */
struct xl_sheet_heading {
    const char *text, *more;
};

struct xl_sheet_block {
    const char *heading; /* above it; NULL: none */
    int n_rows, n_columns;
    const struct xl_sheet_heading *rows, *columns; /* NULL: none */
};

struct xl_sheet_params {
    const char *dir;                   /* where pages go; must exist */
    const char *stem;                  /* "sheet": sheet_01.png */
    const char *title;                 /* any UTF-8 */
    const char *lines[XL_SHEET_LINES]; /* what is true of all pictures; NULL: left out */
    int n_labels;      /* lines under each picture; a label that is alone may take them all */
    int width, height; /* of a typical picture: the shape of all frames */
    /* Rows and columns: cells come block by block, row by row, those that are missing as well. */
    const struct xl_sheet_block *blocks;
    int n_blocks;
    /* Without blocks: how many cells will be added, and how many stand in a row; 0: chosen. */
    int n_cells, columns;
    const char
        *shows; /* a digest of what the cells show, for the record of each page; may be NULL */
};

/* What stands in one frame. */
struct xl_sheet_cell {
    const struct xl_image *image;        /* NULL: an empty frame */
    const char *labels[XL_SHEET_LABELS]; /* NULL or "": left out */
    const char *reason;                  /* shown in an empty frame: "out of memory" */
};

#endif
