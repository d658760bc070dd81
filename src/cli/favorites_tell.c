/* favorites_tell.c - a report on a terminal. */
#include "cli/favorites_open.h"
#include "cli/table.h"

#include "insight/report/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ROWS = 12, MOST_FEW = 5, MOST_PAIRS = 8, MOST_WORDS = 12 };

static json_int_t whole(const json_t *row, const char *key) {
    return json_integer_value(json_object_get(row, key));
}

static enum xl_color color_of(const json_t *row) {
    const char *verdict = xl_words_text(row, "verdict");
    if (json_is_true(json_object_get(row, "explained"))) return XL_COLOR_DIM;
    return !strcmp(verdict, "more")   ? XL_COLOR_GREEN
           : !strcmp(verdict, "less") ? XL_COLOR_YELLOW
                                      : XL_COLOR_DIM;
}

static struct xl_table new_table(const char *name) {
    struct xl_table table = {.n_columns = 7, .spared = {5, 4, 1}};
    const char *const heading[] = {name, "made", "loved", "rate", "interval", "of average", ""};
    xl_table_add(&table, heading, XL_COLOR_BOLD);
    return table;
}

static void add_row(struct xl_table *table, const char *name, const json_t *row,
                    const char *verdict) {
    char made[24], loved[24], rate[XL_WORDS_MAX], interval[XL_WORDS_MAX], lift[XL_WORDS_MAX];
    snprintf(made, sizeof made, "%lld", (long long)whole(row, "made"));
    snprintf(loved, sizeof loved, "%lld", (long long)whole(row, "loved"));
    const char *const cells[] = {name,
                                 made,
                                 loved,
                                 xl_words_percent(xl_words_number(row, "rate"), rate),
                                 xl_words_interval(json_object_get(row, "interval"), interval),
                                 xl_words_times(xl_words_number(row, "lift"), lift),
                                 verdict};
    xl_table_add(table, cells, color_of(row));
}

/* "loved more, not by itself: ..." */
static const char *verdict_of(const json_t *row, char out[2 * XL_WORDS_MAX]) {
    char why[XL_WORDS_MAX];
    bool has_why = xl_words_why(row, why);
    snprintf(out, 2 * XL_WORDS_MAX, "%s%s%s", xl_words_verdict(xl_words_text(row, "verdict")),
             has_why ? ", " : "", has_why ? why : "");
    return out;
}

/* What a table shows: the first ones, and every claim. */
static bool is_shown(const json_t *row, size_t i, size_t most) {
    const char *verdict = xl_words_text(row, "verdict");
    return i < most || !strcmp(verdict, "more") || !strcmp(verdict, "less");
}

static enum xl_status tell_column(const json_t *document, const char *name, const json_t *levels,
                                  struct xl_err *err) {
    const size_t most = !strcmp(name, "seed") || !strcmp(name, "run") ? MOST_FEW : MOST_ROWS;
    char too_few[XL_WORDS_MAX];
    if (xl_words_too_few(document, name, too_few)) {
        printf("\n%s: %s\n", xl_words_column(name), too_few);
        return XL_OK;
    }
    struct xl_table table = new_table(xl_words_column(name));
    char verdict[2 * XL_WORDS_MAX], typical[XL_WORDS_MAX];
    size_t i, n_shown = 0, n = (size_t)whole(json_object_get(document, "used"), name);
    json_t *row;
    json_array_foreach(levels, i, row) {
        if (!is_shown(row, i, most)) continue;
        add_row(&table, xl_words_text(row, "value"), row, verdict_of(row, verdict));
        n_shown++;
    }
    putchar('\n');
    enum xl_status status = xl_table_print(&table, 0, err);
    if (n > n_shown) printf("and %zu more\n", n - n_shown);
    if (xl_words_typical(document, name, typical)) xl_print_lines(0, "", typical, XL_COLOR_DIM);
    return status;
}

static enum xl_status tell_words(const json_t *document, struct xl_err *err) {
    struct xl_table table = new_table("Word of prompts");
    const json_t *words = json_object_get(document, "words"), *row;
    char verdict[2 * XL_WORDS_MAX];
    size_t i;
    if (!json_array_size(words)) return XL_OK;
    json_array_foreach(words, i, row) if (i < MOST_WORDS)
        add_row(&table, xl_words_text(row, "value"), row, verdict_of(row, verdict));
    putchar('\n');
    return xl_table_print(&table, 0, err);
}

static enum xl_status tell_pairs(const json_t *document, struct xl_err *err) {
    struct xl_table table = new_table("Pair");
    const json_t *pairs = json_object_get(document, "pairs"), *row;
    char verdict[2 * XL_WORDS_MAX];
    size_t i;
    if (!json_array_size(pairs)) return XL_OK;
    json_array_foreach(pairs, i, row) {
        if (i == MOST_PAIRS) break;
        add_row(&table, xl_words_text(row, "name"), row, verdict_of(row, verdict));
    }
    putchar('\n');
    return xl_table_print(&table, 0, err);
}

static void tell_bundles(const json_t *document) {
    const json_t *bundles = json_object_get(document, "bundles"), *bundle, *path;
    size_t i, k;
    printf("\n");
    xl_print_text("Favourite bundles", XL_COLOR_BOLD);
    printf("\n");
    if (!json_array_size(bundles))
        xl_print_lines(0, "", xl_words_no_bundle(document), XL_COLOR_NONE);
    json_array_foreach(bundles, i, bundle) {
        char lead[16];
        snprintf(lead, sizeof lead, "%zu. ", i + 1);
        xl_print_lines(0, lead, xl_words_text(bundle, "name"), XL_COLOR_GREEN);
        xl_print_lines(3, "", xl_words_text(bundle, "text"), XL_COLOR_NONE);
        json_array_foreach(json_object_get(bundle, "pictures"), k, path) if (k < 2)
            xl_print_lines(3, "", json_string_value(path), XL_COLOR_DIM);
    }
}

static enum xl_status tell_gaps(const json_t *document, struct xl_err *err) {
    struct xl_table table = new_table("Tried too little to know");
    const json_t *gaps = json_object_get(document, "gaps"), *row;
    char needed[64];
    size_t i;
    if (!json_array_size(gaps)) return XL_OK;
    json_array_foreach(gaps, i, row) {
        if (i == MOST_FEW) break;
        snprintf(needed, sizeof needed, "%lld more would tell",
                 (long long)whole(row, "pictures_needed"));
        add_row(&table, xl_words_text(row, "value"), row, needed);
    }
    putchar('\n');
    return xl_table_print(&table, 0, err);
}

static enum xl_status tell_next(const json_t *document, struct xl_err *err) {
    const json_t *next = json_object_get(document, "next"), *row;
    struct xl_table table = {.n_columns = 3};
    size_t i;
    if (!json_is_object(next)) return XL_OK;
    printf("\n");
    xl_print_text("The next sweep", XL_COLOR_BOLD);
    printf(": %lld pictures, %lld of each of %lld combinations, would tell most\n",
           (long long)whole(next, "pictures"), (long long)whole(next, "batch"),
           (long long)whole(next, "cells"));
    xl_print_lines(0, "", xl_words_text(next, "command"), XL_COLOR_CYAN);
    json_array_foreach(json_object_get(next, "reasons"), i, row) {
        const char *const cells[] = {xl_words_text(row, "column"), xl_words_text(row, "value"),
                                     xl_words_text(row, "text")};
        xl_table_add(&table, cells, XL_COLOR_DIM);
    }
    return xl_table_print(&table, 2, err);
}

enum xl_status xl_favorites_tell(const json_t *document, struct xl_err *err) {
    char total[XL_WORDS_MAX], rate[XL_WORDS_MAX];
    const char *column;
    json_t *levels;
    enum xl_status status = XL_OK;
    xl_words_total(document, total);
    xl_print_text(total, XL_COLOR_BOLD);
    if (whole(document, "made"))
        printf(", %s", xl_words_percent(xl_words_number(document, "rate"), rate));
    if (xl_words_text(document, "first_at")[0])
        printf(", made from %.10s to %.10s", xl_words_text(document, "first_at"),
               xl_words_text(document, "last_at"));
    printf("\n");
    tell_bundles(document);
    json_object_foreach(json_object_get(document, "tables"), column,
                        levels) if (!status && json_array_size(levels) > 1)
        status = tell_column(document, column, levels, err);
    if (!status) status = tell_words(document, err);
    if (!status) status = tell_pairs(document, err);
    if (!status) status = tell_gaps(document, err);
    if (!status) status = tell_next(document, err);
    return status;
}
