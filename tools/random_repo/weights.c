/* weights.c - streams a safetensors file of random numbers.
 *
 * A number is one of 4096 draws of the normal distribution, picked by 12 bits of a counter-based
 * generator: a table in the first-level cache, already scaled and in the file's dtype, so that a
 * core writes more than a gigabyte a second. Tensors are cut into chunks, each with its own
 * counter, so that the bytes do not depend on the number of threads.
 */
#include "repo.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DRAW_BITS = 12,
    DRAWS = 1 << DRAW_BITS,
    CHUNK = 1 << 19, /* numbers */
    BATCH = 16,      /* chunks that are generated together and written at once */
};

/* splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint64_t draw(uint64_t *counter) {
    return mix(*counter += 0x9E3779B97F4A7C15u);
}

/* FNV-1a, so that a tensor's numbers depend on its name and not on its place in the file. */
static uint64_t hash_name(const char *name) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (const char *c = name; *c; c++) hash = (hash ^ (unsigned char)*c) * 0x100000001B3u;
    return hash;
}

/* Pairs x and -x: the mean is exactly 0; scaled to a variance of exactly 1. By Box and Muller. */
static void fill_draws(float draws[DRAWS]) {
    uint64_t counter = 0;
    double squares = 0;
    for (int i = 0; i < DRAWS; i += 2) {
        double u = ((double)(draw(&counter) >> 11) + 0.5) * 0x1p-53;
        double v = (double)(draw(&counter) >> 11) * 0x1p-53;
        double x = sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
        draws[i] = (float)x;
        squares += 2 * x * x;
    }
    double scale = sqrt(DRAWS / squares);
    for (int i = 0; i < DRAWS; i += 2) {
        draws[i] = (float)(scale * draws[i]);
        draws[i + 1] = -draws[i];
    }
}

struct chunk {
    const struct xl_repo_tensor *tensor;
    int64_t index, n; /* of the tensor's chunks; numbers */
    size_t offset;    /* bytes into the batch */
};

struct batch {
    struct chunk chunks[BATCH];
    int n;
    size_t bytes;
    enum xl_dtype dtype;
    uint64_t seed;
    float draws[DRAWS];
    uint8_t *buffer; /* BATCH * CHUNK numbers */
};

static uint64_t next_pick(uint64_t *counter, uint64_t *bits, int *left) {
    if (!*left) {
        *bits = draw(counter);
        *left = 64 / DRAW_BITS;
    }
    uint64_t pick = *bits & (DRAWS - 1);
    *bits >>= DRAW_BITS;
    --*left;
    return pick;
}

static void fill_chunk(void *user, int64_t task, int worker) {
    (void)worker;
    struct batch *batch = user;
    const struct chunk *chunk = &batch->chunks[task];
    const struct xl_repo_tensor *tensor = chunk->tensor;
    float scaled[DRAWS];
    for (int i = 0; i < DRAWS; i++)
        scaled[i] = tensor->fill == XL_FILL_ONES ? 1 : tensor->deviation * batch->draws[i];
    uint32_t table32[DRAWS];
    uint16_t *table16 = (uint16_t *)table32;
    xl_convert(table32, batch->dtype, scaled, XL_DTYPE_F32, DRAWS);

    uint64_t counter = mix(batch->seed ^ hash_name(tensor->name)) + (uint64_t)chunk->index;
    counter = mix(counter);
    uint64_t bits = 0;
    int left = 0;
    uint32_t *to32 = (uint32_t *)(batch->buffer + chunk->offset);
    uint16_t *to16 = (uint16_t *)(batch->buffer + chunk->offset);
    if (xl_dtype_size(batch->dtype) == 4)
        for (int64_t i = 0; i < chunk->n; i++) to32[i] = table32[next_pick(&counter, &bits, &left)];
    else
        for (int64_t i = 0; i < chunk->n; i++) to16[i] = table16[next_pick(&counter, &bits, &left)];
}

static enum xl_status write_all(int fd, const char *path, const void *data, size_t n,
                                struct xl_err *err) {
    const char *bytes = data;
    while (n) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return xl_fail(err, XL_EDISK, "%s: cannot write: %s", path, strerror(errno));
        bytes += done;
        n -= (size_t)done;
    }
    return XL_OK;
}

static enum xl_status flush(struct batch *batch, int fd, const char *path, struct xl_pool *pool,
                            struct xl_err *err) {
    xl_pool_run(pool, batch->n, fill_chunk, batch);
    enum xl_status status = write_all(fd, path, batch->buffer, batch->bytes, err);
    batch->n = 0;
    batch->bytes = 0;
    return status;
}

/* The shape in the file of item i, with the rows of those that go on. */
static struct xl_shape stored_shape(const struct xl_repo_tensors *list, int i) {
    const struct xl_repo_tensor *tensor = &list->items[i];
    struct xl_shape shape = tensor->shape;
    if (tensor->is_turned) shape = XL_SHAPE(shape.dim[1], shape.dim[0]);
    for (int k = i + 1; k < list->n && list->items[k].stored && !list->items[k].stored[0]; k++)
        shape.dim[0] += list->items[k].shape.dim[0];
    return shape;
}

static void put_header(struct xl_str *header, const struct xl_repo_tensors *list,
                       enum xl_dtype dtype, int64_t *n_data) {
    xl_str_puts(header, "{\"__metadata__\":{\"format\":\"pt\"}");
    *n_data = 0;
    for (int i = 0; i < list->n; i++) {
        const struct xl_repo_tensor *tensor = &list->items[i];
        const char *name = tensor->stored ? tensor->stored : tensor->name;
        if (!name[0]) continue;
        struct xl_shape shape = stored_shape(list, i);
        int64_t end = *n_data + xl_shape_count(shape) * (int64_t)xl_dtype_size(dtype);
        xl_str_printf(header, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", name, xl_dtype_name(dtype));
        for (int d = 0; d < shape.rank; d++)
            xl_str_printf(header, "%s%lld", d ? "," : "", (long long)shape.dim[d]);
        xl_str_printf(header, "],\"data_offsets\":[%lld,%lld]}", (long long)*n_data,
                      (long long)end);
        *n_data = end;
    }
    xl_str_puts(header, "}");
    while (!header->failed && header->len % 8) xl_str_puts(header, " ");
}

/* 8 bytes of length, the JSON padded with spaces to a multiple of 8, then the data without gaps.
 * *size: of the whole file. Source: the safetensors format */
static enum xl_status write_header(int fd, const char *path, const struct xl_repo_tensors *list,
                                   enum xl_dtype dtype, int64_t *size, struct xl_err *err) {
    struct xl_str header = {0};
    int64_t n_data;
    put_header(&header, list, dtype, &n_data);
    if (header.failed) {
        xl_str_deinit(&header);
        return xl_fail_nomem(err, "the header of a weight file", 0);
    }
    uint8_t length[8];
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)((uint64_t)header.len >> 8 * i);
    *size = (int64_t)(sizeof length + header.len) + n_data;
    enum xl_status status = write_all(fd, path, length, sizeof length, err);
    if (!status) status = write_all(fd, path, header.text, header.len, err);
    xl_str_deinit(&header);
    return status;
}

/* All numbers of a tensor, rows and columns changed, at once. */
static enum xl_status write_turned(int fd, const char *path, const struct xl_repo_tensor *tensor,
                                   const struct batch *batch, struct xl_pool *pool,
                                   struct xl_err *err) {
    struct batch whole = *batch;
    size_t size = xl_dtype_size(batch->dtype);
    int64_t rows = tensor->shape.dim[0], columns = tensor->shape.dim[1], count = rows * columns;
    char *plain = malloc((size_t)count * size), *turned = malloc((size_t)count * size);
    enum xl_status status =
        plain && turned ? XL_OK : xl_fail_nomem(err, "random weights", (size_t)count * size);
    whole.buffer = (uint8_t *)plain;
    for (int64_t from = 0; !status && from < count; from += CHUNK) {
        int64_t n = count - from < CHUNK ? count - from : CHUNK;
        whole.chunks[0] = (struct chunk){tensor, from / CHUNK, n, (size_t)from * size};
        xl_pool_run(pool, 1, fill_chunk, &whole);
    }
    for (int64_t i = 0; !status && i < count; i++)
        memcpy(turned + (size_t)(i % columns * rows + i / columns) * size, plain + (size_t)i * size,
               size);
    if (!status) status = write_all(fd, path, turned, (size_t)count * size, err);
    free(plain);
    free(turned);
    return status;
}

static enum xl_status write_data(int fd, const char *path, const struct xl_repo_tensors *list,
                                 struct batch *batch, struct xl_pool *pool, struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < list->n; i++) {
        int64_t count = xl_shape_count(list->items[i].shape);
        if (list->items[i].is_turned) {
            status = flush(batch, fd, path, pool, err);
            if (!status) status = write_turned(fd, path, &list->items[i], batch, pool, err);
            continue;
        }
        for (int64_t from = 0; !status && from < count; from += CHUNK) {
            int64_t n = count - from < CHUNK ? count - from : CHUNK;
            batch->chunks[batch->n++] =
                (struct chunk){&list->items[i], from / CHUNK, n, batch->bytes};
            batch->bytes += (size_t)n * xl_dtype_size(batch->dtype);
            if (batch->n == BATCH) status = flush(batch, fd, path, pool, err);
        }
    }
    return status ? status : flush(batch, fd, path, pool, err);
}

enum xl_status xl_repo_write_weights(const char *path, const struct xl_repo_tensors *list,
                                     const struct xl_repo_params *params, struct xl_pool *pool,
                                     struct xl_err *err) {
    if (list->failed) return xl_fail_nomem(err, "the list of tensors", 0);
    size_t room = (size_t)BATCH * CHUNK * xl_dtype_size(params->dtype);
    struct batch *batch = calloc(1, sizeof *batch);
    int fd = -1;
    enum xl_status status = XL_OK;
    if (batch) batch->buffer = malloc(room);
    if (!batch || !batch->buffer) {
        status = xl_fail_nomem(err, "random weights", room);
        goto cleanup;
    }
    batch->dtype = params->dtype;
    batch->seed = params->seed;
    fill_draws(batch->draws);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        status = xl_fail(err, XL_EDISK, "%s: cannot create: %s", path, strerror(errno));
        goto cleanup;
    }
    int64_t size = 0;
    status = write_header(fd, path, list, params->dtype, &size, err);
    if (!status && !params->is_sparse) status = write_data(fd, path, list, batch, pool, err);
    if (!status && params->is_sparse && ftruncate(fd, size))
        status = xl_fail(err, XL_EDISK, "%s: cannot write: %s", path, strerror(errno));
    if (!status && fsync(fd))
        status = xl_fail(err, XL_EDISK, "%s: cannot write: %s", path, strerror(errno));
    if (status) unlink(path);
cleanup:
    if (fd >= 0) close(fd);
    if (batch) free(batch->buffer);
    free(batch);
    return status;
}
