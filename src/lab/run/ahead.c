/* ahead.c - the thread, and the model that it opens. What goes wrong there is found again, and
 * told, when it is the model's turn. */
#include "lab/run/ahead.h"

#include "base/log.h"
#include "lab/run/request.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct xl_ahead {
    pthread_t thread;
    struct xl_device *device;
    struct xl_group group;
    struct xl_sweep_model now;
    atomic_bool stops;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    bool is_opening;
    struct xl_model *model; /* NULL: not opened, or taken */
};

static const struct xl_cell *first_cell(const struct xl_ahead *ahead) {
    return &ahead->group.sweep->cells[ahead->group.cells[0]];
}

static const struct xl_sweep_model *model_of(const struct xl_ahead *ahead) {
    return &ahead->group.sweep->models[first_cell(ahead)->model];
}

static bool goes_on(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct xl_ahead *ahead = user;
    (void)phase, (void)done, (void)total;
    return !atomic_load(&ahead->stops);
}

static bool is_same_text(const char *a, const char *b) {
    return a && b ? !strcmp(a, b) : a == b;
}

/* Variants of one model differ in a VAE and LoRAs. */
static bool is_same_base(const struct xl_model_params *a, const struct xl_model_params *b) {
    return is_same_text(a->model, b->model) && is_same_text(a->revision, b->revision);
}

static bool is_same_model(const struct xl_sweep_model *a, const struct xl_sweep_model *b) {
    struct xl_model_params params[2];
    struct xl_lora loras[2][XL_LORAS_MAX];
    xl_sweep_model_params(a, loras[0], &params[0]);
    xl_sweep_model_params(b, loras[1], &params[1]);
    bool is_same = is_same_base(&params[0], &params[1]) &&
                   is_same_text(params[0].vae, params[1].vae) &&
                   params[0].n_loras == params[1].n_loras;
    for (int i = 0; is_same && i < params[0].n_loras; i++)
        is_same = !strcmp(loras[0][i].file, loras[1][i].file) &&
                  loras[0][i].text_scale == loras[1][i].text_scale &&
                  loras[0][i].unet_scale == loras[1][i].unet_scale;
    return is_same;
}

/* --- The thread ------------------------------------------------------------------------------- */

static enum xl_status read_files(struct xl_ahead *ahead, struct xl_err *err) {
    const struct xl_cell *cell = first_cell(ahead);
    struct xl_model_params params, now;
    struct xl_lora loras[XL_LORAS_MAX], loras_now[XL_LORAS_MAX];
    xl_sweep_model_params(model_of(ahead), loras, &params);
    xl_sweep_model_params(&ahead->now, loras_now, &now);
    if (is_same_base(&params, &now)) params.model = NULL;
    return xl_model_prefetch(&params, cell->embeddings, cell->n_embeddings, goes_on, ahead, err);
}

/* Open the model for whoever takes it. */
static enum xl_status open_model(struct xl_ahead *ahead, struct xl_model **out,
                                 struct xl_err *err) {
    enum xl_status status = xl_sweep_model_open(model_of(ahead), out, err);
    pthread_mutex_lock(&ahead->mutex);
    ahead->model = *out;
    ahead->is_opening = false;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
    return status;
}

static enum xl_status prepare(struct xl_ahead *ahead, struct xl_model *model, bool *is_ready,
                              struct xl_err *err) {
    const struct xl_group *group = &ahead->group;
    struct xl_picture pictures[XL_GROUP_MAX];
    struct xl_image init = {0};
    enum xl_status status = XL_OK;
    struct xl_request request =
        xl_cells_request(group->sweep, group->cells, group->n, &group->rung, pictures);
    request.progress = goes_on;
    request.progress_user = ahead;
    if (first_cell(ahead)->init_image) {
        status = xl_cell_load_init(first_cell(ahead), &init, err);
        request.init = &init;
    }
    if (!status) status = xl_model_prepare(ahead->device, model, &request, is_ready, err);
    xl_image_free(&init);
    return status;
}

/* Then whoever took it reads what is missing. */
static bool is_taken(struct xl_ahead *ahead) {
    pthread_mutex_lock(&ahead->mutex);
    bool is_taken = xl_device_prepares(ahead->device) && !ahead->model;
    pthread_mutex_unlock(&ahead->mutex);
    return is_taken;
}

static void *run(void *user) {
    struct xl_ahead *ahead = user;
    struct xl_model *model = NULL;
    struct xl_err err = {0};
    bool is_ready = false;
    enum xl_status status = XL_OK;
    if (ahead->is_opening) status = open_model(ahead, &model, &err);
    if (model) status = prepare(ahead, model, &is_ready, &err);
    if (is_ready) xl_info("%s: ready on the device", model_of(ahead)->key);
    if (!status && !is_ready && !is_taken(ahead)) status = read_files(ahead, &err);
    if (status && status != XL_ECANCELLED) xl_info("reading ahead: %s", err.text);
    return NULL;
}

/* --- Its user --------------------------------------------------------------------------------- */

struct xl_ahead *xl_ahead_begin(struct xl_device *device, const struct xl_group *group,
                                const struct xl_sweep_model *now) {
    struct xl_ahead *ahead = calloc(1, sizeof *ahead);
    if (!ahead) return NULL;
    ahead->device = device;
    ahead->group = *group;
    ahead->now = *now;
    ahead->is_opening = xl_device_prepares(device);
    pthread_mutex_init(&ahead->mutex, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    if (!pthread_create(&ahead->thread, NULL, run, ahead)) return ahead;
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->mutex);
    free(ahead);
    return NULL;
}

struct xl_model *xl_ahead_take(struct xl_ahead *ahead, const struct xl_sweep_model *model) {
    if (!is_same_model(model_of(ahead), model)) return NULL;
    pthread_mutex_lock(&ahead->mutex);
    while (ahead->is_opening) pthread_cond_wait(&ahead->changed, &ahead->mutex);
    struct xl_model *taken = ahead->model;
    ahead->model = NULL;
    pthread_mutex_unlock(&ahead->mutex);
    return taken;
}

void xl_ahead_end(struct xl_ahead *ahead) {
    if (!ahead) return;
    atomic_store(&ahead->stops, true);
    pthread_join(ahead->thread, NULL);
    xl_model_close(ahead->model);
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->mutex);
    free(ahead);
}
