/* layer_norm.cu - layer norm: (x - mean) / sqrt(var + eps) * weight + bias along a row, with the
 * mean square distance from the mean as var. A warp a row. For a product in F8 rows are rounded to
 * that. */
#include "backend/cuda/f8.cuh"

extern "C" {
#include "backend/cuda/leave.h"
}

using namespace xl;

enum { ROWS_OF_BLOCK = 4 };

struct layer_norm {
    const void *x;
    void *out;
    enum xl_dtype dtype;
    const struct xl_cuda_weight *weight, *bias;
    float eps;
    bool is_f8; /* the result */
    int64_t rows, c;
};

struct affine {
    const float *weight, *bias;
};

/* N numbers of a row, normalised. */
template <typename T, int N>
__device__ static pack<float, N> normalised(const pack<T, N> &x, const affine &affine, int column,
                                            float mean, float rstd) {
    pack<float, N> weight = load<float, N>(affine.weight + column * N);
    pack<float, N> y = load<float, N>(affine.bias + column * N);
#pragma unroll
    for (int j = 0; j < N; j++) y.x[j] += (to_f32(x.x[j]) - mean) * rstd * weight.x[j];
    return y;
}

/* The row is read once and held in registers, HELD packs a lane. */
template <typename T, int HELD, bool IS_F8>
__global__ void __launch_bounds__(32 * ROWS_OF_BLOCK)
    layer_norm_kernel(const T *x, T *out, struct xl_cuda_f8_rows f8, affine affine, int64_t rows,
                      int columns, float eps) {
    constexpr int N = wide<T>;
    int64_t row = row_index(), start = row * columns * N;
    if (row >= rows) return;
    pack<T, N> held[HELD];
    float sum = 0, squares = 0, c = (float)(columns * N);
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        int column = threadIdx.x + h * 32;
        if (column >= columns) continue;
        held[h] = load<T, N>(x + start + column * N);
    }
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        if ((int)threadIdx.x + h * 32 >= columns) continue;
#pragma unroll
        for (int j = 0; j < N; j++) sum += to_f32(held[h].x[j]);
    }
    float mean = warp_sum(sum) / c;
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        if ((int)threadIdx.x + h * 32 >= columns) continue;
#pragma unroll
        for (int j = 0; j < N; j++) {
            float distance = to_f32(held[h].x[j]) - mean;
            squares += distance * distance;
        }
    }
    float rstd = 1.0F / sqrtf(warp_sum(squares) / c + eps);
    float largest = 0;
#pragma unroll
    for (int h = 0; IS_F8 && h < HELD; h++) {
        int column = threadIdx.x + h * 32;
        if (column >= columns) continue;
        pack<float, N> y = normalised(held[h], affine, column, mean, rstd);
#pragma unroll
        for (int j = 0; j < N; j++) largest = fmaxf(largest, fabsf(y.x[j]));
    }
    float scale = IS_F8 ? f8_scale(warp_max(largest)) : 1.0F, factor = 1.0F / scale;
    if (IS_F8 && threadIdx.x == 0) f8.scales[row] = scale;
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        int column = threadIdx.x + h * 32;
        if (column >= columns) continue;
        pack<float, N> y = normalised(held[h], affine, column, mean, rstd);
        if (IS_F8) {
            store(f8.data + start + column * N, to_f8<N>(y.x, factor));
        } else {
#pragma unroll
            for (int j = 0; j < N; j++) held[h].x[j] = from_f32<T>(y.x[j]);
            store(out + start + column * N, held[h]);
        }
    }
}

/* Rows of any length and alignment, which are read three times. */
template <typename T>
__global__ void layer_norm_any_kernel(const T *x, T *out, affine affine, int64_t rows, int64_t c,
                                      float eps) {
    int64_t row = row_index();
    if (row >= rows) return;
    x += row * c;
    out += row * c;
    float sum = 0, squares = 0;
    for (int64_t i = threadIdx.x; i < c; i += 32) sum += to_f32(x[i]);
    float mean = warp_sum(sum) / (float)c;
    for (int64_t i = threadIdx.x; i < c; i += 32) {
        float distance = to_f32(x[i]) - mean;
        squares += distance * distance;
    }
    float rstd = 1.0F / sqrtf(warp_sum(squares) / (float)c + eps);
    for (int64_t i = threadIdx.x; i < c; i += 32)
        out[i] = from_f32<T>((to_f32(x[i]) - mean) * rstd * affine.weight[i] + affine.bias[i]);
}

template <typename T, int HELD, bool IS_F8>
static void launch_held_rows(const layer_norm *a, affine affine, cudaStream_t stream) {
    layer_norm_kernel<T, HELD, IS_F8>
        <<<blocks_for(a->rows, ROWS_OF_BLOCK), dim3(32, ROWS_OF_BLOCK), 0, stream>>>(
            (const T *)a->x, (T *)a->out, xl_cuda_f8_rows_at(a->out, a->rows, a->c), affine,
            a->rows, (int)(a->c / wide<T>), a->eps);
}

template <typename T, int HELD>
static void launch_held_rows(const layer_norm *a, affine affine, cudaStream_t stream) {
    if (a->is_f8 && sizeof(T) == 2)
        launch_held_rows<T, HELD, sizeof(T) == 2>(a, affine, stream);
    else
        launch_held_rows<T, HELD, false>(a, affine, stream);
}

/* Lanes hold so many packs at most. */
enum { MAX_HELD = 10 };

template <typename T> static void launch_layer_norm(const layer_norm *a, cudaStream_t stream) {
    affine affine = {(const float *)a->weight->data, (const float *)a->bias->data};
    int64_t lane_packs = (a->c / wide<T> + 31) / 32;
    size_t align = wide<T> * sizeof(float); /* of the packs of weights */
    bool is_held = is_wide<T>(a->x, a->c) && is_wide<T>(a->out, a->c) &&
                   is_aligned(affine.weight, align) && is_aligned(affine.bias, align);
    if (is_held && lane_packs <= 3)
        launch_held_rows<T, 3>(a, affine, stream);
    else if (is_held && lane_packs <= 5)
        launch_held_rows<T, 5>(a, affine, stream);
    else if (is_held && lane_packs <= MAX_HELD)
        launch_held_rows<T, MAX_HELD>(a, affine, stream);
    else
        layer_norm_any_kernel<T>
            <<<blocks_for(a->rows, ROWS_OF_BLOCK), dim3(32, ROWS_OF_BLOCK), 0, stream>>>(
                (const T *)a->x, (T *)a->out, affine, a->rows, a->c, a->eps);
}

static bool run_layer_norm(const void *args, cudaStream_t stream) {
    const layer_norm *a = (const layer_norm *)args;
    XL_WITH_TYPE(a->dtype, T, launch_layer_norm<T>(a, stream));
    return xl_cuda_is_queued();
}

/* Whether the only reader is a product in F8, and rows are ones that are held. */
static bool leaves_f8(const struct xl_cuda_compiler *c, const layer_norm *a) {
    const struct xl_op *reader = xl_cuda_only_reader(c);
    return reader && xl_cuda_linear_is_f8(c, reader) && is_wide<__half>(a->x, a->c) &&
           is_wide<__half>(a->out, a->c) && a->c <= MAX_HELD * 32 * wide<__half>;
}

enum xl_status xl_cuda_compile_layer_norm(struct xl_cuda_compiler *c, struct xl_err *err) {
    layer_norm *a = (layer_norm *)xl_cuda_launch(c, run_layer_norm, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand x = xl_cuda_in(c, 0);
    a->x = x.data;
    a->out = xl_cuda_out(c).data;
    a->dtype = x.dtype;
    a->eps = (float)c->op->attr.layer_norm.eps;
    a->c = xl_shape_last(x.shape);
    a->rows = xl_shape_count(x.shape) / a->c;
    a->is_f8 = leaves_f8(c, a);
    if (a->is_f8) xl_cuda_leave(c, xl_cuda_left_rows(XL_CUDA_F8_ROWS));
    enum xl_status status = xl_cuda_floats(c, c->op->in[1], &a->weight, err);
    return status ? status : xl_cuda_floats(c, c->op->in[2], &a->bias, err);
}
