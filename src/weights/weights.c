/* weights.c - the files of a component mapped, and their tensors in one sorted list. */
#include "weights/weights.h"
#include "weights/safetensors.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
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
    atomic_int n_refs;       /* the opener's and those of selections */
    struct xl_weights *from; /* of a selection: who has the files; else NULL */
    struct xl_arena arena;   /* names, paths, scales */
    const char *label;
    struct mapping *files;
    int n_files;
    struct xl_tensor *tensors; /* by name order */
    int n_tensors;
    int64_t bytes;
    const struct xl_left_out *omitted;
};

/* How the types of the format are read. */
static const struct {
    enum xl_st_dtype in_file;
    enum xl_dtype dtype;
    enum xl_stored stored;
} floats[] = {
    {XL_ST_F32, XL_DTYPE_F32, XL_STORED_PLAIN},
    {XL_ST_F16, XL_DTYPE_F16, XL_STORED_PLAIN},
    {XL_ST_BF16, XL_DTYPE_BF16, XL_STORED_PLAIN},
    {XL_ST_F64, XL_DTYPE_F32, XL_STORED_F64},
    {XL_ST_F8_E4M3, XL_DTYPE_F16, XL_STORED_F8_E4M3},
    {XL_ST_F8_E5M2, XL_DTYPE_F16, XL_STORED_F8_E5M2},
    {XL_ST_F8_E4M3FNUZ, XL_DTYPE_F16, XL_STORED_F8_E4M3FNUZ},
    {XL_ST_F8_E5M2FNUZ, XL_DTYPE_F16, XL_STORED_F8_E5M2FNUZ},
};
enum { N_FLOATS = sizeof floats / sizeof *floats };

/* A tensor as it appears to the program; false: no model can use it. */
static bool expose(const struct mapping *file, const struct xl_st_tensor *stored,
                   struct xl_tensor *out) {
    int i = 0;
    while (i < N_FLOATS && floats[i].in_file != stored->dtype) i++;
    if (i == N_FLOATS || stored->rank > XL_MAX_RANK) return false;
    out->dtype = floats[i].dtype;
    out->stored = floats[i].stored;
    out->shape.rank = stored->rank;
    memcpy(out->shape.dim, stored->dim, sizeof stored->dim);
    out->data = (const char *)file->base + stored->begin;
    bool is_aligned = stored->begin % (int64_t)xl_dtype_size(out->dtype) == 0;
    if (out->stored == XL_STORED_PLAIN && !is_aligned) out->stored = XL_STORED_UNALIGNED;
    return true;
}

/* Keep the name of a tensor that was left out, and why. Both are the arena's, or NULL. */
static enum xl_status leave_out(struct xl_weights *weights, const char *name, const char *why,
                                struct xl_err *err) {
    struct xl_left_out *omitted = xl_arena_alloc(&weights->arena, sizeof *omitted);
    if (!omitted || !name || !why) return xl_fail_nomem(err, "the names of tensors", 0);
    *omitted = (struct xl_left_out){name, why, weights->omitted};
    weights->omitted = omitted;
    return XL_OK;
}

static const char *explain(struct xl_weights *weights, const struct mapping *file,
                           const struct xl_st_tensor *stored) {
    if (stored->rank > XL_MAX_RANK)
        return xl_arena_printf(&weights->arena,
                               "%s: tensor \"%s\" has %d dimensions, expected at most %d",
                               file->path, stored->name, stored->rank, XL_MAX_RANK);
    return xl_arena_printf(&weights->arena,
                           "%s: tensor \"%s\" is of dtype %s, expected F32, F16, BF16, F64 or "
                           "F8; save the model in one of these",
                           file->path, stored->name, xl_st_dtype_name(stored->dtype));
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
        struct xl_tensor tensor = {0};
        if (!expose(file, stored, &tensor)) {
            enum xl_status status = leave_out(weights,
                                              xl_arena_strdup(&weights->arena, stored->name),
                                              explain(weights, file, stored), err);
            if (status) return status;
            continue;
        }
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

/* Who has the files. */
static const struct xl_weights *holder_of(const struct xl_weights *weights) {
    return weights->from ? weights->from : weights;
}

static const char *file_of(const struct xl_weights *weights, const struct xl_tensor *tensor) {
    weights = holder_of(weights);
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

static bool is_f8(const struct xl_tensor *tensor) {
    return tensor->stored >= XL_STORED_F8_E4M3;
}

/* The scales that lie beside an F8 tensor: as ComfyUI names them, and as newer tools do. A tensor
 * whose name does not end in "weight" is taken for one that was left out. */
static const struct xl_tensor *scales_of(const struct xl_weights *weights,
                                         const struct xl_tensor *tensor) {
    static const char *const endings[] = {"scale_weight", "weight_scale"};
    static const char weight[] = "weight";
    size_t n = strlen(tensor->name), n_weight = sizeof weight - 1;
    bool has_ending = n > n_weight && !strcmp(tensor->name + n - n_weight, weight);
    char name[XL_ST_MAX_NAME + 32];
    if (has_ending) n -= n_weight;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(name, sizeof name, "%.*s%s%s", (int)n, tensor->name, has_ending ? "" : ".",
                 endings[i]);
        const struct xl_tensor *found = xl_weights_find(weights, name);
        if (found) return found;
    }
    return NULL;
}

static enum xl_status set_scales(struct xl_weights *weights, struct xl_tensor *tensor,
                                 const struct xl_tensor *scales, struct xl_err *err) {
    int64_t n = xl_shape_count(scales->shape), rows = tensor->shape.rank ? tensor->shape.dim[0] : 1;
    if (n != 1 && n != rows)
        return xl_fail(err, XL_EFORMAT,
                       "%s: \"%s\" holds %lld scales, expected 1 or one for each of the %lld rows "
                       "of \"%s\"",
                       file_of(weights, scales), scales->name, (long long)n, (long long)rows,
                       tensor->name);
    float *factors = xl_arena_alloc(&weights->arena, (size_t)n * sizeof *factors);
    void *plain = xl_arena_alloc(&weights->arena, (size_t)n * sizeof *factors);
    if (!factors || !plain) return xl_fail_nomem(err, "the scales of weights", 0);
    xl_tensor_read(scales, 0, n, plain);
    xl_convert(factors, XL_DTYPE_F32, plain, scales->dtype, n);
    tensor->scales = factors;
    tensor->n_scales = n;
    tensor->dtype = XL_DTYPE_F32;
    return XL_OK;
}

static enum xl_status read_scales(struct xl_weights *weights, struct xl_err *err) {
    for (int i = 0; i < weights->n_tensors; i++) {
        struct xl_tensor *tensor = &weights->tensors[i];
        const struct xl_tensor *scales = is_f8(tensor) ? scales_of(weights, tensor) : NULL;
        enum xl_status status = scales ? set_scales(weights, tensor, scales, err) : XL_OK;
        if (status) return status;
    }
    return XL_OK;
}

enum xl_status xl_weights_open(const char *label, const char *const *files, int n_files,
                               struct xl_weights **out, struct xl_err *err) {
    struct xl_weights *weights = calloc(1, sizeof *weights);
    enum xl_status status = XL_OK;
    if (weights) {
        atomic_init(&weights->n_refs, 1);
        weights->label = xl_arena_strdup(&weights->arena, label);
        weights->files = calloc((size_t)n_files + 1, sizeof *weights->files);
    }
    if (!weights || !weights->label || !weights->files)
        status = xl_fail_nomem(err, "a list of weight files", 0);
    for (int i = 0; !status && i < n_files; i++) status = add_file(weights, files[i], err);
    if (!status) status = sort_names(weights, err);
    if (!status) status = read_scales(weights, err);
    if (status) {
        xl_weights_close(weights);
        return xl_fail_context(err, status, "%s", label);
    }
    *out = weights;
    return XL_OK;
}

void xl_weights_close(struct xl_weights *weights) {
    if (!weights || atomic_fetch_sub(&weights->n_refs, 1) > 1) return;
    for (int i = 0; i < weights->n_files; i++) {
        if (weights->files[i].base) munmap(weights->files[i].base, weights->files[i].size);
        close(weights->files[i].fd);
    }
    xl_weights_close(weights->from);
    free(weights->files);
    free(weights->tensors);
    xl_arena_deinit(&weights->arena);
    free(weights);
}

/* Some rows, or the tensor turned over. */
static enum xl_status take(struct xl_weights *weights, const struct xl_weights_pick *pick,
                           struct xl_err *err) {
    const char *name = xl_arena_strdup(&weights->arena, pick->name);
    if (!pick->tensor)
        return leave_out(weights, name,
                         pick->why ? xl_arena_strdup(&weights->arena, pick->why) : NULL, err);
    struct xl_tensor tensor = *pick->tensor;
    int64_t rows = tensor.shape.rank ? tensor.shape.dim[0] : 1;
    if (!name) return xl_fail_nomem(err, "the names of tensors", 0);
    if (pick->n_rows > rows || pick->first_row > rows - pick->n_rows ||
        (pick->is_turned && tensor.shape.rank != 2))
        return xl_fail(err, XL_EFORMAT, "%s: tensor \"%s\" has not the shape of \"%s\"",
                       file_of(weights, &tensor), tensor.name, name);
    if (pick->n_rows) {
        tensor.shape.dim[0] = pick->first_row;
        tensor.data = (const char *)tensor.data + xl_tensor_bytes(&tensor);
        tensor.shape.dim[0] = pick->n_rows;
        if (tensor.n_scales > 1) tensor.scales += pick->first_row, tensor.n_scales = pick->n_rows;
    }
    if (pick->is_turned) {
        tensor.shape = XL_SHAPE(tensor.shape.dim[1], tensor.shape.dim[0]);
        tensor.is_turned = true;
        if (tensor.stored == XL_STORED_PLAIN) tensor.stored = XL_STORED_UNALIGNED;
    }
    tensor.name = name;
    weights->tensors[weights->n_tensors++] = tensor;
    weights->bytes += xl_tensor_bytes(&tensor);
    return XL_OK;
}

enum xl_status xl_weights_select(struct xl_weights *from, const char *label,
                                 const struct xl_weights_pick *picks, int n,
                                 struct xl_weights **out, struct xl_err *err) {
    struct xl_weights *weights = calloc(1, sizeof *weights);
    if (!weights) return xl_fail_nomem(err, "a list of tensors", sizeof *weights);
    atomic_init(&weights->n_refs, 1);
    atomic_fetch_add(&from->n_refs, 1);
    weights->from = from;
    weights->label = xl_arena_strdup(&weights->arena, label);
    weights->tensors = calloc((size_t)n + 1, sizeof *weights->tensors);
    enum xl_status status =
        weights->label && weights->tensors ? XL_OK : xl_fail_nomem(err, "a list of tensors", 0);
    for (int i = 0; !status && i < n; i++) status = take(weights, &picks[i], err);
    if (!status) status = sort_names(weights, err);
    if (status) {
        xl_weights_close(weights);
        return xl_fail_context(err, status, "%s", label);
    }
    *out = weights;
    return XL_OK;
}

enum xl_status xl_weights_verify(const struct xl_weights *weights, struct xl_err *err) {
    const struct xl_weights *holder = holder_of(weights);
    for (int i = 0; i < holder->n_files; i++) {
        const struct mapping *file = &holder->files[i];
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

const char *xl_weights_path(const struct xl_weights *weights) {
    const struct xl_weights *holder = holder_of(weights);
    return holder->n_files ? holder->files[0].path : "";
}

int64_t xl_weights_bytes(const struct xl_weights *weights) {
    return weights->bytes;
}

/* The tensor whose kind, as the file says it, has most bytes; NULL: there is none. */
static const struct xl_tensor *main_tensor(const struct xl_weights *weights) {
    const struct xl_tensor *found = NULL;
    int64_t most = 0;
    for (int f = 0; f < N_FLOATS; f++) {
        const char *name = xl_st_dtype_name(floats[f].in_file);
        const struct xl_tensor *first = NULL;
        int64_t bytes = 0;
        for (int i = 0; i < weights->n_tensors; i++) {
            const struct xl_tensor *tensor = &weights->tensors[i];
            if (strcmp(xl_tensor_stored_name(tensor), name)) continue;
            bytes += xl_tensor_bytes(tensor);
            first = first ? first : tensor;
        }
        if (bytes <= most) continue;
        most = bytes;
        found = first;
    }
    return found;
}

enum xl_dtype xl_weights_main_dtype(const struct xl_weights *weights) {
    const struct xl_tensor *tensor = main_tensor(weights);
    return tensor ? tensor->dtype : XL_DTYPE_F32;
}

const char *xl_weights_main_name(const struct xl_weights *weights) {
    const struct xl_tensor *tensor = main_tensor(weights);
    return tensor ? xl_tensor_stored_name(tensor) : xl_dtype_name(XL_DTYPE_F32);
}

const char *xl_weights_why_not(const struct xl_weights *weights, const char *name) {
    for (const struct xl_left_out *omitted = weights->omitted; omitted; omitted = omitted->next)
        if (!strcmp(omitted->name, name)) return omitted->why;
    return NULL;
}

const struct xl_left_out *xl_weights_left_out(const struct xl_weights *weights) {
    return weights->omitted;
}

/* Only whole pages: the ones at the ends hold neighbours too. */
void xl_weights_drop(const struct xl_weights *weights, const struct xl_tensor *tensor) {
    (void)weights;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)tensor->data + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)tensor->data + (uintptr_t)xl_tensor_bytes(tensor)) / page * page;
    if (begin < end) madvise((void *)begin, end - begin, MADV_DONTNEED);
}
