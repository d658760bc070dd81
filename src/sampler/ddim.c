/* ddim.c - DDIM: back to x0, and forward again to the next noise level with the same noise.
 *
 *   x' = alpha' x0 + sqrt(sigma'^2 - s^2) noise + s fresh noise,
 *   s^2 = eta^2 sigma'^2 / sigma^2 (1 - alpha^2 / alpha'^2)
 * x0 may be clipped, the noise is not. Song et al., "Denoising Diffusion Implicit Models",
 * equations 12 and 16. Source of the numbers: diffusers DDIMScheduler. */
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

/* alphas_cumprod a step further on, by the step that "leading" would take. */
static float next_alpha(const struct xl_draft *draft, int i) {
    const struct xl_scheduler_config *config = draft->config;
    int t = xl_timestep_at(draft, i) - config->n_train / draft->steps;
    if (t >= 0) return draft->alphas_cumprod[t];
    return config->set_alpha_to_one ? 1 : draft->alphas_cumprod[0];
}

/* How x and the model's output make the noise: as m does in xl_convert_to_noise. */
static void add_noise_direction(const struct xl_draft *draft, struct xl_level level, float weight,
                                struct xl_step *step) {
    struct xl_step noise = {0};
    xl_convert_to_noise(draft, level, &noise);
    step->base_coef[XL_SRC_X] = weight * noise.convert_x;
    step->coef[XL_SRC_BASE] = 1;
    step->coef[XL_SRC_OUT] = weight * noise.convert_out;
}

static void fill(const struct xl_draft *draft, int i, struct xl_step *step) {
    const struct xl_scheduler_config *config = draft->config;
    float alpha = draft->alphas_cumprod[xl_timestep_at(draft, i)],
          alpha_next = next_alpha(draft, i);
    struct xl_level level = xl_level_of_alpha(alpha);
    float variance = (1.0f - alpha_next) / (1.0f - alpha) * (1.0f - alpha / alpha_next);
    float fresh = config->eta > 0 ? (float)config->eta * sqrtf(variance) : 0;
    add_noise_direction(draft, level, sqrtf(1.0f - alpha_next - fresh * fresh), step);
    xl_convert_to_x0(draft, level, step);
    step->clip = config->clip_sample ? (float)config->clip_range : 0;
    step->store_slot = xl_slot(draft, i);
    step->coef[xl_source_of(draft, i)] = sqrtf(alpha_next);
    step->coef[XL_SRC_NOISE] = fresh;
    step->uses_noise = config->eta > 0;
}

const struct xl_sampler_class xl_class_ddim = {
    .name = "DDIMScheduler",
    .family = XL_FAMILY_ALPHA,
    .keys = XL_KEYS_BETAS | XL_KEYS_CLIP | XL_KEYS_ALPHA_TO_ONE | XL_KEYS_ZERO_SNR |
            XL_KEYS_THRESHOLD,
    .takes_sample = true,
    .order = 1,
    .set_defaults = set_defaults,
    .space = space,
    .fill = fill,
};
