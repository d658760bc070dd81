/* prompts.c - the texts of a request before anything is encoded: what stands in them at which step,
 * how many chunks that takes, and what there is to warn of. Needs no device. */
#include "engine/engine.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *xl_prompt_syntax_name(enum xl_prompt_syntax syntax) {
    static const char *const names[] = {
        [XL_PROMPT_PLAIN] = "plain", [XL_PROMPT_A1111] = "a1111", [XL_PROMPT_COMPEL] = "compel"};
    return names[syntax];
}

/* Steps are numbered from 1. A sampler may call the model more than once a step. */
static int step_of(const struct xl_drawing *drawing, int evaluation) {
    return 1 + (int)((int64_t)evaluation * drawing->n_steps / drawing->schedule->n_steps);
}

int xl_drawing_evaluations(const struct xl_drawing *drawing, int step) {
    int n = 0;
    while (n < drawing->schedule->n_steps && step_of(drawing, n) <= step) n++;
    return n;
}

/* --- Chunks ---
 */

struct xl_chunk_rule xl_prompt_rule(const struct xl_drawing *drawing, int e) {
    return (struct xl_chunk_rule){.tokenizer = drawing->model->tokenizer[e],
                                  .length = drawing->n_tokens,
                                  .triggers = drawing->embeddings.triggers[e],
                                  .n_triggers = drawing->embeddings.n};
}

static enum xl_status chunks_a1111(const struct xl_chunk_rule *rule, const char *text,
                                   struct xl_arena *arena, struct xl_chunks *out,
                                   struct xl_err *err) {
    struct xl_fragments fragments;
    enum xl_status status = xl_attention_parse(text, arena, &fragments, err);
    return status ? status : xl_chunks_a1111(rule, &fragments, arena, out, err);
}

enum xl_status xl_prompt_chunks(const struct xl_drawing *drawing, int e, const char *text,
                                struct xl_arena *arena, struct xl_chunks *out, struct xl_err *err) {
    struct xl_chunk_rule rule = xl_prompt_rule(drawing, e);
    if (drawing->request->prompt_syntax == XL_PROMPT_A1111)
        return chunks_a1111(&rule, text, arena, out, err);
    return xl_chunks_plain(&rule, text, arena, out, err);
}

/* What there is to say about a text. */
struct findings {
    int n_dropped; /* tokens, of the encoder where it is more */
    bool has_swap, is_unclosed;
};

/* Of all steps, for both encoders. */
static enum xl_status count_chunks(const struct xl_drawing *drawing, struct xl_drawing_text *text,
                                   struct findings *out, struct xl_err *err) {
    struct xl_arena arena = {0};
    enum xl_status status = XL_OK;
    bool is_compel = drawing->request->prompt_syntax == XL_PROMPT_COMPEL;
    *out = (struct findings){0};
    text->n_chunks = 1;
    for (int i = 0; !status && i < text->parts.n; i++)
        for (int e = 0; !status && e < XL_N_ENCODERS; e++) {
            struct xl_chunks chunks = {0};
            const char *own = text->parts.at[i].text;
            status = is_compel ? xl_compel_count(drawing, e, own, &chunks.n, &out->has_swap, err)
                               : xl_prompt_chunks(drawing, e, own, &arena, &chunks, err);
            if (chunks.n > text->n_chunks) text->n_chunks = chunks.n;
            if (chunks.n_dropped > out->n_dropped) out->n_dropped = chunks.n_dropped;
            out->is_unclosed |= chunks.is_unclosed;
        }
    xl_arena_deinit(&arena);
    return status;
}

/* --- Warnings ---
 */

static bool has_and(const char *text) {
    for (const char *at = text; (at = strstr(at, "AND")); at += 3)
        if ((at == text || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[3]))
            return true;
    return false;
}

/* ", from "the word" on", where it is not all of the text. */
static void say_cut(const struct xl_drawing *drawing, const char *text, char *out, size_t size) {
    struct xl_chunk_rule rule = xl_prompt_rule(drawing, 1);
    const char *cut = NULL;
    enum { MOST = 30 };
    out[0] = 0;
    if (xl_chunks_first_cut(&rule, text, &cut, NULL) || !cut || cut == text) return;
    int n = (int)strcspn(cut, " \t\r\n");
    if (n <= MOST) snprintf(out, size, ", from \"%.*s\" on", n, cut);
}

static void warn_of_cut(struct xl_drawing *drawing, const char *text, bool is_negative,
                        int n_dropped) {
    char from[64];
    say_cut(drawing, text, from, sizeof from);
    xl_str_printf(&drawing->warnings,
                  "the %sprompt is too long for the text encoders: its last %d %s cut off (%d "
                  "fit)%s; --prompt-syntax a1111 takes longer ones\n",
                  is_negative ? "negative " : "", n_dropped,
                  xl_plural(n_dropped, "token was", "tokens were"), drawing->n_tokens - 2, from);
}

/* What was said already: each kind is said once, of the first text that it is true of. */
struct warned {
    bool of_cut, of_and, of_swap, of_unclosed;
};

static bool is_first(bool *was_said, bool is_true) {
    bool is_it = is_true && !*was_said;
    *was_said |= is_true;
    return is_it;
}

static void warn(struct xl_drawing *drawing, const char *text, bool is_negative,
                 const struct findings *found, struct warned *warned) {
    struct xl_str *out = &drawing->warnings;
    bool is_a1111 = drawing->request->prompt_syntax == XL_PROMPT_A1111;
    if (is_first(&warned->of_cut, found->n_dropped > 0))
        warn_of_cut(drawing, text, is_negative, found->n_dropped);
    if (is_first(&warned->of_unclosed, found->is_unclosed))
        xl_str_printf(out,
                      "a bracket of the %sprompt is not closed: it reaches to the end, as in "
                      "A1111; write \\( or \\[ for the sign itself\n",
                      is_negative ? "negative " : "");
    if (is_first(&warned->of_and, is_a1111 && has_and(text)))
        xl_str_puts(out, "AND is drawn as the word: pictures are not composed of several prompts "
                         "here\n");
    if (is_first(&warned->of_swap, found->has_swap))
        xl_str_puts(out, ".swap() is left out: what stands before it is drawn, not what it "
                         "names\n");
}

/* --- Reading ---
 */

static enum xl_status one_part(struct xl_drawing *drawing, const char *text,
                               struct xl_prompt_parts *out, struct xl_err *err) {
    struct xl_prompt_part *part = xl_arena_alloc(&drawing->arena, sizeof *part);
    if (!part) return xl_fail_nomem(err, "a prompt", 0);
    *part = (struct xl_prompt_part){drawing->n_steps, text, 0};
    *out = (struct xl_prompt_parts){part, 1, 1};
    return XL_OK;
}

static enum xl_status read_text(struct xl_drawing *drawing, const char *text, bool is_negative,
                                struct xl_drawing_text *out, struct warned *warned,
                                struct xl_err *err) {
    struct findings found;
    enum xl_status status;
    if (drawing->request->prompt_syntax == XL_PROMPT_A1111)
        status = xl_prompt_steps(text, drawing->n_steps, &drawing->arena, &out->parts, err);
    else
        status = one_part(drawing, text, &out->parts, err);
    if (!status) status = count_chunks(drawing, out, &found, err);
    if (!status) warn(drawing, text, is_negative, &found, warned);
    if (status && is_negative) return xl_fail_context(err, status, "negative prompt");
    return status;
}

enum xl_status xl_prompts_read(struct xl_drawing *drawing, struct xl_err *err) {
    const struct xl_request *request = drawing->request;
    int n = request->n_pictures;
    struct warned warned = {0};
    bool zeros = drawing->model->files.force_zeros_for_empty_prompt;
    size_t bytes = (size_t)xl_drawing_n_samples(drawing) * sizeof *drawing->texts;
    drawing->texts = xl_arena_alloc(&drawing->arena, bytes);
    if (!drawing->texts) return xl_fail_nomem(err, "prompts", bytes);
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < n; i++) {
        const struct xl_picture *picture = &request->pictures[i];
        struct xl_drawing_text *text = &drawing->texts[drawing->has_guidance ? n + i : i];
        status = read_text(drawing, picture->prompt, false, text, &warned, err);
        /* An omitted negative prompt stays zero where the model was trained so. */
        text = &drawing->texts[i];
        if (!status && drawing->has_guidance && (picture->negative || !zeros))
            status = read_text(drawing, picture->negative ? picture->negative : "", true, text,
                               &warned, err);
        if (status && n > 1) return xl_fail_context(err, status, "picture %d", i + 1);
        int own = xl_prompts_of_picture(drawing, i);
        if (own > drawing->n_chunks) drawing->n_chunks = own;
    }
    return status;
}

int xl_prompts_of_picture(const struct xl_drawing *drawing, int i) {
    int n = drawing->texts[i].n_chunks;
    if (!drawing->has_guidance) return n;
    int guided = drawing->texts[drawing->request->n_pictures + i].n_chunks;
    return guided > n ? guided : n;
}
