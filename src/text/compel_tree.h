/* compel_tree.h - what a text in compel's syntax consists of, before weights are multiplied out.
 * Shared by compel_tree.c, which reads, and compel.c.
 */
#ifndef XL_TEXT_COMPEL_TREE_H
#define XL_TEXT_COMPEL_TREE_H

#include "base/arena.h"

enum { XL_COMPEL_DEPTH = 64 }; /* brackets and quotes within each other */

struct xl_compel_node {
    const char *text; /* a piece of text; NULL: a group */
    double weight;    /* of a group */
    bool is_swap;     /* a group that is not joined with its neighbours */
    struct xl_compel_node *children, *next;
};

/* Nodes in a row. */
struct xl_compel_list {
    struct xl_compel_node *first, **end;
};

/* A place in a text that is being read. `memory` has what brackets were found to be, by where they
 * open, so that no text is read more often than once. */
struct xl_compel_reader {
    const char *text;
    size_t n;
    struct xl_arena *arena;
    struct xl_compel_bracket *memory; /* [n + 1] */
    int depth;
    enum xl_status *status; /* the first mistake, which ends reading */
    struct xl_err *err;
    bool has_swap;
};

enum xl_status xl_compel_reader_init(struct xl_compel_reader *reader, const char *text, size_t n,
                                     struct xl_arena *arena, enum xl_status *status,
                                     struct xl_err *err) XL_CHECKED;

/* All of the text as a prompt: words, weights, groups. */
void xl_compel_read_prompt(struct xl_compel_reader *reader, struct xl_compel_list *out);

/* At `at`: what an operator can stand behind (a quoted or bracketed text, a word), or with
 * any_text also a quoted text of any kind. Its end; 0: there is none. */
size_t xl_compel_read_target(struct xl_compel_reader *reader, size_t at, bool any_text,
                             struct xl_compel_list *out);

size_t xl_compel_skip(const struct xl_compel_reader *reader, size_t at); /* white space */
/* The end of this text at `at`, white space before it left out; 0: another stands there. */
size_t xl_compel_expect(const struct xl_compel_reader *reader, size_t at, const char *text);
size_t xl_compel_read_number(const struct xl_compel_reader *reader, size_t at, double *out);

#endif
