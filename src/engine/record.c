/* record.c - what is written into a picture: everything that decides its pixels as JSON, and the
 * same as AUTOMATIC1111's "parameters" text. */
#include "engine/engine.h"
#include "engine/lora_json.h"

#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/str.h"
#include "image/image.h"
#include "image/infotext.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *rng_name(enum xl_rng rng) {
    return rng == XL_RNG_TORCH_CUDA ? "torch-cuda" : "torch-cpu";
}

/* --- How it was computed -----------------------------------------------------------------------
 */

static json_t *describe_drawn_by(const struct xl_device *device, enum xl_precision precision,
                                 enum xl_dtype act_dtype) {
    const struct xl_device_info *info = &device->info;
    enum xl_dtype vae_dtype = xl_backend_picture_dtype(device->backend, act_dtype);
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "program", json_string("sdxl-lab " XL_VERSION), &ok);
    xl_json_put(object, "device", json_string(info->name), &ok);
    xl_json_put(object, "isa", json_string(info->isa), &ok);
    xl_json_put(object, "libraries", json_string(info->libraries), &ok);
    xl_json_put(object, "precision", json_string(xl_precision_name(precision)), &ok);
    xl_json_put(object, "vae_precision", json_string(xl_dtype_name(vae_dtype)), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_drawing(const struct xl_drawing *drawing) {
    enum xl_precision precision = xl_device_precision(drawing->device, drawing->request->precision);
    return describe_drawn_by(drawing->device, precision, drawing->act_dtype);
}

enum xl_status xl_device_fingerprint(const struct xl_device *device, enum xl_precision asked,
                                     char **json, struct xl_err *err) {
    enum xl_dtype act_dtype;
    enum xl_status status = xl_device_act_dtype(device, asked, &act_dtype, err);
    if (status) return status;
    xl_json_watch();
    json_t *object = describe_drawn_by(device, xl_device_precision(device, asked), act_dtype);
    char *text = xl_json_take_text(object, true, JSON_COMPACT);
    if (!text) return xl_fail_nomem(err, "the fingerprint of a device", 0);
    *json = text;
    return XL_OK;
}

/* --- The record --------------------------------------------------------------------------------
 */

/* Every file that decides pixels, by its role: where files lie does not. */
static json_t *describe_files(const struct xl_model_info *info) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int i = 0; i < info->n_files; i++) {
        const struct xl_file_info *file = &info->files[i];
        json_t *object = json_object();
        xl_json_put(object, "role", json_string(file->role), &ok);
        xl_json_put(object, "digest", json_string(file->digest), &ok);
        if (json_array_append_new(array, object)) ok = false;
    }
    return xl_json_finish(array, ok);
}

static json_t *describe_loras(const struct xl_model_info *info) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int i = 0; i < info->n_loras; i++)
        if (json_array_append_new(array, xl_lora_json(&info->loras[i]))) ok = false;
    return xl_json_finish(array, ok);
}

static json_t *describe_model(const struct xl_model_info *info) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "id", xl_json_text(info->name), &ok);
    if (info->commit) xl_json_put(object, "commit", json_string(info->commit), &ok);
    xl_json_put(object, "digest", json_string(info->digest), &ok);
    xl_json_put(object, "force_zeros_for_empty_prompt",
                json_boolean(info->force_zeros_for_empty_prompt), &ok);
    xl_json_put(object, "files", describe_files(info), &ok);
    if (info->n_loras) xl_json_put(object, "loras", describe_loras(info), &ok);
    return xl_json_finish(object, ok);
}

enum xl_status xl_record_read_extra(const char *extra, json_t **out, struct xl_err *err) {
    *out = NULL;
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
    if (status)
        json_decref(object);
    else
        *out = object;
    return status;
}

/* The words that stand in the texts of a picture, and the digests of their files, in the same
 * order; nothing where there are none. */
static void put_embeddings(json_t *record, const struct xl_drawing *drawing,
                           const struct xl_picture *picture, bool *ok) {
    const struct xl_drawing_embeddings *embeddings = &drawing->embeddings;
    struct xl_str words = {0}, digests = {0};
    for (int i = 0; i < embeddings->n; i++) {
        const char *word = embeddings->triggers[0][i].word;
        if (!xl_trigger_is_in(word, picture->prompt) && !xl_trigger_is_in(word, picture->negative))
            continue;
        xl_str_printf(&words, "%s%s", words.len ? ", " : "", word);
        xl_str_printf(&digests, "%s%s", digests.len ? ", " : "", embeddings->digests[i]);
    }
    if (words.failed || digests.failed) *ok = false;
    if (words.len) {
        xl_json_put(record, "embedding", xl_json_text(words.text), ok);
        xl_json_put(record, "embedding_digests", json_string(digests.text), ok);
    }
    xl_str_deinit(&words);
    xl_str_deinit(&digests);
}

/* How texts were read, where that is not as diffusers has it. */
static void put_reading(json_t *record, const struct xl_drawing *drawing,
                        const struct xl_picture *picture, bool *ok) {
    enum xl_prompt_syntax syntax = drawing->request->prompt_syntax;
    bool is_zero = !picture->negative && drawing->model->files.force_zeros_for_empty_prompt;
    if (drawing->skip != XL_CLIP_SKIP_OWN)
        xl_json_put(record, "clip_skip", json_integer(drawing->skip), ok);
    if (syntax == XL_PROMPT_PLAIN) return;
    xl_json_put(record, "prompt_syntax", json_string(xl_prompt_syntax_name(syntax)), ok);
    if (syntax == XL_PROMPT_A1111) xl_json_put(record, "emphasis", json_string("Original"), ok);
    if (drawing->has_guidance)
        xl_json_put(record, "unguided_text", json_string(is_zero ? "zeros" : "encoded"), ok);
}

/* What was drawn. Keys that the lab's cells have too mean the same there. */
static void put_picture(json_t *record, const struct xl_drawing *drawing,
                        const struct xl_picture *picture, bool *ok) {
    const struct xl_request *request = drawing->request;
    const char *scheduler = request->scheduler ? request->scheduler : "default";
    xl_json_put(record, "styled_prompt", xl_json_text(picture->prompt), ok);
    xl_json_put(record, "effective_negative", xl_json_text(picture->negative), ok);
    xl_json_put(record, "width", json_integer(drawing->width), ok);
    xl_json_put(record, "height", json_integer(drawing->height), ok);
    xl_json_put(record, "steps", json_integer(request->steps), ok);
    xl_json_put(record, "guidance", json_real(request->guidance), ok);
    xl_json_put(record, "guidance_rescale", json_real(request->guidance_rescale), ok);
    if (request->init) xl_json_put(record, "strength", json_real(request->strength), ok);
    xl_json_put(record, "seed", xl_json_seed(picture->seed), ok);
    xl_json_put(record, "rng", json_string(rng_name(request->rng)), ok);
    xl_json_put(record, "scheduler", xl_json_text(scheduler), ok);
    xl_json_put(record, "vae_tile",
                json_integer(drawing->vae_tile * xl_vae_scale(&drawing->model->vae)), ok);
    put_reading(record, drawing, picture, ok);
    put_embeddings(record, drawing, picture, ok);
}

/* The record of one picture. No time and no host in it: the same request gives the same bytes, so
 * that a resumed sweep can be compared with an uninterrupted one. */
static json_t *describe(const struct xl_drawing *drawing, int i, const char *init_pixels) {
    const struct xl_picture *picture = &drawing->request->pictures[i];
    json_t *record = json_object();
    bool ok = record != NULL;
    xl_json_put(record, "format", json_integer(XL_RECORD_FORMAT), &ok);
    xl_json_put(record, "mode", json_string(drawing->request->init ? "img2img" : "txt2img"), &ok);
    put_picture(record, drawing, picture, &ok);
    xl_json_put(record, "scheduler_config", xl_scheduler_config_describe(&drawing->scheduler), &ok);
    xl_json_put(record, "model", describe_model(&drawing->model->info), &ok);
    xl_json_put(record, "drawn_by", describe_drawing(drawing), &ok);
    if (init_pixels[0]) xl_json_put(record, "init_pixels", json_string(init_pixels), &ok);
    if (drawing->extra[i] && json_object_update_missing(record, drawing->extra[i])) ok = false;
    if (json_object_get(record, "prompt")) return xl_json_finish(record, ok);
    xl_json_put(record, "prompt", xl_json_text(picture->prompt), &ok); /* it was drawn as asked */
    xl_json_put(record, "negative", xl_json_text(picture->negative), &ok);
    return xl_json_finish(record, ok);
}

/* --- The same for A1111's tools ----------------------------------------------------------------
 */

static const char *string_at(const json_t *record, const char *key) {
    const char *text = json_string_value(json_object_get(record, key));
    return text ? text : "";
}

/* The first ten digits of the UNet file's digest, which A1111 calls the model's hash. */
static void model_hash(const json_t *record, char out[11]) {
    const json_t *files = json_object_get(json_object_get(record, "model"), "files");
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

/* "glass: 0123456789ab, turbo: ..." of the LoRAs of a record. */
static void put_lora_hashes(struct xl_str *out, const json_t *loras) {
    size_t i;
    json_t *lora;
    json_array_foreach((json_t *)loras, i, lora) xl_str_printf(
        out, "%s%s: %.12s", i ? ", " : "", string_at(lora, "name"), string_at(lora, "digest"));
}

/* "glow: 0123456789ab, ..." of the embeddings of a record, as A1111 writes it (":" and "," in names
 * are left out, and no word has one). */
static void put_embedding_hashes(struct xl_str *out, const json_t *record) {
    const char *word = string_at(record, "embedding");
    const char *digest = string_at(record, "embedding_digests");
    while (*word && *digest) {
        size_t n_word = strcspn(word, ","), n_digest = strcspn(digest, ",");
        xl_str_puts(out, out->len ? ", " : "");
        for (size_t i = 0; i < n_word; i++)
            if (word[i] != ':') xl_str_append(out, word + i, 1);
        xl_str_printf(out, ": %.12s", digest);
        word += n_word + strspn(word + n_word, ", ");
        digest += n_digest + strspn(digest + n_digest, ", ");
    }
}

/* The prompt with a tag for each LoRA, wherever that was said. */
static void put_prompt(struct xl_str *out, const json_t *record, const json_t *loras) {
    size_t i;
    json_t *lora;
    xl_str_puts(out, string_at(record, "styled_prompt"));
    json_array_foreach((json_t *)loras, i, lora) {
        char text[XL_REAL_MAX], unet[XL_REAL_MAX];
        xl_real_text(json_number_value(json_object_get(lora, "text_scale")), text);
        xl_real_text(json_number_value(json_object_get(lora, "unet_scale")), unet);
        bool is_one = !strcmp(text, unet);
        xl_str_printf(out, "%s<lora:%s:%s%s%s>", out->len ? " " : "", string_at(lora, "name"), text,
                      is_one ? "" : ":", is_one ? "" : unet);
    }
}

/* As that program has it: of a path what the file or the folder is called, for the text goes where
 * the picture goes. */
static void model_name(const json_t *record, char *out, size_t size) {
    static const char ENDING[] = ".safetensors";
    const char *id = string_at(json_object_get(record, "model"), "id");
    bool is_path = id[0] == '/' || id[0] == '.' || id[0] == '~';
    const char *slash = is_path ? strrchr(id, '/') : NULL;
    snprintf(out, size, "%s", slash && slash[1] ? slash + 1 : id);
    size_t n = strlen(out), n_ending = sizeof ENDING - 1;
    if (is_path && n > n_ending && !strcmp(out + n - n_ending, ENDING)) out[n - n_ending] = 0;
}

/* The "parameters" text of one picture; NULL: out of memory. */
static char *write_infotext(const struct xl_scheduler_config *scheduler, const json_t *record) {
    const json_t *drawn_by = json_object_get(record, "drawn_by");
    char steps[16], guidance[32], size[48], requested[48], strength[32], hash[11], skip[16];
    char model[NAME_MAX + 1];
    snprintf(skip, sizeof skip, "%lld",
             (long long)json_integer_value(json_object_get(record, "clip_skip")));
    snprintf(steps, sizeof steps, "%lld",
             (long long)json_integer_value(json_object_get(record, "steps")));
    xl_real_text(json_number_value(json_object_get(record, "guidance")), guidance);
    write_size(record, "width", "height", size);
    write_size(record, "requested_width", "requested_height", requested);
    xl_real_text(json_number_value(json_object_get(record, "strength")), strength);
    model_hash(record, hash);
    model_name(record, model, sizeof model);
    const json_t *loras = json_object_get(json_object_get(record, "model"), "loras");
    struct xl_str prompt = {0}, hashes = {0}, embeddings = {0};
    put_prompt(&prompt, record, loras);
    put_lora_hashes(&hashes, loras);
    put_embedding_hashes(&embeddings, record);
    const struct xl_info_pair candidates[] = {
        {"Steps", steps},
        {"Sampler", xl_scheduler_a1111_name(scheduler)},
        {"Schedule type", xl_scheduler_a1111_schedule(scheduler)},
        {"CFG scale", guidance},
        {"Seed", string_at(record, "seed")},
        {"Size", size},
        {"Model hash", hash},
        {"Model", model},
        {"VAE", string_at(record, "vae")},
        {"Denoising strength", json_object_get(record, "strength") ? strength : ""},
        {"Clip skip", strcmp(skip, "0") ? skip : ""},
        {"RNG", strcmp(string_at(record, "rng"), "torch-cpu") ? "" : "CPU"},
        {"Timestep spacing",
         string_at(json_object_get(record, "scheduler_config"), "timestep_spacing")},
        {"Precision", string_at(drawn_by, "precision")},
        {"Lora hashes", hashes.text ? hashes.text : ""},
        {"TI hashes", embeddings.text ? embeddings.text : ""},
        {"Style profile", string_at(record, "profile")},
        {"Requested size", strcmp(requested, size) ? requested : ""},
        {"Emphasis", string_at(record, "emphasis")},
        {"Version", string_at(drawn_by, "program")},
    };
    enum { N = sizeof candidates / sizeof *candidates };
    struct xl_info_pair pairs[N];
    int n = 0;
    for (int i = 0; i < N; i++)
        if (candidates[i].value[0]) pairs[n++] = candidates[i];
    struct xl_infotext info = {prompt.text ? prompt.text : "",
                               string_at(record, "effective_negative"), pairs, n};
    bool failed = prompt.failed || hashes.failed || embeddings.failed;
    char *text = failed ? NULL : xl_infotext_write(&info);
    xl_str_deinit(&prompt);
    xl_str_deinit(&hashes);
    xl_str_deinit(&embeddings);
    return text;
}

/* --- Files -------------------------------------------------------------------------------------
 */

enum xl_status xl_record_write(const struct xl_drawing *drawing, struct xl_result *result,
                               struct xl_err *err) {
    const struct xl_image *init = drawing->request->init;
    char init_pixels[XL_SHA256_HEX] = ""; /* a digest: the library knows no file of it */
    enum xl_status status = XL_OK;
    if (init)
        status = xl_sha256(init->pixels, (size_t)init->width * (size_t)init->height * 3,
                           init_pixels, err);
    if (status) return status;
    xl_json_watch();
    bool ok = true;
    for (int i = 0; ok && i < result->n_pictures; i++) {
        struct xl_drawn_picture *drawn = &result->pictures[i];
        json_t *record = describe(drawing, i, init_pixels);
        if (record) drawn->parameters = write_infotext(&drawing->scheduler, record);
        drawn->record = xl_json_take_text(record, true, JSON_COMPACT);
        ok = drawn->record && drawn->parameters;
    }
    return ok ? XL_OK : xl_fail_nomem(err, "the record", 0);
}

/* The record among the texts of a PNG; NULL: there is none. */
static enum xl_status find_record(const char *name, const struct xl_png_text *texts, int n_texts,
                                  char **record, struct xl_err *err) {
    int i = 0;
    while (i < n_texts && strcmp(texts[i].keyword, XL_PNG_RECORD) != 0) i++;
    *record = NULL;
    if (i == n_texts) return XL_OK;
    if (texts[i].damage)
        return xl_fail(err, XL_EINPUT, "%s: the record in this PNG file is damaged: its chunk %s",
                       name, texts[i].damage);
    xl_json_watch();
    json_t *object = json_loads(texts[i].text, JSON_REJECT_DUPLICATES, NULL);
    enum xl_status status = XL_OK;
    if (xl_json_ran_out())
        status = xl_fail_nomem(err, name, 0);
    else if (!json_is_object(object))
        status = xl_fail(err, XL_EINPUT,
                         "%s: the record in this PNG file is damaged: it is no JSON object", name);
    json_decref(object);
    if (status) return status;
    *record = strdup(texts[i].text);
    return *record ? XL_OK : xl_fail_nomem(err, name, 0);
}

enum xl_status xl_record_find(const char *name, const void *data, size_t n, char **record,
                              struct xl_err *err) {
    struct xl_png_text *texts = NULL;
    int n_texts = 0;
    char *found = NULL;
    enum xl_status status = XL_OK;
    if (xl_is_png(data, n)) status = xl_png_texts(name, data, n, &texts, &n_texts, err);
    if (!status) status = find_record(name, texts, n_texts, &found, err);
    free(texts);
    if (!status) *record = found;
    return status;
}

enum xl_status xl_record_read(const char *path, char **record, struct xl_err *err) {
    struct xl_read_rule rule = {XL_IMAGE_MAX_FILE_BYTES, XL_EINPUT, XL_EINPUT};
    char *data = NULL, *text = NULL;
    size_t n;
    enum xl_status status = xl_file_read(path, rule, &data, &n, err);
    if (!status && !xl_is_png(data, n))
        status = xl_fail(err, XL_EINPUT, "%s: not a PNG file", path);
    if (!status) status = xl_record_find(path, data, n, &text, err);
    free(data);
    if (!status && !text)
        status = xl_fail(err, XL_EINPUT,
                         "%s: no record in this PNG file: it was not made by sdxl-lab, or another "
                         "program saved it again",
                         path);
    if (!status) *record = text;
    return status;
}
