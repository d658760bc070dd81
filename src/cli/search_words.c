/* search_words.c - typed words apart. Keeps no state. */
#include "cli/search_words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char blanks[] = " \t\n";

/* The key that a token begins with and its value, up to the token's end; NULL: it is a word. */
static const struct xl_filter_key *split_key(char *token, char **value) {
    char *colon = strchr(token, ':');
    const struct xl_filter_key *key = NULL;
    if (!colon) return NULL;
    *colon = 0;
    for (int i = 0; (key = xl_filter_key_at(i)) && strcasecmp(key->name, token) != 0;) i++;
    if (!key) *colon = ':';
    *value = colon + 1;
    return key;
}

/* The end of a token: what follows a colon may stand in quotes, blanks and all. */
static char *token_end(char *token) {
    size_t n = strcspn(token, " \t\n\":");
    char *quote = n && token[n] == ':' && token[n + 1] == '"' ? token + n + 1 : NULL;
    if (!quote) return token + strcspn(token, blanks);
    char *close = strchr(quote + 1, '"');
    return close ? close + 1 : token + strlen(token);
}

static void unquote(char **value) {
    size_t n = strlen(*value);
    if ((*value)[0] != '"') return;
    ++*value;
    if (n > 1 && (*value)[n - 2] == '"') (*value)[n - 2] = 0;
}

static void append(char *words, const char *word) {
    size_t n = strlen(words);
    snprintf(words + n, XL_SEARCH_MAX - n, "%s%s", n ? " " : "", word);
}

static enum xl_status read_token(char *token, struct xl_search_words *out, struct xl_err *err) {
    char *value = NULL;
    const struct xl_filter_key *key = token[0] == '-' ? NULL : split_key(token, &value);
    if (!key) {
        bool is_excluded = token[0] == '-' && token[1] && token[1] != '-';
        append(is_excluded ? out->exclude : out->text, token + is_excluded);
        return XL_OK;
    }
    unquote(&value);
    if (!*value)
        return xl_fail(err, XL_EINVAL, "--search: nothing stands behind \"%s:\"; expected %s:VALUE",
                       key->name, key->name);
    if (out->n_where == XL_SEARCH_VALUES_MAX)
        return xl_fail(err, XL_EINVAL, "--search: more than %d values with a colon",
                       XL_SEARCH_VALUES_MAX);
    out->where[out->n_where++] = (struct xl_picture_where){key->column, value};
    return XL_OK;
}

enum xl_status xl_search_words_read(const char *typed, struct xl_search_words *out,
                                    struct xl_err *err) {
    *out = (struct xl_search_words){.n_where = 0};
    if (strlen(typed) >= XL_SEARCH_MAX)
        return xl_fail(err, XL_EINVAL, "--search is %zu bytes long; expected %d at most",
                       strlen(typed), XL_SEARCH_MAX - 1);
    snprintf(out->typed, sizeof out->typed, "%s", typed);
    enum xl_status status = XL_OK;
    for (char *token = out->typed + strspn(out->typed, blanks); *token && !status;) {
        char *end = token_end(token), *next = end + strspn(end, blanks);
        *end = 0;
        status = read_token(token, out, err);
        token = next;
    }
    return status;
}
