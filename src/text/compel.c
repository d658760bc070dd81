/* compel.c - from compel's syntax to fragments: blends and conjunctions, which only all of a text
 * can be, and weights multiplied out. Keeps no state. */
#include "text/compel.h"
#include "base/str.h"
#include "text/compel_tree.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROMPTS = 64 };

/* --- Weights multiplied out --- */

/* A piece of text; those that are joined with the one before have its weight. */
struct piece {
    const char *text;
    double weight;
    bool is_joined;
};

struct flat {
    struct xl_arena *arena;
    struct piece *at;
    int n, capacity;
    bool was_swap; /* the last one is not joined with what follows */
    bool failed;
};

static void add_piece(struct flat *flat, const char *text, double weight, bool is_swap) {
    bool is_joined = flat->n && flat->at[flat->n - 1].weight == weight && !is_swap &&
                     !flat->was_swap;
    if (flat->n == flat->capacity) {
        int capacity = flat->capacity ? 2 * flat->capacity : 16;
        struct piece *at = realloc(flat->at, (size_t)capacity * sizeof *at);
        if (!at) {
            flat->failed = true;
            return;
        }
        flat->at = at;
        flat->capacity = capacity;
    }
    flat->at[flat->n++] = (struct piece){text, weight, is_joined};
    flat->was_swap = is_swap;
}

/* As deep as the brackets were: reading has a bound for it. */
static void flatten(struct flat *flat, const struct xl_compel_node *node, double scale,
                    bool is_swap) {
    for (; node && !flat->failed; node = node->next) {
        if (node->text)
            add_piece(flat, node->text, scale, is_swap);
        else
            flatten(flat, node->children, scale * node->weight, is_swap || node->is_swap);
    }
}

/* Pieces i to end - 1, with a blank between each two. NULL: out of memory */
static const char *join(const struct flat *flat, int i, int end) {
    size_t length = 0;
    if (end == i + 1) return flat->at[i].text;
    for (int k = i; k < end; k++) length += strlen(flat->at[k].text) + 1;
    char *text = xl_arena_alloc(flat->arena, length), *to = text;
    for (int k = i; text && k < end; k++) {
        if (k > i) *to++ = ' ';
        to = stpcpy(to, flat->at[k].text);
    }
    return text;
}

/* out: room for as many as there are pieces */
static bool join_all(const struct flat *flat, struct xl_fragments *out) {
    for (int i = 0, end; i < flat->n; i = end) {
        for (end = i + 1; end < flat->n && flat->at[end].is_joined;) end++;
        const char *text = join(flat, i, end);
        if (!text) return false;
        out->at[out->n++] = (struct xl_fragment){text, flat->at[i].weight, false};
    }
    return true;
}

static enum xl_status to_fragments(const struct xl_compel_list *list, struct xl_arena *arena,
                                   struct xl_fragments *out, struct xl_err *err) {
    struct flat flat = {.arena = arena};
    struct xl_fragments fragments = {.n = 0};
    flatten(&flat, list->first, 1, false);
    if (!flat.n && !flat.failed) add_piece(&flat, "", 1, false);
    size_t bytes = (size_t)flat.n * sizeof *fragments.at;
    if (!flat.failed) fragments.at = xl_arena_alloc(arena, bytes);
    bool is_done = fragments.at && join_all(&flat, &fragments);
    free(flat.at);
    if (!is_done) return xl_fail_nomem(err, "a prompt", bytes);
    *out = fragments;
    return XL_OK;
}

/* --- Several prompts --- */

/* ("a", "b").NAME(1, 0.5, word): lists and numbers, and whether the word was there. */
struct several {
    struct xl_compel_list list[MAX_PROMPTS];
    double weights[MAX_PROMPTS];
    int n, n_weights;
    bool is_raw; /* no_normalize */
};

static size_t read_lists(struct xl_compel_reader *reader, struct several *out) {
    size_t at = xl_compel_expect(reader, 0, "(");
    while (at && out->n < MAX_PROMPTS) {
        at = xl_compel_read_target(reader, at, true, &out->list[out->n]);
        if (!at) return 0;
        out->n++;
        size_t comma = xl_compel_expect(reader, at, ",");
        if (!comma) return xl_compel_expect(reader, at, ")");
        at = comma;
    }
    return 0;
}

static size_t read_weights(const struct xl_compel_reader *reader, size_t at, struct several *out) {
    size_t end = xl_compel_expect(reader, at, ")");
    while (!end && out->n_weights < MAX_PROMPTS) {
        size_t word = xl_compel_expect(reader, at, "no_normalize");
        out->is_raw = word > 0;
        if (!word) word = xl_compel_read_number(reader, at, &out->weights[out->n_weights++]);
        if (!word) return 0;
        at = xl_compel_expect(reader, word, ",");
        if (!at || out->is_raw) return xl_compel_expect(reader, word, ")");
    }
    return end;
}

/* All of the text; and(), unlike blend(), may have something behind it that does not count. */
static bool read_several(struct xl_compel_reader *reader, const char *name, struct several *out) {
    *out = (struct several){.n = 0};
    size_t at = read_lists(reader, out);
    if (at) at = xl_compel_expect(reader, at, name);
    if (at) at = xl_compel_expect(reader, at, "(");
    if (at) at = read_weights(reader, at, out);
    return at && (strcmp(name, ".blend") != 0 || xl_compel_skip(reader, at) == reader->n);
}

static enum xl_status check_weights(struct several *several, struct xl_err *err) {
    if (several->n_weights && several->n_weights != several->n)
        return xl_fail(err, XL_EINVAL,
                       "the prompt has %d texts in brackets and %d weights for them, expected as "
                       "many, or none",
                       several->n, several->n_weights);
    for (int i = 0; i < several->n && !several->n_weights; i++) several->weights[i] = 1;
    return XL_OK;
}

static enum xl_status make_blend(const struct xl_compel_list *list, const double *weights, int n,
                                 struct xl_arena *arena, struct xl_compel_blend *out,
                                 struct xl_err *err) {
    *out =
        (struct xl_compel_blend){.prompts = xl_arena_alloc(arena, (size_t)n * sizeof *out->prompts),
                                 .weights = xl_arena_alloc(arena, (size_t)n * sizeof *out->weights),
                                 .n = n,
                                 .is_normalized = true};
    if (!out->prompts || !out->weights) return xl_fail_nomem(err, "a prompt", 0);
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < n; i++) {
        out->weights[i] = weights[i];
        status = to_fragments(&list[i], arena, &out->prompts[i], err);
    }
    return status;
}

static enum xl_status make(const struct several *several, bool is_blend, struct xl_arena *arena,
                           struct xl_compel *out, struct xl_err *err) {
    static const double one = 1;
    int n = is_blend ? 1 : several->n;
    out->n = n;
    out->blends = xl_arena_alloc(arena, (size_t)n * sizeof *out->blends);
    out->weights = xl_arena_alloc(arena, (size_t)n * sizeof *out->weights);
    if (!out->blends || !out->weights) return xl_fail_nomem(err, "a prompt", 0);
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < n; i++) {
        out->weights[i] = is_blend ? 1 : several->weights[i];
        if (is_blend)
            status = make_blend(several->list, several->weights, several->n, arena, &out->blends[0],
                                err);
        else
            status = make_blend(&several->list[i], &one, 1, arena, &out->blends[i], err);
    }
    if (!status && is_blend) out->blends[0].is_normalized = !several->is_raw;
    return status;
}

/* --- All of it --- */

/* A blank behind every comma that has none, as compel puts them. */
static char *with_blanks(const char *text, struct xl_arena *arena) {
    char *out = xl_arena_alloc(arena, 2 * strlen(text) + 1), *to = out;
    for (; out && *text; text++) {
        *to++ = *text;
        if (*text != ',' || !text[1] || isspace((unsigned char)text[1])) continue;
        *to++ = ' ';
        *to++ = *++text;
    }
    return out;
}

enum xl_status xl_compel_parse(const char *text, struct xl_arena *arena, struct xl_compel *out,
                               struct xl_err *err) {
    struct xl_compel_reader reader;
    struct several several;
    struct xl_compel parsed = {.n = 0};
    char *spaced = with_blanks(text, arena);
    if (!spaced) return xl_fail_nomem(err, "a prompt", 0);
    enum xl_status mistake = XL_OK;
    enum xl_status status =
        xl_compel_reader_init(&reader, spaced, strlen(spaced), arena, &mistake, err);
    if (status) return status;
    bool is_and = read_several(&reader, ".and", &several) ||
                  read_several(&reader, ".add", &several);
    bool is_blend = !is_and && read_several(&reader, ".blend", &several);
    if (!is_and && !is_blend) {
        several = (struct several){.n = 1, .weights = {1}};
        several.n_weights = 1;
        reader.has_swap = false;
        if (!mistake) xl_compel_read_prompt(&reader, &several.list[0]);
    }
    if (mistake) return mistake;
    parsed.has_swap = reader.has_swap;
    status = check_weights(&several, err);
    if (!status) status = make(&several, is_blend, arena, &parsed, err);
    if (!status) *out = parsed;
    return status;
}
