/* ways.h - how many prompts a grammar can make, and each of them by its number.
 *
 * Entries bear marks (the words of constraints). For every list the ways to take from it are
 * counted by the marks that they bear together, so what must not meet is left out exactly, without
 * trying. Where the marks make too many different sets the constraints are not counted: the number
 * is a bound then. Memory: some hundred bytes for each entry and set. Read-only once it is there.
 */
#ifndef XL_PROMPTS_WAYS_H
#define XL_PROMPTS_WAYS_H

#include "prompts/grammar.h"

struct xl_ways; /* opaque */

/* The grammar lives longer. Caller: xl_ways_free. Errors: XL_EINPUT the constraints leave nothing;
 * XL_ENOMEM */
enum xl_status xl_ways_new(const struct xl_grammar *grammar, struct xl_ways **out,
                           struct xl_err *err) XL_CHECKED;
void xl_ways_free(struct xl_ways *ways);

/* How many ways there are to decide everything that the constraints allow. is_exact false: at most
 * so many. has_numbers false: more than 2^127, or not exact: they have no numbers. */
struct xl_ways_count {
    unsigned __int128 n;
    bool is_exact, has_numbers;
};
struct xl_ways_count xl_ways_count(const struct xl_ways *ways);

/* The decisions of way `number` (below the count; has_numbers). decisions:
 * [XL_GRAMMAR_MAX_DECISIONS]; *n of them. */
void xl_ways_decide(const struct xl_ways *ways, unsigned __int128 number, uint32_t *decisions,
                    int *n);

/* "6,812,390,400" */
enum { XL_COUNT_TEXT = 56 };
char *xl_count_text(unsigned __int128 n, char out[XL_COUNT_TEXT]);

#endif
