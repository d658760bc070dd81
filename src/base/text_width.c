/* text_width.c - columns of a terminal, by Unicode's East Asian widths. Keeps no state. */
#include "base/text_width.h"

#include <string.h>

#include <utf8proc.h>

static bool steers(utf8proc_int32_t c) {
    return c < 32 || (c >= 127 && c < 160) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F || c == 0x061C;
}

struct xl_text_char xl_text_next(const char *text) {
    utf8proc_int32_t c;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &c);
    if (n <= 0) return (struct xl_text_char){1, 1, false};
    if (steers(c)) return (struct xl_text_char){(int)n, 1, false};
    return (struct xl_text_char){(int)n, utf8proc_charwidth(c), true};
}

int xl_text_width(const char *text) {
    int width = 0;
    while (*text) {
        struct xl_text_char c = xl_text_next(text);
        width += c.n_columns;
        text += c.n_bytes;
    }
    return width;
}

size_t xl_text_fit(const char *text, int columns) {
    const char *at = text;
    while (*at) {
        struct xl_text_char c = xl_text_next(at);
        if (c.n_columns > columns) break;
        columns -= c.n_columns;
        at += c.n_bytes;
    }
    return (size_t)(at - text);
}

void xl_text_cut(char *text, int columns) {
    static const char dots[] = "...";
    if (columns < 0) columns = 0;
    if (xl_text_width(text) <= columns) return;
    int n_dots = columns < 3 ? columns : 3;
    /* What is cut has more columns than the dots, and no column has less than a byte. */
    memcpy(text + xl_text_fit(text, columns - n_dots), dots + 3 - n_dots, (size_t)n_dots + 1);
}

void xl_text_tame(char *text) {
    char *out = text;
    while (*text) {
        struct xl_text_char c = xl_text_next(text);
        if (c.is_shown)
            memmove(out, text, (size_t)c.n_bytes);
        else
            *out = '?';
        out += c.is_shown ? c.n_bytes : 1;
        text += c.n_bytes;
    }
    *out = 0;
}
