/* answer.h - what a call of OpenAI's API gets when its job has ended, at once or in a stream.
 */
#ifndef XL_HTTP_OPENAI_ANSWER_H
#define XL_HTTP_OPENAI_ANSWER_H

#include "http/api/wait.h"
#include "http/later.h"
#include "http/openai/ask.h"
#include "http/stream.h"

/* A call that waits: it owns all of this, and one thread at a time has it. */
struct xl_openai_wait {
    struct xl_queue *queue;
    struct xl_openai_ask ask;
    char id[XL_JOB_ID];
    char *base_url;           /* of this server as the client sees it; NULL: none is wanted */
    struct xl_later *later;   /* one of them */
    struct xl_stream *stream; /* ask.is_stream */
    int n_sent, n_steps;      /* pictures on their way that were sent; steps of the job */
    int64_t preview;          /* the number of the last of them */
};

/* Of struct xl_wait; user: a struct xl_openai_wait, which ends with xl_openai_wait_end. */
bool xl_openai_wait_is_gone(void *user);
void xl_openai_wait_event(void *user, const char *type, const json_t *data);
void xl_openai_wait_end(void *user, json_t *job);

/* Without an answer. */
void xl_openai_wait_free(struct xl_openai_wait *wait);

#endif
