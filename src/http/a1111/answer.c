/* answer.c - what txt2img and img2img answer, from the pictures of a job. Keeps no state. */
#include "http/a1111/parts.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "image/image.h"
#include "image/infotext.h"
#include "image/metadata.h"
#include "lab/cell/cell_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A picture that was drawn. */
struct drawn {
    json_t *record;
    char *infotext;
    struct xl_str base64;
    uint64_t seed;
};

/* --- Reading ---------------------------------------------------------------------------------- */

static void drawn_deinit(struct drawn *drawn) {
    json_decref(drawn->record);
    free(drawn->infotext);
    xl_str_deinit(&drawn->base64);
}

static enum xl_status read_texts(const char *path, const char *bytes, size_t n, struct drawn *out,
                                 struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_metadata metadata;
    enum xl_status status = xl_metadata_read(path, bytes, n, &arena, &metadata, err);
    const char *record = status ? NULL : xl_metadata_find(&metadata, XL_PNG_RECORD);
    const char *infotext = status ? NULL : xl_metadata_find(&metadata, "parameters");
    if (!status && (!record || !infotext))
        status = xl_fail(err, XL_EDISK, "a picture that was drawn has lost its record");
    if (!status) status = xl_record_parse(record, "the record of a picture", &out->record, err);
    if (!status) out->infotext = strdup(infotext);
    if (!status && !out->infotext) status = xl_fail_nomem(err, "a text", 0);
    if (!status) (void)xl_json_read_seed(json_object_get(out->record, "seed"), &out->seed);
    xl_arena_deinit(&arena);
    return status;
}

/* The file as it is on the disk: with that program's text in it, and our record. */
static enum xl_status read_picture(const char *path, bool with_image, struct drawn *out,
                                   struct xl_err *err) {
    const struct xl_read_rule rule = {XL_IMAGE_MAX_FILE_BYTES, XL_EDISK, XL_EDISK};
    char *bytes = NULL;
    size_t n = 0;
    struct xl_err why = {0};
    if (xl_file_read(path, rule, &bytes, &n, &why))
        return xl_fail(err, XL_EDISK, "a picture that was drawn is not there any more");
    enum xl_status status = read_texts(path, bytes, n, out, err);
    if (!status && with_image) xl_base64_put(&out->base64, bytes, n);
    free(bytes);
    return !status && out->base64.failed ? xl_fail_nomem(err, "a picture", n) : status;
}

/* The job has them in the order in which they were done. */
static int by_seed(const void *a, const void *b) {
    uint64_t x = ((const struct drawn *)a)->seed, y = ((const struct drawn *)b)->seed;
    return (x > y) - (x < y);
}

/* Several places may have drawn what a skip then had drawn again: of each seed one is told. The
 * others go to the end. Returns how many are told. */
static int sort(struct drawn *drawn, int n) {
    int n_told = 0;
    qsort(drawn, (size_t)n, sizeof *drawn, by_seed);
    for (int i = 0; i < n; i++) {
        if (n_told && drawn[n_told - 1].seed == drawn[i].seed) continue;
        struct drawn other = drawn[n_told];
        drawn[n_told++] = drawn[i];
        drawn[i] = other;
    }
    return n_told;
}

/* --- Info ------------------------------------------------------------------------------------- */

/* A list of what each picture says. */
static json_t *list_of(const struct drawn *drawn, int n, const char *key) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < n; i++) {
        const char *text = json_string_value(json_object_get(drawn[i].record, key));
        ok = !json_array_append_new(list, json_string(text ? text : ""));
    }
    return xl_json_finish(list, ok);
}

static json_t *seeds_of(const struct drawn *drawn, int n) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < n; i++)
        ok = !json_array_append_new(list, json_integer((json_int_t)drawn[i].seed));
    return xl_json_finish(list, ok);
}

static json_t *infotexts_of(const struct drawn *drawn, int n) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < n; i++)
        ok = !json_array_append_new(list, json_string(drawn[i].infotext));
    return xl_json_finish(list, ok);
}

/* Of the first picture's text. */
struct told {
    struct xl_arena arena;
    struct xl_infotext info;
};

static json_t *told(const struct told *told, const char *key) {
    for (int i = 0; i < told->info.n_pairs; i++)
        if (!strcmp(told->info.pairs[i].key, key)) return xl_json_text(told->info.pairs[i].value);
    return json_null();
}

/* What the text has that is no key of its own in the answer. */
static json_t *extra_of(const struct told *text) {
    static const char *const keys[] = {"Schedule type", "Lora hashes", "TI hashes", "Style profile",
                                       NULL};
    json_t *object = json_object();
    bool ok = object != NULL;
    for (int i = 0; keys[i] && ok; i++) {
        json_t *value = told(text, keys[i]);
        if (json_is_null(value))
            json_decref(value);
        else
            xl_json_put(object, keys[i], value, &ok);
    }
    return xl_json_finish(object, ok);
}

static json_t *first_of(json_t *list, const char *otherwise) {
    json_t *first = json_array_get(list, 0);
    return first ? json_incref(first) : json_string(otherwise);
}

static json_t *timestamp_of(const json_t *job) {
    time_t begun = (time_t)json_number_value(json_object_get(job, "started"));
    struct tm parts;
    char text[32] = "";
    if (begun > 0 && localtime_r(&begun, &parts))
        strftime(text, sizeof text, "%Y%m%d%H%M%S", &parts);
    return json_string(text);
}

static void put_texts(json_t *info, const struct xl_a1111_call *call, const struct drawn *drawn,
                      int n, bool *ok) {
    const json_t *echo = call->echo;
    json_t *prompts = list_of(drawn, n, "styled_prompt");
    json_t *negatives = list_of(drawn, n, "effective_negative"), *seeds = seeds_of(drawn, n);
    json_t *subseeds = json_array();
    for (int i = 0; i < n && *ok; i++) *ok = !json_array_append_new(subseeds, json_integer(0));
    xl_json_put(info, "prompt", first_of(prompts, xl_field_text(echo, "prompt")), ok);
    xl_json_put(info, "all_prompts", prompts, ok);
    xl_json_put(info, "negative_prompt",
                first_of(negatives, xl_field_text(echo, "negative_prompt")), ok);
    xl_json_put(info, "all_negative_prompts", negatives, ok);
    xl_json_put(info, "seed", json_integer((json_int_t)call->seed), ok);
    xl_json_put(info, "all_seeds", seeds, ok);
    xl_json_put(info, "subseed", json_integer(0), ok);
    xl_json_put(info, "all_subseeds", subseeds, ok);
    xl_json_put(info, "infotexts", infotexts_of(drawn, n), ok);
}

static void put_echoed(json_t *info, const json_t *echo, bool *ok) {
    static const char *const keys[] = {
        "subseed_strength",   "cfg_scale",          "steps",  "batch_size", "seed_resize_from_w",
        "seed_resize_from_h", "denoising_strength", "styles", NULL};
    for (int i = 0; keys[i]; i++)
        xl_json_put(info, keys[i], json_incref(json_object_get(echo, keys[i])), ok);
}

/* As drawn: where memory was short it may be less than was asked for. */
static void put_size(json_t *info, const json_t *from, bool *ok) {
    xl_json_put(info, "width", json_incref(json_object_get(from, "width")), ok);
    xl_json_put(info, "height", json_incref(json_object_get(from, "height")), ok);
}

/* The text of `info`: JSON in a string, as clients read it. */
static json_t *info_of(const struct xl_a1111_call *call, const json_t *job,
                       const struct drawn *drawn, int n) {
    struct told first = {.info = {.n_pairs = 0}};
    json_t *info = json_object();
    bool ok = info &&
              (!n || !xl_infotext_parse(drawn[0].infotext, &first.arena, &first.info, NULL));
    put_texts(info, call, drawn, n, &ok);
    put_echoed(info, call->echo, &ok);
    put_size(info, n ? drawn[0].record : call->echo, &ok);
    xl_json_put(info, "sampler_name", json_string(call->sampler), &ok);
    xl_json_put(info, "restore_faces", json_false(), &ok);
    const json_t *models = json_object_get(job, "models");
    xl_json_put(info, "sd_model_name", json_incref(json_array_get(models, 0)), &ok);
    xl_json_put(info, "sd_model_hash", n ? told(&first, "Model hash") : json_string(""), &ok);
    xl_json_put(info, "sd_vae_name", told(&first, "VAE"), &ok);
    xl_json_put(info, "sd_vae_hash", json_null(), &ok);
    xl_json_put(info, "face_restoration_model", json_null(), &ok);
    xl_json_put(info, "extra_generation_params", extra_of(&first), &ok);
    xl_json_put(info, "index_of_first_image", json_integer(0), &ok);
    xl_json_put(info, "job_timestamp", timestamp_of(job), &ok);
    xl_json_put(info, "clip_skip", json_integer(1), &ok);
    xl_json_put(info, "is_using_inpainting_conditioning", json_false(), &ok);
    xl_json_put(info, "version", json_string("sdxl-lab " XL_VERSION), &ok);
    char *text = ok ? xl_json_dump(info, JSON_COMPACT) : NULL;
    json_t *string = text ? json_string(text) : NULL;
    free(text);
    json_decref(info);
    xl_arena_deinit(&first.arena);
    return string;
}

/* --- The whole -------------------------------------------------------------------------------- */

static json_t *images_of(struct drawn *drawn, int n) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < n; i++) {
        ok = !json_array_append_new(
            list, json_stringn_nocheck(drawn[i].base64.text, drawn[i].base64.len));
        xl_str_deinit(&drawn[i].base64); /* it is large */
    }
    return xl_json_finish(list, ok);
}

enum xl_status xl_a1111_answer(const struct xl_a1111_call *call, const json_t *job, json_t **out,
                               struct xl_err *err) {
    int n = (int)json_array_size(call->pictures), n_read = n;
    struct drawn *drawn = calloc((size_t)n + 1, sizeof *drawn);
    enum xl_status status = drawn ? XL_OK : xl_fail_nomem(err, "pictures", 0);
    for (int i = 0; !status && i < n; i++) {
        const json_t *path = json_array_get(json_array_get(call->pictures, (size_t)i), 1);
        status = read_picture(json_string_value(path), call->sends_images, &drawn[i], err);
    }
    if (!status) {
        n = sort(drawn, n_read);
        json_t *object = json_object();
        bool ok = object != NULL;
        xl_json_put(object, "images", images_of(drawn, call->sends_images ? n : 0), &ok);
        xl_json_put(object, "parameters", json_incref(call->echo), &ok);
        xl_json_put(object, "info", info_of(call, job, drawn, n), &ok);
        *out = xl_json_finish(object, ok);
        if (!*out) status = xl_fail_nomem(err, "an answer", 0);
    }
    for (int i = 0; drawn && i < n_read; i++) drawn_deinit(&drawn[i]);
    free(drawn);
    return status;
}
