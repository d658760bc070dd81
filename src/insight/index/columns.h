/* columns.h - what the index keeps of each picture: a column for each field of a cell (they are
 * read off lab/cell/cell_fields.h; none is listed here) and a few that say where it comes from; and
 * the keys of a job log's line that hold them.
 */
#ifndef XL_INSIGHT_COLUMNS_H
#define XL_INSIGHT_COLUMNS_H

#include "lab/cell/cell_fields.h"

enum xl_column_type {
    XL_COLUMN_NAME, /* few different texts: an id in the table names */
    XL_COLUMN_TEXT, /* many: an id in the table texts */
    XL_COLUMN_INT,
    XL_COLUMN_REAL,
    XL_COLUMN_SEED, /* the bits of a whole number of 64 bits without sign, as SQLite's with one */
};

struct xl_column {
    const char *name; /* in the index; of a field its key */
    const char *key;  /* in a line of the job log */
    enum xl_column_type type;
    const struct xl_cell_field *field; /* NULL: of no cell */
};

/* What else is read off a line; their keys are "seeds", "paths", ... */
enum xl_log_line_key {
    XL_LINE_SEEDS,
    XL_LINE_PATHS,
    XL_LINE_CELLS,
    XL_LINE_TIMESTAMP,
    XL_LINE_LOGGED_AT,
    XL_LINE_STATUS,
    XL_LINE_ERROR,
    XL_LINE_KEYS,
};

enum { XL_COLUMNS_MAX = XL_CELL_MAX_FIELDS + 8 };

struct xl_columns {
    int n;
    struct xl_column at[XL_COLUMNS_MAX];
};

/* The columns; the same for the whole life of the program. */
const struct xl_columns *xl_columns(void);

/* The column of this name, or -1. */
int xl_column_find(const char *name);

/* The i-th key of a line: those of the columns, then those of enum xl_log_line_key; NULL after the
 * last.
 */
const char *xl_log_line_key_at(int i);

/* A number that is another one for another set of columns. */
uint64_t xl_columns_fingerprint(void);

#endif
