/* latents.c - between pictures and latents: noise, the init picture, and decoding. */
#include "engine/engine.h"

#include "tensor/noise.h"

#include <stdlib.h>

void xl_latent_noise(const struct xl_drawing *drawing, struct xl_noise *noise, float *out,
                     float *scratch) {
    int64_t channels = drawing->model->vae.latent_channels,
            pixels = drawing->latent_count / channels;
    xl_noise_normal(noise, scratch, drawing->latent_count);
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t c = 0; c < channels; c++) out[p * channels + c] = scratch[c * pixels + p];
}

void xl_stage_write_affine(const struct xl_drawing *drawing, struct xl_stage *vae) {
    float affine[2 * XL_VAE_MAX_LATENT_CHANNELS];
    xl_picture_affine(&drawing->model->vae, affine);
    xl_exec_write(vae->exec, vae->io.picture.affine, affine);
}

enum xl_status xl_latents_encode(struct xl_drawing *drawing, const struct xl_image *image,
                                 struct xl_noise *noise, float *latents, struct xl_err *err) {
    int64_t n = drawing->latent_count;
    struct xl_part_key key = xl_drawing_part(drawing, XL_PART_VAE_ENCODER);
    struct xl_stage *vae = NULL;
    enum xl_status status = xl_stage_get(drawing, &key, &vae, err);
    if (status) return status;
    float *fresh = malloc(2 * (size_t)n * sizeof *fresh);
    if (!fresh) return xl_fail_nomem(err, "the init image", 2 * (size_t)n * sizeof *fresh);
    xl_stage_write_affine(drawing, vae);
    xl_exec_write(vae->exec, vae->io.picture.picture, image->pixels);
    for (int b = 0; !status && b < drawing->request->n_pictures; b++) {
        xl_latent_noise(drawing, &noise[b], fresh, fresh + n);
        xl_exec_write(vae->exec, vae->io.picture.noise, fresh);
        status = xl_stage_run(drawing, vae, err);
        if (!status) xl_exec_read(vae->exec, vae->io.picture.latents, latents + b * n);
    }
    free(fresh);
    return status;
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

bool xl_drawing_is_whole(const struct xl_drawing *drawing) {
    int size = drawing->vae_tile;
    return !size || (size >= drawing->latent_height && size >= drawing->latent_width);
}

enum xl_status xl_fail_picture(struct xl_err *err) {
    return xl_fail(
        err, XL_ENUMERIC,
        "the decoded picture holds values that are not numbers; the VAE's weights may be "
        "damaged");
}

/* A batch being decoded. */
struct decoding {
    struct xl_drawing *drawing;
    struct xl_stage *unet; /* has the latents; NULL: they are in `saved` */
    struct xl_stage *vae;  /* NULL: in tiles */
    float *saved;          /* [pictures, h, w, c] */
};

/* The decoder. A stage that has to be made may want the UNet's memory: latents are saved before. */
static enum xl_status prepare(struct decoding *d, struct xl_err *err) {
    struct xl_drawing *drawing = d->drawing;
    struct xl_part_key key = xl_drawing_part(drawing, XL_PART_VAE_DECODER);
    enum xl_status status = choose_tile(drawing, err);
    if (status) return status;
    bool stays = xl_drawing_is_whole(drawing) && xl_stage_find(drawing->resident, &key);
    if (!stays) {
        xl_exec_read(d->unet->exec, d->unet->io.denoise.x, d->saved);
        d->unet = NULL;
    }
    if (!xl_drawing_is_whole(drawing)) return XL_OK;
    status = xl_stage_get(drawing, &key, &d->vae, err);
    if (!status) xl_stage_write_affine(drawing, d->vae);
    return status;
}

static enum xl_status decode_picture(const struct decoding *d, int b, struct xl_image *image,
                                     struct xl_err *err) {
    int64_t n = d->drawing->latent_count;
    if (!d->vae) return xl_tiles_decode(d->drawing, d->saved + b * n, image, err);
    const struct xl_picture_io *io = &d->vae->io.picture;
    struct xl_place to = {d->vae->exec, io->latents, 0};
    int32_t flag = 0;
    if (d->unet)
        xl_exec_copy((struct xl_place){d->unet->exec, d->unet->io.denoise.x, b * n}, to, n);
    else
        xl_exec_write_at(to, d->saved + b * n, n);
    xl_exec_write(d->vae->exec, io->flag, &flag);
    enum xl_status status = xl_stage_run(d->drawing, d->vae, err);
    if (status) return status;
    xl_exec_read(d->vae->exec, io->picture, image->pixels);
    xl_exec_read(d->vae->exec, io->flag, &flag);
    return flag ? xl_fail_picture(err) : XL_OK;
}

enum xl_status xl_latents_expect(struct xl_drawing *drawing, struct xl_err *err) {
    struct xl_part_key key = xl_drawing_part(drawing, XL_PART_VAE_DECODER);
    bool is_there;
    if (!drawing->device->prepares || !xl_drawing_is_whole(drawing)) return XL_OK;
    if (xl_early_has(drawing, key.part)) return XL_OK;
    return xl_stage_try(drawing, &key, &is_there, err);
}

enum xl_status xl_latents_decode(struct xl_drawing *drawing, struct xl_stage *unet, float *saved,
                                 struct xl_drawn_picture *pictures, struct xl_err *err) {
    struct decoding decoding = {.drawing = drawing, .unet = unet, .saved = saved};
    int n = drawing->request->n_pictures;
    enum xl_status status = prepare(&decoding, err);
    for (int i = 0; !status && i < n; i++) {
        if (!xl_drawing_progress(drawing, XL_PHASE_DECODE, i, n))
            return xl_fail(err, XL_ECANCELLED, "interrupted before decoding picture %d", i + 1);
        status = decode_picture(&decoding, i, &pictures[i].image, err);
    }
    if (!status) xl_drawing_progress(drawing, XL_PHASE_DECODE, n, n);
    return status;
}
