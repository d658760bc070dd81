/* models_add.c - sdxl-lab models add: a name of one's own for a model. The entry is put at the end
 * of models.yaml; what stands there, comments too, stays. */
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/models.h"
#include "cli/table.h"
#include "lab/data/data.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = XL_YAML_MAX_BYTES };

/* What goes into the file. */
struct addition {
    const char *key, *what;
    const char *repo, *folder; /* one of them */
    const char *file, *base;   /* NULL: none */
    enum xl_catalogue_kind kind;
};

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "an entry of models.yaml", 0);
}

/* ---- What it is ---- */

/* What LoRAs are for, mostly: its name in the list, and what it is called without one. */
static const char BASE[] = "SDXL Base 1.0";
static const char BASE_REPOSITORY[] = "stabilityai/stable-diffusion-xl-base-1.0";

static enum xl_status refuse(const char *name, const char *what, const char *need,
                             struct xl_err *err) {
    return xl_fail(err, XL_EFORMAT, "%s: this is %s: %s", name, what, need);
}

/* A file goes by its folder and its name, or by its repository. */
static enum xl_status add_file(const struct xl_models_target *target, const char *path,
                               struct xl_arena *arena, struct addition *out, struct xl_err *err) {
    struct xl_file_class is;
    enum xl_status status = xl_hub_classify_file(path, arena, &is, err);
    if (status) return status;
    if (is.need) return refuse(path, is.what, is.need, err);
    if (is.kind != XL_FILE_SDXL_CHECKPOINT && is.kind != XL_FILE_LORA)
        return xl_fail(err, XL_EFORMAT, "%s: this is %s, no model: give it with %s", path, is.what,
                       is.use);
    const char *slash = strrchr(path, '/');
    out->file = xl_arena_strdup(arena, slash + 1);
    out->what = is.what;
    out->kind = is.kind == XL_FILE_LORA ? XL_KIND_LORA : XL_KIND_SINGLE_FILE;
    if (out->kind == XL_KIND_LORA) out->base = BASE;
    if (target->snapshot.commit)
        out->repo = target->snapshot.id;
    else
        out->folder = xl_arena_strndup(arena, path, (size_t)(slash - path));
    bool ok = out->file && (out->repo || out->folder);
    return ok ? XL_OK : nomem(err);
}

/* The one file of a folder that can be drawn with; of several, one has to be named. */
static enum xl_status add_only_file(const struct xl_models_target *target,
                                    const struct xl_hub_folder_class *folder, bool is_lora,
                                    struct xl_arena *arena, struct addition *out,
                                    struct xl_err *err) {
    char names[400] = "";
    const char *only = NULL;
    int n = 0;
    for (int i = 0; i < folder->n_files; i++) {
        const struct xl_hub_folder_file *file = &folder->file[i];
        enum xl_file_kind wanted = is_lora ? XL_FILE_LORA : XL_FILE_SDXL_CHECKPOINT;
        size_t used = strlen(names);
        if (file->why || file->is.need || file->is.kind != wanted) continue;
        snprintf(names + used, sizeof names - used, "%s%.100s", n ? ", " : "", file->name);
        only = file->path;
        n++;
    }
    if (n > 1)
        return xl_fail(err, XL_EINVAL, "%s holds several (%s): name one, as in \"%s%c%s\"",
                       target->name, names, target->name, target->snapshot.commit ? ':' : '/',
                       strrchr(only, '/') + 1);
    return add_file(target, only, arena, out, err);
}

static enum xl_status add_folder(const struct xl_models_target *target, struct xl_arena *arena,
                                 struct addition *out, struct xl_err *err) {
    struct xl_hub_folder_class folder;
    enum xl_status status = xl_hub_classify_folder(target->snapshot.dir, arena, &folder, err);
    if (status) return status;
    if (folder.kind == XL_HUB_FOLDER_SINGLE_FILES || folder.kind == XL_HUB_FOLDER_LORA)
        return add_only_file(target, &folder, folder.kind == XL_HUB_FOLDER_LORA, arena, out, err);
    if (folder.need) return refuse(target->name, folder.what, folder.need, err);
    if (folder.kind != XL_HUB_FOLDER_SDXL)
        return xl_fail(err, XL_EFORMAT, "%s: this is %s, no model", target->name, folder.what);
    out->what = folder.what;
    out->kind = XL_KIND_PIPELINE;
    if (target->snapshot.commit)
        out->repo = target->snapshot.id;
    else
        out->folder = target->snapshot.dir;
    return XL_OK;
}

/* What to call it where nobody says: the file without its ending, else the last part. */
static const char *default_key(const struct addition *addition, struct xl_arena *arena) {
    const char *from = addition->file   ? addition->file
                       : addition->repo ? addition->repo
                                        : addition->folder;
    const char *slash = strrchr(from, '/');
    char *key = xl_arena_strdup(arena, slash ? slash + 1 : from);
    char *dot = key && addition->file ? strrchr(key, '.') : NULL;
    if (dot) *dot = 0;
    return key;
}

/* ---- Into the file ---- */

/* "  name: "text"", with the quotes and escapes of JSON, which YAML reads as well. */
static bool put(struct xl_str *out, const char *name, const char *text) {
    if (!text) return true;
    json_t *value = xl_json_text(text);
    char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    if (quoted) xl_str_printf(out, "  %s: %s\n", name, quoted);
    json_decref(value);
    bool ok = quoted != NULL;
    free(quoted);
    return ok;
}

/* malloc'd; NULL: out of memory */
static char *entry_text(const struct addition *addition) {
    struct xl_str out = {0};
    json_t *key = xl_json_text(addition->key);
    char *quoted = key ? json_dumps(key, JSON_ENCODE_ANY) : NULL;
    bool ok = quoted != NULL;
    if (ok) xl_str_printf(&out, "%s:\n", quoted);
    ok = ok && put(&out, "repo", addition->repo) && put(&out, "folder", addition->folder);
    xl_str_printf(&out, "  kind: %s\n", xl_catalogue_kind_name(addition->kind));
    ok = ok && put(&out, "file", addition->file) && put(&out, "base", addition->base);
    free(quoted);
    json_decref(key);
    out.failed |= !ok;
    return xl_str_take(&out);
}

/* The text of models.yaml with the entry behind it; an error where the whole cannot be read. */
static enum xl_status append(const char *path, const char *entry, struct xl_str *out,
                             struct xl_err *err) {
    struct xl_read_rule rule = {MAX_BYTES, XL_EINPUT, XL_EINPUT};
    char *text = NULL;
    size_t n = 0;
    json_t *root = NULL;
    enum xl_status status = xl_file_exists(path) ? xl_file_read(path, rule, &text, &n, err) : XL_OK;
    if (status) return status;
    if (n) xl_str_append(out, text, n);
    if (n && text[n - 1] != '\n') xl_str_puts(out, "\n");
    if (n) xl_str_puts(out, "\n");
    xl_str_puts(out, entry);
    free(text);
    if (out->failed) return nomem(err);
    struct xl_err why = {0};
    status = xl_yaml_parse(path, out->text, out->len, NULL, &root, &why);
    json_decref(root);
    if (!status) return XL_OK;
    return xl_fail(err, status, "%s; write the entry into it yourself: %s", why.text, entry);
}

static enum xl_status write_entry(const struct addition *addition, struct xl_arena *arena,
                                  const char **path, struct xl_err *err) {
    char real[PATH_MAX];
    const char *dir = xl_config_dir(arena);
    if (!dir) return xl_fail(err, XL_EDISK, "no home folder: set HOME or XDG_CONFIG_HOME");
    *path = xl_arena_printf(arena, "%s/models.yaml", dir);
    char *entry = entry_text(addition);
    struct xl_str text = {0};
    enum xl_status status = *path && entry ? xl_dir_create(dir, err) : nomem(err);
    if (!status) status = append(*path, entry, &text, err);
    /* Whoever keeps the file elsewhere, behind a link, keeps the link. */
    if (!status)
        status = xl_file_replace(realpath(*path, real) ? real : *path, text.text, text.len, err);
    free(entry);
    xl_str_deinit(&text);
    return status;
}

/* ---------------------------------------------------------------------------------------------- */

static enum xl_status check_key(const struct xl_catalogue *catalogue, const char *key,
                                struct xl_err *err) {
    const struct xl_catalogue_model *taken = xl_catalogue_find(catalogue, key);
    if (!key[0] || strlen(key) > XL_NAME_MAX || xl_data_bad_character(key, true) || key[0] == ' ' ||
        key[strlen(key) - 1] == ' ')
        return xl_fail(err, XL_EINVAL,
                       "--name: \"%.60s\" is no name: 1 to %d bytes without control characters, no "
                       "blank at its ends",
                       key, XL_NAME_MAX);
    if (taken)
        return xl_fail(err, XL_EINVAL, "\"%.60s\" is taken, by %s (%s); give another with --name",
                       key, taken->key, taken->origin);
    return XL_OK;
}

static enum xl_status tell(const struct addition *addition, const char *path, bool as_json,
                           struct xl_err *err) {
    if (!as_json) {
        printf("added ");
        xl_print_text(addition->key, XL_COLOR_BOLD);
        printf(" (%s) to ", addition->what);
        xl_print_text(path, XL_COLOR_NONE);
        putchar('\n');
        return XL_OK;
    }
    json_t *document = json_object();
    bool ok = document != NULL;
    xl_json_put(document, "key", xl_json_text(addition->key), &ok);
    xl_json_put(document, "kind", json_string(xl_catalogue_kind_name(addition->kind)), &ok);
    xl_json_put(document, "what", xl_json_text(addition->what), &ok);
    xl_json_put(document, "path", xl_json_text(path), &ok);
    document = xl_json_finish(document, ok);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

static enum xl_status add(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_catalogue *catalogue = NULL;
    struct xl_arena arena = {0};
    struct xl_models_target target;
    struct addition addition = {.kind = XL_KIND_PIPELINE};
    const char *path = NULL, *name = settings->arguments[0];
    enum xl_status status =
        xl_catalogue_load(settings->model_files.item, settings->model_files.n, &catalogue, err);
    if (!status) status = xl_models_find(catalogue, name, NULL, &arena, &target, err);
    if (!status && target.entry)
        status = xl_fail(err, XL_EINVAL, "%s is in the list already, as \"%s\"", name,
                         target.entry->key);
    if (!status)
        status = target.file ? add_file(&target, target.file, &arena, &addition, err)
                             : add_folder(&target, &arena, &addition, err);
    if (addition.base && !xl_catalogue_find(catalogue, addition.base))
        addition.base = BASE_REPOSITORY;
    if (!status) {
        addition.key = settings->import_name ? settings->import_name
                                             : default_key(&addition, &arena);
        status = addition.key ? check_key(catalogue, addition.key, err) : nomem(err);
    }
    if (!status) status = write_entry(&addition, &arena, &path, err);
    if (!status) status = tell(&addition, path, settings->json, err);
    xl_arena_deinit(&arena);
    xl_catalogue_free(catalogue);
    return status;
}

const struct xl_command xl_command_models_add = {
    .name = "models add",
    .summary = "give a model a name of its own: an entry of ~/.config/sdxl-lab/models.yaml",
    .usage = "[OPTIONS]",
    .positional = "FILE|DIR|ID",
    .words = XL_COMPLETE_FILE,
    .commands = XL_FOR_MODELS_ADD,
    .epilogue =
        "What it is, its files tell; \"ID:FILE\" picks one file of a repository. The entry goes "
        "to the end of the file, which is yours to edit: size, steps, guidance, licence. A LoRA "
        "gets SDXL Base 1.0 as its base.\n"
        "Exit codes: 2 the name is taken or the file cannot be extended; 5 it is not there, or "
        "nothing that can be drawn with; else 0.",
    .run = add,
};
