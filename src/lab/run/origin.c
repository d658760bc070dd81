/* origin.c - places, by what was written down beside pictures. */
#include "lab/run/origin.h"

#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "hub/hub.h"
#include "lab/data/catalogue.h"
#include "lab/data/embedding_text.h"
#include "lab/data/loras.h"
#include "lab/log/job_log.h"

#include <stdlib.h>
#include <string.h>

enum { N_FOLDERS = 3, RUN_JSON_MAX = 1 << 30 }; /* the picture's, and two above it */

/* What folders say: {folder: {"models": {DIGEST: {id, revision, vae_id, loras}}, "cells": {CELL:
 * {id, revision, vae_id, loras, embedding_files, init_image}}}}, of run.json and of logs. */
struct xl_origins {
    const struct xl_settings *settings;
    struct xl_catalogue *catalogue; /* NULL: not read yet */
    struct xl_loras *loras, *embeddings;
    json_t *runs, *logs;
};

struct xl_origins *xl_origins_new(const struct xl_settings *settings) {
    struct xl_origins *origins = calloc(1, sizeof *origins);
    if (!origins) return NULL;
    *origins = (struct xl_origins){.settings = settings,
                                   .loras = xl_loras_new(),
                                   .embeddings = xl_embeddings_new(),
                                   .runs = json_object(),
                                   .logs = json_object()};
    if (origins->loras && origins->embeddings && origins->runs && origins->logs) return origins;
    xl_origins_free(origins);
    return NULL;
}

void xl_origins_free(struct xl_origins *origins) {
    if (!origins) return;
    xl_catalogue_free(origins->catalogue);
    xl_loras_free(origins->loras);
    xl_loras_free(origins->embeddings);
    json_decref(origins->runs);
    json_decref(origins->logs);
    free(origins);
}

static const char *text_at(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* --- run.json --------------------------------------------------------------------------------- */

/* about: has what makes a model a variant, and files of a cell; NULL: nothing does */
static json_t *place_of(const json_t *id, const json_t *revision, const json_t *init,
                        const json_t *about) {
    static const char *const keys[] = {"vae_id", "loras", "embedding_files"};
    json_t *place = json_object();
    bool ok = place != NULL;
    for (int i = 0; i < 3; i++)
        if (json_object_get(about, keys[i]))
            xl_json_put(place, keys[i], json_incref(json_object_get(about, keys[i])), &ok);
    if (json_is_string(id)) xl_json_put(place, "id", json_incref((json_t *)id), &ok);
    if (json_is_string(revision))
        xl_json_put(place, "revision", json_incref((json_t *)revision), &ok);
    if (json_is_string(init)) xl_json_put(place, "init_image", json_incref((json_t *)init), &ok);
    return xl_json_finish(place, ok);
}

static void put_models(const json_t *root, json_t *models, bool *ok) {
    size_t i;
    json_t *model;
    json_array_foreach(json_object_get(root, "models"), i, model) {
        const char *digest = text_at(model, "digest");
        const json_t *commit = json_object_get(model, "commit");
        const json_t *id = json_object_get(model, json_is_string(commit) ? "repository" : "id");
        if (digest && digest[0]) xl_json_put(models, digest, place_of(id, commit, NULL, model), ok);
    }
}

static void put_cells(const json_t *root, json_t *cells, bool *ok) {
    size_t i;
    json_t *cell;
    json_array_foreach(json_object_get(root, "cells"), i, cell) {
        const char *id = text_at(cell, "id");
        const json_t *init = json_object_get(cell, "init_image");
        if (id && (json_is_string(init) || text_at(cell, "embedding_files")))
            xl_json_put(cells, id, place_of(NULL, NULL, init, cell), ok);
    }
}

/* A run.json that is not there or cannot be read says nothing. NULL: out of memory */
static json_t *read_run(const char *dir) {
    const struct xl_read_rule rule = {RUN_JSON_MAX, XL_EINPUT, XL_EINPUT};
    char *path = xl_path_join(dir, "run.json"), *text = NULL;
    size_t n = 0;
    json_t *root = NULL, *said = json_object(), *models = json_object(), *cells = json_object();
    bool ok = path && said && models && cells;
    if (ok && !xl_file_read(path, rule, &text, &n, NULL) &&
        !xl_json_parse(path, text, n, &root, NULL)) {
        put_models(root, models, &ok);
        put_cells(root, cells, &ok);
    }
    free(path);
    free(text);
    json_decref(root);
    xl_json_put(said, "models", models, &ok);
    xl_json_put(said, "cells", cells, &ok);
    return xl_json_finish(said, ok);
}

/* --- Job logs --------------------------------------------------------------------------------- */

/* A line of a model that is a folder or has other files, or of pictures that started from one: what
 * else there is, the records name themselves. */
static enum xl_status take_line(void *cells, const json_t *line, int64_t number,
                                struct xl_err *err) {
    const json_t *revision = json_object_get(line, "revision");
    const json_t *init = json_object_get(line, "init_image");
    size_t i;
    json_t *cell;
    bool ok = true;
    (void)number;
    bool has_files = json_object_get(line, "loras") || json_object_get(line, "vae_id") ||
                     json_object_get(line, "embedding_files");
    if (json_is_string(revision) && !json_is_string(init) && !has_files) return XL_OK;
    json_array_foreach(json_object_get(line, "cells"), i, cell) {
        const json_t *id = json_object_get(line, "model_id");
        if (json_is_string(cell))
            xl_json_put(cells, json_string_value(cell), place_of(id, revision, init, line), &ok);
    }
    return ok ? XL_OK : xl_fail_nomem(err, "the cells of a log", 0);
}

static json_t *read_logs(const char *dir) {
    struct xl_job_logs logs = {0};
    json_t *said = json_object(), *cells = json_object();
    bool ok = said && cells;
    if (ok && !xl_job_log_list(dir, &logs, NULL))
        for (int i = 0; ok && i < logs.n; i++)
            ok = xl_job_log_read(logs.paths[i], take_line, cells, NULL, NULL) != XL_ENOMEM;
    xl_job_logs_free(&logs);
    xl_json_put(said, "cells", cells, &ok);
    return xl_json_finish(said, ok);
}

/* --- Looking ---------------------------------------------------------------------------------- */

/* What a folder says, read once. NULL: out of memory */
static const json_t *ask(json_t *known, const char *dir, json_t *(*read)(const char *dir)) {
    json_t *said = json_object_get(known, dir);
    if (said) return said;
    said = read(dir);
    return said && !json_object_set_new(known, dir, said) ? said : NULL;
}

/* One picture that is looked for. */
struct search {
    struct xl_origins *origins;
    struct xl_arena *arena;
    const json_t *record;
    const char *dirs[N_FOLDERS]; /* the picture's, and those above it */
    const char *cell, *digest;   /* may be NULL */
    bool failed;                 /* out of memory */
};

/* What a member of what a folder says has under a key; NULL: nothing. */
static const json_t *look_up(struct search *search, bool in_log, const char *member,
                             const char *key, int folder) {
    struct xl_origins *origins = search->origins;
    if (!key || search->failed) return NULL;
    const json_t *said = ask(in_log ? origins->logs : origins->runs, search->dirs[folder],
                             in_log ? read_logs : read_run);
    search->failed = !said;
    return json_object_get(json_object_get(said, member), key);
}

/* run.json before logs, the nearest folder first; `wanted` is a key that the place must have. */
static const json_t *find_place(struct search *search, const char *wanted) {
    bool is_model = strcmp(wanted, "init_image") != 0 && strcmp(wanted, "embedding_files") != 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < N_FOLDERS; i++) {
            const char *member = is_model && !pass ? "models" : "cells";
            const char *key = is_model && !pass ? search->digest : search->cell;
            const json_t *place = look_up(search, pass == 1, member, key, i);
            if (json_object_get(place, wanted)) return place;
        }
    return NULL;
}

static bool is_there(struct search *search, const char *model, const char *revision) {
    struct xl_snapshot snapshot;
    return !xl_hub_resolve(model, revision, search->arena, &snapshot, NULL);
}

/* A model of the list by its name there; of a LoRA its base. */
static const struct xl_catalogue_model *find_listed(struct search *search, const char *key) {
    struct xl_origins *origins = search->origins;
    const struct xl_settings *settings = origins->settings;
    if (!origins->catalogue &&
        xl_catalogue_load(settings->model_files.item, settings->model_files.n, &origins->catalogue,
                          NULL))
        return NULL; /* a list that cannot be read names nothing */
    const struct xl_catalogue_model *entry = key ? xl_catalogue_find(origins->catalogue, key)
                                                 : NULL;
    return entry ? xl_catalogue_base(entry) : NULL;
}

static void find_model(struct search *search, struct xl_origin *out) {
    const json_t *about = json_object_get(search->record, "model");
    const char *id = text_at(about, "id"), *commit = text_at(about, "commit");
    out->model = id;
    out->revision = commit;
    out->is_known = true;
    const struct xl_settings *settings = search->origins->settings;
    if (xl_settings_is_given(settings, "model")) {
        const struct xl_catalogue_model *entry = find_listed(search, settings->model);
        out->model = !entry ? settings->model : entry->folder ? entry->folder : entry->repo;
        out->revision = settings->revision;
        return;
    }
    if (!id || (commit && is_there(search, id, commit))) return;
    const json_t *place = find_place(search, "id");
    if (place) {
        out->model = text_at(place, "id");
        out->revision = text_at(place, "revision");
        return;
    }
    const struct xl_catalogue_model *entry =
        commit ? NULL : find_listed(search, text_at(search->record, "model_key"));
    if (entry && entry->folder) out->model = entry->folder;
    out->is_known = is_there(search, out->model, out->revision);
}

/* --- Other files of the model --------------------------------------------------------------------
 */

static bool has_digest(const char *file, const char *wanted) {
    char digest[XL_SHA256_HEX];
    return file && xl_file_exists(file) && !xl_hub_file_digest(file, digest, NULL) &&
           !strcmp(digest, wanted);
}

/* Among what --lora says, and what was written down. */
static const char *find_lora(struct search *search, const json_t *places, const char *name,
                             const char *digest) {
    const struct xl_settings *settings = search->origins->settings;
    struct xl_lora_list said = {.n = 0};
    const struct xl_lora_place *found = NULL;
    size_t i;
    json_t *place;
    for (int k = 0; k < settings->loras.n; k++)
        if (xl_lora_text_read(settings->loras.item[k], search->arena, &said, NULL)) break;
    for (int k = 0; k < said.n; k++)
        if (!xl_loras_find(search->origins->loras, said.item[k].name, &found, NULL) &&
            !strcmp(found->digest, digest))
            return found->path;
    json_array_foreach(
        (json_t *)places, i,
        place) if (has_digest(text_at(place, "file"), digest)) return text_at(place, "file");
    found = xl_loras_find_digest(search->origins->loras, name, digest);
    return found ? found->path : NULL;
}

static void find_loras(struct search *search, struct xl_origin *out) {
    const json_t *list = json_object_get(json_object_get(search->record, "model"), "loras");
    const json_t *places = list ? json_object_get(find_place(search, "loras"), "loras") : NULL;
    size_t i;
    json_t *lora;
    json_array_foreach((json_t *)list, i, lora) {
        const char *name = text_at(lora, "name"), *digest = text_at(lora, "digest");
        if (out->n_loras == XL_LORAS_MAX || !name || !digest) continue;
        const char *file = find_lora(search, places, name, digest);
        if (!file) out->missing = name;
        out->loras[out->n_loras++] =
            (struct xl_lora){file ? xl_arena_strdup(search->arena, file) : name,
                             json_number_value(json_object_get(lora, "text_scale")),
                             json_number_value(json_object_get(lora, "unet_scale"))};
    }
}

static bool is_embedding(const char *file, const char *wanted) {
    char digest[XL_SHA256_HEX];
    return file && xl_file_exists(file) && !xl_sha256_file(file, digest, NULL) &&
           !strcmp(digest, wanted);
}

/* Among what --embedding says, what was written down, and what has a name. */
static const char *find_embedding(struct search *search, const char *written, const char *word,
                                  const char *digest) {
    const struct xl_settings *settings = search->origins->settings;
    struct xl_loras *files = search->origins->embeddings;
    const struct xl_lora_place *found = NULL;
    for (int i = 0; i < settings->embeddings.n; i++) {
        struct xl_embedding_said said;
        const char *text = settings->embeddings.item[i];
        if (!xl_embedding_text_read(text, search->arena, &said, NULL) &&
            !xl_loras_find(files, said.name, &found, NULL) && !strcmp(found->digest, digest))
            return found->path;
    }
    for (size_t n; written && *written; written += n + (written[n] != 0)) {
        n = strcspn(written, "\n");
        const char *file = xl_arena_strndup(search->arena, written, n);
        if (is_embedding(file, digest)) return file;
    }
    found = xl_loras_find_digest(files, word, digest);
    if (!found) found = xl_loras_find_digest(files, NULL, digest);
    return found ? found->path : NULL;
}

static void find_embeddings(struct search *search, struct xl_origin *out) {
    const char *word = text_at(search->record, "embedding");
    const char *digest = text_at(search->record, "embedding_digests");
    const char *written = word ? text_at(find_place(search, "embedding_files"), "embedding_files")
                               : NULL;
    while (word && digest && *word && *digest && !out->missing_embedding) {
        size_t n_word = strcspn(word, ","), n_digest = strcspn(digest, ",");
        const char *one = xl_arena_strndup(search->arena, word, n_word);
        const char *its = xl_arena_strndup(search->arena, digest, n_digest);
        const char *file = one && its ? find_embedding(search, written, one, its) : NULL;
        const char *before = out->embedding_files;
        out->embedding_files = file ? xl_arena_printf(search->arena, "%s%s%s", before ? before : "",
                                                      before ? "\n" : "", file)
                                    : NULL;
        if (!file) out->missing_embedding = one ? one : "";
        word += n_word + strspn(word + n_word, ", ");
        digest += n_digest + strspn(digest + n_digest, ", ");
    }
}

static void find_vae(struct search *search, struct xl_origin *out) {
    const char *name = text_at(search->record, "vae"), *said;
    const struct xl_settings *settings = search->origins->settings;
    if (!name) return;
    const char *place = text_at(find_place(search, "vae_id"), "vae_id");
    out->vae = place ? place : name;
    const char *asked = xl_settings_is_given(settings, "vae") ? settings->vae : out->vae;
    if (xl_vae_find(asked, search->arena, &out->vae, &said, NULL)) out->vae = asked;
}

/* --- The init image --------------------------------------------------------------------------- */

/* 2: the picture itself, 1: another one of that name, 0: none. */
static int rate(const struct search *search, const char *path) {
    char digest[XL_SHA256_HEX];
    const char *wanted = text_at(search->record, "init_digest");
    if (!path || !xl_file_exists(path) || xl_sha256_file(path, digest, NULL)) return 0;
    return wanted && !strcmp(wanted, digest) ? 2 : 1;
}

static const char *find_init(struct search *search) {
    const char *name = text_at(search->record, "init_image");
    if (!name) return NULL;
    if (xl_settings_is_given(search->origins->settings, "init-image"))
        return search->origins->settings->init_image;
    const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
    const char *candidates[] = {text_at(find_place(search, "init_image"), "init_image"),
                                xl_arena_printf(search->arena, "%s/%s", search->dirs[0], last),
                                name};
    const char *best = name;
    int best_rate = 0;
    for (int i = 0; i < 3; i++) {
        int rating = rate(search, candidates[i]);
        if (rating > best_rate) best = candidates[i], best_rate = rating;
    }
    return best;
}

enum xl_status xl_origin_find(struct xl_origins *origins, const char *path, const json_t *record,
                              struct xl_arena *arena, struct xl_origin *out, struct xl_err *err) {
    struct search search = {.origins = origins,
                            .arena = arena,
                            .record = record,
                            .cell = text_at(record, "cell"),
                            .digest = text_at(json_object_get(record, "model"), "digest")};
    const char *slash = strrchr(path, '/');
    size_t n = slash == path ? 1 : slash ? (size_t)(slash - path) : 1;
    search.dirs[0] = xl_arena_strndup(arena, slash ? path : ".", n);
    for (int i = 1; i < N_FOLDERS && search.dirs[i - 1]; i++)
        search.dirs[i] = xl_arena_printf(arena, "%s/..", search.dirs[i - 1]);
    *out = (struct xl_origin){.is_known = false};
    if (!search.dirs[N_FOLDERS - 1]) return xl_fail_nomem(err, "a path", 0);
    xl_json_watch();
    find_model(&search, out);
    find_loras(&search, out);
    find_embeddings(&search, out);
    find_vae(&search, out);
    out->init_image = find_init(&search);
    return search.failed || xl_json_ran_out() ? xl_fail_nomem(err, "the places of a picture", 0)
                                              : XL_OK;
}
