/* models.c - sdxl-lab models list: what the lab knows by name, and whether it is there. */
#include "cli/models.h"
#include "cli/cli.h"
#include "cli/table.h"

#include "base/json.h"
#include "lab/data/describe.h"
#include "lab/data/names.h"

#include <stdio.h>
#include <string.h>

static void add_row(struct xl_table *table, const struct xl_model_found *listed) {
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

static enum xl_status print_states(const struct xl_model_found *list, int n, bool is_verbose,
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

static enum xl_status print_json(const struct xl_model_found *list, int n, struct xl_err *err) {
    json_t *document = json_object(), *array = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(array, xl_model_object(list[i].model, &list[i].state));
    json_object_set_new(document, "models", array);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

static enum xl_status list(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_catalogue *catalogue = NULL;
    struct xl_arena arena = {0};
    struct xl_model_found *listed = NULL;
    int n = 0;
    enum xl_status status =
        xl_catalogue_load(settings->model_files.item, settings->model_files.n, &catalogue, err);
    if (!status) status = xl_models_found(catalogue, &arena, &listed, &n, err);
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
