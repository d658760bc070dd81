/* uploads.h - what is sent: pictures to begin from, and pictures whose settings are asked for.
 */
#ifndef XL_HTTP_API_UPLOADS_H
#define XL_HTTP_API_UPLOADS_H

#include "http/api/library.h"
#include "http/route.h"

/* Routes whose `user` is the library. */
struct xl_route_table xl_uploads_table(struct xl_library *library);

#endif
