/* models_verify.c - sdxl-lab models verify: is every file of a model what its blob is called by? */
#include "base/json.h"
#include "base/str.h"
#include "cli/models.h"
#include "cli/table.h"
#include "hub/rehash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A model and where its files are in the list of all. */
struct checked {
    const char *name;
    const char *dir;
    struct xl_rehash_file *file;
    int n, n_bad, n_without; /* files; that are wrong; that have no digest */
    int64_t bytes;
};

struct verify {
    const struct xl_settings *settings;
    struct xl_catalogue *catalogue;
    struct xl_arena arena;
    struct checked *model;
    int n_models, capacity;
};

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "the list of files", 0);
}

/* ---- Which files ---- */

static enum xl_status add_model(struct verify *verify, const struct xl_models_target *target,
                                struct xl_err *err) {
    struct xl_hub_entries entries = {NULL, 0, 0};
    struct xl_arena *arena = &verify->arena;
    if (verify->n_models == verify->capacity) {
        int capacity = verify->capacity ? 2 * verify->capacity : 16;
        struct checked *grown = xl_arena_alloc(arena, (size_t)capacity * sizeof *grown);
        if (!grown) return nomem(err);
        if (verify->n_models)
            memcpy(grown, verify->model, (size_t)verify->n_models * sizeof *grown);
        verify->model = grown;
        verify->capacity = capacity;
    }
    enum xl_status status = target->file ? xl_hub_entry(target->file, arena, &entries, err)
                                         : xl_hub_entries(&target->snapshot, arena, &entries, err);
    if (status) return status;
    struct checked *model = &verify->model[verify->n_models];
    *model = (struct checked){
        .name = target->name,
        .dir = target->file ? target->file : target->snapshot.dir,
        .file = xl_arena_alloc(arena, (size_t)(entries.n + 1) * sizeof *model->file),
        .n = entries.n,
        .bytes = entries.bytes};
    if (!model->file) return nomem(err);
    for (int i = 0; i < entries.n; i++) model->file[i].entry = entries.entry[i];
    verify->n_models++;
    return XL_OK;
}

/* Everything that is there: models of the catalogue, then other repositories of the cache. */
static enum xl_status add_all(struct verify *verify, struct xl_err *err) {
    struct xl_hub_scan scan = {NULL, 0};
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < xl_catalogue_count(verify->catalogue); i++) {
        struct xl_models_target target;
        struct xl_err why = {0};
        const char *key = xl_catalogue_at(verify->catalogue, i)->key;
        status = xl_models_find(verify->catalogue, key, NULL, &verify->arena, &target, &why);
        if (status == XL_ENOMEM) return xl_fail(err, status, "%s", why.text);
        status = status ? XL_OK : add_model(verify, &target, err); /* absent: nothing to verify */
    }
    if (!status) status = xl_hub_scan(&verify->arena, &scan, err);
    for (int i = 0; !status && i < scan.n; i++) {
        const struct xl_hub_found *found = &scan.found[i];
        if (xl_catalogue_has_repository(verify->catalogue, found->id)) continue;
        struct xl_models_target target = {.name = found->id, .snapshot = found->snapshot};
        status = add_model(verify, &target, err);
    }
    return status;
}

static enum xl_status add_named(struct verify *verify, struct xl_err *err) {
    const struct xl_settings *settings = verify->settings;
    enum xl_status status = XL_OK;
    if (settings->all) return add_all(verify, err);
    if (!settings->n_arguments)
        return xl_fail(err, XL_EINVAL,
                       "say which models: names, repositories, folders or files, or --all");
    for (int i = 0; !status && i < settings->n_arguments; i++) {
        struct xl_models_target target;
        status = xl_models_find(verify->catalogue, settings->arguments[i], NULL, &verify->arena,
                                &target, err);
        if (!status) status = add_model(verify, &target, err);
    }
    return status;
}

/* ---- Reading them ---- */

static bool is_bad(const struct xl_rehash_file *file) {
    return file->verdict != XL_REHASH_SAME && file->verdict != XL_REHASH_NO_DIGEST;
}

static bool follow(void *user, int64_t done, int64_t total) {
    return xl_progress_update(user, XL_PHASE_LOAD, done, total);
}

/* All files in one queue, so that every thread has something to read to the end. */
static enum xl_status read_all(struct verify *verify, struct xl_err *err) {
    struct xl_progress progress;
    struct xl_rehash rehash = {.arena = &verify->arena, .progress = follow, .user = &progress};
    for (int m = 0; m < verify->n_models; m++) rehash.n += verify->model[m].n;
    rehash.file = xl_arena_alloc(&verify->arena, (size_t)(rehash.n + 1) * sizeof *rehash.file);
    if (!rehash.file) return nomem(err);
    for (int m = 0, at = 0; m < verify->n_models; m++)
        for (int i = 0; i < verify->model[m].n; i++) rehash.file[at++] = verify->model[m].file[i];
    xl_progress_init(&progress, verify->settings->quiet);
    enum xl_status status = xl_hub_rehash(&rehash, err);
    xl_progress_end(&progress);
    if (status) return status;
    for (int m = 0; m < verify->n_models; m++) {
        struct checked *model = &verify->model[m];
        for (int i = 0; i < model->n; i++) {
            struct xl_rehash_file *file = &model->file[i];
            const struct xl_rehash_file *read = xl_rehash_find(&rehash, file->entry.path);
            if (read) *file = *read;
            model->n_bad += is_bad(file);
            model->n_without += file->verdict == XL_REHASH_NO_DIGEST;
        }
    }
    return XL_OK;
}

/* ---- Telling ---- */

static const char *word_of(enum xl_rehash_verdict verdict) {
    static const char *const words[] = {
        [XL_REHASH_SAME] = "same",
        [XL_REHASH_OTHER] = "other content",
        [XL_REHASH_NO_DIGEST] = "no digest",
        [XL_REHASH_DANGLING] = "dangling",
        [XL_REHASH_OUTSIDE] = "outside",
        [XL_REHASH_DAMAGED] = "damaged",
        [XL_REHASH_NOT_LOOKED] = "not looked at",
    };
    return words[verdict];
}

/* What is wrong, and what to do. In the arena; NULL: out of memory */
static const char *sentence(struct xl_arena *arena, const struct checked *model,
                            const struct xl_rehash_file *file) {
    const struct xl_hub_entry *entry = &file->entry;
    const char *download = xl_models_download(model->name, arena);
    if (!download) return NULL;
    switch (file->verdict) {
    case XL_REHASH_OTHER:
        return xl_arena_printf(arena,
                               "%s: the content is not what the blob is called by: found %s, "
                               "expected %s; remove %s, then: %s",
                               entry->file, file->found, entry->digest, entry->target, download);
    case XL_REHASH_DANGLING:
        return xl_arena_printf(arena, "%s: the link leads to nothing; fetch it with: %s",
                               entry->file, download);
    case XL_REHASH_OUTSIDE:
        return xl_arena_printf(arena,
                               "%s: the link leads out of the cache, to %s; remove it (%s), then: "
                               "%s",
                               entry->file, entry->target, entry->path, download);
    case XL_REHASH_DAMAGED:
        return xl_arena_printf(arena, "%s: %s; remove it, then: %s", entry->file, file->why,
                               download);
    default:
        return "";
    }
}

static json_t *describe_problem(struct xl_arena *arena, const struct checked *model,
                                const struct xl_rehash_file *file) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "file", xl_json_text(file->entry.file), &ok);
    xl_json_put(object, "path", xl_json_text(file->entry.path), &ok);
    xl_json_put(object, "finding", json_string(word_of(file->verdict)), &ok);
    xl_json_put(object, "expected", xl_json_text(file->entry.digest), &ok);
    xl_json_put(object, "found", xl_json_text(file->found[0] ? file->found : NULL), &ok);
    xl_json_put(object, "target", xl_json_text(file->entry.target), &ok);
    xl_json_put(object, "why", xl_json_text(sentence(arena, model, file)), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe(struct xl_arena *arena, const struct checked *model) {
    json_t *object = json_object(), *problems = json_array();
    bool ok = object && problems;
    xl_json_put(object, "name", xl_json_text(model->name), &ok);
    xl_json_put(object, "dir", xl_json_text(model->dir), &ok);
    xl_json_put(object, "files", json_integer(model->n), &ok);
    xl_json_put(object, "bytes", json_integer(model->bytes), &ok);
    xl_json_put(object, "without_digest", json_integer(model->n_without), &ok);
    xl_json_put(object, "same", json_boolean(!model->n_bad), &ok);
    for (int i = 0; ok && i < model->n; i++)
        if (is_bad(&model->file[i]))
            ok = !json_array_append_new(problems, describe_problem(arena, model, &model->file[i]));
    xl_json_put(object, "problems", problems, &ok);
    return xl_json_finish(object, ok);
}

static enum xl_status print_json(struct verify *verify, struct xl_err *err) {
    json_t *document = json_object(), *models = json_array();
    bool ok = document && models;
    for (int m = 0; ok && m < verify->n_models; m++)
        ok = !json_array_append_new(models, describe(&verify->arena, &verify->model[m]));
    xl_json_put(document, "models", models, &ok);
    document = xl_json_finish(document, ok);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

static enum xl_status print_model(struct verify *verify, const struct checked *model,
                                  struct xl_err *err) {
    char bytes[XL_BYTES_MAX];
    xl_print_text(model->name, XL_COLOR_NONE);
    printf(": %d %s, %s: ", model->n, xl_plural(model->n, "file", "files"),
           xl_bytes_text(model->bytes, bytes));
    if (model->n_bad)
        printf("%d %s not what %s should be\n", model->n_bad, xl_plural(model->n_bad, "is", "are"),
               xl_plural(model->n_bad, "it", "they"));
    else if (model->n_without == model->n)
        printf("headers are whole; without digests no more can be told\n");
    else if (model->n_without)
        printf("same; %d without a digest\n", model->n_without);
    else
        printf("same\n");
    for (int i = 0; i < model->n; i++) {
        if (!is_bad(&model->file[i])) continue;
        const char *text = sentence(&verify->arena, model, &model->file[i]);
        if (!text) return nomem(err);
        printf("  ");
        xl_print_text(text, XL_COLOR_YELLOW);
        putchar('\n');
    }
    return XL_OK;
}

static enum xl_status judge(const struct verify *verify, struct xl_err *err) {
    int n_files = 0, n_bad = 0;
    for (int m = 0; m < verify->n_models; m++) {
        n_files += verify->model[m].n;
        n_bad += verify->model[m].n_bad;
    }
    if (!n_bad) return XL_OK;
    return xl_fail(err, XL_EFORMAT, "%d of %d files %s not what %s should be", n_bad, n_files,
                   xl_plural(n_bad, "is", "are"), xl_plural(n_bad, "it", "they"));
}

static enum xl_status verify_models(const struct xl_settings *settings, struct xl_err *err) {
    struct verify verify = {.settings = settings};
    enum xl_status status = xl_catalogue_load(settings->model_files.item, settings->model_files.n,
                                              &verify.catalogue, err);
    if (!status) status = add_named(&verify, err);
    if (!status) status = read_all(&verify, err);
    if (!status && settings->json) status = print_json(&verify, err);
    for (int m = 0; !status && !settings->json && m < verify.n_models; m++)
        status = print_model(&verify, &verify.model[m], err);
    if (!status && !settings->json && !verify.n_models) printf("no models there\n");
    if (!status) status = judge(&verify, err);
    xl_arena_deinit(&verify.arena);
    xl_catalogue_free(verify.catalogue);
    return status;
}

const struct xl_command xl_command_models_verify = {
    .name = "models verify",
    .summary =
        "read every file of models again and compare it with the digest that it is called by",
    .usage = "[OPTIONS]",
    .positional = "[KEY|ID|DIR|FILE...]",
    .words = XL_COMPLETE_MODEL,
    .commands = XL_FOR_MODELS_VERIFY,
    .epilogue =
        "Every blob of a cache is called by a digest of its content: SHA-256 of large files, git's "
        "SHA-1 of small ones. Files of a plain folder have none: of those, headers alone are "
        "checked.\n"
        "Exit codes: 5 a file is not what it should be, or a model is not there; else 0.",
    .run = verify_models,
};
