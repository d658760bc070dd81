/* generate.c - a request from validation to pictures: the public xl_generate. */
#include "engine/engine.h"

#include "base/clock.h"
#include "image/image.h"
#include "tensor/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* First latents of the batch: noise, or the init image with noise. */
static enum xl_status start_latents(struct xl_drawing *drawing, const struct xl_image *init,
                                    struct xl_noise *noise, float *latents, struct xl_err *err) {
    int64_t n = drawing->latent_count;
    float *scratch = malloc(2 * (size_t)n * sizeof *scratch), *fresh = scratch + n;
    if (!scratch) return xl_fail_nomem(err, "latents", 2 * (size_t)n * sizeof *scratch);
    enum xl_status status = XL_OK;
    float by_x0 = (float)drawing->schedule->start_x0,
          by_noise = (float)drawing->schedule->start_noise;
    if (!init) by_noise = (float)drawing->schedule->init_noise_sigma;
    for (int b = 0; b < drawing->request->n_pictures; b++)
        xl_noise_seed(&noise[b], drawing->request->rng, drawing->request->pictures[b].seed);
    if (init) status = xl_latents_encode(drawing, init, noise, latents, err);
    for (int b = 0; !status && b < drawing->request->n_pictures; b++) {
        float *x = latents + b * n;
        xl_latent_noise(drawing, &noise[b], fresh, scratch);
        for (int64_t i = 0; i < n; i++)
            x[i] = init ? by_x0 * x[i] + by_noise * fresh[i] : by_noise * fresh[i];
    }
    free(scratch);
    return status;
}

/* The init image at the drawing's size; *resized is the caller's and empty when none was needed. */
static enum xl_status fit_init(const struct xl_drawing *drawing, const struct xl_image **init,
                               struct xl_image *resized, struct xl_err *err) {
    const struct xl_image *image = drawing->request->init;
    *init = image;
    if (!image || (image->width == drawing->width && image->height == drawing->height))
        return XL_OK;
    *init = resized;
    return xl_image_resize_lanczos(image, drawing->width, drawing->height, resized, err);
}

/* Memory for the pictures, which nobody has touched yet. */
static enum xl_status take_pictures(const struct xl_drawing *drawing, struct xl_result *result,
                                    struct xl_err *err) {
    int n = drawing->request->n_pictures;
    size_t bytes = (size_t)drawing->width * (size_t)drawing->height * 3;
    result->pictures = calloc((size_t)n, sizeof *result->pictures);
    if (!result->pictures) return xl_fail_nomem(err, "pictures", 0);
    result->n_pictures = n;
    for (int i = 0; i < n; i++) {
        struct xl_image *image = &result->pictures[i].image;
        *image = (struct xl_image){drawing->width, drawing->height, malloc(bytes)};
        if (!image->pixels) return xl_fail_nomem(err, "the picture", bytes);
    }
    return XL_OK;
}

static enum xl_status draw(struct xl_drawing *drawing, struct xl_result *result,
                           struct xl_err *err) {
    int n_pictures = drawing->request->n_pictures;
    struct xl_image resized = {0};
    const struct xl_image *init = NULL;
    struct xl_conditions conditions = {0};
    struct xl_stage *unet = NULL;
    float *latents = malloc((size_t)n_pictures * (size_t)drawing->latent_count * sizeof *latents);
    struct xl_noise *noise = malloc((size_t)n_pictures * sizeof *noise);
    enum xl_status status = latents && noise ? XL_OK : xl_fail_nomem(err, "latents", 0);
    double t0 = xl_now_s();
    if (!status) status = fit_init(drawing, &init, &resized, err);
    if (!status) xl_early_begin(drawing);
    if (!status) status = xl_conditions_init(drawing, &conditions, err);
    if (!status) status = start_latents(drawing, init, noise, latents, err);
    if (!status) status = xl_unet_prepare(drawing, &conditions, noise, latents, &unet, err);
    if (!status) status = xl_latents_expect(drawing, err);
    if (!status) status = take_pictures(drawing, result, err);
    double t1 = xl_now_s();
    if (!status) status = xl_denoise(drawing, &conditions, unet, result->pictures, err);
    double t2 = xl_now_s();
    if (!status) status = xl_latents_decode(drawing, unet, latents, result->pictures, err);
    xl_early_end(drawing);
    result->encode_s = t1 - t0;
    result->sample_s = t2 - t1;
    result->decode_s = xl_now_s() - t2;
    result->n_evaluations = drawing->schedule->n_steps;
    free(latents);
    free(noise);
    xl_conditions_deinit(&conditions);
    xl_image_free(&resized);
    return status;
}

static enum xl_status finish(struct xl_drawing *drawing, struct xl_result *result,
                             struct xl_err *err) {
    result->warnings = xl_str_take(&drawing->warnings);
    if (!result->warnings) return xl_fail_nomem(err, "the warnings", 0);
    return xl_record_write(drawing, result, err);
}

/* --- Pictures whose texts take different numbers of chunks ---
 * Attention over more tokens gives other bytes, so they are drawn one number of chunks after the
 * other: each as it would be alone.
 */

/* Progress of one of n_shares as progress of all. */
struct share {
    const struct xl_request *request;
    int i, n_shares;
    struct xl_str warnings;
};

static bool share_progress(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    const struct share *share = user;
    bool counts = total > 0 && phase != XL_PHASE_LOAD;
    if (!share->request->progress) return true;
    return share->request->progress(share->request->progress_user, phase,
                                    counts ? share->i * total + done : done,
                                    counts ? share->n_shares * total : total);
}

/* Sentences that were not said yet. */
static void add_warnings(struct xl_str *all, const char *warnings) {
    for (size_t n; (n = strcspn(warnings, "\n")); warnings += n + (warnings[n] == '\n')) {
        const char *said = all->len ? memmem(all->text, all->len, warnings, n) : NULL;
        if (said) continue;
        xl_str_append(all, warnings, n);
        xl_str_puts(all, "\n");
    }
}

static void add_up(struct xl_result *all, const struct xl_result *share) {
    all->encode_s += share->encode_s;
    all->sample_s += share->sample_s;
    all->decode_s += share->decode_s;
    all->n_evaluations += share->n_evaluations;
}

/* Draw the pictures with this number of chunks, to where they belong. */
static enum xl_status draw_share(struct xl_drawing *all, int n_chunks, struct share *share,
                                 struct xl_result *result, struct xl_err *err) {
    struct xl_picture pictures[XL_PICTURES_MAX];
    int from[XL_PICTURES_MAX], n = 0;
    struct xl_request request = *all->request;
    struct xl_result drawn = {0};
    for (int i = 0; i < all->request->n_pictures; i++) {
        if (xl_prompts_of_picture(all, i) != n_chunks) continue;
        pictures[n] = all->request->pictures[i];
        from[n++] = i;
    }
    request.pictures = pictures;
    request.n_pictures = n;
    request.progress = share_progress;
    request.progress_user = share;
    enum xl_status status = xl_generate(all->device, all->model, &request, &drawn, err);
    if (status) return status;
    add_up(result, &drawn);
    for (int k = 0; k < n; k++) {
        result->pictures[from[k]] = drawn.pictures[k];
        drawn.pictures[k] = (struct xl_drawn_picture){.record = NULL};
    }
    add_warnings(&share->warnings, drawn.warnings);
    xl_result_free(&drawn);
    return XL_OK;
}

static bool has_chunks(const struct xl_drawing *drawing, int n_chunks) {
    for (int i = 0; i < drawing->request->n_pictures; i++)
        if (xl_prompts_of_picture(drawing, i) == n_chunks) return true;
    return false;
}

static enum xl_status draw_shares(struct xl_drawing *drawing, int n_shares,
                                  struct xl_result *result, struct xl_err *err) {
    int n = drawing->request->n_pictures;
    struct share share = {.request = drawing->request, .n_shares = n_shares};
    enum xl_status status = XL_OK;
    result->pictures = calloc((size_t)n, sizeof *result->pictures);
    if (!result->pictures) return xl_fail_nomem(err, "pictures", 0);
    result->n_pictures = n;
    for (int chunks = 1; !status && chunks <= drawing->n_chunks; chunks++) {
        if (!has_chunks(drawing, chunks)) continue;
        status = draw_share(drawing, chunks, &share, result, err);
        share.i++;
    }
    result->warnings = xl_str_take(&share.warnings);
    if (!status && !result->warnings) status = xl_fail_nomem(err, "the warnings", 0);
    return status;
}

enum xl_status xl_generate(struct xl_device *device, struct xl_model *model,
                           const struct xl_request *request, struct xl_result *out,
                           struct xl_err *err) {
    struct xl_result result = {0};
    struct xl_drawing drawing;
    int n_shares = 0;
    enum xl_status status = xl_drawing_init(device, model, request, &drawing, err);
    for (int chunks = 1; !status && chunks <= drawing.n_chunks; chunks++)
        n_shares += has_chunks(&drawing, chunks);
    if (!status && n_shares > 1) {
        status = draw_shares(&drawing, n_shares, &result, err);
    } else {
        if (!status) status = draw(&drawing, &result, err);
        if (!status) status = finish(&drawing, &result, err);
    }
    xl_drawing_deinit(&drawing);
    if (status == XL_ENOMEM) xl_device_release(device);
    if (status)
        xl_result_free(&result);
    else
        *out = result;
    return status;
}

void xl_result_free(struct xl_result *result) {
    if (!result) return;
    for (int i = 0; i < result->n_pictures; i++) {
        xl_image_free(&result->pictures[i].image);
        free(result->pictures[i].record);
        free(result->pictures[i].parameters);
        free(result->pictures[i].png);
    }
    free(result->pictures);
    free(result->warnings);
    *result = (struct xl_result){0};
}
