/* http.h - one request after another to a hub, with libcurl; or, in a program that was built
 * without it, a sentence that says so. TLS is verified; proxies are those of the environment
 * (https_proxy, no_proxy, ...). Redirects are followed here, ten at most, and never from https to
 * http: a token goes to the host that was asked and to no other.
 */
#ifndef XL_HUB_DOWNLOAD_HTTP_H
#define XL_HUB_DOWNLOAD_HTTP_H

#include "base/status.h"

struct xl_http; /* opaque; keeps connections open; used by one thread at a time */

/* What the header of the last answer says. */
struct xl_http_answer {
    int code;                        /* 200; 0: no answer came */
    int64_t range_from, range_total; /* Content-Range; -1: none */
    int retry_after_s;               /* -1: not said */
    char error[64];                  /* X-Error-Code: "GatedRepo"; "" */
    char next[2048];                 /* Link: the address of the next page; "" */
    bool is_hopeless;                /* asking again is no use: a certificate, a wrong address */
};

struct xl_http_request {
    const char *url;
    const char *token; /* NULL: none */
    int64_t from;      /* the first byte that is wanted */
    double timeout_s;  /* without a byte */
    /* Before the first byte of a body with code 200 or 206; may be NULL. False: stop. */
    bool (*begin)(void *user, const struct xl_http_answer *answer);
    bool (*data)(void *user, const void *bytes, size_t n); /* False: stop */
    bool (*goes_on)(void *user);                           /* now and then; false: stop */
    void *user;
};

/* Errors: XL_ENETWORK built without libcurl; XL_ENOMEM */
enum xl_status xl_http_new(struct xl_http **out, struct xl_err *err) XL_CHECKED;
void xl_http_free(struct xl_http *http);

/* XL_OK: a whole answer came, whatever its code. Bodies of codes other than 200 and 206 are passed
 * over. Errors: XL_ENETWORK no answer, or not all of it (why); XL_ECANCELLED a function of the
 * request said stop */
enum xl_status xl_http_get(struct xl_http *http, const struct xl_http_request *request,
                           struct xl_http_answer *answer, struct xl_err *err) XL_CHECKED;

#endif
