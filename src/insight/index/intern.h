/* intern.h - a table of texts and their ids, in memory. One thread at a time. */
#ifndef XL_INSIGHT_INTERN_H
#define XL_INSIGHT_INTERN_H

#include "base/arena.h"

#include <stdint.h>

struct xl_intern_entry;

/* Zero-initialise. */
struct xl_intern {
    struct xl_intern_entry *entries; /* [capacity], a power of two */
    size_t n, capacity;
    const char **by_id; /* [n_ids]; ids are small numbers */
    size_t n_ids;
    struct xl_arena arena;
};

/* The id of a text with this hash, or 0. */
int64_t xl_intern_find(const struct xl_intern *table, const char *text, size_t n, uint64_t hash);

/* The text of an id that is in the table; NULL: there is none. */
const char *xl_intern_text(const struct xl_intern *table, int64_t id);

/* Add one that is not there, id > 0. The text is copied. Errors: XL_ENOMEM */
enum xl_status xl_intern_add(struct xl_intern *table, const char *text, size_t n, uint64_t hash,
                             int64_t id, struct xl_err *err) XL_CHECKED;

void xl_intern_deinit(struct xl_intern *table);

#endif
