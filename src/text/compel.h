/* compel.h - compel's prompt syntax: a text to prompts that are blended and put one behind the
 * other, each of pieces with weights.
 *
 *   word+ word--  1.1 and 0.9 to the power of their number     (some words)1.3  (x).attend(0.8)
 *   ("a", "b").blend(1, 0.8)   one text between two            ("a", "b").and(1, 0.5)   both
 *   cat.swap(dog)   draws "cat": what happens inside of attention is not done here
 *
 * A backslash takes ( ) and " as they stand. What makes no sense is text.
 * Source: what compel 2.5's PromptParser answers.
 */
#ifndef XL_TEXT_COMPEL_H
#define XL_TEXT_COMPEL_H

#include "text/attention.h"

/* Prompts that are mixed into one; n 1: there is nothing to mix. */
struct xl_compel_blend {
    struct xl_fragments *prompts; /* [n] */
    double *weights;              /* [n] */
    int n;
    bool is_normalized; /* the weights are divided by their sum */
};

/* What is put one behind the other. */
struct xl_compel {
    struct xl_compel_blend *blends; /* [n], all in the arena */
    double *weights;                /* [n] */
    int n;
    bool has_swap; /* something was asked for that is not done */
};

/* Errors: XL_EINVAL another number of weights than of prompts, nested too deep; XL_ENOMEM */
enum xl_status xl_compel_parse(const char *text, struct xl_arena *arena, struct xl_compel *out,
                               struct xl_err *err) XL_CHECKED;

#endif
