/* folders.c - the folders of a kind, and the files in them. Keeps nothing; any thread. */
#include "lab/data/folders.h"

#include "base/path.h"
#include "base/str.h"
#include "base/yaml.h"
#include "lab/data/data.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FOLDERS = 64, MAX_DEPTH = 8, MAX_FILES = 20000 };

static const char ENDING[] = ".safetensors";

const char *xl_named_kind_name(enum xl_named_kind kind) {
    static const char *const names[] = {"loras", "embeddings", "vaes", "checkpoints"};
    return names[kind];
}

/* What ships with the program; NULL: nothing of the kind. */
static const char *shipped(enum xl_named_kind kind, struct xl_arena *arena) {
    return kind == XL_NAMED_LORAS ? xl_share_find("models/lab-tiny-loras", arena) : NULL;
}

/* A list on its way. */
struct listing {
    struct xl_arena *arena;
    const char *folders[MAX_FOLDERS];
    int n_folders;
    struct xl_named_file *files;
    int n, capacity;
    struct xl_err *err;
};

static enum xl_status nomem(const struct listing *listing) {
    return xl_fail_nomem(listing->err, "a list of files", 0);
}

/* --- Which folders ---------------------------------------------------------------------------- */

static void add_folder(struct listing *listing, const char *dir) {
    for (int i = 0; i < listing->n_folders; i++)
        if (!strcmp(listing->folders[i], dir)) return;
    if (listing->n_folders < MAX_FOLDERS) listing->folders[listing->n_folders++] = dir;
}

/* Without a home there is no folder of one's own. */
static void add_own(struct listing *listing, enum xl_named_kind kind) {
    const char *said = getenv("XDG_DATA_HOME"), *data = NULL;
    if (!said || xl_path_expand(said, listing->arena, &data, NULL) || data[0] != '/')
        if (xl_path_expand("~/.local/share", listing->arena, &data, NULL)) return;
    const char *dir =
        xl_arena_printf(listing->arena, "%s/sdxl-lab/%s", data, xl_named_kind_name(kind));
    if (dir) add_folder(listing, dir);
}

/* A folder as the file says it; a relative one is relative to the file's folder. */
static enum xl_status add_said(struct listing *listing, const char *config, const json_t *value,
                               const char *place) {
    const char *said = json_string_value(value), *path = NULL;
    struct xl_err why = {0};
    if (!said || !said[0])
        return xl_fail(listing->err, XL_EINPUT, "%s: expected a folder, or a list of folders",
                       place);
    enum xl_status status = xl_path_expand(said, listing->arena, &path, &why);
    if (status) return xl_fail(listing->err, XL_EINPUT, "%s: %s", place, why.text);
    if (path[0] != '/') path = xl_arena_printf(listing->arena, "%s/%s", config, path);
    if (!path) return nomem(listing);
    add_folder(listing, path);
    return XL_OK;
}

static const char *place_of(const struct listing *listing, const char *file,
                            struct xl_yaml_place place) {
    const char *text =
        xl_arena_printf(listing->arena, "%.300s:%d:%d", file, place.line, place.column);
    return text ? text : file;
}

static enum xl_status check_keys(const struct listing *listing, const char *file,
                                 const struct xl_yaml_places *places, const json_t *root) {
    const char *key;
    json_t *value;
    if (!json_is_object(root))
        return xl_fail(listing->err, XL_EINPUT,
                       "%s: expected kinds with folders, like loras: [DIR]",
                       place_of(listing, file, xl_yaml_value_place(places, NULL, NULL, 0)));
    json_object_foreach((json_t *)root, key, value) {
        int kind = 0;
        while (kind < XL_N_NAMED_KINDS && strcmp(xl_named_kind_name(kind), key) != 0) kind++;
        if (kind == XL_N_NAMED_KINDS)
            return xl_fail(listing->err, XL_EINPUT,
                           "%s: \"%.60s\" is no kind of folder; there are loras, embeddings, vaes "
                           "and checkpoints",
                           place_of(listing, file, xl_yaml_key_place(places, root, key)), key);
    }
    return XL_OK;
}

static enum xl_status add_kind(struct listing *listing, const char *config, const char *file,
                               enum xl_named_kind kind, const struct xl_yaml_places *places,
                               const json_t *root) {
    const char *key = xl_named_kind_name(kind);
    const json_t *value = json_object_get(root, key);
    if (!value || json_is_null(value)) return XL_OK;
    if (!json_is_array(value))
        return add_said(listing, config, value,
                        place_of(listing, file, xl_yaml_value_place(places, root, key, 0)));
    enum xl_status status = XL_OK;
    for (size_t i = 0; !status && i < json_array_size(value); i++)
        status = add_said(listing, config, json_array_get(value, i),
                          place_of(listing, file, xl_yaml_value_place(places, value, NULL, i)));
    return status;
}

static enum xl_status add_configured(struct listing *listing, enum xl_named_kind kind) {
    const char *config = xl_config_dir(listing->arena);
    const char *file = config ? xl_arena_printf(listing->arena, "%s/folders.yaml", config) : NULL;
    struct xl_yaml_places places = {0};
    json_t *root = NULL;
    if (!file || access(file, F_OK)) return XL_OK;
    enum xl_status status = xl_yaml_load(file, &places, &root, listing->err);
    if (!status && !json_is_null(root)) {
        status = check_keys(listing, file, &places, root);
        if (!status) status = add_kind(listing, config, file, kind, &places, root);
    }
    json_decref(root);
    xl_yaml_places_deinit(&places);
    return status;
}

/* The same; what is wrong with the file is told to whoever looks a name up. */
static enum xl_status try_configured(struct listing *listing, enum xl_named_kind kind,
                                     const char **wrong) {
    struct xl_err why = {0}, *err = listing->err;
    int n_own = listing->n_folders;
    listing->err = &why;
    enum xl_status status = add_configured(listing, kind);
    listing->err = err;
    if (!status) return XL_OK;
    if (status == XL_ENOMEM) return nomem(listing);
    listing->n_folders = n_own;
    *wrong = xl_arena_strdup(listing->arena, why.text);
    return *wrong ? XL_OK : nomem(listing);
}

/* --- What is in them -------------------------------------------------------------------------- */

static size_t stem_length(const char *name) {
    size_t n = strlen(name), n_end = sizeof ENDING - 1;
    return n > n_end && !strcasecmp(name + n - n_end, ENDING) ? n - n_end : n;
}

static enum xl_status add_file(struct listing *listing, const char *folder, const char *below) {
    if (listing->n == MAX_FILES) return XL_OK;
    if (listing->n == listing->capacity) {
        int capacity = listing->capacity ? 2 * listing->capacity : 32;
        struct xl_named_file *grown =
            xl_arena_alloc(listing->arena, (size_t)capacity * sizeof *grown);
        if (!grown) return nomem(listing);
        if (listing->n) memcpy(grown, listing->files, (size_t)listing->n * sizeof *grown);
        listing->files = grown;
        listing->capacity = capacity;
    }
    const char *path = xl_arena_printf(listing->arena, "%s/%s", folder, below);
    const char *stem = xl_arena_strndup(listing->arena, below, stem_length(below));
    if (!path || !stem) return nomem(listing);
    const char *slash = strrchr(stem, '/');
    listing->files[listing->n++] =
        (struct xl_named_file){slash ? slash + 1 : stem, stem, path, folder};
    return XL_OK;
}

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* below: the folders between, with a slash behind each; "" at first. */
static enum xl_status add_below(struct listing *listing, const char *folder, const char *below,
                                int depth) {
    const char *dir = xl_arena_printf(listing->arena, "%s/%s", folder, below);
    struct dirent **entries = NULL;
    enum xl_status status = dir ? XL_OK : nomem(listing);
    int n = dir ? scandir(dir, &entries, is_visible, by_bytes) : 0;
    for (int i = 0; i < n; i++) {
        struct stat st;
        const char *name = entries[i]->d_name;
        const char *at = status ? NULL : xl_arena_printf(listing->arena, "%s%s", below, name);
        const char *path = at ? xl_arena_printf(listing->arena, "%s/%s", folder, at) : NULL;
        if (!status && !path) status = nomem(listing);
        bool is_there = path && !stat(path, &st);
        if (is_there && S_ISDIR(st.st_mode) && depth < MAX_DEPTH) {
            const char *inner = xl_arena_printf(listing->arena, "%s/", at);
            status = inner ? add_below(listing, folder, inner, depth + 1) : nomem(listing);
        } else if (is_there && S_ISREG(st.st_mode) && stem_length(name) < strlen(name)) {
            status = add_file(listing, folder, at);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

enum xl_status xl_named_files_list(enum xl_named_kind kind, struct xl_arena *arena,
                                   struct xl_named_files *out, struct xl_err *err) {
    struct listing listing = {.arena = arena, .err = err};
    const char *wrong = NULL;
    add_own(&listing, kind);
    enum xl_status status = try_configured(&listing, kind, &wrong);
    const char *ours = status ? NULL : shipped(kind, arena);
    if (ours) add_folder(&listing, ours);
    for (int i = 0; !status && i < listing.n_folders; i++)
        status = add_below(&listing, listing.folders[i], "", 0);
    if (status) return status;
    size_t bytes = (size_t)listing.n_folders * sizeof *listing.folders;
    const char **folders = xl_arena_alloc(arena, bytes + 1);
    if (!folders) return nomem(&listing);
    memcpy(folders, listing.folders, bytes);
    *out = (struct xl_named_files){listing.files, listing.n, folders, listing.n_folders, wrong};
    return XL_OK;
}

/* --- By name ---------------------------------------------------------------------------------- */

static bool is_same(const char *name, size_t n, const char *wanted) {
    return strlen(wanted) == n && !memcmp(name, wanted, n);
}

const struct xl_named_file *xl_named_files_find(const struct xl_named_files *files,
                                                const char *name) {
    size_t n = stem_length(name);
    for (int i = 0; i < files->n; i++)
        if (is_same(name, n, files->list[i].below)) return &files->list[i];
    for (int i = 0; i < files->n; i++)
        if (is_same(name, n, files->list[i].name)) return &files->list[i];
    char *stem = strchr(name, '/') ? NULL : strndup(name, n);
    const struct xl_named_file *found = NULL;
    for (int i = 0; stem && !found && i < files->n; i++)
        if (xl_name_matches(stem, files->list[i].name)) found = &files->list[i];
    free(stem);
    return found;
}

char *xl_named_files_nearest(const struct xl_named_files *files, const char *name, char *out,
                             size_t size) {
    struct xl_named *named = calloc((size_t)files->n + 1, sizeof *named);
    out[0] = 0;
    for (int i = 0; named && i < files->n; i++) named[i].name = files->list[i].name;
    if (named) xl_named_nearest(named, files->n, name, out, size);
    free(named);
    return out;
}
