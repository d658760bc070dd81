/* test_guard.c - who may ask the server: Host, Origin, token and type in all combinations that
 * matter, and what it may be started with. */
#include "http/guard.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "unit/scratch.h"

#define TOKEN "correct-horse-battery"
#define BASIC "Basic eDpjb3JyZWN0LWhvcnNlLWJhdHRlcnk=" /* x:TOKEN */
#define WRONG_BASIC "Basic eDpjb3JyZWN0LWhvcnNlLWJhdHRlcno="
#define JSON "application/json"

static struct xl_guard *guard_of(const char *bind, const char *token) {
    static const char *const allowed[] = {"lab.example", "Proxy.Example:8443"};
    struct xl_guard_params params = {
        .bind = bind, .port = 7860, .allowed = allowed, .n_allowed = 2, .token = token};
    struct xl_guard *guard = NULL;
    cr_assert_eq(xl_guard_new(&params, &guard, NULL), XL_OK);
    return guard;
}

/* What a request says, and what comes of it: without a token, with one that it does not show. */
static const struct {
    const char *method, *host, *origin, *site, *mode, *type;
    int code;
} cases[] = {
    {"GET", "127.0.0.1:7860", NULL, NULL, NULL, NULL, 0},
    {"GET", "localhost:7860", NULL, NULL, NULL, NULL, 0},
    {"GET", "LOCALHOST", NULL, NULL, NULL, NULL, 0},
    {"GET", "[::1]:7860", NULL, NULL, NULL, NULL, 0},
    {"GET", "127.3.2.1:7860", NULL, NULL, NULL, NULL, 0},
    {"GET", "lab.example", NULL, NULL, NULL, NULL, 0},
    {"GET", "lab.example:1", NULL, NULL, NULL, NULL, 0},
    {"GET", "proxy.example:8443", NULL, NULL, NULL, NULL, 0},
    {"GET", "proxy.example:8444", NULL, NULL, NULL, NULL, 403},
    {"GET", "evil.example:7860", NULL, NULL, NULL, NULL, 403},
    {"GET", "192.168.1.9:7860", NULL, NULL, NULL, NULL, 403},
    {"GET", "localhost.evil.example", NULL, NULL, NULL, NULL, 403},
    {"GET", "127.0.0.1.evil.example", NULL, NULL, NULL, NULL, 403},
    {"GET", "0.0.0.0:7860", NULL, NULL, NULL, NULL, 403},
    {"GET", NULL, NULL, NULL, NULL, NULL, 400},
    {"GET", "", NULL, NULL, NULL, NULL, 400},
    {"GET", "local host", NULL, NULL, NULL, NULL, 400},
    {"GET", "localhost:78x0", NULL, NULL, NULL, NULL, 400},
    {"GET", "[::1", NULL, NULL, NULL, NULL, 400},
    {"GET", "user@localhost", NULL, NULL, NULL, NULL, 400},
    {"POST", "localhost:7860", NULL, NULL, NULL, JSON, 0},
    {"POST", "localhost:7860", "http://localhost:7860", "same-origin", "cors", JSON, 0},
    {"POST", "localhost:7860", "http://localhost:9999", "same-site", "cors", JSON, 403},
    {"POST", "localhost:7860", "http://127.0.0.1:7860", "same-site", "cors", JSON, 403},
    {"POST", "localhost:7860", "null", NULL, NULL, JSON, 403},
    {"POST", "localhost:7860", "", NULL, NULL, JSON, 403},
    {"POST", "localhost:7860", "http://evil.example", "cross-site", "cors", JSON, 403},
    {"POST", "localhost:7860", "file://", NULL, NULL, JSON, 403},
    {"POST", "localhost:7860", NULL, "cross-site", "no-cors", JSON, 403},
    {"POST", "lab.example", "https://lab.example", "same-origin", "cors", JSON, 0},
    {"POST", "lab.example:443", "https://lab.example", "same-origin", "cors", JSON, 0},
    {"POST", "127.0.0.1:7860", "https://lab.example", "cross-site", "cors", JSON, 0},
    {"GET", "localhost:7860", "http://evil.example", "cross-site", "cors", NULL, 403},
    {"GET", "localhost:7860", NULL, "cross-site", "no-cors", NULL, 403},
    {"GET", "localhost:7860", NULL, "cross-site", "navigate", NULL, 0},
    {"POST", "localhost:7860", NULL, "cross-site", "navigate", JSON, 403},
    {"POST", "localhost:7860", NULL, NULL, NULL, NULL, 415},
    {"POST", "localhost:7860", NULL, NULL, NULL, "text/plain", 415},
    {"POST", "localhost:7860", NULL, NULL, NULL, "application/x-www-form-urlencoded", 415},
    {"POST", "localhost:7860", NULL, NULL, NULL, "multipart/form-data; boundary=a", 415},
    {"POST", "localhost:7860", NULL, NULL, NULL, "application/jsonp", 415},
    {"POST", "localhost:7860", NULL, NULL, NULL, "Application/JSON; charset=utf-8", 0},
    {"PUT", "localhost:7860", NULL, NULL, NULL, "text/plain", 415},
    {"DELETE", "localhost:7860", NULL, NULL, NULL, NULL, 0},
    {"DELETE", "localhost:7860", "http://evil.example", NULL, NULL, NULL, 403},
    {"DELETE", "localhost:7860", NULL, NULL, NULL, "text/plain", 415},
    {"OPTIONS", "localhost:7860", "http://evil.example", NULL, "cors", NULL, 403},
};

static struct xl_guard_ask ask_of(size_t i) {
    return (struct xl_guard_ask){.method = cases[i].method,
                                 .host = cases[i].host,
                                 .n_hosts = cases[i].host != NULL,
                                 .origin = cases[i].origin,
                                 .fetch_site = cases[i].site,
                                 .fetch_mode = cases[i].mode,
                                 .content_type = cases[i].type};
}

Test(guard, headers) {
    struct xl_guard *open = guard_of("127.0.0.1", NULL), *closed = guard_of("127.0.0.1", TOKEN);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_err why = {0};
        struct xl_guard_ask ask = ask_of(i);
        const char *host = ask.host ? ask.host : "none";
        cr_expect_eq(xl_guard_check(open, &ask, &why), cases[i].code, "%s, host %s, origin %s: %s",
                     ask.method, host, ask.origin, why.text);
        cr_expect_eq(cases[i].code != 0, why.text[0] != 0);
        /* Without the token nobody comes as far as the type. */
        int code = cases[i].code == 0 || cases[i].code == 415 ? 401 : cases[i].code;
        cr_expect_eq(xl_guard_check(closed, &ask, NULL), code, "%s, host %s", ask.method, host);
        ask.authorization = "Bearer " TOKEN;
        cr_expect_eq(xl_guard_check(closed, &ask, NULL), cases[i].code, "%s, host %s", ask.method,
                     host);
        cr_expect(!strstr(why.text, TOKEN));
    }
    struct xl_guard_ask two = {.method = "GET", .host = "localhost", .n_hosts = 2};
    cr_expect_eq(xl_guard_check(open, &two, NULL), 400);
    xl_guard_free(open);
    xl_guard_free(closed);
}

Test(guard, forms) {
    struct xl_guard *guard = guard_of("127.0.0.1", NULL);
    struct xl_guard_ask ask = {.method = "POST", .host = "localhost", .n_hosts = 1};
    ask.content_type = "multipart/form-data; boundary=x";
    ask.takes_form = true;
    cr_expect_eq(xl_guard_check(guard, &ask, NULL), 0);
    ask.is_form_only = true;
    cr_expect_eq(xl_guard_check(guard, &ask, NULL), 0);
    ask.content_type = JSON;
    cr_expect_eq(xl_guard_check(guard, &ask, NULL), 415);
    ask.content_type = NULL;
    cr_expect_eq(xl_guard_check(guard, &ask, NULL), 415);
    ask.takes_any_type = true;
    cr_expect_eq(xl_guard_check(guard, &ask, NULL), 0);
    xl_guard_free(guard);
}

Test(guard, every_address) {
    struct xl_guard *guard = guard_of("0.0.0.0", NULL);
    struct xl_guard_ask ask = {.method = "GET", .host = "192.168.1.9:7860", .n_hosts = 1};
    cr_expect_eq(xl_guard_check(guard, &ask, NULL), 0);
    ask.host = "dgx.local:7860"; /* a name may be anybody's */
    cr_expect_eq(xl_guard_check(guard, &ask, NULL), 403);
    xl_guard_free(guard);
}

Test(guard, ways_to_show_the_token) {
    struct xl_guard *guard = guard_of("127.0.0.1", TOKEN);
    char set[XL_COOKIE_MAX], cookie[XL_COOKIE_MAX + 64];
    xl_guard_cookie(guard, "/lab", true, set);
    cr_expect(strstr(set, "HttpOnly; SameSite=Strict; Secure") && strstr(set, "Path=/lab;"));
    cr_expect(!strstr(set, TOKEN), "the cookie does not say the token");
    snprintf(cookie, sizeof cookie, "other=1; %.*s", (int)strcspn(set, ";"), set);
    const struct {
        const char *authorization, *cookie;
        bool is_open;
        int code;
    } ways[] = {
        {"Bearer " TOKEN, NULL, false, 0},
        {"bearer  " TOKEN, NULL, false, 0},
        {BASIC, NULL, false, 0},
        {NULL, cookie, false, 0},
        {NULL, NULL, true, 0},
        {NULL, NULL, false, 401},
        {WRONG_BASIC, NULL, false, 401},
        {"Basic " TOKEN, NULL, false, 401},
        {"Basic ====", NULL, false, 401},
        {"Basic", NULL, false, 401},
        {"Bearer", NULL, false, 401},
        {"Bearer ", NULL, false, 401},
        {"Bearer " TOKEN "x", NULL, false, 401},
        {"Bearer correct-horse-batter", NULL, false, 401},
        {TOKEN, NULL, false, 401},
        {NULL, "sdxl-lab-7860=" TOKEN, false, 401},
        {NULL, "sdxl-lab-7860=", false, 401},
        {NULL, ";;; ; =", false, 401},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct xl_guard_ask ask = {.method = "GET",
                                   .host = "localhost",
                                   .n_hosts = 1,
                                   .authorization = ways[i].authorization,
                                   .cookie = ways[i].cookie,
                                   .is_open = ways[i].is_open};
        cr_expect_eq(xl_guard_check(guard, &ask, NULL), ways[i].code, "way %zu", i);
    }
    cr_expect(xl_guard_knows(guard, TOKEN) && !xl_guard_knows(guard, "") &&
              !xl_guard_knows(guard, TOKEN "0"));
    xl_guard_free(guard);
}

Test(guard, start_matrix) {
    static const char *const binds[] = {"127.0.0.1", "::1", "0.0.0.0", "192.168.1.9"};
    for (int bind = 0; bind < 4; bind++)
        for (int has_token = 0; has_token < 2; has_token++)
            for (int no_token = 0; no_token < 2; no_token++) {
                bool fine = bind < 2 || has_token || no_token;
                cr_expect_eq(
                    xl_guard_may_start(binds[bind], has_token ? TOKEN : NULL, no_token, NULL),
                    fine ? XL_OK : XL_EINVAL, "%s, %d, %d", binds[bind], has_token, no_token);
            }
}

Test(guard, tokens, .init = scratch_open, .fini = scratch_close) {
    static const struct {
        const char *text;
        enum xl_status status;
    } tokens[] = {
        {TOKEN "\n", XL_OK},
        {TOKEN, XL_OK},
        {TOKEN "\r\n", XL_OK},
        {"short", XL_EINVAL},
        {"", XL_EINVAL},
        {"with a blank in the middle", XL_EINVAL},
        {"\nsecond line is not read", XL_EINVAL},
    };
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        char *token = NULL;
        const char *path = scratch("token%zu", i);
        scratch_puts(path, tokens[i].text);
        cr_expect_eq(xl_guard_token(path, &token, NULL), tokens[i].status, "token %zu", i);
        if (!tokens[i].status) cr_expect_str_eq(token, TOKEN);
        free(token);
    }
    char *token = NULL;
    unsetenv("SDXL_LAB_TOKEN");
    cr_expect_eq(xl_guard_token(NULL, &token, NULL), XL_OK);
    cr_expect_null(token);
    setenv("SDXL_LAB_TOKEN", TOKEN, 1);
    cr_expect_eq(xl_guard_token(NULL, &token, NULL), XL_OK);
    cr_expect_str_eq(token, TOKEN);
    free(token);
    cr_expect_eq(xl_guard_token(scratch("none"), &token, NULL), XL_EINPUT);
}

Test(guard, allowed_hosts_are_hosts) {
    static const char *const wrong[] = {"http://lab.example", "lab.example/", "", "a b", "*"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct xl_guard *guard = NULL;
        struct xl_guard_params params = {
            .bind = "127.0.0.1", .port = 1, .allowed = &wrong[i], .n_allowed = 1};
        cr_expect_eq(xl_guard_new(&params, &guard, NULL), XL_EINVAL, "%s", wrong[i]);
    }
}
