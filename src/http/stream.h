/* stream.h - an answer that is written bit by bit, for one client (events.h has streams that many
 * follow).
 *
 * The handler takes a stream and hands it to whoever will write, who ends it exactly once, from any
 * thread. What is written waits in memory until the client takes it; nobody waits for the client.
 */
#ifndef XL_HTTP_STREAM_H
#define XL_HTTP_STREAM_H

#include "http/reply.h"

struct xl_stream; /* opaque */

/* Make the reply a stream of server-sent events. *out: to be ended, also where the handler fails
 * after this. Errors: XL_ENOMEM */
enum xl_status xl_reply_stream(struct xl_call *call, struct xl_reply *reply, struct xl_stream **out,
                               struct xl_err *err) XL_CHECKED;

/* Write an event. name: its type, a word; data: text without line ends (JSON). Both are copied.
 * Out of memory: the stream breaks off, and the client is gone. */
void xl_stream_event(struct xl_stream *stream, const char *name, const char *data);

/* Whether the client has closed its connection. Asked now and then it also keeps a silent stream
 * open, with a comment every XL_EVENTS_COMMENT_S seconds. */
bool xl_stream_is_gone(struct xl_stream *stream);

/* The client gets what was written, and the end. stream is gone after this. */
void xl_stream_end(struct xl_stream *stream);

#endif
