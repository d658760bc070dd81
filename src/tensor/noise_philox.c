/* noise_philox.c - torch.randn with a CUDA generator, computed on the host.
 * Sources: Salmon et al. 2011 (Philox 4x32-10); curand_kernel.h and curand_normal.h for the use of
 * its counter and for Box-Muller in single precision; PyTorch's
 * ATen/native/cuda/DistributionTemplates.h for which thread makes which number.
 */
#include "tensor/noise_kinds.h"

#include <math.h>

/* PyTorch starts as many threads as are resident at once. Where that is fewer than there are
 * numbers the result depends on the GPU; these are the threads of an H100 or H200 (132
 * multiprocessors of 2048 threads). An A100 (108) draws other numbers for more than 221184 of them.
 */
enum { BLOCK_THREADS = 256, MAX_BLOCKS = 132 * 2048 / BLOCK_THREADS, UNROLL = 4 };

struct words {
    uint32_t at[4];
};

/* counter: the low half counts what one thread draws, the high half is the thread. */
static struct words philox(uint64_t key, uint64_t low, uint64_t high) {
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    struct words c = {
        {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32)}};
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c.at[0], p1 = (uint64_t)0xCD9E8D57u * c.at[2];
        c = (struct words){{(uint32_t)(p1 >> 32) ^ c.at[1] ^ k0, (uint32_t)p1,
                            (uint32_t)(p0 >> 32) ^ c.at[3] ^ k1, (uint32_t)p0}};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

/* The fast sine and cosine of a GPU first make the angle a part of a whole turn, a float that seems
 * to be rounded towards zero: with it the largest distance to 8 million numbers of an H100
 * is 1.4e-6, without it 3.1e-6. */
static double turns_of(float angle) {
    double exact = (double)angle * (double)(float)(0.5 / M_PI); /* 48 bits: no rounding */
    float turns = (float)exact;
    return (double)turns > exact ? nextafterf(turns, 0) : turns;
}

/* _curand_box_muller. The fused operations are the compiler's there; where u is close to 1, the
 * number would come out quite another without them. */
static void box_muller(uint32_t x, uint32_t y, float out[2]) {
    const float scale = 0x1p-32f, scale_2pi = scale * (float)(2 * M_PI);
    float u = fmaf((float)x, scale, scale / 2), v = fmaf((float)y, scale_2pi, scale_2pi / 2);
    float radius = sqrtf(-2 * logf(u));
    double angle = 2 * M_PI * turns_of(v);
    out[0] = radius * (float)sin(angle);
    out[1] = radius * (float)cos(angle);
}

/* One round of all threads: thread t makes out[t], out[t + threads], out[t + 2 threads], ... */
static void draw_round(const struct xl_noise *noise, uint64_t call, int64_t threads, float *out,
                       int64_t n) {
    for (int64_t t = 0; t < threads && t < n; t++) {
        struct words words = philox(noise->seed, call, (uint64_t)t);
        for (int pair = 0; pair < UNROLL && t + pair * threads < n; pair += 2) {
            float normal[2];
            box_muller(words.at[pair], words.at[pair + 1], normal);
            out[t + pair * threads] = normal[0];
            if (t + (pair + 1) * threads < n) out[t + (pair + 1) * threads] = normal[1];
        }
    }
}

void xl_philox_normal(struct xl_noise *noise, float *out, int64_t n) {
    int64_t blocks = (n + BLOCK_THREADS - 1) / BLOCK_THREADS;
    int64_t threads = (blocks < MAX_BLOCKS ? blocks : MAX_BLOCKS) * BLOCK_THREADS;
    for (int64_t i = 0; i < n; i += threads * UNROLL) {
        draw_round(noise, noise->offset / UNROLL, threads, out + i, n - i);
        noise->offset += UNROLL;
    }
}
