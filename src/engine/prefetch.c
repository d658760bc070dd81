/* prefetch.c - reading a model's weights into the page cache, ahead of its turn.
 *
 * By plain reads into a small buffer: advice to read ahead (madvise, posix_fadvise, readahead) is
 * cut by Linux to what one request of the device holds, a few hundred kilobytes, whatever was asked
 * for. The copy costs about 0.1 s of one core a gigabyte. */
#include "engine/engine.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

struct prefetch {
    xl_progress_fn *progress;
    void *user;
    int64_t done, total;
    char *buffer; /* [PIECE] */
    bool is_full; /* no memory for more */
};

static bool go_on(const struct prefetch *p) {
    return !p->progress || p->progress(p->user, XL_PHASE_LOAD, p->done, p->total);
}

static int64_t file_bytes(const char *path) {
    struct stat st;
    return stat(path, &st) ? 0 : st.st_size;
}

/* Files that would push out others (or themselves) are better read when they are needed. */
static bool has_room(const struct prefetch *p) {
    return xl_memory_available() > p->total - p->done;
}

/* What cannot be read is left to the one who opens the model. */
static enum xl_status read_file(struct prefetch *p, const char *path, struct xl_err *err) {
    int64_t size = file_bytes(path), at = 0;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return XL_OK;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    enum xl_status status = XL_OK;
    while (at < size) {
        if (at % (64 * PIECE) == 0 && !has_room(p)) p->is_full = true;
        if (!go_on(p)) status = xl_fail(err, XL_ECANCELLED, "interrupted while reading ahead");
        if (status || p->is_full) break;
        ssize_t n = pread(fd, p->buffer, PIECE, at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        at += n;
        p->done += n;
    }
    close(fd);
    return status;
}

static enum xl_status read_all(struct prefetch *p, const struct xl_pipeline_files *files,
                               struct xl_err *err) {
    for (int c = 0; c < XL_N_COMPONENTS; c++)
        for (int i = 0; i < files->component[c].n_files; i++)
            p->total += file_bytes(files->component[c].files[i]);
    /* In the order of use. */
    static const enum xl_component order[] = {XL_TEXT_ENCODER, XL_TEXT_ENCODER_2, XL_UNET, XL_VAE};
    enum xl_status status = XL_OK;
    for (int c = 0; c < XL_N_COMPONENTS; c++)
        for (int i = 0; !status && !p->is_full && i < files->component[order[c]].n_files; i++)
            status = read_file(p, files->component[order[c]].files[i], err);
    if (!status && !go_on(p)) status = xl_fail(err, XL_ECANCELLED, "interrupted");
    return status;
}

enum xl_status xl_model_prefetch(const struct xl_model_params *params, xl_progress_fn *progress,
                                 void *user, struct xl_err *err) {
    if (!params->model || !params->model[0])
        return xl_fail(err, XL_EINVAL, "model: missing; expected a repository or a folder");
    struct xl_arena arena = {0};
    struct xl_snapshot snapshot;
    struct xl_pipeline_files files;
    struct prefetch prefetch = {.progress = progress, .user = user, .buffer = malloc(PIECE)};
    enum xl_status status = prefetch.buffer ? XL_OK : xl_fail_nomem(err, "reading ahead", PIECE);
    if (!status) status = xl_hub_resolve(params->model, params->revision, &arena, &snapshot, err);
    if (!status) status = xl_hub_pipeline(&snapshot, &arena, &files, err);
    if (!status) status = read_all(&prefetch, &files, err);
    free(prefetch.buffer);
    xl_arena_deinit(&arena);
    return status;
}
