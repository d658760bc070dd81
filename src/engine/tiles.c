/* tiles.c - decoding one latent in tiles that overlap, blended on the host. */
#include "engine/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Evenly placed with at least a quarter of a tile in common. */
struct xl_tiling xl_tile_axis(int extent, int size) {
    if (size > extent) size = extent;
    int stride = size - size / 4, n = 1;
    if (extent > size) n += (extent - size + stride - 1) / stride;
    return (struct xl_tiling){n, size, extent};
}

static int tile_start(struct xl_tiling t, int i) {
    return t.n == 1 ? 0 : (int)((int64_t)(t.extent - t.size) * i / (t.n - 1));
}

/* Weight of pixel x of tile i: a ramp where a neighbour overlaps, so that weights of neighbours
 * cross over without a step. Never 0. */
static float tile_weight(struct xl_tiling t, int i, int x, int scale) {
    int start = tile_start(t, i) * scale, size = t.size * scale;
    float weight = 1;
    if (i > 0) {
        int overlap = (tile_start(t, i - 1) + t.size) * scale - start;
        weight = fminf(weight, ((float)x + 0.5f) / (float)overlap);
    }
    if (i + 1 < t.n) {
        int overlap = start + size - tile_start(t, i + 1) * scale;
        weight = fminf(weight, ((float)(size - x) - 0.5f) / (float)overlap);
    }
    return weight;
}

/* Add one decoded tile to the picture, weighted. Weights of all tiles are divided out afterwards.
 */
static void add_tile(float *picture, const float *tile, struct xl_tiling ty, struct xl_tiling tx,
                     int iy, int ix, int scale) {
    int y0 = tile_start(ty, iy) * scale, x0 = tile_start(tx, ix) * scale;
    int width = tx.extent * scale, tile_width = tx.size * scale;
    for (int y = 0; y < ty.size * scale; y++) {
        float wy = tile_weight(ty, iy, y, scale);
        for (int x = 0; x < tile_width; x++) {
            float w = wy * tile_weight(tx, ix, x, scale);
            float *to = picture + 3 * ((int64_t)(y0 + y) * width + x0 + x);
            const float *from = tile + 3 * ((int64_t)y * tile_width + x);
            for (int c = 0; c < 3; c++) to[c] += w * from[c];
        }
    }
}

/* Sum of the weights at each pixel of an axis: the sum over tiles is a product over axes. */
static void axis_weights(struct xl_tiling t, int scale, float *sums) {
    memset(sums, 0, (size_t)(t.extent * scale) * sizeof *sums);
    for (int i = 0; i < t.n; i++)
        for (int x = 0; x < t.size * scale; x++)
            sums[tile_start(t, i) * scale + x] += tile_weight(t, i, x, scale);
}

static void divide_weights(float *picture, struct xl_tiling ty, struct xl_tiling tx, int scale,
                           float *sums) {
    int height = ty.extent * scale, width = tx.extent * scale;
    float *wy = sums, *wx = sums + height;
    axis_weights(ty, scale, wy);
    axis_weights(tx, scale, wx);
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            for (int c = 0; c < 3; c++) picture[3 * (y * width + x) + c] /= wy[y] * wx[x];
}

/* A picture being put together. */
struct tiles {
    struct xl_drawing *drawing;
    struct xl_stage *vae;
    struct xl_tiling ty, tx;
    int scale;
    float *picture; /* [height, width, 3] */
    float *pixels;  /* of a tile */
    float *latents; /* likewise */
    float *sums;    /* of weights: [height], then [width] */
};

static void tiles_deinit(struct tiles *t) {
    free(t->picture);
    free(t->pixels);
    free(t->latents);
    free(t->sums);
}

static size_t tile_pixels(struct xl_tiling ty, struct xl_tiling tx) {
    return (size_t)ty.size * (size_t)tx.size;
}

static enum xl_status tiles_init(struct tiles *t, struct xl_err *err) {
    const struct xl_drawing *drawing = t->drawing;
    size_t n = tile_pixels(t->ty, t->tx), scale = (size_t)t->scale;
    size_t n_picture = (size_t)drawing->width * (size_t)drawing->height * 3;
    t->picture = calloc(n_picture, sizeof *t->picture);
    t->pixels = malloc(n * scale * scale * 3 * sizeof *t->pixels);
    t->latents = malloc(n * (size_t)drawing->model->vae.latent_channels * sizeof *t->latents);
    t->sums = malloc((size_t)(drawing->height + drawing->width) * sizeof *t->sums);
    if (t->picture && t->pixels && t->latents && t->sums) return XL_OK;
    return xl_fail_nomem(err, "the picture", n_picture * sizeof *t->picture);
}

static void copy_tile(const struct tiles *t, const float *latents, int iy, int ix) {
    size_t channels = (size_t)t->drawing->model->vae.latent_channels;
    size_t row = (size_t)t->tx.size * channels;
    for (int y = 0; y < t->ty.size; y++) {
        size_t from = (size_t)(tile_start(t->ty, iy) + y) * (size_t)t->drawing->latent_width +
                      (size_t)tile_start(t->tx, ix);
        memcpy(t->latents + (size_t)y * row, latents + from * channels, row * sizeof *latents);
    }
}

static enum xl_status decode_tile(const struct tiles *t, const float *latents, int i,
                                  struct xl_err *err) {
    int iy = i / t->tx.n, ix = i % t->tx.n;
    const struct xl_picture_io *io = &t->vae->io.picture;
    copy_tile(t, latents, iy, ix);
    xl_exec_write(t->vae->exec, io->latents, t->latents);
    enum xl_status status = xl_stage_run(t->drawing, t->vae, err);
    if (status) return status;
    xl_exec_read(t->vae->exec, io->picture, t->pixels);
    add_tile(t->picture, t->pixels, t->ty, t->tx, iy, ix, t->scale);
    return XL_OK;
}

/* A plan of to_rgb for some rows. */
struct to_rgb {
    struct xl_plan *plan;
    struct xl_exec *exec;
    xl_val x, flag, out;
};

static enum xl_status to_rgb_init(struct to_rgb *rgb, struct xl_backend *backend, int64_t n,
                                  struct xl_err *err) {
    rgb->plan = xl_plan_new(XL_DTYPE_F32);
    if (!rgb->plan) return xl_fail_nomem(err, "the picture", 0);
    rgb->x = xl_plan_input(rgb->plan, "x", XL_DTYPE_F32, XL_SHAPE(n), XL_PER_RUN);
    rgb->flag = xl_plan_state(rgb->plan, "flag", XL_DTYPE_I32, XL_SHAPE(1));
    rgb->out = xl_to_rgb(rgb->plan, rgb->x, rgb->flag);
    xl_plan_output(rgb->plan, rgb->out, "rgb");
    enum xl_status status = xl_plan_finish(rgb->plan, err);
    return status ? status : xl_compile(backend, rgb->plan, NULL, &rgb->exec, err);
}

/* The picture to bytes, by the backend, the rows of one latent pixel at a time. */
static enum xl_status write_bytes(const struct tiles *t, struct xl_image *image,
                                  struct xl_err *err) {
    struct to_rgb rgb = {0};
    int64_t n = (int64_t)t->scale * image->width * 3;
    int32_t flag = 0;
    enum xl_status status = to_rgb_init(&rgb, t->drawing->device->backend, n, err);
    if (!status) xl_exec_write(rgb.exec, rgb.flag, &flag);
    for (int64_t i = 0; !status && i < t->ty.extent; i++) {
        xl_exec_write(rgb.exec, rgb.x, t->picture + i * n);
        status = xl_exec_run(rgb.exec, 1, NULL, err);
        if (!status) xl_exec_read(rgb.exec, rgb.out, image->pixels + i * n);
    }
    if (!status) xl_exec_read(rgb.exec, rgb.flag, &flag);
    xl_exec_free(rgb.exec);
    xl_plan_free(rgb.plan);
    return !status && flag ? xl_fail_picture(err) : status;
}

int64_t xl_tiles_bytes(const struct xl_drawing *drawing, struct xl_tiling ty, struct xl_tiling tx) {
    int64_t scale = xl_vae_scale(&drawing->model->vae), n = (int64_t)tile_pixels(ty, tx);
    int64_t row = (int64_t)drawing->width * 3, numbers = (int64_t)drawing->height * row;
    numbers += n * (scale * scale * 3 + drawing->model->vae.latent_channels);
    numbers += drawing->height + drawing->width + 2 * scale * row; /* sums, and bytes of rows */
    return numbers * (int64_t)sizeof(float);
}

enum xl_status xl_tiles_decode(struct xl_drawing *drawing, const float *latents,
                               struct xl_image *image, struct xl_err *err) {
    struct tiles t = {.drawing = drawing, .scale = xl_vae_scale(&drawing->model->vae)};
    struct xl_part_key key = xl_drawing_part(drawing, XL_PART_VAE_DECODER);
    t.ty = xl_tile_axis(drawing->latent_height, drawing->vae_tile);
    t.tx = xl_tile_axis(drawing->latent_width, drawing->vae_tile);
    key.height = t.ty.size;
    key.width = t.tx.size;
    key.is_tile = true;
    enum xl_status status = xl_stage_get(drawing, &key, &t.vae, err);
    if (status) return status;
    xl_stage_write_affine(drawing, t.vae);
    status = tiles_init(&t, err);
    for (int i = 0; !status && i < t.ty.n * t.tx.n; i++) status = decode_tile(&t, latents, i, err);
    if (!status) {
        divide_weights(t.picture, t.ty, t.tx, t.scale, t.sums);
        status = write_bytes(&t, image, err);
    }
    tiles_deinit(&t);
    return status;
}
