/* conditions.c - what the UNet is told about each sample: its text and its size, and when the text
 * changes between steps. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

void xl_conditions_deinit(struct xl_conditions *conditions) {
    free(conditions->text);
    free(conditions->pooled);
    free(conditions->ids);
    free(conditions->first);
    *conditions = (struct xl_conditions){0};
}

/* Sizes of text and pooled text of a sample, in numbers. */
static size_t text_count(const struct xl_drawing *drawing) {
    return (size_t)drawing->n_chunks * (size_t)drawing->n_tokens *
           (size_t)drawing->model->unet.cross_attention_dim;
}

static size_t pooled_count(const struct xl_drawing *drawing) {
    return (size_t)drawing->model->unet.pooled_dim;
}

/* A sample without parts has one text all the same, of zeros. */
static int n_texts_of(const struct xl_drawing_text *text) {
    return text->parts.n ? text->parts.n_texts : 1;
}

int64_t xl_conditions_n_texts(const struct xl_drawing *drawing) {
    int64_t n = 0;
    for (int i = 0; i < xl_drawing_n_samples(drawing); i++) n += n_texts_of(&drawing->texts[i]);
    return n;
}

static enum xl_status allocate(const struct xl_drawing *drawing, struct xl_conditions *out,
                               struct xl_err *err) {
    int n = xl_drawing_n_samples(drawing);
    size_t n_texts = (size_t)xl_conditions_n_texts(drawing), n_samples = (size_t)n;
    *out = (struct xl_conditions){
        .text = calloc(n_texts * text_count(drawing), sizeof(float)),
        .pooled = calloc(n_texts * pooled_count(drawing), sizeof(float)),
        .ids = calloc(n_samples * XL_UNET_TIME_IDS, sizeof(float)),
        .first = calloc(n_samples, sizeof(int)),
    };
    if (!out->text || !out->pooled || !out->ids || !out->first)
        return xl_fail_nomem(err, "conditions", n_texts * text_count(drawing) * sizeof(float));
    /* Original size, crop offset (none), target size. */
    float sizes[XL_UNET_TIME_IDS] = {(float)drawing->height, (float)drawing->width, 0, 0,
                                     (float)drawing->height, (float)drawing->width};
    for (int i = 0; i < n; i++) {
        memcpy(out->ids + i * XL_UNET_TIME_IDS, sizes, sizeof sizes);
        if (i + 1 < n) out->first[i + 1] = out->first[i] + n_texts_of(&drawing->texts[i]);
    }
    return XL_OK;
}

/* Encode one text, and empty chunks behind it where others are longer. At once, because the model
 * keeps only so many encoded texts. */
static enum xl_status encode(struct xl_drawing *drawing, const char *text, int row,
                             struct xl_conditions *out, struct xl_err *err) {
    const struct xl_encoded *encoded;
    enum xl_status status = xl_drawing_encode(drawing, text, &encoded, err);
    if (status) return status;
    size_t n_chunk = text_count(drawing) / (size_t)drawing->n_chunks;
    float *to = out->text + (size_t)row * text_count(drawing);
    memcpy(to, encoded->text, (size_t)encoded->n_chunks * n_chunk * sizeof(float));
    memcpy(out->pooled + (size_t)row * pooled_count(drawing), encoded->pooled,
           pooled_count(drawing) * sizeof(float));
    int first = encoded->n_chunks;
    if (first < drawing->n_chunks) status = xl_drawing_encode(drawing, "", &encoded, err);
    for (int i = first; !status && i < drawing->n_chunks; i++)
        memcpy(to + (size_t)i * n_chunk, encoded->text, n_chunk * sizeof(float));
    return status;
}

static enum xl_status encode_sample(struct xl_drawing *drawing, int sample,
                                    struct xl_conditions *out, struct xl_err *err) {
    const struct xl_prompt_parts *parts = &drawing->texts[sample].parts;
    enum xl_status status = XL_OK;
    int n_encoded = 0;
    for (int i = 0; !status && i < parts->n; i++) {
        if (parts->at[i].index < n_encoded) continue; /* it comes again */
        status = encode(drawing, parts->at[i].text, out->first[sample] + n_encoded++, out, err);
    }
    return status;
}

enum xl_status xl_conditions_init(struct xl_drawing *drawing, struct xl_conditions *out,
                                  struct xl_err *err) {
    int n = drawing->request->n_pictures;
    enum xl_status status = allocate(drawing, out, err);
    for (int i = 0; !status && i < n; i++) {
        if (!xl_drawing_progress(drawing, XL_PHASE_ENCODE, i, n))
            status = xl_fail(err, XL_ECANCELLED, "interrupted before the first step");
        if (!status && drawing->has_guidance) status = encode_sample(drawing, n + i, out, err);
        if (!status) status = encode_sample(drawing, i, out, err);
    }
    if (!status) xl_drawing_progress(drawing, XL_PHASE_ENCODE, n, n);
    return status;
}

/* --- While steps are run ---
 */

/* Which of its parts a sample has in evaluation i. */
static int part_of(const struct xl_drawing *drawing, int sample, int i) {
    const struct xl_prompt_parts *parts = &drawing->texts[sample].parts;
    int part = 0;
    while (part + 1 < parts->n && xl_drawing_evaluations(drawing, parts->at[part].last) <= i)
        part++;
    return part;
}

static void write_sample(const struct xl_drawing *drawing, const struct xl_conditions *conditions,
                         struct xl_stage *unet, int sample, int row) {
    const struct xl_denoise_io *io = &unet->io.denoise;
    int64_t n = (int64_t)text_count(drawing), n_pooled = (int64_t)pooled_count(drawing);
    xl_exec_write_at((struct xl_place){unet->exec, io->text, sample * n},
                     conditions->text + row * n, n);
    xl_exec_write_at((struct xl_place){unet->exec, io->pooled, sample * n_pooled},
                     conditions->pooled + row * n_pooled, n_pooled);
}

void xl_conditions_write(const struct xl_drawing *drawing, const struct xl_conditions *conditions,
                         struct xl_stage *unet, int i) {
    if (i == 0) xl_exec_write(unet->exec, unet->io.denoise.time_ids, conditions->ids);
    for (int sample = 0; sample < xl_drawing_n_samples(drawing); sample++) {
        const struct xl_prompt_parts *parts = &drawing->texts[sample].parts;
        int part = part_of(drawing, sample, i), row = conditions->first[sample];
        if (parts->n) row += parts->at[part].index;
        if (i == 0 || part != part_of(drawing, sample, i - 1))
            write_sample(drawing, conditions, unet, sample, row);
    }
}

int xl_conditions_next(const struct xl_drawing *drawing, int i) {
    int next = drawing->schedule->n_steps;
    for (int sample = 0; sample < xl_drawing_n_samples(drawing); sample++) {
        const struct xl_prompt_parts *parts = &drawing->texts[sample].parts;
        if (parts->n < 2) continue;
        int end = xl_drawing_evaluations(drawing, parts->at[part_of(drawing, sample, i)].last);
        if (end > i && end < next) next = end;
    }
    return next;
}
