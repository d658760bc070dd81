/* lcm.c - latent consistency models: straight to x0, then fresh noise up to the next level.
 *
 * With u = timestep_scaling * t and sigma_data = 1/2:
 *   x0* = u / sqrt(u^2 + 1/4) x0 + 1/4 / (u^2 + 1/4) x,     x' = alpha' x0* + sigma' noise
 * and x' = x0* after the last call. Luo et al., "Latent Consistency Models", section 4 and
 * algorithm 3. Source of the numbers: diffusers LCMScheduler. */
#include "sampler/draft.h"

#include <math.h>

static void set_defaults(struct xl_scheduler_config *config) {
    config->beta_start = 0.00085;
    config->beta_end = 0.012;
    config->beta_schedule = XL_BETA_SCALED_LINEAR;
    config->spacing = XL_SPACING_LEADING;
}

/* `steps` of the original_inference_steps timesteps that the model was distilled on. */
static enum xl_status space(struct xl_draft *draft, struct xl_err *err) {
    int n_original = draft->config->original_inference_steps;
    int ratio = draft->config->n_train / n_original;
    if (draft->steps > n_original)
        return xl_fail(err, XL_EINVAL,
                       "steps is %d, expected 1 to %d, the original_inference_steps of lcm",
                       draft->steps, n_original);
    draft->schedule->n_timesteps = draft->steps;
    double stride = (double)n_original / draft->steps;
    for (int i = 0; i < draft->steps; i++)
        draft->schedule->timesteps[i] = (n_original - (int)floor(i * stride)) * ratio - 1;
    return XL_OK;
}

static void fill(const struct xl_draft *draft, int i, struct xl_step *step) {
    const struct xl_scheduler_config *config = draft->config;
    int t = xl_timestep_at(draft, i);
    bool is_last = i == draft->schedule->n_timesteps - 1;
    float u = (float)t * (float)config->timestep_scaling;
    float out = u / sqrtf(u * u + 0.25f), skip = 0.25f / (u * u + 0.25f);
    struct xl_level next = {1, 0, 0};
    if (!is_last) next = xl_level_of_alpha(draft->alphas_cumprod[xl_timestep_at(draft, i + 1)]);
    xl_convert_to_x0(draft, xl_level_of_alpha(draft->alphas_cumprod[t]), step);
    step->clip = config->clip_sample ? (float)config->clip_range : 0;
    step->store_slot = xl_slot(draft, i);
    step->coef[xl_source_of(draft, i)] = next.alpha * out;
    step->coef[XL_SRC_BASE] = next.alpha * skip;
    step->coef[XL_SRC_NOISE] = next.sigma;
    step->uses_noise = !is_last;
}

const struct xl_sampler_class xl_class_lcm = {
    .name = "LCMScheduler",
    .family = XL_FAMILY_ALPHA,
    .keys = XL_KEYS_BETAS | XL_KEYS_CLIP | XL_KEYS_ALPHA_TO_ONE | XL_KEYS_ZERO_SNR | XL_KEYS_LCM |
            XL_KEYS_THRESHOLD,
    .takes_sample = true,
    .order = 1,
    .set_defaults = set_defaults,
    .space = space,
    .fill = fill,
};
