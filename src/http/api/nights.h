/* nights.h - nights over HTTP: configured, begun, followed, stopped and gone on with, and what came
 * of them. A night is a process of its own, which outlives the server.
 */
#ifndef XL_HTTP_API_NIGHTS_H
#define XL_HTTP_API_NIGHTS_H

#include "http/api/night_config.h"
#include "http/route.h"

/* Lives as long as api. */
struct xl_route_table xl_nights_table(const struct xl_nights_api *api);

#endif
