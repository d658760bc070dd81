/* pictures.cu - bytes to numbers and back, and the VAE's latents to the UNet's and back. */
#include "backend/cuda/rows.cuh"

using namespace xl;

/* The arguments of all four. */
struct numbers {
    const void *a;
    void *b; /* parameters, noise or the flag */
    void *out;
    enum xl_latents_way way;
    int64_t n, c; /* of the result; of its rows */
};

static enum xl_status add_launch(struct xl_cuda_compiler *c, xl_cuda_launch_fn *fn,
                                 struct xl_err *err) {
    numbers *a = (numbers *)xl_cuda_launch(c, fn, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand out = xl_cuda_out(c);
    a->a = xl_cuda_in(c, 0).data;
    a->b = xl_cuda_in(c, 1).data;
    a->out = out.data;
    a->way = c->op->attr.way;
    a->n = xl_shape_count(out.shape);
    a->c = xl_shape_last(out.shape);
    return XL_OK;
}

__global__ static void latents_affine_kernel(const float *x, const float *params, float *out,
                                             int64_t n, int64_t c, enum xl_latents_way way) {
    int64_t i = flat_index();
    if (i >= n) return;
    float shift = params[i % c], scale = params[c + i % c];
    out[i] = way == XL_LATENTS_TO_UNET ? (x[i] - shift) * scale : x[i] / scale + shift;
}

static bool run_latents_affine(const void *args, cudaStream_t stream) {
    const numbers *a = (const numbers *)args;
    latents_affine_kernel<<<blocks_for(a->n, BLOCK_THREADS), BLOCK_THREADS, 0, stream>>>(
        (const float *)a->a, (const float *)a->b, (float *)a->out, a->n, a->c, a->way);
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_latents_affine(struct xl_cuda_compiler *c, struct xl_err *err) {
    return add_launch(c, run_latents_affine, err);
}

__global__ static void sample_latents_kernel(const float *moments, const float *noise, float *out,
                                             int64_t n, int64_t c) {
    int64_t i = flat_index();
    if (i >= n) return;
    const float *mean = moments + i / c * 2 * c + i % c;
    float logvar = fminf(fmaxf(mean[c], -30.0F), 20.0F);
    out[i] = __fadd_rn(mean[0], __fmul_rn(expf(0.5F * logvar), noise[i]));
}

static bool run_sample_latents(const void *args, cudaStream_t stream) {
    const numbers *a = (const numbers *)args;
    sample_latents_kernel<<<blocks_for(a->n, BLOCK_THREADS), BLOCK_THREADS, 0, stream>>>(
        (const float *)a->a, (const float *)a->b, (float *)a->out, a->n, a->c);
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_sample_latents(struct xl_cuda_compiler *c, struct xl_err *err) {
    return add_launch(c, run_sample_latents, err);
}

/* Pictures have as many numbers as bytes: four of each are one access. */
enum { PIXEL_NUMBERS = 4 };

static bool is_wide_picture(const void *numbers, const void *bytes) {
    return is_aligned(numbers, PIXEL_NUMBERS * sizeof(float)) && is_aligned(bytes, PIXEL_NUMBERS);
}

__device__ static float number_of(uint8_t byte) {
    return 2.0F * ((float)byte / 255.0F) - 1.0F;
}

template <int N> __global__ void from_rgb_kernel(const uint8_t *x, float *out, int64_t n) {
    int64_t i = flat_index() * N;
    if (i + N <= n) {
        pack<uint8_t, N> bytes = load<uint8_t, N>(x + i);
        pack<float, N> results;
#pragma unroll
        for (int j = 0; j < N; j++) results.x[j] = number_of(bytes.x[j]);
        store(out + i, results);
    } else {
        for (; i < n; i++) out[i] = number_of(x[i]);
    }
}

template <int N> static void launch_from_rgb(const numbers *a, cudaStream_t stream) {
    from_rgb_kernel<N><<<blocks_for(a->n, BLOCK_THREADS * N), BLOCK_THREADS, 0, stream>>>(
        (const uint8_t *)a->a, (float *)a->out, a->n);
}

static bool run_from_rgb(const void *args, cudaStream_t stream) {
    const numbers *a = (const numbers *)args;
    if (is_wide_picture(a->out, a->a))
        launch_from_rgb<PIXEL_NUMBERS>(a, stream);
    else
        launch_from_rgb<1>(a, stream);
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_from_rgb(struct xl_cuda_compiler *c, struct xl_err *err) {
    return add_launch(c, run_from_rgb, err);
}

/* Several threads may set the flag, all to the same. */
__device__ static uint8_t byte_of(float x, int32_t *flag) {
    if (!isfinite(x)) {
        *flag = 1;
        return 0;
    }
    float unit = fminf(fmaxf(x * 0.5F + 0.5F, 0.0F), 1.0F);
    return (uint8_t)__float2int_rn(unit * 255.0F);
}

template <int N>
__global__ void to_rgb_kernel(const float *x, uint8_t *out, int32_t *flag, int64_t n) {
    int64_t i = flat_index() * N;
    if (i + N <= n) {
        pack<float, N> numbers = load<float, N>(x + i);
        pack<uint8_t, N> bytes;
#pragma unroll
        for (int j = 0; j < N; j++) bytes.x[j] = byte_of(numbers.x[j], flag);
        store(out + i, bytes);
    } else {
        for (; i < n; i++) out[i] = byte_of(x[i], flag);
    }
}

template <int N> static void launch_to_rgb(const numbers *a, cudaStream_t stream) {
    to_rgb_kernel<N><<<blocks_for(a->n, BLOCK_THREADS * N), BLOCK_THREADS, 0, stream>>>(
        (const float *)a->a, (uint8_t *)a->out, (int32_t *)a->b, a->n);
}

static bool run_to_rgb(const void *args, cudaStream_t stream) {
    const numbers *a = (const numbers *)args;
    if (is_wide_picture(a->a, a->out))
        launch_to_rgb<PIXEL_NUMBERS>(a, stream);
    else
        launch_to_rgb<1>(a, stream);
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_to_rgb(struct xl_cuda_compiler *c, struct xl_err *err) {
    return add_launch(c, run_to_rgb, err);
}
