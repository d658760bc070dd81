/* euler_ancestral.c - Euler's method to a lower noise level than wanted, then fresh noise up to it.
 *
 * sigma_up^2 = sigma'^2 (sigma^2 - sigma'^2) / sigma^2,  sigma_down^2 = sigma'^2 - sigma_up^2,
 * x' = x + (sigma_down - sigma) d + sigma_up noise. From k-diffusion's sample_euler_ancestral; with
 * these sigmas it is ancestral sampling of Ho et al., "Denoising Diffusion Probabilistic Models".
 * Source of the numbers: diffusers EulerAncestralDiscreteScheduler. */
#include "sampler/draft.h"

#include <math.h>

static enum xl_status space(struct xl_draft *draft, struct xl_err *err) {
    (void)err;
    xl_space_timesteps(draft,
                       (struct xl_spacing_rule){draft->steps, draft->config->n_train, false});
    xl_interpolate_sigmas(draft);
    xl_append_sigma(draft, 0);
    return XL_OK;
}

static void fill(const struct xl_draft *draft, int i, struct xl_step *step) {
    float from = xl_sigma_at(draft, i), to = xl_sigma_at(draft, i + 1);
    float up = sqrtf(to * to * (from * from - to * to) / (from * from));
    float down = sqrtf(to * to - up * up);
    struct xl_slope d = xl_slope_at(draft, from);
    double dt = (double)down - (double)from;
    step->coef[XL_SRC_BASE] = (float)(1 + dt * d.x);
    step->coef[XL_SRC_OUT] = (float)(dt * d.out);
    step->coef[XL_SRC_NOISE] = up;
    step->uses_noise = true; /* on the last step too, where it is multiplied by 0 */
}

const struct xl_sampler_class xl_class_euler_ancestral = {
    .name = "EulerAncestralDiscreteScheduler",
    .family = XL_FAMILY_SIGMA,
    .keys = XL_KEYS_BETAS | XL_KEYS_ZERO_SNR,
    .order = 1,
    .space = space,
    .fill = fill,
};
