/* prompt_tokens.c - chunks of ids with their weights as JSON. Keeps no state. */
#include "lab/run/prompt_tokens.h"

#include "lab/data/lora_text.h"
#include "lab/run/sweep.h"
#include "text/chunks.h"
#include "text/compel.h"
#include "text/prompt_steps.h"
#include "weights/embedding.h"

enum { N_ENCODERS = 2 };

/* What was counted of a text for one encoder: the most of a part. */
struct count {
    int n_tokens, n_chunks, n_cut;
};

/* What one text is shown with. */
struct view {
    struct xl_tokenizer *const *tokenizers;
    struct xl_arena *arena;
    struct xl_trigger *triggers[N_ENCODERS]; /* of each tokenizer: [n_triggers] */
    int n_triggers;
    json_t *row, *parts; /* parts NULL: only counted */
    bool is_compel;
    struct count counts[N_ENCODERS];
    size_t
        cut_at; /* where in the text the first word begins that does not fit; SIZE_MAX: all fit */
};

static struct xl_chunk_rule rule_of(const struct view *view, int t) {
    return (struct xl_chunk_rule){.tokenizer = view->tokenizers[t],
                                  .length = xl_tokenizer_max_length(view->tokenizers[t]),
                                  .triggers = view->triggers[t],
                                  .n_triggers = view->n_triggers};
}

static int larger(int a, int b) {
    return a > b ? a : b;
}

static json_t *describe_ids(const struct xl_chunks *chunks, int c) {
    json_t *ids = json_array();
    for (int i = c * chunks->length; i < (c + 1) * chunks->length; i++)
        json_array_append_new(ids, json_integer(chunks->ids[i]));
    return ids;
}

static json_t *describe_chunks(const struct xl_chunks *chunks) {
    json_t *array = json_array();
    for (int c = 0; c < chunks->n; c++) {
        json_t *chunk = json_object(), *weights = json_array();
        for (int i = c * chunks->length; i < (c + 1) * chunks->length; i++)
            json_array_append_new(weights, json_real((double)chunks->weights[i]));
        json_object_set_new(chunk, "ids", describe_ids(chunks, c));
        json_object_set_new(chunk, "weights", weights);
        json_array_append_new(array, chunk);
    }
    return array;
}

/* --- Plain --- */

static enum xl_status show_plain(struct view *view, const char *text, bool is_brief,
                                 struct xl_err *err) {
    static const char *const keys[] = {"ids_1", "ids_2"};
    enum xl_status status = XL_OK;
    for (int t = 0; !status && t < N_ENCODERS; t++) {
        struct xl_chunks chunks;
        struct xl_chunk_rule rule = rule_of(view, t);
        status = xl_chunks_plain(&rule, text, view->arena, &chunks, err);
        if (status) break;
        if (!is_brief) json_object_set_new(view->row, keys[t], describe_ids(&chunks, 0));
        view->counts[t] = (struct count){chunks.n_tokens, 1, chunks.n_dropped};
        const char *cut;
        status = xl_chunks_first_cut(&rule, text, &cut, err);
        if (!status && cut && (size_t)(cut - text) < view->cut_at)
            view->cut_at = (size_t)(cut - text);
    }
    if (!status && view->cut_at != SIZE_MAX)
        json_object_set_new(view->row, "cut_text", xl_json_text(text + view->cut_at));
    return status;
}

/* --- Syntaxes with weights --- */

/* part: with what is known of it already; taken over. n_chunks: of each encoder, the most */
static enum xl_status add_part(struct view *view, const struct xl_fragments *fragments,
                               json_t *part, int n_chunks[N_ENCODERS], struct xl_err *err) {
    static const char *const keys[] = {"chunks_1", "chunks_2"};
    if (view->parts)
        json_array_append_new(view->parts, part);
    else
        json_decref(part);
    for (int t = 0; t < N_ENCODERS; t++) {
        struct xl_chunk_rule rule = rule_of(view, t);
        struct xl_chunks chunks;
        enum xl_status status = view->is_compel
                                    ? xl_chunks_compel(&rule, fragments, view->arena, &chunks, err)
                                    : xl_chunks_a1111(&rule, fragments, view->arena, &chunks, err);
        if (status) return status;
        if (view->parts) json_object_set_new(part, keys[t], describe_chunks(&chunks));
        view->counts[t].n_tokens = larger(view->counts[t].n_tokens, chunks.n_tokens);
        n_chunks[t] = larger(n_chunks[t], chunks.n);
    }
    return XL_OK;
}

static enum xl_status show_a1111(struct view *view, const char *text, int n_steps,
                                 struct xl_err *err) {
    struct xl_prompt_parts parts;
    int n_chunks[N_ENCODERS] = {0};
    enum xl_status status = xl_prompt_steps(text, n_steps, view->arena, &parts, err);
    for (int i = 0; !status && i < parts.n; i++) {
        struct xl_fragments fragments;
        status = xl_attention_parse(parts.at[i].text, view->arena, &fragments, err);
        if (status) break;
        json_t *part = json_pack("{s:i}", "last_step", parts.at[i].last);
        json_object_set_new(part, "text", xl_json_text(parts.at[i].text));
        status = add_part(view, &fragments, part, n_chunks, err);
    }
    for (int t = 0; t < N_ENCODERS; t++) view->counts[t].n_chunks = n_chunks[t];
    return status;
}

static enum xl_status show_compel(struct view *view, const char *text, struct xl_err *err) {
    struct xl_compel compel;
    enum xl_status status = xl_compel_parse(text, view->arena, &compel, err);
    for (int i = 0; !status && i < compel.n; i++) {
        const struct xl_compel_blend *blend = &compel.blends[i];
        int n_chunks[N_ENCODERS] = {0};
        for (int k = 0; !status && k < blend->n; k++) {
            json_t *part = json_pack("{s:i, s:f}", "and", i, "weight", blend->weights[k]);
            status = add_part(view, &blend->prompts[k], part, n_chunks, err);
        }
        for (int t = 0; t < N_ENCODERS; t++) view->counts[t].n_chunks += n_chunks[t];
    }
    return status;
}

/* --- All of them --- */

/* The textual inversions of a text, with ids behind those of the vocabulary. */
static enum xl_status find_triggers(struct view *view, const struct xl_settings *settings,
                                    const char *text, struct xl_err *err) {
    const struct xl_embedding *embeddings = NULL;
    int n = 0, n_rows = 0;
    enum xl_status status = xl_text_embeddings(settings, text, view->arena, &embeddings, &n, err);
    for (int t = 0; !status && t < 2; t++) {
        view->triggers[t] =
            xl_arena_alloc(view->arena, ((size_t)n + 1) * sizeof(struct xl_trigger));
        if (!view->triggers[t]) status = xl_fail_nomem(err, "the words of embeddings", 0);
    }
    for (int i = 0; !status && i < n; i++) {
        struct xl_embedding_vectors vectors;
        status = xl_embedding_read(embeddings[i].file, view->arena, &vectors, err);
        for (int t = 0; !status && t < 2; t++)
            view->triggers[t][i] = (struct xl_trigger){
                embeddings[i].word, xl_tokenizer_vocab_size(view->tokenizers[t]) + n_rows,
                vectors.n};
        if (!status) n_rows += vectors.n;
    }
    if (!status) view->n_triggers = n;
    return status;
}

/* "tokens", "chunks", "cut": of the encoder that has most; "encoders": of each. */
static void put_counts(const struct view *view) {
    struct count most = {0};
    json_t *encoders = json_array();
    for (int t = 0; t < N_ENCODERS; t++) {
        const struct count *count = &view->counts[t];
        most = (struct count){larger(most.n_tokens, count->n_tokens),
                              larger(most.n_chunks, count->n_chunks),
                              larger(most.n_cut, count->n_cut)};
        json_array_append_new(encoders, json_pack("{s:i, s:i, s:i}", "tokens", count->n_tokens,
                                                  "chunks", count->n_chunks, "cut", count->n_cut));
    }
    json_object_set_new(view->row, "tokens", json_integer(most.n_tokens));
    json_object_set_new(view->row, "chunks", json_integer(most.n_chunks));
    json_object_set_new(view->row, "cut", json_integer(most.n_cut));
    json_object_set_new(view->row, "encoders", encoders);
}

enum xl_status xl_prompt_tokens(const struct xl_settings *settings,
                                struct xl_tokenizer *const tokenizers[2], const char *text,
                                bool is_brief, json_t *row, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct view view = {.tokenizers = tokenizers, .arena = &arena, .row = row, .cut_at = SIZE_MAX};
    enum xl_prompt_syntax syntax = settings->prompt_syntax;
    view.is_compel = syntax == XL_PROMPT_COMPEL;
    json_object_set_new(row, "syntax", json_string(xl_prompt_syntax_name(syntax)));
    if (syntax != XL_PROMPT_PLAIN && !is_brief)
        json_object_set_new(row, "parts", view.parts = json_array());
    enum xl_status status = xl_lora_tags_take(text, &arena, &text, NULL, err);
    if (!status) status = find_triggers(&view, settings, text, err);
    if (!status && syntax == XL_PROMPT_PLAIN) status = show_plain(&view, text, is_brief, err);
    if (!status && syntax == XL_PROMPT_A1111)
        status = show_a1111(&view, text, settings->steps, err);
    if (!status && view.is_compel) status = show_compel(&view, text, err);
    put_counts(&view);
    xl_arena_deinit(&arena);
    return status;
}
