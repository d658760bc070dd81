/* json.c - configuration files through jansson, with limits that it does not have, and getters that
 * say what is wrong. No state: any thread. */
#include "base/json.h"
#include "base/file.h"
#include "base/json_scan.h"
#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Before parsing: is it nested deeper than it may be? (jansson's own limit is 2048 levels; a config
 * needs three.) On the way words for "no limit" become null, padded with blanks so that positions
 * in messages stay right: Infinity, which Python's json module writes and JSON does not have, and
 * integers beyond 64 bits (transformers writes int(1e30) for a length that nobody set). */
static bool prepare(char *text, size_t n) {
    struct xl_scan scan = xl_scan_text("", text, n);
    struct xl_span token;
    for (int depth = 0; (token = xl_scan_token(&scan)).n;) {
        depth += *token.at == '{' || *token.at == '[';
        depth -= *token.at == '}' || *token.at == ']';
        if (depth > XL_JSON_MAX_DEPTH) return false;
        enum xl_json_word word = xl_json_word(token);
        if (word != XL_WORD_INFINITE && word != XL_WORD_LARGE) continue;
        char *at = text + (token.at - text);
        memset(at, ' ', token.n);
        memcpy(at, "null", 4);
    }
    return true;
}

enum xl_status xl_json_parse(const char *name, const char *text, size_t n, json_t **root,
                             struct xl_err *err) {
    char *copy = malloc(n + 1);
    if (!copy) return xl_fail_nomem(err, name, n + 1);
    memcpy(copy, text, n);
    if (!prepare(copy, n)) {
        free(copy);
        return xl_fail(err, XL_EFORMAT, "%s: JSON nested deeper than %d levels", name,
                       XL_JSON_MAX_DEPTH);
    }
    json_error_t error;
    xl_json_watch();
    json_t *value = json_loadb(copy, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    free(copy);
    if (xl_json_ran_out()) {
        json_decref(value);
        return xl_fail_nomem(err, name, 0);
    }
    if (!value)
        return xl_fail(err, XL_EFORMAT, "%s:%d:%d: not valid JSON: %s", name, error.line,
                       error.column, error.text);
    if (!json_is_object(value)) {
        json_decref(value);
        return xl_fail(err, XL_EFORMAT, "%s: expected a JSON object", name);
    }
    *root = value;
    return XL_OK;
}

bool xl_json_fits(const char *text, size_t n, char key[XL_JSON_KEY]) {
    struct xl_scan scan = xl_scan_text("", text, n);
    struct xl_span token, last = {0}, keys[XL_JSON_MAX_DEPTH + 2] = {{0}};
    for (int depth = 0; (token = xl_scan_token(&scan)).n; last = token) {
        if (*token.at == '{' || *token.at == '[') {
            depth++;
            keys[depth] = keys[depth - 1]; /* of an array: that of the member */
        } else if (*token.at == '}' || *token.at == ']') {
            depth--;
        } else if (*token.at == ':' && last.n >= 2) {
            keys[depth] = (struct xl_span){last.at + 1, last.n - 2};
        } else if (xl_json_word(token) == XL_WORD_LARGE) {
            snprintf(key, XL_JSON_KEY, "%.*s", (int)(keys[depth].n < 60 ? keys[depth].n : 60),
                     keys[depth].at ? keys[depth].at : "");
            return false;
        }
    }
    return true;
}

enum xl_status xl_json_load(const char *path, json_t **root, struct xl_err *err) {
    char *text;
    size_t n;
    struct xl_read_rule rule = {64u << 20, XL_EMODEL, XL_EFORMAT};
    enum xl_status status = xl_file_read(path, rule, &text, &n, err);
    if (status) return status;
    status = xl_json_parse(path, text, n, root, err);
    free(text);
    return status;
}

static const char *type_name(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "?";
}

static const json_t *present(struct xl_json json, const char *key) {
    const json_t *value = json_object_get(json.object, key);
    return value && !json_is_null(value) ? value : NULL;
}

static enum xl_status wrong_type(struct xl_json json, const char *key, const json_t *value,
                                 const char *expected, struct xl_err *err) {
    return xl_fail(err, XL_EFORMAT, "%s: \"%s\" is %s, expected %s", json.name, key,
                   type_name(value), expected);
}

static enum xl_status int_in_range(struct xl_json json, const char *key, const json_t *value,
                                   int64_t min, int64_t max, int *out, struct xl_err *err) {
    if (!json_is_integer(value)) return wrong_type(json, key, value, "an integer", err);
    json_int_t found = json_integer_value(value);
    if (found < min || found > max)
        return xl_fail(err, XL_EFORMAT, "%s: \"%s\" is %lld, expected %lld to %lld", json.name, key,
                       (long long)found, (long long)min, (long long)max);
    *out = (int)found;
    return XL_OK;
}

enum xl_status xl_json_int(struct xl_json json, const char *key, int64_t min, int64_t max,
                           int *value, struct xl_err *err) {
    const json_t *found = present(json, key);
    return found ? int_in_range(json, key, found, min, max, value, err) : XL_OK;
}

enum xl_status xl_json_double(struct xl_json json, const char *key, double min, double max,
                              double *value, struct xl_err *err) {
    const json_t *found = present(json, key);
    if (!found) return XL_OK;
    if (!json_is_number(found)) return wrong_type(json, key, found, "a number", err);
    double number = json_number_value(found);
    if (!(number >= min && number <= max))
        return xl_fail(err, XL_EFORMAT, "%s: \"%s\" is %g, expected %g to %g", json.name, key,
                       number, min, max);
    *value = number;
    return XL_OK;
}

enum xl_status xl_json_bool(struct xl_json json, const char *key, bool *value, struct xl_err *err) {
    const json_t *found = json_object_get(json.object, key);
    if (!found) return XL_OK;
    if (json_is_null(found)) return *value = false, XL_OK;
    if (!json_is_boolean(found)) return wrong_type(json, key, found, "true or false", err);
    *value = json_is_true(found);
    return XL_OK;
}

enum xl_status xl_json_string(struct xl_json json, const char *key, const char **value,
                              struct xl_err *err) {
    const json_t *found = present(json, key);
    if (!found) return XL_OK;
    if (!json_is_string(found)) return wrong_type(json, key, found, "a string", err);
    if (strlen(json_string_value(found)) != json_string_length(found))
        return xl_fail(err, XL_EFORMAT, "%s: \"%s\" holds a NUL character", json.name, key);
    *value = json_string_value(found);
    return XL_OK;
}

enum xl_status xl_json_int_array(struct xl_json json, const char *key, int64_t min, int64_t max,
                                 int *values, int max_n, int *n, struct xl_err *err) {
    const json_t *found = present(json, key);
    *n = 0;
    if (!found) return XL_OK;
    if (json_is_integer(found)) {
        enum xl_status status = int_in_range(json, key, found, min, max, values, err);
        if (!status) *n = 1;
        return status;
    }
    if (!json_is_array(found)) return wrong_type(json, key, found, "an array of integers", err);
    size_t count = json_array_size(found);
    if (count < 1 || count > (size_t)max_n)
        return xl_fail(err, XL_EFORMAT, "%s: \"%s\" has %zu entries, expected 1 to %d", json.name,
                       key, count, max_n);
    for (size_t i = 0; i < count; i++) {
        enum xl_status status =
            int_in_range(json, key, json_array_get(found, i), min, max, &values[i], err);
        if (status) return status;
    }
    *n = (int)count;
    return XL_OK;
}

json_t *xl_json_text(const char *text) {
    if (!text) return json_null();
    struct xl_str clean = {0};
    xl_str_append_utf8(&clean, text, strlen(text));
    char *utf8 = xl_str_take(&clean);
    json_t *string = utf8 ? json_string(utf8) : NULL;
    free(utf8);
    return string;
}

json_t *xl_json_seed(uint64_t seed) {
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)seed);
    return json_string(digits);
}

/* The earlier app wrote numbers, and what went through Python may be one with a point. */
static bool seed_of_number(double number, uint64_t *seed) {
    if (!(number >= 0 && number < 9007199254740992.0) || number != floor(number)) return false;
    *seed = (uint64_t)number;
    return true;
}

bool xl_json_read_seed(const json_t *value, uint64_t *seed) {
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        if (number >= 0) *seed = (uint64_t)number;
        return number >= 0;
    }
    if (json_is_real(value)) return seed_of_number(json_real_value(value), seed);
    const char *text = json_string_value(value);
    if (!text || !*text || strspn(text, "0123456789") != strlen(text)) return false;
    errno = 0;
    unsigned long long number = strtoull(text, NULL, 10);
    if (errno) return false;
    *seed = number;
    return true;
}

void xl_json_put(json_t *object, const char *key, json_t *value, bool *ok) {
    if (json_object_set_new(object, key, value)) *ok = false;
}

json_t *xl_json_finish(json_t *object, bool ok) {
    if (ok) return object;
    json_decref(object);
    return NULL;
}

/* Write a number again at *to; jansson's is 17 digits long, so no text grows. */
static void shorten(const char *number, size_t n, char **to) {
    char text[XL_REAL_MAX + 2], whole[XL_REAL_MAX];
    bool is_real = n < sizeof whole && (memchr(number, '.', n) || memchr(number, 'e', n));
    if (!is_real) {
        memmove(*to, number, n);
        *to += n;
        return;
    }
    memcpy(whole, number, n);
    whole[n] = 0;
    int length = xl_real_text(strtod(whole, NULL), text);
    if (!strpbrk(text, ".e")) strcpy(text + length, ".0"), length += 2; /* it stays a real */
    memcpy(*to, text, (size_t)length);
    *to += length;
}

/* In place: what is no number of a JSON text is copied. */
static void shorten_reals(char *text) {
    char *to = text;
    bool is_string = false;
    for (const char *at = text; *at;) {
        size_t n = is_string ? 0 : strspn(at, "-+.eE0123456789");
        bool is_number = n && (at[0] == '-' || (at[0] >= '0' && at[0] <= '9'));
        if (is_number) {
            shorten(at, n, &to);
            at += n;
            continue;
        }
        if (*at == '"') is_string = !is_string;
        if (is_string && *at == '\\' && at[1]) *to++ = *at++;
        *to++ = *at++;
    }
    *to = 0;
}

char *xl_json_dump(const json_t *value, size_t flags) {
    const size_t digits = JSON_REAL_PRECISION(0x1F);
    char *text = json_dumps(value, flags);
    if (text && !(flags & digits)) shorten_reals(text);
    return text;
}

char *xl_json_take_text(json_t *object, bool ok, size_t flags) {
    char *text = ok && object ? xl_json_dump(object, flags) : NULL;
    json_decref(object);
    if (!xl_json_ran_out()) return text;
    free(text);
    return NULL;
}
