/* rows.cuh - how kernels walk over rows: which threads take which columns, which width of access
 * the operands allow; and sums over threads, in an order that is always the same. */
#ifndef XL_BACKEND_CUDA_ROWS_CUH
#define XL_BACKEND_CUDA_ROWS_CUH

#include "backend/cuda/numbers.cuh"

namespace xl {

enum { BLOCK_THREADS = 256 };

/* Threads for rows of columns: x and blocks' y go along a row, y and blocks' x from row to row. */
struct row_grid {
    dim3 blocks, threads;
};

/* max_x: columns that a block takes at once, at most BLOCK_THREADS */
inline row_grid rows_of(int64_t rows, int64_t columns, int64_t max_x = BLOCK_THREADS) {
    int64_t parts = (columns + max_x - 1) / max_x;
    unsigned x = (unsigned)((columns + parts - 1) / parts), y = BLOCK_THREADS / x;
    unsigned along = (unsigned)(parts < 65535 ? parts : 65535);
    return {dim3(blocks_for(rows, y), along), dim3(x, y)};
}

__device__ inline int64_t row_index() {
    return (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
}

__device__ inline int64_t first_column() {
    return (int64_t)blockIdx.y * blockDim.x + threadIdx.x;
}

__device__ inline int64_t column_step() {
    return (int64_t)gridDim.y * blockDim.x;
}

/* Which number of a block of numbers in one row this thread takes. */
__device__ inline int64_t flat_index() {
    return (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
}

/* Whether rows of c numbers, one after the other from p on, can be taken 16 bytes at a time. */
template <typename T> inline bool is_wide(const void *p, int64_t c) {
    return is_aligned(p, 16) && c % wide<T> == 0;
}

/* Of all lanes, in all lanes. */
template <typename F> __device__ inline F warp_sum(F x) {
    for (int lane = 16; lane; lane /= 2) x += __shfl_xor_sync(~0U, x, lane);
    return x;
}

/* Of all threads, in all threads of a block of whole warps. */
template <typename F> __device__ inline F sum_of_threads(F x) {
    __shared__ F of_warp[32];
    x = warp_sum(x);
    __syncthreads(); /* the sum before this one is read */
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = x;
    __syncthreads();
    F sum = of_warp[0];
    for (unsigned warp = 1; warp < blockDim.x / 32; warp++) sum += of_warp[warp];
    return sum;
}

} // namespace xl

#endif
