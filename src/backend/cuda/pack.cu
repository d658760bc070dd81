/* pack.cu - one thread a number of the packed weight; in F8 a block a row. */
#include "backend/cuda/f8.cuh"

extern "C" {
#include "backend/cuda/pack.h"
}

/* The taps of three that see pixel `at` of two, for even (0) or odd (1) pixels. */
static __device__ int first_tap(int parity, int at) {
    return at ? 1 + parity : 0;
}
static __device__ int last_tap(int parity, int at) {
    return at ? 2 : parity;
}

template <typename From>
static __device__ float folded(const From *taps, int row_parity, int row, int column_parity,
                               int column) {
    float sum = 0;
    for (int y = first_tap(row_parity, row); y <= last_tap(row_parity, row); y++)
        for (int x = first_tap(column_parity, column); x <= last_tap(column_parity, column); x++)
            sum += xl::to_f32(taps[y * 3 + x]);
    return sum;
}

/* Number `at` of a packed row. */
template <typename From>
static __device__ float number_of(const From *from, const struct xl_cuda_packing &p, int64_t row,
                                  int64_t at) {
    int64_t tap = at / p.columns, column = at % p.columns;
    const From *taps = from + (row * p.columns + column) * p.taps;
    if (p.is_folded) return folded(taps, p.fold / 2, (int)tap / 2, p.fold % 2, (int)tap % 2);
    return tap < p.taps ? xl::to_f32(taps[tap]) : 0.0F;
}

template <typename From, typename To>
static __global__ void pack_kernel(const From *from, To *to, struct xl_cuda_packing p) {
    int64_t n = p.rows * p.to_length;
    for (int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x; i < n;
         i += (int64_t)gridDim.x * blockDim.x)
        to[i] = xl::from_f32<To>(number_of(from, p, i / p.to_length, i % p.to_length));
}

template <typename From>
static __global__ void pack_f8_kernel(const From *from, unsigned char *to,
                                      struct xl_cuda_packing p) {
    int64_t row = blockIdx.x, length = p.columns * p.taps;
    float largest = 0;
    for (int64_t i = threadIdx.x; i < length; i += blockDim.x)
        largest = fmaxf(largest, fabsf(xl::to_f32(from[row * length + i])));
    float scale = xl::f8_scale(xl::block_max(largest));
    if (threadIdx.x == 0) p.scales[row] = scale;
    for (int64_t i = threadIdx.x; i < p.to_length; i += blockDim.x) {
        float x = number_of(from, p, row, i);
        to[row * p.to_length + i] = xl::to_f8<1>(&x, 1 / scale).x[0];
    }
}

bool xl_cuda_pack(const struct xl_cuda_packing *p, cudaStream_t stream) {
    int64_t n = p->rows * p->to_length;
    unsigned blocks = (unsigned)(n < (int64_t)1 << 30 ? xl::blocks_for(n, 1024) : 1 << 20);
    if (p->scales) {
        XL_WITH_TYPE(p->from_dtype, From,
                     (pack_f8_kernel<From><<<(unsigned)p->rows, 256, 0, stream>>>(
                         (const From *)p->from, (unsigned char *)p->to, *p)));
        return xl_cuda_is_queued();
    }
    XL_WITH_TYPE(p->from_dtype, From,
                 XL_WITH_TYPE(p->to_dtype, To,
                              (pack_kernel<From, To><<<blocks, 256, 0, stream>>>(
                                  (const From *)p->from, (To *)p->to, *p))));
    return xl_cuda_is_queued();
}
