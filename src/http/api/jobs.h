/* jobs.h - the queue over HTTP: jobs are submitted, followed, moved, cancelled and restored, and
 * what happens is a stream of events.
 */
#ifndef XL_HTTP_API_JOBS_H
#define XL_HTTP_API_JOBS_H

#include "base/str.h"
#include "http/events.h"
#include "http/route.h"
#include "jobs/queue/queue.h"

struct xl_jobs_api {
    struct xl_queue *queue;
    struct xl_events *events; /* what the queue tells: feed.h */
};

/* For APIs that hand settings to the queue: a failure is about the setting that its sentence begins
 * with ("settings: steps: ..."), if it is about one. Returns status. */
enum xl_status xl_jobs_about_setting(struct xl_call *call, struct xl_reply *reply,
                                     enum xl_status status, const struct xl_err *err);

/* Figures of the queue, for xl_server_params; user: the queue. */
void xl_jobs_metrics(void *user, struct xl_str *out);

/* Lives as long as api. */
struct xl_route_table xl_jobs_table(const struct xl_jobs_api *api);

#endif
