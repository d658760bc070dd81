/* guard.c - Host, Origin, token and type of a request. See guard.h. */
#include "http/guard.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "name:port" in small letters, as two texts. */
struct host {
    char name[256], port[8]; /* port "": none was said */
};

struct xl_guard {
    struct host bind, *allowed;
    int n_allowed;
    bool is_wildcard; /* bound to every address */
    bool has_token;
    int port;
    char digest[XL_SHA256_HEX]; /* of the token */
    char cookie[XL_SHA256_HEX]; /* what stands for it in a cookie */
};

/* --- Hosts ------------------------------------------------------------------------------------ */

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* What a Host header, or what follows "http://" in an origin, says. False: nothing that is a host.
 */
static bool read_host(const char *text, struct host *out) {
    size_t n = 0, n_port = 0;
    *out = (struct host){.name = ""};
    if (*text == '[') {
        struct in6_addr address;
        const char *end = strchr(text, ']');
        if (!end || end - text > 60) return false;
        memcpy(out->name, text + 1, (size_t)(end - text - 1));
        if (inet_pton(AF_INET6, out->name, &address) != 1) return false;
        inet_ntop(AF_INET6, &address, out->name, sizeof out->name);
        text = end + 1;
    } else {
        for (; *text && *text != ':'; text++) {
            char c = *text >= 'A' && *text <= 'Z' ? (char)(*text + 32) : *text;
            if (!is_name_char(c) || n + 1 >= sizeof out->name) return false;
            out->name[n++] = c;
        }
        if (!n) return false;
    }
    if (*text != ':') return !*text;
    for (text++; *text; text++) {
        if (*text < '0' || *text > '9' || n_port > 4) return false;
        out->port[n_port++] = *text;
    }
    return n_port > 0;
}

bool xl_is_loopback_address(const char *address) {
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool is_address(const char *name) {
    unsigned char address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

/* What was allowed without a port is allowed with any. */
static bool is_allowed(const struct xl_guard *guard, const struct host *host) {
    for (int i = 0; i < guard->n_allowed; i++) {
        const struct host *allowed = &guard->allowed[i];
        if (!strcmp(allowed->name, host->name) &&
            (!allowed->port[0] || !strcmp(allowed->port, host->port)))
            return true;
    }
    return false;
}

/* A name can be made to point here by whoever owns it; an address cannot, so where the server is
 * bound to every address each of them will do. */
static bool answers_to(const struct xl_guard *guard, const struct host *host) {
    if (!strcmp(host->name, "localhost") || xl_is_loopback_address(host->name)) return true;
    if (!strcmp(host->name, guard->bind.name)) return true;
    return (guard->is_wildcard && is_address(host->name)) || is_allowed(guard, host);
}

static bool is_same_host(const struct host *a, const struct host *b) {
    return !strcmp(a->name, b->name) && !strcmp(a->port, b->port);
}

/* A port that is the scheme's is left out by browsers, in Origin as in Host; a proxy may put it
 * into one of them. */
static void drop_default_port(struct host *host, const char *scheme_port) {
    if (!strcmp(host->port, scheme_port)) host->port[0] = 0;
}

static bool is_own_origin(const struct xl_guard *guard, const char *origin, struct host host) {
    struct host from;
    bool is_tls = !strncmp(origin, "https://", 8);
    if (!is_tls && strncmp(origin, "http://", 7) != 0) return false;
    if (!read_host(origin + (is_tls ? 8 : 7), &from)) return false;
    if (is_allowed(guard, &from)) return true;
    drop_default_port(&from, is_tls ? "443" : "80");
    drop_default_port(&host, is_tls ? "443" : "80");
    return is_same_host(&from, &host);
}

/* --- The token -------------------------------------------------------------------------------- */

/* Digests of 64 digits: the time that this takes says nothing of where they differ. */
static bool are_equal(const char *a, const char *b) {
    unsigned char differ = 0;
    for (int i = 0; i < XL_SHA256_HEX - 1; i++) differ |= (unsigned char)(a[i] ^ b[i]);
    return differ == 0;
}

static bool knows(const struct xl_guard *guard, const char *token, size_t n) {
    char digest[XL_SHA256_HEX];
    return n <= XL_TOKEN_MAX && !xl_sha256(token, n, digest, NULL) &&
           are_equal(digest, guard->digest);
}

bool xl_guard_knows(const struct xl_guard *guard, const char *token) {
    return !guard->has_token || knows(guard, token, strlen(token));
}

static bool has_credentials(const struct xl_guard *guard, const char *authorization) {
    void *bytes = NULL;
    size_t n = 0;
    if (!strncasecmp(authorization, "Bearer ", 7)) {
        const char *token = authorization + 7 + strspn(authorization + 7, " ");
        return knows(guard, token, strlen(token));
    }
    if (strncasecmp(authorization, "Basic ", 6) != 0) return false;
    if (!xl_base64_read(authorization + 6 + strspn(authorization + 6, " "), &bytes, &n))
        return false;
    const char *pair = bytes, *colon = n ? memchr(pair, ':', n) : NULL;
    bool knows_it = colon && knows(guard, colon + 1, (size_t)(pair + n - colon - 1));
    free(bytes);
    return knows_it;
}

static bool has_cookie(const struct xl_guard *guard, const char *cookie) {
    char name[32];
    int n = snprintf(name, sizeof name, "sdxl-lab-%d=", guard->port);
    while (*cookie) {
        cookie += strspn(cookie, " ;");
        size_t length = strcspn(cookie, ";");
        if (!strncmp(cookie, name, (size_t)n) && length - (size_t)n == (size_t)XL_SHA256_HEX - 1 &&
            are_equal(cookie + n, guard->cookie))
            return true;
        cookie += length;
    }
    return false;
}

void xl_guard_cookie(const struct xl_guard *guard, const char *path, bool is_secure,
                     char out[XL_COOKIE_MAX]) {
    snprintf(out, XL_COOKIE_MAX,
             "sdxl-lab-%d=%s; Path=%.200s; Max-Age=31536000; HttpOnly; SameSite=Strict%s",
             guard->port, guard->cookie, path, is_secure ? "; Secure" : "");
}

static enum xl_status check_token(const char *where, const char *token, struct xl_err *err) {
    size_t n = strlen(token);
    if (n < XL_TOKEN_MIN || n > XL_TOKEN_MAX)
        return xl_fail(err, XL_EINVAL, "%s: the token has %zu characters, expected %d to %d", where,
                       n, XL_TOKEN_MIN, XL_TOKEN_MAX);
    for (size_t i = 0; i < n; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return xl_fail(err, XL_EINVAL,
                           "%s: the token's character %zu is a blank or none of ASCII; a header "
                           "cannot carry it",
                           where, i + 1);
    return XL_OK;
}

enum xl_status xl_guard_token(const char *file, char **token, struct xl_err *err) {
    const char *said = getenv("SDXL_LAB_TOKEN"), *where = "SDXL_LAB_TOKEN";
    char *text = NULL;
    if (file) {
        size_t n;
        struct xl_read_rule rule = {4096, XL_EINPUT, XL_EINPUT};
        enum xl_status status = xl_file_read(file, rule, &text, &n, err);
        if (status) return status;
        text[strcspn(text, "\r\n")] = 0;
        where = file;
    } else if (said && said[0] && !(text = strdup(said))) {
        return xl_fail_nomem(err, "the token", 0);
    }
    enum xl_status status = text ? check_token(where, text, err) : XL_OK;
    if (status)
        free(text);
    else
        *token = text;
    return status;
}

enum xl_status xl_guard_may_start(const char *bind, const char *token, bool no_token,
                                  struct xl_err *err) {
    /* What is no address is refused when it is to be listened on. */
    bool is_wide = is_address(bind) && !xl_is_loopback_address(bind);
    if (token || no_token || !is_wide) return XL_OK;
    return xl_fail(err, XL_EINVAL,
                   "--bind %s: other machines reach this address, so the server wants a token: "
                   "--token-file FILE or the variable SDXL_LAB_TOKEN; or say --no-token",
                   bind);
}

/* --- A guard ---------------------------------------------------------------------------------- */

static enum xl_status set_token(struct xl_guard *guard, const char *token, struct xl_err *err) {
    struct xl_str text = {0};
    xl_str_printf(&text, "sdxl-lab cookie %s", token);
    if (text.failed) return xl_fail_nomem(err, "the token", 0);
    guard->has_token = true;
    enum xl_status status = xl_sha256(token, strlen(token), guard->digest, err);
    if (!status) status = xl_sha256(text.text, text.len, guard->cookie, err);
    xl_str_deinit(&text);
    return status;
}

enum xl_status xl_guard_new(const struct xl_guard_params *params, struct xl_guard **out,
                            struct xl_err *err) {
    struct xl_guard *guard = calloc(1, sizeof *guard);
    if (guard) guard->allowed = calloc((size_t)params->n_allowed + 1, sizeof *guard->allowed);
    enum xl_status status = guard && guard->allowed ? XL_OK
                                                    : xl_fail_nomem(err, "the server's rules", 0);
    for (int i = 0; i < params->n_allowed && !status; i++)
        if (!read_host(params->allowed[i], &guard->allowed[guard->n_allowed++]))
            status = xl_fail(err, XL_EINVAL,
                             "--allow-host \"%.100s\" is no host; expected a name or an address "
                             "without scheme and path, with or without :PORT",
                             params->allowed[i]);
    if (!status) {
        guard->port = params->port;
        snprintf(guard->bind.name, sizeof guard->bind.name, "%s", params->bind);
        guard->is_wildcard = !strcmp(params->bind, "0.0.0.0") || !strcmp(params->bind, "::");
    }
    if (!status && params->token) status = set_token(guard, params->token, err);
    if (status)
        xl_guard_free(guard);
    else
        *out = guard;
    return status;
}

void xl_guard_free(struct xl_guard *guard) {
    if (!guard) return;
    free(guard->allowed);
    free(guard);
}

/* --- A request -------------------------------------------------------------------------------- */

static int refuse(struct xl_err *why, int code, const char *sentence, const char *found) {
    xl_fail(why, XL_EINVAL, sentence, found);
    return code;
}

static bool changes_something(const char *method) {
    return strcmp(method, "GET") && strcmp(method, "HEAD") && strcmp(method, "OPTIONS");
}

static bool is_type(const char *content_type, const char *type) {
    size_t n = strlen(type);
    return content_type && !strncasecmp(content_type, type, n) &&
           (!content_type[n] || strchr("; \t", content_type[n]));
}

static int check_type(const struct xl_guard_ask *ask, struct xl_err *why) {
    const char *found = ask->content_type ? ask->content_type : "none";
    bool is_form = is_type(ask->content_type, "multipart/form-data");
    bool is_json = is_type(ask->content_type, "application/json");
    if (!changes_something(ask->method) || ask->takes_any_type) return 0;
    if (!ask->content_type && !strcmp(ask->method, "DELETE")) return 0;
    if (ask->is_form_only)
        return is_form
                   ? 0
                   : refuse(why, 415, "Content-Type is %.80s, expected multipart/form-data", found);
    if (is_json || (is_form && ask->takes_form)) return 0;
    return refuse(why, 415, "Content-Type is %.80s, expected application/json", found);
}

/* Another page of the same machine counts as the same site, whatever its port: Origin tells it. */
static int check_origin(const struct xl_guard *guard, const struct xl_guard_ask *ask,
                        const struct host *host, struct xl_err *why) {
    if (ask->origin && !is_own_origin(guard, ask->origin, *host))
        return refuse(why, 403,
                      "a page of %.100s may not call this server; --allow-host allows its host",
                      ask->origin);
    bool is_foreign = ask->fetch_site && (!strcmp(ask->fetch_site, "cross-site") ||
                                          !strcmp(ask->fetch_site, "same-site"));
    bool is_visit = ask->fetch_mode && !strcmp(ask->fetch_mode, "navigate") &&
                    !changes_something(ask->method);
    if (is_foreign && !ask->origin && !is_visit)
        return refuse(why, 403, "a page of another server may not call this one (%s)",
                      ask->fetch_site);
    return 0;
}

int xl_guard_check(const struct xl_guard *guard, const struct xl_guard_ask *ask,
                   struct xl_err *why) {
    struct host host;
    if (ask->n_hosts != 1 || !ask->host || !read_host(ask->host, &host))
        return refuse(why, 400, "the request needs one Host header that names a host%s", "");
    if (!answers_to(guard, &host))
        return refuse(why, 403,
                      "this server does not answer to the name %.100s; --allow-host allows it",
                      ask->host);
    int code = check_origin(guard, ask, &host, why);
    if (code) return code;
    bool is_known = ask->is_open || !guard->has_token ||
                    (ask->cookie && has_cookie(guard, ask->cookie));
    if (!is_known && ask->authorization && ask->is_tried_out)
        return refuse(why, 429, "too many wrong tokens came from here%s; try again later", "");
    if (!is_known && !(ask->authorization && has_credentials(guard, ask->authorization)))
        return refuse(why, 401,
                      "this server wants its token: the header \"Authorization: Bearer TOKEN\", "
                      "or the cookie that /api/v1/login gives%s",
                      "");
    return check_type(ask, why);
}
