/* transfer.c - one blob with Range, retries and its digest. Keeps nothing but for the run of one
 * transfer. */
#include "hub/download/transfer.h"
#include "base/blob_hash.h"
#include "base/log.h"
#include "hub/download/blob_lock.h"
#include "hub/download/partial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PAUSES = 5, PIECE = 1 << 20, PATH_BYTES = 4096 };

struct run {
    const struct xl_transfer *transfer;
    struct xl_partial partial;
    struct xl_blob_hash *hash; /* of the bytes in the partial */
    struct xl_retry retry;
    int64_t furthest; /* a server that sends the same beginning again and again does not get on */
    bool is_beyond;   /* more came than the file has */
    /* Why a function of the request said stop; XL_OK: it did not. */
    enum xl_status failure;
    struct xl_err why;
};

static bool goes_on(void *user) {
    const struct run *run = user;
    return run->transfer->goes_on(run->transfer->user);
}

static void tell(const struct run *run) {
    run->transfer->progress(run->transfer->user, run->partial.size);
}

/* --- Bytes -------------------------------------------------------------------------------------
 */

static void new_hash(struct run *run) {
    const struct xl_repo_file *file = run->transfer->file;
    xl_blob_hash_free(run->hash);
    run->hash = xl_blob_hash_new(file->blob, file->size);
}

static enum xl_status restart(struct run *run, struct xl_err *err) {
    new_hash(run);
    run->is_beyond = false;
    enum xl_status status = xl_partial_restart(&run->partial, err);
    tell(run);
    return status;
}

/* What an earlier download left goes into the digest, too. */
static enum xl_status hash_partial(struct run *run, struct xl_err *err) {
    char *piece = malloc(PIECE);
    if (!piece) return xl_fail_nomem(err, "a download", PIECE);
    enum xl_status status = XL_OK;
    new_hash(run);
    for (int64_t at = 0; !status && at < run->partial.size;) {
        int64_t left = run->partial.size - at;
        ssize_t n = pread(run->partial.fd, piece, left < PIECE ? (size_t)left : PIECE, at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            status = restart(run, err);
            break;
        }
        xl_blob_hash_add(run->hash, piece, (size_t)n);
        at += n;
        if (!goes_on(run)) status = XL_ECANCELLED;
    }
    free(piece);
    tell(run);
    return status;
}

/* A server that knows no ranges sends all; one that sends another part than was asked for is not
 * believed. */
static bool on_begin(void *user, const struct xl_http_answer *answer) {
    struct run *run = user;
    int64_t size = run->transfer->file->size;
    bool is_whole = answer->code == 200;
    bool fits = answer->range_from == run->partial.size && answer->range_total == size;
    if (is_whole && run->partial.size) run->failure = restart(run, &run->why);
    if (!is_whole && !fits)
        run->failure = xl_fail(&run->why, XL_ENETWORK,
                               "the hub sent another part of %s than was asked for",
                               run->transfer->file->path);
    return !run->failure;
}

static bool on_data(void *user, const void *bytes, size_t n) {
    struct run *run = user;
    run->is_beyond = (int64_t)n > run->transfer->file->size - run->partial.size;
    if (run->is_beyond) return false;
    run->failure = xl_partial_write(&run->partial, bytes, n, &run->why);
    if (run->failure) return false;
    xl_blob_hash_add(run->hash, bytes, n);
    if (run->partial.size > run->furthest) {
        run->furthest = run->partial.size;
        run->retry.n = 0;
    }
    tell(run);
    return goes_on(run);
}

/* --- Requests ----------------------------------------------------------------------------------
 */

/* Ask once for what is missing. */
static enum xl_status ask(struct run *run, const char *url, struct xl_http_answer *answer,
                          struct xl_err *err) {
    const struct xl_transfer *t = run->transfer;
    const struct xl_http_request request = {.url = url,
                                            .token = t->endpoint->token,
                                            .from = run->partial.size,
                                            .timeout_s = t->endpoint->timeout_s,
                                            .begin = on_begin,
                                            .data = on_data,
                                            .goes_on = goes_on,
                                            .user = run};
    run->failure = XL_OK;
    enum xl_status status = xl_http_get(t->http, &request, answer, err);
    if (!run->failure) return run->is_beyond ? XL_OK : status; /* the digest tells */
    if (err) *err = run->why;
    return run->failure;
}

/* An answer, or none, after which some bytes are still missing: XL_OK to ask again. */
static enum xl_status judge(struct run *run, enum xl_status status,
                            const struct xl_http_answer *answer, struct xl_err *err) {
    const struct xl_transfer *t = run->transfer;
    const struct xl_question question = {t->endpoint, t->id, t->commit, t->file->path};
    if (status && status != XL_ENETWORK) return status;
    bool is_refused = !status && answer->code >= 300;
    if (!status && answer->code == 416 && run->partial.size) return restart(run, err);
    if (!status && !is_refused)
        status = xl_fail(err, XL_ENETWORK, "the connection ended %lld bytes before the file",
                         (long long)(t->file->size - run->partial.size));
    if (xl_retry_pause(&run->retry, is_refused ? XL_OK : status, answer)) {
        xl_info("%s: again from byte %lld", t->file->path, (long long)run->partial.size);
        return XL_OK;
    }
    if (!goes_on(run)) return XL_ECANCELLED;
    if (is_refused) return xl_fail_answer(&question, answer, err);
    return xl_fail_context(err, status, "%s/%s", t->id, t->file->path);
}

/* Ask until the partial is as long as the file. */
static enum xl_status fill(struct run *run, const char *url, struct xl_err *err) {
    enum xl_status status = XL_OK;
    while (!status && !run->is_beyond && run->partial.size < run->transfer->file->size) {
        struct xl_http_answer answer;
        status = ask(run, url, &answer, err);
        bool is_whole = run->is_beyond || run->partial.size == run->transfer->file->size;
        if (is_whole && (!status || status == XL_ENETWORK)) return XL_OK;
        status = judge(run, status, &answer, err);
    }
    return status;
}

/* Fill the partial and compare its digest. *is_right: the same; if not it is empty again. */
static enum xl_status fill_and_check(struct run *run, const char *url, bool *is_right,
                                     char hex[XL_BLOB_HASH_HEX], struct xl_err *err) {
    enum xl_status status = fill(run, url, err);
    if (status) return status;
    status = xl_blob_hash_end(run->hash, hex, err);
    run->hash = NULL;
    *is_right = !run->is_beyond && !strcmp(hex, run->transfer->file->blob);
    if (run->is_beyond) strcpy(hex, "of more bytes than the file has");
    run->furthest = 0;
    return status || *is_right ? status : restart(run, err);
}

static enum xl_status download(struct run *run, const char *url, struct xl_err *err) {
    const struct xl_repo_file *file = run->transfer->file;
    char hex[XL_BLOB_HASH_HEX];
    bool is_right = false;
    enum xl_status status = hash_partial(run, err);
    for (int i = 0; !status && !is_right; i++) {
        status = fill_and_check(run, url, &is_right, hex, err);
        if (status || is_right) break;
        if (i) {
            return xl_fail(
                err, XL_ENETWORK,
                "%s/%s: what the hub sent has digest %s, expected %s; it was sent twice "
                "and none of it is kept: try again later, or tell the repository's owner",
                run->transfer->id, file->path, hex, file->blob);
        }
        xl_warn("%s: what came has digest %.16s..., expected %.16s...; it is downloaded again",
                file->path, hex, file->blob);
    }
    return status ? status : xl_partial_finish(&run->partial, run->transfer->store, file, err);
}

enum xl_status xl_transfer_run(const struct xl_transfer *transfer, bool *was_there,
                               struct xl_err *err) {
    struct run run = {.transfer = transfer, .partial = {.fd = -1}};
    const struct xl_store *store = transfer->store;
    struct xl_blob_lock *lock = NULL;
    struct xl_arena arena = {0};
    char path[PATH_BYTES];
    bool waited;
    run.retry = (struct xl_retry){.most = MOST_PAUSES, .goes_on = goes_on, .user = &run};
    const char *url = xl_endpoint_file_url(transfer->endpoint, transfer->id, transfer->commit,
                                           transfer->file->path, &arena);
    if (!url) return xl_fail_nomem(err, "an address", 0);
    snprintf(path, sizeof path, "%s/%s.lock", store->locks, transfer->file->blob);
    enum xl_status status = xl_blob_lock_take(path, goes_on, &run, &lock, &waited, err);
    *was_there = !status && xl_store_state(store, transfer->commit, transfer->file);
    if (!status && !*was_there) {
        status = xl_partial_open(store, transfer->file, &run.partial, err);
        if (!status) status = download(&run, url, err);
        xl_partial_close(&run.partial);
    }
    xl_blob_lock_release(lock);
    xl_blob_hash_free(run.hash);
    xl_arena_deinit(&arena);
    return status;
}
