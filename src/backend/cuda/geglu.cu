/* geglu.cu - GEGLU: the first half of a row times gelu of the second half, after a bias that was
 * left to be added. For a product in F8 rows are rounded to that. */
#include "backend/cuda/f8.cuh"

extern "C" {
#include "backend/cuda/leave.h"
}

using namespace xl;

struct geglu {
    const void *x;
    void *out;
    enum xl_dtype dtype;
    const struct xl_cuda_weight *bias; /* left to be added to x; NULL: nothing was */
    bool is_f8;                        /* the result */
    int64_t rows, c;                   /* c: of the result */
};

/* N numbers of a row of `columns` packs: (value + bias) * gelu(gate + bias). bias: [2c], or NULL */
template <typename T, int N>
__device__ static pack<float, N> gated(const T *row, const T *bias, int64_t columns, int64_t i) {
    pack<T, N> value = load<T, N>(row + i * N), gate = load<T, N>(row + (columns + i) * N);
    pack<T, N> of_value = {}, of_gate = {};
    pack<float, N> y;
    if (bias) of_value = load<T, N>(bias + i * N);
    if (bias) of_gate = load<T, N>(bias + (columns + i) * N);
#pragma unroll
    for (int j = 0; j < N; j++)
        y.x[j] = (to_f32(value.x[j]) + to_f32(of_value.x[j])) *
                 activate(XL_ACT_GELU, to_f32(gate.x[j]) + to_f32(of_gate.x[j]));
    return y;
}

/* columns = c / N */
template <typename T, int N>
__global__ void geglu_kernel(const T *x, T *out, const T *bias, int64_t rows, int64_t columns) {
    int64_t row = row_index();
    if (row >= rows) return;
    for (int64_t i = first_column(); i < columns; i += column_step()) {
        pack<float, N> y = gated<T, N>(x + row * 2 * columns * N, bias, columns, i);
        pack<T, N> rounded;
#pragma unroll
        for (int j = 0; j < N; j++) rounded.x[j] = from_f32<T>(y.x[j]);
        store(out + (row * columns + i) * N, rounded);
    }
}

template <typename T, int N>
static void launch_geglu(const geglu *a, const T *bias, cudaStream_t stream) {
    row_grid grid = rows_of(a->rows, a->c / N);
    geglu_kernel<T, N><<<grid.blocks, grid.threads, 0, stream>>>((const T *)a->x, (T *)a->out, bias,
                                                                 a->rows, a->c / N);
}

/* A block takes a row, each thread HELD packs of it. */
enum { HELD = 2, MAX_F8_COLUMNS = 1024 * HELD };

template <typename T>
__global__ void geglu_f8_kernel(const T *x, struct xl_cuda_f8_rows out, const T *bias,
                                int64_t columns) {
    constexpr int N = wide<T>;
    int64_t row = blockIdx.x;
    pack<float, N> held[HELD];
    float largest = 0;
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        int64_t i = threadIdx.x + h * blockDim.x;
        if (i >= columns) continue;
        held[h] = gated<T, N>(x + row * 2 * columns * N, bias, columns, i);
#pragma unroll
        for (int j = 0; j < N; j++) largest = fmaxf(largest, fabsf(held[h].x[j]));
    }
    float scale = f8_scale(block_max(largest)), factor = 1 / scale;
    if (threadIdx.x == 0) out.scales[row] = scale;
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        int64_t i = threadIdx.x + h * blockDim.x;
        if (i < columns) store(out.data + (row * columns + i) * N, to_f8<N>(held[h].x, factor));
    }
}

template <typename T>
static void launch_geglu_f8(const geglu *a, const T *bias, cudaStream_t stream) {
    int64_t columns = a->c / wide<T>;
    unsigned threads = blocks_for(columns, HELD * 32) * 32;
    geglu_f8_kernel<T><<<(unsigned)a->rows, threads, 0, stream>>>(
        (const T *)a->x, xl_cuda_f8_rows_at(a->out, a->rows, a->c), bias, columns);
}

template <typename T> static void launch_geglu(const geglu *a, cudaStream_t stream) {
    const T *bias = a->bias ? (const T *)a->bias->data : NULL;
    bool is_fast = is_wide<T>(a->x, a->c) && is_wide<T>(a->out, a->c) && is_aligned(bias, 16);
    if (a->is_f8)
        launch_geglu_f8<T>(a, bias, stream);
    else if (is_fast)
        launch_geglu<T, wide<T>>(a, bias, stream);
    else
        launch_geglu<T, 1>(a, bias, stream);
}

static bool run_geglu(const void *args, cudaStream_t stream) {
    const geglu *a = (const geglu *)args;
    XL_WITH_TYPE(a->dtype, T, launch_geglu<T>(a, stream));
    return xl_cuda_is_queued();
}

static bool leaves_f8(const struct xl_cuda_compiler *c, const geglu *a) {
    const struct xl_op *reader = xl_cuda_only_reader(c);
    return reader && xl_cuda_linear_is_f8(c, reader) && is_wide<__half>(a->x, a->c) &&
           is_wide<__half>(a->out, a->c) && a->c <= MAX_F8_COLUMNS * wide<__half>;
}

enum xl_status xl_cuda_compile_geglu(struct xl_cuda_compiler *c, struct xl_err *err) {
    struct xl_cuda_left left = xl_cuda_left(c);
    if (left.is_done) { /* by the product before */
        xl_cuda_leave(c, xl_cuda_left_rows(left.form));
        return XL_OK;
    }
    geglu *a = (geglu *)xl_cuda_launch(c, run_geglu, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand out = xl_cuda_out(c);
    a->x = xl_cuda_in(c, 0).data;
    a->out = out.data;
    a->dtype = out.dtype;
    a->c = xl_shape_last(out.shape);
    a->rows = xl_shape_count(out.shape) / a->c;
    a->is_f8 = leaves_f8(c, a);
    if (a->is_f8) xl_cuda_leave(c, xl_cuda_left_rows(XL_CUDA_F8_ROWS));
    return xl_cuda_matrix(c, left.bias, &a->bias, err);
}
