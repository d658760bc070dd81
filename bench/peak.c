/* peak.c - loops that keep the multiply-add units busy and touch no memory, and a copy that touches
 * nothing else. */
#include "peak.h"

#include "backend/cpu/cpuid.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/* `n` rounds of multiply-adds; returns something that depends on all of them, lest the compiler
 * drop them. */
typedef float burn_fn(int64_t n);

struct burner {
    burn_fn *burn;
    double flops_per_round;
};

/* Enough independent sums to hide the latency of two units: 4 or 5 cycles each. They start from
 * different numbers, else the compiler finds them equal and keeps one. */
#define TWELVE_TIMES(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

static float burn_plain(int64_t n) {
    float sum[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    for (int64_t i = 0; i < n; i++) {
#define X(j) sum[j] = sum[j] * 0.5F + 1.0F;
        TWELVE_TIMES(X)
#undef X
        __asm__ volatile("" ::: "memory");
    }
    float total = 0;
    for (int j = 0; j < 12; j++) total += sum[j];
    return total;
}

static const struct burner plain = {burn_plain, 12 * 2};

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2,fma"))) static float burn_avx2(int64_t n) {
    __m256 a = _mm256_set1_ps(0.5F), b = _mm256_set1_ps(1.0F);
#define X(j) __m256 sum##j = _mm256_set1_ps(j);
    TWELVE_TIMES(X)
#undef X
    for (int64_t i = 0; i < n; i++) {
#define X(j) sum##j = _mm256_fmadd_ps(sum##j, a, b);
        TWELVE_TIMES(X)
#undef X
    }
#define X(j) a = _mm256_add_ps(a, sum##j);
    TWELVE_TIMES(X)
#undef X
    return _mm256_cvtss_f32(a);
}

__attribute__((target("avx512f"))) static float burn_avx512(int64_t n) {
    __m512 a = _mm512_set1_ps(0.5F), b = _mm512_set1_ps(1.0F);
#define X(j) __m512 sum##j = _mm512_set1_ps(j);
    TWELVE_TIMES(X)
#undef X
    for (int64_t i = 0; i < n; i++) {
#define X(j) sum##j = _mm512_fmadd_ps(sum##j, a, b);
        TWELVE_TIMES(X)
#undef X
    }
#define X(j) a = _mm512_add_ps(a, sum##j);
    TWELVE_TIMES(X)
#undef X
    return _mm512_cvtss_f32(a);
}

__attribute__((target("avx512f,avx512bf16"))) static float burn_avx512_bf16(int64_t n) {
    __m512 total = _mm512_set1_ps(0);
    __m512bh a = _mm512_cvtne2ps_pbh(total, total);
#define X(j) __m512 sum##j = _mm512_set1_ps(j);
    TWELVE_TIMES(X)
#undef X
    for (int64_t i = 0; i < n; i++) {
#define X(j) sum##j = _mm512_dpbf16_ps(sum##j, a, a);
        TWELVE_TIMES(X)
#undef X
    }
#define X(j) total = _mm512_add_ps(total, sum##j);
    TWELVE_TIMES(X)
#undef X
    return _mm512_cvtss_f32(total);
}

/* Palette 1: tiles of 16 rows of 64 bytes. */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/* Four sums of a 2 x 2 block, as in a product of matrices. */
__attribute__((target("amx-tile,amx-bf16"))) static float burn_amx(int64_t n) {
    struct tile_config config = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = 16;
    }
    float result[16 * 16];
    _tile_loadconfig(&config);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
    for (int64_t i = 0; i < n; i++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, result, 64);
    _tile_release();
    return result[0];
}

static struct burner choose(enum xl_dtype dtype) {
    struct xl_cpu_isa isa = xl_cpu_isa_detect();
    if (dtype == XL_DTYPE_BF16 && isa.has_amx)
        return (struct burner){burn_amx, 4 * 16 * 16 * 32 * 2};
    if (dtype == XL_DTYPE_BF16 && isa.has_bf16)
        return (struct burner){burn_avx512_bf16, 12 * 32 * 2};
    if (isa.vector == XL_VECTOR_AVX512) return (struct burner){burn_avx512, 12 * 16 * 2};
    if (isa.vector == XL_VECTOR_AVX2) return (struct burner){burn_avx2, 12 * 8 * 2};
    return plain;
}
#else
static struct burner choose(enum xl_dtype dtype) {
    (void)dtype;
    return plain;
}
#endif

struct burn {
    burn_fn *burn;
    int64_t rounds;
    volatile float sink;
};

static void burn_task(void *user, int64_t task, int worker) {
    struct burn *burn = user;
    (void)task;
    (void)worker;
    burn->sink = burn->burn(burn->rounds);
}

/* Several tasks a thread, so that one that is held up does not hold up all. */
enum { TASKS_PER_THREAD = 4, REPEATS = 10 };

double peak_flops(struct xl_pool *pool, enum xl_dtype dtype) {
    struct burner burner = choose(dtype);
    struct burn burn = {burner.burn, 1000, 0};
    int64_t n_tasks = (int64_t)TASKS_PER_THREAD * xl_pool_size(pool);
    double best = 0, seconds = 0;
    for (int i = 0; i < REPEATS; i++) {
        while (true) { /* long enough to be measured */
            double start = xl_now_s();
            xl_pool_run(pool, n_tasks, burn_task, &burn);
            seconds = xl_now_s() - start;
            if (seconds > 0.05) break;
            burn.rounds *= 2;
        }
        double flops = (double)burn.rounds * (double)n_tasks * burner.flops_per_round / seconds;
        if (flops > best) best = flops;
    }
    return best;
}

struct copy {
    char *from, *to;
    size_t task_bytes;
};

static void copy_task(void *user, int64_t task, int worker) {
    struct copy *copy = user;
    (void)worker;
    size_t at = (size_t)task * copy->task_bytes;
    memcpy(copy->to + at, copy->from + at, copy->task_bytes);
}

double peak_bandwidth(struct xl_pool *pool) {
    enum { N_TASKS = 256, TASK_BYTES = 1 << 20 };
    size_t bytes = (size_t)N_TASKS * TASK_BYTES;
    struct copy copy = {malloc(bytes), malloc(bytes), TASK_BYTES};
    double best = 0;
    if (copy.from && copy.to) {
        memset(copy.from, 1, bytes);
        for (int i = 0; i < REPEATS; i++) {
            double start = xl_now_s();
            xl_pool_run(pool, N_TASKS, copy_task, &copy);
            double rate = 2 * (double)bytes / (xl_now_s() - start);
            if (rate > best) best = rate;
        }
    }
    free(copy.from);
    free(copy.to);
    return best;
}
