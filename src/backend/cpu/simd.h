/* simd.h - a vector of floats, as wide as the instruction set that the file is compiled for: 4
 * lanes (anything), 8 (AVX2) or 16 (AVX-512). Kernel sources are compiled once for each.
 *
 * The compilers' vector extensions give + - * / comparisons and bit operations; the functions here
 * add what they lack. v_max and v_min return b when either operand is not a number, so NaN survives
 * a clamp written v_max(limit, x).
 */
#ifndef XL_BACKEND_CPU_SIMD_H
#define XL_BACKEND_CPU_SIMD_H

#include "tensor/tensor.h"

#include <string.h>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { V_LANES = 16 };
#define XL_ISA(name) name##_avx512
#elif defined(__AVX2__) && defined(__FMA__)
enum { V_LANES = 8 };
#define XL_ISA(name) name##_avx2
#else
enum { V_LANES = 4 };
#define XL_ISA(name) name##_generic
#endif

typedef float vf __attribute__((vector_size(V_LANES * 4)));
typedef int32_t vi __attribute__((vector_size(V_LANES * 4)));
typedef uint32_t vu __attribute__((vector_size(V_LANES * 4)));
typedef uint16_t vh __attribute__((vector_size(V_LANES * 2)));

#define V_INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define V_UNROLL _Pragma("unroll")
#else
#define V_UNROLL _Pragma("GCC unroll 32")
#endif

V_INLINE vf v_set(float x) {
    return x - (vf){0};
}

V_INLINE vf v_select(vi mask, vf a, vf b) {
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
}

#if defined(__AVX512F__)
V_INLINE vf v_fma(vf a, vf b, vf c) {
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
V_INLINE vf v_max(vf a, vf b) {
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
}
V_INLINE vf v_min(vf a, vf b) {
    return (vf)_mm512_min_ps((__m512)a, (__m512)b);
}
#elif defined(__AVX2__) && defined(__FMA__)
V_INLINE vf v_fma(vf a, vf b, vf c) {
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
V_INLINE vf v_max(vf a, vf b) {
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
}
V_INLINE vf v_min(vf a, vf b) {
    return (vf)_mm256_min_ps((__m256)a, (__m256)b);
}
#else
V_INLINE vf v_fma(vf a, vf b, vf c) {
    return a * b + c;
}
V_INLINE vf v_max(vf a, vf b) {
    return v_select(a > b, a, b);
}
V_INLINE vf v_min(vf a, vf b) {
    return v_select(a < b, a, b);
}
#endif

V_INLINE vf v_load(const float *p) {
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}

V_INLINE void v_store(float *p, vf v) {
    memcpy(p, &v, sizeof v);
}

V_INLINE vf v_from_bf16(vh h) {
    return (vf)(__builtin_convertvector(h, vu) << 16);
}

/* Rounds to nearest even as xl_f32_to_bf16 does. */
V_INLINE vh v_to_bf16(vf v) {
    vu bits = (vu)v;
    vu rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    vu quiet = bits >> 16 | 0x40;
    vu is_nan = (vu)(v != v);
    return __builtin_convertvector((is_nan & quiet) | (~is_nan & rounded), vh);
}

/* Element i of an array of f32 or bf16 and its V_LANES - 1 successors. */
V_INLINE vf v_load_at(const void *p, bool is_bf16, int64_t i) {
    if (!is_bf16) return v_load((const float *)p + i);
    vh h;
    memcpy(&h, (const uint16_t *)p + i, sizeof h);
    return v_from_bf16(h);
}

V_INLINE void v_store_at(void *p, bool is_bf16, int64_t i, vf v) {
    if (!is_bf16) {
        v_store((float *)p + i, v);
        return;
    }
    vh h = v_to_bf16(v);
    memcpy((uint16_t *)p + i, &h, sizeof h);
}

/* The same for the first n < V_LANES elements; the other lanes are 0. */
V_INLINE vf v_load_part(const void *p, bool is_bf16, int64_t i, int64_t n) {
    vf v = {0};
    for (int64_t lane = 0; lane < n; lane++)
        v[lane] = is_bf16 ? xl_bf16_to_f32(((const uint16_t *)p)[i + lane])
                          : ((const float *)p)[i + lane];
    return v;
}

V_INLINE void v_store_part(void *p, bool is_bf16, int64_t i, int64_t n, vf v) {
    for (int64_t lane = 0; lane < n; lane++) {
        if (is_bf16)
            ((uint16_t *)p)[i + lane] = xl_f32_to_bf16(v[lane]);
        else
            ((float *)p)[i + lane] = v[lane];
    }
}

/* Whole or part: n elements are left from i on. */
V_INLINE vf v_load_up_to(const void *p, bool is_bf16, int64_t i, int64_t n) {
    return n >= V_LANES ? v_load_at(p, is_bf16, i) : v_load_part(p, is_bf16, i, n);
}

V_INLINE void v_store_up_to(void *p, bool is_bf16, int64_t i, int64_t n, vf v) {
    if (n >= V_LANES)
        v_store_at(p, is_bf16, i, v);
    else
        v_store_part(p, is_bf16, i, n, v);
}

/* Lane by lane in pairs: the same order for a given width. */
V_INLINE float v_sum(vf v) {
    float lane[V_LANES];
    memcpy(lane, &v, sizeof v);
    for (int n = V_LANES / 2; n; n /= 2)
        for (int i = 0; i < n; i++) lane[i] += lane[i + n];
    return lane[0];
}

V_INLINE float v_max_lane(vf v) {
    float best = v[0];
    for (int i = 1; i < V_LANES; i++) best = v[i] > best || v[i] != v[i] ? v[i] : best;
    return best;
}

#endif
