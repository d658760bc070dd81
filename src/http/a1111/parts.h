/* parts.h - what the files of this folder share.
 */
#ifndef XL_HTTP_A1111_PARTS_H
#define XL_HTTP_A1111_PARTS_H

#include "http/a1111/a1111.h"
#include "http/a1111/fields.h"
#include "http/later.h"

#include <pthread.h>

/* A call that waits for its job; after a skip for another one, which draws the rest. */
struct xl_a1111_call {
    struct xl_a1111 *a1111;
    struct xl_later *later;
    char client[48];
    bool is_img2img, sends_images;
    int batch_size, n_iter, steps;
    uint64_t seed;       /* of the first picture */
    const char *sampler; /* that program's name for it; lives for ever */
    json_t *echo;        /* of the request */
    json_t *settings;    /* of its job */
    json_t *pictures;    /* of the jobs that have ended, as a job has them */
    struct xl_a1111_call *before, *next;
    /* Guarded by the mutex: */
    char id[XL_JOB_ID];
    int n_behind; /* iterations before those of the job */
    bool is_skipped;
};

struct xl_a1111 {
    struct xl_a1111_params params;
    const struct xl_settings *settings; /* of the server */
    pthread_mutex_t mutex;              /* guards what follows */
    json_t *options;                    /* that somebody has set */
    struct xl_a1111_call *calls;        /* the oldest first */
    int64_t most_used_bytes;            /* of the GPU's memory, of what was looked at */
};

/* calls.c: the list. */
void xl_a1111_call_add(struct xl_a1111 *a1111, struct xl_a1111_call *call);
void xl_a1111_call_remove(struct xl_a1111_call *call);
void xl_a1111_call_free(struct xl_a1111_call *call); /* NULL is fine; `later` is not its own */
/* Note that it is skipped, or no more: the call whose job this is. */
void xl_a1111_call_mark(struct xl_a1111 *a1111, const char *id, bool is_skipped);
/* Whether it was skipped; from here on it was not. */
bool xl_a1111_call_take_mark(struct xl_a1111_call *call);
/* It waits for another job, n iterations further. */
void xl_a1111_call_move(struct xl_a1111_call *call, const char id[XL_JOB_ID], int n);
/* A copy of the one that is drawn, of those of a client (NULL: of anybody) the oldest; else of the
 * oldest that waits. What the copy points to is NULL. *job: as xl_queue_job has it, the caller's.
 * false: there is none */
bool xl_a1111_call_at_work(struct xl_a1111 *a1111, const char *client, struct xl_a1111_call *out,
                           json_t **job);

/* names.c: the models that can be drawn with, by the names that clients have for them. */
struct xl_a1111_model {
    const char *key;    /* here */
    const char *title;  /* "KEY [0123456789]", or KEY */
    const char *sha256; /* of its UNet; NULL: not known */
    const char *hash;   /* the first ten digits; NULL */
    const char *repo;
};
struct xl_a1111_models {
    const struct xl_a1111_model *list;
    int n;
};
/* In the arena. Errors: XL_EINPUT, XL_ENOMEM */
enum xl_status xl_a1111_models_read(const struct xl_a1111 *a1111, struct xl_arena *arena,
                                    struct xl_a1111_models *out, struct xl_err *err) XL_CHECKED;
/* By title, name, hash, repository, or what the file of another program's folder is called. NULL:
 * there is none. */
const struct xl_a1111_model *xl_a1111_model_find(const struct xl_a1111_models *models,
                                                 const char *name);

/* options.c: what is set, with what a request says instead (NULL: nothing), every option there is.
 * *out: the caller's. Errors: XL_EINVAL, with reply's field; XL_ENOMEM */
enum xl_status xl_a1111_options_read(struct xl_call *call, struct xl_reply *reply,
                                     const json_t *instead, json_t **out,
                                     struct xl_err *err) XL_CHECKED;
/* Keep members of what was read. */
enum xl_status xl_a1111_options_keep(struct xl_a1111 *a1111, const json_t *members,
                                     struct xl_err *err) XL_CHECKED;
/* Put what they mean into the settings of a job. Errors: XL_EINVAL a model that is not here */
enum xl_status xl_a1111_options_apply(struct xl_call *call, struct xl_reply *reply,
                                      const json_t *options, json_t *settings,
                                      struct xl_err *err) XL_CHECKED;

/* pictures.c: what a client sends as base64 or "data:image/...". *bytes: malloc'd. Errors:
 * XL_EINVAL */
enum xl_status xl_a1111_bytes_read(const char *text, struct xl_reply *reply, const char *field,
                                   void **bytes, size_t *n, struct xl_err *err) XL_CHECKED;

/* The picture that img2img begins from, among the uploads and in a job's settings. Errors:
 * XL_EINVAL none, several; those of xl_picture_clean */
enum xl_status xl_a1111_init_image_put(struct xl_call *call, struct xl_reply *reply,
                                       const json_t *fields, json_t *settings,
                                       struct xl_err *err) XL_CHECKED;

/* infotext.c: what a text "parameters" says, as that program reads it: {"Prompt": ..., "Steps":
 * "20", "Size-1": "512", ...}, and as fields of a request. NULL: out of memory */
json_t *xl_a1111_infotext_pairs(const char *text);
json_t *xl_a1111_infotext_fields(const char *text);

/* request.c: the fields of a call, checked and whole, and the job that they mean. */
struct xl_a1111_asked {
    json_t *fields, *settings;
    const char *sampler; /* that program's name for it; lives for ever */
    bool is_img2img;
};
enum xl_status xl_a1111_request_read(struct xl_call *call, struct xl_reply *reply, bool is_img2img,
                                     struct xl_a1111_asked *out, struct xl_err *err) XL_CHECKED;
void xl_a1111_request_deinit(struct xl_a1111_asked *asked);
json_t *xl_a1111_txt2img_schema(void); /* of what they take; NULL: out of memory */
json_t *xl_a1111_img2img_schema(void);
/* The field that a setting's sentence is about; NULL: none. */
const char *xl_a1111_field_of(const char *setting);

/* answer.c: images, parameters and info of a call whose last job has ended. Errors: XL_EDISK a
 * picture is gone; XL_EINPUT; XL_ENOMEM */
enum xl_status xl_a1111_answer(const struct xl_a1111_call *call, const json_t *job, json_t **out,
                               struct xl_err *err) XL_CHECKED;

/* Handlers: draw.c, progress.c, options.c, lists.c, machine.c, png_info.c; routes.c has
 * their rows */
xl_route_fn xl_a1111_txt2img, xl_a1111_img2img;
xl_route_fn xl_a1111_progress, xl_a1111_interrupt, xl_a1111_skip;
xl_route_fn xl_a1111_get_options, xl_a1111_set_options;
xl_route_fn xl_a1111_sd_models, xl_a1111_sd_vaes, xl_a1111_samplers, xl_a1111_schedulers,
    xl_a1111_styles, xl_a1111_loras, xl_a1111_embeddings;
xl_route_fn xl_a1111_memory, xl_a1111_flags, xl_a1111_scripts, xl_a1111_nothing, xl_a1111_done,
    xl_a1111_done_empty;
xl_route_fn xl_a1111_png_info;

#endif
