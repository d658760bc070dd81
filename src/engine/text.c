/* text.c - prompts to embeddings. Each distinct prompt is encoded once and kept: a sweep over
 * profiles asks for the same negative prompt hundreds of times. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

static const enum xl_part encoder_part[XL_N_ENCODERS] = {XL_PART_ENCODER, XL_PART_ENCODER_2};

void xl_encoded_deinit(struct xl_encoded *encoded) {
    free(encoded->prompt);
    free(encoded->text);
    free(encoded->pooled);
    *encoded = (struct xl_encoded){0};
}

enum xl_status xl_model_check_ids(const struct xl_model *model, int e, const int32_t *ids,
                                  struct xl_err *err) {
    for (int i = 0; i < model->n_tokens; i++)
        if (ids[i] < 0 || ids[i] >= model->clip[e].vocab_size)
            return xl_fail(err, XL_EFORMAT,
                           "%s: token id %d is outside the text encoder's vocabulary of %d; "
                           "tokenizer and encoder do not belong together",
                           e ? model->files.tokenizer_2_dir : model->files.tokenizer_dir, ids[i],
                           model->clip[e].vocab_size);
    return XL_OK;
}

/* Token ids of the prompt for encoder e. */
static enum xl_status tokenize(const struct xl_drawing *drawing, int e, const char *prompt,
                               int32_t *ids, int *n_dropped, struct xl_err *err) {
    const struct xl_model *model = drawing->model;
    enum xl_status status =
        xl_tokenize_padded(model->tokenizer[e], prompt, drawing->n_tokens, ids, n_dropped, err);
    return status ? status : xl_model_check_ids(model, e, ids, err);
}

/* Encoder e writes its columns of text, and pooled if it is the second. */
static enum xl_status run_encoder(struct xl_drawing *drawing, int e, const int32_t *ids,
                                  struct xl_encoded *encoded, struct xl_err *err) {
    const struct xl_model *model = drawing->model;
    struct xl_part_key key = xl_drawing_part(drawing, encoder_part[e]);
    struct xl_stage *stage;
    enum xl_status status = xl_stage_get(drawing, &key, &stage, err);
    if (status) return status;
    struct xl_clip_io io = stage->io.clip;
    int32_t eos = xl_clip_eos_index(&model->clip[e], ids, drawing->n_tokens);
    xl_exec_write(stage->exec, io.ids, ids);
    if (io.eos) xl_exec_write(stage->exec, io.eos, &eos);
    status = xl_stage_run(drawing, stage, err);
    if (status) return status;

    size_t width = (size_t)model->clip[e].hidden_size,
           total = (size_t)model->unet.cross_attention_dim;
    size_t first = e ? total - width : 0, tokens = (size_t)drawing->n_tokens;
    float *states = malloc(tokens * width * sizeof *states);
    if (!states) return xl_fail_nomem(err, "text embeddings", tokens * width * sizeof *states);
    xl_exec_read(stage->exec, io.penultimate, states);
    for (size_t t = 0; t < tokens; t++)
        memcpy(encoded->text + t * total + first, states + t * width, width * sizeof *states);
    free(states);
    if (io.pooled) xl_exec_read(stage->exec, io.pooled, encoded->pooled);
    return XL_OK;
}

static enum xl_status encode(struct xl_drawing *drawing, const char *prompt, struct xl_encoded *out,
                             struct xl_err *err) {
    const struct xl_model *model = drawing->model;
    size_t n_text = (size_t)drawing->n_tokens * (size_t)model->unet.cross_attention_dim;
    struct xl_encoded encoded = {
        .prompt = strdup(prompt),
        .act_dtype = drawing->act_dtype,
        .text = calloc(n_text, sizeof(float)),
        .pooled = calloc((size_t)model->clip[1].projection_dim, sizeof(float)),
    };
    int32_t *ids = calloc((size_t)drawing->n_tokens, sizeof *ids);
    enum xl_status status = XL_OK;
    if (!encoded.prompt || !encoded.text || !encoded.pooled || !ids)
        status = xl_fail_nomem(err, "text embeddings", n_text * sizeof(float));
    for (int e = 0; !status && e < XL_N_ENCODERS; e++) {
        int n_dropped = 0;
        status = tokenize(drawing, e, prompt, ids, &n_dropped, err);
        if (n_dropped > encoded.n_dropped) encoded.n_dropped = n_dropped;
        if (!status) status = run_encoder(drawing, e, ids, &encoded, err);
    }
    free(ids);
    if (status)
        xl_encoded_deinit(&encoded);
    else
        *out = encoded;
    return status;
}

enum xl_status xl_drawing_encode(struct xl_drawing *drawing, const char *prompt,
                                 const struct xl_encoded **out, struct xl_err *err) {
    struct xl_encoded *kept = drawing->resident->encoded, *oldest = kept;
    for (int i = 0; i < XL_N_ENCODED; i++) {
        struct xl_encoded *entry = &kept[i];
        if (entry->prompt && entry->act_dtype == drawing->act_dtype &&
            !strcmp(entry->prompt, prompt)) {
            entry->last_used = ++drawing->device->clock;
            *out = entry;
            return XL_OK;
        }
        if (entry->last_used < oldest->last_used) oldest = entry;
    }
    struct xl_encoded encoded;
    enum xl_status status = encode(drawing, prompt, &encoded, err);
    if (status) return status;
    xl_encoded_deinit(oldest);
    *oldest = encoded;
    oldest->last_used = ++drawing->device->clock;
    *out = oldest;
    return XL_OK;
}
