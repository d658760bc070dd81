/* bench_serve.c - what the server bears: small calls a second, bytes of pictures a second, events
 * to five hundred clients, and how long others wait while five hundred clients dawdle.
 *
 * Server and clients share this process and the cores that it may run on; so the figures are those
 * of a machine that does both. `taskset -c 0,1 bench_serve` is one pair of cores. Prints a table.
 */
#include "base/clock.h"
#include "http/client.h"
#include "http/events.h"
#include "http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

enum {
    SMALL_CONNECTIONS = 64,
    FILE_CONNECTIONS = 4,
    FILE_BYTES = 4 << 20,
    FOLLOWERS = 500,
    EVENTS = 1000,
    DAWDLERS = 500,
    CALLS = 4000,
};
static const double small_s = 4, file_s = 4;

static struct xl_events *events;
static int port, picture = -1;

/* --- Routes ----------------------------------------------------------------------------------- */

static enum xl_status get_small(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    json_t *object = json_object();
    json_object_set_new(object, "path", json_string(call->path));
    json_object_set_new(object, "paused", json_false());
    json_object_set_new(object, "revision", json_integer(17));
    return xl_reply_json(reply, 200, object, err);
}

static enum xl_status get_file(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_reply_file file = {.fd = dup(picture), .type = "image/png"};
    return xl_reply_file(call, reply, &file, err);
}

static enum xl_status get_events(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    return xl_reply_events(call, reply, events, NULL, NULL, err);
}

static const struct xl_route rows[] = {
    {.method = "GET", .pattern = "/small", .run = get_small},
    {.method = "GET", .pattern = "/slow", .run = get_small, .flags = XL_ROUTE_SLOW},
    {.method = "GET", .pattern = "/file", .run = get_file, .flags = XL_ROUTE_SLOW},
    {.method = "GET", .pattern = "/events", .run = get_events},
};

static void tell(const char *what, double value, const char *unit) {
    printf("| %-58s | %12.1f %-8s |\n", what, value, unit);
    fflush(stdout);
}

/* --- Small calls ------------------------------------------------------------------------------ */

/* One thread, many connections that are used again, one call at a time on each. */
static double calls_a_second(const char *path) {
    static char text[200], buffer[8192];
    int poll = epoll_create1(0), fds[SMALL_CONNECTIONS];
    long long n = 0;
    int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    for (int i = 0; i < SMALL_CONNECTIONS; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        event.data.fd = fds[i] = client_open(port);
        epoll_ctl(poll, EPOLL_CTL_ADD, fds[i], &event);
        client_send(fds[i], text);
    }
    double start = xl_now_s(), now = start;
    while (now - start < small_s) {
        struct epoll_event ready[SMALL_CONNECTIONS];
        int n_ready = epoll_wait(poll, ready, SMALL_CONNECTIONS, 1000);
        for (int i = 0; i < n_ready; i++) {
            ssize_t got = recv(ready[i].data.fd, buffer, sizeof buffer - 1, 0);
            client_must(got > 12 && !memcmp(buffer + 9, "200", 3), "an answer");
            client_must(send(ready[i].data.fd, text, (size_t)length, MSG_NOSIGNAL) == length,
                        "send");
            n++;
        }
        now = xl_now_s();
    }
    for (int i = 0; i < SMALL_CONNECTIONS; i++) close(fds[i]);
    close(poll);
    return (double)n / (now - start);
}

/* --- Bytes ------------------------------------------------------------------------------------ */

static void *fetch(void *user) {
    static const size_t size = 1 << 20;
    double *bytes = user, end = xl_now_s() + file_s;
    char *buffer = malloc(size);
    int fd = client_open(port);
    size_t n;
    while (xl_now_s() < end) {
        client_ask(fd, "/file");
        client_must(client_answer(fd, buffer, size, &n) == 200, "a file");
        *bytes += (double)n;
    }
    close(fd);
    free(buffer);
    return NULL;
}

static double bytes_a_second(void) {
    pthread_t threads[FILE_CONNECTIONS];
    double bytes[FILE_CONNECTIONS] = {0}, sum = 0, start = xl_now_s();
    for (int i = 0; i < FILE_CONNECTIONS; i++) pthread_create(&threads[i], NULL, fetch, &bytes[i]);
    for (int i = 0; i < FILE_CONNECTIONS; i++) {
        pthread_join(threads[i], NULL);
        sum += bytes[i];
    }
    return sum / (xl_now_s() - start);
}

/* --- Events ----------------------------------------------------------------------------------- */

static atomic_int n_waiting;

/* Reads all followers' streams and counts those that have seen the end. */
static void *read_streams(void *user) {
    static char buffer[65536];
    int poll = *(int *)user;
    while (atomic_load(&n_waiting)) {
        struct epoll_event ready[64];
        int n = epoll_wait(poll, ready, 64, 1000);
        for (int i = 0; i < n; i++) {
            ssize_t got = recv(ready[i].data.fd, buffer, sizeof buffer - 1, 0);
            client_must(got > 0, "a stream");
            buffer[got] = 0;
            if (memmem(buffer, (size_t)got, "the end", 7)) atomic_fetch_sub(&n_waiting, 1);
        }
    }
    return NULL;
}

static void bench_events(void) {
    static int fds[FOLLOWERS];
    int poll = epoll_create1(0);
    pthread_t reader;
    for (int i = 0; i < FOLLOWERS; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        event.data.fd = fds[i] = client_open(port);
        client_ask(fds[i], "/events");
        epoll_ctl(poll, EPOLL_CTL_ADD, fds[i], &event);
    }
    while (xl_events_count(events).n_clients < FOLLOWERS)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    atomic_store(&n_waiting, FOLLOWERS);
    pthread_create(&reader, NULL, read_streams, &poll);
    double start = xl_now_s(), slowest = 0;
    for (int i = 0; i < EVENTS; i++) {
        double before = xl_now_s();
        xl_events_push(events, i + 1 < EVENTS ? "progress" : "job",
                       i + 1 < EVENTS
                           ? "{\"job\":\"20261130-1\",\"step\":12,\"steps\":30,\"rate\":1.9}"
                           : "\"the end\"");
        double took = xl_now_s() - before;
        if (took > slowest) slowest = took;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    pthread_join(reader, NULL);
    double seconds = xl_now_s() - start;
    tell("events to 500 clients, one a millisecond", FOLLOWERS * (double)EVENTS / seconds, "/s");
    tell("  the slowest push", 1e3 * slowest, "ms");
    for (int i = 0; i < FOLLOWERS; i++) close(fds[i]);
    close(poll);
}

/* --- Dawdlers --------------------------------------------------------------------------------- */

static atomic_bool is_over;

/* A byte of a header a second and connection. */
static void *dawdle(void *user) {
    int *fds = user;
    while (!atomic_load(&is_over)) {
        for (int i = 0; i < DAWDLERS; i++) (void)!send(fds[i], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    }
    return NULL;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure_calls(const char *what, const char *path) {
    static double seconds[CALLS];
    static char buffer[8192];
    char line[100];
    size_t n;
    int fd = client_open(port);
    for (int i = 0; i < CALLS; i++) {
        double start = xl_now_s();
        client_ask(fd, path);
        client_must(client_answer(fd, buffer, sizeof buffer, &n) == 200, "a call");
        seconds[i] = xl_now_s() - start;
    }
    close(fd);
    qsort(seconds, CALLS, sizeof *seconds, by_size);
    snprintf(line, sizeof line, "%s, p50", what);
    tell(line, 1e3 * seconds[CALLS / 2], "ms");
    snprintf(line, sizeof line, "%s, p99", what);
    tell(line, 1e3 * seconds[CALLS * 99 / 100], "ms");
}

static void bench_dawdlers(void) {
    static int fds[DAWDLERS];
    pthread_t thread;
    for (int i = 0; i < DAWDLERS; i++) {
        fds[i] = client_open(port);
        client_send(fds[i], "GET /small HTTP/1.1\r\nHost: localhost\r\nX: ");
    }
    pthread_create(&thread, NULL, dawdle, fds);
    measure_calls("a quick call beside 500 dawdlers", "/small");
    measure_calls("a slow call beside 500 dawdlers", "/slow");
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    for (int i = 0; i < DAWDLERS; i++) close(fds[i]);
}

/* --- All -------------------------------------------------------------------------------------- */

static double resident_mb(void) {
    long long whole = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%lld %lld", &whole, &pages) != 2) pages = 0;
    if (file) fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static void make_picture(void) {
    picture = memfd_create("picture", MFD_CLOEXEC);
    client_must(picture >= 0 && !ftruncate(picture, FILE_BYTES), "a file");
    char *bytes = mmap(NULL, FILE_BYTES, PROT_WRITE, MAP_SHARED, picture, 0);
    client_must(bytes != MAP_FAILED, "a file");
    for (size_t i = 0; i < FILE_BYTES; i++) bytes[i] = (char)(i * 2654435761u >> 24);
    munmap(bytes, FILE_BYTES);
}

int main(void) {
    struct xl_server *server = NULL;
    struct xl_err err = {0};
    struct rlimit limit;
    const struct xl_route_table table = {
        .rows = rows, .n = sizeof rows / sizeof *rows, .prefix = "/"};
    const struct xl_server_params params = {.bind = "127.0.0.1", .tables = &table, .n_tables = 1};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    make_picture();
    enum xl_status status = xl_events_new(&events, &err);
    if (!status) status = xl_server_start(&params, &server, &err);
    if (status) return fprintf(stderr, "%s\n", err.text), 1;
    port = xl_server_port(server);
    tell("small calls, JSON made for each, 64 connections", calls_a_second("/small"), "/s");
    tell("the same on slow threads", calls_a_second("/slow"), "/s");
    tell("pictures of 4 MiB, 4 connections", bytes_a_second() / 1e9, "GB/s");
    measure_calls("a quick call, alone", "/small");
    bench_events();
    bench_dawdlers();
    tell("memory at the end", resident_mb(), "MB");
    xl_events_stop(events);
    xl_server_stop(server);
    xl_events_free(events);
    return 0;
}
