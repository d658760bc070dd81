/* vmath.h - exp, the exact GELU and their kin on vectors, to about one unit in the last place.
 * Coefficients: minimax fits of our own (relative error, double arithmetic, rounded to float);
 * tests/unit/test_cpu_math.c holds them against libm.
 */
#ifndef XL_BACKEND_CPU_VMATH_H
#define XL_BACKEND_CPU_VMATH_H

#include "backend/cpu/simd.h"
#include "backend/ops.h"

/* Adding 1.5 * 2^23 leaves the nearest integer in the low bits of the mantissa. */
#define V_ROUND_MAGIC 12582912.0f

/* 2^n for an integral n in -127..127; 2^-127 comes out as 0. `rounded` is n + V_ROUND_MAGIC. */
V_INLINE vf v_pow2(vf rounded) {
    return (vf)(((vi)rounded - (vi)v_set(V_ROUND_MAGIC) + 127) << 23);
}

/* 2^x; exactly 0 for x < -126.5 and for -inf. x at most 127. */
V_INLINE vf v_exp2(vf x) {
    x = v_max(v_set(-127.0f), x);
    vf rounded = x + v_set(V_ROUND_MAGIC);
    vf f = x - (rounded - v_set(V_ROUND_MAGIC));
    vf p = v_set(0.00015345812f);
    p = v_fma(p, f, v_set(0.0013399931f));
    p = v_fma(p, f, v_set(0.009618489f));
    p = v_fma(p, f, v_set(0.055503286f));
    p = v_fma(p, f, v_set(0.24022646f));
    p = v_fma(p, f, v_set(0.6931472f));
    p = v_fma(p, f, v_set(1.0f));
    return p * v_pow2(rounded);
}

/* e^x: x = n ln 2 + f with ln 2 in two parts, the first short enough that n times it is exact. */
V_INLINE vf v_exp(vf x) {
    x = v_min(v_set(88.3f), v_max(v_set(-88.0f), x));
    vf rounded = v_fma(x, v_set(1.44269504f), v_set(V_ROUND_MAGIC));
    vf n = rounded - v_set(V_ROUND_MAGIC);
    vf f = v_fma(n, v_set(2.12194440e-4f), v_fma(n, v_set(-0.693359375f), x));
    vf p = v_set(0.0013836846f);
    p = v_fma(p, f, v_set(0.008374816f));
    p = v_fma(p, f, v_set(0.041668225f));
    p = v_fma(p, f, v_set(0.1666642f));
    p = v_fma(p, f, v_set(0.4999999f));
    p = v_fma(p, f, v_set(1.0f));
    p = v_fma(p, f, v_set(1.0f));
    return p * v_pow2(rounded);
}

/* x * sigmoid(slope * x) */
V_INLINE vf v_sigmoid_gate(vf x, float slope) {
    return x / (v_set(1.0f) + v_exp(v_set(-slope) * x));
}

/* erfc(z) for z >= 0 as e^(-z^2) times a polynomial in 1 / (1 + 0.3 z). */
V_INLINE vf v_erfc_positive(vf z) {
    vf t = v_set(1.0f) / v_fma(v_set(0.3f), z, v_set(1.0f));
    vf p = v_set(-0.12661596f);
    p = v_fma(p, t, v_set(0.47182325f));
    p = v_fma(p, t, v_set(-0.48468563f));
    p = v_fma(p, t, v_set(0.5170418f));
    p = v_fma(p, t, v_set(-0.07404433f));
    p = v_fma(p, t, v_set(0.20638314f));
    p = v_fma(p, t, v_set(0.15046936f));
    p = v_fma(p, t, v_set(0.17042366f));
    p = v_fma(p, t, v_set(0.16920476f));
    return p * t * v_exp(-(z * z));
}

/* x/2 (1 + erf(x / sqrt 2)), by the complement: x/2 erfc(|x| / sqrt 2) below 0 and x minus that
 * above, so that the small values left of 0 keep their relative precision. */
V_INLINE vf v_gelu(vf x) {
    vf magnitude = (vf)((vi)x & 0x7FFFFFFF);
    vf tail = v_set(0.5f) * magnitude * v_erfc_positive(magnitude * v_set(0.70710678f));
    return v_select(x < v_set(0.0f), -tail, x - tail);
}

V_INLINE vf v_activate(vf x, enum xl_activation act) {
    switch (act) {
    case XL_ACT_SILU:
        return v_sigmoid_gate(x, 1.0f);
    case XL_ACT_GELU:
        return v_gelu(x);
    case XL_ACT_QUICK_GELU:
        return v_sigmoid_gate(x, 1.702f);
    case XL_ACT_NONE:
        break;
    }
    return x;
}

#endif
