/* downloads.h - models that the server brings into the cache while it does everything else: one
 * after the other, on a thread of its own, told of by events "download". A file beside the queue's
 * journal has those that are not through: the next server goes on with them.
 */
#ifndef XL_HTTP_API_DOWNLOADS_H
#define XL_HTTP_API_DOWNLOADS_H

#include "http/events.h"
#include "jobs/queue/queue.h"
#include "lab/settings/settings.h"

struct xl_downloads; /* opaque; any thread */

enum {
    XL_DOWNLOADS_WAITING = 32, /* at most */
    XL_DOWNLOADS_ENDED = 20,   /* that are still known */
};

/* Go on with what the server before had not finished. settings: model_files; borrowed, as are queue
 * and events. Errors: XL_ENOMEM, also for a thread */
enum xl_status xl_downloads_new(const struct xl_settings *settings, const struct xl_queue *queue,
                                struct xl_events *events, struct xl_downloads **out,
                                struct xl_err *err) XL_CHECKED;
/* Stop what runs; what has come stays and is gone on with by the next server. After the server's
 * end. NULL is fine. */
void xl_downloads_free(struct xl_downloads *downloads);

struct xl_route_table xl_downloads_table(struct xl_downloads *downloads);

#endif
