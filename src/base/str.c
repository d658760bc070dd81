/* str.c - a growing string, and what is UTF-8. */
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

int xl_utf8_len(const char *text, size_t n) {
    const unsigned char *c = (const unsigned char *)text;
    if (n < 1) return 0;
    if (c[0] < 0x80) return 1;
    if (c[0] < 0xC2 || c[0] > 0xF4) return 0;
    int len = c[0] < 0xE0 ? 2 : c[0] < 0xF0 ? 3 : 4;
    if ((size_t)len > n) return 0;
    for (int i = 1; i < len; i++)
        if ((c[i] & 0xC0) != 0x80) return 0;
    if (c[0] == 0xE0 && c[1] < 0xA0) return 0; /* overlong */
    if (c[0] == 0xED && c[1] > 0x9F) return 0; /* surrogate */
    if (c[0] == 0xF0 && c[1] < 0x90) return 0; /* overlong */
    if (c[0] == 0xF4 && c[1] > 0x8F) return 0; /* above U+10FFFF */
    return len;
}

bool xl_utf8_valid(const char *text, size_t n) {
    for (size_t i = 0; i < n;) {
        int len = xl_utf8_len(text + i, n - i);
        if (!len) return false;
        i += (size_t)len;
    }
    return true;
}
