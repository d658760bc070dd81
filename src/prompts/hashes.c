/* hashes.c - a table with open addresses. */
#include "prompts/hashes.h"
#include "prompts/random.h"

#include <stdlib.h>
#include <string.h>

uint64_t xl_text_hash(const char *text, size_t n) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < n; i++) hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001B3);
    hash = xl_mix_bits(hash);
    return hash ? hash : 1;
}

/* The place of a hash, or the empty one where it belongs. */
static uint64_t *place_of(const struct xl_hashes *set, uint64_t hash) {
    size_t i = hash & (set->capacity - 1);
    while (set->at[i] && set->at[i] != hash) i = (i + 1) & (set->capacity - 1);
    return &set->at[i];
}

static bool grow(struct xl_hashes *set) {
    struct xl_hashes grown = {.n = set->n, .capacity = set->capacity ? 2 * set->capacity : 1024};
    grown.at = calloc(grown.capacity, sizeof *grown.at);
    if (!grown.at) return false;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->at[i]) *place_of(&grown, set->at[i]) = set->at[i];
    free(set->at);
    *set = grown;
    return true;
}

enum xl_status xl_hashes_add(struct xl_hashes *set, uint64_t hash, bool *is_new,
                             struct xl_err *err) {
    if (3 * set->n >= 2 * set->capacity && !grow(set))
        return xl_fail_nomem(err, "prompts that were made", 2 * set->capacity * sizeof *set->at);
    uint64_t *place = place_of(set, hash);
    *is_new = !*place;
    set->n += *is_new;
    *place = hash;
    return XL_OK;
}

void xl_hashes_clear(struct xl_hashes *set) {
    if (set->at) memset(set->at, 0, set->capacity * sizeof *set->at);
    set->n = 0;
}

void xl_hashes_deinit(struct xl_hashes *set) {
    free(set->at);
    *set = (struct xl_hashes){.n = 0};
}
