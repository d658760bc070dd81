/* hashes.h - a set of 64-bit hashes of texts: 8 bytes a place, at most two thirds full. */
#ifndef XL_PROMPTS_HASHES_H
#define XL_PROMPTS_HASHES_H

#include "base/status.h"

struct xl_hashes {
    uint64_t *at;
    size_t n, capacity;
};

/* FNV-1a over the bytes, then SplitMix64's mixing; never 0. Of a million texts two are taken for
 * one by chance once in 30 million runs. */
uint64_t xl_text_hash(const char *text, size_t n);

/* Add one; *is_new: it was not there. Errors: XL_ENOMEM */
enum xl_status xl_hashes_add(struct xl_hashes *set, uint64_t hash, bool *is_new,
                             struct xl_err *err) XL_CHECKED;
void xl_hashes_clear(struct xl_hashes *set);
void xl_hashes_deinit(struct xl_hashes *set);

#endif
