/* cache_bound.c - listing, sorting, deleting. See cache_bound.h. */
#include "base/cache_bound.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct kept {
    char *path;
    int64_t bytes;
    struct timespec used;
};

struct listing {
    struct kept *files;
    size_t n, capacity;
    int64_t bytes;
};

void xl_cache_used(int fd) {
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    (void)futimens(fd, times); /* then it goes a little early */
}

static enum xl_status add(struct listing *listing, const FTSENT *entry, struct xl_err *err) {
    if (listing->n == listing->capacity) {
        size_t capacity = listing->capacity ? 2 * listing->capacity : 1024;
        struct kept *larger = realloc(listing->files, capacity * sizeof *larger);
        if (!larger) return xl_fail_nomem(err, "a list of files", capacity * sizeof *larger);
        listing->files = larger;
        listing->capacity = capacity;
    }
    char *path = strdup(entry->fts_path);
    if (!path) return xl_fail_nomem(err, "a path", 0);
    const struct stat *st = entry->fts_statp;
    listing->files[listing->n++] = (struct kept){path, st->st_size, st->st_atim};
    listing->bytes += st->st_size;
    return XL_OK;
}

static enum xl_status list(const char *dir, struct listing *listing, struct xl_err *err) {
    char *roots[] = {(char *)dir, NULL};
    enum xl_status status = XL_OK;
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    if (!walk) return xl_fail(err, XL_EDISK, "%s: cannot list: %s", dir, strerror(errno));
    for (FTSENT *entry; !status && (entry = fts_read(walk));) {
        if (entry->fts_info == FTS_F) status = add(listing, entry, err);
        bool is_root = entry->fts_level == FTS_ROOTLEVEL;
        if (is_root && (entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS))
            status = xl_fail(err, XL_EDISK, "%s: cannot list: %s", dir, strerror(entry->fts_errno));
    }
    fts_close(walk);
    return status;
}

static int by_use(const void *a, const void *b) {
    const struct timespec *x = &((const struct kept *)a)->used,
                          *y = &((const struct kept *)b)->used;
    if (x->tv_sec != y->tv_sec) return x->tv_sec < y->tv_sec ? -1 : 1;
    return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

enum xl_status xl_cache_trim(const char *dir, int64_t max_bytes, int64_t *left,
                             struct xl_err *err) {
    struct listing listing = {0};
    enum xl_status status = list(dir, &listing, err);
    if (!status && listing.bytes > max_bytes && listing.n)
        qsort(listing.files, listing.n, sizeof *listing.files, by_use);
    for (size_t i = 0; i < listing.n; i++) {
        bool is_too_much = !status && listing.bytes > max_bytes;
        if (is_too_much && (!unlink(listing.files[i].path) || errno == ENOENT))
            listing.bytes -= listing.files[i].bytes;
        free(listing.files[i].path);
    }
    free(listing.files);
    if (!status) *left = listing.bytes;
    return status;
}
