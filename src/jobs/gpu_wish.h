/* gpu_wish.h - what settings say about GPUs, as src/gpu takes it.
 */
#ifndef XL_JOBS_GPU_WISH_H
#define XL_JOBS_GPU_WISH_H

#include "gpu/card.h"
#include "lab/settings/gpus_text.h"
#include "lab/settings/settings.h"

/* Which are wanted, when one is idle, where it is locked, how long to wait. wish points into said
 * and uuids: the struct stays where it is. */
struct xl_gpu_wish {
    struct xl_gpus_said said;
    const char *uuids[XL_GPUS_SAID_MAX];
    struct xl_card_wish wish;
    struct xl_card_wait wait;
};

/* goes_on: asked while waiting and between samples; NULL: always. Without settings->gpus any one
 * GPU is wanted. Errors: XL_EINVAL */
enum xl_status xl_gpu_wish_read(const struct xl_settings *settings, bool (*goes_on)(void *user),
                                void *user, struct xl_gpu_wish *out, struct xl_err *err) XL_CHECKED;

#endif
