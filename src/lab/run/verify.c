/* verify.c - a record back to a request. */
#include "lab/run/verify.h"

#include "base/json.h"
#include "base/sha256.h"
#include "base/str.h"
#include "image/image.h"

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
    const char *backend = text_at(record, "backend");
    if (!id || !backend) return xl_fail(err, XL_EINPUT, "its record names no model or backend");
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

/* Digests of all files of a description, one a line; files without one count by name and size. */
static char *digests_then(const json_t *components) {
    struct xl_str all = {0};
    size_t i, k;
    json_t *component, *file;
    json_array_foreach(components, i, component) {
        xl_str_printf(&all, "%s %lld\n", text_at(component, "name"),
                      (long long)json_integer_value(json_object_get(component, "bytes")));
        json_array_foreach(json_object_get(component, "files"), k, file) {
            const char *digest = text_at(file, "digest");
            if (digest) xl_str_printf(&all, "%s\n", digest);
        }
    }
    return xl_str_take(&all);
}

static char *digests_now(const struct xl_model_info *info) {
    struct xl_str all = {0};
    for (int i = 0; i < info->n_components; i++) {
        const struct xl_component_info *component = &info->components[i];
        xl_str_printf(&all, "%s %lld\n", component->name, (long long)component->bytes);
        for (int k = 0; k < component->n_files; k++)
            if (!component->files[k].is_fingerprint)
                xl_str_printf(&all, "%s\n", component->files[k].digest);
    }
    return xl_str_take(&all);
}

static enum xl_status check_weights(const struct xl_model *model, const json_t *record,
                                    struct xl_err *err) {
    char *then = digests_then(json_object_get(json_object_get(record, "model"), "components"));
    char *now = digests_now(xl_model_info(model));
    enum xl_status status = XL_OK;
    if (!then || !now)
        status = xl_fail_nomem(err, "digests", 0);
    else if (strcmp(then, now))
        status = xl_fail(err, XL_EMODEL,
                         "the model's weights are not those that the picture was drawn with");
    free(then);
    free(now);
    return status;
}

static enum xl_status load_init(const json_t *record, struct xl_image *init, struct xl_err *err) {
    const char *path = text_at(record, "init_image"), *digest = text_at(record, "init_digest");
    const char *mode = text_at(record, "mode");
    if (!mode || strcmp(mode, "img2img")) return XL_OK;
    if (!path || !digest)
        return xl_fail(err, XL_EINPUT, "its record does not name the picture that it started from");
    char now[XL_SHA256_HEX];
    enum xl_status status = xl_sha256_file(path, now, err);
    if (!status && strcmp(now, digest))
        status =
            xl_fail(err, XL_EINPUT, "%s is not the picture any more that it started from", path);
    return status ? status : xl_image_load(path, init, err);
}

static enum xl_status read_request(const json_t *record, struct xl_picture *picture,
                                   struct xl_request *request, struct xl_err *err) {
    struct xl_json json = {record, "its record"};
    enum { SIDE = 1 << 16 };
    const char *scheduler = text_at(record, "requested_scheduler"), *seed = text_at(record, "seed");
    const char *rng = text_at(record, "rng");
    if (!scheduler) scheduler = text_at(json_object_get(record, "scheduler"), "name");
    const char *precision = text_at(record, "precision");
    xl_request_default(request);
    request->pictures = picture;
    picture->prompt = text_at(record, "prompt");
    picture->negative = text_at(record, "negative");
    request->precision = precision && !strcmp(precision, "BF16") ? XL_PRECISION_BF16
                                                                 : XL_PRECISION_F32;
    request->scheduler = scheduler;
    request->rng = rng && !strcmp(rng, "torch-cuda") ? XL_RNG_TORCH_CUDA : XL_RNG_TORCH_CPU;
    if (!picture->prompt || !scheduler || !seed)
        return xl_fail(err, XL_EINPUT, "its record has no prompt, scheduler or seed");
    picture->seed = strtoull(seed, NULL, 10);
    enum xl_status status = xl_json_int(json, "width", 1, SIDE, &request->width, err);
    if (!status) status = xl_json_int(json, "height", 1, SIDE, &request->height, err);
    if (!status) status = xl_json_int(json, "steps", 1, SIDE, &request->steps, err);
    if (!status) status = xl_json_int(json, "vae_tile", 0, SIDE, &request->vae_tile, err);
    if (!status) status = xl_json_double(json, "guidance", 0, 1e6, &request->guidance, err);
    if (!status)
        status = xl_json_double(json, "guidance_rescale", 0, 1, &request->guidance_rescale, err);
    if (!status) status = xl_json_double(json, "strength", 0, 1, &request->strength, err);
    return status == XL_EFORMAT ? XL_EINPUT : status;
}

/* What differs between then and now that may differ in the pixels, too. */
static char *compare_records(const json_t *then, const char *now_text) {
    static const char *const keys[] = {"program", "isa"};
    json_t *now = json_loads(now_text, 0, NULL);
    struct xl_str notice = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *a = text_at(then, keys[i]), *b = text_at(now, keys[i]);
        if (a && b && strcmp(a, b))
            xl_str_printf(&notice, "%sdrawn by %s, now %s", notice.len ? "; " : "", a, b);
    }
    json_decref(now);
    if (notice.len) return xl_str_take(&notice);
    xl_str_deinit(&notice);
    return NULL;
}

static enum xl_status draw_again(struct xl_verifier *verifier, const json_t *record,
                                 const struct xl_image *then, struct xl_verdict *out,
                                 struct xl_err *err) {
    struct xl_picture picture = {0};
    struct xl_request request;
    struct xl_image init = {0};
    struct xl_result result = {0};
    enum xl_status status = read_request(record, &picture, &request, err);
    if (!status) status = open_model(verifier, record, err);
    if (!status) status = check_weights(verifier->model, record, err);
    if (!status) status = load_init(record, &init, err);
    if (init.pixels) request.init = &init;
    request.progress = verifier->progress;
    request.progress_user = verifier->user;
    if (!status) status = xl_generate(verifier->device, verifier->model, &request, &result, err);
    if (!status) {
        const struct xl_image *now = &result.pictures[0].image;
        size_t n = (size_t)then->width * (size_t)then->height * 3;
        bool same_size = then->width == now->width && then->height == now->height;
        *out = (struct xl_verdict){.is_same = same_size && !memcmp(then->pixels, now->pixels, n),
                                   .psnr = xl_image_psnr(then, now),
                                   .notice = compare_records(record, result.pictures[0].record)};
    }
    xl_image_free(&init);
    xl_result_free(&result);
    return status;
}

enum xl_status xl_verify(struct xl_verifier *verifier, const char *path, struct xl_verdict *out,
                         struct xl_err *err) {
    char *text = NULL;
    struct xl_image then = {0};
    enum xl_status status = xl_record_read(path, &text, err);
    if (!status) status = xl_image_load(path, &then, err);
    json_t *record = status ? NULL : json_loads(text, 0, NULL);
    if (!status && !record) status = xl_fail_nomem(err, "a record", 0);
    if (!status) {
        status = draw_again(verifier, record, &then, out, err);
        if (status) status = xl_fail_context(err, status, "%s", path);
    }
    json_decref(record);
    xl_image_free(&then);
    free(text);
    return status;
}
