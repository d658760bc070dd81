/* distinct.h - whether different decisions always make different texts, so that the number of ways
 * is the number of prompts.
 *
 * The grammar becomes an automaton over words, without articles, commas and capitals (which
 * rendering changes): every way is a path in it. Two paths with the same words would be found among
 * the pairs of states that the same words lead to (the test of ambiguity by the square of an
 * automaton; Book, Even, Greibach, Ott 1971). Constraints are left out of it: what is true of more
 * ways is true of fewer.
 */
#ifndef XL_PROMPTS_DISTINCT_H
#define XL_PROMPTS_DISTINCT_H

#include "prompts/grammar.h"

/* *out: true: proven; false: not so, or not decided within a second or so: words that run into each
 * other from part to part, plurals of entries with lists in them, very many states.
 * Errors: XL_ENOMEM */
enum xl_status xl_grammar_is_distinct(const struct xl_grammar *grammar, bool *out,
                                      struct xl_err *err) XL_CHECKED;

/* Whether a prompt may have blocked words that no entry has: phrases whose words all stand in some
 * text, plurals, or what stands between several. (Words that run into each other are what
 * xl_grammar_is_distinct refuses.) */
bool xl_grammar_may_be_blocked(const struct xl_grammar *grammar);

#endif
