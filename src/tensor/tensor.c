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

static const struct {
    size_t bytes;
    const char *name;
} stored_kinds[] = {
#define X(name, bytes, text) {bytes, text},
    XL_STORED_LIST(X)
#undef X
};

static size_t stored_size(const struct xl_tensor *tensor) {
    size_t bytes = stored_kinds[tensor->stored].bytes;
    return bytes ? bytes : xl_dtype_size(tensor->dtype);
}

const char *xl_tensor_stored_name(const struct xl_tensor *tensor) {
    const char *name = stored_kinds[tensor->stored].name;
    return name[0] ? name : xl_dtype_name(tensor->dtype);
}

int64_t xl_tensor_bytes(const struct xl_tensor *tensor) {
    return xl_shape_count(tensor->shape) * (int64_t)stored_size(tensor);
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

/* Micikevicius et al., "FP8 Formats for Deep Learning": E4M3 has no infinities and one NaN a sign;
 * the FNUZ forms have one NaN, in the place of -0, and a bias that is larger by one. */
struct f8_kind {
    int n_mantissa, bias;
    bool is_fnuz, has_infinity;
};

static float f8_value(struct f8_kind kind, uint8_t x) {
    int magnitude = x & 0x7F, exponent = magnitude >> kind.n_mantissa;
    int mantissa = magnitude & ((1 << kind.n_mantissa) - 1);
    float sign = x & 0x80 ? -1.0f : 1.0f;
    if (kind.is_fnuz && x == 0x80) return NAN;
    if (!kind.is_fnuz && !kind.has_infinity && magnitude == 0x7F) return NAN;
    if (kind.has_infinity && exponent == 31) return mantissa ? NAN : sign * INFINITY;
    int scale = (exponent ? exponent : 1) - kind.bias - kind.n_mantissa;
    int digits = mantissa + (exponent ? 1 << kind.n_mantissa : 0);
    return sign * ldexpf((float)digits, scale);
}

static struct f8_kind f8_kind_of(enum xl_stored stored) {
    switch (stored) {
    case XL_STORED_F8_E5M2:
        return (struct f8_kind){2, 15, false, true};
    case XL_STORED_F8_E4M3FNUZ:
        return (struct f8_kind){3, 8, true, false};
    case XL_STORED_F8_E5M2FNUZ:
        return (struct f8_kind){2, 16, true, false};
    default:
        return (struct f8_kind){3, 7, false, false};
    }
}

static void put(void *out, enum xl_dtype dtype, int64_t i, float x) {
    if (dtype == XL_DTYPE_F16)
        ((uint16_t *)out)[i] = xl_f32_to_f16(x);
    else
        ((float *)out)[i] = x;
}

/* Where a number lies, counted in numbers. */
static int64_t place_of(const struct xl_tensor *tensor, int64_t i) {
    if (!tensor->is_turned) return i;
    int64_t rows = tensor->shape.dim[0], columns = tensor->shape.dim[1];
    return i % columns * rows + i / columns;
}

/* Scaled numbers need the room of f32. */
static void read_f8(const struct xl_tensor *tensor, int64_t first, int64_t n, void *out) {
    const uint8_t *x = tensor->data;
    struct f8_kind kind = f8_kind_of(tensor->stored);
    int64_t rows = tensor->shape.rank ? tensor->shape.dim[tensor->is_turned] : 1;
    int64_t length = rows ? xl_shape_count(tensor->shape) / rows : 0;
    float value[256];
    for (int i = 0; i < 256; i++) value[i] = f8_value(kind, (uint8_t)i);
    for (int64_t i = 0; i < n; i++) {
        int64_t at = place_of(tensor, first + i);
        float scale = 1;
        if (tensor->scales) scale = tensor->scales[tensor->n_scales > 1 ? at / length : 0];
        put(out, tensor->dtype, i, value[x[at]] * scale);
    }
}

static void read_as_it_lies(const struct xl_tensor *tensor, int64_t first, int64_t n, void *out) {
    const char *data = tensor->data;
    size_t size = xl_dtype_size(tensor->dtype);
    if (!tensor->is_turned)
        memcpy(out, data + (size_t)first * size, (size_t)n * size);
    else
        for (int64_t i = 0; i < n; i++)
            memcpy((char *)out + (size_t)i * size,
                   data + (size_t)place_of(tensor, first + i) * size, size);
}

static void read_f64(const struct xl_tensor *tensor, int64_t first, int64_t n, float *out) {
    for (int64_t i = 0; i < n; i++) {
        double x;
        memcpy(&x, (const char *)tensor->data + (size_t)place_of(tensor, first + i) * sizeof x,
               sizeof x);
        out[i] = (float)x;
    }
}

void xl_tensor_read(const struct xl_tensor *tensor, int64_t first, int64_t n, void *out) {
    switch (tensor->stored) {
    case XL_STORED_PLAIN:
    case XL_STORED_UNALIGNED:
        read_as_it_lies(tensor, first, n, out);
        break;
    case XL_STORED_F64:
        read_f64(tensor, first, n, out);
        break;
    case XL_STORED_F8_E4M3:
    case XL_STORED_F8_E5M2:
    case XL_STORED_F8_E4M3FNUZ:
    case XL_STORED_F8_E5M2FNUZ:
        read_f8(tensor, first, n, out);
        break;
    }
}
