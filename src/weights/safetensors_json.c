/* safetensors_json.c - JSON tokens, from a file in pieces, as RFC 8259 has them. */
#include "weights/safetensors_json.h"
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum xl_status xl_st_fail(const struct xl_st_lexer *lexer, struct xl_err *err, const char *format,
                          ...) {
    if (lexer->read_errno)
        return xl_fail(err, XL_EFORMAT, "%s: cannot read: %s", lexer->path,
                       strerror(lexer->read_errno));
    struct xl_err what;
    va_list args;
    va_start(args, format);
    vsnprintf(what.text, sizeof what.text, format, args);
    va_end(args);
    long long byte = (long long)(lexer->offset - (int64_t)(lexer->n - lexer->at));
    return xl_fail(err, XL_EFORMAT, "%s: damaged safetensors header at byte %lld: %s", lexer->path,
                   byte, what.text);
}

static bool load_chunk(struct xl_st_lexer *lexer) {
    int64_t left = lexer->end - lexer->offset;
    size_t want = left < XL_ST_CHUNK ? (size_t)left : XL_ST_CHUNK;
    ssize_t got;
    do got = want ? pread(lexer->fd, lexer->chunk, want, lexer->offset) : 0;
    while (got < 0 && errno == EINTR);
    if (got < 0) lexer->read_errno = errno;
    lexer->at = 0;
    lexer->n = got > 0 ? (size_t)got : 0;
    lexer->offset += (int64_t)lexer->n;
    return lexer->n > 0;
}

int xl_st_peek(struct xl_st_lexer *lexer) {
    if (lexer->at == lexer->n && !load_chunk(lexer)) return -1;
    return lexer->chunk[lexer->at];
}

int xl_st_peek_token(struct xl_st_lexer *lexer) {
    int c;
    while ((c = xl_st_peek(lexer)) == ' ' || c == '\t' || c == '\n' || c == '\r') lexer->at++;
    return c;
}

/* "'x'", or what there is instead of a printable character. */
static const char *quote(int c, char text[16]) {
    if (c < 0) return "its end";
    snprintf(text, 16, c > 32 && c < 127 ? "'%c'" : "byte 0x%02X", c);
    return text;
}

enum xl_status xl_st_take(struct xl_st_lexer *lexer, char byte, const char *what,
                          struct xl_err *err) {
    int c = xl_st_peek_token(lexer);
    char found[16];
    if (c != (unsigned char)byte)
        return xl_st_fail(lexer, err, "expected %s, found %s", what, quote(c, found));
    lexer->at++;
    return XL_OK;
}

static enum xl_status take_hex4(struct xl_st_lexer *lexer, const char *what, uint32_t *value,
                                struct xl_err *err) {
    *value = 0;
    for (int i = 0; i < 4; i++) {
        int c = xl_st_peek(lexer);
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return xl_st_fail(lexer, err, "\\u without four hex digits in %s", what);
        *value = *value << 4 | (uint32_t)digit;
        lexer->at++;
    }
    return XL_OK;
}

static size_t put_utf8(uint32_t code, char out[4]) {
    if (code < 0x80) return out[0] = (char)code, 1;
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | code);
    return n;
}

/* \u and the digits after it; two of them for a character beyond U+FFFF. */
static enum xl_status take_unicode(struct xl_st_lexer *lexer, const char *what, char out[4],
                                   size_t *n, struct xl_err *err) {
    uint32_t code, low;
    enum xl_status status = take_hex4(lexer, what, &code, err);
    if (status) return status;
    if (code >= 0xD800 && code < 0xE000) {
        if (code >= 0xDC00 || xl_st_peek(lexer) != '\\')
            return xl_st_fail(lexer, err, "half a surrogate pair in %s", what);
        lexer->at++;
        if (xl_st_peek(lexer) != 'u')
            return xl_st_fail(lexer, err, "half a surrogate pair in %s", what);
        lexer->at++;
        if ((status = take_hex4(lexer, what, &low, err))) return status;
        if (low < 0xDC00 || low >= 0xE000)
            return xl_st_fail(lexer, err, "half a surrogate pair in %s", what);
        code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00);
    }
    *n = put_utf8(code, out);
    return XL_OK;
}

static enum xl_status take_escape(struct xl_st_lexer *lexer, const char *what, char out[4],
                                  size_t *n, struct xl_err *err) {
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    int c = xl_st_peek(lexer);
    const char *letter = c > 0 ? strchr(letters, c) : NULL;
    if (c != 'u' && !letter)
        return xl_st_fail(lexer, err, "an escape that JSON does not have in %s", what);
    lexer->at++;
    if (c == 'u') return take_unicode(lexer, what, out, n, err);
    out[0] = meanings[letter - letters];
    *n = 1;
    return XL_OK;
}

static enum xl_status take_utf8(struct xl_st_lexer *lexer, const char *what, char out[4], size_t *n,
                                struct xl_err *err) {
    /* The lead byte says how many follow; the bytes may lie across two chunks. */
    for (*n = 0; *n < 4;) {
        int c = xl_st_peek(lexer);
        if (c < 0 || (*n && (c & 0xC0) != 0x80)) break;
        out[(*n)++] = (char)c;
        lexer->at++;
        if (xl_utf8_len(out, *n) == (int)*n) return XL_OK;
    }
    return xl_st_fail(lexer, err, "bytes that are not UTF-8 in %s", what);
}

/* The next character of a string, decoded; *n is 0 at the closing quote. */
static enum xl_status take_char(struct xl_st_lexer *lexer, const char *what, char out[4], size_t *n,
                                struct xl_err *err) {
    int c = xl_st_peek(lexer);
    if (c < 0) return xl_st_fail(lexer, err, "the header ends within %s", what);
    if (c < 32) return xl_st_fail(lexer, err, "a bare control character in %s", what);
    if (c >= 0x80) return take_utf8(lexer, what, out, n, err);
    lexer->at++;
    if (c == '\\') return take_escape(lexer, what, out, n, err);
    out[0] = (char)c;
    *n = c != '"';
    return XL_OK;
}

enum xl_status xl_st_take_name(struct xl_st_lexer *lexer, char *text, size_t max, const char *what,
                               struct xl_err *err) {
    enum xl_status status = xl_st_take(lexer, '"', what, err);
    for (size_t len = 0, n; !status; len += n) {
        char c[4];
        status = take_char(lexer, what, c, &n, err);
        if (status || n == 0) {
            text[len] = 0;
            break;
        }
        if ((unsigned char)c[0] < 32 || c[0] == 127)
            return xl_st_fail(lexer, err, "%s holds control character 0x%02X", what, c[0]);
        if (n > max - len) return xl_st_fail(lexer, err, "%s is longer than %zu bytes", what, max);
        memcpy(text + len, c, n);
    }
    return status;
}

/* Plain characters of a string, as most are: the metadata of a LoRA has millions. */
static void skip_plain(struct xl_st_lexer *lexer) {
    const uint8_t *c = lexer->chunk + lexer->at, *end = lexer->chunk + lexer->n;
    while (c < end && *c >= 32 && *c < 127 && *c != '"' && *c != '\\') c++;
    lexer->at = (size_t)(c - lexer->chunk);
}

enum xl_status xl_st_skip_string(struct xl_st_lexer *lexer, const char *what, struct xl_err *err) {
    enum xl_status status = xl_st_take(lexer, '"', what, err);
    for (size_t n = 1; !status && n;) {
        char c[4];
        skip_plain(lexer);
        status = take_char(lexer, what, c, &n, err);
    }
    return status;
}

enum xl_status xl_st_take_int(struct xl_st_lexer *lexer, const char *what, int64_t *value,
                              struct xl_err *err) {
    int c = xl_st_peek_token(lexer);
    char found[16];
    if (c < '0' || c > '9')
        return xl_st_fail(lexer, err, "expected %s, a whole number, found %s", what,
                          quote(c, found));
    bool leading_zero = c == '0';
    int64_t number = 0;
    int n_digits = 0;
    for (; (c = xl_st_peek(lexer)) >= '0' && c <= '9'; lexer->at++, n_digits++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, c - '0', &number))
            return xl_st_fail(lexer, err, "%s is beyond 2^63", what);
    if (leading_zero && n_digits > 1) return xl_st_fail(lexer, err, "%s has a leading zero", what);
    if (c == '.' || c == 'e' || c == 'E')
        return xl_st_fail(lexer, err, "%s is not a whole number", what);
    *value = number;
    return XL_OK;
}
