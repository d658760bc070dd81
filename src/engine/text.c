/* text.c - texts to embeddings. Each distinct text is encoded once and kept: a sweep over profiles
 * asks for the same negative prompt hundreds of times. */
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
                                  int n_extra, struct xl_err *err) {
    const char *dir = e ? model->files.tokenizer_2_dir : model->files.tokenizer_dir;
    for (int i = 0; i < model->n_tokens; i++)
        if (ids[i] < 0 || ids[i] >= model->clip[e].vocab_size + n_extra)
            return xl_fail(err, XL_EFORMAT,
                           "%s: token id %d is outside the text encoder's vocabulary of %d; "
                           "tokenizer and encoder do not belong together",
                           dir ? dir : model->files.checkpoint, ids[i], model->clip[e].vocab_size);
    return XL_OK;
}

/* The position that is pooled. Where the rule is that of the greatest id (xl_clip_eos_index), that
 * is a vector of an embedding if there is one, as diffusers and compel have it; A1111 counts those
 * as nothing and pools at the end. */
static int32_t eos_index(const struct xl_drawing *drawing, int e, const int32_t *ids) {
    const struct xl_clip_config *config = &drawing->model->clip[e];
    int index = xl_clip_eos_index(config, ids, drawing->n_tokens);
    if (drawing->request->prompt_syntax != XL_PROMPT_A1111 || ids[index] < config->vocab_size)
        return index;
    index = 0;
    for (int i = 0; i < drawing->n_tokens; i++)
        if (ids[i] < config->vocab_size && ids[i] > ids[index]) index = i;
    return index;
}

enum xl_status xl_text_run(struct xl_drawing *drawing, int e, const int32_t *ids,
                           const int32_t *mask, struct xl_states_place out, struct xl_err *err) {
    const struct xl_model *model = drawing->model;
    struct xl_part_key key = xl_drawing_part(drawing, encoder_part[e]);
    struct xl_stage *stage;
    key.is_masked = mask != NULL;
    enum xl_status status = xl_model_check_ids(model, e, ids, key.extra, err);
    if (!status) status = xl_stage_get(drawing, &key, &stage, err);
    if (status) return status;
    struct xl_clip_io io = stage->io.clip;
    int32_t eos = eos_index(drawing, e, ids);
    xl_exec_write(stage->exec, io.ids, ids);
    if (io.eos) xl_exec_write(stage->exec, io.eos, &eos);
    if (io.mask) xl_exec_write(stage->exec, io.mask, mask);
    if (io.extra) xl_exec_write(stage->exec, io.extra, drawing->embeddings.rows[e]);
    status = xl_stage_run(drawing, stage, err);
    if (status) return status;
    xl_exec_read(stage->exec, io.states, out.states);
    if (io.pooled && out.pooled) xl_exec_read(stage->exec, io.pooled, out.pooled);
    return XL_OK;
}

static double mean(const float *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i];
    return sum / (double)n;
}

/* A1111's emphasis "Original": each token's states times its weight, then all of the chunk times
 * what brings its mean back. */
static void emphasize(float *states, const float *weights, size_t n_tokens, size_t width) {
    bool is_used = false;
    for (size_t t = 0; t < n_tokens; t++) is_used |= weights[t] != 1;
    if (!is_used) return;
    double before = mean(states, n_tokens * width);
    for (size_t t = 0; t < n_tokens; t++)
        for (size_t i = 0; i < width; i++) states[t * width + i] *= weights[t];
    double after = mean(states, n_tokens * width);
    if (after == 0) return; /* nothing brings it back */
    float factor = (float)(before / after);
    for (size_t i = 0; i < n_tokens * width; i++) states[i] *= factor;
}

static enum xl_status encode_chunks(struct xl_drawing *drawing, int e,
                                    const struct xl_chunks *chunks, struct xl_states *out,
                                    struct xl_err *err) {
    size_t n_tokens = (size_t)drawing->n_tokens;
    size_t width = (size_t)drawing->model->clip[e].hidden_size, n_chunk = n_tokens * width;
    enum xl_status status = XL_OK;
    out->n_chunks = chunks->n;
    out->at = malloc((size_t)chunks->n * n_chunk * sizeof *out->at);
    if (!out->at) return xl_fail_nomem(err, "text embeddings", n_chunk * sizeof *out->at);
    for (int i = 0; !status && i < chunks->n; i++) {
        size_t first = (size_t)i * n_tokens;
        float *states = out->at + (size_t)i * n_chunk;
        struct xl_states_place place = {states, i ? NULL : out->pooled};
        status = xl_text_run(drawing, e, chunks->ids + first, NULL, place, err);
        if (!status) emphasize(states, chunks->weights + first, n_tokens, width);
    }
    return status;
}

static enum xl_status encode_text(struct xl_drawing *drawing, int e, const char *text,
                                  struct xl_states *out, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_chunks chunks;
    if (drawing->request->prompt_syntax == XL_PROMPT_COMPEL)
        return xl_compel_encode(drawing, e, text, out, err);
    enum xl_status status = xl_prompt_chunks(drawing, e, text, &arena, &chunks, err);
    if (!status) status = encode_chunks(drawing, e, &chunks, out, err);
    xl_arena_deinit(&arena);
    return status;
}

/* Columns of encoder e: its chunks, and empty ones where the other has more (which tokenizers that
 * differ may lead to). */
static enum xl_status put_columns(struct xl_drawing *drawing, int e, const struct xl_states *states,
                                  struct xl_encoded *encoded, struct xl_err *err) {
    const struct xl_model *model = drawing->model;
    size_t width = (size_t)model->clip[e].hidden_size,
           total = (size_t)model->unet.cross_attention_dim;
    size_t first = e ? total - width : 0, n_tokens = (size_t)drawing->n_tokens;
    struct xl_states empty = {.at = NULL};
    enum xl_status status = XL_OK;
    if (states->n_chunks < encoded->n_chunks) status = encode_text(drawing, e, "", &empty, err);
    for (size_t t = 0; !status && t < (size_t)encoded->n_chunks * n_tokens; t++) {
        bool is_own = t < (size_t)states->n_chunks * n_tokens;
        const float *from = is_own ? states->at + t * width : empty.at + t % n_tokens * width;
        memcpy(encoded->text + t * total + first, from, width * sizeof *from);
    }
    free(empty.at);
    return status;
}

static enum xl_status join(struct xl_drawing *drawing, const struct xl_states states[XL_N_ENCODERS],
                           struct xl_encoded *encoded, struct xl_err *err) {
    for (int e = 0; e < XL_N_ENCODERS; e++)
        if (states[e].n_chunks > encoded->n_chunks) encoded->n_chunks = states[e].n_chunks;
    size_t n_text = (size_t)encoded->n_chunks * (size_t)drawing->n_tokens *
                    (size_t)drawing->model->unet.cross_attention_dim;
    encoded->text = calloc(n_text, sizeof(float));
    if (!encoded->text) return xl_fail_nomem(err, "text embeddings", n_text * sizeof(float));
    enum xl_status status = XL_OK;
    for (int e = 0; !status && e < XL_N_ENCODERS; e++)
        status = put_columns(drawing, e, &states[e], encoded, err);
    return status;
}

static enum xl_status encode(struct xl_drawing *drawing, const char *prompt, struct xl_encoded *out,
                             struct xl_err *err) {
    struct xl_states states[XL_N_ENCODERS] = {{0}};
    struct xl_encoded encoded = {
        .prompt = strdup(prompt),
        .act_dtype = drawing->act_dtype,
        .syntax = drawing->request->prompt_syntax,
        .skip = drawing->skip,
        .pooled = calloc((size_t)drawing->model->clip[1].projection_dim, sizeof(float)),
    };
    enum xl_status status = XL_OK;
    strcpy(encoded.embeddings, drawing->embeddings.key);
    if (!encoded.prompt || !encoded.pooled) status = xl_fail_nomem(err, "text embeddings", 0);
    for (int e = 0; !status && e < XL_N_ENCODERS; e++) {
        states[e].pooled = encoded.pooled;
        status = encode_text(drawing, e, prompt, &states[e], err);
    }
    if (!status) status = join(drawing, states, &encoded, err);
    for (int e = 0; e < XL_N_ENCODERS; e++) free(states[e].at);
    if (status)
        xl_encoded_deinit(&encoded);
    else
        *out = encoded;
    return status;
}

static bool is_kept(const struct xl_encoded *entry, const struct xl_drawing *drawing,
                    const char *prompt) {
    return entry->prompt && entry->act_dtype == drawing->act_dtype &&
           entry->syntax == drawing->request->prompt_syntax && entry->skip == drawing->skip &&
           !strcmp(entry->embeddings, drawing->embeddings.key) && !strcmp(entry->prompt, prompt);
}

enum xl_status xl_drawing_encode(struct xl_drawing *drawing, const char *prompt,
                                 const struct xl_encoded **out, struct xl_err *err) {
    struct xl_encoded *kept = drawing->resident->encoded, *oldest = kept;
    for (int i = 0; i < XL_N_ENCODED; i++) {
        struct xl_encoded *entry = &kept[i];
        if (is_kept(entry, drawing, prompt)) {
            entry->last_used = xl_device_now(drawing->device);
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
    oldest->last_used = xl_device_now(drawing->device);
    *out = oldest;
    return XL_OK;
}
