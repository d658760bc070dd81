/* columns.cu - pictures rearranged for convolutions: several channels a thread where they are
 * aligned. */
#include "backend/cuda/numbers.cuh"

extern "C" {
#include "backend/cuda/columns.h"
}

enum { THREADS = 256 };

/* A thread makes n numbers of a row, which have the same tap. */
template <typename T, int n> static __global__ void columns_kernel(struct xl_cuda_columns s) {
    int64_t i = blockIdx.x * (int64_t)THREADS + threadIdx.x, pieces = s.row_length / n;
    if (i >= s.n_pixels * pieces) return;
    int64_t at = i % pieces * n, tap = at / s.c, pixel = s.first + i / pieces;
    int64_t sample = pixel / (s.out_h * s.out_w), row = pixel / s.out_w % s.out_h;
    int64_t y = row * s.stride + tap / s.kw - s.pad_top;
    int64_t x = pixel % s.out_w * s.stride + tap % s.kw - s.pad_left;
    bool is_inside = tap < s.kh * s.kw && y >= 0 && y < s.up_h && x >= 0 && x < s.up_w;
    xl::pack<T, n> numbers = {};
    if (s.upsample) {
        y /= 2;
        x /= 2;
    }
    if (is_inside)
        numbers = xl::load<T, n>((const T *)s.x + ((sample * s.h + y) * s.w + x) * s.c + at % s.c);
    xl::store<T, n>((T *)s.out + i / pieces * s.row_length + at, numbers);
}

template <typename T>
static void launch_columns(const struct xl_cuda_columns *s, cudaStream_t stream) {
    constexpr int n = xl::wide<T>;
    int64_t count = s->n_pixels * s->row_length;
    if (s->c % n == 0 && xl::is_aligned(s->x, 16))
        columns_kernel<T, n><<<xl::blocks_for(count / n, THREADS), THREADS, 0, stream>>>(*s);
    else
        columns_kernel<T, 1><<<xl::blocks_for(count, THREADS), THREADS, 0, stream>>>(*s);
}

bool xl_cuda_run_columns(const void *args, cudaStream_t stream) {
    const struct xl_cuda_columns *s = (const struct xl_cuda_columns *)args;
    XL_WITH_TYPE(s->dtype, T, launch_columns<T>(s, stream));
    return xl_cuda_is_queued();
}

template <typename T, int n> static __global__ void enlarge_kernel(struct xl_cuda_enlarge s) {
    int64_t i = blockIdx.x * (int64_t)THREADS + threadIdx.x, pieces = s.c / n;
    if (i >= s.n * s.up_h * s.up_w * pieces) return;
    int64_t pixel = i / pieces, x = pixel % s.up_w, y = pixel / s.up_w % s.up_h;
    int64_t sample = pixel / (s.up_w * s.up_h);
    int64_t from = ((sample * s.h + y / 2) * s.w + x / 2) * s.c + i % pieces * n;
    xl::store<T, n>((T *)s.out + i * n, xl::load<T, n>((const T *)s.x + from));
}

template <typename T>
static void launch_enlarge(const struct xl_cuda_enlarge *s, cudaStream_t stream) {
    constexpr int n = xl::wide<T>;
    int64_t count = s->n * s->up_h * s->up_w * s->c;
    if (s->c % n == 0 && xl::is_aligned(s->x, 16) && xl::is_aligned(s->out, 16))
        enlarge_kernel<T, n><<<xl::blocks_for(count / n, THREADS), THREADS, 0, stream>>>(*s);
    else
        enlarge_kernel<T, 1><<<xl::blocks_for(count, THREADS), THREADS, 0, stream>>>(*s);
}

bool xl_cuda_run_enlarge(const void *args, cudaStream_t stream) {
    const struct xl_cuda_enlarge *s = (const struct xl_cuda_enlarge *)args;
    XL_WITH_TYPE(s->dtype, T, launch_enlarge<T>(s, stream));
    return xl_cuda_is_queued();
}

template <typename T, int n> static __global__ void unfold_kernel(struct xl_cuda_unfold s) {
    int64_t i = blockIdx.x * (int64_t)THREADS + threadIdx.x, pieces = s.c / n;
    if (i >= s.n * 4 * s.h * s.w * pieces) return;
    int64_t pixel = i / pieces, x = pixel % (2 * s.w), y = pixel / (2 * s.w) % (2 * s.h);
    int64_t sample = pixel / (4 * s.w * s.h), c = i % pieces * n;
    int64_t row = (sample * (s.h + 1) + y / 2 + y % 2) * (s.w + 1) + x / 2 + x % 2;
    auto numbers = xl::load<T, n>((const T *)s.x + (row * 4 + y % 2 * 2 + x % 2) * s.c + c);
    if (s.bias)
#pragma unroll
        for (int j = 0; j < n; j++)
            numbers.x[j] = xl::from_f32<T>(xl::to_f32(numbers.x[j]) + s.bias[c + j]);
    xl::store<T, n>((T *)s.out + i * n, numbers);
}

template <typename T>
static void launch_unfold(const struct xl_cuda_unfold *s, cudaStream_t stream) {
    constexpr int n = xl::wide<T>;
    int64_t count = s->n * 4 * s->h * s->w * s->c;
    if (s->c % n == 0 && xl::is_aligned(s->x, 16) && xl::is_aligned(s->out, 16))
        unfold_kernel<T, n><<<xl::blocks_for(count / n, THREADS), THREADS, 0, stream>>>(*s);
    else
        unfold_kernel<T, 1><<<xl::blocks_for(count, THREADS), THREADS, 0, stream>>>(*s);
}

bool xl_cuda_run_unfold(const void *args, cudaStream_t stream) {
    const struct xl_cuda_unfold *s = (const struct xl_cuda_unfold *)args;
    XL_WITH_TYPE(s->dtype, T, launch_unfold<T>(s, stream));
    return xl_cuda_is_queued();
}
