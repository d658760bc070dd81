/* events.c - a ring of texts, and clients that each have a place in it. One mutex; a client's
 * connection is put aside while it has nothing to get, under that mutex, so that nobody who pushes
 * can miss it. */
#include "http/events.h"

#include "base/clock.h"
#include "http/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct event {
    int64_t number;
    size_t n;
    char *text; /* as it is sent */
};

struct client {
    struct xl_events *events;
    struct MHD_Connection *connection;
    struct client *before, *next;
    int64_t last;         /* number that it has got */
    char *pending;        /* what it gets before all else; NULL: nothing */
    size_t n_pending, at; /* of pending, or of the event behind `last`: bytes that were sent */
    double sent_at;
    bool is_aside, wants_comment, is_over;
};

struct xl_events {
    pthread_mutex_t mutex;
    pthread_cond_t ending;
    pthread_t thread;
    struct event *ring;  /* [XL_EVENTS_RING], number % size */
    int64_t first, last; /* numbers that are in it; last < first: none */
    size_t bytes;
    struct client *clients;
    int n_clients;
    long long n_resets;
    bool is_over, is_joined;
    char epoch[17]; /* of this server: numbers of another one are not its */
};

/* --- The ring --------------------------------------------------------------------------------- */

static struct event *event_at(struct xl_events *events, int64_t number) {
    return &events->ring[number % XL_EVENTS_RING];
}

static void drop_first(struct xl_events *events) {
    struct event *event = event_at(events, events->first++);
    events->bytes -= event->n;
    free(event->text);
    event->text = NULL;
}

static void wake(struct client *client) {
    if (!client->is_aside) return;
    client->is_aside = false;
    MHD_resume_connection(client->connection);
}

static void wake_all(struct xl_events *events) {
    for (struct client *client = events->clients; client; client = client->next) wake(client);
}

static char *write_event(const struct xl_events *events, int64_t number, const char *name,
                         const char *data, size_t *n) {
    struct xl_str text = {0};
    if (number) xl_str_printf(&text, "id: %s-%lld\n", events->epoch, (long long)number);
    xl_str_printf(&text, "event: %s\ndata: ", name);
    for (; *data; data++) xl_str_append(&text, *data == '\n' || *data == '\r' ? " " : data, 1);
    xl_str_puts(&text, "\n\n");
    *n = text.len;
    return xl_str_take(&text);
}

int64_t xl_events_push(struct xl_events *events, const char *name, const char *data) {
    size_t n = 0;
    pthread_mutex_lock(&events->mutex);
    int64_t number = events->last + 1;
    char *text = strlen(data) <= XL_EVENTS_EVENT_MAX ? write_event(events, number, name, data, &n)
                                                     : NULL;
    if (!text) /* a hole: nobody may go on as if nothing had been there */
        while (events->first <= events->last) drop_first(events);
    while (
        text && events->first <= events->last &&
        (events->last - events->first + 1 >= XL_EVENTS_RING || events->bytes + n > XL_EVENTS_BYTES))
        drop_first(events);
    events->last = number;
    if (text) {
        *event_at(events, number) = (struct event){number, n, text};
        events->bytes += n;
    } else {
        events->first = number + 1;
    }
    wake_all(events);
    pthread_mutex_unlock(&events->mutex);
    return number;
}

/* --- Clients ---------------------------------------------------------------------------------- */

static void set_pending(struct client *client, char *text, size_t n) {
    free(client->pending);
    client->pending = text;
    client->n_pending = text ? n : 0;
    client->at = 0;
}

/* What it has missed it cannot be told any more. In the middle of an event it first gets the end of
 * a line, so that the rest is no part of it. */
static void reset(struct client *client) {
    struct xl_events *events = client->events;
    static const char broken[] = "\n\n";
    size_t n, before = client->at ? sizeof broken - 1 : 0;
    char *text = write_event(events, events->last ? events->last : 0, "reset", "{}", &n);
    char *all = text ? malloc(before + n) : NULL;
    if (all) {
        memcpy(all, broken, before);
        memcpy(all + before, text, n);
    }
    free(text);
    set_pending(client, all, before + n);
    client->is_over = !all;
    client->last = events->last;
    events->n_resets++;
}

/* Copy what the client has to get, at most size bytes. */
static size_t take(struct client *client, char *out, size_t size) {
    struct xl_events *events = client->events;
    size_t used = 0;
    if (!client->pending && client->last < events->last && client->last + 1 < events->first)
        reset(client);
    while (used < size) {
        bool is_pending = client->pending != NULL;
        if (!is_pending && client->last >= events->last) break;
        const struct event *event = is_pending ? NULL : event_at(events, client->last + 1);
        const char *text = is_pending ? client->pending : event->text;
        size_t n = is_pending ? client->n_pending : event->n, left = n - client->at;
        size_t some = left < size - used ? left : size - used;
        memcpy(out + used, text + client->at, some);
        used += some;
        client->at += some;
        if (client->at < n) break;
        client->at = 0;
        if (is_pending)
            set_pending(client, NULL, 0);
        else
            client->last++;
    }
    return used;
}

static ssize_t read_events(void *user, uint64_t at, char *out, size_t size) {
    struct client *client = user;
    struct xl_events *events = client->events;
    (void)at;
    pthread_mutex_lock(&events->mutex);
    size_t n = take(client, out, size);
    if (!n && client->wants_comment && size > 2) {
        memcpy(out, ":\n\n", 3);
        n = 3;
    }
    client->wants_comment = false;
    if (n) client->sent_at = xl_now_s();
    bool is_over = !n && (events->is_over || client->is_over);
    if (!n && !is_over) {
        client->is_aside = true;
        MHD_suspend_connection(client->connection);
    }
    pthread_mutex_unlock(&events->mutex);
    return is_over ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

static void forget(void *user) {
    struct client *client = user;
    struct xl_events *events = client->events;
    pthread_mutex_lock(&events->mutex);
    if (client->next) client->next->before = client->before;
    if (client->before)
        client->before->next = client->next;
    else
        events->clients = client->next;
    events->n_clients--;
    pthread_mutex_unlock(&events->mutex);
    free(client->pending);
    free(client);
}

/* Where a client goes on that names the last event that it has seen; -1: nobody knows. */
static int64_t place_of(const struct xl_events *events, const char *id) {
    char *end;
    size_t n = strlen(events->epoch);
    if (strncmp(id, events->epoch, n) != 0 || id[n] != '-') return -1;
    long long number = strtoll(id + n + 1, &end, 10);
    if (*end || end == id + n + 1 || number < 0 || number > events->last) return -1;
    return number + 1 >= events->first ? number : -1;
}

/* The last event that a client has seen: a browser's stream sends it as a header when it goes on by
 * itself, another one of the same page says it as a parameter. NULL: it has seen none. */
static const char *last_id_of(const struct xl_call *call) {
    const char *header = call->headers.last_event_id;
    const char *id = header && header[0] ? header : xl_call_text(call, "after");
    return id && id[0] ? id : NULL;
}

static struct client *add_client(struct xl_events *events, const char *last_id,
                                 const struct xl_reply *reply) {
    struct client *client = calloc(1, sizeof *client);
    if (!client) return NULL;
    client->events = events;
    client->sent_at = xl_now_s();
    client->last = events->last;
    if (last_id) {
        client->last = place_of(events, last_id);
        if (client->last < 0) reset(client);
    } else {
        /* From where the state was asked for: what came since may be in it, and comes again. */
        const char *state = reply->text ? reply->text : "{}";
        size_t n = 0;
        char *first = write_event(events, reply->offset, "state", state, &n);
        client->last = reply->offset;
        set_pending(client, first, n);
        client->is_over = !first;
    }
    client->next = events->clients;
    if (client->next) client->next->before = client;
    events->clients = client;
    events->n_clients++;
    return client;
}

struct MHD_Response *xl_events_response(struct xl_events *events, struct xl_exchange *exchange) {
    enum { BLOCK = 8192 };
    pthread_mutex_lock(&events->mutex);
    bool fits = events->n_clients < XL_EVENTS_CLIENTS && !events->is_over;
    struct client *client = fits ? add_client(events, last_id_of(&exchange->call), &exchange->reply)
                                 : NULL;
    if (client) client->connection = exchange->connection;
    pthread_mutex_unlock(&events->mutex);
    free(exchange->reply.text);
    exchange->reply.text = NULL;
    if (!client) return NULL;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_events, client, forget);
    if (!response) forget(client);
    return response;
}

enum xl_status xl_reply_events(struct xl_call *call, struct xl_reply *reply,
                               struct xl_events *events, xl_events_state_fn *state, void *user,
                               struct xl_err *err) {
    struct xl_events_count count = xl_events_count(events);
    if (count.n_clients >= XL_EVENTS_CLIENTS || count.is_over)
        return xl_reply_refuse(reply, 503, err, "%d clients follow the events already",
                               count.n_clients);
    reply->offset = count.n_events;
    reply->text = state && !last_id_of(call) ? state(user) : NULL;
    reply->kind = XL_REPLY_EVENTS;
    reply->events = events;
    reply->type = "text/event-stream";
    xl_reply_header(reply, "Cache-Control", "no-store");
    xl_reply_header(reply, "X-Accel-Buffering", "no");
    return XL_OK;
}

struct xl_events_count xl_events_count(struct xl_events *events) {
    pthread_mutex_lock(&events->mutex);
    struct xl_events_count count = {events->n_clients, events->last, events->n_resets,
                                    events->is_over};
    pthread_mutex_unlock(&events->mutex);
    return count;
}

/* --- Beginning and end ------------------------------------------------------------------------ */

/* Comments for those that have heard nothing for long. */
static void *keep_open(void *user) {
    struct xl_events *events = user;
    pthread_mutex_lock(&events->mutex);
    while (!events->is_over) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&events->ending, &events->mutex, &until);
        double now = xl_now_s();
        for (struct client *client = events->clients; client; client = client->next) {
            if (now - client->sent_at < XL_EVENTS_COMMENT_S) continue;
            client->wants_comment = true;
            wake(client);
        }
    }
    pthread_mutex_unlock(&events->mutex);
    return NULL;
}

enum xl_status xl_events_new(struct xl_events **out, struct xl_err *err) {
    pthread_condattr_t attributes;
    struct xl_events *events = calloc(1, sizeof *events);
    if (events) events->ring = calloc(XL_EVENTS_RING, sizeof *events->ring);
    if (!events || !events->ring) {
        free(events);
        return xl_fail_nomem(err, "events", 0);
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(events->epoch, sizeof events->epoch, "%llx",
             (unsigned long long)now.tv_sec << 20 | (unsigned long long)now.tv_nsec >> 10);
    events->first = 1;
    pthread_mutex_init(&events->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&events->ending, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&events->thread, NULL, keep_open, events)) {
        free(events->ring);
        free(events);
        return xl_fail_nomem(err, "a thread of the server", 0);
    }
    *out = events;
    return XL_OK;
}

void xl_events_stop(struct xl_events *events) {
    pthread_mutex_lock(&events->mutex);
    events->is_over = true;
    pthread_cond_signal(&events->ending);
    wake_all(events);
    pthread_mutex_unlock(&events->mutex);
    if (!events->is_joined) pthread_join(events->thread, NULL);
    events->is_joined = true;
}

void xl_events_free(struct xl_events *events) {
    if (!events) return;
    xl_events_stop(events);
    while (events->first <= events->last) drop_first(events);
    pthread_cond_destroy(&events->ending);
    pthread_mutex_destroy(&events->mutex);
    free(events->ring);
    free(events);
}
