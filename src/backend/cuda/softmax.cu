/* softmax.cu - a block a row: its scores are kept in registers between the passes. */
#include "backend/cuda/numbers.cuh"

extern "C" {
#include "backend/cuda/scores.h"
}

enum { THREADS = 512, MAX_OWN = 64 }; /* scores of a thread: rows of up to 32,768 */

__device__ static float over_block(float x, bool is_sum, float *shared) {
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    for (int step = 16; step; step /= 2) {
        float other = __shfl_xor_sync(0xFFFFFFFF, x, step);
        x = is_sum ? x + other : fmaxf(x, other);
    }
    __syncthreads(); /* shared may still be read */
    if (!lane) shared[warp] = x;
    __syncthreads();
    x = shared[0];
    for (int i = 1; i < THREADS / 32; i++) x = is_sum ? x + shared[i] : fmaxf(x, shared[i]);
    return x;
}

template <typename T> static __global__ void softmax_kernel(float *scores, int64_t columns) {
    __shared__ float shared[THREADS / 32];
    float own[MAX_OWN], *row = scores + blockIdx.x * columns;
    float largest = -INFINITY, sum = 0;
#pragma unroll
    for (int i = 0; i < MAX_OWN; i++) {
        int64_t at = i * THREADS + threadIdx.x;
        own[i] = at < columns ? row[at] : -INFINITY;
        largest = fmaxf(largest, own[i]);
    }
    largest = over_block(largest, false, shared);
#pragma unroll
    for (int i = 0; i < MAX_OWN; i++) sum += own[i] = __expf(own[i] - largest);
    sum = 1 / over_block(sum, true, shared); /* all have read the row by now */
#pragma unroll
    for (int i = 0; i < MAX_OWN; i++) {
        int64_t at = i * THREADS + threadIdx.x;
        if (at < columns) ((T *)row)[at] = xl::from_f32<T>(own[i] * sum);
    }
}

bool xl_cuda_run_softmax(const void *args, cudaStream_t stream) {
    const struct xl_cuda_softmax *s = (const struct xl_cuda_softmax *)args;
    float *scores = (float *)((unsigned char *)s->workspace->data + XL_CUDA_PRODUCT_BYTES);
    XL_WITH_TYPE(
        s->dtype, T,
        (softmax_kernel<T><<<(unsigned)s->rows, THREADS, 0, stream>>>(scores, s->columns)));
    return xl_cuda_is_queued();
}
