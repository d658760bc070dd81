/* conditions.c - what the UNet is told about each sample: its text and its size. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

void xl_conditions_deinit(struct xl_conditions *conditions) {
    free(conditions->text);
    free(conditions->pooled);
    free(conditions->ids);
    *conditions = (struct xl_conditions){0};
}

/* Sizes of text and pooled text of a sample, in numbers. */
static size_t text_count(const struct xl_model *model) {
    return (size_t)model->n_tokens * (size_t)model->unet.cross_attention_dim;
}

static enum xl_status allocate(const struct xl_model *model, const struct xl_job *job,
                               struct xl_conditions *out, struct xl_err *err) {
    size_t n = (size_t)xl_job_n_samples(job);
    *out = (struct xl_conditions){
        .text = calloc(n * text_count(model), sizeof(float)),
        .pooled = calloc(n * (size_t)model->unet.pooled_dim, sizeof(float)),
        .ids = calloc(n * XL_UNET_TIME_IDS, sizeof(float)),
    };
    if (!out->text || !out->pooled || !out->ids)
        return xl_fail_nomem(err, "conditions", n * text_count(model) * sizeof(float));
    /* Original size, crop offset (none), target size. */
    float sizes[XL_UNET_TIME_IDS] = {(float)job->height, (float)job->width, 0, 0,
                                     (float)job->height, (float)job->width};
    for (size_t i = 0; i < n; i++) memcpy(out->ids + i * XL_UNET_TIME_IDS, sizes, sizeof sizes);
    return XL_OK;
}

/* Encode one text into a sample. At once, because the model keeps only so many encoded texts. */
static enum xl_status encode(struct xl_model *model, const char *text, int sample,
                             struct xl_conditions *out, int *n_dropped, struct xl_err *err) {
    const struct xl_encoded *encoded;
    enum xl_status status = xl_model_encode_prompt(model, text, &encoded, err);
    if (status) return status;
    size_t n_text = text_count(model), n_pooled = (size_t)model->unet.pooled_dim;
    memcpy(out->text + (size_t)sample * n_text, encoded->text, n_text * sizeof(float));
    memcpy(out->pooled + (size_t)sample * n_pooled, encoded->pooled, n_pooled * sizeof(float));
    *n_dropped = encoded->n_dropped;
    return XL_OK;
}

static void warn_dropped(const struct xl_model *model, struct xl_job *job, int picture,
                         int n_dropped) {
    if (!n_dropped || (picture && !job->request->pictures)) return;
    if (job->request->batch > 1 && job->request->pictures)
        xl_str_printf(&job->warnings, "picture %d: ", picture + 1);
    xl_str_printf(&job->warnings,
                  "the prompt is too long for the text encoders: its last %d tokens were cut "
                  "off (%d fit)\n",
                  n_dropped, model->n_tokens - 2);
}

static enum xl_status encode_picture(struct xl_model *model, struct xl_job *job, int i,
                                     struct xl_conditions *out, struct xl_err *err) {
    struct xl_picture picture = xl_job_picture(job, i);
    int guided = job->has_guidance ? job->request->batch + i : i, n_dropped = 0;
    enum xl_status status = encode(model, picture.prompt, guided, out, &n_dropped, err);
    if (!status) warn_dropped(model, job, i, n_dropped);
    /* An omitted negative prompt stays zero where the model was trained so. */
    bool zeros = !picture.negative && model->files.force_zeros_for_empty_prompt;
    if (status || !job->has_guidance || zeros) return status;
    return encode(model, picture.negative ? picture.negative : "", i, out, &n_dropped, err);
}

enum xl_status xl_conditions_init(struct xl_model *model, struct xl_job *job,
                                  struct xl_conditions *out, struct xl_err *err) {
    int batch = job->request->batch;
    enum xl_status status = allocate(model, job, out, err);
    for (int i = 0; !status && i < batch; i++) {
        if (!xl_model_progress(model, XL_PHASE_ENCODE, i, batch))
            status = xl_fail(err, XL_ECANCELLED, "interrupted before the first step");
        if (!status) status = encode_picture(model, job, i, out, err);
    }
    if (!status) xl_model_progress(model, XL_PHASE_ENCODE, batch, batch);
    return status;
}
