/* distinct.c - looking for two paths with the same words. Keeps no state. */
#include "prompts/distinct.h"
#include "prompts/hashes.h"
#include "prompts/word_graph.h"
#include "prompts/words.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PAIRS = 2000000, MAX_STEPS = 1 << 26 };

/* A word that a state may read next, whatever edges without a word lie before it. */
struct step {
    int word, to;
};

/* The steps of every state, by word; the last one of a state that may end is word 0. */
struct steps {
    struct step *at;
    int *from; /* [n_states + 1] */
    int n, capacity;
};

struct search {
    struct xl_word_graph graph;
    struct steps steps;
    struct xl_hashes pairs; /* of states that were looked at */
    uint64_t *open;         /* of those, what is still to be gone on from */
    size_t n_open, capacity;
    int64_t n_steps;
    bool is_found, is_given_up;
    struct xl_err *err;
};

static enum xl_status no_memory(struct search *search) {
    return xl_fail_nomem(search->err, "counting prompts", 0);
}

/* --- Steps ------------------------------------------------------------------------------------ */

static enum xl_status add_step(struct search *search, int word, int to) {
    struct steps *steps = &search->steps;
    if (steps->n == steps->capacity) {
        int capacity = steps->capacity ? 2 * steps->capacity : 4096;
        struct step *grown = realloc(steps->at, (size_t)capacity * sizeof *grown);
        if (!grown) return no_memory(search);
        steps->at = grown;
        steps->capacity = capacity;
    }
    steps->at[steps->n++] = (struct step){word, to};
    search->is_given_up |= ++search->n_steps > MAX_STEPS / 16;
    return XL_OK;
}

/* Those of a state and of all that edges without a word lead to, each as often as there are ways.
 */
static enum xl_status collect(struct search *search, int state) {
    const struct xl_word_graph *graph = &search->graph;
    enum xl_status status = XL_OK;
    if (state == graph->end) return add_step(search, 0, state);
    for (int e = graph->first[state]; e >= 0 && !status && !search->is_given_up;
         e = graph->edges[e].next) {
        const struct xl_word_edge *edge = &graph->edges[e];
        status = edge->word ? add_step(search, edge->word, edge->to) : collect(search, edge->to);
    }
    return status;
}

static int by_word(const void *a, const void *b) {
    const struct step *x = a, *y = b;
    return x->word != y->word ? x->word - y->word : x->to - y->to;
}

static enum xl_status make_steps(struct search *search) {
    struct steps *steps = &search->steps;
    enum xl_status status = XL_OK;
    size_t n_states = (size_t)search->graph.n_states;
    steps->from = malloc((n_states + 1) * sizeof *steps->from);
    if (!steps->from) return no_memory(search);
    for (int s = 0; !status && s < search->graph.n_states && !search->is_given_up; s++) {
        steps->from[s] = steps->n;
        status = collect(search, s);
        int n = steps->n - steps->from[s];
        if (n > 1) qsort(steps->at + steps->from[s], (size_t)n, sizeof *steps->at, by_word);
        steps->from[s + 1] = steps->n;
    }
    return status;
}

/* --- Pairs ------------------------------------------------------------------------------------ */

/* Two different ways have come to these states by the same words. At one state they have the same
 * end before them: it is found. */
static enum xl_status meet(struct search *search, int a, int b) {
    if (a == b) search->is_found = true;
    if (search->is_found) return XL_OK;
    uint64_t low = (uint64_t)(a < b ? a : b), high = (uint64_t)(a < b ? b : a);
    uint64_t pair = (high << 32 | low) + 1;
    bool is_new = false;
    enum xl_status status = xl_hashes_add(&search->pairs, pair, &is_new, search->err);
    if (status || !is_new) return status;
    search->is_given_up |= search->pairs.n > MAX_PAIRS;
    if (search->n_open == search->capacity) {
        size_t capacity = search->capacity ? 2 * search->capacity : 1024;
        uint64_t *grown = realloc(search->open, capacity * sizeof *grown);
        if (!grown) return no_memory(search);
        search->open = grown;
        search->capacity = capacity;
    }
    search->open[search->n_open++] = pair - 1;
    return XL_OK;
}

/* Ways that part at a state: two of its steps with one word. */
static enum xl_status part(struct search *search, int state) {
    const struct steps *steps = &search->steps;
    enum xl_status status = XL_OK;
    for (int i = steps->from[state]; i < steps->from[state + 1]; i++)
        for (int k = i + 1; !status && k < steps->from[state + 1] &&
                            steps->at[k].word == steps->at[i].word && !search->is_found;
             k++)
            status = meet(search, steps->at[i].to, steps->at[k].to);
    return status;
}

/* Ways that have parted go on with one word. */
static enum xl_status go_on(struct search *search, int a, int b) {
    const struct steps *steps = &search->steps;
    int i = steps->from[a], k = steps->from[b];
    enum xl_status status = XL_OK;
    while (i < steps->from[a + 1] && k < steps->from[b + 1] && !search->is_found) {
        search->is_given_up |= ++search->n_steps > MAX_STEPS;
        int word = steps->at[i].word;
        if (word != steps->at[k].word) {
            if (word < steps->at[k].word)
                i++;
            else
                k++;
            continue;
        }
        for (int m = k; !status && m < steps->from[b + 1] && steps->at[m].word == word; m++)
            status = meet(search, steps->at[i].to, steps->at[m].to);
        if (status) return status;
        i++;
    }
    return status;
}

/* Whether some way makes no word at all: that is no prompt. Steps without a word come first. */
static bool may_be_empty(const struct search *search) {
    int first = search->steps.from[search->graph.begin];
    return first < search->steps.n && !search->steps.at[first].word;
}

static enum xl_status look(struct search *search) {
    enum xl_status status = make_steps(search);
    if (!status && !search->is_given_up && may_be_empty(search)) search->is_found = true;
    for (int s = 0; !status && s < search->graph.n_states && !search->is_given_up; s++)
        status = part(search, s);
    while (!status && search->n_open && !search->is_found && !search->is_given_up) {
        uint64_t pair = search->open[--search->n_open];
        status = go_on(search, (int)(pair >> 32), (int)(pair & UINT32_MAX));
    }
    return status;
}

enum xl_status xl_grammar_is_distinct(const struct xl_grammar *grammar, bool *out,
                                      struct xl_err *err) {
    struct search search = {.err = err};
    enum xl_status status = xl_word_graph_build(grammar, &search.graph, err);
    bool is_fit = !search.graph.is_unfit;
    if (!status && is_fit) status = look(&search);
    *out = !status && is_fit && !search.is_found && !search.is_given_up;
    xl_word_graph_deinit(&search.graph);
    xl_hashes_deinit(&search.pairs);
    free(search.steps.at);
    free(search.steps.from);
    free(search.open);
    return status;
}

/* --- Blocked words ---------------------------------------------------------------------------- */

/* Whether the plural of an entry is a blocked word. */
static bool has_blocked_plural(const struct xl_grammar *grammar,
                               const struct xl_grammar_item *item) {
    bool found = false;
    for (int e = 0; item->is_plural && !found && e < item->list->n; e++) {
        const struct xl_grammar_entry *entry = &item->list->entries[e];
        struct xl_str plural = {0};
        if (entry->n_items != 1 || entry->items[0].list || entry->plural) continue;
        xl_put_plural(&plural, entry->items[0].text, entry->items[0].n);
        found = plural.failed || xl_blocked_find(&grammar->blocked, plural.text, plural.len);
        xl_str_deinit(&plural);
    }
    return found;
}

/* The words of an item itself: its text, or what stands between its entries. */
static bool has_blocked(const struct xl_blocked *blocked, const struct xl_grammar_item *item) {
    const char *text = item->list ? item->between : item->text;
    return xl_blocked_find(blocked, text, item->list ? strlen(text) : item->n);
}

static bool any_has(const struct xl_grammar *grammar, const struct xl_blocked *blocked) {
    for (int l = 0; l < grammar->n_lists; l++)
        for (int e = 0; e < grammar->lists[l]->n; e++) {
            const struct xl_grammar_entry *entry = &grammar->lists[l]->entries[e];
            for (int i = 0; i < entry->n_items; i++)
                if (has_blocked(blocked, &entry->items[i])) return true;
        }
    return false;
}

static bool has_word(const struct xl_grammar *grammar, const char *word) {
    struct xl_blocked one = {.phrases = &word, .n = 1};
    xl_blocked_settle(&one);
    return any_has(grammar, &one);
}

/* Whether every word of a phrase stands in some text; of one word it is known that none has it. */
static bool may_arise(const struct xl_grammar *grammar, const char *phrase) {
    char word[128];
    if (!strchr(phrase, ' ')) return false;
    for (const char *at = phrase; *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (n >= sizeof word) return true;
        memcpy(word, at, n);
        word[n] = 0;
        if (!has_word(grammar, word)) return false;
        at += n;
    }
    return true;
}

bool xl_grammar_may_be_blocked(const struct xl_grammar *grammar) {
    if (any_has(grammar, &grammar->blocked)) return true; /* between entries */
    for (int i = 0; i < grammar->blocked.n; i++)
        if (may_arise(grammar, grammar->blocked.phrases[i])) return true;
    for (int l = 0; l < grammar->n_lists; l++)
        for (int e = 0; e < grammar->lists[l]->n; e++) {
            const struct xl_grammar_entry *entry = &grammar->lists[l]->entries[e];
            for (int i = 0; i < entry->n_items; i++)
                if (entry->items[i].list && has_blocked_plural(grammar, &entry->items[i]))
                    return true;
        }
    return false;
}
