/* system.h - the machine that the server runs on: GPUs, disks, and the log of what was drawn.
 */
#ifndef XL_HTTP_API_SYSTEM_H
#define XL_HTTP_API_SYSTEM_H

#include "http/api/library.h"
#include "http/route.h"
#include "jobs/queue/queue.h"

struct xl_system; /* opaque; any thread */

/* library and queue are borrowed. Errors: XL_ENOMEM */
enum xl_status xl_system_new(struct xl_library *library, const struct xl_queue *queue,
                             struct xl_system **out, struct xl_err *err) XL_CHECKED;
/* After the server's end. NULL is fine. */
void xl_system_free(struct xl_system *system);

struct xl_route_table xl_system_table(struct xl_system *system);

#endif
