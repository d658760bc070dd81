/* attention_plain.cu - attention for any dtype, head size, mask and stride, in f32 arithmetic.
 *
 * A block has rows_per_thread * 16 queries of one head and walks over the keys, 64 at a time, with
 * an online softmax. Its 256 threads are 16 rows of 16: a row of threads owns the same queries in
 * the scores and in the result, so that maxima and sums are exchanged within half a warp.
 */
#include "backend/cuda/attention.h"
#include "backend/cuda/numbers.cuh"

namespace {

using namespace xl;

constexpr int threads = 256, lanes = 16; /* lanes: threads of a row of threads */
constexpr int key_tile = 64;             /* keys at a time */
constexpr int lane_keys = key_tile / lanes;
constexpr int depth = 32;      /* numbers of q and k at a time */
constexpr int value_tile = 16; /* keys at a time in the product with v */

/* rows: queries of a thread; words: float4 of the result of a thread, for each of its queries */
template <int rows, int words> struct tiles {
    static constexpr int queries = rows * lanes;
    static constexpr int columns = words * lanes * 4;
    union {
        struct {
            float q[queries][depth + 4], k[key_tile][depth + 4];
        };
        float v[value_tile][columns];
    };
    float weights[queries][key_tile + 4]; /* of keys, before division by their sum */
};

/* What a block works on: some queries of a head, and `columns` numbers of their result. */
struct part {
    int64_t head, sample, first_query, first_column, n_keys;
};

__device__ inline float4 load4(const float *from) {
    return *reinterpret_cast<const float4 *>(from);
}
__device__ inline float dot4(float4 a, float4 b, float sum) {
    return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}
__device__ inline void add4(float4 &sum, float weight, float4 x) {
    sum.x = fmaf(weight, x.x, sum.x);
    sum.y = fmaf(weight, x.y, sum.y);
    sum.z = fmaf(weight, x.z, sum.z);
    sum.w = fmaf(weight, x.w, sum.w);
}

/* tile[row][column] = from[(first_row + row) * stride + first_column + column], 0 outside of the
 * n_rows x n_columns that there are */
template <typename T, int rows, int columns, int pitch>
__device__ inline void load_tile(float (&tile)[rows][pitch], const T *from, int64_t stride,
                                 int64_t first_row, int64_t n_rows, int64_t first_column,
                                 int64_t n_columns) {
#pragma unroll 4
    for (int i = (int)threadIdx.x; i < rows * columns; i += threads) {
        int64_t row = first_row + i / columns, column = first_column + i % columns;
        bool is_there = row < n_rows && column < n_columns;
        tile[i / columns][i % columns] = is_there ? to_f32(from[row * stride + column]) : 0.0f;
    }
}

/* scores[i][j] = q . k of query row * rows + i and key lane + 16 j of the tile */
template <typename T, int rows, int words>
__device__ inline void multiply_keys(float (&scores)[rows][lane_keys], tiles<rows, words> &tile,
                                     const xl_cuda_attention &a, const T *q, const T *k,
                                     const part &p, int64_t first_key) {
    int row = (int)threadIdx.x / lanes, lane = (int)threadIdx.x % lanes;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < lane_keys; j++) scores[i][j] = 0;
    for (int64_t at = 0; at < a.d; at += depth) {
        __syncthreads();
        load_tile<T, tile.queries, depth>(tile.q, q, a.q_stride, p.first_query, a.tq, at, a.d);
        load_tile<T, key_tile, depth>(tile.k, k, a.k_stride, first_key, p.n_keys, at, a.d);
        __syncthreads();
#pragma unroll 2
        for (int c = 0; c < depth; c += 4) {
            float4 of_key[lane_keys];
#pragma unroll
            for (int j = 0; j < lane_keys; j++) of_key[j] = load4(&tile.k[lane + lanes * j][c]);
#pragma unroll
            for (int i = 0; i < rows; i++) {
                float4 of_query = load4(&tile.q[row * rows + i][c]);
#pragma unroll
                for (int j = 0; j < lane_keys; j++)
                    scores[i][j] = dot4(of_query, of_key[j], scores[i][j]);
            }
        }
    }
}

/* The largest, or the sum, of x in a row of threads. */
__device__ inline float largest(float x) {
    for (int by = lanes / 2; by; by /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, by));
    return x;
}
__device__ inline float sum(float x) {
    for (int by = lanes / 2; by; by /= 2) x += __shfl_xor_sync(~0u, x, by);
    return x;
}

/* What a query saw so far. */
struct seen {
    float max; /* in units of log2; -inf: no key */
    float sum; /* of the weights of this thread's keys */
};

/* Turn scores into weights, and return by what the results so far must be multiplied. */
__device__ inline float weigh(float (&scores)[lane_keys], seen &before) {
    float max = before.max;
    for (int j = 0; j < lane_keys; j++) max = fmaxf(max, scores[j]);
    max = largest(max);
    if (max == -INFINITY) {
        for (int j = 0; j < lane_keys; j++) scores[j] = 0;
        return 1;
    }
    float shrink = exp2f(before.max - max);
    before.max = max;
    before.sum *= shrink;
    for (int j = 0; j < lane_keys; j++) before.sum += scores[j] = exp2f(scores[j] - max);
    return shrink;
}

/* result[i][j] += weights . v of query row * rows + i and columns 4 (lane + 16 j) and the next
 * three */
template <typename T, int rows, int words>
__device__ inline void multiply_values(float4 (&result)[rows][words], tiles<rows, words> &tile,
                                       const xl_cuda_attention &a, const T *v, const part &p,
                                       int64_t first_key) {
    int row = (int)threadIdx.x / lanes, lane = (int)threadIdx.x % lanes;
    for (int at = 0; at < key_tile && first_key + at < p.n_keys; at += value_tile) {
        __syncthreads();
        load_tile<T, value_tile, tile.columns>(tile.v, v, a.v_stride, first_key + at, p.n_keys,
                                               p.first_column, a.d);
        __syncthreads();
#pragma unroll 1
        for (int key = 0; key < value_tile; key += 4) {
            float weight[rows][4];
#pragma unroll
            for (int i = 0; i < rows; i++)
                *(float4 *)weight[i] = load4(&tile.weights[row * rows + i][at + key]);
#pragma unroll
            for (int n = 0; n < 4; n++)
#pragma unroll
                for (int j = 0; j < words; j++) {
                    float4 x = load4(&tile.v[key + n][4 * (lane + lanes * j)]);
#pragma unroll
                    for (int i = 0; i < rows; i++) add4(result[i][j], weight[i][n], x);
                }
        }
    }
}

template <typename T>
__device__ inline void store_result(T *out, float4 x, int64_t column, int64_t n_columns) {
    if (column < n_columns) out[column] = from_f32<T>(x.x);
    if (column + 1 < n_columns) out[column + 1] = from_f32<T>(x.y);
    if (column + 2 < n_columns) out[column + 2] = from_f32<T>(x.z);
    if (column + 3 < n_columns) out[column + 3] = from_f32<T>(x.w);
}

/* Whether a query sees a key of its sample. */
__device__ inline bool is_seen(const xl_cuda_attention &a, int64_t sample, int64_t query,
                               int64_t key) {
    return key < a.tk && (!a.is_causal || key <= query) && (!a.mask || a.mask[sample * a.tk + key]);
}

/* Grid: tiles of queries, parts of the head's columns for each head, samples. */
template <typename T, int rows, int words>
__global__ void __launch_bounds__(threads) plain_kernel(xl_cuda_attention a) {
    using tile_type = tiles<rows, words>;
    __shared__ __align__(16) unsigned char shared[sizeof(tile_type)];
    tile_type &tile = *reinterpret_cast<tile_type *>(shared);
    part p = {};
    p.head = blockIdx.y % a.heads, p.sample = blockIdx.z;
    p.first_query = (int64_t)blockIdx.x * tile.queries;
    p.first_column = blockIdx.y / a.heads * tile.columns;
    p.n_keys = a.is_causal ? min(a.tk, p.first_query + tile.queries) : a.tk;
    const T *q = (const T *)a.q + p.sample * a.tq * a.q_stride + p.head * a.d;
    const T *k = (const T *)a.k + p.sample * a.tk * a.k_stride + p.head * a.d;
    const T *v = (const T *)a.v + p.sample * a.tk * a.v_stride + p.head * a.d;
    int row = (int)threadIdx.x / lanes, lane = (int)threadIdx.x % lanes;
    int64_t my_query = p.first_query + row * rows;
    float to_log2 = a.scale * 1.44269504f;

    float4 result[rows][words] = {};
    seen seen[rows];
    for (int i = 0; i < rows; i++) seen[i] = {-INFINITY, 0};
    for (int64_t first_key = 0; first_key < p.n_keys; first_key += key_tile) {
        float scores[rows][lane_keys];
        multiply_keys(scores, tile, a, q, k, p, first_key);
#pragma unroll
        for (int i = 0; i < rows; i++) {
#pragma unroll
            for (int j = 0; j < lane_keys; j++) {
                bool is = is_seen(a, p.sample, my_query + i, first_key + lane + lanes * j);
                scores[i][j] = is ? scores[i][j] * to_log2 : -INFINITY;
            }
            float shrink = weigh(scores[i], seen[i]);
#pragma unroll
            for (int j = 0; j < lane_keys; j++)
                tile.weights[row * rows + i][lane + lanes * j] = scores[i][j];
#pragma unroll
            for (int j = 0; j < words; j++) {
                float4 &x = result[i][j];
                x = make_float4(x.x * shrink, x.y * shrink, x.z * shrink, x.w * shrink);
            }
        }
        multiply_values(result, tile, a, v, p, first_key);
    }

#pragma unroll
    for (int i = 0; i < rows; i++) {
        float total = sum(seen[i].sum), share = total > 0 ? 1 / total : 0;
        if (my_query + i >= a.tq) continue;
        T *out = (T *)a.out + (p.sample * a.tq + my_query + i) * a.out_stride + p.head * a.d;
#pragma unroll
        for (int j = 0; j < words; j++) {
            float4 x = result[i][j];
            x = make_float4(x.x * share, x.y * share, x.z * share, x.w * share);
            store_result(out, x, p.first_column + 4 * (lane + lanes * j), a.d);
        }
    }
}

template <typename T, int rows, int words>
void launch(const xl_cuda_attention &a, cudaStream_t stream) {
    using tile_type = tiles<rows, words>;
    static_assert(sizeof(tile_type) <= 48 << 10, "");
    dim3 grid(blocks_for(a.tq, tile_type::queries),
              blocks_for(a.d, tile_type::columns) * (unsigned)a.heads, (unsigned)a.n);
    plain_kernel<T, rows, words><<<grid, threads, 0, stream>>>(a);
}

/* Larger heads have fewer queries in a block, and share their columns among blocks. */
template <typename T> void launch(const xl_cuda_attention &a, cudaStream_t stream) {
    if (a.d <= 64)
        launch<T, 4, 1>(a, stream);
    else if (a.d <= 128)
        launch<T, 4, 2>(a, stream);
    else if (a.d <= 256)
        launch<T, 4, 4>(a, stream);
    else
        launch<T, 2, 8>(a, stream);
}

} // namespace

bool xl_cuda_attention_plain(const void *args, cudaStream_t stream) {
    const xl_cuda_attention &a = *(const xl_cuda_attention *)args;
    XL_WITH_TYPE(a.dtype, T, (launch<T>(a, stream)));
    return xl_cuda_is_queued();
}
