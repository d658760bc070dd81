/* weights.h - what favourites say of a grammar's entries: weights for prompts that write
 * themselves. */
#ifndef XL_INSIGHT_REPORT_WEIGHTS_H
#define XL_INSIGHT_REPORT_WEIGHTS_H

#include "insight/observations.h"
#include "prompts/grammar.h"

/* {"format": 1, "weights": {LIST: {ENTRY: FACTOR}}}, as prompts/learned.h reads it. A prompt has an
 * entry if it has all words of it. The factor is how often such pictures are loved, against all
 * pictures, as if XL_WEIGHTS_PRIOR more had been loved of which as many were to be expected;
 * between 1/4 and 4. Entries that no prompt has are left out. Caller: json_decref. NULL: out of
 * memory */
enum { XL_WEIGHTS_PRIOR = 5 };
json_t *xl_taste_weights(const struct xl_observations *observations,
                         const struct xl_grammar *grammar);

#endif
