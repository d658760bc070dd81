/* search_words.h - what people type to find pictures, as in the page's search box. */
#ifndef XL_CLI_SEARCH_WORDS_H
#define XL_CLI_SEARCH_WORDS_H

#include "insight/index/filter.h"

enum { XL_SEARCH_MAX = 1024, XL_SEARCH_VALUES_MAX = 16 };

struct xl_search_words {
    char text[XL_SEARCH_MAX];    /* words that prompts have, blanks between them */
    char exclude[XL_SEARCH_MAX]; /* words that they have not */
    struct xl_picture_where where[XL_SEARCH_VALUES_MAX];
    size_t n_where;
    char typed[XL_SEARCH_MAX]; /* of which values of `where` are parts */
};

/* `castle -fog steps:20..40 model:"two words"`: words, words that are not there, and values of what
 * pictures are told by (xl_filter_key_at). Anything else with a colon is a word. `out` must stay
 * where it is. Errors: XL_EINVAL too much of it, or nothing behind a colon */
enum xl_status xl_search_words_read(const char *typed, struct xl_search_words *out,
                                    struct xl_err *err) XL_CHECKED;

#endif
