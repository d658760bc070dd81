/* need.c - what a request would take: its plans are built and measured, nothing is read or run. */
#include "engine/engine.h"

#include "tensor/noise.h"

#include <string.h>

/* The plans that a request runs, in the order of running. */
enum part { ENCODER, ENCODER_2, VAE_ENCODER, UNET, DECODER, TILE, N_PARTS };

struct parts {
    struct xl_plan *plan[N_PARTS]; /* NULL: not run */
    int64_t bytes[N_PARTS];        /* of the executables */
    int64_t n_tiles;
};

static void parts_deinit(struct parts *parts) {
    for (int i = 0; i < N_PARTS; i++) xl_plan_free(parts->plan[i]);
}

static enum xl_status build_parts(struct xl_model *model, const struct xl_job *job,
                                  struct parts *parts, struct xl_err *err) {
    struct xl_clip_io clip_io;
    struct xl_unet_io unet_io;
    struct xl_vae_io vae_io;
    int h = job->latent_height, w = job->latent_width;
    int tile = job->vae_tile ? job->vae_tile : XL_TILE_PIXELS / xl_vae_scale(&model->vae);
    struct xl_tiling ty = xl_tile_axis(h, tile), tx = xl_tile_axis(w, tile);
    parts->n_tiles = (int64_t)ty.n * tx.n;
    enum xl_status status = XL_OK;
    for (int e = 0; !status && e < XL_N_ENCODERS; e++)
        status = xl_build_encoder(model, e, &clip_io, &parts->plan[ENCODER + e], err);
    if (!status && job->request->init)
        status = xl_build_vae(model, true, h, w, &vae_io, &parts->plan[VAE_ENCODER], err);
    if (!status) status = xl_build_unet(model, job, &unet_io, &parts->plan[UNET], err);
    if (!status) status = xl_build_vae(model, false, h, w, &vae_io, &parts->plan[DECODER], err);
    if (!status)
        status = xl_build_vae(model, false, ty.size, tx.size, &vae_io, &parts->plan[TILE], err);
    return status;
}

/* Bytes of a run of parts, and of the weights that they need and that are not held. */
static enum xl_status measure(struct xl_model *model, struct parts *parts, enum part first,
                              enum part last, int64_t *weight_bytes, struct xl_err *err) {
    const struct xl_plan *plans[N_PARTS] = {NULL};
    size_t bytes[N_PARTS], weights = 0;
    enum part which[N_PARTS];
    int n = 0;
    for (enum part i = first; i <= last; i++) {
        if (!parts->plan[i]) continue;
        which[n] = i;
        plans[n++] = parts->plan[i];
    }
    enum xl_status status = xl_measure(model->backend, plans, n, &weights, bytes, err);
    for (int i = 0; !status && i < n; i++) parts->bytes[which[i]] = (int64_t)bytes[i];
    *weight_bytes = (int64_t)weights;
    return status;
}

/* Arrays of the engine while a batch is drawn: see generate.c, denoise.c, latents.c. */
struct arrays {
    int64_t batch;              /* latents, noise, conditions, finished pictures: all the time */
    int64_t loop;               /* of the sampling loop */
    int64_t init, whole, tiled; /* of encoding, and of decoding a picture */
};

static struct arrays count_arrays(const struct xl_model *model, const struct xl_job *job,
                                  int64_t n_tiles) {
    int64_t batch = job->request->batch, samples = xl_job_n_samples(job);
    int64_t latents = job->latent_count * (int64_t)sizeof(float);
    int64_t pixels = (int64_t)job->width * job->height * 3;
    int64_t text = (int64_t)model->n_tokens * model->unet.cross_attention_dim +
                   model->unet.pooled_dim + XL_UNET_TIME_IDS;
    int history = 1; /* the sampler's, a latent each */
    bool is_used[XL_HISTORY_SLOTS] = {false};
    for (int i = 0; i < job->schedule->n_steps; i++) {
        int slot = job->schedule->steps[i].store_slot;
        if (slot < 0 || is_used[slot]) continue;
        is_used[slot] = true;
        history++;
    }
    struct arrays arrays = {
        .batch = batch * (latents + (int64_t)sizeof(struct xl_noise) + pixels) +
                 samples * text * (int64_t)sizeof(float),
        .loop = (2 * samples + batch * (1 + history) + 1) * latents,
        .init = job->request->init ? pixels * (int64_t)sizeof(float) + 6 * latents : 0,
        .whole = pixels * (int64_t)sizeof(float) + latents,
    };
    arrays.tiled = arrays.whole;
    if (n_tiles > 1) arrays.tiled += arrays.whole / n_tiles * 2; /* tiles overlap by a quarter */
    return arrays;
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* The most that lives at once when every part stays, with this decoder. The decoder takes the place
 * of the VAE's encoder. */
static int64_t peak(const struct parts *parts, const struct arrays *arrays, enum part decoder,
                    int64_t decoding) {
    int64_t encoders = parts->bytes[ENCODER] + parts->bytes[ENCODER_2];
    int64_t init = encoders + parts->bytes[VAE_ENCODER] + arrays->init;
    int64_t sampling = encoders + parts->bytes[VAE_ENCODER] + parts->bytes[UNET] + arrays->loop;
    int64_t last = encoders + parts->bytes[UNET] + parts->bytes[decoder] + decoding;
    return arrays->batch + larger(larger(init, sampling), last);
}

/* The same when each part goes for the next. */
static int64_t least(const struct parts *parts, const struct arrays *arrays) {
    int64_t most = larger(parts->bytes[ENCODER], parts->bytes[ENCODER_2]);
    most = larger(most, parts->bytes[VAE_ENCODER] + arrays->init);
    most = larger(most, parts->bytes[UNET] + arrays->loop);
    return arrays->batch + larger(most, parts->bytes[TILE] + arrays->tiled);
}

static double flops_of(const struct parts *parts, enum part part) {
    return parts->plan[part] ? xl_plan_flops(parts->plan[part]) : 0;
}

static int64_t held_work(const struct xl_model *model) {
    const struct xl_stage *stages[] = {&model->clip_stage[0], &model->clip_stage[1],
                                       &model->unet_stage, &model->vae_stage};
    int64_t bytes = 0;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        if (stages[i]->exec) bytes += (int64_t)xl_exec_bytes(stages[i]->exec);
    return bytes;
}

static enum xl_status tell(struct xl_model *model, const struct xl_job *job, struct parts *parts,
                           struct xl_need *out, struct xl_err *err) {
    int64_t weights, of_tile;
    enum xl_status status = build_parts(model, job, parts, err);
    if (!status) status = measure(model, parts, ENCODER, DECODER, &weights, err);
    if (!status) status = measure(model, parts, TILE, TILE, &of_tile, err);
    if (status) return status;
    struct arrays arrays = count_arrays(model, job, parts->n_tiles);
    *out = (struct xl_need){
        .weight_bytes = weights,
        .work_bytes = peak(parts, &arrays, DECODER, arrays.whole),
        .tiled_bytes = peak(parts, &arrays, TILE, arrays.tiled),
        .least_bytes = least(parts, &arrays),
        .held_weight_bytes = (int64_t)xl_backend_weight_bytes(model->backend),
        .held_work_bytes = held_work(model),
        .n_evaluations = job->schedule->n_steps,
        .encode_flops = flops_of(parts, ENCODER) + flops_of(parts, ENCODER_2),
        .init_flops = flops_of(parts, VAE_ENCODER),
        .step_flops = flops_of(parts, UNET),
        .decode_flops = flops_of(parts, DECODER),
        .tiled_decode_flops = flops_of(parts, TILE) * (double)parts->n_tiles,
    };
    return XL_OK;
}

enum xl_status xl_model_need(struct xl_model *model, const struct xl_request *request,
                             struct xl_need *out, struct xl_err *err) {
    struct xl_job job;
    struct parts parts = {0};
    enum xl_status status = xl_job_init(model, request, &job, err);
    if (!status) status = tell(model, &job, &parts, out, err);
    parts_deinit(&parts);
    xl_job_deinit(&job);
    return status;
}
