/* body.h - what handlers check of a JSON body: its members and their types.
 */
#ifndef XL_HTTP_BODY_H
#define XL_HTTP_BODY_H

#include "http/call.h"
#include "http/reply.h"

/* Members of the body that there are none of: a mistyped one is not passed over in silence. known:
 * NULL-terminated. The reply says which one. Errors: XL_EINVAL */
enum xl_status xl_body_check(const struct xl_call *call, struct xl_reply *reply,
                             const char *const *known, struct xl_err *err) XL_CHECKED;

/* A switch of the body; absent: *out as it is. Errors: XL_EINVAL */
enum xl_status xl_body_switch(const struct xl_call *call, struct xl_reply *reply, const char *key,
                              bool *out, struct xl_err *err) XL_CHECKED;

#endif
