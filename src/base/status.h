/* status.h - building the sentence of a failure.
 * The function where a failure originates writes the sentence once with xl_fail; callers that know
 * more put a few words in front with xl_fail_context ("load unet: ..."). `err` may always be NULL.
 */
#ifndef XL_BASE_STATUS_H
#define XL_BASE_STATUS_H

#include "sdxl/sdxl.h"

#define XL_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define XL_CHECKED __attribute__((warn_unused_result))

/* Write the sentence into err and return `status`, so that `return xl_fail(...)` reads well. */
enum xl_status xl_fail(struct xl_err *err, enum xl_status status, const char *format, ...)
    XL_PRINTF(3, 4);

/* Put "context: " in front of the sentence already in err; returns `status` unchanged. */
enum xl_status xl_fail_context(struct xl_err *err, enum xl_status status, const char *format, ...)
    XL_PRINTF(3, 4);

/* xl_fail(XL_ENOMEM) for an allocation of host memory. what: "token ids", bytes: 0 if unknown */
enum xl_status xl_fail_nomem(struct xl_err *err, const char *what, size_t bytes);

/* "XL_EINVAL" for XL_EINVAL; "?" for a number that is no status. */
const char *xl_status_name(enum xl_status status);

#endif
