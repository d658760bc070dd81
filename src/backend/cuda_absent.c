/* cuda_absent.c - the GPU backend of a program that was built without CUDA: it says so. */
#include "backend/backend.h"

static enum xl_status fail_absent(struct xl_err *err) {
    return xl_fail(err, XL_EDEVICE,
                   "this sdxl-lab was built without CUDA: build it where nvcc and the headers of "
                   "cuBLASLt and cuDNN are, or use --device cpu");
}

enum xl_status xl_backend_cuda(int device, struct xl_backend **out, struct xl_err *err) {
    (void)device, (void)out;
    return fail_absent(err);
}

enum xl_status xl_cuda_devices(struct xl_cuda_device list[], int capacity, int *n,
                               struct xl_err *err) {
    (void)list, (void)capacity, (void)n;
    return fail_absent(err);
}

int64_t xl_cuda_free_bytes(int device) {
    (void)device;
    return -1;
}

bool xl_cuda_is_expected(void) {
    return false;
}

void xl_cuda_libraries_describe(char *out, size_t size) {
    if (size) out[0] = 0;
}
