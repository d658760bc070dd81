/* ways.h - how products and convolutions of each shape are best computed, as it was measured on
 * this card with these libraries: a table of texts, kept in the user's cache folder. */
#ifndef XL_BACKEND_CUDA_WAYS_H
#define XL_BACKEND_CUDA_WAYS_H

#include "base/status.h"

struct xl_cuda_ways; /* opaque */

/* name: the card and its libraries; another one has another file. A file that cannot be read, or is
 * damaged, counts as empty. Errors: XL_ENOMEM */
enum xl_status xl_cuda_ways_open(const char *name, struct xl_cuda_ways **out,
                                 struct xl_err *err) XL_CHECKED;
/* Saves what is new; a folder that cannot be written is no failure. NULL is fine. */
void xl_cuda_ways_close(struct xl_cuda_ways *ways);
void xl_cuda_ways_save(struct xl_cuda_ways *ways);

/* The way that was kept for a key; NULL: none. */
const char *xl_cuda_ways_find(const struct xl_cuda_ways *ways, const char *key);
/* Keep a way. Neither text may hold a tab or a line break. Out of memory, it is not kept. */
void xl_cuda_ways_keep(struct xl_cuda_ways *ways, const char *key, const char *way);

#endif
