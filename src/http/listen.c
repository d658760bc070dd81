/* listen.c - starting and stopping: listening, libmicrohttpd's daemon, and the end of it. */
#include "http/exchange.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/threads.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { STOP_WAIT_S = 10, SPARE_DESCRIPTORS = 256 };

/* --- The socket ------------------------------------------------------------------------------- */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } is;
    socklen_t n;
    char text[INET6_ADDRSTRLEN];
};

static enum xl_status read_address(const char *bind, int port, struct address *out,
                                   struct xl_err *err) {
    memset(out, 0, sizeof *out);
    if (!strcmp(bind, "localhost")) bind = "127.0.0.1";
    snprintf(out->text, sizeof out->text, "%s", bind);
    if (inet_pton(AF_INET, bind, &out->is.v4.sin_addr) == 1) {
        out->is.v4.sin_family = AF_INET;
        out->is.v4.sin_port = htons((uint16_t)port);
        out->n = sizeof out->is.v4;
    } else if (inet_pton(AF_INET6, bind, &out->is.v6.sin6_addr) == 1) {
        out->is.v6.sin6_family = AF_INET6;
        out->is.v6.sin6_port = htons((uint16_t)port);
        out->n = sizeof out->is.v6;
    } else {
        return xl_fail(err, XL_EINVAL,
                       "--bind \"%.60s\" is no address; expected one in numbers, 127.0.0.1 or "
                       "0.0.0.0 or ::1",
                       bind);
    }
    return XL_OK;
}

static enum xl_status cannot_listen(const struct address *address, int port, int why,
                                    struct xl_err *err) {
    if (why == EADDRINUSE)
        return xl_fail(err, XL_EINVAL,
                       "port %d of %s is in use by another program; --port takes another one", port,
                       address->text);
    if (why == EADDRNOTAVAIL)
        return xl_fail(err, XL_EINVAL, "--bind %s is no address of this machine", address->text);
    if (why == EACCES)
        return xl_fail(err, XL_EINVAL,
                       "port %d is for the system's programs; --port takes one from 1024", port);
    return xl_fail(err, XL_EINVAL, "cannot listen on port %d of %s: %s", port, address->text,
                   strerror(why));
}

static enum xl_status listen_on(const struct address *address, int port, int *out,
                                struct xl_err *err) {
    int on = 1,
        fd = socket(address->is.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return cannot_listen(address, port, errno, err);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, &address->is.any, address->n) || listen(fd, 1024)) {
        enum xl_status status = cannot_listen(address, port, errno, err);
        close(fd);
        return status;
    }
    *out = fd;
    return XL_OK;
}

static int port_of(int fd, int otherwise) {
    struct address address;
    socklen_t n = sizeof address.is;
    if (getsockname(fd, &address.is.any, &n)) return otherwise;
    return ntohs(address.is.any.sa_family == AF_INET ? address.is.v4.sin_port
                                                     : address.is.v6.sin6_port);
}

/* --- The daemon ------------------------------------------------------------------------------- */

static enum MHD_Result may_come(void *user, const struct sockaddr *address, socklen_t n) {
    struct xl_server *server = user;
    (void)n;
    return xl_peers_may_come(server->peers, address) ? MHD_YES : MHD_NO;
}

static void note_connection(void *user, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode what) {
    struct xl_server *server = user;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        xl_peers_remove(server->peers, *context);
        return;
    }
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int socket = fd ? fd->connect_fd : -1;
    const union MHD_ConnectionInfo *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct xl_peer *peer =
        socket >= 0 && address ? xl_peers_add(server->peers, socket, address->client_addr) : NULL;
    xl_peer_expect(peer, XL_SERVER_IDLE_S);
    *context = peer;
}

/* What libmicrohttpd would decode is decoded here, once (call.c). */
static size_t leave_as_it_is(void *user, struct MHD_Connection *connection, char *text) {
    (void)user, (void)connection;
    return strlen(text);
}

static void tell_trouble(void *user, const char *format, va_list args) {
    char line[400];
    (void)user;
    vsnprintf(line, sizeof line, format, args);
    line[strcspn(line, "\n")] = 0;
    xl_info("libmicrohttpd: %s", line);
}

/* How many connections descriptors are there for. */
static int count_connections(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return XL_SERVER_CONNECTIONS / 4;
    rlim_t wanted = 2 * XL_SERVER_CONNECTIONS + SPARE_DESCRIPTORS;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    /* A reply may have a file open. */
    rlim_t left = limit.rlim_cur > 2 * SPARE_DESCRIPTORS ? limit.rlim_cur - SPARE_DESCRIPTORS : 256;
    return left / 2 < XL_SERVER_CONNECTIONS ? (int)(left / 2) : XL_SERVER_CONNECTIONS;
}

static enum xl_status start_daemon(struct xl_server *server, int fd, int threads,
                                   struct xl_err *err) {
    int cores = xl_cpu_count(), n = threads ? threads : cores < 8 ? cores : 8;
    server->n_connections = count_connections();
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, may_come,
        server, xl_exchange_handle, server, MHD_OPTION_EXTERNAL_LOGGER, tell_trouble, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)n,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)server->n_connections, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)XL_SERVER_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)2 * XL_SERVER_HEADER_BYTES, MHD_OPTION_UNESCAPE_CALLBACK, leave_as_it_is, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, xl_exchange_new, server, MHD_OPTION_NOTIFY_COMPLETED,
        xl_exchange_end, server, MHD_OPTION_NOTIFY_CONNECTION, note_connection, server,
        MHD_OPTION_END);
    if (!server->daemon) return xl_fail_nomem(err, "the server's threads", 0);
    return XL_OK;
}

/* --- Starting --------------------------------------------------------------------------------- */

static enum xl_status check_base_path(const char *path, struct xl_err *err) {
    size_t n = strlen(path);
    bool is_fine = !n || (path[0] == '/' && n > 1 && path[n - 1] != '/' && !strstr(path, "//") &&
                          !strstr(path, ".."));
    for (size_t i = 0; i < n; i++)
        is_fine = is_fine && (strchr("-._~/", path[i]) || (path[i] >= '0' && path[i] <= '9') ||
                              ((path[i] | 32) >= 'a' && (path[i] | 32) <= 'z'));
    if (is_fine) return XL_OK;
    return xl_fail(
        err, XL_EINVAL,
        "--base-path \"%.60s\": expected a path like /lab, of letters, digits, '-', '.', "
        "'_', '~' and '/', without a slash at its end",
        path);
}

static enum xl_status set_up(struct xl_server *server, const struct xl_server_params *params,
                             const struct address *address, struct xl_err *err) {
    const char *base = params->base_path ? params->base_path : "";
    int n_routes = 0;
    bool is_v6 = strchr(address->text, ':');
    for (int i = 0; i < params->n_tables; i++) {
        if (i < XL_TABLES_MAX) server->tables[i] = params->tables[i];
        n_routes += params->tables[i].n;
    }
    if (params->n_tables > XL_TABLES_MAX || n_routes > XL_ROUTES_MAX)
        return xl_fail(err, XL_EINTERNAL, "the server has more routes than it has room for");
    server->n_tables = params->n_tables;
    server->is_ready = params->is_ready;
    server->metrics = params->metrics;
    server->user = params->user;
    server->started_at = xl_now_s();
    pthread_mutex_init(&server->later_mutex, NULL);
    server->base_path = strdup(base);
    server->url = malloc(sizeof address->text + strlen(base) + 32);
    if (params->spool_dir) server->spool_dir = strdup(params->spool_dir);
    if (!server->base_path || !server->url) return xl_fail_nomem(err, "the server", 0);
    sprintf(server->url, "http://%s%s%s:%d%s/", is_v6 ? "[" : "", address->text, is_v6 ? "]" : "",
            server->port, base);
    struct xl_guard_params guard = {.bind = address->text,
                                    .port = server->port,
                                    .allowed = params->allowed_hosts,
                                    .n_allowed = params->n_allowed_hosts,
                                    .token = params->token};
    int n_slow = params->slow_threads ? params->slow_threads : 2 + xl_cpu_count();
    enum xl_status status = xl_guard_new(&guard, &server->guard, err);
    if (!status) status = xl_attempts_new(&server->attempts, err);
    if (!status) status = xl_peers_new(XL_SERVER_PER_ADDRESS, &server->peers, err);
    if (!status)
        status = xl_slow_new(n_slow < 16 ? n_slow : 16, XL_SERVER_SLOW_WAITING, &server->slow, err);
    return status;
}

enum xl_status xl_server_start(const struct xl_server_params *params, struct xl_server **out,
                               struct xl_err *err) {
    struct address address;
    int fd = -1;
    struct xl_server *server = calloc(1, sizeof *server);
    if (!server) return xl_fail_nomem(err, "the server", sizeof *server);
    enum xl_status status = read_address(params->bind, params->port, &address, err);
    if (!status) status = check_base_path(params->base_path ? params->base_path : "", err);
    if (!status) status = listen_on(&address, params->port, &fd, err);
    if (!status) server->port = port_of(fd, params->port);
    if (!status) status = set_up(server, params, &address, err);
    if (!status) status = start_daemon(server, fd, params->threads, err);
    if (!status) {
        *out = server;
        return XL_OK;
    }
    if (fd >= 0) close(fd);
    xl_server_stop(server);
    return status;
}

int xl_server_port(const struct xl_server *server) {
    return server->port;
}

const char *xl_server_url(const struct xl_server *server) {
    return server->url;
}

bool xl_server_is_stopping(const struct xl_server *server) {
    return atomic_load(&server->is_stopping);
}

int xl_server_tables(const struct xl_server *server, const struct xl_route_table **tables) {
    *tables = server->tables;
    return server->n_tables;
}

/* --- Stopping --------------------------------------------------------------------------------- */

static void wait_for_exchanges(struct xl_server *server) {
    double end = xl_now_s() + STOP_WAIT_S;
    while (atomic_load(&server->n_open) && xl_now_s() < end)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* The library's threads may look at the listening socket until they have ended: it is closed after
 * them. */
void xl_server_stop(struct xl_server *server) {
    int fd = -1;
    if (!server) return;
    atomic_store(&server->is_stopping, true);
    if (server->daemon) {
        fd = MHD_quiesce_daemon(server->daemon);
        if (fd >= 0) shutdown(fd, SHUT_RD); /* whoever comes now is refused */
        xl_laters_refuse(server);           /* whoever would know has ended by now */
        wait_for_exchanges(server);
    }
    xl_slow_free(server->slow); /* what is put aside comes back */
    xl_laters_refuse(server);
    if (server->daemon) MHD_stop_daemon(server->daemon);
    if (fd >= 0) close(fd);
    xl_peers_free(server->peers);
    xl_attempts_free(server->attempts);
    xl_guard_free(server->guard);
    free(server->base_path);
    free(server->url);
    free(server->spool_dir);
    free(server);
}
