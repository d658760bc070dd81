/* elementwise.cu - the ops that only move and combine numbers: activation, concat, cast. */
#include "backend/cuda/rows.cuh"

using namespace xl;

struct activation {
    const void *x;
    void *out;
    enum xl_dtype dtype;
    enum xl_activation act;
    int64_t n;
};

template <typename T, int N>
__global__ void activation_kernel(const T *x, T *out, int64_t n, enum xl_activation act) {
    int64_t i = flat_index() * N;
    if (i + N <= n) {
        pack<T, N> numbers = load<T, N>(x + i);
#pragma unroll
        for (int j = 0; j < N; j++) numbers.x[j] = from_f32<T>(activate(act, to_f32(numbers.x[j])));
        store(out + i, numbers);
    } else {
        for (; i < n; i++) out[i] = from_f32<T>(activate(act, to_f32(x[i])));
    }
}

template <typename T, int N>
static void launch_activation(const activation *a, cudaStream_t stream) {
    activation_kernel<T, N><<<blocks_for(a->n, BLOCK_THREADS * N), BLOCK_THREADS, 0, stream>>>(
        (const T *)a->x, (T *)a->out, a->n, a->act);
}

template <typename T> static void launch_activation(const activation *a, cudaStream_t stream) {
    if (is_aligned(a->x, 16) && is_aligned(a->out, 16))
        launch_activation<T, wide<T>>(a, stream);
    else
        launch_activation<T, 1>(a, stream);
}

static bool run_activation(const void *args, cudaStream_t stream) {
    const activation *a = (const activation *)args;
    XL_WITH_TYPE(a->dtype, T, launch_activation<T>(a, stream));
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_activation(struct xl_cuda_compiler *c, struct xl_err *err) {
    activation *a = (activation *)xl_cuda_launch(c, run_activation, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand out = xl_cuda_out(c);
    a->x = xl_cuda_in(c, 0).data;
    a->out = out.data;
    a->dtype = out.dtype;
    a->act = c->op->attr.act;
    a->n = xl_shape_count(out.shape);
    return XL_OK;
}

struct concat {
    const void *a, *b;
    void *out;
    enum xl_dtype dtype;
    int64_t rows, c1, c2;
};

/* Rows of columns1 and of columns2 packs of N numbers, side by side. */
template <typename T, int N>
__global__ void concat_kernel(const T *a, const T *b, T *out, int64_t rows, int64_t columns1,
                              int64_t columns2) {
    int64_t row = row_index(), columns = columns1 + columns2;
    if (row >= rows) return;
    for (int64_t i = first_column(); i < columns; i += column_step()) {
        const T *from = i < columns1 ? a + (row * columns1 + i) * N
                                     : b + (row * columns2 + i - columns1) * N;
        store(out + (row * columns + i) * N, load<T, N>(from));
    }
}

template <typename T, int N> static void launch_concat(const concat *a, cudaStream_t stream) {
    int64_t columns1 = a->c1 / N, columns2 = a->c2 / N;
    row_grid grid = rows_of(a->rows, columns1 + columns2);
    concat_kernel<T, N><<<grid.blocks, grid.threads, 0, stream>>>(
        (const T *)a->a, (const T *)a->b, (T *)a->out, a->rows, columns1, columns2);
}

template <typename T> static void launch_concat(const concat *a, cudaStream_t stream) {
    if (is_wide<T>(a->a, a->c1) && is_wide<T>(a->b, a->c2) && is_aligned(a->out, 16))
        launch_concat<T, wide<T>>(a, stream);
    else
        launch_concat<T, 1>(a, stream);
}

static bool run_concat(const void *args, cudaStream_t stream) {
    const concat *a = (const concat *)args;
    XL_WITH_TYPE(a->dtype, T, launch_concat<T>(a, stream));
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_concat(struct xl_cuda_compiler *c, struct xl_err *err) {
    concat *a = (concat *)xl_cuda_launch(c, run_concat, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand left = xl_cuda_in(c, 0), right = xl_cuda_in(c, 1);
    a->a = left.data;
    a->b = right.data;
    a->out = xl_cuda_out(c).data;
    a->dtype = left.dtype;
    a->c1 = xl_shape_last(left.shape);
    a->c2 = xl_shape_last(right.shape);
    a->rows = xl_shape_count(left.shape) / a->c1;
    return XL_OK;
}

struct cast {
    const void *x;
    void *out;
    enum xl_dtype from, to;
    int64_t n;
};

template <typename From, typename To, int N>
__global__ void cast_kernel(const From *x, To *out, int64_t n) {
    int64_t i = flat_index() * N;
    if (i + N <= n) {
        pack<From, N> numbers = load<From, N>(x + i);
        pack<To, N> results;
#pragma unroll
        for (int j = 0; j < N; j++) results.x[j] = from_f32<To>(to_f32(numbers.x[j]));
        store(out + i, results);
    } else {
        for (; i < n; i++) out[i] = from_f32<To>(to_f32(x[i]));
    }
}

template <typename From, typename To, int N>
static void launch_cast(const cast *a, cudaStream_t stream) {
    cast_kernel<From, To, N><<<blocks_for(a->n, BLOCK_THREADS * N), BLOCK_THREADS, 0, stream>>>(
        (const From *)a->x, (To *)a->out, a->n);
}

template <typename From, typename To> static void launch_cast(const cast *a, cudaStream_t stream) {
    constexpr int n = 4;
    if (is_aligned(a->x, sizeof(pack<From, n>)) && is_aligned(a->out, sizeof(pack<To, n>)))
        launch_cast<From, To, n>(a, stream);
    else
        launch_cast<From, To, 1>(a, stream);
}

template <typename From> static void launch_cast(const cast *a, cudaStream_t stream) {
    XL_WITH_TYPE(a->to, To, (launch_cast<From, To>(a, stream)));
}

static bool run_cast(const void *args, cudaStream_t stream) {
    const cast *a = (const cast *)args;
    XL_WITH_TYPE(a->from, From, launch_cast<From>(a, stream));
    return xl_cuda_is_queued();
}

enum xl_status xl_cuda_compile_cast(struct xl_cuda_compiler *c, struct xl_err *err) {
    cast *a = (cast *)xl_cuda_launch(c, run_cast, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand x = xl_cuda_in(c, 0), out = xl_cuda_out(c);
    a->x = x.data;
    a->out = out.data;
    a->from = x.dtype;
    a->to = out.dtype;
    a->n = xl_shape_count(out.shape);
    return XL_OK;
}
