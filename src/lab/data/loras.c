/* loras.c - from what somebody calls a LoRA, a textual inversion or a VAE to its file. */
#include "lab/data/loras.h"

#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "hub/classify.h"
#include "hub/hub.h"
#include "lab/data/names.h"
#include "weights/embedding.h"
#include "weights/lora.h"
#include "weights/pickle.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char ENDING[] = ".safetensors";

/* One that was asked for. */
struct found {
    const char *said;
    struct xl_lora_place file;
    struct found *next;
};

struct xl_loras {
    struct xl_arena arena;
    enum xl_named_kind kind;
    struct xl_named_files folders, cache;
    bool has_folders, has_cache; /* they were read */
    struct found *found;
};

static struct xl_loras *new_of(enum xl_named_kind kind) {
    struct xl_loras *loras = calloc(1, sizeof *loras);
    if (loras) loras->kind = kind;
    return loras;
}

struct xl_loras *xl_loras_new(void) {
    return new_of(XL_NAMED_LORAS);
}

struct xl_loras *xl_embeddings_new(void) {
    return new_of(XL_NAMED_EMBEDDINGS);
}

/* For sentences. */
static const char *noun(const struct xl_loras *loras) {
    return loras->kind == XL_NAMED_EMBEDDINGS ? "embedding" : "LoRA";
}

void xl_loras_free(struct xl_loras *loras) {
    if (!loras) return;
    xl_arena_deinit(&loras->arena);
    free(loras);
}

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "a LoRA", 0);
}

bool xl_is_path_word(const char *text) {
    return text[0] && strchr("/.~$", text[0]);
}

static bool ends_so(const char *name) {
    size_t n = strlen(name), n_end = sizeof ENDING - 1;
    return n > n_end && !strcasecmp(name + n - n_end, ENDING);
}

/* The name of a file without folders and ending. */
static const char *stem_of(const char *path, struct xl_arena *arena) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return xl_arena_strndup(arena, name, strlen(name) - (ends_so(name) ? sizeof ENDING - 1 : 0));
}

/* --- Files of a folder ------------------------------------------------------------------------ */

static int is_weights(const struct dirent *entry) {
    return entry->d_name[0] != '.' && ends_so(entry->d_name);
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The only .safetensors file of a folder. said: opens the sentence. */
static enum xl_status only_file(const char *dir, const char *said, struct xl_arena *arena,
                                const char **out, struct xl_err *err) {
    struct dirent **entries = NULL;
    char names[300] = "";
    int n = scandir(dir, &entries, is_weights, by_bytes);
    enum xl_status status = XL_OK;
    for (int i = 0; i < n; i++) {
        size_t used = strlen(names);
        if (used + strlen(entries[i]->d_name) + 3 < sizeof names)
            snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                     entries[i]->d_name);
    }
    if (n < 1)
        status = xl_fail(err, XL_EMODEL, "%s: no .safetensors file is in %s", said, dir);
    else if (n > 1)
        status = xl_fail(err, XL_EMODEL,
                         "%s: %d .safetensors files are in %s; name one of them, like %s:%s: %s",
                         said, n, dir, said, entries[0]->d_name, names);
    else if (!(*out = xl_arena_printf(arena, "%s/%s", dir, entries[0]->d_name)))
        status = nomem(err);
    for (int i = 0; i < n; i++) free(entries[i]);
    free(entries);
    return status;
}

/* --- The cache -------------------------------------------------------------------------------- */

/* The files at the top of every repository of the cache, by their names. */
static enum xl_status read_cache(struct xl_loras *loras, struct xl_err *err) {
    struct xl_arena *arena = &loras->arena;
    struct xl_hub_repositories all;
    enum xl_status status = xl_hub_every_repository(arena, &all, err);
    if (status) return status;
    int capacity = 0, n = 0;
    struct xl_named_file *list = NULL;
    for (int r = 0; r < all.n; r++) {
        struct xl_snapshot snapshot;
        struct dirent **entries = NULL;
        if (xl_hub_resolve(all.id[r], NULL, arena, &snapshot, NULL)) continue;
        int n_here = scandir(snapshot.dir, &entries, is_weights, by_bytes);
        for (int i = 0; i < n_here; i++) {
            if (n == capacity) {
                capacity = capacity ? 2 * capacity : 32;
                struct xl_named_file *grown =
                    xl_arena_alloc(arena, (size_t)capacity * sizeof *grown);
                if (grown && n) memcpy(grown, list, (size_t)n * sizeof *list);
                list = grown;
            }
            const char *path = xl_arena_printf(arena, "%s/%s", snapshot.dir, entries[i]->d_name);
            const char *name = stem_of(entries[i]->d_name, arena);
            if (!status && (!list || !path || !name)) status = nomem(err);
            if (!status) list[n++] = (struct xl_named_file){name, name, path, all.id[r]};
            free(entries[i]);
        }
        free(entries);
        if (status) return status;
    }
    loras->cache = (struct xl_named_files){.list = list, .n = n};
    return XL_OK;
}

/* All of a kind, for a name to be looked up in: with a wrong folders.yaml it could mean another. */
static enum xl_status list_named(enum xl_named_kind kind, struct xl_arena *arena,
                                 struct xl_named_files *out, struct xl_err *err) {
    enum xl_status status = xl_named_files_list(kind, arena, out, err);
    return !status && out->wrong ? xl_fail(err, XL_EINPUT, "%s", out->wrong) : status;
}

static enum xl_status need_folders(struct xl_loras *loras, struct xl_err *err) {
    if (loras->has_folders) return XL_OK;
    enum xl_status status = list_named(loras->kind, &loras->arena, &loras->folders, err);
    loras->has_folders = !status;
    return status;
}

static enum xl_status need_cache(struct xl_loras *loras, struct xl_err *err) {
    if (loras->has_cache) return XL_OK;
    enum xl_status status = read_cache(loras, err);
    loras->has_cache = !status;
    return status;
}

/* "org/name" or "org/name:FILE". *path stays NULL where it is no repository's name. */
static enum xl_status find_in_repository(const char *said, struct xl_arena *arena,
                                         const char **path, struct xl_err *err) {
    struct xl_snapshot snapshot;
    const char *slash = strchr(said, '/'), *colon = slash ? strchr(slash, ':') : NULL;
    if (!slash || slash == said || !slash[1] || strchr(slash + 1, '/')) return XL_OK;
    const char *id = xl_arena_strndup(arena, said, colon ? (size_t)(colon - said) : strlen(said));
    if (!id) return nomem(err);
    enum xl_status status = xl_hub_resolve(id, NULL, arena, &snapshot, err);
    if (status) return status;
    if (!colon) return only_file(snapshot.dir, said, arena, path, err);
    const char *file = xl_arena_printf(arena, "%s/%s", snapshot.dir, colon + 1);
    if (!file) return nomem(err);
    if (!xl_file_exists(file))
        return xl_fail(err, XL_EMODEL, "%s: the cache has no file %s of %s", said, colon + 1, id);
    *path = file;
    return XL_OK;
}

/* --- One LoRA --------------------------------------------------------------------------------- */

/* A file of that name in the folders that can run code; NULL: there is none. */
static const char *find_pickle(struct xl_loras *loras, const char *said) {
    for (int i = 0; i < loras->folders.n_folders; i++) {
        const char *path = xl_arena_printf(&loras->arena, "%s/%s", loras->folders.folders[i], said);
        if (path && xl_file_exists(path)) return path;
        for (const char *const *ending = xl_pickle_endings; path && *ending; ending++) {
            const char *whole = xl_arena_printf(&loras->arena, "%s%s", path, *ending);
            if (whole && xl_file_exists(whole)) return whole;
        }
    }
    return NULL;
}

static enum xl_status fail_pickle(const struct xl_loras *loras, const char *path,
                                  struct xl_err *err) {
    bool is_embedding = loras->kind == XL_NAMED_EMBEDDINGS;
    return xl_fail(err, XL_EFORMAT,
                   "the %s %s: expected a .safetensors file; what is in others can run code and is "
                   "never read%s",
                   noun(loras), path,
                   is_embedding ? ": convert it with torch.load(FILE, weights_only=True) and "
                                  "safetensors.torch.save_file (docs/EMBEDDINGS.md)"
                                : "");
}

static enum xl_status not_found(struct xl_loras *loras, const char *said, struct xl_err *err) {
    char near[200], near_cached[200], places[400] = "";
    xl_named_files_nearest(&loras->folders, said, near, sizeof near);
    xl_named_files_nearest(&loras->cache, said, near_cached, sizeof near_cached);
    const char *hint = near[0] ? near : near_cached;
    for (int i = 0; i < loras->folders.n_folders; i++) {
        size_t used = strlen(places);
        snprintf(places + used, sizeof places - used, "%s%.200s", used ? ", " : "",
                 loras->folders.folders[i]);
    }
    const char *pickle = find_pickle(loras, said);
    if (pickle) return fail_pickle(loras, pickle, err);
    if (hint[0])
        return xl_fail(err, XL_EMODEL, "there is no %s \"%.100s\"; did you mean %s?", noun(loras),
                       said, hint);
    return xl_fail(err, XL_EMODEL,
                   "there is no %s \"%.100s\" (looked in %s, and in the Hugging Face cache); "
                   "expected a name, a .safetensors file or a repository (org/name)",
                   noun(loras), said, places);
}

/* A path as it was said: a file, or a folder with one. */
static enum xl_status take_path(struct xl_loras *loras, const char *said, const char **path,
                                struct xl_err *err) {
    struct xl_arena *arena = &loras->arena;
    const char *expanded = said;
    enum xl_status status = xl_is_path_word(said) ? xl_path_expand(said, arena, &expanded, err)
                                                  : XL_OK;
    if (status) return status;
    bool is_file = xl_file_exists(expanded), is_dir = !is_file && xl_dir_exists(expanded);
    if (is_dir && xl_is_path_word(said)) {
        status = only_file(expanded, said, arena, &expanded, err);
        if (status) return status;
    } else if (!is_file) {
        return xl_is_path_word(said)
                   ? xl_fail(err, XL_EMODEL, "the %s %s is not there", noun(loras), expanded)
                   : XL_OK;
    } else if (!ends_so(expanded)) {
        return fail_pickle(loras, expanded, err);
    }
    *path = xl_path_absolute(expanded, arena);
    return *path ? XL_OK : nomem(err);
}

enum xl_status xl_loras_locate(struct xl_loras *loras, const char *said, const char **path,
                               struct xl_err *err) {
    *path = NULL;
    enum xl_status status = take_path(loras, said, path, err);
    if (!status && !*path) status = need_folders(loras, err);
    if (status || *path) return status;
    const struct xl_named_file *file = xl_named_files_find(&loras->folders, said);
    if (!file) status = find_in_repository(said, &loras->arena, path, err);
    if (!status && !file && !*path) status = need_cache(loras, err);
    if (status || *path) return status;
    if (!file) file = xl_named_files_find(&loras->cache, said);
    if (file) *path = file->path;
    return file ? XL_OK : not_found(loras, said, err);
}

/* What a file is, told by its header before it is read. */
static enum xl_status check_lora(const char *path, struct xl_err *err) {
    struct xl_lora_file *file = NULL;
    switch (xl_hub_file_fit(path, XL_FILE_LORA, err)) {
    case XL_FILE_FITS:
        return XL_OK;
    case XL_FILE_OTHER:
        return XL_EFORMAT;
    case XL_FILE_UNSURE:
        break;
    }
    enum xl_status status = xl_lora_file_open(path, &file, err);
    if (!status) xl_lora_file_close(file);
    return status;
}

/* The whole file is read: it is small. */
static enum xl_status digest_embedding(const char *path, char out[XL_SHA256_HEX],
                                       struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_embedding_vectors vectors;
    enum xl_status status = xl_embedding_read(path, &arena, &vectors, err);
    if (!status) strcpy(out, vectors.digest);
    if (status == XL_EFORMAT) xl_hub_file_fit(path, XL_FILE_EMBEDDING, err);
    xl_arena_deinit(&arena);
    return status;
}

static enum xl_status digest_one(const struct xl_loras *loras, const char *path,
                                 char out[XL_SHA256_HEX], struct xl_err *err) {
    if (loras->kind == XL_NAMED_EMBEDDINGS) return digest_embedding(path, out, err);
    enum xl_status status = check_lora(path, err);
    return status ? status : xl_hub_file_digest(path, out, err);
}

/* Short and without places: of a path its last part. */
static const char *short_name(const char *said, const char *name) {
    const char *slash = strchr(said, '/');
    bool is_path = xl_is_path_word(said) || (slash && strchr(slash + 1, '/')) || ends_so(said);
    bool is_one_of = slash && strchr(slash, ':') && !xl_is_path_word(said);
    return is_path && !is_one_of ? name : said;
}

enum xl_status xl_loras_find(struct xl_loras *loras, const char *said,
                             const struct xl_lora_place **out, struct xl_err *err) {
    for (struct found *found = loras->found; found; found = found->next)
        if (!strcmp(found->said, said)) return *out = &found->file, XL_OK;
    struct xl_arena *arena = &loras->arena;
    struct found *found = xl_arena_alloc(arena, sizeof *found);
    const char *kept = xl_arena_strdup(arena, said), *path = NULL;
    if (!found || !kept) return nomem(err);
    enum xl_status status = xl_loras_locate(loras, kept, &path, err);
    if (!status) status = digest_one(loras, path, found->file.digest, err);
    if (status) return status;
    found->said = kept;
    found->file.path = path;
    found->file.name = stem_of(path, arena);
    if (!found->file.name) return nomem(err);
    found->file.said = short_name(kept, found->file.name);
    found->next = loras->found;
    loras->found = found;
    *out = &found->file;
    return XL_OK;
}

const struct xl_lora_place *xl_loras_find_digest(struct xl_loras *loras, const char *name,
                                                 const char *digest) {
    const struct xl_lora_place *file = NULL;
    if (need_folders(loras, NULL) || need_cache(loras, NULL)) return NULL;
    const struct xl_named_files *const lists[] = {&loras->folders, &loras->cache};
    for (int l = 0; l < 2; l++)
        for (int i = 0; i < lists[l]->n; i++) {
            const struct xl_named_file *at = &lists[l]->list[i];
            if (name && strcmp(at->name, name) != 0) continue;
            if (xl_loras_find(loras, at->path, &file, NULL)) continue;
            if (!strncmp(file->digest, digest, strlen(digest))) return file;
        }
    return NULL;
}

enum xl_status xl_loras_list(struct xl_loras *loras, struct xl_named_files *out,
                             struct xl_err *err) {
    enum xl_status status = need_folders(loras, err);
    if (!status) status = need_cache(loras, err);
    if (status) return status;
    const struct xl_named_files *folders = &loras->folders, *cache = &loras->cache;
    size_t n = (size_t)(folders->n + cache->n);
    struct xl_named_file *list = xl_arena_alloc(&loras->arena, (n + 1) * sizeof *list);
    if (!list) return nomem(err);
    if (folders->n) memcpy(list, folders->list, (size_t)folders->n * sizeof *list);
    if (cache->n) memcpy(list + folders->n, cache->list, (size_t)cache->n * sizeof *list);
    *out = (struct xl_named_files){
        .list = list, .n = (int)n, .folders = folders->folders, .n_folders = folders->n_folders};
    return XL_OK;
}

/* --- VAEs ------------------------------------------------------------------------------------- */

enum xl_status xl_vae_find(const char *text, struct xl_arena *arena, const char **vae,
                           const char **said, struct xl_err *err) {
    struct xl_named_files files;
    const char *path = text;
    enum xl_status status = xl_is_path_word(text) ? xl_path_expand(text, arena, &path, err) : XL_OK;
    if (status) return status;
    if (xl_is_path_word(text) || xl_file_exists(path) || xl_dir_exists(path)) {
        size_t n = strlen(path);
        while (n > 1 && path[n - 1] == '/') n--;
        const char *bare = xl_arena_strndup(arena, path, n);
        *vae = bare ? xl_path_absolute(bare, arena) : NULL;
        *said = bare ? stem_of(bare, arena) : NULL;
        return *vae && *said ? XL_OK : nomem(err);
    }
    status = list_named(XL_NAMED_VAES, arena, &files, err);
    if (status) return status;
    const struct xl_named_file *file = xl_named_files_find(&files, text);
    *vae = file ? file->path : text;
    *said = text;
    return XL_OK;
}
