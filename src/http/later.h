/* later.h - answers that come later: a call whose result somebody else will have (a job that is
 * being drawn) keeps no thread busy until then.
 *
 * The handler, of a route that says XL_ROUTE_SLOW, takes a `later`, hands it to whoever will know,
 * and returns XL_OK without filling in its reply; it does not touch call and reply any more. That
 * one fills in xl_later_reply and sends it, from any thread, exactly once. When the server stops it
 * answers 503 in place of those that have not been sent; they still have to be.
 */
#ifndef XL_HTTP_LATER_H
#define XL_HTTP_LATER_H

#include "http/reply.h"

struct xl_later; /* opaque */

/* NULL: out of memory. */
struct xl_later *xl_reply_later(struct xl_call *call);

/* What will be sent, to be filled in by one thread at a time. Types and headers have to live for
 * ever: the call's arena may be gone. */
struct xl_reply *xl_later_reply(struct xl_later *later);

/* Whether nobody waits for it any more: the client has closed its connection, or the server has
 * answered. Asked now and then, it says whether the work is still wanted. */
bool xl_later_is_gone(struct xl_later *later);

/* Send it: status and err are as a handler's. later is gone after this. */
void xl_later_send(struct xl_later *later, enum xl_status status, const struct xl_err *err);

#endif
