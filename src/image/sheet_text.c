/* sheet_text.c - fitting text. cairo finds the fonts; where there are none it draws with a plain
 * one of its own. Text that reaches cairo is valid UTF-8: it takes anything else as a fatal error.
 */
#include "image/sheet_text.h"
#include "base/str.h"

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
    cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           style->is_bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, style->size);
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
        if (category == UTF8PROC_CATEGORY_CF) continue;
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
    cairo_text_extents_t extents;
    cairo_text_extents(cairo, text, &extents);
    return extents.x_advance;
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
    cairo_show_text(cairo, text);
    free(shorter);
    return width;
}

double xl_text_draw(cairo_t *cairo, const char *text, const struct xl_text_style *style,
                    struct xl_text_place place) {
    set_style(cairo, style);
    return draw_line(cairo, text, place);
}

/* Cut the first line off *text: as many words as fit, at least one. The line ends where a NUL is
 * put; *text moves on. */
static char *take_words(cairo_t *cairo, char **text, double width) {
    char *line = *text, *end = line + strlen(line), *fits = NULL;
    for (char *blank = strchr(line, ' '); blank; blank = strchr(blank + 1, ' ')) {
        *blank = 0;
        bool does_fit = width_of(cairo, line) <= width;
        *blank = ' ';
        if (!does_fit && fits) break;
        fits = blank;
        if (!does_fit) break;
    }
    if (!fits || width_of(cairo, line) <= width) {
        *text = end;
        return line;
    }
    *fits = 0;
    *text = fits + 1;
    return line;
}

void xl_text_draw_block(cairo_t *cairo, const char *text, const struct xl_text_style *style,
                        struct xl_text_place middle, int max_lines) {
    enum { MOST = 8 };
    char *copy = strdup(text), *rest = copy, *lines[MOST];
    if (!copy) return;
    if (max_lines > MOST) max_lines = MOST;
    set_style(cairo, style);
    int n = 0;
    while (*rest && n < max_lines - 1) lines[n++] = take_words(cairo, &rest, middle.width);
    if (*rest) lines[n++] = rest;
    double step = style->size * 1.35, y = middle.y - step * (n - 1) / 2 + style->size * 0.36;
    for (int i = 0; i < n; i++)
        draw_line(cairo, lines[i],
                  (struct xl_text_place){middle.x, y + step * i, middle.width, 0.5});
    free(copy);
}
