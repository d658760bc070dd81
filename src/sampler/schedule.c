/* schedule.c - making a schedule: noise levels, spacing, where img2img starts, the table of steps.
 */
#include "sampler/draft.h"

#include <math.h>
#include <stdlib.h>

void xl_schedule_free(struct xl_schedule *schedule) {
    if (!schedule) return;
    free(schedule->timesteps);
    free(schedule->sigmas);
    free(schedule->steps);
    free(schedule);
}

static void draft_deinit(struct xl_draft *draft) {
    free(draft->alphas_cumprod);
    free(draft->train_sigmas);
    xl_schedule_free(draft->schedule);
}

static enum xl_status draft_init(struct xl_draft *draft, const struct xl_scheduler_config *config,
                                 int steps, struct xl_err *err) {
    size_t n_train = (size_t)config->n_train, capacity = (size_t)xl_draft_capacity(steps);
    *draft = (struct xl_draft){.config = config, .steps = steps};
    draft->alphas_cumprod = malloc(n_train * sizeof *draft->alphas_cumprod);
    draft->train_sigmas = malloc(n_train * sizeof *draft->train_sigmas);
    draft->schedule = calloc(1, sizeof *draft->schedule);
    if (draft->schedule) {
        draft->schedule->timesteps = calloc(capacity, sizeof *draft->schedule->timesteps);
        draft->schedule->sigmas = calloc(capacity, sizeof *draft->schedule->sigmas);
        draft->schedule->steps = calloc(capacity, sizeof *draft->schedule->steps);
    }
    bool is_complete = draft->alphas_cumprod && draft->train_sigmas && draft->schedule &&
                       draft->schedule->timesteps && draft->schedule->sigmas &&
                       draft->schedule->steps;
    if (is_complete) return XL_OK;
    draft_deinit(draft);
    return xl_fail_nomem(err, "a schedule", 0);
}

/* Timesteps in float32 as the model receives them, sigmas in float32 as diffusers keeps them. */
static void round_to_f32(struct xl_schedule *schedule) {
    for (int i = 0; i < schedule->n_timesteps; i++)
        schedule->timesteps[i] = (double)(float)schedule->timesteps[i];
    for (int i = 0; i < schedule->n_sigmas; i++)
        schedule->sigmas[i] = (double)(float)schedule->sigmas[i];
}

/* Samplers of the alpha family look their noise levels up by timestep. */
static enum xl_status check_timesteps(const struct xl_draft *draft, struct xl_err *err) {
    const struct xl_schedule *schedule = draft->schedule;
    for (int i = 0; i < schedule->n_timesteps; i++)
        if (schedule->timesteps[i] < 0 || schedule->timesteps[i] >= draft->config->n_train)
            return xl_fail(
                err, XL_EINVAL,
                "%d steps with a steps_offset of %d ask for timestep %.0f, but the model "
                "was trained on 0 to %d; use fewer steps",
                draft->steps, draft->config->steps_offset, schedule->timesteps[i],
                draft->config->n_train - 1);
    return XL_OK;
}

/* How the pipelines of diffusers turn strength into a first step, except that at least one runs.
 * Source: StableDiffusionXLImg2ImgPipeline.get_timesteps */
static int first_step(int steps, double strength, bool *clamped) {
    int n_run = (int)(steps * strength);
    *clamped = n_run < 1;
    return *clamped ? steps - 1 : steps - n_run;
}

/* Sources: init_noise_sigma and add_noise of the classes. */
static void fill_start(const struct xl_draft *draft, const struct xl_sampler_class *class) {
    struct xl_schedule *schedule = draft->schedule;
    schedule->init_noise_sigma = 1;
    if (xl_class_is_edm(class)) {
        schedule->init_noise_sigma = sqrt(draft->config->sigma_max * draft->config->sigma_max + 1);
        schedule->start_x0 = 1;
        schedule->start_noise = (double)xl_sigma_at(draft, draft->begin);
        return;
    }
    if (class->family == XL_FAMILY_SIGMA) {
        float max = 0;
        for (int i = 0; i < schedule->n_sigmas; i++) max = fmaxf(max, xl_sigma_at(draft, i));
        bool is_leading = draft->config->spacing == XL_SPACING_LEADING;
        schedule->init_noise_sigma = (double)(is_leading ? sqrtf(max * max + 1.0f) : max);
        schedule->start_x0 = 1;
        schedule->start_noise = (double)xl_sigma_at(draft, draft->begin);
        return;
    }
    struct xl_level level =
        class->family == XL_FAMILY_LAMBDA
            ? xl_level_at(draft, draft->begin)
            : xl_level_of_alpha(draft->alphas_cumprod[xl_timestep_at(draft, draft->begin)]);
    schedule->start_x0 = (double)level.alpha;
    schedule->start_noise = (double)level.sigma;
}

static bool is_finite(const struct xl_step *step) {
    bool ok = isfinite(step->convert_x) && isfinite(step->convert_out);
    for (int i = 0; i < XL_N_SOURCES; i++)
        ok = ok && isfinite(step->base_coef[i]) && isfinite(step->coef[i]);
    return ok;
}

static enum xl_status fill_steps(const struct xl_draft *draft, const struct xl_sampler_class *class,
                                 struct xl_err *err) {
    struct xl_schedule *schedule = draft->schedule;
    schedule->n_steps = schedule->n_timesteps - draft->begin;
    for (int k = 0; k < schedule->n_steps; k++) {
        struct xl_step *step = &schedule->steps[k];
        int i = draft->begin + k;
        step->timestep = (float)schedule->timesteps[i];
        step->input_scale = 1;
        if (class->family == XL_FAMILY_SIGMA) {
            float sigma = xl_sigma_at(draft, i);
            step->input_scale = (float)(1 / sqrt((double)sigma * (double)sigma + 1));
        }
        if (xl_class_is_edm(class))
            step->input_scale = (float)xl_edm_input_scale(draft->config, xl_sigma_at(draft, i));
        step->store_slot = -1;
        step->base_coef[XL_SRC_X] = 1;
        class->fill(draft, i, step);
        if (!is_finite(step))
            return xl_fail(err, XL_EINVAL,
                           "%s cannot take step %d of %d (timestep %g): it divides by 0 where two "
                           "noise levels are the same or one is the end of the scale; use fewer "
                           "steps or another scheduler",
                           xl_scheduler_name(draft->config), k + 1, schedule->n_steps,
                           schedule->timesteps[i]);
    }
    return XL_OK;
}

static enum xl_status check_request(const struct xl_scheduler_config *config, int steps,
                                    double strength, struct xl_err *err) {
    if (steps < 1 || steps > config->n_train)
        return xl_fail(err, XL_EINVAL, "steps is %d, expected 1 to %d", steps, config->n_train);
    if (!(strength >= 0 && strength <= 1))
        return xl_fail(err, XL_EINVAL, "strength is %g, expected 0 to 1", strength);
    return XL_OK;
}

enum xl_status xl_schedule_new(const struct xl_scheduler_config *config, int steps, double strength,
                               bool *clamped, struct xl_schedule **out, struct xl_err *err) {
    const struct xl_sampler_class *class = config->sampler->class;
    struct xl_draft draft;
    bool is_clamped;
    enum xl_status status = check_request(config, steps, strength, err);
    if (!status) status = draft_init(&draft, config, steps, err);
    if (status) return status;
    bool has_sigmas = class->family != XL_FAMILY_ALPHA;
    status = xl_alphas_fill(config, has_sigmas ? 0x1p-24f : 0, draft.alphas_cumprod,
                            draft.train_sigmas, err);
    if (!status) status = class->space(&draft, err);
    if (!status && !has_sigmas) status = check_timesteps(&draft, err);
    if (status) goto cleanup;
    round_to_f32(draft.schedule);
    draft.begin = first_step(steps, strength, &is_clamped) * class->order;
    if (draft.begin >= draft.schedule->n_timesteps) draft.begin = draft.schedule->n_timesteps - 1;
    fill_start(&draft, class);
    status = fill_steps(&draft, class, err);
    if (status) goto cleanup;
    *out = draft.schedule;
    *clamped = is_clamped;
    draft.schedule = NULL;
cleanup:
    draft_deinit(&draft);
    return status;
}
