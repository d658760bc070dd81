/* denoise.h - the sampling loop as a plan: one run is one step of any sampler, for all pictures of
 * a batch. Latents, history and the number of the step stay where the model computes. */
#ifndef XL_MODEL_DENOISE_H
#define XL_MODEL_DENOISE_H

#include "model/unet.h"

struct xl_denoise_shape {
    struct xl_unet_shape unet; /* n: of the UNet's samples */
    int batch;                 /* pictures; the UNet sees twice as many with guidance */
    int n_steps;               /* rows of the table */
    int n_history;             /* slots; may be 0 */
    int n_noise;               /* steps that draw noise; may be 0 */
};

/* With p for one picture's [height, width, in_channels]; values that a shape does without are 0. */
struct xl_denoise_io {
    xl_val x;                      /* state, f32 [batch, p] */
    xl_val counter;                /* state, i32 [1]: the step that the next run makes */
    xl_val flag;                   /* state, i32 [1]: 1 + the first step whose x is no number */
    xl_val steps;                  /* f32 [n_steps, XL_N_STEP_COLUMNS], per prompt */
    xl_val noise;                  /* f32 [n_noise, numbers of x], per prompt */
    xl_val guidance;               /* f32 [2], per prompt: scale and rescale */
    xl_val text, pooled, time_ids; /* as in xl_unet_io */
};

/* Runs end when the flag is set. The plan is the caller's: xl_plan_free. Errors: see xl_unet_build
 */
enum xl_status xl_denoise_build(const struct xl_unet_config *config, struct xl_source source,
                                struct xl_denoise_shape shape, struct xl_denoise_io *io,
                                struct xl_plan **plan, struct xl_err *err) XL_CHECKED;

#endif
