/* sequence.h - the prompts of a grammar one after the other: from one seed the same list on every
 * machine, none twice until there is no other.
 *
 * Each is drawn by the weights, and again where the constraints forbid it or it was there. What
 * comes seldom is found in another way once many draws in a row were of no use: from then on the
 * ways are gone through by their numbers, in an order that looks random, each once. When that ends
 * all have been; the list begins its next round.
 *
 * Memory: 16 bytes for each prompt of a round (a hash of 64 bits in a table that is half full), as
 * it grows at most 24; nothing else grows. One thread at a time.
 */
#ifndef XL_PROMPTS_SEQUENCE_H
#define XL_PROMPTS_SEQUENCE_H

#include "prompts/draw.h"
#include "prompts/ways.h"

struct xl_sequence; /* opaque */

/* The grammar lives longer. Caller: xl_sequence_free. Errors: as xl_ways_new */
enum xl_status xl_sequence_new(const struct xl_grammar *grammar, uint64_t seed,
                               struct xl_sequence **out, struct xl_err *err) XL_CHECKED;
void xl_sequence_free(struct xl_sequence *sequence);

/* The next prompt, good until the one after it. Errors: XL_EINPUT every prompt has blocked words
 * that its parts have not; XL_ENOMEM */
enum xl_status xl_sequence_next(struct xl_sequence *sequence, const struct xl_prompt_text **out,
                                struct xl_err *err) XL_CHECKED;

/* What else was decided for the prompt that came last: the value of each setting of the grammar
 * (index into its values), and the seed of the picture. They come from streams of their own:
 * another setting changes no prompt. */
int xl_sequence_setting(const struct xl_sequence *sequence, int setting);
uint64_t xl_sequence_seed(const struct xl_sequence *sequence);

/* The number of the round that the last prompt was in: 0, 1, ... */
int64_t xl_sequence_round(const struct xl_sequence *sequence);

const struct xl_ways *xl_sequence_ways(const struct xl_sequence *sequence);

/* How many different prompts there are: exact where they are few enough to be looked through (each
 * text once) or it is proven (distinct.h); else the ways to decide, which are at least as many.
 * Errors: XL_EINPUT there are none; XL_ENOMEM */
enum xl_status xl_sequence_possible(const struct xl_sequence *sequence, struct xl_ways_count *out,
                                    struct xl_err *err) XL_CHECKED;

#endif
