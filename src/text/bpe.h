/* bpe.h - byte-level byte-pair encoding of one word.
 * Source: Sennrich et al. 2016 (arXiv:1508.07909); bytes as symbols from GPT-2; the mark "</w>" on
 * a word's last symbol from CLIP. Order of merges, ties and unknown bytes as in Hugging Face's
 * tokenizers (models/bpe).
 */
#ifndef XL_TEXT_BPE_H
#define XL_TEXT_BPE_H

#include "text/ints.h"
#include "text/vocab.h"

struct xl_bpe {
    int32_t inner[256];          /* id of a byte that is not its word's last */
    int32_t final[256];          /* id of a byte with "</w>" */
    struct xl_bpe_merge *merges; /* pair of ids to rank and id: open addressing */
    size_t n_slots, n_merges;
};

/* Room for about n_merges merges. Errors: XL_ENOMEM */
enum xl_status xl_bpe_init(struct xl_bpe *bpe, size_t n_merges, struct xl_err *err) XL_CHECKED;
void xl_bpe_deinit(struct xl_bpe *bpe);

/* Look up the 2 x 256 symbols of bytes. unk: the id of those that the vocabulary lacks */
void xl_bpe_set_bytes(struct xl_bpe *bpe, const struct xl_vocab *vocab, int32_t unk);

/* left and right next to each other become `result`. Of two merges the lower rank goes first; a
 * pair that is given twice keeps the later entry. Errors: XL_ENOMEM */
enum xl_status xl_bpe_add_merge(struct xl_bpe *bpe, int32_t left, int32_t right, uint32_t rank,
                                int32_t result, struct xl_err *err) XL_CHECKED;

/* Memory for xl_bpe_word that is kept from word to word. Zero-initialise. */
struct xl_bpe_scratch {
    struct xl_bpe_symbol *symbols;
    struct xl_bpe_candidate *heap;
    size_t capacity, n_heap;
};
void xl_bpe_scratch_deinit(struct xl_bpe_scratch *scratch);

/* Append the ids of one word of n bytes; n log n time. Out of memory is ids->failed. */
void xl_bpe_word(const struct xl_bpe *bpe, struct xl_bpe_scratch *scratch, const uint8_t *word,
                 size_t n, struct xl_ints *ids);

#endif
