/* test_cpu_math.c - the vector functions of the CPU backend against libm, on every instruction set
 * that this CPU has; and conversions bit by bit. */
#include "backend/cpu/kernels.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The instruction sets to try: all up to the best one. */
static int n_isas(void) {
    return (int)xl_cpu_isa_detect().vector + 1;
}

static const struct xl_cpu_kernels *kernels_of(int isa) {
    return xl_cpu_kernels((struct xl_cpu_isa){(enum xl_vector_isa)isa, false, false});
}

enum { N = 40001 }; /* odd, so that the last vector is partial */

/* N numbers from -limit to limit. */
static void fill(float *x, float limit) {
    for (int i = 0; i < N; i++) x[i] = limit * (2 * (float)i / (float)(N - 1) - 1);
}

static double exact(enum xl_activation act, double x) {
    if (act == XL_ACT_GELU) return x / 2 * erfc(-x / sqrt(2));
    return x / (1 + exp(act == XL_ACT_SILU ? -x : -1.702 * x));
}

/* The greatest error, relative to the result or to 1e-6 |x| where the result is smaller still. */
static double worst_error(const struct xl_cpu_kernels *kernels, enum xl_activation act,
                          float limit) {
    static float x[N], y[N];
    double worst = 0;
    fill(x, limit);
    kernels->activation(y, x, N, XL_DTYPE_F32, act);
    for (int i = 0; i < N; i++) {
        double expected = exact(act, (double)x[i]);
        double scale = fmax(fabs(expected), 1e-6 * fabs((double)x[i])) + 1e-30;
        worst = fmax(worst, fabs((double)y[i] - expected) / scale);
    }
    return worst;
}

/* A unit in the last place of a float is 6e-8 to 1.2e-7. exp adds the rounding of its argument
 * (1.702 x is up to 20 here), and the GELU far left of 0, where it is below 1e-5, that of z^2 in
 * exp(-z^2). */
Test(cpu_math, activations_are_exact) {
    for (int isa = 0; isa < n_isas(); isa++) {
        const struct xl_cpu_kernels *kernels = kernels_of(isa);
        cr_expect(worst_error(kernels, XL_ACT_SILU, 20) < 4e-7);
        cr_expect(worst_error(kernels, XL_ACT_QUICK_GELU, 12) < 1.5e-6);
        cr_expect(worst_error(kernels, XL_ACT_GELU, 3) < 1.5e-6);
        cr_expect(worst_error(kernels, XL_ACT_GELU, 6) < 6e-6);
    }
}

Test(cpu_math, activations_at_the_ends) {
    for (int isa = 0; isa < n_isas(); isa++) {
        float x[] = {-1e30F, -200, 200, 1e30F, NAN}, y[5];
        static const enum xl_activation acts[] = {XL_ACT_SILU, XL_ACT_QUICK_GELU, XL_ACT_GELU};
        for (int act = 0; act < 3; act++) {
            kernels_of(isa)->activation(y, x, 5, XL_DTYPE_F32, acts[act]);
            cr_expect(fabsf(y[0]) < 1e-6F && fabsf(y[1]) < 1e-30F, "%g %g", (double)y[0],
                      (double)y[1]);
            cr_expect(y[2] == 200 && y[3] == 1e30F && isnan(y[4]));
        }
    }
}

/* All 65536 halves, and floats around every rounding boundary of bf16. */
Test(cpu_math, conversions_are_those_of_tensor) {
    enum { ALL = 1 << 16 };
    static uint16_t halves[ALL], bf16[ALL], expected_bf16[ALL];
    static float f32[ALL], expected[ALL];
    for (int isa = 0; isa < n_isas(); isa++) {
        const struct xl_cpu_kernels *kernels = kernels_of(isa);
        for (int i = 0; i < ALL; i++) halves[i] = (uint16_t)i;
        kernels->convert(f32, XL_DTYPE_F32, halves, XL_DTYPE_F16, ALL);
        xl_convert(expected, XL_DTYPE_F32, halves, XL_DTYPE_F16, ALL);
        for (int i = 0; i < ALL; i++)
            cr_assert(f32[i] == expected[i] || (isnan(f32[i]) && isnan(expected[i])));
        kernels->convert(f32, XL_DTYPE_F32, halves, XL_DTYPE_BF16, ALL);
        xl_convert(expected, XL_DTYPE_F32, halves, XL_DTYPE_BF16, ALL);
        cr_assert(memcmp(f32, expected, sizeof f32) == 0);
        for (int low = 0x7FFF; low <= 0x8001; low++) {
            for (int i = 0; i < ALL; i++) {
                uint32_t bits = (uint32_t)i << 16 | (uint32_t)low;
                memcpy(&f32[i], &bits, sizeof bits);
            }
            kernels->convert(bf16, XL_DTYPE_BF16, f32, XL_DTYPE_F32, ALL);
            xl_convert(expected_bf16, XL_DTYPE_BF16, f32, XL_DTYPE_F32, ALL);
            cr_assert(memcmp(bf16, expected_bf16, sizeof bf16) == 0);
        }
    }
}

/* Softmax of scores far apart: the exponential must reach 0 and not below, in order. One query of
 * d = 8 whose scores are -0, -1, ... -639 in units of ln 2, and values that are the key's number.
 */
Test(cpu_math, softmax_of_far_scores) {
    enum { D = 8, TILES = 10, KEYS = TILES * XL_ATTENTION_KEYS };
    static float k[KEYS * D], v[KEYS * D];
    float q[D] = {1}, out[D];
    double sum = 0, total = 0;
    for (int i = 0; i < KEYS; i++) {
        k[i * D] = -(float)i * 0.69314718F;
        for (int j = 0; j < D; j++) v[i * D + j] = (float)i;
        sum += i * exp2(-i);
        total += exp2(-i);
    }
    for (int isa = 0; isa < n_isas(); isa++) {
        const struct xl_attention_kernels *kernels = xl_attention_kernels(
            (struct xl_cpu_isa){(enum xl_vector_isa)isa, false, false}, XL_DTYPE_F32);
        struct xl_attention_sizes size = kernels->sizes(D);
        unsigned char *keys = calloc(TILES, (size_t)size.key_bytes);
        unsigned char *values = calloc(TILES, (size_t)size.value_bytes);
        void *scratch = calloc(1, (size_t)size.scratch_bytes);
        cr_assert(keys && values && scratch);
        for (int i = 0; i < TILES; i++) {
            int first = i * XL_ATTENTION_KEYS * D;
            struct xl_attention_tile tile = {k + first,
                                             v + first,
                                             D,
                                             D,
                                             XL_DTYPE_F32,
                                             XL_ATTENTION_KEYS,
                                             D,
                                             keys + i * size.key_bytes,
                                             values + i * size.value_bytes};
            kernels->pack(&tile);
        }
        struct xl_attention_task task = {q,    out, D,    D,     XL_DTYPE_F32, 1,      0,
                                         KEYS, D,   1.0F, false, keys,         values, scratch};
        kernels->run(&task);
        for (int j = 0; j < D; j++) cr_expect(fabs((double)out[j] - sum / total) < 1e-6);
        free(keys);
        free(values);
        free(scratch);
    }
}

/* Every unit arrives, nothing else is written; columns in an order that no layout has. */
Test(cpu_math, blocks_of_weights_are_turned_over) {
    enum { ROWS = 37, UNITS = 43, ROOM = 48 };
    static uint32_t src[ROWS * UNITS], dst[UNITS * ROOM];
    static int64_t to[2 * UNITS];
    for (uint32_t i = 0; i < ROWS * UNITS; i++) src[i] = i * 2654435761u;
    for (int isa = 0; isa < n_isas(); isa++)
        for (int64_t rows = 1; rows <= ROWS; rows += 3)
            for (int64_t units = 1; units <= UNITS; units += 2)
                for (int64_t spacing = 1; spacing <= 2; spacing++) {
                    for (int64_t u = 0; u < units; u++)
                        to[u * spacing] = spacing * (u * 11 % UNITS) * ROOM;
                    memset(dst, 0, sizeof dst);
                    struct xl_turn turn = {dst, to, spacing, src, UNITS, rows, units};
                    kernels_of(isa)->turn(&turn);
                    int n_wrong = 0, n_written = 0;
                    for (int64_t u = 0; u < units; u++)
                        for (int64_t r = 0; r < rows; r++)
                            n_wrong += dst[u * 11 % UNITS * ROOM + r] != src[r * UNITS + u];
                    for (int i = 0; i < UNITS * ROOM; i++) n_written += dst[i] != 0;
                    cr_assert(!n_wrong && n_written <= rows * units,
                              "isa %d, %lld rows, %lld units: %d wrong, %d written", isa,
                              (long long)rows, (long long)units, n_wrong, n_written);
                }
}
