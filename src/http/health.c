/* health.c - rows of /healthz, /readyz, /metrics, the description, and /api/v1/login. Keeps no
 * state. */
#include "http/health.h"

#include "base/json.h"
#include "http/exchange.h"
#include "http/metrics.h"
#include "http/openapi.h"

#include <stdlib.h>
#include <string.h>

static enum xl_status reply_word(struct xl_reply *reply, const char *word) {
    xl_reply_kept(reply, "text/plain; charset=utf-8", word, strlen(word));
    return XL_OK;
}

static enum xl_status get_health(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    (void)call, (void)err;
    return reply_word(reply, "ok\n");
}

static enum xl_status get_ready(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_server *server = call->server;
    if (xl_server_is_stopping(server)) return xl_reply_refuse(reply, 503, err, "it is stopping");
    if (server->is_ready && !server->is_ready(server->user, err)) {
        reply->code = 503;
        return XL_EINVAL;
    }
    return reply_word(reply, "ready\n");
}

static const char *cookie_path(const struct xl_call *call) {
    return call->prefix[0] ? call->prefix : "/";
}

/* The page's way in: the token once, in a body, and from then on a cookie that scripts cannot read
 * and other sites' pages do not send. */
static enum xl_status log_in(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    struct xl_guard *guard = call->server->guard;
    const json_t *token = json_object_get(call->json, "token");
    const char *proto = call->headers.forwarded_proto;
    char *cookie = xl_arena_alloc(&call->arena, XL_COOKIE_MAX);
    if (!cookie) return xl_fail_nomem(err, "a cookie", 0);
    if (!json_is_string(token) || json_object_size(call->json) != 1)
        return xl_reply_about(
            reply, "token", xl_fail(err, XL_EINVAL, "expected {\"token\": TEXT} and nothing else"));
    int wait_s = xl_attempts_wait(call->server->attempts, call->asker);
    if (wait_s) {
        xl_reply_retry(call, reply, wait_s);
        return xl_reply_refuse(reply, 429, err,
                               "too many wrong tokens came from here; try again "
                               "in %d seconds",
                               wait_s);
    }
    if (!xl_guard_knows(guard, json_string_value(token))) {
        xl_attempts_note(call->server->attempts, call->asker);
        return xl_reply_about(reply, "token",
                              xl_reply_refuse(reply, 401, err, "this is not the server's token"));
    }
    xl_guard_cookie(guard, cookie_path(call), call->is_loopback && proto && !strcmp(proto, "https"),
                    cookie);
    xl_reply_empty(reply, 204);
    xl_reply_header(reply, "Set-Cookie", cookie);
    return XL_OK;
}

static json_t *login_schema(void) {
    return json_pack("{s:s, s:{s:{s:s}}, s:[s], s:b}", "type", "object", "properties", "token",
                     "type", "string", "required", "token", "additionalProperties", 0);
}

static const struct xl_route rows[] = {
    {.method = "GET",
     .pattern = "/healthz",
     .run = get_health,
     .flags = XL_ROUTE_OPEN,
     .summary = "Whether the server answers",
     .answer = "ok",
     .answer_type = "text/plain"},
    {.method = "GET",
     .pattern = "/readyz",
     .run = get_ready,
     .flags = XL_ROUTE_OPEN | XL_ROUTE_SLOW,
     .summary = "Whether it may be sent work",
     .answer = "ready",
     .answer_type = "text/plain"},
    {.method = "GET",
     .pattern = "/metrics",
     .run = xl_get_metrics,
     .flags = XL_ROUTE_SLOW,
     .summary = "What the server has counted, for Prometheus",
     .answer = "metrics",
     .answer_type = "text/plain"},
    {.method = "GET",
     .pattern = "/api/v1/openapi.json",
     .run = xl_get_openapi,
     .flags = XL_ROUTE_SLOW,
     .summary = "This description",
     .answer = "an OpenAPI document"},
    {.method = "POST",
     .pattern = "/api/v1/login",
     .run = log_in,
     .flags = XL_ROUTE_OPEN | XL_ROUTE_JSON | XL_ROUTE_EMPTY,
     .body_max = 4096,
     .summary = "Turn the token into a cookie",
     .answer = "nothing; Set-Cookie",
     .body_schema = login_schema},
};

struct xl_route_table xl_health_table(void) {
    return (struct xl_route_table){.rows = rows, .n = sizeof rows / sizeof *rows, .prefix = "/"};
}
