/* generate.c - sdxl-lab generate: pictures from a prompt, saved with their record. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "lab/filename.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static uint64_t random_seed(void) {
    uint32_t seed; /* 32 bits: what other tools can enter as a seed */
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = (uint32_t)(xl_now_s() * 1e6);
    return seed;
}

/* What the log shows while a command runs: warnings go above the progress line. */
static void print_warnings(const char *warnings) {
    for (const char *line = warnings; *line;) {
        const char *end = strchr(line, '\n');
        int n = end ? (int)(end - line) : (int)strlen(line);
        xl_warn("%.*s", n, line);
        line += n + (end != NULL);
    }
}

/* Save picture i under the first free number; the path is malloc'd. */
static enum xl_status save_picture(const struct xl_settings *settings,
                                   const struct xl_result *result, int i, const char *stamp,
                                   char **path, struct xl_err *err) {
    struct xl_output_name name = {
        .stamp = stamp, .prompt = settings->prompt, .seed = settings->seed + (uint64_t)i};
    for (name.index = 0;; name.index++) {
        char file[XL_OUTPUT_NAME_MAX];
        xl_output_name(&name, file);
        char *candidate = xl_path_join(settings->output_dir, file);
        if (!candidate) return xl_fail_nomem(err, "a path", 0);
        /* A name that is taken (a run in the same second) is skipped; the save itself never
         * replaces a file, so losing a race ends in a sentence, not in a lost picture. */
        enum xl_status status = XL_OK;
        if (access(candidate, F_OK) != 0) {
            status = xl_result_save_png(result, i, candidate, err);
            if (!status) {
                *path = candidate;
                return XL_OK;
            }
        }
        bool taken = access(candidate, F_OK) == 0;
        free(candidate);
        if (!taken) return status;
    }
}

static json_t *describe_picture(const struct xl_settings *settings, const struct xl_image *image,
                                int i, const char *path) {
    json_t *object = json_object();
    json_object_set_new(object, "path", json_string(path));
    json_object_set_new(object, "seed", json_integer((json_int_t)(settings->seed + (uint64_t)i)));
    json_object_set_new(object, "width", json_integer(image->width));
    json_object_set_new(object, "height", json_integer(image->height));
    return object;
}

static enum xl_status save_all(const struct xl_settings *settings, const struct xl_result *result,
                               json_t *pictures, struct xl_err *err) {
    char stamp[16];
    xl_stamp_utc(stamp);
    for (int i = 0; i < result->n_images; i++) {
        char *path = NULL;
        enum xl_status status = save_picture(settings, result, i, stamp, &path, err);
        if (status) return status;
        json_array_append_new(pictures, describe_picture(settings, &result->images[i], i, path));
        if (!settings->json) printf("%s\n", path);
        free(path);
    }
    return XL_OK;
}

static json_t *describe_run(const struct xl_result *result, json_t *pictures, double total_s) {
    json_t *document = json_object(), *record = json_loads(result->record, 0, NULL);
    json_object_set(document, "images", pictures);
    json_object_set_new(document, "encode_s", json_real(result->encode_s));
    json_object_set_new(document, "sample_s", json_real(result->sample_s));
    json_object_set_new(document, "decode_s", json_real(result->decode_s));
    json_object_set_new(document, "total_s", json_real(total_s));
    json_object_set_new(document, "evaluations", json_integer(result->n_evaluations));
    json_object_set_new(document, "warnings", json_string(result->warnings));
    json_object_set_new(document, "record", record);
    return document;
}

static enum xl_status report_run(const struct xl_settings *settings, const struct xl_result *result,
                                 json_t *pictures, double start_s, struct xl_err *err) {
    double total_s = xl_now_s() - start_s;
    xl_info("text %.2f s, %d evaluations %.2f s, decoding %.2f s, %.2f s in all", result->encode_s,
            result->n_evaluations, result->sample_s, result->decode_s, total_s);
    if (!settings->json) return XL_OK;
    json_t *document = describe_run(result, pictures, total_s);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

static enum xl_status open_model(const struct xl_settings *settings, struct xl_progress *progress,
                                 struct xl_model **model, struct xl_err *err) {
    struct xl_model_params params;
    xl_model_params_default(&params);
    params.model = settings->model;
    params.revision = settings->revision;
    params.precision = (enum xl_precision)settings->precision;
    params.n_threads = settings->threads;
    params.use_reference_backend = settings->device == XL_DEVICE_REFERENCE;
    params.progress = xl_progress_update;
    params.progress_user = progress;
    return xl_model_open(&params, model, err);
}

/* The output folder is tried first: a night's work must not end in "cannot write". */
static enum xl_status check_output_dir(const char *dir, struct xl_err *err) {
    enum xl_status status = xl_dir_create(dir, err);
    if (!status && access(dir, W_OK | X_OK))
        status = xl_fail(err, XL_EDISK, "%s: the output directory cannot be written to", dir);
    return status;
}

static struct xl_request to_request(const struct xl_settings *settings,
                                    const struct xl_image *init) {
    return (struct xl_request){
        .prompt = settings->prompt,
        .negative = settings->negative,
        .width = settings->width,
        .height = settings->height,
        .steps = settings->steps,
        .guidance = settings->guidance,
        .guidance_rescale = settings->guidance_rescale,
        .seed = settings->seed,
        .batch = settings->batch,
        .scheduler = settings->scheduler,
        .rng = (enum xl_rng)settings->rng,
        .init = init->pixels ? init : NULL,
        .strength = settings->strength,
        .vae_tile = settings->vae_tile,
    };
}

static enum xl_status generate(const struct xl_settings *given, struct xl_err *err) {
    struct xl_settings settings = *given;
    double start_s = xl_now_s();
    if (!settings.model)
        return xl_fail(
            err, XL_EINVAL,
            "--model: missing; expected a repository in the cache (org/name) or a folder");
    if (!settings.prompt)
        return xl_fail(err, XL_EINVAL, "--prompt: missing; expected what to draw");
    if (!settings.has_seed) settings.seed = random_seed();

    struct xl_progress progress;
    struct xl_model *model = NULL;
    struct xl_image init = {0};
    struct xl_result result = {0};
    json_t *pictures = json_array();
    xl_progress_init(&progress, settings.quiet);
    enum xl_status status = check_output_dir(settings.output_dir, err);
    if (!status && settings.init_image) status = xl_image_load(settings.init_image, &init, err);
    if (!status) status = open_model(&settings, &progress, &model, err);
    if (!status) {
        struct xl_request request = to_request(&settings, &init);
        status = xl_generate(model, &request, &result, err);
    }
    xl_progress_end(&progress);
    if (!status) print_warnings(result.warnings);
    if (!status) status = save_all(&settings, &result, pictures, err);
    if (!status) status = report_run(&settings, &result, pictures, start_s, err);
    json_decref(pictures);
    xl_result_free(&result);
    xl_image_free(&init);
    xl_model_close(model);
    return status;
}

const struct xl_command xl_command_generate = {
    .name = "generate",
    .summary = "draw pictures from a prompt, or from a prompt and a picture",
    .usage = "--model ID|DIR --prompt TEXT [OPTIONS]",
    .commands = XL_FOR_GENERATE,
    .epilogue =
        "Each picture's path goes to standard output. Exit codes: 0 done, 2 wrong usage or "
        "input,\n3 the picture failed (memory, not a number), 5 model missing or damaged, 6 "
        "cannot write,\n130 interrupted, 1 internal error.",
    .run = generate,
};
