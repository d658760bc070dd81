/* stream.c - bytes that wait for a connection, which is put aside while there are none, under the
 * stream's mutex, so that nobody who writes can miss it. Held by the writer, by the reply until its
 * request ends, and by libmicrohttpd's response. */
#include "http/stream.h"

#include "base/clock.h"
#include "http/events.h"
#include "http/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct xl_stream {
    pthread_mutex_t mutex;
    int n_holders;
    struct xl_str text;
    size_t at; /* bytes of text that were sent */
    struct MHD_Connection *connection;
    struct xl_peer *peer; /* NULL: the request has ended */
    double sent_at;
    bool is_aside, is_over;
};

enum { END_S = 60, RATE = 8 << 10 /* bytes a second that the rest has to be taken with */ };

static void let_go(struct xl_stream *stream) {
    pthread_mutex_lock(&stream->mutex);
    bool is_last = --stream->n_holders == 0;
    pthread_mutex_unlock(&stream->mutex);
    if (!is_last) return;
    pthread_mutex_destroy(&stream->mutex);
    xl_str_deinit(&stream->text);
    free(stream);
}

/* With the mutex. */
static void wake(struct xl_stream *stream) {
    if (!stream->is_aside || !stream->connection) return;
    stream->is_aside = false;
    MHD_resume_connection(stream->connection);
}

/* --- The reader ------------------------------------------------------------------------------- */

static ssize_t read_stream(void *user, uint64_t at, char *out, size_t size) {
    struct xl_stream *stream = user;
    (void)at;
    pthread_mutex_lock(&stream->mutex);
    size_t left = stream->text.len - stream->at, n = left < size ? left : size;
    bool is_broken = stream->text.failed, is_end = !n && stream->is_over;
    if (n) {
        memcpy(out, stream->text.text + stream->at, n);
        stream->sent_at = xl_now_s();
    }
    stream->at += n;
    if (stream->at == stream->text.len && !is_broken) {
        xl_str_deinit(&stream->text);
        stream->at = 0;
    }
    if (!n && !is_end && !is_broken) {
        stream->is_aside = true;
        MHD_suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&stream->mutex);
    if (is_broken) return MHD_CONTENT_READER_END_WITH_ERROR;
    return is_end ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

static void forget(void *user) {
    let_go(user);
}

struct MHD_Response *xl_stream_response(struct xl_stream *stream, struct xl_exchange *exchange) {
    enum { BLOCK = 32 << 10 };
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, stream, forget);
    if (!response) return NULL;
    pthread_mutex_lock(&stream->mutex);
    stream->n_holders++;
    stream->connection = exchange->connection;
    pthread_mutex_unlock(&stream->mutex);
    return response;
}

void xl_stream_leave(struct xl_stream *stream) {
    pthread_mutex_lock(&stream->mutex);
    stream->connection = NULL;
    stream->peer = NULL;
    pthread_mutex_unlock(&stream->mutex);
    let_go(stream);
}

/* --- The writer ------------------------------------------------------------------------------- */

enum xl_status xl_reply_stream(struct xl_call *call, struct xl_reply *reply, struct xl_stream **out,
                               struct xl_err *err) {
    struct xl_exchange *exchange = (struct xl_exchange *)(void *)call; /* its first member */
    struct xl_stream *stream = calloc(1, sizeof *stream);
    if (!stream) return xl_fail_nomem(err, "a stream", sizeof *stream);
    pthread_mutex_init(&stream->mutex, NULL);
    stream->n_holders = 2;
    stream->peer = exchange->peer;
    stream->sent_at = xl_now_s();
    reply->kind = XL_REPLY_STREAM;
    reply->stream = stream;
    reply->type = "text/event-stream";
    xl_reply_header(reply, "Cache-Control", "no-store");
    xl_reply_header(reply, "X-Accel-Buffering", "no");
    *out = stream;
    return XL_OK;
}

void xl_stream_event(struct xl_stream *stream, const char *name, const char *data) {
    pthread_mutex_lock(&stream->mutex);
    if (stream->peer) {
        xl_str_printf(&stream->text, "event: %s\ndata: ", name);
        xl_str_puts(&stream->text, data);
        xl_str_puts(&stream->text, "\n\n");
        wake(stream);
    }
    pthread_mutex_unlock(&stream->mutex);
}

bool xl_stream_is_gone(struct xl_stream *stream) {
    char byte;
    pthread_mutex_lock(&stream->mutex);
    bool is_gone = !stream->peer || stream->text.failed ||
                   !recv(stream->peer->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (!is_gone && xl_now_s() - stream->sent_at > XL_EVENTS_COMMENT_S && !stream->text.len) {
        xl_str_puts(&stream->text, ":\n\n");
        wake(stream);
    }
    pthread_mutex_unlock(&stream->mutex);
    return is_gone;
}

void xl_stream_end(struct xl_stream *stream) {
    pthread_mutex_lock(&stream->mutex);
    stream->is_over = true;
    if (stream->peer)
        xl_peer_expect(stream->peer, END_S + (double)(stream->text.len - stream->at) / RATE);
    wake(stream);
    pthread_mutex_unlock(&stream->mutex);
    let_go(stream);
}
