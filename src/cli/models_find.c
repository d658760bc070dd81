/* models_find.c - which model a word means, for the models commands. */
#include "cli/models.h"

#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "the path of a model", 0);
}

/* "org/name:file.safetensors": the repository, and the file in it. False: it is none of that. */
static bool split(const char *name, struct xl_arena *arena, const char **id, const char **file) {
    const char *colon = strchr(name, ':');
    if (!colon || !strchr(name, '/') || !colon[1]) return false;
    *id = xl_arena_strndup(arena, name, (size_t)(colon - name));
    *file = colon + 1;
    return *id != NULL;
}

static enum xl_status find_entry(struct xl_models_target *target, const char *revision,
                                 struct xl_arena *arena, struct xl_err *err) {
    const struct xl_catalogue_model *entry = target->entry;
    const char *place = entry->folder ? entry->folder : entry->repo;
    target->name = entry->key;
    if (entry->folder && entry->kind == XL_KIND_LORA && xl_dir_exists(entry->folder)) {
        target->snapshot = (struct xl_snapshot){.dir = entry->folder, .id = entry->folder};
        return XL_OK; /* it holds no model */
    }
    if (!revision) revision = entry->revision;
    enum xl_status status = xl_hub_resolve(place, revision, arena, &target->snapshot, err);
    if (status != XL_EINVAL || !entry->file) return status;
    /* It holds several checkpoints, one of which is meant. */
    const char *file =
        xl_arena_printf(arena, "%s%c%s", place, entry->folder ? '/' : ':', entry->file);
    return file ? xl_hub_resolve(file, revision, arena, &target->snapshot, err) : nomem(err);
}

static enum xl_status find_file(struct xl_models_target *target, const char *path,
                                struct xl_arena *arena, struct xl_err *err) {
    target->file = xl_path_absolute(path, arena);
    return target->file ? XL_OK : nomem(err);
}

/* A repository, or a folder, which need not hold a pipeline. */
static enum xl_status find_folder(struct xl_models_target *target, const char *path,
                                  const char *revision, struct xl_arena *arena,
                                  struct xl_err *err) {
    enum xl_status status = xl_hub_resolve(path, revision, arena, &target->snapshot, err);
    if (status != XL_EMODEL || !xl_dir_exists(path)) return status;
    target->snapshot = (struct xl_snapshot){.dir = xl_path_absolute(path, arena), .id = path};
    return target->snapshot.dir ? XL_OK : nomem(err);
}

static enum xl_status fail_unknown(const struct xl_catalogue *catalogue, const char *name,
                                   struct xl_err *err) {
    char near[256];
    xl_catalogue_nearest(catalogue, name, near, sizeof near);
    return xl_fail(err, XL_EINVAL,
                   "model \"%.100s\": no name of sdxl-lab models list, no repository (org/name), "
                   "folder or file%s%s%s",
                   name, near[0] ? "; did you mean " : "", near, near[0] ? "?" : "");
}

enum xl_status xl_models_find(const struct xl_catalogue *catalogue, const char *name,
                              const char *revision, struct xl_arena *arena,
                              struct xl_models_target *out, struct xl_err *err) {
    struct xl_models_target target = {.name = name};
    const char *id, *file, *path = name;
    enum xl_status status = XL_OK;
    target.entry = xl_catalogue_find(catalogue, name);
    if (name[0] == '~' && (status = xl_path_expand(name, arena, &path, err))) return status;
    if (target.entry) {
        status = find_entry(&target, revision, arena, err);
    } else if (xl_file_exists(path)) {
        status = find_file(&target, path, arena, err);
    } else if (split(path, arena, &id, &file)) {
        status = xl_hub_resolve(id, revision, arena, &target.snapshot, err);
        if (!status) target.file = xl_arena_printf(arena, "%s/%s", target.snapshot.dir, file);
        if (!status && !target.file) status = nomem(err);
        if (!status && !xl_file_exists(target.file))
            status = xl_fail(err, XL_EMODEL, "model %s: no file %s in %s", name, file,
                             target.snapshot.dir);
    } else if (!strchr(path, '/') && !xl_dir_exists(path)) {
        status = fail_unknown(catalogue, name, err);
    } else {
        status = find_folder(&target, path, revision, arena, err);
    }
    if (!status) *out = target;
    return status;
}

const char *xl_models_download(const char *name, struct xl_arena *arena) {
    struct xl_str line = {0};
    xl_str_puts(&line, "sdxl-lab models download ");
    xl_str_put_shell_word(&line, name);
    char *text = xl_str_take(&line);
    const char *copy = text ? xl_arena_strdup(arena, text) : NULL;
    free(text);
    return copy;
}

char *xl_bytes_text(int64_t bytes, char out[XL_BYTES_MAX]) {
    double n = (double)bytes;
    if (n >= 1e9)
        snprintf(out, XL_BYTES_MAX, "%.1f GB", n / 1e9);
    else if (n >= 1e6)
        snprintf(out, XL_BYTES_MAX, "%.0f MB", n / 1e6);
    else if (n >= 1e4)
        snprintf(out, XL_BYTES_MAX, "%.0f kB", n / 1e3);
    else
        snprintf(out, XL_BYTES_MAX, "%lld %s", (long long)bytes, xl_plural(bytes, "byte", "bytes"));
    return out;
}

void xl_models_print_field(const char *name, const char *text) {
    if (!text || !text[0]) return;
    printf("  %-12s ", name);
    xl_print_text(text, XL_COLOR_NONE);
    putchar('\n');
}
