/* exchange.c - the life of a request: headers, body, handler, reply. Called by libmicrohttpd on the
 * thread that has the connection. */
#include "http/exchange.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/form.h"

#include <stdlib.h>
#include <string.h>

enum {
    BODY_DEFAULT = 1 << 20,
    BODY_RATE = 16 << 10, /* bytes a second that a body has to come with */
    REPLY_RATE = 8 << 10, /* and that a reply has to be taken with */
    FORM_DEFAULT = 300 << 20,
    FORM_FILE_MAX = 256 << 20,
    DISCARDED_MAX = 64 << 20,
};

/* --- Beginning and end ------------------------------------------------------------------------ */

void *xl_exchange_new(void *user, const char *uri, struct MHD_Connection *connection) {
    struct xl_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange) return NULL;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    exchange->server = user;
    exchange->connection = connection;
    exchange->peer = info ? info->socket_context : NULL;
    exchange->url = strdup(uri);
    exchange->started_at = xl_now_s();
    exchange->reply.fd = -1;
    exchange->call.server = exchange->server;
    if (exchange->peer) {
        exchange->call.is_loopback = exchange->peer->is_loopback;
        memcpy(exchange->call.client, exchange->peer->text, sizeof exchange->peer->text);
    }
    atomic_fetch_add(&exchange->server->n_open, 1);
    return exchange;
}

static void free_body(struct xl_exchange *exchange) {
    atomic_fetch_sub(&exchange->server->body_bytes, exchange->body.capacity);
    xl_str_deinit(&exchange->body);
}

static void count(struct xl_exchange *exchange, double seconds) {
    int code = exchange->reply.code;
    struct xl_route_count *count = exchange->count;
    atomic_fetch_add(&exchange->server->by_code[code / 100 % 6], 1);
    if (!count) return;
    atomic_fetch_add(&count->n, 1);
    atomic_fetch_add(&count->n_failed, code >= 400);
    atomic_fetch_add(&count->us, (long long)(seconds * 1e6));
    atomic_fetch_add(&count->bytes, (long long)exchange->reply.n);
}

/* The path alone: a query may hold what is nobody's business. */
static void tell(const struct xl_exchange *exchange, double seconds) {
    const struct xl_call *call = &exchange->call;
    if (!call->method || !call->path) return;
    xl_info("%s %s %.200s %d %zu bytes %.1f ms", call->client, call->method, call->path,
            exchange->reply.code, exchange->reply.n, 1000 * seconds);
}

void xl_exchange_end(void *server, struct MHD_Connection *connection, void **context,
                     enum MHD_RequestTerminationCode why) {
    struct xl_exchange *exchange = *context;
    (void)server, (void)connection, (void)why;
    if (!exchange) return;
    *context = NULL;
    double seconds = xl_now_s() - exchange->started_at;
    if (exchange->state == XL_EXCHANGE_ENDS) {
        count(exchange, seconds);
        tell(exchange, seconds);
    }
    xl_peer_expect(exchange->peer, XL_SERVER_IDLE_S);
    free_body(exchange);
    xl_reply_deinit(&exchange->reply);
    json_decref(exchange->call.json);
    xl_form_free(exchange->call.form);
    xl_arena_deinit(&exchange->call.arena);
    free(exchange->url);
    atomic_fetch_sub(&exchange->server->n_open, 1);
    free(exchange);
}

/* --- Headers ---------------------------------------------------------------------------------- */

static enum MHD_Result take_header(void *user, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
    struct xl_headers *headers = user;
    const struct {
        const char *name;
        const char **to;
    } rows[] = {
        {"Host", &headers->host},
        {"Origin", &headers->origin},
        {"Sec-Fetch-Site", &headers->fetch_site},
        {"Sec-Fetch-Mode", &headers->fetch_mode},
        {"Authorization", &headers->authorization},
        {"Cookie", &headers->cookie},
        {"Content-Type", &headers->content_type},
        {"Content-Length", &headers->content_length},
        {"Transfer-Encoding", &headers->transfer_encoding},
        {"Accept-Encoding", &headers->accept_encoding},
        {"If-None-Match", &headers->if_none_match},
        {"Range", &headers->range},
        {"If-Range", &headers->if_range},
        {"Last-Event-ID", &headers->last_event_id},
        {"X-Forwarded-Prefix", &headers->forwarded_prefix},
        {"X-Forwarded-Proto", &headers->forwarded_proto},
        {"X-Forwarded-For", &headers->forwarded_for},
    };
    (void)kind;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (((rows[i].name[0] ^ name[0]) & 31) == 0 && !strcasecmp(rows[i].name, name))
            *rows[i].to = value ? value : "";
    headers->n_hosts += !strcasecmp(name, "Host");
    headers->n_lengths += !strcasecmp(name, "Content-Length");
    return MHD_YES;
}

/* How long the body is: -1: in pieces; -2: what is said of it makes no sense. Who sends both a
 * length and pieces wants two programs to read two requests. */
static int64_t read_length(const struct xl_headers *headers) {
    const char *text = headers->content_length;
    char *end;
    if (headers->n_lengths > 1 || (text && headers->transfer_encoding)) return -2;
    if (headers->transfer_encoding)
        return strcasecmp(headers->transfer_encoding, "chunked") ? -2 : -1;
    if (!text) return 0;
    if (*text < '0' || *text > '9') return -2;
    unsigned long long length = strtoull(text, &end, 10);
    return *end || length > INT64_MAX ? -2 : (int64_t)length;
}

static bool has_form(const struct xl_exchange *exchange) {
    const char *type = exchange->call.headers.content_type;
    return exchange->call.route->flags & XL_ROUTE_FORM && type &&
           !strncasecmp(type, "multipart/", 10);
}

static int begin_form(struct xl_exchange *exchange) {
    struct xl_err err = {0};
    size_t most = exchange->body_max;
    if (!has_form(exchange)) return 0;
    enum xl_status status =
        xl_form_new(exchange->call.headers.content_type, exchange->server->spool_dir,
                    most < FORM_FILE_MAX ? most : FORM_FILE_MAX, most, &exchange->call.form, &err);
    if (!status) return 0;
    int code = status == XL_ENOMEM ? 503 : 400;
    xl_exchange_refuse(exchange, code, status, err.text);
    return code;
}

static int check_body(struct xl_exchange *exchange) {
    const struct xl_route *route = exchange->call.route;
    unsigned takes = XL_ROUTE_JSON | XL_ROUTE_FORM | XL_ROUTE_ANY_TYPE;
    exchange->body_max = !(route->flags & takes) ? 0
                         : route->body_max       ? route->body_max
                         : has_form(exchange)    ? FORM_DEFAULT
                                                 : BODY_DEFAULT;
    char sentence[160];
    if (exchange->body_length == -2) {
        xl_exchange_refuse(exchange, 400, XL_EINVAL,
                           "the headers do not say in one way how long the body is");
        return 400;
    }
    if (exchange->body_length <= (int64_t)exchange->body_max) return begin_form(exchange);
    snprintf(sentence, sizeof sentence, "the body has %lld bytes, this takes at most %zu",
             (long long)exchange->body_length, exchange->body_max);
    xl_exchange_refuse(exchange, 413, XL_EINVAL, sentence);
    return 413;
}

/* --- Body ------------------------------------------------------------------------------------- */

static bool is_budget_left(struct xl_exchange *exchange, size_t before) {
    struct xl_server *server = exchange->server;
    size_t more = exchange->body.capacity - before;
    return atomic_fetch_add(&server->body_bytes, more) + more <= XL_SERVER_BODIES;
}

static void refuse_body(struct xl_exchange *exchange, int code, const char *sentence) {
    free_body(exchange);
    exchange->state = XL_EXCHANGE_REFUSED;
    xl_exchange_refuse(exchange, code, XL_EINVAL, sentence);
}

/* bytes NULL: it is whole. */
static void receive_form(struct xl_exchange *exchange, const char *bytes, size_t n) {
    struct xl_form *form = exchange->call.form;
    struct xl_err err = {0};
    enum xl_status status = bytes ? xl_form_push(form, bytes, n, &err) : xl_form_end(form, &err);
    if (!status) return;
    int code = xl_form_is_too_large(form) ? 413
               : status == XL_EINVAL      ? 400
                                          : xl_status_code(status);
    refuse_body(exchange, code, err.text);
}

static enum MHD_Result receive(struct xl_exchange *exchange, const char *bytes, size_t n) {
    char sentence[120];
    exchange->n_received += n;
    if (exchange->state == XL_EXCHANGE_REFUSED)
        return exchange->n_received > exchange->body_max + DISCARDED_MAX ? MHD_NO : MHD_YES;
    if (exchange->n_received > exchange->body_max) {
        snprintf(sentence, sizeof sentence, "the body is larger than %zu bytes, which this takes",
                 exchange->body_max);
        refuse_body(exchange, 413, sentence);
        return MHD_YES;
    }
    if (exchange->call.form) {
        receive_form(exchange, bytes, n);
        return MHD_YES;
    }
    size_t before = exchange->body.capacity;
    xl_str_append(&exchange->body, bytes, n);
    if (!is_budget_left(exchange, before) || exchange->body.failed)
        refuse_body(exchange, 503, "too much is being sent at once; try again");
    return MHD_YES;
}

/* --- The way ---------------------------------------------------------------------------------- */

void xl_exchange_release(struct xl_exchange *exchange) {
    if (atomic_fetch_sub(&exchange->n_holders, 1) != 1) return;
    exchange->state = XL_EXCHANGE_ENDS;
    MHD_resume_connection(exchange->connection);
}

static void work(void *user) {
    struct xl_exchange *exchange = user;
    xl_exchange_perform(exchange);
    xl_exchange_release(exchange);
}

static enum MHD_Result run(struct xl_exchange *exchange) {
    xl_peer_expect(exchange->peer, 0);
    if (exchange->call.route->flags & XL_ROUTE_SLOW) {
        exchange->state = XL_EXCHANGE_WORKS;
        atomic_store(&exchange->n_holders, 1);
        MHD_suspend_connection(exchange->connection);
        if (xl_slow_add(exchange->server->slow, work, exchange)) return MHD_YES;
        xl_exchange_refuse(exchange, 503, XL_EINVAL, "the server is busy; try again");
        xl_reply_header(&exchange->reply, "Retry-After", "1");
        exchange->state = XL_EXCHANGE_ENDS;
        MHD_resume_connection(exchange->connection);
        return MHD_YES;
    }
    xl_exchange_perform(exchange);
    return xl_exchange_send(exchange);
}

static enum MHD_Result begin(struct xl_exchange *exchange, const char *method) {
    struct xl_call *call = &exchange->call;
    call->method = xl_arena_strdup(&call->arena, method);
    if (!exchange->url || !call->method) return MHD_NO;
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, take_header, &call->headers);
    exchange->body_length = read_length(&call->headers);
    if (xl_exchange_dispatch(exchange) || check_body(exchange)) {
        /* An answer before the body has come costs the connection; without one it waits its turn.
         */
        exchange->state = XL_EXCHANGE_REFUSED;
        return exchange->body_length ? xl_exchange_send(exchange) : MHD_YES;
    }
    exchange->state = XL_EXCHANGE_RECEIVES;
    if (!exchange->body_length) return MHD_YES;
    double seconds = XL_SERVER_IDLE_S + (double)exchange->body_max / BODY_RATE;
    if (exchange->body_length > 0)
        seconds = XL_SERVER_IDLE_S + (double)exchange->body_length / BODY_RATE;
    xl_peer_expect(exchange->peer, seconds);
    return MHD_YES;
}

enum MHD_Result xl_exchange_handle(void *server, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *upload,
                                   size_t *n_upload, void **context) {
    struct xl_exchange *exchange = *context;
    size_t n = *n_upload;
    (void)server, (void)connection, (void)url, (void)version;
    if (!exchange) return MHD_NO;
    switch (exchange->state) {
    case XL_EXCHANGE_BEGINS:
        return begin(exchange, method);
    case XL_EXCHANGE_RECEIVES:
    case XL_EXCHANGE_REFUSED:
        *n_upload = 0;
        if (n) return receive(exchange, upload, n);
        if (exchange->state == XL_EXCHANGE_RECEIVES && exchange->call.form)
            receive_form(exchange, NULL, 0);
        return exchange->state == XL_EXCHANGE_REFUSED ? xl_exchange_send(exchange) : run(exchange);
    case XL_EXCHANGE_WORKS:
        return MHD_YES;
    case XL_EXCHANGE_ENDS:
        break;
    }
    double seconds = 2 * XL_SERVER_IDLE_S + (double)exchange->reply.n / REPLY_RATE;
    enum xl_reply_kind kind = exchange->reply.kind;
    bool is_open = kind == XL_REPLY_EVENTS || kind == XL_REPLY_STREAM;
    xl_peer_expect(exchange->peer, is_open ? 0 : seconds);
    return xl_exchange_send(exchange);
}
