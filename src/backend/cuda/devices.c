/* devices.c - which GPUs are here, asked before one is opened, and why there is none. */
#include "backend/cuda/cuda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CUDA's version of the driver; 0: there is no driver. */
static int driver_version(void) {
    int version = 0;
    return cudaDriverGetVersion(&version) ? 0 : version;
}

static int runtime_version(void) {
    int version = 0;
    return cudaRuntimeGetVersion(&version) ? 0 : version;
}

bool xl_cuda_is_expected(void) {
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    bool is_hidden = visible &&
                     (!visible[0] || visible[0] == '-' || !strcmp(visible, "NoDevFiles"));
    return driver_version() && !is_hidden;
}

/* The sentence for a list of GPUs that is empty or cannot be had. */
static enum xl_status fail_none(struct xl_err *err, cudaError_t error) {
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    int driver = driver_version(), runtime = runtime_version();
    if (!driver)
        return xl_fail(err, XL_EDEVICE,
                       "there is no NVIDIA driver here (no libcuda.so.1 that works); install one, "
                       "or use --device cpu");
    if (error == cudaErrorInsufficientDriver)
        return xl_fail(err, XL_EDEVICE,
                       "the NVIDIA driver is too old: it is for CUDA %d.%d, this sdxl-lab was "
                       "built with CUDA %d.%d; install a newer driver, or use --device cpu",
                       driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
    if (error && error != cudaErrorNoDevice)
        return xl_fail(err, XL_EDEVICE, "the NVIDIA driver does not list its GPUs: %s",
                       cudaGetErrorString(error));
    if (visible)
        return xl_fail(err, XL_EDEVICE,
                       "CUDA_VISIBLE_DEVICES is \"%.100s\", which names no GPU that is here",
                       visible);
    return xl_fail(err, XL_EDEVICE, "there is an NVIDIA driver here, but no GPU");
}

/* Whether XL_CUDA_ARCHS ("80-real 90a-real 120") has kernels for it: machine code runs on the same
 * major and later minors, that of an "a" on this very one, and PTX is compiled for whatever is
 * newer. */
static bool is_supported(int major, int minor) {
    int have = 10 * major + minor;
    for (const char *at = XL_CUDA_ARCHS; *at;) {
        char *end;
        int arch = (int)strtol(at, &end, 10);
        bool is_exact = *end == 'a', is_ptx = end[is_exact] != '-';
        if (have == arch) return true;
        if (!is_exact && have > arch && (is_ptx || arch / 10 == major)) return true;
        at = end + strcspn(end, " ");
        at += *at == ' ';
    }
    return false;
}

enum xl_status xl_cuda_devices(struct xl_cuda_device list[], int capacity, int *n,
                               struct xl_err *err) {
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    for (int i = 0; !error && i < count && i < capacity; i++) {
        struct cudaDeviceProp properties;
        error = cudaGetDeviceProperties(&properties, i);
        if (error) break;
        list[i] = (struct xl_cuda_device){
            .major = properties.major,
            .minor = properties.minor,
            .is_supported = is_supported(properties.major, properties.minor),
            .total_bytes = (int64_t)properties.totalGlobalMem,
            .driver_version = driver_version(),
            .runtime_version = runtime_version(),
        };
        snprintf(list[i].name, sizeof list[i].name, "%s", properties.name);
    }
    if (error || !count) {
        cudaGetLastError(); /* the next call shall not find it */
        return fail_none(err, error);
    }
    *n = count;
    return XL_OK;
}

int64_t xl_cuda_free_bytes(int device) {
    size_t available = 0, total = 0;
    if (cudaSetDevice(device) || cudaMemGetInfo(&available, &total)) {
        cudaGetLastError();
        return -1;
    }
    return (int64_t)available;
}
