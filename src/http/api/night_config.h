/* night_config.h - the configuration of a night as a client of the network asks for it: checked,
 * and written as a file that `sdxl-lab night` reads as well.
 */
#ifndef XL_HTTP_API_NIGHT_CONFIG_H
#define XL_HTTP_API_NIGHT_CONFIG_H

#include "http/api/library.h"
#include "http/call.h"
#include "jobs/queue/queue.h"

/* What routes of nights need: call->user. */
struct xl_nights_api {
    const struct xl_settings *settings; /* of the server */
    const char *dir;                    /* the output directory, from the root */
    struct xl_queue *queue;             /* gives its idle GPUs to a night that begins */
    struct xl_library *library;         /* what is loved, for a night that learns from it */
};

/* The member "config" of the body as a new file below the output directory's folder of nights, with
 * what the server says of who draws. It may have the keys of a night, but themes only by name; and
 * settings that the network may set. *path: in the call's arena. Errors: XL_EINVAL, and the reply
 * says which key; XL_EDISK, XL_ENOMEM */
enum xl_status xl_night_config_write(struct xl_call *call, struct xl_reply *reply,
                                     const char **path, struct xl_err *err) XL_CHECKED;

/* A sentence about a configuration's file, without the file: "steps: ..."; the reply says which key
 * it is about. Returns status. */
enum xl_status xl_night_config_about(struct xl_call *call, struct xl_reply *reply, const char *path,
                                     enum xl_status status, struct xl_err *err);

/* Check settings of a job as the queue does. *out: the caller's. Errors: XL_EINVAL, XL_ENOMEM */
enum xl_status xl_night_job_vet(struct xl_call *call, const json_t *job, json_t **out,
                                struct xl_err *err) XL_CHECKED;

#endif
