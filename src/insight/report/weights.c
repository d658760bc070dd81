/* weights.c - entries of a grammar are looked for by their words: prompts of each word that is
 * needed, in order, are met with each other. */
#include "insight/report/weights.h"

#include "base/json.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 16 }; /* of an entry; what comes later tells little more */

struct word {
    const char *text;
    uint32_t id;
};

/* The words of the observations by their texts, and the prompts that have each. */
struct lookup {
    const struct xl_observations *rows;
    struct word *words;
    size_t *start;        /* [word_count + 1] */
    uint32_t *postings;   /* prompts, in order */
    double *made, *loved; /* [prompt_count] pictures */
    double average;
};

static int by_text(const void *a, const void *b) {
    return strcmp(((const struct word *)a)->text, ((const struct word *)b)->text);
}

static void lookup_deinit(struct lookup *lookup) {
    free(lookup->words);
    free(lookup->start);
    free(lookup->postings);
    free(lookup->made);
    free(lookup->loved);
}

static bool lookup_init(struct lookup *lookup, const struct xl_observations *rows) {
    size_t n = rows->word_count, total = n ? rows->word_start[rows->prompt_count] : 0;
    double loved = 0;
    *lookup = (struct lookup){.rows = rows};
    lookup->words = malloc((n + 1) * sizeof *lookup->words);
    lookup->start = calloc(n + 2, sizeof *lookup->start);
    lookup->postings = malloc((total + 1) * sizeof *lookup->postings);
    lookup->made = calloc(rows->prompt_count + 1, sizeof *lookup->made);
    lookup->loved = calloc(rows->prompt_count + 1, sizeof *lookup->loved);
    if (!lookup->words || !lookup->start || !lookup->postings || !lookup->made || !lookup->loved)
        return false;
    for (size_t i = 0; i < n; i++) lookup->words[i] = (struct word){rows->words[i], (uint32_t)i};
    qsort(lookup->words, n, sizeof *lookup->words, by_text);
    for (size_t i = 0; i < total; i++) lookup->start[rows->word_ids[i] + 2]++;
    for (size_t i = 2; i < n + 2; i++) lookup->start[i] += lookup->start[i - 1];
    for (size_t p = 0; n && p < rows->prompt_count; p++)
        for (size_t w = rows->word_start[p]; w < rows->word_start[p + 1]; w++)
            lookup->postings[lookup->start[rows->word_ids[w] + 1]++] = (uint32_t)p;
    for (size_t r = 0; r < rows->row_count; r++) {
        loved += rows->loved[r] != 0;
        if (!rows->prompt_count || rows->prompt[r] == XL_NO_LEVEL) continue;
        lookup->made[rows->prompt[r]]++;
        lookup->loved[rows->prompt[r]] += rows->loved[r] != 0;
    }
    lookup->average = rows->row_count ? loved / (double)rows->row_count : 0;
    return true;
}

/* The ids of the words of an entry: in small letters, of two letters and more. -1: a word that no
 * prompt has; 0: the entry has no words of its own. */
static int words_of(const struct lookup *lookup, const struct xl_grammar_entry *entry,
                    uint32_t ids[MOST_WORDS]) {
    int n = 0;
    for (int i = 0; i < entry->n_items; i++) {
        const struct xl_grammar_item *item = &entry->items[i];
        for (size_t at = 0; item->text && at < item->n && n < MOST_WORDS;) {
            char text[64];
            size_t length = 0;
            for (; at < item->n; at++) {
                unsigned char c = (unsigned char)item->text[at];
                if (!isalnum(c) && c < 0x80) break;
                if (length + 1 < sizeof text) text[length++] = (char)tolower(c);
            }
            text[length] = 0;
            at++;
            if (length < 2) continue;
            const struct word wanted = {text, 0}, *found;
            found =
                bsearch(&wanted, lookup->words, lookup->rows->word_count, sizeof wanted, by_text);
            if (!found) return -1;
            ids[n++] = found->id;
        }
    }
    return n;
}

/* Whether a prompt is among those of a word; *from: where to go on, prompts being asked for in
 * order. */
static bool has(const struct lookup *lookup, uint32_t id, uint32_t prompt, size_t *from) {
    size_t end = lookup->start[id + 1];
    while (*from < end && lookup->postings[*from] < prompt) ++*from;
    return *from < end && lookup->postings[*from] == prompt;
}

/* The factor of an entry; NAN: no prompt has it. */
static double factor_of(const struct lookup *lookup, const struct xl_grammar_entry *entry) {
    uint32_t ids[MOST_WORDS];
    size_t from[MOST_WORDS];
    double made = 0, loved = 0;
    int n = words_of(lookup, entry, ids);
    if (n <= 0 || lookup->average <= 0) return NAN;
    for (int i = 0; i < n; i++) from[i] = lookup->start[ids[i]];
    for (size_t p = lookup->start[ids[0]]; p < lookup->start[ids[0] + 1]; p++) {
        uint32_t prompt = lookup->postings[p];
        bool is_whole = true;
        for (int i = 1; i < n && is_whole; i++) is_whole = has(lookup, ids[i], prompt, &from[i]);
        if (!is_whole) continue;
        made += lookup->made[prompt];
        loved += lookup->loved[prompt];
    }
    if (made <= 0) return NAN;
    double factor = (loved + XL_WEIGHTS_PRIOR) / (made * lookup->average + XL_WEIGHTS_PRIOR);
    return round(fmin(fmax(factor, 0.25), 4) * 1000) / 1000;
}

json_t *xl_taste_weights(const struct xl_observations *observations,
                         const struct xl_grammar *grammar) {
    struct lookup lookup;
    json_t *root = json_object(), *weights = json_object();
    bool ok = lookup_init(&lookup, observations) && root && weights;
    for (int l = 0; ok && l < grammar->n_lists; l++) {
        const struct xl_grammar_list *list = grammar->lists[l];
        json_t *factors = list->name && list != grammar->templates ? json_object() : NULL;
        for (int i = 0; factors && i < list->n; i++) {
            double factor = factor_of(&lookup, &list->entries[i]);
            if (isfinite(factor))
                xl_json_put(factors, list->entries[i].name, json_real(factor), &ok);
        }
        if (json_object_size(factors))
            xl_json_put(weights, list->name, factors, &ok);
        else
            json_decref(factors);
    }
    lookup_deinit(&lookup);
    xl_json_put(root, "format", json_integer(1), &ok);
    xl_json_put(root, "weights", weights, &ok);
    return xl_json_finish(root, ok);
}
