/* conditions.c - what the UNet is told about each sample: its text and its size. */
#include "engine/engine.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

void xl_conditions_deinit(struct xl_conditions *conditions) {
    free(conditions->text);
    free(conditions->pooled);
    free(conditions->ids);
    *conditions = (struct xl_conditions){0};
}

/* Sizes of text and pooled text of a sample, in numbers. */
static size_t text_count(const struct xl_drawing *drawing) {
    return (size_t)drawing->n_tokens * (size_t)drawing->model->unet.cross_attention_dim;
}

static enum xl_status allocate(const struct xl_drawing *drawing, struct xl_conditions *out,
                               struct xl_err *err) {
    size_t n = (size_t)xl_drawing_n_samples(drawing);
    *out = (struct xl_conditions){
        .text = calloc(n * text_count(drawing), sizeof(float)),
        .pooled = calloc(n * (size_t)drawing->model->unet.pooled_dim, sizeof(float)),
        .ids = calloc(n * XL_UNET_TIME_IDS, sizeof(float)),
    };
    if (!out->text || !out->pooled || !out->ids)
        return xl_fail_nomem(err, "conditions", n * text_count(drawing) * sizeof(float));
    /* Original size, crop offset (none), target size. */
    float sizes[XL_UNET_TIME_IDS] = {(float)drawing->height, (float)drawing->width, 0, 0,
                                     (float)drawing->height, (float)drawing->width};
    for (size_t i = 0; i < n; i++) memcpy(out->ids + i * XL_UNET_TIME_IDS, sizes, sizeof sizes);
    return XL_OK;
}

/* Encode one text into a sample. At once, because the model keeps only so many encoded texts. */
static enum xl_status encode(struct xl_drawing *drawing, const char *text, int sample,
                             struct xl_conditions *out, int *n_dropped, struct xl_err *err) {
    const struct xl_encoded *encoded;
    enum xl_status status = xl_drawing_encode(drawing, text, &encoded, err);
    if (status) return status;
    size_t n_text = text_count(drawing), n_pooled = (size_t)drawing->model->unet.pooled_dim;
    memcpy(out->text + (size_t)sample * n_text, encoded->text, n_text * sizeof(float));
    memcpy(out->pooled + (size_t)sample * n_pooled, encoded->pooled, n_pooled * sizeof(float));
    *n_dropped = encoded->n_dropped;
    return XL_OK;
}

/* A prompt or a negative prompt of a picture; NULL: omitted. */
static const char *text_of(const struct xl_picture *picture, bool is_negative) {
    return is_negative ? picture->negative : picture->prompt;
}

/* Said once of each text, and of which one where there are several. */
static void warn_dropped(struct xl_drawing *drawing, int i, bool is_negative, int n_dropped) {
    const struct xl_request *request = drawing->request;
    bool is_said = false, is_one = true;
    const char *own = text_of(&request->pictures[i], is_negative);
    if (!own) return; /* the empty one fits */
    for (int k = 0; k < request->n_pictures; k++) {
        const char *other = text_of(&request->pictures[k], is_negative);
        bool is_same = other && !strcmp(other, own);
        if (k < i) is_said |= is_same;
        is_one &= is_same;
    }
    if (!n_dropped || is_said) return;
    if (!is_one) xl_str_printf(&drawing->warnings, "picture %d: ", i + 1);
    xl_str_printf(&drawing->warnings,
                  "the %sprompt is too long for the text encoders: its last %d %s cut off (%d "
                  "fit)\n",
                  is_negative ? "negative " : "", n_dropped,
                  xl_plural(n_dropped, "token was", "tokens were"), drawing->n_tokens - 2);
}

static enum xl_status encode_picture(struct xl_drawing *drawing, int i, struct xl_conditions *out,
                                     struct xl_err *err) {
    struct xl_picture picture = drawing->request->pictures[i];
    int guided = drawing->has_guidance ? drawing->request->n_pictures + i : i, n_dropped = 0;
    enum xl_status status = encode(drawing, picture.prompt, guided, out, &n_dropped, err);
    if (!status) warn_dropped(drawing, i, false, n_dropped);
    /* An omitted negative prompt stays zero where the model was trained so. */
    bool zeros = !picture.negative && drawing->model->files.force_zeros_for_empty_prompt;
    if (status || !drawing->has_guidance || zeros) return status;
    status = encode(drawing, picture.negative ? picture.negative : "", i, out, &n_dropped, err);
    if (!status) warn_dropped(drawing, i, true, n_dropped);
    return status;
}

enum xl_status xl_conditions_init(struct xl_drawing *drawing, struct xl_conditions *out,
                                  struct xl_err *err) {
    int n = drawing->request->n_pictures;
    enum xl_status status = allocate(drawing, out, err);
    for (int i = 0; !status && i < n; i++) {
        if (!xl_drawing_progress(drawing, XL_PHASE_ENCODE, i, n))
            status = xl_fail(err, XL_ECANCELLED, "interrupted before the first step");
        if (!status) status = encode_picture(drawing, i, out, err);
    }
    if (!status) xl_drawing_progress(drawing, XL_PHASE_ENCODE, n, n);
    return status;
}
