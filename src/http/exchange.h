/* exchange.h - a request and its reply on their way through the server; for this folder's files
 * that speak to libmicrohttpd.
 */
#ifndef XL_HTTP_EXCHANGE_H
#define XL_HTTP_EXCHANGE_H

#include "base/str.h"
#include "http/attempts.h"
#include "http/guard.h"
#include "http/peers.h"
#include "http/reply.h"
#include "http/server.h"
#include "http/slow.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

/* What is counted of a route. */
struct xl_route_count {
    atomic_llong n, n_failed, us, bytes;
};

struct xl_server {
    struct MHD_Daemon *daemon;
    struct xl_guard *guard;
    struct xl_slow *slow;
    struct xl_peers *peers;
    struct xl_attempts *attempts;
    struct xl_route_table tables[XL_TABLES_MAX];
    int n_tables;
    struct xl_route_count counts[XL_ROUTES_MAX + 1]; /* the last: no route */
    atomic_llong by_code[6];                         /* 1xx ... 5xx */
    char *base_path, *url, *spool_dir;
    int port, n_connections;
    bool (*is_ready)(void *user, struct xl_err *why);
    void (*metrics)(void *user, struct xl_str *out);
    void *user;
    double started_at;
    atomic_size_t body_bytes;
    atomic_int n_open; /* exchanges */
    atomic_bool is_stopping;
    pthread_mutex_t later_mutex;
    struct xl_later *laters; /* that have not been sent (later.h) */
};

enum xl_exchange_state {
    XL_EXCHANGE_BEGINS,
    XL_EXCHANGE_RECEIVES,
    XL_EXCHANGE_REFUSED, /* while its body comes: it is read and forgotten */
    XL_EXCHANGE_WORKS,   /* on a slow thread, its connection is put aside */
    XL_EXCHANGE_ENDS,    /* the reply is there */
};

struct xl_exchange {
    struct xl_call call;
    struct xl_reply reply;
    struct xl_server *server;
    struct MHD_Connection *connection;
    struct xl_peer *peer;
    const struct xl_route_table *table; /* whose errors count */
    struct xl_route_count *count;
    enum xl_exchange_state state;
    bool is_later;        /* somebody else has the reply */
    atomic_int n_holders; /* of a slow call: who is the last resumes it */
    struct xl_str body;
    size_t body_max, n_received;
    int64_t body_length; /* as it was said; -1: in pieces */
    double started_at;
    char *url; /* as it was sent */
};

/* libmicrohttpd's callbacks. */
void *xl_exchange_new(void *server, const char *uri, struct MHD_Connection *connection);
enum MHD_Result xl_exchange_handle(void *server, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *upload,
                                   size_t *n_upload, void **exchange);
void xl_exchange_end(void *server, struct MHD_Connection *connection, void **exchange,
                     enum MHD_RequestTerminationCode why);

/* Let go of a slow call: the last of those who hold it has it sent. */
void xl_exchange_release(struct xl_exchange *exchange);

/* later.c: answer 503 to all that wait. */
void xl_laters_refuse(struct xl_server *server);

/* dispatch.c: find table and route of the exchange's path, and ask the guard. 0, or a code with the
 * reply filled in. */
int xl_exchange_dispatch(struct xl_exchange *exchange);
/* Have the handler fill the reply in: on this thread, for as long as it takes. */
void xl_exchange_perform(struct xl_exchange *exchange);
/* The reply becomes an error. */
void xl_exchange_refuse(struct xl_exchange *exchange, int code, enum xl_status status,
                        const char *sentence);

/* events.c: a stream, which has taken a client in; NULL: it cannot. */
struct MHD_Response *xl_events_response(struct xl_events *events, struct xl_exchange *exchange);

/* stream.c: an answer that is written bit by bit. NULL: out of memory */
struct MHD_Response *xl_stream_response(struct xl_stream *stream, struct xl_exchange *exchange);

/* send.c: hand the reply to libmicrohttpd. */
enum MHD_Result xl_exchange_send(struct xl_exchange *exchange);

#endif
