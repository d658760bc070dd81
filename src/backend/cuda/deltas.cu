/* deltas.cu - deltas on the device: factors to matrices, matrices to terms, terms to the sum.
 * Memory is taken and given back in the stream's order. */
#include "backend/cuda/numbers.cuh"

extern "C" {
#include "backend/cuda/deltas.h"
#include "backend/cuda/pack.h"
}

#include <float.h>

namespace {

enum { THREADS = 256 };

/* The stream, and the first thing that went wrong. */
struct work {
    struct xl_cuda_upload *upload;
    cudaStream_t stream;
    enum xl_status status;
    struct xl_err *err;
};

void check(work *w, cudaError_t error) {
    if (error && !w->status) w->status = xl_cuda_fail(w->err, error, "apply a LoRA");
}

float *take(work *w, int64_t n) {
    void *data = NULL;
    if (!w->status) check(w, cudaMallocAsync(&data, (size_t)n * sizeof(float), w->stream));
    return (float *)data;
}

void give(work *w, float *data) {
    if (data) check(w, cudaFreeAsync(data, w->stream));
}

/* A grid for n numbers, each thread going on in steps of the whole grid. */
unsigned grid_for(int64_t n) {
    return n < (int64_t)THREADS << 16 ? xl::blocks_for(n, THREADS) : 1u << 16;
}

__device__ int64_t first_number() {
    return blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
}

__device__ int64_t step_of_grid() {
    return (int64_t)gridDim.x * blockDim.x;
}

/* All numbers of a tensor; NULL: it is absent, or something went wrong. */
float *numbers_of(work *w, const struct xl_tensor *tensor) {
    if (!tensor) return NULL;
    float *x = take(w, xl_shape_count(tensor->shape));
    if (!w->status) w->status = xl_cuda_upload_f32(w->upload, tensor, x, w->err);
    return x;
}

/* out[p, (c, tap)] = sum over q of mid[p, q, tap] down[q, c] */
__global__ void join_kernel(const float *mid, const float *down, float *out,
                            struct xl_factor_size s) {
    for (int64_t i = first_number(); i < s.r * s.length; i += step_of_grid()) {
        int64_t p = i / s.length, c = i % s.length / s.taps, tap = i % s.taps;
        float sum = 0;
        for (int64_t q = 0; q < s.q; q++)
            sum += mid[(p * s.q + q) * s.taps + tap] * down[q * s.c + c];
        out[i] = sum;
    }
}

/* out[rows, length] = up[rows, r] right[r, length], 64 x 64 a block, 4 x 4 a thread. */
enum { TILE = 64, DEPTH = 16, OWN = 4 };

__global__ void multiply_kernel(const float *up, const float *right, float *out, int64_t rows,
                                int64_t r, int64_t length) {
    __shared__ float ups[DEPTH][TILE + 1], rights[DEPTH][TILE];
    int64_t row0 = blockIdx.y * (int64_t)TILE, column0 = blockIdx.x * (int64_t)TILE;
    int ty = threadIdx.x / (TILE / OWN), tx = threadIdx.x % (TILE / OWN);
    float sum[OWN][OWN] = {};
    for (int64_t p0 = 0; p0 < r; p0 += DEPTH) {
        for (int i = threadIdx.x; i < TILE * DEPTH; i += THREADS) {
            int64_t row = row0 + i / DEPTH, p = p0 + i % DEPTH;
            ups[i % DEPTH][i / DEPTH] = row < rows && p < r ? up[row * r + p] : 0;
            int64_t column = column0 + i % TILE;
            p = p0 + i / TILE;
            rights[i / TILE][i % TILE] = column < length && p < r ? right[p * length + column] : 0;
        }
        __syncthreads();
        for (int p = 0; p < DEPTH; p++)
            for (int i = 0; i < OWN; i++)
                for (int j = 0; j < OWN; j++)
                    sum[i][j] += ups[p][ty * OWN + i] * rights[p][tx + j * (TILE / OWN)];
        __syncthreads();
    }
    for (int i = 0; i < OWN; i++)
        for (int j = 0; j < OWN; j++) {
            int64_t row = row0 + ty * OWN + i, column = column0 + tx + j * (TILE / OWN);
            if (row < rows && column < length) out[row * length + column] = sum[i][j];
        }
}

float *right_of(work *w, const struct xl_factor *factor, const struct xl_factor_size *s) {
    float *down = numbers_of(w, factor->down);
    if (!factor->mid) return down;
    float *mid = numbers_of(w, factor->mid), *out = take(w, s->r * s->length);
    if (!w->status)
        join_kernel<<<grid_for(s->r * s->length), THREADS, 0, w->stream>>>(mid, down, out, *s);
    give(w, mid);
    give(w, down);
    return out;
}

/* A factor as a matrix. */
float *matrix_of(work *w, const struct xl_factor *factor, const struct xl_factor_size *s) {
    if (!factor->up) return numbers_of(w, factor->down);
    float *up = numbers_of(w, factor->up), *right = right_of(w, factor, s);
    float *out = take(w, s->rows * s->length);
    if (!w->status) {
        dim3 grid(xl::blocks_for(s->length, TILE), xl::blocks_for(s->rows, TILE));
        multiply_kernel<<<grid, THREADS, 0, w->stream>>>(up, right, out, s->rows, s->r, s->length);
    }
    give(w, up);
    give(w, right);
    return out;
}

/* out = scale T of a delta; a may be out */
__global__ void term_kernel(enum xl_delta_kind kind, const float *a, const float *b, float scale,
                            int64_t rows, int64_t length, struct xl_factor_size sa,
                            struct xl_factor_size sb, float *out) {
    for (int64_t k = first_number(); k < rows * length; k += step_of_grid()) {
        int64_t i = k / length, j = k % length;
        float x = 0;
        if (kind == XL_DELTA_PLAIN) x = a[k];
        if (kind == XL_DELTA_HADAMARD) x = a[k] * b[k];
        if (kind == XL_DELTA_KRONECKER)
            x = a[i / sb.rows * sa.length + j / sb.length] *
                b[i % sb.rows * sb.length + j % sb.length];
        out[k] = scale * x;
    }
}

float *term_of(work *w, const struct xl_delta *delta, int64_t rows, int64_t length) {
    struct xl_factor_size sa = xl_factor_size(&delta->a), sb = {};
    float *a = matrix_of(w, &delta->a, &sa), *b = NULL, *out = a;
    if (delta->kind != XL_DELTA_PLAIN) {
        sb = xl_factor_size(&delta->b);
        b = matrix_of(w, &delta->b, &sb);
    }
    if (delta->kind == XL_DELTA_KRONECKER) out = take(w, rows * length);
    if (!w->status)
        term_kernel<<<grid_for(rows * length), THREADS, 0, w->stream>>>(
            delta->kind, a, b, delta->scale, rows, length, sa, sb, out);
    give(w, b);
    if (out != a) give(w, a);
    return out;
}

/* Which magnitude number k of a weight belongs to. */
struct lines {
    bool is_by_column;
    int64_t rows, columns, taps;
};

/* factor = magnitude / length of each line of w + term; a block a line */
__global__ void factor_kernel(const float *w, const float *term, const float *magnitude, lines l,
                              float *factor) {
    __shared__ float sums[THREADS];
    int64_t length = l.columns * l.taps, n = l.is_by_column ? l.rows * l.taps : length;
    float sum = 0;
    for (int64_t i = threadIdx.x; i < n; i += THREADS) {
        int64_t k = l.is_by_column ? i / l.taps * length + blockIdx.x * l.taps + i % l.taps
                                   : blockIdx.x * length + i;
        float x = w[k] + term[k];
        sum += x * x;
    }
    sums[threadIdx.x] = sum;
    __syncthreads();
    for (int half = THREADS / 2; half; half /= 2) {
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();
    }
    if (!threadIdx.x) factor[blockIdx.x] = magnitude[blockIdx.x] / (sqrtf(sums[0]) + FLT_EPSILON);
}

/* term = strength (factor (w + term) - w) */
__global__ void magnitude_kernel(const float *w, float *term, const float *factor, lines l,
                                 float strength) {
    int64_t length = l.columns * l.taps;
    for (int64_t k = first_number(); k < l.rows * length; k += step_of_grid()) {
        float f = factor[l.is_by_column ? k % length / l.taps : k / length];
        term[k] = strength * (f * (w[k] + term[k]) - w[k]);
    }
}

void set_magnitude(work *w, const struct xl_delta *delta, struct xl_shape shape,
                   const float *weight, float *term) {
    lines l = {delta->is_by_column, shape.dim[0], shape.rank > 1 ? shape.dim[1] : 1, 1};
    l.taps = xl_shape_count(shape) / (l.rows * l.columns);
    int64_t n_lines = l.is_by_column ? l.columns : l.rows;
    float *magnitude = numbers_of(w, delta->magnitude), *factor = take(w, n_lines);
    if (!w->status) {
        factor_kernel<<<(unsigned)n_lines, THREADS, 0, w->stream>>>(weight, term, magnitude, l,
                                                                    factor);
        magnitude_kernel<<<grid_for(xl_shape_count(shape)), THREADS, 0, w->stream>>>(
            weight, term, factor, l, delta->strength);
    }
    give(w, magnitude);
    give(w, factor);
}

__global__ void add_kernel(const float *term, float *sum, int64_t n) {
    for (int64_t k = first_number(); k < n; k += step_of_grid()) sum[k] += term[k];
}

} // namespace

enum xl_status xl_cuda_add_deltas(struct xl_cuda_upload *upload, const struct xl_weight_part *part,
                                  const float *weight, float *sum, struct xl_err *err) {
    work w = {upload, xl_cuda_upload_stream(upload), XL_OK, err};
    struct xl_shape shape = part->tensor->shape;
    int64_t n = xl_shape_count(shape), rows = shape.dim[0];
    check(&w, cudaMemcpyAsync(sum, weight, (size_t)n * sizeof *sum, cudaMemcpyDeviceToDevice,
                              w.stream));
    for (int d = 0; !w.status && d < part->n_deltas; d++) {
        float *term = term_of(&w, &part->deltas[d], rows, n / rows);
        if (!w.status && part->deltas[d].magnitude)
            set_magnitude(&w, &part->deltas[d], shape, weight, term);
        if (!w.status) add_kernel<<<grid_for(n), THREADS, 0, w.stream>>>(term, sum, n);
        give(&w, term);
    }
    check(&w, cudaGetLastError());
    return w.status;
}

enum xl_status xl_cuda_upload_f32(struct xl_cuda_upload *upload, const struct xl_tensor *tensor,
                                  float *to, struct xl_err *err) {
    int64_t n = xl_shape_count(tensor->shape);
    int64_t most = XL_CUDA_UPLOAD_BYTES / 2 / (int64_t)xl_dtype_size(tensor->dtype);
    for (int64_t first = 0, piece; first < n; first += piece) {
        piece = n - first < most ? n - first : most;
        void *from = NULL;
        enum xl_status status = xl_cuda_upload(upload, tensor, first, piece, &from, err);
        if (status) return status;
        struct xl_cuda_packing packing = {.from = from,
                                          .to = to + first,
                                          .from_dtype = tensor->dtype,
                                          .to_dtype = XL_DTYPE_F32,
                                          .rows = 1,
                                          .columns = piece,
                                          .taps = 1,
                                          .to_length = piece,
                                          .is_folded = false,
                                          .fold = 0,
                                          .scales = NULL};
        if (!xl_cuda_pack(&packing, xl_cuda_upload_stream(upload)))
            return xl_cuda_fail(err, cudaErrorLaunchFailure, "convert weights");
    }
    return XL_OK;
}
