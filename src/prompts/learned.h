/* learned.h - weights from a file that something learned (from favourites, say) and that a
 * grammar's own are multiplied by.
 *
 *   {"format": 1, "weights": {"subject": {"harbour city": 2.5, "night market": 0.2}}}
 *
 * Lists by name ("templates" is one), entries by their text as the grammar has it, factors from 0
 * to 1000: 1 changes nothing, 0 leaves the entry out. Lists and entries that the grammar has not
 * are none of its business: a file may be older or newer.
 *
 * "settings" has factors of the values that a grammar decides, likewise:
 * {"settings": {"profile": {"Watercolor": 2}}}.
 *
 * "lots" is what is known of settings that are drawn by lot: for "model", "profile" and "size" an
 * object of "values" and "spread" (of a value that is not among them); "mean" of all these values
 * in that order, and "root", the lower triangle of L, L L^T being their covariance. null: nothing.
 */
#ifndef XL_PROMPTS_LEARNED_H
#define XL_PROMPTS_LEARNED_H

#include "base/status.h"

#include <jansson.h>

struct xl_learned; /* opaque, read-only */

/* Read a file, YAML or JSON. Caller: xl_learned_free. Errors: XL_EINPUT, "FILE:LINE:COLUMN: ..." */
enum xl_status xl_learned_load(const char *path, struct xl_learned **out,
                               struct xl_err *err) XL_CHECKED;
/* The same of an object in memory, which is taken over whatever comes back; name opens the
 * sentences. NULL is out of memory. */
enum xl_status xl_learned_new(const char *name, json_t *root, struct xl_learned **out,
                              struct xl_err *err) XL_CHECKED;
void xl_learned_free(struct xl_learned *learned);

#define XL_LEARNED_FAVOURITES "favourites"
/* The same of a value that a grammar decides for a setting. */
uint64_t xl_learned_setting_weight(const struct xl_learned *learned, const char *setting,
                                   const char *value, uint64_t weight);

/* Whether what is named is favourites and no file: "favourites" or "favorites", also as the last
 * part of a path, where no such file is. */
bool xl_learned_is_favourites(const char *path);

/* What is known of settings, borrowed; NULL: nothing. learned may be NULL. */
const json_t *xl_learned_lots(const struct xl_learned *learned);

/* A weight in millionths times the factor of an entry; what weighs something and has a factor above
 * 0 keeps at least one. learned may be NULL. */
uint64_t xl_learned_weight(const struct xl_learned *learned, const char *list, const char *entry,
                           uint64_t weight);

#endif
