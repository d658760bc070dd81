/* fuzz_prompt.c - any text as a prompt: the first byte is the syntax (A, S for A1111's weights and
 * schedules, C for compel's, P for plain), the rest the text. It is read or refused with a
 * sentence; weights are those of pieces, steps have one text each, and chunks are whole. */
#include "fuzz.h"

#include "text/chunks.h"
#include "text/compel.h"
#include "text/prompt_steps.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

static struct xl_tokenizer *tokenizer(void) {
    static struct xl_tokenizer *opened; /* once, kept */
    if (!opened)
        expect(
            !xl_tokenizer_open(XL_SOURCE_DIR "/tests/data/models/repo/tokenizer_2", &opened, NULL));
    return opened;
}

static const struct xl_trigger triggers[] = {{"cat", 514, 3}, {"a-b", 517, 80}};

static void check_chunks(const struct xl_chunks *chunks, enum xl_status status,
                         const struct xl_err *err) {
    expect(status == XL_OK || (status == XL_EINVAL && err->text[0]));
    if (status) return;
    expect(chunks->n >= 1 && chunks->n <= XL_CHUNKS_MAX && chunks->length == 77);
    for (int i = 0; i < chunks->n * 77; i++) expect(chunks->ids[i] >= 0 && chunks->ids[i] < 597);
    for (int c = 0; c < chunks->n; c++) expect(chunks->ids[c * 77] == 512);
}

static void try_fragments(const struct xl_fragments *fragments, bool is_compel,
                          struct xl_arena *arena) {
    struct xl_chunk_rule rule = {tokenizer(), 77, triggers, 2};
    struct xl_chunks chunks;
    struct xl_err err = {0};
    for (int i = 0; i < fragments->n; i++) expect(fragments->at[i].text != NULL);
    enum xl_status status = is_compel ? xl_chunks_compel(&rule, fragments, arena, &chunks, &err)
                                      : xl_chunks_a1111(&rule, fragments, arena, &chunks, &err);
    check_chunks(&chunks, status, &err);
}

static void try_compel(const char *text, struct xl_arena *arena) {
    struct xl_compel compel;
    struct xl_err err = {0};
    enum xl_status status = xl_compel_parse(text, arena, &compel, &err);
    expect(status == XL_OK || (status == XL_EINVAL && err.text[0]));
    for (int i = 0; !status && i < compel.n; i++)
        for (int k = 0; k < compel.blends[i].n; k++)
            try_fragments(&compel.blends[i].prompts[k], true, arena);
}

static void try_steps(const char *text, struct xl_arena *arena) {
    enum { N = 7 };
    struct xl_prompt_parts parts;
    expect(!xl_prompt_steps(text, N, arena, &parts, NULL));
    expect(parts.n >= 1 && parts.n <= N && parts.at[parts.n - 1].last == N);
    for (int i = 0; i < parts.n; i++) {
        expect(parts.at[i].index >= 0 && parts.at[i].index < parts.n_texts);
        expect(strlen(parts.at[i].text) <= strlen(text));
    }
}

static void try_weights(const char *text, struct xl_arena *arena) {
    struct xl_fragments fragments;
    struct xl_err err = {0};
    enum xl_status status = xl_attention_parse(text, arena, &fragments, &err);
    expect(status == XL_OK || (status == XL_EINVAL && err.text[0]));
    if (!status) try_fragments(&fragments, false, arena);
}

static void try_plain(const char *text, struct xl_arena *arena) {
    struct xl_chunk_rule rule = {tokenizer(), 77, triggers, 2};
    struct xl_chunks chunks;
    const char *cut;
    expect(!xl_chunks_plain(&rule, text, arena, &chunks, NULL));
    expect(chunks.n == 1 && chunks.n_dropped == (chunks.n_tokens > 75 ? chunks.n_tokens - 75 : 0));
    expect(!xl_chunks_first_cut(&rule, text, &cut, NULL));
    expect(!cut == !chunks.n_dropped);
    expect(!cut || (cut >= text && cut <= text + strlen(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    struct xl_arena arena = {0};
    char *text = strndup((const char *)data + 1, size - 1);
    expect(text != NULL);
    if (data[0] == 'A') try_weights(text, &arena);
    if (data[0] == 'S') try_steps(text, &arena);
    if (data[0] == 'C') try_compel(text, &arena);
    if (data[0] == 'P') try_plain(text, &arena);
    free(text);
    xl_arena_deinit(&arena);
    return 0;
}
