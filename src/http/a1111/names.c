/* names.c - models by the names that clients have for them. Keeps no state. */
#include "http/a1111/parts.h"

#include "hub/hub.h"
#include "lab/data/describe.h"
#include "lab/past/past.h"

#include <string.h>
#include <sys/stat.h>

enum { READ_BYTES = 64 << 20 }; /* a file without a known digest is read where it is no larger */

/* The SHA-256 of the first file of a model's UNet, in the arena, where that costs little. */
static const char *digest_of(const struct xl_catalogue_status *state, struct xl_arena *arena) {
    struct xl_snapshot snapshot;
    struct xl_pipeline_files files;
    struct stat st;
    char hex[XL_SHA256_HEX];
    if (xl_hub_resolve(state->location, NULL, arena, &snapshot, NULL) ||
        xl_hub_pipeline(&snapshot, NULL, arena, &files, NULL))
        return NULL;
    const char *path = files.component[XL_UNET].files[0];
    const char *digest = xl_hub_digest(path, arena);
    if (digest) return strlen(digest) == XL_SHA256_HEX - 1 ? digest : NULL;
    if (stat(path, &st) || st.st_size > READ_BYTES || xl_hub_file_digest(path, hex, NULL))
        return NULL;
    return xl_arena_strdup(arena, hex);
}

static bool describe(const struct xl_model_found *found, struct xl_arena *arena,
                     struct xl_a1111_model *out) {
    const char *sha256 = digest_of(&found->state, arena);
    *out = (struct xl_a1111_model){.key = found->model->key, .sha256 = sha256};
    /* What a folder is called in its file may be a path of this machine. */
    out->repo = found->model->folder ? found->model->key : found->model->repo;
    out->hash = sha256 ? xl_arena_strndup(arena, sha256, 10) : NULL;
    out->title = out->hash ? xl_arena_printf(arena, "%s [%s]", out->key, out->hash) : out->key;
    return out->title && (!sha256 || out->hash);
}

enum xl_status xl_a1111_models_read(const struct xl_a1111 *a1111, struct xl_arena *arena,
                                    struct xl_a1111_models *out, struct xl_err *err) {
    const struct xl_list *files = &a1111->settings->model_files;
    struct xl_catalogue *catalogue = NULL;
    struct xl_model_found *found = NULL;
    struct xl_a1111_model *list = NULL;
    int n = 0, n_ready = 0;
    enum xl_status status = xl_catalogue_load(files->item, files->n, &catalogue, err);
    if (!status) status = xl_models_found(catalogue, arena, &found, &n, err);
    if (!status) {
        list = xl_arena_alloc(arena, ((size_t)n + 1) * sizeof *list);
        if (!list) status = xl_fail_nomem(err, "the list of models", 0);
    }
    for (int i = 0; !status && i < n; i++) {
        bool has_base = found[i].model->kind != XL_KIND_LORA || found[i].model->base;
        if (found[i].state.state != XL_MODEL_READY || !has_base) continue;
        struct xl_a1111_model *model = &list[n_ready++];
        if (!describe(&found[i], arena, model))
            status = xl_fail_nomem(err, "the list of models", 0);
        else if (!status) { /* the catalogue goes */
            model->title = xl_arena_strdup(arena, model->title);
            model->repo = xl_arena_strdup(arena, model->repo ? model->repo : "");
            model->key = xl_arena_strdup(arena, model->key);
            if (!model->title || !model->repo || !model->key)
                status = xl_fail_nomem(err, "the list of models", 0);
        }
    }
    xl_catalogue_free(catalogue);
    if (!status) *out = (struct xl_a1111_models){list, n_ready};
    return status;
}

static bool is_exactly(const struct xl_a1111_model *model, const char *name) {
    bool is_digest = model->sha256 && strlen(name) >= 8 &&
                     !strncmp(model->sha256, name, strlen(name));
    return !strcmp(model->title, name) || !strcmp(model->key, name) || !strcmp(model->repo, name) ||
           is_digest;
}

const struct xl_a1111_model *xl_a1111_model_find(const struct xl_a1111_models *models,
                                                 const char *name) {
    char plain[256];
    const char *hash = strstr(name, " [");
    size_t n = hash ? (size_t)(hash - name) : strlen(name);
    for (int i = 0; i < models->n; i++)
        if (is_exactly(&models->list[i], name)) return &models->list[i];
    if (n >= sizeof plain) return NULL;
    memcpy(plain, name, n);
    plain[n] = 0;
    for (int i = 0; i < models->n; i++)
        if (xl_past_is_called(models->list[i].key, plain) ||
            xl_past_is_called(models->list[i].repo, plain))
            return &models->list[i];
    return NULL;
}
