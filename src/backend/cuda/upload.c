/* upload.c - two pinned buffers, each with one of the same size on the device, taken in turns. */
#include "backend/cuda/upload.h"

#include "backend/cuda/cuda.h"
#include "base/threads.h"
#include "base/turns.h"

#include <stdlib.h>
#include <string.h>

enum {
    N_BUFFERS = 2,
    MAX_THREADS = 8,      /* more do not copy faster */
    TASK_BYTES = 1 << 20, /* copied by one thread at a time */
    ALIGN = 256,
};

struct buffer {
    unsigned char *host, *device;
    cudaEvent_t read; /* all that was queued from it is done */
};

struct xl_cuda_upload {
    cudaStream_t stream;
    struct xl_turns turns;
    struct xl_pool *pool;
    struct buffer buffers[N_BUFFERS];
    int current;
    size_t used; /* of the current one */
};

enum xl_status xl_cuda_upload_new(struct xl_cuda_upload **out, struct xl_err *err) {
    struct xl_cuda_upload *upload = calloc(1, sizeof *upload);
    if (!upload) return xl_fail_nomem(err, "uploads", sizeof *upload);
    xl_turns_init(&upload->turns);
    cudaError_t error = cudaStreamCreateWithFlags(&upload->stream, cudaStreamNonBlocking);
    if (error) {
        xl_cuda_upload_free(upload);
        return xl_cuda_fail(err, error, "be opened");
    }
    *out = upload;
    return XL_OK;
}

void xl_cuda_upload_free(struct xl_cuda_upload *upload) {
    if (!upload) return;
    for (int i = 0; i < N_BUFFERS; i++) {
        struct buffer *buffer = &upload->buffers[i];
        if (buffer->host) cudaFreeHost(buffer->host);
        if (buffer->device) cudaFree(buffer->device);
        if (buffer->read) cudaEventDestroy(buffer->read);
    }
    xl_pool_free(upload->pool);
    if (upload->stream) cudaStreamDestroy(upload->stream);
    xl_turns_deinit(&upload->turns);
    free(upload);
}

cudaStream_t xl_cuda_upload_stream(const struct xl_cuda_upload *upload) {
    return upload->stream;
}

void xl_cuda_upload_take(struct xl_cuda_upload *upload) {
    xl_turns_take(&upload->turns);
}

void xl_cuda_upload_pass(struct xl_cuda_upload *upload) {
    xl_turns_pass(&upload->turns);
}

enum xl_status xl_cuda_upload_finish(struct xl_cuda_upload *upload, struct xl_err *err) {
    cudaError_t error = cudaStreamSynchronize(upload->stream);
    return error ? xl_cuda_fail(err, error, "copy the weights") : XL_OK;
}

static enum xl_status open_buffers(struct xl_cuda_upload *upload, struct xl_err *err) {
    int n_cores = xl_cpu_count();
    cudaError_t error = cudaSuccess;
    for (int i = 0; !error && i < N_BUFFERS; i++) {
        struct buffer *buffer = &upload->buffers[i];
        error = cudaHostAlloc((void **)&buffer->host, XL_CUDA_UPLOAD_BYTES, cudaHostAllocDefault);
        if (!error) error = cudaMalloc((void **)&buffer->device, XL_CUDA_UPLOAD_BYTES);
        if (!error) error = cudaEventCreateWithFlags(&buffer->read, cudaEventDisableTiming);
    }
    if (error) return xl_cuda_fail(err, error, "take memory for uploads");
    return xl_pool_new(n_cores < MAX_THREADS ? n_cores : MAX_THREADS, NULL, &upload->pool, err);
}

/* The other buffer, once the device has read what was in it. */
static cudaError_t turn(struct xl_cuda_upload *upload) {
    cudaError_t error = cudaEventRecord(upload->buffers[upload->current].read, upload->stream);
    upload->current = (upload->current + 1) % N_BUFFERS;
    upload->used = 0;
    if (!error) error = cudaEventSynchronize(upload->buffers[upload->current].read);
    return error;
}

struct reading {
    const struct xl_tensor *tensor;
    int64_t first, n, n_of_task;
    unsigned char *to;
};

static void read_task(void *user, int64_t task, int worker) {
    const struct reading *r = user;
    int64_t first = task * r->n_of_task;
    int64_t n = first + r->n_of_task < r->n ? r->n_of_task : r->n - first;
    size_t size = xl_dtype_size(r->tensor->dtype);
    unsigned char *to = r->to + (size_t)first * size;
    (void)worker;
    if (r->tensor->stored == XL_STORED_PLAIN)
        memcpy(to, (const unsigned char *)r->tensor->data + (size_t)(r->first + first) * size,
               (size_t)n * size);
    else
        xl_tensor_read(r->tensor, r->first + first, n, to);
}

static void read_numbers(struct xl_cuda_upload *upload, struct reading *reading) {
    reading->n_of_task = TASK_BYTES / (int64_t)xl_dtype_size(reading->tensor->dtype);
    int64_t n_tasks = (reading->n + reading->n_of_task - 1) / reading->n_of_task;
    if (n_tasks == 1)
        read_task(reading, 0, 0);
    else
        xl_pool_run(upload->pool, n_tasks, read_task, reading);
}

enum xl_status xl_cuda_upload(struct xl_cuda_upload *upload, const struct xl_tensor *tensor,
                              int64_t first, int64_t n, void **to, struct xl_err *err) {
    size_t bytes = (size_t)n * xl_dtype_size(tensor->dtype);
    cudaError_t error = cudaSuccess;
    enum xl_status status = upload->pool ? XL_OK : open_buffers(upload, err);
    if (status) return status;
    if (upload->used + bytes > XL_CUDA_UPLOAD_BYTES) error = turn(upload);
    struct buffer *buffer = &upload->buffers[upload->current];
    struct reading reading = {tensor, first, n, 0, buffer->host + upload->used};
    if (!error) read_numbers(upload, &reading);
    if (!*to) *to = buffer->device + upload->used;
    if (!error)
        error = cudaMemcpyAsync(*to, reading.to, bytes, cudaMemcpyHostToDevice, upload->stream);
    upload->used = (upload->used + bytes + ALIGN - 1) / ALIGN * ALIGN;
    return error ? xl_cuda_fail(err, error, "copy the weights") : XL_OK;
}
