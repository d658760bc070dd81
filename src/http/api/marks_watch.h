/* marks_watch.h - marks that somebody else made, in another browser or by a command, as events: a
 * thread that looks whether the files of marks have changed while clients follow the stream.
 */
#ifndef XL_HTTP_API_MARKS_WATCH_H
#define XL_HTTP_API_MARKS_WATCH_H

#include "http/api/library.h"
#include "http/events.h"

struct xl_marks_watch; /* opaque */

/* Push "marks" with {"pictures": [{"id", "favorite", "rating", "rejected"}, ...]}, or {"all": true}
 * where so many have changed that they are asked for anew. Both outlive it. Errors: XL_ENOMEM, also
 * for a thread */
enum xl_status xl_marks_watch_start(struct xl_library *library, struct xl_events *events,
                                    struct xl_marks_watch **out, struct xl_err *err) XL_CHECKED;
void xl_marks_watch_stop(struct xl_marks_watch *watch); /* NULL is fine */

#endif
