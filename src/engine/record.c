/* record.c - what is written into a picture: everything that decides its pixels as JSON, and the
 * same as AUTOMATIC1111's "parameters" text. */
#include "engine/engine.h"

#include "base/file.h"
#include "base/json.h"
#include "image/image.h"
#include "image/infotext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char RECORD_KEYWORD[] = "sdxl-lab"; /* of the PNG text chunk */

static const char *rng_name(enum xl_rng rng) {
    return rng == XL_RNG_TORCH_CUDA ? "torch-cuda" : "torch-cpu";
}

static json_t *describe_scheduler(const struct xl_drawing *drawing) {
    static const char *const spacings[] = {"leading", "trailing", "linspace"};
    static const char *const predictions[] = {"epsilon", "v_prediction", "sample"};
    const struct xl_scheduler_config *config = &drawing->scheduler;
    json_t *object = json_object();
    bool ok = true;
    xl_json_put(object, "name", json_string(xl_scheduler_name(config)), &ok);
    xl_json_put(object, "class", json_string(xl_scheduler_class(config)), &ok);
    xl_json_put(object, "sampler", json_string(xl_scheduler_a1111_name(config)), &ok);
    xl_json_put(object, "schedule_type", json_string(xl_scheduler_a1111_schedule(config)), &ok);
    xl_json_put(object, "timestep_spacing", json_string(spacings[config->spacing]), &ok);
    xl_json_put(object, "prediction_type", json_string(predictions[config->prediction]), &ok);
    xl_json_put(object, "model_calls", json_integer(drawing->schedule->n_steps), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_files(const struct xl_component_info *component) {
    json_t *array = json_array();
    bool ok = true;
    for (int i = 0; i < component->n_files; i++) {
        const struct xl_file_info *info = &component->files[i];
        json_t *file = json_object();
        xl_json_put(file, "path", xl_json_text(info->path), &ok);
        xl_json_put(file, info->is_fingerprint ? "fingerprint" : "digest",
                    json_string(info->digest), &ok);
        if (json_array_append_new(array, file)) ok = false;
    }
    return xl_json_finish(array, ok);
}

static json_t *describe_components(const struct xl_model_info *info) {
    json_t *components = json_array();
    bool ok = true;
    for (int i = 0; i < info->n_components; i++) {
        const struct xl_component_info *component = &info->components[i];
        json_t *object = json_object();
        xl_json_put(object, "name", json_string(component->name), &ok);
        xl_json_put(object, "parameters", json_integer(component->n_parameters), &ok);
        xl_json_put(object, "dtype", json_string(component->dtype), &ok);
        xl_json_put(object, "bytes", json_integer(component->bytes), &ok);
        xl_json_put(object, "files", describe_files(component), &ok);
        if (json_array_append_new(components, object)) ok = false;
    }
    return xl_json_finish(components, ok);
}

static json_t *describe_model(const struct xl_model_info *info) {
    json_t *object = json_object();
    bool ok = true;
    xl_json_put(object, "id", xl_json_text(info->id), &ok);
    if (info->commit) xl_json_put(object, "commit", json_string(info->commit), &ok);
    xl_json_put(object, "digest", json_string(info->digest), &ok);
    xl_json_put(object, "components", describe_components(info), &ok);
    return xl_json_finish(object, ok);
}

static const char *const engine_keys[] = {
    "program",   "mode",      "prompt",        "negative",         "width",
    "height",    "steps",     "guidance",      "strength",         "seed",
    "rng",       "scheduler", "model",         "backend",          "isa",
    "precision", "vae_tile",  "vae_precision", "guidance_rescale",
};

enum xl_status xl_record_check_extra(const char *extra, struct xl_err *err) {
    if (!extra) return XL_OK;
    json_error_t error;
    xl_json_watch();
    json_t *object = json_loads(extra, JSON_REJECT_DUPLICATES, &error);
    enum xl_status status = XL_OK;
    if (xl_json_ran_out())
        status = xl_fail_nomem(err, "the record", 0);
    else if (!json_is_object(object))
        status = xl_fail(err, XL_EINVAL, "extra: expected a JSON object%s%s",
                         object ? "" : "; found: ", object ? "" : error.text);
    for (size_t i = 0; !status && i < sizeof engine_keys / sizeof *engine_keys; i++)
        if (json_object_get(object, engine_keys[i]))
            status = xl_fail(err, XL_EINVAL, "extra: \"%s\" is a key of the engine's own record",
                             engine_keys[i]);
    json_decref(object);
    return status;
}

/* The record of one picture without what the caller adds. */
static json_t *describe(const struct xl_drawing *drawing, const struct xl_picture *picture) {
    const struct xl_request *request = drawing->request;
    const struct xl_device_info *device = &drawing->device->info;
    json_t *record = json_object();
    bool ok = true;
    char seed[24]; /* as text: JSON readers lose digits of numbers above 2^53 */
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)picture->seed);
    xl_json_put(record, "program", json_string("sdxl-lab " XL_VERSION), &ok);
    xl_json_put(record, "mode", json_string(request->init ? "img2img" : "txt2img"), &ok);
    xl_json_put(record, "prompt", xl_json_text(picture->prompt), &ok);
    xl_json_put(record, "negative", xl_json_text(picture->negative), &ok);
    xl_json_put(record, "width", json_integer(drawing->width), &ok);
    xl_json_put(record, "height", json_integer(drawing->height), &ok);
    xl_json_put(record, "steps", json_integer(request->steps), &ok);
    xl_json_put(record, "guidance", json_real(request->guidance), &ok);
    xl_json_put(record, "guidance_rescale", json_real(request->guidance_rescale), &ok);
    if (request->init) xl_json_put(record, "strength", json_real(request->strength), &ok);
    xl_json_put(record, "seed", json_string(seed), &ok);
    xl_json_put(record, "rng", json_string(rng_name(request->rng)), &ok);
    xl_json_put(record, "scheduler", describe_scheduler(drawing), &ok);
    xl_json_put(record, "model", describe_model(&drawing->model->info), &ok);
    xl_json_put(record, "backend", json_string(device->name), &ok);
    xl_json_put(record, "isa", json_string(device->isa), &ok);
    xl_json_put(record, "precision", json_string(xl_dtype_name(drawing->act_dtype)), &ok);
    xl_json_put(record, "vae_precision", json_string("F32"), &ok);
    xl_json_put(record, "vae_tile",
                json_integer(drawing->vae_tile * xl_vae_scale(&drawing->model->vae)), &ok);
    return xl_json_finish(record, ok);
}

static const char *string_at(const json_t *record, const char *key) {
    const char *text = json_string_value(json_object_get(record, key));
    return text ? text : "";
}

/* The first ten digits of the UNet file's digest, which A1111 calls the model's hash. */
static void model_hash(const json_t *record, char out[11]) {
    const json_t *components = json_object_get(json_object_get(record, "model"), "components");
    const json_t *files = json_object_get(json_array_get(components, XL_UNET), "files");
    snprintf(out, 11, "%.10s", string_at(json_array_get(files, 0), "digest"));
}

/* "WxH" of two members of the record; "" when one is no integer. */
static void write_size(const json_t *record, const char *width, const char *height, char out[48]) {
    const json_t *w = json_object_get(record, width), *h = json_object_get(record, height);
    out[0] = 0;
    if (json_is_integer(w) && json_is_integer(h))
        snprintf(out, 48, "%lldx%lld", (long long)json_integer_value(w),
                 (long long)json_integer_value(h));
}

/* The "parameters" text of one picture. */
static char *write_infotext(const json_t *record) {
    const json_t *scheduler = json_object_get(record, "scheduler");
    char steps[16], guidance[32], size[48], requested[48], strength[32], hash[11];
    snprintf(steps, sizeof steps, "%lld",
             (long long)json_integer_value(json_object_get(record, "steps")));
    snprintf(guidance, sizeof guidance, "%g",
             json_number_value(json_object_get(record, "guidance")));
    write_size(record, "width", "height", size);
    write_size(record, "requested_width", "requested_height", requested);
    snprintf(strength, sizeof strength, "%g",
             json_number_value(json_object_get(record, "strength")));
    model_hash(record, hash);
    const struct xl_info_pair candidates[] = {
        {"Steps", steps},
        {"Sampler", string_at(scheduler, "sampler")},
        {"Schedule type", string_at(scheduler, "schedule_type")},
        {"CFG scale", guidance},
        {"Seed", string_at(record, "seed")},
        {"Size", size},
        {"Model hash", hash},
        {"Model", string_at(json_object_get(record, "model"), "id")},
        {"Denoising strength", json_object_get(record, "strength") ? strength : ""},
        {"RNG", strcmp(string_at(record, "rng"), "torch-cpu") ? "" : "CPU"},
        {"Timestep spacing", string_at(scheduler, "timestep_spacing")},
        {"Precision", string_at(record, "precision")},
        {"Style profile", string_at(record, "profile")},
        {"Requested size", strcmp(requested, size) ? requested : ""},
        {"Version", string_at(record, "program")},
    };
    enum { N = sizeof candidates / sizeof *candidates };
    struct xl_info_pair pairs[N];
    int n = 0;
    for (int i = 0; i < N; i++)
        if (candidates[i].value[0]) pairs[n++] = candidates[i];
    struct xl_infotext info = {string_at(record, "prompt"), string_at(record, "negative"), pairs,
                               n};
    return xl_infotext_write(&info);
}

/* No time and no host in it: the same request gives the same bytes, so that a resumed sweep can be
 * compared with an uninterrupted one. */
static bool write_one(const struct xl_drawing *drawing, const struct xl_picture *picture,
                      struct xl_drawn_picture *drawn) {
    json_t *record = describe(drawing, picture);
    json_t *added = picture->extra ? json_loads(picture->extra, 0, NULL) : NULL;
    bool ok = record && (!picture->extra || (added && !json_object_update(record, added)));
    if (ok) drawn->record = json_dumps(record, JSON_COMPACT);
    if (ok) drawn->parameters = write_infotext(record);
    json_decref(added);
    json_decref(record);
    return ok && drawn->record && drawn->parameters;
}

enum xl_status xl_record_write(const struct xl_drawing *drawing, struct xl_result *result,
                               struct xl_err *err) {
    xl_json_watch();
    bool ok = true;
    for (int i = 0; ok && i < result->n_pictures; i++)
        ok = write_one(drawing, &drawing->request->pictures[i], &result->pictures[i]);
    return ok && !xl_json_ran_out() ? XL_OK : xl_fail_nomem(err, "the record", 0);
}

enum xl_status xl_result_save_png(const struct xl_result *result, int i, const char *path,
                                  struct xl_err *err) {
    if (i < 0 || i >= result->n_pictures)
        return xl_fail(err, XL_EINVAL, "there is no picture %d of %d", i, result->n_pictures);
    const struct xl_drawn_picture *drawn = &result->pictures[i];
    const struct xl_png_text texts[] = {{"parameters", drawn->parameters, NULL},
                                        {RECORD_KEYWORD, drawn->record, NULL}};
    void *data = NULL;
    size_t n = 0;
    enum xl_status status = xl_png_encode(&drawn->image, texts, 2, &data, &n, err);
    if (!status) status = xl_file_write_new(path, data, n, NULL, err);
    free(data);
    return status;
}

/* The record among the texts of a PNG. */
static enum xl_status find_record(const char *path, const struct xl_png_text *texts, int n_texts,
                                  char **record, struct xl_err *err) {
    int i = 0;
    while (i < n_texts && strcmp(texts[i].keyword, RECORD_KEYWORD) != 0) i++;
    if (i == n_texts)
        return xl_fail(err, XL_EINPUT,
                       "%s: no record in this PNG file: it was not made by sdxl-lab, or another "
                       "program saved it again",
                       path);
    if (texts[i].damage)
        return xl_fail(err, XL_EINPUT, "%s: the record in this PNG file is damaged: its chunk %s",
                       path, texts[i].damage);
    xl_json_watch();
    json_t *object = json_loads(texts[i].text, JSON_REJECT_DUPLICATES, NULL);
    enum xl_status status = XL_OK;
    if (xl_json_ran_out())
        status = xl_fail_nomem(err, path, 0);
    else if (!json_is_object(object))
        status = xl_fail(err, XL_EINPUT, "%s: the record in this PNG file is no JSON object", path);
    json_decref(object);
    if (status) return status;
    *record = strdup(texts[i].text);
    return *record ? XL_OK : xl_fail_nomem(err, path, 0);
}

enum xl_status xl_record_read(const char *path, char **record, struct xl_err *err) {
    struct xl_read_rule rule = {XL_IMAGE_MAX_FILE_BYTES, XL_EINPUT, XL_EINPUT};
    char *data = NULL, *text = NULL;
    size_t n;
    struct xl_png_text *texts = NULL;
    int n_texts;
    enum xl_status status = xl_file_read(path, rule, &data, &n, err);
    if (!status) status = xl_png_texts(path, data, n, &texts, &n_texts, err);
    if (!status) status = find_record(path, texts, n_texts, &text, err);
    free(texts);
    free(data);
    if (!status) *record = text;
    return status;
}
