/* health.h - routes for whoever runs the server: is it alive, may it be sent work, who are you (the
 * way from a token to a cookie).
 */
#ifndef XL_HTTP_HEALTH_H
#define XL_HTTP_HEALTH_H

#include "http/route.h"

struct xl_route_table xl_health_table(void);

#endif
