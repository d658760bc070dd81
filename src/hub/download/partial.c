/* partial.c - partials: found, claimed, written, finished. Keeps nothing; a partial is used by one
 * thread at a time. */
#include "hub/download/partial.h"
#include "hub/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, UNOWNED_S = 60 };

static const char ending[] = ".incomplete";

static enum xl_status fail(const char *path, struct xl_err *err) {
    int why = errno;
    struct statvfs about;
    if ((why == ENOSPC || why == EDQUOT) && !statvfs(path, &about))
        return xl_fail(err, XL_EDISK, "%s: cannot write: %s; %.1f MB are free there", path,
                       strerror(why), (double)about.f_bavail * (double)about.f_frsize / 1e6);
    return xl_fail(err, XL_EDISK, "%s: cannot write: %s", path, strerror(why));
}

/* --- Which -------------------------------------------------------------------------------------
 */

/* Is this a name of a partial of the blob? */
static bool is_partial_of(const char *blob, const char *name) {
    size_t n = strlen(blob), len = strlen(name), m = sizeof ending - 1;
    return len >= n + m && !strncmp(name, blob, n) && name[n] == '.' &&
           !strcmp(name + len - m, ending);
}

/* The path of a partial's claim: DIGEST.XXXXXXXX.owner. False: too long. */
static bool claim_path(const struct xl_store *store, const char *name, char out[PATH_BYTES]) {
    int stem = (int)(strlen(name) - (sizeof ending - 1));
    return snprintf(out, PATH_BYTES, "%s/%.*s.owner", store->locks, stem, name) < PATH_BYTES;
}

/* Nobody has written to it for some time, where no claim says who does. */
static bool is_left(const char *path, const char *claim) {
    struct stat st;
    if (!access(claim, F_OK)) return true; /* the claim decides */
    return !stat(path, &st) && time(NULL) - st.st_mtim.tv_sec >= UNOWNED_S;
}

/* Claim a partial that nobody writes. *claim NULL: somebody does, or may. */
static enum xl_status claim_left(const struct xl_store *store, const char *path, const char *name,
                                 struct xl_lock **claim, struct xl_err *err) {
    char claimed[PATH_BYTES], owner[XL_LOCK_OWNER];
    *claim = NULL;
    if (!claim_path(store, name, claimed) || !is_left(path, claimed)) return XL_OK;
    return xl_claim_take(claimed, claim, owner, err);
}

/* Open a partial that is claimed; false: it cannot be used. */
static bool open_claimed(struct xl_partial *partial, const char *path, int64_t limit) {
    struct stat st;
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > limit ||
        lseek(fd, 0, SEEK_END) != st.st_size) {
        if (fd >= 0) close(fd);
        return false;
    }
    partial->path = strdup(path);
    partial->fd = fd;
    partial->size = st.st_size;
    return partial->path != NULL;
}

/* Look through the partials of the blob, the longest first. partial->fd < 0: none can be had. */
static enum xl_status find_left(const struct xl_store *store, const struct xl_repo_file *file,
                                struct xl_partial *partial, struct xl_arena *arena,
                                struct xl_err *err) {
    struct xl_hub_names names;
    int64_t limit = file->size;
    const char *blobs = xl_arena_printf(arena, "%s/blobs", store->dir);
    if (!blobs) return xl_fail_nomem(err, "a path", 0);
    enum xl_status status = xl_hub_list(blobs, arena, &names, err);
    for (int round = 0; !status && round < names.n; round++) {
        const char *best = NULL, *path = NULL;
        int64_t most = -1;
        for (int i = 0; i < names.n; i++) {
            struct stat st;
            if (!names.name[i] || !is_partial_of(file->blob, names.name[i])) continue;
            const char *at = xl_arena_printf(arena, "%s/%s", blobs, names.name[i]);
            if (!at) return xl_fail_nomem(err, "a path", 0);
            if (lstat(at, &st) || st.st_size > limit || st.st_size <= most) continue;
            most = st.st_size, best = names.name[i], path = at;
        }
        if (!best) break;
        for (int i = 0; i < names.n; i++)
            if (names.name[i] == best) names.name[i] = NULL;
        status = claim_left(store, path, best, &partial->claim, err);
        if (status || !partial->claim) continue;
        if (open_claimed(partial, path, limit)) break;
        xl_lock_release(partial->claim);
        partial->claim = NULL;
    }
    return status;
}

static enum xl_status begin(const struct xl_store *store, const struct xl_repo_file *file,
                            struct xl_partial *partial, struct xl_err *err) {
    char claimed[PATH_BYTES], owner[XL_LOCK_OWNER];
    for (int i = 0; i < 100; i++) {
        uint32_t number = 0;
        if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0)
            number = (uint32_t)getpid() * 2654435761U + (uint32_t)i;
        free(partial->path);
        if (asprintf(&partial->path, "%s/blobs/%s.%08x%s", store->dir, file->blob, number, ending) <
            0)
            return partial->path = NULL, xl_fail_nomem(err, "a path", 0);
        partial->fd = open(partial->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (partial->fd < 0 && errno == EEXIST) continue;
        if (partial->fd < 0) return fail(partial->path, err);
        partial->is_new = true;
        if (!claim_path(store, strrchr(partial->path, '/') + 1, claimed))
            return xl_fail(err, XL_EDISK, "%s: the path is too long", partial->path);
        return xl_claim_take(claimed, &partial->claim, owner, err);
    }
    return xl_fail(err, XL_EDISK, "%s: no name is free for the download", file->blob);
}

enum xl_status xl_partial_open(const struct xl_store *store, const struct xl_repo_file *file,
                               struct xl_partial *out, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_partial partial = {.fd = -1};
    enum xl_status status = find_left(store, file, &partial, &arena, err);
    if (!status && partial.fd < 0) status = begin(store, file, &partial, err);
    xl_arena_deinit(&arena);
    if (status)
        xl_partial_close(&partial);
    else
        *out = partial;
    return status;
}

/* --- Writing -----------------------------------------------------------------------------------
 */

enum xl_status xl_partial_restart(struct xl_partial *partial, struct xl_err *err) {
    if (ftruncate(partial->fd, 0) || lseek(partial->fd, 0, SEEK_SET))
        return fail(partial->path, err);
    partial->size = 0;
    return XL_OK;
}

enum xl_status xl_partial_write(struct xl_partial *partial, const void *bytes, size_t n,
                                struct xl_err *err) {
    const char *at = bytes;
    while (n) {
        ssize_t done = write(partial->fd, at, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return fail(partial->path, err);
        at += done;
        n -= (size_t)done;
        partial->size += done;
    }
    return XL_OK;
}

/* What others left of the blob, which is there now. */
static void remove_left(const struct xl_store *store, const struct xl_repo_file *file) {
    struct xl_arena arena = {0};
    struct xl_hub_names names;
    const char *blobs = xl_arena_printf(&arena, "%s/blobs", store->dir);
    if (!blobs || xl_hub_list(blobs, &arena, &names, NULL)) names.n = 0;
    for (int i = 0; i < names.n; i++) {
        struct xl_lock *claim = NULL;
        if (!is_partial_of(file->blob, names.name[i])) continue;
        const char *path = xl_arena_printf(&arena, "%s/%s", blobs, names.name[i]);
        if (path && !claim_left(store, path, names.name[i], &claim, NULL) && claim) unlink(path);
        xl_lock_release(claim);
    }
    xl_arena_deinit(&arena);
}

/* The rights that a new file gets here: a partial of another program may have others. umask can
 * only be asked by setting it, which other threads would see: so a new file is asked. */
static void set_rights(const struct xl_partial *partial) {
    char probe[PATH_BYTES];
    struct stat st;
    if (snprintf(probe, sizeof probe, "%s.tmp", partial->path) >= PATH_BYTES) return;
    int fd = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return;
    if (!fstat(fd, &st)) (void)!fchmod(partial->fd, st.st_mode & 07777);
    close(fd);
    unlink(probe);
}

static void sync_folder(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)!fsync(fd);
    close(fd);
}

enum xl_status xl_partial_finish(struct xl_partial *partial, const struct xl_store *store,
                                 const struct xl_repo_file *file, struct xl_err *err) {
    char blob[PATH_BYTES];
    if (snprintf(blob, sizeof blob, "%s/blobs/%s", store->dir, file->blob) >= PATH_BYTES)
        return xl_fail(err, XL_EDISK, "%s: the path is too long", file->blob);
    set_rights(partial);
    if (fsync(partial->fd) || rename(partial->path, blob)) return fail(partial->path, err);
    *strrchr(blob, '/') = 0;
    sync_folder(blob);
    free(partial->path);
    partial->path = NULL;
    remove_left(store, file);
    return XL_OK;
}

/* Without a claim nobody may go on with it for some time (is_left), unless it looks old enough. */
static void leave(const struct xl_partial *partial) {
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = time(NULL) - 2 * UNOWNED_S}};
    (void)!futimens(partial->fd, times);
}

void xl_partial_close(struct xl_partial *partial) {
    if (partial->path && !partial->size && (partial->claim || partial->is_new))
        unlink(partial->path);
    else if (partial->path && partial->claim)
        leave(partial);
    if (partial->fd >= 0) close(partial->fd);
    xl_lock_release(partial->claim);
    free(partial->path);
    *partial = (struct xl_partial){.fd = -1};
}
