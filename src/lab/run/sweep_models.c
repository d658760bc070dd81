/* sweep_models.c - the models of a sweep: by key, repository or folder, and whether they are there.
 */
#include "lab/run/sweep_plan.h"

#include "base/file.h"
#include "base/path.h"
#include "hub/hub.h"
#include "lab/run/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum xl_status xl_sweep_model_open(const struct xl_sweep_model *model, struct xl_model **out,
                                   struct xl_err *err) {
    struct xl_model_params params;
    struct xl_lora loras[XL_LORAS_MAX];
    xl_sweep_model_params(model, loras, &params);
    enum xl_status status = xl_model_open(&params, out, err);
    if (status != XL_EMODEL || !model->commit) return status;
    struct xl_model *other = NULL;
    params.revision = model->revision;
    bool is_there = model->digest[0] && !xl_model_open(&params, &other, NULL);
    if (is_there && !strcmp(xl_model_info(other)->digest, model->digest)) {
        *out = other;
        return XL_OK;
    }
    xl_model_close(other);
    return xl_fail_context(err, status, "the run was planned with commit %s%s", model->commit,
                           is_there ? ", and the files of the one that is there now are others"
                                    : "");
}

enum xl_status xl_sweep_model_look_at(struct xl_arena *arena, struct xl_sweep_model *model,
                                      struct xl_model **open, struct xl_err *err) {
    enum xl_status status = xl_sweep_model_open(model, open, err);
    if (status) return status;
    const struct xl_model_info *info = xl_model_info(*open);
    model->repository = xl_arena_strdup(arena, info->id);
    model->width = info->width;
    model->height = info->height;
    model->unit = info->unit;
    snprintf(model->digest, sizeof model->digest, "%s", info->digest);
    model->commit = info->commit ? xl_arena_strdup(arena, info->commit) : NULL;
    return model->repository ? XL_OK : xl_fail_nomem(err, "a model", 0);
}

static enum xl_status look_at(struct xl_arena *arena, struct xl_sweep_model *model,
                              struct xl_err *err) {
    return xl_sweep_model_look_at(arena, model, &model->open, err);
}

static struct xl_sweep_model from_entry(const struct xl_catalogue_model *entry) {
    return (struct xl_sweep_model){
        .key = entry->key, .id = entry->repo, .revision = entry->revision, .entry = entry};
}

/* A LoRA of the list: its base, with it. */
static enum xl_status put_lora(struct xl_sweep_model *model, const char *file,
                               struct xl_arena *arena, struct xl_err *err) {
    const struct xl_catalogue_model *entry = model->entry;
    char digest[XL_SHA256_HEX];
    enum xl_status status = xl_hub_file_digest(file, digest, err);
    if (status) return status;
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    const char *dot = strrchr(name, '.');
    struct xl_sweep_lora *lora = xl_arena_alloc(arena, sizeof *lora);
    if (!lora) return xl_fail_nomem(err, "a LoRA", 0);
    *lora = (struct xl_sweep_lora){
        xl_arena_strndup(arena, name, dot ? (size_t)(dot - name) : strlen(name)),
        xl_arena_strdup(arena, file), xl_arena_strdup(arena, digest), entry->lora_weight,
        entry->lora_weight};
    if (!lora->name || !lora->file || !lora->digest) return xl_fail_nomem(err, "a LoRA", 0);
    model->loras = lora;
    model->n_loras = 1;
    if (model->revision == entry->revision) /* nobody said another one */
        model->revision = entry->base_model ? entry->base_model->revision : NULL;
    return XL_OK;
}

/* What the catalogue says about a model of its own, without opening it. */
static enum xl_status check_entry(const struct xl_sweep_plan *plan, struct xl_sweep_model *model,
                                  enum xl_status *reason, struct xl_err *err) {
    struct xl_arena *arena = &plan->sweep->arena;
    struct xl_catalogue_status state, other;
    enum xl_status status = xl_catalogue_state(model->entry, NULL, arena, &state, err);
    *reason = XL_OK;
    if (!status && plan->vae && state.dir && state.state != XL_MODEL_READY) {
        status = xl_catalogue_state(model->entry, plan->vae, arena, &other, err);
        if (!status && other.state == XL_MODEL_READY) {
            state = other;
            model->vae = plan->vae;
        }
    }
    if (status) return status;
    bool has_no_base = state.lora && !model->entry->base;
    if (state.state == XL_MODEL_READY && !has_no_base) {
        model->id = state.location;
        return state.lora ? put_lora(model, state.lora, arena, err) : XL_OK;
    }
    model->skipped = has_no_base ? "a LoRA: give it with --lora" : state.why;
    model->skipped_as = has_no_base ? "no model" : xl_model_state_name(state.state);
    *reason = XL_EMODEL;
    return XL_OK;
}

enum xl_status xl_sweep_models_grow(struct xl_sweep_plan *plan, struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    if (sweep->n_models < plan->models_capacity) return XL_OK;
    size_t capacity = 2 * (size_t)sweep->n_models + 8;
    struct xl_sweep_model *grown = xl_arena_alloc(&sweep->arena, capacity * sizeof *grown);
    bool *is_added = plan->is_added ? xl_arena_alloc(&sweep->arena, capacity) : NULL;
    if (!grown || (plan->is_added && !is_added)) return xl_fail_nomem(err, "models", 0);
    for (int m = 0; m < sweep->n_models; m++) grown[m] = sweep->models[m];
    if (is_added) memcpy(is_added, plan->is_added, (size_t)sweep->n_models);
    sweep->models = grown;
    plan->is_added = is_added;
    plan->models_capacity = (int)capacity;
    return XL_OK;
}

enum xl_status xl_sweep_model_leave_out(struct xl_sweep *sweep, struct xl_sweep_model *model,
                                        const char *why, struct xl_err *err) {
    model->skipped = xl_arena_strdup(&sweep->arena, why);
    model->skipped_as = xl_model_state_name(XL_MODEL_UNUSABLE);
    xl_model_close(model->open);
    model->open = NULL;
    return model->skipped ? XL_OK : xl_fail_nomem(err, "a model", 0);
}

/* Look at one model of all; what is wrong with it becomes the reason why it is left out. */
static enum xl_status try_model(const struct xl_sweep_plan *plan, struct xl_sweep_model *model,
                                struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    struct xl_err why = {0};
    enum xl_status reason = XL_OK, status = check_entry(plan, model, &reason, err);
    if (status || reason) return status;
    reason = look_at(&sweep->arena, model, &why);
    if (reason == XL_ENOMEM) return xl_fail(err, reason, "%s", why.text);
    return reason ? xl_sweep_model_leave_out(sweep, model, why.text, err) : XL_OK;
}

/* What people call a folder or a file: its last part, without an ending. Repositories keep their
 * two. */
static const char *key_of(const char *name, struct xl_arena *arena) {
    static const char ENDING[] = ".safetensors";
    size_t n = strlen(name), n_end = sizeof ENDING - 1;
    while (n > 1 && name[n - 1] == '/') n--;
    size_t first = n;
    while (first && name[first - 1] != '/') first--;
    bool is_file = xl_file_exists(name);
    if ((!is_file && !xl_dir_exists(name)) || first == n) return name;
    if (is_file && n - first > n_end && !strcmp(name + n - n_end, ENDING)) n -= n_end;
    const char *key = xl_arena_strndup(arena, name + first, n - first);
    return key ? key : name;
}

/* What xl_hub_resolve takes for a folder or a file and not for a repository's name. From the root
 * it is the same model wherever its run goes on and its pictures are verified. */
static bool is_place(const char *name, struct xl_arena *arena) {
    const char *index = xl_arena_printf(arena, "%s/model_index.json", name);
    const char *snapshots = xl_arena_printf(arena, "%s/snapshots", name);
    return (index && xl_file_exists(index)) || (snapshots && xl_dir_exists(snapshots)) ||
           xl_file_exists(name);
}

static struct xl_sweep_model by_name(const struct xl_catalogue *catalogue, const char *name,
                                     struct xl_arena *arena) {
    const struct xl_catalogue_model *entry = xl_catalogue_find(catalogue, name);
    if (entry) return from_entry(entry);
    const char *id = is_place(name, arena) ? xl_path_absolute(name, arena) : name;
    return (struct xl_sweep_model){.key = key_of(name, arena), .id = id ? id : name};
}

/* A name that is neither a folder nor a repository may be a slip of the fingers. What is there and
 * cannot be used would be near to itself. */
static void suggest(const struct xl_catalogue *catalogue, const char *name, struct xl_err *err) {
    char near[256], itself[256];
    if (!err || !xl_catalogue_nearest(catalogue, name, near, sizeof near)[0]) return;
    snprintf(itself, sizeof itself, "\"%s\"", name);
    if (strstr(near, itself)) return;
    size_t n = strlen(err->text);
    snprintf(err->text + n, sizeof err->text - n, "; did you mean %s?", near);
}

/* With another VAE, where its own is not there and one was asked for. */
static enum xl_status look_at_either(const struct xl_sweep_plan *plan, struct xl_sweep_model *model,
                                     struct xl_err *err) {
    enum xl_status status = look_at(&plan->sweep->arena, model, err);
    if (!plan->vae || model->vae || (status != XL_EMODEL && status != XL_EFORMAT)) return status;
    model->vae = plan->vae;
    return look_at(&plan->sweep->arena, model, err);
}

/* Look at a model that somebody named: it must be there. */
static enum xl_status require(const struct xl_sweep_plan *plan, struct xl_sweep_model *model,
                              struct xl_err *err) {
    const struct xl_sweep *sweep = plan->sweep;
    enum xl_status reason = XL_OK, status = XL_OK;
    if (model->entry) status = check_entry(plan, model, &reason, err);
    if (!status && reason) status = xl_fail(err, reason, "%s: %s", model->key, model->skipped);
    if (status) return status;
    status = look_at_either(plan, model, err);
    if (status && status != XL_EFORMAT && !model->entry) /* refused: it was found, then */
        suggest(sweep->catalogue, model->id, err);
    return status;
}

/* Nobody named a model: the first of the catalogue that is there. */
static enum xl_status pick_model(const struct xl_sweep_plan *plan, struct xl_sweep_model *out,
                                 struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    const struct xl_catalogue *catalogue = sweep->catalogue;
    for (int i = 0; i < xl_catalogue_count(catalogue); i++) {
        *out = from_entry(xl_catalogue_at(catalogue, i));
        enum xl_status reason, status = check_entry(plan, out, &reason, err);
        if (status) return status;
        if (reason) continue;
        xl_str_printf(&sweep->notices, "no model was named: taking %s\n", out->key);
        return XL_OK;
    }
    return xl_fail(err, XL_EMODEL,
                   "--model: missing, and none of the known models is in the cache; expected a "
                   "name from sdxl-lab models list, a repository (org/name) or a folder");
}

/* The one that the settings name, or the first that is there. */
static enum xl_status one(const struct xl_sweep_plan *plan, struct xl_sweep_model *out,
                          struct xl_err *err) {
    const struct xl_settings *settings = plan->settings;
    struct xl_sweep *sweep = plan->sweep;
    enum xl_status status = XL_OK;
    if (!settings->model) {
        status = pick_model(plan, out, err);
        return status ? status : look_at(&sweep->arena, out, err);
    }
    *out = by_name(sweep->catalogue, settings->model, &sweep->arena);
    if (settings->revision) out->revision = settings->revision;
    return require(plan, out, err);
}

/* --- All of them ------------------------------------------------------------------------------ */

/* The models that ship with the program are for when there is no other. */
static void leave_out_embedded(struct xl_sweep *sweep) {
    int n_others = 0;
    for (int m = 0; m < sweep->n_models; m++)
        n_others += !sweep->models[m].skipped && !sweep->models[m].entry->is_embedded;
    for (int m = 0; m < sweep->n_models && n_others; m++) {
        struct xl_sweep_model *model = &sweep->models[m];
        if (model->skipped || !model->entry->is_embedded) continue;
        model->skipped = "it is for when there is no other model; name it to have it drawn";
        model->skipped_as = "for when there is no other";
        xl_model_close(model->open);
        model->open = NULL;
    }
}

static bool is_same(const char *a, const char *b) {
    return a == b || (a && b && !strcmp(a, b));
}

void xl_sweep_put_skipped(struct xl_str *out, const struct xl_sweep *sweep) {
    for (int m = 0; m < sweep->n_models; m++) {
        const struct xl_sweep_model *model = &sweep->models[m];
        bool is_told = !model->skipped;
        for (int i = 0; i < m && !is_told; i++)
            is_told = sweep->models[i].skipped &&
                      is_same(sweep->models[i].skipped_as, model->skipped_as);
        if (is_told) continue;
        xl_str_printf(out, "%s%s: %s", out->len ? "; " : "",
                      model->skipped_as ? model->skipped_as : "unusable", model->key);
        for (int i = m + 1; i < sweep->n_models; i++)
            if (sweep->models[i].skipped && is_same(sweep->models[i].skipped_as, model->skipped_as))
                xl_str_printf(out, ", %s", sweep->models[i].key);
    }
}

/* Models without their variants. */
static int n_bases(const struct xl_sweep *sweep) {
    int n = 0;
    for (int m = 0; m < sweep->n_models; m++) n += sweep->models[m].base == m;
    return n;
}

static int n_usable(const struct xl_sweep *sweep) {
    int n = 0;
    for (int m = 0; m < sweep->n_models; m++)
        n += sweep->models[m].base == m && !sweep->models[m].skipped;
    return n;
}

/* Which models are not drawn; that none is drawn is a failure. */
static enum xl_status tell_skipped(struct xl_sweep *sweep, struct xl_err *err) {
    int first = 0;
    struct xl_str line = {0};
    while (first < sweep->n_models && !sweep->models[first].skipped) first++;
    if (!n_usable(sweep))
        return xl_fail(err, XL_EMODEL, "none of the %d models can be used; %s: %s", n_bases(sweep),
                       sweep->models[first].key, sweep->models[first].skipped);
    xl_sweep_put_skipped(&line, sweep);
    if (line.len)
        xl_str_printf(&sweep->notices, "models skipped: %s; sdxl-lab models list says why\n",
                      line.text);
    sweep->notices.failed |= line.failed;
    xl_str_deinit(&line);
    return XL_OK;
}

static enum xl_status every(const struct xl_sweep_plan *plan, struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    for (int m = 0; m < sweep->n_models; m++) {
        sweep->models[m] = from_entry(xl_catalogue_at(sweep->catalogue, m));
        enum xl_status status = try_model(plan, &sweep->models[m], err);
        if (status) return status;
    }
    leave_out_embedded(sweep);
    return XL_OK;
}

static enum xl_status find_all(const struct xl_sweep_plan *plan, struct xl_err *err) {
    const struct xl_axis *axis = plan->model_axis;
    struct xl_sweep *sweep = plan->sweep;
    int n = !axis ? 1 : axis->is_all ? xl_catalogue_count(sweep->catalogue) : axis->n;
    sweep->models = xl_arena_alloc(&sweep->arena, (size_t)n * sizeof *sweep->models);
    if (!sweep->models) return xl_fail_nomem(err, "models", 0);
    sweep->n_models = n;
    sweep->has_models = axis != NULL;
    if (!axis) return one(plan, &sweep->models[0], err);
    if (axis->is_all) return every(plan, err);
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < n; i++) {
        struct xl_sweep_model *model = &sweep->models[i];
        if (!axis->values[i]) {
            status = one(plan, model, err);
        } else {
            *model = by_name(sweep->catalogue, axis->values[i], &sweep->arena);
            status = require(plan, model, err);
        }
        if (status) return xl_axis_fail(axis, i, status, err);
    }
    return XL_OK;
}

enum xl_status xl_sweep_models(struct xl_sweep_plan *plan, struct xl_err *err) {
    enum xl_status status = xl_sweep_variant_first_vae(plan, &plan->vae, err);
    if (!status) status = find_all(plan, err);
    for (int m = 0; !status && m < plan->sweep->n_models; m++) plan->sweep->models[m].base = m;
    return status;
}

/* Open a model that the sweep has. */
static enum xl_status open_again(struct xl_sweep *sweep, struct xl_sweep_model *model,
                                 struct xl_err *err) {
    struct xl_sweep_model now = *model;
    if (model->open) return XL_OK;
    enum xl_status status = look_at(&sweep->arena, &now, err);
    if (status) return xl_fail_context(err, status, "%s", model->key);
    model->open = now.open;
    model->width = now.width;
    model->height = now.height;
    model->unit = now.unit;
    if (!model->digest[0]) memcpy(model->digest, now.digest, sizeof model->digest);
    if (!strcmp(model->digest, now.digest)) return XL_OK;
    return xl_fail(err, XL_EINPUT,
                   "%s: its files are others than when the run was begun; put those back, or start "
                   "a new run",
                   model->key);
}

/* --- Of a run that is extended ---------------------------------------------------------------- */

/* The model of the run that a name means; NULL: it has none. */
static struct xl_sweep_model *find_in_run(const struct xl_sweep *sweep,
                                          const struct xl_sweep_model *wanted) {
    for (int m = 0; m < sweep->n_models; m++) {
        struct xl_sweep_model *model = &sweep->models[m];
        if (model->base != m) continue;
        bool is_entry = model->entry || wanted->entry; /* a LoRA of the list lies elsewhere */
        if (!strcmp(model->key, wanted->key)) return model;
        if (!is_entry && !strcmp(model->id, wanted->id)) return model;
    }
    return NULL;
}

enum xl_status xl_sweep_models_add(struct xl_sweep_plan *plan, const struct xl_axis *axis,
                                   struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    size_t n = (size_t)(sweep->n_models + (axis ? axis->n : 0));
    struct xl_sweep_model *models = xl_arena_alloc(&sweep->arena, n * sizeof *models);
    plan->is_added = xl_arena_alloc(&sweep->arena, n * sizeof *plan->is_added);
    if (!models || !plan->is_added) return xl_fail_nomem(err, "models", 0);
    memcpy(models, sweep->models, (size_t)sweep->n_models * sizeof *models);
    sweep->models = models;
    plan->models_capacity = (int)n;
    enum xl_status status = xl_sweep_variant_first_vae(plan, &plan->vae, err);
    if (status) return status;
    for (int i = 0; axis && i < axis->n; i++) {
        if (!axis->values[i]) continue;
        struct xl_sweep_model added = by_name(sweep->catalogue, axis->values[i], &sweep->arena);
        struct xl_sweep_model *known = find_in_run(sweep, &added);
        if (known && !known->skipped) continue;
        status = require(plan, &added, err);
        if (status) return xl_axis_fail(axis, i, status, err);
        struct xl_sweep_model *model = known ? known : &models[sweep->n_models++];
        *model = added;
        model->base = (int)(model - models);
        plan->is_added[model->base] = true;
        sweep->has_models = true;
    }
    return XL_OK;
}

enum xl_status xl_sweep_models_reopen(const struct xl_sweep_plan *plan, struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    for (int m = 0; m < sweep->n_models; m++) {
        struct xl_sweep_model *model = &sweep->models[m];
        if (model->skipped || plan->is_added[m]) continue;
        enum xl_status status = open_again(sweep, model, err);
        if (status) return status;
        if (model->base == m) continue;
        xl_model_close(model->open);
        model->open = NULL;
    }
    return XL_OK;
}

enum xl_status xl_sweep_model_want(struct xl_sweep_plan *plan, const char *name, int *m,
                                   struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    struct xl_sweep_model wanted = {.key = NULL};
    enum xl_status status = XL_OK;
    if (!name && plan->settings->model) name = plan->settings->model;
    if (name)
        wanted = by_name(sweep->catalogue, name, &sweep->arena);
    else
        status = pick_model(plan, &wanted, err);
    if (status) return status;
    struct xl_sweep_model *known = find_in_run(sweep, &wanted);
    if (known && !known->skipped) {
        *m = known->base;
        return open_again(sweep, known, err);
    }
    if (plan->settings->revision) wanted.revision = plan->settings->revision;
    status = require(plan, &wanted, err);
    if (!status) status = xl_sweep_models_grow(plan, err);
    if (status) {
        xl_model_close(wanted.open);
        return status;
    }
    wanted.base = *m = sweep->n_models;
    sweep->models[sweep->n_models++] = wanted;
    return XL_OK;
}

/* --- What they can draw ----------------------------------------------------------------------- */

static struct xl_sweep_model *base_of(const struct xl_sweep *sweep, const struct xl_cell *cell) {
    return &sweep->models[sweep->models[cell->model].base];
}

/* A variant takes what its base does. */
static enum xl_status check_cell(const struct xl_sweep *sweep, int i, struct xl_err *err) {
    const struct xl_cell *cell = &sweep->cells[sweep->order[i]];
    const struct xl_rung rung = {cell->vae_tile, 1, cell->width, cell->height};
    struct xl_picture picture;
    struct xl_request request = xl_cells_request(sweep, &sweep->order[i], 1, &rung, &picture);
    struct xl_image blank = {cell->width, cell->height, NULL};
    if (cell->init_image) request.init = &blank;
    return xl_model_check(base_of(sweep, cell)->open, &request, err);
}

/* Drop the cells of models that are left out. */
static enum xl_status drop_skipped(struct xl_sweep *sweep, struct xl_err *err) {
    int n = 0;
    for (int c = 0; c < sweep->n_cells; c++) {
        if (base_of(sweep, &sweep->cells[c])->skipped) continue;
        sweep->cells[n] = sweep->cells[c];
        sweep->cells[n].index = n;
        n++;
    }
    if (n == sweep->n_cells) return XL_OK;
    sweep->n_cells = n;
    return xl_sweep_sort(sweep, err);
}

enum xl_status xl_sweep_models_check(const struct xl_sweep_plan *plan, struct xl_err *err) {
    struct xl_sweep *sweep = plan->sweep;
    const struct xl_cell *before = NULL;
    bool is_all = plan->model_axis && plan->model_axis->is_all;
    struct xl_err first = {0}; /* what was refused first */
    enum xl_status refused = XL_OK;
    for (int i = 0; i < sweep->n_cells; i++) {
        const struct xl_cell *cell = &sweep->cells[sweep->order[i]];
        struct xl_sweep_model *model = base_of(sweep, cell);
        struct xl_err why = {0};
        if (model->skipped || cell->index < plan->first_cell) continue;
        if (before && xl_cell_fits(before, cell)) continue;
        before = cell;
        enum xl_status status = check_cell(sweep, i, &why);
        if (!status) continue;
        if (n_bases(sweep) > 1) xl_fail_context(&why, status, "%s", model->key);
        bool may_go = is_all && (status == XL_EFORMAT || status == XL_EINVAL);
        if (!may_go) return xl_fail(err, status, "%s", why.text);
        if (!refused) refused = status, first = why;
        status = xl_sweep_model_leave_out(sweep, model, why.text, err);
        model->skipped_as = "cannot draw this";
        xl_str_printf(&sweep->notices, "%s\n", why.text);
        if (status) return status;
        if (!n_usable(sweep)) return xl_fail(err, refused, "%s", first.text);
    }
    enum xl_status status = is_all ? tell_skipped(sweep, err) : XL_OK;
    return status ? status : drop_skipped(sweep, err);
}
