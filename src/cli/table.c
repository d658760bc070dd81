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
    int width[XL_TABLE_MAX_COLUMNS]; /* of each cell in one line */
    enum xl_color color;
    struct xl_table_row *next;
};

void xl_print_text(const char *text, enum xl_color color) {
    static const char *const begin[] = {
        [XL_COLOR_NONE] = "",
        [XL_COLOR_BOLD] = "\033[1m",
        [XL_COLOR_DIM] = "\033[2m",
        [XL_COLOR_GREEN] = "\033[32m",
        [XL_COLOR_YELLOW] = "\033[33m",
        [XL_COLOR_BLUE] = "\033[34m",
        [XL_COLOR_MAGENTA] = "\033[35m",
        [XL_COLOR_CYAN] = "\033[36m",
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
        row->width[i] = xl_text_width(cells[i]);
        if (row->width[i] > table->width[i]) table->width[i] = row->width[i];
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

int xl_print_columns(void) {
    struct winsize size;
    const char *said = getenv("COLUMNS");
    int columns = said ? atoi(said) : 0;
    if (columns > 0) return columns;
    return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

/* Bytes of the first line of a cell: up to a blank, else behind what joins parts of a name, else as
 * much as there is room for (*is_torn). */
static size_t line_of(const char *text, int width, bool *is_torn) {
    size_t fits = xl_text_fit(text, width), at = fits;
    *is_torn = false;
    if (!text[fits] || text[fits] == ' ') return fits;
    while (at && text[at - 1] != ' ') at--;
    if (at) return at;
    at = fits;
    while (at > fits / 2 && !strchr("/-_.", text[at - 1])) at--;
    *is_torn = at <= fits / 2;
    return *is_torn ? fits : at;
}

static const char *behind(const char *line, size_t n) {
    return line + n + strspn(line + n, " ");
}

/* How wide each column is to be; 0: it is left out. */
struct layout {
    int width[XL_TABLE_MAX_COLUMNS];
};

enum { GAP = 2, LEAST = 6 };

static int total_width(const struct xl_table *table, const struct layout *layout) {
    int total = -GAP;
    for (int i = 0; i < table->n_columns; i++)
        if (layout->width[i]) total += layout->width[i] + GAP;
    return total;
}

/* The lines that a row needs beyond one. A torn word counts as several, and so does the first cell
 * where it goes on below: names are looked for by eye. */
static int extra_lines(const struct xl_table *table, const struct xl_table_row *row,
                       const struct layout *layout) {
    enum { TORN = 3 };
    int most = 0, n_torn = row->width[0] > layout->width[0];
    for (int i = 0; i < table->n_columns; i++) {
        if (row->width[i] <= layout->width[i] || !layout->width[i]) continue;
        int n = -1;
        for (const char *at = row->cells[i]; *at; n++) {
            bool is_torn;
            at = behind(at, line_of(at, layout->width[i], &is_torn));
            n_torn += is_torn;
        }
        if (n > most) most = n;
    }
    return most + TORN * n_torn;
}

static int cost(const struct xl_table *table, const struct layout *layout) {
    int sum = 0;
    for (const struct xl_table_row *row = table->first; row; row = row->next)
        sum += extra_lines(table, row, layout);
    return sum;
}

/* Make columns narrower until a line fits: each time the one and by as much as costs the fewest
 * lines for each place that is won. Of equals the first column, which has the names that people
 * type, is the last. */
static void shrink(const struct xl_table *table, int columns, struct layout *layout) {
    int excess;
    while ((excess = total_width(table, layout) - columns) > 0) {
        int best = -1, before = cost(table, layout), best_by = 1, best_lines = 0;
        for (int k = 1; k <= table->n_columns; k++) {
            int i = k % table->n_columns, width = layout->width[i];
            for (int by = 1; by <= excess && width - by >= LEAST; by++) {
                layout->width[i] = width - by;
                int lines = cost(table, layout) - before;
                if (best >= 0 && lines * best_by >= best_lines * by) continue;
                best = i;
                best_by = by;
                best_lines = lines;
            }
            layout->width[i] = width;
        }
        if (best < 0) return;
        layout->width[best] -= best_by;
    }
}

/* Leave out what can be spared until most rows need no more than a line. */
static struct layout fit(const struct xl_table *table, int columns) {
    struct layout layout;
    int n_rows = 0;
    for (const struct xl_table_row *row = table->first; row; row = row->next) n_rows++;
    for (int n_out = 0;; n_out++) {
        memcpy(layout.width, table->width, sizeof layout.width);
        for (int k = 0; k < n_out; k++) layout.width[table->spared[k]] = 0;
        if (columns) shrink(table, columns, &layout);
        bool fits = !columns || (total_width(table, &layout) <= columns &&
                                 cost(table, &layout) <= n_rows * 3 / 4);
        if (fits || !table->spared[n_out]) return layout;
    }
}

static void print_part(const char *text, size_t n, enum xl_color color) {
    char *part = strndup(text, n);
    if (part) xl_print_text(part, color);
    free(part);
}

/* A row, in as many lines as its longest cell needs. */
static void print_row(const struct xl_table *table, const struct xl_table_row *row,
                      const struct layout *layout, int indent) {
    const char *rest[XL_TABLE_MAX_COLUMNS];
    bool has_more = true;
    for (int i = 0; i < table->n_columns; i++) rest[i] = layout->width[i] ? row->cells[i] : "";
    while (has_more) {
        int last = table->n_columns - 1, skip = indent;
        has_more = false;
        while (last > 0 && !rest[last][0]) last--; /* no blanks at the end of a line */
        for (int i = 0; i <= last; i++) {
            bool is_colored = row->color == XL_COLOR_BOLD || i == table->n_columns - 1, is_torn;
            if (!layout->width[i]) continue;
            size_t n = line_of(rest[i], layout->width[i], &is_torn), n_seen = n;
            while (n_seen && rest[i][n_seen - 1] == ' ') n_seen--;
            printf("%*s", skip, "");
            print_part(rest[i], n_seen, is_colored ? row->color : XL_COLOR_NONE);
            int seen = 0;
            for (const char *c = rest[i]; c < rest[i] + n_seen; c += xl_text_next(c).n_bytes)
                seen += xl_text_next(c).n_columns;
            skip = layout->width[i] - seen + GAP;
            rest[i] = behind(rest[i], n);
            has_more |= rest[i][0] != 0;
        }
        putchar('\n');
    }
}

enum xl_status xl_table_print(struct xl_table *table, int indent, struct xl_err *err) {
    enum xl_status status = table->failed ? xl_fail_nomem(err, "a table", 0) : XL_OK;
    int columns = xl_print_columns();
    if (columns > indent) columns -= indent;
    struct layout layout = fit(table, columns);
    for (const struct xl_table_row *row = table->first; !status && row; row = row->next)
        print_row(table, row, &layout, indent);
    xl_arena_deinit(&table->arena);
    *table = (struct xl_table){.n_columns = table->n_columns};
    return status;
}

void xl_print_lines(int indent, const char *lead, const char *text, enum xl_color color) {
    enum { HANGING = 2 };
    int columns = xl_print_columns(), at = indent + xl_text_width(lead);
    printf("%*s", indent, "");
    xl_print_text(lead, XL_COLOR_NONE);
    for (bool is_first = true; *text; is_first = false) {
        size_t n = strcspn(text, " ");
        char *word = strndup(text, n);
        int width = word ? xl_text_width(word) : 0;
        bool is_new = !is_first && columns && at + 1 + width > columns;
        if (is_new) printf("\n%*s", indent + HANGING, "");
        if (!is_first && !is_new) putchar(' ');
        at = is_new ? indent + HANGING + width : at + !is_first + width;
        if (word) xl_print_text(word, color);
        free(word);
        text = behind(text, n);
    }
    putchar('\n');
}
