/* deltas.h - what is added to weights (plan.h), computed on the device in f32. */
#ifndef XL_BACKEND_CUDA_DELTAS_H
#define XL_BACKEND_CUDA_DELTAS_H

#include "backend/cuda/upload.h"
#include "backend/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Queue: sum = w + the deltas of the part. w, sum: f32 on the device, in the order of the tensor.
 * Errors: XL_ENOMEM, XL_EDEVICE */
enum xl_status xl_cuda_add_deltas(struct xl_cuda_upload *upload, const struct xl_weight_part *part,
                                  const float *w, float *sum, struct xl_err *err) XL_CHECKED;

/* Queue: all numbers of the tensor in f32 to `to`, on the device.
 * Errors: XL_ENOMEM, XL_EDEVICE */
enum xl_status xl_cuda_upload_f32(struct xl_cuda_upload *upload, const struct xl_tensor *tensor,
                                  float *to, struct xl_err *err) XL_CHECKED;

#ifdef __cplusplus
}
#endif
#endif
