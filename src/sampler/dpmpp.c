/* dpmpp.c - DPM-Solver and DPM-Solver++, multistep, orders 1 to 3, as ODE and as SDE.
 *
 * In lambda = log(alpha / sigma) the solution from s to t is exact but for an integral over the
 * model's x0 (++) or noise, which is replaced by its Taylor polynomial around s; the derivatives
 * come from earlier outputs m0 (newest), m1, m2:
 *   x' = X x + C0 D0 + C1 D1 + C2 D2 + N noise,   D0 = m0, D1 ~ h m', D2 ~ h^2 m''
 * Lu et al., "DPM-Solver" (appendix D) and "DPM-Solver++" (appendices A and B).
 * Source of the numbers: diffusers DPMSolverMultistepScheduler. */
#include "sampler/draft.h"

#include <math.h>

/* lambda_min_clipped cuts the noisiest timesteps off: how many remain. */
static int clipped_end(const struct xl_draft *draft) {
    int end = draft->config->n_train;
    while (end > 1) {
        struct xl_level level = xl_level_of_alpha(draft->alphas_cumprod[end - 1]);
        float lambda = logf(level.alpha) - logf(level.sigma);
        if ((double)lambda >= draft->config->lambda_min_clipped) break;
        end--;
    }
    return end;
}

static enum xl_status space(struct xl_draft *draft, struct xl_err *err) {
    (void)err;
    const struct xl_scheduler_config *config = draft->config;
    xl_space_solver(draft, clipped_end(draft), config->beta_schedule != XL_BETA_SQUAREDCOS_CAP_V2);
    bool is_zero = config->final_sigma == XL_FINAL_SIGMA_ZERO;
    xl_append_sigma(draft, is_zero ? 0 : (double)draft->train_sigmas[0]);
    return XL_OK;
}

static bool is_sde(enum xl_algorithm algorithm) {
    return algorithm == XL_ALGORITHM_SDE_DPMSOLVER_PP || algorithm == XL_ALGORITHM_SDE_DPMSOLVER;
}

static bool predicts_x0(enum xl_algorithm algorithm) {
    return algorithm == XL_ALGORITHM_DPMSOLVER_PP || algorithm == XL_ALGORITHM_SDE_DPMSOLVER_PP;
}

/* Lower orders while there is no history, and at the end, where sigma 0 is infinitely far away in
 * lambda and few steps would overshoot. */
static int order_at(const struct xl_draft *draft, int i) {
    const struct xl_scheduler_config *config = draft->config;
    int n = draft->schedule->n_timesteps;
    bool eases_off = config->lower_order_final && n < 15;
    int order = config->solver_order;
    if (i - draft->begin + 1 < order) order = i - draft->begin + 1;
    if (i == n - 2 && eases_off && order > 2) order = 2;
    if (i == n - 1 &&
        (eases_off || config->euler_at_final || config->final_sigma == XL_FINAL_SIGMA_ZERO))
        order = 1;
    return order;
}

struct coefs {
    float x, c0, c1, c2, noise;
};

/* Midpoint takes half of C0 for C1; "heun" and order 3 integrate the Taylor term itself. */
static struct coefs coefs_of(enum xl_algorithm algorithm, struct xl_level s, struct xl_level t,
                             bool integrates) {
    float h = t.lambda - s.lambda;
    struct coefs c = {0};
    float e;
    switch (algorithm) {
    case XL_ALGORITHM_DPMSOLVER_PP:
        e = expf(-h) - 1.0f;
        c.x = t.sigma / s.sigma;
        c.c0 = -(t.alpha * e);
        c.c1 = integrates ? t.alpha * (e / h + 1.0f) : 0.5f * c.c0;
        c.c2 = -(t.alpha * ((e + h) / (h * h) - 0.5f));
        break;
    case XL_ALGORITHM_DPMSOLVER:
        e = expf(h) - 1.0f;
        c.x = t.alpha / s.alpha;
        c.c0 = -(t.sigma * e);
        c.c1 = integrates ? -(t.sigma * (e / h - 1.0f)) : 0.5f * c.c0;
        c.c2 = -(t.sigma * ((e - h) / (h * h) - 0.5f));
        break;
    case XL_ALGORITHM_SDE_DPMSOLVER_PP:
        e = 1.0f - expf(-2.0f * h);
        c.x = t.sigma / s.sigma * expf(-h);
        c.c0 = t.alpha * e;
        c.c1 = integrates ? t.alpha * (e / (-2.0f * h) + 1.0f) : 0.5f * c.c0;
        c.c2 = t.alpha * ((e - 2.0f * h) / (4.0f * (h * h)) - 0.5f);
        c.noise = t.sigma * sqrtf(e);
        break;
    case XL_ALGORITHM_SDE_DPMSOLVER:
        e = expf(h) - 1.0f;
        c.x = t.alpha / s.alpha;
        c.c0 = -2.0f * (t.sigma * e);
        c.c1 = integrates ? -2.0f * (t.sigma * (e / h - 1.0f)) : 0.5f * c.c0;
        c.noise = t.sigma * sqrtf(expf(2.0f * h) - 1.0f);
        break;
    }
    return c;
}

/* D1 and D2 by finite differences over steps of different length. */
static void add_derivatives(const struct xl_draft *draft, int i, int order, struct coefs c,
                            struct xl_step *step) {
    struct xl_level t = xl_level_at(draft, i + 1), s0 = xl_level_at(draft, i);
    struct xl_level s1 = xl_level_at(draft, i - 1);
    float *m0 = &step->coef[xl_source_of(draft, i)];
    float *m1 = &step->coef[xl_source_of(draft, i - 1)];
    float h = t.lambda - s0.lambda;
    float r0 = (s0.lambda - s1.lambda) / h;
    double first = 1 / (double)r0;
    if (order == 2) {
        *m0 = (float)((double)c.c0 + (double)c.c1 * first);
        *m1 = (float)(-(double)c.c1 * first);
        return;
    }
    float *m2 = &step->coef[xl_source_of(draft, i - 2)];
    float r1 = (s1.lambda - xl_level_at(draft, i - 2).lambda) / h;
    double second = 1 / (double)r1;
    double share = (double)r0 / ((double)r0 + (double)r1);
    double curve = 1 / ((double)r0 + (double)r1);
    /* D1 = A + share (A - B) and D2 = curve (A - B), where A = first (m0 - m1) and
     * B = second (m1 - m2). */
    double of_a = (double)c.c1 * (1 + share) + (double)c.c2 * curve;
    double of_b = -(double)c.c1 * share - (double)c.c2 * curve;
    *m0 = (float)((double)c.c0 + of_a * first);
    *m1 = (float)(-of_a * first + of_b * second);
    *m2 = (float)(-of_b * second);
}

void xl_dpmpp_fill(const struct xl_draft *draft, int i, struct xl_step *step) {
    const struct xl_scheduler_config *config = draft->config;
    struct xl_level s = xl_level_at(draft, i), t = xl_level_at(draft, i + 1);
    int order = order_at(draft, i);
    bool integrates = order == 3 || config->solver == XL_SOLVER_HEUN;
    struct coefs c = coefs_of(config->algorithm, s, t, integrates);
    if (predicts_x0(config->algorithm))
        xl_convert_to_x0(draft, s, step);
    else
        xl_convert_to_noise(draft, s, step);
    step->store_slot = xl_slot(draft, i);
    step->coef[XL_SRC_BASE] = c.x;
    step->coef[XL_SRC_NOISE] = c.noise;
    step->uses_noise = is_sde(config->algorithm); /* on the last step too, where it is 0 */
    if (order == 1)
        step->coef[xl_source_of(draft, i)] = c.c0;
    else
        add_derivatives(draft, i, order, c, step);
}

const struct xl_sampler_class xl_class_dpmpp = {
    .name = "DPMSolverMultistepScheduler",
    .family = XL_FAMILY_LAMBDA,
    .keys = XL_KEYS_BETAS | XL_KEYS_SIGMAS | XL_KEYS_FINAL_SIGMA | XL_KEYS_ZERO_SNR |
            XL_KEYS_SOLVER | XL_KEYS_DPM | XL_KEYS_THRESHOLD | XL_KEYS_FLOW,
    .takes_sample = true,
    .order = 1,
    .space = space,
    .fill = xl_dpmpp_fill,
};
