/* prefetch.c - reading a model's weights into the page cache, ahead of its turn. Opens no model;
 * runs on whichever thread calls it. */
#include "engine/engine.h"

#include "base/memory.h"
#include "base/read_ahead.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOM_BYTES = 64 << 20 }; /* of a file between two looks at the memory */

struct prefetch {
    xl_progress_fn *progress;
    void *user;
    int64_t before, total; /* bytes: of the files that are done; of all */
    bool is_full;          /* no memory for more */
    bool is_cancelled;
};

static int64_t file_bytes(const char *path) {
    struct stat st;
    return stat(path, &st) ? 0 : st.st_size;
}

/* Files that would push out others (or themselves) are better read when they are needed. */
static bool go_on(void *user, size_t done) {
    struct prefetch *p = user;
    int64_t at = p->before + (int64_t)done;
    if (done % ROOM_BYTES == 0 && xl_memory_available() <= p->total - at) p->is_full = true;
    if (p->progress && !p->progress(p->user, XL_PHASE_LOAD, at, p->total)) p->is_cancelled = true;
    return !p->is_full && !p->is_cancelled;
}

/* What cannot be read is left to the one who opens the model. */
static void read_file(struct prefetch *p, const char *path) {
    size_t size = (size_t)file_bytes(path);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    void *data = fd < 0 || !size ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (data != MAP_FAILED) {
        if (xl_read_ahead((struct xl_reading){data, size}, go_on, p)) p->before += (int64_t)size;
        munmap(data, size);
    }
    if (fd >= 0) close(fd);
}

/* Each file once: a checkpoint holds several components. */
static bool is_first(const struct xl_pipeline_files *files, const enum xl_component *order,
                     int at) {
    const struct xl_component_files *one = &files->component[order[at]];
    for (int i = 0; i < at; i++)
        if (files->component[order[i]].files[0] == one->files[0]) return false;
    return true;
}

static enum xl_status read_all(struct prefetch *p, const struct xl_pipeline_files *files,
                               struct xl_err *err) {
    /* In the order of use. */
    static const enum xl_component order[] = {XL_TEXT_ENCODER, XL_TEXT_ENCODER_2, XL_UNET, XL_VAE};
    for (int c = 0; c < XL_N_COMPONENTS; c++)
        for (int i = 0; i < files->component[order[c]].n_files && is_first(files, order, c); i++)
            p->total += file_bytes(files->component[order[c]].files[i]);
    for (int c = 0; c < XL_N_COMPONENTS; c++)
        for (int i = 0; i < files->component[order[c]].n_files && is_first(files, order, c); i++)
            if (!p->is_full && !p->is_cancelled) read_file(p, files->component[order[c]].files[i]);
    if (!p->is_full && !p->is_cancelled) go_on(p, 0); /* so that its last word is the whole */
    return p->is_cancelled ? xl_fail(err, XL_ECANCELLED, "interrupted while reading ahead") : XL_OK;
}

enum xl_status xl_model_prefetch(const struct xl_model_params *params, xl_progress_fn *progress,
                                 void *user, struct xl_err *err) {
    if (!params->model || !params->model[0])
        return xl_fail(err, XL_EINVAL, "model: missing; expected a repository or a folder");
    struct xl_arena arena = {0};
    struct xl_snapshot snapshot;
    struct xl_pipeline_files files;
    struct prefetch prefetch = {.progress = progress, .user = user};
    enum xl_status status = xl_hub_resolve(params->model, params->revision, &arena, &snapshot, err);
    if (!status) status = xl_hub_pipeline(&snapshot, &arena, &files, err);
    if (!status && params->vae)
        status = xl_hub_vae(params->vae, &arena, &files.component[XL_VAE], err);
    if (!status) status = read_all(&prefetch, &files, err);
    xl_arena_deinit(&arena);
    return status;
}
