/* prefetch.c - reading what a picture is drawn with into the page cache, ahead of its turn. Opens
 * no model; runs on whichever thread calls it. */
#include "engine/engine.h"

#include "base/memory.h"
#include "base/read_ahead.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOM_BYTES = 64 << 20 }; /* of a file between two looks at the memory */

/* A file that is to be read. */
struct wanted {
    const char *path;
    struct wanted *next;
};

struct prefetch {
    xl_progress_fn *progress;
    void *user;
    struct xl_arena arena;
    struct wanted *first, **end; /* in the order of use */
    int64_t before, total;       /* bytes: of the files that are done; of all */
    bool is_full;                /* no memory for more */
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
static enum xl_status want(struct prefetch *p, const char *path, struct xl_err *err) {
    for (const struct wanted *one = p->first; one; one = one->next)
        if (!strcmp(one->path, path)) return XL_OK;
    struct wanted *one = xl_arena_alloc(&p->arena, sizeof *one);
    if (!one) return xl_fail_nomem(err, "a list of files", sizeof *one);
    *one = (struct wanted){.path = path};
    *p->end = one;
    p->end = &one->next;
    p->total += file_bytes(path);
    return XL_OK;
}

static enum xl_status want_component(struct prefetch *p, const struct xl_component_files *files,
                                     struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < files->n_files; i++) status = want(p, files->files[i], err);
    return status;
}

/* The model's files, and those of another VAE, which may come alone. */
static enum xl_status want_model(struct prefetch *p, const struct xl_model_params *params,
                                 struct xl_err *err) {
    static const enum xl_component order[] = {XL_TEXT_ENCODER, XL_TEXT_ENCODER_2, XL_UNET, XL_VAE};
    struct xl_snapshot snapshot;
    struct xl_pipeline_files files = {0};
    enum xl_status status = XL_OK;
    if (params->model)
        status = xl_hub_resolve(params->model, params->revision, &p->arena, &snapshot, err);
    if (!status && params->model)
        status = xl_hub_pipeline(&snapshot, params->vae, &p->arena, &files, err);
    if (!status && !params->model && params->vae)
        status = xl_hub_vae(params->vae, &p->arena, &files.component[XL_VAE], err);
    for (int c = 0; !status && c < XL_N_COMPONENTS; c++)
        status = want_component(p, &files.component[order[c]], err);
    return status;
}

/* LoRAs first: opening a model looks at all their numbers. */
static enum xl_status want_all(struct prefetch *p, const struct xl_model_params *params,
                               const struct xl_embedding *embeddings, int n_embeddings,
                               struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < params->n_loras; i++)
        if (xl_lora_is_used(&params->loras[i])) status = want(p, params->loras[i].file, err);
    for (int i = 0; !status && i < n_embeddings; i++) status = want(p, embeddings[i].file, err);
    return status ? status : want_model(p, params, err);
}

static enum xl_status read_all(struct prefetch *p, struct xl_err *err) {
    for (const struct wanted *one = p->first; one && !p->is_full && !p->is_cancelled;
         one = one->next)
        read_file(p, one->path);
    if (!p->is_full && !p->is_cancelled) go_on(p, 0); /* so that its last word is the whole */
    return p->is_cancelled ? xl_fail(err, XL_ECANCELLED, "interrupted while reading ahead") : XL_OK;
}

enum xl_status xl_model_prefetch(const struct xl_model_params *params,
                                 const struct xl_embedding *embeddings, int n_embeddings,
                                 xl_progress_fn *progress, void *user, struct xl_err *err) {
    if (params->model && !params->model[0])
        return xl_fail(err, XL_EINVAL, "model: empty; expected a repository or a folder");
    struct prefetch prefetch = {.progress = progress, .user = user};
    prefetch.end = &prefetch.first;
    enum xl_status status = want_all(&prefetch, params, embeddings, n_embeddings, err);
    if (!status) status = read_all(&prefetch, err);
    xl_arena_deinit(&prefetch.arena);
    return status;
}
