/* probe.c - one small request to a server of this program, over a plain socket. Keeps no state. */
#include "http/probe.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const double PATIENCE_S = 10; /* while nobody listens */
enum { ANSWER_S = 5 };

/* Where a server that is bound to an address can be reached from this machine. */
struct place {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t n;
    char host[INET6_ADDRSTRLEN + 16]; /* "127.0.0.1:7860", "[::1]:7860" */
};

static bool find_place(const char *bind, int port, struct place *out) {
    const char *v4 = !strcmp(bind, "localhost") || !strcmp(bind, "0.0.0.0") ? "127.0.0.1" : bind;
    const char *v6 = !strcmp(bind, "::") ? "::1" : bind;
    *out = (struct place){.n = sizeof out->address.v4};
    if (inet_pton(AF_INET, v4, &out->address.v4.sin_addr) == 1) {
        out->address.v4.sin_family = AF_INET;
        out->address.v4.sin_port = htons((uint16_t)port);
        snprintf(out->host, sizeof out->host, "%s:%d", v4, port);
        return true;
    }
    if (inet_pton(AF_INET6, v6, &out->address.v6.sin6_addr) != 1) return false;
    out->n = sizeof out->address.v6;
    out->address.v6.sin6_family = AF_INET6;
    out->address.v6.sin6_port = htons((uint16_t)port);
    snprintf(out->host, sizeof out->host, "[%s]:%d", v6, port);
    return true;
}

/* -1: nobody listens, or the system has no socket; errno says */
static int reach(const struct place *place) {
    const struct timeval limit = {.tv_sec = ANSWER_S};
    int fd = socket(place->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (!connect(fd, &place->address.any, place->n)) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* The code of the answer; 0: none came, or it is no HTTP */
static int ask(int fd, const struct place *place) {
    char request[160], answer[64];
    int n = snprintf(request, sizeof request,
                     "GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", place->host);
    size_t got = 0;
    int code = 0;
    if (send(fd, request, (size_t)n, MSG_NOSIGNAL) != n) return 0;
    while (got < sizeof answer - 1) {
        ssize_t more = recv(fd, answer + got, sizeof answer - 1 - got, 0);
        if (more <= 0) break;
        got += (size_t)more;
    }
    answer[got] = 0;
    return sscanf(answer, "HTTP/1.1 %3d", &code) == 1 ? code : 0;
}

enum xl_status xl_server_probe(const char *bind, int port, struct xl_err *err) {
    const struct timespec moment = {.tv_nsec = 200000000};
    struct place place;
    double begun_s = xl_now_s();
    if (!port || !find_place(bind, port, &place))
        return xl_fail(err, XL_EINVAL, "%.100s, port %d: expected the address of a server", bind,
                       port);
    int fd;
    while ((fd = reach(&place)) < 0 && xl_now_s() - begun_s < PATIENCE_S) nanosleep(&moment, NULL);
    if (fd < 0)
        return xl_fail(err, XL_ENETWORK, "no server answers at %s: %s", place.host,
                       strerror(errno));
    int code = ask(fd, &place);
    close(fd);
    if (code == 200) return XL_OK;
    if (code) return xl_fail(err, XL_ENETWORK, "the server at %s answers %d", place.host, code);
    return xl_fail(err, XL_ENETWORK, "the server at %s does not answer within %d seconds",
                   place.host, ANSWER_S);
}
