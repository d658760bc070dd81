/* ask.h - what a call of OpenAI's API asks for: its fields, checked, as settings of a job and what
 * else the answer depends on. A key that is none of their fields is a setting of the option table.
 */
#ifndef XL_HTTP_OPENAI_ASK_H
#define XL_HTTP_OPENAI_ASK_H

#include "http/api/sent_picture.h"
#include "http/reply.h"

struct xl_openai_ask {
    json_t *settings; /* of the job; owned */
    bool is_own;      /* there are settings among them that their API does not have */
    bool is_edit, is_stream;
    bool wants_url, would_take_url; /* it was said; nothing was, and their API would give one */
    enum xl_sent_format format;
    int compression; /* quality of JPEG and WebP, 1 to 100 */
    int n, n_partial;
    const char *quality; /* as it was said; lives for ever */
    char size[24];       /* "128x128", as it was said; or "auto" */
};

/* Read the JSON or the form of a call. What was wrong is noted in the reply. An edit's init image
 * is not looked at. Errors: XL_EINVAL; XL_ENOMEM */
enum xl_status xl_openai_read(struct xl_call *call, struct xl_reply *reply, bool is_edit,
                              struct xl_openai_ask *out, struct xl_err *err) XL_CHECKED;
void xl_openai_ask_deinit(struct xl_openai_ask *ask);

/* Of the bodies, for OpenAPI; NULL: out of memory. */
json_t *xl_openai_generate_schema(void);
json_t *xl_openai_edit_schema(void);

#endif
