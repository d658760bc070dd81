/* store.c - blobs, links and refs of one repository in the cache. Keeps nothing; any thread. */
#include "hub/download/store.h"
#include "base/file.h"
#include "base/str.h"
#include "hub/files.h"
#include "hub/location.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static enum xl_status nomem(struct xl_err *err) {
    return xl_fail_nomem(err, "a path of the cache", 0);
}

/* --- Looking -----------------------------------------------------------------------------------
 */

enum xl_status xl_store_find(const char *id, bool no_links, struct xl_arena *arena,
                             struct xl_store *out, struct xl_err *err) {
    struct xl_hub_roots roots;
    enum xl_status status = xl_hub_roots(arena, &roots, err);
    if (status) return status;
    const char *slash = strchr(id, '/');
    const char *name =
        slash ? xl_arena_printf(arena, "models--%.*s--%s", (int)(slash - id), id, slash + 1)
              : xl_arena_printf(arena, "models--%s", id);
    if (!name) return nomem(err);
    struct xl_store store = {.no_links = no_links};
    for (int i = 0; i < roots.n; i++) {
        const char *dir = xl_arena_printf(arena, "%s/%s", roots.dir[i], name);
        if (!dir) return nomem(err);
        if (i && !xl_dir_exists(dir)) continue;
        if (i && xl_dir_exists(store.dir)) continue;
        store.root = roots.dir[i];
        store.dir = dir;
    }
    store.locks = xl_arena_printf(arena, "%s/.locks/%s", store.root, name);
    if (!store.locks) return nomem(err);
    *out = store;
    return XL_OK;
}

static bool has_size(const char *path, int64_t size) {
    struct stat st;
    return !stat(path, &st) && S_ISREG(st.st_mode) && st.st_size == size;
}

enum xl_file_state xl_store_state(const struct xl_store *store, const char *commit,
                                  const struct xl_repo_file *file) {
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/snapshots/%s/%s", store->dir, commit, file->path);
    if (n < PATH_BYTES && has_size(path, file->size)) return XL_FILE_THERE;
    n = snprintf(path, sizeof path, "%s/blobs/%s", store->dir, file->blob);
    return n < PATH_BYTES && has_size(path, file->size) ? XL_FILE_UNLINKED : XL_FILE_ABSENT;
}

int64_t xl_store_partial_bytes(const struct xl_store *store, const struct xl_repo_file *file) {
    struct xl_arena arena = {0};
    struct xl_hub_names names = {0};
    struct stat st;
    int64_t most = 0;
    const char *blobs = xl_arena_printf(&arena, "%s/blobs", store->dir);
    if (!blobs || xl_hub_list(blobs, &arena, &names, NULL)) names.n = 0;
    for (int i = 0; i < names.n; i++) {
        size_t n = strlen(file->blob), len = strlen(names.name[i]);
        if (strncmp(names.name[i], file->blob, n) || names.name[i][n] != '.' || len < n + 12)
            continue;
        const char *path = xl_arena_printf(&arena, "%s/%s", blobs, names.name[i]);
        if (path && !stat(path, &st) && st.st_size > most && st.st_size <= file->size)
            most = st.st_size;
    }
    xl_arena_deinit(&arena);
    return most;
}

/* Asked of the nearest folder that is there. */
int64_t xl_store_free_bytes(const struct xl_store *store) {
    char path[PATH_BYTES];
    struct statvfs about;
    snprintf(path, sizeof path, "%s", store->dir);
    while (statvfs(path, &about)) {
        char *slash = strrchr(path, '/');
        if (!slash) return -1;
        slash[slash == path] = 0;
        if (!strcmp(path, "/") && statvfs(path, &about)) return -1;
    }
    return (int64_t)about.f_bavail * (int64_t)about.f_frsize;
}

/* --- Writing -----------------------------------------------------------------------------------
 */

const char *xl_store_blob_path(const struct xl_store *store, const char *blob,
                               struct xl_arena *arena) {
    return xl_arena_printf(arena, "%s/blobs/%s", store->dir, blob);
}

enum xl_status xl_store_prepare(const struct xl_store *store, struct xl_err *err) {
    static const char tag[] = "Signature: 8a477f597d28d172789f06886806bc55\n"
                              "# This file is a cache directory tag created by huggingface_hub.\n"
                              "# For information about cache directory tags, see:\n"
                              "#\thttps://bford.info/cachedir/\n";
    char path[PATH_BYTES];
    struct xl_err ignored;
    bool exists;
    snprintf(path, sizeof path, "%s/blobs", store->dir);
    enum xl_status status = xl_dir_create(path, err);
    if (!status) status = xl_dir_create(store->locks, err);
    snprintf(path, sizeof path, "%s/CACHEDIR.TAG", store->root);
    /* Without it the cache works as well. */
    if (!status && !xl_file_exists(path) &&
        xl_file_write_new(path, tag, sizeof tag - 1, &exists, &ignored))
        return XL_OK;
    return status;
}

static int copy_all(int from, int to) {
    char buffer[1 << 16];
    for (;;) {
        ssize_t n = read(from, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? -1 : fsync(to);
        for (ssize_t done = 0; done < n;) {
            ssize_t wrote = write(to, buffer + done, (size_t)(n - done));
            if (wrote < 0 && errno != EINTR) return -1;
            if (wrote > 0) done += wrote;
        }
    }
}

/* A copy that is whole or absent: under another name first. */
static int copy_file(const char *source, const char *target) {
    char temporary[PATH_BYTES];
    if (snprintf(temporary, sizeof temporary, "%s.%d.tmp", target, (int)getpid()) >= PATH_BYTES)
        return errno = ENAMETOOLONG, -1;
    int from = open(source, O_RDONLY | O_CLOEXEC);
    int to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int failed = from < 0 || to < 0 || copy_all(from, to);
    int why = errno;
    if (from >= 0) close(from);
    if (to >= 0 && close(to) && !failed) failed = 1, why = errno;
    if (!failed && rename(temporary, target)) failed = 1, why = errno;
    if (failed) unlink(temporary);
    errno = why;
    return failed ? -1 : 0;
}

static bool has_no_links(int why) {
    return why == EPERM || why == EOPNOTSUPP || why == ENOSYS;
}

/* A link that is there already is replaced by one of another name, so that it is never absent. */
static int make_link(const char *target, const char *path) {
    char old[PATH_BYTES], temporary[PATH_BYTES];
    ssize_t n = readlink(path, old, sizeof old - 1);
    if (n >= 0 && (old[n] = 0, !strcmp(old, target))) return 0;
    if (n < 0 && !symlink(target, path)) return 0;
    if (n < 0 && errno != EEXIST) return -1;
    if (snprintf(temporary, sizeof temporary, "%s.%d.tmp", path, (int)getpid()) >= PATH_BYTES)
        return errno = ENAMETOOLONG, -1;
    unlink(temporary);
    if (symlink(target, temporary)) return -1;
    if (!rename(temporary, path)) return 0;
    int why = errno;
    unlink(temporary);
    return errno = why, -1;
}

enum xl_status xl_store_link(const struct xl_store *store, const char *commit,
                             const struct xl_repo_file *file, bool keeps_blob, struct xl_err *err) {
    char path[PATH_BYTES], blob[PATH_BYTES];
    struct xl_str target = {0};
    int n = snprintf(path, sizeof path, "%s/snapshots/%s/%s", store->dir, commit, file->path);
    int m = snprintf(blob, sizeof blob, "%s/blobs/%s", store->dir, file->blob);
    if (n >= PATH_BYTES || m >= PATH_BYTES)
        return xl_fail(err, XL_EDISK, "%s: the path is too long", file->path);
    char *slash = strrchr(path, '/');
    *slash = 0;
    enum xl_status status = xl_dir_create(path, err);
    *slash = '/';
    if (status) return status;
    xl_str_puts(&target, "../../");
    for (const char *c = file->path; *c; c++)
        if (*c == '/') xl_str_puts(&target, "../");
    xl_str_printf(&target, "blobs/%s", file->blob);
    char *text = xl_str_take(&target);
    if (!text) return nomem(err);
    bool failed = store->no_links || make_link(text, path);
    if (failed && (store->no_links || has_no_links(errno)))
        failed = keeps_blob ? copy_file(blob, path) : rename(blob, path);
    free(text);
    if (failed) return xl_fail(err, XL_EDISK, "%s: cannot be made: %s", path, strerror(errno));
    return XL_OK;
}

enum xl_status xl_store_set_ref(const struct xl_store *store, const char *revision,
                                const char *commit, struct xl_err *err) {
    char path[PATH_BYTES], *old = NULL;
    size_t n = 0;
    struct xl_read_rule rule = {256, XL_EMODEL, XL_EDISK};
    if (!strcmp(revision, commit)) return XL_OK;
    if (snprintf(path, sizeof path, "%s/refs/%s", store->dir, revision) >= PATH_BYTES)
        return xl_fail(err, XL_EDISK, "revision %s: the path is too long", revision);
    bool is_same = !xl_file_read(path, rule, &old, &n, NULL) && !strcmp(old, commit);
    free(old);
    if (is_same) return XL_OK;
    char *slash = strrchr(path, '/');
    *slash = 0;
    enum xl_status status = xl_dir_create(path, err);
    *slash = '/';
    return status ? status : xl_file_replace(path, commit, strlen(commit), err);
}
