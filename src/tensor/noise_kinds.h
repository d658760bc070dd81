/* noise_kinds.h - the two generators behind noise.h. */
#ifndef XL_TENSOR_NOISE_KINDS_H
#define XL_TENSOR_NOISE_KINDS_H

#include "tensor/noise.h"

void xl_mt19937_seed(struct xl_noise *noise, uint64_t seed);
void xl_mt19937_normal(struct xl_noise *noise, float *out, int64_t n);

void xl_philox_normal(struct xl_noise *noise, float *out, int64_t n);

#endif
