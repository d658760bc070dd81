/* tokenizer.h - CLIP's byte-level BPE, as transformers' CLIPTokenizer does it: Unicode NFC, white
 * space collapsed, lower case, split by CLIP's pattern, merged by rank, "<|startoftext|>",
 * "<|endoftext|>" and the other special tokens in the text recognised as such.
 * A tokenizer is read-only after opening and may be used by several threads.
 */
#ifndef XL_TEXT_TOKENIZER_H
#define XL_TEXT_TOKENIZER_H

#include "text/tokenizer_data.h"

struct xl_tokenizer; /* opaque */

/* Open a folder with vocab.json and merges.txt, or with a tokenizer.json that holds both (where
 * there is one, it is taken). tokenizer_config.json, special_tokens_map.json and added_tokens.json
 * are read where present: model_max_length, bos, eos, pad and unk tokens, added tokens. Text is
 * always lower-cased, whatever "do_lower_case" says, as transformers does.
 * Errors: XL_EMODEL a file is missing, XL_EFORMAT damaged or not a CLIP tokenizer */
enum xl_status xl_tokenizer_open(const char *dir, struct xl_tokenizer **out, struct xl_err *err);
/* The same from texts in memory, which may go afterwards. */
enum xl_status xl_tokenizer_new(const struct xl_tokenizer_data *data, struct xl_tokenizer **out,
                                struct xl_err *err);
void xl_tokenizer_close(struct xl_tokenizer *tokenizer);

int xl_tokenizer_bos(const struct xl_tokenizer *tokenizer);
int xl_tokenizer_eos(const struct xl_tokenizer *tokenizer);
int xl_tokenizer_pad(const struct xl_tokenizer *tokenizer);
int xl_tokenizer_max_length(const struct xl_tokenizer *tokenizer); /* 77 */
/* The highest token id plus one: the rows that an embedding table must have at least. */
int xl_tokenizer_vocab_size(const struct xl_tokenizer *tokenizer);
/* Whether a word ends with this token ("</w>" in the vocabulary). */
bool xl_tokenizer_ends_word(const struct xl_tokenizer *tokenizer, int32_t id);

/* Tokens of text without begin, end and padding. text: UTF-8; bytes that are not become U+FFFD.
 * *ids is malloc'd (the caller's), *n its length.
 * Errors: XL_ENOMEM, XL_EINVAL more than 16 MiB of text */
enum xl_status xl_tokenize(const struct xl_tokenizer *tokenizer, const char *text, int32_t **ids,
                           int *n, struct xl_err *err);

/* begin + tokens + end, padded or cut to exactly `length` ids (the last one of a cut text is end).
 * *n_dropped (may be NULL): tokens of the text that were cut off.
 * length: at least 2. Errors: as xl_tokenize */
enum xl_status xl_tokenize_padded(const struct xl_tokenizer *tokenizer, const char *text,
                                  int length, int32_t *ids, int *n_dropped, struct xl_err *err);

#endif
