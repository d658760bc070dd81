/* reply.h - what a handler answers. Zero-initialised; the functions here fill it in, the server
 * sends it. Every answer gets the headers of docs/SERVER.md (content security policy, nosniff,
 * ...).
 */
#ifndef XL_HTTP_REPLY_H
#define XL_HTTP_REPLY_H

#include "http/call.h"

enum xl_reply_kind {
    XL_REPLY_EMPTY,
    XL_REPLY_TEXT,   /* text, n bytes, malloc'd */
    XL_REPLY_KEPT,   /* bytes that live as long as the server */
    XL_REPLY_FILE,   /* fd, from offset, n bytes */
    XL_REPLY_EVENTS, /* a stream of events (events.h) */
    XL_REPLY_STREAM, /* an answer that is written bit by bit (stream.h) */
};

enum { XL_REPLY_HEADERS_MAX = 8 };

struct xl_events;
struct xl_stream;

struct xl_reply {
    int code; /* 0: 200 */
    enum xl_reply_kind kind;
    const char *type; /* Content-Type; NULL: JSON */
    char *text;
    const char *kept;
    size_t n;
    int fd;
    int64_t offset;
    struct xl_events *events;
    struct xl_stream *stream;
    const char *name;  /* of a problem, "NOT_FOUND"; NULL: what code and status stand for */
    const char *field; /* a failure is about this parameter or key; NULL: none */
    struct xl_pair headers[XL_REPLY_HEADERS_MAX];
    int n_headers;
};

/* A document; its reference is taken over, also on failure. code 0: 200. document NULL: memory was
 * out when it was built. Errors: XL_ENOMEM */
enum xl_status xl_reply_json(struct xl_reply *reply, int code, json_t *document,
                             struct xl_err *err) XL_CHECKED;

/* n bytes that are malloc'd and become the reply's. type lives as long as the request. */
void xl_reply_text(struct xl_reply *reply, const char *type, char *text, size_t n);
/* n bytes that live as long as the server. */
void xl_reply_kept(struct xl_reply *reply, const char *type, const char *bytes, size_t n);
/* Nothing: 204, or a code of its own. */
void xl_reply_empty(struct xl_reply *reply, int code);

/* A header; both texts live as long as the request (its arena) or longer. */
void xl_reply_header(struct xl_reply *reply, const char *name, const char *value);

/* Say when it is worth trying again, in seconds. */
void xl_reply_retry(struct xl_call *call, struct xl_reply *reply, int seconds);

/* Fail with a code of HTTP: `return xl_reply_refuse(reply, 404, err, "no job %s", id);`. Returns
 * XL_EINVAL. */
enum xl_status xl_reply_refuse(struct xl_reply *reply, int code, struct xl_err *err,
                               const char *format, ...) XL_PRINTF(4, 5);
/* A failure is about this parameter, or key of the body; it has to live as long as the request.
 * Returns status. */
enum xl_status xl_reply_about(struct xl_reply *reply, const char *field, enum xl_status status);

/* The regular file of a descriptor, which becomes the reply's, also on failure: whole or the part
 * that the request's Range wants (206, 416), or 304 when the client has it. etag: in quotes, or
 * NULL: from size and time. is_immutable: this address never means other bytes. Errors: XL_EINPUT
 * no regular file */
struct xl_reply_file {
    int fd;
    const char *type, *etag;
    bool is_immutable;
};
enum xl_status xl_reply_file(struct xl_call *call, struct xl_reply *reply,
                             const struct xl_reply_file *file, struct xl_err *err) XL_CHECKED;

/* Whether the client has what this ETag stands for (304 then). */
bool xl_call_has_etag(const struct xl_call *call, const char *etag);

/* What a status is as a code of HTTP: 422 for what was asked wrongly, 503 and 507 for what may work
 * later, 500. */
int xl_status_code(enum xl_status status);
/* "NOT_FOUND"; of 422 and 5xx NULL: the status has a name. */
const char *xl_code_name(int code);
/* {"error": {"status", "message", "field"}} */
json_t *xl_problem_object(const struct xl_problem *problem);

/* The type of a file by its name's ending; application/octet-stream where it has none that we
 * serve. */
const char *xl_type_of_name(const char *name);

void xl_reply_deinit(struct xl_reply *reply);
/* stream.c: the request of a stream has ended. */
void xl_stream_leave(struct xl_stream *stream);

#endif
