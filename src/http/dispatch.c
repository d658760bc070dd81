/* dispatch.c - from a request's path to its route and its handler, or to an error. Any thread. */
#include "http/exchange.h"

#include "base/json.h"
#include "http/gzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Errors ----------------------------------------------------------------------------------- */

void xl_exchange_refuse(struct xl_exchange *exchange, int code, enum xl_status status,
                        const char *sentence) {
    struct xl_reply *reply = &exchange->reply;
    const struct xl_route_table *table = exchange->table;
    const char *name = reply->name ? reply->name : xl_code_name(code);
    struct xl_problem problem = {code, name ? name : xl_status_name(status), sentence,
                                 reply->field};
    xl_json_watch();
    json_t *object = table && table->problem ? table->problem(&problem)
                                             : xl_problem_object(&problem);
    if (xl_reply_json(reply, code, object, NULL)) xl_reply_empty(reply, 503);
    reply->code = code;
}

static int refuse(struct xl_exchange *exchange, int code, const char *sentence) {
    xl_exchange_refuse(exchange, code, XL_EINVAL, sentence);
    return code;
}

/* --- Where it goes ---------------------------------------------------------------------------- */

/* "/lab" where a proxy on this machine says so and it is a path, else "". */
static const char *forwarded_prefix(const struct xl_call *call) {
    const char *prefix = call->headers.forwarded_prefix;
    if (!prefix || !call->is_loopback || prefix[0] != '/' || prefix[1] == '/') return "";
    size_t n =
        strspn(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/");
    if (prefix[n] || n > 200 || strstr(prefix, "..") || !prefix[1]) return "";
    return prefix;
}

/* Take the base path away, and note what the client sees before the rest. */
static void set_path(struct xl_exchange *exchange, const char *path) {
    struct xl_call *call = &exchange->call;
    const char *base = exchange->server->base_path;
    size_t n = strlen(base);
    call->prefix = forwarded_prefix(call);
    if (n && !strncmp(path, base, n) && (path[n] == '/' || !path[n])) {
        path += n;
        if (!call->prefix[0]) call->prefix = base;
    }
    size_t length = strlen(call->prefix);
    if (length && call->prefix[length - 1] == '/')
        call->prefix = xl_arena_strndup(&call->arena, call->prefix, length - 1);
    call->path = *path ? path : "/";
}

static const struct xl_route_table *table_of(const struct xl_server *server, const char *path) {
    for (int i = 0; i < server->n_tables; i++)
        if (!strncmp(path, server->tables[i].prefix, strlen(server->tables[i].prefix)))
            return &server->tables[i];
    return NULL;
}

static bool takes_method(const struct xl_route *route, const char *method) {
    return !strcmp(route->method, method) ||
           (!strcmp(method, "HEAD") && !strcmp(route->method, "GET"));
}

/* The methods of the routes that match, for Allow. */
static void note_method(struct xl_str *allow, const char *method) {
    bool is_get = !strcmp(method, "GET");
    xl_str_printf(allow, "%s%s%s", allow->len ? ", " : "", method, is_get ? ", HEAD" : "");
}

/* Find the route. allow: the methods that the path has, where it has not this one. The first row
 * that it matches says which pattern is the path's: "jobs/check" is no id of a job. */
static void find_route(struct xl_exchange *exchange, struct xl_str *allow) {
    struct xl_server *server = exchange->server;
    struct xl_call *call = &exchange->call;
    const char *pattern = NULL;
    int at = 0, n_pairs = call->n_pairs;
    for (int t = 0; t < server->n_tables; t++) {
        const struct xl_route_table *table = &server->tables[t];
        for (int i = 0; i < table->n; i++, at++) {
            const struct xl_route *route = &table->rows[i];
            if (pattern && strcmp(route->pattern, pattern) != 0) continue;
            if (!xl_route_matches(route, call)) continue;
            pattern = route->pattern;
            if (takes_method(route, call->method)) {
                call->route = route;
                call->user = table->user;
                exchange->count = &server->counts[at];
                return;
            }
            note_method(allow, route->method);
            memmove(call->pairs, call->pairs + (call->n_pairs - n_pairs),
                    (size_t)n_pairs * sizeof *call->pairs);
            call->n_pairs = n_pairs;
        }
    }
}

/* A proxy on this machine adds the address that it was asked from, last. */
static const char *asker_of(struct xl_call *call) {
    const char *list = call->is_loopback ? call->headers.forwarded_for : NULL;
    const char *comma = list ? strrchr(list, ',') : NULL;
    const char *last = comma ? comma + 1 : list ? list : "";
    last += strspn(last, " ");
    const char *copy = *last ? xl_arena_strndup(&call->arena, last, strcspn(last, " ")) : NULL;
    return copy ? copy : call->client;
}

static int check_guard(struct xl_exchange *exchange) {
    struct xl_call *call = &exchange->call;
    const struct xl_headers *headers = &call->headers;
    unsigned flags = call->route ? call->route->flags : 0;
    struct xl_err why = {0};
    call->asker = asker_of(call);
    int wait_s = xl_attempts_wait(exchange->server->attempts, call->asker);
    struct xl_guard_ask ask = {
        .method = call->method,
        .host = headers->host,
        .n_hosts = headers->n_hosts,
        .origin = headers->origin,
        .fetch_site = headers->fetch_site,
        .fetch_mode = headers->fetch_mode,
        .authorization = headers->authorization,
        .cookie = headers->cookie,
        .content_type = headers->content_type,
        .is_tried_out = wait_s > 0,
        .is_open = flags & XL_ROUTE_OPEN,
        .takes_any_type = flags & XL_ROUTE_ANY_TYPE || !call->route,
        .takes_form = flags & XL_ROUTE_FORM,
        .is_form_only = (flags & (XL_ROUTE_FORM | XL_ROUTE_JSON)) == XL_ROUTE_FORM,
    };
    int code = xl_guard_check(exchange->server->guard, &ask, &why);
    if (code == 401) xl_reply_header(&exchange->reply, "WWW-Authenticate", "Bearer");
    if (code == 401 && headers->authorization)
        xl_attempts_note(exchange->server->attempts, call->asker);
    if (code == 429) xl_reply_retry(call, &exchange->reply, wait_s);
    return code ? refuse(exchange, code, why.text) : 0;
}

/* Where nothing was found: 204 for OPTIONS, 405 or 404. */
static int miss(struct xl_exchange *exchange, struct xl_str *allow) {
    struct xl_call *call = &exchange->call;
    char sentence[300];
    if (!allow->len) {
        snprintf(sentence, sizeof sentence, "there is nothing at %.200s", call->path);
        return refuse(exchange, 404, sentence);
    }
    note_method(allow, "OPTIONS");
    const char *methods = xl_arena_strdup(&call->arena, allow->failed ? "GET" : allow->text);
    xl_reply_header(&exchange->reply, "Allow", methods);
    if (!strcmp(call->method, "OPTIONS")) {
        xl_reply_empty(&exchange->reply, 204);
        return 204;
    }
    snprintf(sentence, sizeof sentence, "%.20s is no method of %.150s, which takes %.100s",
             call->method, call->path, methods ? methods : "others");
    return refuse(exchange, 405, sentence);
}

int xl_exchange_dispatch(struct xl_exchange *exchange) {
    struct xl_call *call = &exchange->call;
    struct xl_str allow = {0};
    struct xl_err err = {0};
    char *query = strchr(exchange->url, '?');
    if (query) *query++ = 0;
    exchange->count = &exchange->server->counts[XL_ROUTES_MAX];
    call->is_head = !strcmp(call->method, "HEAD");
    set_path(exchange, exchange->url);
    exchange->table = table_of(exchange->server, call->path);
    if (!call->prefix) return refuse(exchange, 503, "out of memory");
    enum xl_status status = xl_call_split(call, call->path, query, &err);
    if (status) return refuse(exchange, status == XL_ENOMEM ? 503 : 400, err.text);
    find_route(exchange, &allow);
    if (call->hides_slash && !(call->route && call->route->flags & XL_ROUTE_SLASHES)) {
        xl_str_deinit(&allow);
        return refuse(exchange, 400, xl_call_fail_separator(&err) ? err.text : "");
    }
    int code = check_guard(exchange);
    if (!code && !call->route) code = miss(exchange, &allow);
    xl_str_deinit(&allow);
    return code;
}

/* --- The handler ------------------------------------------------------------------------------ */

static enum xl_status read_json(struct xl_exchange *exchange, struct xl_err *err) {
    struct xl_call *call = &exchange->call;
    if (!(call->route->flags & XL_ROUTE_JSON) || call->form) return XL_OK;
    if (!exchange->body.len) {
        call->json = json_object();
        return call->json ? XL_OK : xl_fail_nomem(err, "a body", 0);
    }
    char key[XL_JSON_KEY];
    enum xl_status status =
        xl_json_parse("body", exchange->body.text, exchange->body.len, &call->json, err);
    if (status && status != XL_ENOMEM) exchange->reply.code = 400;
    if (status || xl_json_fits(exchange->body.text, exchange->body.len, key)) return status;
    status = xl_fail(err, XL_EINVAL,
                     "\"%s\" has a whole number beyond 64 bits; expected -2^63 to 2^63 - 1", key);
    return xl_reply_about(&exchange->reply, xl_arena_strdup(&call->arena, key), status);
}

/* A long document, made smaller for whoever takes it so: on a slow thread, which has the time. */
static void compress_reply(struct xl_exchange *exchange) {
    enum { LEAST = 16 << 10 };
    struct xl_reply *reply = &exchange->reply;
    bool is_slow = exchange->call.route->flags & XL_ROUTE_SLOW;
    bool is_picture = reply->type && !strncmp(reply->type, "image/", 6);
    char *small;
    size_t n;
    if (reply->kind != XL_REPLY_TEXT || is_picture || reply->n < LEAST || !is_slow) return;
    xl_reply_header(reply, "Vary", "Accept-Encoding");
    if (!xl_call_takes_gzip(&exchange->call)) return;
    if (xl_gzip(reply->text, reply->n, 1, &small, &n, NULL)) return;
    int code = reply->code;
    xl_reply_text(reply, reply->type, small, n);
    reply->code = code;
    xl_reply_header(reply, "Content-Encoding", "gzip");
}

void xl_exchange_perform(struct xl_exchange *exchange) {
    struct xl_call *call = &exchange->call;
    struct xl_reply *reply = &exchange->reply;
    struct xl_err err = {0};
    enum xl_status status = xl_call_check(call, &reply->field, &err);
    if (!status) status = read_json(exchange, &err);
    if (!status) status = call->route->run(call, reply, &err);
    if (exchange->is_later) return; /* from here on it is somebody else's */
    if (!status) {
        compress_reply(exchange);
        return;
    }
    int code = reply->code >= 400 ? reply->code : xl_status_code(status);
    if (code == 422 && exchange->table && exchange->table->field_code)
        code = exchange->table->field_code;
    xl_exchange_refuse(exchange, code, status, err.text[0] ? err.text : xl_status_text(status));
}
