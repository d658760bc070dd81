/* csv.c - reading CSV. Keeps no state. */
#include "insight/marks/csv.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static char separator_of(const struct xl_csv *csv) {
    static const char candidates[] = ",;\t";
    size_t n = strcspn(csv->text, "\r\n"), best = 0;
    char found = ',';
    for (int i = 0; i < 3; i++) {
        size_t count = 0;
        for (size_t k = 0; k < n; k++) count += csv->text[k] == candidates[i];
        if (count > best) best = count, found = candidates[i];
    }
    return found;
}

/* A quoted cell from behind its quote; false: it does not end. */
static bool read_quoted(struct xl_csv *csv, struct xl_str *out) {
    while (csv->at < csv->n) {
        char c = csv->text[csv->at++];
        if (c == '\n') csv->line++;
        if (c == '"' && csv->text[csv->at] != '"') return true;
        if (c == '"') csv->at++;
        xl_str_append(out, &c, 1);
    }
    return false;
}

/* A cell up to what ends it. False: a quote does not end. */
static bool read_cell(struct xl_csv *csv, struct xl_str *out) {
    while (csv->text[csv->at] == ' ') csv->at++;
    if (csv->text[csv->at] == '"') {
        csv->at++;
        if (!read_quoted(csv, out)) return false;
    }
    while (csv->at < csv->n && csv->text[csv->at] != csv->separator && csv->text[csv->at] != '\n' &&
           csv->text[csv->at] != '\r')
        xl_str_append(out, csv->text + csv->at++, 1);
    while (out->len && out->text[out->len - 1] == ' ') out->text[--out->len] = 0;
    return true;
}

static enum xl_status read_row(struct xl_csv *csv, struct xl_csv_row *row, struct xl_err *err) {
    *row = (struct xl_csv_row){.line = ++csv->line};
    for (bool is_more = true; is_more;) {
        struct xl_str cell = {0};
        bool is_closed = read_cell(csv, &cell);
        const char *kept = cell.failed ? NULL
                                       : xl_arena_strdup(csv->arena, cell.text ? cell.text : "");
        xl_str_deinit(&cell);
        if (!kept) return xl_fail_nomem(err, "a row of a CSV file", 0);
        if (!is_closed)
            return xl_fail(err, XL_EINPUT, "%s:%d: a quote that does not end", csv->name,
                           row->line);
        if (row->n < XL_CSV_MAX) row->cells[row->n++] = kept;
        is_more = csv->at < csv->n && csv->text[csv->at] == csv->separator;
        csv->at += is_more;
    }
    if (csv->text[csv->at] == '\r') csv->at++;
    if (csv->text[csv->at] == '\n') csv->at++;
    return XL_OK;
}

bool xl_csv_next(struct xl_csv *csv, struct xl_csv_row *row, enum xl_status *status,
                 struct xl_err *err) {
    if (!csv->separator) csv->separator = separator_of(csv);
    while (!*status && csv->at < csv->n) {
        *status = read_row(csv, row, err);
        if (!*status && (row->n > 1 || row->cells[0][0])) return true;
    }
    return false;
}
