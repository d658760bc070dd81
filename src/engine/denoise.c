/* denoise.c - the sampling loop: what the UNet's plan is told beforehand, and n runs of it. */
#include "engine/engine.h"

#include "tensor/noise.h"

#include <stdlib.h>
#include <string.h>

static void write_at(struct xl_stage *unet, xl_val value, int64_t first, const float *data,
                     int64_t n) {
    xl_exec_write_at((struct xl_place){unet->exec, value, first}, data, n);
}

static enum xl_status write_steps(const struct xl_drawing *drawing, struct xl_stage *unet,
                                  struct xl_err *err) {
    int64_t n = (int64_t)drawing->schedule->n_steps * XL_N_STEP_COLUMNS;
    float *table = malloc((size_t)n * sizeof *table);
    if (!table) return xl_fail_nomem(err, "the table of steps", (size_t)n * sizeof *table);
    xl_schedule_table(drawing->schedule, table);
    write_at(unet, unet->io.denoise.steps, 0, table, n);
    free(table);
    return XL_OK;
}

/* The noise of all steps that draw some, each picture's in the order of its steps. */
static enum xl_status write_noise(const struct xl_drawing *drawing, struct xl_stage *unet,
                                  struct xl_noise *noise, struct xl_err *err) {
    int n_drawn = xl_schedule_n_noise(drawing->schedule);
    if (!n_drawn) return XL_OK;
    int64_t n = drawing->latent_count, batch = drawing->request->n_pictures;
    float *fresh = malloc(2 * (size_t)n * sizeof *fresh);
    if (!fresh) return xl_fail_nomem(err, "noise", 2 * (size_t)n * sizeof *fresh);
    for (int64_t b = 0; b < batch; b++)
        for (int64_t row = 0; row < n_drawn; row++) {
            xl_latent_noise(drawing, &noise[b], fresh, fresh + n);
            write_at(unet, unet->io.denoise.noise, (row * batch + b) * n, fresh, n);
        }
    free(fresh);
    return XL_OK;
}

enum xl_status xl_unet_prepare(struct xl_drawing *drawing, const struct xl_conditions *conditions,
                               struct xl_noise *noise, const float *latents, struct xl_stage **out,
                               struct xl_err *err) {
    const struct xl_request *request = drawing->request;
    struct xl_part_key key = xl_drawing_part(drawing, XL_PART_UNET);
    struct xl_stage *unet;
    enum xl_status status = xl_stage_get(drawing, &key, &unet, err);
    if (!status) status = write_steps(drawing, unet, err);
    if (!status) status = write_noise(drawing, unet, noise, err);
    if (status) return status;
    const struct xl_denoise_io *io = &unet->io.denoise;
    float guidance[] = {(float)request->guidance, (float)request->guidance_rescale};
    int32_t zero = 0;
    xl_conditions_write(drawing, conditions, unet, 0);
    if (io->guidance) xl_exec_write(unet->exec, io->guidance, guidance);
    xl_exec_write(unet->exec, io->x, latents);
    xl_exec_write(unet->exec, io->counter, &zero);
    xl_exec_write(unet->exec, io->flag, &zero);
    *out = unet;
    return XL_OK;
}

struct loop {
    struct xl_drawing *drawing;
    struct xl_stage *unet;
    float *seen; /* [pictures, h, w, c]: for the caller's hook, or NULL */
    struct xl_drawn_picture *pictures;
    bool are_touched; /* the pictures */
    int begin;        /* evaluations before this row of runs */
    bool is_stopped;
};

static bool tick(void *user) {
    struct loop *loop = user;
    return !loop->is_stopped && xl_drawing_tick(loop->drawing);
}

/* Have the system supply the pictures' memory while the device is at work on the next steps: where
 * that is slow (in a virtual machine 3 MB took 2 to 7 ms) it would wait for it afterwards. */
static void touch_pictures(struct loop *loop) {
    const struct xl_request *request = loop->drawing->request;
    for (int i = 0; !loop->are_touched && i < request->n_pictures; i++) {
        struct xl_image *image = &loop->pictures[i].image;
        memset(image->pixels, 0, (size_t)image->width * (size_t)image->height * 3);
    }
    loop->are_touched = true;
}

/* Every few evaluations, and the last one. */
static bool is_read(const void *user, int64_t i) {
    const struct loop *loop = user;
    const struct xl_request *request = loop->drawing->request;
    int64_t done = loop->begin + i + 1, every = request->latents_every;
    return loop->seen &&
           (every <= 1 || done % every == 0 || done == loop->drawing->schedule->n_steps);
}

static void after_step(void *user, int64_t i) {
    struct loop *loop = user;
    const struct xl_request *request = loop->drawing->request;
    int n_steps = loop->drawing->schedule->n_steps;
    bool is_seen = is_read(loop, i);
    i += loop->begin;
    if (is_seen) {
        xl_exec_read(loop->unet->exec, loop->unet->io.denoise.x, loop->seen);
        request->latents(request->latents_user, (int)i, loop->seen,
                         request->n_pictures * loop->drawing->latent_count);
    }
    loop->is_stopped = !xl_drawing_progress(loop->drawing, XL_PHASE_SAMPLE, i + 1, n_steps);
    touch_pictures(loop);
}

static enum xl_status check_flag(const struct loop *loop, struct xl_err *err) {
    int32_t broken;
    xl_exec_read(loop->unet->exec, loop->unet->io.denoise.flag, &broken);
    if (!broken) return XL_OK;
    return xl_fail(err, XL_ENUMERIC, "the latents are not numbers any more after step %d of %d; %s",
                   broken, loop->drawing->schedule->n_steps,
                   loop->drawing->act_dtype == XL_DTYPE_F32 ? "the model's weights may be damaged"
                                                            : "f32 may do better");
}

/* In one row of runs, or in several where prompts change between steps. */
static enum xl_status run(struct loop *loop, const struct xl_conditions *conditions,
                          struct xl_err *err) {
    struct xl_run_hooks hooks = {
        .tick = tick, .after = after_step, .user = loop, .after_reads = is_read};
    enum xl_status status = XL_OK;
    int n_steps = loop->drawing->schedule->n_steps;
    for (int end; !status && loop->begin < n_steps; loop->begin = end) {
        end = xl_conditions_next(loop->drawing, loop->begin);
        if (loop->begin) xl_conditions_write(loop->drawing, conditions, loop->unet, loop->begin);
        status = xl_exec_run(loop->unet->exec, end - loop->begin, &hooks, err);
        if (!status) status = check_flag(loop, err);
    }
    return status;
}

enum xl_status xl_denoise(struct xl_drawing *drawing, const struct xl_conditions *conditions,
                          struct xl_stage *unet, struct xl_drawn_picture *pictures,
                          struct xl_err *err) {
    int n_steps = drawing->schedule->n_steps;
    size_t bytes = (size_t)(drawing->request->n_pictures * drawing->latent_count) * sizeof(float);
    struct loop loop = {.drawing = drawing, .unet = unet, .pictures = pictures};
    if (drawing->request->latents && !(loop.seen = malloc(bytes)))
        return xl_fail_nomem(err, "latents", bytes);
    loop.is_stopped = !xl_drawing_progress(drawing, XL_PHASE_SAMPLE, 0, n_steps);
    enum xl_status status = run(&loop, conditions, err);
    free(loop.seen);
    return status;
}
