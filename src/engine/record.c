/* record.c - what is written into a picture: everything that decides its pixels as JSON, and the
 * same as AUTOMATIC1111's "parameters" text. */
#include "engine/engine.h"
#include "engine/inspect.h"

#include "base/file.h"
#include "image/image.h"
#include "image/infotext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *rng_name(enum xl_rng rng) {
    return rng == XL_RNG_TORCH_CUDA ? "torch-cuda" : "torch-cpu";
}

/* Text that may not be UTF-8 (a prompt from the command line) still gets into the record: every
 * byte that is not becomes U+FFFD, as it does for the tokenizer. */
static json_t *json_of_text(const char *text) {
    struct xl_str clean = {0};
    for (size_t n = strlen(text), i = 0; i < n;) {
        int len = xl_utf8_len(text + i, n - i);
        xl_str_append(&clean, len ? text + i : "\xEF\xBF\xBD", len ? (size_t)len : 3);
        i += len ? (size_t)len : 1;
    }
    char *utf8 = xl_str_take(&clean);
    json_t *string = utf8 ? json_string(utf8) : NULL;
    free(utf8);
    return string;
}

static json_t *describe_scheduler(const struct xl_job *job) {
    static const char *const spacings[] = {"leading", "trailing", "linspace"};
    static const char *const predictions[] = {"epsilon", "v_prediction", "sample"};
    const struct xl_scheduler_config *config = &job->scheduler;
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(xl_scheduler_name(config)));
    json_object_set_new(object, "class", json_string(xl_scheduler_class(config)));
    json_object_set_new(object, "sampler", json_string(xl_scheduler_a1111_name(config)));
    json_object_set_new(object, "schedule_type", json_string(xl_scheduler_a1111_schedule(config)));
    json_object_set_new(object, "timestep_spacing", json_string(spacings[config->spacing]));
    json_object_set_new(object, "prediction_type", json_string(predictions[config->prediction]));
    json_object_set_new(object, "model_calls", json_integer(job->schedule->n_steps));
    return object;
}

static json_t *describe_model(const struct xl_model *model) {
    json_t *object = json_object();
    json_object_set_new(object, "id", json_string(model->snapshot.id));
    if (model->snapshot.commit)
        json_object_set_new(object, "commit", json_string(model->snapshot.commit));
    json_object_set_new(object, "components", xl_model_describe_components(model));
    return object;
}

/* No time and no host in it: the same request gives the same bytes, so that a resumed sweep can be
 * compared with an uninterrupted one. */
char *xl_record_write(const struct xl_model *model, const struct xl_job *job) {
    const struct xl_request *request = job->request;
    json_t *record = json_object();
    json_object_set_new(record, "program", json_string("sdxl-lab " XL_VERSION));
    json_object_set_new(record, "mode", json_string(request->init ? "img2img" : "txt2img"));
    json_object_set_new(record, "prompt", json_of_text(request->prompt));
    json_object_set_new(record, "negative",
                        request->negative ? json_of_text(request->negative) : json_null());
    json_object_set_new(record, "width", json_integer(job->width));
    json_object_set_new(record, "height", json_integer(job->height));
    json_object_set_new(record, "steps", json_integer(request->steps));
    json_object_set_new(record, "guidance", json_real(request->guidance));
    json_object_set_new(record, "guidance_rescale", json_real(request->guidance_rescale));
    if (request->init) json_object_set_new(record, "strength", json_real(request->strength));
    char seed[24]; /* as text: JSON readers lose digits of numbers above 2^53 */
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)request->seed);
    json_object_set_new(record, "seed_base", json_string(seed));
    json_object_set_new(record, "batch", json_integer(request->batch));
    json_object_set_new(record, "rng", json_string(rng_name(request->rng)));
    json_object_set_new(record, "scheduler", describe_scheduler(job));
    json_object_set_new(record, "model", describe_model(model));
    json_object_set_new(record, "backend", json_string(xl_backend_name(model->backend)));
    json_object_set_new(record, "isa", json_string(xl_backend_isa(model->backend)));
    json_object_set_new(record, "precision", json_string(xl_dtype_name(model->act_dtype)));
    json_object_set_new(record, "vae_precision", json_string("F32"));
    json_object_set_new(record, "vae_tile",
                        json_integer(job->vae_tile * xl_vae_scale(&model->vae)));
    char *text = json_dumps(record, JSON_COMPACT);
    json_decref(record);
    return text;
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

/* The "parameters" text of one picture. */
static char *write_infotext(const json_t *record, const char *seed) {
    const json_t *scheduler = json_object_get(record, "scheduler");
    char steps[16], guidance[32], size[32], strength[32], hash[11];
    snprintf(steps, sizeof steps, "%lld",
             (long long)json_integer_value(json_object_get(record, "steps")));
    snprintf(guidance, sizeof guidance, "%g",
             json_number_value(json_object_get(record, "guidance")));
    snprintf(size, sizeof size, "%lldx%lld",
             (long long)json_integer_value(json_object_get(record, "width")),
             (long long)json_integer_value(json_object_get(record, "height")));
    snprintf(strength, sizeof strength, "%g",
             json_number_value(json_object_get(record, "strength")));
    model_hash(record, hash);
    const struct xl_info_pair candidates[] = {
        {"Steps", steps},
        {"Sampler", string_at(scheduler, "sampler")},
        {"Schedule type", string_at(scheduler, "schedule_type")},
        {"CFG scale", guidance},
        {"Seed", seed},
        {"Size", size},
        {"Model hash", hash},
        {"Model", string_at(json_object_get(record, "model"), "id")},
        {"Denoising strength", json_object_get(record, "strength") ? strength : ""},
        {"RNG", strcmp(string_at(record, "rng"), "torch-cpu") ? "" : "CPU"},
        {"Timestep spacing", string_at(scheduler, "timestep_spacing")},
        {"Precision", string_at(record, "precision")},
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
    const struct xl_png_text texts[] = {{"parameters", parameters}, {"sdxl-lab", record}};
    return xl_png_encode(image, texts, 2, data, n, err);
}

enum xl_status xl_result_save_png(const struct xl_result *result, int image, const char *path,
                                  struct xl_err *err) {
    if (image < 0 || image >= result->n_images)
        return xl_fail(err, XL_EINVAL, "there is no picture %d of %d", image, result->n_images);
    json_t *record = json_loads(result->record, 0, NULL);
    if (!record) return xl_fail_nomem(err, "the record", 0);
    char seed[24];
    unsigned long long base = strtoull(string_at(record, "seed_base"), NULL, 10);
    snprintf(seed, sizeof seed, "%llu", base + (unsigned long long)image);
    json_object_set_new(record, "seed", json_string(seed));
    json_object_set_new(record, "index", json_integer(image));
    char *parameters = write_infotext(record, seed), *text = json_dumps(record, JSON_COMPACT);
    json_decref(record);
    void *data = NULL;
    size_t n = 0;
    enum xl_status status =
        encode_with_texts(&result->images[image], parameters, text, &data, &n, err);
    if (!status) status = xl_file_write_new(path, data, n, NULL, err);
    free(parameters);
    free(text);
    free(data);
    return status;
}
