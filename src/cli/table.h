/* table.h - columns of text on standard output, safe for terminals; colours only on one. On a
 * terminal, or where COLUMNS is set, columns that can be spared are left out and then the widest
 * made narrower until a line fits, and their cells go on below; elsewhere a row is a line, whatever
 * its width. */
#ifndef XL_CLI_TABLE_H
#define XL_CLI_TABLE_H

#include "base/arena.h"

enum xl_color { XL_COLOR_NONE, XL_COLOR_BOLD, XL_COLOR_DIM, XL_COLOR_GREEN, XL_COLOR_YELLOW };

/* Print text; characters that would steer the terminal become '?'. The colour is left out where
 * standard output is no terminal, and with NO_COLOR set. */
void xl_print_text(const char *text, enum xl_color color);

enum { XL_TABLE_MAX_COLUMNS = 8 };

struct xl_table_row;

/* Set n_columns, and a bit of `spared` for each column that a narrow line may lack; the rest is
 * zero. Rows are copied. Out of memory is sticky: xl_table_print then prints nothing and says so.
 */
struct xl_table {
    int n_columns;
    unsigned spared;
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
