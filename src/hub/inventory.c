/* inventory.c - walking through snapshots, blob folders and the cache. */
#include "hub/inventory.h"
#include "base/file.h"
#include "hub/files.h"
#include "hub/location.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ENTRIES = 1 << 16, MAX_DEPTH = 16, MAX_REPOSITORIES = 4096 };

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "the files of the cache", 0);
}

/* ---- The files of a snapshot ---- */

struct walk {
    struct xl_arena *arena;
    struct xl_hub_entries found;
    int capacity;
    const char *inside[XL_HUB_MAX_ROOTS + 1]; /* real paths that links may lead into */
    int n_inside;
};

static bool is_below(const char *path, const char *dir) {
    size_t n = strlen(dir);
    return !strncmp(path, dir, n) && (path[n] == '/' || !path[n]);
}

static bool note_inside(struct walk *walk, const char *dir) {
    char real[PATH_MAX];
    if (!dir || !realpath(dir, real)) return true;
    const char *copy = xl_arena_strdup(walk->arena, real);
    if (copy) walk->inside[walk->n_inside++] = copy;
    return copy != NULL;
}

static bool leads_out(const struct walk *walk, const char *real) {
    for (int i = 0; i < walk->n_inside; i++)
        if (is_below(real, walk->inside[i])) return false;
    return walk->n_inside > 0;
}

/* Where the file is in the end, and what is wrong with that. */
static enum xl_status follow(struct walk *walk, struct xl_hub_entry *entry, bool is_link,
                             struct xl_err *err) {
    struct stat st;
    char real[PATH_MAX];
    entry->state = XL_ENTRY_UNREADABLE;
    if (stat(entry->path, &st)) {
        if (is_link && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR))
            entry->state = XL_ENTRY_DANGLING;
        return XL_OK;
    }
    if (!S_ISREG(st.st_mode) || access(entry->path, R_OK)) return XL_OK;
    entry->bytes = st.st_size;
    entry->state = XL_ENTRY_FINE;
    if (!is_link) return XL_OK;
    entry->digest = xl_hub_digest(entry->path, walk->arena);
    if (!realpath(entry->path, real)) return XL_OK;
    entry->target = xl_arena_strdup(walk->arena, real);
    if (!entry->target) return nomem(err);
    if (leads_out(walk, real)) entry->state = XL_ENTRY_OUTSIDE;
    return XL_OK;
}

static enum xl_status add_entry(struct walk *walk, const char *path, const char *file, bool is_link,
                                struct xl_err *err) {
    struct xl_hub_entries *found = &walk->found;
    if (found->n == MAX_ENTRIES)
        return xl_fail(err, XL_EFORMAT, "%s: more than %d files in this folder", path, MAX_ENTRIES);
    if (found->n == walk->capacity) {
        int capacity = walk->capacity ? 2 * walk->capacity : 64;
        struct xl_hub_entry *grown = xl_arena_alloc(walk->arena, (size_t)capacity * sizeof *grown);
        if (!grown) return nomem(err);
        if (found->n) memcpy(grown, found->entry, (size_t)found->n * sizeof *grown);
        found->entry = grown;
        walk->capacity = capacity;
    }
    struct xl_hub_entry *entry = &found->entry[found->n];
    *entry = (struct xl_hub_entry){.file = file, .path = path};
    enum xl_status status = follow(walk, entry, is_link, err);
    if (status) return status;
    found->bytes += entry->bytes;
    found->n++;
    return XL_OK;
}

/* file: the folder relative to the snapshot, with a slash at its end, or "". */
static enum xl_status walk_dir(struct walk *walk, const char *dir, const char *file, int depth,
                               struct xl_err *err) {
    DIR *stream = opendir(dir);
    enum xl_status status = XL_OK;
    for (struct dirent *at; stream && !status && (at = readdir(stream));) {
        struct stat st;
        if (!strcmp(at->d_name, ".") || !strcmp(at->d_name, "..")) continue;
        const char *path = xl_arena_printf(walk->arena, "%s/%s", dir, at->d_name);
        const char *name = xl_arena_printf(walk->arena, "%s%s", file, at->d_name);
        if (!path || !name) {
            status = nomem(err);
        } else if (lstat(path, &st)) {
            continue;
        } else if (!S_ISDIR(st.st_mode)) {
            status = add_entry(walk, path, name, S_ISLNK(st.st_mode), err);
        } else if (depth < MAX_DEPTH) {
            const char *below = xl_arena_printf(walk->arena, "%s/", name);
            status = below ? walk_dir(walk, path, below, depth + 1, err) : nomem(err);
        }
    }
    if (stream) closedir(stream);
    return status;
}

static int by_file(const void *a, const void *b) {
    const struct xl_hub_entry *x = a, *y = b;
    return strcmp(x->file, y->file);
}

enum xl_status xl_hub_entries(const struct xl_snapshot *snapshot, struct xl_arena *arena,
                              struct xl_hub_entries *out, struct xl_err *err) {
    struct walk walk = {.arena = arena};
    struct xl_hub_roots roots = {.n = 0};
    enum xl_status status = xl_hub_roots(arena, &roots, err);
    if (status) return status;
    bool is_cached = snapshot->commit != NULL;
    for (int i = 0; is_cached && i < roots.n; i++)
        if (!note_inside(&walk, roots.dir[i])) return nomem(err);
    /* The repository itself may lie elsewhere: moved to another disk, with a link in its place. */
    const char *own = xl_arena_printf(arena, "%s/../..", snapshot->dir);
    if (!own || (is_cached && !note_inside(&walk, own))) return nomem(err);
    status = walk_dir(&walk, snapshot->dir, "", 0, err);
    if (status) return status;
    if (walk.found.n)
        qsort(walk.found.entry, (size_t)walk.found.n, sizeof *walk.found.entry, by_file);
    *out = walk.found;
    return XL_OK;
}

enum xl_status xl_hub_entry(const char *path, struct xl_arena *arena, struct xl_hub_entries *out,
                            struct xl_err *err) {
    struct walk walk = {.arena = arena};
    const char *slash = strrchr(path, '/');
    struct stat st;
    bool is_link = !lstat(path, &st) && S_ISLNK(st.st_mode);
    enum xl_status status = add_entry(&walk, path, slash ? slash + 1 : path, is_link, err);
    if (!status) *out = walk.found;
    return status;
}

/* ---- Interrupted downloads ---- */

static enum xl_status add_partials(const char *dir, const char *id, struct xl_arena *arena,
                                   struct xl_hub_partials *out, struct xl_err *err) {
    struct xl_hub_names names;
    const char *blobs = xl_arena_printf(arena, "%s/blobs", dir);
    if (!blobs) return nomem(err);
    enum xl_status status = xl_hub_list(blobs, arena, &names, err);
    for (int i = 0; !status && i < names.n; i++) {
        const char *dot = strrchr(names.name[i], '.');
        struct stat st;
        if (!dot || strcmp(dot, ".incomplete")) continue;
        const char *path = xl_arena_printf(arena, "%s/%s", blobs, names.name[i]);
        struct xl_hub_partial *grown = xl_arena_alloc(arena, (size_t)(out->n + 1) * sizeof *grown);
        if (!path || !grown) return nomem(err);
        if (stat(path, &st)) continue;
        if (out->n) memcpy(grown, out->partial, (size_t)out->n * sizeof *grown);
        double age = difftime(time(NULL), st.st_mtime);
        int64_t bytes = (int64_t)st.st_blocks * 512;
        grown[out->n++] = (struct xl_hub_partial){id, path, bytes, age > 0 ? age : 0};
        out->partial = grown;
        out->bytes += bytes;
    }
    return status;
}

/* ---- Repositories ---- */

/* "org/name" of the folder "models--org--name"; NULL for another folder. *failed: out of memory */
static const char *id_of(const char *folder, struct xl_arena *arena, bool *failed) {
    static const char prefix[] = "models--";
    const char *id, *org = folder + sizeof prefix - 1;
    if (strncmp(folder, prefix, sizeof prefix - 1)) return NULL;
    const char *dashes = strstr(org, "--");
    id = dashes ? xl_arena_printf(arena, "%.*s/%s", (int)(dashes - org), org, dashes + 2)
                : xl_arena_strdup(arena, org);
    if (!id) *failed = true;
    return id;
}

/* What is done with each repository of the cache. */
typedef enum xl_status each_fn(void *user, const char *dir, const char *id, struct xl_err *err);

static enum xl_status each_repository(const char *root, struct xl_arena *arena, each_fn *fn,
                                      void *user, struct xl_err *err) {
    struct xl_hub_names names;
    bool failed = false;
    enum xl_status status = xl_hub_list(root, arena, &names, err);
    for (int i = 0; !status && i < names.n && i < MAX_REPOSITORIES; i++) {
        const char *id = id_of(names.name[i], arena, &failed);
        const char *dir = xl_arena_printf(arena, "%s/%s", root, names.name[i]);
        if (failed || !dir) return nomem(err);
        if (id && xl_dir_exists(dir)) status = fn(user, dir, id, err);
    }
    return status;
}

static enum xl_status each_in_cache(struct xl_arena *arena, each_fn *fn, void *user,
                                    struct xl_err *err) {
    struct xl_hub_roots roots;
    enum xl_status status = xl_hub_roots(arena, &roots, err);
    for (int i = 0; !status && i < roots.n; i++)
        status = each_repository(roots.dir[i], arena, fn, user, err);
    return status;
}

struct partials_walk {
    struct xl_arena *arena;
    struct xl_hub_partials found;
};

static enum xl_status look_for_partials(void *user, const char *dir, const char *id,
                                        struct xl_err *err) {
    struct partials_walk *walk = user;
    return add_partials(dir, id, walk->arena, &walk->found, err);
}

enum xl_status xl_hub_partials(struct xl_arena *arena, struct xl_hub_partials *out,
                               struct xl_err *err) {
    struct partials_walk walk = {.arena = arena};
    enum xl_status status = each_in_cache(arena, look_for_partials, &walk, err);
    if (!status) *out = walk.found;
    return status;
}

struct scan_walk {
    struct xl_arena *arena;
    struct xl_hub_scan found;
};

static enum xl_status scan_one(void *user, const char *dir, const char *id, struct xl_err *err) {
    struct scan_walk *walk = user;
    struct xl_hub_found found = {.id = id};
    struct xl_err why = {0};
    (void)dir; /* which snapshot counts, and of which copy, xl_hub_resolve knows */
    for (int i = 0; i < walk->found.n; i++)
        if (!strcmp(walk->found.found[i].id, id)) return XL_OK;
    enum xl_status status = xl_hub_resolve(id, NULL, walk->arena, &found.snapshot, &why);
    if (!status) status = xl_hub_classify_briefly(found.snapshot.dir, walk->arena, &found.is, &why);
    if (status == XL_ENOMEM) return xl_fail(err, status, "%s", why.text);
    if (status) return XL_OK; /* nothing that could be used, or told */
    struct xl_hub_found *grown =
        xl_arena_alloc(walk->arena, (size_t)(walk->found.n + 1) * sizeof *grown);
    if (!grown) return nomem(err);
    if (walk->found.n) memcpy(grown, walk->found.found, (size_t)walk->found.n * sizeof *grown);
    grown[walk->found.n++] = found;
    walk->found.found = grown;
    return XL_OK;
}

enum xl_status xl_hub_scan(struct xl_arena *arena, struct xl_hub_scan *out, struct xl_err *err) {
    struct scan_walk walk = {.arena = arena};
    enum xl_status status = each_in_cache(arena, scan_one, &walk, err);
    if (!status) *out = walk.found;
    return status;
}

/* ---- Where the cache lies ---- */

static enum xl_status count_one(void *user, const char *dir, const char *id, struct xl_err *err) {
    int *n = user;
    (void)dir, (void)id, (void)err;
    ++*n;
    return XL_OK;
}

enum xl_status xl_hub_places(struct xl_arena *arena, struct xl_hub_places *out,
                             struct xl_err *err) {
    struct xl_hub_roots roots;
    enum xl_status status = xl_hub_roots(arena, &roots, err);
    if (status) return status;
    struct xl_hub_places places = {xl_arena_alloc(arena, XL_HUB_MAX_ROOTS * sizeof *places.place),
                                   roots.n};
    if (!places.place) return nomem(err);
    for (int i = 0; !status && i < roots.n; i++) {
        struct xl_hub_place *place = &places.place[i];
        struct statvfs disk;
        place->dir = roots.dir[i];
        place->is_there = xl_dir_exists(place->dir);
        place->is_writable = place->is_there && !access(place->dir, W_OK);
        place->free_bytes = place->is_there && !statvfs(place->dir, &disk)
                                ? (int64_t)disk.f_bavail * (int64_t)disk.f_frsize
                                : -1;
        status = each_repository(place->dir, arena, count_one, &place->n_repositories, err);
    }
    if (!status) *out = places;
    return status;
}
