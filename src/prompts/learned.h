/* learned.h - weights from a file that something learned (from favourites, say) and that a
 * grammar's own are multiplied by.
 *
 *   {"format": 1, "weights": {"subject": {"harbour city": 2.5, "night market": 0.2}}}
 *
 * Lists by name ("templates" is one), entries by their text as the grammar has it, factors from 0
 * to 1000: 1 changes nothing, 0 leaves the entry out. Lists and entries that the grammar has not
 * are none of its business: a file may be older or newer.
 */
#ifndef XL_PROMPTS_LEARNED_H
#define XL_PROMPTS_LEARNED_H

#include "base/status.h"

struct xl_learned; /* opaque, read-only */

/* Read a file, YAML or JSON. Caller: xl_learned_free. Errors: XL_EINPUT, "FILE:LINE:COLUMN: ..." */
enum xl_status xl_learned_load(const char *path, struct xl_learned **out,
                               struct xl_err *err) XL_CHECKED;
/* The same of an object in memory, which is taken over whatever comes back; name opens the
 * sentences. NULL is out of memory. */
struct json_t;
enum xl_status xl_learned_new(const char *name, struct json_t *root, struct xl_learned **out,
                              struct xl_err *err) XL_CHECKED;
void xl_learned_free(struct xl_learned *learned);

/* A weight in millionths times the factor of an entry; what weighs something and has a factor above
 * 0 keeps at least one. learned may be NULL. */
uint64_t xl_learned_weight(const struct xl_learned *learned, const char *list, const char *entry,
                           uint64_t weight);

#endif
