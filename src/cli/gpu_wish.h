/* gpu_wish.h - what settings say about GPUs, as src/gpu takes it.
 */
#ifndef XL_CLI_GPU_WISH_H
#define XL_CLI_GPU_WISH_H

#include "gpu/card.h"
#include "lab/settings/settings.h"

/* When one is idle; a signal ends waiting. */
struct xl_idle_rule xl_gpu_rule(const struct xl_settings *settings);

/* How long to wait for one. */
struct xl_card_wait xl_gpu_wait(const struct xl_settings *settings);

#endif
