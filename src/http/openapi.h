/* openapi.h - the description of the routes for programs (OpenAPI 3.1), made from their rows and
 * from the option table.
 */
#ifndef XL_HTTP_OPENAPI_H
#define XL_HTTP_OPENAPI_H

#include "http/reply.h"

/* GET /api/v1/openapi.json */
xl_route_fn xl_get_openapi;

/* The settings of a job as a schema: the rows of the option table that the network may set. NULL:
 * out of memory */
json_t *xl_settings_schema(void);

#endif
