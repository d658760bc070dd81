/* blocked.h - words that no prompt may have: whole words whatever their case, with or without a
 * plural's s; "gor*" is every word that begins so; "two words" only side by side.
 */
#ifndef XL_PROMPTS_BLOCKED_H
#define XL_PROMPTS_BLOCKED_H

#include "base/status.h"

struct xl_blocked {
    const char **phrases; /* [n] lower case, in the order of their bytes */
    int n;
    int from[257]; /* by byte: the first phrase that begins with it, or with a later one */
};

/* Sort the phrases, n of them, and fill in the rest. */
void xl_blocked_settle(struct xl_blocked *blocked);

/* The first of the phrases that stands in a text; NULL: none. */
const char *xl_blocked_find(const struct xl_blocked *blocked, const char *text, size_t length);

/* data/blocked.yaml: what is blocked unless a grammar says "safe: false". */
extern const char xl_blocked_words[];
extern const size_t xl_blocked_words_size;

#endif
