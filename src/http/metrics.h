/* metrics.h - GET /metrics, in the text format of Prometheus. */
#ifndef XL_HTTP_METRICS_H
#define XL_HTTP_METRICS_H

#include "base/str.h"
#include "http/reply.h"

xl_route_fn xl_get_metrics;

/* A figure of whoever adds some (xl_server_params): sdxl_lab_NAME. type: "gauge" or "counter" */
void xl_metric_put(struct xl_str *out, const char *name, const char *type, const char *help,
                   double value);

#endif
