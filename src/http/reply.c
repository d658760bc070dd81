/* reply.c - filling in replies; ETags and ranges of files. Keeps no state. */
#include "http/reply.h"

#include "base/json.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- What is sent ----------------------------------------------------------------------------- */

static void let_go(struct xl_reply *reply) {
    if (reply->kind == XL_REPLY_TEXT || reply->kind == XL_REPLY_EVENTS) free(reply->text);
    if (reply->kind == XL_REPLY_FILE && reply->fd >= 0) close(reply->fd);
    if (reply->kind == XL_REPLY_STREAM) xl_stream_leave(reply->stream);
    reply->kind = XL_REPLY_EMPTY;
    reply->text = NULL;
    reply->n = 0;
}

void xl_reply_deinit(struct xl_reply *reply) {
    let_go(reply);
}

enum xl_status xl_reply_json(struct xl_reply *reply, int code, json_t *document,
                             struct xl_err *err) {
    char *text = document ? xl_json_dump(document, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(document);
    if (!text) return xl_fail_nomem(err, "an answer", 0);
    xl_reply_text(reply, NULL, text, strlen(text));
    reply->code = code;
    return XL_OK;
}

void xl_reply_text(struct xl_reply *reply, const char *type, char *text, size_t n) {
    let_go(reply);
    reply->kind = XL_REPLY_TEXT;
    reply->type = type;
    reply->text = text;
    reply->n = n;
}

void xl_reply_kept(struct xl_reply *reply, const char *type, const char *bytes, size_t n) {
    let_go(reply);
    reply->kind = XL_REPLY_KEPT;
    reply->type = type;
    reply->kept = bytes;
    reply->n = n;
}

void xl_reply_empty(struct xl_reply *reply, int code) {
    let_go(reply);
    reply->code = code ? code : 204;
}

void xl_reply_header(struct xl_reply *reply, const char *name, const char *value) {
    if (reply->n_headers < XL_REPLY_HEADERS_MAX && value)
        reply->headers[reply->n_headers++] = (struct xl_pair){name, value};
}

/* --- Failures --------------------------------------------------------------------------------- */

void xl_reply_retry(struct xl_call *call, struct xl_reply *reply, int seconds) {
    const char *text = xl_arena_printf(&call->arena, "%d", seconds);
    if (text) xl_reply_header(reply, "Retry-After", text);
}

enum xl_status xl_reply_refuse(struct xl_reply *reply, int code, struct xl_err *err,
                               const char *format, ...) {
    char sentence[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    reply->code = code;
    return xl_fail(err, XL_EINVAL, "%s", sentence);
}

enum xl_status xl_reply_about(struct xl_reply *reply, const char *field, enum xl_status status) {
    if (status) reply->field = field;
    return status;
}

int xl_status_code(enum xl_status status) {
    switch (status) {
    case XL_OK:
        return 200;
    case XL_EINVAL:
    case XL_EINPUT:
    case XL_EMODEL:
    case XL_EFORMAT:
        return 422;
    case XL_EDISK:
        return 507;
    case XL_EYIELD: /* so many wait already */
        return 429;
    case XL_ENOMEM:
    case XL_EDEVICE:
    case XL_ECANCELLED:
        return 503;
    default:
        return 500;
    }
}

const char *xl_code_name(int code) {
    static const struct {
        int code;
        const char *name;
    } names[] = {
        {400, "MALFORMED"}, {401, "NO_TOKEN"},   {403, "FORBIDDEN"}, {404, "NOT_FOUND"},
        {405, "NO_METHOD"}, {409, "CONFLICT"},   {410, "GONE"},      {413, "TOO_LARGE"},
        {414, "TOO_LARGE"}, {415, "WRONG_TYPE"}, {416, "NO_RANGE"},  {429, "TOO_MANY"},
        {431, "TOO_LARGE"}, {503, "BUSY"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code) return names[i].name;
    return NULL;
}

json_t *xl_problem_object(const struct xl_problem *problem) {
    json_t *object = json_object(), *error = json_object();
    bool ok = object && error;
    xl_json_put(error, "status", json_string(problem->name), &ok);
    xl_json_put(error, "message", xl_json_text(problem->sentence), &ok);
    if (problem->field) xl_json_put(error, "field", xl_json_text(problem->field), &ok);
    xl_json_put(object, "error", error, &ok);
    return xl_json_finish(object, ok);
}

/* --- Files ------------------------------------------------------------------------------------ */

const char *xl_type_of_name(const char *name) {
    static const char *const types[][2] = {
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".webp", "image/webp"},
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".ico", "image/x-icon"},
        {".txt", "text/plain; charset=utf-8"},
        {".webmanifest", "application/manifest+json"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (xl_ends_with(name, types[i][0])) return types[i][1];
    return "application/octet-stream";
}

/* If-None-Match is a list, or "*". Weak and strong tags are the same here. */
bool xl_call_has_etag(const struct xl_call *call, const char *etag) {
    const char *list = call->headers.if_none_match;
    size_t n = strlen(etag);
    if (!list) return false;
    if (!strcmp(list, "*")) return true;
    while (*list) {
        list += strspn(list, " ,\t");
        if (!strncmp(list, "W/", 2)) list += 2;
        size_t length = strcspn(list, ",");
        while (length && strchr(" \t", list[length - 1])) length--;
        if (length == n && !strncmp(list, etag, n)) return true;
        list += strcspn(list, ",");
    }
    return false;
}

/* "bytes=FIRST-LAST", "bytes=FIRST-", "bytes=-LENGTH" of n bytes. 0: it is no range that is
 * understood, and counts for nothing; 206 first and length set; 416 it lies outside. */
static int read_range(const char *text, int64_t n, int64_t *first, int64_t *length) {
    char *end;
    if (!text || strncmp(text, "bytes=", 6) != 0 || strchr(text, ',')) return 0;
    text += 6;
    bool is_suffix = *text == '-';
    if (!is_suffix && (*text < '0' || *text > '9')) return 0;
    long long a = is_suffix ? 0 : strtoll(text, &end, 10), b = n - 1;
    if (is_suffix) {
        if (text[1] < '0' || text[1] > '9') return 0;
        b = strtoll(text + 1, &end, 10);
        if (*end) return 0;
        if (!b) return 416;
        a = b < n ? n - b : 0;
        b = n - 1;
    } else {
        if (*end++ != '-') return 0;
        if (*end) {
            if (*end < '0' || *end > '9') return 0;
            b = strtoll(end, &end, 10);
            if (*end || b < a) return 0;
        }
    }
    if (a >= n) return 416;
    if (b >= n) b = n - 1;
    *first = a;
    *length = b - a + 1;
    return 206;
}

static const char *etag_of(struct xl_call *call, const struct stat *st) {
    return xl_arena_printf(&call->arena, "\"%llx-%llx-%llx\"", (unsigned long long)st->st_ino,
                           (unsigned long long)st->st_size,
                           (unsigned long long)st->st_mtim.tv_sec * 1000000000u +
                               (unsigned long long)st->st_mtim.tv_nsec);
}

static enum xl_status take_range(struct xl_call *call, struct xl_reply *reply, const char *etag,
                                 struct xl_err *err) {
    int64_t size = (int64_t)reply->n, first = 0, length = size;
    const char *if_range = call->headers.if_range;
    bool counts = !if_range || !strcmp(if_range, etag);
    int code = counts ? read_range(call->headers.range, size, &first, &length) : 0;
    if (!code) return XL_OK;
    const char *where =
        code == 416 ? xl_arena_printf(&call->arena, "bytes */%lld", (long long)size)
                    : xl_arena_printf(&call->arena, "bytes %lld-%lld/%lld", (long long)first,
                                      (long long)(first + length - 1), (long long)size);
    if (!where) return xl_fail_nomem(err, "an answer", 0);
    xl_reply_header(reply, "Content-Range", where);
    if (code == 416)
        return xl_reply_refuse(reply, 416, err, "the range %.60s lies outside of %lld bytes",
                               call->headers.range, (long long)size);
    reply->code = 206;
    reply->offset = first;
    reply->n = (size_t)length;
    return XL_OK;
}

enum xl_status xl_reply_file(struct xl_call *call, struct xl_reply *reply,
                             const struct xl_reply_file *file, struct xl_err *err) {
    struct stat st;
    let_go(reply);
    reply->kind = XL_REPLY_FILE;
    reply->fd = file->fd;
    reply->offset = 0;
    reply->type = file->type;
    if (fstat(file->fd, &st) || !S_ISREG(st.st_mode))
        return xl_fail(err, XL_EINPUT, "this is no regular file");
    reply->n = (size_t)st.st_size;
    const char *etag = file->etag ? file->etag : etag_of(call, &st);
    if (!etag) return xl_fail_nomem(err, "an answer", 0);
    xl_reply_header(reply, "ETag", etag);
    xl_reply_header(reply, "Cache-Control",
                    file->is_immutable ? "private, max-age=31536000, immutable"
                                       : "private, no-cache");
    if (xl_call_has_etag(call, etag)) {
        xl_reply_empty(reply, 304);
        return XL_OK;
    }
    xl_reply_header(reply, "Accept-Ranges", "bytes");
    return take_range(call, reply, etag, err);
}
