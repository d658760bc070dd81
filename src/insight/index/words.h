/* words.h - the words of prompts, numbered; the words of a prompt are found once. */
#ifndef XL_INSIGHT_WORDS_H
#define XL_INSIGHT_WORDS_H

#include "insight/index/intern.h"

struct xl_word_list {
    const uint32_t *ids; /* borrowed until the next call; none twice */
    size_t n;
};

/* Zero-initialise. */
struct xl_words {
    struct xl_intern table; /* ids are numbers + 1 */
    size_t n;
    uint32_t *found; /* of the last text, [capacity] */
    size_t capacity;
};

/* The words of a text: letters and digits and what joins them (well-lit, o'clock), in small
 * letters, of two characters and more that are not only digits; without those that only join others
 * (and, of, the). Errors: XL_ENOMEM */
enum xl_status xl_words_of(struct xl_words *words, const char *text, struct xl_word_list *out,
                           struct xl_err *err) XL_CHECKED;
void xl_words_deinit(struct xl_words *words);

#endif
