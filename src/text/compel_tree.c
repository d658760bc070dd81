/* compel_tree.c - reading compel's syntax: at each place the first form that fits is taken, in
 * compel's order, else the word as it stands. Brackets and quotes are read by functions that call
 * each other, to a depth that is bounded. Keeps no state. */
#include "text/compel_tree.h"
#include "base/str.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char SIGNS[] = "()\",.+-=";

/* What opens at a place: not looked at yet, or read to `end`, or no bracket that closes (end 0). */
struct xl_compel_bracket {
    bool is_known;
    size_t end;
    struct xl_compel_list list;
};

enum xl_status xl_compel_reader_init(struct xl_compel_reader *reader, const char *text, size_t n,
                                     struct xl_arena *arena, enum xl_status *status,
                                     struct xl_err *err) {
    *reader = (struct xl_compel_reader){
        .text = text, .n = n, .arena = arena, .status = status, .err = err};
    reader->memory = xl_arena_alloc(arena, (n + 1) * sizeof *reader->memory);
    return reader->memory ? XL_OK : xl_fail_nomem(err, "a prompt", n);
}

static bool failed(const struct xl_compel_reader *reader) {
    return *reader->status != XL_OK;
}

/* --- Small things --- */

static char at_of(const struct xl_compel_reader *reader, size_t at) {
    return at < reader->n ? reader->text[at] : 0;
}

size_t xl_compel_skip(const struct xl_compel_reader *reader, size_t at) {
    while (at < reader->n && isspace((unsigned char)reader->text[at])) at++;
    return at;
}

size_t xl_compel_expect(const struct xl_compel_reader *reader, size_t at, const char *text) {
    size_t n = strlen(text);
    at = xl_compel_skip(reader, at);
    return at + n <= reader->n && !memcmp(reader->text + at, text, n) ? at + n : 0;
}

size_t xl_compel_read_number(const struct xl_compel_reader *reader, size_t at, double *out) {
    char text[64];
    size_t begin = at = xl_compel_skip(reader, at), n_digits = 0, n_points = 0;
    if (at_of(reader, at) == '-' || at_of(reader, at) == '+') at++;
    for (;; at++) {
        char c = at_of(reader, at);
        if (isdigit((unsigned char)c))
            n_digits++;
        else if (c == '.' && !n_points)
            n_points++;
        else
            break;
    }
    if (!n_digits || at - begin >= sizeof text) return 0;
    if (at_of(reader, begin) == '+' && !n_points) return 0; /* a whole number has only a minus */
    memcpy(text, reader->text + begin, at - begin);
    text[at - begin] = 0;
    *out = strtod(text, NULL);
    return at;
}

static struct xl_compel_node *add(struct xl_compel_reader *reader, struct xl_compel_list *out) {
    struct xl_compel_node *node = xl_arena_alloc(reader->arena, sizeof *node);
    if (!node) {
        if (!failed(reader)) *reader->status = xl_fail_nomem(reader->err, "a prompt", 0);
        return NULL;
    }
    if (!out->end) out->end = &out->first;
    *out->end = node;
    out->end = &node->next;
    return node;
}

/* A piece of text, its escaped brackets and quotes as they are meant. */
static void add_text(struct xl_compel_reader *reader, size_t begin, size_t end,
                     struct xl_compel_list *out) {
    struct xl_compel_node *node = add(reader, out);
    char *text = node ? xl_arena_strndup(reader->arena, reader->text + begin, end - begin) : NULL;
    if (!node) return;
    node->text = text;
    if (!text) {
        if (!failed(reader)) *reader->status = xl_fail_nomem(reader->err, "a prompt", 0);
        node->text = "";
        return;
    }
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from == '\\' && from[1] && strchr("()\"", from[1])) from++;
        *to++ = *from;
    }
    *to = 0;
}

static void add_group(struct xl_compel_reader *reader, const struct xl_compel_list *children,
                      double weight, struct xl_compel_list *out) {
    struct xl_compel_node *node = add(reader, out);
    if (!node) return;
    node->children = children->first;
    node->weight = weight;
}

static void append(struct xl_compel_list *out, const struct xl_compel_list *list) {
    if (!list->first) return;
    if (!out->end) out->end = &out->first;
    *out->end = list->first;
    out->end = list->end;
}

/* --- Words --- */

static bool is_sign(char c) {
    return c && strchr(SIGNS, c);
}

/* The end of a word without signs, but for those that are escaped, and a plus or minus with a
 * letter behind it; 0: none begins here. */
static size_t word_end(const struct xl_compel_reader *reader, size_t at) {
    size_t begin = at;
    for (char c; (c = at_of(reader, at)) && !isspace((unsigned char)c);) {
        char next = at_of(reader, at + 1);
        if (c == '\\' && is_sign(next))
            at += 2;
        else if (!is_sign(c))
            at++;
        else if ((c == '+' || c == '-') && next && !isspace((unsigned char)next) && !is_sign(next))
            at++;
        else
            break;
    }
    return at > begin ? at : 0;
}

/* --- Brackets and quotes --- */

static void read_inside(struct xl_compel_reader *reader, size_t *at, bool with_stops,
                        struct xl_compel_list *out);

static bool go_deeper(struct xl_compel_reader *reader) {
    if (reader->depth < XL_COMPEL_DEPTH) return ++reader->depth;
    if (!failed(reader))
        *reader->status =
            xl_fail(reader->err, XL_EINVAL,
                    "the prompt opens more than %d brackets and quotes within each other; write "
                    "\\( for one that is meant",
                    XL_COMPEL_DEPTH);
    return false;
}

/* What a bracket held. Whatever an earlier attempt put behind it goes. */
static size_t recall(const struct xl_compel_bracket *bracket, struct xl_compel_list *out) {
    *out = bracket->list;
    if (out->end) *out->end = NULL;
    return bracket->end;
}

static size_t read_brackets(struct xl_compel_reader *reader, size_t at,
                            struct xl_compel_list *out) {
    struct xl_compel_bracket *bracket = &reader->memory[at];
    if (!bracket->is_known && go_deeper(reader)) {
        size_t end = at + 1;
        read_inside(reader, &end, true, &bracket->list);
        bracket->end = xl_compel_expect(reader, end, ")");
        bracket->is_known = true;
        reader->depth--;
    }
    if (failed(reader) || !bracket->end) return 0;
    return recall(bracket, out);
}

/* The text between quotes with \" as ", escaped again where quotes have a meaning inside: as it
 * stands, then. *end: behind the closing quote; false: there is none in this line. */
static bool find_quotes(const struct xl_compel_reader *reader, size_t at, size_t *end) {
    for (size_t i = at + 1; i < reader->n && reader->text[i] != '\n'; i++) {
        bool is_escaped = reader->text[i] == '\\' && at_of(reader, i + 1) == '"';
        *end = i + 1;
        if (reader->text[i] == '"') return true;
        i += is_escaped;
    }
    return false;
}

/* any_text: words that make no sense otherwise are words. */
static size_t read_quotes(struct xl_compel_reader *reader, size_t at, bool any_text,
                          struct xl_compel_list *out) {
    struct xl_compel_bracket *bracket = &reader->memory[at];
    size_t end = 0;
    if (bracket->is_known && !any_text) return recall(bracket, out);
    if (!find_quotes(reader, at, &end) || !go_deeper(reader)) return 0;
    struct xl_compel_reader inside;
    struct xl_compel_list list = {0};
    size_t length = end - at - 2, i = 0;
    enum xl_status status = xl_compel_reader_init(&inside, reader->text + at + 1, length,
                                                  reader->arena, reader->status, reader->err);
    if (status && !failed(reader)) *reader->status = status;
    if (!status) {
        inside.depth = reader->depth;
        if (any_text)
            xl_compel_read_prompt(&inside, &list), i = length;
        else
            read_inside(&inside, &i, true, &list);
        reader->has_swap |= inside.has_swap;
        bool is_blank = xl_compel_skip(&inside, 0) == length;
        if (is_blank) add_text(reader, at, at, &list);
        if (xl_compel_skip(&inside, i) != length) end = 0;
    }
    reader->depth--;
    if (failed(reader)) return 0;
    if (!any_text) *bracket = (struct xl_compel_bracket){true, end, list};
    *out = list;
    return end;
}

size_t xl_compel_read_target(struct xl_compel_reader *reader, size_t at, bool any_text,
                             struct xl_compel_list *out) {
    at = xl_compel_skip(reader, at);
    char c = at_of(reader, at);
    if (failed(reader)) return 0;
    if (c == '(') return read_brackets(reader, at, out);
    if (c == '"') {
        size_t end = read_quotes(reader, at, false, out);
        return end || !any_text ? end : read_quotes(reader, at, true, out);
    }
    size_t end = word_end(reader, at);
    if (end) add_text(reader, at, end, out);
    return end;
}

/* --- Operators --- */

/* "++", "--" or, with numbers, "1.3" */
static size_t read_weight(const struct xl_compel_reader *reader, size_t at, bool numbers,
                          double *weight) {
    char sign = at_of(reader, at);
    size_t n = 0;
    if (sign == '+' || sign == '-')
        while (at_of(reader, at + n) == sign) n++;
    if (n) *weight = pow(sign == '+' ? 1.1 : 0.9, (double)n);
    return n ? at + n : numbers ? xl_compel_read_number(reader, at, weight) : 0;
}

/* ".attend(++)" behind a target. */
static size_t read_attend(const struct xl_compel_reader *reader, size_t at, double *weight) {
    size_t end = xl_compel_expect(reader, at, ".attend");
    if (end) end = xl_compel_expect(reader, end, "(");
    if (end) end = read_weight(reader, xl_compel_skip(reader, end), true, weight);
    return end ? xl_compel_expect(reader, end, ")") : 0;
}

/* ".swap(text, option=1)" behind a target. */
static size_t read_swap(struct xl_compel_reader *reader, size_t at) {
    struct xl_compel_list edited = {0};
    size_t end = xl_compel_expect(reader, at, ".swap");
    if (end) end = xl_compel_expect(reader, end, "(");
    if (!end || !go_deeper(reader)) return 0;
    read_inside(reader, &end, false, &edited);
    reader->depth--;
    if (failed(reader)) return 0;
    size_t options = xl_compel_expect(reader, end, ",");
    while (options && options < reader->n && reader->text[options] != ')' &&
           !strchr("(\"", reader->text[options]))
        options++;
    return xl_compel_expect(reader, options ? options : end, ")");
}

/* A target with its operator; 0: none stands here. */
static size_t read_operator(struct xl_compel_reader *reader, size_t at,
                            struct xl_compel_list *out) {
    struct xl_compel_list target = {0};
    double weight = 1;
    size_t end = xl_compel_read_target(reader, at, false, &target), next;
    if (!end) return 0;
    bool is_word = at_of(reader, at) != '(' && at_of(reader, at) != '"';
    if ((next = read_swap(reader, end))) {
        struct xl_compel_node *node = add(reader, out);
        if (node) *node = (struct xl_compel_node){NULL, 1, true, target.first, NULL};
        reader->has_swap = true;
        return next;
    }
    if (failed(reader)) return 0;
    next = read_attend(reader, end, &weight);
    bool is_apart = isspace((unsigned char)at_of(reader, end)) != 0;
    if (!next && !is_apart) next = read_weight(reader, end, !is_word, &weight);
    if (next) add_group(reader, &target, weight, out);
    return next;
}

/* What may stand in brackets and quotes, up to what may not. */
static void read_inside(struct xl_compel_reader *reader, size_t *at, bool with_stops,
                        struct xl_compel_list *out) {
    while (!failed(reader)) {
        size_t begin = xl_compel_skip(reader, *at);
        struct xl_compel_list target = {0};
        char c = at_of(reader, begin);
        size_t end = read_operator(reader, begin, out);
        if (!end && (end = xl_compel_read_target(reader, begin, false, &target)))
            append(out, &target);
        if (!end && with_stops && (c == ',' || c == '.'))
            add_text(reader, begin, end = begin + 1, out);
        if (!end || failed(reader)) return;
        *at = end;
    }
}

void xl_compel_read_prompt(struct xl_compel_reader *reader, struct xl_compel_list *out) {
    for (size_t at = 0, end; !failed(reader); at = end) {
        at = xl_compel_skip(reader, at);
        if (at >= reader->n) return;
        struct xl_compel_list target = {0};
        char c = reader->text[at];
        end = read_operator(reader, at, out);
        if (!end && (c == '(' || c == '"') &&
            (end = xl_compel_read_target(reader, at, false, &target)))
            append(out, &target);
        if (end || failed(reader)) continue;
        for (end = at; end < reader->n && !isspace((unsigned char)reader->text[end]);) end++;
        add_text(reader, at, end, out);
    }
}
