/* base64.c - three bytes as four digits, and back. */
#include "base/base64.h"

#include <stdlib.h>
#include <string.h>

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void xl_base64_put(struct xl_str *out, const void *bytes, size_t n) {
    const unsigned char *data = bytes;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        unsigned bits = (unsigned)data[i] << 16;
        if (left > 1) bits |= (unsigned)data[i + 1] << 8;
        if (left > 2) bits |= data[i + 2];
        const char text[4] = {DIGITS[bits >> 18], DIGITS[bits >> 12 & 63],
                              left > 1 ? DIGITS[bits >> 6 & 63] : '=',
                              left > 2 ? DIGITS[bits & 63] : '='};
        xl_str_append(out, text, 4);
    }
}

static int digit(char c) {
    const char *at = c ? strchr(DIGITS, c) : NULL;
    return at ? (int)(at - DIGITS) : -1;
}

bool xl_base64_read(const char *text, void **bytes, size_t *n) {
    size_t length = strlen(text), n_padding = 0, done = 0;
    unsigned bits = 0;
    if (length % 4) return false;
    while (n_padding < 2 && length > n_padding && text[length - 1 - n_padding] == '=') n_padding++;
    unsigned char *out = malloc(length / 4 * 3 + 1);
    for (size_t i = 0; out && i < length - n_padding; i++) {
        int value = digit(text[i]);
        if (value < 0) {
            free(out);
            return false;
        }
        bits = bits << 6 | (unsigned)value;
        if (i % 4) out[done++] = (unsigned char)(bits >> (6 - i % 4 * 2));
    }
    if (!out) return false;
    *bytes = out;
    *n = done;
    return true;
}
