/* json_scan.c - the tokens of JSON, as RFC 8259 has them, from memory or from a file in pieces. */
#include "base/json_scan.h"
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    LONGEST_CHAR = 12, /* two escapes \uXXXX that are one character */
    MAX_DIGITS = 18,   /* any number of so many fits into 63 bits */
};

bool xl_span_is(struct xl_span span, const char *text) {
    return span.n == strlen(text) && !memcmp(span.at, text, span.n);
}

struct xl_scan xl_scan_text(const char *name, const char *text, size_t n) {
    return (struct xl_scan){.name = name, .begin = text, .at = text, .end = text + n};
}

void xl_scan_deinit(struct xl_scan *scan) {
    xl_arena_deinit(&scan->strings);
}

/* ---- Bytes ---- */

/* Get more of them behind those from scan->at on. False: there are no more, or no room. */
static bool fill(struct xl_scan *scan) {
    if (!scan->refill) return false;
    size_t left = scan->end > scan->at ? (size_t)(scan->end - scan->at) : 0;
    if (left) memmove(scan->buffer, scan->at, left);
    scan->before += scan->at - scan->begin;
    scan->begin = scan->at = scan->buffer;
    scan->end = scan->buffer + left;
    ssize_t got = scan->refill(scan->user, scan->buffer + left, scan->capacity - left);
    if (got < 0) scan->read_errno = errno;
    if (got > 0) scan->end += got;
    return got > 0;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_mark(char c) {
    return c == '{' || c == '}' || c == '[' || c == ']' || c == ':' || c == ',';
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

static int next_byte(struct xl_scan *scan) {
    return scan->at < scan->end || fill(scan) ? (unsigned char)*scan->at : -1;
}

int xl_scan_peek(struct xl_scan *scan) {
    while (next_byte(scan) >= 0 && is_blank(*scan->at)) scan->at++;
    return scan->at < scan->end ? (unsigned char)*scan->at : -1;
}

/* ---- Sentences ---- */

enum xl_status xl_scan_fail(const struct xl_scan *scan, struct xl_err *err, const char *format,
                            ...) {
    if (scan->read_errno)
        return xl_fail(err, XL_EFORMAT, "%s: cannot read: %s", scan->name,
                       strerror(scan->read_errno));
    struct xl_err what;
    va_list args;
    va_start(args, format);
    vsnprintf(what.text, sizeof what.text, format, args);
    va_end(args);
    if (scan->part)
        return xl_fail(err, XL_EFORMAT, "%s: damaged %s at byte %lld: %s", scan->name, scan->part,
                       (long long)(scan->before + (scan->at - scan->begin)), what.text);
    int line = 1;
    for (const char *c = scan->begin; c < scan->at; c++) line += *c == '\n';
    return xl_fail(err, XL_EFORMAT, "%s:%d: %s", scan->name, line, what.text);
}

static enum xl_status unexpected(const struct xl_scan *scan, const char *expected,
                                 struct xl_err *err) {
    char found[16] = "its end";
    if (scan->at < scan->end) {
        unsigned char c = (unsigned char)*scan->at;
        snprintf(found, sizeof found, c > ' ' && c < 0x7F ? "'%c'" : "byte 0x%02X", c);
    }
    return xl_scan_fail(scan, err, "expected %s, found %s", expected, found);
}

/* ---- Structure ---- */

enum xl_status xl_scan_take(struct xl_scan *scan, char byte, const char *what, struct xl_err *err) {
    if (xl_scan_peek(scan) != (unsigned char)byte) return unexpected(scan, what, err);
    scan->at++;
    return XL_OK;
}

enum xl_status xl_scan_enter(struct xl_scan *scan, char bracket, const char *what,
                             struct xl_err *err) {
    scan->is_fresh = true;
    return xl_scan_take(scan, bracket, what, err);
}

enum xl_status xl_scan_more(struct xl_scan *scan, char close, const char *what, bool *more,
                            struct xl_err *err) {
    bool is_fresh = scan->is_fresh;
    scan->is_fresh = false;
    int c = xl_scan_peek(scan);
    *more = c != close;
    if (c == close || (c == ',' && !is_fresh)) {
        scan->at++;
    } else if (!is_fresh) {
        char expected[80];
        snprintf(expected, sizeof expected, "a comma or the end of %s", what);
        return unexpected(scan, expected, err);
    }
    return XL_OK;
}

enum xl_status xl_scan_end(struct xl_scan *scan, struct xl_err *err) {
    return xl_scan_peek(scan) < 0 ? XL_OK : unexpected(scan, "the end of the file", err);
}

/* ---- Strings ---- */

/* The value of \uXXXX at text, or -1. */
static int32_t escaped_unit(const char *text, size_t n) {
    if (n < 6 || text[0] != '\\' || text[1] != 'u') return -1;
    int32_t value = 0;
    for (int i = 2; i < 6; i++) {
        char c = text[i], lower = (char)(c | 32);
        int digit = is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Half of a surrogate pair: the first begins at 0xD800, the second at 0xDC00. */
static bool is_half(int32_t unit, int32_t first) {
    return unit >= first && unit < first + 0x400;
}

size_t xl_json_char(const char *text, size_t n, int32_t *code) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (text[0] != '\\') {
        int length = xl_utf8_get(text, n, code);
        if (length < 0) *code = XL_JSON_NO_UTF8;
        return (size_t)(length < 0 ? -length : length);
    }
    if (n < 2) return *code = XL_JSON_NO_ESCAPE, 1;
    if (text[1] != 'u') {
        const char *name = text[1] ? strchr(names, text[1]) : NULL;
        return *code = name ? values[name - names] : XL_JSON_NO_ESCAPE, 2;
    }
    int32_t unit = escaped_unit(text, n);
    int32_t low = is_half(unit, 0xD800) ? escaped_unit(text + 6, n - 6) : -1;
    if (unit < 0) return *code = XL_JSON_NO_HEX, 2;
    if (is_half(low, 0xDC00))
        return *code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), LONGEST_CHAR;
    bool is_single = is_half(unit, 0xD800) || is_half(unit, 0xDC00);
    return *code = is_single ? XL_JSON_HALF_PAIR : unit, 6;
}

/* What lies `at` is not in a string of JSON. code: what xl_json_char made of it */
static enum xl_status fail_char(struct xl_scan *scan, const char *at, int32_t code,
                                const char *what, struct xl_err *err) {
    static const char *const faults[] = {
        [-XL_JSON_NO_UTF8] = "bytes that are not UTF-8",
        [-XL_JSON_HALF_PAIR] = "an escape that is half a surrogate pair",
        [-XL_JSON_NO_HEX] = "an escape \\u without four hex digits",
        [-XL_JSON_NO_ESCAPE] = "an escape that JSON does not have",
    };
    scan->at = at;
    if (at == scan->end)
        return xl_scan_fail(scan, err, "the %s ends within %s", scan->part ? scan->part : "text",
                            what);
    if (code < 0) return xl_scan_fail(scan, err, "%s in %s", faults[-code], what);
    return xl_scan_fail(scan, err, "a bare control character 0x%02X in %s", code, what);
}

/* Bytes that stand for themselves, as most do: how many there are. */
static size_t count_plain(const char *text, const char *end) {
    const char *c = text;
    while (c < end && *c != '"' && *c != '\\' && (unsigned char)*c >= ' ' && !(*c & 0x80)) c++;
    return (size_t)(c - text);
}

/* Take the string that is in the first n bytes, decoding it when it is not what is written. */
static enum xl_status take_string(struct xl_scan *scan, size_t n, size_t decoded_n,
                                  struct xl_span *string, struct xl_err *err) {
    struct xl_span raw = {scan->at, n};
    scan->at += n + 1;
    if (!string || decoded_n == n) {
        if (string) *string = raw;
        return XL_OK;
    }
    char *decoded = xl_arena_alloc(&scan->strings, decoded_n), *out = decoded;
    if (!decoded) return xl_fail_nomem(err, scan->name, decoded_n);
    for (size_t i = 0; i < n;) {
        int32_t code;
        if (raw.at[i] != '\\') {
            *out++ = raw.at[i++];
            continue;
        }
        i += xl_json_char(raw.at + i, n - i, &code);
        out += xl_utf8_put(code, out);
    }
    *string = (struct xl_span){decoded, decoded_n};
    return XL_OK;
}

enum xl_status xl_scan_string(struct xl_scan *scan, const char *what, size_t max,
                              struct xl_span *string, struct xl_err *err) {
    enum xl_status status = xl_scan_take(scan, '"', what, err);
    size_t n = 0, saved = 0; /* bytes that are passed; how many fewer they are decoded */
    while (!status) {
        n += count_plain(scan->at + n, scan->end);
        if (!string) scan->at += n, n = 0;
        if (string && n - saved > max)
            return xl_scan_fail(scan, err, "%s is longer than %zu bytes", what, max);
        size_t left = (size_t)(scan->end - scan->at) - n;
        if (left < LONGEST_CHAR && fill(scan)) continue;
        const char *c = scan->at + n;
        if (left && *c == '"') return take_string(scan, n, n - saved, string, err);
        int32_t code = 0;
        size_t length = left ? xl_json_char(c, left, &code) : 0;
        if (code < 0 || (length < 2 && code < ' ')) return fail_char(scan, c, code, what, err);
        char utf8[4];
        n += length;
        saved += length - (size_t)xl_utf8_put(code, utf8);
    }
    return status;
}

enum xl_status xl_scan_key(struct xl_scan *scan, struct xl_span *key, struct xl_err *err) {
    enum xl_status status = xl_scan_string(scan, "a string", SIZE_MAX, key, err);
    return status ? status : xl_scan_take(scan, ':', "a colon", err);
}

/* ---- Numbers and words ---- */

enum xl_status xl_scan_int(struct xl_scan *scan, const char *what, int64_t *value,
                           struct xl_err *err) {
    int c = xl_scan_peek(scan);
    if (!is_digit(c)) {
        char expected[80];
        snprintf(expected, sizeof expected, "%s, a whole number", what);
        return unexpected(scan, expected, err);
    }
    bool leading_zero = c == '0';
    int64_t number = 0;
    int n_digits = 0;
    for (; is_digit(c = next_byte(scan)); scan->at++, n_digits++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, c - '0', &number))
            return xl_scan_fail(scan, err, "%s is beyond 2^63", what);
    if (leading_zero && n_digits > 1) return xl_scan_fail(scan, err, "%s has a leading zero", what);
    if (c == '.' || c == 'e' || c == 'E')
        return xl_scan_fail(scan, err, "%s is not a whole number", what);
    *value = number;
    return XL_OK;
}

struct xl_span xl_scan_token(struct xl_scan *scan) {
    int first = xl_scan_peek(scan);
    const char *start = scan->at, *end = scan->end, *c = start;
    if (first == '"') {
        for (c++; c < end && *c != '"'; c++) c += *c == '\\' && c + 1 < end;
        c += c < end;
    } else if (first > 0 && is_mark((char)first)) {
        c++;
    } else {
        while (c < end && !is_blank(*c) && *c != '"' && !is_mark(*c)) c++;
    }
    scan->at = c;
    return (struct xl_span){start, (size_t)(c - start)};
}

/* Whether a whole number, of which so many bytes are its sign, fits into 64 bits. */
static bool fits(struct xl_span word, size_t sign) {
    int64_t number = 0;
    for (size_t i = sign; i < word.n; i++) {
        int digit = word.at[i] - '0';
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, sign ? -digit : digit, &number))
            return false;
    }
    return true;
}

enum xl_json_word xl_json_word(struct xl_span word) {
    if (xl_span_is(word, "NaN")) return XL_WORD_NAN;
    if (xl_span_is(word, "Infinity") || xl_span_is(word, "-Infinity")) return XL_WORD_INFINITE;
    size_t sign = word.n && word.at[0] == '-', i = sign;
    while (i < word.n && is_digit(word.at[i])) i++;
    return i == word.n && i - sign > MAX_DIGITS && !fits(word, sign) ? XL_WORD_LARGE
                                                                     : XL_WORD_PLAIN;
}

static size_t count_digits(const char *text, const char *end) {
    const char *c = text;
    while (c < end && is_digit(*c)) c++;
    return (size_t)(c - text);
}

/* What was expected where a word is no number, or NULL. */
static const char *number_fault(struct xl_span word) {
    const char *c = word.at, *end = c + word.n;
    c += c < end && *c == '-';
    size_t n = count_digits(c, end);
    if (!n || (n > 1 && *c == '0')) return "a value";
    c += n;
    if (c < end && *c == '.') {
        if (!(n = count_digits(++c, end))) return "a number with digits behind the point";
        c += n;
    }
    if (c < end && (*c == 'e' || *c == 'E')) {
        c++;
        c += c < end && (*c == '+' || *c == '-');
        if (!(n = count_digits(c, end))) return "a number with digits in the exponent";
        c += n;
    }
    return c < end ? "a value" : NULL;
}

static enum xl_status skip_word(struct xl_scan *scan, struct xl_err *err) {
    struct xl_span word = xl_scan_token(scan);
    if (xl_span_is(word, "true") || xl_span_is(word, "false") || xl_span_is(word, "null"))
        return XL_OK;
    const char *expected = number_fault(word);
    if (!expected) return XL_OK;
    scan->at = word.at;
    return unexpected(scan, expected, err);
}

/* ---- Values ---- */

static enum xl_status skip(struct xl_scan *scan, int depth, struct xl_err *err);

static enum xl_status skip_members(struct xl_scan *scan, char open, int depth, struct xl_err *err) {
    if (depth == XL_JSON_MAX_DEPTH)
        return xl_fail(err, XL_EFORMAT, "%s: JSON nested deeper than %d levels", scan->name,
                       XL_JSON_MAX_DEPTH);
    bool is_object = open == '{', more;
    const char *what = is_object ? "an object" : "an array";
    enum xl_status status = xl_scan_enter(scan, open, what, err);
    while (!status && !(status = xl_scan_more(scan, is_object ? '}' : ']', what, &more, err)) &&
           more) {
        struct xl_span key;
        if (is_object) status = xl_scan_key(scan, &key, err);
        if (!status) status = skip(scan, depth + 1, err);
    }
    return status;
}

static enum xl_status skip(struct xl_scan *scan, int depth, struct xl_err *err) {
    int c = xl_scan_peek(scan);
    if (c == '{' || c == '[') return skip_members(scan, (char)c, depth, err);
    if (c == '"') return xl_scan_string(scan, "a string", SIZE_MAX, NULL, err);
    return skip_word(scan, err);
}

enum xl_status xl_scan_value(struct xl_scan *scan, struct xl_span *value, struct xl_err *err) {
    xl_scan_peek(scan);
    const char *start = scan->at;
    enum xl_status status = skip(scan, 0, err);
    if (!status) *value = (struct xl_span){start, (size_t)(scan->at - start)};
    return status;
}
