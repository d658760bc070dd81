/* record.c - what is written into a picture: everything that decides its pixels as JSON, and the
 * same as AUTOMATIC1111's "parameters" text. */
#include "engine/engine.h"
#include "engine/inspect.h"

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

static json_t *describe_scheduler(const struct xl_job *job) {
    static const char *const spacings[] = {"leading", "trailing", "linspace"};
    static const char *const predictions[] = {"epsilon", "v_prediction", "sample"};
    const struct xl_scheduler_config *config = &job->scheduler;
    json_t *object = json_object();
    bool ok = true;
    xl_json_put(object, "name", json_string(xl_scheduler_name(config)), &ok);
    xl_json_put(object, "class", json_string(xl_scheduler_class(config)), &ok);
    xl_json_put(object, "sampler", json_string(xl_scheduler_a1111_name(config)), &ok);
    xl_json_put(object, "schedule_type", json_string(xl_scheduler_a1111_schedule(config)), &ok);
    xl_json_put(object, "timestep_spacing", json_string(spacings[config->spacing]), &ok);
    xl_json_put(object, "prediction_type", json_string(predictions[config->prediction]), &ok);
    xl_json_put(object, "model_calls", json_integer(job->schedule->n_steps), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_model(const struct xl_model *model) {
    json_t *object = json_object();
    bool ok = true;
    xl_json_put(object, "id", xl_json_text(model->snapshot.id), &ok);
    if (model->snapshot.commit)
        xl_json_put(object, "commit", json_string(model->snapshot.commit), &ok);
    xl_json_put(object, "components", xl_model_describe_components(model), &ok);
    return xl_json_finish(object, ok);
}

static const char *const engine_keys[] = {
    "program",          "mode",     "prompt",    "negative", "width",         "height",    "steps",
    "guidance",         "strength", "seed_base", "batch",    "rng",           "scheduler", "model",
    "backend",          "isa",      "precision", "vae_tile", "vae_precision", "seed",      "index",
    "guidance_rescale",
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

/* What differs from picture to picture. A picture with its own prompt is a batch of one. */
static bool set_picture(json_t *record, const struct xl_job *job, struct xl_picture picture) {
    bool ok = true;
    char seed[24]; /* as text: JSON readers lose digits of numbers above 2^53 */
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)picture.seed);
    xl_json_put(record, "prompt", xl_json_text(picture.prompt), &ok);
    xl_json_put(record, "negative", picture.negative ? xl_json_text(picture.negative) : json_null(),
                &ok);
    xl_json_put(record, "seed_base", json_string(seed), &ok);
    xl_json_put(record, "batch", json_integer(job->request->pictures ? 1 : job->request->batch),
                &ok);
    return ok;
}

/* The record without what the caller adds. Keys keep the place where they are first set. */
static json_t *describe_job(const struct xl_model *model, const struct xl_job *job) {
    const struct xl_request *request = job->request;
    json_t *record = json_object();
    bool ok = true;
    xl_json_put(record, "program", json_string("sdxl-lab " XL_VERSION), &ok);
    xl_json_put(record, "mode", json_string(request->init ? "img2img" : "txt2img"), &ok);
    xl_json_put(record, "prompt", json_null(), &ok);
    xl_json_put(record, "negative", json_null(), &ok);
    xl_json_put(record, "width", json_integer(job->width), &ok);
    xl_json_put(record, "height", json_integer(job->height), &ok);
    xl_json_put(record, "steps", json_integer(request->steps), &ok);
    xl_json_put(record, "guidance", json_real(request->guidance), &ok);
    xl_json_put(record, "guidance_rescale", json_real(request->guidance_rescale), &ok);
    if (request->init) xl_json_put(record, "strength", json_real(request->strength), &ok);
    xl_json_put(record, "seed_base", json_null(), &ok);
    xl_json_put(record, "batch", json_null(), &ok);
    xl_json_put(record, "rng", json_string(rng_name(request->rng)), &ok);
    xl_json_put(record, "scheduler", describe_scheduler(job), &ok);
    xl_json_put(record, "model", describe_model(model), &ok);
    xl_json_put(record, "backend", json_string(xl_backend_name(model->backend)), &ok);
    xl_json_put(record, "isa", json_string(xl_backend_isa(model->backend)), &ok);
    xl_json_put(record, "precision", json_string(xl_dtype_name(model->act_dtype)), &ok);
    xl_json_put(record, "vae_precision", json_string("F32"), &ok);
    xl_json_put(record, "vae_tile", json_integer(job->vae_tile * xl_vae_scale(&model->vae)), &ok);
    ok = set_picture(record, job, xl_job_picture(job, 0)) && ok;
    return xl_json_finish(record, ok);
}

/* The members of `extra` after those of the record. NULL: out of memory */
static char *dump_with(const json_t *record, const char *extra) {
    json_t *all = json_copy((json_t *)record);
    json_t *added = extra ? json_loads(extra, 0, NULL) : NULL;
    bool ok = all && (!extra || (added && !json_object_update(all, added)));
    char *text = ok ? json_dumps(all, JSON_COMPACT) : NULL;
    json_decref(added);
    json_decref(all);
    return text;
}

/* No time and no host in it: the same request gives the same bytes, so that a resumed sweep can be
 * compared with an uninterrupted one. */
enum xl_status xl_record_write(const struct xl_model *model, const struct xl_job *job,
                               struct xl_result *result, struct xl_err *err) {
    bool differ = job->request->pictures != NULL;
    xl_json_watch();
    json_t *record = describe_job(model, job);
    if (differ) result->records = calloc((size_t)result->n_images, sizeof *result->records);
    bool ok = record && (!differ || result->records);
    if (ok) result->record = dump_with(record, xl_job_picture(job, 0).extra);
    ok = ok && result->record;
    for (int i = 0; ok && differ && i < result->n_images; i++) {
        struct xl_picture picture = xl_job_picture(job, i);
        ok = set_picture(record, job, picture);
        if (ok) result->records[i] = dump_with(record, picture.extra);
        ok = ok && result->records[i];
    }
    json_decref(record);
    return ok && !xl_json_ran_out() ? XL_OK : xl_fail_nomem(err, "the record", 0);
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

static enum xl_status encode_with_texts(const struct xl_image *image, const char *parameters,
                                        const char *record, void **data, size_t *n,
                                        struct xl_err *err) {
    if (!parameters || !record) return xl_fail_nomem(err, "the record", 0);
    const struct xl_png_text texts[] = {{"parameters", parameters, NULL},
                                        {RECORD_KEYWORD, record, NULL}};
    return xl_png_encode(image, texts, 2, data, n, err);
}

/* The record of one picture, with the seed and the index that follow from it. */
static enum xl_status picture_record(const struct xl_result *result, int image, json_t **out,
                                     struct xl_err *err) {
    if (image < 0 || image >= result->n_images)
        return xl_fail(err, XL_EINVAL, "there is no picture %d of %d", image, result->n_images);
    xl_json_watch();
    json_t *record = json_loads(result->records ? result->records[image] : result->record, 0, NULL);
    int index = result->records ? 0 : image;
    bool ok = record != NULL;
    char seed[24];
    unsigned long long base = strtoull(string_at(record, "seed_base"), NULL, 10);
    snprintf(seed, sizeof seed, "%llu", base + (unsigned long long)index);
    xl_json_put(record, "seed", json_string(seed), &ok);
    xl_json_put(record, "index", json_integer(index), &ok);
    record = xl_json_finish(record, ok);
    if (!record) return xl_fail_nomem(err, "the record", 0);
    *out = record;
    return XL_OK;
}

enum xl_status xl_result_record(const struct xl_result *result, int image, char **record,
                                struct xl_err *err) {
    json_t *object;
    enum xl_status status = picture_record(result, image, &object, err);
    if (status) return status;
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (!text || xl_json_ran_out()) {
        free(text);
        return xl_fail_nomem(err, "the record", 0);
    }
    *record = text;
    return XL_OK;
}

enum xl_status xl_result_save_png(const struct xl_result *result, int image, const char *path,
                                  struct xl_err *err) {
    json_t *record;
    enum xl_status status = picture_record(result, image, &record, err);
    if (status) return status;
    char *parameters = write_infotext(record), *text = json_dumps(record, JSON_COMPACT);
    json_decref(record);
    void *data = NULL;
    size_t n = 0;
    if (xl_json_ran_out()) status = xl_fail_nomem(err, "the record", 0);
    if (!status)
        status = encode_with_texts(&result->images[image], parameters, text, &data, &n, err);
    if (!status) status = xl_file_write_new(path, data, n, NULL, err);
    free(parameters);
    free(text);
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
