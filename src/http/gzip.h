/* gzip.h - compression of what is sent, for clients that take it. */
#ifndef XL_HTTP_GZIP_H
#define XL_HTTP_GZIP_H

#include "http/call.h"

/* Whether "gzip" stands in Accept-Encoding and is not refused. */
bool xl_call_takes_gzip(const struct xl_call *call);

/* level: 1 fast to 9 small. *out: malloc'd. Errors: XL_ENOMEM */
enum xl_status xl_gzip(const char *bytes, size_t n, int level, char **out, size_t *n_out,
                       struct xl_err *err) XL_CHECKED;

#endif
