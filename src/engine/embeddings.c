/* embeddings.c - the textual inversions of a request: read, checked against the model, and laid out
 * as rows behind each encoder's vocabulary. Needs no device. */
#include "engine/engine.h"

#include "hub/classify.h"
#include "weights/embedding.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { ROWS_UNIT = 32 }; /* a plan is made for a number of rows: one does for most requests */
_Static_assert((int)XL_EMBEDDING_N_ENCODERS == (int)XL_N_ENCODERS, "a file has vectors for all");

static enum xl_status check_word(const char *word, struct xl_err *err) {
    if (!word || !word[0]) return xl_fail(err, XL_EINVAL, "an embedding has an empty word");
    for (const char *c = word; *c; c++)
        if (isspace((unsigned char)*c) || *c == ',' || iscntrl((unsigned char)*c))
            return xl_fail(err, XL_EINVAL,
                           "the word \"%.100s\" of an embedding has a blank or a comma in it, "
                           "expected one word",
                           word);
    return XL_OK;
}

static enum xl_status check_request(const struct xl_request *request, struct xl_err *err) {
    const struct xl_embedding *list = request->embeddings;
    int n = request->n_embeddings;
    if (n < 0 || n > XL_EMBEDDINGS_MAX)
        return xl_fail(err, XL_EINVAL, "n_embeddings is %d, expected 0 to %d", n,
                       XL_EMBEDDINGS_MAX);
    for (int i = 0; i < n; i++) {
        enum xl_status status = check_word(list[i].word, err);
        if (!status && (!list[i].file || !list[i].file[0]))
            status = xl_fail(err, XL_EINVAL, "the embedding \"%s\" has no file", list[i].word);
        for (int k = 0; !status && k < i; k++)
            if (!strcasecmp(list[k].word, list[i].word))
                status =
                    xl_fail(err, XL_EINVAL,
                            "the word \"%s\" stands for two embeddings, %s and %s; give one of "
                            "them another word",
                            list[i].word, list[k].file, list[i].file);
        if (status) return status;
    }
    return XL_OK;
}

/* What is no textual inversion for SDXL at all is named, rather than what it does not have. */
static enum xl_status explain(const char *path, enum xl_status status, struct xl_err *err) {
    if (status == XL_EFORMAT) xl_hub_file_fit(path, XL_FILE_EMBEDDING, err);
    return status;
}

/* It goes with the encoders and the tokens of the model, and is the file that was asked for. */
static enum xl_status check(const struct xl_drawing *drawing, const struct xl_embedding *embedding,
                            const struct xl_embedding_vectors *vectors, struct xl_err *err) {
    const struct xl_clip_config *clip = drawing->model->clip;
    if (embedding->digest && strcmp(embedding->digest, vectors->digest) != 0)
        return xl_fail(err, XL_EINPUT,
                       "the embedding %s is another file than the one that was asked for (its "
                       "digest is %.10s..., and was %.10s...); put that file back, or start a new "
                       "run",
                       embedding->file, vectors->digest, embedding->digest);
    if (vectors->width[0] != clip[0].hidden_size || vectors->width[1] != clip[1].hidden_size)
        return xl_fail(err, XL_EFORMAT,
                       "%s: its vectors have %d and %d numbers, expected %d and %d: it is for "
                       "another model than this one",
                       embedding->file, vectors->width[0], vectors->width[1], clip[0].hidden_size,
                       clip[1].hidden_size);
    if (vectors->n > drawing->n_tokens - 2)
        return xl_fail(err, XL_EINVAL, "%s: it has %d vectors, and a prompt has room for %d tokens",
                       embedding->file, vectors->n, drawing->n_tokens - 2);
    return XL_OK;
}

/* Triggers and rows from the vectors of all. */
static enum xl_status lay_out(struct xl_drawing *drawing,
                              const struct xl_embedding_vectors *vectors, struct xl_err *err) {
    struct xl_drawing_embeddings *out = &drawing->embeddings;
    int n = drawing->request->n_embeddings, n_rows = 0;
    for (int i = 0; i < n; i++) n_rows += vectors[i].n;
    n_rows = (n_rows + ROWS_UNIT - 1) / ROWS_UNIT * ROWS_UNIT;
    for (int e = 0; e < XL_N_ENCODERS; e++) {
        size_t width = (size_t)drawing->model->clip[e].hidden_size;
        size_t bytes = (size_t)n_rows * width * sizeof(float);
        out->triggers[e] = xl_arena_alloc(&drawing->arena, (size_t)n * sizeof *out->triggers[e]);
        out->rows[e] = xl_arena_alloc(&drawing->arena, bytes);
        if (!out->triggers[e] || !out->rows[e]) return xl_fail_nomem(err, "embeddings", bytes);
        memset(out->rows[e], 0, bytes);
        int row = 0;
        for (int i = 0; i < n; row += vectors[i++].n) {
            out->triggers[e][i] = (struct xl_trigger){drawing->request->embeddings[i].word,
                                                      drawing->model->clip[e].vocab_size + row,
                                                      vectors[i].n};
            memcpy(out->rows[e] + (size_t)row * width, vectors[i].at[e],
                   (size_t)vectors[i].n * width * sizeof(float));
        }
    }
    out->n = n;
    out->n_rows = n_rows;
    return XL_OK;
}

static enum xl_status name(struct xl_drawing *drawing, const struct xl_embedding_vectors *vectors,
                           struct xl_err *err) {
    struct xl_drawing_embeddings *out = &drawing->embeddings;
    struct xl_str text = {0};
    out->digests = xl_arena_alloc(&drawing->arena, (size_t)out->n * sizeof *out->digests);
    if (!out->digests) return xl_fail_nomem(err, "embeddings", 0);
    for (int i = 0; i < out->n; i++) {
        out->digests[i] = xl_arena_strdup(&drawing->arena, vectors[i].digest);
        xl_str_printf(&text, "%s %s\n", out->triggers[0][i].word, vectors[i].digest);
        if (!out->digests[i]) text.failed = true;
    }
    enum xl_status status = text.failed ? xl_fail_nomem(err, "embeddings", 0)
                                        : xl_sha256(text.text, text.len, out->key, err);
    xl_str_deinit(&text);
    return status;
}

enum xl_status xl_embeddings_open(struct xl_drawing *drawing, struct xl_err *err) {
    const struct xl_request *request = drawing->request;
    int n = request->n_embeddings;
    if (!n) return XL_OK;
    enum xl_status status = check_request(request, err);
    if (status) return status;
    struct xl_embedding_vectors *vectors =
        xl_arena_alloc(&drawing->arena, (size_t)n * sizeof *vectors);
    if (!vectors) return xl_fail_nomem(err, "embeddings", 0);
    for (int i = 0; !status && i < n; i++) {
        const struct xl_embedding *embedding = &request->embeddings[i];
        status = xl_embedding_read(embedding->file, &drawing->arena, &vectors[i], err);
        if (status) return explain(embedding->file, status, err);
        status = check(drawing, embedding, &vectors[i], err);
    }
    if (!status) status = lay_out(drawing, vectors, err);
    return status ? status : name(drawing, vectors, err);
}
