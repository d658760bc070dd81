/* pndm.c - PNDM: linear multistep on the noise, with the step of DDIM as its transfer function.
 *
 *   x' = P(x, e, t, t') = sqrt(a' / a) x - (a' - a) e / (a sqrt(1 - a') + sqrt(a (1 - a) a'))
 * where e combines the last model outputs with Adams-Bashforth weights. The first outputs come from
 * three Runge-Kutta steps of four calls each, or, with skip_prk_steps, from one step taken twice.
 * Liu et al., "Pseudo Numerical Methods for Diffusion Models on Manifolds", equations 9, 11 and 12.
 * Source of the numbers: diffusers PNDMScheduler, which counts calls from where it starts: an
 * img2img start counts from 0 too, on timesteps further down. */
#include "sampler/draft.h"

#include <math.h>

enum {
    RK_STEPS = 3,
    RK_CALLS = 4 * RK_STEPS,
    RK_SECOND_SLOT = 4, /* the second and third slope of a Runge-Kutta step */
    RK_THIRD_SLOT = 5,
    RK_MIN_STEPS = 4,
};

static void set_defaults(struct xl_scheduler_config *config) {
    config->spacing = XL_SPACING_LEADING;
    config->set_alpha_to_one = false;
}

/* t0, t1, t1, t2, ...: the second timestep is visited twice. */
static void space_plain(struct xl_schedule *schedule) {
    int n = schedule->n_timesteps;
    if (n < 2) return;
    for (int i = n; i >= 2; i--) schedule->timesteps[i] = schedule->timesteps[i - 1];
    schedule->n_timesteps = n + 1;
}

/* Each of the three first steps is called for at its start, twice half a step on, and at its end;
 * "half a step" is the same whole number everywhere. */
static void space_runge_kutta(struct xl_schedule *schedule, int half) {
    int n = schedule->n_timesteps;
    double first[RK_STEPS + 1];
    for (int i = 0; i <= RK_STEPS; i++) first[i] = schedule->timesteps[i];
    for (int i = n - 1; i >= RK_STEPS; i--)
        schedule->timesteps[i - RK_STEPS + RK_CALLS] = schedule->timesteps[i];
    for (int i = 0; i < RK_STEPS; i++) {
        double *call = &schedule->timesteps[4 * i];
        call[0] = first[i];
        call[1] = call[2] = first[i + 1] + half;
        call[3] = first[i + 1];
    }
    schedule->n_timesteps = n - RK_STEPS + RK_CALLS;
}

static enum xl_status space(struct xl_draft *draft, struct xl_err *err) {
    const struct xl_scheduler_config *config = draft->config;
    if (!config->skip_prk_steps && draft->steps < RK_MIN_STEPS)
        return xl_fail(err, XL_EINVAL,
                       "steps is %d, but pndm without skip_prk_steps needs %d or more",
                       draft->steps, RK_MIN_STEPS);
    xl_space_timesteps(draft, (struct xl_spacing_rule){draft->steps, config->n_train, true});
    if (config->skip_prk_steps)
        space_plain(draft->schedule);
    else
        space_runge_kutta(draft->schedule, config->n_train / draft->steps / 2);
    return XL_OK;
}

static float alpha_at(const struct xl_draft *draft, int t) {
    if (t >= 0) return draft->alphas_cumprod[t];
    return draft->config->set_alpha_to_one ? 1 : draft->alphas_cumprod[0];
}

/* From t to t_next, starting at `start` (x or saved). The caller adds the weights of e; with
 * v_prediction these weigh outputs v, and e = alpha v + sigma x. Returns the factor of e. */
static double transfer(const struct xl_draft *draft, int t, int t_next, enum xl_step_source start,
                       struct xl_step *step) {
    float a = alpha_at(draft, t), a_next = alpha_at(draft, t_next);
    float denominator = a * sqrtf(1.0f - a_next) + sqrtf(a * (1.0f - a) * a_next);
    double factor = -((double)a_next - (double)a) / (double)denominator;
    double of_x = (double)sqrtf(a_next / a), of_out = factor;
    if (draft->config->prediction == XL_PREDICT_V) {
        struct xl_level level = xl_level_of_alpha(a);
        of_x += factor * (double)level.sigma;
        of_out = factor * (double)level.alpha;
    }
    step->base_coef[XL_SRC_X] = start == XL_SRC_X;
    step->base_coef[XL_SRC_SAVED] = start == XL_SRC_SAVED;
    step->coef[XL_SRC_BASE] = (float)of_x;
    return of_out;
}

/* Runge-Kutta of order 4: slopes at the start, twice in the middle, at the end. The first slopes of
 * the steps go where the multistep part looks for earlier outputs. */
static void fill_runge_kutta(const struct xl_draft *draft, int i, struct xl_step *step) {
    int call = i - draft->begin;
    int phase = call % 4, first_slot = call / 4;
    int half = draft->config->n_train / draft->steps / 2;
    int t = xl_timestep_at(draft, call - phase);
    int t_next = xl_timestep_at(draft, i) - (phase % 2 ? 0 : half);
    double e = transfer(draft, t, t_next, phase ? XL_SRC_SAVED : XL_SRC_X, step);
    step->convert_out = 1;
    static const int slots[] = {-1, RK_SECOND_SLOT, RK_THIRD_SLOT, -1};
    step->store_slot = phase == 0 ? first_slot : slots[phase];
    if (phase < 3) {
        step->coef[XL_SRC_OUT] = (float)e;
        return;
    }
    step->coef[XL_SRC_HISTORY + first_slot] = (float)(e / 6);
    step->coef[XL_SRC_HISTORY + RK_SECOND_SLOT] = (float)(e / 3);
    step->coef[XL_SRC_HISTORY + RK_THIRD_SLOT] = (float)(e / 3);
    step->coef[XL_SRC_OUT] = (float)(e / 6);
}

/* Adams-Bashforth weights by number of outputs, newest first. */
static const double adams_bashforth[5][4] = {
    {0},
    {1},
    {3.0 / 2, -1.0 / 2},
    {23.0 / 12, -16.0 / 12, 5.0 / 12},
    {55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24},
};

/* newest: how many outputs were remembered before this one; output k is in slot k % 4. */
static void fill_multistep(const struct xl_draft *draft, int i, int newest, struct xl_step *step) {
    int t = xl_timestep_at(draft, i);
    double e = transfer(draft, t, t - draft->config->n_train / draft->steps, XL_SRC_X, step);
    int n = newest < 3 ? newest + 1 : 4;
    step->convert_out = 1;
    step->store_slot = newest % 4;
    for (int k = 0; k < n; k++)
        step->coef[XL_SRC_HISTORY + (newest - k) % 4] = (float)(e * adams_bashforth[n][k]);
}

/* The second call without a Runge-Kutta start: the first step once more, with the mean of the
 * slopes at both of its ends. */
static void fill_repeated(const struct xl_draft *draft, int i, struct xl_step *step) {
    int t = xl_timestep_at(draft, i);
    double e = transfer(draft, t + draft->config->n_train / draft->steps, t, XL_SRC_SAVED, step);
    step->coef[XL_SRC_OUT] = (float)(e / 2);
    step->coef[XL_SRC_HISTORY] = (float)(e / 2);
}

static void fill(const struct xl_draft *draft, int i, struct xl_step *step) {
    int call = i - draft->begin;
    if (!draft->config->skip_prk_steps) {
        if (call < RK_CALLS)
            fill_runge_kutta(draft, i, step);
        else
            fill_multistep(draft, i, call - RK_CALLS + RK_STEPS, step);
    } else if (call == 1) {
        fill_repeated(draft, i, step);
    } else {
        fill_multistep(draft, i, call == 0 ? 0 : call - 1, step);
    }
}

const struct xl_sampler_class xl_class_pndm = {
    .name = "PNDMScheduler",
    .family = XL_FAMILY_ALPHA,
    .keys = XL_KEYS_BETAS | XL_KEYS_ALPHA_TO_ONE | XL_KEYS_PNDM,
    .order = 1,
    .set_defaults = set_defaults,
    .space = space,
    .fill = fill,
};
