/* unipc.c - UniPC: a multistep predictor, and a corrector that reuses the same model output.
 *
 * Both go from s to t with the outputs m0 at s, m1, m2, ... at earlier levels and, in the
 * corrector, the output at t:
 *   x_t = X x_s + C m0 - S B(h) sum over k of rho_k (m_k - m0) / r_k,   r_k = (l_k - l_s) / h
 * where S is alpha_t (predict_x0) or sigma_t, l is lambda, and the rho solve a small Vandermonde
 * system that makes the sum exact for polynomials. The corrector runs first in each step: it
 * replaces the sample that the last step predicted by a better one.
 * Zhao et al., "UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion
 * Models", algorithms 5 and 6. Source of the numbers: diffusers UniPCMultistepScheduler. */
#include "sampler/draft.h"

#include <math.h>

enum { MAX_ORDER = 3 };

static enum xl_status space(struct xl_draft *draft, struct xl_err *err) {
    (void)err;
    const struct xl_scheduler_config *config = draft->config;
    const struct xl_schedule *schedule = draft->schedule;
    xl_space_solver(draft, config->n_train, true);
    double last = 0;
    if (config->final_sigma == XL_FINAL_SIGMA_MIN)
        last = config->sigma_spacing == XL_SIGMA_PLAIN ? (double)draft->train_sigmas[0]
                                                       : schedule->sigmas[schedule->n_sigmas - 1];
    xl_append_sigma(draft, last);
    return XL_OK;
}

static int order_at(const struct xl_draft *draft, int i) {
    const struct xl_scheduler_config *config = draft->config;
    int order = config->solver_order, remaining = draft->schedule->n_timesteps - i;
    if (config->lower_order_final && remaining < order) order = remaining;
    return i - draft->begin + 1 < order ? i - draft->begin + 1 : order;
}

static bool is_corrected(const struct xl_draft *draft, int i) {
    const struct xl_scheduler_config *config = draft->config;
    for (int k = 0; k < config->n_uncorrected_steps; k++)
        if (config->uncorrected_steps[k] == i - 1) return false;
    return i > draft->begin;
}

/* Gaussian elimination with row exchange, in float32 like the solver of torch. n <= MAX_ORDER;
 * b becomes the solution. */
static void solve(int n, float a[MAX_ORDER][MAX_ORDER], float *b) {
    for (int k = 0; k < n; k++) {
        int pivot = k;
        for (int row = k + 1; row < n; row++)
            if (fabsf(a[row][k]) > fabsf(a[pivot][k])) pivot = row;
        for (int col = 0; col < n; col++) {
            float swap = a[k][col];
            a[k][col] = a[pivot][col];
            a[pivot][col] = swap;
        }
        float swap = b[k];
        b[k] = b[pivot];
        b[pivot] = swap;
        for (int row = k + 1; row < n; row++) {
            float factor = a[row][k] / a[k][k];
            for (int col = k; col < n; col++) a[row][col] -= factor * a[k][col];
            b[row] -= factor * b[k];
        }
    }
    for (int k = n - 1; k >= 0; k--) {
        for (int col = k + 1; col < n; col++) b[k] -= a[k][col] * b[col];
        b[k] /= a[k][k];
    }
}

/* One update from `from` to from + 1, and what it is made of. */
struct update {
    struct xl_level s, t;
    float hh, h_phi_1, b_h;
    float r[MAX_ORDER]; /* of the earlier outputs, then 1: the output at t */
};

static struct update update_from(const struct xl_draft *draft, int from, int order) {
    struct update u = {.s = xl_level_at(draft, from), .t = xl_level_at(draft, from + 1)};
    float h = u.t.lambda - u.s.lambda;
    u.hh = draft->config->predict_x0 ? -h : h;
    u.h_phi_1 = expm1f(u.hh);
    u.b_h = draft->config->solver == XL_SOLVER_BH1 ? u.hh : u.h_phi_1;
    for (int k = 1; k < order; k++)
        u.r[k - 1] = (xl_level_at(draft, from - k).lambda - u.s.lambda) / h;
    u.r[order - 1] = 1;
    return u;
}

/* The n coefficients that make the sum exact for polynomials up to degree n. */
static void solve_rho(const struct update *u, int n, float *rho) {
    float matrix[MAX_ORDER][MAX_ORDER];
    float h_phi_k = u->h_phi_1 / u->hh - 1.0f;
    float factorial = 1;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++) matrix[i][k] = i == 0 ? 1 : matrix[i - 1][k] * u->r[k];
        rho[i] = h_phi_k * factorial / u->b_h;
        factorial *= (float)(i + 2);
        h_phi_k = h_phi_k / u->hh - 1.0f / factorial;
    }
    solve(n, matrix, rho);
}

/* Add the update to coefs. start: the coefficient of x_s. The corrector has one term more than the
 * predictor: the output at t, which is that of call from + 1. */
static void add_update(const struct xl_draft *draft, int from, int order, bool corrects,
                       float *start, float *coefs) {
    struct update u = update_from(draft, from, order);
    bool in_x0 = draft->config->predict_x0;
    int n_terms = corrects ? order : order - 1;
    float rho[MAX_ORDER] = {0.5f}; /* diffusers' shortcut for a single term */
    if (n_terms > 1) solve_rho(&u, n_terms, rho);
    double scale = (double)(in_x0 ? u.t.alpha : u.t.sigma);
    *start = in_x0 ? u.t.sigma / u.s.sigma : u.t.alpha / u.s.alpha;
    double of_m0 = -scale * (double)u.h_phi_1;
    for (int k = 0; k < n_terms; k++) {
        bool is_newest = k == order - 1;
        double c = -scale * (double)u.b_h * (double)rho[k] / (double)u.r[k];
        coefs[xl_source_of(draft, is_newest ? from + 1 : from - 1 - k)] = (float)c;
        of_m0 -= c;
    }
    coefs[xl_source_of(draft, from)] = (float)of_m0;
}

static void fill(const struct xl_draft *draft, int i, struct xl_step *step) {
    struct xl_level level = xl_level_at(draft, i);
    if (draft->config->predict_x0)
        xl_convert_to_x0(draft, level, step);
    else
        xl_convert_to_noise(draft, level, step);
    step->store_slot = xl_slot(draft, i);
    if (is_corrected(draft, i)) { /* from the corrected sample that was saved a step ago */
        step->base_coef[XL_SRC_X] = 0;
        add_update(draft, i - 1, order_at(draft, i - 1), true, &step->base_coef[XL_SRC_SAVED],
                   step->base_coef);
    }
    add_update(draft, i, order_at(draft, i), false, &step->coef[XL_SRC_BASE], step->coef);
}

const struct xl_sampler_class xl_class_unipc = {
    .name = "UniPCMultistepScheduler",
    .family = XL_FAMILY_LAMBDA,
    .keys = XL_KEYS_BETAS | XL_KEYS_SIGMAS | XL_KEYS_FINAL_SIGMA | XL_KEYS_ZERO_SNR |
            XL_KEYS_SOLVER | XL_KEYS_UNIPC | XL_KEYS_THRESHOLD | XL_KEYS_FLOW,
    .takes_sample = true,
    .order = 1,
    .space = space,
    .fill = fill,
};
