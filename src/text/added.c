/* added.c - the list of tokens that are found before words are, and the walk that finds them in a
 * text. Owns names and code points of the tokens; filled while a tokenizer is opened, only read
 * afterwards, by any thread. */
#include "text/added.h"
#include "text/unicode.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void xl_added_deinit(struct xl_added *added) {
    for (int i = 0; i < added->n; i++) {
        free(added->tokens[i].name);
        xl_ints_deinit(&added->tokens[i].text);
    }
    free(added->tokens);
    *added = (struct xl_added){0};
}

static struct xl_added_token *find(const struct xl_added *added, const char *name) {
    for (int i = 0; i < added->n; i++)
        if (!strcmp(added->tokens[i].name, name)) return &added->tokens[i];
    return NULL;
}

const struct xl_added_token *xl_added_find(const struct xl_added *added, const char *name) {
    return find(added, name);
}

static struct xl_added_token *append(struct xl_added *added, const char *name, int32_t id) {
    if (added->n == added->capacity) {
        int capacity = added->capacity ? 2 * added->capacity : 8;
        struct xl_added_token *tokens =
            realloc(added->tokens, (size_t)capacity * sizeof *added->tokens);
        if (!tokens) return NULL;
        added->tokens = tokens;
        added->capacity = capacity;
    }
    char *copy = strdup(name);
    if (!copy) return NULL;
    struct xl_added_token *token = &added->tokens[added->n++];
    *token = (struct xl_added_token){.name = copy, .id = id};
    return token;
}

enum xl_status xl_added_put(struct xl_added *added, const char *name, struct xl_added_rule rule,
                            int32_t id, struct xl_err *err) {
    assert(*name); /* an empty token would be found everywhere */
    struct xl_ints raw = {0}, text = {0};
    xl_utf8_decode(name, strlen(name), &raw);
    if (rule.is_normalized)
        xl_clip_normalize(raw.at, raw.n, &text);
    else
        xl_ints_append(&text, raw.at, raw.n);
    bool failed = raw.failed || text.failed;
    xl_ints_deinit(&raw);

    struct xl_added_token *token = find(added, name);
    if (!failed && !token) token = append(added, name, id);
    if (failed || !token) {
        xl_ints_deinit(&text);
        return xl_fail_nomem(err, "added tokens", 0);
    }
    xl_ints_deinit(&token->text);
    token->text = text;
    token->rule = rule;
    return XL_OK;
}

/* The longest token that starts at `at`. */
static const struct xl_added_token *match(const struct xl_added_walk *walk, size_t at) {
    const struct xl_added_token *best = NULL;
    for (int i = 0; i < walk->added->n; i++) {
        const struct xl_added_token *token = &walk->added->tokens[i];
        size_t n = token->text.n;
        if (token->rule.is_normalized != walk->is_normalized || n > walk->n - at) continue;
        if (best && n <= best->text.n) continue;
        if (memcmp(token->text.at, walk->text + at, n * sizeof *walk->text) == 0) best = token;
    }
    return best;
}

static bool stands_alone(const struct xl_added_walk *walk, size_t start, size_t end) {
    return (start == 0 || !xl_char_is_word(walk->text[start - 1])) &&
           (end == walk->n || !xl_char_is_word(walk->text[end]));
}

/* The next token from walk->at on and where it starts; NULL and the end of the text when there is
 * none. */
static const struct xl_added_token *find_next(const struct xl_added_walk *walk, size_t *start) {
    size_t at = walk->at, n;
    for (; at < walk->n; at += n) {
        const struct xl_added_token *token = match(walk, at);
        n = token ? token->text.n : 1;
        /* No other token is looked for inside of one that is rejected. */
        if (!token || (token->rule.is_single_word && !stands_alone(walk, at, at + n))) continue;
        *start = at;
        return token;
    }
    *start = walk->n;
    return NULL;
}

/* One piece at a time: a token that is found behind some text is kept for the next call. */
bool xl_added_next(struct xl_added_walk *walk, struct xl_added_piece *piece) {
    if (walk->at == walk->n) return false;
    const struct xl_added_token *token = walk->upcoming;
    size_t start = walk->at;
    if (!token) token = find_next(walk, &start);
    bool is_text = start > walk->at;
    size_t n = is_text ? start - walk->at : token->text.n;
    *piece = (struct xl_added_piece){is_text ? NULL : token, walk->text + walk->at, n};
    walk->upcoming = is_text ? token : NULL;
    walk->at += n;
    return true;
}
