/* csv.c - rows of an analysis, separated by commas. */
#include "insight/report/csv.h"

#include "base/json.h"
#include "insight/report/words.h"

#include <stdlib.h>
#include <string.h>

void xl_report_csv_cell(struct xl_str *out, const char *text) {
    /* What begins like that is a formula to some spreadsheet (OWASP, "CSV injection"). */
    bool is_formula = *text && strchr("=+-@\t\r\n", *text);
    if (!is_formula && !strpbrk(text, "\",\r\n")) {
        xl_str_puts(out, text);
        return;
    }
    xl_str_puts(out, is_formula ? "\"'" : "\"");
    for (; *text; text++) xl_str_append(out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
    xl_str_puts(out, "\"");
}

/* A number, or nothing where it is null. */
static void put_number(struct xl_str *out, const json_t *value) {
    char text[XL_REAL_MAX];
    xl_str_puts(out, ",");
    if (json_is_integer(value))
        xl_str_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value)) {
        xl_real_text(json_real_value(value), text);
        xl_str_puts(out, text);
    }
}

static void put_row(struct xl_str *out, const char *table, const char *value, const json_t *row,
                    const json_t *odds, const char *verdict) {
    const json_t *interval = json_object_get(row, "interval");
    xl_report_csv_cell(out, table);
    xl_str_puts(out, ",");
    xl_report_csv_cell(out, value);
    put_number(out, json_object_get(row, "made"));
    put_number(out, json_object_get(row, "loved"));
    put_number(out, json_object_get(row, "rate"));
    put_number(out, json_array_get(interval, 0));
    put_number(out, json_array_get(interval, 1));
    put_number(out, json_object_get(row, "lift"));
    put_number(out, json_object_get(row, "p"));
    xl_str_puts(out, ",");
    xl_str_puts(out, verdict);
    const json_t *bounds = json_object_get(odds, "interval");
    put_number(out, json_object_get(odds, "ratio"));
    put_number(out, json_array_get(bounds, 0));
    put_number(out, json_array_get(bounds, 1));
    xl_str_puts(out, "\r\n");
}

static void put_pair(struct xl_str *out, const json_t *pair) {
    struct xl_str names = {0}, values = {0};
    for (size_t k = 0; k < 2; k++) {
        const char *name = json_string_value(json_array_get(json_object_get(pair, "columns"), k));
        const char *value = json_string_value(json_array_get(json_object_get(pair, "values"), k));
        xl_str_printf(&names, "%s%s", k ? " + " : "", name ? name : "");
        xl_str_printf(&values, "%s%s", k ? " + " : "", value ? value : "");
    }
    if (names.text && values.text)
        put_row(out, names.text, values.text, pair, NULL, xl_words_text(pair, "verdict"));
    out->failed |= names.failed || values.failed;
    xl_str_deinit(&names);
    xl_str_deinit(&values);
}

void xl_report_csv(const json_t *document, struct xl_str *out) {
    const char *column;
    json_t *levels, *row;
    size_t i;
    xl_str_puts(out,
                "table,value,made,loved,rate,low,high,lift,p,verdict,odds,odds_low,odds_high\r\n");
    put_row(out, "all", "", document, NULL, "");
    json_array_foreach(json_object_get(document, "bundles"), i, row)
        put_row(out, "bundle", xl_words_text(row, "name"), row, NULL, xl_words_text(row, "basis"));
    json_object_foreach(json_object_get(document, "tables"), column, levels)
        json_array_foreach(levels, i, row)
            put_row(out, column, xl_words_text(row, "value"), row, json_object_get(row, "odds"),
                    xl_words_text(row, "verdict"));
    json_array_foreach(json_object_get(document, "words"), i, row)
        put_row(out, "word", xl_words_text(row, "value"), row, NULL, xl_words_text(row, "verdict"));
    json_array_foreach(json_object_get(document, "pairs"), i, row) put_pair(out, row);
}
