/* stage.c - the compiled parts of a resident: found by their shape or made, run with progress and
 * cancellation. The stages of a resident are touched by the thread that has it at work, or makes it
 * ready; one that is made aside (early.c) becomes the resident's when that thread takes it. */
#include "engine/engine.h"

#include <stdlib.h>

bool xl_drawing_progress(const struct xl_drawing *drawing, enum xl_phase phase, int64_t done,
                         int64_t total) {
    xl_progress_fn *progress = drawing->request->progress;
    if (drawing->is_ahead && atomic_load(&drawing->device->is_recalled)) return false;
    return !progress || progress(drawing->request->progress_user, phase, done, total);
}

/* What the callbacks of one compilation need. */
struct loading {
    struct xl_drawing *drawing;
    struct xl_weights *weights;
    const atomic_bool *is_given_up; /* of one that is made aside, where the user is not asked; or
                                       NULL */
    bool counts;                    /* the first compilation of a component reads its file */
    int64_t n_counted;              /* bytes */
};

static void weight_done(void *user, const struct xl_tensor *tensor) {
    struct loading *loading = user;
    xl_weights_drop(loading->weights, tensor);
    if (!loading->counts) return;
    int64_t bytes = xl_shape_count(tensor->shape) * (int64_t)xl_dtype_size(tensor->dtype);
    loading->n_counted += bytes;
    atomic_fetch_add(&loading->drawing->resident->load_done, bytes);
}

static bool load_tick(void *user) {
    const struct loading *loading = user;
    const struct xl_drawing *drawing = loading->drawing;
    const struct xl_resident *resident = drawing->resident;
    if (loading->is_given_up) return !atomic_load(loading->is_given_up);
    return xl_drawing_progress(drawing, XL_PHASE_LOAD, atomic_load(&resident->load_done),
                               resident->load_total);
}

/* The phase is over for the progress line even if weights that no op uses were not read. */
static enum xl_status finish_loading(struct loading *loading, enum xl_component component,
                                     struct xl_err *err) {
    struct xl_resident *resident = loading->drawing->resident;
    resident->is_loaded[component] = true;
    if (loading->counts)
        atomic_fetch_add(&resident->load_done,
                         xl_weights_bytes(loading->weights) - loading->n_counted);
    if (!load_tick(loading)) return xl_fail(err, XL_ECANCELLED, "interrupted while loading");
    return XL_OK;
}

static enum xl_status compile(struct xl_drawing *drawing, struct xl_stage *stage,
                              const atomic_bool *is_given_up, struct xl_err *err) {
    struct xl_resident *resident = drawing->resident;
    enum xl_component component = xl_part_component(stage->key.part);
    struct xl_weights *weights = resident->model->weights[component];
    struct loading loading = {.drawing = drawing,
                              .weights = weights,
                              .is_given_up = is_given_up,
                              .counts = !resident->is_loaded[component]};
    struct xl_compile_options options = {
        .weight_done = weight_done, .tick = load_tick, .user = &loading};
    enum xl_status status = xl_weights_verify(weights, err);
    if (!status) status = xl_model_verify_loras(resident->model, err);
    if (!status)
        status = xl_compile(drawing->device->backend, stage->plan, &options, &stage->exec, err);
    if (!status) return finish_loading(&loading, component, err);
    atomic_fetch_sub(&resident->load_done, loading.n_counted);
    return status;
}

void xl_stage_free(struct xl_stage *stage) {
    if (!stage) return;
    xl_exec_free(stage->exec);
    xl_plan_free(stage->plan);
    free(stage);
}

/* How much a stage is worth. */
enum worth {
    IF_THERE_IS_ROOM, /* other models may go for it */
    WHATEVER_IT_TAKES /* other stages of its model, too */
};

/* What the stage will take may be there only after something else was given up. */
static enum xl_status make_room(struct xl_drawing *drawing, const struct xl_plan *plan,
                                enum worth worth, bool *is_there, struct xl_err *err) {
    struct xl_device *device = drawing->device;
    struct xl_weight_need weights;
    size_t work;
    enum xl_status status = xl_measure(device->backend, &plan, 1, &weights, &work, err);
    if (status) return status;
    int64_t bytes = (int64_t)(weights.missing + work), held = (int64_t)weights.held;
    *is_there = true;
    if (worth == WHATEVER_IT_TAKES)
        xl_device_make_room(device, bytes, held);
    else
        *is_there = xl_device_find_room(device, drawing->is_ahead, bytes, held);
    return XL_OK;
}

/* *is_there: whether there was room, which does not fail where the stage is not worth more. */
static enum xl_status make(struct xl_drawing *drawing, struct xl_stage *stage, enum worth worth,
                           bool *is_there, struct xl_err *err) {
    enum xl_status status =
        xl_part_build(drawing->resident->model, &stage->key, &stage->io, &stage->plan, err);
    if (!status) status = make_room(drawing, stage->plan, worth, is_there, err);
    if (status || !*is_there) return status;
    status = compile(drawing, stage, NULL, err);
    if (status == XL_ENOMEM && worth == IF_THERE_IS_ROOM) {
        *is_there = false;
        return XL_OK;
    }
    if (status == XL_ENOMEM) {
        xl_early_end(drawing);
        xl_device_release(drawing->device);
        status = make_room(drawing, stage->plan, worth, is_there, err);
        if (!status) status = compile(drawing, stage, NULL, err);
    }
    if (!status) return XL_OK;
    const char *name = xl_component_name(xl_part_component(stage->key.part));
    return xl_fail_context(err, status, "load %s", name);
}

static bool is_same_shape(const struct xl_part_key *a, const struct xl_part_key *b) {
    return a->part == b->part && a->act_dtype == b->act_dtype && a->n == b->n &&
           a->tokens == b->tokens && a->height == b->height && a->width == b->width &&
           a->in_f8 == b->in_f8 && a->is_tile == b->is_tile && a->batch == b->batch &&
           a->skip == b->skip && a->extra == b->extra && a->is_masked == b->is_masked;
}

static bool has_room(const struct xl_part_key *stage, const struct xl_part_key *wanted) {
    return stage->steps >= wanted->steps && stage->history >= wanted->history &&
           stage->noise >= wanted->noise;
}

/* Shapes of a part that are kept compiled: the sizes that somebody goes back and forth between. */
enum { MAX_SHAPES = 2 };

static void remove_stage(struct xl_stage **at) {
    struct xl_stage *stage = *at;
    *at = stage->next;
    xl_stage_free(stage);
}

/* Give up a stage of this shape that has too little room; else, if there are too many of the part,
 * the one that was used longest ago. */
static void thin_out(struct xl_resident *resident, const struct xl_part_key *key) {
    struct xl_stage **oldest = NULL;
    int n = 0;
    for (struct xl_stage **at = &resident->stages; *at; at = &(*at)->next) {
        if (is_same_shape(&(*at)->key, key)) {
            remove_stage(at);
            return;
        }
        if ((*at)->key.part != key->part) continue;
        n++;
        if (!oldest || (*at)->last_used < (*oldest)->last_used) oldest = at;
    }
    if (n >= MAX_SHAPES) remove_stage(oldest);
}

struct xl_stage *xl_stage_find(struct xl_resident *resident, const struct xl_part_key *key) {
    struct xl_stage *stage = resident->stages;
    while (stage && !(is_same_shape(&stage->key, key) && has_room(&stage->key, key)))
        stage = stage->next;
    return stage;
}

enum xl_status xl_stage_expect(struct xl_drawing *drawing, struct xl_stage *stage,
                               struct xl_err *err) {
    xl_device_widen(drawing, &stage->key);
    enum xl_status status =
        xl_part_build(drawing->resident->model, &stage->key, &stage->io, &stage->plan, err);
    if (!status) xl_expect(drawing->device->backend, stage->plan);
    return status;
}

enum xl_status xl_stage_make_aside(struct xl_drawing *drawing, struct xl_stage *stage,
                                   const atomic_bool *is_given_up, struct xl_err *err) {
    bool is_there = false;
    enum xl_status status = make_room(drawing, stage->plan, IF_THERE_IS_ROOM, &is_there, err);
    if (!status && !is_there) status = xl_fail(err, XL_ENOMEM, "there is no room for it yet");
    return status ? status : compile(drawing, stage, is_given_up, err);
}

/* One that was made aside; NULL: none was, or it is another one. */
static struct xl_stage *adopt(struct xl_drawing *drawing, const struct xl_part_key *key) {
    struct xl_stage *stage = xl_early_take(drawing, key->part);
    if (!stage || (is_same_shape(&stage->key, key) && has_room(&stage->key, key))) return stage;
    xl_stage_free(stage);
    return NULL;
}

/* A new stage of the resident; NULL where there was no room. */
static enum xl_status add(struct xl_drawing *drawing, const struct xl_part_key *key,
                          enum worth worth, struct xl_stage **out, struct xl_err *err) {
    struct xl_resident *resident = drawing->resident;
    thin_out(resident, key);
    struct xl_stage *stage = adopt(drawing, key);
    bool is_there = stage != NULL;
    enum xl_status status = XL_OK;
    *out = NULL;
    if (!stage) {
        stage = calloc(1, sizeof *stage);
        if (!stage) return xl_fail_nomem(err, "a part of a model", sizeof *stage);
        stage->key = *key;
        xl_device_widen(drawing, &stage->key);
        status = make(drawing, stage, worth, &is_there, err);
    }
    if (status || !is_there) {
        xl_stage_free(stage);
        return status;
    }
    stage->next = resident->stages;
    resident->stages = *out = stage;
    return XL_OK;
}

static enum xl_status get(struct xl_drawing *drawing, const struct xl_part_key *key,
                          enum worth worth, struct xl_stage **out, struct xl_err *err) {
    if (!drawing->is_ahead) xl_device_note_width(drawing->device, key);
    *out = xl_stage_find(drawing->resident, key);
    enum xl_status status = *out ? XL_OK : add(drawing, key, worth, out, err);
    if (!status && *out) (*out)->last_used = xl_device_now(drawing->device);
    return status;
}

enum xl_status xl_stage_get(struct xl_drawing *drawing, const struct xl_part_key *key,
                            struct xl_stage **out, struct xl_err *err) {
    return get(drawing, key, WHATEVER_IT_TAKES, out, err);
}

enum xl_status xl_stage_try(struct xl_drawing *drawing, const struct xl_part_key *key,
                            bool *is_there, struct xl_err *err) {
    struct xl_stage *stage;
    enum xl_status status = get(drawing, key, IF_THERE_IS_ROOM, &stage, err);
    *is_there = !status && stage;
    return status;
}

/* Between two ops there is nothing new to show, only the question whether to go on. */
bool xl_drawing_tick(void *user) {
    return xl_drawing_progress(user, XL_PHASE_SAMPLE, -1, -1);
}

enum xl_status xl_stage_run(struct xl_drawing *drawing, struct xl_stage *stage,
                            struct xl_err *err) {
    struct xl_run_hooks hooks = {.tick = xl_drawing_tick, .user = drawing};
    return xl_exec_run(stage->exec, 1, &hooks, err);
}
