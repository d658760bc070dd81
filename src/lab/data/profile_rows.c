/* profile_rows.c - the rows of styles.csv and of Fooocus' JSON. */
#include "base/json.h"
#include "base/str.h"
#include "base/text_file.h"
#include "lab/data/profile_import.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_ROWS = 10000, MAX_COLUMNS = 64 };

static enum xl_status add_row(struct xl_import *import, struct xl_import_row row, const char *name,
                              struct xl_err *err) {
    if (!import->rows)
        import->rows = xl_arena_alloc(&import->arena, MAX_ROWS * sizeof *import->rows);
    if (!import->rows) return xl_fail_nomem(err, name, 0);
    if (import->n == MAX_ROWS)
        return xl_fail(err, XL_EINPUT, "%s: more than %d styles", name, MAX_ROWS);
    import->rows[import->n++] = row;
    return XL_OK;
}

/* ---- CSV (RFC 4180) ---- */

/* Where something is: in the text, and the line (1, 2, ...) around it with its begin. */
struct csv_mark {
    const char *at, *line_at;
    int line;
};

struct csv {
    const char *name; /* of the file */
    char separator;
    const char *at, *end;
    const char *line_at; /* where the line that `at` is in begins */
    int line;
    struct xl_arena *arena;
    const char *fields[MAX_COLUMNS]; /* of the row that was read last */
    int n_fields, first_line;
};

static struct csv_mark mark_of(const struct csv *csv) {
    return (struct csv_mark){csv->at, csv->line_at, csv->line};
}

/* Columns are characters: the bytes behind the first of one do not count. */
static enum xl_status csv_fail(const struct csv *csv, struct csv_mark mark, struct xl_err *err,
                               const char *what) {
    int column = 1;
    for (const char *c = mark.line_at; c < mark.at; c++)
        column += ((unsigned char)*c & 0xC0) != 0x80;
    return xl_fail(err, XL_EINPUT, "%s:%d:%d: not valid CSV: %s", csv->name, mark.line, column,
                   what);
}

/* Go over one byte. */
static void csv_step(struct csv *csv) {
    if (*csv->at++ != '\n') return;
    csv->line++;
    csv->line_at = csv->at;
}

static bool at_row_end(const struct csv *csv) {
    return csv->at == csv->end || *csv->at == '\n' || *csv->at == '\r';
}

/* From the opening quote up to behind the closing one. */
static enum xl_status read_quoted(struct csv *csv, struct xl_str *field, struct xl_err *err) {
    const struct csv_mark opened = mark_of(csv);
    for (csv_step(csv); csv->at < csv->end; csv_step(csv)) {
        if (*csv->at == '"') {
            csv_step(csv);
            if (csv->at == csv->end || *csv->at != '"') return XL_OK;
        }
        xl_str_append(field, csv->at, 1);
    }
    return csv_fail(csv, opened, err, "a quote is opened and never closed");
}

static enum xl_status read_field(struct csv *csv, struct xl_err *err) {
    struct xl_str field = {0};
    const struct csv_mark begin = mark_of(csv);
    enum xl_status status = XL_OK;
    if (csv->at < csv->end && *csv->at == '"') {
        status = read_quoted(csv, &field, err);
        if (!status && !at_row_end(csv) && *csv->at != csv->separator)
            status = csv_fail(csv, mark_of(csv), err, "text behind a closing quote");
    } else {
        while (!at_row_end(csv) && *csv->at != csv->separator) xl_str_append(&field, csv->at++, 1);
    }
    if (!status && csv->n_fields == MAX_COLUMNS)
        status = csv_fail(csv, begin, err, "too many columns");
    const char *text = field.text ? field.text : "";
    if (!status && memchr(text, 0, field.len))
        status = csv_fail(csv, begin, err, "a NUL character");
    if (!status) {
        const char *copy = field.failed ? NULL : xl_arena_strdup(csv->arena, text);
        if (copy)
            csv->fields[csv->n_fields++] = copy;
        else
            status = xl_fail_nomem(err, csv->name, 0);
    }
    xl_str_deinit(&field);
    return status;
}

/* The next row; *is_row false at the end. Blank lines are passed over. */
static enum xl_status read_row(struct csv *csv, bool *is_row, struct xl_err *err) {
    while (csv->at < csv->end && (*csv->at == '\n' || *csv->at == '\r')) csv_step(csv);
    *is_row = csv->at < csv->end;
    csv->n_fields = 0;
    csv->first_line = csv->line;
    while (*is_row) {
        enum xl_status status = read_field(csv, err);
        if (status || at_row_end(csv)) return status;
        csv->at++; /* the separator */
    }
    return XL_OK;
}

/* Which column holds what; -1: none does. */
struct header {
    int name, prompt, negative;
    int n; /* columns with a name */
};

/* "Negative Prompt", " negative_prompt ": case does not matter, nor what stands between words. */
static bool is_called(const char *field, const char *name) {
    static const char between[] = " \t_-";
    for (;; field++, name++) {
        field += strspn(field, between);
        if (*name == '_') name++;
        if (!*field || !*name) return !*field && !*name;
        if (tolower((unsigned char)*field) != *name) return false;
    }
}

static int find_column(const struct csv *csv, const char *const *names) {
    for (; *names; names++)
        for (int i = 0; i < csv->n_fields; i++)
            if (is_called(csv->fields[i], *names)) return i;
    return -1;
}

/* False when no styles begin like this. */
static bool read_header(const struct csv *csv, struct header *out) {
    static const char *const names[] = {"name", "style", "style_name", "title", NULL};
    static const char *const prompts[] = {"prompt", "text", "positive_prompt", "positive", NULL};
    static const char *const negatives[] = {"negative_prompt", "negative", "neg_prompt", NULL};
    *out = (struct header){find_column(csv, names), find_column(csv, prompts),
                           find_column(csv, negatives), 0};
    for (int i = 0; i < csv->n_fields; i++)
        if (csv->fields[i][strspn(csv->fields[i], " \t")]) out->n = i + 1;
    return out->name >= 0 && out->prompt >= 0;
}

/* What is in columns that nothing is made of is told: it may have been meant. */
static enum xl_status note_columns(const struct csv *csv, const struct header *header,
                                   struct xl_import *import, struct xl_err *err) {
    struct xl_str text = {0};
    for (int i = 0; i < header->n; i++) {
        const char *field = csv->fields[i];
        if (i == header->name || i == header->prompt || i == header->negative) continue;
        xl_str_printf(&text, "%s\"%.60s\"", text.len ? ", " : "", field);
    }
    bool has_any = text.len > 0;
    char *whole = xl_str_take(&text);
    if (whole && has_any) import->columns = xl_arena_strdup(&import->arena, whole);
    bool is_kept = whole && (!has_any || import->columns);
    free(whole);
    return is_kept ? XL_OK : xl_fail_nomem(err, csv->name, 0);
}

static const char *column(const struct csv *csv, int i) {
    return i >= 0 && i < csv->n_fields ? csv->fields[i] : NULL;
}

/* A comma in a text without quotes moves all that follows into the next column. */
static bool has_too_many(const struct csv *csv, const struct header *header) {
    for (int i = header->n; i < csv->n_fields; i++)
        if (csv->fields[i][0]) return true;
    return false;
}

static enum xl_status read_rows(struct csv *csv, const struct header *header,
                                struct xl_import *import, struct xl_err *err) {
    for (;;) {
        bool is_row;
        enum xl_status status = read_row(csv, &is_row, err);
        if (status || !is_row) return status;
        struct xl_import_row row = {column(csv, header->name), column(csv, header->prompt),
                                    column(csv, header->negative), csv->first_line, NULL};
        if (has_too_many(csv, header)) {
            row.left_out = xl_arena_printf(&import->arena,
                                           "it has %d columns, and the first line names %d; texts "
                                           "with a %s in them need quotes (\")",
                                           csv->n_fields, header->n,
                                           csv->separator == ','   ? "comma"
                                           : csv->separator == ';' ? "semicolon"
                                                                   : "tab");
            if (!row.left_out) return xl_fail_nomem(err, csv->name, 0);
        }
        status = add_row(import, row, csv->name, err);
        if (status) return status;
    }
}

/* Spreadsheets write what their country has for a comma, and some say so first: "sep=;". */
static enum xl_status read_csv(const char *name, const char *text, size_t n,
                               struct xl_import *import, struct xl_err *err) {
    static const char separators[] = ",;\t";
    enum xl_status first = XL_OK;
    for (int i = 0; separators[i]; i++) {
        struct csv csv = {.name = name,
                          .separator = separators[i],
                          .at = text,
                          .end = text + n,
                          .line_at = text,
                          .line = 1,
                          .arena = &import->arena};
        struct header header;
        bool is_row = false;
        enum xl_status status = read_row(&csv, &is_row, i ? NULL : err);
        if (!status && is_row && !strncasecmp(csv.fields[0], "sep=", 4))
            status = read_row(&csv, &is_row, i ? NULL : err);
        if (!i) first = status;
        if (status || !is_row || !read_header(&csv, &header)) continue;
        status = note_columns(&csv, &header, import, err);
        return status ? status : read_rows(&csv, &header, import, err);
    }
    if (first) return first;
    return xl_fail(err, XL_EINPUT,
                   "%s:1:1: neither styles.csv (its first line is name,prompt,negative_prompt) nor "
                   "a JSON list of styles",
                   name);
}

/* ---- JSON ---- */

static enum xl_status read_text(const json_t *style, const char *key, struct xl_arena *arena,
                                const char **out, const char **left_out) {
    const json_t *value = json_object_get(style, key);
    *out = NULL;
    if (!value || json_is_null(value)) return XL_OK;
    if (!json_is_string(value)) {
        *left_out = "its fields are no texts";
        return XL_OK;
    }
    if (memchr(json_string_value(value), 0, json_string_length(value)))
        *left_out = "it holds the character U+0000";
    *out = xl_arena_strdup(arena, json_string_value(value));
    return *out ? XL_OK : XL_ENOMEM;
}

static enum xl_status read_style(const json_t *style, const char *name, struct xl_import *import,
                                 struct xl_err *err) {
    struct xl_import_row row = {0};
    struct xl_arena *arena = &import->arena;
    enum xl_status status = read_text(style, "name", arena, &row.name, &row.left_out);
    if (!status) status = read_text(style, "prompt", arena, &row.prompt, &row.left_out);
    if (!status) status = read_text(style, "negative_prompt", arena, &row.negative, &row.left_out);
    if (status) return xl_fail_nomem(err, name, 0);
    if (!json_is_object(style)) row.left_out = "it is no object with name and prompt";
    return add_row(import, row, name, err);
}

static enum xl_status read_json(const char *name, const char *text, size_t n,
                                struct xl_import *import, struct xl_err *err) {
    json_error_t error;
    json_t *root = json_loadb(text, n, JSON_ALLOW_NUL, &error), *style;
    size_t i;
    enum xl_status status = XL_OK;
    if (!root)
        return xl_fail(err, XL_EINPUT, "%s:%d:%d: not valid JSON: %s", name, error.line,
                       error.column, error.text);
    if (!json_is_array(root))
        status = xl_fail(err, XL_EINPUT,
                         "%s: expected a list of styles: [{\"name\": ..., \"prompt\": ...}, ...]",
                         name);
    json_array_foreach(root, i, style) {
        if (!status) status = read_style(style, name, import, err);
    }
    json_decref(root);
    return status;
}

enum xl_status xl_import_read(const char *name, const char *text, size_t n, struct xl_import *out,
                              struct xl_err *err) {
    struct xl_import import = {.n = 0};
    enum xl_status status = xl_text_check(name, &text, &n, err);
    if (status) return status;
    size_t blanks = 0;
    while (blanks < n && strchr(" \t\r\n", text[blanks])) blanks++;
    bool is_json = blanks < n && (text[blanks] == '[' || text[blanks] == '{');
    status = is_json ? read_json(name, text, n, &import, err)
                     : read_csv(name, text, n, &import, err);
    if (status)
        xl_arena_deinit(&import.arena);
    else
        *out = import;
    return status;
}
