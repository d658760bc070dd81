/* dynamic_tree.h - a template that was read (dynamic_parse.c), for those that go over it
 * (dynamic_draw.c, dynamic_all.c). Read-only; lives in its arena.
 */
#ifndef XL_PROMPTS_DYNAMIC_TREE_H
#define XL_PROMPTS_DYNAMIC_TREE_H

#include "prompts/bounds.h"
#include "prompts/dynamic.h"
#include "prompts/random.h"

enum xl_dynamic_kind {
    XL_DYNAMIC_WORDS,    /* text */
    XL_DYNAMIC_SEQUENCE, /* child[n] one behind the other */
    XL_DYNAMIC_CHOICE,   /* some of child[n], by weight[n] */
    XL_DYNAMIC_WILDCARD, /* child[0]: its path; parameters[n_parameters] */
    XL_DYNAMIC_SET,      /* variable `text` becomes child[0] */
    XL_DYNAMIC_GET,      /* variable `text`, else child[0] where n is 1 */
    XL_DYNAMIC_WRAP,     /* child[0] with child[1] in the place of its "..." */
};

enum xl_dynamic_method {
    XL_DYNAMIC_AS_USUAL,
    XL_DYNAMIC_RANDOM,  /* ~ */
    XL_DYNAMIC_EACH,    /* ! */
    XL_DYNAMIC_IN_TURN, /* @ */
};

struct xl_dynamic_parameter {
    const char *name;
    const struct xl_dynamic_node *value;
};

struct xl_dynamic_node {
    enum xl_dynamic_kind kind;
    enum xl_dynamic_method method;
    const char *text;
    const struct xl_dynamic_node **child;
    uint64_t *weight;
    int n;
    struct xl_bounds bounds;
    const struct xl_dynamic_parameter *parameters;
    int n_parameters;
    bool is_immediate, keeps_value; /* SET */
};

/* Variables that are set, the last one first. */
struct xl_dynamic_scope {
    const char *name;
    const struct xl_dynamic_node *value;
    const struct xl_dynamic_scope *next;
};

/* What going over a tree needs, and its limits. */
struct xl_dynamic_walk {
    const struct xl_dynamic *dynamic;
    struct xl_arena *arena;
    struct xl_dice dice;
    struct xl_err *err;
    int depth;
    int64_t steps;
    /* Where every text is listed: the first of a node; NULL: one by chance. */
    enum xl_status (*first)(struct xl_dynamic_walk *walk, const struct xl_dynamic_node *node,
                            const struct xl_dynamic_scope *scope, struct xl_str *out);
};
enum { XL_DYNAMIC_MAX_DEPTH = 100, XL_DYNAMIC_MAX_STEPS = 4000000, XL_DYNAMIC_MAX_TEXT = 1 << 18 };

/* Enter a node: the limits. Errors: XL_EINVAL templates that lead back to themselves */
enum xl_status xl_dynamic_enter(struct xl_dynamic_walk *walk) XL_CHECKED;
void xl_dynamic_leave(struct xl_dynamic_walk *walk);

/* The scope of a sequence: its assignments take effect before anything of it, the last of a name
 * counts; "=!" takes one text of its value at once. */
enum xl_status xl_dynamic_assign(struct xl_dynamic_walk *walk, const struct xl_dynamic_node *node,
                                 const struct xl_dynamic_scope **scope) XL_CHECKED;

/* The value of a variable, NULL: none. */
const struct xl_dynamic_node *xl_dynamic_value(const struct xl_dynamic_scope *scope,
                                               const char *name);
/* Add a variable. NULL: out of memory */
const struct xl_dynamic_scope *xl_dynamic_set(struct xl_dynamic_walk *walk, const char *name,
                                              const struct xl_dynamic_node *value,
                                              const struct xl_dynamic_scope *scope);

/* dynamic_draw.c: append one text of a node. */
enum xl_status xl_dynamic_draw_node(struct xl_dynamic_walk *walk,
                                    const struct xl_dynamic_node *node,
                                    const struct xl_dynamic_scope *scope,
                                    struct xl_str *out) XL_CHECKED;

/* The values of a wildcard, and the scope that they are read in. *n 0: there are none, *missing is
 * the wildcard as it is written. */
struct xl_dynamic_values {
    const struct xl_wildcard_value *value;
    int n;
    const char *missing;
    const struct xl_dynamic_scope *scope;
};
enum xl_status xl_dynamic_look_up(struct xl_dynamic_walk *walk, const struct xl_dynamic_node *node,
                                  const struct xl_dynamic_scope *scope,
                                  struct xl_dynamic_values *out) XL_CHECKED;

/* Join texts as dynamicprompts does: one separator at each end goes where it stands between
 * nothing. */
void xl_dynamic_join(struct xl_str *out, const char *const *texts, int n,
                     const struct xl_bounds *bounds);

/* A wrapper's words around an inner text. */
void xl_dynamic_wrap(struct xl_str *out, const char *wrapper, const char *inner);

#endif
