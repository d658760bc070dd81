/* engine_painter.c - a model that is open, the init image at hand, and the names of pictures. */
#include "lab/run/engine_painter.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "image/image.h"
#include "lab/cell/cell_record.h"
#include "lab/run/ahead.h"
#include "lab/run/filename.h"
#include "lab/run/preview.h"
#include "lab/run/request.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct engine_painter {
    struct xl_painter painter; /* first: one is the other */
    const struct xl_settings *settings;
    struct xl_device *device;  /* NULL: not opened yet */
    struct xl_model *model;    /* at hand; NULL: none */
    struct xl_sweep_model now; /* the same */
    struct xl_ahead *ahead;    /* brings the next one, or has brought the one at hand; NULL: none */
    struct xl_group next; /* to be brought once the one at hand is being sampled; n 0: nothing */
    struct xl_image init; /* of init_path, when it had that digest */
    char *init_path, init_digest[XL_SHA256_HEX];
    struct {
        struct xl_preview_maps maps;
        float *latents;    /* the last ones of the group that is drawn; NULL: there are none */
        int width, height; /* of them */
        double told_s;     /* when the last one was told */
        double step_s;     /* an evaluation took; 0: not known yet */
    } preview;
    double heard_s, load_s; /* of the last progress; loading within a drawing */
    int64_t loaded_bytes;
};

static struct engine_painter *engine_of(struct xl_painter *painter) {
    return (struct engine_painter *)painter;
}

/* --- The model at hand ------------------------------------------------------------------------ */

static enum xl_status check_digest(const struct xl_model *open, const struct xl_sweep_model *model,
                                   struct xl_err *err) {
    if (!model->digest[0] || !strcmp(xl_model_info(open)->digest, model->digest)) return XL_OK;
    const struct xl_sweep_lora *lora = xl_sweep_lora_changed(model);
    if (lora)
        return xl_fail(err, XL_EINPUT,
                       "the LoRA %s is another file than the run was planned with, so its pictures "
                       "would not belong together; put that file back, or start a new run",
                       lora->file);
    return xl_fail(err, XL_EINPUT,
                   "%s: its files differ from those that the run was planned with, so its pictures "
                   "would not belong together; put those files back, or start a new run",
                   model->key);
}

/* Opened with the first model: whoever fails before has not touched it. */
static enum xl_status need_device(struct engine_painter *engine, struct xl_err *err) {
    if (engine->device) return XL_OK;
    struct xl_device_params params = xl_settings_device(engine->settings);
    return xl_device_open(&params, &engine->device, err);
}

/* How pictures are computed that ask for a precision. */
static enum xl_status describe(struct engine_painter *engine, enum xl_precision asked,
                               struct xl_err *err) {
    char *text = NULL;
    json_t *object = NULL;
    enum xl_status status = xl_device_fingerprint(engine->device, asked, &text, err);
    if (!status) status = xl_json_parse("a fingerprint", text, strlen(text), &object, err);
    free(text);
    if (status) return status;
    json_decref(engine->painter.drawn_by);
    engine->painter.drawn_by = object;
    return XL_OK;
}

/* --- The next model --------------------------------------------------------------------------- */

static void end_ahead(struct engine_painter *engine) {
    xl_ahead_end(engine->ahead);
    engine->ahead = NULL;
}

static void begin_ahead(struct engine_painter *engine) {
    end_ahead(engine);
    engine->ahead = xl_ahead_begin(engine->device, &engine->next, &engine->now);
    engine->next.n = 0;
}

/* Where the device can make a model ready beside the one that draws, that begins when this one has
 * what it needs: see follow. Files alone are read from now on. */
static void expect(struct xl_painter *painter, const struct xl_group *group) {
    struct engine_painter *engine = engine_of(painter);
    if (!engine->device) return;
    engine->next = group ? *group : (struct xl_group){.n = 0};
    if (!group)
        end_ahead(engine);
    else if (!xl_device_prepares(engine->device))
        begin_ahead(engine);
}

/* --- Drawing ---------------------------------------------------------------------------------- */

/* The time up to a progress of loading was loading. */
static bool follow(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct engine_painter *engine = user;
    double now = xl_now_s();
    if (phase == XL_PHASE_LOAD && total >= 0) {
        engine->load_s += now - engine->heard_s;
        engine->loaded_bytes = done;
    }
    engine->heard_s = now;
    if (phase == XL_PHASE_SAMPLE && total >= 0 && engine->next.n) begin_ahead(engine);
    const struct xl_painter *painter = &engine->painter;
    return !painter->progress || painter->progress(painter->user, phase, done, total);
}

/* --- Small pictures --------------------------------------------------------------------------- */

static const double PREVIEW_S = 0.25; /* between two of them */

/* Tell how the group looks. What goes wrong with that costs a look, not the picture. */
static void tell_preview(struct engine_painter *engine, int step) {
    const struct xl_painter *painter = &engine->painter;
    struct xl_preview_map *map = xl_preview_find(&engine->preview.maps, engine->now.digest);
    struct xl_image image = {0};
    struct xl_err ignored;
    void *jpeg = NULL;
    size_t n = 0;
    enum xl_status status = xl_preview_draw(map, engine->preview.latents, engine->preview.width,
                                            engine->preview.height, &image, &ignored);
    if (!status) status = xl_jpeg_encode(&image, 80, &jpeg, &n, &ignored);
    const struct xl_preview preview = {jpeg, n, step};
    if (!status) painter->preview(painter->user, &preview);
    xl_image_free(&image);
    free(jpeg);
}

/* The latents of the first picture of the group are kept: the last ones, to learn from. */
static void on_latents(void *user, int evaluation, const float *latents, int64_t count) {
    struct engine_painter *engine = user;
    size_t n = (size_t)engine->preview.width * (size_t)engine->preview.height * XL_PREVIEW_CHANNELS;
    double now_s = xl_now_s();
    if (!engine->preview.latents || (size_t)count < n) return;
    memcpy(engine->preview.latents, latents, n * sizeof *latents);
    if (now_s - engine->preview.told_s < PREVIEW_S) return;
    engine->preview.told_s = now_s;
    tell_preview(engine, evaluation + 1);
}

/* Ask for latents as often as they are told, where evaluations take as long as the last ones did.
 */
static void begin_previews(struct engine_painter *engine, const struct xl_group *group,
                           struct xl_request *request) {
    if (!group->has_previews || !engine->painter.preview) return;
    int width = group->rung.width / 8, height = group->rung.height / 8;
    size_t n = (size_t)width * (size_t)height * XL_PREVIEW_CHANNELS;
    engine->preview.latents = malloc(n * sizeof *engine->preview.latents);
    engine->preview.width = width;
    engine->preview.height = height;
    if (!engine->preview.latents) return;
    double every = engine->preview.step_s > 0 ? PREVIEW_S / engine->preview.step_s : 1;
    request->latents = on_latents;
    request->latents_user = engine;
    request->latents_every = every > 1 ? (int)fmin(every, 1000) : 1;
}

static void end_previews(struct engine_painter *engine, const struct xl_drawn *drawn,
                         bool is_drawn) {
    const struct xl_result *result = &drawn->result;
    if (is_drawn && result->n_evaluations)
        engine->preview.step_s = result->sample_s / result->n_evaluations;
    if (engine->preview.latents && is_drawn)
        xl_preview_learn(xl_preview_find(&engine->preview.maps, engine->now.digest),
                         engine->preview.latents, engine->preview.width, engine->preview.height,
                         &result->pictures[0].image);
    free(engine->preview.latents);
    engine->preview.latents = NULL;
}

/* --- Models and groups ------------------------------------------------------------------------ */

/* What the device holds of the model before stays there as long as there is room. */
static enum xl_status open_model(struct xl_painter *painter, const struct xl_sweep *sweep, int m,
                                 int *unit, struct xl_err *err) {
    struct engine_painter *engine = engine_of(painter);
    const struct xl_sweep_model *model = &sweep->models[m];
    double start_s = xl_now_s();
    struct xl_model *opened = engine->ahead ? xl_ahead_take(engine->ahead, model) : NULL;
    enum xl_status status = XL_OK;
    if (!opened) end_ahead(engine);
    xl_model_close(engine->model);
    engine->model = opened;
    engine->now = *model;
    if (!opened) status = xl_sweep_model_open(model, &engine->model, err);
    if (!status) status = check_digest(engine->model, model, err);
    if (!status) status = need_device(engine, err);
    if (!status) status = describe(engine, engine->settings->precision, err);
    if (status) return status;
    const struct xl_model_info *info = xl_model_info(engine->model);
    *unit = info->unit;
    xl_info("%s: opened in %.2f s, from %s%s%s", model->key, xl_now_s() - start_s, info->dir,
            info->commit ? ", commit " : "", info->commit ? info->commit : "");
    return XL_OK;
}

static enum xl_status load_init(struct engine_painter *engine, const struct xl_cell *cell,
                                struct xl_err *err) {
    const char *path = cell->init_image;
    const char *digest = cell->init_digest ? cell->init_digest : "";
    if (!path || (engine->init_path && !strcmp(engine->init_path, path) &&
                  !strcmp(engine->init_digest, digest)))
        return XL_OK;
    xl_image_free(&engine->init);
    free(engine->init_path);
    engine->init_path = NULL;
    snprintf(engine->init_digest, sizeof engine->init_digest, "%s", digest);
    enum xl_status status = xl_cell_load_init(cell, &engine->init, err);
    if (status) return status;
    xl_info("init image %s: %dx%d", path, engine->init.width, engine->init.height);
    engine->init_path = strdup(path);
    return engine->init_path ? XL_OK : xl_fail_nomem(err, "a path", 0);
}

/* The request of a group; pictures: [n]. */
static enum xl_status make_request(struct engine_painter *engine, const struct xl_group *group,
                                   struct xl_picture *pictures, struct xl_request *out,
                                   struct xl_err *err) {
    const struct xl_cell *cell = &group->sweep->cells[group->cells[0]];
    enum xl_status status = load_init(engine, cell, err);
    if (status) return status;
    *out = xl_cells_request(group->sweep, group->cells, group->n, &group->rung, pictures);
    if (cell->init_image) out->init = &engine->init;
    out->progress = follow;
    out->progress_user = engine;
    return XL_OK;
}

static enum xl_status need(struct xl_painter *painter, const struct xl_group *group,
                           struct xl_need *out, struct xl_err *err) {
    struct engine_painter *engine = engine_of(painter);
    struct xl_picture pictures[XL_GROUP_MAX];
    struct xl_request request;
    enum xl_status status = make_request(engine, group, pictures, &request, err);
    return status ? status : xl_model_need(engine->device, engine->model, &request, out, err);
}

/* With --verbose: how long loading took, and what became of the picture to start from. */
static void tell(const struct engine_painter *engine, const struct xl_drawn *drawn,
                 const struct xl_request *request) {
    const struct xl_group *group = &drawn->group;
    const struct xl_cell *cell = &group->sweep->cells[group->cells[0]];
    if (engine->loaded_bytes)
        xl_info("%s: %.2f GB of weights loaded in %.2f s", group->sweep->models[cell->model].key,
                (double)engine->loaded_bytes / 1e9, engine->load_s);
    if (!request->init) return;
    bool is_same = request->init->width == request->width &&
                   request->init->height == request->height;
    xl_info("init image %s %dx%d; strength %g of %d %s: %d %s", is_same ? "fits" : "resized to",
            request->width, request->height, cell->strength, cell->steps,
            xl_plural(cell->steps, "step", "steps"), drawn->result.n_evaluations,
            xl_plural(drawn->result.n_evaluations, "evaluation", "evaluations"));
}

/* The scheduler that drew, as the records have it. */
static enum xl_status note_scheduler(struct xl_drawn *drawn, struct xl_err *err) {
    json_t *record = NULL;
    const char *text = drawn->result.pictures[0].record;
    enum xl_status status = xl_json_parse("a record", text, strlen(text), &record, err);
    if (!status) drawn->scheduler_config = json_incref(json_object_get(record, "scheduler_config"));
    json_decref(record);
    return status;
}

static enum xl_status draw(struct xl_painter *painter, struct xl_drawn *drawn, struct xl_err *err) {
    struct engine_painter *engine = engine_of(painter);
    const struct xl_group *group = &drawn->group;
    struct xl_picture pictures[XL_GROUP_MAX];
    char *extra[XL_GROUP_MAX] = {NULL};
    struct xl_request request;
    double start_s = xl_now_s();
    engine->heard_s = start_s;
    engine->load_s = 0;
    engine->loaded_bytes = 0;
    enum xl_status status = make_request(engine, group, pictures, &request, err);
    for (int i = 0; !status && i < group->n; i++) {
        extra[i] = xl_cell_extra(&group->sweep->cells[group->cells[i]], group->fallback);
        if (!extra[i]) status = xl_fail_nomem(err, "records", 0);
        pictures[i].extra = extra[i];
    }
    if (!status) status = describe(engine, group->sweep->cells[group->cells[0]].precision, err);
    drawn->drawn_by = json_deep_copy(painter->drawn_by); /* which the writer's thread lets go of */
    if (!status && !drawn->drawn_by) status = xl_fail_nomem(err, "records", 0);
    if (!status) begin_previews(engine, group, &request);
    if (!status) status = xl_generate(engine->device, engine->model, &request, &drawn->result, err);
    end_previews(engine, drawn, !status);
    if (!status) status = note_scheduler(drawn, err);
    for (int i = 0; i < group->n; i++) free(extra[i]);
    drawn->total_s = xl_now_s() - start_s;
    if (!status) tell(engine, drawn, &request);
    return status;
}

/* --- Saving ----------------------------------------------------------------------------------- */

/* Whether a file is a picture of this cell: in a shared run the name of one is that of all, so who
 * comes second finds it. */
static bool is_of_cell(const char *path, const struct xl_cell *cell) {
    char *record = NULL;
    json_t *object = NULL;
    struct xl_err ignored;
    if (!xl_record_read(path, &record, &ignored) &&
        xl_record_parse(record, path, &object, &ignored))
        object = NULL;
    const char *id = json_string_value(json_object_get(object, "cell"));
    bool is_its = id && !strcmp(id, cell->id);
    json_decref(object);
    free(record);
    return is_its;
}

/* Save under a name, unless that is taken. *path: where it is; NULL: the name is taken, or too long
 * for a file system that said otherwise, which sets name->max lower. */
static enum xl_status save_as(const struct xl_drawn *drawn, int i, struct xl_output_name *name,
                              char **path, struct xl_err *err) {
    char file[XL_OUTPUT_NAME_MAX];
    xl_output_name(name, file);
    char *candidate = xl_path_join(drawn->group.dir, file);
    if (!candidate) return xl_fail_nomem(err, "a path", 0);
    bool is_free = access(candidate, F_OK) != 0;
    enum xl_status status = is_free ? xl_result_save_png(&drawn->result, i, candidate, err) : XL_OK;
    if (is_free && !status) {
        *path = candidate;
        return XL_OK;
    }
    if (status && access(candidate, F_OK) == 0) status = XL_OK;
    const struct xl_group *group = &drawn->group;
    if (!status && group->claimant.name &&
        is_of_cell(candidate, &group->sweep->cells[group->cells[i]])) {
        *path = candidate;
        return XL_OK;
    }
    free(candidate);
    int length = (int)strlen(file), shorter = length;
    while (status && shorter > XL_OUTPUT_NAME_LEAST &&
           xl_dir_refuses_name(drawn->group.dir, shorter))
        shorter--;
    if (shorter == length) return status;
    name->max = shorter;
    return XL_OK;
}

/* Pictures of a group at once where the device leaves the cores alone. Without the memory for that,
 * one at a time all the same. */
static void encode_all(const struct engine_painter *engine, struct xl_drawn *drawn) {
    struct xl_err ignored;
    if (drawn->result.n_pictures < 2 || !xl_device_prepares(engine->device)) return;
    enum xl_status status = xl_result_encode_png(&drawn->result, 0, &ignored);
    (void)status;
}

/* This process may have stood still for so long that it was taken for dead. */
static bool is_ours(const struct xl_group *group, const struct xl_cell *cell) {
    return !group->claimant.name || xl_claimant_has(&group->claimant, cell->id);
}

/* Under the first free number: a name that is taken (another cell, another run in the same second)
 * is skipped. The save itself never replaces a file, so losing a race costs a try, not a picture.
 */
static enum xl_status save(struct xl_painter *painter, struct xl_drawn *drawn, int i, char **path,
                           struct xl_err *err) {
    const struct xl_group *group = &drawn->group;
    const struct xl_cell *cell = &group->sweep->cells[group->cells[i]];
    bool is_raw = !strcmp(cell->profile, XL_PROFILE_RAW);
    if (!i) encode_all(engine_of(painter), drawn);
    struct xl_output_name name = {.stamp = group->stamp,
                                  .profile = is_raw ? NULL : cell->profile,
                                  .prompt = cell->prompt,
                                  .tag = cell->tag,
                                  .seed = cell->seed};
    enum xl_status status = xl_output_name_room(group->dir, &name.max, err);
    *path = NULL;
    while (!status && is_ours(group, cell)) {
        int max = name.max;
        status = save_as(drawn, i, &name, path, err);
        if (*path) break;
        if (name.max == max) name.index++;
    }
    /* Who collected the run meanwhile has tidied up what was being written. */
    return status == XL_EDISK && !is_ours(group, cell) ? XL_OK : status;
}

/* --- Lifetime --------------------------------------------------------------------------------- */

static void close_painter(struct xl_painter *painter) {
    struct engine_painter *engine = engine_of(painter);
    end_ahead(engine);
    xl_device_close(engine->device);
    xl_model_close(engine->model);
    xl_image_free(&engine->init);
    free(engine->init_path);
    json_decref(painter->drawn_by);
    free(engine);
}

enum xl_status xl_engine_painter_new(const struct xl_settings *settings, struct xl_painter **out,
                                     struct xl_err *err) {
    struct engine_painter *engine = calloc(1, sizeof *engine);
    if (!engine) return xl_fail_nomem(err, "the painter", sizeof *engine);
    engine->painter = (struct xl_painter){.open = open_model,
                                          .expect = expect,
                                          .need = need,
                                          .draw = draw,
                                          .save = save,
                                          .close = close_painter};
    engine->settings = settings;
    *out = &engine->painter;
    return XL_OK;
}
