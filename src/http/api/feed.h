/* feed.h - what happens in the queue, handed on to the clients that follow it: a thread between the
 * queue's ring of events and the server's stream.
 */
#ifndef XL_HTTP_API_FEED_H
#define XL_HTTP_API_FEED_H

#include "http/api/library.h"
#include "http/events.h"
#include "jobs/queue/queue.h"

struct xl_feed; /* opaque */

/* library is told of new pictures. All outlive the feed. Errors: XL_ENOMEM, also for a thread */
struct xl_feed_ends {
    struct xl_queue *queue;
    struct xl_events *events;
    struct xl_library *library;
};
enum xl_status xl_feed_start(const struct xl_feed_ends *ends, struct xl_feed **out,
                             struct xl_err *err) XL_CHECKED;
/* Before the queue is closed. NULL is fine. */
void xl_feed_stop(struct xl_feed *feed);

#endif
