/* cell_text.h - cells as people read them: columns with captions, and what tells cells apart.
 * Pages, contact sheets and dry runs show what this names, whatever the axes of a sweep are.
 */
#ifndef XL_LAB_CELL_TEXT_H
#define XL_LAB_CELL_TEXT_H

#include "base/arena.h"
#include "base/str.h"
#include "lab/cell/cell_fields.h"

/* Neighbouring fields with one caption. */
struct xl_cell_column {
    const struct xl_cell_field *field; /* the first; its bits hold of all */
    int n;
};

/* The i-th column, in the order in which people see them; false after the last. */
bool xl_cell_column_at(int i, struct xl_cell_column *out);

/* A set of columns: bit i is column i. */
typedef uint64_t xl_cell_columns;

/* -1, 0 or 1: the order of their values in a column; texts by their bytes. */
int xl_cell_column_compare(const struct xl_cell *a, const struct xl_cell *b,
                           const struct xl_cell_column *column);

/* The columns in which two cells differ, without those that follow from others. */
xl_cell_columns xl_cells_differ(const struct xl_cell *a, const struct xl_cell *b);

/* The columns that have all of these bits. */
xl_cell_columns xl_cell_columns_with(unsigned bits);

/* Append a value: "1024x768", "7.5", "none". */
void xl_cell_put_value(struct xl_str *out, const struct xl_cell *cell,
                       const struct xl_cell_column *column);
/* With its caption where it needs one: "Watercolor", "seed 7". */
void xl_cell_put_label(struct xl_str *out, const struct xl_cell *cell,
                       const struct xl_cell_column *column);
/* The labels of a set of columns, joined by commas, in the arena; "" for none. NULL: out of memory
 */
const char *xl_cell_join_labels(const struct xl_cell *cell, xl_cell_columns set,
                                struct xl_arena *arena);

/* Up to n lines (2 at least) below a picture, appended: what a person chose it by among pictures
 * that differ in these columns; texts that differ as well; then the rest of what differs, in lines
 * of about `length` bytes. */
void xl_cell_put_labels(struct xl_str *lines, int n, int length, const struct xl_cell *cell,
                        xl_cell_columns varying);

/* What the page of a run shows of a cell: {id, KEY: value, ...}. NULL: out of memory (within
 * xl_json_watch) */
json_t *xl_cell_write_shown(const struct xl_cell *cell);

/* The columns for the page of a run: [{"keys", "caption", "is_plain", ...}], in order. NULL: out of
 * memory (within xl_json_watch) */
json_t *xl_cell_describe_columns(void);

#endif
