/* sweep_models.c - the models of a sweep: by key, repository or folder, and whether they are there.
 */
#include "lab/run/sweep.h"

#include "base/file.h"
#include "base/path.h"
#include "lab/settings/axes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum xl_status xl_sweep_model_open(const struct xl_sweep_model *model, struct xl_model **out,
                                   struct xl_err *err) {
    struct xl_model_params params;
    xl_model_params_default(&params);
    params.model = model->id;
    params.revision = model->revision;
    return xl_model_open(&params, out, err);
}

/* Open a model, fill in what is known only then, and close it. */
static enum xl_status look_at(struct xl_arena *arena, struct xl_sweep_model *model,
                              struct xl_err *err) {
    struct xl_model *open = NULL;
    enum xl_status status = xl_sweep_model_open(model, &open, err);
    if (status) return status;
    const struct xl_model_info *info = xl_model_info(open);
    model->repository = xl_arena_strdup(arena, info->id);
    model->width = info->width;
    model->height = info->height;
    model->unit = info->unit;
    snprintf(model->digest, sizeof model->digest, "%s", info->digest);
    model->commit = info->commit ? xl_arena_strdup(arena, info->commit) : NULL;
    xl_model_close(open);
    return model->repository ? XL_OK : xl_fail_nomem(err, "a model", 0);
}

static struct xl_sweep_model from_entry(const struct xl_catalogue_model *entry) {
    return (struct xl_sweep_model){
        .key = entry->key, .id = entry->repo, .revision = entry->revision, .entry = entry};
}

/* What the catalogue says about a model of its own, without opening it. */
static enum xl_status check_entry(struct xl_sweep_model *model, struct xl_arena *arena,
                                  enum xl_status *reason, struct xl_err *err) {
    struct xl_catalogue_status state;
    enum xl_status status = xl_catalogue_state(model->entry, arena, &state, err);
    *reason = XL_OK;
    if (status || state.state == XL_MODEL_READY) {
        if (!status) model->id = state.location;
        return status;
    }
    model->skipped = state.why;
    *reason = XL_EMODEL;
    return XL_OK;
}

/* Look at one model of several; what is wrong with it becomes the reason why it is skipped. */
static enum xl_status try_model(struct xl_sweep *sweep, struct xl_sweep_model *model,
                                struct xl_err *err) {
    struct xl_err why = {0};
    enum xl_status reason = XL_OK, status = XL_OK;
    if (model->entry) status = check_entry(model, &sweep->arena, &reason, err);
    if (status || reason) return status;
    reason = look_at(&sweep->arena, model, &why);
    if (reason == XL_ENOMEM) return xl_fail(err, reason, "%s", why.text);
    if (reason) model->skipped = xl_arena_strdup(&sweep->arena, why.text);
    return XL_OK;
}

/* What people call a folder: its last part. Repositories keep their two. */
static const char *key_of(const char *name, struct xl_arena *arena) {
    size_t n = strlen(name);
    while (n > 1 && name[n - 1] == '/') n--;
    size_t first = n;
    while (first && name[first - 1] != '/') first--;
    if (!xl_dir_exists(name) || first == n) return name;
    const char *key = xl_arena_strndup(arena, name + first, n - first);
    return key ? key : name;
}

/* What xl_hub_resolve takes for a folder and not for a repository's name. From the root it is the
 * same model wherever its run goes on and its pictures are verified. */
static bool is_folder(const char *name, struct xl_arena *arena) {
    const char *index = xl_arena_printf(arena, "%s/model_index.json", name);
    const char *snapshots = xl_arena_printf(arena, "%s/snapshots", name);
    return (index && xl_file_exists(index)) || (snapshots && xl_dir_exists(snapshots));
}

static struct xl_sweep_model by_name(const struct xl_catalogue *catalogue, const char *name,
                                     struct xl_arena *arena) {
    const struct xl_catalogue_model *entry = xl_catalogue_find(catalogue, name);
    if (entry) return from_entry(entry);
    const char *id = is_folder(name, arena) ? xl_path_absolute(name, arena) : name;
    return (struct xl_sweep_model){.key = key_of(name, arena), .id = id ? id : name};
}

/* The model that ships with the program is for when there is no other. */
static void leave_out_embedded(struct xl_sweep *sweep, int n_usable) {
    for (int m = 0; m < sweep->n_models && n_usable > 1; m++) {
        struct xl_sweep_model *model = &sweep->models[m];
        if (model->skipped || !model->entry || !model->entry->is_embedded) continue;
        model->skipped = "it is for when there is no other model; name it to have it drawn";
        n_usable--;
    }
}

static enum xl_status several(const struct xl_axis *axis, const struct xl_catalogue *catalogue,
                              struct xl_sweep *sweep, struct xl_err *err) {
    int n = axis->is_all ? xl_catalogue_count(catalogue) : axis->n, n_usable = 0;
    sweep->models = xl_arena_alloc(&sweep->arena, (size_t)n * sizeof *sweep->models);
    if (!sweep->models) return xl_fail_nomem(err, "models", 0);
    sweep->n_models = n;
    sweep->has_models = true;
    for (int i = 0; i < n; i++) {
        struct xl_sweep_model *model = &sweep->models[i];
        *model = axis->is_all ? from_entry(xl_catalogue_at(catalogue, i))
                              : by_name(catalogue, axis->values[i], &sweep->arena);
        enum xl_status status = try_model(sweep, model, err);
        if (status) return status;
        n_usable += !model->skipped;
    }
    if (axis->is_all) leave_out_embedded(sweep, n_usable);
    for (int i = 0; i < n; i++)
        if (sweep->models[i].skipped)
            xl_str_printf(&sweep->notices, "%s is skipped: %s\n", sweep->models[i].key,
                          sweep->models[i].skipped);
    if (n_usable) return XL_OK;
    return xl_fail(err, XL_EMODEL, "none of the %d models can be used; %s: %s", n,
                   sweep->models[0].key, sweep->models[0].skipped);
}

/* Nobody named a model: the first of the catalogue that is there. */
static enum xl_status pick_model(const struct xl_catalogue *catalogue, struct xl_sweep *sweep,
                                 struct xl_sweep_model *out, struct xl_err *err) {
    for (int i = 0; i < xl_catalogue_count(catalogue); i++) {
        *out = from_entry(xl_catalogue_at(catalogue, i));
        enum xl_status reason, status = check_entry(out, &sweep->arena, &reason, err);
        if (status) return status;
        if (reason) continue;
        xl_str_printf(&sweep->notices, "no model was named: taking %s\n", out->key);
        return XL_OK;
    }
    return xl_fail(err, XL_EMODEL,
                   "--model: missing, and none of the known models is in the cache; expected a "
                   "name from sdxl-lab models list, a repository (org/name) or a folder");
}

/* A name that is neither a folder nor a repository may be a slip of the fingers. */
static void suggest(const struct xl_catalogue *catalogue, const char *name, struct xl_err *err) {
    char near[256];
    if (!err || !xl_catalogue_nearest(catalogue, name, near, sizeof near)[0]) return;
    size_t n = strlen(err->text);
    snprintf(err->text + n, sizeof err->text - n, "; did you mean %s?", near);
}

static enum xl_status one(const struct xl_settings *settings, const struct xl_catalogue *catalogue,
                          struct xl_sweep *sweep, struct xl_err *err) {
    struct xl_sweep_model *model = xl_arena_alloc(&sweep->arena, sizeof *model);
    if (!model) return xl_fail_nomem(err, "a model", 0);
    sweep->models = model;
    sweep->n_models = 1;
    enum xl_status reason = XL_OK, status = XL_OK;
    if (!settings->model) {
        status = pick_model(catalogue, sweep, model, err);
    } else {
        *model = by_name(catalogue, settings->model, &sweep->arena);
        if (settings->revision) model->revision = settings->revision;
        if (model->entry) status = check_entry(model, &sweep->arena, &reason, err);
        if (!status && reason) status = xl_fail(err, reason, "%s: %s", model->key, model->skipped);
    }
    if (status) return status;
    status = look_at(&sweep->arena, model, err);
    if (status && !model->entry) suggest(catalogue, model->id, err);
    return status;
}

enum xl_status xl_sweep_models(const struct xl_settings *settings, const struct xl_axis *axis,
                               const struct xl_catalogue *catalogue, struct xl_sweep *sweep,
                               struct xl_err *err) {
    return axis ? several(axis, catalogue, sweep, err) : one(settings, catalogue, sweep, err);
}
