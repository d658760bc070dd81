/* compel.c - texts in compel's syntax to embeddings. A weight w moves a token's states away from
 * those of an empty text, z0 + w (z - z0). A fragment with a weight below 1 is taken out as well:
 * the states are mixed with those where its tokens are hidden, 1 to tan((1 - w) pi / 2). The pooled
 * vector is that of the text as it was written. Source: compel 2.5, CompelForSDXL. */
#include "engine/engine.h"

#include "text/compel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A text on its way through encoder e. */
struct encoding {
    struct xl_drawing *drawing;
    int e;
    struct xl_chunk_rule rule;
    struct xl_arena *arena;
    size_t n_chunk; /* numbers of a chunk's states */
    float *empty;   /* [n_chunk]: states of an empty text */
};

/* --- One prompt --- */

/* States of all chunks, weighted; hidden: the fragment whose tokens are, -1: none. */
static enum xl_status encode_weighted(struct encoding *encoding, const struct xl_chunks *chunks,
                                      int hidden, float *out, struct xl_err *err) {
    size_t length = (size_t)chunks->length, width = encoding->n_chunk / length;
    int first = -1, last = -1, n = chunks->n * chunks->length;
    int32_t *mask = malloc(length * sizeof *mask);
    if (!mask) return xl_fail_nomem(err, "a mask", length * sizeof *mask);
    for (int i = 0; hidden >= 0 && i < n; i++) {
        if (chunks->origins[i] != hidden) continue;
        if (first < 0) first = i;
        last = i;
    }
    enum xl_status status = XL_OK;
    for (int c = 0; !status && c < chunks->n; c++) {
        float *states = out + (size_t)c * encoding->n_chunk;
        const float *weights = chunks->weights + (size_t)c * length;
        /* What is between the first and the last token, but for the ends of chunks. */
        for (int t = 0; t < chunks->length; t++) {
            int i = c * chunks->length + t;
            mask[t] = !(i >= first && i <= last && first >= 0) || t == 0 || t == chunks->length - 1;
        }
        struct xl_states_place place = {states, NULL};
        status = xl_text_run(encoding->drawing, encoding->e, chunks->ids + (size_t)c * length,
                             first >= 0 ? mask : NULL, place, err);
        for (size_t i = 0; !status && i < encoding->n_chunk; i++) {
            float w = weights[i / width], z0 = encoding->empty[i];
            if (w != 1) states[i] = z0 + (states[i] - z0) * w;
        }
    }
    free(mask);
    return status;
}

static bool has_tokens(const struct xl_chunks *chunks, int fragment) {
    for (int i = 0; i < chunks->n * chunks->length; i++)
        if (chunks->origins[i] == fragment) return true;
    return false;
}

/* *out: malloc'd, [n_chunks, n_chunk] */
static enum xl_status encode_prompt(struct encoding *encoding, const struct xl_fragments *fragments,
                                    float **out, int *n_chunks, struct xl_err *err) {
    struct xl_chunks chunks;
    enum xl_status status =
        xl_chunks_compel(&encoding->rule, fragments, encoding->arena, &chunks, err);
    if (status) return status;
    size_t count = (size_t)chunks.n * encoding->n_chunk;
    float *sum = malloc(count * sizeof *sum), *without = malloc(count * sizeof *without);
    double total = 1;
    if (!sum || !without) status = xl_fail_nomem(err, "text embeddings", count * sizeof *sum);
    if (!status) status = encode_weighted(encoding, &chunks, -1, sum, err);
    for (int i = 0; !status && i < fragments->n; i++) {
        double weight = fragments->at[i].weight;
        if (!(weight < 1) || !has_tokens(&chunks, i)) continue;
        double share = tan((1 - fmax(1e-5, weight)) * 3.14159265358979323846 / 2);
        status = encode_weighted(encoding, &chunks, i, without, err);
        for (size_t k = 0; !status && k < count; k++) sum[k] += (float)share * without[k];
        total += share;
    }
    for (size_t k = 0; !status && total != 1 && k < count; k++)
        sum[k] = (float)((double)sum[k] / total);
    free(without);
    if (status) {
        free(sum);
        return status;
    }
    *out = sum;
    *n_chunks = chunks.n;
    return XL_OK;
}

/* --- Several prompts --- */

/* Room for so many chunks; new ones are zeros. */
static enum xl_status extend(struct encoding *encoding, struct xl_states *all, int n_chunks,
                             struct xl_err *err) {
    size_t count = (size_t)n_chunks * encoding->n_chunk;
    float *grown = realloc(all->at, count * sizeof *grown);
    if (!grown) return xl_fail_nomem(err, "text embeddings", count * sizeof *grown);
    for (size_t i = (size_t)all->n_chunks * encoding->n_chunk; i < count; i++) grown[i] = 0;
    all->at = grown;
    all->n_chunks = n_chunks;
    return XL_OK;
}

struct prompt_states {
    float *at;
    int n_chunks;
};

/* The mean of prompts with weights, the shorter ones with empty chunks behind them. */
static enum xl_status encode_blend(struct encoding *encoding, const struct xl_compel_blend *blend,
                                   double weight, struct xl_states *all, struct xl_err *err) {
    struct prompt_states *prompts = calloc((size_t)blend->n, sizeof *prompts);
    enum xl_status status = prompts ? XL_OK : xl_fail_nomem(err, "prompts", 0);
    int most = 0, first = all->n_chunks;
    double total = 0;
    for (int i = 0; !status && i < blend->n; i++) {
        status =
            encode_prompt(encoding, &blend->prompts[i], &prompts[i].at, &prompts[i].n_chunks, err);
        if (prompts[i].n_chunks > most) most = prompts[i].n_chunks;
        total += blend->weights[i];
    }
    if (!status) status = extend(encoding, all, first + most, err);
    for (int i = 0; !status && i < blend->n; i++) {
        float by = (float)(blend->is_normalized ? blend->weights[i] / total : blend->weights[i]);
        float *to = all->at + (size_t)first * encoding->n_chunk;
        for (size_t k = 0; k < (size_t)most * encoding->n_chunk; k++) {
            bool is_own = k < (size_t)prompts[i].n_chunks * encoding->n_chunk;
            to[k] += by * (is_own ? prompts[i].at[k] : encoding->empty[k % encoding->n_chunk]);
        }
    }
    for (size_t k = (size_t)first * encoding->n_chunk;
         !status && weight != 1 && k < (size_t)all->n_chunks * encoding->n_chunk; k++) {
        float z0 = encoding->empty[k % encoding->n_chunk];
        all->at[k] = z0 + (all->at[k] - z0) * (float)weight;
    }
    for (int i = 0; prompts && i < blend->n; i++) free(prompts[i].at);
    free(prompts);
    return status;
}

/* --- All of it --- */

static enum xl_status prepare(struct encoding *encoding, const char *text, float *pooled,
                              struct xl_err *err) {
    struct xl_chunks empty, raw;
    enum xl_status status = xl_chunks_plain(&encoding->rule, "", encoding->arena, &empty, err);
    if (!status) status = xl_chunks_plain(&encoding->rule, text, encoding->arena, &raw, err);
    encoding->empty = malloc(encoding->n_chunk * sizeof *encoding->empty);
    if (!status && !encoding->empty) status = xl_fail_nomem(err, "text embeddings", 0);
    struct xl_states_place place = {encoding->empty, pooled};
    if (!status && pooled)
        status = xl_text_run(encoding->drawing, encoding->e, raw.ids, NULL, place, err);
    place.pooled = NULL;
    return status ? status
                  : xl_text_run(encoding->drawing, encoding->e, empty.ids, NULL, place, err);
}

enum xl_status xl_compel_encode(struct xl_drawing *drawing, int e, const char *text,
                                struct xl_states *out, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_compel compel;
    struct encoding encoding = {.drawing = drawing, .e = e, .arena = &arena};
    encoding.rule = xl_prompt_rule(drawing, e);
    encoding.n_chunk = (size_t)drawing->n_tokens * (size_t)drawing->model->clip[e].hidden_size;
    struct xl_states all = {.at = NULL, .pooled = out->pooled};
    enum xl_status status = xl_compel_parse(text, &arena, &compel, err);
    if (!status) status = prepare(&encoding, text, e ? out->pooled : NULL, err);
    for (int i = 0; !status && i < compel.n; i++)
        status = encode_blend(&encoding, &compel.blends[i], compel.weights[i], &all, err);
    free(encoding.empty);
    xl_arena_deinit(&arena);
    if (status)
        free(all.at);
    else
        *out = all;
    return status;
}

enum xl_status xl_compel_count(const struct xl_drawing *drawing, int e, const char *text,
                               int *n_chunks, bool *has_swap, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_compel compel;
    struct xl_chunk_rule rule = xl_prompt_rule(drawing, e);
    int n = 0;
    enum xl_status status = xl_compel_parse(text, &arena, &compel, err);
    for (int i = 0; !status && i < compel.n; i++) {
        int most = 1;
        for (int k = 0; !status && k < compel.blends[i].n; k++) {
            struct xl_chunks chunks = {0};
            status = xl_chunks_compel(&rule, &compel.blends[i].prompts[k], &arena, &chunks, err);
            if (chunks.n > most) most = chunks.n;
        }
        n += most;
    }
    if (!status && n > XL_CHUNKS_MAX)
        status =
            xl_fail(err, XL_EINVAL,
                    "the prompts of .and() take more than %d chunks of %d tokens; shorten them",
                    XL_CHUNKS_MAX, rule.length - 2);
    if (!status) *has_swap |= compel.has_swap;
    *n_chunks = n;
    xl_arena_deinit(&arena);
    return status;
}
