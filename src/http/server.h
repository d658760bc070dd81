/* server.h - the server: listens, keeps to its limits, has routes answered, stops.
 *
 * Threads: libmicrohttpd's (one a core, up to eight) read requests, run quick handlers and send;
 * the slow pool's run the others; one looks after connections that have been silent for too long.
 */
#ifndef XL_HTTP_SERVER_H
#define XL_HTTP_SERVER_H

#include "base/str.h"
#include "http/route.h"

enum {
    XL_SERVER_IDLE_S = 30,          /* a connection without a whole request is cut */
    XL_SERVER_CONNECTIONS = 4096,   /* at most; fewer where descriptors are short */
    XL_SERVER_PER_ADDRESS = 256,    /* of another machine; this one's are proxies */
    XL_SERVER_HEADER_BYTES = 16384, /* request line and headers; more: 431 */
    XL_SERVER_URL_BYTES = 8192,
    XL_SERVER_BODIES = 256 << 20,  /* of all bodies that are in memory; more: 503 */
    XL_SERVER_SLOW_WAITING = 1024, /* calls that wait for a slow thread; more: 503 */
};

struct xl_server; /* opaque; any thread */

struct xl_server_params {
    const char *bind;      /* a numeric address, or "localhost" */
    int port;              /* 0: any that is free */
    const char *base_path; /* "/lab": paths may begin so; NULL or "": none */
    const char *const *allowed_hosts;
    int n_allowed_hosts;
    const char *token;                   /* NULL: none is asked for */
    const struct xl_route_table *tables; /* [n_tables], in the order of search; copied, not rows */
    int n_tables;
    const char *spool_dir;     /* where files that are sent may be while they come; NULL: memory */
    int threads, slow_threads; /* 0: by the number of cores */
    /* Whether everything that routes need is there, for /readyz; NULL: it is. */
    bool (*is_ready)(void *user, struct xl_err *why);
    /* Append more metrics in Prometheus' format; NULL: there are none. */
    void (*metrics)(void *user, struct xl_str *out);
    void *user;
};

/* Listen and serve. On success *out is the caller's. Errors: XL_EINVAL an address that is none or
 * is not this machine's, a port that is in use or not allowed; XL_ENOMEM */
enum xl_status xl_server_start(const struct xl_server_params *params, struct xl_server **out,
                               struct xl_err *err) XL_CHECKED;

int xl_server_port(const struct xl_server *server);
/* "http://127.0.0.1:7860/" with the base path; the server's. */
const char *xl_server_url(const struct xl_server *server);

/* Take no more requests, let those that are there end (for at most ten seconds), close, free. NULL
 * is fine. */
void xl_server_stop(struct xl_server *server);
/* Whether it is about to end: streams and long calls come to theirs. */
bool xl_server_is_stopping(const struct xl_server *server);

/* All tables of a server, for what describes or counts them. */
int xl_server_tables(const struct xl_server *server, const struct xl_route_table **tables);

#endif
