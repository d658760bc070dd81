/* noise.h - PyTorch's random normal numbers, bit for bit where arithmetic allows.
 * One generator belongs to one image: its numbers do not depend on the rest of the batch.
 */
#ifndef XL_TENSOR_NOISE_H
#define XL_TENSOR_NOISE_H

#include "base/status.h"

/* Mersenne Twister MT19937 as in at::CPUGeneratorImpl, or Philox 4x32-10 as in the CUDA generator.
 */
struct xl_noise {
    enum xl_rng rng;
    uint64_t seed;
    uint64_t offset; /* Philox: numbers that each thread has drawn */
    uint32_t state[624];
    int next;        /* MT19937: index of the next word of state */
    bool has_cached; /* MT19937: the second number of a Box-Muller pair is waiting */
    double cached;
};

/* torch.Generator(device).manual_seed(seed) */
void xl_noise_seed(struct xl_noise *noise, enum xl_rng rng, uint64_t seed);

/* One call of torch.randn(n, generator=..., dtype=float32); successive calls continue the stream as
 * successive calls of torch.randn do. Within 2e-6 of PyTorch, whose logarithms, sines and cosines
 * are approximations that depend on the processor. The CUDA form is that of an H100 or H200. Other
 * GPUs agree with it for as many numbers as they run threads at once: an A100 for 221184, which are
 * the latents of 1880 x 1880 pixels.
 * out: [n] */
void xl_noise_normal(struct xl_noise *noise, float *out, int64_t n);

#endif
