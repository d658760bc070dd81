/* latents.c - between pictures and latents: the VAE, its scaling, and decoding in tiles. */
#include "engine/engine.h"

#include "base/memory.h"
#include "tensor/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* The VAE computes in f32 whatever the UNet does: bf16 has no more significant bits than the
 * picture that comes out. */
enum xl_status xl_build_vae(struct xl_model *model, bool encoder, int height, int width,
                            struct xl_vae_io *io, struct xl_plan **plan, struct xl_err *err) {
    struct xl_vae_shape shape = {1, height, width, XL_DTYPE_F32};
    struct xl_source source = xl_model_source(model, XL_VAE);
    return encoder ? xl_vae_build_encoder(&model->vae, source, shape, io, plan, err)
                   : xl_vae_build_decoder(&model->vae, source, shape, io, plan, err);
}

static bool has_vae(const struct xl_model *model, bool encoder, int height, int width) {
    return model->vae_stage.exec && model->vae_is_encoder == encoder &&
           model->vae_shape.height == height && model->vae_shape.width == width;
}

static enum xl_status ensure_vae(struct xl_model *model, bool encoder, int height, int width,
                                 struct xl_err *err) {
    if (has_vae(model, encoder, height, width)) return XL_OK;
    xl_stage_deinit(&model->vae_stage);
    struct xl_plan *plan;
    enum xl_status status = xl_build_vae(model, encoder, height, width, &model->vae_io, &plan, err);
    if (!status) status = xl_stage_compile(model, XL_VAE, plan, &model->vae_stage, err);
    model->vae_is_encoder = encoder;
    model->vae_shape = (struct xl_vae_shape){1, height, width, XL_DTYPE_F32};
    return status;
}

/* Run the compiled VAE on one input. */
static enum xl_status run_vae(struct xl_model *model, const float *in, float *out,
                              struct xl_err *err) {
    xl_exec_write(model->vae_stage.exec, model->vae_io.in, in);
    enum xl_status status = xl_stage_run(model, &model->vae_stage, err);
    if (!status) xl_exec_read(model->vae_stage.exec, model->vae_io.out, out);
    return status;
}

enum xl_status xl_latents_encode(struct xl_model *model, const struct xl_job *job,
                                 const struct xl_image *image, struct xl_noise *noise,
                                 float *latents, struct xl_err *err) {
    size_t n_pixels = (size_t)job->width * (size_t)job->height * 3, n = (size_t)job->latent_count;
    int channels = model->vae.latent_channels;
    float *pixels = malloc(n_pixels * sizeof(float));
    float *moments = malloc(2 * n * sizeof(float));
    float *normal = malloc(2 * n * sizeof(float)); /* and scratch */
    enum xl_status status = XL_OK;
    if (!pixels || !moments || !normal)
        status = xl_fail_nomem(err, "the init image", n_pixels * sizeof(float));
    if (!status) status = ensure_vae(model, true, job->latent_height, job->latent_width, err);
    for (size_t i = 0; !status && i < n_pixels; i++)
        pixels[i] = 2.0f * ((float)image->pixels[i] / 255.0f) - 1.0f;
    if (!status) status = run_vae(model, pixels, moments, err);
    if (!status) {
        /* A sample of the posterior: mean + exp(logvar / 2) * normal */
        xl_latent_noise(model, job, noise, normal, normal + n);
        for (size_t i = 0; i < n; i++) {
            size_t pixel = i / (size_t)channels, c = i % (size_t)channels;
            const float *moment = moments + pixel * 2 * (size_t)channels;
            float logvar = fminf(fmaxf(moment[(size_t)channels + c], -30.0f), 20.0f);
            float z = moment[c] + expf(0.5f * logvar) * normal[i];
            struct affine affine = latent_affine(&model->vae, (int)c);
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
static enum xl_status choose_tile(struct xl_model *model, struct xl_job *job, struct xl_err *err) {
    if (job->vae_tile || has_vae(model, false, job->latent_height, job->latent_width)) return XL_OK;
    struct xl_plan *plan;
    struct xl_vae_io io;
    struct xl_layout layout;
    enum xl_status status =
        xl_build_vae(model, false, job->latent_height, job->latent_width, &io, &plan, err);
    if (status) return status;
    status = xl_plan_layout(plan, false, &layout, err);
    xl_plan_free(plan);
    if (status) return status;
    int64_t available = xl_memory_available(), need = (int64_t)layout.total_bytes;
    xl_layout_deinit(&layout);
    if (need <= available - available / 10) return XL_OK;
    /* The UNet has done its part. */
    xl_stages_release(model, NULL);
    available = xl_memory_available();
    if (need <= available - available / 10) return XL_OK;
    job->vae_tile = XL_TILE_PIXELS / xl_vae_scale(&model->vae);
    xl_str_printf(&job->warnings,
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

static void copy_tile(const struct xl_model *model, const struct xl_job *job, const float *z,
                      float *tile, struct xl_tiling ty, struct xl_tiling tx, int iy, int ix) {
    size_t channels = (size_t)model->vae.latent_channels;
    size_t row = (size_t)tx.size * channels;
    for (int y = 0; y < ty.size; y++) {
        size_t from = (size_t)(tile_start(ty, iy) + y) * (size_t)job->latent_width +
                      (size_t)tile_start(tx, ix);
        memcpy(tile + (size_t)y * row, z + from * channels, row * sizeof *tile);
    }
}

/* z: the VAE's own latents -> picture, f32 [h, w, 3] */
static enum xl_status decode_tiles(struct xl_model *model, const struct xl_job *job, const float *z,
                                   float *picture, struct xl_err *err) {
    int scale = xl_vae_scale(&model->vae);
    int size = job->vae_tile ? job->vae_tile : job->latent_height + job->latent_width;
    struct xl_tiling ty = xl_tile_axis(job->latent_height, size);
    struct xl_tiling tx = xl_tile_axis(job->latent_width, size);
    enum xl_status status = ensure_vae(model, false, ty.size, tx.size, err);
    if (status) return status;
    if (ty.n * tx.n == 1) return run_vae(model, z, picture, err);

    size_t n_tile = (size_t)ty.size * (size_t)tx.size;
    float *tile = malloc(n_tile * (size_t)model->vae.latent_channels * sizeof *tile);
    float *pixels = malloc(n_tile * (size_t)(scale * scale) * 3 * sizeof *pixels);
    float *sums = malloc((size_t)(job->height + job->width) * sizeof *sums);
    if (!tile || !pixels || !sums)
        status = xl_fail_nomem(err, "a tile", n_tile * (size_t)(scale * scale) * 3);
    memset(picture, 0, (size_t)job->width * (size_t)job->height * 3 * sizeof *picture);
    for (int i = 0; !status && i < ty.n * tx.n; i++) {
        int iy = i / tx.n, ix = i % tx.n;
        copy_tile(model, job, z, tile, ty, tx, iy, ix);
        status = run_vae(model, tile, pixels, err);
        if (!status) add_tile(picture, pixels, ty, tx, iy, ix, scale);
        if (!status && !xl_model_progress(model, XL_PHASE_DECODE, i + 1, ty.n * tx.n))
            status = xl_fail(err, XL_ECANCELLED, "interrupted while decoding");
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

enum xl_status xl_latents_decode(struct xl_model *model, struct xl_job *job, const float *latents,
                                 struct xl_image *out, struct xl_err *err) {
    size_t n_pixels = (size_t)job->width * (size_t)job->height * 3;
    struct xl_image image = {job->width, job->height, malloc(n_pixels)};
    float *z = malloc((size_t)job->latent_count * sizeof *z);
    float *picture = malloc(n_pixels * sizeof *picture);
    enum xl_status status = XL_OK;
    if (!image.pixels || !z || !picture)
        status = xl_fail_nomem(err, "the picture", n_pixels * sizeof *picture);
    if (!status) status = choose_tile(model, job, err);
    for (int64_t i = 0; !status && i < job->latent_count; i++) {
        struct affine affine = latent_affine(&model->vae, (int)(i % model->vae.latent_channels));
        z[i] = latents[i] / affine.scale + affine.shift;
    }
    if (!status) status = decode_tiles(model, job, z, picture, err);
    if (!status) status = to_bytes(picture, &image, err);
    free(z);
    free(picture);
    if (status)
        free(image.pixels);
    else
        *out = image;
    return status;
}
