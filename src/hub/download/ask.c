/* ask.c - the hub's refusals in words, and asking again. Keeps nothing; any thread. */
#include "hub/download/ask.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_PAUSE_S = 300, MAX_TEXT = 64 << 20 };

static bool may_help(enum xl_status status, const struct xl_http_answer *answer) {
    if (status) return status == XL_ENETWORK && !answer->is_hopeless;
    return answer->code == 408 || answer->code == 429 || answer->code >= 500;
}

bool xl_retry_pause(struct xl_retry *retry, enum xl_status status,
                    const struct xl_http_answer *answer) {
    if (!may_help(status, answer) || retry->n >= retry->most) return false;
    double pause = 0.5 * (double)(1 << (retry->n < 10 ? retry->n : 10)); /* 0.5, 1, 2, 4, ... */
    if (!status && answer->retry_after_s >= 0) pause = answer->retry_after_s;
    if (pause > MAX_PAUSE_S) pause = MAX_PAUSE_S;
    retry->n++;
    if (pause > 10) xl_note("the hub asks for a pause of %.0f s", pause);
    for (double end = xl_now_s() + pause; xl_now_s() < end;) {
        if (!retry->goes_on(retry->user)) return false;
        nanosleep(&(struct timespec){0, 50000000}, NULL);
    }
    return retry->goes_on(retry->user);
}

/* --- Refusals ----------------------------------------------------------------------------------
 */

static bool is_gated(const struct xl_http_answer *answer) {
    return !strcmp(answer->error, "GatedRepo");
}

static enum xl_status fail_gated(const struct xl_question *q, struct xl_err *err) {
    const struct xl_endpoint *endpoint = q->endpoint;
    if (!endpoint->token)
        return xl_fail(err, XL_ENETWORK,
                       "model %s is gated, its owner wants to know who downloads it: agree at "
                       "%s/%s, make a token at %s/settings/tokens, and set HF_TOKEN to it",
                       q->id, endpoint->url, q->id, endpoint->url);
    return xl_fail(err, XL_ENETWORK,
                   "model %s is gated, and the owner of the token (from %s) was not let in: agree "
                   "at %s/%s",
                   q->id, endpoint->token_source, endpoint->url, q->id);
}

/* 401 is also what the hub answers about a repository that it does not have, lest private ones be
 * guessed. */
static enum xl_status fail_unknown(const struct xl_question *q, int code, struct xl_err *err) {
    const struct xl_endpoint *endpoint = q->endpoint;
    if (!endpoint->token)
        return xl_fail(err, XL_EMODEL,
                       "model %s: %s answers %d: there is no such repository, or it is private and "
                       "wants a token; set HF_TOKEN",
                       q->id, endpoint->url, code);
    return xl_fail(err, XL_EMODEL,
                   "model %s: %s answers %d: there is no such repository, or the token (from %s) "
                   "does not open it",
                   q->id, endpoint->url, code, endpoint->token_source);
}

enum xl_status xl_fail_answer(const struct xl_question *q, const struct xl_http_answer *answer,
                              struct xl_err *err) {
    int code = answer->code;
    const char *path = q->path ? q->path : "", *slash = q->path ? "/" : "";
    if ((code == 401 || code == 403) && is_gated(answer)) return fail_gated(q, err);
    if (!strcmp(answer->error, "RevisionNotFound"))
        return xl_fail(err, XL_EMODEL, "model %s: the hub has no revision \"%s\" of it", q->id,
                       q->revision ? q->revision : "main");
    if (code == 404 && (q->path || !strcmp(answer->error, "EntryNotFound")))
        return xl_fail(err, XL_EMODEL, "model %s: the hub has no file %s of it (404)", q->id, path);
    if (code == 401 || code == 404) return fail_unknown(q, code, err);
    if (code == 403)
        return xl_fail(err, XL_ENETWORK, "model %s: %s refuses it (403)%s%s", q->id,
                       q->endpoint->url, q->endpoint->token ? "; the token is from " : "",
                       q->endpoint->token ? q->endpoint->token_source : "");
    return xl_fail(err, XL_ENETWORK, "%s%s%s: %s answers %d%s", q->id, slash, path,
                   q->endpoint->url, code,
                   code == 429   ? ": too many requests; try again later, a token raises the limit"
                   : code >= 500 ? "; try again later"
                                 : "");
}

/* --- Texts -------------------------------------------------------------------------------------
 */

struct reading {
    struct xl_str text;
    const struct xl_retry *retry;
    bool is_too_long;
};

static bool on_begin(void *user, const struct xl_http_answer *answer) {
    struct reading *reading = user;
    (void)answer;
    reading->text.len = 0;
    return true;
}

static bool on_data(void *user, const void *bytes, size_t n) {
    struct reading *reading = user;
    reading->is_too_long = reading->text.len + n > MAX_TEXT;
    if (!reading->is_too_long) xl_str_append(&reading->text, bytes, n);
    return !reading->is_too_long && !reading->text.failed;
}

static bool on_tick(void *user) {
    const struct reading *reading = user;
    return reading->retry->goes_on(reading->retry->user);
}

/* Ask once. */
static enum xl_status read_text(struct xl_http *http, const struct xl_question *question,
                                const char *url, struct reading *reading,
                                struct xl_http_answer *answer, struct xl_err *err) {
    const struct xl_http_request request = {.url = url,
                                            .token = question->endpoint->token,
                                            .timeout_s = question->endpoint->timeout_s,
                                            .begin = on_begin,
                                            .data = on_data,
                                            .goes_on = on_tick,
                                            .user = reading};
    enum xl_status status = xl_http_get(http, &request, answer, err);
    if (reading->text.failed) return xl_fail_nomem(err, "the hub's answer", 0);
    if (reading->is_too_long) {
        answer->is_hopeless = true;
        return xl_fail(err, XL_ENETWORK, "%s: an answer of more than 64 MiB", question->id);
    }
    return status == XL_ENETWORK ? xl_fail_context(err, status, "model %s", question->id) : status;
}

enum xl_status xl_ask_text(struct xl_http *http, const struct xl_question *question,
                           const char *url, struct xl_retry *retry, char **text, size_t *n,
                           struct xl_http_answer *answer, struct xl_err *err) {
    struct reading reading = {.retry = retry};
    enum xl_status status;
    for (;;) {
        reading.text.len = 0;
        status = read_text(http, question, url, &reading, answer, err);
        if (!status && answer->code == 200) break;
        if (status == XL_ENOMEM || status == XL_ECANCELLED) break;
        if (xl_retry_pause(retry, status, answer)) continue;
        if (!retry->goes_on(retry->user))
            status = XL_ECANCELLED;
        else if (!status)
            status = xl_fail_answer(question, answer, err);
        break;
    }
    *n = reading.text.len;
    if (status)
        xl_str_deinit(&reading.text);
    else if (!(*text = xl_str_take(&reading.text)))
        status = xl_fail_nomem(err, "the hub's answer", 0);
    else
        (*text)[*n] = 0;
    return status;
}
