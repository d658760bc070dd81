/* html.c - the page of a report, from its document. */
#include "insight/report/html.h"

#include "base/json.h"
#include "insight/report/plot.h"
#include "insight/report/thumbnail.h"
#include "insight/report/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const char xl_report_css[];

static void put_escaped(struct xl_str *out, const char *text) {
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '&')
            xl_str_puts(out, "&amp;");
        else if (c == '<')
            xl_str_puts(out, "&lt;");
        else if (c == '>')
            xl_str_puts(out, "&gt;");
        else if (c == '"')
            xl_str_puts(out, "&quot;");
        else if (c < 0x20 || c == 0x7f)
            xl_str_puts(out, XL_REPLACEMENT);
        else
            xl_str_append(out, text, 1);
    }
}

/* What a row of numbers shares: everything but its name and its verdict. */
static void put_numbers(struct xl_str *out, const json_t *row, const struct xl_plot_scale *scale,
                        const char *verdict) {
    char rate[XL_WORDS_MAX], lift[XL_WORDS_MAX];
    xl_str_printf(
        out, "<td class=\"wide\">%" JSON_INTEGER_FORMAT "</td><td>%" JSON_INTEGER_FORMAT "</td>",
        json_integer_value(json_object_get(row, "made")),
        json_integer_value(json_object_get(row, "loved")));
    xl_str_printf(out, "<td>%s</td><td class=\"plot\">",
                  xl_words_percent(xl_words_number(row, "rate"), rate));
    xl_plot_interval(out, scale, row, verdict);
    xl_str_printf(out, "</td><td class=\"wide\">%s</td>",
                  xl_words_times(xl_words_number(row, "lift"), lift));
}

static void open_table(struct xl_str *out, const char *first, bool has_effect) {
    xl_str_puts(out, "<div class=\"frame\"><table><thead><tr><th>");
    put_escaped(out, first);
    xl_str_puts(out, "</th><th class=\"wide\">Made</th><th>Loved</th><th>Rate</th><th "
                     "class=\"plot\">Interval</th>"
                     "<th class=\"wide\">Of average</th>");
    if (has_effect) xl_str_puts(out, "<th class=\"wide\">By itself</th>");
    xl_str_puts(out, "<th></th></tr></thead><tbody>\n");
}

static void close_table(struct xl_str *out) {
    xl_str_puts(out, "</tbody></table></div>\n");
}

/* --- The parts of the page -------------------------------------------------------------------- */

static void put_head(struct xl_str *out, const json_t *document) {
    char rate[XL_WORDS_MAX], text[XL_WORDS_MAX];
    xl_str_puts(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
        "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
        "<title>What you love</title>\n<style>\n");
    xl_str_puts(out, xl_report_css);
    xl_str_puts(out,
                "</style>\n</head>\n<body>\n<header>\n<h1>What you love</h1>\n<p class=\"lead\">");
    xl_words_total(document, text);
    xl_str_printf(out, "<b>%s</b>", text);
    double average = xl_words_number(document, "rate");
    if (isfinite(average)) xl_str_printf(out, ", <b>%s</b>", xl_words_percent(average, rate));
    xl_str_puts(out, "</p>\n");
    if (xl_words_text(document, "first_at")[0])
        xl_str_printf(out, "<p class=\"soft\">%.10s to %.10s</p>\n",
                      xl_words_text(document, "first_at"), xl_words_text(document, "last_at"));
    xl_str_puts(out, "</header>\n");
}

static void put_pictures(struct xl_str *out, const json_t *paths) {
    size_t i;
    json_t *path;
    if (!json_array_size(paths)) return;
    xl_str_puts(out, "<div class=\"thumbs\">");
    json_array_foreach(paths, i, path) {
        const char *name = json_string_value(path), *slash = name ? strrchr(name, '/') : NULL;
        struct xl_str data = {0};
        struct xl_err ignored;
        if (name && !xl_thumbnail(name, XL_REPORT_THUMBNAIL, &data, &ignored) && data.text) {
            xl_str_printf(out, "<img src=\"%s\" alt=\"", data.text);
            put_escaped(out, slash ? slash + 1 : name);
            xl_str_puts(out, "\">");
        }
        xl_str_deinit(&data);
    }
    xl_str_puts(out, "</div>\n");
}

static void put_bundles(struct xl_str *out, const json_t *document) {
    const json_t *bundles = json_object_get(document, "bundles");
    struct xl_plot_scale scale = xl_plot_scale_of(document, NULL);
    size_t i;
    json_t *bundle;
    json_array_foreach(bundles, i, bundle)
        xl_plot_scale_add(&scale, json_object_get(bundle, "expected"));
    xl_str_puts(out, "<section id=\"bundles\">\n<h2>Favourite bundles</h2>\n");
    if (!json_array_size(bundles)) {
        xl_str_printf(out, "<p class=\"note\">%s</p>\n</section>\n", xl_words_no_bundle(document));
        return;
    }
    json_array_foreach(bundles, i, bundle) {
        xl_str_printf(out, "<article class=\"card\">\n<h3><span class=\"rank\">%zu</span>", i + 1);
        put_escaped(out, xl_words_text(bundle, "name"));
        xl_str_puts(out, "</h3>\n<p>");
        put_escaped(out, xl_words_text(bundle, "text"));
        xl_str_puts(out, "</p>\n");
        xl_plot_interval(out, &scale, json_object_get(bundle, "expected"), "more");
        put_pictures(out, json_object_get(bundle, "pictures"));
        xl_str_puts(out, "</article>\n");
    }
    xl_str_puts(out, "</section>\n");
}

static void put_verdict(struct xl_str *out, const json_t *row) {
    char why[XL_WORDS_MAX];
    const char *verdict = xl_words_text(row, "verdict");
    xl_str_printf(out, "<td class=\"%s\">%s", verdict, xl_words_verdict(verdict));
    if (xl_words_why(row, why)) {
        xl_str_puts(out, "<small>");
        put_escaped(out, why);
        xl_str_puts(out, "</small>");
    }
    xl_str_puts(out, "</td></tr>\n");
}

static void put_column(struct xl_str *out, const json_t *document, const char *name,
                       const json_t *levels) {
    const size_t most = !strcmp(name, "seed") || !strcmp(name, "run") ? XL_REPORT_FEW
                                                                      : XL_REPORT_MOST;
    struct xl_plot_scale scale = xl_plot_scale_of(document, levels);
    char typical[XL_WORDS_MAX], odds[XL_WORDS_MAX];
    size_t i;
    json_t *row;
    xl_str_puts(out, "<section>\n<h2>");
    put_escaped(out, xl_words_column(name));
    xl_str_puts(out, "</h2>\n<p class=\"note\">");
    if (xl_words_typical(document, name, typical)) put_escaped(out, typical);
    bool is_empty = xl_words_too_few(document, name, typical);
    if (is_empty) put_escaped(out, typical);
    if (!is_empty && json_array_size(levels) > most)
        xl_str_printf(out, " The first %zu of %" JSON_INTEGER_FORMAT ".", most,
                      json_integer_value(json_object_get(json_object_get(document, "used"), name)));
    xl_str_puts(out, "</p>\n");
    if (is_empty) {
        xl_str_puts(out, "</section>\n");
        return;
    }
    open_table(out, xl_words_column(name), true);
    json_array_foreach(levels, i, row) {
        if (i == most) break;
        xl_str_puts(out, "<tr><td>");
        put_escaped(out, xl_words_text(row, "value"));
        xl_str_puts(out, "</td>");
        put_numbers(out, row, &scale, xl_words_text(row, "verdict"));
        double ratio = xl_words_number(json_object_get(row, "odds"), "ratio");
        xl_str_printf(out, "<td class=\"wide\">%s</td>", xl_words_times(ratio, odds));
        put_verdict(out, row);
    }
    close_table(out);
    xl_str_puts(out, "</section>\n");
}

static void put_words(struct xl_str *out, const json_t *document) {
    const json_t *words = json_object_get(document, "words");
    struct xl_plot_scale scale = xl_plot_scale_of(document, words);
    size_t i;
    json_t *row;
    if (!json_array_size(words)) return;
    xl_str_puts(out, "<section>\n<h2>Words of prompts</h2>\n<p class=\"note\"></p>\n");
    open_table(out, "Word", false);
    json_array_foreach(words, i, row) {
        xl_str_puts(out, "<tr><td>");
        put_escaped(out, xl_words_text(row, "value"));
        xl_str_puts(out, "</td>");
        put_numbers(out, row, &scale, xl_words_text(row, "verdict"));
        put_verdict(out, row);
    }
    close_table(out);
    xl_str_puts(out, "</section>\n");
}

static void put_pairs(struct xl_str *out, const json_t *document) {
    enum { MOST = 25 };
    const json_t *pairs = json_object_get(document, "pairs");
    struct xl_plot_scale scale = xl_plot_scale_of(document, pairs);
    size_t i;
    json_t *row;
    if (!json_array_size(pairs)) return;
    xl_str_puts(out,
                "<section>\n<h2>Pairs</h2>\n<p class=\"note\">Two together. “Beyond its parts” is "
                "said where a pair is loved more than each of the two lets expect.</p>\n");
    open_table(out, "Pair", false);
    json_array_foreach(pairs, i, row) {
        if (i == MOST) break;
        xl_str_puts(out, "<tr><td>");
        put_escaped(out, xl_words_text(row, "name"));
        xl_str_puts(out, "</td>");
        put_numbers(out, row, &scale, xl_words_text(row, "verdict"));
        put_verdict(out, row);
    }
    close_table(out);
    xl_str_puts(out, "</section>\n");
}

static void put_next(struct xl_str *out, const json_t *document) {
    const json_t *gaps = json_object_get(document, "gaps"),
                 *next = json_object_get(document, "next");
    struct xl_plot_scale scale = xl_plot_scale_of(document, gaps);
    size_t i;
    json_t *row;
    if (json_array_size(gaps)) {
        xl_str_puts(
            out,
            "<section>\n<h2>Tried too little to know</h2>\n<p class=\"note\">The most promising "
            "first. So many more pictures would show (four times in five) that it is "
            "loved twice as much as the average, if it is.</p>\n");
        open_table(out, "What", false);
        json_array_foreach(gaps, i, row) {
            xl_str_puts(out, "<tr><td>");
            put_escaped(out, xl_words_text(row, "value"));
            xl_str_puts(out, "<small>");
            put_escaped(out, xl_words_column(xl_words_text(row, "column")));
            xl_str_puts(out, "</small></td>");
            put_numbers(out, row, &scale, "unknown");
            xl_str_printf(out, "<td class=\"unknown\">%" JSON_INTEGER_FORMAT " more</td></tr>\n",
                          json_integer_value(json_object_get(row, "pictures_needed")));
        }
        close_table(out);
        xl_str_puts(out, "</section>\n");
    }
    if (!json_is_object(next)) return;
    xl_str_printf(
        out,
        "<section id=\"next\">\n<h2>The next sweep</h2>\n<p class=\"note\">%" JSON_INTEGER_FORMAT
        " pictures, %" JSON_INTEGER_FORMAT " of each of %" JSON_INTEGER_FORMAT
        " combinations: those that promise to be better than what is known, or of which "
        "too little is known.</p>\n<pre>",
        json_integer_value(json_object_get(next, "pictures")),
        json_integer_value(json_object_get(next, "batch")),
        json_integer_value(json_object_get(next, "cells")));
    put_escaped(out, xl_words_text(next, "command"));
    xl_str_puts(out, "</pre>\n<ul>\n");
    json_array_foreach(json_object_get(next, "reasons"), i, row) {
        xl_str_puts(out, "<li>");
        put_escaped(out, xl_words_text(row, "column"));
        xl_str_puts(out, " ");
        put_escaped(out, xl_words_text(row, "value"));
        xl_str_puts(out, ": ");
        put_escaped(out, xl_words_text(row, "text"));
        xl_str_puts(out, "</li>\n");
    }
    xl_str_puts(out, "</ul>\n</section>\n");
}

void xl_report_html(const json_t *document, struct xl_str *out) {
    const char *column;
    json_t *levels;
    put_head(out, document);
    xl_str_puts(out, "<main>\n");
    put_bundles(out, document);
    put_next(out, document);
    json_object_foreach(json_object_get(document, "tables"), column,
                        levels) if (json_array_size(levels) > 1)
        put_column(out, document, column, levels);
    put_words(out, document);
    put_pairs(out, document);
    xl_str_puts(out, "</main>\n<footer>\n");
    for (int i = 0; xl_words_explanation(i); i++) {
        xl_str_puts(out, "<p>");
        put_escaped(out, xl_words_explanation(i));
        xl_str_puts(out, "</p>\n");
    }
    xl_str_puts(out, "</footer>\n</body>\n</html>\n");
}
