/* table.c - columns of text on standard output. */
#include "cli/table.h"
#include "base/text_width.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

/* --- Fitting the terminal --------------------------------------------------------------------- */

/* Columns that there are: what COLUMNS says, else the terminal; 0: no limit, for programs. */
static int line_columns(void) {
    struct winsize size;
    const char *said = getenv("COLUMNS");
    int columns = said ? atoi(said) : 0;
    if (columns > 0) return columns;
    return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

/* The widest column from `first` on. */
static int widest_from(const struct xl_table *table, int first) {
    int widest = first;
    for (int i = first + 1; i < table->n_columns; i++)
        if (table->width[i] > table->width[widest]) widest = i;
    return widest;
}

enum { GAP = 2 };

static int total_width(const struct xl_table *table) {
    int total = -GAP;
    for (int i = 0; i < table->n_columns; i++) total += table->width[i] + GAP;
    return total;
}

static void leave_out(struct xl_table *table, int column) {
    size_t n_behind = (size_t)(table->n_columns - 1 - column);
    for (struct xl_table_row *row = table->first; row; row = row->next)
        memmove(&row->cells[column], &row->cells[column + 1], n_behind * sizeof row->cells[0]);
    memmove(&table->width[column], &table->width[column + 1], n_behind * sizeof table->width[0]);
    table->n_columns--;
}

/* Leave out what can be spared, the last column first, as long as the line does not fit. */
static void spare(struct xl_table *table, int columns) {
    for (int i = table->n_columns - 1; i > 0 && columns && total_width(table) > columns; i--)
        if (table->spared >> i & 1) leave_out(table, i);
}

/* Take from the widest column until the line fits, or no column is wide; from the first one, which
 * has the names that people type, last. */
static void shrink(struct xl_table *table, int columns) {
    enum { COMFORTABLE = 10, LEAST = 6 };
    for (int total = total_width(table); columns && total > columns; total--) {
        int widest = table->n_columns > 1 ? widest_from(table, 1) : 0;
        if (table->width[widest] <= COMFORTABLE) widest = widest_from(table, 0);
        if (table->width[widest] <= LEAST) return;
        table->width[widest]--;
    }
}

/* Bytes of the first line of a cell: up to a blank, else behind what joins parts of a name, else as
 * much as there is room for. */
static size_t line_of(const char *text, int width) {
    size_t fits = xl_text_fit(text, width), at = fits;
    if (!text[fits] || text[fits] == ' ') return fits;
    while (at && text[at - 1] != ' ') at--;
    if (at) return at;
    at = fits;
    while (at > fits / 2 && !strchr("/-_.", text[at - 1])) at--;
    return at > fits / 2 ? at : fits;
}

static void print_part(const char *text, size_t n, enum xl_color color) {
    char *part = strndup(text, n);
    if (part) xl_print_text(part, color);
    free(part);
}

/* A row, in as many lines as its longest cell needs. */
static void print_row(const struct xl_table *table, const struct xl_table_row *row, int indent) {
    const char *rest[XL_TABLE_MAX_COLUMNS];
    bool has_more = true;
    memcpy(rest, row->cells, sizeof rest);
    while (has_more) {
        int last = table->n_columns - 1, skip = indent;
        has_more = false;
        while (last > 0 && !rest[last][0]) last--; /* no blanks at the end of a line */
        for (int i = 0; i <= last; i++) {
            bool is_colored = row->color == XL_COLOR_BOLD || i == table->n_columns - 1;
            size_t n = line_of(rest[i], table->width[i]);
            size_t n_seen = n;
            while (n_seen && rest[i][n_seen - 1] == ' ') n_seen--;
            printf("%*s", skip, "");
            print_part(rest[i], n_seen, is_colored ? row->color : XL_COLOR_NONE);
            int seen = 0;
            for (const char *c = rest[i]; c < rest[i] + n_seen; c += xl_text_next(c).n_bytes)
                seen += xl_text_next(c).n_columns;
            skip = table->width[i] - seen + GAP;
            rest[i] += n + strspn(rest[i] + n, " ");
            has_more |= rest[i][0] != 0;
        }
        putchar('\n');
    }
}

enum xl_status xl_table_print(struct xl_table *table, int indent, struct xl_err *err) {
    enum xl_status status = table->failed ? xl_fail_nomem(err, "a table", 0) : XL_OK;
    int columns = line_columns();
    if (columns > indent) columns -= indent;
    spare(table, columns);
    shrink(table, columns);
    for (const struct xl_table_row *row = table->first; !status && row; row = row->next)
        print_row(table, row, indent);
    xl_arena_deinit(&table->arena);
    *table = (struct xl_table){.n_columns = table->n_columns};
    return status;
}
