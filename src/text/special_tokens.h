/* special_tokens.h - what a tokenizer's configuration says beside the vocabulary: begin, end,
 * padding and unknown tokens, tokens that were added, the length.
 * Source: transformers' tokenization_utils_base.py and tokenization_utils_tokenizers.py.
 */
#ifndef XL_TEXT_SPECIAL_TOKENS_H
#define XL_TEXT_SPECIAL_TOKENS_H

#include "base/json.h"
#include "text/added.h"
#include "text/tokenizer_data.h"
#include "text/vocab.h"

struct xl_special_tokens {
    struct xl_added added; /* every token below and those that the repository adds */
    int32_t bos, eos, unk, pad;
    int max_length; /* begin and end included */
};

/* tokenizer_config.json, and special_tokens_map.json and added_tokens.json where that one does not
 * list its added tokens; none of them need be there. vocab: knows the ids. listed: an array of
 * added tokens from tokenizer.json. out: zero-initialised; deinit also after a failure.
 * Errors: XL_EFORMAT, XL_ENOMEM */
enum xl_status xl_special_tokens_read(const struct xl_tokenizer_data *data,
                                      const struct xl_vocab *vocab, const json_t *listed,
                                      struct xl_special_tokens *out, struct xl_err *err) XL_CHECKED;
void xl_special_tokens_deinit(struct xl_special_tokens *special);

#endif
