/* bpe.c - from the bytes of a word to ids: merges in a hash table, a word as a linked list with a
 * heap of what may be merged next. A tokenizer owns the table, which is filled by the thread that
 * opens it and only read afterwards; the scratch of a word belongs to one thread. */
#include "text/bpe.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

struct xl_bpe_merge {
    int32_t left, right; /* left -1: free */
    uint32_t rank;
    int32_t result;
};

/* The symbols of a word are a doubly linked list in an array: a merge unlinks the right one. */
struct xl_bpe_symbol {
    int32_t id; /* -1: unlinked */
    int32_t prev, next;
};

/* A possible merge of the symbol at `at` with its successor. */
struct xl_bpe_candidate {
    uint64_t order; /* rank << 32 | at: lowest rank first, leftmost among equals */
    int32_t result;
};

static struct xl_bpe_merge *merge_slot(const struct xl_bpe *bpe, int32_t left, int32_t right) {
    uint64_t hash = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9E3779B97F4A7C15u;
    size_t i = hash >> 32 & (bpe->n_slots - 1);
    for (;; i = (i + 1) & (bpe->n_slots - 1)) {
        struct xl_bpe_merge *slot = &bpe->merges[i];
        if (slot->left == -1 || (slot->left == left && slot->right == right)) return slot;
    }
}

static const struct xl_bpe_merge *find_merge(const struct xl_bpe *bpe, int32_t left,
                                             int32_t right) {
    const struct xl_bpe_merge *slot = merge_slot(bpe, left, right);
    return slot->left == -1 ? NULL : slot;
}

/* Filled well, for the caches; see vocab.c. */
static size_t max_merges(size_t n_slots) {
    return n_slots / 8 * 7;
}

enum xl_status xl_bpe_init(struct xl_bpe *bpe, size_t n_merges, struct xl_err *err) {
    size_t n_slots = 64;
    while (max_merges(n_slots) < n_merges) n_slots *= 2;
    size_t bytes = n_slots * sizeof *bpe->merges;
    struct xl_bpe_merge *merges = malloc(bytes);
    if (!merges) return xl_fail_nomem(err, "merges of the tokenizer", bytes);
    memset(merges, 0xFF, bytes); /* left = -1 */
    *bpe = (struct xl_bpe){.merges = merges, .n_slots = n_slots};
    return XL_OK;
}

void xl_bpe_deinit(struct xl_bpe *bpe) {
    free(bpe->merges);
    *bpe = (struct xl_bpe){0};
}

static enum xl_status grow_merges(struct xl_bpe *bpe, struct xl_err *err) {
    struct xl_bpe larger;
    enum xl_status status = xl_bpe_init(&larger, bpe->n_merges + 1, err);
    if (status) return status;
    for (size_t i = 0; i < bpe->n_slots; i++) {
        struct xl_bpe_merge merge = bpe->merges[i];
        if (merge.left != -1) *merge_slot(&larger, merge.left, merge.right) = merge;
    }
    free(bpe->merges);
    bpe->merges = larger.merges;
    bpe->n_slots = larger.n_slots;
    return XL_OK;
}

enum xl_status xl_bpe_add_merge(struct xl_bpe *bpe, int32_t left, int32_t right, uint32_t rank,
                                int32_t result, struct xl_err *err) {
    if (bpe->n_merges == max_merges(bpe->n_slots)) {
        enum xl_status status = grow_merges(bpe, err);
        if (status) return status;
    }
    struct xl_bpe_merge *slot = merge_slot(bpe, left, right);
    bpe->n_merges += slot->left == -1;
    *slot = (struct xl_bpe_merge){left, right, rank, result};
    return XL_OK;
}

/* GPT-2's printable stand-in for a byte: the printable characters of Latin-1 stand for themselves,
 * the others for U+0100 and up, in order. */
static int32_t byte_char(int byte, int *n_others) {
    bool is_printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) ||
                        (byte >= 0xAE && byte <= 0xFF);
    return is_printable ? byte : 0x100 + (*n_others)++;
}

void xl_bpe_set_bytes(struct xl_bpe *bpe, const struct xl_vocab *vocab, int32_t unk) {
    static const char end_of_word[] = "</w>";
    int n_others = 0;
    for (int byte = 0; byte < 256; byte++) {
        char symbol[4 + sizeof end_of_word];
        size_t n = (size_t)xl_utf8_put(byte_char(byte, &n_others), symbol);
        int32_t id = xl_vocab_find(vocab, (struct xl_span){symbol, n});
        bpe->inner[byte] = id < 0 ? unk : id;
        memcpy(symbol + n, end_of_word, sizeof end_of_word);
        id = xl_vocab_find(vocab, (struct xl_span){symbol, n + strlen(end_of_word)});
        bpe->final[byte] = id < 0 ? unk : id;
    }
}

/* ---- One word -------------------------------------------------------------------------------- */

void xl_bpe_scratch_deinit(struct xl_bpe_scratch *scratch) {
    free(scratch->symbols);
    free(scratch->heap);
    *scratch = (struct xl_bpe_scratch){0};
}

/* The heap starts with fewer than n candidates and each of fewer than n merges adds at most two. */
static bool reserve_scratch(struct xl_bpe_scratch *scratch, size_t n) {
    if (n <= scratch->capacity) return true;
    size_t capacity = n < 64 ? 64 : n * 2;
    xl_bpe_scratch_deinit(scratch);
    if (capacity > INT32_MAX) return false;
    scratch->symbols = malloc(capacity * sizeof *scratch->symbols);
    scratch->heap = malloc(capacity * 3 * sizeof *scratch->heap);
    if (scratch->symbols && scratch->heap) scratch->capacity = capacity;
    return scratch->capacity > 0;
}

static void heap_push(struct xl_bpe_scratch *scratch, struct xl_bpe_candidate candidate) {
    struct xl_bpe_candidate *heap = scratch->heap;
    size_t i = scratch->n_heap++;
    for (; i && candidate.order < heap[(i - 1) / 2].order; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = candidate;
}

static struct xl_bpe_candidate heap_pop(struct xl_bpe_scratch *scratch) {
    struct xl_bpe_candidate *heap = scratch->heap, top = heap[0];
    struct xl_bpe_candidate last = heap[--scratch->n_heap];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < scratch->n_heap; i = child) {
        if (child + 1 < scratch->n_heap && heap[child + 1].order < heap[child].order) child++;
        if (last.order <= heap[child].order) break;
        heap[i] = heap[child];
    }
    heap[i] = last;
    return top;
}

/* Note the merge of the symbol at `at` with its successor, if there is one. */
static void push_pair(const struct xl_bpe *bpe, struct xl_bpe_scratch *scratch, int32_t at) {
    const struct xl_bpe_symbol *symbols = scratch->symbols;
    if (at < 0 || symbols[at].next < 0) return;
    const struct xl_bpe_merge *merge =
        find_merge(bpe, symbols[at].id, symbols[symbols[at].next].id);
    if (!merge) return;
    heap_push(scratch,
              (struct xl_bpe_candidate){(uint64_t)merge->rank << 32 | (uint32_t)at, merge->result});
}

/* A candidate is out of date when one of its symbols was merged away; like the original, one whose
 * symbols changed still counts if they merge into the same token. */
static bool is_current(const struct xl_bpe *bpe, const struct xl_bpe_symbol *symbols, int32_t at,
                       int32_t result) {
    if (symbols[at].id < 0 || symbols[at].next < 0) return false;
    const struct xl_bpe_merge *merge =
        find_merge(bpe, symbols[at].id, symbols[symbols[at].next].id);
    return merge && merge->result == result;
}

static void merge_all(const struct xl_bpe *bpe, struct xl_bpe_scratch *scratch) {
    struct xl_bpe_symbol *symbols = scratch->symbols;
    while (scratch->n_heap) {
        struct xl_bpe_candidate top = heap_pop(scratch);
        int32_t at = (int32_t)(uint32_t)top.order;
        if (!is_current(bpe, symbols, at, top.result)) continue;
        struct xl_bpe_symbol *left = &symbols[at], *right = &symbols[left->next];
        left->id = top.result;
        left->next = right->next;
        right->id = -1;
        if (left->next >= 0) symbols[left->next].prev = at;
        push_pair(bpe, scratch, left->prev);
        push_pair(bpe, scratch, at);
    }
}

void xl_bpe_word(const struct xl_bpe *bpe, struct xl_bpe_scratch *scratch, const uint8_t *word,
                 size_t n, struct xl_ints *ids) {
    if (!n) return;
    if (!reserve_scratch(scratch, n)) {
        ids->failed = true;
        return;
    }
    int32_t last = (int32_t)n - 1;
    for (int32_t i = 0; i <= last; i++) {
        int32_t id = i < last ? bpe->inner[word[i]] : bpe->final[word[i]];
        scratch->symbols[i] = (struct xl_bpe_symbol){id, i - 1, i < last ? i + 1 : -1};
    }
    for (int32_t i = 0; i < last; i++) push_pair(bpe, scratch, i);
    merge_all(bpe, scratch);
    for (int32_t i = 0; i >= 0; i = scratch->symbols[i].next)
        xl_ints_push(ids, scratch->symbols[i].id);
}
