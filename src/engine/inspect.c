/* inspect.c - what a model consists of. */
#include "engine/inspect.h"
#include "engine/engine.h"

static json_t *describe_files(const struct xl_component_files *files) {
    struct xl_arena arena = {0};
    json_t *array = json_array();
    for (int i = 0; i < files->n_files; i++) {
        json_t *file = json_object();
        const char *digest = xl_hub_digest(files->files[i], &arena);
        json_object_set_new(file, "path", json_string(files->files[i]));
        if (digest) json_object_set_new(file, "digest", json_string(digest));
        json_array_append_new(array, file);
    }
    xl_arena_deinit(&arena);
    return array;
}

static json_int_t count_parameters(const struct xl_weights *weights) {
    json_int_t count = 0;
    for (int i = 0; i < xl_weights_count(weights); i++)
        count += xl_shape_count(xl_weights_at(weights, i)->shape);
    return count;
}

json_t *xl_model_describe_components(const struct xl_model *model) {
    json_t *components = json_array();
    for (int c = 0; c < XL_N_COMPONENTS; c++) {
        const struct xl_weights *weights = model->weights[c];
        json_t *component = json_object();
        json_object_set_new(component, "name", json_string(xl_component_name(c)));
        json_object_set_new(component, "parameters", json_integer(count_parameters(weights)));
        json_object_set_new(component, "dtype",
                            json_string(xl_dtype_name(xl_weights_main_dtype(weights))));
        json_object_set_new(component, "bytes", json_integer(xl_weights_bytes(weights)));
        json_object_set_new(component, "files", describe_files(&model->files.component[c]));
        json_array_append_new(components, component);
    }
    return components;
}

json_t *xl_model_describe(const struct xl_model *model) {
    int side = model->unet.sample_size * xl_vae_scale(&model->vae);
    json_t *object = json_object();
    json_object_set_new(object, "id", json_string(model->snapshot.id));
    json_object_set_new(object, "folder", json_string(model->snapshot.dir));
    if (model->snapshot.commit)
        json_object_set_new(object, "commit", json_string(model->snapshot.commit));
    json_object_set_new(object, "width", json_integer(side));
    json_object_set_new(object, "height", json_integer(side));
    json_object_set_new(object, "scheduler", json_string(model->files.scheduler_class));
    json_object_set_new(object, "force_zeros_for_empty_prompt",
                        json_boolean(model->files.force_zeros_for_empty_prompt));
    json_object_set_new(object, "components", xl_model_describe_components(model));
    return object;
}
