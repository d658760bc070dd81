/* words.h - English as prompts need it: which article a word takes, and plurals.
 * Keeps nothing; any thread.
 */
#ifndef XL_PROMPTS_WORDS_H
#define XL_PROMPTS_WORDS_H

#include "base/str.h"

/* Whether "an" stands before a text of n bytes: by how it sounds, "an hour", "a unicorn", "an 8-bit
 * game", "an FM radio". Signs before the first letter or digit do not count. */
bool xl_takes_an(const char *text, size_t n);

/* Append the plural of a noun with what belongs to it: "foxes", "castles on a hill", "women",
 * "fish". The last word before a preposition changes. */
void xl_put_plural(struct xl_str *out, const char *text, size_t n);

#endif
