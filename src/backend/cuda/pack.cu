/* pack.cu - one thread a number of the packed weight. */
#include "backend/cuda/numbers.cuh"

extern "C" {
#include "backend/cuda/pack.h"
}

template <typename From, typename To>
static __global__ void pack_kernel(const From *from, To *to, struct xl_cuda_packing p) {
    int64_t n = p.rows * p.to_length;
    for (int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x; i < n;
         i += (int64_t)gridDim.x * blockDim.x) {
        int64_t row = i / p.to_length, at = i % p.to_length;
        int64_t tap = at / p.to_columns, column = at % p.to_columns;
        bool is_there = tap < p.taps && column < p.columns;
        float x = is_there ? xl::to_f32(from[(row * p.columns + column) * p.taps + tap]) : 0.0f;
        to[i] = xl::from_f32<To>(x);
    }
}

bool xl_cuda_pack(const struct xl_cuda_packing *p, cudaStream_t stream) {
    int64_t n = p->rows * p->to_length;
    unsigned blocks = (unsigned)(n < (int64_t)1 << 30 ? xl::blocks_for(n, 1024) : 1 << 20);
    XL_WITH_TYPE(p->from_dtype, From,
                 XL_WITH_TYPE(p->to_dtype, To,
                              (pack_kernel<From, To><<<blocks, 256, 0, stream>>>(
                                  (const From *)p->from, (To *)p->to, *p))));
    return xl_cuda_is_queued();
}
