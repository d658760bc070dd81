/* embedding.c - a textual inversion's file to vectors. Keeps no state. */
#include "weights/embedding.h"

#include "weights/pickle.h"
#include "weights/weights.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* diffusers, kohya, ComfyUI and A1111; diffusers' advanced trainer before; others */
static const char *const keys[][XL_EMBEDDING_N_ENCODERS] = {
    {"clip_l", "clip_g"},
    {"text_encoders_0", "text_encoders_1"},
    {"te1", "te2"},
};
enum { N_KEYS = sizeof keys / sizeof *keys };

const char *const *xl_embedding_keys(int i) {
    return i >= 0 && i < N_KEYS ? keys[i] : NULL;
}

/* What can run code is told by its name and not opened. */
static enum xl_status check_name(const char *path, struct xl_err *err) {
    if (!xl_is_pickle_name(path)) return XL_OK;
    return xl_fail(err, XL_EFORMAT,
                   "%s: a pickle file: such files can run code and are never read; convert it with "
                   "torch.load(FILE, weights_only=True) and "
                   "safetensors.torch.save_file({\"clip_l\": ..., \"clip_g\": ...}, FILE)",
                   path);
}

static enum xl_status check_size(const char *path, struct xl_err *err) {
    struct stat st;
    if (stat(path, &st) || st.st_size <= XL_EMBEDDING_MAX_BYTES) return XL_OK;
    return xl_fail(err, XL_EFORMAT,
                   "%s: a file of %lld bytes is no textual inversion, which has some hundred "
                   "kilobytes at most",
                   path, (long long)st.st_size);
}

/* The tensors of both encoders. */
static enum xl_status find(const char *path, const struct xl_weights *weights,
                           const struct xl_tensor *out[XL_EMBEDDING_N_ENCODERS],
                           struct xl_err *err) {
    for (int i = 0; i < N_KEYS; i++) {
        int n_found = 0;
        for (int e = 0; e < XL_EMBEDDING_N_ENCODERS; e++) {
            const char *why = xl_weights_why_not(weights, keys[i][e]);
            if (why) return xl_fail(err, XL_EFORMAT, "%s: %s", path, why);
            out[e] = xl_weights_find(weights, keys[i][e]);
            n_found += out[e] != NULL;
        }
        if (n_found == XL_EMBEDDING_N_ENCODERS) return XL_OK;
        if (n_found)
            return xl_fail(err, XL_EFORMAT,
                           "%s: it has vectors \"%s\" and none called \"%s\": SDXL has two text "
                           "encoders, and a textual inversion for it has vectors for both",
                           path, keys[i][out[0] ? 0 : 1], keys[i][out[0] ? 1 : 0]);
    }
    int n = xl_weights_count(weights);
    return xl_fail(err, XL_EFORMAT,
                   "%s: expected vectors \"clip_l\" and \"clip_g\" for SDXL's two text encoders, "
                   "found %d %s%s%s%s",
                   path, n, n == 1 ? "tensor" : "tensors", n ? ", the first is \"" : "",
                   n ? xl_weights_at(weights, 0)->name : "", n ? "\"" : "");
}

static enum xl_status read_vectors(const char *path, const struct xl_tensor *tensor, float **out,
                                   struct xl_arena *arena, struct xl_err *err) {
    int64_t n = xl_shape_count(tensor->shape);
    float *numbers = xl_arena_alloc(arena, (size_t)n * sizeof *numbers);
    void *raw = xl_arena_alloc(arena, (size_t)n * xl_dtype_size(tensor->dtype));
    if (!numbers || !raw) return xl_fail_nomem(err, path, (size_t)n * sizeof *numbers);
    xl_tensor_read(tensor, 0, n, raw);
    xl_convert(numbers, XL_DTYPE_F32, raw, tensor->dtype, n);
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(numbers[i]))
            return xl_fail(err, XL_EFORMAT,
                           "%s: \"%s\" holds NaN or infinity: its training went wrong, or the file "
                           "is damaged",
                           path, tensor->name);
    *out = numbers;
    return XL_OK;
}

static enum xl_status check_shape(const char *path, const struct xl_tensor *tensor,
                                  struct xl_err *err) {
    char text[XL_SHAPE_TEXT];
    int rank = tensor->shape.rank;
    if ((rank == 1 || rank == 2) && xl_shape_count(tensor->shape) > 0) return XL_OK;
    return xl_fail(err, XL_EFORMAT, "%s: \"%s\" is %s, expected [vectors, width] of at least one",
                   path, tensor->name, xl_shape_format(tensor->shape, text));
}

static enum xl_status take(const char *path, const struct xl_weights *weights,
                           struct xl_arena *arena, struct xl_embedding_vectors *out,
                           struct xl_err *err) {
    const struct xl_tensor *tensors[XL_EMBEDDING_N_ENCODERS];
    int64_t n[XL_EMBEDDING_N_ENCODERS];
    enum xl_status status = find(path, weights, tensors, err);
    for (int e = 0; !status && e < XL_EMBEDDING_N_ENCODERS; e++) {
        status = check_shape(path, tensors[e], err);
        if (!status) status = read_vectors(path, tensors[e], &out->at[e], arena, err);
        if (status) break;
        out->width[e] = (int)xl_shape_last(tensors[e]->shape);
        n[e] = tensors[e]->shape.rank == 2 ? tensors[e]->shape.dim[0] : 1;
    }
    if (status) return status;
    if (n[0] != n[1])
        return xl_fail(
            err, XL_EFORMAT,
            "%s: it has %lld vectors \"%s\" and %lld vectors \"%s\", expected as many of "
            "both",
            path, (long long)n[0], tensors[0]->name, (long long)n[1], tensors[1]->name);
    out->n = (int)n[0];
    return XL_OK;
}

enum xl_status xl_embedding_read(const char *path, struct xl_arena *arena,
                                 struct xl_embedding_vectors *out, struct xl_err *err) {
    struct xl_embedding_vectors vectors = {.n = 0};
    struct xl_weights *weights = NULL;
    enum xl_status status = check_name(path, err);
    if (!status) status = check_size(path, err);
    if (!status) status = xl_weights_open("the textual inversion", &path, 1, &weights, err);
    if (!status) status = take(path, weights, arena, &vectors, err);
    if (!status) status = xl_sha256_file(path, vectors.digest, err);
    if (!status) status = xl_weights_verify(weights, err);
    xl_weights_close(weights);
    if (status) return status == XL_EINPUT ? XL_EFORMAT : status;
    *out = vectors;
    return XL_OK;
}
