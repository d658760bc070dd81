/* feed.c - one subscriber of the queue for all clients of the server. */
#include "http/api/feed.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct xl_feed {
    struct xl_subscriber *subscriber;
    struct xl_feed_ends ends;
    pthread_t thread;
    atomic_bool is_over;
};

static const double look_s = 0.25; /* between two looks whether it is over */

/* Clients learn from an event "reset" of the queue what they learn from one of the server: that
 * they have missed something. */
static void *run(void *user) {
    struct xl_feed *feed = user;
    while (!atomic_load(&feed->is_over)) {
        struct xl_event event;
        if (xl_subscriber_next(feed->subscriber, look_s, &event) != XL_NEXT_EVENT) continue;
        if (!strcmp(event.type, "cell")) xl_library_touch(feed->ends.library);
        xl_events_push(feed->ends.events, event.type, event.text ? event.text : "{}");
        free(event.text);
    }
    return NULL;
}

enum xl_status xl_feed_start(const struct xl_feed_ends *ends, struct xl_feed **out,
                             struct xl_err *err) {
    struct xl_feed *feed = calloc(1, sizeof *feed);
    if (!feed) return xl_fail_nomem(err, "a stream of events", sizeof *feed);
    feed->ends = *ends;
    enum xl_status status = xl_subscriber_new(xl_queue_events(ends->queue), UINT64_MAX, NULL, NULL,
                                              &feed->subscriber, err);
    if (!status && pthread_create(&feed->thread, NULL, run, feed)) {
        xl_subscriber_free(feed->subscriber);
        status = xl_fail_nomem(err, "a thread for events", 0);
    }
    if (status)
        free(feed);
    else
        *out = feed;
    return status;
}

void xl_feed_stop(struct xl_feed *feed) {
    if (!feed) return;
    atomic_store(&feed->is_over, true);
    pthread_join(feed->thread, NULL);
    xl_subscriber_free(feed->subscriber);
    free(feed);
}
