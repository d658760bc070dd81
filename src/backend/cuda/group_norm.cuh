/* group_norm.cuh - group norm: (x - mean) / sqrt(var + eps) * weight + bias, with the mean square
 * distance from the mean as var, in two ways.
 *
 * Distances are always taken from a mean that is known, and partial results are put together by the
 * formula of Chan et al. (1979), which does not suffer when the mean is large beside the deviation.
 * (x - mean) * scale + bias multiplied out would save a subtraction and lose digits then. */
#ifndef XL_BACKEND_CUDA_GROUP_NORM_CUH
#define XL_BACKEND_CUDA_GROUP_NORM_CUH

#include "backend/cuda/rows.cuh"

namespace xl {

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

/* Of channels, on the device. */
struct affine {
    const float *weight, *bias;
};

struct moments {
    float mean, m2; /* m2: the sum of squared distances from the mean */
};

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
