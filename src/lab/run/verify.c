/* verify.c - a record back to a request. */
#include "lab/run/verify.h"

#include "base/file.h"
#include "base/str.h"
#include "image/image.h"
#include "image/sheet.h"
#include "lab/cell/cell_record.h"
#include "lab/run/blame.h"
#include "lab/run/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct xl_verifier {
    struct xl_settings settings;
    xl_progress_fn *progress;
    void *user;
    struct xl_origins *origins;
    struct xl_device *device;
    struct xl_model *model;
    char *name; /* of the open model and device: id, commit, backend */
};

const struct xl_finding_row *xl_finding_row(enum xl_finding finding) {
    static const struct xl_finding_row rows[] = {
        [XL_SAME] = {"same", "same", XL_OK},
        [XL_NEAR] = {"near", "near", XL_OK},
        [XL_SHEET] = {"sheet", "sheet", XL_OK},
        [XL_DIFFERENT] = {"different", "DIFFERENT", XL_EPARTIAL},
        [XL_DAMAGED] = {"damaged", "damaged", XL_EPARTIAL},
        [XL_NOT_DRAWN] = {"not_drawn", "not drawn", XL_EPARTIAL},
        [XL_NO_MODEL] = {"no_model", "no model", XL_EMODEL},
        [XL_NO_INIT] = {"no_init", "no init", XL_EINPUT},
        [XL_MISSING] = {"missing", "missing", XL_EINPUT},
        [XL_NOT_OURS] = {"not_ours", "not ours", XL_EINPUT},
    };
    return &rows[finding];
}

enum xl_status xl_verifier_new(const struct xl_settings *settings, xl_progress_fn *progress,
                               void *user, struct xl_verifier **out, struct xl_err *err) {
    struct xl_verifier *verifier = calloc(1, sizeof *verifier);
    if (!verifier) return xl_fail_nomem(err, "the verifier", 0);
    *verifier = (struct xl_verifier){.settings = *settings, .progress = progress, .user = user};
    verifier->origins = xl_origins_new(settings);
    if (!verifier->origins) {
        free(verifier);
        return xl_fail_nomem(err, "the verifier", 0);
    }
    *out = verifier;
    return XL_OK;
}

static void close_model(struct xl_verifier *verifier) {
    xl_device_close(verifier->device);
    xl_model_close(verifier->model);
    free(verifier->name);
    verifier->device = NULL;
    verifier->model = NULL;
    verifier->name = NULL;
}

void xl_verifier_free(struct xl_verifier *verifier) {
    if (!verifier) return;
    close_model(verifier);
    xl_origins_free(verifier->origins);
    free(verifier);
}

/* One picture on its way. */
struct look {
    struct xl_verifier *verifier;
    const char *path;
    char *data; /* the file */
    size_t n;
    json_t *record;
    struct xl_image then, init;
    struct xl_arena arena;
    struct xl_cell cell;
    struct xl_origin origin;
    struct xl_verdict *verdict;
};

/* What is wrong with a picture is a finding; `why` of the verdict has the sentence. */
static enum xl_status found(struct look *look, enum xl_finding finding) {
    look->verdict->finding = finding;
    return XL_EPARTIAL;
}

static const char *text_at(const json_t *record, const char *key) {
    return json_string_value(json_object_get(record, key));
}

/* --- What is needed to draw it ---------------------------------------------------------------- */

/* The file, whether it is a picture of ours, and its record. */
static enum xl_status read_file(struct look *look) {
    const struct xl_read_rule rule = {XL_IMAGE_MAX_FILE_BYTES, XL_EMODEL, XL_EINPUT};
    struct xl_err *why = &look->verdict->why;
    struct xl_sheet_record sheet;
    char *text = NULL;
    enum xl_status status = xl_file_read(look->path, rule, &look->data, &look->n, why);
    if (status) return found(look, status == XL_EMODEL ? XL_MISSING : XL_DAMAGED);
    if (xl_record_find(look->path, look->data, look->n, &text, why)) return found(look, XL_DAMAGED);
    if (!text) {
        xl_fail(why, XL_EINPUT,
                "%s: there is no record in it: it was not made by sdxl-lab, or another program "
                "saved it again",
                look->path);
        return found(look, XL_NOT_OURS);
    }
    if (xl_sheet_record_parse(text, &sheet)) {
        free(text);
        return found(look, XL_SHEET);
    }
    status = xl_record_parse(text, look->path, &look->record, why);
    free(text);
    if (!status)
        status = xl_cell_from_record(look->record, look->path, &look->arena, &look->cell, why);
    if (!status) status = xl_image_decode(look->path, look->data, look->n, &look->then, why);
    return status ? found(look, XL_DAMAGED) : XL_OK;
}

static enum xl_status open_device(struct xl_verifier *verifier, const char *backend,
                                  struct xl_err *err) {
    struct xl_device_params params;
    xl_device_params_default(&params);
    /* What a GPU drew is compared on the CPU where there is no GPU: it may be near. */
    params.name = strcmp(backend, "cuda") ? backend : "auto";
    params.n_threads = verifier->settings.threads;
    return xl_device_open(&params, &verifier->device, err);
}

/* What the model and the device of a record are known by; malloc'd. */
static char *name_model(const struct look *look, const char *backend) {
    const struct xl_origin *origin = &look->origin;
    struct xl_str name = {0};
    xl_str_printf(&name, "%s %s %s %s", origin->model, origin->revision ? origin->revision : "",
                  backend, origin->vae ? origin->vae : "");
    for (int i = 0; i < origin->n_loras; i++)
        xl_str_printf(&name, " %s %.17g %.17g", origin->loras[i].file, origin->loras[i].text_scale,
                      origin->loras[i].unet_scale);
    return xl_str_take(&name);
}

/* Model and device of a record, opened unless they are those at hand. */
static enum xl_status open_model(struct look *look, struct xl_err *err) {
    struct xl_verifier *verifier = look->verifier;
    const char *id = look->origin.model, *commit = look->origin.revision;
    const char *backend = text_at(json_object_get(look->record, "drawn_by"), "device");
    if (!id || !backend) return xl_fail(err, XL_EINPUT, "its record names no model or device");
    if (look->origin.missing)
        return xl_fail(err, XL_EMODEL,
                       "the file of the LoRA \"%s\" that it was drawn with is not here, or was "
                       "changed; say where it is with --lora FILE",
                       look->origin.missing);
    char *name = name_model(look, backend);
    if (!name) return xl_fail_nomem(err, "a name", 0);
    if (verifier->model && !strcmp(verifier->name, name)) {
        free(name);
        return XL_OK;
    }
    close_model(verifier);
    verifier->name = name;
    struct xl_model_params params;
    xl_model_params_default(&params);
    params.model = id;
    params.revision = commit;
    params.vae = look->origin.vae;
    params.loras = look->origin.loras;
    params.n_loras = look->origin.n_loras;
    enum xl_status status = xl_model_open(&params, &verifier->model, err);
    if (!status) status = open_device(verifier, backend, err);
    if (status) close_model(verifier);
    if (status == XL_OK || look->origin.is_known || commit) return status;
    return xl_fail(err, XL_EMODEL,
                   "its model is a folder called \"%s\", and no run.json or job log beside the "
                   "picture says where that is; say it with --model",
                   id);
}

static enum xl_status settle_embeddings(struct look *look) {
    struct xl_err *why = &look->verdict->why;
    if (look->origin.missing_embedding) {
        xl_fail(why, XL_EMODEL,
                "the file of the embedding \"%s\" that it was drawn with is not here, or was "
                "changed; say where it is with --embedding FILE",
                look->origin.missing_embedding);
        return found(look, XL_NO_MODEL);
    }
    look->cell.embedding_files = look->origin.embedding_files;
    if (!xl_cell_settle_embeddings(&look->cell, look->path, &look->arena, why)) return XL_OK;
    return found(look, XL_DAMAGED);
}

static enum xl_status get_ready(struct look *look) {
    struct xl_err *why = &look->verdict->why;
    enum xl_status status = read_file(look);
    if (status) return status;
    if (look->cell.width != look->then.width || look->cell.height != look->then.height) {
        look->verdict->psnr = -1; /* nothing of that size is drawn for a file that is smaller */
        return found(look, XL_DIFFERENT);
    }
    if (xl_origin_find(look->verifier->origins, look->path, look->record, &look->arena,
                       &look->origin, why))
        return found(look, XL_NOT_DRAWN);
    if (look->origin.init_image) look->cell.init_image = look->origin.init_image;
    status = settle_embeddings(look);
    if (status) return status;
    status = open_model(look, why);
    if (status)
        return found(look, status == XL_EINPUT || status == XL_EINVAL ? XL_DAMAGED
                           : status == XL_ENOMEM                      ? XL_NOT_DRAWN
                                                                      : XL_NO_MODEL);
    if (xl_device_check_precision(look->verifier->device, look->cell.precision, NULL))
        look->cell.precision = XL_PRECISION_AUTO;
    if (look->cell.init_image && xl_cell_load_init(&look->cell, &look->init, why))
        return found(look, XL_NO_INIT);
    return XL_OK;
}

/* --- Drawing and comparing -------------------------------------------------------------------- */

/* Two computations of one picture that differ in roundings are much nearer than this, other
 * pictures of one prompt farther apart. */
static const double NEAR_DB = 20;

static enum xl_status judge(struct look *look, const struct xl_drawn_picture *drawn,
                            struct xl_err *err) {
    const struct xl_image *then = &look->then, *now = &drawn->image;
    json_t *record_now = NULL;
    struct xl_blame blame = {0};
    enum xl_status status = xl_record_parse(drawn->record, "the picture", &record_now, err);
    if (!status) status = xl_blame(look->record, record_now, &blame, err);
    json_decref(record_now);
    if (status) return status;
    size_t n = (size_t)then->width * (size_t)then->height * 3;
    struct xl_verdict *out = look->verdict;
    out->finding = XL_DIFFERENT;
    out->psnr = xl_image_psnr(then, now);
    out->notice = blame.text;
    if (!memcmp(then->pixels, now->pixels, n))
        out->finding = XL_SAME;
    else if (blame.text && !blame.is_of_request && out->psnr >= NEAR_DB)
        out->finding = XL_NEAR;
    return XL_OK;
}

/* A record that asks for more memory than there is must not take the machine down. */
static enum xl_status check_memory(struct look *look, const struct xl_request *request) {
    struct xl_need need;
    struct xl_err *why = &look->verdict->why;
    enum xl_status status =
        xl_model_need(look->verifier->device, look->verifier->model, request, &need, why);
    if (status) return status;
    int64_t work = request->vae_tile ? need.least_bytes : need.work_bytes;
    int64_t short_by = need.weight_bytes + work - need.available_bytes;
    if (short_by <= 0) return XL_OK;
    return xl_fail(why, XL_ENOMEM, "%d x %d needs %.3f GB more memory than there is",
                   request->width, request->height, (double)short_by / 1e9);
}

static enum xl_status draw_again(struct look *look, struct xl_err *err) {
    struct xl_verifier *verifier = look->verifier;
    struct xl_verdict *verdict = look->verdict;
    struct xl_picture picture;
    struct xl_request request;
    struct xl_result result = {0};
    xl_cell_request(&look->cell, &request, &picture);
    if (look->cell.init_image) request.init = &look->init;
    request.progress = verifier->progress;
    request.progress_user = verifier->user;
    enum xl_status status = check_memory(look, &request);
    if (!status)
        status = xl_generate(verifier->device, verifier->model, &request, &result, &verdict->why);
    if (status == XL_ECANCELLED)
        xl_fail(err, status, "%s", verdict->why.text);
    else if (status)
        status =
            found(look, status == XL_EINVAL || status == XL_EINPUT ? XL_DAMAGED : XL_NOT_DRAWN);
    else
        status = judge(look, &result.pictures[0], err);
    xl_result_free(&result);
    return status;
}

enum xl_status xl_verify(struct xl_verifier *verifier, const char *path, struct xl_verdict *out,
                         struct xl_err *err) {
    struct look look = {.verifier = verifier, .path = path, .verdict = out};
    *out = (struct xl_verdict){.finding = XL_DAMAGED};
    enum xl_status status = get_ready(&look);
    if (!status) status = draw_again(&look, err);
    json_decref(look.record);
    xl_image_free(&look.then);
    xl_image_free(&look.init);
    xl_arena_deinit(&look.arena);
    free(look.data);
    return status == XL_EPARTIAL ? XL_OK : status;
}
