/* tensor.c - names and sizes of dtypes, shapes, and conversions that round as PyTorch's do. */
#include "tensor/tensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    size_t bytes;
    const char *name;
} dtypes[] = {
#define X(name, bytes, text) {bytes, text},
    XL_DTYPE_LIST(X)
#undef X
};

size_t xl_dtype_size(enum xl_dtype dtype) {
    return dtypes[dtype].bytes;
}
const char *xl_dtype_name(enum xl_dtype dtype) {
    return dtypes[dtype].name;
}

int64_t xl_shape_count(struct xl_shape shape) {
    int64_t count = 1;
    for (int i = 0; i < shape.rank; i++) count *= shape.dim[i];
    return count;
}

bool xl_shape_equal(struct xl_shape a, struct xl_shape b) {
    if (a.rank != b.rank) return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i]) return false;
    return true;
}

int64_t xl_shape_last(struct xl_shape shape) {
    return shape.rank ? shape.dim[shape.rank - 1] : 1;
}

char *xl_shape_format(struct xl_shape shape, char out[XL_SHAPE_TEXT]) {
    int n = snprintf(out, XL_SHAPE_TEXT, "[");
    for (int i = 0; i < shape.rank; i++)
        n += snprintf(out + n, (size_t)(XL_SHAPE_TEXT - n), "%s%lld", i ? ", " : "",
                      (long long)shape.dim[i]);
    snprintf(out + n, (size_t)(XL_SHAPE_TEXT - n), "]");
    return out;
}

float xl_f16_to_f32(uint16_t x) {
    union {
        uint32_t u;
        float f;
    } bits;
    uint32_t sign = (uint32_t)(x & 0x8000) << 16, exponent = x >> 10 & 31, mantissa = x & 0x3FF;
    if (exponent == 31)
        bits.u = sign | 0x7F800000 | mantissa << 13;
    else if (exponent)
        bits.u = sign | (exponent + 112) << 23 | mantissa << 13;
    else {
        bits.f = ldexpf((float)mantissa, -24);
        bits.u |= sign;
    }
    return bits.f;
}

uint16_t xl_f32_to_f16(float x) {
    union {
        float f;
        uint32_t u;
    } bits = {.f = x};
    uint32_t sign = bits.u >> 16 & 0x8000, magnitude = bits.u & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) return (uint16_t)(sign | 0x7E00);  /* NaN */
    if (magnitude >= 0x477FF000) return (uint16_t)(sign | 0x7C00); /* rounds past 65504 */
    if (magnitude < 0x38800000) { /* below 2^-14: subnormal, in units of 2^-24 */
        bits.u = magnitude;
        return (uint16_t)(sign | (uint32_t)lrintf(ldexpf(bits.f, 24)));
    }
    magnitude += 0xFFF + (magnitude >> 13 & 1);
    return (uint16_t)(sign | (magnitude - (112u << 23)) >> 13);
}

static float load(const void *src, enum xl_dtype from, int64_t i) {
    switch (from) {
    case XL_DTYPE_F16:
        return xl_f16_to_f32(((const uint16_t *)src)[i]);
    case XL_DTYPE_BF16:
        return xl_bf16_to_f32(((const uint16_t *)src)[i]);
    default:
        return ((const float *)src)[i];
    }
}

void xl_convert(void *dst, enum xl_dtype to, const void *src, enum xl_dtype from, int64_t n) {
    if (to == from) {
        if (dst != src) memcpy(dst, src, (size_t)n * xl_dtype_size(to));
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        float x = load(src, from, i);
        if (to == XL_DTYPE_F16)
            ((uint16_t *)dst)[i] = xl_f32_to_f16(x);
        else if (to == XL_DTYPE_BF16)
            ((uint16_t *)dst)[i] = xl_f32_to_bf16(x);
        else
            ((float *)dst)[i] = x;
    }
}
