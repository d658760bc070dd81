/* denoise.c - the sampling loop: UNet, guidance, sampler, step by step. */
#include "engine/engine.h"

#include "tensor/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void xl_latent_noise(const struct xl_model *model, const struct xl_job *job, struct xl_noise *noise,
                     float *out, float *scratch) {
    int64_t channels = model->vae.latent_channels, pixels = job->latent_count / channels;
    xl_noise_normal(noise, scratch, job->latent_count);
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = 0; c < channels; c++) out[p * channels + c] = scratch[c * pixels + p];
}

/* What the loop works on, for the whole batch. */
struct loop {
    float *input;  /* [samples, h, w, c]: what the UNet sees */
    float *output; /* [samples, h, w, c]: what it answers; without guidance first */
    float *fresh;  /* [batch, h, w, c]: noise of a step */
    float *scratch, *timesteps;
    struct xl_sampler_state *state;
    int n_samples; /* batch, twice that with guidance */
};

static void loop_deinit(struct loop *loop) {
    free(loop->input);
    free(loop->output);
    free(loop->fresh);
    free(loop->scratch);
    free(loop->timesteps);
    xl_sampler_state_free(loop->state);
}

static enum xl_status loop_init(struct loop *loop, const struct xl_job *job, struct xl_err *err) {
    int batch = job->request->batch;
    size_t count = (size_t)job->latent_count;
    *loop = (struct loop){.n_samples = xl_job_n_samples(job)};
    size_t samples = (size_t)loop->n_samples;
    loop->input = malloc(samples * count * sizeof(float));
    loop->output = malloc(samples * count * sizeof(float));
    loop->fresh = malloc((size_t)batch * count * sizeof(float));
    loop->scratch = malloc(count * sizeof(float));
    loop->timesteps = malloc(samples * sizeof(float));
    if (!loop->input || !loop->output || !loop->fresh || !loop->scratch || !loop->timesteps)
        return xl_fail_nomem(err, "latents", samples * count * sizeof(float));
    return xl_sampler_state_new(job->schedule, batch * job->latent_count, &loop->state, err);
}

static struct xl_unet_shape unet_shape(const struct xl_model *model, const struct xl_job *job) {
    return (struct xl_unet_shape){xl_job_n_samples(job), job->latent_height, job->latent_width,
                                  model->n_tokens, model->act_dtype};
}

enum xl_status xl_build_unet(struct xl_model *model, const struct xl_job *job,
                             struct xl_unet_io *io, struct xl_plan **plan, struct xl_err *err) {
    return xl_unet_build(&model->unet, xl_model_source(model, XL_UNET), unet_shape(model, job), io,
                         plan, err);
}

static enum xl_status ensure_unet(struct xl_model *model, const struct xl_job *job,
                                  struct xl_err *err) {
    struct xl_unet_shape shape = unet_shape(model, job), now = model->unet_shape;
    if (model->unet_stage.exec && now.n == shape.n && now.height == shape.height &&
        now.width == shape.width)
        return XL_OK;
    xl_stage_deinit(&model->unet_stage);
    struct xl_plan *plan;
    enum xl_status status = xl_build_unet(model, job, &model->unet_io, &plan, err);
    if (!status) status = xl_stage_compile(model, XL_UNET, plan, &model->unet_stage, err);
    model->unet_shape = shape;
    return status;
}

enum xl_status xl_unet_prepare(struct xl_model *model, const struct xl_job *job,
                               const struct xl_conditions *conditions, struct xl_err *err) {
    enum xl_status status = ensure_unet(model, job, err);
    if (status) return status;
    xl_exec_write(model->unet_stage.exec, model->unet_io.text, conditions->text);
    xl_exec_write(model->unet_stage.exec, model->unet_io.pooled, conditions->pooled);
    xl_exec_write(model->unet_stage.exec, model->unet_io.time_ids, conditions->ids);
    return XL_OK;
}

static double deviation(const float *x, int64_t n) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i];
    double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    return sqrt(squares / (double)(n > 1 ? n - 1 : 1));
}

/* Guided output of one image into `unguided`. Rescaling: Lin et al. 2023, section 3.4. */
static void guide(const struct xl_request *request, float *unguided, const float *guided,
                  int64_t n) {
    float scale = (float)request->guidance, rescale = (float)request->guidance_rescale;
    for (int64_t i = 0; i < n; i++) unguided[i] += scale * (guided[i] - unguided[i]);
    if (rescale <= 0) return;
    float ratio = (float)(deviation(guided, n) / deviation(unguided, n));
    for (int64_t i = 0; i < n; i++)
        unguided[i] = rescale * (unguided[i] * ratio) + (1 - rescale) * unguided[i];
}

static bool all_finite(const float *x, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

static enum xl_status run_unet(struct xl_model *model, const struct xl_job *job, struct loop *loop,
                               const struct xl_step *step, const float *latents,
                               struct xl_err *err) {
    int batch = job->request->batch;
    int64_t half = batch * job->latent_count;
    for (int64_t i = 0; i < half; i++) loop->input[i] = latents[i] * step->input_scale;
    if (job->has_guidance)
        memcpy(loop->input + half, loop->input, (size_t)half * sizeof *loop->input);
    for (int i = 0; i < loop->n_samples; i++) loop->timesteps[i] = step->timestep;
    struct xl_exec *exec = model->unet_stage.exec;
    xl_exec_write(exec, model->unet_io.latents, loop->input);
    xl_exec_write(exec, model->unet_io.timestep, loop->timesteps);
    enum xl_status status = xl_stage_run(model, &model->unet_stage, err);
    if (status) return status;
    xl_exec_read(exec, model->unet_io.out, loop->output);
    for (int b = 0; job->has_guidance && b < batch; b++)
        guide(job->request, loop->output + b * job->latent_count,
              loop->output + half + b * job->latent_count, job->latent_count);
    return XL_OK;
}

static enum xl_status run_steps(struct xl_model *model, const struct xl_job *job, struct loop *loop,
                                struct xl_noise *noise, float *latents, struct xl_err *err) {
    const struct xl_schedule *schedule = job->schedule;
    int batch = job->request->batch;
    for (int i = 0; i < schedule->n_steps; i++) {
        const struct xl_step *step = &schedule->steps[i];
        if (!xl_model_progress(model, XL_PHASE_SAMPLE, i, schedule->n_steps))
            return xl_fail(err, XL_ECANCELLED, "interrupted before step %d", i + 1);
        enum xl_status status = run_unet(model, job, loop, step, latents, err);
        if (status) return status;
        for (int b = 0; step->uses_noise && b < batch; b++)
            xl_latent_noise(model, job, &noise[b], loop->fresh + b * job->latent_count,
                            loop->scratch);
        xl_sampler_step(schedule, i, loop->state, latents, loop->output,
                        step->uses_noise ? loop->fresh : NULL);
        if (job->request->latents)
            job->request->latents(job->request->latents_user, i, latents,
                                  batch * job->latent_count);
        if (!all_finite(latents, batch * job->latent_count))
            return xl_fail(err, XL_ENUMERIC,
                           "the latents are not numbers any more after step %d of %d; %s", i + 1,
                           schedule->n_steps,
                           model->act_dtype == XL_DTYPE_F32 ? "the model's weights may be damaged"
                                                            : "try --dtype f32");
    }
    xl_model_progress(model, XL_PHASE_SAMPLE, schedule->n_steps, schedule->n_steps);
    return XL_OK;
}

enum xl_status xl_denoise(struct xl_model *model, const struct xl_job *job, struct xl_noise *noise,
                          float *latents, struct xl_err *err) {
    struct loop loop;
    enum xl_status status = loop_init(&loop, job, err);
    if (!status) status = run_steps(model, job, &loop, noise, latents, err);
    loop_deinit(&loop);
    return status;
}
