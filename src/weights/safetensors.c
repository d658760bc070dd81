/* safetensors.c - the grammar of the header, and the checks over all of its tensors. */
#include "weights/safetensors.h"
#include "base/json_scan.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    int bits;
} dtypes[] = {
#define X(name, bits) {#name, bits},
    XL_ST_DTYPE_LIST(X)
#undef X
};

enum {
    N_DTYPES = sizeof dtypes / sizeof *dtypes,
    LENGTH_BYTES = 8,
    CHUNK_BYTES = 64 * 1024, /* of the header that are in memory at once */
};

struct parser {
    struct xl_scan scan;
    int fd;
    int64_t offset, end; /* of the next byte to load; of the header */
    struct xl_safetensors *file;
    int capacity;
    bool has_metadata;
    char name[XL_ST_MAX_NAME + 1];
    char chunk[CHUNK_BYTES];
};

const char *xl_st_dtype_name(enum xl_st_dtype dtype) {
    return dtypes[dtype].name;
}

#define PICKLE_ADVICE                                                                              \
    ": such files can run code and are never read; convert the model with diffusers' "             \
    "save_pretrained(..., safe_serialization=True)"
static const char pickle[] = "a Python pickle (.bin, .pt, .ckpt)" PICKLE_ADVICE;
static const char zip[] = "a zip file, as torch.save writes (.bin, .pt, .ckpt)" PICKLE_ADVICE;
static const char html[] = "an HTML page, not a model: download the file again";

/* What a file that is no safetensors file may be. */
static const struct {
    const char *magic, *what;
} strangers[] = {
    {"\x80\x02", pickle},
    {"\x80\x03", pickle},
    {"\x80\x04", pickle},
    {"\x80\x05", pickle},
    {"PK\x03\x04", zip},
    {"version https://git-lfs", "a Git LFS pointer, not the file itself: run git lfs pull"},
    {"GGUF", "a GGUF file, which is not supported: take the model's safetensors files"},
    {"<!DOCTYPE", html},
    {"<!doctype", html},
    {"<html", html},
};

/* The file is not safetensors at all: say what it is where that can be told. `why` tells what its
 * header looks like. */
static enum xl_status fail_stranger(const char *path, int fd, const char *why, struct xl_err *err) {
    char start[32] = {0};
    if (pread(fd, start, sizeof start - 1, 0) < 0) start[0] = 0;
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        if (!strncmp(start, strangers[i].magic, strlen(strangers[i].magic)))
            return xl_fail(err, XL_EFORMAT, "%s: this is %s", path, strangers[i].what);
    return xl_fail(err, XL_EFORMAT, "%s: %s: truncated, or not a safetensors file", path, why);
}

static enum xl_status fail_tensor(const struct parser *parser, const char *name, struct xl_err *err,
                                  const char *what) {
    return xl_fail(err, XL_EFORMAT, "%s: damaged safetensors header: tensor \"%s\" %s",
                   parser->scan.name, name, what);
}

static ssize_t load_chunk(void *user, char *to, size_t n) {
    struct parser *parser = user;
    int64_t left = parser->end - parser->offset;
    ssize_t got;
    if (left < (int64_t)n) n = (size_t)left;
    do got = n ? pread(parser->fd, to, n, parser->offset) : 0;
    while (got < 0 && errno == EINTR);
    if (got > 0) parser->offset += got;
    return got;
}

/* Take a string of at most max bytes into text[max + 1]; a name, so control characters are refused.
 * what: "a tensor's name". */
static enum xl_status take_name(struct xl_scan *scan, char *text, size_t max, const char *what,
                                struct xl_err *err) {
    struct xl_span name;
    enum xl_status status = xl_scan_string(scan, what, max, &name, err);
    if (status) return status;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.at[i] < ' ' || name.at[i] == 127)
            return xl_scan_fail(scan, err, "%s holds control character 0x%02X", what, name.at[i]);
    memcpy(text, name.at, name.n);
    text[name.n] = 0;
    return XL_OK;
}

static enum xl_status parse_dtype(struct parser *parser, struct xl_st_tensor *tensor,
                                  struct xl_err *err) {
    char text[16];
    enum xl_status status = take_name(&parser->scan, text, sizeof text - 1, "the dtype", err);
    if (status) return status;
    for (int i = 0; i < N_DTYPES; i++) {
        if (strcmp(text, dtypes[i].name)) continue;
        tensor->dtype = (enum xl_st_dtype)i;
        return XL_OK;
    }
    return xl_scan_fail(&parser->scan, err, "tensor \"%s\" has the unknown dtype \"%s\"",
                        parser->name, text);
}

/* Also gives the product of the dimensions. */
static enum xl_status parse_shape(struct parser *parser, struct xl_st_tensor *tensor,
                                  int64_t *count, struct xl_err *err) {
    struct xl_scan *scan = &parser->scan;
    bool more;
    enum xl_status status = xl_scan_enter(scan, '[', "the shape, an array,", err);
    *count = 1;
    while (!status && !(status = xl_scan_more(scan, ']', "the shape", &more, err)) && more) {
        int64_t dim = 0;
        if ((status = xl_scan_int(scan, "a dimension", &dim, err))) break;
        if (__builtin_mul_overflow(*count, dim, count))
            status = xl_scan_fail(scan, err, "the shape of tensor \"%s\" multiplies beyond 2^63",
                                  parser->name);
        if (tensor->rank < XL_MAX_RANK) tensor->dim[tensor->rank] = dim;
        tensor->rank++;
    }
    return status;
}

static enum xl_status parse_offsets(struct parser *parser, struct xl_st_tensor *tensor,
                                    struct xl_err *err) {
    static const char what[] = "data_offsets, an array of two numbers";
    struct xl_scan *scan = &parser->scan;
    enum xl_status status = xl_scan_take(scan, '[', what, err);
    if (!status) status = xl_scan_int(scan, "the first data offset", &tensor->begin, err);
    if (!status) status = xl_scan_take(scan, ',', what, err);
    if (!status) status = xl_scan_int(scan, "the second data offset", &tensor->end, err);
    return status ? status : xl_scan_take(scan, ']', what, err);
}

/* Offsets, shape and dtype of one tensor tell the same size. */
static enum xl_status check_size(const struct parser *parser, const struct xl_st_tensor *tensor,
                                 int64_t count, struct xl_err *err) {
    int64_t bits;
    if (tensor->begin > tensor->end)
        return fail_tensor(parser, parser->name, err,
                           "has data_offsets that end before they begin");
    if (__builtin_mul_overflow(count, dtypes[tensor->dtype].bits, &bits))
        return fail_tensor(parser, parser->name, err, "has a shape of more than 2^63 bits");
    if (bits % 8) return fail_tensor(parser, parser->name, err, "does not fill whole bytes");
    if (bits / 8 != tensor->end - tensor->begin)
        return xl_fail(err, XL_EFORMAT,
                       "%s: damaged safetensors header: tensor \"%s\" has data_offsets of %lld "
                       "bytes, but shape and dtype %s need %lld",
                       parser->scan.name, parser->name, (long long)(tensor->end - tensor->begin),
                       dtypes[tensor->dtype].name, (long long)(bits / 8));
    return XL_OK;
}

enum { HAS_DTYPE = 1, HAS_SHAPE = 2, HAS_OFFSETS = 4, HAS_ALL = 7 };

static int field_of(const char *key) {
    if (!strcmp(key, "dtype")) return HAS_DTYPE;
    if (!strcmp(key, "shape")) return HAS_SHAPE;
    return !strcmp(key, "data_offsets") ? HAS_OFFSETS : 0;
}

/* {"dtype": ..., "shape": ..., "data_offsets": ...} in any order, each once. */
static enum xl_status parse_tensor(struct parser *parser, struct xl_st_tensor *tensor,
                                   struct xl_err *err) {
    struct xl_scan *scan = &parser->scan;
    enum xl_status status = xl_scan_take(scan, '{', "an object that describes the tensor", err);
    int64_t count = 0;
    for (int seen = 0; !status && seen != HAS_ALL;) {
        char key[16];
        if (seen) status = xl_scan_take(scan, ',', "dtype, shape and data_offsets", err);
        if (!status) status = take_name(scan, key, sizeof key - 1, "a field's name", err);
        if (status) return status;
        int field = field_of(key);
        if (!field || seen & field)
            return xl_scan_fail(scan, err, "tensor \"%s\" has the field \"%s\"%s", parser->name,
                                key, field ? " twice" : ", which the format does not know");
        seen |= field;
        if ((status = xl_scan_take(scan, ':', "a colon", err))) return status;
        if (field == HAS_DTYPE) status = parse_dtype(parser, tensor, err);
        if (field == HAS_SHAPE) status = parse_shape(parser, tensor, &count, err);
        if (field == HAS_OFFSETS) status = parse_offsets(parser, tensor, err);
    }
    if (!status) status = xl_scan_take(scan, '}', "the end of the tensor's description", err);
    return status ? status : check_size(parser, tensor, count, err);
}

/* {"key": "text", ...}: checked, not kept. */
static enum xl_status parse_metadata(struct parser *parser, struct xl_err *err) {
    struct xl_scan *scan = &parser->scan;
    if (parser->has_metadata) return xl_scan_fail(scan, err, "__metadata__ comes twice");
    parser->has_metadata = true;
    bool more;
    int n = 0;
    enum xl_status status = xl_scan_enter(scan, '{', "the object of __metadata__", err);
    while (!status && !(status = xl_scan_more(scan, '}', "__metadata__", &more, err)) && more) {
        if (n++ == XL_ST_MAX_METADATA)
            return xl_scan_fail(scan, err, "more than %d entries in __metadata__",
                                XL_ST_MAX_METADATA);
        status = xl_scan_string(scan, "a key of __metadata__", 0, NULL, err);
        if (!status) status = xl_scan_take(scan, ':', "a colon", err);
        if (!status) status = xl_scan_string(scan, "a text of __metadata__", 0, NULL, err);
    }
    return status;
}

static enum xl_status append(struct parser *parser, const struct xl_st_tensor *tensor,
                             struct xl_err *err) {
    struct xl_safetensors *file = parser->file;
    if (file->n_tensors == XL_ST_MAX_TENSORS)
        return xl_scan_fail(&parser->scan, err, "more than %d tensors", XL_ST_MAX_TENSORS);
    if (file->n_tensors == parser->capacity) {
        int capacity = parser->capacity ? 2 * parser->capacity : 256;
        size_t bytes = (size_t)capacity * sizeof *file->tensors;
        struct xl_st_tensor *grown = realloc(file->tensors, bytes);
        if (!grown) return xl_fail_nomem(err, "a list of tensors", bytes);
        file->tensors = grown;
        parser->capacity = capacity;
    }
    struct xl_st_tensor *added = &file->tensors[file->n_tensors];
    *added = *tensor;
    added->name = xl_arena_strdup(&file->arena, parser->name);
    if (!added->name) return xl_fail_nomem(err, "the names of tensors", 0);
    file->n_tensors++;
    return XL_OK;
}

static enum xl_status parse_entry(struct parser *parser, struct xl_err *err) {
    struct xl_scan *scan = &parser->scan;
    enum xl_status status = take_name(scan, parser->name, XL_ST_MAX_NAME, "a tensor's name", err);
    if (!status) status = xl_scan_take(scan, ':', "a colon", err);
    if (status) return status;
    if (!strcmp(parser->name, "__metadata__")) return parse_metadata(parser, err);
    struct xl_st_tensor tensor = {0};
    status = parse_tensor(parser, &tensor, err);
    return status ? status : append(parser, &tensor, err);
}

static enum xl_status parse_header(struct parser *parser, struct xl_err *err) {
    struct xl_scan *scan = &parser->scan;
    bool more;
    enum xl_status status = xl_scan_enter(scan, '{', "an object", err);
    while (!status && !(status = xl_scan_more(scan, '}', "the header", &more, err)) && more)
        status = parse_entry(parser, err);
    if (!status && (xl_scan_peek(scan) >= 0 || scan->read_errno))
        status = xl_scan_fail(scan, err, "something follows the closing brace");
    return status;
}

static int by_offset(const void *a, const void *b) {
    const struct xl_st_tensor *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct xl_st_tensor *)a)->name, ((const struct xl_st_tensor *)b)->name);
}

/* The tensors cover the data section exactly: no hole, no overlap, nothing missing or left over. */
static enum xl_status check_coverage(const struct parser *parser, int64_t data_size,
                                     struct xl_err *err) {
    struct xl_safetensors *file = parser->file;
    const char *path = parser->scan.name;
    int64_t end = 0;
    if (file->n_tensors)
        qsort(file->tensors, (size_t)file->n_tensors, sizeof *file->tensors, by_offset);
    for (int i = 0; i < file->n_tensors; i++) {
        const struct xl_st_tensor *tensor = &file->tensors[i];
        if (tensor->begin < end)
            return xl_fail(err, XL_EFORMAT,
                           "%s: damaged safetensors header: tensors \"%s\" and \"%s\" overlap",
                           path, file->tensors[i - 1].name, tensor->name);
        if (tensor->begin > end)
            return xl_fail(err, XL_EFORMAT,
                           "%s: damaged safetensors header: a hole of %lld %s before tensor \"%s\"",
                           path, (long long)(tensor->begin - end),
                           xl_plural(tensor->begin - end, "byte", "bytes"), tensor->name);
        end = tensor->end;
    }
    if (end > data_size)
        return xl_fail(err, XL_EFORMAT,
                       "%s: truncated: its header describes %lld %s of tensors, the file holds "
                       "%lld of them; download it again",
                       path, (long long)end, xl_plural(end, "byte", "bytes"), (long long)data_size);
    if (end < data_size)
        return xl_fail(err, XL_EFORMAT,
                       "%s: damaged: %lld %s the last tensor that the header describes", path,
                       (long long)(data_size - end),
                       xl_plural(data_size - end, "byte follows", "bytes follow"));
    return XL_OK;
}

static enum xl_status check_names(const struct parser *parser, struct xl_err *err) {
    struct xl_safetensors *file = parser->file;
    if (file->n_tensors)
        qsort(file->tensors, (size_t)file->n_tensors, sizeof *file->tensors, by_name);
    for (int i = 1; i < file->n_tensors; i++)
        if (!by_name(&file->tensors[i - 1], &file->tensors[i]))
            return fail_tensor(parser, file->tensors[i].name, err, "comes twice");
    return XL_OK;
}

/* The length of the header, believable for a file of this size. */
static enum xl_status read_length(const char *path, int fd, int64_t size, int64_t *length,
                                  struct xl_err *err) {
    uint8_t start[LENGTH_BYTES + 1];
    if (!size) return xl_fail(err, XL_EFORMAT, "%s: the file is empty: download it again", path);
    ssize_t got = pread(fd, start, sizeof start, 0);
    if (got < 0) return xl_fail(err, XL_EFORMAT, "%s: cannot read: %s", path, strerror(errno));
    if (got < (ssize_t)sizeof start)
        return fail_stranger(path, fd, "too short for a safetensors header", err);
    uint64_t n = 0;
    for (int i = 0; i < LENGTH_BYTES; i++) n |= (uint64_t)start[i] << 8 * i;
    if (n > (uint64_t)(size - LENGTH_BYTES))
        return fail_stranger(path, fd, "the header is longer than the file", err);
    if (start[LENGTH_BYTES] != '{')
        return fail_stranger(path, fd, "the header does not begin with '{'", err);
    if (n > XL_ST_MAX_HEADER)
        return xl_fail(err, XL_EFORMAT,
                       "%s: a safetensors header of %llu bytes, expected at most %d", path,
                       (unsigned long long)n, XL_ST_MAX_HEADER);
    *length = (int64_t)n;
    return XL_OK;
}

enum xl_status xl_safetensors_open(const char *path, int *fd, struct xl_err *err) {
    /* O_NONBLOCK: a named pipe is refused below instead of waited for. */
    int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0)
        return xl_fail(err, errno == ENOENT ? XL_EMODEL : XL_EFORMAT, "%s: cannot open: %s", path,
                       strerror(errno));
    struct stat st;
    if (fstat(opened, &st) || !S_ISREG(st.st_mode)) {
        close(opened);
        return xl_fail(err, XL_EFORMAT, "%s: not a regular file", path);
    }
    *fd = opened;
    return XL_OK;
}

enum xl_status xl_safetensors_read(const char *path, int fd, struct xl_safetensors *out,
                                   struct xl_err *err) {
    struct stat st;
    int64_t length = 0;
    if (fstat(fd, &st))
        return xl_fail(err, XL_EFORMAT, "%s: cannot read: %s", path, strerror(errno));
    enum xl_status status = read_length(path, fd, st.st_size, &length, err);
    if (status) return status;
    struct parser *parser = calloc(1, sizeof *parser);
    if (!parser) return xl_fail_nomem(err, "a safetensors header", sizeof *parser);
    struct xl_safetensors file = {.size = st.st_size};
    int64_t data_start = LENGTH_BYTES + length;
    parser->file = &file;
    parser->fd = fd;
    parser->offset = LENGTH_BYTES;
    parser->end = data_start;
    parser->scan = (struct xl_scan){.name = path,
                                    .part = "safetensors header",
                                    .before = LENGTH_BYTES,
                                    .buffer = parser->chunk,
                                    .capacity = CHUNK_BYTES,
                                    .refill = load_chunk,
                                    .user = parser};
    status = parse_header(parser, err);
    if (!status) status = check_coverage(parser, file.size - data_start, err);
    if (!status) status = check_names(parser, err);
    xl_scan_deinit(&parser->scan);
    free(parser);
    if (status) {
        xl_safetensors_deinit(&file);
        return status;
    }
    for (int i = 0; i < file.n_tensors; i++) {
        file.tensors[i].begin += data_start;
        file.tensors[i].end += data_start;
    }
    *out = file;
    return XL_OK;
}

void xl_safetensors_deinit(struct xl_safetensors *file) {
    free(file->tensors);
    xl_arena_deinit(&file->arena);
    *file = (struct xl_safetensors){0};
}

const struct xl_st_tensor *xl_safetensors_find(const struct xl_safetensors *file,
                                               const char *name) {
    struct xl_st_tensor key = {.name = name};
    if (!file->n_tensors) return NULL;
    return bsearch(&key, file->tensors, (size_t)file->n_tensors, sizeof key, by_name);
}
