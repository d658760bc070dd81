/* noise_mt19937.c - torch.randn with a CPU generator.
 * Sources: Matsumoto and Nishimura 1998 (mt19937ar) for the generator; PyTorch's
 * ATen/core/DistributionsHelper.h (uniform and scalar normal numbers) and
 * ATen/native/cpu/DistributionTemplates.h (normal_fill) for what is made of its words.
 */
#include "tensor/noise_kinds.h"

#include <math.h>

enum { N = 624, M = 397, BLOCK = 16 };

void xl_mt19937_seed(struct xl_noise *noise, uint64_t seed) {
    uint32_t *state = noise->state;
    state[0] = (uint32_t)seed; /* the high half is dropped, as at::mt19937 does */
    for (uint32_t i = 1; i < N; i++)
        state[i] = 1812433253u * (state[i - 1] ^ state[i - 1] >> 30) + i;
    noise->next = N;
}

static void next_state(struct xl_noise *noise) {
    uint32_t *state = noise->state;
    for (int i = 0; i < N; i++) {
        uint32_t y = (state[i] & 0x80000000u) | (state[(i + 1) % N] & 0x7FFFFFFFu);
        state[i] = state[(i + M) % N] ^ y >> 1 ^ (y & 1 ? 0x9908B0DFu : 0);
    }
    noise->next = 0;
}

static uint32_t next_word(struct xl_noise *noise) {
    if (noise->next == N) next_state(noise);
    uint32_t y = noise->state[noise->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9D2C5680u;
    y ^= y << 15 & 0xEFC60000u;
    return y ^ y >> 18;
}

/* [0, 1) with 24 and with 53 bits. */
static float uniform_float(struct xl_noise *noise) {
    return (float)(next_word(noise) & 0xFFFFFF) * 0x1p-24f;
}

static double uniform_double(struct xl_noise *noise) {
    uint64_t high = next_word(noise), low = next_word(noise);
    return (double)((high << 32 | low) & 0x1FFFFFFFFFFFFFu) * 0x1p-53;
}

/* Box-Muller makes two numbers; the generator keeps the second for the next call, which may be of
 * another torch.randn. */
static float scalar_normal(struct xl_noise *noise) {
    if (noise->has_cached) {
        noise->has_cached = false;
        return (float)noise->cached;
    }
    double u1 = uniform_double(noise), u2 = uniform_double(noise);
    double radius = sqrt(-2 * log1p(-u2)), theta = 2 * M_PI * u1;
    noise->cached = radius * sin(theta);
    noise->has_cached = true;
    return (float)(radius * cos(theta));
}

/* 16 uniform numbers to 16 normal ones: the i-th and the (i + 8)-th are a pair. */
static void normal_block(float *block) {
    for (int i = 0; i < BLOCK / 2; i++) {
        float radius = sqrtf(-2 * logf(1 - block[i]));
        float theta = (float)(2 * M_PI) * block[i + BLOCK / 2];
        block[i] = radius * cosf(theta);
        block[i + BLOCK / 2] = radius * sinf(theta);
    }
}

static void fill_uniform(struct xl_noise *noise, float *out, int64_t n) {
    for (int64_t i = 0; i < n; i++) out[i] = uniform_float(noise);
}

void xl_mt19937_normal(struct xl_noise *noise, float *out, int64_t n) {
    if (n < BLOCK) {
        for (int64_t i = 0; i < n; i++) out[i] = scalar_normal(noise);
        return;
    }
    fill_uniform(noise, out, n);
    for (int64_t i = 0; i + BLOCK <= n; i += BLOCK) normal_block(out + i);
    if (n % BLOCK) { /* the last block is drawn anew, over the end of the one before it */
        fill_uniform(noise, out + n - BLOCK, BLOCK);
        normal_block(out + n - BLOCK);
    }
}
