/* tokenizer.c - text to token ids: special tokens, normal form, words, byte pairs. */
#include "text/tokenizer.h"
#include "text/special_tokens.h"
#include "text/unicode.h"
#include "text/vocab_files.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* A prompt is cut to 77 tokens; what is longer than this was never meant as one. */
enum { MAX_TEXT_BYTES = 16 << 20 };

struct xl_tokenizer {
    struct xl_bpe bpe;
    struct xl_special_tokens special;
    int vocab_size;
    bool *ends_word; /* [n_endings], by id */
    int n_endings;
};

enum xl_status xl_tokenizer_open(const char *dir, struct xl_tokenizer **out, struct xl_err *err) {
    struct xl_tokenizer_data data;
    enum xl_status status = xl_tokenizer_data_read(dir, &data, err);
    if (status) return status;
    status = xl_tokenizer_new(&data, out, err);
    xl_tokenizer_data_deinit(&data);
    return status;
}

/* Of the ids that a text encoder could have rows for. */
static enum xl_status find_endings(struct xl_tokenizer *tokenizer, const struct xl_vocab *vocab,
                                   struct xl_err *err) {
    enum { MOST = 1 << 20 };
    int n = vocab->max_id < MOST ? vocab->max_id + 1 : MOST;
    tokenizer->ends_word = calloc((size_t)n + 1, sizeof *tokenizer->ends_word);
    if (!tokenizer->ends_word) return xl_fail_nomem(err, "tokenizer", (size_t)n);
    tokenizer->n_endings = n;
    xl_vocab_find_endings(vocab, "</w>", tokenizer->ends_word, n);
    return XL_OK;
}

enum xl_status xl_tokenizer_new(const struct xl_tokenizer_data *data, struct xl_tokenizer **out,
                                struct xl_err *err) {
    struct xl_vocab_files files = {0};
    struct xl_tokenizer *tokenizer = calloc(1, sizeof *tokenizer);
    enum xl_status status = tokenizer ? XL_OK : xl_fail_nomem(err, "tokenizer", sizeof *tokenizer);
    if (!status) status = xl_vocab_files_open(&files, data, err);
    if (!status)
        status = xl_special_tokens_read(data, &files.vocab, files.added_tokens, &tokenizer->special,
                                        err);
    if (!status) {
        xl_bpe_set_bytes(&files.bpe, &files.vocab, tokenizer->special.unk);
        status = find_endings(tokenizer, &files.vocab, err);
    }
    if (!status) {
        tokenizer->bpe = files.bpe;
        files.bpe = (struct xl_bpe){0};
        tokenizer->vocab_size = files.vocab.max_id + 1;
        const struct xl_added *added = &tokenizer->special.added;
        for (int i = 0; i < added->n; i++)
            if (added->tokens[i].id >= tokenizer->vocab_size)
                tokenizer->vocab_size = added->tokens[i].id + 1;
        *out = tokenizer;
        tokenizer = NULL;
    }
    xl_vocab_files_close(&files);
    xl_tokenizer_close(tokenizer);
    return status;
}

void xl_tokenizer_close(struct xl_tokenizer *tokenizer) {
    if (!tokenizer) return;
    xl_bpe_deinit(&tokenizer->bpe);
    xl_special_tokens_deinit(&tokenizer->special);
    free(tokenizer->ends_word);
    free(tokenizer);
}

int xl_tokenizer_bos(const struct xl_tokenizer *tokenizer) {
    return tokenizer->special.bos;
}
int xl_tokenizer_eos(const struct xl_tokenizer *tokenizer) {
    return tokenizer->special.eos;
}
int xl_tokenizer_pad(const struct xl_tokenizer *tokenizer) {
    return tokenizer->special.pad;
}
int xl_tokenizer_vocab_size(const struct xl_tokenizer *tokenizer) {
    return tokenizer->vocab_size;
}

bool xl_tokenizer_ends_word(const struct xl_tokenizer *tokenizer, int32_t id) {
    return id >= 0 && id < tokenizer->n_endings && tokenizer->ends_word[id];
}

int xl_tokenizer_max_length(const struct xl_tokenizer *tokenizer) {
    return tokenizer->special.max_length;
}

/* ---- Words ----------------------------------------------------------------------------------- */

/* Code points and what is done with them, word by word. */
struct encoding {
    const struct xl_tokenizer *tokenizer;
    struct xl_bpe_scratch scratch;
    uint8_t *bytes; /* of one word */
    size_t capacity;
    struct xl_ints ids;
};

static void encode_word(struct encoding *encoding, const int32_t *word, size_t n) {
    if (encoding->capacity < 4 * n) {
        size_t capacity = 4 * n + 64;
        uint8_t *bytes = realloc(encoding->bytes, capacity);
        if (!bytes) {
            encoding->ids.failed = true;
            return;
        }
        encoding->bytes = bytes;
        encoding->capacity = capacity;
    }
    size_t n_bytes = 0;
    for (size_t i = 0; i < n; i++)
        n_bytes += (size_t)utf8proc_encode_char(word[i], encoding->bytes + n_bytes);
    xl_bpe_word(&encoding->tokenizer->bpe, &encoding->scratch, encoding->bytes, n_bytes,
                &encoding->ids);
}

static bool starts_with(const int32_t *text, size_t n, const char *ascii) {
    size_t i = 0;
    while (ascii[i] && i < n && text[i] == ascii[i]) i++;
    return !ascii[i];
}

/* Length of the first of `words` that the text starts with, or 0. */
static size_t first_of(const int32_t *text, size_t n, const char *const *words) {
    for (; *words; words++)
        if (starts_with(text, n, *words)) return strlen(*words);
    return 0;
}

static size_t run_length(const int32_t *text, size_t n, enum xl_char_class class) {
    size_t i = 0;
    while (i < n && xl_char_class(text[i]) == class) i++;
    return i;
}

/* CLIP's pattern, which names the texts of its special tokens:
 *   <|startoftext|> | <|endoftext|> | 's|'t|'re|'ve|'m|'ll|'d | letters | one number | other signs
 * What it finds goes through GPT-2's pattern again, which only cuts those two texts: "<|", the
 * letters, "|>". They get here where they are not tokens, for instance written in capitals. */
static void encode_words(struct encoding *encoding, const int32_t *text, size_t n) {
    static const char *const specials[] = {"<|startoftext|>", "<|endoftext|>", NULL};
    static const char *const endings[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d", NULL};
    for (size_t i = 0, length; i < n; i += length) {
        const int32_t *word = text + i;
        size_t left = n - i;
        if ((length = first_of(word, left, specials))) {
            encode_word(encoding, word, 2);
            encode_word(encoding, word + 2, length - 4);
            encode_word(encoding, word + length - 2, 2);
            continue;
        }
        length = first_of(word, left, endings);
        if (!length) {
            enum xl_char_class class = xl_char_class(*word);
            length = class == XL_CHAR_NUMBER ? 1 : run_length(word, left, class);
            if (class == XL_CHAR_SPACE) continue;
        }
        encode_word(encoding, word, length);
    }
}

/* A stretch of raw text between special tokens. */
static void encode_stretch(struct encoding *encoding, const int32_t *text, size_t n) {
    struct xl_ints normal = {0};
    xl_clip_normalize(text, n, &normal);
    struct xl_added_walk walk = {.added = &encoding->tokenizer->special.added,
                                 .is_normalized = true,
                                 .text = normal.at,
                                 .n = normal.n};
    for (struct xl_added_piece piece; xl_added_next(&walk, &piece);) {
        if (piece.token)
            xl_ints_push(&encoding->ids, piece.token->id);
        else
            encode_words(encoding, piece.text, piece.n);
    }
    if (normal.failed) encoding->ids.failed = true;
    xl_ints_deinit(&normal);
}

static enum xl_status encode(const struct xl_tokenizer *tokenizer, const char *text,
                             struct xl_ints *ids, struct xl_err *err) {
    size_t n = strlen(text);
    if (n > MAX_TEXT_BYTES)
        return xl_fail(err, XL_EINVAL, "a prompt of %zu bytes; at most %d are taken", n,
                       MAX_TEXT_BYTES);
    struct encoding encoding = {.tokenizer = tokenizer};
    struct xl_ints raw = {0};
    xl_utf8_decode(text, n, &raw);
    struct xl_added_walk walk = {.added = &tokenizer->special.added, .text = raw.at, .n = raw.n};
    for (struct xl_added_piece piece; xl_added_next(&walk, &piece);) {
        if (piece.token)
            xl_ints_push(&encoding.ids, piece.token->id);
        else
            encode_stretch(&encoding, piece.text, piece.n);
    }
    bool failed = raw.failed || encoding.ids.failed;
    xl_ints_deinit(&raw);
    xl_bpe_scratch_deinit(&encoding.scratch);
    free(encoding.bytes);
    if (failed) {
        xl_ints_deinit(&encoding.ids);
        return xl_fail_nomem(err, "token ids", 0);
    }
    *ids = encoding.ids;
    return XL_OK;
}

enum xl_status xl_tokenize(const struct xl_tokenizer *tokenizer, const char *text, int32_t **ids,
                           int *n, struct xl_err *err) {
    struct xl_ints found = {0};
    enum xl_status status = encode(tokenizer, text, &found, err);
    if (status) return status;
    int32_t *exact = realloc(found.at, (found.n ? found.n : 1) * sizeof *exact);
    if (!exact) {
        xl_ints_deinit(&found);
        return xl_fail_nomem(err, "token ids", 0);
    }
    *ids = exact;
    *n = (int)found.n;
    return XL_OK;
}

enum xl_status xl_tokenize_padded(const struct xl_tokenizer *tokenizer, const char *text,
                                  int length, int32_t *ids, int *n_dropped, struct xl_err *err) {
    assert(length >= 2);
    struct xl_ints found = {0};
    enum xl_status status = encode(tokenizer, text, &found, err);
    if (status) return status;
    int n = found.n < (size_t)length - 2 ? (int)found.n : length - 2;
    ids[0] = tokenizer->special.bos;
    if (n) memcpy(ids + 1, found.at, (size_t)n * sizeof *ids);
    ids[n + 1] = tokenizer->special.eos;
    for (int i = n + 2; i < length; i++) ids[i] = tokenizer->special.pad;
    if (n_dropped) *n_dropped = (int)found.n - n;
    xl_ints_deinit(&found);
    return XL_OK;
}
