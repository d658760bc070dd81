/* events.h - a stream of events that many clients follow (server-sent events, text/event-stream).
 *
 * Whoever has news pushes texts; they go into a ring and get numbers. A client gets what is in the
 * ring behind the number that it names (Last-Event-ID, or a parameter "after"), then what comes.
 * One that is so slow that the ring has overtaken it, or that names a number of another server,
 * gets an event "reset" and goes on from there: it asks for everything anew. Nobody waits for a
 * client. A silent stream gets a comment every fifteen seconds, so that proxies keep it open.
 */
#ifndef XL_HTTP_EVENTS_H
#define XL_HTTP_EVENTS_H

#include "http/reply.h"

enum {
    XL_EVENTS_RING = 4096,          /* events that are kept */
    XL_EVENTS_BYTES = 8 << 20,      /* and of how many bytes at most */
    XL_EVENTS_EVENT_MAX = 64 << 10, /* bytes of one */
    XL_EVENTS_CLIENTS = 1024,       /* at most; more: 503 */
    XL_EVENTS_COMMENT_S = 15,
};

struct xl_events; /* opaque; any thread */

/* Errors: XL_ENOMEM, also for a thread */
enum xl_status xl_events_new(struct xl_events **out, struct xl_err *err) XL_CHECKED;
/* End all streams. */
void xl_events_stop(struct xl_events *events);
/* After the server's end. NULL is fine. */
void xl_events_free(struct xl_events *events);

/* Push an event. name: its type ("job"), a word; data: text without line ends (JSON). Both are
 * copied. It is dropped where it is larger than may be, or memory is out, and clients are told
 * "reset". The number that it has: 1, 2, ... */
int64_t xl_events_push(struct xl_events *events, const char *name, const char *data);

/* What a new client gets first, before what is pushed: the data of an event "state", malloc'd, made
 * on the thread of the handler. NULL: none. */
typedef char *xl_events_state_fn(void *user);

/* Make the reply a stream. state may be NULL. Errors: XL_EINVAL too many clients (503), or the
 * server is stopping */
enum xl_status xl_reply_events(struct xl_call *call, struct xl_reply *reply,
                               struct xl_events *events, xl_events_state_fn *state, void *user,
                               struct xl_err *err) XL_CHECKED;

struct xl_events_count {
    int n_clients;
    long long n_events, n_resets;
    bool is_over;
};
struct xl_events_count xl_events_count(struct xl_events *events);

#endif
