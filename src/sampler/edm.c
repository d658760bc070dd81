/* edm.c - models trained as Karras et al. have it: x = x0 + sigma noise with sigmas that no betas
 * give, inputs scaled by 1 / sqrt(sigma^2 + sigma_data^2), and c_noise = log(sigma) / 4 for a
 * timestep. "Elucidating the Design Space of Diffusion-Based Generative Models", table 1 and
 * equation 5. Source of the numbers: diffusers EDMEulerScheduler, EDMDPMSolverMultistepScheduler.
 */
#include "sampler/draft.h"

#include <math.h>

/* What the model's output becomes: x0 = skip x + out output. */
struct precondition {
    double skip, out;
};

static struct precondition precondition_at(const struct xl_draft *draft, float sigma) {
    double s = (double)sigma, data = draft->config->sigma_data, sum = s * s + data * data;
    double out = s * data / sqrt(sum);
    bool is_v = draft->config->prediction == XL_PREDICT_V;
    return (struct precondition){data * data / sum, is_v ? -out : out};
}

void xl_edm_convert_to_x0(const struct xl_draft *draft, float sigma, struct xl_step *step) {
    struct precondition p = precondition_at(draft, sigma);
    step->convert_x = (float)p.skip;
    step->convert_out = (float)p.out;
}

double xl_edm_input_scale(const struct xl_scheduler_config *config, float sigma) {
    double s = (double)sigma;
    return 1 / sqrt(s * s + config->sigma_data * config->sigma_data);
}

static double karras(const struct xl_scheduler_config *c, double ramp) {
    double top = pow(c->sigma_max, 1 / c->rho), bottom = pow(c->sigma_min, 1 / c->rho);
    return pow(top + ramp * (bottom - top), c->rho);
}

/* Karras's in float32 when is_single: the multistep class computes so. */
static double sigma_of(const struct xl_draft *draft, int i, bool is_single) {
    const struct xl_scheduler_config *c = draft->config;
    int n = draft->steps;
    if (c->sigma_spacing == XL_SIGMA_EXPONENTIAL)
        return (double)expf(
            xl_linspace_f32((float)log(c->sigma_min), (float)log(c->sigma_max), n, n - 1 - i));
    if (!is_single) return karras(c, n > 1 ? (double)i / (n - 1) : 0);
    float top = (float)pow(c->sigma_max, 1 / c->rho), ramp = xl_linspace_f32(0, 1, n, i);
    float slope = (float)(pow(c->sigma_min, 1 / c->rho) - pow(c->sigma_max, 1 / c->rho));
    return (double)powf(top + ramp * slope, (float)c->rho);
}

static void space(struct xl_draft *draft, bool is_single) {
    struct xl_schedule *schedule = draft->schedule;
    schedule->n_timesteps = schedule->n_sigmas = draft->steps;
    for (int i = 0; i < draft->steps; i++) {
        float sigma = (float)sigma_of(draft, i, is_single);
        schedule->sigmas[i] = (double)sigma;
        schedule->timesteps[i] = (double)(0.25f * logf(sigma));
    }
}

static enum xl_status space_euler(struct xl_draft *draft, struct xl_err *err) {
    (void)err;
    space(draft, false);
    bool is_zero = draft->config->final_sigma == XL_FINAL_SIGMA_ZERO;
    xl_append_sigma(draft, is_zero ? 0 : draft->schedule->sigmas[draft->steps - 1]);
    return XL_OK;
}

static enum xl_status space_dpmpp(struct xl_draft *draft, struct xl_err *err) {
    (void)err;
    space(draft, true);
    bool is_zero = draft->config->final_sigma == XL_FINAL_SIGMA_ZERO;
    xl_append_sigma(draft, is_zero ? 0 : draft->config->sigma_min);
    return XL_OK;
}

/* x' = x + (sigma' - sigma) (x - x0) / sigma */
static void fill_euler(const struct xl_draft *draft, int i, struct xl_step *step) {
    float sigma = xl_sigma_at(draft, i);
    struct precondition p = precondition_at(draft, sigma);
    double share = ((double)xl_sigma_at(draft, i + 1) - (double)sigma) / (double)sigma;
    step->coef[XL_SRC_BASE] = (float)(1 + share * (1 - p.skip));
    step->coef[XL_SRC_OUT] = (float)(-share * p.out);
}

static void set_defaults(struct xl_scheduler_config *config) {
    config->sigma_min = 0.002;
    config->sigma_max = 80;
    config->sigma_data = 0.5;
    config->rho = 7;
    config->sigma_spacing = XL_SIGMA_KARRAS;
}

const struct xl_sampler_class xl_class_edm_euler = {
    .name = "EDMEulerScheduler",
    .family = XL_FAMILY_EDM,
    .keys = XL_KEYS_EDM | XL_KEYS_FINAL_SIGMA,
    .order = 1,
    .set_defaults = set_defaults,
    .space = space_euler,
    .fill = fill_euler,
};

const struct xl_sampler_class xl_class_edm_dpmpp = {
    .name = "EDMDPMSolverMultistepScheduler",
    .family = XL_FAMILY_EDM,
    .keys = XL_KEYS_EDM | XL_KEYS_FINAL_SIGMA | XL_KEYS_SOLVER | XL_KEYS_EDM_DPM |
            XL_KEYS_THRESHOLD,
    .order = 1,
    .set_defaults = set_defaults,
    .space = space_dpmpp,
    .fill = xl_dpmpp_fill,
};
