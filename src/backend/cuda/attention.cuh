/* attention.cuh - parts of the attention kernel on tensor cores. A warp has 16 queries in the
 * layout of mma.sync: x[j][0], x[j][1] are the columns 8 j + 2 (lane % 4) and the next one of query
 * lane / 4, x[j][2] and x[j][3] those of query 8 + lane / 4. */
#ifndef XL_BACKEND_CUDA_ATTENTION_CUH
#define XL_BACKEND_CUDA_ATTENTION_CUH

#include "backend/cuda/mma.cuh"
#include "backend/cuda/numbers.cuh"

namespace xl {

/* Where a 16-byte word of a row lies in a tile, in bytes: words change places such that eight rows
 * below each other lie in different banks. */
template <int words> __device__ inline uint32_t place(int row, int word) {
    return (uint32_t)(row * words + (word ^ (words >= 8 ? row & 7 : row >> 1 & words - 1))) * 16;
}

/* The largest of a query's numbers, or their sum, of those that its four lanes have. */
__device__ inline float largest_of_query(float x) {
    x = fmaxf(x, __shfl_xor_sync(~0u, x, 1));
    return fmaxf(x, __shfl_xor_sync(~0u, x, 2));
}
__device__ inline float sum_of_query(float x) {
    x += __shfl_xor_sync(~0u, x, 1);
    return x + __shfl_xor_sync(~0u, x, 2);
}

/* Scores of keys of the tile from `end` on become -inf, and for query i those behind key
 * diagonal + i. */
template <int n> __device__ inline void hide_keys(float (&scores)[n][4], int end, int diagonal) {
    int lane = (int)threadIdx.x % 32;
#pragma unroll
    for (int j = 0; j < n; j++)
#pragma unroll
        for (int i = 0; i < 4; i++) {
            int key = j * 8 + lane % 4 * 2 + i % 2;
            if (key >= end || key > diagonal + lane / 4 + i / 2 * 8) scores[j][i] = -INFINITY;
        }
}

/* The left operand of 16 weights a query, from column 16 c on. */
template <typename T, int n>
__device__ inline void pack_weights(uint32_t (&left)[4], const float (&weights)[n][4], int c) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const float(&w)[4] = weights[c * 2 + i / 2];
        left[i] = pack_pair<T>(w[i % 2 * 2], w[i % 2 * 2 + 1]);
    }
}

/* Divide results by the sums of weights (of which each lane has its part), and store those of the
 * n_queries that there are, d numbers each. rows: 16 rows of shared memory that are free: they make
 * words of pairs. */
template <typename T, int n>
__device__ inline void store_results(const float (&result)[n][4], const float (&sum)[2],
                                     unsigned char *rows, T *out, int64_t stride, int64_t n_queries,
                                     int64_t d) {
    int lane = (int)threadIdx.x % 32;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float share = 1 / sum_of_query(sum[half]);
#pragma unroll
        for (int j = 0; j < n; j++) {
            const float *x = &result[j][half * 2];
            uint32_t at = place<n>(half * 8 + lane / 4, j) + lane % 4 * 4;
            *(uint32_t *)(rows + at) = pack_pair<T>(x[0] * share, x[1] * share);
        }
    }
    __syncwarp();
    constexpr int rows_at_once = 32 / n;
    int row = lane / n, word = lane % n;
#pragma unroll
    for (int i = 0; i < 16; i += rows_at_once)
        if (row + i < n_queries && word * 8 < d)
            store(out + (row + i) * stride + word * 8,
                  load<T, 8>((const T *)(rows + place<n>(row + i, word))));
}

} // namespace xl

#endif
