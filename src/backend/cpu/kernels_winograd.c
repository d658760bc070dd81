/* kernels_winograd.c - the two ends of Winograd convolution F(2x2, 3x3): pixels into the domain
 * where a convolution of a 2x2 tile by a 3x3 kernel is 16 products, and back.
 * Source: Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), section 4.1:
 * Y = A^T [(G g G^T) * (B^T d B)] A.
 *
 * In a picture that was enlarged twice and padded by one pixel, the rows under a tile are a, b, b,
 * c: the third component of B^T d, row 2 minus row 1, is 0, and so it is along the columns. Only 9
 * of the 16 sets are left, a quarter of the 36 multiplications of a plain convolution.
 * Compiled once for each instruction set (simd.h). */
#include "backend/cpu/isa_tables.h"
#include "backend/cpu/simd.h"

/* The 4x4 pixels under one tile: row y of the patch, NULL outside the picture. */
struct patch {
    const float *pixel[4][4];
};

static struct patch patch_at(const struct xl_winograd_block *block, int64_t tile_y,
                             int64_t tile_x) {
    struct patch patch;
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            int64_t y = 2 * tile_y + i - block->pad_top, x = 2 * tile_x + j - block->pad_left;
            bool is_inside = y >= 0 && y < block->h && x >= 0 && x < block->w;
            int64_t pixel = y / block->shrink * block->stored_w + x / block->shrink;
            patch.pixel[i][j] = is_inside ? block->x + pixel * block->c : NULL;
        }
    }
    return patch;
}

/* Where component (i, j) is kept; -1: left out. */
V_INLINE int set_of(int i, int j, bool is_sparse) {
    if (!is_sparse) return 4 * i + j;
    return i == 2 || j == 2 ? -1 : 3 * (i - i / 3) + j - j / 3;
}

/* One row or column of B^T d. */
V_INLINE void input_step(const vf d[4], vf out[4]) {
    out[0] = d[0] - d[2];
    out[1] = d[1] + d[2];
    out[2] = d[2] - d[1];
    out[3] = d[1] - d[3];
}

/* Channels first .. first + left - 1 (at most a vector) of one tile. */
V_INLINE void transform_patch(const struct patch *patch, int64_t first, int64_t left, float *out,
                              int64_t set_stride, bool is_sparse) {
    vf columns[4][4], result[4];
    V_UNROLL for (int j = 0; j < 4; j++) {
        vf d[4], t[4];
        V_UNROLL for (int i = 0; i < 4; i++) {
            const float *pixel = patch->pixel[i][j];
            d[i] = pixel ? v_load_up_to(pixel, false, first, left) : v_set(0);
        }
        input_step(d, t);
        V_UNROLL for (int i = 0; i < 4; i++) columns[i][j] = t[i];
    }
    V_UNROLL for (int i = 0; i < 4; i++) {
        input_step(columns[i], result);
        V_UNROLL for (int j = 0; j < 4; j++) {
            int set = set_of(i, j, is_sparse);
            if (set >= 0) v_store_up_to(out + set * set_stride, false, 0, left, result[j]);
        }
    }
}

V_INLINE void transform_block(const struct xl_winograd_block *block, float *out, bool is_sparse) {
    int64_t set_stride = xl_winograd_set_stride(block->tile_rows * block->tile_columns, block->c);
    for (int64_t row = 0; row < block->tile_rows; row++) {
        for (int64_t column = 0; column < block->tile_columns; column++, out += block->c) {
            struct patch patch =
                patch_at(block, block->first_row + row, block->first_column + column);
            for (int64_t i = 0; i < block->c; i += V_LANES)
                transform_patch(&patch, i, block->c - i, out + i, set_stride, is_sparse);
        }
    }
}

static void winograd_input(const struct xl_winograd_block *block, float *out) {
    if (block->is_sparse)
        transform_block(block, out, true);
    else
        transform_block(block, out, false);
}

/* One row or column of A^T m. */
V_INLINE void output_step(const vf m[4], vf out[2]) {
    out[0] = m[0] + m[1] + m[2];
    out[1] = m[1] - m[2] - m[3];
}

/* A vector of one tile, `left` channels being left. m: its products; out: its first pixel; n:
 * channels of a pixel */
V_INLINE void restore_tile(const struct xl_winograd_block *block, const float *m, int64_t left,
                           float *out, int64_t n, bool is_sparse) {
    int64_t set_stride = xl_winograd_set_stride(block->tile_rows * block->tile_columns, n);
    int64_t row_stride = 2 * block->tile_columns * n;
    vf half[2][4];
    V_UNROLL for (int j = 0; j < 4; j++) {
        vf column[4], t[2];
        V_UNROLL for (int i = 0; i < 4; i++) {
            int set = set_of(i, j, is_sparse);
            column[i] = set >= 0 ? v_load_up_to(m + set * set_stride, false, 0, left) : v_set(0);
        }
        output_step(column, t);
        half[0][j] = t[0];
        half[1][j] = t[1];
    }
    V_UNROLL for (int i = 0; i < 2; i++) {
        vf y[2];
        output_step(half[i], y);
        v_store_up_to(out + i * row_stride, false, 0, left, y[0]);
        v_store_up_to(out + i * row_stride + n, false, 0, left, y[1]);
    }
}

V_INLINE void restore_block(const struct xl_winograd_block *block, const float *products, int64_t n,
                            float *acc, bool is_sparse) {
    for (int64_t row = 0; row < block->tile_rows; row++) {
        for (int64_t column = 0; column < block->tile_columns; column++) {
            const float *m = products + (row * block->tile_columns + column) * n;
            float *out = acc + (4 * row * block->tile_columns + 2 * column) * n;
            for (int64_t i = 0; i < n; i += V_LANES)
                restore_tile(block, m + i, n - i, out + i, n, is_sparse);
        }
    }
}

static void winograd_output(const struct xl_winograd_block *block, const float *products, int64_t n,
                            float *acc) {
    if (block->is_sparse)
        restore_block(block, products, n, acc, true);
    else
        restore_block(block, products, n, acc, false);
}

const struct xl_winograd_kernels XL_ISA(xl_winograd) = {winograd_input, winograd_output};
