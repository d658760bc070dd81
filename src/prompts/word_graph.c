/* word_graph.c - building the automaton of a grammar. */
#include "prompts/word_graph.h"
#include "prompts/hashes.h"
#include "prompts/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_EDGES = 400000 };

/* --- States, edges, words --------------------------------------------------------------------- */

static int add_state(struct xl_word_graph *graph) {
    if (graph->n_states == graph->states_capacity) {
        int capacity = graph->states_capacity ? 2 * graph->states_capacity : 1024;
        int *grown = realloc(graph->first, (size_t)capacity * sizeof *grown);
        if (!grown) {
            graph->out_of_memory = true;
            return 0;
        }
        graph->first = grown;
        graph->states_capacity = capacity;
    }
    graph->first[graph->n_states] = -1;
    return graph->n_states++;
}

static void add_edge(struct xl_word_graph *graph, int from, int to, int word) {
    if (graph->n_edges >= MAX_EDGES) graph->is_unfit = true;
    if (graph->is_unfit || graph->out_of_memory) return;
    if (graph->n_edges == graph->edges_capacity) {
        int capacity = graph->edges_capacity ? 2 * graph->edges_capacity : 4096;
        struct xl_word_edge *grown = realloc(graph->edges, (size_t)capacity * sizeof *grown);
        if (!grown) {
            graph->out_of_memory = true;
            return;
        }
        graph->edges = grown;
        graph->edges_capacity = capacity;
    }
    graph->edges[graph->n_edges] = (struct xl_word_edge){to, word, graph->first[from]};
    graph->first[from] = graph->n_edges++;
}

/* The number of a word: its place in the list, from 1. Two with the same hash would be one word:
 * then less is proven, never more. */
static int word_of(struct xl_word_graph *graph, const char *text, size_t n) {
    uint64_t hash = xl_text_hash(text, n);
    for (int i = 0; i < graph->n_words; i++)
        if (graph->words[i] == hash) return i + 1;
    if (graph->n_words == graph->words_capacity) {
        int capacity = graph->words_capacity ? 2 * graph->words_capacity : 1024;
        uint64_t *grown = realloc(graph->words, (size_t)capacity * sizeof *grown);
        if (!grown) {
            graph->out_of_memory = true;
            return 0;
        }
        graph->words = grown;
        graph->words_capacity = capacity;
    }
    graph->words[graph->n_words++] = hash;
    return graph->n_words;
}

/* --- Texts ------------------------------------------------------------------------------------ */

/* Rendering moves blanks and drops commas: they divide words and are none. */
static bool divides(char c) {
    return c == ' ' || c == ',';
}

/* Signs that rendering takes blanks away from: each is a word. */
static bool is_sign(char c) {
    return c && strchr(";.:!?()", c);
}

static bool is_article(const char *word, size_t n) {
    return (n == 1 && word[0] == 'a') || (n == 2 && !memcmp(word, "an", 2)) ||
           (n == 3 && !memcmp(word, "the", 3));
}

/* Words of a text from a state on; the state behind them. */
static int add_words(struct xl_word_graph *graph, int from, const char *text, size_t n) {
    char word[128];
    for (size_t at = 0; at < n;) {
        size_t length = 0;
        if (divides(text[at])) {
            at++;
            continue;
        }
        do {
            if (length == sizeof word) graph->is_unfit = true;
            if (length < sizeof word) word[length++] = (char)tolower((unsigned char)text[at]);
        } while (!is_sign(text[at++]) && at < n && !divides(text[at]) && !is_sign(text[at]));
        if (is_article(word, length)) continue;
        int to = add_state(graph);
        add_edge(graph, from, to, word_of(graph, word, length));
        from = to;
    }
    return from;
}

/* --- Whether words run into each other -------------------------------------------------------- */

/* How a piece begins and ends: open where a word may go on. */
struct edges {
    bool begins_open, ends_open, may_be_empty;
};

static bool is_open(char c) {
    return !divides(c) && !is_sign(c);
}

static struct edges edges_of_list(struct xl_word_graph *graph, const struct xl_grammar_list *list);

static struct edges edges_of_item(struct xl_word_graph *graph, const struct xl_grammar_item *item) {
    if (!item->list)
        return (struct edges){is_open(item->text[0]), is_open(item->text[item->n - 1]), false};
    struct edges edges = edges_of_list(graph, item->list);
    size_t n = strlen(item->between);
    bool is_divided = n && !is_open(item->between[0]) && !is_open(item->between[n - 1]);
    if (item->most > 1 && !is_divided) graph->is_unfit = true;
    edges.may_be_empty |= !item->least;
    return edges;
}

static struct edges edges_of_entry(struct xl_word_graph *graph,
                                   const struct xl_grammar_entry *entry) {
    struct edges all = {.may_be_empty = true};
    for (int i = 0; i < entry->n_items && !graph->is_unfit; i++) {
        struct edges edges = edges_of_item(graph, &entry->items[i]);
        if (all.ends_open && edges.begins_open) graph->is_unfit = true;
        if (all.may_be_empty) all.begins_open |= edges.begins_open;
        all.ends_open = edges.ends_open || (edges.may_be_empty && all.ends_open);
        all.may_be_empty &= edges.may_be_empty;
    }
    return all;
}

static struct edges edges_of_list(struct xl_word_graph *graph, const struct xl_grammar_list *list) {
    struct edges all = {.may_be_empty = false};
    for (int e = 0; e < list->n && !graph->is_unfit; e++) {
        struct edges edges = edges_of_entry(graph, &list->entries[e]);
        all.begins_open |= edges.begins_open;
        all.ends_open |= edges.ends_open;
        all.may_be_empty |= edges.may_be_empty;
    }
    return all;
}

/* --- Grammars --------------------------------------------------------------------------------- */

static int add_item(struct xl_word_graph *graph, int from, const struct xl_grammar_item *item);

static int add_plural(struct xl_word_graph *graph, int from, const struct xl_grammar_entry *entry) {
    struct xl_str text = {0};
    bool is_plain = entry->n_items == 1 && !entry->items[0].list;
    if (entry->plural)
        xl_str_puts(&text, entry->plural);
    else if (is_plain)
        xl_put_plural(&text, entry->items[0].text, entry->items[0].n);
    else
        graph->is_unfit = true;
    graph->out_of_memory |= text.failed;
    if (text.text) from = add_words(graph, from, text.text, text.len);
    xl_str_deinit(&text);
    return from;
}

/* The state behind an entry. */
static int add_entry(struct xl_word_graph *graph, int from, const struct xl_grammar_entry *entry,
                     bool is_plural) {
    if (is_plural) return add_plural(graph, from, entry);
    for (int i = 0; i < entry->n_items && !graph->is_unfit && !graph->out_of_memory; i++)
        from = add_item(graph, from, &entry->items[i]);
    return from;
}

/* From a state over one entry of a list to another state. */
static void add_list(struct xl_word_graph *graph, int from, int to,
                     const struct xl_grammar_list *list, bool is_plural) {
    for (int e = 0; e < list->n && !graph->is_unfit && !graph->out_of_memory; e++)
        add_edge(graph, add_entry(graph, from, &list->entries[e], is_plural), to, 0);
}

/* Several entries in the order of the list: states by what was looked at and how many were taken.
 */
static int add_several(struct xl_word_graph *graph, int from, const struct xl_grammar_item *item) {
    int n = item->list->n, most = item->most < n ? item->most : n, to = add_state(graph);
    int least = item->least < n ? item->least : n;
    int at[XL_GRAMMAR_MAX_SEVERAL + 2], next[XL_GRAMMAR_MAX_SEVERAL + 2];
    for (int j = 0; j <= most; j++) at[j] = j ? -1 : from;
    for (int e = 0; e < n && !graph->is_unfit && !graph->out_of_memory; e++) {
        for (int j = 0; j <= most; j++) next[j] = -1;
        for (int j = 0; j <= most; j++) {
            if (at[j] < 0) continue;
            if (j + n - e - 1 >= least) { /* enough are left without it */
                if (next[j] < 0) next[j] = add_state(graph);
                add_edge(graph, at[j], next[j], 0);
            }
            if (j == most) continue;
            int begin = at[j];
            if (j) begin = add_words(graph, begin, item->between, strlen(item->between));
            if (next[j + 1] < 0) next[j + 1] = add_state(graph);
            add_edge(graph, add_entry(graph, begin, &item->list->entries[e], item->is_plural),
                     next[j + 1], 0);
        }
        memcpy(at, next, sizeof at);
    }
    for (int j = least; j <= most; j++)
        if (at[j] >= 0) add_edge(graph, at[j], to, 0);
    return to;
}

static int add_item(struct xl_word_graph *graph, int from, const struct xl_grammar_item *item) {
    if (!item->list) return add_words(graph, from, item->text, item->n);
    if (item->least != 1 || item->most != 1) return add_several(graph, from, item);
    int to = add_state(graph);
    add_list(graph, from, to, item->list, item->is_plural);
    return to;
}

enum xl_status xl_word_graph_build(const struct xl_grammar *grammar, struct xl_word_graph *out,
                                   struct xl_err *err) {
    edges_of_list(out, grammar->templates);
    out->begin = add_state(out);
    out->end = add_state(out);
    add_list(out, out->begin, out->end, grammar->templates, false);
    return out->out_of_memory ? xl_fail_nomem(err, "counting prompts", 0) : XL_OK;
}

void xl_word_graph_deinit(struct xl_word_graph *graph) {
    free(graph->first);
    free(graph->edges);
    free(graph->words);
    *graph = (struct xl_word_graph){.n_states = 0};
}
