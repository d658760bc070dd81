/* sweep_jobs.c - a sweep that is a list of jobs, each with settings and axes of its own. */
#include "lab/run/markup.h"
#include "lab/run/sweep_plan.h"

#include <stdlib.h>

/* The settings of a job: those of the request, and over them what it says itself. */
static enum xl_status read_job(const struct xl_sweep_plan *plan, const struct xl_settings *request,
                               const struct xl_sweep_job *job, struct xl_settings *out,
                               struct xl_err *err) {
    *out = *request;
    xl_settings_end_source(out);
    out->arena = &plan->sweep->arena;
    return xl_settings_read_object(out, job->name, job->settings, &plan->sweep->arena, err);
}

/* Its model, or each of its axis. */
static enum xl_status plan_models(struct xl_sweep_plan *plan, struct xl_err *err) {
    const struct xl_axis *axis = plan->model_axis;
    enum xl_status status = XL_OK;
    if (axis && axis->is_all)
        return xl_fail(err, XL_EINVAL, "sweep model=all: the models of a job are named");
    for (int i = 0; !status && i < (axis ? axis->n : 1); i++) {
        int m = -1;
        status = xl_sweep_model_want(plan, axis ? axis->values[i] : NULL, &m, err);
        if (!status && !i) status = xl_sweep_axes_check(plan, err);
        if (!status) status = xl_sweep_plan_model(plan, m, err);
    }
    return status;
}

static enum xl_status plan_job(struct xl_sweep_plan *plan, const struct xl_settings *request,
                               const struct xl_sweep_job *job, struct xl_err *err) {
    struct xl_settings settings, *before = plan->settings;
    enum xl_status status = read_job(plan, request, job, &settings, err);
    if (status) return status;
    plan->settings = &settings;
    plan->n_axes = plan->sweep->n_random = 0;
    plan->prompt_template = job->prompt_template;
    status = xl_sweep_axes_read(plan, err);
    if (!status && !settings.prompt && !xl_sweep_axis_of(plan, "prompt"))
        status = xl_fail(err, XL_EINVAL, "prompt: missing; expected what to draw");
    if (!status) status = plan_models(plan, err);
    plan->settings = before;
    plan->prompt_template = NULL;
    return status ? xl_fail_context(err, status, "%s", job->name) : XL_OK;
}

/* Every job; what was planned of one that is refused goes. */
static enum xl_status plan_all(struct xl_sweep_plan *plan, const struct xl_settings *request,
                               const struct xl_sweep_jobs *jobs, struct xl_err *err) {
    for (int i = 0; i < jobs->n; i++) {
        int n_before = plan->sweep->n_cells;
        struct xl_err why = {0};
        enum xl_status status = plan_job(plan, request, &jobs->job[i], &why);
        if (!status) continue;
        bool may_go = jobs->refused && status != XL_ENOMEM;
        if (!may_go) return xl_fail(err, status, "%s", why.text);
        plan->sweep->n_cells = n_before;
        jobs->refused(jobs->user, i, &why);
    }
    return XL_OK;
}

static enum xl_status load(struct xl_sweep_plan *plan, const struct xl_settings *settings,
                           struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    enum xl_status status = XL_OK;
    if (!sweep->profiles)
        status = xl_profiles_load(settings->profile_files.item, settings->profile_files.n,
                                  &sweep->profiles, err);
    if (!status && !sweep->catalogue)
        status = xl_catalogue_load(settings->model_files.item, settings->model_files.n,
                                   &sweep->catalogue, err);
    return status ? status : xl_presets_load(&plan->presets, err);
}

/* Order, names, and whether each model can draw its cells. */
static enum xl_status settle(struct xl_sweep_plan *plan, struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    enum xl_status status = xl_sweep_drop_duplicates(sweep, err);
    if (!status) xl_markup_note(sweep);
    if (!status) status = xl_sweep_sort(sweep, err);
    plan->model_axis = NULL;
    if (!status) status = xl_sweep_models_check(plan, err);
    return status ? status : xl_sweep_name_cells(sweep, err);
}

enum xl_status xl_sweep_plan_jobs(const struct xl_settings *request,
                                  const struct xl_sweep_jobs *jobs, struct xl_sweep *sweep,
                                  int *n_added, struct xl_err *err) {
    struct xl_settings settings = *request;
    struct xl_sweep_plan plan = {.settings = &settings,
                                 .sweep = sweep,
                                 .capacity = sweep->n_cells,
                                 .models_capacity = sweep->n_models,
                                 .first_cell = sweep->n_cells};
    for (int c = 0; c < sweep->n_cells; c++)
        if (sweep->cells[c].job >= plan.n_jobs) plan.n_jobs = sweep->cells[c].job + 1;
    sweep->has_models = true; /* before what a model is made for is looked at */
    enum xl_status status = load(&plan, request, err);
    if (!status) status = plan_all(&plan, request, jobs, err);
    sweep->kind = jobs->kind;
    sweep->is_grid = true;
    if (!status && sweep->n_cells > plan.first_cell) status = settle(&plan, err);
    *n_added = status ? 0 : sweep->n_cells - plan.first_cell;
    xl_sweep_plan_end(&plan);
    return status;
}
