/* send.c - a reply as a response of libmicrohttpd, with the headers that every answer has. */
#include "http/exchange.h"

#include <string.h>

/* What a page of ours may do: load from here and nowhere else. */
#define POLICY                                                                                     \
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "            \
    "script-src 'self'; style-src 'self'; connect-src 'self'; manifest-src 'self'; "               \
    "img-src 'self' blob:; require-trusted-types-for 'script'; trusted-types 'none'"

static const char *const every[][2] = {
    {"Content-Security-Policy", POLICY},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Embedder-Policy", "require-corp"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

static struct MHD_Response *response_of(struct xl_exchange *exchange) {
    struct xl_reply *reply = &exchange->reply;
    struct MHD_Response *response = NULL;
    switch (reply->kind) {
    case XL_REPLY_EMPTY:
        return MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    case XL_REPLY_KEPT:
        return MHD_create_response_from_buffer(reply->n, (void *)(uintptr_t)reply->kept,
                                               MHD_RESPMEM_PERSISTENT);
    case XL_REPLY_TEXT:
        response = MHD_create_response_from_buffer(reply->n, reply->text, MHD_RESPMEM_MUST_FREE);
        if (response) reply->text = NULL;
        break;
    case XL_REPLY_FILE:
        response =
            MHD_create_response_from_fd_at_offset64(reply->n, reply->fd, (uint64_t)reply->offset);
        if (response) reply->fd = -1;
        break;
    case XL_REPLY_EVENTS:
        return xl_events_response(reply->events, exchange);
    case XL_REPLY_STREAM:
        return xl_stream_response(reply->stream, exchange);
    }
    return response;
}

static bool add_headers(struct MHD_Response *response, const struct xl_reply *reply) {
    bool ok = true, has_cache = false;
    for (size_t i = 0; i < sizeof every / sizeof *every; i++)
        ok = ok && MHD_add_response_header(response, every[i][0], every[i][1]);
    if (reply->kind != XL_REPLY_EMPTY)
        ok = ok && MHD_add_response_header(response, "Content-Type",
                                           reply->type ? reply->type : "application/json");
    for (int i = 0; i < reply->n_headers; i++) {
        ok = ok &&
             MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
        has_cache = has_cache || !strcmp(reply->headers[i].name, "Cache-Control");
    }
    return ok && (has_cache || MHD_add_response_header(response, "Cache-Control", "no-store"));
}

enum MHD_Result xl_exchange_send(struct xl_exchange *exchange) {
    struct xl_reply *reply = &exchange->reply;
    struct MHD_Response *response = response_of(exchange);
    if (!reply->code) reply->code = 200;
    exchange->state = XL_EXCHANGE_ENDS;
    if (!response) return MHD_NO;
    bool ok = add_headers(response, reply);
    if (atomic_load(&exchange->server->is_stopping))
        ok = ok && MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result =
        ok ? MHD_queue_response(exchange->connection, (unsigned)reply->code, response) : MHD_NO;
    MHD_destroy_response(response);
    return result;
}
