/* prompt_tokens.c - chunks of ids with their weights as JSON. Keeps no state. */
#include "cli/prompt_tokens.h"

#include "base/json.h"
#include "text/chunks.h"
#include "text/compel.h"
#include "text/prompt_steps.h"

/* What one text is shown with. */
struct view {
    struct xl_tokenizer *const *tokenizers;
    struct xl_arena *arena;
    json_t *parts;
    bool is_compel;
};

static json_t *describe_chunks(const struct xl_chunks *chunks) {
    json_t *array = json_array();
    for (int c = 0; c < chunks->n; c++) {
        json_t *chunk = json_object(), *ids = json_array(), *weights = json_array();
        for (int i = c * chunks->length; i < (c + 1) * chunks->length; i++) {
            json_array_append_new(ids, json_integer(chunks->ids[i]));
            json_array_append_new(weights, json_real((double)chunks->weights[i]));
        }
        json_object_set_new(chunk, "ids", ids);
        json_object_set_new(chunk, "weights", weights);
        json_array_append_new(array, chunk);
    }
    return array;
}

/* part: with what is known of it already; taken over. */
static enum xl_status add_part(const struct view *view, const struct xl_fragments *fragments,
                               json_t *part, struct xl_err *err) {
    static const char *const keys[] = {"chunks_1", "chunks_2"};
    json_array_append_new(view->parts, part);
    for (int t = 0; t < 2; t++) {
        struct xl_chunk_rule rule = {.tokenizer = view->tokenizers[t]};
        rule.length = xl_tokenizer_max_length(view->tokenizers[t]);
        struct xl_chunks chunks;
        enum xl_status status = view->is_compel
                                    ? xl_chunks_compel(&rule, fragments, view->arena, &chunks, err)
                                    : xl_chunks_a1111(&rule, fragments, view->arena, &chunks, err);
        if (status) return status;
        json_object_set_new(part, keys[t], describe_chunks(&chunks));
    }
    return XL_OK;
}

static enum xl_status show_a1111(const struct view *view, const char *text, int n_steps,
                                 struct xl_err *err) {
    struct xl_prompt_parts parts;
    enum xl_status status = xl_prompt_steps(text, n_steps, view->arena, &parts, err);
    for (int i = 0; !status && i < parts.n; i++) {
        struct xl_fragments fragments;
        status = xl_attention_parse(parts.at[i].text, view->arena, &fragments, err);
        if (status) break;
        json_t *part = json_pack("{s:i}", "last_step", parts.at[i].last);
        json_object_set_new(part, "text", xl_json_text(parts.at[i].text));
        status = add_part(view, &fragments, part, err);
    }
    return status;
}

static enum xl_status show_compel(const struct view *view, const char *text, struct xl_err *err) {
    struct xl_compel compel;
    enum xl_status status = xl_compel_parse(text, view->arena, &compel, err);
    for (int i = 0; !status && i < compel.n; i++)
        for (int k = 0; !status && k < compel.blends[i].n; k++) {
            json_t *part = json_pack("{s:i, s:f}", "and", i, "weight", compel.blends[i].weights[k]);
            status = add_part(view, &compel.blends[i].prompts[k], part, err);
        }
    return status;
}

enum xl_status xl_prompt_tokens(const struct xl_settings *settings,
                                struct xl_tokenizer *const tokenizers[2], const char *text,
                                json_t *row, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct view view = {.tokenizers = tokenizers, .arena = &arena, .parts = json_array()};
    view.is_compel = settings->prompt_syntax == XL_PROMPT_COMPEL;
    json_object_set_new(row, "syntax", json_string(xl_prompt_syntax_name(settings->prompt_syntax)));
    json_object_set_new(row, "parts", view.parts);
    enum xl_status status = view.is_compel ? show_compel(&view, text, err)
                                           : show_a1111(&view, text, settings->steps, err);
    xl_arena_deinit(&arena);
    return status;
}
