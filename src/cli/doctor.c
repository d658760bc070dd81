/* doctor.c - looking at every model of the list, at the cache, at what was not finished, and at
 * GPUs. */
#include "cli/doctor.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/models_report.h"
#include "hub/rehash.h"

#include <stdlib.h>
#include <string.h>

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "what the doctor finds", 0);
}

static bool add_note(struct xl_arena *arena, struct xl_doctor_notes *notes, const char *text) {
    if (!text) return false;
    if (notes->n == notes->capacity) {
        int capacity = notes->capacity ? 2 * notes->capacity : 8;
        const char **grown = xl_arena_alloc(arena, (size_t)capacity * sizeof *grown);
        if (!grown) return false;
        if (notes->n) memcpy(grown, notes->text, (size_t)notes->n * sizeof *grown);
        notes->text = grown;
        notes->capacity = capacity;
    }
    notes->text[notes->n++] = text;
    return true;
}

/* ---- A model ---- */

/* Links that lead nowhere or out of the cache, and blobs that are not called by a digest. */
static bool look_at_links(struct xl_doctor *doctor, const struct xl_models_report *report,
                          struct xl_doctor_model *model) {
    struct xl_arena *arena = &doctor->arena;
    bool is_cached = report->target.snapshot.commit != NULL, ok = true;
    for (int i = 0; ok && i < report->entries.n; i++) {
        const struct xl_hub_entry *entry = &report->entries.entry[i];
        const char *text = NULL;
        if (entry->state == XL_ENTRY_DANGLING)
            text = xl_arena_printf(arena, "%s: the link leads to nothing", entry->file);
        else if (entry->state == XL_ENTRY_OUTSIDE)
            text = xl_arena_printf(arena, "%s: the link leads out of the cache, to %s; remove %s",
                                   entry->file, entry->target, entry->path);
        else if (entry->state == XL_ENTRY_UNREADABLE)
            text = xl_arena_printf(arena, "%s: cannot be read", entry->file);
        else if (is_cached && entry->target && !entry->digest)
            text = xl_arena_printf(arena, "%s: its blob is not called by a digest: %s", entry->file,
                                   entry->target);
        else
            continue;
        ok = add_note(arena, &model->problems, text);
    }
    return ok;
}

static bool follow(void *user, int64_t done, int64_t total) {
    return xl_progress_update(user, XL_PHASE_LOAD, done, total);
}

/* Read every file of a model. */
static enum xl_status rehash(struct xl_doctor *doctor, const struct xl_models_report *report,
                             bool is_quiet, struct xl_doctor_model *model, struct xl_err *err) {
    struct xl_progress progress;
    struct xl_rehash work = {
        .n = report->entries.n, .arena = &doctor->arena, .progress = follow, .user = &progress};
    work.file = xl_arena_alloc(&doctor->arena, (size_t)(work.n + 1) * sizeof *work.file);
    if (!work.file) return nomem(err);
    for (int i = 0; i < work.n; i++) work.file[i].entry = report->entries.entry[i];
    xl_progress_init(&progress, is_quiet);
    xl_progress_model(&progress, model->entry->key);
    enum xl_status status = xl_hub_rehash(&work, err);
    xl_progress_end(&progress);
    model->is_verified = !status && work.n > 0;
    for (int i = 0; !status && i < work.n; i++) {
        const struct xl_rehash_file *file = &work.file[i];
        const char *text = NULL;
        model->is_verified &= file->verdict == XL_REHASH_SAME;
        if (file->verdict == XL_REHASH_OTHER)
            text = xl_arena_printf(&doctor->arena,
                                   "%s: the content is not what the blob is called by: found %s; "
                                   "remove %s",
                                   file->entry.file, file->found, file->entry.target);
        else if (file->verdict == XL_REHASH_DAMAGED)
            text = xl_arena_printf(&doctor->arena, "%s: %s", file->entry.file, file->why);
        else
            continue;
        if (!add_note(&doctor->arena, &model->problems, text)) status = nomem(err);
        model->state = XL_MODEL_UNUSABLE;
    }
    return status;
}

static bool is_as_listed(enum xl_catalogue_kind listed, enum xl_hub_folder_kind found) {
    static const enum xl_hub_folder_kind expected[] = {
        [XL_KIND_PIPELINE] = XL_HUB_FOLDER_SDXL,
        [XL_KIND_SINGLE_FILE] = XL_HUB_FOLDER_SINGLE_FILES,
        [XL_KIND_LORA] = XL_HUB_FOLDER_LORA,
    };
    return expected[listed] == found;
}

static enum xl_status look_at(struct xl_doctor *doctor, const struct xl_settings *settings,
                              const struct xl_models_target *target, struct xl_doctor_model *model,
                              struct xl_err *err) {
    struct xl_arena *arena = &doctor->arena;
    struct xl_models_report report = {.has_need = false};
    enum xl_status status = xl_models_look(target, arena, &report, err);
    if (status) return status;
    model->state = report.state.state;
    model->what = report.folder.what;
    if (report.state.lora && model->entry->base) model->wanted = model->entry->base;
    model->precision = xl_models_precision(&report, arena);
    model->disk_bytes = report.entries.bytes;
    model->has_need = report.has_need;
    model->weight_bytes = report.need.weight_bytes;
    model->work_bytes = report.need.work_bytes;
    bool ok = model->precision && look_at_links(doctor, &report, model);
    if (ok && report.state.why) ok = add_note(arena, &model->problems, report.state.why);
    if (ok && target->snapshot.notice)
        ok = add_note(arena, &model->problems, target->snapshot.notice);
    if (ok && report.folder.kind != XL_HUB_FOLDER_UNKNOWN &&
        !is_as_listed(model->entry->kind, report.folder.kind))
        ok = add_note(arena, &model->problems,
                      xl_arena_printf(arena, "the list says %s, the folder holds %s",
                                      xl_catalogue_kind_name(model->entry->kind),
                                      report.folder.what));
    if (!ok) status = nomem(err);
    if (!status && settings->deep) status = rehash(doctor, &report, settings->quiet, model, err);
    xl_models_report_deinit(&report);
    return status;
}

static enum xl_status look_at_models(struct xl_doctor *doctor, const struct xl_settings *settings,
                                     const struct xl_catalogue *catalogue, struct xl_err *err) {
    int n = xl_catalogue_count(catalogue);
    enum xl_status status = XL_OK;
    doctor->model = xl_arena_alloc(&doctor->arena, (size_t)(n + 1) * sizeof *doctor->model);
    if (!doctor->model) return nomem(err);
    for (int i = 0; !status && i < n; i++) {
        struct xl_doctor_model *model = &doctor->model[doctor->n_models++];
        struct xl_models_target target;
        struct xl_err why = {0};
        model->entry = xl_catalogue_at(catalogue, i);
        model->state = XL_MODEL_NOT_CACHED;
        model->wanted = model->entry->key;
        status = xl_models_find(catalogue, model->entry->key, NULL, &doctor->arena, &target, &why);
        if (status == XL_ENOMEM) return xl_fail(err, status, "%s", why.text);
        if (!status)
            status = look_at(doctor, settings, &target, model, err);
        else if (!model->entry->folder)
            status = XL_OK; /* not cached: the command says all */
        else if (add_note(&doctor->arena, &model->problems,
                          xl_arena_strdup(&doctor->arena, why.text)))
            status = XL_OK;
        else
            status = nomem(err);
        if (status || model->state == XL_MODEL_READY) continue;
        doctor->n_missing++;
        model->command = model->entry->folder ? NULL
                                              : xl_models_download(model->wanted, &doctor->arena);
        if (!model->entry->folder && !model->command) return nomem(err);
    }
    return status;
}

/* ---- The cache ---- */

static bool is_hub(const struct xl_doctor *doctor, const char *dir) {
    for (int i = 0; i < doctor->places.n; i++)
        if (!strcmp(doctor->places.place[i].dir, dir))
            return doctor->places.place[i].n_repositories > 0;
    return false;
}

/* A variable that leads to a folder that is none of the cache. */
static bool look_at_variable(struct xl_doctor *doctor, const char *name, const char *below) {
    struct xl_arena *arena = &doctor->arena;
    const char *value = getenv(name), *dir = NULL;
    if (!value || !value[0] || xl_path_expand(value, arena, &dir, NULL)) return true;
    const char *hub = xl_arena_printf(arena, "%s/hub", dir);
    if (!hub) return false;
    const char *text = NULL;
    if (!xl_dir_exists(dir))
        text = xl_arena_printf(arena, "%s is %s, which is not there", name, dir);
    else if (below && !xl_dir_exists(hub) && !is_hub(doctor, dir))
        text = xl_arena_printf(arena, "%s is %s, which has no folder hub: repositories lie in %s",
                               name, dir, hub);
    else if (!below && xl_dir_exists(hub) && !is_hub(doctor, dir))
        text =
            xl_arena_printf(arena,
                            "%s is %s, but the repositories lie in %s: set HF_HOME to the first, "
                            "or %s to the second",
                            name, dir, hub, name);
    else
        return true;
    return add_note(arena, &doctor->notes, text);
}

/* Why a repository that the list does not know cannot be drawn with, where it is a model. */
static enum xl_status look_at_other(struct xl_doctor *doctor, const struct xl_hub_found *found,
                                    const char **why, struct xl_err *err) {
    bool is_single = found->is.kind == XL_HUB_FOLDER_SINGLE_FILES;
    struct xl_catalogue_status state;
    if (!is_single && found->is.kind != XL_HUB_FOLDER_SDXL) return XL_OK;
    struct xl_catalogue_model entry =
        xl_catalogue_unlisted(found->id, is_single ? XL_KIND_SINGLE_FILE : XL_KIND_PIPELINE);
    enum xl_status status = xl_catalogue_state(&entry, NULL, &doctor->arena, &state, err);
    if (!status) *why = state.why;
    return status;
}

static enum xl_status look_at_cache(struct xl_doctor *doctor, const struct xl_catalogue *catalogue,
                                    struct xl_err *err) {
    struct xl_hub_scan scan = {NULL, 0};
    enum xl_status status = xl_hub_places(&doctor->arena, &doctor->places, err);
    if (!status) status = xl_hub_partials(&doctor->arena, &doctor->partials, err);
    if (!status) status = xl_hub_scan(&doctor->arena, &scan, err);
    if (status) return status;
    doctor->others.found =
        xl_arena_alloc(&doctor->arena, (size_t)(scan.n + 1) * sizeof *doctor->others.found);
    doctor->others_why =
        xl_arena_alloc(&doctor->arena, (size_t)(scan.n + 1) * sizeof *doctor->others_why);
    if (!doctor->others.found || !doctor->others_why) return nomem(err);
    for (int i = 0; !status && i < scan.n; i++) {
        if (xl_catalogue_has_repository(catalogue, scan.found[i].id)) continue;
        int n = doctor->others.n++;
        doctor->others.found[n] = scan.found[i];
        doctor->others_why[n] = NULL;
        status = look_at_other(doctor, &scan.found[i], &doctor->others_why[n], err);
    }
    if (status) return status;
    bool ok = look_at_variable(doctor, "HF_HUB_CACHE", NULL) &&
              look_at_variable(doctor, "HUGGINGFACE_HUB_CACHE", NULL) &&
              look_at_variable(doctor, "HF_HOME", "hub");
    return ok ? XL_OK : nomem(err);
}

/* ---- GPUs ---- */

static enum xl_status look_at_gpus(struct xl_doctor *doctor, struct xl_err *err) {
    struct xl_doctor_gpus *gpus = &doctor->gpus;
    struct xl_arena *arena = &doctor->arena;
    struct xl_err why = {0};
    size_t most = XL_CUDA_DEVICES_MAX;
    struct xl_cuda_device *device = xl_arena_alloc(arena, most * sizeof *device);
    int64_t *free_bytes = xl_arena_alloc(arena, most * sizeof *free_bytes);
    if (!device || !free_bytes) return nomem(err);
    if (xl_cuda_devices(device, XL_CUDA_DEVICES_MAX, &gpus->n, &why)) {
        gpus->why = xl_arena_printf(arena, "%s", why.text);
        return gpus->why ? XL_OK : nomem(err);
    }
    if (gpus->n > XL_CUDA_DEVICES_MAX) gpus->n = XL_CUDA_DEVICES_MAX;
    for (int i = 0; i < gpus->n; i++) free_bytes[i] = xl_cuda_free_bytes(i);
    char libraries[256];
    xl_cuda_libraries_describe(libraries, sizeof libraries);
    gpus->device = device;
    gpus->free_bytes = free_bytes;
    gpus->libraries = xl_arena_printf(arena, "%s", libraries);
    return gpus->libraries ? XL_OK : nomem(err);
}

enum xl_status xl_doctor_look(const struct xl_settings *settings,
                              const struct xl_catalogue *catalogue, struct xl_doctor *out,
                              struct xl_err *err) {
    struct xl_doctor doctor = {.memory_free = xl_memory_available(), .is_deep = settings->deep};
    enum xl_status status = look_at_cache(&doctor, catalogue, err);
    if (!status) status = look_at_models(&doctor, settings, catalogue, err);
    if (!status) status = look_at_gpus(&doctor, err);
    if (status)
        xl_doctor_deinit(&doctor);
    else
        *out = doctor;
    return status;
}

void xl_doctor_deinit(struct xl_doctor *doctor) {
    xl_arena_deinit(&doctor->arena);
}
