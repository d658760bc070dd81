/* norm.cu - layer norm and group norm: (x - mean) / sqrt(var + eps) * weight + bias, with the mean
 * square distance from the mean as var.
 *
 * Distances are always taken from a mean that is known, and partial results are put together by the
 * formula of Chan et al. (1979), which does not suffer when the mean is large beside the deviation.
 * (x - mean) * scale + bias multiplied out would save a subtraction and lose digits then. */
#include "backend/cuda/rows.cuh"

#include <cooperative_groups.h>

using namespace xl;

/* --- Layer norm: a warp a row ----------------------------------------------------------------- */

enum { ROWS_OF_BLOCK = 4 };

struct layer_norm {
    const void *x;
    void *out;
    enum xl_dtype dtype;
    const struct xl_cuda_weight *weight, *bias;
    float eps;
    int64_t rows, c;
};

struct affine {
    const float *weight, *bias;
};

/* The row is read once and held in registers, HELD packs a lane. */
template <typename T, int HELD>
__global__ void __launch_bounds__(32 * ROWS_OF_BLOCK)
    layer_norm_kernel(const T *x, T *out, affine affine, int64_t rows, int columns, float eps) {
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
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        int column = threadIdx.x + h * 32;
        if (column >= columns) continue;
        pack<float, N> weight = load<float, N>(affine.weight + column * N);
        pack<float, N> bias = load<float, N>(affine.bias + column * N);
#pragma unroll
        for (int j = 0; j < N; j++)
            held[h].x[j] =
                from_f32<T>((to_f32(held[h].x[j]) - mean) * rstd * weight.x[j] + bias.x[j]);
        store(out + start + column * N, held[h]);
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

template <typename T, int HELD>
static void launch_held_rows(const layer_norm *a, affine affine, cudaStream_t stream) {
    layer_norm_kernel<T, HELD>
        <<<blocks_for(a->rows, ROWS_OF_BLOCK), dim3(32, ROWS_OF_BLOCK), 0, stream>>>(
            (const T *)a->x, (T *)a->out, affine, a->rows, (int)(a->c / wide<T>), a->eps);
}

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
    else if (is_held && lane_packs <= 10)
        launch_held_rows<T, 10>(a, affine, stream);
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
    enum xl_status status = xl_cuda_floats(c, c->op->in[1], &a->weight, err);
    return status ? status : xl_cuda_floats(c, c->op->in[2], &a->bias, err);
}

/* --- Group norm ------------------------------------------------------------------------------- */

struct group_norm {
    const void *x;
    void *out;
    enum xl_dtype dtype;
    const struct xl_cuda_weight *weight, *bias;
    const struct xl_cuda_workspace *workspace;
    double eps;
    enum xl_activation act;
    int64_t n, pixels, c; /* pixels: of a sample */
    int groups, width;    /* width: channels of a group */
    int sms;
    bool has_clusters;
};

/* 1. Pictures that fit into registers are read once. A block holds some pixels of a few groups, so
 * many that their channels are whole packs: a unit. The blocks of a unit are a cluster. */

enum { HELD_THREADS = 512, MAX_UNIT_GROUPS = 8, MAX_HELD = 22, MAX_CLUSTER = 8 };

struct units {
    int groups, columns; /* of a unit; columns: packs of a pixel */
    int n;               /* units of a sample */
    int rows;            /* pixels that the threads of a block take at once */
    int cluster;         /* blocks of a unit */
    int64_t block_pixels;
    int held; /* packs of a thread */
};

/* The threads of a block are whole warps and whole pixels. 0: impossible */
static int rows_of_unit(int columns) {
    int step = 1;
    while (step * columns % 32) step *= 2;
    return HELD_THREADS / columns / step * step;
}

/* More blocks a unit until they hold it, and as long as there are processors for them. False: the
 * picture is too large. */
static bool split_units(const group_norm *a, struct units *units) {
    bool is_found = false;
    int max_cluster = a->has_clusters ? MAX_CLUSTER : 1;
    for (int cluster = 1; cluster <= max_cluster && cluster <= a->pixels; cluster *= 2) {
        if (is_found && a->n * units->n * cluster > a->sms) break;
        int64_t block_pixels = (a->pixels + cluster - 1) / cluster;
        int64_t held = (block_pixels + units->rows - 1) / units->rows;
        if (held > MAX_HELD) continue;
        units->cluster = cluster;
        units->block_pixels = block_pixels;
        units->held = (int)held;
        is_found = true;
    }
    return is_found;
}

/* False: not by this way. */
template <typename T> static bool find_units(const group_norm *a, struct units *units) {
    bool has_fast_act = a->act == XL_ACT_NONE || a->act == XL_ACT_SILU;
    if (!has_fast_act || !is_wide<T>(a->x, a->c) || !is_wide<T>(a->out, a->c)) return false;
    int groups = 1, wanted_columns = 4; /* whole sectors of memory */
    while (groups * a->width % wide<T>) groups *= 2;
    while (groups * a->width < wanted_columns * wide<T> && a->groups % (2 * groups) == 0 &&
           2 * groups <= MAX_UNIT_GROUPS)
        groups *= 2;
    units->groups = groups;
    units->columns = groups * a->width / wide<T>;
    units->n = a->groups / groups;
    if (a->groups % groups || groups > MAX_UNIT_GROUPS || units->columns > HELD_THREADS)
        return false;
    units->rows = rows_of_unit(units->columns);
    return units->rows > 0 && split_units(a, units);
}

struct moments {
    float mean, m2; /* m2: the sum of squared distances from the mean */
};

#if defined __CUDA_ARCH__ && __CUDA_ARCH__ >= 900
__device__ static void sync_cluster() {
    cooperative_groups::this_cluster().sync();
}
__device__ static const moments *of_block(moments *own, int rank) {
    return cooperative_groups::this_cluster().map_shared_rank(own, rank);
}
#else
__device__ static void sync_cluster() {
    __syncthreads();
}
__device__ static const moments *of_block(moments *own, int) {
    return own;
}
#endif

/* Sums over the block by group, divided by `divisor`. of_channel: the thread's, of its N channels;
 * group: of each of them; out: [groups], complete after the next __syncthreads */
template <int N>
__device__ static void sum_by_group(const float *of_channel, const int *group, int groups,
                                    float divisor, float *out) {
    __shared__ float of_warp[MAX_UNIT_GROUPS][HELD_THREADS / 32];
    for (int g = 0; g < groups; g++) {
        float sum = 0;
#pragma unroll
        for (int j = 0; j < N; j++) sum += group[j] == g ? of_channel[j] : 0.0F;
        sum = warp_sum(sum);
        if (threadIdx.x % 32 == 0) of_warp[g][threadIdx.x / 32] = sum;
    }
    __syncthreads();
    if ((int)threadIdx.x >= groups) return;
    float sum = 0;
    for (unsigned warp = 0; warp < blockDim.x / 32; warp++) sum += of_warp[threadIdx.x][warp];
    out[threadIdx.x] = sum / divisor;
}

/* Pixels that a block of a cluster has. */
__device__ static int64_t pixels_of(const units &units, int64_t pixels, int rank) {
    int64_t left = pixels - rank * units.block_pixels;
    return left < 0 ? 0 : left < units.block_pixels ? left : units.block_pixels;
}

/* Moments of a group over the cluster. The first block always has pixels. */
__device__ static moments moments_of_cluster(moments *own, const units &units,
                                             const group_norm &a) {
    moments first = *of_block(own, 0);
    float sum = 0, m2 = 0;
    for (int rank = 1; rank < units.cluster; rank++)
        sum += (float)pixels_of(units, a.pixels, rank) * (of_block(own, rank)->mean - first.mean);
    float mean = first.mean + sum / (float)a.pixels;
    for (int rank = 0; rank < units.cluster; rank++) {
        moments part = *of_block(own, rank);
        float distance = part.mean - mean;
        m2 += part.m2 + (float)(pixels_of(units, a.pixels, rank) * a.width) * distance * distance;
    }
    return {mean, m2};
}

/* 16 bytes in registers, as the numbers that they are. The compiler is not told that they are the
 * same as before: it would keep what they were converted to, which takes twice the registers. */
template <typename T> __device__ static pack<T, wide<T>> numbers_of(uint4 &held) {
    asm volatile("" : "+r"(held.x), "+r"(held.y), "+r"(held.z), "+r"(held.w));
    return reinterpret_cast<const pack<T, wide<T>> &>(held);
}

/* What a thread of the held kernel takes: packs of pixels `rows` apart. */
struct place {
    int64_t start, step; /* the first number; numbers from pack to pack */
    int channel, column; /* the first channel; packs before it in the unit */
    int left, rows;      /* pixels of the block from the thread's first on */
    int n_pixels;        /* of the block */
};

/* n: numbers of a pack */
__device__ static place place_of(const group_norm &a, const units &units, int n) {
    int rank = blockIdx.x % units.cluster, unit = blockIdx.x / units.cluster % units.n;
    int64_t sample = blockIdx.x / units.cluster / units.n;
    int row = threadIdx.x / units.columns;
    place at;
    at.column = threadIdx.x % units.columns;
    at.channel = unit * units.groups * a.width + at.column * n;
    at.start = (sample * a.pixels + rank * units.block_pixels + row) * a.c + at.channel;
    at.step = units.rows * a.c;
    at.n_pixels = (int)pixels_of(units, a.pixels, rank);
    at.left = at.n_pixels - row;
    at.rows = units.rows;
    return at;
}

template <typename T, int HELD>
__device__ static void load_held(const T *x, const place &at, uint4 (&held)[HELD]) {
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        held[h] = make_uint4(0, 0, 0, 0);
        if (h * at.rows < at.left)
            held[h] = *reinterpret_cast<const uint4 *>(x + at.start + h * at.step);
    }
}

/* Of each channel the sum, or with `mean` the sum of squared distances from it. */
template <typename T, int HELD>
__device__ static void sum_held(uint4 (&held)[HELD], const place &at, const float *mean,
                                float *of_channel) {
#pragma unroll
    for (int j = 0; j < wide<T>; j++) of_channel[j] = 0;
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        if (h * at.rows >= at.left) continue;
        pack<T, wide<T>> numbers = numbers_of<T>(held[h]);
#pragma unroll
        for (int j = 0; j < wide<T>; j++) {
            float number = to_f32(numbers.x[j]), distance = mean ? number - mean[j] : 0.0F;
            of_channel[j] += mean ? distance * distance : number;
        }
    }
}

/* What a thread keeps of its channels. */
template <int N> struct scaled { float mean[N], scale[N], bias[N]; };

template <typename T, int HELD>
__device__ static void write_held(T *out, uint4 (&held)[HELD], const place &at,
                                  const scaled<wide<T>> &of, enum xl_activation act) {
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        if (h * at.rows >= at.left) continue;
        pack<T, wide<T>> numbers = numbers_of<T>(held[h]);
#pragma unroll
        for (int j = 0; j < wide<T>; j++) {
            float y = (to_f32(numbers.x[j]) - of.mean[j]) * of.scale[j] + of.bias[j];
            numbers.x[j] = from_f32<T>(act == XL_ACT_SILU ? activate(XL_ACT_SILU, y) : y);
        }
        store(out + at.start + h * at.step, numbers);
    }
}

template <typename T, int HELD>
__global__ void __launch_bounds__(HELD_THREADS, 1)
    held_kernel(const T *x, T *out, affine affine, const group_norm a, const units units) {
    constexpr int N = wide<T>;
    __shared__ float means[MAX_UNIT_GROUPS], squares[MAX_UNIT_GROUPS], rstds[MAX_UNIT_GROUPS];
    __shared__ moments own[MAX_UNIT_GROUPS];
    place at = place_of(a, units, N);
    uint4 held[HELD];
    load_held(x, at, held);
    int group[N], g = threadIdx.x;
    float of_channel[N];
    scaled<N> of;
#pragma unroll
    for (int j = 0; j < N; j++) group[j] = (at.column * N + j) / a.width;
    sum_held<T>(held, at, NULL, of_channel);
    float count = at.n_pixels > 0 ? (float)(at.n_pixels * a.width) : 1.0F;
    sum_by_group<N>(of_channel, group, units.groups, count, means);
    __syncthreads();
#pragma unroll
    for (int j = 0; j < N; j++) of.mean[j] = means[group[j]];
    sum_held<T>(held, at, of.mean, of_channel);
    sum_by_group<N>(of_channel, group, units.groups, 1.0F, squares);
    if (g < units.groups) own[g] = {means[g], squares[g]};
    sync_cluster();
    if (g < units.groups) {
        moments whole = moments_of_cluster(&own[g], units, a);
        means[g] = whole.mean;
        rstds[g] = 1.0F / sqrtf(whole.m2 / (float)(a.pixels * a.width) + (float)a.eps);
    }
    sync_cluster(); /* means and rstds are there, and nobody reads this block's moments any more */
#pragma unroll
    for (int j = 0; j < N; j++) {
        of.mean[j] = means[group[j]];
        of.scale[j] = rstds[group[j]] * affine.weight[at.channel + j];
        of.bias[j] = affine.bias[at.channel + j];
    }
    write_held(out, held, at, of, a.act);
}

template <typename T, int HELD>
static void launch_held(const group_norm *a, const units &units, affine affine,
                        cudaStream_t stream) {
    cudaLaunchAttribute cluster = {};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim = {(unsigned)units.cluster, 1, 1};
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3((unsigned)(a->n * units.n * units.cluster));
    config.blockDim = dim3((unsigned)(units.rows * units.columns));
    config.stream = stream;
    config.attrs = &cluster;
    config.numAttrs = units.cluster > 1;
    (void)cudaLaunchKernelEx(&config, held_kernel<T, HELD>, (const T *)a->x, (T *)a->out, affine,
                             *a, units);
}

template <typename T>
static void launch_held(const group_norm *a, const units &units, affine affine,
                        cudaStream_t stream) {
    if (units.held <= 2)
        launch_held<T, 2>(a, units, affine, stream);
    else if (units.held <= 4)
        launch_held<T, 4>(a, units, affine, stream);
    else if (units.held <= 8)
        launch_held<T, 8>(a, units, affine, stream);
    else if (units.held <= 12)
        launch_held<T, 12>(a, units, affine, stream);
    else if (units.held <= 16)
        launch_held<T, 16>(a, units, affine, stream);
    else
        launch_held<T, MAX_HELD>(a, units, affine, stream);
}

/* 2. The others are read twice. First, the moments of each channel in slabs of pixels; then those
 * are put together for each group; then the slabs are normalised. */

enum {
    CHUNK = 4,         /* packs that a thread loads at once */
    SLAB_COLUMNS = 64, /* packs of a pixel that a block takes, at most */
    BLOCKS_OF_SM = 8,
    MAX_CHANNELS = 1 << 21, /* of all samples together: what the workspace is surely enough for */
    MAX_SAMPLES = 65535,
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
    slab_moments_kernel(const T *x, const group_norm a, const slabs slabs) {
    __shared__ moments of_thread[BLOCK_THREADS * N]; /* [y, N, x] */
    int64_t column = first_column(), first = blockIdx.x * slabs.pixels, sample = blockIdx.z;
    int64_t n = pixels_of(slabs, a.pixels, blockIdx.x);
    int64_t step = blockDim.y * a.c;
    running<N> running = {};
    if (column < a.c / N) {
        const T *from = x + (sample * a.pixels + first + threadIdx.y) * a.c + column * N;
        int64_t left = pixels_of_thread(n, threadIdx.y);
        for (; left >= CHUNK; left -= CHUNK, from += CHUNK * step) {
            pack<T, N> numbers[CHUNK];
#pragma unroll
            for (int k = 0; k < CHUNK; k++) numbers[k] = load<T, N>(from + k * step);
            take(running, numbers);
        }
        for (; left > 0; left--, from += step) {
            pack<T, N> numbers[1] = {load<T, N>(from)};
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

/* A block a group. */
__global__ static void __launch_bounds__(BLOCK_THREADS)
    group_moments_kernel(affine affine, const group_norm a, const slabs slabs) {
    int64_t sample = blockIdx.x / a.groups, first = blockIdx.x % a.groups * a.width;
    unsigned width = a.width, n = (unsigned)slabs.n * width; /* of what is in the workspace */
    double sum = 0, m2 = 0, count = (double)(a.pixels * a.width);
    const float *moments = slabs.moments + sample * slabs.n * 2 * a.c + first;
    for (unsigned i = threadIdx.x; i < n; i += BLOCK_THREADS)
        sum += (double)pixels_of(slabs, a.pixels, i / width) *
               (double)moments[i / width * 2 * a.c + i % width];
    double mean = block_sum(sum) / count;
    for (unsigned i = threadIdx.x; i < n; i += BLOCK_THREADS) {
        const float *of_channel = moments + i / width * 2 * a.c + i % width;
        double distance = (double)of_channel[0] - mean;
        m2 += (double)of_channel[a.c] +
              (double)pixels_of(slabs, a.pixels, i / width) * distance * distance;
    }
    double rstd = 1 / sqrt(block_sum(m2) / count + a.eps);
    float *means = slabs.scales + sample * 2 * a.c + first, *scales = means + a.c;
    for (int64_t i = threadIdx.x; i < a.width; i += BLOCK_THREADS) {
        means[i] = (float)mean;
        scales[i] = (float)(rstd * affine.weight[first + i]);
    }
}

template <int ACT, typename T, int N>
__device__ static pack<T, N> normalise(pack<T, N> numbers, const scaled<N> &of,
                                       enum xl_activation act) {
    if (ACT != ANY_ACT) act = (enum xl_activation)ACT;
#pragma unroll
    for (int j = 0; j < N; j++) {
        float y = (to_f32(numbers.x[j]) - of.mean[j]) * of.scale[j] + of.bias[j];
        numbers.x[j] = from_f32<T>(activate(act, y));
    }
    return numbers;
}

/* The last slabs first: they were read last and may still be in the cache. */
template <typename T, int N, int ACT>
__global__ void __launch_bounds__(BLOCK_THREADS)
    normalise_kernel(const T *x, T *out, affine affine, const group_norm a, const slabs slabs) {
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
    int64_t at = (sample * a.pixels + first + threadIdx.y) * c + column * N;
    int64_t step = blockDim.y * c, left = pixels_of_thread(n, threadIdx.y);
    for (; left >= CHUNK; left -= CHUNK, at += CHUNK * step) {
        pack<T, N> numbers[CHUNK];
#pragma unroll
        for (int k = 0; k < CHUNK; k++) numbers[k] = load<T, N>(x + at + k * step);
#pragma unroll
        for (int k = 0; k < CHUNK; k++)
            store(out + at + k * step, normalise<ACT>(numbers[k], of, a.act));
    }
    for (; left > 0; left--, at += step)
        store(out + at, normalise<ACT>(load<T, N>(x + at), of, a.act));
}

template <typename T, int N, int ACT>
static void launch_normalise(const group_norm *a, const slabs &slabs, affine affine,
                             cudaStream_t stream) {
    normalise_kernel<T, N, ACT><<<slabs.blocks, slabs.threads, 0, stream>>>(
        (const T *)a->x, (T *)a->out, affine, *a, slabs);
}

template <typename T, int N>
static void launch_slabs(const group_norm *a, affine affine, cudaStream_t stream) {
    slabs slabs = slabs_of<N>(a);
    slab_moments_kernel<T, N>
        <<<slabs.blocks, slabs.threads, 0, stream>>>((const T *)a->x, *a, slabs);
    group_moments_kernel<<<(unsigned)(a->n * a->groups), BLOCK_THREADS, 0, stream>>>(affine, *a,
                                                                                     slabs);
    if (N > 1 && a->act == XL_ACT_SILU)
        launch_normalise<T, N, XL_ACT_SILU>(a, slabs, affine, stream);
    else if (N > 1 && a->act == XL_ACT_NONE)
        launch_normalise<T, N, XL_ACT_NONE>(a, slabs, affine, stream);
    else
        launch_normalise<T, N, ANY_ACT>(a, slabs, affine, stream);
}

template <typename T> static void launch_group_norm(const group_norm *a, cudaStream_t stream) {
    affine affine = {(const float *)a->weight->data, (const float *)a->bias->data};
    struct units units = {};
    if (find_units<T>(a, &units))
        launch_held<T>(a, units, affine, stream);
    else if (is_wide<T>(a->x, a->c) && is_wide<T>(a->out, a->c))
        launch_slabs<T, wide<T>>(a, affine, stream);
    else
        launch_slabs<T, 1>(a, affine, stream);
}

static bool run_group_norm(const void *args, cudaStream_t stream) {
    const group_norm *a = (const group_norm *)args;
    XL_WITH_TYPE(a->dtype, T, launch_group_norm<T>(a, stream));
    return xl_cuda_is_queued();
}

/* Not where the kernels were made from those of an older architecture. */
static bool is_built_with_clusters(void) {
    cudaFuncAttributes attributes;
    return cudaFuncGetAttributes(&attributes, held_kernel<float, MAX_HELD>) == cudaSuccess &&
           attributes.ptxVersion >= 90;
}

enum xl_status xl_cuda_compile_group_norm(struct xl_cuda_compiler *c, struct xl_err *err) {
    const struct xl_group_norm *attr = &c->op->attr.group_norm;
    group_norm *a = (group_norm *)xl_cuda_launch(c, run_group_norm, sizeof *a, err);
    if (!a) return XL_ENOMEM;
    struct xl_cuda_operand x = xl_cuda_in(c, 0);
    a->x = x.data;
    a->out = xl_cuda_out(c).data;
    a->dtype = x.dtype;
    a->workspace = &c->backend->workspace;
    a->eps = attr->eps;
    a->act = attr->act;
    a->groups = attr->groups;
    a->n = x.shape.dim[0];
    a->c = xl_shape_last(x.shape);
    a->pixels = xl_shape_count(x.shape) / (a->n * a->c);
    a->sms = c->backend->properties.multiProcessorCount;
    a->has_clusters = c->backend->properties.major >= 9 && is_built_with_clusters();
    if (a->n > MAX_SAMPLES || a->n * a->c > MAX_CHANNELS)
        return xl_fail(err, XL_EINTERNAL, "group_norm: %lld samples of %lld channels are too many",
                       (long long)a->n, (long long)a->c);
    a->width = (int)(a->c / attr->groups);
    enum xl_status status = xl_cuda_floats(c, c->op->in[1], &a->weight, err);
    return status ? status : xl_cuda_floats(c, c->op->in[2], &a->bias, err);
}
