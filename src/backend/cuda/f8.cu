/* f8.cu - rows to F8, and the scales of pictures. */
#include "backend/cuda/f8.cuh"

using namespace xl;

enum { ROW_THREADS = 128 };

/* A block a row. */
template <typename T>
static __global__ void to_f8_kernel(const T *x, struct xl_cuda_f8_rows out, int64_t columns) {
    constexpr int N = wide<T>;
    int64_t row = blockIdx.x;
    float largest = 0, numbers[N];
    x += row * columns;
    for (int64_t i = threadIdx.x; i < columns / N; i += ROW_THREADS) {
        pack<T, N> loaded = load<T, N>(x + i * N);
#pragma unroll
        for (int j = 0; j < N; j++) largest = fmaxf(largest, fabsf(to_f32(loaded.x[j])));
    }
    float scale = f8_scale(block_max(largest)), factor = 1 / scale;
    if (threadIdx.x == 0) out.scales[row] = scale;
    for (int64_t i = threadIdx.x; i < columns / N; i += ROW_THREADS) {
        pack<T, N> loaded = load<T, N>(x + i * N);
#pragma unroll
        for (int j = 0; j < N; j++) numbers[j] = to_f32(loaded.x[j]);
        store(out.data + row * columns + i * N, to_f8<N>(numbers, factor));
    }
}

bool xl_cuda_run_to_f8(const void *args, cudaStream_t stream) {
    const struct xl_cuda_to_f8 *a = (const struct xl_cuda_to_f8 *)args;
    struct xl_cuda_f8_rows out = xl_cuda_f8_rows_at(a->space->scratch, a->rows, a->columns);
    if (a->dtype == XL_DTYPE_F16)
        to_f8_kernel<<<(unsigned)a->rows, ROW_THREADS, 0, stream>>>((const __half *)a->x, out,
                                                                    a->columns);
    else
        to_f8_kernel<<<(unsigned)a->rows, ROW_THREADS, 0, stream>>>((const __nv_bfloat16 *)a->x,
                                                                    out, a->columns);
    return xl_cuda_is_queued();
}

static __global__ void bound_kernel(const float *weight, const float *bias, int64_t c, float root,
                                    float *bounds) {
    float largest = 0;
    for (int64_t i = threadIdx.x; i < c; i += ROW_THREADS)
        largest = fmaxf(largest, fabsf(weight[i]) * root + fabsf(bias[i]));
    largest = block_max(largest);
    if (threadIdx.x) return;
    bounds[0] = f8_scale(largest);
    bounds[1] = 1 / bounds[0];
}

static float *constant_at(const struct xl_cuda_space *space, size_t at) {
    return (float *)(void *)((unsigned char *)space->constants + at);
}

bool xl_cuda_run_f8_bound(const void *args, cudaStream_t stream) {
    const struct xl_cuda_f8_bound *a = (const struct xl_cuda_f8_bound *)args;
    bound_kernel<<<1, ROW_THREADS, 0, stream>>>((const float *)a->weight->data,
                                                (const float *)a->bias->data, a->c, sqrtf(a->n),
                                                constant_at(a->space, a->at));
    return xl_cuda_is_queued();
}

static __global__ void scales_kernel(const float *scales, const float *bounds, int64_t o,
                                     float *to) {
    int64_t i = flat_index();
    if (i < o) to[i] = scales[i] * bounds[0];
}

bool xl_cuda_run_f8_scales(const void *args, cudaStream_t stream) {
    const struct xl_cuda_f8_scales *a = (const struct xl_cuda_f8_scales *)args;
    scales_kernel<<<blocks_for(a->o, ROW_THREADS), ROW_THREADS, 0, stream>>>(
        a->weight->scales, constant_at(a->space, a->bounds), a->o, constant_at(a->space, a->to));
    return xl_cuda_is_queued();
}
