/* onednn.h - the only door to oneDNN: convolutions and matrix products on one thread, with weights
 * in the layout that oneDNN likes best. Hides the differences between its C interfaces 2 and 3.
 *
 * A product is a primitive for one shape. Its weights come in the layout that a prototype fixed, so
 * products of several shapes share packed weights. Both are made on one thread and kept until
 * xl_dnn_close; products may be run on several threads at once, each with its own worker number.
 */
#ifndef XL_BACKEND_CPU_ONEDNN_H
#define XL_BACKEND_CPU_ONEDNN_H

#include "tensor/tensor.h"

struct xl_dnn;           /* opaque */
struct xl_dnn_prototype; /* opaque */
struct xl_dnn_product;   /* opaque */
struct xl_dnn_weights;   /* opaque: packed weights as products take them */

/* y = x * w over a strip of a picture; y is f32. A matrix product is a picture one pixel wide and a
 * kernel of 1x1. Equal shapes share a product. */
struct xl_dnn_shape {
    enum xl_dtype dtype; /* of x and the weights: F32 or BF16 */
    int64_t height, width, c, o;
    int64_t kernel_h, kernel_w, stride;
    int64_t pad_top, pad_left, pad_bottom, pad_right;
    bool is_plain; /* of a matrix product: not by a convolution, whatever is faster in general */
};

/* Where element (o, c, y, x) of the weights lies once packed: at element o[] + c[] + tap[]. */
struct xl_dnn_layout {
    size_t bytes; /* of the packed weights, padding (which must be zero) included */
    int64_t n_o, n_c, n_taps;
    int64_t *o, *c, *tap;
};

/* n_workers: worker numbers are 0 .. n_workers - 1.
 * Errors: XL_EINTERNAL oneDNN refuses, XL_ENOMEM */
enum xl_status xl_dnn_open(int n_workers, struct xl_dnn **out, struct xl_err *err) XL_CHECKED;
void xl_dnn_close(struct xl_dnn *dnn);
/* "oneDNN 2.6.3": the library that is there, which may be another than was compiled with. */
const char *xl_dnn_version(const struct xl_dnn *dnn);

/* oneDNN takes its number of threads from OpenMP, which keeps it for each thread. To be called on
 * every thread that makes or runs products; returns what the number was before. */
int xl_dnn_limit_threads(int n_threads);

/* The layout of weights that oneDNN likes best for `shape`. Shapes that want the same layout of
 * equal weights share a prototype. *out belongs to dnn. Errors: XL_EINTERNAL no implementation,
 * XL_ENOMEM */
enum xl_status xl_dnn_prototype(struct xl_dnn *dnn, const struct xl_dnn_shape *shape,
                                const struct xl_dnn_prototype **out, struct xl_err *err) XL_CHECKED;
const struct xl_dnn_layout *xl_dnn_prototype_layout(const struct xl_dnn_prototype *prototype);
enum xl_dtype xl_dnn_prototype_dtype(const struct xl_dnn_prototype *prototype);

/* prototype: of a shape with the same dtype, kernel, c and o.
 * *out belongs to dnn. Errors: XL_EINTERNAL no implementation, XL_ENOMEM */
enum xl_status xl_dnn_product(struct xl_dnn *dnn, const struct xl_dnn_shape *shape,
                              const struct xl_dnn_prototype *prototype,
                              const struct xl_dnn_product **out, struct xl_err *err) XL_CHECKED;

/* Bytes of scratch memory that a run of the product needs. */
size_t xl_dnn_product_scratch(const struct xl_dnn_product *product);
/* Whether oneDNN has nothing better for it than its reference, which is slow beyond use. */
bool xl_dnn_product_is_reference(const struct xl_dnn_product *product);

/* Weights packed at `data` (aligned to 64 bytes, owned by the caller) in the prototype's layout.
 * Caller: xl_dnn_weights_free. Errors: XL_ENOMEM */
enum xl_status xl_dnn_weights_new(struct xl_dnn *dnn, const struct xl_dnn_prototype *prototype,
                                  void *data, struct xl_dnn_weights **out,
                                  struct xl_err *err) XL_CHECKED;
void xl_dnn_weights_free(struct xl_dnn_weights *weights);

/* x: [height, width, c], y: [height', width', o] f32, both dense. Returns false when oneDNN fails.
 */
bool xl_dnn_run(const struct xl_dnn_product *product, int worker, const void *x,
                const struct xl_dnn_weights *weights, float *y, void *scratch);

#endif
