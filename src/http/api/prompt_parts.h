/* prompt_parts.h - what the files of prompt_api.h share: prompt_routes.c has the routes,
 * prompt_tokens.c counts, prompt_complete.c looks for what begins so, prompt_names.c knows the
 * names that there are.
 */
#ifndef XL_HTTP_API_PROMPT_PARTS_H
#define XL_HTTP_API_PROMPT_PARTS_H

#include "http/api/prompt_api.h"
#include "http/call.h"
#include "lab/run/model_files.h"

#include <pthread.h>

/* The tokenizers of the model that was asked about last. */
struct xl_prompt_encoders {
    char *name; /* the model and its revision, as they were asked for; NULL: none is open */
    struct xl_tokenizer *tokenizers[2];
    double opened_at;
};

enum xl_prompt_kind {
    XL_PROMPT_PROFILE,
    XL_PROMPT_LORA,
    XL_PROMPT_EMBEDDING,
    XL_PROMPT_WILDCARD,
    XL_PROMPT_KINDS,
};

/* Something that has a name: [n], in the arena. */
struct xl_prompt_name {
    enum xl_prompt_kind kind;
    const char *name, *about;
};
struct xl_prompt_names {
    struct xl_arena arena;
    struct xl_prompt_name *at;
    int n;
    double read_at; /* 0: not read */
};

struct xl_prompt_api {
    const struct xl_settings *settings;
    struct xl_queue *queue;
    struct xl_library *library;
    pthread_mutex_t mutex; /* for what follows */
    struct xl_prompt_encoders encoders;
    struct xl_prompt_names names;
};

/* "profile", "lora", "embedding", "wildcard" */
const char *xl_prompt_kind_name(enum xl_prompt_kind kind);

/* Bring the names up to date; with the mutex held. What cannot be read is left out.
 * Errors: XL_ENOMEM */
enum xl_status xl_prompt_names_refresh(const struct xl_settings *settings,
                                       struct xl_prompt_names *names,
                                       struct xl_err *err) XL_CHECKED;

enum xl_status xl_prompt_post_tokens(struct xl_call *call, struct xl_reply *reply,
                                     struct xl_err *err);
enum xl_status xl_prompt_get_complete(struct xl_call *call, struct xl_reply *reply,
                                      struct xl_err *err);

#endif
