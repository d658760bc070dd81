/* prompt_words.h - words and phrases of earlier prompts that begin as somebody types. */
#ifndef XL_INSIGHT_PROMPT_WORDS_H
#define XL_INSIGHT_PROMPT_WORDS_H

#include "insight/index/index.h"

#include <jansson.h>

enum {
    XL_PROMPT_WORDS_LOOKED = 5000, /* newest pictures whose prompts are looked at */
    XL_PROMPT_WORDS_LONGEST = 80,  /* bytes of a phrase */
};

/* What is typed: a phrase, what stands between commas and brackets, up to here, and its last word.
 * NULL: none is wanted. */
struct xl_prompt_words_wish {
    const char *phrase, *word;
    int most;
};

/* In small letters: [{"text", "pictures": that have it, "is_phrase": it begins as the phrase
 * does}], those of most pictures first; what is typed already is left out. Caller: json_decref.
 * Errors: XL_ENOMEM; as of the index */
enum xl_status xl_prompt_words(struct xl_index *index, const struct xl_prompt_words_wish *wish,
                               json_t **out, struct xl_err *err) XL_CHECKED;

#endif
