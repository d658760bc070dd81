/* infotext.c - writing and reading the "parameters" text. The reader accepts exactly the pairs that
 * the web UI's regular expression accepts:
 *   \s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)
 * Source: AUTOMATIC1111 stable-diffusion-webui, modules/infotext_utils.py. */
#include "image/infotext.h"

#include "base/str.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

static const char NEGATIVE[] = "Negative prompt:";

enum { MIN_PAIRS = 3 };

/* ---- Characters, as Python's re and str see them ---- */

/* A piece of the text. */
struct span {
    const char *at, *end;
};

/* The character at span.at; bytes that are no UTF-8 count as one character each, of no class. */
static int32_t first_char(struct span span, int *n_bytes) {
    utf8proc_int32_t c = -1;
    utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)span.at, span.end - span.at, &c);
    *n_bytes = n > 0 ? (int)n : 1;
    return n > 0 ? c : -1;
}

static bool is_space(int32_t c) {
    if ((c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85) return true;
    utf8proc_category_t category = c < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(c);
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

static bool is_word(int32_t c) {
    if (c < 0) return false;
    utf8proc_category_t category = utf8proc_category(c);
    return c == '_' || (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

static bool is_key_char(int32_t c) {
    return is_word(c) || c == ' ' || c == '-' || c == '/';
}

/* Where the run of characters of a class that begins at span.at ends. */
static const char *skip(struct span span, bool (*in_class)(int32_t)) {
    while (span.at < span.end) {
        int n;
        if (!in_class(first_char(span, &n))) break;
        span.at += n;
    }
    return span.at;
}

static struct span strip(struct span span) {
    span.at = skip(span, is_space);
    while (span.end > span.at) {
        const char *last = span.end - 1;
        while (last > span.at && (*last & 0xC0) == 0x80) last--;
        int n;
        if (!is_space(first_char((struct span){last, span.end}, &n)) || last + n != span.end) break;
        span.end = last;
    }
    return span;
}

static bool starts_with(struct span span, const char *prefix) {
    size_t n = strlen(prefix);
    return (size_t)(span.end - span.at) >= n && !memcmp(span.at, prefix, n);
}

/* ---- Writing ---- */

/* As Python's json.dumps(value, ensure_ascii=False). */
static void write_quoted(struct xl_str *out, const char *value) {
    static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: character, letter */
    xl_str_puts(out, "\"");
    for (const char *c = value; *c; c++) {
        const char *letter = NULL;
        for (const char *e = escapes; *e && !letter; e += 2)
            if (*e == *c) letter = e + 1;
        if (letter)
            xl_str_printf(out, "\\%c", *letter);
        else if ((unsigned char)*c < 0x20)
            xl_str_printf(out, "\\u%04x", *c);
        else
            xl_str_append(out, c, 1);
    }
    xl_str_puts(out, "\"");
}

static void write_pair(struct xl_str *out, const struct xl_info_pair *pair) {
    xl_str_puts(out, pair->key);
    if (!strcmp(pair->key, pair->value)) return;
    xl_str_puts(out, ": ");
    if (strpbrk(pair->value, ",\n:"))
        write_quoted(out, pair->value);
    else
        xl_str_puts(out, pair->value);
}

char *xl_infotext_write(const struct xl_infotext *info) {
    struct xl_str out = {0};
    xl_str_puts(&out, info->prompt);
    if (info->negative[0]) xl_str_printf(&out, "\n%s %s", NEGATIVE, info->negative);
    const char *separator = "\n";
    for (int i = 0; i < info->n_pairs; i++) {
        if (!info->pairs[i].value) continue;
        xl_str_puts(&out, separator);
        write_pair(&out, &info->pairs[i]);
        separator = ", ";
    }
    char *text = xl_str_take(&out);
    if (!text) return NULL;
    struct span span = strip((struct span){text, text + strlen(text)});
    size_t n = (size_t)(span.end - span.at);
    memmove(text, span.at, n);
    text[n] = 0;
    return text;
}

/* ---- Reading pairs ---- */

/* The end of the quoted string that begins at span.at and is followed by a comma or the end of the
 * line; NULL when there is none. */
static const char *quoted_end(struct span span) {
    if (span.at == span.end || *span.at != '"') return NULL;
    const char *c = span.at + 1;
    while (c < span.end && *c != '"') c += *c == '\\' ? 2 : 1;
    if (c >= span.end || c == span.at + 1) return NULL;
    c++;
    return c == span.end || *c == ',' ? c : NULL;
}

/* The next match of the expression; *rest moves behind it. */
static bool next_pair(struct span *rest, struct span *key, struct span *value) {
    while (rest->at < rest->end) {
        int n;
        if (!is_word(first_char(*rest, &n))) {
            rest->at += n;
            continue;
        }
        *key = (struct span){rest->at, skip(*rest, is_key_char)};
        rest->at = key->end;
        bool is_key = key->end > key->at + n && key->end < rest->end && *key->end == ':';
        if (!is_key) continue;
        rest->at = skip((struct span){key->end + 1, rest->end}, is_space);
        const char *end = quoted_end(*rest);
        if (!end) end = memchr(rest->at, ',', (size_t)(rest->end - rest->at));
        if (!end) end = rest->end;
        *value = (struct span){rest->at, end};
        rest->at = end < rest->end ? end + 1 : end;
        return true;
    }
    return false;
}

static size_t count_pairs(struct span line) {
    struct span key, value;
    size_t n = 0;
    while (next_pair(&line, &key, &value)) n++;
    return n;
}

static char *copy(struct xl_arena *arena, struct span span) {
    return xl_arena_strndup(arena, span.at, (size_t)(span.end - span.at));
}

/* A value that is no JSON string after all is left as it is. */
static char *copy_value(struct xl_arena *arena, struct span value) {
    json_t *json = NULL;
    if (*value.at == '"' && value.end[-1] == '"')
        json = json_loadb(value.at, (size_t)(value.end - value.at), JSON_DECODE_ANY, NULL);
    const char *unquoted = json_string_value(json);
    char *text = unquoted ? xl_arena_strdup(arena, unquoted) : copy(arena, value);
    json_decref(json);
    return text;
}

static bool read_pairs(struct span line, struct xl_arena *arena, struct xl_infotext *info) {
    struct xl_info_pair *pairs = xl_arena_alloc(arena, count_pairs(line) * sizeof *pairs);
    if (!pairs) return false;
    info->pairs = pairs;
    struct span key, value;
    while (next_pair(&line, &key, &value)) {
        if (value.at == value.end) continue;
        struct xl_info_pair *pair = &pairs[info->n_pairs++];
        pair->key = copy(arena, key);
        pair->value = copy_value(arena, value);
        if (!pair->key || !pair->value) return false;
    }
    return true;
}

/* ---- Reading lines ---- */

/* Cut the first line off. */
static struct span next_line(struct span *rest) {
    const char *end = memchr(rest->at, '\n', (size_t)(rest->end - rest->at));
    struct span line = {rest->at, end ? end : rest->end};
    rest->at = end ? end + 1 : rest->end;
    return line;
}

/* The line with the pairs, empty (and at the end of the text) when there is none. */
static struct span find_pairs(struct span text) {
    struct span line = {text.at, text.at}, before;
    while (text.at < text.end) {
        before = line;
        line = next_line(&text);
        struct span content = strip(line);
        bool is_template = starts_with(content, "Template:") ||
                           starts_with(content, "Negative Template:");
        if (is_template && count_pairs(before) >= MIN_PAIRS) return before;
    }
    return count_pairs(line) >= MIN_PAIRS ? line : (struct span){text.end, text.end};
}

/* Text that grows by lines inside a block that is long enough. */
static void append_line(char *block, size_t *n, struct span line) {
    size_t n_line = (size_t)(line.end - line.at);
    if (*n) block[(*n)++] = '\n';
    memcpy(block + *n, line.at, n_line);
    *n += n_line;
}

enum xl_status xl_infotext_parse(const char *text, struct xl_arena *arena, struct xl_infotext *out,
                                 struct xl_err *err) {
    size_t n_text = strlen(text), n_prompt = 0, n_negative = 0;
    struct span rest = strip((struct span){text, text + n_text});
    struct span pairs = find_pairs(rest);
    struct xl_infotext info = {0};
    char *prompt = xl_arena_alloc(arena, n_text + 1), *negative = xl_arena_alloc(arena, n_text + 1);
    if (!prompt || !negative || !read_pairs(pairs, arena, &info))
        return xl_fail_nomem(err, "parameters", n_text);
    rest.end = pairs.at;
    bool in_negative = false;
    while (rest.at < rest.end) {
        struct span line = strip(next_line(&rest));
        if (starts_with(line, NEGATIVE)) {
            in_negative = true;
            line.at += strlen(NEGATIVE);
            line = strip(line);
        }
        if (in_negative)
            append_line(negative, &n_negative, line);
        else
            append_line(prompt, &n_prompt, line);
    }
    info.prompt = prompt;
    info.negative = negative;
    *out = info;
    return XL_OK;
}
