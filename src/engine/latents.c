/* latents.c - between pictures and latents: the VAE, its scaling, and decoding in tiles. */
#include "engine/engine.h"

#include "tensor/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void xl_latent_noise(const struct xl_drawing *drawing, struct xl_noise *noise, float *out,
                     float *scratch) {
    int64_t channels = drawing->model->vae.latent_channels,
            pixels = drawing->latent_count / channels;
    xl_noise_normal(noise, scratch, drawing->latent_count);
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = 0; c < channels; c++) out[p * channels + c] = scratch[c * pixels + p];
}

/* Channel c of the UNet's latents is (z - shift) * scale of the VAE's. */
struct affine {
    float shift, scale;
};

static struct affine latent_affine(const struct xl_vae_config *vae, int c) {
    if (!vae->has_latents_stats)
        return (struct affine){(float)vae->shift_factor, (float)vae->scaling_factor};
    return (struct affine){(float)vae->latents_mean[c],
                           (float)(vae->scaling_factor / vae->latents_std[c])};
}

/* Run the VAE on one input. */
static enum xl_status run_vae(struct xl_drawing *drawing, struct xl_stage *vae, const float *in,
                              float *out, struct xl_err *err) {
    xl_exec_write(vae->exec, vae->io.vae.in, in);
    enum xl_status status = xl_stage_run(drawing, vae, err);
    if (!status) xl_exec_read(vae->exec, vae->io.vae.out, out);
    return status;
}

enum xl_status xl_latents_encode(struct xl_drawing *drawing, const struct xl_image *image,
                                 struct xl_noise *noise, float *latents, struct xl_err *err) {
    size_t n_pixels = (size_t)drawing->width * (size_t)drawing->height * 3,
           n = (size_t)drawing->latent_count;
    const struct xl_vae_config *config = &drawing->model->vae;
    int channels = config->latent_channels;
    struct xl_part_key key = xl_drawing_part(drawing, XL_PART_VAE_ENCODER);
    struct xl_stage *vae = NULL;
    float *pixels = malloc(n_pixels * sizeof(float));
    float *moments = malloc(2 * n * sizeof(float));
    float *normal = malloc(2 * n * sizeof(float)); /* and scratch */
    enum xl_status status = XL_OK;
    if (!pixels || !moments || !normal)
        status = xl_fail_nomem(err, "the init image", n_pixels * sizeof(float));
    if (!status) status = xl_stage_get(drawing, &key, &vae, err);
    for (size_t i = 0; !status && i < n_pixels; i++)
        pixels[i] = 2.0f * ((float)image->pixels[i] / 255.0f) - 1.0f;
    if (!status) status = run_vae(drawing, vae, pixels, moments, err);
    if (!status) {
        /* A sample of the posterior: mean + exp(logvar / 2) * normal */
        xl_latent_noise(drawing, noise, normal, normal + n);
        for (size_t i = 0; i < n; i++) {
            size_t pixel = i / (size_t)channels, c = i % (size_t)channels;
            const float *moment = moments + pixel * 2 * (size_t)channels;
            float logvar = fminf(fmaxf(moment[(size_t)channels + c], -30.0f), 20.0f);
            float z = moment[c] + expf(0.5f * logvar) * normal[i];
            struct affine affine = latent_affine(config, (int)c);
            latents[i] = (z - affine.shift) * affine.scale;
        }
    }
    free(pixels);
    free(moments);
    free(normal);
    return status;
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* Decode in tiles when the whole picture's activations would not fit. */
static enum xl_status choose_tile(struct xl_drawing *drawing, struct xl_err *err) {
    struct xl_part_key key = xl_drawing_part(drawing, XL_PART_VAE_DECODER);
    if (drawing->vae_tile || xl_stage_find(drawing->resident, &key)) return XL_OK;
    struct xl_plan *plan;
    union xl_part_io io;
    struct xl_weight_need weights;
    size_t need = 0;
    enum xl_status status = xl_part_build(drawing->resident->model, &key, &io, &plan, err);
    if (status) return status;
    const struct xl_plan *plans[] = {plan};
    status = xl_measure(drawing->device->backend, plans, 1, &weights, &need, err);
    xl_plan_free(plan);
    if (status) return status;
    int64_t available = xl_device_available(drawing->device, (int64_t)weights.held) -
                        (int64_t)weights.missing;
    if ((int64_t)need <= available - available / 10) return XL_OK;
    drawing->vae_tile = XL_TILE_PIXELS / xl_vae_scale(&drawing->model->vae);
    xl_str_printf(&drawing->warnings,
                  "decoding the whole picture needs %.1f GB and %.1f GB are free: decoded in tiles "
                  "of %d pixels\n",
                  (double)need / 1e9, (double)available / 1e9, XL_TILE_PIXELS);
    return XL_OK;
}

/* Evenly placed with at least a quarter of a tile in common. */
struct xl_tiling xl_tile_axis(int extent, int size) {
    size = smaller(size, extent);
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

static void copy_tile(const struct xl_drawing *drawing, const float *z, float *tile,
                      struct xl_tiling ty, struct xl_tiling tx, int iy, int ix) {
    size_t channels = (size_t)drawing->model->vae.latent_channels;
    size_t row = (size_t)tx.size * channels;
    for (int y = 0; y < ty.size; y++) {
        size_t from = (size_t)(tile_start(ty, iy) + y) * (size_t)drawing->latent_width +
                      (size_t)tile_start(tx, ix);
        memcpy(tile + (size_t)y * row, z + from * channels, row * sizeof *tile);
    }
}

/* z: the VAE's own latents -> picture, f32 [h, w, 3] */
static enum xl_status decode_tiles(struct xl_drawing *drawing, const float *z, float *picture,
                                   struct xl_err *err) {
    int scale = xl_vae_scale(&drawing->model->vae);
    int size = drawing->vae_tile ? drawing->vae_tile
                                 : drawing->latent_height + drawing->latent_width;
    struct xl_tiling ty = xl_tile_axis(drawing->latent_height, size);
    struct xl_tiling tx = xl_tile_axis(drawing->latent_width, size);
    struct xl_part_key key = xl_drawing_part(drawing, XL_PART_VAE_DECODER);
    key.height = ty.size;
    key.width = tx.size;
    struct xl_stage *vae;
    enum xl_status status = xl_stage_get(drawing, &key, &vae, err);
    if (status) return status;
    if (ty.n * tx.n == 1) return run_vae(drawing, vae, z, picture, err);

    size_t n_tile = (size_t)ty.size * (size_t)tx.size;
    float *tile = malloc(n_tile * (size_t)drawing->model->vae.latent_channels * sizeof *tile);
    float *pixels = malloc(n_tile * (size_t)(scale * scale) * 3 * sizeof *pixels);
    float *sums = malloc((size_t)(drawing->height + drawing->width) * sizeof *sums);
    if (!tile || !pixels || !sums)
        status = xl_fail_nomem(err, "a tile", n_tile * (size_t)(scale * scale) * 3);
    memset(picture, 0, (size_t)drawing->width * (size_t)drawing->height * 3 * sizeof *picture);
    for (int i = 0; !status && i < ty.n * tx.n; i++) {
        int iy = i / tx.n, ix = i % tx.n;
        copy_tile(drawing, z, tile, ty, tx, iy, ix);
        status = run_vae(drawing, vae, tile, pixels, err);
        if (!status) add_tile(picture, pixels, ty, tx, iy, ix, scale);
    }
    if (!status) divide_weights(picture, ty, tx, scale, sums);
    free(tile);
    free(pixels);
    free(sums);
    return status;
}

/* -1..1 to bytes as diffusers does it: halves round to even. */
static enum xl_status to_bytes(const float *picture, struct xl_image *image, struct xl_err *err) {
    size_t n = (size_t)image->width * (size_t)image->height * 3;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(picture[i]))
            return xl_fail(
                err, XL_ENUMERIC,
                "the decoded picture holds values that are not numbers; the VAE's weights "
                "may be damaged");
        float x = fminf(fmaxf(picture[i] * 0.5f + 0.5f, 0.0f), 1.0f);
        image->pixels[i] = (uint8_t)lrintf(x * 255.0f);
    }
    return XL_OK;
}

enum xl_status xl_latents_decode(struct xl_drawing *drawing, const float *latents,
                                 struct xl_image *out, struct xl_err *err) {
    const struct xl_vae_config *vae = &drawing->model->vae;
    size_t n_pixels = (size_t)drawing->width * (size_t)drawing->height * 3;
    struct xl_image image = {drawing->width, drawing->height, malloc(n_pixels)};
    float *z = malloc((size_t)drawing->latent_count * sizeof *z);
    float *picture = malloc(n_pixels * sizeof *picture);
    enum xl_status status = XL_OK;
    if (!image.pixels || !z || !picture)
        status = xl_fail_nomem(err, "the picture", n_pixels * sizeof *picture);
    if (!status) status = choose_tile(drawing, err);
    for (int64_t i = 0; !status && i < drawing->latent_count; i++) {
        struct affine affine = latent_affine(vae, (int)(i % vae->latent_channels));
        z[i] = latents[i] / affine.scale + affine.shift;
    }
    if (!status) status = decode_tiles(drawing, z, picture, err);
    if (!status) status = to_bytes(picture, &image, err);
    free(z);
    free(picture);
    if (status)
        free(image.pixels);
    else
        *out = image;
    return status;
}
