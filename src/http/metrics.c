/* metrics.c - what the server has counted. Keeps no state. */
#include "http/metrics.h"

#include "base/clock.h"
#include "http/exchange.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

/* Resident memory in bytes; 0: not known. */
static long long resident_bytes(void) {
    long long pages = 0, whole;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%lld %lld", &whole, &pages) != 2) pages = 0;
    if (file) fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static int open_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    int n = -3; /* ".", "..", and the one that is read */
    while (dir && readdir(dir)) n++;
    if (dir) closedir(dir);
    return n > 0 ? n : 0;
}

void xl_metric_put(struct xl_str *out, const char *name, const char *type, const char *help,
                   double value) {
    xl_str_printf(out, "# HELP sdxl_lab_%s %s\n# TYPE sdxl_lab_%s %s\nsdxl_lab_%s %.17g\n", name,
                  help, name, type, name, value);
}

static void put_server(struct xl_str *out, struct xl_server *server) {
    struct xl_peers_count peers = xl_peers_count(server->peers);
    xl_str_printf(out,
                  "# HELP sdxl_lab_info Which program this is.\n# TYPE sdxl_lab_info gauge\n"
                  "sdxl_lab_info{version=\"%s\"} 1\n",
                  XL_VERSION);
    xl_metric_put(out, "uptime_seconds", "gauge", "Since the start.",
                  xl_now_s() - server->started_at);
    xl_metric_put(out, "resident_bytes", "gauge", "Memory of the process.",
                  (double)resident_bytes());
    xl_metric_put(out, "open_descriptors", "gauge", "Of the process.", open_descriptors());
    xl_metric_put(out, "connections", "gauge", "That are open.", peers.n);
    xl_metric_put(out, "connections_max", "gauge", "That may be open.", server->n_connections);
    xl_metric_put(out, "connections_cut_total", "counter", "That sent no whole request in time.",
                  (double)peers.n_cut);
    xl_metric_put(out, "requests_open", "gauge", "That are being answered, streams included.",
                  atomic_load(&server->n_open));
    xl_metric_put(out, "slow_calls", "gauge", "That wait for a slow thread, or run on one.",
                  xl_slow_load(server->slow));
    xl_metric_put(out, "body_bytes", "gauge", "Of bodies in memory.",
                  (double)atomic_load(&server->body_bytes));
    xl_str_puts(out, "# HELP sdxl_lab_responses_total By class of code.\n"
                     "# TYPE sdxl_lab_responses_total counter\n");
    for (int i = 1; i < 6; i++)
        xl_str_printf(out, "sdxl_lab_responses_total{code=\"%dxx\"} %lld\n", i,
                      (long long)atomic_load(&server->by_code[i]));
}

/* One measure of every route that was asked. */
static void put_routes(struct xl_str *out, const struct xl_server *server, const char *name,
                       const char *help, size_t offset, double scale) {
    int at = 0;
    xl_str_printf(out, "# HELP sdxl_lab_%s %s\n# TYPE sdxl_lab_%s counter\n", name, help, name);
    for (int t = 0; t < server->n_tables; t++)
        for (int i = 0; i < server->tables[t].n; i++, at++) {
            const struct xl_route *route = &server->tables[t].rows[i];
            const struct xl_route_count *count = &server->counts[at];
            const char *bytes = (const char *)count + offset;
            if (!atomic_load(&count->n)) continue;
            xl_str_printf(out, "sdxl_lab_%s{method=\"%s\",route=\"%s\"} %.9g\n", name,
                          route->method, route->pattern,
                          scale * (double)atomic_load((const atomic_llong *)(const void *)bytes));
        }
}

enum xl_status xl_get_metrics(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_server *server = call->server;
    struct xl_str out = {0};
    put_server(&out, server);
    put_routes(&out, server, "requests_total", "Requests of a route.",
               offsetof(struct xl_route_count, n), 1);
    put_routes(&out, server, "request_failures_total", "Those that were refused or failed.",
               offsetof(struct xl_route_count, n_failed), 1);
    put_routes(&out, server, "request_seconds_total", "Until they were sent.",
               offsetof(struct xl_route_count, us), 1e-6);
    put_routes(&out, server, "response_bytes_total", "Of bodies.",
               offsetof(struct xl_route_count, bytes), 1);
    if (server->metrics) server->metrics(server->user, &out);
    size_t n = out.len;
    char *text = xl_str_take(&out);
    if (!text) return xl_fail_nomem(err, "metrics", 0);
    xl_reply_text(reply, "text/plain; version=0.0.4; charset=utf-8", text, n);
    return XL_OK;
}
