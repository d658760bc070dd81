/* events.h - what happens in the queue, as numbered events in a ring, and whoever follows them.
 *
 * A subscriber is a place in the ring: one that is slow loses events and is told so, and holds
 * nobody up. Any thread may call; one mutex, and wakers are called without it.
 */
#ifndef XL_JOBS_QUEUE_EVENTS_H
#define XL_JOBS_QUEUE_EVENTS_H

#include "base/status.h"

#include <jansson.h>

struct xl_event_ring; /* opaque */
struct xl_subscriber; /* opaque */

enum { XL_EVENT_RING_BYTES = 2 << 20 };
/* A ring of the newest n events, fewer where their texts are long. Numbers go on from `first`, so
 * that those of an earlier process are known to be older. Errors: XL_ENOMEM */
enum xl_status xl_event_ring_new(int n, uint64_t first, struct xl_event_ring **out,
                                 struct xl_err *err) XL_CHECKED;
/* All subscribers have gone before. NULL is fine. */
void xl_event_ring_free(struct xl_event_ring *events);

/* Tell of something. type: a constant. data is released; NULL (out of memory): nothing is told, and
 * who follows finds a number missing. */
void xl_event_ring_put(struct xl_event_ring *events, const char *type, json_t *data);

/* The number of the newest event. */
uint64_t xl_event_ring_newest(struct xl_event_ring *events);

/* Follow what comes after event number `after`; UINT64_MAX: what comes from now on. wake (may be
 * NULL) is called, on any thread, once when there is something, and again after
 * xl_subscriber_next has said that there is nothing more; it may not call this module.
 * Errors: XL_ENOMEM */
enum xl_status xl_subscriber_new(struct xl_event_ring *events, uint64_t after,
                                 void (*wake)(void *user), void *user, struct xl_subscriber **out,
                                 struct xl_err *err) XL_CHECKED;
/* Waits for a wake that is under way. NULL is fine. */
void xl_subscriber_free(struct xl_subscriber *subscriber);

/* An event. */
struct xl_event {
    uint64_t id;
    const char
        *type;  /* "reset": events were lost before this; what was known is to be asked anew */
    char *text; /* JSON, malloc'd; of "reset" NULL */
};

enum xl_next { XL_NEXT_EVENT, XL_NEXT_NOTHING, XL_NEXT_NO_MEMORY /* try again */ };
/* The next event; waits for it for at most wait_s seconds. */
enum xl_next xl_subscriber_next(struct xl_subscriber *subscriber, double wait_s,
                                struct xl_event *out);

#endif
