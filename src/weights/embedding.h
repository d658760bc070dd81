/* embedding.h - the content of one textual inversion: vectors that stand for a word, for both text
 * encoders.
 *
 * A file holds one tensor for each encoder, [vectors, width] or [width]; trainers call them
 * "clip_l" and "clip_g", or otherwise: xl_embedding_keys has the pairs. Everything is checked when
 * a file is read, its numbers too: they are finite. docs/EMBEDDINGS.md has the list.
 */
#ifndef XL_WEIGHTS_EMBEDDING_H
#define XL_WEIGHTS_EMBEDDING_H

#include "base/arena.h"
#include "base/sha256.h"

enum {
    XL_EMBEDDING_N_ENCODERS = 2,
    XL_EMBEDDING_MAX_BYTES = 64 << 20, /* of a file: far more than a prompt holds */
};

struct xl_embedding_vectors {
    int n; /* vectors, of each encoder */
    int width[XL_EMBEDDING_N_ENCODERS];
    float *at[XL_EMBEDDING_N_ENCODERS]; /* [n, width], in the arena */
    char digest[XL_SHA256_HEX];         /* SHA-256 of the file */
};

/* The i-th pair of names, of the first and of the second encoder; NULL after the last. */
const char *const *xl_embedding_keys(int i);

/* Errors: XL_EMODEL missing; XL_EFORMAT a pickle (by its name, unread), damaged, not of this kind,
 * of different numbers of vectors, NaN or infinity, too large; XL_ENOMEM */
enum xl_status xl_embedding_read(const char *path, struct xl_arena *arena,
                                 struct xl_embedding_vectors *out, struct xl_err *err) XL_CHECKED;

#endif
