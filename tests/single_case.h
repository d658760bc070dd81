/* single_case.h - checkpoints in one file for tests: written with random weights, or from another
 * one with changes. Wants scratch.h before. Failures abort the test. */
#ifndef XL_TESTS_SINGLE_CASE_H
#define XL_TESTS_SINGLE_CASE_H

#include "repo.h"
#include "weights/safetensors.h"

#include "base/str.h"

#include <fcntl.h>

/* A tensor on its way into a file. */
struct single_tensor {
    char name[XL_ST_MAX_NAME];
    const char *dtype;
    struct xl_shape shape;
    const void *data;
    size_t n; /* bytes */
};

struct single_file {
    struct single_tensor *tensors;
    int n;
    char *bytes;          /* what they point into */
    const char *metadata; /* members of __metadata__, or NULL */
};

static inline void single_write_random(const char *path, const char *size, enum xl_dtype dtype,
                                       bool is_sparse) {
    struct xl_repo_tensors list = {0};
    struct xl_repo_params params = {xl_repo_size_find(size), dtype, 0, is_sparse};
    struct xl_pool *pool;
    struct xl_err err = {0};
    xl_repo_single_tensors(&list, params.size);
    cr_assert_eq(xl_pool_new(1, NULL, &pool, &err), XL_OK);
    scratch_make_parents(path);
    cr_assert_eq(xl_repo_write_weights(path, &list, &params, pool, &err), XL_OK, "%s", err.text);
    xl_pool_free(pool);
    xl_repo_tensors_deinit(&list);
}

/* A folder of the same weights. */
static inline void single_write_folder(const char *dir, const char *size, enum xl_dtype dtype,
                                       bool is_sparse) {
    static const char *const files[XL_REPO_N] = {
        [XL_REPO_TEXT] = "text_encoder/model.safetensors",
        [XL_REPO_TEXT_2] = "text_encoder_2/model.safetensors",
        [XL_REPO_UNET] = "unet/diffusion_pytorch_model.safetensors",
        [XL_REPO_VAE] = "vae/diffusion_pytorch_model.safetensors"};
    static const char *const folders[] = {"scheduler", "tokenizer", "tokenizer_2"};
    struct xl_repo_params params = {xl_repo_size_find(size), dtype, 0, is_sparse};
    struct xl_pool *pool;
    struct xl_err err = {0};
    char path[SCRATCH_PATH];
    cr_assert_eq(xl_pool_new(1, NULL, &pool, &err), XL_OK);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s/x", dir, folders[i]);
        scratch_make_parents(path);
    }
    for (int c = 0; c < XL_REPO_N; c++) {
        struct xl_repo_tensors list = {0};
        if (c == XL_REPO_UNET)
            xl_repo_unet_tensors(&list, params.size);
        else if (c == XL_REPO_VAE)
            xl_repo_vae_tensors(&list, params.size);
        else
            xl_repo_text_tensors(&list, params.size, c == XL_REPO_TEXT_2);
        snprintf(path, sizeof path, "%s/%s", dir, files[c]);
        scratch_make_parents(path);
        cr_assert_eq(xl_repo_write_weights(path, &list, &params, pool, &err), XL_OK, "%s",
                     err.text);
        xl_repo_tensors_deinit(&list);
    }
    cr_assert_eq(xl_repo_write_configs(dir, params.size, &err), XL_OK, "%s", err.text);
    xl_pool_free(pool);
}

/* All tensors of a file, with room for a few more. */
static inline struct single_file single_read(const char *path) {
    struct xl_safetensors header;
    struct xl_err err = {0};
    struct stat st;
    int fd = open(path, O_RDONLY);
    cr_assert(fd >= 0 && !fstat(fd, &st));
    cr_assert_eq(xl_safetensors_read(path, fd, &header, &err), XL_OK, "%s", err.text);
    struct single_file file = {.n = header.n_tensors, .bytes = malloc((size_t)st.st_size)};
    cr_assert_eq(pread(fd, file.bytes, (size_t)st.st_size, 0), st.st_size);
    file.tensors = calloc((size_t)file.n + 16, sizeof *file.tensors);
    for (int i = 0; i < file.n; i++) {
        const struct xl_st_tensor *from = &header.tensors[i];
        struct single_tensor *to = &file.tensors[i];
        snprintf(to->name, sizeof to->name, "%s", from->name);
        to->dtype = xl_st_dtype_name(from->dtype);
        to->shape.rank = from->rank;
        memcpy(to->shape.dim, from->dim, sizeof from->dim);
        to->data = file.bytes + from->begin;
        to->n = (size_t)(from->end - from->begin);
    }
    xl_safetensors_deinit(&header);
    close(fd);
    return file;
}

static inline void single_add(struct single_file *file, const char *name, const char *dtype,
                              struct xl_shape shape, const void *data, size_t n) {
    struct single_tensor *tensor = &file->tensors[file->n++];
    *tensor = (struct single_tensor){.dtype = dtype, .shape = shape, .data = data, .n = n};
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
}

static inline struct single_tensor *single_find(struct single_file *file, const char *name) {
    for (int i = 0; i < file->n; i++)
        if (!strcmp(file->tensors[i].name, name)) return &file->tensors[i];
    cr_assert_fail("no tensor %s", name);
    return NULL;
}

/* The last tensor first. */
static inline void single_write(const char *path, const struct single_file *file) {
    struct xl_str text = {0};
    size_t offset = 0;
    uint8_t length[8];
    xl_str_printf(&text, "{\"__metadata__\": {%s}", file->metadata ? file->metadata : "");
    for (int i = file->n - 1; i >= 0; i--) {
        const struct single_tensor *tensor = &file->tensors[i];
        xl_str_printf(&text, ", \"%s\": {\"dtype\": \"%s\", \"shape\": [", tensor->name,
                      tensor->dtype);
        for (int d = 0; d < tensor->shape.rank; d++)
            xl_str_printf(&text, "%s%lld", d ? ", " : "", (long long)tensor->shape.dim[d]);
        xl_str_printf(&text, "], \"data_offsets\": [%zu, %zu]}", offset, offset + tensor->n);
        offset += tensor->n;
    }
    xl_str_puts(&text, "}");
    scratch_make_parents(path);
    FILE *out = fopen(path, "wb");
    cr_assert_not_null(out);
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)((uint64_t)text.len >> 8 * i);
    fwrite(length, 1, 8, out);
    fwrite(text.text, 1, text.len, out);
    for (int i = file->n - 1; i >= 0; i--)
        fwrite(file->tensors[i].data, 1, file->tensors[i].n, out);
    cr_assert_eq(fclose(out), 0);
    xl_str_deinit(&text);
}

static inline void single_free(struct single_file *file) {
    free(file->tensors);
    free(file->bytes);
}

/* `from` in the place of `to` at the beginning of every name that begins so. */
static inline void single_rename(struct single_file *file, const char *from, const char *to) {
    size_t n = strlen(from);
    for (int i = 0; i < file->n; i++) {
        char *name = file->tensors[i].name, renamed[XL_ST_MAX_NAME + 64];
        if (strncmp(name, from, n)) continue;
        snprintf(renamed, sizeof renamed, "%s%s", to, name + n);
        snprintf(name, XL_ST_MAX_NAME, "%.*s", XL_ST_MAX_NAME - 1, renamed);
    }
}

#endif
