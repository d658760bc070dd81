/* need.c - what a request would take: its plans are built and measured, nothing is read or run. */
#include "engine/engine.h"

#include "tensor/noise.h"

#include <string.h>

/* The plans that a request runs, in the order of running; TILE in the place of the decoder. */
enum { TILE = XL_N_PARTS, N_PLANS };

struct plans {
    struct xl_plan *plan[N_PLANS]; /* NULL: not run */
    int64_t bytes[N_PLANS];        /* of the executables */
    struct xl_tiling ty, tx;
};

static void plans_deinit(struct plans *plans) {
    for (int i = 0; i < N_PLANS; i++) xl_plan_free(plans->plan[i]);
}

/* Else the only one is the whole picture. */
static bool has_tiles(const struct plans *plans) {
    return plans->ty.n > 1 || plans->tx.n > 1;
}

static enum xl_status build(const struct xl_drawing *drawing, const struct xl_part_key *key,
                            struct xl_plan **plan, struct xl_err *err) {
    union xl_part_io io;
    return xl_part_build(drawing->resident->model, key, &io, plan, err);
}

static enum xl_status build_plans(const struct xl_drawing *drawing, struct plans *plans,
                                  struct xl_err *err) {
    int scale = xl_vae_scale(&drawing->model->vae);
    int size = drawing->vae_tile ? drawing->vae_tile : XL_TILE_PIXELS / scale;
    plans->ty = xl_tile_axis(drawing->latent_height, size);
    plans->tx = xl_tile_axis(drawing->latent_width, size);
    struct xl_part_key key;
    enum xl_status status = XL_OK;
    for (enum xl_part part = 0; !status && part < XL_N_PARTS; part++) {
        if (part == XL_PART_VAE_ENCODER && !drawing->request->init) continue;
        key = xl_drawing_part(drawing, part);
        status = build(drawing, &key, &plans->plan[part], err);
    }
    key = xl_drawing_part(drawing, XL_PART_VAE_DECODER);
    key.height = plans->ty.size;
    key.width = plans->tx.size;
    key.is_tile = has_tiles(plans);
    return status ? status : build(drawing, &key, &plans->plan[TILE], err);
}

/* Bytes of a run of parts, and of the weights that they need and that are not held. */
static enum xl_status measure(const struct xl_drawing *drawing, struct plans *plans, int first,
                              int last, struct xl_weight_need *weights, struct xl_err *err) {
    const struct xl_plan *list[N_PLANS] = {NULL};
    size_t bytes[N_PLANS];
    int which[N_PLANS], n = 0;
    for (int i = first; i <= last; i++) {
        if (!plans->plan[i]) continue;
        which[n] = i;
        list[n++] = plans->plan[i];
    }
    enum xl_status status = xl_measure(drawing->device->backend, list, n, weights, bytes, err);
    for (int i = 0; !status && i < n; i++) plans->bytes[which[i]] = (int64_t)bytes[i];
    return status;
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Arrays of the engine while a batch is drawn: see generate.c, denoise.c, latents.c, tiles.c. */
struct arrays {
    int64_t batch; /* latents, noise, conditions, finished pictures: all the time */
    int64_t loop;  /* before the sampling loop, and in it where the caller sees latents */
    int64_t init;  /* of encoding */
    int64_t tiled; /* of decoding a picture in tiles */
};

static struct arrays count_arrays(const struct xl_drawing *drawing, const struct plans *plans) {
    const struct xl_model *model = drawing->model;
    int64_t batch = drawing->request->n_pictures, samples = xl_drawing_n_samples(drawing);
    int64_t latents = drawing->latent_count * (int64_t)sizeof(float);
    int64_t pixels = (int64_t)drawing->width * drawing->height * 3;
    int64_t text = (int64_t)drawing->n_chunks * drawing->n_tokens *
                       model->unet.cross_attention_dim +
                   model->unet.pooled_dim;
    int64_t texts = xl_conditions_n_texts(drawing) * text + samples * XL_UNET_TIME_IDS;
    bool is_seen = drawing->request->latents;
    return (struct arrays){
        .batch = batch * (latents + (int64_t)sizeof(struct xl_noise) + pixels) +
                 texts * (int64_t)sizeof(float),
        .loop = larger(2 * latents, is_seen ? batch * latents : 0),
        .init = drawing->request->init ? 4 * latents : 0, /* its noise, and the first latents' */
        .tiled = has_tiles(plans) ? xl_tiles_bytes(drawing, plans->ty, plans->tx) : 0,
    };
}

/* The most that lives at once when every part stays, with this decoder. */
static int64_t peak(const struct plans *plans, const struct arrays *arrays, int decoder,
                    int64_t decoding) {
    int64_t before = plans->bytes[XL_PART_ENCODER] + plans->bytes[XL_PART_ENCODER_2] +
                     plans->bytes[XL_PART_VAE_ENCODER];
    int64_t init = before + arrays->init;
    int64_t sampling = before + plans->bytes[XL_PART_UNET] + arrays->loop;
    int64_t last = before + plans->bytes[XL_PART_UNET] + plans->bytes[decoder] + decoding;
    return arrays->batch + larger(larger(init, sampling), last);
}

/* The same when each part goes for the next. */
static int64_t least(const struct plans *plans, const struct arrays *arrays) {
    int64_t most = larger(plans->bytes[XL_PART_ENCODER], plans->bytes[XL_PART_ENCODER_2]);
    most = larger(most, plans->bytes[XL_PART_VAE_ENCODER] + arrays->init);
    most = larger(most, plans->bytes[XL_PART_UNET] + arrays->loop);
    return arrays->batch + larger(most, plans->bytes[TILE] + arrays->tiled);
}

static double flops_of(const struct plans *plans, int i, enum xl_rate rate) {
    return plans->plan[i] ? xl_plan_flops(plans->plan[i], rate) : 0;
}

static enum xl_status tell(const struct xl_drawing *drawing, struct plans *plans,
                           struct xl_need *out, struct xl_err *err) {
    struct xl_weight_need weights, of_tile;
    enum xl_status status = build_plans(drawing, plans, err);
    if (!status) status = measure(drawing, plans, 0, XL_N_PARTS - 1, &weights, err);
    if (!status) status = measure(drawing, plans, TILE, TILE, &of_tile, err);
    if (status) return status;
    struct xl_memory memory;
    xl_backend_memory(drawing->device->backend, &memory);
    struct arrays arrays = count_arrays(drawing, plans);
    *out = (struct xl_need){
        .weight_bytes = (int64_t)weights.missing,
        .work_bytes = peak(plans, &arrays, XL_PART_VAE_DECODER, 0),
        .tiled_bytes = peak(plans, &arrays, TILE, arrays.tiled),
        .least_bytes = least(plans, &arrays),
        .held_weight_bytes = memory.weight_bytes,
        .held_work_bytes = memory.work_bytes,
        .available_bytes = xl_device_available(drawing->device, (int64_t)weights.held),
        .n_evaluations = drawing->schedule->n_steps,
        .init_flops = flops_of(plans, XL_PART_VAE_ENCODER, XL_PER_PROMPT),
        .step_flops = flops_of(plans, XL_PART_UNET, XL_PER_RUN),
        .decode_flops = flops_of(plans, XL_PART_VAE_DECODER, XL_PER_RUN),
        .tiled_decode_flops = flops_of(plans, TILE, XL_PER_RUN) * (double)plans->ty.n *
                              (double)plans->tx.n,
    };
    return XL_OK;
}

enum xl_status xl_model_need(struct xl_device *device, struct xl_model *model,
                             const struct xl_request *request, struct xl_need *out,
                             struct xl_err *err) {
    struct xl_drawing drawing;
    struct plans plans = {0};
    enum xl_status status = xl_drawing_init(device, model, request, &drawing, err);
    if (!status) status = tell(&drawing, &plans, out, err);
    plans_deinit(&plans);
    xl_drawing_deinit(&drawing);
    return status;
}
