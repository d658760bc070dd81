/* product.h - matrix products, each in the way that was measured to be fastest: by cuBLASLt
 * (product_lt.h) or, on GPUs that it is for, by a kernel of our own (hopper.h). */
#ifndef XL_BACKEND_CUDA_PRODUCT_H
#define XL_BACKEND_CUDA_PRODUCT_H

#include "backend/cuda/product_shape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The largest power of two up to 256 that an address and its rows are multiples of. */
int xl_cuda_alignment(const void *address, int64_t stride, enum xl_dtype dtype);

struct xl_cuda_product; /* opaque: a shape with its way */

/* Errors: XL_EDEVICE no cuBLASLt, XL_ENOMEM */
enum xl_status xl_cuda_products_new(const struct xl_cuda_backend *backend,
                                    struct xl_cuda_products **out, struct xl_err *err) XL_CHECKED;
void xl_cuda_products_free(struct xl_cuda_products *products); /* NULL is fine */

/* Whether there are products in F8 on this GPU. */
bool xl_cuda_products_have_f8(const struct xl_cuda_products *products);
/* Whether there is a way at all to compute it. */
bool xl_cuda_products_have(const struct xl_cuda_products *products,
                           const struct xl_cuda_product_shape *shape);

/* *out belongs to the products. The first time that a shape is met on this card its ways are tried,
 * on memory of their own; while a compilation only measures, none is. Errors: XL_ENOMEM, XL_EDEVICE
 */
enum xl_status xl_cuda_product_get(const struct xl_cuda_compiler *c,
                                   const struct xl_cuda_product_shape *shape,
                                   struct xl_cuda_product **out, struct xl_err *err) XL_CHECKED;

/* Queue it. False: it could not be queued. */
bool xl_cuda_product_run(const struct xl_cuda_product *product,
                         const struct xl_cuda_product_data *data, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
