/* openai.h - OpenAI's image API: its routes, with the names and errors that its clients expect, as
 * jobs of the queue. docs/SERVER.md says what is taken over and what is not.
 */
#ifndef XL_HTTP_OPENAI_OPENAI_H
#define XL_HTTP_OPENAI_OPENAI_H

#include "http/api/library.h"
#include "http/api/wait.h"
#include "http/route.h"

struct xl_openai {
    struct xl_queue *queue;
    struct xl_waits *waits;
    struct xl_library *library;
    bool has_token; /* who asks for a picture's address has to show one */
};

/* Lives as long as openai. */
struct xl_route_table xl_openai_table(const struct xl_openai *openai);

/* models.c */
xl_route_fn xl_openai_get_models, xl_openai_get_model;
/* images.c */
xl_route_fn xl_openai_generate, xl_openai_edit;

#endif
