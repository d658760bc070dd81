/* pickle.h - files that Python writes objects into, which run code when they are read. This program
 * never opens one: their names tell. Keeps nothing; any thread.
 */
#ifndef XL_WEIGHTS_PICKLE_H
#define XL_WEIGHTS_PICKLE_H

#include <stdbool.h>

/* What their names end in: ".ckpt", ".pt", ...; the last is NULL. */
extern const char *const xl_pickle_endings[];

/* Whether a name or a path ends so, in whatever case. */
bool xl_is_pickle_name(const char *path);

#endif
