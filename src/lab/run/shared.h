/* shared.h - a run that other processes draw, too (claims.h): what is left when this process has
 * nothing more to draw.
 */
#ifndef XL_LAB_SHARED_H
#define XL_LAB_SHARED_H

#include "lab/run/run.h"

/* Look at the cells that others have: those of a process that has ended wait again, *n_again of
 * them. Waits for a sign of life of each process that has one; goes_on: asked meanwhile (NULL:
 * always). */
void xl_shared_review(const struct xl_run *run, bool (*goes_on)(void *user), void *user,
                      int *n_again);

/* How many cells others are at work on; the rest of what is elsewhere they have settled. */
int xl_shared_count_under_way(const struct xl_run *run);

#endif
