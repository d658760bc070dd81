/* numbers.cuh - numbers of the three floating dtypes in kernels: to f32 and back, several at a
 * time, and a kernel for each dtype. */
#ifndef XL_BACKEND_CUDA_NUMBERS_CUH
#define XL_BACKEND_CUDA_NUMBERS_CUH

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>

extern "C" {
#include "backend/cuda/cuda.h"
}

namespace xl {

__device__ inline float to_f32(float x) {
    return x;
}
__device__ inline float to_f32(__half x) {
    return __half2float(x);
}
__device__ inline float to_f32(__nv_bfloat16 x) {
    return __bfloat162float(x);
}

template <typename T> __device__ inline T from_f32(float x);
template <> __device__ inline float from_f32<float>(float x) {
    return x;
}
template <> __device__ inline __half from_f32<__half>(float x) {
    return __float2half_rn(x);
}
template <> __device__ inline __nv_bfloat16 from_f32<__nv_bfloat16>(float x) {
    return __float2bfloat16_rn(x);
}

/* n numbers that lie together, read and written as one word where they are aligned to it. */
template <typename T, int n> struct alignas(sizeof(T) * n) pack { T x[n]; };
/* As many numbers as 16 bytes have. */
template <typename T> constexpr int wide = 16 / (int)sizeof(T);

template <typename T, int n> __device__ inline pack<T, n> load(const T *from) {
    return *reinterpret_cast<const pack<T, n> *>(from);
}
template <typename T, int n> __device__ inline void store(T *to, const pack<T, n> &numbers) {
    *reinterpret_cast<pack<T, n> *>(to) = numbers;
}

/* Divisions to two units of the last place: an exact one costs more than all the rest. */
__device__ inline float activate(enum xl_activation act, float x) {
    switch (act) {
    case XL_ACT_SILU:
        return __fdividef(x, 1.0f + __expf(-x));
    case XL_ACT_GELU:
        return 0.5f * x * (1.0f + erff(x * 0.70710678f));
    case XL_ACT_QUICK_GELU:
        return __fdividef(x, 1.0f + __expf(-1.702f * x));
    default:
        return x;
    }
}

/* Blocks of a grid over n items, never 0. */
inline unsigned blocks_for(int64_t n, int64_t per_block) {
    return (unsigned)((n + per_block - 1) / per_block);
}

inline bool is_aligned(const void *p, size_t to) {
    return (uintptr_t)p % to == 0;
}

} // namespace xl

/* Run `code` with the C++ type T of a floating dtype. */
#define XL_WITH_TYPE(dtype, T, code)                                                               \
    switch (dtype) {                                                                               \
    case XL_DTYPE_F16: {                                                                           \
        using T = __half;                                                                          \
        code;                                                                                      \
        break;                                                                                     \
    }                                                                                              \
    case XL_DTYPE_BF16: {                                                                          \
        using T = __nv_bfloat16;                                                                   \
        code;                                                                                      \
        break;                                                                                     \
    }                                                                                              \
    default: {                                                                                     \
        using T = float;                                                                           \
        code;                                                                                      \
        break;                                                                                     \
    }                                                                                              \
    }

#endif
