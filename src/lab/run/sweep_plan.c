/* sweep_plan.c - from settings to cells: axes multiplied, defaults filled in, duplicates dropped.
 */
#include "lab/run/sweep_plan.h"
#include "lab/run/markup.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many texts the prompts make, of an axis or alone. */
static enum xl_status count_prompts(struct xl_sweep_plan *plan, double *count, struct xl_err *err) {
    const struct xl_axis *axis = xl_sweep_axis_of(plan, "prompt");
    const struct xl_sweep_texts *texts;
    enum xl_status status = XL_OK;
    *count = axis ? axis->n : 1;
    if (plan->settings->prompt_generator != XL_PROMPTS_COMBINATIONS) return XL_OK;
    *count = 0;
    for (int i = 0; !status && i < (axis ? axis->n : 1); i++) {
        const char *value = axis ? axis->values[i] : NULL;
        status = xl_sweep_prompts_all(plan, value ? value : plan->settings->prompt, &texts, err);
        if (status && axis) return xl_axis_fail(axis, i, status, err);
        if (!status) *count += texts->n;
    }
    return status;
}

static enum xl_status check_count(struct xl_sweep_plan *plan, struct xl_err *err) {
    double count;
    enum xl_status status = count_prompts(plan, &count, err);
    if (status) return status;
    plan->sweep->is_grid |= count > 1; /* of a prompt alone */
    count *= plan->settings->batch;
    int n_models = 0; /* without variants, which other axes make */
    for (int m = 0; m < plan->sweep->n_models; m++) n_models += plan->sweep->models[m].base == m;
    for (int i = 0; i < plan->n_axes; i++)
        if (plan->axes[i].option != xl_option_find("prompt"))
            count *= plan->axes[i].option == xl_option_find("model") ? n_models : plan->axes[i].n;
    bool is_meant = plan->settings->yes && count <= XL_MAX_CELLS;
    if (count <= XL_MANY_CELLS || is_meant) return XL_OK;
    if (count <= XL_MAX_CELLS)
        return xl_fail(err, XL_EINVAL, "the axes make %.0f pictures; if that is meant, say --yes%s",
                       count, plan->settings->dry_run ? "" : " (--dry-run tells what they take)");
    return xl_fail(err, XL_EINVAL, "the axes make %.0f pictures, at most %d go into one sweep",
                   count, XL_MAX_CELLS);
}

/* --- One cell: what nobody said ------------------------------------------------------------------
 */

static enum xl_status set_init(struct xl_sweep_plan *plan, const struct xl_settings *settings,
                               struct xl_cell *cell, struct xl_err *err) {
    cell->init_image = NULL;
    if (settings->mode == XL_MODE_TXT2IMG) return XL_OK;
    if (!settings->init_image || !settings->init_image[0]) {
        if (settings->mode != XL_MODE_IMG2IMG) return XL_OK;
        char mode[XL_SAY_MAX], image[XL_SAY_MAX];
        return xl_fail(err, XL_EINVAL,
                       "%s img2img: there is no %s; expected a PNG, JPEG or WebP file",
                       xl_settings_say(settings, "mode", mode),
                       xl_settings_say(settings, "init-image", image));
    }
    const struct xl_sweep_init *init;
    enum xl_status status = xl_sweep_init_find(plan, settings->init_image, &init, err);
    if (status) return status;
    cell->init_image = init->path;
    cell->init_digest = init->digest;
    return XL_OK;
}

/* Most cells have the size of the one before. */
static enum xl_status find_size(struct xl_sweep_plan *plan, const char *size, struct xl_err *err) {
    if (plan->size && !strcmp(plan->size, size)) return XL_OK;
    enum xl_status status =
        xl_presets_find(plan->presets, size, &plan->size_width, &plan->size_height, err);
    if (!status) plan->size = size;
    return status;
}

/* A size as the settings say it, then as the init image, the catalogue and the model have it. */
static enum xl_status set_size(struct xl_sweep_plan *plan, const struct xl_settings *settings,
                               const struct xl_sweep_model *model, struct xl_cell *cell,
                               struct xl_err *err) {
    int width = 0, height = 0, unit = model->unit;
    if (settings->size && settings->size[0]) {
        enum xl_status status = find_size(plan, settings->size, err);
        if (status) return status;
        width = plan->size_width;
        height = plan->size_height;
    } else if (cell->init_image) {
        const struct xl_sweep_init *init;
        enum xl_status status = xl_sweep_init_find(plan, cell->init_image, &init, err);
        if (status) return status;
        width = init->width / unit * unit;
        height = init->height / unit * unit;
    } else if (model->entry && model->entry->width) {
        width = model->entry->width;
        height = model->entry->height;
    } else {
        width = model->width;
        height = model->height;
    }
    if (!cell->width) cell->width = width;
    if (!cell->height) cell->height = height;
    if (cell->width % unit || cell->height % unit)
        return xl_fail(err, XL_EINVAL, "--width and --height: %dx%d, each must be a multiple of %d",
                       cell->width, cell->height, unit);
    return XL_OK;
}

/* The last profile of a stack that says something counts. */
struct advice {
    int steps;
    double guidance; /* NAN: none */
    const char *scheduler;
};

static struct advice advice_of(const struct xl_profile *const *stack, int n) {
    struct advice advice = {0, XL_NO_GUIDANCE, NULL};
    for (int i = 0; i < n; i++) {
        if (stack[i]->steps) advice.steps = stack[i]->steps;
        if (xl_has_guidance(stack[i]->guidance)) advice.guidance = stack[i]->guidance;
        if (stack[i]->scheduler) advice.scheduler = stack[i]->scheduler;
    }
    return advice;
}

/* Keep what was asked for inside the model's limits in a sweep of several models; a person who asks
 * one model for something else gets it, and a word of warning. */
static void apply_limits(struct xl_sweep_plan *plan, const struct xl_sweep_model *model,
                         struct xl_cell *cell) {
    const struct xl_catalogue_model *entry = model->entry;
    if (!entry) return;
    int steps = cell->steps;
    double guidance = cell->guidance;
    if (entry->steps_max && steps > entry->steps_max) steps = entry->steps_max;
    if (entry->steps_min && steps < entry->steps_min) steps = entry->steps_min;
    if (xl_has_guidance(entry->guidance_max) && guidance > entry->guidance_max)
        guidance = entry->guidance_max;
    if (xl_has_guidance(entry->guidance_min) && guidance < entry->guidance_min)
        guidance = entry->guidance_min;
    if (steps == cell->steps && guidance == cell->guidance) return;
    struct xl_str *notices = &plan->sweep->notices;
    char line[256];
    snprintf(line, sizeof line, "%s is made for %d %s and guidance %g%s\n", model->key, steps,
             xl_plural(steps, "step", "steps"), guidance,
             plan->sweep->has_models ? ": kept to that" : "");
    if (!notices->text || !strstr(notices->text, line)) xl_str_puts(notices, line);
    if (!plan->sweep->has_models) return;
    cell->steps = steps;
    cell->guidance = guidance;
}

static void set_sampling(struct xl_sweep_plan *plan, const struct xl_settings *settings,
                         const struct xl_sweep_model *model, struct advice advice,
                         struct xl_cell *cell) {
    const struct xl_catalogue_model *entry = model->entry;
    bool takes_advice = !entry || !entry->ignores_profile;
    if (!xl_settings_is_given(settings, "steps")) {
        if (takes_advice && advice.steps)
            cell->steps = advice.steps;
        else if (entry && entry->steps)
            cell->steps = entry->steps;
    }
    if (!xl_settings_is_given(settings, "guidance")) {
        if (takes_advice && xl_has_guidance(advice.guidance))
            cell->guidance = advice.guidance;
        else if (entry && xl_has_guidance(entry->guidance))
            cell->guidance = entry->guidance;
    }
    if (!xl_settings_is_given(settings, "scheduler")) {
        if (takes_advice && advice.scheduler)
            cell->scheduler = advice.scheduler;
        else if (entry && entry->scheduler)
            cell->scheduler = entry->scheduler;
    }
    apply_limits(plan, model, cell);
}

static enum xl_status set_text(struct xl_sweep_plan *plan, struct xl_cell *cell,
                               struct advice *advice, struct xl_err *err) {
    const struct xl_profile *stack[XL_MAX_STACK];
    int n = 0;
    if (!cell->profile || !cell->profile[0]) cell->profile = XL_PROFILE_RAW;
    enum xl_status status =
        xl_profiles_parse_stack(plan->sweep->profiles, cell->profile, stack, XL_MAX_STACK, &n, err);
    if (status) return status;
    if (n == 1) cell->profile = stack[0]->name;
    *advice = advice_of(stack, n);
    struct xl_profiles_text given = {cell->prompt, cell->negative}, styled;
    status = xl_profiles_apply(stack, n, &given, &plan->sweep->arena, &styled, err);
    if (status) return status;
    cell->styled_prompt = styled.prompt;
    cell->effective_negative = styled.negative;
    return XL_OK;
}

static enum xl_status resolve(struct xl_sweep_plan *plan, const struct xl_settings *settings, int m,
                              struct xl_cell *cell, struct xl_err *err) {
    struct advice advice;
    xl_cell_from_settings(cell, settings);
    cell->model = m;
    cell->model_key = plan->sweep->models[m].key;
    enum xl_status status = xl_sweep_prompts_make(plan, cell, err);
    if (!status) status = set_text(plan, cell, &advice, err);
    if (!status) status = xl_sweep_variant_choose(plan, settings, cell, err);
    if (!status) status = xl_sweep_embeddings_choose(plan, settings, cell, err);
    if (!status) status = set_init(plan, settings, cell, err);
    const struct xl_sweep_model *model = &plan->sweep->models[m];
    if (!status) status = set_size(plan, settings, model, cell, err);
    if (!status) set_sampling(plan, settings, model, advice, cell);
    return status;
}

/* --- All cells -----------------------------------------------------------------------------------
 */

static enum xl_status append(struct xl_sweep_plan *plan, const struct xl_cell *cell,
                             struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    if (sweep->n_cells == plan->capacity) {
        int capacity = plan->capacity ? 2 * plan->capacity : 64;
        struct xl_cell *grown = realloc(sweep->cells, (size_t)capacity * sizeof *grown);
        if (!grown) return xl_fail_nomem(err, "cells", 0);
        sweep->cells = grown;
        plan->capacity = capacity;
    }
    sweep->cells[sweep->n_cells] = *cell;
    sweep->cells[sweep->n_cells].index = sweep->n_cells;
    sweep->n_cells++;
    return XL_OK;
}

/* The pictures of one batch: seeds seed, seed + 1, ... */
static enum xl_status append_batch(struct xl_sweep_plan *plan, struct xl_cell *cell,
                                   struct xl_err *err) {
    const char *digest = plan->sweep->models[cell->model].digest;
    uint64_t seed = cell->seed;
    cell->job = plan->n_jobs++;
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < plan->settings->batch; i++) {
        cell->seed = seed + (uint64_t)i;
        status = xl_cell_identify(cell, digest, err);
        if (!status) status = append(plan, cell, err);
    }
    return status;
}

/* The same where each seed may make another prompt: pictures that are jobs of their own. */
static enum xl_status append_varied(struct xl_sweep_plan *plan, const struct xl_settings *settings,
                                    int m, struct xl_err *err) {
    const char *digest = plan->sweep->models[m].digest;
    struct xl_settings one = *settings;
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < settings->batch; i++) {
        struct xl_cell cell;
        one.seed = settings->seed + (uint64_t)i;
        status = resolve(plan, &one, m, &cell, err);
        cell.job = plan->n_jobs++;
        if (!status) status = xl_cell_identify(&cell, digest, err);
        if (!status) status = append(plan, &cell, err);
    }
    return status;
}

/* Every text of a template. */
static enum xl_status append_texts(struct xl_sweep_plan *plan, const struct xl_settings *settings,
                                   int m, struct xl_err *err) {
    const struct xl_sweep_texts *texts;
    struct xl_settings one = *settings;
    enum xl_status status = xl_sweep_prompts_all(plan, settings->prompt, &texts, err);
    for (int i = 0; !status && i < texts->n; i++) {
        one.prompt = texts->text[i];
        plan->prompt_template = strcmp(one.prompt, settings->prompt) ? settings->prompt : NULL;
        status = append_varied(plan, &one, m, err);
    }
    return status;
}

/* A point of the grid: settings with the values of the axes so far, the next axis, the model. */
struct point {
    const struct xl_settings *settings;
    int axis, model;
    bool is_new; /* not of a run that is extended */
};

/* Give an axis one of its values. A size counts where it is swept, whatever was said of sides. */
static enum xl_status set_value(const struct xl_axis *axis, const char *value,
                                struct xl_settings *settings, struct xl_err *err) {
    if (!value) return XL_OK;
    if (!strcmp(axis->option->name, "size")) settings->width = settings->height = 0;
    if (!strcmp(axis->option->name, "lora")) settings->loras.n = 0;
    settings->arena = NULL; /* paths of an axis are filled in */
    return xl_settings_set(settings, axis->option, axis->option->name, value, err);
}

/* Multiply the axes from that of the point on. */
static enum xl_status multiply(struct xl_sweep_plan *plan, struct point point, struct xl_err *err) {
    if (point.axis == plan->n_axes) {
        struct xl_cell cell;
        if (!point.is_new) return XL_OK;
        if (point.settings->prompt_generator == XL_PROMPTS_DYNAMIC)
            return append_varied(plan, point.settings, point.model, err);
        if (point.settings->prompt_generator == XL_PROMPTS_COMBINATIONS)
            return append_texts(plan, point.settings, point.model, err);
        enum xl_status status = resolve(plan, point.settings, point.model, &cell, err);
        return status ? status : append_batch(plan, &cell, err);
    }
    int a = point.axis++;
    const struct xl_axis *axis = &plan->axes[a];
    if (axis == plan->model_axis) return multiply(plan, point, err);
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < axis->n; i++) {
        struct xl_settings varied = *point.settings;
        const struct point next = {&varied, point.axis, point.model,
                                   point.is_new || i >= plan->n_old[a]};
        status = set_value(axis, axis->values[i], &varied, err);
        if (!status) status = multiply(plan, next, err);
    }
    return status;
}

enum xl_status xl_sweep_plan_model(struct xl_sweep_plan *plan, int model, struct xl_err *err) {
    const struct point point = {plan->settings, 0, model, true};
    return multiply(plan, point, err);
}

static int by_id(const void *a, const void *b) {
    const struct xl_cell *const *x = a, *const *y = b;
    int order = strcmp((*x)->id, (*y)->id);
    return order ? order : (*x)->index - (*y)->index;
}

/* Drop cells that equal an earlier one: a model that keeps to 4 steps draws 20 and 30 alike. */
enum xl_status xl_sweep_drop_duplicates(struct xl_sweep *sweep, struct xl_err *err) {
    struct xl_cell **sorted = malloc((size_t)sweep->n_cells * sizeof *sorted);
    if (!sorted) return xl_fail_nomem(err, "cells", 0);
    for (int i = 0; i < sweep->n_cells; i++) sorted[i] = &sweep->cells[i];
    qsort(sorted, (size_t)sweep->n_cells, sizeof *sorted, by_id);
    for (int i = 1; i < sweep->n_cells; i++)
        if (!strcmp(sorted[i]->id, sorted[i - 1]->id)) sorted[i]->index = -1;
    free(sorted);
    int n = 0;
    for (int i = 0; i < sweep->n_cells; i++) {
        if (sweep->cells[i].index < 0) continue;
        sweep->cells[n] = sweep->cells[i];
        sweep->cells[n].index = n;
        n++;
    }
    sweep->n_duplicates += sweep->n_cells - n;
    sweep->n_cells = n;
    return XL_OK;
}

static enum xl_status make_cells(struct xl_sweep_plan *plan, struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    enum xl_status status = XL_OK;
    for (int m = 0, n = sweep->n_models; !status && m < n; m++) {
        const struct point point = {plan->settings, 0, m, !plan->is_added || plan->is_added[m]};
        if (!sweep->models[m].skipped && sweep->models[m].base == m)
            status = multiply(plan, point, err);
    }
    if (!status) status = xl_sweep_drop_duplicates(sweep, err);
    if (!status && sweep->n_duplicates)
        xl_str_printf(&sweep->notices, "%d %s drawn once\n", sweep->n_duplicates,
                      xl_plural(sweep->n_duplicates, "picture equals another and is",
                                "pictures equal others and are"));
    return status;
}

/* --- Planning ------------------------------------------------------------------------------------
 */

static enum xl_status load_data(struct xl_sweep_plan *plan, struct xl_err *err) {
    const struct xl_settings *settings = plan->settings;
    enum xl_status status = xl_profiles_load(
        settings->profile_files.item, settings->profile_files.n, &plan->sweep->profiles, err);
    if (!status)
        status = xl_catalogue_load(settings->model_files.item, settings->model_files.n,
                                   &plan->sweep->catalogue, err);
    if (!status) status = xl_presets_load(&plan->presets, err);
    return status;
}

static enum xl_status require_prompt(const struct xl_sweep_plan *plan, struct xl_err *err) {
    const struct xl_axis *axis = xl_sweep_axis_of(plan, "prompt");
    bool has_all = axis != NULL;
    for (int i = 0; has_all && i < axis->n; i++) has_all = axis->values[i] != NULL;
    if (has_all || plan->settings->prompt) return XL_OK;
    char prompt[XL_SAY_MAX];
    return xl_fail(err, XL_EINVAL, "%s: missing; expected what to draw",
                   xl_settings_say(plan->settings, "prompt", prompt));
}

enum xl_status xl_sweep_plan_cells(struct xl_sweep_plan *plan, struct xl_err *err) {
    enum xl_status status = check_count(plan, err);
    if (!status) status = xl_sweep_axes_check(plan, err);
    if (!status) status = make_cells(plan, err);
    if (!status) xl_markup_note(plan->sweep);
    if (!status) xl_sweep_embeddings_note(plan);
    if (!status) status = xl_sweep_sort(plan->sweep, err);
    if (!status) status = xl_sweep_models_check(plan, err);
    return status ? status : xl_sweep_name_cells(plan->sweep, err);
}

void xl_sweep_plan_end(struct xl_sweep_plan *plan) {
    xl_presets_free(plan->presets);
    xl_loras_free(plan->loras);
    xl_sweep_words_free(plan->words);
    xl_wildcards_free(plan->wildcards);
    free(plan->inits);
    for (int m = 0; m < plan->sweep->n_models; m++) {
        xl_model_close(plan->sweep->models[m].open);
        plan->sweep->models[m].open = NULL;
    }
}

static enum xl_status make_plan(struct xl_sweep_plan *plan, struct xl_err *err) {
    enum xl_status status = load_data(plan, err);
    if (!status) status = xl_sweep_axes_read(plan, err);
    if (!status) status = require_prompt(plan, err);
    if (!status) status = xl_sweep_models(plan, err);
    return status ? status : xl_sweep_plan_cells(plan, err);
}

enum xl_status xl_sweep_plan(struct xl_settings *settings, struct xl_sweep *out,
                             struct xl_err *err) {
    struct xl_sweep sweep = {.n_cells = 0};
    struct xl_sweep_plan plan = {.settings = settings, .sweep = &sweep};
    enum xl_status status = make_plan(&plan, err);
    xl_sweep_plan_end(&plan);
    if (status)
        xl_sweep_deinit(&sweep);
    else
        *out = sweep;
    return status;
}
