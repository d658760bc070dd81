/* group_norm.cuh - group norm: (x - mean) / sqrt(var + eps) * weight + bias, with the mean square
 * distance from the mean as var, in two ways.
 *
 * Distances are always taken from a mean that is known, and partial results are put together by the
 * formula of Chan et al. (1979), which does not suffer when the mean is large beside the deviation.
 * (x - mean) * scale + bias multiplied out would save a subtraction and lose digits then. */
#ifndef XL_BACKEND_CUDA_GROUP_NORM_CUH
#define XL_BACKEND_CUDA_GROUP_NORM_CUH

#include "backend/cuda/f8.cuh"

namespace xl {

struct group_norm {
    const void *x;
    void *out;
    enum xl_dtype dtype;
    const struct xl_cuda_weight *weight, *bias;
    const struct xl_cuda_weight *left_bias; /* [c], left to be added to x; NULL: none was */
    const void *left_channel_bias;          /* [n, c], likewise */
    bool is_f8;                             /* the result is a picture in F8 */
    size_t bounds;                          /* of it, in the constants */
    const struct xl_cuda_space *space;
    const struct xl_cuda_workspace *workspace;
    double eps;
    enum xl_activation act;
    int64_t n, pixels, c; /* pixels: of a sample */
    int groups, width;    /* width: channels of a group */
    int sms;
    bool has_clusters;
};

/* Of channels, on the device. */
struct affine {
    const float *weight, *bias;
    const float *left_bias;        /* [c], or NULL */
    const void *left_channel_bias; /* [n, c], or NULL */
    const float *f8_factor;        /* the result is in F8: a number times this; NULL: it is not */
};

/* What was left to be added to N channels of a sample. */
template <int N> struct left {
    bool is_any;
    float x[N];
};

template <typename T, int N>
__device__ inline left<N> left_of(const affine &affine, int64_t sample, int64_t c,
                                  int64_t channel) {
    left<N> left = {affine.left_bias || affine.left_channel_bias};
    const T *channel_bias = (const T *)affine.left_channel_bias;
#pragma unroll
    for (int j = 0; j < N; j++) {
        left.x[j] = affine.left_bias ? affine.left_bias[channel + j] : 0.0F;
        if (channel_bias) left.x[j] += to_f32(channel_bias[sample * c + channel + j]);
    }
    return left;
}

/* Numbers as they would lie in memory, had it been added before. */
template <typename T, int N>
__device__ inline pack<T, N> with(pack<T, N> numbers, const left<N> &left) {
#pragma unroll
    for (int j = 0; j < N; j++) numbers.x[j] = from_f32<T>(to_f32(numbers.x[j]) + left.x[j]);
    return numbers;
}

struct moments {
    float mean, m2; /* m2: the sum of squared distances from the mean */
};

/* Numbers of the result at `at`, in T or in F8. */
template <typename T, int N>
__device__ inline void write(void *out, int64_t at, const float *y, const affine &affine) {
    if (sizeof(T) == 2 && affine.f8_factor) {
        store((unsigned char *)out + at, to_f8<N>(y, *affine.f8_factor));
        return;
    }
    pack<T, N> numbers;
#pragma unroll
    for (int j = 0; j < N; j++) numbers.x[j] = from_f32<T>(y[j]);
    store((T *)out + at, numbers);
}

/* What a thread keeps of its channels. */
template <int N> struct scaled { float mean[N], scale[N], bias[N]; };

/* Queue it for a picture that fits into registers; false: it does not. */
bool group_norm_held(const group_norm *a, affine affine, cudaStream_t stream);
/* Whether the kernels of that were made for GPUs with clusters. */
bool group_norm_has_clusters();
/* Queue it for any picture, of at most so many samples, and channels of all of them together: what
 * the workspace is surely enough for. */
enum { MAX_SAMPLES = 65535, MAX_CHANNELS = 1 << 21 };
void group_norm_slabs(const group_norm *a, affine affine, cudaStream_t stream);

} // namespace xl

#endif
