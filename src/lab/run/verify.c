/* verify.c - a record back to a request. */
#include "lab/run/verify.h"

#include "image/image.h"
#include "lab/cell/cell_record.h"
#include "lab/run/blame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct xl_verifier {
    struct xl_settings settings;
    xl_progress_fn *progress;
    void *user;
    struct xl_device *device;
    struct xl_model *model;
    char *name; /* of the open model and device: id, commit, backend */
};

const char *xl_likeness_name(enum xl_likeness likeness) {
    static const char *const names[] = {"same", "near", "different"};
    return names[likeness];
}

enum xl_status xl_verifier_new(const struct xl_settings *settings, xl_progress_fn *progress,
                               void *user, struct xl_verifier **out, struct xl_err *err) {
    struct xl_verifier *verifier = calloc(1, sizeof *verifier);
    if (!verifier) return xl_fail_nomem(err, "the verifier", 0);
    *verifier = (struct xl_verifier){.settings = *settings, .progress = progress, .user = user};
    *out = verifier;
    return XL_OK;
}

void xl_verifier_free(struct xl_verifier *verifier) {
    if (!verifier) return;
    xl_device_close(verifier->device);
    xl_model_close(verifier->model);
    free(verifier->name);
    free(verifier);
}

static const char *text_at(const json_t *record, const char *key) {
    return json_string_value(json_object_get(record, key));
}

static enum xl_status open_device(struct xl_verifier *verifier, const char *backend,
                                  struct xl_err *err) {
    struct xl_device_params params;
    xl_device_params_default(&params);
    params.name = backend;
    params.n_threads = verifier->settings.threads;
    return xl_device_open(&params, &verifier->device, err);
}

/* Model and device of a record, opened unless they are those at hand. */
static enum xl_status open_model(struct xl_verifier *verifier, const json_t *record,
                                 struct xl_err *err) {
    const json_t *about = json_object_get(record, "model");
    const char *id = text_at(about, "id"), *commit = text_at(about, "commit");
    const char *backend = text_at(json_object_get(record, "drawn_by"), "device");
    if (!id || !backend) return xl_fail(err, XL_EINPUT, "its record names no model or device");
    char *name;
    if (asprintf(&name, "%s %s %s", id, commit ? commit : "", backend) < 0)
        return xl_fail_nomem(err, "a name", 0);
    if (verifier->model && !strcmp(verifier->name, name)) {
        free(name);
        return XL_OK;
    }
    xl_device_close(verifier->device);
    xl_model_close(verifier->model);
    free(verifier->name);
    verifier->device = NULL;
    verifier->model = NULL;
    verifier->name = name;
    struct xl_model_params params;
    xl_model_params_default(&params);
    params.model = id;
    params.revision = commit;
    enum xl_status status = xl_model_open(&params, &verifier->model, err);
    if (!status) status = open_device(verifier, backend, err);
    if (!status) return XL_OK;
    xl_model_close(verifier->model);
    verifier->model = NULL;
    return status;
}

/* Two computations of one picture that differ in roundings are much nearer than this, other
 * pictures of one prompt farther apart. */
static const double NEAR_DB = 20;

static enum xl_status judge(const struct xl_image *then, const json_t *record,
                            const struct xl_drawn_picture *drawn, struct xl_verdict *out,
                            struct xl_err *err) {
    const struct xl_image *now = &drawn->image;
    json_t *record_now = NULL;
    struct xl_blame blame = {0};
    enum xl_status status = xl_record_parse(drawn->record, "the picture", &record_now, err);
    if (!status) status = xl_blame(record, record_now, &blame, err);
    json_decref(record_now);
    if (status) return status;
    bool same_size = then->width == now->width && then->height == now->height;
    size_t n = (size_t)then->width * (size_t)then->height * 3;
    *out = (struct xl_verdict){XL_DIFFERENT, xl_image_psnr(then, now), blame.text};
    if (same_size && !memcmp(then->pixels, now->pixels, n))
        out->likeness = XL_SAME;
    else if (blame.text && !blame.is_of_request && out->psnr >= NEAR_DB)
        out->likeness = XL_NEAR;
    return XL_OK;
}

static enum xl_status draw_again(struct xl_verifier *verifier, const json_t *record,
                                 const struct xl_image *then, struct xl_verdict *out,
                                 struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_cell cell;
    struct xl_picture picture;
    struct xl_request request;
    struct xl_image init = {0};
    struct xl_result result = {0};
    enum xl_status status = xl_cell_from_record(record, "its record", &arena, &cell, err);
    if (!status) status = open_model(verifier, record, err);
    if (!status && cell.init_image) status = xl_cell_load_init(&cell, &init, err);
    if (!status) {
        xl_cell_request(&cell, &request, &picture);
        if (cell.init_image) request.init = &init;
        request.progress = verifier->progress;
        request.progress_user = verifier->user;
        status = xl_generate(verifier->device, verifier->model, &request, &result, err);
    }
    if (!status) status = judge(then, record, &result.pictures[0], out, err);
    xl_image_free(&init);
    xl_result_free(&result);
    xl_arena_deinit(&arena);
    return status;
}

enum xl_status xl_verify(struct xl_verifier *verifier, const char *path, struct xl_verdict *out,
                         struct xl_err *err) {
    char *text = NULL;
    json_t *record = NULL;
    struct xl_image then = {0};
    enum xl_status status = xl_record_read(path, &text, err);
    if (!status) status = xl_image_load(path, &then, err);
    if (!status) status = xl_record_parse(text, path, &record, err);
    if (!status) {
        status = draw_again(verifier, record, &then, out, err);
        if (status) status = xl_fail_context(err, status, "%s", path);
    }
    json_decref(record);
    xl_image_free(&then);
    free(text);
    return status;
}
