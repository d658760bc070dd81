/* models.c - sdxl-lab models list: what the lab knows by name, and whether it is there. */
#include "cli/models.h"
#include "cli/cli.h"
#include "cli/table.h"

#include "base/json.h"
#include "lab/data/catalogue.h"
#include "lab/data/names.h"

#include <stdio.h>
#include <string.h>

static void set_text(json_t *object, const char *key, const char *text) {
    json_object_set_new(object, key, text && text[0] ? xl_json_text(text) : json_null());
}
static void set_count(json_t *object, const char *key, int value) {
    json_object_set_new(object, key, value ? json_integer(value) : json_null());
}
static void set_guidance(json_t *object, const char *key, double value) {
    json_object_set_new(object, key, xl_has_guidance(value) ? json_real(value) : json_null());
}

static json_t *describe(const struct xl_catalogue_model *model,
                        const struct xl_catalogue_status *state) {
    json_t *object = json_object(), *aliases = json_array();
    for (int i = 0; i < model->n_aliases; i++)
        json_array_append_new(aliases, json_string(model->aliases[i]));
    set_text(object, "key", model->key);
    json_object_set_new(object, "aliases", aliases);
    set_text(object, "repository", model->repo);
    set_text(object, "folder", model->folder);
    set_text(object, "revision", model->revision);
    set_text(object, "kind", xl_catalogue_kind_name(model->kind));
    set_text(object, "base", model->base);
    set_text(object, "licence", model->licence);
    json_object_set_new(object, "commercial", json_boolean(model->is_commercial));
    set_text(object, "licence_note", model->licence_note);
    set_count(object, "width", model->width);
    set_count(object, "height", model->height);
    set_count(object, "steps", model->steps);
    set_count(object, "steps_min", model->steps_min);
    set_count(object, "steps_max", model->steps_max);
    set_guidance(object, "guidance", model->guidance);
    set_guidance(object, "guidance_min", model->guidance_min);
    set_guidance(object, "guidance_max", model->guidance_max);
    set_text(object, "scheduler", model->scheduler);
    json_object_set_new(object, "ignores_profile", json_boolean(model->ignores_profile));
    json_object_set_new(object, "ignores_negative", json_boolean(model->ignores_negative));
    set_text(object, "about", model->about);
    set_text(object, "tags", model->tags);
    set_text(object, "negative_tags", model->negative_tags);
    set_text(object, "origin", model->origin);
    set_text(object, "state", xl_model_state_name(state->state));
    set_text(object, "dir", state->dir);
    set_text(object, "why", state->why);
    json_object_set_new(object, "bytes", state->bytes ? json_integer(state->bytes) : json_null());
    return object;
}

/* A model and what was found of it. */
struct listed {
    const struct xl_catalogue_model *model;
    struct xl_catalogue_status state;
};

static void add_row(struct xl_table *table, const struct listed *listed) {
    const struct xl_catalogue_model *model = listed->model;
    const struct xl_catalogue_status *state = &listed->state;
    char size[32] = "its own", licence[80], ready[48], bytes[XL_BYTES_MAX];
    bool is_free = model->is_commercial || !strcmp(model->licence, "unknown"); /* or not known */
    if (model->width) snprintf(size, sizeof size, "%dx%d", model->width, model->height);
    snprintf(licence, sizeof licence, "%.50s%s", model->licence,
             is_free ? "" : " (non-commercial)");
    snprintf(ready, sizeof ready, "%s", xl_model_state_name(state->state));
    if (state->bytes)
        snprintf(ready, sizeof ready, "ready, %s", xl_bytes_text(state->bytes, bytes));
    bool is_its_name = !strcmp(model->key, model->repo); /* the list does not know it */
    const char *const cells[] = {model->key,
                                 is_its_name ? "" : model->repo,
                                 xl_catalogue_kind_name(model->kind),
                                 licence,
                                 size,
                                 ready};
    enum xl_color color = state->state == XL_MODEL_READY        ? XL_COLOR_GREEN
                          : state->state == XL_MODEL_INCOMPLETE ? XL_COLOR_YELLOW
                                                                : XL_COLOR_DIM;
    xl_table_add(table, cells, color);
}

/* Why a model cannot be used, where somebody can do something about it or wants to know. */
static void print_reason(const struct xl_catalogue_model *model,
                         const struct xl_catalogue_status *state, bool is_verbose) {
    bool is_trouble = state->state == XL_MODEL_INCOMPLETE || state->state == XL_MODEL_UNUSABLE;
    if (!state->why || !(is_verbose || is_trouble)) return;
    char name[XL_NAME_MAX + 3] = "";
    if (!strstr(state->why, model->key)) snprintf(name, sizeof name, "%s: ", model->key);
    xl_print_lines(0, name, state->why, XL_COLOR_DIM);
}

static enum xl_status print_states(const struct listed *list, int n, bool is_verbose,
                                   struct xl_err *err) {
    enum { MODEL, REPOSITORY, KIND, LICENCE, SIZE, STATE, N };
    static const char *const heading[N] = {"MODEL",   "REPOSITORY", "KIND",
                                           "LICENCE", "SIZE",       "STATE"};
    struct xl_table table = {.n_columns = N, .spared = {REPOSITORY, KIND, SIZE, LICENCE}};
    xl_table_add(&table, heading, XL_COLOR_BOLD);
    for (int i = 0; i < n; i++) add_row(&table, &list[i]);
    enum xl_status status = xl_table_print(&table, 0, err);
    if (status) return status;
    for (int i = 0; i < n; i++) print_reason(list[i].model, &list[i].state, is_verbose);
    return XL_OK;
}

static enum xl_status print_json(const struct listed *list, int n, struct xl_err *err) {
    json_t *document = json_object(), *array = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(array, describe(list[i].model, &list[i].state));
    json_object_set_new(document, "models", array);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

/* The models of the catalogue, then those of the cache that it does not know, with their states. */
static enum xl_status look_at_all(const struct xl_catalogue *catalogue, struct xl_arena *arena,
                                  struct listed **out, int *n, struct xl_err *err) {
    const struct xl_catalogue_model *cached = NULL;
    int n_known = xl_catalogue_count(catalogue), n_cached = 0;
    enum xl_status status = xl_catalogue_cached(catalogue, true, arena, &cached, &n_cached, err);
    if (status) return status;
    struct listed *list = xl_arena_alloc(arena, (size_t)(n_known + n_cached + 1) * sizeof *list);
    if (!list) return xl_fail_nomem(err, "the list of models", 0);
    *n = n_known + n_cached;
    for (int i = 0; !status && i < *n; i++) {
        list[i].model = i < n_known ? xl_catalogue_at(catalogue, i) : &cached[i - n_known];
        status = xl_catalogue_state(list[i].model, NULL, arena, &list[i].state, err);
    }
    *out = list;
    return status;
}

static enum xl_status list(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_catalogue *catalogue = NULL;
    struct xl_arena arena = {0};
    struct listed *listed = NULL;
    int n = 0;
    enum xl_status status =
        xl_catalogue_load(settings->model_files.item, settings->model_files.n, &catalogue, err);
    if (!status) status = look_at_all(catalogue, &arena, &listed, &n, err);
    if (!status)
        status = settings->json ? print_json(listed, n, err)
                                : print_states(listed, n, settings->verbose, err);
    xl_arena_deinit(&arena);
    xl_catalogue_free(catalogue);
    return status;
}

const struct xl_command xl_command_models_list = {
    .name = "models list",
    .summary = "the models that have a name here, their licences, and whether they are there",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_CATALOGUE,
    .epilogue = "--verbose says why a model cannot be used. Own models: "
                "~/.config/sdxl-lab/models.yaml; docs/MODELS.md says how.",
    .run = list,
};
