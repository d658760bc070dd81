/* hopper_product.cu - which kernels there are (hopper_tile.cuh), and how they are launched. */
#include "backend/cuda/hopper_tile.cuh"

extern "C" {
#include "backend/cuda/hopper.h"
}

using namespace xl;
using namespace xl::hopper;

/* Columns of a tile, and blocks of a cluster. The widest tiles read least; narrower ones leave
 * fewer multiprocessors idle where there are few tiles. */
static const char *const names[XL_CUDA_HOPPER_WAYS] = {"256x4 in turns", "256x2", "192x2", "160x2",
                                                       "160x1"};

const char *xl_cuda_hopper_name(int way) {
    return names[way];
}

bool xl_cuda_is_hopper(const struct xl_cuda_backend *backend) {
    return backend->properties.major == 9 && backend->properties.minor == 0;
}

/* --- Which kernel -------------------------------------------------------------------------------
 */

struct kernel {
    const void *function; /* NULL: there is none */
    int shared_bytes;
    int blocks, rows, columns, w_rows; /* of a cluster, of a tile, of a copy */
};

template <typename S> static kernel kernel_of() {
    return {(const void *)product_kernel<S>,
            S::shared_bytes,
            S::BLOCKS,
            S::rows,
            S::columns,
            S::part_rows};
}

template <typename T, typename Out, ending END> static kernel wide_kernel(int way) {
    switch (way) {
    case 0:
        return kernel_of<tile<T, Out, 256, 4, END, true>>();
    case 1:
        return kernel_of<tile<T, Out, 256, 2, END, false>>();
    default:
        return {};
    }
}

template <typename T, typename Out, ending END, bool IS_BLOCKED = false>
static kernel narrow_kernel(int way) {
    switch (way) {
    case 3:
        return kernel_of<tile<T, Out, 160, 2, END, false, IS_BLOCKED>>();
    case 4:
        return kernel_of<tile<T, Out, 160, 1, END, false, IS_BLOCKED>>();
    default:
        return {};
    }
}

template <typename T, typename Out, ending END> static kernel narrower_kernel(int way) {
    return way == 2 ? kernel_of<tile<T, Out, 192, 2, END, false>>()
                    : narrow_kernel<T, Out, END>(way);
}

/* Residuals that are held leave no registers for the widest tiles. */
template <typename T, typename Out> static kernel kernel_of_types(int way, ending end) {
    constexpr ending gate = sizeof(T) == 1 ? ending::gate_f8 : ending::gate;
    if (end == gate) return wide_kernel<T, Out, gate>(way);
    if (end == ending::residual) return narrower_kernel<T, Out, ending::residual>(way);
    if (end != ending::plain) return {};
    return way < 2 ? wide_kernel<T, Out, ending::plain>(way)
                   : narrower_kernel<T, Out, ending::plain>(way);
}

template <typename Out> static kernel kernel_of_f8(int way, ending end, bool is_blocked) {
    if (!is_blocked) return kernel_of_types<__nv_fp8_e4m3, Out>(way, end);
    return end == ending::residual ? narrow_kernel<__nv_fp8_e4m3, Out, ending::residual, true>(way)
                                   : kernel{};
}

static ending ending_of(const xl_cuda_product_shape *s) {
    if (s->is_gated) return s->out_form == XL_CUDA_F8_BLOCKS ? ending::gate_f8 : ending::gate;
    return s->has_residual ? ending::residual : ending::plain;
}

static kernel find_kernel(int way, const xl_cuda_product_shape *s) {
    bool is_f16 = s->out_dtype == XL_DTYPE_F16, is_blocked = s->x_form == XL_CUDA_F8_BLOCKS;
    ending end = ending_of(s);
    if (s->x_form != XL_CUDA_AS_TYPED)
        return is_f16 ? kernel_of_f8<__half>(way, end, is_blocked)
                      : kernel_of_f8<__nv_bfloat16>(way, end, is_blocked);
    return is_f16 ? kernel_of_types<__half, __half>(way, end)
                  : kernel_of_types<__nv_bfloat16, __nv_bfloat16>(way, end);
}

bool xl_cuda_hopper_suits(int way, const xl_cuda_product_shape *s) {
    bool is_f8 = s->x_form != XL_CUDA_AS_TYPED;
    bool is_typed = s->out_dtype != XL_DTYPE_F32 && (is_f8 || s->dtype == s->out_dtype);
    bool is_whole = s->x_form != XL_CUDA_F8_BLOCKS || s->k % XL_CUDA_F8_BLOCK == 0;
    int64_t n = s->is_gated ? s->n / 2 : s->n, unit = s->out_form == XL_CUDA_AS_TYPED ? 8 : 16;
    return is_typed && is_whole && !s->is_w_turned && s->alignment >= 16 && n % unit == 0 &&
           find_kernel(way, s).function;
}

/* --- Launching ----------------------------------------------------------------------------------
 */

/* A function of the driver, which the runtime finds. */
static decltype(&cuTensorMapEncodeTiled) find_encoder() {
    decltype(&cuTensorMapEncodeTiled) encode = NULL;
    void **at = (void **)&encode;
    const char *name = "cuTensorMapEncodeTiled";
    cudaDriverEntryPointQueryResult found;
#if CUDART_VERSION >= 12050
    cudaError_t error =
        cudaGetDriverEntryPointByVersion(name, at, 12000, cudaEnableDefault, &found);
#else
    cudaError_t error = cudaGetDriverEntryPoint(name, at, cudaEnableDefault, &found);
#endif
    return error == cudaSuccess && found == cudaDriverEntryPointSuccess ? encode : NULL;
}

struct rows {
    const void *data;
    bool is_f8;
    int64_t n, k, stride;
};

/* How the tensor memory unit is to copy `at_once` of them. */
static bool describe(CUtensorMap *map, const rows &rows, int at_once) {
    decltype(&cuTensorMapEncodeTiled) encode = find_encoder();
    cuuint64_t size = rows.is_f8 ? 1 : 2;
    cuuint64_t sizes[] = {(cuuint64_t)rows.k, (cuuint64_t)rows.n};
    cuuint64_t strides[] = {(cuuint64_t)rows.stride * size};
    cuuint32_t box[] = {(cuuint32_t)(ROW_BYTES / size), (cuuint32_t)at_once}, steps[] = {1, 1};
    return encode &&
           encode(map, rows.is_f8 ? CU_TENSOR_MAP_DATA_TYPE_UINT8 : CU_TENSOR_MAP_DATA_TYPE_UINT16,
                  2, (void *)rows.data, sizes, strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
                  CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                  CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
}

static product product_of(const kernel &kernel, const xl_cuda_product_shape *s,
                          const xl_cuda_product_data *data) {
    int64_t n = s->is_gated ? s->n / 2 : s->n, k = s->x_form == XL_CUDA_AS_TYPED ? 64 : 128;
    product p = {};
    if (s->has_residual) p.residual = data->residual;
    if (s->has_bias) p.bias = data->bias;
    p.x_scales = data->x_scales;
    p.w_scales = data->w_scales;
    p.out = data->out;
    p.out_scales = xl_cuda_f8_rows_at(data->out, s->m, n).scales;
    p.out_stride = s->out_stride;
    p.factor = data->factor;
    p.m = (int)s->m;
    p.n = (int)n;
    p.gates = (int)n;
    p.k_steps = (int)blocks_for(s->k, k);
    p.cluster_rows = (int)blocks_for(s->m, kernel.rows * kernel.blocks);
    p.cluster_columns = (int)blocks_for(n, kernel.columns);
    return p;
}

/* Clusters that the GPU holds at once; 0: it cannot be told. */
static int clusters_at_once(const kernel &kernel, const cudaLaunchConfig_t &config) {
    int device, processors = 0, clusters = 0;
    if (kernel.blocks > 1)
        return cudaOccupancyMaxActiveClusters(&clusters, kernel.function, &config) == cudaSuccess
                   ? clusters
                   : 0;
    bool is_told = cudaGetDevice(&device) == cudaSuccess &&
                   cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device) ==
                       cudaSuccess;
    return is_told ? processors : 0;
}

static bool launch(const kernel &kernel, void **args, const product &p, cudaStream_t stream) {
    if (cudaFuncSetAttribute(kernel.function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             kernel.shared_bytes) != cudaSuccess)
        return false;
    cudaLaunchAttribute cluster = {};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim = {(unsigned)kernel.blocks, 1, 1};
    cudaLaunchConfig_t config = {};
    config.gridDim = (unsigned)kernel.blocks;
    config.blockDim = THREADS;
    config.dynamicSmemBytes = (size_t)kernel.shared_bytes;
    config.stream = stream;
    config.attrs = &cluster;
    config.numAttrs = kernel.blocks > 1;
    int tiles = p.cluster_rows * p.cluster_columns, at_once = clusters_at_once(kernel, config);
    config.gridDim.x *= (unsigned)(tiles < at_once ? tiles : at_once);
    return at_once && cudaLaunchKernelExC(&config, kernel.function, args) == cudaSuccess;
}

bool xl_cuda_hopper_run(int way, const xl_cuda_product_shape *s, const xl_cuda_product_data *data,
                        cudaStream_t stream) {
    kernel kernel = find_kernel(way, s);
    bool is_f8 = s->x_form != XL_CUDA_AS_TYPED;
    CUtensorMap x, w;
    if (!describe(&x, {data->x, is_f8, s->m, s->k, s->x_stride}, kernel.rows) ||
        !describe(&w, {data->w, is_f8, s->n, s->k, s->w_stride}, kernel.w_rows))
        return false;
    product p = product_of(kernel, s, data);
    void *args[] = {&x, &w, &p};
    return launch(kernel, args, p, stream);
}
