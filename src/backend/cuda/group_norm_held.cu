/* group_norm_held.cu - group norm of pictures that fit into registers: they are read once. A block
 * holds some pixels of a few groups, so many that their channels are whole packs: a unit. The
 * blocks of a unit are a cluster. */
#include "backend/cuda/group_norm.cuh"

#include <cooperative_groups.h>

using namespace xl;

enum {
    HELD_THREADS = 512,
    MAX_UNIT_GROUPS = 8,
    MAX_CLUSTER = 8,
    /* Packs that a thread holds, at most. In large clusters reading twice by more threads is faster
     * than many: 0.034 against 0.042 ms for 2 x 128 x 128 x 320. */
    MAX_HELD = 22,
    HELD_IN_CLUSTERS = 12,
    LARGE_CLUSTER = 4,
};

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
        if (held > (cluster < LARGE_CLUSTER ? MAX_HELD : HELD_IN_CLUSTERS)) continue;
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
    int64_t sample;
    int channel, column; /* the first channel; packs before it in the unit */
    int left, rows;      /* pixels of the block from the thread's first on */
    int n_pixels;        /* of the block */
};

/* n: numbers of a pack */
__device__ static place place_of(const group_norm &a, const units &units, int n) {
    int rank = blockIdx.x % units.cluster, unit = blockIdx.x / units.cluster % units.n;
    int row = threadIdx.x / units.columns;
    place at;
    at.sample = blockIdx.x / units.cluster / units.n;
    at.column = threadIdx.x % units.columns;
    at.channel = unit * units.groups * a.width + at.column * n;
    at.start = (at.sample * a.pixels + rank * units.block_pixels + row) * a.c + at.channel;
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

template <typename T, int HELD>
__device__ static void add_left(uint4 (&held)[HELD], const place &at, const left<wide<T>> &left) {
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        if (h * at.rows >= at.left) continue;
        pack<T, wide<T>> numbers = with(numbers_of<T>(held[h]), left);
        held[h] = reinterpret_cast<const uint4 &>(numbers);
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

template <typename T, int HELD>
__device__ static void write_held(void *out, uint4 (&held)[HELD], const place &at,
                                  const scaled<wide<T>> &of, enum xl_activation act,
                                  const affine &affine) {
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        if (h * at.rows >= at.left) continue;
        pack<T, wide<T>> numbers = numbers_of<T>(held[h]);
        float y[wide<T>];
#pragma unroll
        for (int j = 0; j < wide<T>; j++) {
            y[j] = (to_f32(numbers.x[j]) - of.mean[j]) * of.scale[j] + of.bias[j];
            if (act == XL_ACT_SILU) y[j] = activate(XL_ACT_SILU, y[j]);
        }
        write<T, wide<T>>(out, at.start + h * at.step, y, affine);
    }
}

template <typename T, int HELD>
__global__ void __launch_bounds__(HELD_THREADS, 1)
    held_kernel(const T *x, void *out, affine affine, const group_norm a, const units units) {
    constexpr int N = wide<T>;
    __shared__ float means[MAX_UNIT_GROUPS], squares[MAX_UNIT_GROUPS], rstds[MAX_UNIT_GROUPS];
    __shared__ moments own[MAX_UNIT_GROUPS];
    place at = place_of(a, units, N);
    uint4 held[HELD];
    load_held(x, at, held);
    left<N> left = left_of<T, N>(affine, at.sample, a.c, at.channel);
    if (left.is_any) add_left<T>(held, at, left);
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
    write_held<T>(out, held, at, of, a.act, affine);
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
    (void)cudaLaunchKernelEx(&config, held_kernel<T, HELD>, (const T *)a->x, a->out, affine, *a,
                             units);
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
    else if (units.held <= HELD_IN_CLUSTERS)
        launch_held<T, HELD_IN_CLUSTERS>(a, units, affine, stream);
    else if (units.held <= 16)
        launch_held<T, 16>(a, units, affine, stream);
    else
        launch_held<T, MAX_HELD>(a, units, affine, stream);
}

template <typename T>
static bool run_held(const group_norm *a, affine affine, cudaStream_t stream) {
    units units = {};
    if (!find_units<T>(a, &units)) return false;
    launch_held<T>(a, units, affine, stream);
    return true;
}

bool xl::group_norm_held(const group_norm *a, affine affine, cudaStream_t stream) {
    XL_WITH_TYPE(a->dtype, T, return run_held<T>(a, affine, stream));
    return false;
}

/* Not where the kernels were made from those of an older architecture. */
bool xl::group_norm_has_clusters() {
    cudaFuncAttributes attributes;
    return cudaFuncGetAttributes(&attributes, held_kernel<float, MAX_HELD>) == cudaSuccess &&
           attributes.ptxVersion >= 90;
}
