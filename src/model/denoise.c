/* denoise.c - scale the sample for the step, ask the UNet, guide, step. */
#include "model/denoise.h"

static xl_val per_prompt(struct xl_plan *plan, const char *name, struct xl_shape shape) {
    return xl_plan_input(plan, name, XL_DTYPE_F32, shape, XL_PER_PROMPT);
}

static void declare(const struct xl_unet_config *config, struct xl_denoise_shape s,
                    struct xl_plan *plan, struct xl_denoise_io *io) {
    struct xl_shape x = XL_SHAPE(s.batch, s.unet.height, s.unet.width, config->in_channels);
    io->x = xl_plan_state(plan, "x", XL_DTYPE_F32, x);
    io->counter = xl_plan_state(plan, "counter", XL_DTYPE_I32, XL_SHAPE(1));
    io->flag = xl_plan_state(plan, "flag", XL_DTYPE_I32, XL_SHAPE(1));
    io->steps = per_prompt(plan, "steps", XL_SHAPE(s.n_steps, XL_N_STEP_COLUMNS));
    if (s.n_noise) io->noise = per_prompt(plan, "noise", XL_SHAPE(s.n_noise, xl_shape_count(x)));
    if (s.unet.n != s.batch) io->guidance = per_prompt(plan, "guidance", XL_SHAPE(2));
}

/* The step after the UNet's answer, in f32. */
static void step(struct xl_denoise_shape s, struct xl_plan *plan, const struct xl_denoise_io *io,
                 xl_val out) {
    struct xl_sampler_step attr = {
        .noise = io->noise, .steps = io->steps, .counter = io->counter, .flag = io->flag};
    if (xl_plan_failed(plan)) return;
    struct xl_shape x = xl_plan_value(plan, io->x)->shape;
    attr.saved = xl_plan_state(plan, "saved", XL_DTYPE_F32, x);
    if (s.n_history)
        attr.history =
            xl_plan_state(plan, "history", XL_DTYPE_F32, XL_SHAPE(s.n_history, xl_shape_count(x)));
    if (io->guidance) out = xl_guide(plan, out, io->guidance);
    xl_sampler_step(plan, io->x, out, attr);
    xl_plan_halt(plan, io->flag);
}

enum xl_status xl_denoise_build(const struct xl_unet_config *config, struct xl_source source,
                                struct xl_denoise_shape shape, struct xl_denoise_io *io,
                                struct xl_plan **plan, struct xl_err *err) {
    struct xl_module root = {.plan = xl_plan_new(shape.unet.act_dtype), .source = source};
    if (!root.plan) return xl_fail_nomem(err, "the plan of the UNet", 0);
    struct xl_denoise_io values = {0};
    struct xl_unet_io unet = {0};
    struct xl_step_value timestep = {XL_STEP_TIMESTEP, shape.unet.n};
    declare(config, shape, root.plan, &values);
    xl_unet_conditions(config, shape.unet, root.plan, &unet);
    unet.latents = xl_scale_input(root.plan, values.x, values.steps, values.counter,
                                  shape.unet.n / shape.batch);
    unet.timestep = xl_step_value(root.plan, values.steps, values.counter, timestep);
    xl_val out = xl_unet_forward(config, &root, &unet, shape.unet.in_f8);
    out = xl_build_cast(&root, out, XL_DTYPE_F32);
    step(shape, root.plan, &values, out);
    values.text = unet.text;
    values.pooled = unet.pooled;
    values.time_ids = unet.time_ids;
    enum xl_status status = xl_build_finish(&root, plan, err);
    if (!status) *io = values;
    return status;
}
