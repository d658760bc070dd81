/* noise.c - PyTorch's random normal numbers: MT19937 with Box-Muller as at::CPUGeneratorImpl and
 * normal_fill use them, Philox 4x32-10 as the CUDA generator and its distribution kernels do.
 * Sources: Matsumoto and Nishimura 1998; Salmon et al. 2011; PyTorch's DistributionTemplates.h. */
#include "tensor/noise.h"

#include <math.h>

/* ---- MT19937 ---- */

enum { MT_N = 624, MT_M = 397 };

static void mt_seed(struct xl_noise *noise, uint32_t seed) {
    noise->state[0] = seed;
    for (uint32_t i = 1; i < MT_N; i++) {
        uint32_t last = noise->state[i - 1];
        noise->state[i] = 1812433253u * (last ^ last >> 30) + i;
    }
    noise->next = MT_N;
}

static void mt_refill(struct xl_noise *noise) {
    uint32_t *s = noise->state;
    for (int i = 0; i < MT_N; i++) {
        uint32_t y = (s[i] & 0x80000000u) | (s[(i + 1) % MT_N] & 0x7FFFFFFFu);
        s[i] = s[(i + MT_M) % MT_N] ^ y >> 1 ^ (y & 1 ? 0x9908B0DFu : 0);
    }
    noise->next = 0;
}

static uint32_t mt_next(struct xl_noise *noise) {
    if (noise->next == MT_N) mt_refill(noise);
    uint32_t y = noise->state[noise->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9D2C5680u;
    y ^= y << 15 & 0xEFC60000u;
    return y ^ y >> 18;
}

/* 24 random bits in [0, 1) */
static float mt_uniform(struct xl_noise *noise) {
    return (float)(mt_next(noise) & 0xFFFFFF) * 0x1p-24f;
}

/* 53 random bits in [0, 1); the first word is the high one */
static double mt_uniform_double(struct xl_noise *noise) {
    uint64_t high = mt_next(noise), low = mt_next(noise);
    return (double)((high << 32 | low) & 0x1FFFFFFFFFFFFFu) * 0x1p-53;
}

/* Eight pairs: number j and number j + 8 of a block of sixteen uniform ones. */
static void box_muller_16(float *x) {
    const float two_pi = 6.28318530717958647692f;
    for (int j = 0; j < 8; j++) {
        float radius = sqrtf(-2.0f * logf(1.0f - x[j])), theta = two_pi * x[j + 8];
        x[j] = radius * cosf(theta);
        x[j + 8] = radius * sinf(theta);
    }
}

static void mt_normal_blocks(struct xl_noise *noise, float *out, int64_t n) {
    for (int64_t i = 0; i < n; i++) out[i] = mt_uniform(noise);
    for (int64_t i = 0; i + 16 <= n; i += 16) box_muller_16(out + i);
    if (n % 16 == 0) return;
    float *last = out + n - 16; /* a ragged end is drawn anew as one whole block */
    for (int i = 0; i < 16; i++) last[i] = mt_uniform(noise);
    box_muller_16(last);
}

/* Fewer than sixteen numbers: pairs in double precision, the second one kept for the next call. */
static double mt_normal_single(struct xl_noise *noise) {
    if (noise->has_cached) {
        noise->has_cached = false;
        return noise->cached;
    }
    double u1 = mt_uniform_double(noise), u2 = mt_uniform_double(noise);
    double radius = sqrt(-2.0 * log1p(-u2)), theta = 6.28318530717958647692 * u1;
    noise->cached = radius * sin(theta);
    noise->has_cached = true;
    return radius * cos(theta);
}

/* ---- Philox 4x32-10 ---- */

struct philox {
    uint32_t counter[4], key[2];
};

static void philox_round(struct philox *p) {
    uint64_t a = (uint64_t)p->counter[0] * 0xD2511F53u, b = (uint64_t)p->counter[2] * 0xCD9E8D57u;
    uint32_t c1 = p->counter[1], c3 = p->counter[3];
    p->counter[0] = (uint32_t)(b >> 32) ^ c1 ^ p->key[0];
    p->counter[1] = (uint32_t)b;
    p->counter[2] = (uint32_t)(a >> 32) ^ c3 ^ p->key[1];
    p->counter[3] = (uint32_t)a;
    p->key[0] += 0x9E3779B9u;
    p->key[1] += 0xBB67AE85u;
}

/* The four normal numbers that curand_normal4 gives a thread at a counter. */
static void philox_normal4(uint64_t seed, uint64_t thread, uint64_t counter, float out[4]) {
    struct philox p = {
        {(uint32_t)counter, (uint32_t)(counter >> 32), (uint32_t)thread, (uint32_t)(thread >> 32)},
        {(uint32_t)seed, (uint32_t)(seed >> 32)}};
    for (int i = 0; i < 10; i++) philox_round(&p);
    const float two_pi_scale = 0x1p-32f * 6.28318530717958647692f;
    for (int i = 0; i < 4; i += 2) {
        float u = (float)p.counter[i] * 0x1p-32f + 0x1p-33f;
        float v = (float)p.counter[i + 1] * two_pi_scale + two_pi_scale / 2;
        float radius = sqrtf(-2.0f * logf(u));
        out[i] = radius * sinf(v);
        out[i + 1] = radius * cosf(v);
    }
}

/* The launch of PyTorch's distribution kernels on a card of 132 multiprocessors (H100, H200):
 * blocks of 256 threads, at most 8 blocks a multiprocessor, four numbers a thread and pass, which
 * go to elements one grid apart. Up to 270,336 numbers there is one pass and one element a thread,
 * on any card that is large enough for that. */
enum { BLOCK = 256, MAX_BLOCKS = 132 * 8, UNROLL = 4 };

static void philox_normal(struct xl_noise *noise, float *out, int64_t n) {
    int64_t blocks = (n + BLOCK - 1) / BLOCK;
    if (blocks > MAX_BLOCKS) blocks = MAX_BLOCKS;
    int64_t threads = blocks * BLOCK, per_pass = threads * UNROLL;
    uint64_t counter = noise->offset / 4, n_passes = (uint64_t)((n + per_pass - 1) / per_pass);
    for (int64_t thread = 0; thread < threads && thread < n; thread++)
        for (uint64_t pass = 0; pass < n_passes; pass++) {
            float normal[4];
            philox_normal4(noise->seed, (uint64_t)thread, counter + pass, normal);
            for (int k = 0; k < UNROLL; k++) {
                int64_t i = (int64_t)pass * per_pass + k * threads + thread;
                if (i < n) out[i] = normal[k];
            }
        }
    noise->offset += 4 * n_passes;
}

void xl_noise_seed(struct xl_noise *noise, enum xl_rng rng, uint64_t seed) {
    *noise = (struct xl_noise){.rng = rng, .seed = seed};
    mt_seed(noise, (uint32_t)seed); /* PyTorch takes the low 32 bits */
}

void xl_noise_normal(struct xl_noise *noise, float *out, int64_t n) {
    if (n <= 0) return;
    if (noise->rng == XL_RNG_TORCH_CUDA)
        philox_normal(noise, out, n);
    else if (n >= 16)
        mt_normal_blocks(noise, out, n);
    else
        for (int64_t i = 0; i < n; i++) out[i] = (float)mt_normal_single(noise);
}
