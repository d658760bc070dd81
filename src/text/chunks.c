/* chunks.c - ids with weights are cut into chunks; see chunks.h for where. Keeps no state.
 * Sources: stable-diffusion-webui, sd_hijack_clip (what tokenize_line answers); compel 2.5,
 * EmbeddingsProvider (where long prompts are split). */
#include "text/chunks.h"
#include "text/ints.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Ids on their way into chunks. */
struct cutter {
    const struct xl_chunk_rule *rule;
    int room;        /* ids of a chunk between begin and end */
    bool pads_early; /* behind the first end, even one that stands in the text */
    int32_t comma, bos, eos, pad;
    int32_t *ids;   /* [room]: of the chunk that is being filled */
    float *weights; /* [room] */
    int n;
    int last_comma; /* in it; -1: none */
    struct xl_ints out;
    float *out_weights;
    int n_chunks, capacity;
    int n_tokens; /* that were put in */
    bool failed;
};

/* The only token of a sign, or -1. */
static enum xl_status find_sign(const struct xl_tokenizer *tokenizer, const char *sign,
                                int32_t *out, struct xl_err *err) {
    int32_t *ids;
    int n;
    enum xl_status status = xl_tokenize(tokenizer, sign, &ids, &n, err);
    if (status) return status;
    *out = n == 1 ? ids[0] : -1;
    free(ids);
    return XL_OK;
}

static void cutter_deinit(struct cutter *cutter) {
    free(cutter->ids);
    free(cutter->weights);
    free(cutter->out_weights);
    xl_ints_deinit(&cutter->out);
}

static enum xl_status cutter_init(struct cutter *cutter, const struct xl_chunk_rule *rule,
                                  struct xl_err *err) {
    *cutter = (struct cutter){.rule = rule, .room = rule->length - 2, .last_comma = -1};
    cutter->bos = xl_tokenizer_bos(rule->tokenizer);
    cutter->eos = xl_tokenizer_eos(rule->tokenizer);
    cutter->pad = xl_tokenizer_pad(rule->tokenizer);
    cutter->ids = calloc((size_t)rule->length, sizeof *cutter->ids);
    cutter->weights = calloc((size_t)rule->length, sizeof *cutter->weights);
    if (!cutter->ids || !cutter->weights || cutter->room < 1)
        return xl_fail_nomem(err, "token ids", 0);
    return find_sign(rule->tokenizer, ",", &cutter->comma, err);
}

static bool reserve_weights(struct cutter *cutter) {
    if (cutter->n_chunks < cutter->capacity) return true;
    int capacity = cutter->capacity ? 2 * cutter->capacity : 2;
    size_t n = (size_t)capacity * (size_t)cutter->rule->length;
    float *weights = realloc(cutter->out_weights, n * sizeof *weights);
    if (!weights) return false;
    cutter->out_weights = weights;
    cutter->capacity = capacity;
    return true;
}

/* Begin, the first n ids, end, and padding. */
static void close_chunk(struct cutter *cutter) {
    int length = cutter->rule->length;
    if (!reserve_weights(cutter)) cutter->failed = true;
    if (cutter->failed) return;
    float *weights = cutter->out_weights + (size_t)cutter->n_chunks * (size_t)length;
    for (int i = 0; i < length; i++) weights[i] = 1;
    memcpy(weights + 1, cutter->weights, (size_t)cutter->n * sizeof *weights);
    xl_ints_push(&cutter->out, cutter->bos);
    bool is_over = false;
    for (int i = 0; i < length - 1; i++) {
        int32_t id = i < cutter->n ? cutter->ids[i] : cutter->eos;
        xl_ints_push(&cutter->out, is_over ? cutter->pad : id);
        is_over |= id == cutter->eos && (cutter->pads_early || i >= cutter->n);
    }
    cutter->n_chunks++;
    cutter->n = 0;
    cutter->last_comma = -1;
}

static void put(struct cutter *cutter, int32_t id, float weight) {
    cutter->ids[cutter->n] = id;
    cutter->weights[cutter->n++] = weight;
    cutter->n_tokens++;
}

/* What is far beyond any use would end in numbers that are none. */
static enum xl_status check_weight(const struct xl_fragment *fragment, struct xl_err *err) {
    if (fabs(fragment->weight) <= XL_WEIGHT_MAX) return XL_OK;
    return xl_fail(
        err, XL_EINVAL,
        "the prompt gives \"%.40s\" a weight of %g, expected -%d to %d; weights beyond 2 "
        "rarely make sense",
        fragment->text, fragment->weight, XL_WEIGHT_MAX, XL_WEIGHT_MAX);
}

static enum xl_status hand_over(struct cutter *cutter, struct xl_arena *arena,
                                struct xl_chunks *out, struct xl_err *err) {
    int n = cutter->n_chunks;
    size_t count = (size_t)n * (size_t)cutter->rule->length;
    bool failed = cutter->failed || cutter->out.failed;
    if (!failed && n > XL_CHUNKS_MAX)
        return xl_fail(err, XL_EINVAL,
                       "the prompt takes more than %d chunks of %d tokens: every chunk makes each "
                       "step slower, and what stands so far back hardly counts; shorten it",
                       XL_CHUNKS_MAX, cutter->room);
    *out = (struct xl_chunks){.n = n, .length = cutter->rule->length, .n_tokens = cutter->n_tokens};
    if (!failed) out->ids = xl_arena_alloc(arena, count * sizeof *out->ids);
    if (!failed) out->weights = xl_arena_alloc(arena, count * sizeof *out->weights);
    if (!out->ids || !out->weights) return xl_fail_nomem(err, "token ids", 0);
    memcpy(out->ids, cutter->out.at, count * sizeof *out->ids);
    memcpy(out->weights, cutter->out_weights, count * sizeof *out->weights);
    return XL_OK;
}

/* --- AUTOMATIC1111's way ---
 */

/* What follows the last comma goes into the next chunk. */
static void move_to_next(struct cutter *cutter) {
    int kept = cutter->last_comma + 1, n = cutter->n - kept;
    cutter->n = kept;
    close_chunk(cutter);
    memmove(cutter->ids, cutter->ids + kept, (size_t)n * sizeof *cutter->ids);
    memmove(cutter->weights, cutter->weights + kept, (size_t)n * sizeof *cutter->weights);
    cutter->n = n;
}

/* Ids from `at` on that must not be torn apart: the vectors of a word. */
static int run_length(const struct xl_chunk_rule *rule, const int32_t *ids, int n) {
    for (int i = 0; i < rule->n_triggers; i++)
        if (rule->triggers[i].first_id == ids[0] && rule->triggers[i].n_vectors <= n)
            return rule->triggers[i].n_vectors;
    return 1;
}

static void add_tokens(struct cutter *cutter, const int32_t *ids, int n, float weight) {
    for (int i = 0, run; i < n && cutter->n_chunks <= XL_CHUNKS_MAX; i += run) {
        run = run_length(cutter->rule, ids + i, n - i);
        bool is_full = cutter->n == cutter->room;
        if (ids[i] == cutter->comma)
            cutter->last_comma = cutter->n;
        else if (is_full && cutter->last_comma >= 0 &&
                 cutter->n - cutter->last_comma <= XL_COMMA_BACKTRACK)
            move_to_next(cutter);
        if (cutter->n == cutter->room) close_chunk(cutter);
        if (run > 1 && cutter->n && cutter->n + run > cutter->room) close_chunk(cutter);
        for (int k = 0; k < run && cutter->n < cutter->room; k++) put(cutter, ids[i + k], weight);
    }
}

enum xl_status xl_chunks_a1111(const struct xl_chunk_rule *rule,
                               const struct xl_fragments *fragments, struct xl_arena *arena,
                               struct xl_chunks *out, struct xl_err *err) {
    struct cutter cutter;
    enum xl_status status = cutter_init(&cutter, rule, err);
    cutter.pads_early = cutter.pad != cutter.eos;
    for (int i = 0; !status && i < fragments->n; i++) {
        const struct xl_fragment *fragment = &fragments->at[i];
        int32_t *ids;
        int n;
        if (fragment->is_break) {
            close_chunk(&cutter);
            continue;
        }
        status = check_weight(fragment, err);
        if (!status) status = xl_trigger_tokenize(rule, fragment->text, &ids, &n, err);
        if (status) break;
        add_tokens(&cutter, ids, n, (float)fragment->weight);
        free(ids);
    }
    if (!status && (cutter.n || !cutter.n_chunks)) close_chunk(&cutter);
    if (!status) status = hand_over(&cutter, arena, out, err);
    if (!status) out->is_unclosed = fragments->is_unclosed;
    cutter_deinit(&cutter);
    return status;
}

/* --- compel's way ---
 */

/* Signs that end a phrase, the first of them a sentence. */
struct signs {
    int32_t at[4];
    const struct xl_tokenizer *tokenizer;
};

static bool is_one_of(const struct signs *signs, int n, int32_t id) {
    for (int i = 0; i < n; i++)
        if (signs->at[i] == id && id >= 0) return true;
    return false;
}

/* Behind the last sentence, phrase or word that fits into `room`. */
static int split_point(const struct signs *signs, const int32_t *ids, int n, int room) {
    if (n <= room) return n;
    for (int n_signs = 1; n_signs <= 4; n_signs += 3)
        for (int i = room - 1; i >= 0; i--)
            if (is_one_of(signs, n_signs, ids[i])) return i + 1;
    for (int i = room - 1; i >= 0; i--)
        if (xl_tokenizer_ends_word(signs->tokenizer, ids[i])) return i + 1;
    return room;
}

/* The tokens of all fragments. */
struct tokens {
    struct xl_ints ids, origins;
    float *weights;
};

/* origins: [chunks, length], filled in */
static void cut_all(struct cutter *cutter, const struct signs *signs, const struct tokens *tokens,
                    struct xl_ints *origins) {
    const struct xl_ints *ids = &tokens->ids;
    const float *weights = tokens->weights;
    int n = (int)ids->n, begin = 0;
    do {
        const int32_t *rest = n ? ids->at + begin : NULL;
        int length = split_point(signs, rest, n - begin, cutter->room);
        xl_ints_push(origins, -1);
        for (int i = begin; i < begin + length; i++) {
            put(cutter, ids->at[i], weights[i]);
            xl_ints_push(origins, tokens->origins.at[i]);
        }
        for (int i = length + 1; i < cutter->rule->length; i++) xl_ints_push(origins, -1);
        close_chunk(cutter);
        begin += length;
    } while (begin < n && cutter->n_chunks <= XL_CHUNKS_MAX);
}

static enum xl_status list_tokens(const struct xl_chunk_rule *rule,
                                  const struct xl_fragments *fragments, struct tokens *out,
                                  struct xl_err *err) {
    for (int i = 0; i < fragments->n; i++) {
        int32_t *own;
        int n;
        enum xl_status status = check_weight(&fragments->at[i], err);
        if (!status) status = xl_trigger_tokenize(rule, fragments->at[i].text, &own, &n, err);
        if (status) return status;
        size_t first = out->ids.n;
        xl_ints_append(&out->ids, own, (size_t)n);
        free(own);
        for (int k = 0; k < n; k++) xl_ints_push(&out->origins, i);
        float *grown = realloc(out->weights, (out->ids.n + 1) * sizeof *grown);
        if (grown) out->weights = grown;
        if (!grown || out->ids.failed || out->origins.failed)
            return xl_fail_nomem(err, "token ids", 0);
        for (int k = 0; k < n; k++) grown[first + (size_t)k] = (float)fragments->at[i].weight;
    }
    return XL_OK;
}

static enum xl_status keep_origins(const struct xl_ints *origins, struct xl_arena *arena,
                                   struct xl_chunks *out, struct xl_err *err) {
    size_t bytes = origins->n * sizeof *out->origins;
    out->origins = origins->failed ? NULL : xl_arena_alloc(arena, bytes);
    if (!out->origins) return xl_fail_nomem(err, "token ids", bytes);
    memcpy(out->origins, origins->at, bytes);
    return XL_OK;
}

enum xl_status xl_chunks_compel(const struct xl_chunk_rule *rule,
                                const struct xl_fragments *fragments, struct xl_arena *arena,
                                struct xl_chunks *out, struct xl_err *err) {
    static const char *const texts[] = {".", ",", ";", ":"};
    struct cutter cutter;
    struct signs signs = {.tokenizer = rule->tokenizer};
    struct tokens tokens = {.weights = NULL};
    struct xl_ints origins = {0};
    enum xl_status status = cutter_init(&cutter, rule, err);
    for (int i = 0; !status && i < 4; i++)
        status = find_sign(rule->tokenizer, texts[i], &signs.at[i], err);
    if (!status) status = list_tokens(rule, fragments, &tokens, err);
    if (!status) cut_all(&cutter, &signs, &tokens, &origins);
    if (!status) status = hand_over(&cutter, arena, out, err);
    if (!status) status = keep_origins(&origins, arena, out, err);
    xl_ints_deinit(&origins);
    xl_ints_deinit(&tokens.ids);
    xl_ints_deinit(&tokens.origins);
    free(tokens.weights);
    cutter_deinit(&cutter);
    return status;
}

/* --- As it stands ---
 */

enum xl_status xl_chunks_plain(const struct xl_chunk_rule *rule, const char *text,
                               struct xl_arena *arena, struct xl_chunks *out, struct xl_err *err) {
    int32_t *ids = NULL;
    int n = 0, length = rule->length;
    struct xl_chunks chunk = {.n = 1, .length = length};
    enum xl_status status = xl_trigger_tokenize(rule, text, &ids, &n, err);
    if (status) return status;
    int n_kept = n < length - 2 ? n : length - 2;
    chunk.n_tokens = n;
    chunk.n_dropped = n - n_kept;
    chunk.ids = xl_arena_alloc(arena, (size_t)length * sizeof *chunk.ids);
    chunk.weights = xl_arena_alloc(arena, (size_t)length * sizeof *chunk.weights);
    if (!chunk.ids || !chunk.weights) {
        free(ids);
        return xl_fail_nomem(err, "token ids", 0);
    }
    for (int i = 0; i < length; i++) {
        chunk.weights[i] = 1;
        chunk.ids[i] = i == 0            ? xl_tokenizer_bos(rule->tokenizer)
                       : i <= n_kept     ? ids[i - 1]
                       : i == n_kept + 1 ? xl_tokenizer_eos(rule->tokenizer)
                                         : xl_tokenizer_pad(rule->tokenizer);
    }
    free(ids);
    *out = chunk;
    return XL_OK;
}

/* Words are tokenized one by one, so a text up to a blank has the tokens that it has in the whole
 * one. */
static enum xl_status count_up_to(const struct xl_chunk_rule *rule, const char *text, size_t length,
                                  int *n, struct xl_err *err) {
    char *beginning = strndup(text, length);
    int32_t *ids = NULL;
    if (!beginning) return xl_fail_nomem(err, "a prompt", length);
    enum xl_status status = xl_trigger_tokenize(rule, beginning, &ids, n, err);
    free(beginning);
    if (!status) free(ids);
    return status;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A blank between low and high, near the middle; low: there is none. */
static size_t middle_blank(const char *text, size_t low, size_t high) {
    size_t middle = low + (high - low) / 2, at = middle;
    while (at < high && !is_blank(text[at])) at++;
    if (at < high && at > low) return at;
    for (at = middle; at > low && !is_blank(text[at]);) at--;
    return at;
}

enum xl_status xl_chunks_first_cut(const struct xl_chunk_rule *rule, const char *text,
                                   const char **out, struct xl_err *err) {
    size_t low = 0, high = strlen(text), at; /* what fits, and what does not */
    int n = 0, room = rule->length - 2;
    enum xl_status status = count_up_to(rule, text, high, &n, err);
    *out = NULL;
    if (status || n <= room) return status;
    while (!status && (at = middle_blank(text, low, high)) > low) {
        status = count_up_to(rule, text, at, &n, err);
        if (n <= room)
            low = at;
        else
            high = at;
    }
    while (is_blank(text[low])) low++;
    *out = text + low;
    return status;
}
