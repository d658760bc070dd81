/* tensor.h - dtypes, shapes, and a view of numbers in host memory.
 * Activations are laid out [n, h, w, c] (channels last) or [n, tokens, c]; weights as in the file
 * (PyTorch: linear [out, in], convolution [out, in, kh, kw]).
 */
#ifndef XL_TENSOR_TENSOR_H
#define XL_TENSOR_TENSOR_H

#include "base/status.h"

#define XL_DTYPE_LIST(X) /* name, bytes, name in safetensors */                                    \
    X(XL_DTYPE_F32, 4, "F32")                                                                      \
    X(XL_DTYPE_F16, 2, "F16")                                                                      \
    X(XL_DTYPE_BF16, 2, "BF16")                                                                    \
    X(XL_DTYPE_I32, 4, "I32")                                                                      \
    X(XL_DTYPE_I64, 8, "I64")                                                                      \
    X(XL_DTYPE_U8, 1, "U8")

enum xl_dtype {
#define X(name, bytes, text) name,
    XL_DTYPE_LIST(X)
#undef X
};

size_t xl_dtype_size(enum xl_dtype dtype);
const char *xl_dtype_name(enum xl_dtype dtype);

enum { XL_MAX_RANK = 4 };

struct xl_shape {
    int rank;
    int64_t dim[XL_MAX_RANK];
};

/* XL_SHAPE(2, 77, 768) */
#define XL_SHAPE(...)                                                                              \
    ((struct xl_shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})

int64_t xl_shape_count(struct xl_shape shape); /* product of the dimensions; 1 for rank 0 */
bool xl_shape_equal(struct xl_shape a, struct xl_shape b);
int64_t xl_shape_last(struct xl_shape shape); /* the last dimension; 1 for rank 0 */
/* "[2, 77, 768]" into out; returns out. */
enum { XL_SHAPE_TEXT = 96 };
char *xl_shape_format(struct xl_shape shape, char out[XL_SHAPE_TEXT]);

/* How the numbers of a tensor lie in memory. All but plain ones are read by xl_tensor_read. */
#define XL_STORED_LIST(X)     /* name, bytes of a number (0: of the dtype), name in safetensors */ \
    X(XL_STORED_PLAIN, 0, "") /* as numbers of the dtype */                                        \
    X(XL_STORED_UNALIGNED, 0, "") /* the same, beginning at any byte */                            \
    X(XL_STORED_F64, 8, "F64")                                                                     \
    X(XL_STORED_F8_E4M3, 1, "F8_E4M3")                                                             \
    X(XL_STORED_F8_E5M2, 1, "F8_E5M2")                                                             \
    X(XL_STORED_F8_E4M3FNUZ, 1, "F8_E4M3FNUZ")                                                     \
    X(XL_STORED_F8_E5M2FNUZ, 1, "F8_E5M2FNUZ")

enum xl_stored {
#define X(name, bytes, text) name,
    XL_STORED_LIST(X)
#undef X
};

/* A tensor that somebody else owns (a mapped file, a plan's caller). Dense, row-major unless
 * turned. */
struct xl_tensor {
    const char *name;
    enum xl_dtype dtype; /* as which its numbers are taken; holds them all, whatever they lie as */
    struct xl_shape shape;
    const void *data;
    enum xl_stored stored;
    const float
        *scales; /* factors of F8 numbers: one, or one for each row as it lies; NULL: none */
    int64_t n_scales;
    bool is_turned; /* lies as [columns, rows] of its shape, which has rank 2; never PLAIN */
};

/* "F16", "F8_E4M3": what the numbers lie as. */
const char *xl_tensor_stored_name(const struct xl_tensor *tensor);
int64_t xl_tensor_bytes(const struct xl_tensor *tensor); /* as they lie */

/* n numbers from the first on, in the tensor's dtype. out: aligned to that */
void xl_tensor_read(const struct xl_tensor *tensor, int64_t first, int64_t n, void *out);

/* Convert n numbers. Rounds to nearest even; NaN stays NaN; overflow in f16 becomes infinity.
 * dst and src may be the same buffer only when the dtypes are equal. Floating types only. */
void xl_convert(void *dst, enum xl_dtype to, const void *src, enum xl_dtype from, int64_t n);

static inline float xl_bf16_to_f32(uint16_t x) {
    union {
        uint32_t u;
        float f;
    } bits = {.u = (uint32_t)x << 16};
    return bits.f;
}

static inline uint16_t xl_f32_to_bf16(float x) {
    union {
        float f;
        uint32_t u;
    } bits = {.f = x};
    if ((bits.u & 0x7FFFFFFF) > 0x7F800000) return (uint16_t)(bits.u >> 16 | 0x40); /* quiet NaN */
    return (uint16_t)((bits.u + 0x7FFF + (bits.u >> 16 & 1)) >> 16);
}

float xl_f16_to_f32(uint16_t x);
uint16_t xl_f32_to_f16(float x);

#endif
