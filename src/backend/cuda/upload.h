/* upload.h - from mapped files to the device: numbers are copied by several threads into pinned
 * buffers that the device reads from, one while the other is filled, over a stream of their own.
 * Whoever uploads takes a turn, from xl_cuda_upload_take to xl_cuda_upload_pass. */
#ifndef XL_BACKEND_CUDA_UPLOAD_H
#define XL_BACKEND_CUDA_UPLOAD_H

#include "base/status.h"
#include "tensor/tensor.h"

#include <cuda_runtime_api.h>

struct xl_cuda_upload; /* opaque */

/* Buffers are taken with the first upload. Errors: XL_ENOMEM, XL_EDEVICE */
enum xl_status xl_cuda_upload_new(struct xl_cuda_upload **out, struct xl_err *err) XL_CHECKED;
void xl_cuda_upload_free(struct xl_cuda_upload *upload); /* NULL is fine */
cudaStream_t xl_cuda_upload_stream(const struct xl_cuda_upload *upload);

void xl_cuda_upload_take(struct xl_cuda_upload *upload);
void xl_cuda_upload_pass(struct xl_cuda_upload *upload);
/* Wait until all that was queued before is done. Any thread, in its turn or not.
 * Errors: XL_EDEVICE */
enum xl_status xl_cuda_upload_finish(struct xl_cuda_upload *upload, struct xl_err *err) XL_CHECKED;

/* The most that goes up at once. */
enum { XL_CUDA_UPLOAD_BYTES = 32 << 20 };

/* Queue n numbers of a tensor, from `first` on, in the tensor's dtype. *to: where, on the device;
 * NULL: a buffer there, which is free again once XL_CUDA_UPLOAD_BYTES more have been queued behind
 * what is queued now, and which *to becomes. Errors: XL_ENOMEM, XL_EDEVICE */
enum xl_status xl_cuda_upload(struct xl_cuda_upload *upload, const struct xl_tensor *tensor,
                              int64_t first, int64_t n, void **to, struct xl_err *err) XL_CHECKED;

#endif
