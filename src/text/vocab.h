/* vocab.h - token text to id, while a tokenizer is being opened.
 * Tokens are borrowed: their bytes must outlive the vocabulary.
 */
#ifndef XL_TEXT_VOCAB_H
#define XL_TEXT_VOCAB_H

#include "base/json_scan.h"

struct xl_vocab {
    struct xl_vocab_token *tokens; /* in the order in which they came */
    struct xl_vocab_slot *slots;   /* where they are: open addressing, a power of two */
    size_t n, n_slots;
    int32_t max_id; /* -1 when empty */
};

/* Room for about n tokens; it grows when there are more. Errors: XL_ENOMEM */
enum xl_status xl_vocab_init(struct xl_vocab *vocab, size_t n, struct xl_err *err) XL_CHECKED;
void xl_vocab_deinit(struct xl_vocab *vocab);

/* *is_new: false when the token was there; then its id stays. Errors: XL_ENOMEM */
enum xl_status xl_vocab_add(struct xl_vocab *vocab, struct xl_span token, int32_t id, bool *is_new,
                            struct xl_err *err) XL_CHECKED;

/* -1 when the token is not there. */
int32_t xl_vocab_find(const struct xl_vocab *vocab, struct xl_span token);

/* The same for somebody who asks for tokens roughly in their order: *next is where to look first,
 * from 0, and is set behind the token that was found. Spares most of the cache misses. */
int32_t xl_vocab_find_next(const struct xl_vocab *vocab, struct xl_span token, size_t *next);

/* out[id], of ids below n: whether the token ends with this text; others are left as they are. */
void xl_vocab_find_endings(const struct xl_vocab *vocab, const char *ending, bool *out, int32_t n);

#endif
