/* weights.c - the files of a component mapped, and their tensors in one sorted list. */
#include "weights/weights.h"
#include "weights/safetensors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct mapping {
    const char *path;
    int fd;
    void *base; /* NULL until mapped */
    size_t size;
    struct timespec modified;
};

struct xl_weights {
    struct xl_arena arena; /* names and paths */
    const char *label;
    struct mapping *files;
    int n_files;
    struct xl_tensor *tensors; /* by name order */
    int n_tensors;
    int64_t bytes;
};

static const struct {
    enum xl_st_dtype in_file;
    enum xl_dtype dtype;
} floats[] = {
    {XL_ST_F32, XL_DTYPE_F32},
    {XL_ST_F16, XL_DTYPE_F16},
    {XL_ST_BF16, XL_DTYPE_BF16},
};

static bool is_integer(enum xl_st_dtype dtype) {
    return dtype <= XL_ST_I64;
}

/* How a floating tensor appears to the program, or a sentence why it cannot. */
static enum xl_status expose(const struct mapping *file, const struct xl_st_tensor *stored,
                             struct xl_tensor *out, struct xl_err *err) {
    const size_t n_floats = sizeof floats / sizeof *floats;
    size_t i = 0;
    while (i < n_floats && floats[i].in_file != stored->dtype) i++;
    if (i == n_floats)
        return xl_fail(
            err, XL_EFORMAT,
            "%s: tensor \"%s\" is of dtype %s, expected F32, F16 or BF16; save the model "
            "in one of these",
            file->path, stored->name, xl_st_dtype_name(stored->dtype));
    if (stored->rank > XL_MAX_RANK)
        return xl_fail(err, XL_EFORMAT, "%s: tensor \"%s\" has %d dimensions, expected at most %d",
                       file->path, stored->name, stored->rank, XL_MAX_RANK);
    if (stored->begin % (int64_t)xl_dtype_size(floats[i].dtype))
        return xl_fail(
            err, XL_EFORMAT,
            "%s: tensor \"%s\" begins at byte %lld, expected a multiple of %zu; save the "
            "file again with a current version of safetensors",
            file->path, stored->name, (long long)stored->begin, xl_dtype_size(floats[i].dtype));
    out->dtype = floats[i].dtype;
    out->shape.rank = stored->rank;
    memcpy(out->shape.dim, stored->dim, sizeof stored->dim);
    out->data = (const char *)file->base + stored->begin;
    return XL_OK;
}

static enum xl_status append(struct xl_weights *weights, const struct mapping *file,
                             const struct xl_safetensors *header, struct xl_err *err) {
    size_t bytes = ((size_t)weights->n_tensors + (size_t)header->n_tensors + 1) *
                   sizeof *weights->tensors;
    struct xl_tensor *grown = realloc(weights->tensors, bytes);
    if (!grown) return xl_fail_nomem(err, "a list of tensors", bytes);
    weights->tensors = grown;
    for (int i = 0; i < header->n_tensors; i++) {
        const struct xl_st_tensor *stored = &header->tensors[i];
        if (is_integer(stored->dtype)) continue;
        struct xl_tensor tensor = {0};
        enum xl_status status = expose(file, stored, &tensor, err);
        if (status) return status;
        tensor.name = xl_arena_strdup(&weights->arena, stored->name);
        if (!tensor.name) return xl_fail_nomem(err, "the names of tensors", 0);
        weights->tensors[weights->n_tensors++] = tensor;
        weights->bytes += stored->end - stored->begin;
    }
    return XL_OK;
}

static enum xl_status map_file(struct mapping *file, const struct xl_safetensors *header,
                               struct xl_err *err) {
    struct stat st;
    if (fstat(file->fd, &st) || st.st_size != header->size)
        return xl_fail(err, XL_EFORMAT, "%s: changed while it was opened", file->path);
    file->size = (size_t)st.st_size;
    file->modified = st.st_mtim;
    void *base = mmap(NULL, file->size, PROT_READ, MAP_SHARED, file->fd, 0);
    if (base == MAP_FAILED)
        return xl_fail(err, errno == ENOMEM ? XL_ENOMEM : XL_EFORMAT, "%s: cannot map: %s",
                       file->path, strerror(errno));
    file->base = base;
    return XL_OK;
}

static enum xl_status add_file(struct xl_weights *weights, const char *path, struct xl_err *err) {
    struct mapping *file = &weights->files[weights->n_files];
    file->path = xl_arena_strdup(&weights->arena, path);
    if (!file->path) return xl_fail_nomem(err, "a path", 0);
    enum xl_status status = xl_safetensors_open(path, &file->fd, err);
    if (status) return status;
    weights->n_files++; /* from here on xl_weights_close closes it */
    struct xl_safetensors header;
    if ((status = xl_safetensors_read(path, file->fd, &header, err))) return status;
    status = map_file(file, &header, err);
    if (!status) status = append(weights, file, &header, err);
    xl_safetensors_deinit(&header);
    return status;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct xl_tensor *)a)->name, ((const struct xl_tensor *)b)->name);
}

static const char *file_of(const struct xl_weights *weights, const struct xl_tensor *tensor) {
    for (int i = 0; i < weights->n_files; i++) {
        const char *base = weights->files[i].base, *data = tensor->data;
        if (data >= base && data <= base + weights->files[i].size) return weights->files[i].path;
    }
    return "?";
}

static enum xl_status sort_names(struct xl_weights *weights, struct xl_err *err) {
    if (!weights->n_tensors) return XL_OK;
    qsort(weights->tensors, (size_t)weights->n_tensors, sizeof *weights->tensors, by_name);
    for (int i = 1; i < weights->n_tensors; i++) {
        const struct xl_tensor *a = &weights->tensors[i - 1], *b = &weights->tensors[i];
        if (!by_name(a, b))
            return xl_fail(err, XL_EFORMAT, "%s: tensor \"%s\" is in this file and in %s too",
                           file_of(weights, a), a->name, file_of(weights, b));
    }
    return XL_OK;
}

enum xl_status xl_weights_open(const char *label, const char *const *files, int n_files,
                               struct xl_weights **out, struct xl_err *err) {
    struct xl_weights *weights = calloc(1, sizeof *weights);
    enum xl_status status = XL_OK;
    if (weights) {
        weights->label = xl_arena_strdup(&weights->arena, label);
        weights->files = calloc((size_t)n_files + 1, sizeof *weights->files);
    }
    if (!weights || !weights->label || !weights->files)
        status = xl_fail_nomem(err, "a list of weight files", 0);
    for (int i = 0; !status && i < n_files; i++) status = add_file(weights, files[i], err);
    if (!status) status = sort_names(weights, err);
    if (status) {
        xl_weights_close(weights);
        return xl_fail_context(err, status, "%s", label);
    }
    *out = weights;
    return XL_OK;
}

void xl_weights_close(struct xl_weights *weights) {
    if (!weights) return;
    for (int i = 0; i < weights->n_files; i++) {
        if (weights->files[i].base) munmap(weights->files[i].base, weights->files[i].size);
        close(weights->files[i].fd);
    }
    free(weights->files);
    free(weights->tensors);
    xl_arena_deinit(&weights->arena);
    free(weights);
}

enum xl_status xl_weights_verify(const struct xl_weights *weights, struct xl_err *err) {
    for (int i = 0; i < weights->n_files; i++) {
        const struct mapping *file = &weights->files[i];
        struct stat st;
        if (fstat(file->fd, &st) || (size_t)st.st_size != file->size ||
            st.st_mtim.tv_sec != file->modified.tv_sec ||
            st.st_mtim.tv_nsec != file->modified.tv_nsec)
            return xl_fail(
                err, XL_EFORMAT,
                "%s: %s: changed since it was opened; start again when nothing writes it",
                weights->label, file->path);
    }
    return XL_OK;
}

const struct xl_tensor *xl_weights_find(const struct xl_weights *weights, const char *name) {
    struct xl_tensor key = {.name = name};
    if (!weights->n_tensors) return NULL;
    return bsearch(&key, weights->tensors, (size_t)weights->n_tensors, sizeof key, by_name);
}

int xl_weights_count(const struct xl_weights *weights) {
    return weights->n_tensors;
}

const struct xl_tensor *xl_weights_at(const struct xl_weights *weights, int i) {
    return &weights->tensors[i];
}

const char *xl_weights_label(const struct xl_weights *weights) {
    return weights->label;
}

int64_t xl_weights_bytes(const struct xl_weights *weights) {
    return weights->bytes;
}

static int64_t tensor_bytes(const struct xl_tensor *tensor) {
    return xl_shape_count(tensor->shape) * (int64_t)xl_dtype_size(tensor->dtype);
}

enum xl_dtype xl_weights_main_dtype(const struct xl_weights *weights) {
    const size_t n_floats = sizeof floats / sizeof *floats;
    int64_t most = -1;
    enum xl_dtype main_dtype = XL_DTYPE_F32;
    for (size_t f = 0; f < n_floats; f++) {
        int64_t bytes = 0;
        for (int i = 0; i < weights->n_tensors; i++)
            if (weights->tensors[i].dtype == floats[f].dtype)
                bytes += tensor_bytes(&weights->tensors[i]);
        if (bytes <= most) continue;
        most = bytes;
        main_dtype = floats[f].dtype;
    }
    return main_dtype;
}

/* Only whole pages: the ones at the ends hold neighbours too. */
void xl_weights_drop(const struct xl_weights *weights, const struct xl_tensor *tensor) {
    (void)weights;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)tensor->data + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)tensor->data + (uintptr_t)tensor_bytes(tensor)) / page * page;
    if (begin < end) madvise((void *)begin, end - begin, MADV_DONTNEED);
}
