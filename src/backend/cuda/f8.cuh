/* f8.cuh - rounding to F8 in kernels. */
#ifndef XL_BACKEND_CUDA_F8_CUH
#define XL_BACKEND_CUDA_F8_CUH

#include "backend/cuda/rows.cuh"

#include <cuda_fp8.h>

extern "C" {
#include "backend/cuda/f8.h"
}

namespace xl {

constexpr float F8_MAX = 448;

/* The scale for numbers of up to `largest`; numbers are divided by it. */
__device__ inline float f8_scale(float largest) {
    return largest > 0 ? largest / F8_MAX : 1.0F;
}

/* N numbers, each times `factor`. */
template <int N> __device__ inline pack<unsigned char, N> to_f8(const float *x, float factor) {
    pack<unsigned char, N> out;
    if (N == 1) out.x[0] = __nv_cvt_float_to_fp8(x[0] * factor, __NV_SATFINITE, __NV_E4M3);
#pragma unroll
    for (int j = 0; j + 1 < N; j += 2) {
        float2 two = make_float2(x[j] * factor, x[j + 1] * factor);
        __nv_fp8x2_storage_t both = __nv_cvt_float2_to_fp8x2(two, __NV_SATFINITE, __NV_E4M3);
        out.x[j] = (unsigned char)both;
        out.x[j + 1] = (unsigned char)(both >> 8);
    }
    return out;
}

/* The largest of all lanes, in all lanes. */
__device__ inline float warp_max(float x) {
    for (int lane = 16; lane; lane /= 2) x = fmaxf(x, __shfl_xor_sync(~0U, x, lane));
    return x;
}

/* The largest of all threads of a block of up to 1024, in all threads. */
__device__ inline float block_max(float x) {
    __shared__ float of_warp[32];
    x = warp_max(x);
    __syncthreads(); /* the largest before this one is read */
    int thread = threadIdx.y * blockDim.x + threadIdx.x;
    int n_warps = (blockDim.x * blockDim.y + 31) / 32;
    if (thread % 32 == 0) of_warp[thread / 32] = x;
    __syncthreads();
    float largest = of_warp[0];
    for (int warp = 1; warp < n_warps; warp++) largest = fmaxf(largest, of_warp[warp]);
    return largest;
}

} // namespace xl

#endif
