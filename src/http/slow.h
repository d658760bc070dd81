/* slow.h - threads for what may wait: a queue of calls, run in the order in which they came.
 */
#ifndef XL_HTTP_SLOW_H
#define XL_HTTP_SLOW_H

#include "base/status.h"

struct xl_slow; /* opaque; any thread may add */

/* n_threads that run calls; at most n_waiting of them wait. Errors: XL_ENOMEM, also for threads */
enum xl_status xl_slow_new(int n_threads, int n_waiting, struct xl_slow **out,
                           struct xl_err *err) XL_CHECKED;

/* Have run(user) called on one of the threads. False: too many wait. */
bool xl_slow_add(struct xl_slow *slow, void (*run)(void *user), void *user);

/* How many wait or run. */
int xl_slow_load(struct xl_slow *slow);

/* Run what waits, and end the threads. NULL is fine. */
void xl_slow_free(struct xl_slow *slow);

#endif
