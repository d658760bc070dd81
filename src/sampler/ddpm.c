/* ddpm.c - ancestral sampling: the mean and variance of x' given x and the x0 that is predicted.
 *
 * With a = alphas_cumprod at t, a' at the next timestep (1 after the last) and b = 1 - a / a':
 *   x' = sqrt(a') b / (1 - a) x0 + sqrt(a / a') (1 - a') / (1 - a) x + s noise
 * fixed_small: s^2 = (1 - a') / (1 - a) b; fixed_large: s^2 = b. Ho et al., "Denoising Diffusion
 * Probabilistic Models", equations 6 and 7. Source of the numbers: diffusers DDPMScheduler. */
#include "sampler/draft.h"

#include <math.h>

static void set_defaults(struct xl_scheduler_config *config) {
    config->spacing = XL_SPACING_LEADING;
    config->clip_sample = true;
}

static enum xl_status space(struct xl_draft *draft, struct xl_err *err) {
    (void)err;
    xl_space_timesteps(draft, (struct xl_spacing_rule){draft->steps, draft->config->n_train, true});
    return XL_OK;
}

static void fill(const struct xl_draft *draft, int i, struct xl_step *step) {
    const struct xl_scheduler_config *config = draft->config;
    int t = xl_timestep_at(draft, i);
    bool is_last = i == draft->schedule->n_timesteps - 1;
    float a = draft->alphas_cumprod[t];
    float a_next = is_last ? 1 : draft->alphas_cumprod[xl_timestep_at(draft, i + 1)];
    float b = 1.0f - a / a_next;
    xl_convert_to_x0(draft, xl_level_of_alpha(a), step);
    step->clip = config->clip_sample ? (float)config->clip_range : 0;
    step->store_slot = xl_slot(draft, i);
    step->coef[xl_source_of(draft, i)] = sqrtf(a_next) * b / (1.0f - a);
    step->coef[XL_SRC_BASE] = sqrtf(a / a_next) * (1.0f - a_next) / (1.0f - a);
    if (t == 0) return;
    float small = fmaxf((1.0f - a_next) / (1.0f - a) * b, 1e-20f);
    step->coef[XL_SRC_NOISE] = sqrtf(config->variance == XL_VARIANCE_FIXED_LARGE ? b : small);
    step->uses_noise = true;
}

const struct xl_sampler_class xl_class_ddpm = {
    .name = "DDPMScheduler",
    .family = XL_FAMILY_ALPHA,
    .keys = XL_KEYS_BETAS | XL_KEYS_CLIP | XL_KEYS_ZERO_SNR | XL_KEYS_DDPM | XL_KEYS_THRESHOLD,
    .takes_sample = true,
    .order = 1,
    .set_defaults = set_defaults,
    .space = space,
    .fill = fill,
};
