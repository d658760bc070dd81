/* gpu_look.h - the GPUs of this host at one moment: what each does, and who has locked it.
 */
#ifndef XL_JOBS_GPU_LOOK_H
#define XL_JOBS_GPU_LOOK_H

#include "gpu/card.h"

#include <jansson.h>

/* A GPU, why it is not idle, and who has locked it. */
struct xl_gpu_report {
    const struct xl_gpu *gpu;
    const char *busy;  /* "": idle */
    const char *owner; /* of its lock; "": nobody */
};
bool xl_gpu_report_is_idle(const struct xl_gpu_report *report);

/* Everything of one look; zero-initialised, and taken again as often as is wanted. Large. */
struct xl_gpu_look {
    struct xl_idle *idle;
    char owners[XL_GPUS_MAX][XL_LOCK_OWNER];
    struct xl_gpu_report reports[XL_GPUS_MAX]; /* [idle->list.n] */
    enum xl_status hidden; /* why it is not known who has locked one; XL_OK: it is */
    struct xl_err why_hidden;
};

/* wish: when one is idle, and where it is locked. A folder of locks that cannot be read hides who
 * has what, and no more: whether that matters is the caller's to say. Errors: those of
 * xl_idle_watch */
enum xl_status xl_gpu_look_take(struct xl_gpus *gpus, const struct xl_card_wish *wish,
                                struct xl_gpu_look *look, struct xl_err *err) XL_CHECKED;
void xl_gpu_look_deinit(struct xl_gpu_look *look);

/* One, and {"source", "gpus": all of them}. NULL: out of memory. Caller: json_decref */
json_t *xl_gpu_describe(const struct xl_gpu_report *report);
json_t *xl_gpu_look_describe(const struct xl_gpus *gpus, const struct xl_gpu_look *look);

#endif
