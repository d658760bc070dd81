/* test_chunks.c - texts to chunks of ids with weights: against A1111's and compel's own code
 * (tests/data/prompts, made by tools/reference/topics/prompts.py), what is cut off as plain, and
 * words that stand for several ids. */
#include "base/json.h"
#include "scratch.h"
#include "text/chunks.h"
#include "text/compel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 77, ROOM = 75 };

static struct xl_tokenizer *open_tokenizer(void) {
    struct xl_err err = {0};
    struct xl_tokenizer *tokenizer = NULL;
    cr_assert_eq(
        xl_tokenizer_open(XL_SOURCE_DIR "/models/lab-tiny-xl/tokenizer_2", &tokenizer, &err), XL_OK,
        "%s", err.text);
    return tokenizer;
}

/* The chunks of a text, as one of A1111's, or as the only prompt of one of compel's. */
static void cut(const struct xl_chunk_rule *rule, bool is_compel, const char *text,
                struct xl_arena *arena, struct xl_chunks *out) {
    struct xl_err err = {0};
    struct xl_fragments fragments;
    struct xl_compel compel;
    if (is_compel) {
        cr_assert_eq(xl_compel_parse(text, arena, &compel, &err), XL_OK, "%s", err.text);
        cr_assert_eq(xl_chunks_compel(rule, &compel.blends[0].prompts[0], arena, out, &err), XL_OK,
                     "%s", err.text);
    } else {
        cr_assert_eq(xl_attention_parse(text, arena, &fragments, &err), XL_OK, "%s", err.text);
        cr_assert_eq(xl_chunks_a1111(rule, &fragments, arena, out, &err), XL_OK, "%s", err.text);
    }
}

/* --- Equal to A1111 and to compel --- */

/* expected: [ids without the padding behind them, [[count, weight], ...]] */
static void expect_chunk(const char *text, const struct xl_chunks *found, int c, int pad,
                         const json_t *expected) {
    const json_t *ids = json_array_get(expected, 0), *runs = json_array_get(expected, 1), *run;
    const float *weights = found->weights + c * LENGTH;
    int n = 0;
    for (int i = 0; i < LENGTH; i++) {
        int wanted = i < (int)json_array_size(ids)
                         ? (int)json_integer_value(json_array_get(ids, (size_t)i))
                         : pad;
        cr_assert_eq(found->ids[c * LENGTH + i], wanted, "%s: id %d of chunk %d is %d, expected %d",
                     text, i, c, found->ids[c * LENGTH + i], wanted);
    }
    size_t r;
    json_array_foreach((json_t *)runs, r, run) {
        float wanted = (float)json_number_value(json_array_get(run, 1));
        for (int end = n + (int)json_integer_value(json_array_get(run, 0)); n < end; n++)
            cr_assert_float_eq(weights[n], wanted, 1e-6F, "%s: weight %d of chunk %d is %g", text,
                               n, c, (double)weights[n]);
    }
    cr_expect_eq(n, LENGTH);
}

Test(chunks, equal_those_of_a1111_and_compel) {
    struct xl_tokenizer *tokenizer = open_tokenizer();
    struct xl_chunk_rule rule = {.tokenizer = tokenizer, .length = LENGTH};
    struct xl_err err = {0};
    json_t *root = NULL, *c;
    size_t i;
    cr_assert_eq(xl_json_load(XL_SOURCE_DIR "/tests/data/prompts/chunks.json", &root, &err), XL_OK,
                 "%s", err.text);
    cr_assert_geq(json_array_size(json_object_get(root, "cases")), 40);
    json_array_foreach(json_object_get(root, "cases"), i, c) {
        struct xl_arena arena = {0};
        struct xl_chunks found;
        const char *text = json_string_value(json_object_get(c, "prompt"));
        const json_t *chunks = json_object_get(c, "chunks");
        bool is_compel = !strcmp(json_string_value(json_object_get(c, "syntax")), "compel");
        cut(&rule, is_compel, text, &arena, &found);
        cr_assert_eq(found.length, LENGTH);
        cr_assert_eq(found.n, (int)json_array_size(chunks), "%s: %d chunks", text, found.n);
        for (int k = 0; k < found.n; k++)
            expect_chunk(text, &found, k, xl_tokenizer_pad(tokenizer),
                         json_array_get(chunks, (size_t)k));
        xl_arena_deinit(&arena);
    }
    json_decref(root);
    xl_tokenizer_close(tokenizer);
}

/* --- As it stands --- */

Test(chunks, plain_texts_are_cut_at_75_tokens) {
    struct xl_tokenizer *tokenizer = open_tokenizer();
    struct xl_chunk_rule rule = {.tokenizer = tokenizer, .length = LENGTH};
    static const int lengths[] = {0, 1, 74, 75, 76, 150, 1000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct xl_arena arena = {0};
        struct xl_chunks found;
        char text[2001] = "";
        int n = lengths[i], kept = n < ROOM ? n : ROOM;
        for (int k = 0; k < n; k++) memcpy(text + 2 * k, "x ", 3);
        cr_assert_eq(xl_chunks_plain(&rule, text, &arena, &found, NULL), XL_OK);
        cr_expect_eq(found.n, 1);
        cr_expect_eq(found.n_dropped, n - kept, "%d tokens: %d dropped", n, found.n_dropped);
        cr_expect_eq(found.ids[0], xl_tokenizer_bos(tokenizer));
        cr_expect_eq(found.ids[kept + 1], xl_tokenizer_eos(tokenizer));
        for (int k = kept + 2; k < LENGTH; k++)
            cr_expect_eq(found.ids[k], xl_tokenizer_pad(tokenizer));
        for (int k = 0; k < LENGTH; k++) cr_expect_eq(found.weights[k], 1);
        xl_arena_deinit(&arena);
    }
    xl_tokenizer_close(tokenizer);
}

static void expect_cut(const struct xl_chunk_rule *rule, int n_before, const char *rest,
                       const char *expected) {
    char text[1000] = "";
    const char *found = NULL;
    for (int i = 0; i < n_before; i++) strcat(text, i % 7 ? "x " : "x\n ");
    strcat(text, rest);
    cr_assert_eq(xl_chunks_first_cut(rule, text, &found, NULL), XL_OK);
    cr_assert_eq(found != NULL, expected != NULL, "%s", rest);
    if (expected) cr_expect_str_eq(found, expected);
}

Test(chunks, the_first_word_that_is_cut_is_found) {
    struct xl_tokenizer *tokenizer = open_tokenizer();
    struct xl_chunk_rule rule = {.tokenizer = tokenizer, .length = LENGTH};
    expect_cut(&rule, 0, "", NULL);
    expect_cut(&rule, 75, "", NULL);
    expect_cut(&rule, 75, "y z", "y z");
    expect_cut(&rule, 74, "y z", "z");
    expect_cut(&rule, 60, "y zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
               "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
    char word[401];
    memset(word, 'q', 400);
    word[400] = 0;
    expect_cut(&rule, 0, word, word);
    xl_tokenizer_close(tokenizer);
}

/* --- How many --- */

static enum xl_status try_length(const struct xl_chunk_rule *rule, int n, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_fragments fragments;
    struct xl_chunks found;
    char *text = calloc((size_t)n + 1, 2);
    cr_assert_not_null(text);
    for (int i = 0; i < n; i++) memcpy(text + 2 * i, "x ", 2);
    cr_assert_eq(xl_attention_parse(text, &arena, &fragments, err), XL_OK);
    enum xl_status status = xl_chunks_a1111(rule, &fragments, &arena, &found, err);
    cr_expect_eq(status, xl_chunks_compel(rule, &fragments, &arena, &found, err));
    free(text);
    xl_arena_deinit(&arena);
    return status;
}

Test(chunks, too_many_are_refused) {
    struct xl_tokenizer *tokenizer = open_tokenizer();
    struct xl_chunk_rule rule = {.tokenizer = tokenizer, .length = LENGTH};
    struct xl_err err = {0};
    cr_expect_eq(try_length(&rule, XL_CHUNKS_MAX * ROOM, &err), XL_OK, "%s", err.text);
    cr_expect_eq(try_length(&rule, XL_CHUNKS_MAX * ROOM + 1, &err), XL_EINVAL);
    cr_expect_not_null(strstr(err.text, "more than 32 chunks of 75 tokens"), "%s", err.text);
    cr_expect_eq(try_length(&rule, 50000, &err), XL_EINVAL);
    xl_tokenizer_close(tokenizer);
}

static void expect_weight(const struct xl_chunk_rule *rule, double weight, const char *shown) {
    struct xl_arena arena = {0};
    struct xl_fragment piece = {"cat", weight, false};
    struct xl_fragments fragments = {.at = &piece, .n = 1};
    struct xl_chunks found;
    struct xl_err err = {0};
    enum xl_status status = xl_chunks_a1111(rule, &fragments, &arena, &found, &err);
    cr_expect_eq(status, shown ? XL_EINVAL : XL_OK, "%g: %s", weight, err.text);
    if (shown) cr_expect_not_null(strstr(err.text, shown), "%s", err.text);
    cr_expect_eq(status, xl_chunks_compel(rule, &fragments, &arena, &found, &err), "%g", weight);
    xl_arena_deinit(&arena);
}

Test(chunks, weights_that_are_no_use_are_refused) {
    struct xl_tokenizer *tokenizer = open_tokenizer();
    struct xl_chunk_rule rule = {.tokenizer = tokenizer, .length = LENGTH};
    expect_weight(&rule, 0, NULL);
    expect_weight(&rule, -1000, NULL);
    expect_weight(&rule, 1000, NULL);
    expect_weight(&rule, 1e9, "gives \"cat\" a weight of 1e+09, expected -1000 to 1000");
    expect_weight(&rule, -HUGE_VAL, "a weight of -inf");
    expect_weight(&rule, NAN, "nan");
    xl_tokenizer_close(tokenizer);
}

/* --- Words that are several vectors --- */

static void expect_run(const struct xl_chunks *chunks, int at, int first_id, int n) {
    for (int i = 0; i < n; i++)
        cr_expect_eq(chunks->ids[at + i], first_id + i, "id %d is %d", at + i, chunks->ids[at + i]);
}

Test(chunks, vectors_of_a_word_stay_together) {
    static const struct xl_trigger triggers[] = {{"glass", 50000, 4}, {"much", 50100, 75}};
    struct xl_tokenizer *tokenizer = open_tokenizer();
    struct xl_chunk_rule rule = {tokenizer, LENGTH, triggers, 2};
    struct xl_arena arena = {0};
    struct xl_chunks found;
    char text[400] = "";
    for (int i = 0; i < 72; i++) strcat(text, "x ");
    strcat(text, "(glass:1.5)");
    cut(&rule, false, text, &arena, &found);
    cr_assert_eq(found.n, 2);
    cr_expect_eq(found.ids[73], xl_tokenizer_eos(tokenizer));
    expect_run(&found, LENGTH + 1, 50000, 4);
    cr_expect_float_eq(found.weights[LENGTH + 4], 1.5F, 1e-6F);
    cr_expect_eq(found.weights[LENGTH + 5], 1);
    cut(&rule, false, "x much", &arena, &found);
    cr_assert_eq(found.n, 2);
    expect_run(&found, LENGTH + 1, 50100, 75);
    xl_arena_deinit(&arena);
    xl_tokenizer_close(tokenizer);
}
