/* vocab.c - a hash table from tokens to ids that lives while a tokenizer is opened, made for few
 * cache misses: they are most of what opening costs. Owns the table, not the bytes of the tokens;
 * one thread. */
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

struct xl_vocab_token {
    const char *at;
    uint32_t n;
    int32_t id;
};

struct xl_vocab_slot {
    uint32_t hash;
    uint32_t token; /* its index plus one; 0: free */
};

static uint64_t load(const char *at, size_t n) {
    uint64_t word = 0;
    memcpy(&word, at, n);
    return word;
}

/* Up to eight bytes as a number, by loads of fixed size; the number of bytes must go into the hash
 * as well. Short tokens are most of them. */
static uint64_t load_tail(const char *at, size_t n) {
    if (n >= 4) return load(at, 4) << 32 | load(at + n - 4, 4);
    if (!n) return 0;
    return (uint64_t)(uint8_t)at[0] << 16 | (uint64_t)(uint8_t)at[n / 2] << 8 | (uint8_t)at[n - 1];
}

/* A product's high bits depend on all bits of its factors, its low bits do not: hence the fold and
 * the second product. */
static uint32_t hash_of(struct xl_span token) {
    const uint64_t factor = 0x9E3779B97F4A7C15u; /* 2^64 / golden ratio */
    uint64_t hash = token.n;
    for (; token.n > 8; token.at += 8, token.n -= 8) {
        hash = (hash ^ load(token.at, 8)) * factor;
        hash ^= hash >> 32;
    }
    hash = (hash ^ load_tail(token.at, token.n)) * factor;
    hash = (hash ^ hash >> 32) * factor;
    return (uint32_t)(hash >> 32);
}

static bool is_token(const struct xl_vocab *vocab, size_t i, struct xl_span span) {
    const struct xl_vocab_token *token = &vocab->tokens[i];
    return token->n == span.n && !memcmp(token->at, span.at, span.n);
}

static struct xl_vocab_slot *slot_of(const struct xl_vocab *vocab, struct xl_span span,
                                     uint32_t hash) {
    for (size_t i = hash;; i++) {
        struct xl_vocab_slot *slot = &vocab->slots[i & (vocab->n_slots - 1)];
        if (!slot->token) return slot;
        if (slot->hash == hash && is_token(vocab, slot->token - 1, span)) return slot;
    }
}

/* Slots are filled well: CLIP's 49408 tokens then take 2^16 slots, which fit into a second-level
 * cache. The time to open a tokenizer is the time of the cache misses here. */
static size_t max_tokens(const struct xl_vocab *vocab) {
    return vocab->n_slots / 8 * 7;
}

enum xl_status xl_vocab_init(struct xl_vocab *vocab, size_t n, struct xl_err *err) {
    struct xl_vocab made = {.n_slots = 64, .max_id = -1};
    while (max_tokens(&made) < n) made.n_slots *= 2;
    made.tokens = malloc(max_tokens(&made) * sizeof *made.tokens);
    made.slots = calloc(made.n_slots, sizeof *made.slots);
    if (!made.tokens || !made.slots) {
        xl_vocab_deinit(&made);
        return xl_fail_nomem(err, "vocabulary", n * sizeof *made.tokens);
    }
    *vocab = made;
    return XL_OK;
}

void xl_vocab_deinit(struct xl_vocab *vocab) {
    free(vocab->tokens);
    free(vocab->slots);
    *vocab = (struct xl_vocab){0};
}

static enum xl_status grow(struct xl_vocab *vocab, struct xl_err *err) {
    struct xl_vocab larger;
    enum xl_status status = xl_vocab_init(&larger, vocab->n + 1, err);
    if (status) return status;
    memcpy(larger.tokens, vocab->tokens, vocab->n * sizeof *vocab->tokens);
    larger.n = vocab->n;
    larger.max_id = vocab->max_id;
    for (size_t i = 0; i < vocab->n_slots; i++) {
        struct xl_vocab_slot slot = vocab->slots[i];
        if (!slot.token) continue;
        const struct xl_vocab_token *token = &vocab->tokens[slot.token - 1];
        *slot_of(&larger, (struct xl_span){token->at, token->n}, slot.hash) = slot;
    }
    xl_vocab_deinit(vocab);
    *vocab = larger;
    return XL_OK;
}

enum xl_status xl_vocab_add(struct xl_vocab *vocab, struct xl_span token, int32_t id, bool *is_new,
                            struct xl_err *err) {
    if (vocab->n == max_tokens(vocab)) {
        enum xl_status status = grow(vocab, err);
        if (status) return status;
    }
    uint32_t hash = hash_of(token);
    struct xl_vocab_slot *slot = slot_of(vocab, token, hash);
    *is_new = !slot->token;
    if (slot->token) return XL_OK;
    vocab->tokens[vocab->n++] = (struct xl_vocab_token){token.at, (uint32_t)token.n, id};
    *slot = (struct xl_vocab_slot){hash, (uint32_t)vocab->n};
    if (id > vocab->max_id) vocab->max_id = id;
    return XL_OK;
}

int32_t xl_vocab_find(const struct xl_vocab *vocab, struct xl_span token) {
    size_t next = vocab->n;
    return xl_vocab_find_next(vocab, token, &next);
}

int32_t xl_vocab_find_next(const struct xl_vocab *vocab, struct xl_span token, size_t *next) {
    size_t i = *next;
    if (i >= vocab->n || !is_token(vocab, i, token)) {
        const struct xl_vocab_slot *slot = slot_of(vocab, token, hash_of(token));
        if (!slot->token) return -1;
        i = slot->token - 1;
    }
    *next = i + 1;
    return vocab->tokens[i].id;
}

void xl_vocab_find_endings(const struct xl_vocab *vocab, const char *ending, bool *out, int32_t n) {
    size_t length = strlen(ending);
    for (size_t i = 0; i < vocab->n; i++) {
        const struct xl_vocab_token *token = &vocab->tokens[i];
        if (token->id >= 0 && token->id < n && token->n >= length)
            out[token->id] = !memcmp(token->at + token->n - length, ending, length);
    }
}
