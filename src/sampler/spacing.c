/* spacing.c - which timesteps and sigmas a schedule visits. */
#include "sampler/draft.h"

#include <math.h>

/* numpy.linspace(0, end - 1, n) */
static double linspace_point(int end, int n, int i) {
    if (n == 1) return 0;
    return i == n - 1 ? end - 1 : i * ((double)(end - 1) / (n - 1));
}

static void space_linspace(struct xl_draft *draft, struct xl_spacing_rule rule) {
    for (int i = 0; i < draft->steps; i++) {
        double point = linspace_point(rule.end, rule.n_points, rule.n_points - 1 - i);
        draft->schedule->timesteps[i] = rule.is_whole ? rint(point) : (double)(float)point;
    }
}

static void space_leading(struct xl_draft *draft, struct xl_spacing_rule rule) {
    int ratio = rule.end / rule.n_points;
    for (int i = 0; i < draft->steps; i++)
        draft->schedule->timesteps[i] = (rule.n_points - 1 - i) * ratio +
                                        draft->config->steps_offset;
}

/* The points of numpy.arange(end, 0, -n_train / steps), which takes its step from the first two of
 * them. For some counts (61, 103, ...) arange adds a point a rounding error above 0, whose timestep
 * would be -1: it is left out. */
static int space_trailing(struct xl_draft *draft, struct xl_spacing_rule rule) {
    double step = (double)draft->config->n_train / draft->steps;
    double delta = (rule.end - step) - rule.end;
    int n = 0;
    while (n < draft->steps) {
        double timestep = rint(rule.end + n * delta) - 1;
        if (timestep < 0) break;
        draft->schedule->timesteps[n++] = timestep;
    }
    return n;
}

void xl_space_timesteps(struct xl_draft *draft, struct xl_spacing_rule rule) {
    draft->schedule->n_timesteps = draft->steps;
    switch (draft->config->spacing) {
    case XL_SPACING_LINSPACE:
        space_linspace(draft, rule);
        break;
    case XL_SPACING_LEADING:
        space_leading(draft, rule);
        break;
    case XL_SPACING_TRAILING:
        draft->schedule->n_timesteps = space_trailing(draft, rule);
        break;
    }
}

void xl_interpolate_sigmas(struct xl_draft *draft) {
    const float *train = draft->train_sigmas;
    int last = draft->config->n_train - 1;
    struct xl_schedule *schedule = draft->schedule;
    schedule->n_sigmas = schedule->n_timesteps;
    for (int i = 0; i < schedule->n_sigmas; i++) {
        double t = schedule->timesteps[i];
        int low = (int)t;
        if (t >= last)
            schedule->sigmas[i] = train[last];
        else
            schedule->sigmas[i] = ((double)train[low + 1] - train[low]) * (t - low) +
                                  (double)train[low];
    }
}

/* The timestep, perhaps between two whole ones, at which the model was trained on this sigma:
 * linear in log sigma. */
static double sigma_to_t(const struct xl_draft *draft, double sigma) {
    double log_sigma = log(fmax(sigma, 1e-10));
    int low = 0, high = draft->config->n_train - 1;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (log_sigma >= (double)logf(draft->train_sigmas[middle]))
            low = middle;
        else
            high = middle;
    }
    float log_low = logf(draft->train_sigmas[low]), log_high = logf(draft->train_sigmas[high]);
    double w = ((double)log_low - log_sigma) / (double)(log_low - log_high);
    w = fmin(fmax(w, 0), 1);
    return (1 - w) * low + w * high;
}

/* Sigma i of n between two ends. Karras et al., "Elucidating the Design Space of Diffusion-Based
 * Generative Models", equation 5; Lee et al., "Beta Sampling Is All You Need"; Lu et al.,
 * "DPM-Solver++", whose uniform lambda is the exponential spacing. */
static double spaced_sigma(enum xl_sigma_spacing spacing, double max, double min, double ramp) {
    const double rho = 7;
    switch (spacing) {
    case XL_SIGMA_KARRAS: {
        double top = pow(max, 1 / rho), bottom = pow(min, 1 / rho);
        return pow(top + ramp * (bottom - top), rho);
    }
    case XL_SIGMA_BETA:
        return min + xl_beta_quantile(1 - ramp, 0.6) * (max - min);
    case XL_SIGMA_EXPONENTIAL:
    case XL_SIGMA_LU:
    case XL_SIGMA_PLAIN:
    case XL_N_SIGMA_SPACINGS:
        break;
    }
    return exp(log(max) + ramp * (log(min) - log(max)));
}

void xl_respace_sigmas(struct xl_draft *draft, double sigma_max, double sigma_min) {
    const struct xl_scheduler_config *config = draft->config;
    struct xl_schedule *schedule = draft->schedule;
    if (config->sigma_max > 0) sigma_max = config->sigma_max;
    if (config->sigma_min > 0) sigma_min = config->sigma_min;
    schedule->n_timesteps = schedule->n_sigmas = draft->steps;
    for (int i = 0; i < draft->steps; i++) {
        double ramp = draft->steps > 1 ? (double)i / (draft->steps - 1) : 0;
        schedule->sigmas[i] = spaced_sigma(config->sigma_spacing, sigma_max, sigma_min, ramp);
        schedule->timesteps[i] = sigma_to_t(draft, schedule->sigmas[i]);
    }
}

void xl_append_sigma(struct xl_draft *draft, double sigma) {
    draft->schedule->sigmas[draft->schedule->n_sigmas++] = sigma;
}

void xl_space_solver(struct xl_draft *draft, int end, bool is_rounded) {
    enum xl_sigma_spacing spacing = draft->config->sigma_spacing;
    struct xl_schedule *schedule = draft->schedule;
    if (spacing == XL_SIGMA_PLAIN) {
        struct xl_spacing_rule rule = {draft->steps + 1, end, true};
        xl_space_timesteps(draft, rule);
        xl_interpolate_sigmas(draft);
        return;
    }
    xl_respace_sigmas(draft, draft->train_sigmas[draft->config->n_train - 1],
                      draft->train_sigmas[0]);
    bool rounds = is_rounded && (spacing == XL_SIGMA_KARRAS || spacing == XL_SIGMA_LU);
    for (int i = 0; i < schedule->n_timesteps; i++)
        schedule->timesteps[i] = rounds ? rint(schedule->timesteps[i])
                                        : trunc(schedule->timesteps[i]);
}
