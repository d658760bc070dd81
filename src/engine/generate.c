/* generate.c - a request from validation to pictures: the public xl_generate. */
#include "engine/engine.h"

#include "base/clock.h"
#include "image/image.h"
#include "tensor/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void xl_request_default(struct xl_request *request) {
    *request = (struct xl_request){
        .steps = 30,
        .guidance = 5.0,
        .batch = 1,
        .scheduler = "default",
        .strength = 0.3,
    };
}

enum { MAX_SIDE = 16384, MAX_BATCH = 64 };

static enum xl_status check_side(const char *name, int value, int unit, struct xl_err *err) {
    if (value < unit || value > MAX_SIDE || value % unit)
        return xl_fail(err, XL_EINVAL, "%s is %d, expected a multiple of %d from %d to %d", name,
                       value, unit, unit, MAX_SIDE);
    return XL_OK;
}

static enum xl_status check_real(const char *name, double value, double min, double max,
                                 struct xl_err *err) {
    if (value >= min && value <= max) return XL_OK; /* NaN is neither */
    return xl_fail(err, XL_EINVAL, "%s is %g, expected %g to %g", name, value, min, max);
}

static enum xl_status check_numbers(const struct xl_request *request, struct xl_err *err) {
    enum xl_status status = check_real("guidance", request->guidance, 0, 1000, err);
    if (!status) status = check_real("guidance_rescale", request->guidance_rescale, 0, 1, err);
    if (!status && request->init) status = check_real("strength", request->strength, 0, 1, err);
    if (!status) status = check_real("steps", request->steps, 1, 1000, err);
    if (!status) status = check_real("batch", request->batch, 1, MAX_BATCH, err);
    return status;
}

static enum xl_status check_texts(const struct xl_job *job, struct xl_err *err) {
    for (int i = 0; i < (job->request->pictures ? job->request->batch : 1); i++) {
        struct xl_picture picture = xl_job_picture(job, i);
        enum xl_status status = xl_record_check_extra(picture.extra, err);
        if (!picture.prompt) status = xl_fail(err, XL_EINVAL, "prompt: missing");
        if (status && job->request->pictures)
            return xl_fail_context(err, status, "picture %d", i + 1);
        if (status) return status;
    }
    return XL_OK;
}

struct xl_picture xl_job_picture(const struct xl_job *job, int i) {
    const struct xl_request *request = job->request;
    if (request->pictures) return request->pictures[i];
    return (struct xl_picture){request->prompt, request->negative, request->seed + (uint64_t)i,
                               request->extra};
}

int xl_job_n_samples(const struct xl_job *job) {
    return job->has_guidance ? 2 * job->request->batch : job->request->batch;
}

/* Sizes in pixels and latents. Without a size: that of the init image, cut to whole latents, or the
 * model's own. */
static enum xl_status set_sizes(const struct xl_model *model, struct xl_job *job,
                                struct xl_err *err) {
    const struct xl_request *request = job->request;
    int scale = xl_vae_scale(&model->vae), own = model->unet.sample_size * scale;
    job->width = request->width;
    job->height = request->height;
    if (!job->width) job->width = request->init ? request->init->width / scale * scale : own;
    if (!job->height) job->height = request->init ? request->init->height / scale * scale : own;
    enum xl_status status = check_side("width", job->width, scale, err);
    if (!status) status = check_side("height", job->height, scale, err);
    if (status) return status;
    if ((int64_t)job->width * job->height > XL_IMAGE_MAX_PIXELS)
        return xl_fail(err, XL_EINVAL, "%d x %d is more than %d megapixels", job->width,
                       job->height, XL_IMAGE_MAX_PIXELS / 1000000);
    job->latent_width = job->width / scale;
    job->latent_height = job->height / scale;
    job->latent_count = (int64_t)job->latent_width * job->latent_height *
                        model->vae.latent_channels;
    if (request->vae_tile) {
        if (request->vae_tile < 8 * scale)
            return xl_fail(err, XL_EINVAL, "vae_tile is %d, expected 0 or at least %d pixels",
                           request->vae_tile, 8 * scale);
        job->vae_tile = request->vae_tile / scale;
    }
    return XL_OK;
}

static enum xl_status set_schedule(const struct xl_model *model, struct xl_job *job,
                                   struct xl_err *err) {
    const struct xl_request *request = job->request;
    char *notice = NULL;
    const char *name = request->scheduler ? request->scheduler : "default";
    enum xl_status status = xl_scheduler_config_load(model->files.scheduler_config, name,
                                                     &job->scheduler, &notice, err);
    if (!status && notice) xl_str_printf(&job->warnings, "%s\n", notice);
    free(notice);
    if (!status)
        status = xl_schedule_new(&job->scheduler, request->steps,
                                 request->init ? request->strength : 1.0, &job->was_clamped,
                                 &job->schedule, err);
    if (!status && job->was_clamped)
        xl_str_printf(&job->warnings,
                      "strength %g of %d steps is less than one step: one step was run\n",
                      request->strength, request->steps);
    return status;
}

enum xl_status xl_job_init(const struct xl_model *model, const struct xl_request *request,
                           struct xl_job *job, struct xl_err *err) {
    *job = (struct xl_job){.request = request, .has_guidance = request->guidance > 1};
    xl_str_puts(&job->warnings, model->notices);
    enum xl_status status = check_numbers(request, err);
    if (!status) status = check_texts(job, err);
    if (!status) status = set_sizes(model, job, err);
    if (!status) status = set_schedule(model, job, err);
    return status;
}

void xl_job_deinit(struct xl_job *job) {
    xl_schedule_free(job->schedule);
    xl_str_deinit(&job->warnings);
}

/* First latents of the batch: noise, or the init image with noise. */
static enum xl_status start_latents(struct xl_model *model, const struct xl_job *job,
                                    const struct xl_image *init, struct xl_noise *noise,
                                    float *latents, struct xl_err *err) {
    int64_t n = job->latent_count;
    float *scratch = malloc(2 * (size_t)n * sizeof *scratch), *fresh = scratch + n;
    if (!scratch) return xl_fail_nomem(err, "latents", 2 * (size_t)n * sizeof *scratch);
    enum xl_status status = XL_OK;
    float by_x0 = (float)job->schedule->start_x0, by_noise = (float)job->schedule->start_noise;
    if (!init) by_noise = (float)job->schedule->init_noise_sigma;
    for (int b = 0; !status && b < job->request->batch; b++) {
        float *x = latents + b * n;
        xl_noise_seed(&noise[b], job->request->rng, xl_job_picture(job, b).seed);
        if (init) status = xl_latents_encode(model, job, init, &noise[b], x, err);
        if (status) break;
        xl_latent_noise(model, job, &noise[b], fresh, scratch);
        for (int64_t i = 0; i < n; i++)
            x[i] = init ? by_x0 * x[i] + by_noise * fresh[i] : by_noise * fresh[i];
    }
    free(scratch);
    return status;
}

/* The init image at the job's size; *resized is the caller's and empty when none was needed. */
static enum xl_status fit_init(const struct xl_job *job, const struct xl_image **init,
                               struct xl_image *resized, struct xl_err *err) {
    const struct xl_image *image = job->request->init;
    *init = image;
    if (!image || (image->width == job->width && image->height == job->height)) return XL_OK;
    *init = resized;
    return xl_image_resize_lanczos(image, job->width, job->height, resized, err);
}

static enum xl_status decode_all(struct xl_model *model, struct xl_job *job, const float *latents,
                                 struct xl_result *result, struct xl_err *err) {
    int batch = job->request->batch;
    result->images = calloc((size_t)batch, sizeof *result->images);
    if (!result->images) return xl_fail_nomem(err, "pictures", 0);
    result->n_images = batch;
    for (int b = 0; b < batch; b++) {
        if (!xl_model_progress(model, XL_PHASE_DECODE, b, batch))
            return xl_fail(err, XL_ECANCELLED, "interrupted before decoding picture %d", b + 1);
        enum xl_status status =
            xl_latents_decode(model, job, latents + b * job->latent_count, &result->images[b], err);
        if (status) return status;
    }
    xl_model_progress(model, XL_PHASE_DECODE, batch, batch);
    return XL_OK;
}

static enum xl_status draw(struct xl_model *model, struct xl_job *job, struct xl_result *result,
                           struct xl_err *err) {
    int batch = job->request->batch;
    struct xl_image resized = {0};
    const struct xl_image *init;
    struct xl_conditions conditions = {0};
    float *latents = malloc((size_t)batch * (size_t)job->latent_count * sizeof *latents);
    struct xl_noise *noise = malloc((size_t)batch * sizeof *noise);
    enum xl_status status = latents && noise ? XL_OK : xl_fail_nomem(err, "latents", 0);
    double t0 = xl_now_s();
    if (!status) status = fit_init(job, &init, &resized, err);
    if (!status) status = xl_conditions_init(model, job, &conditions, err);
    if (!status) status = start_latents(model, job, init, noise, latents, err);
    if (!status) status = xl_unet_prepare(model, job, &conditions, err);
    double t1 = xl_now_s();
    if (!status) status = xl_denoise(model, job, noise, latents, err);
    double t2 = xl_now_s();
    if (!status) status = decode_all(model, job, latents, result, err);
    result->encode_s = t1 - t0;
    result->sample_s = t2 - t1;
    result->decode_s = xl_now_s() - t2;
    result->n_evaluations = job->schedule->n_steps;
    free(latents);
    free(noise);
    xl_conditions_deinit(&conditions);
    xl_image_free(&resized);
    return status;
}

static enum xl_status finish(const struct xl_model *model, struct xl_job *job,
                             struct xl_result *result, struct xl_err *err) {
    result->warnings = xl_str_take(&job->warnings);
    if (!result->warnings) return xl_fail_nomem(err, "the warnings", 0);
    return xl_record_write(model, job, result, err);
}

enum xl_status xl_generate(struct xl_model *model, const struct xl_request *request,
                           struct xl_result *out, struct xl_err *err) {
    struct xl_result result = {0};
    struct xl_job job;
    enum xl_status status = xl_job_init(model, request, &job, err);
    if (!status) status = draw(model, &job, &result, err);
    if (!status) status = finish(model, &job, &result, err);
    xl_job_deinit(&job);
    if (status == XL_ENOMEM) xl_stages_release(model, NULL);
    if (status)
        xl_result_free(&result);
    else
        *out = result;
    return status;
}

void xl_result_free(struct xl_result *result) {
    if (!result) return;
    for (int i = 0; i < result->n_images; i++) {
        xl_image_free(&result->images[i]);
        if (result->records) free(result->records[i]);
    }
    free(result->images);
    free(result->records);
    free(result->record);
    free(result->warnings);
    *result = (struct xl_result){0};
}
