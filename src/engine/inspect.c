/* inspect.c - what a model consists of. */
#include "engine/inspect.h"
#include "engine/engine.h"

#include "base/file.h"
#include "base/json.h"

#include <stdlib.h>

static json_t *describe_files(const struct xl_component_files *files) {
    struct xl_arena arena = {0};
    json_t *array = json_array();
    bool ok = true;
    for (int i = 0; i < files->n_files; i++) {
        json_t *file = json_object();
        const char *digest = xl_hub_digest(files->files[i], &arena);
        xl_json_put(file, "path", xl_json_text(files->files[i]), &ok);
        if (digest) xl_json_put(file, "digest", json_string(digest), &ok);
        if (json_array_append_new(array, file)) ok = false;
    }
    xl_arena_deinit(&arena);
    return xl_json_finish(array, ok);
}

static json_int_t count_parameters(const struct xl_weights *weights) {
    json_int_t count = 0;
    for (int i = 0; i < xl_weights_count(weights); i++)
        count += xl_shape_count(xl_weights_at(weights, i)->shape);
    return count;
}

json_t *xl_model_describe_components(const struct xl_model *model) {
    json_t *components = json_array();
    bool ok = true;
    for (int c = 0; c < XL_N_COMPONENTS; c++) {
        const struct xl_weights *weights = model->weights[c];
        json_t *component = json_object();
        xl_json_put(component, "name", json_string(xl_component_name(c)), &ok);
        xl_json_put(component, "parameters", json_integer(count_parameters(weights)), &ok);
        xl_json_put(component, "dtype", json_string(xl_dtype_name(xl_weights_main_dtype(weights))),
                    &ok);
        xl_json_put(component, "bytes", json_integer(xl_weights_bytes(weights)), &ok);
        xl_json_put(component, "files", describe_files(&model->files.component[c]), &ok);
        if (json_array_append_new(components, component)) ok = false;
    }
    return xl_json_finish(components, ok);
}

json_t *xl_model_describe(const struct xl_model *model) {
    int side = model->unet.sample_size * xl_vae_scale(&model->vae);
    json_t *object = json_object();
    bool ok = true;
    xl_json_put(object, "id", xl_json_text(model->snapshot.id), &ok);
    xl_json_put(object, "folder", xl_json_text(model->snapshot.dir), &ok);
    if (model->snapshot.commit)
        xl_json_put(object, "commit", json_string(model->snapshot.commit), &ok);
    xl_json_put(object, "width", json_integer(side), &ok);
    xl_json_put(object, "height", json_integer(side), &ok);
    xl_json_put(object, "unit", json_integer(xl_vae_scale(&model->vae)), &ok);
    xl_json_put(object, "precision", json_string(xl_dtype_name(model->act_dtype)), &ok);
    xl_json_put(object, "backend", json_string(xl_backend_name(model->backend)), &ok);
    xl_json_put(object, "scheduler", xl_json_text(model->files.scheduler_class), &ok);
    xl_json_put(object, "force_zeros_for_empty_prompt",
                json_boolean(model->files.force_zeros_for_empty_prompt), &ok);
    xl_json_put(object, "components", xl_model_describe_components(model), &ok);
    return xl_json_finish(object, ok);
}

/* Append {name, digest} or {name, fingerprint} of a file. */
static enum xl_status identify_file(json_t *files, const char *name, const char *path,
                                    struct xl_err *err) {
    struct xl_arena arena = {0};
    const char *digest = xl_hub_digest(path, &arena);
    char fingerprint[17];
    bool ok = true;
    enum xl_status status = XL_OK;
    if (!digest && !xl_hub_fingerprint(path, fingerprint))
        status = xl_fail(err, XL_EMODEL, "%s: cannot be read any more", path);
    if (!status) {
        json_t *file = json_object();
        xl_json_put(file, "name", json_string(name), &ok);
        xl_json_put(file, digest ? "digest" : "fingerprint",
                    json_string(digest ? digest : fingerprint), &ok);
        if (json_array_append_new(files, xl_json_finish(file, ok)))
            status = xl_fail_nomem(err, "the identity of the model", 0);
    }
    xl_arena_deinit(&arena);
    return status;
}

static enum xl_status identify_components(const struct xl_model *model, json_t *files,
                                          struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int c = 0; !status && c < XL_N_COMPONENTS; c++) {
        const struct xl_component_files *component = &model->files.component[c];
        for (int i = 0; !status && i < component->n_files; i++)
            status = identify_file(files, xl_component_name(c), component->files[i], err);
        if (!status) status = identify_file(files, "config.json", component->config, err);
    }
    if (status) return status;
    return identify_file(files, "scheduler", model->files.scheduler_config, err);
}

/* The tokenizers' files that decide token ids; those that a tokenizer lacks are left out. */
static enum xl_status identify_tokenizers(const struct xl_model *model, json_t *files,
                                          struct xl_err *err) {
    static const char *const names[] = {"vocab.json",        "merges.txt",
                                        "tokenizer.json",    "tokenizer_config.json",
                                        "added_tokens.json", "special_tokens_map.json"};
    const char *const dirs[] = {model->files.tokenizer_dir, model->files.tokenizer_2_dir};
    enum xl_status status = XL_OK;
    for (size_t i = 0; !status && i < 2 * (sizeof names / sizeof *names); i++) {
        char *path = xl_path_join(dirs[i % 2], names[i / 2]);
        if (!path)
            status = xl_fail_nomem(err, "a path", 0);
        else if (xl_file_exists(path))
            status = identify_file(files, names[i / 2], path, err);
        free(path);
    }
    return status;
}

enum xl_status xl_model_identity(const struct xl_model *model, char **json, struct xl_err *err) {
    bool ok = true;
    xl_json_watch();
    json_t *files = json_array(), *object = json_object();
    enum xl_status status = identify_components(model, files, err);
    if (!status) status = identify_tokenizers(model, files, err);
    xl_json_put(object, "program", json_string("sdxl-lab " XL_VERSION), &ok);
    xl_json_put(object, "backend", json_string(xl_backend_name(model->backend)), &ok);
    xl_json_put(object, "isa", json_string(xl_backend_isa(model->backend)), &ok);
    xl_json_put(object, "precision", json_string(xl_dtype_name(model->act_dtype)), &ok);
    xl_json_put(object, "vae_precision", json_string("F32"), &ok);
    xl_json_put(object, "force_zeros_for_empty_prompt",
                json_boolean(model->files.force_zeros_for_empty_prompt), &ok);
    xl_json_put(object, "files", files, &ok);
    object = xl_json_finish(object, ok);
    char *text = object && !status ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!status && (!text || xl_json_ran_out()))
        status = xl_fail_nomem(err, "the identity of the model", 0);
    if (status) {
        free(text);
        return status;
    }
    *json = text;
    return XL_OK;
}
