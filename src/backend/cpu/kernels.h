/* kernels.h - the inner loops of this backend, one table of them for each instruction set.
 *
 * The sources kernels_*.c are compiled once for each set (see simd.h); xl_cpu_kernels picks a
 * table. Kernels run on one thread, allocate nothing and cannot fail. Activations are f32 or
 * bf16; sums are f32.
 */
#ifndef XL_BACKEND_CPU_KERNELS_H
#define XL_BACKEND_CPU_KERNELS_H

#include "backend/cpu/cpuid.h"
#include "backend/ops.h"

/* out = act(acc + bias + channel_bias) + residual, over the rows of a tile */
struct xl_epilogue {
    const float *acc; /* [rows, n], dense */
    int64_t rows, n;
    void *out;            /* dtype; rows out_stride elements apart */
    const void *residual; /* as out, or NULL */
    int64_t out_stride;
    enum xl_dtype dtype;
    const float *bias;        /* [n] or NULL */
    const void *channel_bias; /* [n] of dtype, or NULL */
    enum xl_activation act;
};

/* x: [rows, c] and the result of the same shape */
struct xl_rows {
    const void *x;
    void *out;
    int64_t rows, c;
    enum xl_dtype dtype;
};

struct xl_affine {
    const float *mean, *scale, *shift; /* [c] */
};

/* Attention works on tiles of keys that are packed beforehand (kernels_attention.c says how).
 * One unit of a packed array is 4 bytes: a float, or a pair of bf16. */
enum { XL_ATTENTION_KEYS = 128 }; /* keys of a tile */

struct xl_attention_sizes {
    int64_t key_bytes, value_bytes; /* of one packed tile */
    int64_t query_rows;             /* queries of a task */
    int64_t scratch_bytes;          /* of a task */
};

struct xl_attention_tile {
    const void *k, *v; /* first key and value of the tile, at this head */
    int64_t k_stride, v_stride;
    enum xl_dtype dtype;
    int64_t keys; /* 1 .. XL_ATTENTION_KEYS */
    int64_t d;    /* head size */
    void *packed_k, *packed_v;
};

struct xl_attention_task {
    const void *q; /* first query of the task, at this head */
    void *out;     /* likewise */
    int64_t q_stride, out_stride;
    enum xl_dtype dtype;
    int64_t queries, first_query; /* first_query: its position, for is_causal */
    int64_t keys, d;
    float scale;
    bool is_causal;
    const unsigned char *packed_k, *packed_v; /* all tiles of this head */
    void *scratch;
};

/* Winograd convolution F(2x2, 3x3) of an f32 picture: a block of tiles of 2x2 pixels. The picture
 * may be enlarged twice: pixel (y, x) is then (y / 2, x / 2) of memory. */
struct xl_winograd_block {
    const float *x;            /* [.., stored_w, c]: the whole picture */
    int64_t h, w, c, stored_w; /* h, w: as enlarged */
    int64_t shrink;            /* 1, or 2 when enlarged */
    int64_t pad_top, pad_left;
    int64_t first_row, first_column, tile_rows, tile_columns; /* counted in tiles */
    bool is_sparse; /* leave out the sets that are 0 in an enlarged picture (kernels_winograd.c) */
};

enum { XL_WINOGRAD_SETS = 16, XL_WINOGRAD_SPARSE_SETS = 9 };

/* Numbers from one set of `tiles` tiles of n numbers to the next: a cache line more than they need,
 * because the sets are walked side by side and would fall on the same lines of the first-level
 * cache when tiles * n is a power of two. */
static inline int64_t xl_winograd_set_stride(int64_t tiles, int64_t n) {
    return tiles * n + 16;
}

struct xl_winograd_kernels {
    /* The block's tiles in the domain of products: out [sets, tiles, c], sets apart as above. */
    void (*input)(const struct xl_winograd_block *block, float *out);
    /* products: [sets, tiles, n], likewise; acc: [2 * tile_rows, 2 * tile_columns, n] */
    void (*output)(const struct xl_winograd_block *block, const float *products, int64_t n,
                   float *acc);
};

/* A block of 4-byte units on its way into packed weights: unit u of row r goes to
 * dst[to[u * spacing] / spacing + r], so that the units of a column lie side by side. */
struct xl_turn {
    uint32_t *dst;
    const int64_t *to;
    int64_t spacing; /* numbers of a unit, which `to` counts in: 1 (f32) or 2 (bf16) */
    const uint32_t *src;
    int64_t stride; /* units from one row of src to the next */
    int64_t rows, units;
};

/* A product of two small matrices: out [m, n] = by [m, k] @ x [k, n]. x lies in panels of columns:
 * number (t, i) is x[i / XL_MIX_PANEL * panel_stride + t * x_stride + i % XL_MIX_PANEL]. With
 * panel_stride XL_MIX_PANEL its rows lie one behind the other. */
enum { XL_MIX_PANEL = 32 };
struct xl_mix {
    float *out;
    const float *by, *x;
    int64_t m, n, k;
    int64_t out_stride, by_stride, x_stride, panel_stride; /* numbers from row to row, or panel */
};

struct xl_cpu_kernels {
    void (*convert)(void *dst, enum xl_dtype to, const void *src, enum xl_dtype from, int64_t n);
    void (*mix)(const struct xl_mix *mix);
    void (*turn)(const struct xl_turn *block);
    void (*epilogue)(const struct xl_epilogue *tile);
    void (*activation)(void *out, const void *x, int64_t n, enum xl_dtype dtype,
                       enum xl_activation act);
    void (*add)(void *out, const void *a, const void *b, int64_t n, enum xl_dtype dtype);
    void (*geglu)(struct xl_rows rows); /* x: [rows, 2c] */
    void (*layer_norm)(struct xl_rows rows, const float *weight, const float *bias, float eps);
    /* Mean and sum of squared deviations of each channel over the rows (out is not used). */
    void (*moments)(struct xl_rows rows, float *mean, float *m2);
    /* act((x - mean) * scale + shift), all three by channel */
    void (*affine)(struct xl_rows rows, struct xl_affine by, enum xl_activation act);
};

struct xl_attention_kernels {
    struct xl_attention_sizes (*sizes)(int64_t d);
    void (*pack)(const struct xl_attention_tile *tile);
    void (*run)(const struct xl_attention_task *task);
};

/* The tables for an instruction set; the attention of bf16 activations has its own where the CPU
 * multiplies bf16. */
const struct xl_cpu_kernels *xl_cpu_kernels(struct xl_cpu_isa isa);
const struct xl_winograd_kernels *xl_winograd_kernels(struct xl_cpu_isa isa);
const struct xl_attention_kernels *xl_attention_kernels(struct xl_cpu_isa isa, enum xl_dtype dtype);

#endif
