/* fuzz_tokenizer.c - the first byte says what the rest is:
 *   T  a prompt, for the small vocabulary of tests/data
 *   V  vocab.json, NUL, merges.txt, NUL, a word to encode with them
 *   J  tokenizer.json
 * Any prompt gives ids inside the vocabulary; any file is read or refused with a sentence. */
#include "fuzz.h"

#include "text/tokenizer.h"
#include "text/vocab_files.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

static void expect_sentence(enum xl_status status, const struct xl_err *err) {
    expect((status == XL_EFORMAT && err->text[0]) || (status == XL_OK && !err->text[0]));
}

static void try_prompt(const struct xl_tokenizer *tokenizer, const char *text) {
    enum { LENGTH = 77 };
    int32_t *ids, padded[LENGTH];
    int n = -1, n_dropped = -1;
    expect(!xl_tokenize(tokenizer, text, &ids, &n, NULL));
    expect(!xl_tokenize_padded(tokenizer, text, LENGTH, padded, &n_dropped, NULL));
    expect(n >= 0 && n_dropped == (n > LENGTH - 2 ? n - (LENGTH - 2) : 0));
    for (int i = 0; i < n; i++) {
        expect(ids[i] >= 0 && ids[i] < xl_tokenizer_vocab_size(tokenizer));
        if (i < LENGTH - 2) expect(ids[i] == padded[i + 1]);
    }
    expect(padded[n - n_dropped + 1] == xl_tokenizer_eos(tokenizer));
    free(ids);
}

static void fuzz_prompt(const char *text) {
    static struct xl_tokenizer *tokenizers[2]; /* opened once, kept */
    static const char *const folders[] = {"unified", "partial"};
    for (int t = 0; t < 2; t++) {
        char dir[512];
        snprintf(dir, sizeof dir, "%s/tests/data/tokens/%s", XL_SOURCE_DIR, folders[t]);
        if (!tokenizers[t]) expect(!xl_tokenizer_open(dir, &tokenizers[t], NULL));
        try_prompt(tokenizers[t], text);
    }
}

static void encode(struct xl_bpe *bpe, const struct xl_vocab *vocab, const char *word, size_t n) {
    struct xl_bpe_scratch scratch = {0};
    struct xl_ints ids = {0};
    xl_bpe_set_bytes(bpe, vocab, 0);
    xl_bpe_word(bpe, &scratch, (const uint8_t *)word, n, &ids);
    expect(!ids.failed && ids.n <= n && (ids.n > 0) == (n > 0));
    for (size_t i = 0; i < ids.n; i++) expect(ids.at[i] >= 0 && ids.at[i] <= vocab->max_id);
    xl_bpe_scratch_deinit(&scratch);
    xl_ints_deinit(&ids);
}

/* The text up to a NUL, which is stepped over. */
static struct xl_span cut(struct xl_span *rest) {
    const char *nul = memchr(rest->at, 0, rest->n);
    struct xl_span part = {rest->at, nul ? (size_t)(nul - rest->at) : rest->n};
    size_t used = part.n + (nul != NULL);
    *rest = (struct xl_span){rest->at + used, rest->n - used};
    return part;
}

static void fuzz_two_files(struct xl_span rest) {
    struct xl_span entries = cut(&rest), merges = cut(&rest);
    struct xl_scan scan = xl_scan_text("vocab.json", entries.at, entries.n);
    struct xl_vocab vocab = {0};
    struct xl_bpe bpe = {0};
    struct xl_err err = {0};
    expect(!xl_vocab_init(&vocab, 0, NULL) && !xl_bpe_init(&bpe, 0, NULL));
    enum xl_status status = xl_vocab_parse(&scan, &vocab, &err);
    if (!status) status = xl_merges_parse("merges.txt", merges, &vocab, &bpe, &err);
    expect_sentence(status, &err);
    if (!status) encode(&bpe, &vocab, rest.at, rest.n);
    xl_vocab_deinit(&vocab);
    xl_bpe_deinit(&bpe);
    xl_scan_deinit(&scan);
}

static void fuzz_tokenizer_json(struct xl_span text) {
    static const char word[] = "abab\xC3\xA9 cat";
    struct xl_scan scan = xl_scan_text("tokenizer.json", text.at, text.n);
    struct xl_vocab vocab = {0};
    struct xl_bpe bpe = {0};
    struct xl_err err = {0};
    json_t *added_tokens = json_array();
    expect(!xl_vocab_init(&vocab, 0, NULL) && !xl_bpe_init(&bpe, 0, NULL));
    enum xl_status status = xl_tokenizer_json_parse(&scan, &vocab, &bpe, added_tokens, &err);
    expect_sentence(status, &err);
    if (!status) encode(&bpe, &vocab, word, sizeof word - 1);
    json_decref(added_tokens);
    xl_vocab_deinit(&vocab);
    xl_bpe_deinit(&bpe);
    xl_scan_deinit(&scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    struct xl_span rest = {(const char *)data + 1, size - 1};
    if (data[0] == 'V') fuzz_two_files(rest);
    if (data[0] == 'J') fuzz_tokenizer_json(rest);
    if (data[0] == 'T') {
        char *text = strndup(rest.at, rest.n);
        expect(text);
        fuzz_prompt(text);
        free(text);
    }
    return 0;
}
