/* table.h - columns of text on standard output, safe for terminals; colours only on one. On a
 * terminal, or where COLUMNS is set, columns are made narrower until a line fits, so that few cells
 * go on below, and what can be spared is left out where many would; elsewhere a row is a line,
 * whatever its width. */
#ifndef XL_CLI_TABLE_H
#define XL_CLI_TABLE_H

#include "base/arena.h"

enum xl_color {
    XL_COLOR_NONE,
    XL_COLOR_BOLD,
    XL_COLOR_DIM,
    XL_COLOR_GREEN,
    XL_COLOR_YELLOW,
    XL_COLOR_BLUE,
    XL_COLOR_MAGENTA,
    XL_COLOR_CYAN,
};

/* Columns that there are: what COLUMNS says, else the terminal; 0: no limit, for programs. */
int xl_print_columns(void);

/* Print text; characters that would steer the terminal become '?'. The colour is left out where
 * standard output is no terminal, and with NO_COLOR set. */
void xl_print_text(const char *text, enum xl_color color);

/* Print lead and text behind `indent` blanks and end the line; on a terminal, or where COLUMNS is
 * set, in lines that fit, the later ones two blanks further in. A word, such as a path, stays whole
 * whatever its width. */
void xl_print_lines(int indent, const char *lead, const char *text, enum xl_color color);

enum { XL_TABLE_MAX_COLUMNS = 8 };

struct xl_table_row;

/* Set n_columns, and in `spared` the columns that a narrow line may lack, the first to go first;
 * the rest is zero. Rows are copied. Out of memory is sticky: xl_table_print then prints nothing
 * and says so. */
struct xl_table {
    int n_columns;
    int spared[XL_TABLE_MAX_COLUMNS]; /* ends in 0: the first column always stays */
    struct xl_arena arena;
    struct xl_table_row *first, *last;
    int width[XL_TABLE_MAX_COLUMNS];
    bool failed;
};

/* cells: [n_columns]. The last cell has the colour; a heading (XL_COLOR_BOLD) has it all over. */
void xl_table_add(struct xl_table *table, const char *const *cells, enum xl_color color);

/* Print the rows, each behind `indent` blanks, and free them. Errors: XL_ENOMEM */
enum xl_status xl_table_print(struct xl_table *table, int indent, struct xl_err *err) XL_CHECKED;

#endif
