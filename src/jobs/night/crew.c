/* crew.c - places for painters, and what their GPUs show. */
#include "jobs/night/crew.h"

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "jobs/night/guard.h"
#include "jobs/workers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place {
    bool has_gpu, is_hot, is_held; /* held: there is no power for it */
    struct xl_gpu gpu;             /* as it was seen last */
    int n_pictures;                /* of the GPU, or of the worker, in this process */
    double joules;                 /* of the GPU, not told yet */
};

struct xl_crew {
    const struct xl_night_config *config;
    struct xl_workers workers;
    struct xl_gpu_pool *pool; /* theirs; NULL: the CPU */
    int n;                    /* of them */
    pthread_mutex_t mutex;    /* for what follows */
    struct place places[XL_PLACES_MAX];
    int n_powered; /* so many may draw */
};

/* --- Opening ---------------------------------------------------------------------------------- */

enum xl_status xl_crew_open(const struct xl_crew_params *params, struct xl_crew **out,
                            struct xl_err *err) {
    struct xl_crew *crew = calloc(1, sizeof *crew);
    if (!crew) return xl_fail_nomem(err, "workers", sizeof *crew);
    pthread_mutex_init(&crew->mutex, NULL);
    crew->config = params->config;
    const struct xl_workers_params workers = {
        .settings = params->settings, .goes_on = params->goes_on, .user = params->user};
    enum xl_status status = xl_workers_open(&workers, &crew->workers, err);
    crew->pool = crew->workers.pool;
    crew->n = crew->n_powered = crew->workers.n;
    if (status)
        xl_crew_close(crew);
    else
        *out = crew;
    return status;
}

void xl_crew_close(struct xl_crew *crew) {
    if (!crew) return;
    xl_workers_close(&crew->workers);
    pthread_mutex_destroy(&crew->mutex);
    free(crew);
}

void xl_crew_keep_open(struct xl_crew *crew, int descriptor) {
    for (int i = 0; i < crew->n; i++)
        xl_worker_painter_keep_open(crew->workers.painters[i], descriptor);
}

int xl_crew_count(const struct xl_crew *crew) {
    return crew->n;
}
struct xl_painter *const *xl_crew_painters(const struct xl_crew *crew) {
    return crew->workers.painters;
}

const char *xl_crew_text(const struct xl_crew *crew, char out[XL_CREW_TEXT]) {
    const char *what = crew->pool ? xl_plural(crew->n, "GPU", "GPUs")
                                  : xl_plural(crew->n, "worker on the CPU", "workers on the CPU");
    snprintf(out, XL_CREW_TEXT, "%d %s", crew->n, what);
    return out;
}

/* --- Drawing ---------------------------------------------------------------------------------- */

bool xl_crew_may_draw(struct xl_crew *crew, int i) {
    if (!crew->pool) return true;
    bool has_gpu = xl_gpu_pool_has(crew->pool, i, NULL);
    pthread_mutex_lock(&crew->mutex);
    bool may_draw = has_gpu && !crew->places[i].is_hot && !crew->places[i].is_held;
    pthread_mutex_unlock(&crew->mutex);
    return may_draw;
}

void xl_crew_rest(struct xl_crew *crew, int i) {
    xl_worker_painter_rest(crew->workers.painters[i]);
}

/* The label of a worker of the CPU, as its painter has it. */
static const char *worker_label(int i, char out[XL_PAINTER_LABEL]) {
    snprintf(out, XL_PAINTER_LABEL, "worker %d", i + 1);
    return out;
}

static bool is_of(const struct xl_crew *crew, int i, const char *label) {
    char own[XL_PAINTER_LABEL];
    return !strcmp(crew->pool ? crew->places[i].gpu.uuid : worker_label(i, own), label);
}

const char *xl_crew_name_of(struct xl_crew *crew, int i, const char *label,
                            char out[XL_CREW_NAME]) {
    pthread_mutex_lock(&crew->mutex);
    const struct xl_gpu *gpu = &crew->places[i].gpu;
    snprintf(out, XL_CREW_NAME, "%s", crew->pool && !strcmp(gpu->uuid, label) ? gpu->name : "");
    pthread_mutex_unlock(&crew->mutex);
    return out;
}

void xl_crew_count_picture(struct xl_crew *crew, const char *label) {
    pthread_mutex_lock(&crew->mutex);
    for (int i = 0; i < crew->n; i++) crew->places[i].n_pictures += is_of(crew, i, label);
    pthread_mutex_unlock(&crew->mutex);
}

/* --- Looking ---------------------------------------------------------------------------------- */

enum xl_status xl_crew_seek(struct xl_crew *crew, struct xl_err *err) {
    struct xl_str why = {0};
    if (!crew->pool) return XL_OK;
    enum xl_status status = xl_gpu_pool_seek(crew->pool, &why, err);
    if (why.len) xl_info("GPUs that are busy: %s", why.text);
    xl_str_deinit(&why);
    return status == XL_EDEVICE ? XL_OK : status; /* they may answer the next time */
}

/* With the mutex held. taken: as it was when it was locked: one that is lost has no name any more.
 */
static void see(struct xl_crew *crew, int i, const struct xl_gpu *taken, const struct xl_gpu *gpu) {
    struct place *place = &crew->places[i];
    if (strcmp(place->gpu.uuid, gpu->uuid) != 0) {
        place->n_pictures = 0;
        place->is_hot = false;
        place->joules = 0; /* told before: xl_crew_take_energy follows each look */
    }
    place->gpu = *gpu;
    memcpy(place->gpu.name, taken->name, sizeof place->gpu.name);
    bool is_hot = xl_night_is_hot(crew->config, place->is_hot, gpu->temperature);
    if (is_hot && !place->is_hot)
        xl_warn("GPU %d has %d degrees and pauses", gpu->index, gpu->temperature);
    place->is_hot = is_hot;
}

/* Give power to as many as there is for. With the mutex held. */
static void share_power(struct xl_crew *crew, double power_w) {
    int n_there = 0, n_given = 0, n_drawing = 0;
    for (int i = 0; i < crew->n; i++) {
        n_there += crew->places[i].has_gpu;
        n_drawing += crew->places[i].has_gpu && !crew->places[i].is_held;
    }
    crew->n_powered = xl_night_share_power(crew->config, n_drawing, n_there, power_w);
    for (int i = 0; i < crew->n; i++)
        if (crew->places[i].has_gpu) crew->places[i].is_held = n_given++ >= crew->n_powered;
}

void xl_crew_look(struct xl_crew *crew, double passed_s) {
    struct xl_gpu_list *list = crew->pool ? malloc(sizeof *list) : NULL;
    struct xl_err why;
    if (!list || xl_gpu_pool_look(crew->pool, list, &why)) {
        free(list);
        return;
    }
    double power_w = 0;
    bool is_known = true;
    pthread_mutex_lock(&crew->mutex);
    for (int i = 0; i < crew->n; i++) {
        struct xl_gpu taken;
        struct place *place = &crew->places[i];
        place->has_gpu = xl_gpu_pool_has(crew->pool, i, &taken);
        const struct xl_gpu *gpu = place->has_gpu ? xl_gpu_find(list, taken.uuid) : NULL;
        if (!gpu) continue;
        see(crew, i, &taken, gpu);
        if (gpu->power_w >= 0) {
            power_w += gpu->power_w;
            place->joules += gpu->power_w * passed_s;
        } else {
            is_known = false;
        }
    }
    share_power(crew, is_known ? power_w : -1);
    pthread_mutex_unlock(&crew->mutex);
    free(list);
}

void xl_crew_take_energy(struct xl_crew *crew, json_t *energy) {
    pthread_mutex_lock(&crew->mutex);
    for (int i = 0; i < crew->n; i++) {
        struct place *place = &crew->places[i];
        double before = json_number_value(json_object_get(energy, place->gpu.uuid));
        if (place->joules <= 0) continue;
        json_object_set_new(energy, place->gpu.uuid, json_real(before + place->joules));
        place->joules = 0;
    }
    pthread_mutex_unlock(&crew->mutex);
}

/* --- Telling ---------------------------------------------------------------------------------- */

static json_t *describe_gpu(const struct xl_crew *crew, int i) {
    const struct place *place = &crew->places[i];
    const char *state = !place->has_gpu  ? "no idle GPU"
                        : place->is_hot  ? "too hot"
                        : place->is_held ? "no power"
                                         : "has a GPU";
    json_t *object = json_object();
    bool ok = object != NULL;
    if (place->has_gpu) {
        xl_json_put(object, "worker", xl_json_text(place->gpu.uuid), &ok);
        xl_json_put(object, "index", json_integer(place->gpu.index), &ok);
        xl_json_put(object, "name", xl_json_text(place->gpu.name), &ok);
        xl_json_put(object, "temperature", json_integer(place->gpu.temperature), &ok);
        xl_json_put(object, "power_w", json_real(place->gpu.power_w), &ok);
        xl_json_put(object, "pictures", json_integer(place->n_pictures), &ok);
    }
    xl_json_put(object, "state", json_string(state), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_worker(const struct xl_crew *crew, int i) {
    char label[XL_PAINTER_LABEL];
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "worker", json_string(worker_label(i, label)), &ok);
    xl_json_put(object, "name", json_string("CPU"), &ok);
    xl_json_put(object, "pictures", json_integer(crew->places[i].n_pictures), &ok);
    xl_json_put(object, "state", json_string("on the CPU"), &ok);
    return xl_json_finish(object, ok);
}

json_t *xl_crew_describe(struct xl_crew *crew) {
    json_t *list = json_array();
    bool ok = list != NULL;
    pthread_mutex_lock(&crew->mutex);
    for (int i = 0; ok && i < crew->n; i++)
        ok = !json_array_append_new(list,
                                    crew->pool ? describe_gpu(crew, i) : describe_worker(crew, i));
    pthread_mutex_unlock(&crew->mutex);
    return xl_json_finish(list, ok);
}
