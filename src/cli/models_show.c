/* models_show.c - sdxl-lab models show: all that can be told of a model or a file of weights. */
#include "base/json.h"
#include "base/str.h"
#include "cli/file_report.h"
#include "cli/models_report.h"
#include "cli/table.h"
#include "lab/data/describe_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- For people ---- */

static void print_info(const struct xl_models_report *report) {
    const struct xl_model_info *info = xl_model_info(report->model);
    char text[64];
    snprintf(text, sizeof text, "%dx%d", info->width, info->height);
    xl_models_print_field("own size", text);
    xl_models_print_field("scheduler", info->scheduler_class);
    xl_models_print_field("digest", info->digest);
    for (int i = 0; i < info->n_components; i++) {
        const struct xl_component_info *component = &info->components[i];
        char bytes[XL_BYTES_MAX];
        snprintf(text, sizeof text, "%s, %s, %lld parameters", component->dtype,
                 xl_bytes_text(component->bytes, bytes), (long long)component->n_parameters);
        xl_models_print_field(component->name, text);
    }
}

static void print_entries(const struct xl_models_report *report) {
    printf("  files\n");
    for (int i = 0; i < report->entries.n; i++) {
        const struct xl_hub_entry *entry = &report->entries.entry[i];
        char bytes[XL_BYTES_MAX];
        printf("    %10s  %-12.12s  ",
               entry->state == XL_ENTRY_DANGLING ? "dangling" : xl_bytes_text(entry->bytes, bytes),
               entry->digest ? entry->digest : "-");
        xl_print_text(entry->file, XL_COLOR_NONE);
        if (entry->state == XL_ENTRY_OUTSIDE) printf(" (leads out of the cache)");
        putchar('\n');
    }
}

/* Root files of a folder: what may be picked of several, or lies beside a pipeline. */
static void print_candidates(const struct xl_models_report *report, struct xl_arena *arena) {
    for (int i = 0; i < report->folder.n_files; i++) {
        const struct xl_hub_folder_file *file = &report->folder.file[i];
        char bytes[XL_BYTES_MAX];
        const char *text = file->why ? file->why
                                     : xl_arena_printf(arena, "%s: %s, %s, %s", file->name,
                                                       file->is.what, file->is.precision,
                                                       xl_bytes_text(file->is.bytes, bytes));
        xl_models_print_field("root file", text);
        if (report->folder.n_files == 1 && !file->why && file->is.kind == XL_FILE_LORA)
            xl_file_report_print(&file->is, arena);
    }
}

static enum xl_status print_report(const struct xl_models_report *report, struct xl_arena *arena,
                                   struct xl_err *err) {
    const struct xl_catalogue_model *entry = &report->entry;
    bool is_model = !report->target.file;
    const char *licence = xl_models_licence(entry, arena);
    const char *memory = report->has_need ? xl_models_memory(&report->need, arena) : "";
    if (!licence || !memory) return xl_fail_nomem(err, "a model", 0);
    xl_print_text(report->target.name, XL_COLOR_BOLD);
    putchar('\n');
    xl_models_print_field("kind", xl_models_what(report));
    if (!is_model) {
        xl_models_print_field("file", report->target.file);
        xl_file_report_print(&report->file, arena);
    } else {
        xl_models_print_field("needs", report->folder.need);
        xl_models_print_field("repository", entry->folder ? NULL : entry->repo);
        xl_models_print_field("folder", report->target.snapshot.dir);
        xl_models_print_field("commit", report->target.snapshot.commit);
        xl_models_print_field("state", xl_model_state_name(report->state.state));
        xl_models_print_field("why", report->state.why);
        xl_models_print_field("notice", report->target.snapshot.notice);
        xl_models_print_field("licence", licence);
        xl_models_print_field("about", entry->about);
        xl_models_print_field("base", entry->base);
        print_candidates(report, arena);
    }
    if (report->model) print_info(report);
    xl_models_print_field("memory", memory);
    if (is_model) print_entries(report);
    return XL_OK;
}

/* ---- For programs ---- */

static json_t *describe_entries(const struct xl_models_report *report) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int i = 0; ok && i < report->entries.n; i++) {
        const struct xl_hub_entry *entry = &report->entries.entry[i];
        json_t *file = json_object();
        xl_json_put(file, "file", xl_json_text(entry->file), &ok);
        xl_json_put(file, "bytes", json_integer(entry->bytes), &ok);
        xl_json_put(file, "digest", xl_json_text(entry->digest), &ok);
        xl_json_put(file, "dangling", json_boolean(entry->state == XL_ENTRY_DANGLING), &ok);
        ok = ok && !json_array_append_new(array, file);
    }
    return xl_json_finish(array, ok);
}

static json_t *describe_root(const struct xl_models_report *report, struct xl_arena *arena) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int i = 0; ok && i < report->folder.n_files; i++) {
        const struct xl_hub_folder_file *file = &report->folder.file[i];
        json_t *object = json_object();
        xl_json_put(object, "file", xl_json_text(file->name), &ok);
        xl_json_put(object, "why", xl_json_text(file->why), &ok);
        if (!file->why) xl_file_class_put(object, &file->is, arena, &ok);
        ok = ok && !json_array_append_new(array, object);
    }
    return xl_json_finish(array, ok);
}

static json_t *describe_components(const struct xl_model_info *info) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int i = 0; ok && i < info->n_components; i++) {
        json_t *object = json_object();
        xl_json_put(object, "name", json_string(info->components[i].name), &ok);
        xl_json_put(object, "precision", json_string(info->components[i].dtype), &ok);
        xl_json_put(object, "bytes", json_integer(info->components[i].bytes), &ok);
        xl_json_put(object, "parameters", json_integer(info->components[i].n_parameters), &ok);
        ok = ok && !json_array_append_new(array, object);
    }
    return xl_json_finish(array, ok);
}

static void put_model(json_t *object, const struct xl_models_report *report, bool *ok) {
    const struct xl_model_info *info = xl_model_info(report->model);
    xl_json_put(object, "width", json_integer(info->width), ok);
    xl_json_put(object, "height", json_integer(info->height), ok);
    xl_json_put(object, "scheduler", xl_json_text(info->scheduler_class), ok);
    xl_json_put(object, "model_digest", json_string(info->digest), ok);
    xl_json_put(object, "components", describe_components(info), ok);
    if (!report->has_need) return;
    xl_json_put(object, "weight_bytes", json_integer(report->need.weight_bytes), ok);
    xl_json_put(object, "work_bytes", json_integer(report->need.work_bytes), ok);
}

static json_t *describe(const struct xl_models_report *report, struct xl_arena *arena) {
    const struct xl_catalogue_model *entry = &report->entry;
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "name", xl_json_text(report->target.name), &ok);
    if (report->target.file) {
        xl_json_put(object, "path", xl_json_text(report->target.file), &ok);
        xl_file_class_put(object, &report->file, arena, &ok);
    } else {
        xl_json_put(object, "kind", json_string(xl_hub_folder_kind_name(report->folder.kind)), &ok);
        xl_json_put(object, "what", xl_json_text(report->folder.what), &ok);
        xl_json_put(object, "needs", xl_json_text(report->folder.need), &ok);
        xl_json_put(object, "class", xl_json_text(report->folder.class_name), &ok);
        xl_json_put(object, "repository", xl_json_text(entry->folder ? NULL : entry->repo), &ok);
        xl_json_put(object, "dir", xl_json_text(report->target.snapshot.dir), &ok);
        xl_json_put(object, "commit", xl_json_text(report->target.snapshot.commit), &ok);
        xl_json_put(object, "state", json_string(xl_model_state_name(report->state.state)), &ok);
        xl_json_put(object, "why", xl_json_text(report->state.why), &ok);
        xl_json_put(object, "notice", xl_json_text(report->target.snapshot.notice), &ok);
        xl_json_put(object, "licence", xl_json_text(entry->licence), &ok);
        xl_json_put(object, "commercial", json_boolean(entry->is_commercial), &ok);
        xl_json_put(object, "root_files", describe_root(report, arena), &ok);
        xl_json_put(object, "files", describe_entries(report), &ok);
    }
    if (report->model) put_model(object, report, &ok);
    return xl_json_finish(object, ok);
}

/* ---------------------------------------------------------------------------------------------- */

static enum xl_status show_one(const struct xl_catalogue *catalogue, const char *name,
                               json_t *array, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_models_target target;
    struct xl_models_report report = {0};
    enum xl_status status = xl_models_find(catalogue, name, NULL, &arena, &target, err);
    if (!status) status = xl_models_look(&target, &arena, &report, err);
    if (!status && array && json_array_append_new(array, describe(&report, &arena)))
        status = xl_fail_nomem(err, "the JSON document", 0);
    else if (!status && !array)
        status = print_report(&report, &arena, err);
    if (!status) xl_models_report_deinit(&report);
    xl_arena_deinit(&arena);
    return status;
}

static enum xl_status show(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_catalogue *catalogue = NULL;
    json_t *array = settings->json ? json_array() : NULL;
    enum xl_status status =
        xl_catalogue_load(settings->model_files.item, settings->model_files.n, &catalogue, err);
    for (int i = 0; !status && i < settings->n_arguments; i++)
        status = show_one(catalogue, settings->arguments[i], array, err);
    if (!status && array) {
        json_t *document = json_pack("{so}", "models", json_incref(array));
        status = xl_print_json(document, err);
        json_decref(document);
    }
    json_decref(array);
    xl_catalogue_free(catalogue);
    return status;
}

const struct xl_command xl_command_models_show = {
    .name = "models show",
    .summary = "what a model, a LoRA or another file of weights is, and what drawing with it takes",
    .usage = "[OPTIONS]",
    .positional = "KEY|ID|DIR|FILE...",
    .words = XL_COMPLETE_MODEL,
    .commands = XL_FOR_CATALOGUE,
    .epilogue = "A file is told by the names and shapes in its header, whatever it is called; what "
                "this program cannot draw with is named, with what would be needed.\n"
                "Exit codes: 5 it is not there, or a file that cannot be read; else 0.",
    .run = show,
};
