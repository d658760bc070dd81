/* later.c - a list of calls that wait, under the server's mutex. An exchange is resumed by the last
 * of those who hold it: the slow thread that began it, and the `later`. */
#include "http/later.h"

#include "http/exchange.h"

#include <stdlib.h>
#include <sys/socket.h>

struct xl_later {
    struct xl_server *server;
    struct xl_exchange *exchange; /* NULL: it was answered in its place */
    struct xl_reply reply;
    struct xl_later *before, *next;
};

struct xl_later *xl_reply_later(struct xl_call *call) {
    struct xl_exchange *exchange = (struct xl_exchange *)(void *)call; /* its first member */
    struct xl_server *server = exchange->server;
    struct xl_later *later = calloc(1, sizeof *later);
    if (!later) return NULL;
    later->server = server;
    later->exchange = exchange;
    later->reply.fd = -1;
    exchange->is_later = true;
    atomic_fetch_add(&exchange->n_holders, 1);
    pthread_mutex_lock(&server->later_mutex);
    later->next = server->laters;
    if (later->next) later->next->before = later;
    server->laters = later;
    pthread_mutex_unlock(&server->later_mutex);
    return later;
}

struct xl_reply *xl_later_reply(struct xl_later *later) {
    return &later->reply;
}

bool xl_later_is_gone(struct xl_later *later) {
    char byte;
    pthread_mutex_lock(&later->server->later_mutex);
    const struct xl_peer *peer = later->exchange ? later->exchange->peer : NULL;
    bool is_gone = !peer || !recv(peer->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    pthread_mutex_unlock(&later->server->later_mutex);
    return is_gone;
}

/* With the mutex: its exchange, which is the caller's now. */
static struct xl_exchange *take(struct xl_later *later) {
    struct xl_exchange *exchange = later->exchange;
    if (!exchange) return NULL;
    later->exchange = NULL;
    if (later->next) later->next->before = later->before;
    if (later->before)
        later->before->next = later->next;
    else
        later->server->laters = later->next;
    return exchange;
}

void xl_later_send(struct xl_later *later, enum xl_status status, const struct xl_err *err) {
    pthread_mutex_lock(&later->server->later_mutex);
    struct xl_exchange *exchange = take(later);
    pthread_mutex_unlock(&later->server->later_mutex);
    if (exchange) {
        exchange->reply = later->reply;
        int code = exchange->reply.code >= 400 ? exchange->reply.code : xl_status_code(status);
        if (status)
            xl_exchange_refuse(exchange, code, status,
                               err && err->text[0] ? err->text : xl_status_text(status));
        xl_exchange_release(exchange);
    } else {
        xl_reply_deinit(&later->reply);
    }
    free(later);
}

void xl_laters_refuse(struct xl_server *server) {
    pthread_mutex_lock(&server->later_mutex);
    while (server->laters) {
        struct xl_exchange *exchange = take(server->laters);
        xl_exchange_refuse(exchange, 503, XL_ECANCELLED, "the server is stopping");
        xl_exchange_release(exchange);
    }
    pthread_mutex_unlock(&server->later_mutex);
}
