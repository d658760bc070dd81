/* str.c - a growing string, UTF-8, and how far two words are apart. No state: any thread. */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct xl_str *str, size_t n) {
    if (str->failed) return false;
    if (n < str->capacity - str->len) return true; /* one more for the NUL */
    size_t capacity = str->capacity ? str->capacity : 64;
    while (capacity - str->len <= n) {
        if (capacity > SIZE_MAX / 2) return str->failed = true, false;
        capacity *= 2;
    }
    char *text = realloc(str->text, capacity);
    if (!text) return str->failed = true, false;
    str->text = text;
    str->capacity = capacity;
    return true;
}

void xl_str_append(struct xl_str *str, const char *bytes, size_t n) {
    if (!reserve(str, n)) return;
    if (n) memcpy(str->text + str->len, bytes, n);
    str->len += n;
    str->text[str->len] = 0;
}

void xl_str_puts(struct xl_str *str, const char *text) {
    xl_str_append(str, text, strlen(text));
}

void xl_str_printf(struct xl_str *str, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !reserve(str, (size_t)n)) return;
    va_start(args, format);
    vsnprintf(str->text + str->len, (size_t)n + 1, format, args);
    va_end(args);
    str->len += (size_t)n;
}

void xl_str_append_utf8(struct xl_str *str, const char *bytes, size_t n) {
    for (size_t i = 0; i < n;) {
        int32_t code;
        int length = xl_utf8_get(bytes + i, n - i, &code);
        if (length > 0)
            xl_str_append(str, bytes + i, (size_t)length);
        else
            xl_str_puts(str, XL_REPLACEMENT);
        i += (size_t)abs(length);
    }
}

int xl_real_text(double value, char out[XL_REAL_MAX]) {
    enum { MOST = 17 }; /* digits tell every double apart */
    int digits = 0;
    do snprintf(out, XL_REAL_MAX, "%.*e", digits, value);
    while (++digits < MOST && strtod(out, NULL) != value);
    /* %g changes to an exponent where the digits do not reach the point: 100000 is 1e+05. */
    const char *e = strchr(out, 'e');
    int exponent = e ? atoi(e + 1) : 0;
    bool is_plain = exponent >= digits && exponent < MOST;
    int n = snprintf(out, XL_REAL_MAX, "%.*g", is_plain ? exponent + 1 : digits, value);
    char *mark = strchr(out, 'e');
    if (!mark) return n;
    /* "1e-07" is 1e-7, "1e+22" is 1e22. */
    char *to = mark + 1 + (mark[1] == '-'), *from = mark + 2;
    from += strspn(from, "0");
    memmove(to, from, strlen(from) + 1);
    return (int)strlen(out);
}

char *xl_str_take(struct xl_str *str) {
    xl_str_append(str, "", 0);
    char *text = str->failed ? NULL : str->text;
    if (!text) free(str->text);
    *str = (struct xl_str){0};
    return text;
}

void xl_str_deinit(struct xl_str *str) {
    free(str->text);
    *str = (struct xl_str){0};
}

/* What may follow a lead byte (Unicode 15, table 3-7): how many continuation bytes, and the range
 * of the first of them; n = 0 for a byte that leads nothing. */
struct lead {
    int n;
    unsigned char low, high;
};

static struct lead lead_of(unsigned char byte) {
    if (byte >= 0xC2 && byte <= 0xDF) return (struct lead){1, 0x80, 0xBF};
    if (byte >= 0xE0 && byte <= 0xEF)
        return (struct lead){2, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF};
    if (byte >= 0xF0 && byte <= 0xF4)
        return (struct lead){3, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF};
    return (struct lead){0};
}

int xl_utf8_get(const char *text, size_t n, int32_t *code) {
    const unsigned char *c = (const unsigned char *)text;
    if (n < 1) return 0;
    if (c[0] < 0x80) return *code = c[0], 1;
    struct lead lead = lead_of(c[0]);
    int32_t value = c[0] & (0x3F >> lead.n);
    int i = 1;
    for (; i <= lead.n && (size_t)i < n && c[i] >= lead.low && c[i] <= lead.high; i++) {
        value = value << 6 | (c[i] & 0x3F);
        lead.low = 0x80;
        lead.high = 0xBF;
    }
    if (!lead.n || i <= lead.n) return -i;
    *code = value;
    return i;
}

int xl_utf8_put(int32_t code, char out[4]) {
    if (code < 0x80) return out[0] = (char)code, 1;
    int n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (int i = n - 1; i; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | code);
    return n;
}

int xl_utf8_len(const char *text, size_t n) {
    int32_t code;
    int length = xl_utf8_get(text, n, &code);
    return length > 0 ? length : 0;
}

bool xl_utf8_valid(const char *text, size_t n) {
    for (size_t i = 0; i < n;) {
        int len = xl_utf8_len(text + i, n - i);
        if (!len) return false;
        i += (size_t)len;
    }
    return true;
}

const char *xl_plural(int64_t n, const char *one, const char *many) {
    return n == 1 ? one : many;
}

bool xl_ends_with(const char *text, const char *end) {
    size_t n = strlen(text), n_end = strlen(end);
    return n >= n_end && !strcmp(text + n - n_end, end);
}

size_t xl_common_beginning(const char *a, const char *b) {
    enum { FAR = 24 };
    size_t n = 0;
    while (a[n] && a[n] == b[n]) n++;
    while (n && ((unsigned char)a[n] & 0xC0) == 0x80) n--;
    size_t word = n;
    while (word && !strchr(" /,", a[word - 1])) word--;
    return n - word > FAR ? n : word;
}

/* Optimal string alignment: Levenshtein's distance, and a swap of neighbours is one. */
int xl_edit_distance(const char *a, const char *b, int max) {
    int n = (int)strlen(a), m = (int)strlen(b);
    if (abs(n - m) > max || n > XL_EDIT_MAX || m > XL_EDIT_MAX) return max + 1;
    int rows[3][XL_EDIT_MAX + 1], *before = rows[0], *above = rows[1], *row = rows[2];
    for (int j = 0; j <= m; j++) above[j] = j;
    for (int i = 1; i <= n; i++) {
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best) best = above[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (is_swap && before[j - 2] + 1 < best) best = before[j - 2] + 1;
            row[j] = best;
        }
        int *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[m] > max ? max + 1 : above[m];
}

void xl_str_put_shell_word(struct xl_str *str, const char *word) {
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:,=@";
    bool is_plain = word[0] && !word[strspn(word, safe)];
    if (!is_plain) xl_str_puts(str, "'");
    for (const char *c = word; *c; c++) {
        if (*c == '\'')
            xl_str_puts(str, "'\\''");
        else
            xl_str_append(str, c, 1);
    }
    if (!is_plain) xl_str_puts(str, "'");
}
