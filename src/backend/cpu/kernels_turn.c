/* kernels_turn.c - turning blocks of weights over, for packing: rows that are contiguous in the
 * file become columns that are contiguous in the packed weights. Compiled once for each instruction
 * set (simd.h). A whole block is as many rows and units as a vector has lanes; what is left over is
 * moved unit by unit. */
#include "backend/cpu/isa_tables.h"
#include "backend/cpu/simd.h"

static void turn_part(const struct xl_turn *t, int64_t first_unit, int64_t first_row) {
    for (int64_t u = first_unit; u < t->units; u++) {
        uint32_t *to = t->dst + t->to[u * t->spacing] / t->spacing;
        for (int64_t r = first_row; r < t->rows; r++) to[r] = t->src[r * t->stride + u];
    }
}

#if V_LANES == 16

/* 4 x 4 blocks within the four quarters of each vector, then quarters among vectors. */
V_INLINE void turn_block(const struct xl_turn *t, int64_t u, int64_t r) {
    const uint32_t *src = t->src + r * t->stride + u;
    __m512i in[16], pair[16], four[16], half[16];
    V_UNROLL
    for (int i = 0; i < 16; i++) in[i] = _mm512_loadu_si512(src + i * t->stride);
    V_UNROLL
    for (int i = 0; i < 8; i++) {
        pair[2 * i] = _mm512_unpacklo_epi32(in[2 * i], in[2 * i + 1]);
        pair[2 * i + 1] = _mm512_unpackhi_epi32(in[2 * i], in[2 * i + 1]);
    }
    /* four[4 i + j]: unit j of each quarter, of rows 4 i .. 4 i + 3 */
    V_UNROLL
    for (int i = 0; i < 4; i++) {
        four[4 * i] = _mm512_unpacklo_epi64(pair[4 * i], pair[4 * i + 2]);
        four[4 * i + 1] = _mm512_unpackhi_epi64(pair[4 * i], pair[4 * i + 2]);
        four[4 * i + 2] = _mm512_unpacklo_epi64(pair[4 * i + 1], pair[4 * i + 3]);
        four[4 * i + 3] = _mm512_unpackhi_epi64(pair[4 * i + 1], pair[4 * i + 3]);
    }
    /* half[j], half[4 + j]: quarters 0, 1 and 2, 3 of rows 0 .. 7; + 8: of rows 8 .. 15 */
    V_UNROLL
    for (int i = 0; i < 2; i++) {
        V_UNROLL
        for (int j = 0; j < 4; j++) {
            half[8 * i + j] = _mm512_shuffle_i32x4(four[8 * i + j], four[8 * i + 4 + j], 0x44);
            half[8 * i + 4 + j] = _mm512_shuffle_i32x4(four[8 * i + j], four[8 * i + 4 + j], 0xEE);
        }
    }
    V_UNROLL
    for (int q = 0; q < 4; q++) { /* quarter: units 4 q .. 4 q + 3 */
        V_UNROLL
        for (int j = 0; j < 4; j++) {
            __m512i a = half[4 * (q / 2) + j], b = half[8 + 4 * (q / 2) + j];
            __m512i column = q % 2 ? _mm512_shuffle_i32x4(a, b, 0xDD)
                                   : _mm512_shuffle_i32x4(a, b, 0x88);
            int64_t to = t->to[(u + 4 * q + j) * t->spacing] / t->spacing;
            _mm512_storeu_si512(t->dst + to + r, column);
        }
    }
}

#elif V_LANES == 8

V_INLINE void turn_block(const struct xl_turn *t, int64_t u, int64_t r) {
    const uint32_t *src = t->src + r * t->stride + u;
    __m256i in[8], pair[8], four[8];
    V_UNROLL
    for (int i = 0; i < 8; i++)
        in[i] = _mm256_loadu_si256((const __m256i *)(const void *)(src + i * t->stride));
    V_UNROLL
    for (int i = 0; i < 4; i++) {
        pair[2 * i] = _mm256_unpacklo_epi32(in[2 * i], in[2 * i + 1]);
        pair[2 * i + 1] = _mm256_unpackhi_epi32(in[2 * i], in[2 * i + 1]);
    }
    V_UNROLL
    for (int i = 0; i < 2; i++) {
        four[4 * i] = _mm256_unpacklo_epi64(pair[4 * i], pair[4 * i + 2]);
        four[4 * i + 1] = _mm256_unpackhi_epi64(pair[4 * i], pair[4 * i + 2]);
        four[4 * i + 2] = _mm256_unpacklo_epi64(pair[4 * i + 1], pair[4 * i + 3]);
        four[4 * i + 3] = _mm256_unpackhi_epi64(pair[4 * i + 1], pair[4 * i + 3]);
    }
    V_UNROLL
    for (int j = 0; j < 8; j++) { /* unit j: half j / 4 of both */
        __m256i a = four[j % 4], b = four[4 + j % 4];
        __m256i column = j / 4 ? _mm256_permute2x128_si256(a, b, 0x31)
                               : _mm256_permute2x128_si256(a, b, 0x20);
        int64_t to = t->to[(u + j) * t->spacing] / t->spacing;
        _mm256_storeu_si256((__m256i *)(void *)(t->dst + to + r), column);
    }
}

#endif

static void turn(const struct xl_turn *t) {
    int64_t whole_rows = 0, whole_units = 0;
#if V_LANES > 4
    whole_rows = t->rows / V_LANES * V_LANES;
    whole_units = t->units / V_LANES * V_LANES;
    for (int64_t r = 0; r < whole_rows; r += V_LANES)
        for (int64_t u = 0; u < whole_units; u += V_LANES) turn_block(t, u, r);
#endif
    struct xl_turn top = *t;
    top.rows = whole_rows;
    turn_part(&top, whole_units, 0);
    turn_part(t, 0, whole_rows);
}

void XL_ISA(xl_turn)(const struct xl_turn *block) {
    turn(block);
}
