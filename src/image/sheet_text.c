/* sheet_text.c - fitting text. Text that reaches cairo is valid UTF-8: it takes anything else as a
 * fatal error.
 */
#include "image/sheet_text.h"
#include "base/str.h"
#include "image/sheet_font.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo.h>
#include <utf8proc.h>

static const char ellipsis[] = "\xE2\x80\xA6";

void xl_text_colour(cairo_t *cairo, uint32_t colour) {
    cairo_set_source_rgb(cairo, (colour >> 16) / 255.0, (colour >> 8 & 255) / 255.0,
                         (colour & 255) / 255.0);
}

static void set_style(cairo_t *cairo, const struct xl_text_style *style) {
    xl_font_select(cairo, style->is_bold, style->size);
    xl_text_colour(cairo, style->colour);
}

/* Line breaks and other control characters become blanks; what only steers the layout (marks of
 * direction, joiners) is left out: a label must not turn its neighbours around. */
char *xl_text_clean(const char *text) {
    enum { LONGEST = 1000 }; /* bytes; no label is as wide */
    struct xl_str out = {0};
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    size_t left = strlen(text);
    bool is_blank = true;
    while (left && out.len < LONGEST) {
        utf8proc_int32_t character = 0xFFFD;
        utf8proc_ssize_t n = utf8proc_iterate(at, (utf8proc_ssize_t)left, &character);
        if (n <= 0) n = 1, character = 0xFFFD;
        at += n;
        left -= (size_t)n;
        utf8proc_category_t category = utf8proc_category(character);
        bool picks_a_shape = character >= 0xFE00 && character <= 0xFE0F; /* of an emoji */
        if (category == UTF8PROC_CATEGORY_CF || picks_a_shape) continue;
        bool was_blank = is_blank;
        is_blank = character <= ' ' || category == UTF8PROC_CATEGORY_CC ||
                   category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
        if (is_blank && was_blank) continue;
        utf8proc_uint8_t bytes[4];
        utf8proc_ssize_t length = utf8proc_encode_char(is_blank ? ' ' : character, bytes);
        xl_str_append(&out, (char *)bytes, (size_t)length);
    }
    if (is_blank && out.len) out.text[--out.len] = 0;
    return xl_str_take(&out);
}

static double width_of(cairo_t *cairo, const char *text) {
    return xl_font_width(cairo, text);
}

/* Where text may be cut: the end of each character as people see it (a letter with its accents). */
struct cuts {
    size_t at[1024];
    int n;
};

static void find_cuts(const char *text, struct cuts *cuts) {
    enum { MAX = sizeof cuts->at / sizeof *cuts->at };
    size_t begin = 0, left = strlen(text);
    utf8proc_int32_t before = -1, state = 0;
    cuts->n = 0;
    while (left) {
        utf8proc_int32_t character;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text + begin,
                                              (utf8proc_ssize_t)left, &character);
        if (n <= 0) return;
        if (before >= 0 && cuts->n < MAX &&
            utf8proc_grapheme_break_stateful(before, character, &state))
            cuts->at[cuts->n++] = begin;
        before = character;
        begin += (size_t)n;
        left -= (size_t)n;
    }
}

/* The longest beginning of text, with an ellipsis, that is at most `width` wide; malloc'd. */
static char *shorten(cairo_t *cairo, const char *text, double width) {
    struct cuts cuts;
    find_cuts(text, &cuts);
    char *out = malloc(strlen(text) + sizeof ellipsis);
    if (!out) return NULL;
    int low = 0, high = cuts.n; /* characters kept: low fit, more than high do not */
    for (;;) {
        int middle = (low + high + 1) / 2;
        size_t length = middle ? cuts.at[middle - 1] : 0;
        while (length && text[length - 1] == ' ') length--;
        memcpy(out, text, length);
        strcpy(out + length, ellipsis);
        if (low == high) return out;
        if (width_of(cairo, out) <= width)
            low = middle;
        else
            high = middle - 1;
    }
}

static double draw_line(cairo_t *cairo, const char *text, struct xl_text_place place) {
    double width = width_of(cairo, text);
    char *shorter = width > place.width ? shorten(cairo, text, place.width) : NULL;
    if (shorter) width = width_of(cairo, text = shorter);
    cairo_move_to(cairo, (int)(place.x - place.align * width + 0.5), (int)(place.y + 0.5));
    xl_font_show(cairo, text);
    free(shorter);
    return width;
}

double xl_text_draw(cairo_t *cairo, const char *text, const struct xl_text_style *style,
                    struct xl_text_place place) {
    set_style(cairo, style);
    return draw_line(cairo, text, place);
}

/* Bytes of the longest beginning of a word that is at most `width` wide, one character at least. */
static size_t fit_characters(cairo_t *cairo, char *word, double width) {
    struct cuts cuts;
    find_cuts(word, &cuts);
    int low = 1, high = cuts.n + 1; /* characters: low are taken, high do not fit */
    while (high - low > 1) {
        int middle = (low + high) / 2;
        char kept = word[cuts.at[middle - 1]];
        word[cuts.at[middle - 1]] = 0;
        bool does_fit = width_of(cairo, word) <= width;
        word[cuts.at[middle - 1]] = kept;
        if (does_fit)
            low = middle;
        else
            high = middle;
    }
    return cuts.n ? cuts.at[low - 1] : strlen(word);
}

/* Cut the first line off *text: as many words as fit; of a word that is wider than a line (in
 * Japanese a sentence is one) as many characters. The line goes to `line`; *text moves on. */
static void take_line(cairo_t *cairo, char **text, double width, char *line, size_t size) {
    char *begin = *text, *end = begin + strlen(begin), *fits = NULL;
    if (width_of(cairo, begin) <= width) fits = end;
    for (char *blank = strchr(begin, ' '); fits != end && blank; blank = strchr(blank + 1, ' ')) {
        *blank = 0;
        bool does_fit = width_of(cairo, begin) <= width;
        *blank = ' ';
        if (!does_fit) break;
        fits = blank;
    }
    size_t n = fits ? (size_t)(fits - begin) : fit_characters(cairo, begin, width);
    snprintf(line, size, "%.*s", (int)n, begin);
    *text = begin + n + strspn(begin + n, " ");
}

enum { MAX_LINES = 16, LINE_MAX_BYTES = 1024 };

struct lines {
    char text[MAX_LINES][LINE_MAX_BYTES];
    int n;
};

/* The last line has all that is left; drawing cuts it. */
static void wrap(cairo_t *cairo, const char *text, double width, int max_lines,
                 struct lines *lines) {
    char copy[LINE_MAX_BYTES], *rest = copy;
    snprintf(copy, sizeof copy, "%s", text); /* clean text is shorter */
    if (max_lines > MAX_LINES) max_lines = MAX_LINES;
    for (lines->n = 0; *rest && lines->n < max_lines - 1; lines->n++)
        take_line(cairo, &rest, width, lines->text[lines->n], LINE_MAX_BYTES);
    if (*rest && max_lines > 0) snprintf(lines->text[lines->n++], LINE_MAX_BYTES, "%s", rest);
}

int xl_text_count_lines(cairo_t *cairo, const char *text, const struct xl_text_style *style,
                        double width, int max_lines) {
    struct lines lines;
    set_style(cairo, style);
    wrap(cairo, text, width, max_lines, &lines);
    return lines.n;
}

double xl_text_width_of(cairo_t *cairo, const char *text, const struct xl_text_style *style) {
    set_style(cairo, style);
    return width_of(cairo, text);
}

double xl_text_line_height(const struct xl_text_style *style) {
    return style->size * 1.35;
}

int xl_text_draw_lines(cairo_t *cairo, const char *text, const struct xl_text_style *style,
                       struct xl_text_place place, int max_lines) {
    struct lines lines;
    set_style(cairo, style);
    wrap(cairo, text, place.width, max_lines, &lines);
    for (int i = 0; i < lines.n; i++) {
        draw_line(cairo, lines.text[i], place);
        place.y += xl_text_line_height(style);
    }
    return lines.n;
}

void xl_text_draw_block(cairo_t *cairo, const char *text, const struct xl_text_style *style,
                        struct xl_text_place middle, int max_lines) {
    int n = xl_text_count_lines(cairo, text, style, middle.width, max_lines);
    middle.y += style->size * 0.36 - xl_text_line_height(style) * (n - 1) / 2;
    xl_text_draw_lines(cairo, text, style, middle, max_lines);
}
