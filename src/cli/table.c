/* table.c - columns of text on standard output. */
#include "cli/table.h"
#include "base/text_width.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct xl_table_row {
    const char *cells[XL_TABLE_MAX_COLUMNS];
    enum xl_color color;
    struct xl_table_row *next;
};

void xl_print_text(const char *text, enum xl_color color) {
    static const char *const begin[] = {
        [XL_COLOR_NONE] = "",          [XL_COLOR_BOLD] = "\033[1m",    [XL_COLOR_DIM] = "\033[2m",
        [XL_COLOR_GREEN] = "\033[32m", [XL_COLOR_YELLOW] = "\033[33m",
    };
    const char *no_color = getenv("NO_COLOR");
    bool has_color = color && isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
    if (has_color) fputs(begin[color], stdout);
    while (*text) {
        struct xl_text_char c = xl_text_next(text);
        fwrite(c.is_shown ? text : "?", 1, c.is_shown ? (size_t)c.n_bytes : 1, stdout);
        text += c.n_bytes;
    }
    if (has_color) fputs("\033[0m", stdout);
}

void xl_table_add(struct xl_table *table, const char *const *cells, enum xl_color color) {
    struct xl_table_row *row = xl_arena_alloc(&table->arena, sizeof *row);
    table->failed |= !row;
    if (!row) return;
    row->color = color;
    for (int i = 0; i < table->n_columns; i++) {
        int width = xl_text_width(cells[i]);
        if (width > table->width[i]) table->width[i] = width;
        row->cells[i] = xl_arena_strdup(&table->arena, cells[i]);
        table->failed |= !row->cells[i];
    }
    if (table->last)
        table->last->next = row;
    else
        table->first = row;
    table->last = row;
}

static void print_row(const struct xl_table *table, const struct xl_table_row *row, int indent) {
    int last = table->n_columns - 1;
    while (last > 0 && !row->cells[last][0]) last--; /* no blanks at the end of a line */
    printf("%*s", indent, "");
    for (int i = 0; i <= last; i++) {
        bool is_colored = row->color == XL_COLOR_BOLD || i == table->n_columns - 1;
        xl_print_text(row->cells[i], is_colored ? row->color : XL_COLOR_NONE);
        int gap = table->width[i] - xl_text_width(row->cells[i]) + 2;
        if (i < last) printf("%*s", gap, "");
    }
    putchar('\n');
}

enum xl_status xl_table_print(struct xl_table *table, int indent, struct xl_err *err) {
    enum xl_status status = table->failed ? xl_fail_nomem(err, "a table", 0) : XL_OK;
    for (const struct xl_table_row *row = table->first; !status && row; row = row->next)
        print_row(table, row, indent);
    xl_arena_deinit(&table->arena);
    *table = (struct xl_table){.n_columns = table->n_columns};
    return status;
}
