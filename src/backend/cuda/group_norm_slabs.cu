/* group_norm_slabs.cu - group norm of large pictures, which are read twice. First, the moments of
 * each channel in slabs of pixels; then those are put together for each group; then the slabs are
 * normalised. */
#include "backend/cuda/group_norm.cuh"

using namespace xl;

enum {
    CHUNK = 4,         /* packs that a thread loads at once */
    SLAB_COLUMNS = 64, /* packs of a pixel that a block takes, at most */
    BLOCKS_OF_SM = 8,
    GROUP_THREADS = 1024,
    ANY_ACT = -1,
};

/* The workspace: f32 mean and m2 of channels [n, slabs, 2, c], then mean and scale [n, 2, c]. */
struct slabs {
    dim3 blocks, threads; /* slabs, parts of the columns, samples; columns, pixels */
    int64_t n, pixels;    /* of a sample; of a slab, but for the last one */
    float *moments, *scales;
};

template <int N> static slabs slabs_of(const group_norm *a) {
    row_grid grid = rows_of(a->pixels, a->c / N, SLAB_COLUMNS);
    int64_t chunk = (int64_t)grid.threads.y * CHUNK, chunks = blocks_for(a->pixels, chunk);
    int64_t n = (int64_t)BLOCKS_OF_SM * a->sms / (a->n * grid.blocks.y);
    int64_t moments = a->n * 2 * a->c; /* of a slab of all samples */
    int64_t most = XL_CUDA_WORKSPACE_BYTES / (int64_t)sizeof(float) / moments - 1;
    n = n < most ? n : most;
    n = n < chunks ? n : chunks;
    slabs slabs = {};
    slabs.pixels = (int64_t)blocks_for(chunks, n < 1 ? 1 : n) * chunk;
    slabs.n = blocks_for(a->pixels, slabs.pixels);
    slabs.blocks = dim3((unsigned)slabs.n, grid.blocks.y, (unsigned)a->n);
    slabs.threads = grid.threads;
    slabs.moments = (float *)a->workspace->data;
    slabs.scales = slabs.moments + slabs.n * moments;
    return slabs;
}

/* Pixels of a slab. */
__device__ static int64_t pixels_of(const slabs &slabs, int64_t pixels, int64_t slab) {
    int64_t left = pixels - slab * slabs.pixels;
    return left < slabs.pixels ? left : slabs.pixels;
}

/* Moments of N channels over the numbers so far. */
template <int N> struct running {
    float count;
    moments of[N];
};

/* K more numbers of each channel. */
template <int K, typename T, int N>
__device__ static void take(running<N> &running, const pack<T, N> (&numbers)[K]) {
    float total = running.count + K, share = K / total;
#pragma unroll
    for (int j = 0; j < N; j++) {
        float sum = 0, squares = 0;
#pragma unroll
        for (int k = 0; k < K; k++) sum += to_f32(numbers[k].x[j]);
        float mean = sum * (1.0F / K);
#pragma unroll
        for (int k = 0; k < K; k++) {
            float distance = to_f32(numbers[k].x[j]) - mean;
            squares += distance * distance;
        }
        float distance = mean - running.of[j].mean;
        running.of[j].m2 += squares + distance * distance * running.count * share;
        running.of[j].mean += distance * share;
    }
    running.count = total;
}

/* Of n pixels those that threads with this y take. */
__device__ static int64_t pixels_of_thread(int64_t n, int64_t y) {
    return n / blockDim.y + (y < n % blockDim.y);
}

/* of_thread: of one channel, of threads with y = 0, 1, ..., `stride` apart; n: pixels */
__device__ static moments moments_of_slab(const moments *of_thread, int stride, int64_t n) {
    float first = of_thread[0].mean, sum = 0, m2 = 0, fewest = (float)(n / blockDim.y);
    unsigned n_more = n % blockDim.y; /* threads with one pixel more */
    for (unsigned y = 1; y < blockDim.y; y++)
        sum += (fewest + (y < n_more)) * (of_thread[y * stride].mean - first);
    float mean = first + sum / (float)n;
    for (unsigned y = 0; y < blockDim.y; y++) {
        float distance = of_thread[y * stride].mean - mean;
        m2 += of_thread[y * stride].m2 + (fewest + (y < n_more)) * distance * distance;
    }
    return {mean, m2};
}

template <typename T, int N>
__global__ void __launch_bounds__(BLOCK_THREADS)
    slab_moments_kernel(const T *x, affine affine, const group_norm a, const slabs slabs) {
    __shared__ moments of_thread[BLOCK_THREADS * N]; /* [y, N, x] */
    int64_t column = first_column(), first = blockIdx.x * slabs.pixels, sample = blockIdx.z;
    int64_t n = pixels_of(slabs, a.pixels, blockIdx.x);
    int64_t step = blockDim.y * a.c;
    running<N> running = {};
    if (column < a.c / N) {
        const T *from = x + (sample * a.pixels + first + threadIdx.y) * a.c + column * N;
        left<N> added = left_of<T, N>(affine, sample, a.c, column * N);
        int64_t left = pixels_of_thread(n, threadIdx.y);
        for (; left >= CHUNK; left -= CHUNK, from += CHUNK * step) {
            pack<T, N> numbers[CHUNK];
#pragma unroll
            for (int k = 0; k < CHUNK; k++) numbers[k] = load<T, N>(from + k * step);
#pragma unroll
            for (int k = 0; k < CHUNK && added.is_any; k++) numbers[k] = with(numbers[k], added);
            take(running, numbers);
        }
        for (; left > 0; left--, from += step) {
            pack<T, N> numbers[1] = {load<T, N>(from)};
            if (added.is_any) numbers[0] = with(numbers[0], added);
            take(running, numbers);
        }
    }
#pragma unroll
    for (int j = 0; j < N; j++)
        of_thread[(threadIdx.y * N + j) * blockDim.x + threadIdx.x] = running.of[j];
    __syncthreads();
    float *out = slabs.moments + (sample * slabs.n + blockIdx.x) * 2 * a.c;
    int thread = threadIdx.y * blockDim.x + threadIdx.x, stride = blockDim.x * N;
    for (int i = thread; i < stride; i += blockDim.x * blockDim.y) {
        int64_t channel = ((int64_t)blockIdx.y * blockDim.x + i % blockDim.x) * N + i / blockDim.x;
        if (channel >= a.c) continue;
        moments moments = moments_of_slab(of_thread + i, stride, n);
        out[channel] = moments.mean;
        out[a.c + channel] = moments.m2;
    }
}

/* A block a group. It waits for memory most of the time: threads are many. */
__global__ static void __launch_bounds__(GROUP_THREADS)
    group_moments_kernel(affine affine, const group_norm a, const slabs slabs) {
    int64_t sample = blockIdx.x / a.groups, first = blockIdx.x % a.groups * a.width;
    unsigned width = a.width, n = (unsigned)slabs.n * width; /* of what is in the workspace */
    double sum = 0, m2 = 0, count = (double)(a.pixels * a.width);
    const float *moments = slabs.moments + sample * slabs.n * 2 * a.c + first;
#pragma unroll 4
    for (unsigned i = threadIdx.x; i < n; i += GROUP_THREADS)
        sum += (double)pixels_of(slabs, a.pixels, i / width) *
               (double)moments[i / width * 2 * a.c + i % width];
    double mean = sum_of_threads(sum) / count;
#pragma unroll 4
    for (unsigned i = threadIdx.x; i < n; i += GROUP_THREADS) {
        const float *of_channel = moments + i / width * 2 * a.c + i % width;
        double distance = (double)of_channel[0] - mean;
        m2 += (double)of_channel[a.c] +
              (double)pixels_of(slabs, a.pixels, i / width) * distance * distance;
    }
    double rstd = 1 / sqrt(sum_of_threads(m2) / count + a.eps);
    float *means = slabs.scales + sample * 2 * a.c + first, *scales = means + a.c;
    for (int64_t i = threadIdx.x; i < a.width; i += GROUP_THREADS) {
        means[i] = (float)mean;
        scales[i] = (float)(rstd * affine.weight[first + i]);
    }
}

template <int ACT, typename T, int N>
__device__ static void normalise(const pack<T, N> &numbers, const scaled<N> &of,
                                 enum xl_activation act, void *out, int64_t at,
                                 const affine &affine) {
    float y[N];
    if (ACT != ANY_ACT) act = (enum xl_activation)ACT;
#pragma unroll
    for (int j = 0; j < N; j++)
        y[j] = activate(act, (to_f32(numbers.x[j]) - of.mean[j]) * of.scale[j] + of.bias[j]);
    write<T, N>(out, at, y, affine);
}

template <typename T, int N>
__device__ static pack<T, N> load_with(const T *from, const left<N> &left) {
    pack<T, N> numbers = load<T, N>(from);
    return left.is_any ? with(numbers, left) : numbers;
}

/* The last slabs first: they were read last and may still be in the cache. */
template <typename T, int N, int ACT>
__global__ void __launch_bounds__(BLOCK_THREADS)
    normalise_kernel(const T *x, void *out, affine affine, const group_norm a, const slabs slabs) {
    int64_t column = first_column(), sample = blockIdx.z, c = a.c;
    int64_t slab = gridDim.x - 1 - blockIdx.x, first = slab * slabs.pixels;
    int64_t n = pixels_of(slabs, a.pixels, slab);
    if (column >= c / N) return;
    scaled<N> of;
    const float *means = slabs.scales + sample * 2 * c + column * N;
#pragma unroll
    for (int j = 0; j < N; j++) {
        of.mean[j] = means[j];
        of.scale[j] = means[c + j];
        of.bias[j] = affine.bias[column * N + j];
    }
    left<N> added = left_of<T, N>(affine, sample, c, column * N);
    int64_t at = (sample * a.pixels + first + threadIdx.y) * c + column * N;
    int64_t step = blockDim.y * c, left = pixels_of_thread(n, threadIdx.y);
    for (; left >= CHUNK; left -= CHUNK, at += CHUNK * step) {
        pack<T, N> numbers[CHUNK];
#pragma unroll
        for (int k = 0; k < CHUNK; k++) numbers[k] = load_with(x + at + k * step, added);
#pragma unroll
        for (int k = 0; k < CHUNK; k++)
            normalise<ACT>(numbers[k], of, a.act, out, at + k * step, affine);
    }
    for (; left > 0; left--, at += step)
        normalise<ACT>(load_with(x + at, added), of, a.act, out, at, affine);
}

template <typename T, int N, int ACT>
static void launch_normalise(const group_norm *a, const slabs &slabs, affine affine,
                             cudaStream_t stream) {
    normalise_kernel<T, N, ACT>
        <<<slabs.blocks, slabs.threads, 0, stream>>>((const T *)a->x, a->out, affine, *a, slabs);
}

template <typename T, int N>
static void launch_slabs(const group_norm *a, affine affine, cudaStream_t stream) {
    slabs slabs = slabs_of<N>(a);
    slab_moments_kernel<T, N>
        <<<slabs.blocks, slabs.threads, 0, stream>>>((const T *)a->x, affine, *a, slabs);
    group_moments_kernel<<<(unsigned)(a->n * a->groups), GROUP_THREADS, 0, stream>>>(affine, *a,
                                                                                     slabs);
    if (N > 1 && a->act == XL_ACT_SILU)
        launch_normalise<T, N, XL_ACT_SILU>(a, slabs, affine, stream);
    else if (N > 1 && a->act == XL_ACT_NONE)
        launch_normalise<T, N, XL_ACT_NONE>(a, slabs, affine, stream);
    else
        launch_normalise<T, N, ANY_ACT>(a, slabs, affine, stream);
}

template <typename T>
static void run_slabs(const group_norm *a, affine affine, cudaStream_t stream) {
    if (is_wide<T>(a->x, a->c) && is_wide<T>(a->out, a->c))
        launch_slabs<T, wide<T>>(a, affine, stream);
    else
        launch_slabs<T, 1>(a, affine, stream);
}

void xl::group_norm_slabs(const group_norm *a, affine affine, cudaStream_t stream) {
    XL_WITH_TYPE(a->dtype, T, run_slabs<T>(a, affine, stream));
}
