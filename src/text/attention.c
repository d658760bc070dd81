/* attention.c - prompt weights of AUTOMATIC1111: one pass over the text with the brackets that are
 * open on a stack. A bracket that closes multiplies all pieces since it was opened, from the inside
 * out, so that products round as they do there. Keeps no state. */
#include "text/attention.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const double ROUND = 1.1, SQUARE = 1 / 1.1;

struct parser {
    struct xl_arena *arena;
    struct xl_fragment *at;
    int n, capacity;
    int open[2][XL_ATTENTION_DEPTH]; /* round, square: the piece that follows each */
    int n_open[2];
    bool failed; /* out of memory */
};

static void add(struct parser *parser, const char *text, size_t n, bool is_break) {
    if (parser->n == parser->capacity) {
        int capacity = parser->capacity ? 2 * parser->capacity : 16;
        struct xl_fragment *at = realloc(parser->at, (size_t)capacity * sizeof *at);
        if (!at) {
            parser->failed = true;
            return;
        }
        parser->at = at;
        parser->capacity = capacity;
    }
    char *copy = xl_arena_strndup(parser->arena, text, n);
    if (!copy) parser->failed = true;
    parser->at[parser->n++] = (struct xl_fragment){copy, is_break ? -1 : 1, is_break};
}

static void multiply_from(struct parser *parser, int first, double by) {
    for (int i = first; i < parser->n; i++)
        if (!parser->at[i].is_break) parser->at[i].weight *= by;
}

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Where BREAK stands as a word in n bytes; NULL: nowhere. */
static const char *find_break(const char *text, size_t n) {
    static const char WORD[] = "BREAK";
    enum { LENGTH = sizeof WORD - 1 };
    for (const char *at = text; n - (size_t)(at - text) >= LENGTH; at++) {
        if (memcmp(at, WORD, LENGTH) != 0) continue;
        bool starts = at == text || !is_word(at[-1]);
        bool ends = at + LENGTH == text + n || !is_word(at[LENGTH]);
        if (starts && ends) return at;
    }
    return NULL;
}

/* Text without brackets, cut at the word BREAK and the white space around it. */
static void add_text(struct parser *parser, const char *text, size_t n) {
    const char *end = text + n;
    for (const char *at; (at = find_break(text, (size_t)(end - text)));) {
        const char *before = at;
        while (before > text && isspace((unsigned char)before[-1])) before--;
        add(parser, text, (size_t)(before - text), false);
        add(parser, at, strlen("BREAK"), true);
        for (text = at + strlen("BREAK"); text < end && isspace((unsigned char)*text);) text++;
    }
    add(parser, text, (size_t)(end - text), false);
}

/* Length of ":NUMBER)" at the text, with the number; 0: something else stands there. */
static size_t read_weight(const char *text, double *weight) {
    const char *begin = text + 1, *at = begin;
    if (*text != ':') return 0;
    if (*at == '+' || *at == '-') at++;
    size_t n = strspn(at, "0123456789.");
    if (!n || n > 40 || at[n] != ')') return 0;
    char *end;
    *weight = strtod(begin, &end);
    return end == at + n ? (size_t)(at + n + 1 - text) : 0;
}

static bool close_bracket(struct parser *parser, int kind, double by) {
    if (!parser->n_open[kind]) return false;
    multiply_from(parser, parser->open[kind][--parser->n_open[kind]], by);
    return true;
}

static enum xl_status open_bracket(struct parser *parser, int kind, struct xl_err *err) {
    if (parser->n_open[kind] == XL_ATTENTION_DEPTH)
        return xl_fail(err, XL_EINVAL,
                       "the prompt opens more than %d brackets within each other; write \\%c for "
                       "one that is no weight",
                       XL_ATTENTION_DEPTH, "(["[kind]);
    parser->open[kind][parser->n_open[kind]++] = parser->n;
    return XL_OK;
}

static size_t text_length(const char *text) {
    size_t n = strcspn(text, "\\()[]:");
    return n ? n : 1; /* a colon, or a closing bracket that nothing opened */
}

static enum xl_status parse(struct parser *parser, const char *text, struct xl_err *err) {
    enum xl_status status = XL_OK;
    while (!status && *text) {
        double weight = 1;
        size_t n = 1;
        if (*text == '\\') {
            n = text[1] && strchr("()[]\\", text[1]) ? 2 : 1;
            add(parser, text + 1, n - 1, false);
        } else if (*text == '(' || *text == '[') {
            status = open_bracket(parser, *text == '[', err);
        } else if (parser->n_open[0] && (n = read_weight(text, &weight))) {
            close_bracket(parser, 0, weight);
        } else if (*text == ')' && close_bracket(parser, 0, ROUND)) {
            n = 1;
        } else if (*text == ']' && close_bracket(parser, 1, SQUARE)) {
            n = 1;
        } else {
            n = text_length(text);
            add_text(parser, text, n);
        }
        text += n;
    }
    return status;
}

/* Neighbours of one weight become one. */
static void merge(struct parser *parser) {
    int n = 0;
    for (int i = 0, next; i < parser->n; i = next) {
        const struct xl_fragment *first = &parser->at[i];
        size_t length = 0;
        for (next = i; next < parser->n; next++) {
            const struct xl_fragment *other = &parser->at[next];
            if (other->weight != first->weight || other->is_break != first->is_break) break;
            if (next > i && first->is_break) break;
            length += strlen(other->text);
        }
        char *text = next == i + 1 ? NULL : xl_arena_alloc(parser->arena, length + 1);
        if (!text && next > i + 1) parser->failed = true;
        char *end = text;
        for (int k = i; text && k < next; k++) end = stpcpy(end, parser->at[k].text);
        struct xl_fragment merged = *first;
        if (text) merged.text = text;
        parser->at[n++] = merged;
    }
    parser->n = n;
}

static enum xl_status hand_over(struct parser *parser, struct xl_fragments *out,
                                struct xl_err *err) {
    size_t bytes = (size_t)parser->n * sizeof *out->at;
    struct xl_fragment *at = parser->failed ? NULL : xl_arena_alloc(parser->arena, bytes);
    if (!at) return xl_fail_nomem(err, "a prompt", bytes);
    memcpy(at, parser->at, bytes);
    *out = (struct xl_fragments){.at = at, .n = parser->n};
    return XL_OK;
}

enum xl_status xl_attention_parse(const char *text, struct xl_arena *arena,
                                  struct xl_fragments *out, struct xl_err *err) {
    struct parser parser = {.arena = arena};
    enum xl_status status = parse(&parser, text, err);
    bool is_unclosed = parser.n_open[0] || parser.n_open[1];
    while (close_bracket(&parser, 0, ROUND)) continue;
    while (close_bracket(&parser, 1, SQUARE)) continue;
    if (!parser.n) add(&parser, "", 0, false);
    if (!status && !parser.failed) merge(&parser);
    if (!status) status = hand_over(&parser, out, err);
    if (!status) out->is_unclosed = is_unclosed;
    free(parser.at);
    return status;
}
