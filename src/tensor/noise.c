/* noise.c - one interface to the two generators that PyTorch has, one for each kind of device. */
#include "tensor/noise_kinds.h"

void xl_noise_seed(struct xl_noise *noise, enum xl_rng rng, uint64_t seed) {
    *noise = (struct xl_noise){.rng = rng, .seed = seed};
    if (rng == XL_RNG_TORCH_CPU) xl_mt19937_seed(noise, seed);
}

void xl_noise_normal(struct xl_noise *noise, float *out, int64_t n) {
    if (noise->rng == XL_RNG_TORCH_CPU)
        xl_mt19937_normal(noise, out, n);
    else
        xl_philox_normal(noise, out, n);
}
