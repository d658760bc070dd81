/* night_routes.h - what the two files of routes of nights share: nights.c looks, night_changes.c
 * begins and changes.
 */
#ifndef XL_HTTP_API_NIGHT_ROUTES_H
#define XL_HTTP_API_NIGHT_ROUTES_H

#include "http/api/night_config.h"
#include "http/reply.h"
#include "jobs/night/state.h"

#include <string.h>

static inline const struct xl_nights_api *xl_nights_api_of(const struct xl_call *call) {
    return call->user;
}

/* The name of its folder. */
static inline const char *xl_night_id(const char *dir) {
    const char *slash = strrchr(dir, '/');
    return slash ? slash + 1 : dir;
}

/* The night that the address names, and whether somebody works on it. *dir: in the call's arena. On
 * success the caller: xl_night_state_deinit. Errors: as XL_EINVAL, with 404; XL_ENOMEM */
enum xl_status xl_night_of_call(struct xl_call *call, struct xl_reply *reply, const char **dir,
                                struct xl_night_state *state, bool *is_running,
                                struct xl_err *err) XL_CHECKED;

/* Reply with a night: its report, who draws now, and the configuration's file. */
enum xl_status xl_night_reply(struct xl_reply *reply, int code, const char *dir,
                              struct xl_err *err) XL_CHECKED;

/* Handlers (route.h). */
xl_route_fn xl_night_check, xl_night_begin, xl_night_stop, xl_night_resume, xl_night_add_jobs;

#endif
