/* client.h - a small client of HTTP for tests and benches: a connection that is used again, answers
 * with a length or in pieces. Loopback only; failures end the program.
 */
#ifndef XL_TESTS_HTTP_CLIENT_H
#define XL_TESTS_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline void client_must(bool fine, const char *what) {
    if (fine) return;
    perror(what);
    exit(1);
}

static inline int client_open(int port) {
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client_must(fd >= 0, "socket");
    client_must(!connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static inline void client_send(int fd, const char *text) {
    size_t n = strlen(text);
    client_must(send(fd, text, n, MSG_NOSIGNAL) == (ssize_t)n, "send");
}

static inline void client_ask(int fd, const char *path) {
    char text[512];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    client_send(fd, text);
}

/* Read an answer with Content-Length; the code, and in *n its body's length; the body itself is
 * read and forgotten, but for what fits into buffer. -1: the connection ended. */
static inline int client_answer(int fd, char *buffer, size_t size, size_t *n) {
    size_t got = 0, length = 0;
    char *end = NULL;
    while (!end) {
        ssize_t some = recv(fd, buffer + got, size - 1 - got, 0);
        if (some <= 0) return -1;
        got += (size_t)some;
        buffer[got] = 0;
        end = strstr(buffer, "\r\n\r\n");
        if (!end && got == size - 1) return -1;
    }
    const char *header = strcasestr(buffer, "\r\nContent-Length:");
    int code = atoi(buffer + 9);
    if (header && header < end) length = strtoull(header + 17, NULL, 10);
    size_t have = got - (size_t)(end + 4 - buffer);
    *n = length;
    memmove(buffer, end + 4, have + 1);
    while (have < length) {
        size_t want = length - have;
        char *to = have < size - 1 && size - 1 - have >= want ? buffer + have : buffer;
        if (to == buffer && want > size - 1) want = size - 1;
        ssize_t some = recv(fd, to, want, 0);
        if (some <= 0) return -1;
        have += (size_t)some;
        if (to != buffer) to[some] = 0;
    }
    return code;
}

#endif
