/* deis.c - DEIS: exponential integrator with the noise as a polynomial in log(rho).
 *
 * In x / alpha and rho = sigma / alpha the ODE is d(x / alpha) = noise d rho. The noise becomes the
 * Lagrange polynomial in log rho through the last outputs, whose integral is elementary:
 *   x' = alpha' (x / alpha + sum over k of C_k m_k),
 *   C_k = integral from rho to rho' of l_k(log r) dr
 * Zhang and Chen, "Fast Sampling of Diffusion Models with Exponential Integrator", section 3
 * (rho-multistep variant in log rho). Source of the numbers: diffusers DEISMultistepScheduler. */
#include "sampler/draft.h"

#include <math.h>

/* Without a final sigma of 0: the last step ends at the smallest sigma, or stays where it is. */
static enum xl_status space(struct xl_draft *draft, struct xl_err *err) {
    (void)err;
    const struct xl_schedule *schedule = draft->schedule;
    xl_space_solver(draft, draft->config->n_train, true);
    bool is_plain = draft->config->sigma_spacing == XL_SIGMA_PLAIN;
    xl_append_sigma(draft, is_plain ? (double)draft->train_sigmas[0]
                                    : schedule->sigmas[schedule->n_sigmas - 1]);
    return XL_OK;
}

static int order_at(const struct xl_draft *draft, int i) {
    int n = draft->schedule->n_timesteps, order = draft->config->solver_order;
    bool eases_off = draft->config->lower_order_final && n < 15;
    if (i - draft->begin + 1 < order) order = i - draft->begin + 1;
    if (eases_off && n - i < order) order = n - i;
    return order;
}

static float rho_at(const struct xl_draft *draft, int i) {
    struct xl_level level = xl_level_at(draft, i);
    return level.sigma / level.alpha;
}

/* The antiderivative of l(log r) = (log r - log c) / (log b - log c) at r. In float32 and in
 * diffusers' order of operations, since differences of these values lose digits. */
static float linear_term(float r, float b, float c) {
    return r * (-logf(c) + logf(r) - 1.0f) / (logf(b) - logf(c));
}

/* The same for the polynomial that is 1 at b and 0 at c and d. */
static float quadratic_term(float r, float b, float c, float d) {
    float lr = logf(r), lb = logf(b), lc = logf(c), ld = logf(d);
    float numerator = r * (lc * (ld - lr + 1.0f) - ld * lr + ld + lr * lr - 2.0f * lr + 2.0f);
    return numerator / ((lb - lc) * (lb - ld));
}

static void fill(const struct xl_draft *draft, int i, struct xl_step *step) {
    struct xl_level s = xl_level_at(draft, i), t = xl_level_at(draft, i + 1);
    int order = order_at(draft, i);
    float rho[4]; /* to, from, and two before */
    for (int k = 0; k <= order; k++) rho[k] = rho_at(draft, i + 1 - k);
    xl_convert_to_noise(draft, s, step);
    step->store_slot = xl_slot(draft, i);
    step->coef[XL_SRC_BASE] = t.alpha / s.alpha;
    if (order == 1) {
        step->coef[xl_source_of(draft, i)] = -(t.sigma * (expf(t.lambda - s.lambda) - 1.0f));
        return;
    }
    for (int k = 0; k < order; k++) {
        float b = rho[1 + k], c = rho[1 + (k + 1) % order], d = rho[1 + (k + 2) % order];
        float integral = order == 2
                             ? linear_term(rho[0], b, c) - linear_term(rho[1], b, c)
                             : quadratic_term(rho[0], b, c, d) - quadratic_term(rho[1], b, c, d);
        step->coef[xl_source_of(draft, i - k)] = t.alpha * integral;
    }
}

const struct xl_sampler_class xl_class_deis = {
    .name = "DEISMultistepScheduler",
    .family = XL_FAMILY_LAMBDA,
    .keys = XL_KEYS_BETAS | XL_KEYS_SIGMAS | XL_KEYS_SOLVER | XL_KEYS_THRESHOLD | XL_KEYS_FLOW,
    .takes_sample = true,
    .order = 1,
    .space = space,
    .fill = fill,
};
