/* log_line.c - taking what is wanted out of a line of JSON. Keeps no state. */
#include "insight/index/log_line.h"
#include "base/json.h"
#include "base/str.h"
#include "insight/index/hash.h"
#include "lab/log/job_parse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* --- Stepping over ---------------------------------------------------------------------------- */

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) at++;
    return at;
}

/* Behind the string that begins at a quote; NULL: it does not end. */
static const char *skip_string(const char *at, const char *end) {
    const char *from = at + 1;
    for (const char *quote = from; quote < end; quote++) {
        quote = memchr(quote, '"', (size_t)(end - quote));
        if (!quote) return NULL;
        const char *slash = quote;
        while (slash > from && slash[-1] == '\\') slash--;
        if ((quote - slash) % 2 == 0) return quote + 1;
    }
    return NULL;
}

/* Behind the object or array that begins here. */
static const char *skip_nested(const char *at, const char *end) {
    int depth = 0;
    while (at && at < end) {
        char c = *at;
        if (c == '"') {
            at = skip_string(at, end);
            continue;
        }
        at++;
        if (c == '{' || c == '[') depth++;
        if ((c == '}' || c == ']') && --depth == 0) return at;
        if (depth > XL_JSON_MAX_DEPTH) return NULL;
    }
    return NULL;
}

/* Words that JSON has; others are for the parser. */
static const char *skip_word(const char *at, const char *end) {
    const char *begin = at;
    while (at < end && *at != ',' && *at != '}' && *at != ']' && *at != ' ' && *at != '\t') at++;
    char first = *begin;
    bool is_plain = first == 't' || first == 'f' || first == 'n' ||
                    (first >= '0' && first <= '9') ||
                    (first == '-' && at > begin + 1 && begin[1] != 'I');
    return is_plain ? at : NULL;
}

static const char *skip_value(const char *at, const char *end) {
    if (at >= end) return NULL;
    if (*at == '"') return skip_string(at, end);
    if (*at == '{' || *at == '[') return skip_nested(at, end);
    return skip_word(at, end);
}

/* --- Values ----------------------------------------------------------------------------------- */

/* A number that is not written as a JSON text's end needs: copied. */
static bool read_real(struct xl_span json, double *out) {
    char text[64], *end;
    if (!json.n || json.n >= sizeof text) return false;
    memcpy(text, json.at, json.n);
    text[json.n] = 0;
    double value = strtod(text, &end);
    if (*end || !isfinite(value)) return false;
    *out = value;
    return true;
}

static bool read_digits(struct xl_span json, uint64_t *out) {
    uint64_t value = 0;
    if (!json.n || json.n > 20) return false;
    for (size_t i = 0; i < json.n; i++) {
        unsigned digit = (unsigned)json.at[i] - '0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static bool read_integer(struct xl_span json, int64_t *out) {
    uint64_t digits;
    double real;
    if (read_digits(json, &digits) && digits <= INT64_MAX) {
        *out = (int64_t)digits;
        return true;
    }
    if (!read_real(json, &real) || floor(real) != real || fabs(real) > 9e15) return false;
    *out = (int64_t)real;
    return true;
}

bool xl_log_line_seed(struct xl_span json, uint64_t *seed) {
    int64_t integer;
    bool is_quoted = json.n > 2 && json.at[0] == '"';
    if (is_quoted) json = (struct xl_span){json.at + 1, json.n - 2};
    if (read_digits(json, seed)) return true;
    if (is_quoted || !read_integer(json, &integer) || integer < 0) return false;
    *seed = (uint64_t)integer;
    return true;
}

static bool is_null(struct xl_span json) {
    return json.n == 4 && json.at[0] == 'n';
}

static void take_value(struct xl_log_line *line, int key, struct xl_span json) {
    const struct xl_columns *columns = xl_columns();
    struct xl_log_line_value *value = &line->value[key];
    bool is_taken = !is_null(json);
    if (is_taken && key < columns->n) {
        switch (columns->at[key].type) {
        case XL_COLUMN_NAME:
        case XL_COLUMN_TEXT:
            is_taken = json.at[0] == '"';
            if (is_taken) value->is.hash = xl_hash64(json.at + 1, json.n - 2, 0);
            break;
        case XL_COLUMN_INT:
            is_taken = read_integer(json, &value->is.integer);
            break;
        case XL_COLUMN_REAL:
            is_taken = read_real(json, &value->is.real);
            break;
        case XL_COLUMN_SEED:
            is_taken = xl_log_line_seed(json, &value->is.seed);
            break;
        }
    }
    value->text = is_taken ? json : (struct xl_span){0};
}

/* --- Lines ------------------------------------------------------------------------------------ */

static int find_key(const char *text, size_t n) {
    const char *key;
    for (int i = 0; (key = xl_log_line_key_at(i)); i++)
        if (strlen(key) == n && !memcmp(key, text, n)) return i;
    return -1;
}

/* Which key this is, in all likelihood the one that stood in this place in the line before. */
static int which_key(struct xl_log_line_order *order, int place, struct xl_span key) {
    uint64_t hash = xl_hash64(key.at, key.n, 1);
    if (place >= XL_LINE_ORDER_MAX) return find_key(key.at, key.n);
    if (order->at[place].hash != hash) {
        order->at[place].hash = hash;
        order->at[place].key = find_key(key.at, key.n);
    }
    return order->at[place].key;
}

static void clear(struct xl_log_line *line) {
    int n = xl_columns()->n + XL_LINE_KEYS;
    line->state = XL_LINE_DAMAGED;
    for (int i = 0; i < n; i++) line->value[i].text.n = 0;
}

/* False: not an object as programs write them. */
static bool scan(const char *at, const char *end, struct xl_log_line_order *order,
                 struct xl_log_line *out) {
    if (at == end || *at++ != '{') return false;
    at = skip_blanks(at, end);
    if (at < end && *at == '}') return skip_blanks(at + 1, end) == end;
    for (int place = 0;; place++) {
        at = skip_blanks(at, end);
        const char *begin = at;
        if (at == end || *at != '"' || !(at = skip_string(at, end))) return false;
        int key = which_key(order, place, (struct xl_span){begin + 1, (size_t)(at - begin) - 2});
        at = skip_blanks(at, end);
        if (at == end || *at++ != ':') return false;
        begin = at = skip_blanks(at, end);
        if (!(at = skip_value(at, end))) return false;
        if (key >= 0) take_value(out, key, (struct xl_span){begin, (size_t)(at - begin)});
        at = skip_blanks(at, end);
        if (at == end) return false;
        if (*at == '}') return skip_blanks(at + 1, end) == end;
        if (*at++ != ',') return false;
    }
}

enum xl_status xl_log_line_from_object(const json_t *object, struct xl_arena *arena,
                                       struct xl_log_line *out, struct xl_err *err) {
    const char *key;
    clear(out);
    out->state = XL_LINE_ENTRY;
    for (int i = 0; (key = xl_log_line_key_at(i)); i++) {
        const json_t *value = json_object_get(object, key);
        if (!value) continue;
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        const char *kept = text ? xl_arena_strdup(arena, text) : NULL;
        free(text);
        if (!kept) return xl_fail_nomem(err, "a line of a job log", 0);
        take_value(out, i, (struct xl_span){kept, strlen(kept)});
    }
    return XL_OK;
}

/* As the log's reader does. */
static enum xl_status parse(const char *text, size_t n, struct xl_arena *arena,
                            struct xl_log_line *out, struct xl_err *err) {
    struct xl_job_text line = {.text = text, .n = n};
    enum xl_status status = XL_OK;
    xl_job_parse(&line, 1, NULL);
    clear(out);
    if (line.object)
        status = xl_log_line_from_object(line.object, arena, out, err);
    else if (line.no_memory)
        status = xl_fail_nomem(err, "a line of a job log", n);
    xl_job_parse_free(&line, 1, NULL);
    return status;
}

enum xl_status xl_log_line_read(const char *text, size_t n, struct xl_log_line_order *order,
                                struct xl_arena *arena, struct xl_log_line *out,
                                struct xl_err *err) {
    const char *begin = skip_blanks(text, text + n);
    clear(out);
    if (begin == text + n) {
        out->state = XL_LINE_BLANK;
        return XL_OK;
    }
    if (!scan(begin, text + n, order, out)) return parse(text, n, arena, out, err);
    out->state = XL_LINE_ENTRY;
    return XL_OK;
}

const struct xl_log_line_value *xl_log_line_other(const struct xl_log_line *line,
                                                  enum xl_log_line_key key) {
    return &line->value[xl_columns()->n + (int)key];
}

bool xl_log_line_element(struct xl_span *at, struct xl_span *element) {
    const char *end = at->at + at->n, *begin = at->at;
    if (!at->n || (*begin != '[' && *begin != ',')) return false;
    begin = skip_blanks(begin + 1, end);
    const char *after = begin < end && *begin != ']' ? skip_value(begin, end) : NULL;
    if (!after) return false;
    *element = (struct xl_span){begin, (size_t)(after - begin)};
    after = skip_blanks(after, end);
    *at = (struct xl_span){after, (size_t)(end - after)};
    return true;
}

const char *xl_log_line_text(struct xl_span json, struct xl_arena *arena, size_t *n) {
    bool is_string = json.n >= 2 && json.at[0] == '"';
    size_t left = is_string ? json.n - 2 : 0, length = 0;
    const char *at = json.at + 1;
    /* Every character takes at most as many bytes as it is written with, but for what is no
     * character. */
    char *out = xl_arena_alloc(arena, 3 * left + 1);
    if (!out) return NULL;
    while (left) {
        int32_t code;
        if ((unsigned char)*at >= 32 && (unsigned char)*at < 128 && *at != '\\') {
            out[length++] = *at++;
            left--;
            continue;
        }
        size_t taken = xl_json_char(at, left, &code);
        length += (size_t)xl_utf8_put(code > 0 ? code : 0xFFFD, out + length);
        at += taken;
        left -= taken;
    }
    out[length] = 0;
    *n = length;
    return out;
}
