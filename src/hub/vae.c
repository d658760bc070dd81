/* vae.c - the files of a VAE that somebody names instead of a model's own. */
#include "hub/classify.h"
#include "hub/files.h"
#include "hub/locate.h"
#include "hub/weight_files.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "the path of a VAE", 0);
}

static bool holds_vae(const struct xl_file_class *is) {
    return is->kind == XL_FILE_VAE || (is->kind == XL_FILE_SDXL_CHECKPOINT && is->has_vae);
}

/* A VAE alone before one in a checkpoint; there must be one of the kind. */
static enum xl_status settle(struct xl_snapshot *snapshot, struct xl_arena *arena,
                             struct xl_err *err) {
    struct xl_hub_folder_class folder;
    const struct xl_hub_folder_file *found[2] = {NULL, NULL};
    int n[2] = {0, 0};
    enum xl_status status = xl_hub_classify_folder(snapshot->dir, arena, &folder, err);
    if (status) return status;
    for (int i = 0; i < folder.n_files; i++) {
        const struct xl_hub_folder_file *file = &folder.file[i];
        if (file->why || !holds_vae(&file->is)) continue;
        int kind = file->is.kind != XL_FILE_VAE;
        found[kind] = file;
        n[kind]++;
    }
    int kind = n[0] ? 0 : 1;
    if (n[kind] > 1)
        return xl_fail(err, XL_EINVAL,
                       "VAE %s: holds %d files with one, expected one: name it (%s)", snapshot->id,
                       n[kind], found[kind]->name);
    if (n[kind]) {
        snapshot->file = found[kind]->path;
        return XL_OK;
    }
    if (folder.kind == XL_HUB_FOLDER_UNKNOWN) return XL_OK;
    return xl_fail(err, XL_EFORMAT, "VAE %s: this is %s, expected a VAE (in %s)", snapshot->id,
                   folder.what, snapshot->dir);
}

/* config.json is that of an AutoencoderKL. is_needed: it must be. *is_one: it is */
static enum xl_status check_config(const char *path, bool is_needed, bool *is_one,
                                   struct xl_err *err) {
    json_t *root;
    *is_one = false;
    if (!is_needed && xl_hub_why_unusable(path)) return XL_OK;
    enum xl_status status = xl_hub_load_json(path, &root, err);
    if (status) return status;
    const char *name = json_string_value(json_object_get(root, "_class_name"));
    *is_one = name && !strcmp(name, "AutoencoderKL");
    if (is_needed && !*is_one)
        status = xl_fail(err, XL_EFORMAT, "%s: \"_class_name\" is %.64s, expected AutoencoderKL",
                         path, name ? name : "missing");
    json_decref(root);
    return status;
}

static enum xl_status take_file(const struct xl_snapshot *snapshot, struct xl_arena *arena,
                                struct xl_component_files *out, struct xl_err *err) {
    struct xl_file_class is;
    bool has_config = false;
    enum xl_status status = xl_hub_classify_file(snapshot->file, arena, &is, err);
    if (status) return status;
    if (!holds_vae(&is) || is.need)
        return xl_hub_refuse_file(snapshot->file, &is, "a VAE for SDXL", err);
    const char *config = xl_arena_printf(arena, "%s/config.json", snapshot->dir);
    const char **files = xl_arena_alloc(arena, sizeof *files);
    if (!config || !files) return nomem(err);
    if (is.kind == XL_FILE_VAE) status = check_config(config, false, &has_config, err);
    if (status) return status;
    files[0] = snapshot->file;
    *out = (struct xl_component_files){.config = has_config ? config : NULL,
                                       .files = files,
                                       .n_files = 1,
                                       .is_single = true,
                                       .variant = "",
                                       .notice = snapshot->notice};
    return XL_OK;
}

/* What is wrong with a folder. n_before: bytes of its files' names before those in the snapshot */
static enum xl_status fail_folder(const struct xl_snapshot *snapshot,
                                  struct xl_hub_problems *problems, size_t n_before,
                                  struct xl_arena *arena, struct xl_err *err) {
    for (struct xl_hub_problem *p = problems->first; p; p = p->next) p->file += n_before;
    return problems->failed ? nomem(err)
                            : xl_hub_fail_problems("VAE", snapshot, problems, arena, err);
}

/* folder: of config.json in the snapshot, "vae" or the snapshot itself by its own name */
static enum xl_status take_folder(const struct xl_snapshot *snapshot, const char *parent,
                                  const char *folder, struct xl_arena *arena,
                                  struct xl_component_files *out, struct xl_err *err) {
    const char *config = xl_arena_printf(arena, "%s/%s/config.json", parent, folder);
    struct xl_hub_weights_spec spec = *xl_hub_component_weights(XL_VAE);
    struct xl_hub_problems problems = {0};
    struct xl_component_files files = {.config = config, .variant = ""};
    bool is_one;
    if (!config) return nomem(err);
    spec.folder = folder;
    const char *why = xl_hub_why_unusable(config);
    enum xl_status status = why ? XL_OK : check_config(config, true, &is_one, err);
    if (!status) status = xl_hub_weight_files(parent, &spec, arena, &files, &problems, err);
    if (status) return status;
    const char *absent = why                               ? "config.json"
                         : files.n_files || problems.first ? NULL
                                                           : "diffusion_pytorch_model.safetensors";
    const char *file = absent ? xl_arena_printf(arena, "%s/%s", folder, absent) : NULL;
    if (absent && !file) return nomem(err);
    if (absent) xl_hub_problems_add(&problems, arena, XL_HUB_MISSING, file, why ? why : "missing");
    if (problems.first || problems.failed)
        return fail_folder(snapshot, &problems, parent == snapshot->dir ? 0 : strlen(folder) + 1,
                           arena, err);
    *out = files;
    return XL_OK;
}

static enum xl_status take(const struct xl_snapshot *snapshot, struct xl_arena *arena,
                           struct xl_component_files *out, struct xl_err *err) {
    if (snapshot->file) return take_file(snapshot, arena, out, err);
    const char *index = xl_arena_printf(arena, "%s/model_index.json", snapshot->dir);
    const char *slash = strrchr(snapshot->dir, '/'); /* absolute: there is one */
    const char *parent = xl_arena_strndup(arena, snapshot->dir, (size_t)(slash - snapshot->dir));
    if (!index || !parent) return nomem(err);
    return xl_hub_is_absent(index) ? take_folder(snapshot, parent, slash + 1, arena, out, err)
                                   : take_folder(snapshot, snapshot->dir, "vae", arena, out, err);
}

static bool is_whole(const struct xl_snapshot *snapshot) {
    struct xl_arena scratch = {0};
    struct xl_component_files files;
    bool complete = !take(snapshot, &scratch, &files, NULL);
    xl_arena_deinit(&scratch);
    return complete;
}

enum xl_status xl_hub_vae(const char *vae, struct xl_arena *arena, struct xl_component_files *out,
                          struct xl_err *err) {
    static const struct xl_hub_want want = {
        {"model_index.json", "config.json"}, settle, is_whole, false};
    struct xl_snapshot snapshot;
    enum xl_status status = xl_hub_locate(vae, NULL, &want, arena, &snapshot, err);
    if (!status) status = take(&snapshot, arena, out, err);
    return status;
}
