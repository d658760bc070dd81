/* catalogue_state.c - whether a model of the catalogue is there and can be read. */
#include "base/file.h"
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
        [XL_MODEL_UNSUPPORTED] = "not readable yet",
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
    else if ((status = xl_hub_resolve(out->location, model->revision, arena, snapshot, &why)))
        out->why = xl_arena_strdup(arena, why.text);
    else
        out->dir = snapshot->dir;
    if (status == XL_ENOMEM) return xl_fail(err, XL_ENOMEM, "%s", why.text);
    return out->why || out->dir ? XL_OK : xl_fail_nomem(err, "a model's state", 0);
}

static int64_t count_bytes(const struct xl_pipeline_files *files) {
    int64_t bytes = 0;
    struct stat st;
    for (int c = 0; c < XL_N_COMPONENTS; c++)
        for (int i = 0; i < files->component[c].n_files; i++)
            if (!stat(files->component[c].files[i], &st)) bytes += st.st_size;
    return bytes;
}

/* All that drawing reads of a model but the weights themselves. */
static enum xl_status look_closely(const char *location, const char *revision, struct xl_err *err) {
    struct xl_model_params params;
    struct xl_model *model = NULL;
    xl_model_params_default(&params);
    params.model = location;
    params.revision = revision;
    enum xl_status status = xl_model_open(&params, &model, err);
    if (!status) status = xl_model_check_whole(model, err);
    xl_model_close(model);
    return status;
}

enum xl_status xl_catalogue_state(const struct xl_catalogue_model *model, struct xl_arena *arena,
                                  struct xl_catalogue_status *out, struct xl_err *err) {
    struct xl_catalogue_status result = {.state = XL_MODEL_NOT_CACHED};
    struct xl_snapshot snapshot = {0};
    struct xl_pipeline_files files;
    struct xl_err why = {0};
    result.location = model->folder ? model->folder : model->repo;
    enum xl_status status = locate(model, arena, &result, &snapshot, err), found = XL_OK;
    if (status) return status;
    bool is_there = !result.why;
    if (is_there) found = xl_hub_pipeline(&snapshot, arena, &files, &why);
    bool is_whole = is_there && !found; /* what is wrong from here on no download repairs */
    if (is_whole) found = look_closely(result.location, model->revision, &why);
    if (found == XL_ENOMEM) return xl_fail(err, found, "%s", why.text);
    if (is_there && !found) {
        result.state = XL_MODEL_READY;
        result.bytes = count_bytes(&files);
    } else if (model->kind != XL_KIND_PIPELINE && !is_whole) {
        result.state = XL_MODEL_UNSUPPORTED;
        result.why =
            xl_arena_printf(arena, "%s, which this version cannot read yet%s",
                            model->kind == XL_KIND_LORA ? "a LoRA" : "a single-file checkpoint",
                            is_there ? "" : " (and it is not in the cache)");
    } else if (is_there) {
        bool is_partial = found == XL_EMODEL && !is_whole;
        result.state = is_partial ? XL_MODEL_INCOMPLETE : XL_MODEL_UNUSABLE;
        result.why = xl_arena_strdup(arena, why.text);
    }
    if (result.state != XL_MODEL_READY && !result.why)
        return xl_fail_nomem(err, "a model's state", 0);
    *out = result;
    return XL_OK;
}
