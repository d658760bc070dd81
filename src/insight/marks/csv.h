/* csv.h - rows of a CSV file as spreadsheets write them: commas, semicolons or tabs, quotes where a
 * cell holds one of them, and cells with line ends. RFC 4180. */
#ifndef XL_INSIGHT_CSV_H
#define XL_INSIGHT_CSV_H

#include "base/arena.h"

/* Set name (opens sentences), text (NUL-terminated), n and arena; the rest 0. */
struct xl_csv {
    const char *name, *text;
    size_t n, at;
    int line;
    char separator; /* 0: the one that the first line has most of */
    struct xl_arena *arena;
};

enum { XL_CSV_MAX = 64 }; /* cells of a row that are kept */

struct xl_csv_row {
    const char *cells[XL_CSV_MAX]; /* in the arena; without blanks around them */
    int n, line;                   /* line: where it begins */
};

/* The next row that is not empty; false at the end and after a failure. Errors: XL_EINPUT a quote
 * that does not end; XL_ENOMEM */
bool xl_csv_next(struct xl_csv *csv, struct xl_csv_row *row, enum xl_status *status,
                 struct xl_err *err);

#endif
