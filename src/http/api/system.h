/* system.h - the machine that the server runs on: GPUs, disks, and the log of what was drawn.
 */
#ifndef XL_HTTP_API_SYSTEM_H
#define XL_HTTP_API_SYSTEM_H

#include "http/api/library.h"
#include "http/route.h"
#include "jobs/queue/queue.h"

#include <sdxl/gpu.h>

struct xl_system; /* opaque; any thread */

/* library and queue are borrowed. Errors: XL_ENOMEM */
enum xl_status xl_system_new(struct xl_library *library, struct xl_queue *queue,
                             struct xl_system **out, struct xl_err *err) XL_CHECKED;
/* After the server's end. NULL is fine. */
void xl_system_free(struct xl_system *system);

/* The GPU that pictures are drawn with, with its memory; of several the first that a place has.
 * Waits for the driver. false: there is none, or this server draws on the CPU */
bool xl_system_gpu_memory(struct xl_system *system, struct xl_gpu *out);

struct xl_route_table xl_system_table(struct xl_system *system);

#endif
