/* kernels_mix.c - small products of matrices in f32, for packing: what deltas add to weights, and
 * maps of taps. Compiled once for each instruction set (simd.h).
 *
 * Each number is summed in the order of its products, by one multiply-add after the other: how a
 * product is cut into blocks does not show in its result. */
#include "backend/cpu/isa_tables.h"
#include "backend/cpu/simd.h"

/* A block of the result in registers: rows by two vectors. Fewer than 8 sums at a time wait for one
 * another. */
enum { ROWS = 4, COLUMNS = 2 * V_LANES };

V_INLINE void mix_block(const struct xl_mix *m, int64_t row, int64_t column, int n_rows,
                        bool is_whole) {
    vf sum[ROWS][2] = {{{0}}};
    const float *x = m->x + column / XL_MIX_PANEL * m->panel_stride + column % XL_MIX_PANEL;
    const float *by = m->by + row * m->by_stride;
    int64_t left = is_whole ? COLUMNS : m->n - column;
    for (int64_t t = 0; t < m->k; t++, x += m->x_stride) {
        vf first = v_load_up_to(x, false, 0, left);
        vf second = v_load_up_to(x, false, V_LANES, left - V_LANES);
        V_UNROLL
        for (int r = 0; r < n_rows; r++) {
            vf factor = v_set(by[r * m->by_stride + t]);
            sum[r][0] = v_fma(factor, first, sum[r][0]);
            sum[r][1] = v_fma(factor, second, sum[r][1]);
        }
    }
    float *out = m->out + row * m->out_stride + column;
    V_UNROLL
    for (int r = 0; r < n_rows; r++, out += m->out_stride) {
        v_store_up_to(out, false, 0, left, sum[r][0]);
        v_store_up_to(out, false, V_LANES, left - V_LANES, sum[r][1]);
    }
}

/* All rows of some columns. */
V_INLINE void mix_columns(const struct xl_mix *m, int64_t column, bool is_whole) {
    int64_t row = 0;
    for (; row + ROWS <= m->m; row += ROWS) mix_block(m, row, column, ROWS, is_whole);
    for (; row < m->m; row++) mix_block(m, row, column, 1, is_whole);
}

void XL_ISA(xl_mix)(const struct xl_mix *mix) {
    int64_t column = 0;
    for (; column + COLUMNS <= mix->n; column += COLUMNS) mix_columns(mix, column, true);
    if (column < mix->n) mix_columns(mix, column, false);
}
