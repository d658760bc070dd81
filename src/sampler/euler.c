/* euler.c - Euler's method on the probability-flow ODE.
 *
 * With the derivative d = (x - x0) / sigma:  x' = x + (sigma' - sigma) d. Karras et al.,
 * "Elucidating the Design Space of Diffusion-Based Generative Models", algorithm 1 without its
 * second-order part. Source of the numbers: diffusers EulerDiscreteScheduler. */
#include "sampler/draft.h"

#include <math.h>

/* interpolation_type "log_linear": from one end of the training schedule to the other, and so one
 * sigma more than there are timesteps. */
static void space_log_linear(struct xl_draft *draft) {
    struct xl_schedule *schedule = draft->schedule;
    float top = logf(draft->train_sigmas[draft->config->n_train - 1]);
    float bottom = logf(draft->train_sigmas[0]);
    schedule->n_sigmas = draft->steps + 1;
    for (int i = 0; i < schedule->n_sigmas; i++)
        schedule->sigmas[i] = (double)expf(xl_linspace_f32(top, bottom, schedule->n_sigmas, i));
}

static enum xl_status space(struct xl_draft *draft, struct xl_err *err) {
    (void)err;
    const struct xl_scheduler_config *config = draft->config;
    struct xl_schedule *schedule = draft->schedule;
    xl_space_timesteps(draft, (struct xl_spacing_rule){draft->steps, config->n_train, false});
    if (config->log_interpolation)
        space_log_linear(draft);
    else
        xl_interpolate_sigmas(draft);
    if (config->sigma_spacing != XL_SIGMA_PLAIN)
        xl_respace_sigmas(draft, schedule->sigmas[0], schedule->sigmas[schedule->n_sigmas - 1]);
    bool is_zero = config->final_sigma == XL_FINAL_SIGMA_ZERO;
    xl_append_sigma(draft, is_zero ? 0 : (double)draft->train_sigmas[0]);
    if (config->continuous_timesteps && config->prediction == XL_PREDICT_V) {
        schedule->n_timesteps = schedule->n_sigmas - 1;
        for (int i = 0; i < schedule->n_timesteps; i++)
            schedule->timesteps[i] = 0.25 * log(schedule->sigmas[i]);
    }
    return XL_OK;
}

static void fill(const struct xl_draft *draft, int i, struct xl_step *step) {
    struct xl_slope d = xl_slope_at(draft, xl_sigma_at(draft, i));
    double dt = (double)xl_sigma_at(draft, i + 1) - (double)xl_sigma_at(draft, i);
    step->coef[XL_SRC_BASE] = (float)(1 + dt * d.x);
    step->coef[XL_SRC_OUT] = (float)(dt * d.out);
}

const struct xl_sampler_class xl_class_euler = {
    .name = "EulerDiscreteScheduler",
    .family = XL_FAMILY_SIGMA,
    .keys = XL_KEYS_BETAS | XL_KEYS_SIGMAS | XL_KEYS_FINAL_SIGMA | XL_KEYS_ZERO_SNR | XL_KEYS_EULER,
    .takes_sample = true,
    .order = 1,
    .space = space,
    .fill = fill,
};
