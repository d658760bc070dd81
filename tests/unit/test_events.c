/* test_events.c - streams of events: numbers, replay, reset, who is slow, and five hundred clients.
 */
#include "http/client.h"
#include "http/events.h"
#include "http/server.h"

#include <criterion/criterion.h>
#include <sys/resource.h>
#include <time.h>

static struct xl_events *events;
static struct xl_server *server;

static char *state(void *user) {
    (void)user;
    return strdup("{\"jobs\":[]}");
}

static enum xl_status get_events(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    return xl_reply_events(call, reply, events, state, NULL, err);
}

static const struct xl_route rows[] = {
    {.method = "GET", .pattern = "/events", .run = get_events},
};

static void set_up(void) {
    const struct xl_route_table table = {.rows = rows, .n = 1, .prefix = "/"};
    const struct xl_server_params params = {.bind = "127.0.0.1", .tables = &table, .n_tables = 1};
    cr_assert_eq(xl_events_new(&events, NULL), XL_OK);
    cr_assert_eq(xl_server_start(&params, &server, NULL), XL_OK);
}

static void tear_down(void) {
    xl_events_stop(events);
    xl_server_stop(server);
    xl_events_free(events);
}

static int follow(const char *last_id) {
    char text[300];
    int fd = client_open(xl_server_port(server));
    struct timeval limit = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    snprintf(text, sizeof text, "GET /events HTTP/1.1\r\nHost: localhost\r\n%s%s%s\r\n",
             last_id ? "Last-Event-ID: " : "", last_id ? last_id : "", last_id ? "\r\n" : "");
    client_send(fd, text);
    return fd;
}

/* Read until `wanted` has come; what came is in out. */
static bool read_until(int fd, const char *wanted, char *out, size_t size) {
    size_t n = 0;
    while (n + 1 < size) {
        ssize_t some = recv(fd, out + n, size - n - 1, 0);
        if (some <= 0) return false;
        n += (size_t)some;
        out[n] = 0;
        if (strstr(out, wanted)) return true;
    }
    return false;
}

/* The id of the last event in a text. */
static void last_id(const char *text, char out[64]) {
    const char *at = text, *found = NULL;
    while ((at = strstr(at, "\nid: "))) found = ++at;
    cr_assert_not_null(found);
    snprintf(out, 64, "%.*s", (int)strcspn(found + 4, "\n"), found + 4);
}

Test(events, numbers_and_replay, .init = set_up, .fini = tear_down) {
    char text[16384], id[64];
    int fd = follow(NULL);
    cr_assert(read_until(fd, "{\"jobs\":[]}", text, sizeof text));
    cr_expect(strstr(text, "text/event-stream") && strstr(text, "X-Accel-Buffering: no"));
    cr_expect(strstr(text, "event: state\n"));
    xl_events_push(events, "job", "{\"n\":1}");
    xl_events_push(events, "job", "{\"n\":2}\nid: 7");
    cr_assert(read_until(fd, "{\"n\":2}", text, sizeof text));
    cr_expect(strstr(text, "event: job\ndata: {\"n\":1}\n\n"));
    cr_expect(!strstr(text, "\nid: 7"), "a line end in the data makes no line");
    last_id(text, id);
    close(fd);
    xl_events_push(events, "job", "{\"n\":3}");
    fd = follow(id);
    cr_assert(read_until(fd, "{\"n\":3}", text, sizeof text));
    cr_expect(!strstr(text, "{\"n\":2}") && !strstr(text, "event: state") &&
              !strstr(text, "event: reset"));
    close(fd);
}

Test(events, reset, .init = set_up, .fini = tear_down) {
    static const char *const ids[] = {"1", "x-1", "-", "99999999999999999999999", "abc-", " "};
    char text[16384], id[64];
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        int fd = follow(ids[i]);
        bool is_none = ids[i][0] == ' '; /* empty: as if it had not been there */
        cr_expect(read_until(fd, is_none ? "event: state" : "event: reset", text, sizeof text),
                  "%s", ids[i]);
        close(fd);
    }
    int fd = follow(NULL);
    cr_assert(read_until(fd, "event: state", text, sizeof text));
    xl_events_push(events, "job", "{}");
    cr_assert(read_until(fd, "event: job", text, sizeof text));
    last_id(text, id);
    close(fd);
    for (int i = 0; i < XL_EVENTS_RING + 10; i++) xl_events_push(events, "job", "{}");
    fd = follow(id);
    cr_expect(read_until(fd, "event: reset", text, sizeof text), "the ring has gone on");
    close(fd);
}

Test(events, too_large_a_one, .init = set_up, .fini = tear_down) {
    char text[16384], *large = malloc(XL_EVENTS_EVENT_MAX + 2);
    memset(large, 'x', XL_EVENTS_EVENT_MAX + 1);
    large[XL_EVENTS_EVENT_MAX + 1] = 0;
    int fd = follow(NULL);
    cr_assert(read_until(fd, "event: state", text, sizeof text));
    xl_events_push(events, "job", large);
    cr_expect(read_until(fd, "event: reset", text, sizeof text));
    free(large);
    close(fd);
}

/* One that does not read is overtaken; the others get everything. */
Test(events, who_is_slow, .init = set_up, .fini = tear_down) {
    enum { N = 3000 };
    char text[16384], data[2048];
    int slow = follow(NULL), quick = follow(NULL);
    cr_assert(read_until(quick, "event: state", text, sizeof text));
    memset(data, 'y', sizeof data);
    data[sizeof data - 1] = 0;
    int n_seen = 0;
    for (int i = 0; i < 4 * N; i++) {
        xl_events_push(events, "job", data);
        if (i % 8 == 7) {
            int n = 0;
            while (n < 8 && recv(quick, text, sizeof text - 1, MSG_DONTWAIT) > 0) n++, n_seen++;
        }
    }
    xl_events_push(events, "job", "the end");
    cr_expect_gt(n_seen, 0);
    bool has_reset = false, has_end = false;
    for (ssize_t n; !has_end && (n = recv(slow, text, sizeof text - 1, 0)) > 0;) {
        text[n] = 0;
        has_reset = has_reset || strstr(text, "event: reset");
        has_end = strstr(text, "the end") || has_reset;
    }
    cr_expect(has_reset, "it was told that it has missed something");
    cr_expect_gt(xl_events_count(events).n_resets, 0);
    close(slow);
    close(quick);
}

Test(events, five_hundred, .init = set_up, .fini = tear_down) {
    enum { CLIENTS = 500 };
    static int fds[CLIENTS];
    char text[16384];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = follow(NULL);
        cr_assert(read_until(fds[i], "event: state", text, sizeof text));
    }
    cr_expect_eq(xl_events_count(events).n_clients, CLIENTS);
    for (int i = 0; i < 100; i++) xl_events_push(events, "progress", "{\"step\":1}");
    xl_events_push(events, "job", "the end");
    for (int i = 0; i < CLIENTS; i++) {
        cr_expect(read_until(fds[i], "the end", text, sizeof text), "client %d", i);
        close(fds[i]);
    }
    for (int i = 0; i < 200 && xl_events_count(events).n_clients; i++) {
        xl_events_push(events, "progress", "{}"); /* who is gone shows when it is written to */
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    cr_expect_eq(xl_events_count(events).n_clients, 0);
}
