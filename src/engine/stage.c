/* stage.c - compiling and running one part of the model, with progress and cancellation. */
#include "engine/engine.h"

#include "base/memory.h"

bool xl_model_progress(struct xl_model *model, enum xl_phase phase, int64_t done, int64_t total) {
    xl_progress_fn *progress = model->params.progress;
    return !progress || progress(model->params.progress_user, phase, done, total);
}

/* What the callbacks of one compilation need. */
struct loading {
    struct xl_model *model;
    struct xl_weights *weights;
    bool counts; /* the first compilation of a component reads its file */
};

static void weight_done(void *user, const struct xl_tensor *tensor) {
    struct loading *loading = user;
    xl_weights_drop(loading->weights, tensor);
    if (!loading->counts) return;
    int64_t bytes = xl_shape_count(tensor->shape) * (int64_t)xl_dtype_size(tensor->dtype);
    loading->model->load_done += bytes;
}

static bool load_tick(void *user) {
    struct xl_model *model = ((struct loading *)user)->model;
    return xl_model_progress(model, XL_PHASE_LOAD, model->load_done, model->load_total);
}

/* The phase is over for the progress line even if weights that no op uses were not read. */
static enum xl_status finish_loading(struct loading *loading, enum xl_component component,
                                     int64_t target, struct xl_err *err) {
    struct xl_model *model = loading->model;
    model->loaded[component] = true;
    if (loading->counts) model->load_done = target;
    if (!load_tick(loading)) return xl_fail(err, XL_ECANCELLED, "interrupted while loading");
    return XL_OK;
}

/* Bytes of a plan's values, about what its executable takes; 0 when that cannot be told. */
static int64_t plan_bytes(const struct xl_plan *plan) {
    struct xl_layout layout;
    if (xl_plan_layout(plan, false, &layout, NULL)) return 0;
    int64_t bytes = (int64_t)layout.total_bytes;
    xl_layout_deinit(&layout);
    return bytes;
}

static enum xl_status compile(struct xl_model *model, enum xl_component component,
                              struct xl_plan *plan, struct xl_exec **exec, struct xl_err *err) {
    struct xl_weights *weights = model->weights[component];
    struct loading loading = {model, weights, !model->loaded[component]};
    if (loading.counts) xl_weights_will_need(weights);
    int64_t before = model->load_done;
    int64_t target = before + (loading.counts ? xl_weights_bytes(weights) : 0);
    struct xl_compile_options options = {
        .weight_done = weight_done, .tick = load_tick, .user = &loading};
    enum xl_status status = xl_weights_verify(weights, err);
    if (!status) status = xl_compile(model->backend, plan, &options, exec, err);
    if (!status) return finish_loading(&loading, component, target, err);
    model->load_done = before;
    return status;
}

enum xl_status xl_stage_compile(struct xl_model *model, enum xl_component component,
                                struct xl_plan *plan, struct xl_stage *stage, struct xl_err *err) {
    struct xl_exec *exec = NULL;
    int64_t available = xl_memory_available();
    if (plan_bytes(plan) > available - available / 10) xl_stages_release(model, stage);
    enum xl_status status = compile(model, component, plan, &exec, err);
    if (status == XL_ENOMEM) {
        xl_stages_release(model, stage);
        status = compile(model, component, plan, &exec, err);
    }
    if (status) {
        xl_exec_free(exec);
        xl_plan_free(plan);
        return xl_fail_context(err, status, "load %s", xl_component_name(component));
    }
    *stage = (struct xl_stage){plan, exec};
    return XL_OK;
}

void xl_stage_deinit(struct xl_stage *stage) {
    xl_exec_free(stage->exec);
    xl_plan_free(stage->plan);
    *stage = (struct xl_stage){0};
}

void xl_stages_release(struct xl_model *model, const struct xl_stage *keep) {
    struct xl_stage *stages[] = {&model->clip_stage[0], &model->clip_stage[1], &model->unet_stage,
                                 &model->vae_stage};
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        if (stages[i] != keep) xl_stage_deinit(stages[i]);
}

/* Between two ops there is nothing new to show, only the question whether to go on. */
static bool run_tick(void *user) {
    return xl_model_progress(user, XL_PHASE_SAMPLE, -1, -1);
}

enum xl_status xl_stage_run(struct xl_model *model, struct xl_stage *stage, struct xl_err *err) {
    struct xl_run_hooks hooks = {.tick = run_tick, .user = model};
    return xl_exec_run(stage->exec, 1, &hooks, err);
}
