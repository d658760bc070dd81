/* finish.cu - what follows a product: several channels a thread, as 16 bytes where they are
 * aligned. */
#include "backend/cuda/numbers.cuh"

extern "C" {
#include "backend/cuda/finish.h"
}

enum { THREADS = 256 };

template <typename X, typename T, int n>
static __global__ void finish_kernel(struct xl_cuda_finish f, const float *bias) {
    int64_t columns = f.c / n, i = blockIdx.x * (int64_t)THREADS + threadIdx.x;
    if (i >= f.n * f.pixels * columns) return;
    int64_t pixel = i / columns, c = i % columns * n, at = pixel * f.c + c;
    auto x = xl::load<X, n>((const X *)f.x + pixel * f.x_stride + c);
    float y[n];
    for (int j = 0; j < n; j++) y[j] = xl::to_f32(x.x[j]);
    if (bias)
        for (int j = 0; j < n; j++) y[j] += bias[c + j];
    if (f.channel_bias) {
        auto b = xl::load<T, n>((const T *)f.channel_bias + pixel / f.pixels * f.c + c);
        for (int j = 0; j < n; j++) y[j] += xl::to_f32(b.x[j]);
    }
    for (int j = 0; j < n; j++) y[j] = xl::activate(f.act, y[j]);
    if (f.residual) {
        auto r = xl::load<T, n>((const T *)f.residual + at);
        for (int j = 0; j < n; j++) y[j] += xl::to_f32(r.x[j]);
    }
    xl::pack<T, n> out;
    for (int j = 0; j < n; j++) out.x[j] = xl::from_f32<T>(y[j]);
    xl::store<T, n>((T *)f.out + at, out);
}

template <typename X, typename T>
static void launch(const struct xl_cuda_finish *f, cudaStream_t stream) {
    constexpr int n = xl::wide<X> < xl::wide<T> ? xl::wide<X> : xl::wide<T>;
    const float *bias = f->bias ? (const float *)f->bias->data : NULL;
    int64_t count = f->n * f->pixels * f->c;
    bool is_wide = f->c % n == 0 && f->x_stride % n == 0 && xl::is_aligned(f->x, 16) &&
                   xl::is_aligned(f->out, 16) && xl::is_aligned(f->channel_bias, 16) &&
                   xl::is_aligned(f->residual, 16);
    if (is_wide)
        finish_kernel<X, T, n>
            <<<xl::blocks_for(count / n, THREADS), THREADS, 0, stream>>>(*f, bias);
    else
        finish_kernel<X, T, 1><<<xl::blocks_for(count, THREADS), THREADS, 0, stream>>>(*f, bias);
}

bool xl_cuda_run_finish(const void *args, cudaStream_t stream) {
    struct xl_cuda_finish f = *(const struct xl_cuda_finish *)args;
    if (!f.x) f.x = f.space->scratch;
    if (f.x_dtype == XL_DTYPE_F32) {
        XL_WITH_TYPE(f.dtype, T, (launch<float, T>(&f, stream)));
    } else {
        XL_WITH_TYPE(f.dtype, T, (launch<T, T>(&f, stream)));
    }
    return xl_cuda_is_queued();
}
