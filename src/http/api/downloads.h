/* downloads.h - models that the server brings into the cache while it does everything else: one
 * after the other, on a thread of its own, told of by events "download".
 */
#ifndef XL_HTTP_API_DOWNLOADS_H
#define XL_HTTP_API_DOWNLOADS_H

#include "http/events.h"
#include "lab/settings/settings.h"

struct xl_downloads; /* opaque; any thread */

enum {
    XL_DOWNLOADS_WAITING = 32, /* at most */
    XL_DOWNLOADS_ENDED = 20,   /* that are still known */
};

/* settings: model_files; borrowed, as is events. Errors: XL_ENOMEM, also for a thread */
enum xl_status xl_downloads_new(const struct xl_settings *settings, struct xl_events *events,
                                struct xl_downloads **out, struct xl_err *err) XL_CHECKED;
/* Stop what runs; what has come stays and is gone on with by who asks for it again. After the
 * server's end. NULL is fine. */
void xl_downloads_free(struct xl_downloads *downloads);

struct xl_route_table xl_downloads_table(struct xl_downloads *downloads);

#endif
