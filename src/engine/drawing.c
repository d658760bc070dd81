/* drawing.c - a request made ready: checked, its sizes, its schedule and its place on the device.
 */
#include "engine/engine.h"

#include "base/str.h"

#include "image/image.h"

#include <limits.h>
#include <stdlib.h>

void xl_request_default(struct xl_request *request) {
    *request = (struct xl_request){
        .steps = 30,
        .guidance = 5.0,
        .n_pictures = 1,
        .scheduler = "default",
        .strength = 0.3,
    };
}

enum {
    MAX_SIDE = 16384,
    STEPS_UNIT = 64, /* rows of a table of steps: some hundred bytes each, a compilation saved */
};

static enum xl_status check_side(const char *name, int value, int unit, struct xl_err *err) {
    if (value < unit || value > MAX_SIDE || value % unit)
        return xl_fail(err, XL_EINVAL, "%s is %d, expected a multiple of %d from %d to %d", name,
                       value, unit, unit, MAX_SIDE);
    return XL_OK;
}

static enum xl_status check_real(const char *name, double value, double min, double max,
                                 struct xl_err *err) {
    if (value >= min && value <= max) return XL_OK; /* NaN is neither */
    return xl_fail(err, XL_EINVAL, "%s is %g, expected %g to %g", name, value, min, max);
}

static enum xl_status check_numbers(const struct xl_request *request, struct xl_err *err) {
    enum xl_status status = check_real("guidance", request->guidance, 0, 1000, err);
    if (!status) status = check_real("guidance_rescale", request->guidance_rescale, 0, 1, err);
    if (!status && request->init) status = check_real("strength", request->strength, 0, 1, err);
    if (!status) status = check_real("steps", request->steps, 1, 1000, err);
    if (!status) status = check_real("n_pictures", request->n_pictures, 1, XL_PICTURES_MAX, err);
    return status;
}

static enum xl_status read_pictures(struct xl_drawing *drawing, struct xl_err *err) {
    const struct xl_request *request = drawing->request;
    if (!request->pictures) return xl_fail(err, XL_EINVAL, "pictures: missing");
    drawing->extra = calloc((size_t)request->n_pictures, sizeof *drawing->extra);
    if (!drawing->extra) return xl_fail_nomem(err, "records", 0);
    for (int i = 0; i < request->n_pictures; i++) {
        enum xl_status status =
            xl_record_read_extra(request->pictures[i].extra, &drawing->extra[i], err);
        if (!request->pictures[i].prompt) status = xl_fail(err, XL_EINVAL, "prompt: missing");
        if (status && request->n_pictures > 1)
            return xl_fail_context(err, status, "picture %d", i + 1);
        if (status) return status;
    }
    return XL_OK;
}

int xl_drawing_n_samples(const struct xl_drawing *drawing) {
    return drawing->has_guidance ? 2 * drawing->request->n_pictures : drawing->request->n_pictures;
}

struct xl_part_key xl_drawing_part(const struct xl_drawing *drawing, enum xl_part part) {
    struct xl_part_key key = {.part = part, .act_dtype = drawing->act_dtype, .n = 1};
    bool is_vae = xl_part_component(part) == XL_VAE, is_unet = part == XL_PART_UNET;
    if (is_vae) key.act_dtype = xl_backend_picture_dtype(drawing->device->backend, key.act_dtype);
    if (is_unet) {
        key.n = xl_drawing_n_samples(drawing);
        key.batch = drawing->request->n_pictures;
        key.in_f8 = drawing->in_f8;
        key.steps = (drawing->schedule->n_steps + STEPS_UNIT - 1) / STEPS_UNIT * STEPS_UNIT;
        key.history = xl_schedule_n_history(drawing->schedule);
        key.noise = xl_schedule_n_noise(drawing->schedule);
    }
    if (is_unet) key.tokens = drawing->n_chunks * drawing->n_tokens;
    if (!is_unet && !is_vae) {
        key.tokens = drawing->n_tokens;
        key.extra = drawing->embeddings.n_rows;
        key.skip = drawing->skip;
    }
    if (is_vae || is_unet) {
        key.height = drawing->latent_height;
        key.width = drawing->latent_width;
    }
    return key;
}

/* Sizes in pixels and latents. Without a size: that of the init image, cut to whole latents, or the
 * model's own. */
static enum xl_status set_sizes(struct xl_drawing *drawing, struct xl_err *err) {
    const struct xl_model *model = drawing->model;
    const struct xl_request *request = drawing->request;
    int scale = xl_vae_scale(&model->vae), own = model->unet.sample_size * scale;
    drawing->width = request->width;
    drawing->height = request->height;
    if (!drawing->width)
        drawing->width = request->init ? request->init->width / scale * scale : own;
    if (!drawing->height)
        drawing->height = request->init ? request->init->height / scale * scale : own;
    enum xl_status status = check_side("width", drawing->width, scale, err);
    if (!status) status = check_side("height", drawing->height, scale, err);
    if (status) return status;
    if ((int64_t)drawing->width * drawing->height > XL_IMAGE_MAX_PIXELS)
        return xl_fail(err, XL_EINVAL, "%d x %d is more than %d megapixels", drawing->width,
                       drawing->height, XL_IMAGE_MAX_PIXELS / 1000000);
    drawing->latent_width = drawing->width / scale;
    drawing->latent_height = drawing->height / scale;
    drawing->latent_count = (int64_t)drawing->latent_width * drawing->latent_height *
                            model->vae.latent_channels;
    if (request->vae_tile) {
        if (request->vae_tile < 8 * scale)
            return xl_fail(err, XL_EINVAL, "vae_tile is %d, expected 0 or at least %d pixels",
                           request->vae_tile, 8 * scale);
        drawing->vae_tile = request->vae_tile / scale;
    }
    return XL_OK;
}

static enum xl_status set_schedule(struct xl_drawing *drawing, struct xl_err *err) {
    const struct xl_request *request = drawing->request;
    char *notice = NULL;
    bool was_clamped = false; /* strength asked for less than one step */
    const char *name = request->scheduler ? request->scheduler : "default";
    enum xl_status status = xl_scheduler_config_read(xl_model_scheduler(drawing->model),
                                                     drawing->model->files.scheduler_class, name,
                                                     &drawing->scheduler, &notice, err);
    if (!status && notice) xl_str_printf(&drawing->warnings, "%s\n", notice);
    free(notice);
    if (!status)
        status = xl_schedule_new(&drawing->scheduler, request->steps,
                                 request->init ? request->strength : 1.0, &was_clamped,
                                 &drawing->schedule, err);
    drawing->n_steps = request->steps;
    if (request->init) drawing->n_steps = (int)(request->steps * request->strength);
    if (drawing->n_steps < 1) drawing->n_steps = 1;
    if (!status && was_clamped)
        xl_str_printf(
            &drawing->warnings, "strength %g of %d %s is less than one step: one step was run\n",
            request->strength, request->steps, xl_plural(request->steps, "step", "steps"));
    return status;
}

static enum xl_status check_skip(const struct xl_drawing *drawing, struct xl_err *err) {
    int most = INT_MAX;
    for (int e = 0; e < XL_N_ENCODERS; e++)
        if (drawing->model->clip[e].num_hidden_layers < most)
            most = drawing->model->clip[e].num_hidden_layers;
    if (drawing->skip >= 1 && drawing->skip <= most) return XL_OK;
    return xl_fail(err, XL_EINVAL,
                   "clip_skip is %d, expected 1 (the last layer) to %d: one of the text encoders "
                   "has no more layers",
                   drawing->skip, most);
}

/* What is to be said about the device. A precision without instructions for it is right, and slow.
 */
static enum xl_status set_precision(struct xl_drawing *drawing, struct xl_err *err) {
    const struct xl_device *device = drawing->device;
    enum xl_precision asked = drawing->request->precision;
    enum xl_status status = xl_device_act_dtype(device, asked, &drawing->act_dtype, err);
    if (status) return status;
    drawing->in_f8 = xl_device_precision(device, asked) == XL_PRECISION_F8;
    if (device->notice) xl_str_printf(&drawing->warnings, "%s\n", device->notice);
    if (!xl_backend_is_native(device->backend, drawing->act_dtype))
        xl_str_printf(&drawing->warnings,
                      "this device has no instructions for %s: f32 is faster here\n",
                      drawing->act_dtype == XL_DTYPE_F16 ? "f16" : "bf16");
    return XL_OK;
}

/* All that needs no device. */
static enum xl_status prepare(struct xl_model *model, const struct xl_request *request,
                              struct xl_drawing *drawing, struct xl_err *err) {
    *drawing =
        (struct xl_drawing){.model = model,
                            .request = request,
                            .n_tokens = model->n_tokens,
                            .n_chunks = 1,
                            .skip = request->clip_skip ? request->clip_skip : XL_CLIP_SKIP_OWN,
                            .has_guidance = request->guidance > 1};
    xl_str_puts(&drawing->warnings, model->notices);
    enum xl_status status = check_numbers(request, err);
    if (!status) status = read_pictures(drawing, err);
    if (!status) status = set_sizes(drawing, err);
    if (!status) status = check_skip(drawing, err);
    if (!status) status = set_schedule(drawing, err);
    if (!status) status = xl_embeddings_open(drawing, err);
    if (!status) status = xl_prompts_read(drawing, err);
    return status;
}

enum xl_status xl_drawing_init(struct xl_device *device, struct xl_model *model,
                               const struct xl_request *request, struct xl_drawing *drawing,
                               struct xl_err *err) {
    enum xl_status status = prepare(model, request, drawing, err);
    drawing->device = device;
    if (!status) status = set_precision(drawing, err);
    return status ? status : xl_device_put_to_work(drawing, err);
}

enum xl_status xl_drawing_init_ahead(struct xl_device *device, struct xl_model *model,
                                     const struct xl_request *request, struct xl_drawing *drawing,
                                     struct xl_err *err) {
    enum xl_status status = prepare(model, request, drawing, err);
    drawing->device = device;
    drawing->is_ahead = true;
    if (!status) status = set_precision(drawing, err);
    return status ? status : xl_device_begin_ahead(drawing, err);
}

enum xl_status xl_model_check(struct xl_model *model, const struct xl_request *request,
                              struct xl_err *err) {
    struct xl_drawing drawing;
    enum xl_status status = prepare(model, request, &drawing, err);
    xl_drawing_deinit(&drawing);
    return status;
}

void xl_drawing_deinit(struct xl_drawing *drawing) {
    xl_schedule_free(drawing->schedule);
    for (int i = 0; drawing->extra && i < drawing->request->n_pictures; i++)
        json_decref(drawing->extra[i]);
    free(drawing->extra);
    xl_arena_deinit(&drawing->arena);
    xl_str_deinit(&drawing->warnings);
}
