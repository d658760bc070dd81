/* describe.c - rows of the lists as JSON. Keeps no state. */
#include "lab/data/describe.h"

static void put_text(json_t *object, const char *key, const char *text, bool *ok) {
    xl_json_put(object, key, text && text[0] ? xl_json_text(text) : json_null(), ok);
}
static void put_count(json_t *object, const char *key, int value, bool *ok) {
    xl_json_put(object, key, value ? json_integer(value) : json_null(), ok);
}
static void put_guidance(json_t *object, const char *key, double value, bool *ok) {
    xl_json_put(object, key, xl_has_guidance(value) ? json_real(value) : json_null(), ok);
}
static void put_texts(json_t *object, const char *key, const char *const *texts, int n, bool *ok) {
    json_t *array = json_array();
    for (int i = 0; i < n && array; i++)
        *ok = !json_array_append_new(array, xl_json_text(texts[i])) && *ok;
    xl_json_put(object, key, array, ok);
}

json_t *xl_profile_object(const struct xl_profile *profile) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "name", json_string(profile->name), &ok);
    put_texts(object, "aliases", profile->aliases, profile->n_aliases, &ok);
    xl_json_put(object, "group", json_string(profile->group), &ok);
    xl_json_put(object, "about", json_string(profile->about), &ok);
    xl_json_put(object, "prompt", json_string(profile->prompt), &ok);
    xl_json_put(object, "negative", json_string(profile->negative), &ok);
    put_count(object, "steps", profile->steps, &ok);
    put_guidance(object, "guidance", profile->guidance, &ok);
    put_text(object, "scheduler", profile->scheduler, &ok);
    xl_json_put(object, "origin", json_string(profile->origin), &ok);
    return xl_json_finish(object, ok);
}

json_t *xl_preset_object(const struct xl_preset *preset) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "name", json_string(preset->name), &ok);
    put_texts(object, "aliases", preset->aliases, preset->n_aliases, &ok);
    xl_json_put(object, "width", json_integer(preset->width), &ok);
    xl_json_put(object, "height", json_integer(preset->height), &ok);
    xl_json_put(object, "group", json_string(preset->group), &ok);
    xl_json_put(object, "about", json_string(preset->about), &ok);
    xl_json_put(object, "origin", json_string(preset->origin), &ok);
    return xl_json_finish(object, ok);
}

json_t *xl_model_object(const struct xl_catalogue_model *model,
                        const struct xl_catalogue_status *state) {
    json_t *object = json_object();
    bool ok = object != NULL;
    put_text(object, "key", model->key, &ok);
    put_texts(object, "aliases", model->aliases, model->n_aliases, &ok);
    put_text(object, "repository", model->repo, &ok);
    put_text(object, "folder", model->folder, &ok);
    put_text(object, "revision", model->revision, &ok);
    put_text(object, "kind", xl_catalogue_kind_name(model->kind), &ok);
    put_text(object, "base", model->base, &ok);
    put_text(object, "licence", model->licence, &ok);
    xl_json_put(object, "commercial", json_boolean(model->is_commercial), &ok);
    put_text(object, "licence_note", model->licence_note, &ok);
    put_count(object, "width", model->width, &ok);
    put_count(object, "height", model->height, &ok);
    put_count(object, "steps", model->steps, &ok);
    put_count(object, "steps_min", model->steps_min, &ok);
    put_count(object, "steps_max", model->steps_max, &ok);
    put_guidance(object, "guidance", model->guidance, &ok);
    put_guidance(object, "guidance_min", model->guidance_min, &ok);
    put_guidance(object, "guidance_max", model->guidance_max, &ok);
    put_text(object, "scheduler", model->scheduler, &ok);
    xl_json_put(object, "ignores_profile", json_boolean(model->ignores_profile), &ok);
    xl_json_put(object, "ignores_negative", json_boolean(model->ignores_negative), &ok);
    put_text(object, "about", model->about, &ok);
    put_text(object, "tags", model->tags, &ok);
    put_text(object, "negative_tags", model->negative_tags, &ok);
    put_text(object, "origin", model->origin, &ok);
    put_text(object, "state", xl_model_state_name(state->state), &ok);
    put_text(object, "dir", state->dir, &ok);
    put_text(object, "why", state->why, &ok);
    xl_json_put(object, "bytes", state->bytes ? json_integer(state->bytes) : json_null(), &ok);
    return xl_json_finish(object, ok);
}

enum xl_status xl_models_found(const struct xl_catalogue *catalogue, struct xl_arena *arena,
                               struct xl_model_found **out, int *n, struct xl_err *err) {
    const struct xl_catalogue_model *cached = NULL;
    int n_known = xl_catalogue_count(catalogue), n_cached = 0;
    enum xl_status status = xl_catalogue_cached(catalogue, true, arena, &cached, &n_cached, err);
    if (status) return status;
    struct xl_model_found *list =
        xl_arena_alloc(arena, (size_t)(n_known + n_cached + 1) * sizeof *list);
    if (!list) return xl_fail_nomem(err, "the list of models", 0);
    *n = n_known + n_cached;
    for (int i = 0; !status && i < *n; i++) {
        list[i].model = i < n_known ? xl_catalogue_at(catalogue, i) : &cached[i - n_known];
        status = xl_catalogue_state(list[i].model, NULL, arena, &list[i].state, err);
    }
    *out = list;
    return status;
}
