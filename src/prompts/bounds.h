/* bounds.h - how many of several ("2-3$$, $$") and how heavy ("0.5::"), as sd-dynamic-prompts
 * writes them: templates of grammars and of prompts read both alike. Keeps nothing; any thread.
 */
#ifndef XL_PROMPTS_BOUNDS_H
#define XL_PROMPTS_BOUNDS_H

#include "base/status.h"

#include <jansson.h>

struct xl_bounds {
    int least, most;     /* most: XL_BOUNDS_ALL where nothing was said */
    const char *between; /* what stands between them; NULL: not said */
    size_t n_between;
};
enum { XL_BOUNDS_ALL = 1 << 20 };

/* "N$$", "N-$$", "-N$$", "N-M$$", each with "SEPARATOR$$" or without it, at *text: true, and *text
 * moves behind it. Without a lower bound it is 1; bounds the wrong way round are turned. */
bool xl_bounds_read(const char **text, struct xl_bounds *out);

enum { XL_WEIGHT_UNIT = 1000000 }; /* a weight of 1: weights are whole numbers of millionths */

/* "0.5::" behind blanks: the weight in millionths, and *text behind it; else false and *text as it
 * was. */
bool xl_weight_read(const char **text, uint64_t *weight);

/* A weight that a file holds as a number, in millionths. false: no number from 0 to 1000 */
bool xl_weight_of(const json_t *value, uint64_t *weight);

#endif
