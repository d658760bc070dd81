/* backend.c - the CUDA backend: opening a card, and what is asked of it as a whole. */
#include "backend/cuda/cuda.h"

#include "backend/cuda/dnn.h"
#include "backend/cuda/exec.h"
#include "backend/cuda/libraries.h"
#include "backend/cuda/product.h"
#include "backend/cuda/store.h"
#include "backend/cuda/ways.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_out_of_memory(cudaError_t error) {
    return error == cudaErrorMemoryAllocation;
}

/* Errors that are told once are taken back: they would be told again by calls that went well. */
enum xl_status xl_cuda_fail(struct xl_err *err, cudaError_t error, const char *what) {
    (void)cudaGetLastError();
    if (is_out_of_memory(error))
        return xl_fail(err, XL_ENOMEM, "the GPU has not enough memory left to %s", what);
    return xl_fail(err, XL_EDEVICE, "the GPU failed to %s: %s (%s)", what,
                   cudaGetErrorString(error), cudaGetErrorName(error));
}

enum xl_status xl_cuda_use(const struct xl_cuda_backend *backend, struct xl_err *err) {
    cudaError_t error = cudaSetDevice(backend->device);
    return error ? xl_cuda_fail(err, error, "be used") : XL_OK;
}

static void backend_free(struct xl_backend *base) {
    struct xl_cuda_backend *backend = (struct xl_cuda_backend *)base;
    cudaSetDevice(backend->device);
    if (backend->stream) cudaStreamSynchronize(backend->stream);
    xl_cuda_store_free(backend->store);
    xl_cuda_dnn_free(backend->dnn);
    xl_cuda_products_free(backend->products);
    xl_cuda_ways_close(backend->ways);
    cudaFree(backend->workspace.data);
    if (backend->stream) cudaStreamDestroy(backend->stream);
    xl_turns_deinit(&backend->turns);
    free(backend);
}

static const char *isa(const struct xl_backend *base) {
    return ((const struct xl_cuda_backend *)base)->isa;
}

static const char *libraries(const struct xl_backend *base) {
    return ((const struct xl_cuda_backend *)base)->libraries;
}

/* Of the host, for what is done there; the device has its own. */
static int n_threads(const struct xl_backend *base) {
    (void)base;
    return 1;
}

static bool is_native(const struct xl_backend *base, enum xl_dtype act_dtype) {
    (void)base;
    (void)act_dtype;
    return true;
}

static bool has_f8(const struct xl_backend *base) {
    return ((const struct xl_cuda_backend *)base)->has_f8;
}

/* SDXL's VAE has activations beyond what f16 holds. */
static enum xl_dtype picture_dtype(const struct xl_backend *base, enum xl_dtype act_dtype) {
    (void)base;
    return act_dtype == XL_DTYPE_F16 ? XL_DTYPE_BF16 : act_dtype;
}

static void memory(const struct xl_backend *base, struct xl_memory *out) {
    const struct xl_cuda_backend *backend = (const struct xl_cuda_backend *)base;
    struct xl_held_bytes weights = xl_holds_bytes(xl_cuda_store_holds(backend->store));
    size_t available = 0, total = 0;
    cudaSetDevice(backend->device);
    if (cudaMemGetInfo(&available, &total) != cudaSuccess) (void)cudaGetLastError();
    out->total = (int64_t)total;
    out->available = (int64_t)available;
    out->weight_bytes = (int64_t)weights.held;
    out->idle_weight_bytes = (int64_t)weights.idle;
}

static size_t release(struct xl_backend *base, size_t wanted) {
    struct xl_cuda_backend *backend = (struct xl_cuda_backend *)base;
    cudaSetDevice(backend->device);
    return xl_holds_release(xl_cuda_store_holds(backend->store), wanted);
}

static const struct xl_backend_vtable vtable = {
    .name = "cuda",
    .compiles_aside = true,
    .joins_ops = true,
    .free = backend_free,
    .isa = isa,
    .libraries = libraries,
    .n_threads = n_threads,
    .is_native = is_native,
    .has_f8 = has_f8,
    .picture_dtype = picture_dtype,
    .memory = memory,
    .release = release,
    .exec_size = sizeof(struct xl_cuda_exec),
    .compile = xl_cuda_exec_compile,
    .exec_free = xl_cuda_exec_free,
    .expect = xl_cuda_exec_expect,
    .measure = xl_cuda_exec_measure,
    .copy = xl_cuda_exec_copy,
    .run = xl_cuda_exec_run,
};

/* --- Opening ------------------------------------------------------------------------------------
 */

/* Its kernels go before those that pack weights on another stream. */
static cudaError_t create_stream(struct xl_cuda_backend *backend) {
    int least = 0, greatest = 0;
    cudaError_t error = cudaDeviceGetStreamPriorityRange(&least, &greatest);
    if (error) return error;
    return cudaStreamCreateWithPriority(&backend->stream, cudaStreamNonBlocking, greatest);
}

static enum xl_status take_device(struct xl_cuda_backend *backend, struct xl_err *err) {
    cudaError_t error = cudaSetDevice(backend->device);
    if (!error) error = cudaGetDeviceProperties(&backend->properties, backend->device);
    if (!error) error = create_stream(backend);
    if (error == cudaErrorDevicesUnavailable || error == cudaErrorDeviceAlreadyInUse)
        return xl_fail(err, XL_EDEVICE,
                       "GPU %d is used by another process alone (exclusive mode); use another one "
                       "or wait",
                       backend->device);
    if (!error) error = cudaMalloc(&backend->workspace.data, XL_CUDA_WORKSPACE_BYTES);
    backend->workspace.bytes = XL_CUDA_WORKSPACE_BYTES;
    return error ? xl_cuda_fail(err, error, "be opened") : XL_OK;
}

/* The GPU of that index, which this program has kernels for. */
static enum xl_status check_device(int device, struct xl_err *err) {
    struct xl_cuda_device list[XL_CUDA_DEVICES_MAX];
    int n = 0;
    enum xl_status status = xl_cuda_devices(list, XL_CUDA_DEVICES_MAX, &n, err);
    if (status) return status;
    if (device < 0 || device >= n || device >= XL_CUDA_DEVICES_MAX)
        return xl_fail(err, XL_EDEVICE, "there is no GPU %d: %d %s visible, counted from 0", device,
                       n, xl_plural(n, "is", "are"));
    if (list[device].is_supported) return XL_OK;
    return xl_fail(
        err, XL_EDEVICE,
        "GPU %d, %s, has compute capability %d.%d, for which this program has no kernels; "
        "use --device cpu",
        device, list[device].name, list[device].major, list[device].minor);
}

/* What decides which ways are the fastest. */
static enum xl_status open_ways(struct xl_cuda_backend *backend, struct xl_err *err) {
    char name[512];
    int driver = 0;
    cudaDriverGetVersion(&driver);
    snprintf(name, sizeof name, "%s driver %d %s", backend->properties.name, driver,
             backend->libraries);
    return xl_cuda_ways_open(name, &backend->ways, err);
}

static enum xl_status open_parts(struct xl_cuda_backend *backend, struct xl_err *err) {
    enum xl_status status = check_device(backend->device, err);
    if (!status) status = take_device(backend, err);
    if (status) return status;
    snprintf(backend->isa, sizeof backend->isa, "%s, compute capability %d.%d",
             backend->properties.name, backend->properties.major, backend->properties.minor);
    xl_cuda_libraries_describe(backend->libraries, sizeof backend->libraries);
    status = open_ways(backend, err);
    if (!status) status = xl_cuda_products_new(backend, &backend->products, err);
    if (!status)
        backend->has_f8 = backend->properties.major >= 9 &&
                          xl_cuda_products_have_f8(backend->products);
    if (!status) status = xl_cuda_store_new(&backend->store, err);
    /* Without cuDNN own kernels and products do its work, more slowly; doctor says so. */
    if (!status && xl_cudnn(NULL)) status = xl_cuda_dnn_new(backend, &backend->dnn, err);
    return status;
}

enum xl_status xl_backend_cuda(int device, struct xl_backend **out, struct xl_err *err) {
    struct xl_cuda_backend *backend = calloc(1, sizeof *backend);
    if (!backend) return xl_fail_nomem(err, "the CUDA backend", sizeof *backend);
    backend->base.vtable = &vtable;
    backend->device = device;
    xl_turns_init(&backend->turns);
    enum xl_status status = open_parts(backend, err);
    if (status) {
        backend_free(&backend->base);
        return status;
    }
    *out = &backend->base;
    return XL_OK;
}
