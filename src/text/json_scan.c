/* json_scan.c */
#include "text/json_scan.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

enum { MAX_DEPTH = 64 };

bool xl_span_is(struct xl_span span, const char *text) {
    return span.n == strlen(text) && !memcmp(span.at, text, span.n);
}

int xl_scan_line(const struct xl_scan *scan) {
    int line = 1;
    for (size_t i = 0; i < scan->at && i < scan->text.n; i++) line += scan->text.at[i] == '\n';
    return line;
}

char xl_scan_peek(struct xl_scan *scan) {
    const char *c = scan->text.at + scan->at, *end = scan->text.at + scan->text.n;
    while (c < end && (*c == ' ' || *c == '\n' || *c == '\r' || *c == '\t')) c++;
    scan->at = (size_t)(c - scan->text.at);
    return c < end ? *c : 0;
}

static enum xl_status unexpected(const struct xl_scan *scan, const char *expected,
                                 struct xl_err *err) {
    char found[8] = "its end";
    if (scan->at < scan->text.n) {
        unsigned char c = (unsigned char)scan->text.at[scan->at];
        snprintf(found, sizeof found, c > ' ' && c < 0x7F ? "'%c'" : "0x%02X", c);
    }
    return xl_fail(err, XL_EFORMAT, "%s:%d: not valid here: found %s, expected %s", scan->name,
                   xl_scan_line(scan), found, expected);
}

enum xl_status xl_scan_enter(struct xl_scan *scan, char bracket, struct xl_err *err) {
    if (xl_scan_peek(scan) != bracket)
        return unexpected(scan, bracket == '{' ? "an object" : "an array", err);
    scan->at++;
    scan->is_fresh = true;
    return XL_OK;
}

enum xl_status xl_scan_more(struct xl_scan *scan, char close, bool *more, struct xl_err *err) {
    bool is_fresh = scan->is_fresh;
    scan->is_fresh = false;
    char c = xl_scan_peek(scan);
    if (c == close) {
        scan->at++;
        *more = false;
        return XL_OK;
    }
    if (!is_fresh) {
        if (c != ',') return unexpected(scan, close == '}' ? "',' or '}'" : "',' or ']'", err);
        scan->at++;
    }
    *more = true;
    return XL_OK;
}

static int hex4(const char *text, const char *end) {
    if (end - text < 4) return -1;
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* \uXXXX, or two of them for a character beyond U+FFFF. *text is behind the u. -1: neither */
static int32_t unescape_code(const char **text, const char *end) {
    int32_t c = hex4(*text, end);
    if (c < 0 || (c >= 0xDC00 && c <= 0xDFFF)) return -1;
    *text += 4;
    if (c < 0xD800 || c > 0xDBFF) return c;
    if (end - *text < 2 || (*text)[0] != '\\' || (*text)[1] != 'u') return -1;
    int32_t low = hex4(*text + 2, end);
    if (low < 0xDC00 || low > 0xDFFF) return -1;
    *text += 6;
    return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
}

/* Decode the escapes of `raw` into out, which has room for raw.n bytes (no escape is shorter than
 * what it stands for). Returns the length, or -1 for an escape that JSON does not have. */
static ptrdiff_t unescape(struct xl_span raw, char *out) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *text = raw.at, *end = raw.at + raw.n;
    char *start = out;
    while (text < end) {
        if (*text != '\\') {
            *out++ = *text++;
            continue;
        }
        text++; /* the reader of the raw string saw to it that a byte follows */
        const char *name = *text ? strchr(names, *text) : NULL;
        if (name) {
            *out++ = values[name - names];
            text++;
        } else if (*text == 'u') {
            text++;
            int32_t c = unescape_code(&text, end);
            if (c < 0) return -1;
            out += utf8proc_encode_char(c, (utf8proc_uint8_t *)out);
        } else {
            return -1;
        }
    }
    return out - start;
}

/* The bytes between the quotes. *has_escape: they are not yet the string. */
static enum xl_status raw_string(struct xl_scan *scan, struct xl_span *raw, bool *has_escape,
                                 struct xl_err *err) {
    if (xl_scan_peek(scan) != '"') return unexpected(scan, "a string", err);
    const char *start = scan->text.at + scan->at + 1, *end = scan->text.at + scan->text.n;
    const char *c = start;
    unsigned char seen = 0;
    *has_escape = false;
    for (; c < end && *c != '"'; c++) {
        seen |= (unsigned char)*c;
        if ((unsigned char)*c < ' ') break;
        if (*c != '\\') continue;
        *has_escape = true;
        if (++c == end) break;
    }
    if (c == end || *c != '"') {
        scan->at = (size_t)(c - scan->text.at);
        return unexpected(scan, "the end of a string", err);
    }
    *raw = (struct xl_span){start, (size_t)(c - start)};
    if (seen >= 0x80 && !xl_utf8_valid(raw->at, raw->n))
        return xl_fail(err, XL_EFORMAT, "%s:%d: a string that is not UTF-8", scan->name,
                       xl_scan_line(scan));
    scan->at = (size_t)(c + 1 - scan->text.at);
    return XL_OK;
}

enum xl_status xl_scan_string(struct xl_scan *scan, struct xl_span *string, struct xl_err *err) {
    struct xl_span raw;
    bool has_escape = false;
    enum xl_status status = raw_string(scan, &raw, &has_escape, err);
    if (status) return status;
    if (has_escape) {
        char *decoded = xl_arena_alloc(&scan->strings, raw.n);
        if (!decoded) return xl_fail_nomem(err, scan->name, raw.n);
        ptrdiff_t n = unescape(raw, decoded);
        if (n < 0)
            return xl_fail(err, XL_EFORMAT,
                           "%s:%d: a string with an escape that JSON does not have", scan->name,
                           xl_scan_line(scan));
        raw = (struct xl_span){decoded, (size_t)n};
    }
    *string = raw;
    return XL_OK;
}

static enum xl_status colon(struct xl_scan *scan, struct xl_err *err) {
    if (xl_scan_peek(scan) != ':') return unexpected(scan, "':'", err);
    scan->at++;
    return XL_OK;
}

enum xl_status xl_scan_key(struct xl_scan *scan, struct xl_span *key, struct xl_err *err) {
    enum xl_status status = xl_scan_string(scan, key, err);
    return status ? status : colon(scan, err);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

enum xl_status xl_scan_int(struct xl_scan *scan, int32_t max, int32_t *value, struct xl_err *err) {
    if (!is_digit(xl_scan_peek(scan))) return unexpected(scan, "a whole number", err);
    size_t start = scan->at;
    int64_t number = 0;
    for (; scan->at < scan->text.n && is_digit(scan->text.at[scan->at]); scan->at++) {
        number = number * 10 + (scan->text.at[scan->at] - '0');
        if (number > max || (scan->at > start && scan->text.at[start] == '0'))
            return xl_fail(err, XL_EFORMAT, "%s:%d: expected a whole number from 0 to %d",
                           scan->name, xl_scan_line(scan), (int)max);
    }
    *value = (int32_t)number;
    return XL_OK;
}

static size_t digits(const struct xl_scan *scan, size_t at) {
    size_t n = 0;
    while (at + n < scan->text.n && is_digit(scan->text.at[at + n])) n++;
    return n;
}

static bool byte_is(const struct xl_scan *scan, size_t at, const char *any) {
    return at < scan->text.n && scan->text.at[at] && strchr(any, scan->text.at[at]);
}

static enum xl_status skip_number(struct xl_scan *scan, struct xl_err *err) {
    size_t at = scan->at + byte_is(scan, scan->at, "-"), n = digits(scan, at);
    if (!n || (n > 1 && scan->text.at[at] == '0')) return unexpected(scan, "a value", err);
    at += n;
    if (byte_is(scan, at, ".")) {
        n = digits(scan, at + 1);
        if (!n) return unexpected(scan, "a number with digits behind the point", err);
        at += 1 + n;
    }
    if (byte_is(scan, at, "eE")) {
        at += 1 + byte_is(scan, at + 1, "+-");
        n = digits(scan, at);
        if (!n) return unexpected(scan, "a number with digits in the exponent", err);
        at += n;
    }
    scan->at = at;
    return XL_OK;
}

static enum xl_status skip(struct xl_scan *scan, int depth, struct xl_err *err);

static enum xl_status skip_members(struct xl_scan *scan, char open, int depth, struct xl_err *err) {
    if (depth == MAX_DEPTH)
        return xl_fail(err, XL_EFORMAT, "%s: JSON nested deeper than %d levels", scan->name,
                       MAX_DEPTH);
    char close = open == '{' ? '}' : ']';
    bool more;
    enum xl_status status = xl_scan_enter(scan, open, err);
    if (status) return status;
    while (!(status = xl_scan_more(scan, close, &more, err)) && more) {
        struct xl_span key;
        if (open == '{') status = xl_scan_key(scan, &key, err);
        if (!status) status = skip(scan, depth + 1, err);
        if (status) return status;
    }
    return status;
}

static enum xl_status skip(struct xl_scan *scan, int depth, struct xl_err *err) {
    static const char *const words[] = {"true", "false", "null"};
    struct xl_span string;
    char c = xl_scan_peek(scan);
    if (c == '{' || c == '[') return skip_members(scan, c, depth, err);
    if (c == '"') return xl_scan_string(scan, &string, err);
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if (scan->text.n - scan->at < n || memcmp(scan->text.at + scan->at, words[i], n)) continue;
        scan->at += n;
        return XL_OK;
    }
    return skip_number(scan, err);
}

enum xl_status xl_scan_value(struct xl_scan *scan, struct xl_span *value, struct xl_err *err) {
    xl_scan_peek(scan);
    size_t start = scan->at;
    enum xl_status status = skip(scan, 0, err);
    if (!status) *value = (struct xl_span){scan->text.at + start, scan->at - start};
    return status;
}

enum xl_status xl_scan_end(struct xl_scan *scan, struct xl_err *err) {
    xl_scan_peek(scan);
    return scan->at == scan->text.n ? XL_OK : unexpected(scan, "the end of the file", err);
}

void xl_scan_deinit(struct xl_scan *scan) {
    xl_arena_deinit(&scan->strings);
}
