/* insights.h - what is loved, over the network: the document of `sdxl-lab favorites --json`. */
#ifndef XL_HTTP_API_INSIGHTS_H
#define XL_HTTP_API_INSIGHTS_H

#include "http/api/library.h"
#include "http/route.h"

/* Routes whose `user` is the library. */
struct xl_route_table xl_insights_table(struct xl_library *library);

#endif
