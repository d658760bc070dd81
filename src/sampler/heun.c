/* heun.c - Heun's method: an Euler step, then half of it again with the slope found there.
 *
 * First call:   d1 = (x - x0) / sigma,         x'  = x + dt d1,           dt = sigma' - sigma
 * Second call:  d2 = (x' - x0') / sigma',      x'' = x + dt (d1 + d2) / 2
 * The last step, to sigma 0, has no second call. Karras et al., "Elucidating the Design Space of
 * Diffusion-Based Generative Models", algorithm 1. Source of the numbers: diffusers
 * HeunDiscreteScheduler. */
#include "sampler/draft.h"

static void set_defaults(struct xl_scheduler_config *config) {
    config->beta_start = 0.00085;
    config->beta_end = 0.012;
}

/* Each but the first and the last entry twice, as the calls meet them. */
static void repeat_inner(double *values, int n, bool keeps_last) {
    int n_inner = keeps_last ? n - 2 : n - 1;
    if (keeps_last) values[2 * n_inner + 1] = values[n - 1];
    for (int i = n_inner; i >= 1; i--) values[2 * i - 1] = values[2 * i] = values[i];
}

static enum xl_status space(struct xl_draft *draft, struct xl_err *err) {
    (void)err;
    struct xl_schedule *schedule = draft->schedule;
    xl_space_timesteps(draft,
                       (struct xl_spacing_rule){draft->steps, draft->config->n_train, false});
    xl_interpolate_sigmas(draft);
    if (draft->config->sigma_spacing != XL_SIGMA_PLAIN)
        xl_respace_sigmas(draft, schedule->sigmas[0], schedule->sigmas[schedule->n_sigmas - 1]);
    xl_append_sigma(draft, 0);
    repeat_inner(schedule->sigmas, schedule->n_sigmas, true);
    repeat_inner(schedule->timesteps, schedule->n_timesteps, false);
    schedule->n_sigmas = 2 * schedule->n_sigmas - 2;
    schedule->n_timesteps = 2 * schedule->n_timesteps - 1;
    return XL_OK;
}

/* In x0 rather than in the model's output, because x0 may be clipped:
 * dt d1 = dt / sigma (x - x0). */
static void fill(const struct xl_draft *draft, int i, struct xl_step *step) {
    bool is_second = (i - draft->begin) % 2;
    double sigma = (double)xl_sigma_at(draft, is_second ? i - 1 : i);
    double sigma_next = (double)xl_sigma_at(draft, is_second ? i : i + 1);
    struct xl_slope d = xl_slope_at(draft, (float)(is_second ? sigma_next : sigma));
    double here = is_second ? sigma_next : sigma;
    double dt = sigma_next - sigma;
    step->convert_x = (float)(1 - here * d.x);
    step->convert_out = (float)(-here * d.out);
    step->clip = draft->config->clip_sample ? (float)draft->config->clip_range : 0;
    step->store_slot = xl_slot(draft, i);
    if (!is_second) {
        step->coef[XL_SRC_BASE] = (float)(1 + dt / sigma);
        step->coef[xl_source_of(draft, i)] = (float)(-dt / sigma);
        return;
    }
    /* saved: x before the first call */
    step->base_coef[XL_SRC_X] = (float)(dt / (2 * sigma_next));
    step->base_coef[XL_SRC_SAVED] = (float)(1 + dt / (2 * sigma));
    step->coef[XL_SRC_BASE] = 1;
    step->coef[xl_source_of(draft, i - 1)] = (float)(-dt / (2 * sigma));
    step->coef[xl_source_of(draft, i)] = (float)(-dt / (2 * sigma_next));
}

const struct xl_sampler_class xl_class_heun = {
    .name = "HeunDiscreteScheduler",
    .family = XL_FAMILY_SIGMA,
    .keys = XL_KEYS_BETAS | XL_KEYS_SIGMAS | XL_KEYS_CLIP,
    .takes_sample = true,
    .order = 2,
    .set_defaults = set_defaults,
    .space = space,
    .fill = fill,
};
