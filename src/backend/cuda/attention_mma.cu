/* attention_mma.cu - flash attention on mma.sync, for f16 and bf16.
 *
 * A block has some queries of one head, in registers, and walks over the keys: while a tile of keys
 * and values is multiplied, cp.async brings the next one. Each warp has 16 or 32 queries for
 * itself: scores, weights and results never leave its registers, as the scores of two products are
 * in the layout of a left operand.
 */
#include "backend/cuda/attention.cuh"
#include "backend/cuda/attention.h"

namespace {

using namespace xl;

/* depth: numbers of a head, zeros from d on; blocks: 16 queries each that a warp has; keys: of a
 * tile */
template <int warps_, int blocks_, int depth_, int keys_> struct shape {
    static constexpr int warps = warps_, blocks = blocks_, depth = depth_, keys = keys_;
    static constexpr int threads = 32 * warps, queries = 16 * blocks * warps;
    static constexpr int words = depth / 8; /* 16-byte words of a row */
    static constexpr int q_bytes = queries * depth * 2, tile_bytes = keys * depth * 2;
    static constexpr int shared_bytes = q_bytes + 4 * tile_bytes; /* q, two of k, two of v */
};

/* Rows of a head, on their way to shared memory. */
template <typename S, int rows, typename T>
__device__ inline void copy_rows(uint32_t to, const T *from, int64_t stride, int64_t first_row,
                                 int64_t n_rows, int64_t d) {
    constexpr int rows_at_once = S::threads / S::words;
    static_assert(rows % rows_at_once == 0 && S::threads % S::words == 0, "");
    int row = (int)threadIdx.x / S::words, word = (int)threadIdx.x % S::words;
    const T *at = from + (first_row + row) * stride + word * 8;
#pragma unroll
    for (int i = 0; i < rows; i += rows_at_once) {
        bool is_there = first_row + row + i < n_rows && word * 8 < d;
        copy_16_bytes(to + place<S::words>(row + i, word), is_there ? at + i * stride : from,
                      is_there);
    }
}

/* A warp's state. */
template <typename S> struct state {
    uint32_t q[S::blocks][S::depth / 16][4];
    float result[S::blocks][S::depth / 8][4];
    /* Of the queries lane / 4 and 8 + lane / 4 of each block: the largest score, and the sum of the
     * weights of this lane's keys. */
    float max[S::blocks][2], sum[S::blocks][2];
};

template <typename S> __device__ inline void load_queries(state<S> &s, uint32_t q) {
    int lane = (int)threadIdx.x % 32, first = (int)threadIdx.x / 32 * 16 * S::blocks;
#pragma unroll
    for (int b = 0; b < S::blocks; b++)
#pragma unroll
        for (int c = 0; c < S::depth / 16; c++)
            load_matrices(s.q[b][c],
                          q + place<S::words>(first + b * 16 + lane % 16, c * 2 + lane / 16));
}

/* scores = q k^T; scores[b][j]: of block b and keys 8 j to 8 j + 7 */
template <typename T, typename S>
__device__ inline void multiply_keys(float (&scores)[S::blocks][S::keys / 8][4], const state<S> &s,
                                     uint32_t k) {
    int lane = (int)threadIdx.x % 32;
#pragma unroll
    for (int b = 0; b < S::blocks; b++)
#pragma unroll
        for (int j = 0; j < S::keys / 8; j++)
#pragma unroll
            for (int i = 0; i < 4; i++) scores[b][j][i] = 0;
#pragma unroll
    for (int c = 0; c < S::depth / 16; c++)
#pragma unroll
        for (int j = 0; j < S::keys / 8; j += 2) {
            uint32_t of_k[4]; /* keys 8 j: both halves of depth; keys 8 j + 8: the same */
            int row = j * 8 + lane / 16 * 8 + lane % 8;
            load_matrices(of_k, k + place<S::words>(row, c * 2 + lane / 8 % 2));
#pragma unroll
            for (int b = 0; b < S::blocks; b++) {
                multiply_add<T>(scores[b][j], s.q[b][c], of_k[0], of_k[1]);
                multiply_add<T>(scores[b][j + 1], s.q[b][c], of_k[2], of_k[3]);
            }
        }
}

/* Hide keys from n_keys on, and those behind a query. first_key: of the tile; first_query: of the
 * warp */
template <typename S>
__device__ inline void hide_keys(float (&scores)[S::blocks][S::keys / 8][4], bool is_causal,
                                 int64_t first_query, int64_t first_key, int64_t n_keys) {
    int end = (int)min(n_keys - first_key, (int64_t)S::keys);
    int diagonal = is_causal && first_query - first_key < S::keys ? (int)(first_query - first_key)
                                                                  : S::keys;
#pragma unroll
    for (int b = 0; b < S::blocks; b++) xl::hide_keys(scores[b], end, diagonal + b * 16);
}

/* Turn scores into weights, and shrink sums and results to a new maximum. At least one key of the
 * first tile is seen by each query. */
template <typename S>
__device__ inline void weigh(float (&scores)[S::blocks][S::keys / 8][4], state<S> &s,
                             float to_log2) {
#pragma unroll
    for (int b = 0; b < S::blocks; b++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float max = s.max[b][half];
#pragma unroll
            for (int j = 0; j < S::keys / 8; j++)
                max = fmaxf(max, fmaxf(scores[b][j][half * 2], scores[b][j][half * 2 + 1]));
            max = largest_of_query(max);
            float shrink = fast_exp2((s.max[b][half] - max) * to_log2), offset = max * to_log2;
            s.max[b][half] = max;
            float sum = s.sum[b][half] * shrink;
#pragma unroll
            for (int j = 0; j < S::keys / 8; j++)
#pragma unroll
                for (int i = half * 2; i < half * 2 + 2; i++)
                    sum += scores[b][j][i] = fast_exp2(fmaf(scores[b][j][i], to_log2, -offset));
            s.sum[b][half] = sum;
#pragma unroll
            for (int j = 0; j < S::depth / 8; j++) {
                s.result[b][j][half * 2] *= shrink;
                s.result[b][j][half * 2 + 1] *= shrink;
            }
        }
}

/* result += weights v */
template <typename T, typename S>
__device__ inline void
multiply_values(state<S> &s, const float (&weights)[S::blocks][S::keys / 8][4], uint32_t v) {
    int lane = (int)threadIdx.x % 32;
#pragma unroll
    for (int c = 0; c < S::keys / 16; c++) {
        uint32_t left[S::blocks][4];
#pragma unroll
        for (int b = 0; b < S::blocks; b++) pack_weights<T>(left[b], weights[b], c);
#pragma unroll
        for (int j = 0; j < S::depth / 8; j += 2) {
            uint32_t of_v[4]; /* columns 8 j: both halves of the keys; columns 8 j + 8: the same */
            load_transposed(of_v, v + place<S::words>(c * 16 + lane % 16, j + lane / 16));
#pragma unroll
            for (int b = 0; b < S::blocks; b++) {
                multiply_add<T>(s.result[b][j], left[b], of_v[0], of_v[1]);
                multiply_add<T>(s.result[b][j + 1], left[b], of_v[2], of_v[3]);
            }
        }
    }
}

/* Grid: tiles of queries, heads, samples. */
template <typename T, typename S>
__global__ void __launch_bounds__(S::threads) mma_kernel(xl_cuda_attention a) {
    extern __shared__ __align__(128) unsigned char shared[];
    uint32_t q_tile = shared_address(shared), tiles = q_tile + S::q_bytes;
    int64_t head = blockIdx.y, sample = blockIdx.z;
    int64_t first_query = (int64_t)blockIdx.x * S::queries;
    const T *q = (const T *)a.q + sample * a.tq * a.q_stride + head * a.d;
    const T *k = (const T *)a.k + sample * a.tk * a.k_stride + head * a.d;
    const T *v = (const T *)a.v + sample * a.tk * a.v_stride + head * a.d;
    int64_t n_keys = a.is_causal ? min(a.tk, first_query + S::queries) : a.tk;

    copy_rows<S, S::queries>(q_tile, q, a.q_stride, first_query, a.tq, a.d);
    copy_rows<S, S::keys>(tiles, k, a.k_stride, 0, n_keys, a.d);
    copy_rows<S, S::keys>(tiles + S::tile_bytes, v, a.v_stride, 0, n_keys, a.d);
    wait_for_copies();
    __syncthreads();

    state<S> s = {};
    load_queries(s, q_tile);
#pragma unroll
    for (int b = 0; b < S::blocks; b++) s.max[b][0] = s.max[b][1] = -INFINITY;
    float to_log2 = a.scale * 1.44269504f;
    int first_row = (int)threadIdx.x / 32 * 16 * S::blocks; /* of the warp, in the block */
    uint32_t tile = tiles, next = tiles + 2 * S::tile_bytes;
    for (int64_t first_key = 0; first_key < n_keys; first_key += S::keys) {
        int64_t end = first_key + S::keys;
        if (end < n_keys) {
            copy_rows<S, S::keys>(next, k, a.k_stride, end, n_keys, a.d);
            copy_rows<S, S::keys>(next + S::tile_bytes, v, a.v_stride, end, n_keys, a.d);
        }
        float scores[S::blocks][S::keys / 8][4];
        multiply_keys<T, S>(scores, s, tile);
        if (end > n_keys || (a.is_causal && end > first_query + first_row))
            hide_keys<S>(scores, a.is_causal, first_query + first_row, first_key, n_keys);
        weigh<S>(scores, s, to_log2);
        multiply_values<T, S>(s, scores, tile + S::tile_bytes);
        wait_for_copies();
        __syncthreads();
        uint32_t done = tile;
        tile = next, next = done;
    }

    int64_t row = first_query + first_row;
    T *out = (T *)a.out + (sample * a.tq + row) * a.out_stride + head * a.d;
#pragma unroll
    for (int b = 0; b < S::blocks; b++)
        store_results(s.result[b], s.sum[b], shared + (first_row + b * 16) * S::depth * 2,
                      out + b * 16 * a.out_stride, a.out_stride, a.tq - row - b * 16, a.d);
}

template <typename T, typename S> void launch(const xl_cuda_attention &a, cudaStream_t stream) {
    if (S::shared_bytes > 48 << 10)
        (void)cudaFuncSetAttribute((const void *)mma_kernel<T, S>,
                                   cudaFuncAttributeMaxDynamicSharedMemorySize, S::shared_bytes);
    dim3 grid(blocks_for(a.tq, S::queries), (unsigned)a.heads, (unsigned)a.n);
    mma_kernel<T, S><<<grid, S::threads, S::shared_bytes, stream>>>(a);
}

/* Tiles of 80 keys take the 77 tokens of a prompt at once; few queries are shared among more
 * blocks. */
template <typename T> void launch(const xl_cuda_attention &a, cudaStream_t stream) {
    bool is_small = blocks_for(a.tq, 128) * a.heads * a.n < 132;
    if (a.d > 64)
        launch<T, shape<4, 1, 128, 64>>(a, stream);
    else if (a.d <= 32)
        launch<T, shape<4, 1, 32, 64>>(a, stream);
    else if (is_small && a.tk > 64 && a.tk <= 80)
        launch<T, shape<4, 1, 64, 80>>(a, stream);
    else if (is_small)
        launch<T, shape<4, 1, 64, 64>>(a, stream);
    else if (a.tk > 64 && a.tk <= 80)
        launch<T, shape<4, 2, 64, 80>>(a, stream);
    else
        launch<T, shape<4, 2, 64, 64>>(a, stream);
}

} // namespace

bool xl_cuda_attention_mma_fits(const struct xl_cuda_attention *a) {
    bool is_aligned_to_words = is_aligned(a->q, 16) && is_aligned(a->k, 16) &&
                               is_aligned(a->v, 16) && is_aligned(a->out, 16) &&
                               (a->q_stride | a->k_stride | a->v_stride | a->out_stride) % 8 == 0;
    return (a->dtype == XL_DTYPE_F16 || a->dtype == XL_DTYPE_BF16) && !a->mask && a->d <= 128 &&
           a->d % 8 == 0 && a->scale > 0 && is_aligned_to_words;
}

bool xl_cuda_attention_mma(const void *args, cudaStream_t stream) {
    const xl_cuda_attention &a = *(const xl_cuda_attention *)args;
    if (a.dtype == XL_DTYPE_F16)
        launch<__half>(a, stream);
    else
        launch<__nv_bfloat16>(a, stream);
    return xl_cuda_is_queued();
}
