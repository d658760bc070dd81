/* inspect.c - what a model consists of. */
#include "engine/inspect.h"
#include "engine/engine.h"

#include "base/json.h"

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
    xl_json_put(object, "scheduler", xl_json_text(model->files.scheduler_class), &ok);
    xl_json_put(object, "force_zeros_for_empty_prompt",
                json_boolean(model->files.force_zeros_for_empty_prompt), &ok);
    xl_json_put(object, "components", xl_model_describe_components(model), &ok);
    return xl_json_finish(object, ok);
}
