/* sweep_extend.c - a run that is there gets more values on its axes, or more axes: the cells that
 * this adds to its plan. Those that it has stay as they are. For opening run directories.
 */
#include "lab/run/sweep_plan.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

/* --- The axes that the run has ---------------------------------------------------------------- */

/* The profiles of the run's cells, in their order: what "all" meant when it was begun. */
static enum xl_status profiles_of_cells(struct xl_sweep_plan *plan, struct xl_axis *axis,
                                        struct xl_err *err) {
    const struct xl_sweep *sweep = plan->sweep;
    const char **names = malloc((size_t)sweep->n_cells * sizeof *names);
    if (!names) return xl_fail_nomem(err, "profiles", 0);
    int n = 0;
    for (int c = 0; c < sweep->n_cells; c++) {
        int i = 0;
        while (i < n && strcmp(names[i], sweep->cells[c].profile) != 0) i++;
        if (i == n) names[n++] = sweep->cells[c].profile;
    }
    size_t bytes = (size_t)n * sizeof *names;
    const char **kept = xl_arena_alloc(&plan->sweep->arena, bytes);
    const char **places = xl_arena_alloc(&plan->sweep->arena, bytes);
    if (kept) memcpy(kept, names, bytes);
    free(names);
    if (!kept || !places) return xl_fail_nomem(err, "profiles", bytes);
    *axis = (struct xl_axis){axis->option, kept, places, n, false};
    return XL_OK;
}

/* The models of the run, by what finds them again. */
static enum xl_status models_of_run(struct xl_sweep_plan *plan, struct xl_axis *axis,
                                    struct xl_err *err) {
    const struct xl_sweep *sweep = plan->sweep;
    size_t bytes = (size_t)sweep->n_models * sizeof(const char *);
    const char **names = xl_arena_alloc(&plan->sweep->arena, bytes);
    const char **places = xl_arena_alloc(&plan->sweep->arena, bytes);
    if (!names || !places) return xl_fail_nomem(err, "models", bytes);
    int n = 0;
    for (int m = 0; m < sweep->n_models; m++) {
        const struct xl_sweep_model *model = &sweep->models[m];
        if (!model->skipped && model->base == m) names[n++] = model->entry ? model->key : model->id;
    }
    *axis = (struct xl_axis){axis->option, names, places, n, false};
    return XL_OK;
}

static enum xl_status read_old_axes(struct xl_sweep_plan *plan, struct xl_err *err) {
    const char *kind = plan->sweep->kind;
    enum xl_status status = xl_sweep_axes_collect(plan, err);
    plan->sweep->kind = kind;
    plan->sweep->is_grid = true;
    for (int a = 0; !status && a < plan->n_axes; a++) {
        struct xl_axis *axis = &plan->axes[a];
        if (!strcmp(axis->option->name, "model"))
            status = models_of_run(plan, axis, err);
        else if (axis->is_all)
            status = profiles_of_cells(plan, axis, err);
        plan->n_old[a] = axis->n;
    }
    return status;
}

/* --- What is added ---------------------------------------------------------------------------- */

static bool has_value(const char *const *values, int n, const char *value) {
    for (int i = 0; i < n; i++)
        if (values[i] == value || (values[i] && value && !strcmp(values[i], value))) return true;
    return false;
}

/* Where an axis of the run, or a new one whose old value is what counts without it, gets the values
 * of another one that it has not; each "-1" is a new seed. */
static enum xl_status add_values(struct xl_sweep_plan *plan, const struct xl_axis *added,
                                 struct xl_err *err) {
    struct xl_axis *axis = (struct xl_axis *)xl_sweep_axis_of(plan, added->option->name);
    struct xl_axis none = {added->option, (const char *const[]){NULL}, (const char *const[]){NULL},
                           1, false};
    if (!axis && plan->n_axes == XL_MAX_AXES)
        return xl_fail(err, XL_EINVAL, "--sweep: more than %d axes", XL_MAX_AXES);
    const struct xl_axis *old = axis ? axis : &none;
    size_t bytes = (size_t)(old->n + added->n) * sizeof(const char *);
    const char **values = xl_arena_alloc(&plan->sweep->arena, bytes);
    const char **places = xl_arena_alloc(&plan->sweep->arena, bytes);
    if (!values || !places) return xl_fail_nomem(err, "an axis", bytes);
    int n = 0;
    for (; n < old->n; n++) values[n] = old->values[n], places[n] = old->places[n];
    for (int i = 0; i < added->n; i++) {
        bool is_random = added->option->type == XL_OPTION_SEED && added->values[i] &&
                         !strcmp(added->values[i], "-1");
        if (!is_random && has_value(values, n, added->values[i])) continue;
        places[n] = added->places[i];
        values[n++] = added->values[i];
    }
    if (!axis) {
        plan->n_old[plan->n_axes] = 1;
        axis = &plan->axes[plan->n_axes++];
    }
    *axis = (struct xl_axis){added->option, values, places, n, false};
    return xl_sweep_axis_check_init(plan, axis, err);
}

static enum xl_status add_axis(struct xl_sweep_plan *plan, const char *text,
                               const struct xl_axis_places *places, struct xl_err *err) {
    struct xl_axis axis;
    enum xl_status status = xl_axis_parse(text, places, &plan->sweep->arena, &axis, err);
    if (status) return status;
    bool is_model = !strcmp(axis.option->name, "model");
    if (axis.is_all && is_model)
        return xl_fail(err, XL_EINVAL,
                       "--sweep model=all: a run is extended by models that are named");
    if (axis.is_all) status = xl_sweep_axis_fill(plan, &axis, err);
    if (!status && axis.option->type == XL_OPTION_SEED)
        status = xl_sweep_axis_draw_seeds(plan, &axis, err);
    if (status || !is_model) return status ? status : add_values(plan, &axis, err);
    if (plan->is_added)
        return xl_fail(err, XL_EINVAL,
                       "--sweep: there are two axes of model; put all its values into one");
    return xl_sweep_models_add(plan, &axis, err);
}

/* The axis of models as the run has them now; a run of one model gets one with the second. */
static enum xl_status settle_models(struct xl_sweep_plan *plan, struct xl_err *err) {
    struct xl_axis *axis = (struct xl_axis *)xl_sweep_axis_of(plan, "model");
    if (!axis && plan->sweep->has_models) {
        if (plan->n_axes == XL_MAX_AXES)
            return xl_fail(err, XL_EINVAL, "--sweep: more than %d axes", XL_MAX_AXES);
        axis = &plan->axes[plan->n_axes++];
        axis->option = xl_option_find("model");
    }
    plan->model_axis = axis;
    enum xl_status status = axis ? models_of_run(plan, axis, err) : XL_OK;
    if (axis) plan->n_old[axis - plan->axes] = axis->n;
    return status ? status : xl_sweep_models_reopen(plan, err);
}

/* --- The run ---------------------------------------------------------------------------------- */

/* A run of version 0.1.0 does not say the seed that it drew. */
static void settle_seed(struct xl_sweep_plan *plan) {
    if (plan->settings->has_seed) return;
    plan->settings->seed = plan->sweep->cells[0].seed;
    plan->settings->has_seed = true;
}

/* What the run starts from is what it started from. */
static enum xl_status check_inits(const struct xl_sweep_plan *plan, struct xl_err *err) {
    for (int i = 0; i < plan->n_inits; i++)
        for (int c = 0; c < plan->first_cell; c++) {
            const struct xl_cell *cell = &plan->sweep->cells[c];
            if (!cell->init_image || strcmp(cell->init_image, plan->inits[i].path) != 0) continue;
            if (cell->init_digest && strcmp(cell->init_digest, plan->inits[i].digest) != 0)
                return xl_fail(err, XL_EINPUT,
                               "%s is not the picture any more that the run started from; put that "
                               "back, or start a new run",
                               cell->init_image);
            break;
        }
    return XL_OK;
}

static enum xl_status write_request(const struct xl_sweep_plan *plan, struct xl_settings *request,
                                    struct xl_err *err) {
    static const char *const all[] = {"all-profiles", "all-models"};
    for (int i = 0; i < 2; i++) request->given &= ~(xl_option_bit(xl_option_find(all[i])));
    request->all_profiles = request->all_models = false;
    request->given |= xl_option_bit(xl_option_find("sweep"));
    request->sweep.n = 0;
    for (int a = 0; a < plan->n_axes; a++) {
        const char *text = xl_axis_text(&plan->axes[a], &plan->sweep->arena);
        if (!text) return xl_fail_nomem(err, "an axis", 0);
        request->sweep_places[request->sweep.n] = NULL;
        request->sweep.item[request->sweep.n++] = text;
    }
    return XL_OK;
}

static enum xl_status extend(struct xl_sweep_plan *plan, const struct xl_settings *more,
                             struct xl_err *err) {
    struct xl_settings *request = plan->settings;
    struct xl_sweep *sweep = plan->sweep;
    enum xl_status status = xl_profiles_load(request->profile_files.item, request->profile_files.n,
                                             &sweep->profiles, err);
    if (!status) status = xl_presets_load(&plan->presets, err);
    settle_seed(plan);
    if (!status) status = read_old_axes(plan, err);
    for (int i = 0; !status && i < more->sweep.n; i++)
        status = add_axis(plan, more->sweep.item[i], more->sweep_places[i], err);
    if (!status && !plan->is_added) status = xl_sweep_models_add(plan, NULL, err);
    if (!status) status = settle_models(plan, err);
    if (!status) status = xl_sweep_embeddings_check(sweep->cells, plan->first_cell, err);
    if (!status) status = xl_sweep_plan_cells(plan, err);
    return status ? status : check_inits(plan, err);
}

enum xl_status xl_sweep_extend(struct xl_settings *request, const struct xl_settings *more,
                               struct xl_sweep *sweep, int *n_added, struct xl_err *err) {
    struct xl_sweep_plan plan = {.settings = request,
                                 .sweep = sweep,
                                 .capacity = sweep->n_cells,
                                 .first_cell = sweep->n_cells};
    const struct xl_sweep before = *sweep;
    bool is_meant = request->yes;
    for (int c = 0; c < sweep->n_cells; c++)
        if (sweep->cells[c].job >= plan.n_jobs) plan.n_jobs = sweep->cells[c].job + 1;
    request->yes |= more->yes;
    enum xl_status status = extend(&plan, more, err);
    request->yes = is_meant;
    *n_added = status ? 0 : sweep->n_cells - plan.first_cell;
    if (!status && *n_added) status = write_request(&plan, request, err);
    xl_sweep_plan_end(&plan);
    if (!*n_added) { /* models that draw what the others do are no part of the run */
        sweep->models = before.models;
        sweep->n_models = before.n_models;
        sweep->has_models = before.has_models;
    }
    return status;
}
