/* chunks.h - pieces of a prompt with weights to token ids in chunks that the text encoders take,
 * each with begin and end, and a weight for every id.
 *
 * Two ways of cutting: AUTOMATIC1111's fills chunks up and moves what follows a comma into the next
 * one when the end of a chunk is near; compel's cuts behind the last sentence that fits, else the
 * last phrase, else the last word. Words that stand for vectors of their own (textual inversions)
 * become ids beyond the vocabulary.
 */
#ifndef XL_TEXT_CHUNKS_H
#define XL_TEXT_CHUNKS_H

#include "text/attention.h"
#include "text/tokenizer.h"

/* A word that stands for n_vectors ids: first_id, first_id + 1, ... Found whatever its case, where
 * it stands as a word (also as "embedding:WORD"), and where the text has the same tokens as the
 * word. */
struct xl_trigger {
    const char *word;
    int32_t first_id;
    int n_vectors;
};

struct xl_chunk_rule {
    const struct xl_tokenizer *tokenizer;
    int length; /* of a chunk, begin and end included: 77 */
    const struct xl_trigger *triggers;
    int n_triggers;
};

enum {
    XL_CHUNKS_MAX = 32,
    XL_COMMA_BACKTRACK = 20, /* tokens behind a comma that move with it */
    XL_WEIGHT_MAX = 1000,    /* of a piece, to either side of 0 */
};

struct xl_chunks {
    int32_t *ids;     /* [n, length], in the arena */
    float *weights;   /* [n, length] */
    int32_t *origins; /* [n, length], of compel's: the fragment of each id; -1: of none */
    int n, length;
    int n_tokens;     /* of the text */
    int n_dropped;    /* of them, those that were cut off (plain) */
    bool is_unclosed; /* as that of the fragments (A1111's) */
};

/* Whether a word stands in a text (NULL: it does not), as a trigger's does: by itself, or as
 * ComfyUI names it, "embedding:WORD". */
bool xl_trigger_is_in(const char *word, const char *text);

/* Tokens of a text, triggers replaced; *ids is malloc'd, the caller's. Errors: as xl_tokenize */
enum xl_status xl_trigger_tokenize(const struct xl_chunk_rule *rule, const char *text,
                                   int32_t **ids, int *n, struct xl_err *err) XL_CHECKED;

/* Errors: XL_EINVAL more than XL_CHUNKS_MAX chunks, a weight beyond XL_WEIGHT_MAX; those of
 * tokenizing; XL_ENOMEM */
enum xl_status xl_chunks_a1111(const struct xl_chunk_rule *rule,
                               const struct xl_fragments *fragments, struct xl_arena *arena,
                               struct xl_chunks *out, struct xl_err *err) XL_CHECKED;
enum xl_status xl_chunks_compel(const struct xl_chunk_rule *rule,
                                const struct xl_fragments *fragments, struct xl_arena *arena,
                                struct xl_chunks *out, struct xl_err *err) XL_CHECKED;
/* One chunk of the whole text as it stands; what does not fit is cut off. */
enum xl_status xl_chunks_plain(const struct xl_chunk_rule *rule, const char *text,
                               struct xl_arena *arena, struct xl_chunks *out,
                               struct xl_err *err) XL_CHECKED;

/* Where in the text the word begins that is the first not to fit in whole; NULL: all fits. Errors:
 * as xl_tokenize */
enum xl_status xl_chunks_first_cut(const struct xl_chunk_rule *rule, const char *text,
                                   const char **out, struct xl_err *err) XL_CHECKED;

#endif
