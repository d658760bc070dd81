/* catalogue_state.c - whether a model of the catalogue is there and can be read. */
#include "base/file.h"
#include "hub/classify.h"
#include "hub/hub.h"
#include "lab/data/catalogue.h"
#include "sdxl/sdxl.h"

#include <string.h>
#include <sys/stat.h>

const char *xl_model_state_name(enum xl_model_state state) {
    static const char *const names[] = {
        [XL_MODEL_READY] = "ready",
        [XL_MODEL_NOT_CACHED] = "not cached",
        [XL_MODEL_INCOMPLETE] = "incomplete",
        [XL_MODEL_UNUSABLE] = "unusable",
    };
    return names[state];
}

/* Where it is, or why it is nowhere (status->why). */
static enum xl_status locate(const struct xl_catalogue_model *model, struct xl_arena *arena,
                             struct xl_catalogue_status *out, struct xl_snapshot *snapshot,
                             struct xl_err *err) {
    struct xl_err why = {0};
    enum xl_status status = XL_OK;
    if (model->folder && !xl_dir_exists(model->folder))
        out->why = xl_arena_printf(arena, "the folder %s is not there", model->folder);
    else if (model->folder && model->kind != XL_KIND_PIPELINE)
        out->dir = model->folder; /* it need not hold a pipeline */
    else if ((status = xl_hub_resolve(out->location, model->revision, arena, snapshot, &why)))
        out->why = xl_arena_strdup(arena, why.text);
    else
        out->dir = snapshot->dir;
    if (status == XL_ENOMEM) return xl_fail(err, XL_ENOMEM, "%s", why.text);
    return out->why || out->dir ? XL_OK : xl_fail_nomem(err, "a model's state", 0);
}

/* What is read of a model, and of the LoRA on it. */
struct opened {
    int64_t bytes;
    bool is_open; /* its files are there; what is wrong all the same no download repairs */
};

/* All that drawing reads of a model but the weights themselves. */
static enum xl_status look_closely(const struct xl_catalogue_status *at, const char *revision,
                                   const char *vae, struct opened *out, struct xl_err *err) {
    struct xl_model_params params;
    struct xl_lora lora = {at->lora, 1, 1};
    struct xl_model *model = NULL;
    struct stat st;
    xl_model_params_default(&params);
    params.model = at->location;
    params.revision = revision;
    params.vae = vae;
    params.is_brief = true;
    if (at->lora) {
        params.loras = &lora;
        params.n_loras = 1;
        if (!stat(at->lora, &st)) out->bytes += st.st_size;
    }
    enum xl_status status = xl_model_open(&params, &model, err);
    out->is_open = !status || status == XL_EFORMAT;
    if (!status) status = xl_model_check_whole(model, err);
    const struct xl_model_info *info = status ? NULL : xl_model_info(model);
    for (int c = 0; info && c < info->n_components; c++) out->bytes += info->components[c].bytes;
    xl_model_close(model);
    return status;
}

/* What was found goes into the state. */
static enum xl_status conclude(struct xl_catalogue_status *state, enum xl_status found,
                               const struct opened *opened, const struct xl_err *why,
                               struct xl_arena *arena, struct xl_err *err) {
    if (found == XL_ENOMEM) return xl_fail(err, found, "%s", why->text);
    if (!found) {
        state->state = XL_MODEL_READY;
        state->bytes = opened->bytes;
        return XL_OK;
    }
    bool is_partial = found == XL_EMODEL && !opened->is_open;
    state->state = is_partial ? XL_MODEL_INCOMPLETE : XL_MODEL_UNUSABLE;
    state->why = xl_arena_strdup(arena, why->text);
    return state->why ? XL_OK : xl_fail_nomem(err, "a model's state", 0);
}

/* The LoRA of a folder: the file that the entry names, else the only one there. NULL: *why says
 * why. */
static enum xl_status find_lora(const struct xl_catalogue_model *model, const char *dir,
                                struct xl_arena *arena, const char **file, struct xl_err *why) {
    struct xl_hub_folder_class folder;
    const struct xl_hub_folder_file *found = NULL;
    enum xl_status status = xl_hub_classify_folder(dir, arena, &folder, why);
    if (status) return status;
    for (int i = 0; i < folder.n_files; i++) {
        const struct xl_hub_folder_file *at = &folder.file[i];
        if (model->file ? !strcmp(at->name, model->file)
                        : !at->why && at->is.kind == XL_FILE_LORA && !found)
            found = at;
    }
    if (!found || !xl_file_exists(found->path))
        return xl_fail(why, XL_EMODEL, "model %.100s is incomplete: %s (%s)%s%.100s%s (in %s)",
                       model->repo,
                       model->file ? model->file
                       : found     ? found->name
                                   : "a LoRA",
                       found ? "half-downloaded: the link leads to nothing" : "missing",
                       model->folder ? "" : "; download it with \"sdxl-lab models download ",
                       model->folder ? "" : model->repo, model->folder ? "" : "\"", dir);
    if (found->why) return xl_fail(why, XL_EMODEL, "%s", found->why);
    if (found->is.kind != XL_FILE_LORA || found->is.need)
        return xl_hub_refuse_file(found->path, &found->is, "a LoRA for SDXL", why);
    *file = found->path;
    return XL_OK;
}

/* A LoRA is as ready as what it changes. */
static enum xl_status look_at_lora(const struct xl_catalogue_model *model, const char *vae,
                                   struct xl_arena *arena, struct xl_catalogue_status *state,
                                   struct xl_err *err) {
    struct xl_err why = {0};
    struct opened opened = {0};
    struct xl_catalogue_status base = {.state = XL_MODEL_READY, .location = model->base};
    enum xl_status found = find_lora(model, state->dir, arena, &state->lora, &why);
    if (found) return conclude(state, found, &opened, &why, arena, err);
    if (model->base_model) {
        enum xl_status status = xl_catalogue_state(model->base_model, vae, arena, &base, err);
        if (status) return status;
    }
    if (base.state != XL_MODEL_READY) {
        state->state = base.state == XL_MODEL_NOT_CACHED ? XL_MODEL_INCOMPLETE : base.state;
        state->why = xl_arena_printf(arena, "its base %s is %s: %s", model->base,
                                     xl_model_state_name(base.state), base.why);
        return state->why ? XL_OK : xl_fail_nomem(err, "a model's state", 0);
    }
    if (!model->base) { /* it goes on any model */
        struct stat st;
        if (!stat(state->lora, &st)) opened.bytes = st.st_size;
        return conclude(state, XL_OK, &opened, &why, arena, err);
    }
    state->location = base.location;
    const char *revision = model->base_model ? model->base_model->revision : NULL;
    found = look_closely(state, revision, vae, &opened, &why);
    return conclude(state, found, &opened, &why, arena, err);
}

/* "org/name:file", or the path of the file in a folder. */
static const char *single_file(const struct xl_catalogue_model *model, struct xl_arena *arena) {
    if (model->folder) return xl_arena_printf(arena, "%s/%s", model->folder, model->file);
    return xl_arena_printf(arena, "%s:%s", model->repo, model->file);
}

enum xl_status xl_catalogue_state(const struct xl_catalogue_model *model, const char *vae,
                                  struct xl_arena *arena, struct xl_catalogue_status *out,
                                  struct xl_err *err) {
    struct xl_catalogue_status result = {.state = XL_MODEL_NOT_CACHED};
    struct xl_snapshot snapshot = {0};
    struct xl_err why = {0};
    struct opened opened = {0};
    result.location = model->folder ? model->folder : model->repo;
    enum xl_status status = locate(model, arena, &result, &snapshot, err);
    if (status || result.why) {
        if (!status) *out = result;
        return status;
    }
    const char *index = xl_arena_printf(arena, "%s/model_index.json", result.dir);
    if (!index) return xl_fail_nomem(err, "a path", 0);
    bool is_pipeline = xl_file_exists(index);
    if (model->kind == XL_KIND_LORA && !is_pipeline) {
        status = look_at_lora(model, vae, arena, &result, err);
    } else {
        if (model->kind == XL_KIND_SINGLE_FILE && model->file && !is_pipeline)
            result.location = single_file(model, arena);
        if (!result.location) return xl_fail_nomem(err, "a path", 0);
        enum xl_status found = look_closely(&result, model->revision, vae, &opened, &why);
        status = conclude(&result, found, &opened, &why, arena, err);
    }
    if (!status) *out = result;
    return status;
}
