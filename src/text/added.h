/* added.h - tokens that are recognised as a whole wherever they stand in the text, before it is cut
 * into words: begin, end and padding, and what a repository adds.
 * Source: tokenizers, added_vocabulary.rs.
 */
#ifndef XL_TEXT_ADDED_H
#define XL_TEXT_ADDED_H

#include "text/ints.h"

/* How a token is looked for, as AddedToken of the Python library has it. Its "lstrip" and "rstrip"
 * are left out: they take the space around a token, which is in no word anyway. */
struct xl_added_rule {
    bool is_normalized;  /* looked for in the normalised text, its own text being normalised too;
                            else in the raw text */
    bool is_single_word; /* only where no character of a word touches it */
};

struct xl_added_token {
    char *name; /* UTF-8 */
    struct xl_added_rule rule;
    int32_t id;
    struct xl_ints text; /* code points that are looked for */
};

struct xl_added {
    struct xl_added_token *tokens;
    int n, capacity;
};

void xl_added_deinit(struct xl_added *added);

/* NULL when there is none of this name. */
const struct xl_added_token *xl_added_find(const struct xl_added *added, const char *name);

/* Add a token (name: valid UTF-8, not empty), or give the one of this name another rule; its id
 * then stays. Errors: XL_ENOMEM */
enum xl_status xl_added_put(struct xl_added *added, const char *name, struct xl_added_rule rule,
                            int32_t id, struct xl_err *err) XL_CHECKED;

/* Walk over a text in pieces: the tokens in it, and what is between them. Of tokens that start at
 * the same place the longest is taken. Zero-initialise the rest. */
struct xl_added_walk {
    const struct xl_added *added;
    bool is_normalized; /* which of the two kinds to look for */
    const int32_t *text;
    size_t n;
    size_t at;                             /* where the next piece starts */
    const struct xl_added_token *upcoming; /* found there already */
};

struct xl_added_piece {
    const struct xl_added_token *token; /* NULL: text */
    const int32_t *text;
    size_t n;
};

/* false at the end of the text. */
bool xl_added_next(struct xl_added_walk *walk, struct xl_added_piece *piece);

#endif
