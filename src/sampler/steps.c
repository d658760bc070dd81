/* steps.c - pieces that the samplers' steps are made of. */
#include "sampler/draft.h"

#include <assert.h>
#include <math.h>

float xl_sigma_at(const struct xl_draft *draft, int i) {
    assert(i >= 0 && i < draft->schedule->n_sigmas);
    return (float)draft->schedule->sigmas[i];
}

int xl_timestep_at(const struct xl_draft *draft, int i) {
    assert(i >= 0 && i < draft->schedule->n_timesteps);
    return (int)draft->schedule->timesteps[i];
}

struct xl_level xl_level_at(const struct xl_draft *draft, int i) {
    float sigma = xl_sigma_at(draft, i);
    struct xl_level level = {1, sigma, -logf(sigma)};
    if (xl_class_is_edm(draft->config->sampler->class)) return level;
    level.alpha = 1.0f / sqrtf(sigma * sigma + 1.0f);
    level.sigma = sigma * level.alpha;
    level.lambda = logf(level.alpha) - logf(level.sigma);
    return level;
}

struct xl_level xl_level_of_alpha(float alphas_cumprod) {
    return (struct xl_level){sqrtf(alphas_cumprod), sqrtf(1.0f - alphas_cumprod), 0};
}

/* Of x / sqrt(sigma^2 + 1), which the model sees, v = (noise - sigma x0) / sqrt(sigma^2 + 1). */
struct xl_slope xl_slope_at(const struct xl_draft *draft, float sigma) {
    double s = (double)sigma;
    switch (draft->config->prediction) {
    case XL_PREDICT_V:
        return (struct xl_slope){s / (s * s + 1), 1 / sqrt(s * s + 1)};
    case XL_PREDICT_SAMPLE:
        return (struct xl_slope){1 / s, -1 / s};
    case XL_PREDICT_EPSILON:
        break;
    }
    return (struct xl_slope){0, 1};
}

/* From x = alpha x0 + sigma noise and v = alpha noise - sigma x0 (Salimans and Ho, "Progressive
 * Distillation for Fast Sampling of Diffusion Models", appendix D). */
void xl_convert_to_x0(const struct xl_draft *draft, struct xl_level level, struct xl_step *step) {
    if (xl_class_is_edm(draft->config->sampler->class)) {
        xl_edm_convert_to_x0(draft, level.sigma, step);
        return;
    }
    switch (draft->config->prediction) {
    case XL_PREDICT_EPSILON:
        step->convert_x = (float)(1.0 / level.alpha);
        step->convert_out = (float)(-(double)level.sigma / level.alpha);
        break;
    case XL_PREDICT_V:
        step->convert_x = level.alpha;
        step->convert_out = -level.sigma;
        break;
    case XL_PREDICT_SAMPLE:
        step->convert_x = 0;
        step->convert_out = 1;
        break;
    }
}

void xl_convert_to_noise(const struct xl_draft *draft, struct xl_level level,
                         struct xl_step *step) {
    switch (draft->config->prediction) {
    case XL_PREDICT_EPSILON:
        step->convert_x = 0;
        step->convert_out = 1;
        break;
    case XL_PREDICT_V:
        step->convert_x = level.sigma;
        step->convert_out = level.alpha;
        break;
    case XL_PREDICT_SAMPLE:
        step->convert_x = (float)(1.0 / level.sigma);
        step->convert_out = (float)(-(double)level.alpha / level.sigma);
        break;
    }
}

/* UniPC's corrector of order 3 looks back three calls; so does PNDM. */
enum { REMEMBERED = 4 };

int xl_slot(const struct xl_draft *draft, int i) {
    assert(i >= draft->begin);
    return (i - draft->begin) % REMEMBERED;
}

int xl_source_of(const struct xl_draft *draft, int i) {
    return XL_SRC_HISTORY + xl_slot(draft, i);
}
