/* threads_server.c - a server under load from many clients at once: quick and slow calls, streams
 * of events that come and go while others push, and a stop in the middle of it. */
#include "http/client.h"
#include "http/events.h"
#include "http/later.h"
#include "http/server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { CLIENTS = 6, CALLS = 150, FOLLOWERS = 24, EVENTS = 600 };

static struct xl_events *events;
static int port;
static atomic_int n_answers, n_seen, n_bad;
static atomic_bool is_over;

static enum xl_status get_quick(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    (void)call, (void)err;
    xl_reply_kept(reply, "text/plain", "quick", 5);
    return XL_OK;
}

static enum xl_status get_slow(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    json_t *object = json_object();
    json_object_set_new(object, "path", json_string(call->path));
    return xl_reply_json(reply, 200, object, err);
}

/* Answers what get_later was asked, on a thread of its own. */
static void *answer(void *user) {
    struct xl_later *later = user;
    nanosleep(&(struct timespec){.tv_nsec = rand() % 2 ? 100000 : 0}, NULL);
    if (xl_later_is_gone(later)) atomic_fetch_add(&n_bad, 1);
    xl_reply_kept(xl_later_reply(later), "text/plain", "later", 5);
    xl_later_send(later, XL_OK, NULL);
    return NULL;
}

static enum xl_status get_later(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    pthread_t thread;
    struct xl_later *later = xl_reply_later(call);
    (void)reply, (void)err;
    pthread_create(&thread, NULL, answer, later);
    pthread_detach(thread);
    return XL_OK;
}

static struct xl_later *never;

static enum xl_status get_never(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    (void)reply, (void)err;
    never = xl_reply_later(call);
    return XL_OK;
}

static char *state(void *user) {
    (void)user;
    return strdup("{\"here\":true}");
}

static enum xl_status get_events(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    return xl_reply_events(call, reply, events, state, NULL, err);
}

static const struct xl_route rows[] = {
    {.method = "GET", .pattern = "/quick", .run = get_quick},
    {.method = "GET", .pattern = "/slow", .run = get_slow, .flags = XL_ROUTE_SLOW},
    {.method = "GET", .pattern = "/later", .run = get_later, .flags = XL_ROUTE_SLOW},
    {.method = "GET", .pattern = "/never", .run = get_never, .flags = XL_ROUTE_SLOW},
    {.method = "GET", .pattern = "/events", .run = get_events, .flags = XL_ROUTE_SLOW},
};

static void *ask(void *user) {
    static const char *const paths[] = {"/quick", "/slow", "/nothing", "/quick?x=1", "/later"};
    static const int codes[] = {200, 200, 404, 422, 200};
    char buffer[4096];
    size_t n;
    int fd = client_open(port);
    for (int i = 0; i < CALLS; i++) {
        int which = (i + (int)(intptr_t)user) % 5;
        client_ask(fd, paths[which]);
        int code = client_answer(fd, buffer, sizeof buffer, &n);
        atomic_fetch_add(code == codes[which] ? &n_answers : &n_bad, 1);
        if (code < 0 || i % 50 == 49) {
            close(fd);
            fd = client_open(port);
        }
    }
    close(fd);
    return NULL;
}

/* Follows the events to the end or, every other one, only for a while. */
static void *follow(void *user) {
    bool to_the_end = (intptr_t)user % 2;
    char buffer[8192], last[64] = "";
    int fd = client_open(port), n_lines = 0;
    client_ask(fd, "/events");
    for (ssize_t n; (n = recv(fd, buffer, sizeof buffer - 1, 0)) > 0;) {
        buffer[n] = 0;
        for (char *at = buffer; (at = strstr(at, "event: ")); at++) n_lines++;
        if (!to_the_end && n_lines > 20) break;
        if (strstr(buffer, "\"last\"")) {
            snprintf(last, sizeof last, "seen");
            break;
        }
    }
    if (to_the_end) atomic_fetch_add(last[0] ? &n_seen : &n_bad, 1);
    close(fd);
    return NULL;
}

static void *push(void *user) {
    char text[64];
    (void)user;
    for (int i = 0; i < EVENTS; i++) {
        snprintf(text, sizeof text, "{\"step\":%d}", i);
        xl_events_push(events, "progress", text);
        if (i % 20 == 0) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    while (!atomic_load(&is_over)) { /* those that came late get it, too */
        xl_events_push(events, "job", "{\"last\":true}");
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return NULL;
}

int main(void) {
    pthread_t clients[CLIENTS], followers[FOLLOWERS], pusher;
    struct xl_server *server = NULL;
    struct xl_err err = {0};
    const struct xl_route_table table = {
        .rows = rows, .n = sizeof rows / sizeof *rows, .prefix = "/"};
    const struct xl_server_params params = {
        .bind = "127.0.0.1", .tables = &table, .n_tables = 1, .threads = 3, .slow_threads = 3};
    enum xl_status status = xl_events_new(&events, &err);
    if (!status) status = xl_server_start(&params, &server, &err);
    if (status) return fprintf(stderr, "%s\n", err.text), 1;
    port = xl_server_port(server);
    for (intptr_t i = 0; i < FOLLOWERS; i++) pthread_create(&followers[i], NULL, follow, (void *)i);
    for (intptr_t i = 0; i < CLIENTS; i++) pthread_create(&clients[i], NULL, ask, (void *)i);
    pthread_create(&pusher, NULL, push, NULL);
    for (int i = 0; i < CLIENTS; i++) pthread_join(clients[i], NULL);
    for (int i = 0; i < FOLLOWERS; i++) pthread_join(followers[i], NULL);
    /* The end comes while somebody follows and nobody reads. */
    char buffer[4096];
    size_t n;
    int idle = client_open(port), deaf = client_open(port), waiting = client_open(port);
    client_ask(waiting, "/never");
    client_ask(deaf, "/events");
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    atomic_store(&is_over, true);
    pthread_join(pusher, NULL);
    xl_events_stop(events);
    xl_server_stop(server);
    bool is_refused = client_answer(waiting, buffer, sizeof buffer, &n) == 503;
    xl_later_send(never, XL_OK, NULL); /* too late, and harmless */
    xl_events_free(events);
    close(waiting);
    close(idle);
    close(deaf);
    int passed = (n_answers == CLIENTS * CALLS) + (n_seen == FOLLOWERS / 2) + (n_bad == 0) +
                 is_refused;
    if (passed < 4)
        printf("FAIL %d answers of %d, %d of %d saw the last event, %d bad\n", n_answers,
               CLIENTS * CALLS, n_seen, FOLLOWERS / 2, n_bad);
    printf("%d passed, %d failed\n", passed, 4 - passed);
    return passed < 4;
}
