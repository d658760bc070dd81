/* rehash.c - a queue of files, and threads that read them: the largest first, so that none is left
 * alone at the end. */
#include "hub/rehash.h"
#include "base/threads.h"
#include "weights/safetensors.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 20, MAX_THREADS = 8 };

struct work {
    struct xl_rehash *rehash;
    pthread_mutex_t lock; /* of what follows, and of the arena */
    int64_t done, total;
    bool is_cancelled, is_out_of_memory;
};

/* False: end. */
static bool tell(struct work *work, int64_t bytes) {
    struct xl_rehash *rehash = work->rehash;
    pthread_mutex_lock(&work->lock);
    work->done += bytes;
    if (rehash->progress && !work->is_cancelled &&
        !rehash->progress(rehash->user, work->done, work->total))
        work->is_cancelled = true;
    bool goes_on = !work->is_cancelled;
    pthread_mutex_unlock(&work->lock);
    return goes_on;
}

static void set_why(struct work *work, struct xl_rehash_file *file, const char *why) {
    file->verdict = XL_REHASH_DAMAGED;
    pthread_mutex_lock(&work->lock);
    file->why = xl_arena_strdup(work->rehash->arena, why);
    if (!file->why) work->is_out_of_memory = true;
    pthread_mutex_unlock(&work->lock);
}

/* Whether the header of a .safetensors file describes all of it; others pass. */
static bool has_whole_header(struct work *work, struct xl_rehash_file *file) {
    struct xl_safetensors header;
    struct xl_err why = {0};
    int fd;
    const char *dot = strrchr(file->entry.file, '.');
    if (!dot || strcmp(dot, ".safetensors")) return true;
    enum xl_status status = xl_safetensors_open(file->entry.path, &fd, &why);
    if (!status) {
        status = xl_safetensors_read(file->entry.path, fd, &header, &why);
        close(fd);
        if (!status) xl_safetensors_deinit(&header);
    }
    if (status) set_why(work, file, why.text);
    return !status;
}

/* Read the file into the hash. False: it cannot be read, or the work ends. */
static bool hash_file(struct work *work, const struct xl_rehash_file *file,
                      struct xl_blob_hash *hash, char *piece, bool *goes_on) {
    int fd = open(file->entry.path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;
    if (fd < 0) return false;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    while (*goes_on && (n = read(fd, piece, PIECE)) > 0) {
        xl_blob_hash_add(hash, piece, (size_t)n);
        *goes_on = tell(work, n);
    }
    close(fd);
    return n >= 0 && *goes_on;
}

static void check_digest(struct work *work, struct xl_rehash_file *file, char *piece) {
    struct xl_blob_hash *hash = xl_blob_hash_new(file->entry.digest, file->entry.bytes);
    struct xl_err err = {0};
    bool goes_on = true;
    if (!hash_file(work, file, hash, piece, &goes_on)) {
        xl_blob_hash_free(hash);
        if (goes_on) set_why(work, file, "cannot be read to its end");
        return;
    }
    if (xl_blob_hash_end(hash, file->found, &err)) {
        pthread_mutex_lock(&work->lock);
        work->is_out_of_memory = true;
        pthread_mutex_unlock(&work->lock);
        return;
    }
    bool is_same = !strcmp(file->found, file->entry.digest);
    bool is_outside = file->entry.state == XL_ENTRY_OUTSIDE;
    file->verdict = !is_same ? XL_REHASH_OTHER : is_outside ? XL_REHASH_OUTSIDE : XL_REHASH_SAME;
}

static void check_file(struct work *work, struct xl_rehash_file *file, char *piece) {
    switch (file->entry.state) {
    case XL_ENTRY_DANGLING:
        file->verdict = XL_REHASH_DANGLING;
        return;
    case XL_ENTRY_UNREADABLE:
        set_why(work, file, "cannot be read");
        return;
    case XL_ENTRY_FINE:
    case XL_ENTRY_OUTSIDE:
        break;
    }
    if (file->entry.digest) {
        check_digest(work, file, piece);
        if (file->verdict == XL_REHASH_SAME) has_whole_header(work, file);
        return;
    }
    file->verdict = file->entry.state == XL_ENTRY_OUTSIDE ? XL_REHASH_OUTSIDE : XL_REHASH_NO_DIGEST;
    has_whole_header(work, file);
    tell(work, file->entry.bytes);
}

static void run_task(void *user, int64_t task, int worker) {
    struct work *work = user;
    (void)worker;
    pthread_mutex_lock(&work->lock);
    bool is_over = work->is_cancelled || work->is_out_of_memory;
    pthread_mutex_unlock(&work->lock);
    if (is_over) return;
    char *piece = malloc(PIECE);
    if (piece) {
        check_file(work, &work->rehash->file[task], piece);
    } else {
        pthread_mutex_lock(&work->lock);
        work->is_out_of_memory = true;
        pthread_mutex_unlock(&work->lock);
    }
    free(piece);
}

static int largest_first(const void *a, const void *b) {
    const struct xl_rehash_file *x = a, *y = b;
    if (x->entry.bytes != y->entry.bytes) return x->entry.bytes > y->entry.bytes ? -1 : 1;
    return strcmp(x->entry.path, y->entry.path);
}

static int by_path(const void *a, const void *b) {
    const struct xl_rehash_file *x = a, *y = b;
    return strcmp(x->entry.path, y->entry.path);
}

enum xl_status xl_hub_rehash(struct xl_rehash *rehash, struct xl_err *err) {
    struct work work = {.rehash = rehash, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct xl_pool *pool = NULL;
    int n_threads = rehash->n_threads ? rehash->n_threads : xl_cpu_count();
    if (!rehash->n) return XL_OK;
    for (int i = 0; i < rehash->n; i++) {
        rehash->file[i].verdict = XL_REHASH_NOT_LOOKED;
        work.total += rehash->file[i].entry.bytes;
    }
    qsort(rehash->file, (size_t)rehash->n, sizeof *rehash->file, largest_first);
    enum xl_status status =
        xl_pool_new(n_threads < MAX_THREADS ? n_threads : MAX_THREADS, NULL, &pool, err);
    if (status) return status;
    xl_pool_run(pool, rehash->n, run_task, &work);
    xl_pool_free(pool);
    qsort(rehash->file, (size_t)rehash->n, sizeof *rehash->file, by_path);
    if (work.is_out_of_memory) return xl_fail_nomem(err, "checking digests", PIECE);
    return work.is_cancelled ? xl_fail(err, XL_ECANCELLED, "interrupted") : XL_OK;
}

const struct xl_rehash_file *xl_rehash_find(const struct xl_rehash *rehash, const char *path) {
    const struct xl_rehash_file key = {.entry = {.path = path}};
    return rehash->n ? bsearch(&key, rehash->file, (size_t)rehash->n, sizeof key, by_path) : NULL;
}
