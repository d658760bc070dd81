/* guard.h - who may ask: the names that the server answers to, the pages that may call it, and the
 * token. Everything here is decided from a request's headers alone; nothing is kept between two
 * requests, so any thread may ask.
 *
 *   Host      a loopback name or address, the address that the server is bound to, or a name that
 *             was allowed: a page that has its own name point at this machine (DNS rebinding) comes
 *             with its own name
 *   Origin    of this host, or allowed; "null" and others are pages of somebody else
 *   token     in a cookie (the page), as a bearer token or as the password of basic
 *             authentication (clients); compared in constant time
 *   type      a call that changes something says that it sends JSON or a form of parts, which a
 *             plain form of another page cannot (forms of parts are told by their origin)
 */
#ifndef XL_HTTP_GUARD_H
#define XL_HTTP_GUARD_H

#include "base/status.h"

enum { XL_TOKEN_MIN = 16, XL_TOKEN_MAX = 256 }; /* bytes of a token */

struct xl_guard_params {
    const char *bind; /* a numeric address */
    int port;
    const char *const *allowed; /* [n_allowed] "lab.example" or "lab.example:8080" */
    int n_allowed;
    const char *token; /* NULL: everybody may ask */
};

struct xl_guard; /* opaque; read-only once made */

/* Whether an address reaches only this machine. */
bool xl_is_loopback_address(const char *address);

/* What a server may be started with: one that others reach needs a token, or has to be told that
 * none is wanted. Errors: XL_EINVAL */
enum xl_status xl_guard_may_start(const char *bind, const char *token, bool no_token,
                                  struct xl_err *err) XL_CHECKED;

/* The token of a file (its only line) or of the environment (SDXL_LAB_TOKEN); file NULL: no file.
 * *token: malloc'd, NULL: there is none. Errors: XL_EINPUT unreadable; XL_EINVAL too short, too
 * long, or characters that a header cannot carry; XL_ENOMEM */
enum xl_status xl_guard_token(const char *file, char **token, struct xl_err *err) XL_CHECKED;

/* params is copied. Errors: XL_EINVAL an allowed host that is no host; XL_ENOMEM */
enum xl_status xl_guard_new(const struct xl_guard_params *params, struct xl_guard **out,
                            struct xl_err *err) XL_CHECKED;
void xl_guard_free(struct xl_guard *guard); /* NULL is fine */

/* What a request says of itself; NULL where it has no such header. */
struct xl_guard_ask {
    const char *method;
    const char *host;
    int n_hosts; /* headers of that name */
    const char *origin, *fetch_site, *fetch_mode;
    const char *authorization, *cookie, *content_type;
    bool is_tried_out;   /* too many wrong tokens came: of a header none is looked at */
    bool is_open;        /* the route needs no token */
    bool takes_any_type; /* nor a type of content */
    bool takes_form;     /* a form of parts will do, too */
    bool is_form_only;   /* and nothing else */
};

/* 0: it may; else 400, 401, 403, 415 or 429, and why. */
int xl_guard_check(const struct xl_guard *guard, const struct xl_guard_ask *ask,
                   struct xl_err *why);

/* Whether this is the token. Of a guard without one every text is. */
bool xl_guard_knows(const struct xl_guard *guard, const char *token);

/* The Set-Cookie header that stands for the token, for paths from `path`. It does not say the token
 * and stays the same when the server starts again. */
enum { XL_COOKIE_MAX = 512 };
void xl_guard_cookie(const struct xl_guard *guard, const char *path, bool is_secure,
                     char out[XL_COOKIE_MAX]);

#endif
