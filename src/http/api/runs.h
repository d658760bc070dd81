/* runs.h - runs over HTTP: their cells as they were planned, and what became of each.
 */
#ifndef XL_HTTP_API_RUNS_H
#define XL_HTTP_API_RUNS_H

#include "http/api/library.h"
#include "http/route.h"

/* Routes whose `user` is the library. */
struct xl_route_table xl_runs_table(struct xl_library *library);

#endif
