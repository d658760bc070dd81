/* handover.h - a thread that handles what another one hands over, in order, while that one goes on:
 * writing one group of pictures while the next is drawn.
 */
#ifndef XL_BASE_HANDOVER_H
#define XL_BASE_HANDOVER_H

#include "base/status.h"

struct xl_handover; /* opaque: the thread and its queue */

/* Called on the thread, for one item at a time. */
typedef void xl_handover_fn(void *user, void *item);

/* Start the thread. Items that are on their way have sizes of at most `most` together, two of any
 * size apart. Errors: XL_ENOMEM */
enum xl_status xl_handover_new(int most, xl_handover_fn *handle, void *user,
                               struct xl_handover **out, struct xl_err *err) XL_CHECKED;

/* Hand over an item of a size from 1; waits while as much is on its way as may be. Any thread. */
void xl_handover_put(struct xl_handover *handover, void *item, int size);

/* Handle all that is on its way, end the thread and free the queue. NULL is fine. */
void xl_handover_finish(struct xl_handover *handover);

#endif
