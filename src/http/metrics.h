/* metrics.h - GET /metrics, in the text format of Prometheus. */
#ifndef XL_HTTP_METRICS_H
#define XL_HTTP_METRICS_H

#include "http/reply.h"

xl_route_fn xl_get_metrics;

#endif
