/* winograd.c - 3x3 convolutions in f32 by Winograd's F(2x2, 3x3): 16 multiplications instead of 36
 * for four pixels, at the price of two transforms and of weights 16/9 as large.
 *
 * A task takes a block of tiles and a chunk of output channels: it transforms the block's pixels,
 * runs one product for each of the 16 sets, transforms back and finishes the tile as product.c
 * does. The transform of pixels is repeated for each chunk, which costs about 2 %. A picture that
 * is enlarged on the way needs only 9 multiplications (kernels_winograd.c). The larger F(4x4, 3x3)
 * would save more, but loses two digits and needs weights four times as large. */
#include "backend/cpu/product.h"

#include <string.h>

enum {
    TILES = 64,        /* of a block, about: amortises reading the weights */
    LEAST_TILES = 32,  /* not cut below */
    ENOUGH_TASKS = 16, /* smaller blocks until there are so many */
    LEAST_CHANNELS = 32,
};

struct winograd {
    struct xl_space *space;
    const struct xl_cpu_kernels *kernels;
    const struct xl_winograd_kernels *winograd;
    struct xl_product_spec spec;
    int64_t chunk, n_chunks;
    int n_sets;                        /* fewer for an enlarged picture */
    int64_t tile_rows, tile_columns;   /* of the picture */
    int64_t block_rows, block_columns; /* tiles of a block */
    int64_t n_block_rows, n_block_columns;
    const struct xl_packed *packed;
    bool is_plain; /* the products: see xl_dnn_shape */
    /* By whether the block is cut at the bottom, at the right, and the chunk is the last. */
    const struct xl_dnn_product *products[2][2][2];
    size_t input_bytes, products_bytes, acc_bytes; /* scratch */
};

/* --- Running --------------------------------------------------------------------------------- */

static void finish(const struct winograd *w, const struct xl_winograd_block *block, int64_t image,
                   int64_t chunk, const float *acc) {
    const struct xl_product_spec *s = &w->spec;
    int64_t first = chunk * w->chunk, n = xl_min(w->chunk, s->o - first);
    int64_t y0 = 2 * block->first_row, x0 = 2 * block->first_column;
    int64_t rows = xl_min(2 * block->tile_rows, s->oh - y0);
    struct xl_epilogue tile = {
        .rows = xl_min(2 * block->tile_columns, s->ow - x0),
        .n = n,
        .out_stride = s->o,
        .dtype = s->out.dtype,
        .bias = xl_f32_from(s->bias, first),
        .channel_bias = s->channel_bias.data ? xl_element(s->channel_bias, image * s->o + first)
                                             : NULL,
        .act = s->act,
    };
    for (int64_t row = 0; row < rows; row++) {
        int64_t at = ((image * s->oh + y0 + row) * s->ow + x0) * s->o + first;
        tile.acc = acc + row * 2 * block->tile_columns * n;
        tile.out = xl_element(s->out, at);
        tile.residual = s->residual.data ? xl_element(s->residual, at) : NULL;
        w->kernels->epilogue(&tile);
    }
}

static void run_task(void *user, int64_t task, int worker) {
    const struct winograd *w = user;
    const struct xl_product_spec *s = &w->spec;
    int64_t column = task % w->n_block_columns, rest = task / w->n_block_columns;
    int64_t row = rest % w->n_block_rows, pair = rest / w->n_block_rows;
    int64_t image = pair % s->n, chunk = pair / s->n;
    struct xl_winograd_block block = {
        .x = (const float *)(const void *)xl_element(s->x, image * s->h * s->w * s->c),
        .h = s->up_height,
        .w = s->up_width,
        .c = s->c,
        .stored_w = s->w,
        .shrink = s->upsample ? 2 : 1,
        .is_sparse = w->n_sets == XL_WINOGRAD_SPARSE_SETS,
        .pad_top = s->pad_top,
        .pad_left = s->pad_left,
        .first_row = row * w->block_rows,
        .first_column = column * w->block_columns,
    };
    block.tile_rows = xl_min(w->block_rows, w->tile_rows - block.first_row);
    block.tile_columns = xl_min(w->block_columns, w->tile_columns - block.first_column);
    int64_t n_tiles = block.tile_rows * block.tile_columns;
    int64_t n = xl_min(w->chunk, s->o - chunk * w->chunk);
    const struct xl_dnn_product *product =
        w->products[row == w->n_block_rows - 1][column == w->n_block_columns - 1]
                   [chunk == w->n_chunks - 1];
    unsigned char *scratch = xl_scratch(w->space, worker);
    float *input = (float *)(void *)scratch;
    float *products = (float *)(void *)(scratch + w->input_bytes);
    float *acc = (float *)(void *)(scratch + w->input_bytes + w->products_bytes);
    int64_t input_stride = xl_winograd_set_stride(n_tiles, s->c);
    int64_t products_stride = xl_winograd_set_stride(n_tiles, n);
    w->winograd->input(&block, input);
    for (int set = 0; set < w->n_sets; set++) {
        bool ok = xl_dnn_run(product, worker, input + set * input_stride,
                             w->packed->weights[chunk * w->n_sets + set],
                             products + set * products_stride,
                             scratch + w->input_bytes + w->products_bytes + w->acc_bytes);
        if (!ok) atomic_store(&w->space->has_failed, true);
    }
    w->winograd->output(&block, products, n, acc);
    finish(w, &block, image, chunk, acc);
}

/* --- Compiling ------------------------------------------------------------------------------- */

bool xl_can_winograd(const struct xl_product_spec *s, enum xl_dtype dtype) {
    return dtype == XL_DTYPE_F32 && s->x.dtype == XL_DTYPE_F32 && s->kernel_h == 3 &&
           s->kernel_w == 3 && s->stride == 1 && s->c >= LEAST_CHANNELS && s->o >= LEAST_CHANNELS;
}

/* An enlarged picture that is whole and padded by one pixel all around. */
static bool is_sparse(const struct xl_product_spec *s) {
    return s->upsample && s->pad_top == 1 && s->pad_left == 1 && s->oh == 2 * s->h &&
           s->ow == 2 * s->w && s->up_height == 2 * s->h && s->up_width == 2 * s->w;
}

/* Blocks as square as the picture allows, a function of the shape alone. */
static void choose_blocks(struct winograd *w) {
    w->tile_rows = xl_div_up(w->spec.oh, 2);
    w->tile_columns = xl_div_up(w->spec.ow, 2);
    int64_t tiles = TILES, n_blocks;
    while (true) {
        w->n_block_columns = xl_div_up(w->tile_columns, tiles);
        w->block_columns = xl_div_up(w->tile_columns, w->n_block_columns);
        w->n_block_columns = xl_div_up(w->tile_columns, w->block_columns);
        w->block_rows = xl_min(xl_div_up(tiles, w->block_columns), w->tile_rows);
        w->n_block_rows = xl_div_up(w->tile_rows, w->block_rows);
        n_blocks = w->n_block_rows * w->n_block_columns;
        if (tiles <= LEAST_TILES || n_blocks * w->spec.n * w->n_chunks >= ENOUGH_TASKS) break;
        tiles /= 2;
    }
}

static struct xl_dnn_shape product_shape(const struct winograd *w, int64_t rows, int64_t o) {
    return (struct xl_dnn_shape){.dtype = XL_DTYPE_F32,
                                 .height = rows,
                                 .width = 1,
                                 .c = w->spec.c,
                                 .o = o,
                                 .kernel_h = 1,
                                 .kernel_w = 1,
                                 .stride = 1,
                                 .is_plain = w->is_plain};
}

/* *is_slow: oneDNN has only its reference for one of them. */
static enum xl_status add_products(struct xl_compiler *c, struct winograd *w,
                                   const struct xl_pack_spec *pack, bool *is_slow,
                                   struct xl_err *err) {
    *is_slow = false;
    int64_t last_row = w->tile_rows - (w->n_block_rows - 1) * w->block_rows;
    int64_t last_column = w->tile_columns - (w->n_block_columns - 1) * w->block_columns;
    int64_t last_o = w->spec.o - (w->n_chunks - 1) * w->chunk;
    for (int i = 0; i < 8; i++) {
        bool is_bottom = i & 4, is_right = i & 2, is_last = i & 1;
        int64_t rows = (is_bottom ? last_row : w->block_rows) *
                       (is_right ? last_column : w->block_columns);
        struct xl_dnn_shape shape = product_shape(w, rows, is_last ? last_o : w->chunk);
        const struct xl_dnn_product **product = &w->products[is_bottom][is_right][is_last];
        enum xl_status status = xl_dnn_product(c->backend->dnn, &shape,
                                               is_last ? pack->last : pack->whole, product, err);
        if (status) return status;
        *is_slow |= xl_dnn_product_is_reference(*product);
        xl_need_scratch(c, w->input_bytes + w->products_bytes + w->acc_bytes +
                               xl_dnn_product_scratch(*product));
    }
    return XL_OK;
}

/* Weights are packed as many tiles want them. As in product.c: fewer tiles may want another layout.
 */
static enum xl_status choose_products(struct xl_compiler *c, struct winograd *w,
                                      struct xl_pack_spec *pack, struct xl_err *err) {
    int64_t last_o = w->spec.o - (w->n_chunks - 1) * w->chunk;
    enum xl_status status = XL_OK;
    bool is_slow = true;
    for (int i = 0; !status && is_slow && i < 2; i++) {
        w->is_plain = i == 1;
        struct xl_dnn_shape whole = product_shape(w, TILES, w->chunk);
        struct xl_dnn_shape last = product_shape(w, TILES, last_o);
        status = xl_dnn_prototype(c->backend->dnn, &whole, &pack->whole, err);
        if (!status) status = xl_dnn_prototype(c->backend->dnn, &last, &pack->last, err);
        if (!status) status = add_products(c, w, pack, &is_slow, err);
    }
    return status;
}

static size_t set_bytes(int64_t n_sets, int64_t stride) {
    return xl_piece((size_t)(n_sets * stride) * sizeof(float));
}

enum xl_status xl_compile_winograd(struct xl_compiler *c, const struct xl_product_spec *spec,
                                   struct xl_err *err) {
    struct winograd *w = xl_state(c, sizeof *w, err);
    if (!w) return XL_ENOMEM;
    w->space = c->space;
    w->kernels = c->backend->kernels;
    w->winograd = xl_winograd_kernels(c->backend->isa);
    w->spec = *spec;
    w->chunk = xl_product_chunk(spec->o);
    w->n_chunks = xl_div_up(spec->o, w->chunk);
    choose_blocks(w);
    enum xl_tap_map map = is_sparse(spec) ? XL_TAPS_WINOGRAD_SPARSE : XL_TAPS_WINOGRAD;
    w->n_sets = xl_tap_map_sets(map);
    int64_t tiles = w->block_rows * w->block_columns;
    w->input_bytes = set_bytes(w->n_sets, xl_winograd_set_stride(tiles, spec->c));
    w->products_bytes = set_bytes(w->n_sets, xl_winograd_set_stride(tiles, w->chunk));
    w->acc_bytes = set_bytes(4, tiles * w->chunk);
    struct xl_pack_spec pack = {.weight = spec->weight, .chunk = w->chunk, .map = map};
    enum xl_status status = choose_products(c, w, &pack, err);
    if (!status) status = xl_pack_weights(c->hold, &pack, &w->packed, err);
    if (status) return status;
    xl_add_loop(c, run_task, w, w->n_chunks * spec->n * w->n_block_rows * w->n_block_columns);
    return XL_OK;
}
