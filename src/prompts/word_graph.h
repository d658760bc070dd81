/* word_graph.h - a grammar as an automaton over words, for distinct.c. Acyclic: every edge leads
 * from a state to one that can end. Owned by who builds it.
 */
#ifndef XL_PROMPTS_WORD_GRAPH_H
#define XL_PROMPTS_WORD_GRAPH_H

#include "prompts/grammar.h"

struct xl_word_edge {
    int to;
    int word; /* 0: none is read */
    int next; /* edge of the same state; -1: the last one */
};

struct xl_word_graph {
    int *first; /* [n_states] edge of each; -1: none */
    int n_states, states_capacity;
    struct xl_word_edge *edges;
    int n_edges, edges_capacity;
    uint64_t *words; /* hashes by number; a table with open addresses */
    int n_words, words_capacity;
    int begin, end;
    bool is_unfit; /* it could not be built: too large, or words run into each other */
    bool out_of_memory;
};

/* Zero-initialise. Errors: XL_ENOMEM */
enum xl_status xl_word_graph_build(const struct xl_grammar *grammar, struct xl_word_graph *out,
                                   struct xl_err *err) XL_CHECKED;
void xl_word_graph_deinit(struct xl_word_graph *graph);

#endif
