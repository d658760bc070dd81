/* single.c - repositories and folders whose model is one file: which of those at the root. */
#include "hub/classify.h"
#include "hub/files.h"
#include "hub/locate.h"
#include "hub/weight_files.h"

#include <stdio.h>
#include <string.h>

static bool is_checkpoint(const struct xl_hub_folder_file *file) {
    return !file->why && file->is.kind == XL_FILE_SDXL_CHECKPOINT && !file->is.need;
}

/* The name with "fp16" and "fp32" left out behind a mark; *is_half: it was fp16. False: it has
 * neither. */
static bool without_precision(const char *name, char out[256], bool *is_half) {
    static const char *const marks[] = {"_fp16", "_fp32"};
    for (int i = 0; i < 2; i++) {
        const char *at = strstr(name, marks[i]);
        if (!at) continue;
        snprintf(out, 256, "%.*s%s", (int)(at - name), name, at + strlen(marks[i]));
        *is_half = i == 0;
        return true;
    }
    return false;
}

/* Of two the one of half precision, when they are called the same otherwise; else NULL. */
static const struct xl_hub_folder_file *prefer(const struct xl_hub_folder_file *a,
                                               const struct xl_hub_folder_file *b) {
    char of_a[256], of_b[256];
    bool a_is_half, b_is_half;
    if (!without_precision(a->name, of_a, &a_is_half) ||
        !without_precision(b->name, of_b, &b_is_half) || strcmp(of_a, of_b) ||
        a_is_half == b_is_half)
        return NULL;
    return a_is_half ? a : b;
}

static enum xl_status fail_several(const struct xl_snapshot *snapshot,
                                   const struct xl_hub_folder_class *folder, int n,
                                   struct xl_err *err) {
    char list[640] = "";
    const char *joint = snapshot->commit ? ":" : "/";
    for (int i = 0; i < folder->n_files; i++) {
        size_t len = strlen(list);
        if (is_checkpoint(&folder->file[i]))
            snprintf(list + len, sizeof list - len, "%s%s%s%s", len ? ", " : "", snapshot->id,
                     joint, folder->file[i].name);
    }
    return xl_fail(err, XL_EINVAL, "model %s: holds %d checkpoints, expected one: name it as %s",
                   snapshot->id, n, list);
}

/* No checkpoint: what the folder holds instead. */
static enum xl_status fail_other(const struct xl_snapshot *snapshot,
                                 const struct xl_hub_folder_class *folder, struct xl_err *err) {
    for (int i = 0; i < folder->n_files; i++) {
        const char *why = xl_hub_why_unusable(folder->file[i].path);
        if (why)
            return xl_fail(err, XL_EMODEL, "model %s is incomplete: %s (%s)%s%s%s", snapshot->id,
                           folder->file[i].name, why,
                           snapshot->commit ? "; download the rest with \"sdxl-lab models download "
                                            : "",
                           snapshot->commit ? snapshot->id : "", snapshot->commit ? "\"" : "");
    }
    const struct xl_hub_folder_file *only = folder->n_files == 1 ? &folder->file[0] : NULL;
    if (only && !only->why) return xl_hub_refuse_file(only->path, &only->is, "an SDXL model", err);
    return xl_fail(err, XL_EFORMAT, "model %s: this is %s, expected an SDXL model%s%s (in %s)",
                   snapshot->id, folder->what, folder->need ? "; " : "",
                   folder->need ? folder->need : "", snapshot->dir);
}

/* A pipeline that lost its index: a checkpoint at the root is not meant then. */
static bool lacks_index(const struct xl_snapshot *snapshot) {
    static const char *const parts[] = {"unet", "text_encoder"};
    bool lacks = true;
    for (int i = 0; i < 2; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s/config.json", snapshot->dir, parts[i]);
        lacks = lacks && !xl_hub_is_absent(path);
    }
    return lacks;
}

static enum xl_status fail_no_index(const struct xl_snapshot *snapshot, struct xl_arena *arena,
                                    struct xl_err *err) {
    struct xl_hub_problems problems = {0};
    xl_hub_problems_add(&problems, arena, XL_HUB_MISSING, "model_index.json", "missing");
    if (problems.failed) return xl_fail_nomem(err, "the path of a model", 0);
    return xl_hub_fail_problems("model", snapshot, &problems, arena, err);
}

enum xl_status xl_hub_settle_model(struct xl_snapshot *snapshot, struct xl_arena *arena,
                                   struct xl_err *err) {
    struct xl_hub_folder_class folder;
    const struct xl_hub_folder_file *first = NULL, *last = NULL, *chosen;
    int n = 0;
    if (lacks_index(snapshot)) return fail_no_index(snapshot, arena, err);
    enum xl_status status = xl_hub_classify_folder(snapshot->dir, arena, &folder, err);
    if (status) return status;
    for (int i = 0; i < folder.n_files; i++) {
        if (!is_checkpoint(&folder.file[i])) continue;
        first = first ? first : &folder.file[i];
        last = &folder.file[i];
        n++;
    }
    if (!n)
        return folder.kind == XL_HUB_FOLDER_UNKNOWN ? XL_OK : fail_other(snapshot, &folder, err);
    chosen = n == 1 ? first : n == 2 ? prefer(first, last) : NULL;
    if (!chosen) return fail_several(snapshot, &folder, n, err);
    snapshot->file = chosen->path;
    if (n == 1) return XL_OK;
    snapshot->notice = xl_arena_printf(arena, "%s: took %s, not %s: the same model in fp32",
                                       snapshot->id, chosen->name,
                                       chosen == first ? last->name : first->name);
    return snapshot->notice ? XL_OK : xl_fail_nomem(err, "the path of a model", 0);
}
