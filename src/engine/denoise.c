/* denoise.c - the sampling loop: UNet, guidance, sampler, step by step. */
#include "engine/engine.h"

#include "tensor/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static enum xl_status loop_init(struct loop *loop, const struct xl_drawing *drawing,
                                struct xl_err *err) {
    int batch = drawing->request->n_pictures;
    size_t count = (size_t)drawing->latent_count;
    *loop = (struct loop){.n_samples = xl_drawing_n_samples(drawing)};
    size_t samples = (size_t)loop->n_samples;
    loop->input = malloc(samples * count * sizeof(float));
    loop->output = malloc(samples * count * sizeof(float));
    loop->fresh = malloc((size_t)batch * count * sizeof(float));
    loop->scratch = malloc(count * sizeof(float));
    loop->timesteps = malloc(samples * sizeof(float));
    if (!loop->input || !loop->output || !loop->fresh || !loop->scratch || !loop->timesteps)
        return xl_fail_nomem(err, "latents", samples * count * sizeof(float));
    return xl_sampler_state_new(drawing->schedule, batch * drawing->latent_count, &loop->state,
                                err);
}

enum xl_status xl_unet_prepare(struct xl_drawing *drawing, const struct xl_conditions *conditions,
                               struct xl_stage **unet, struct xl_err *err) {
    struct xl_part_key key = xl_drawing_part(drawing, XL_PART_UNET);
    struct xl_stage *stage;
    enum xl_status status = xl_stage_get(drawing, &key, &stage, err);
    if (status) return status;
    xl_exec_write(stage->exec, stage->io.unet.text, conditions->text);
    xl_exec_write(stage->exec, stage->io.unet.pooled, conditions->pooled);
    xl_exec_write(stage->exec, stage->io.unet.time_ids, conditions->ids);
    *unet = stage;
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

static enum xl_status run_unet(struct xl_drawing *drawing, struct xl_stage *unet, struct loop *loop,
                               const struct xl_step *step, const float *latents,
                               struct xl_err *err) {
    int batch = drawing->request->n_pictures;
    int64_t half = batch * drawing->latent_count;
    for (int64_t i = 0; i < half; i++) loop->input[i] = latents[i] * step->input_scale;
    if (drawing->has_guidance)
        memcpy(loop->input + half, loop->input, (size_t)half * sizeof *loop->input);
    for (int i = 0; i < loop->n_samples; i++) loop->timesteps[i] = step->timestep;
    struct xl_exec *exec = unet->exec;
    xl_exec_write(exec, unet->io.unet.latents, loop->input);
    xl_exec_write(exec, unet->io.unet.timestep, loop->timesteps);
    enum xl_status status = xl_stage_run(drawing, unet, err);
    if (status) return status;
    xl_exec_read(exec, unet->io.unet.out, loop->output);
    for (int b = 0; drawing->has_guidance && b < batch; b++)
        guide(drawing->request, loop->output + b * drawing->latent_count,
              loop->output + half + b * drawing->latent_count, drawing->latent_count);
    return XL_OK;
}

static enum xl_status run_steps(struct xl_drawing *drawing, struct xl_stage *unet,
                                struct loop *loop, struct xl_noise *noise, float *latents,
                                struct xl_err *err) {
    const struct xl_schedule *schedule = drawing->schedule;
    int batch = drawing->request->n_pictures;
    for (int i = 0; i < schedule->n_steps; i++) {
        const struct xl_step *step = &schedule->steps[i];
        if (!xl_drawing_progress(drawing, XL_PHASE_SAMPLE, i, schedule->n_steps))
            return xl_fail(err, XL_ECANCELLED, "interrupted before step %d", i + 1);
        enum xl_status status = run_unet(drawing, unet, loop, step, latents, err);
        if (status) return status;
        for (int b = 0; step->uses_noise && b < batch; b++)
            xl_latent_noise(drawing, &noise[b], loop->fresh + b * drawing->latent_count,
                            loop->scratch);
        xl_sampler_step(schedule, i, loop->state, latents, loop->output,
                        step->uses_noise ? loop->fresh : NULL);
        if (drawing->request->latents)
            drawing->request->latents(drawing->request->latents_user, i, latents,
                                      batch * drawing->latent_count);
        if (!all_finite(latents, batch * drawing->latent_count))
            return xl_fail(err, XL_ENUMERIC,
                           "the latents are not numbers any more after step %d of %d; %s", i + 1,
                           schedule->n_steps,
                           drawing->act_dtype == XL_DTYPE_F32 ? "the model's weights may be damaged"
                                                              : "f32 may do better");
    }
    xl_drawing_progress(drawing, XL_PHASE_SAMPLE, schedule->n_steps, schedule->n_steps);
    return XL_OK;
}

enum xl_status xl_denoise(struct xl_drawing *drawing, struct xl_stage *unet, struct xl_noise *noise,
                          float *latents, struct xl_err *err) {
    struct loop loop;
    enum xl_status status = loop_init(&loop, drawing, err);
    if (!status) status = run_steps(drawing, unet, &loop, noise, latents, err);
    loop_deinit(&loop);
    return status;
}
