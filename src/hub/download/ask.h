/* ask.h - when to ask the hub again, what its refusals mean, and answers that are short texts.
 */
#ifndef XL_HUB_DOWNLOAD_ASK_H
#define XL_HUB_DOWNLOAD_ASK_H

#include "hub/download/endpoint.h"
#include "hub/download/http.h"

/* A request that may be made again; zero-initialise but for most. */
struct xl_retry {
    int most; /* pauses in a row without a byte in between */
    int n;    /* pauses so far; the caller sets 0 when bytes came */
    bool (*goes_on)(void *user);
    void *user;
};

/* After a request that failed (status) or was answered with a code that is no success: make a pause
 * and return true, where asking again may help: connections that broke, 408, 429 (as long as
 * Retry-After says, five minutes at most) and 5xx. False: it is no use, or goes_on said stop. */
bool xl_retry_pause(struct xl_retry *retry, enum xl_status status,
                    const struct xl_http_answer *answer);

/* What was asked for, for sentences. */
struct xl_question {
    const struct xl_endpoint *endpoint;
    const char *id;       /* of the repository */
    const char *revision; /* NULL: main */
    const char *path;     /* of a file; NULL: the repository itself */
};

/* The sentence of an answer that is no success: no such repository, file or revision, a token that
 * is missing or not accepted, a gated repository. XL_ENETWORK; XL_EMODEL where the hub says that
 * there is no such thing. */
enum xl_status xl_fail_answer(const struct xl_question *question,
                              const struct xl_http_answer *answer, struct xl_err *err);

/* GET a text of at most 64 MiB, asked for again where that may help. *text: malloc'd, with a NUL;
 * it is the caller's. Errors: those of xl_http_get and xl_fail_answer */
enum xl_status xl_ask_text(struct xl_http *http, const struct xl_question *question,
                           const char *url, struct xl_retry *retry, char **text, size_t *n,
                           struct xl_http_answer *answer, struct xl_err *err) XL_CHECKED;

#endif
