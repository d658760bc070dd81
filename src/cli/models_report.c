/* models_report.c - looking at one model for the commands that tell of it. */
#include "cli/models_report.h"

#include "base/memory.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static enum xl_catalogue_kind kind_of(enum xl_hub_folder_kind folder) {
    return folder == XL_HUB_FOLDER_SINGLE_FILES ? XL_KIND_SINGLE_FILE
           : folder == XL_HUB_FOLDER_LORA       ? XL_KIND_LORA
                                                : XL_KIND_PIPELINE;
}

/* What stands for an entry where the catalogue has none. */
static void set_entry(struct xl_models_report *report) {
    const struct xl_models_target *target = &report->target;
    if (target->entry) {
        report->entry = *target->entry;
        return;
    }
    const char *id = target->snapshot.id ? target->snapshot.id : target->name;
    report->entry = xl_catalogue_unlisted(id, kind_of(report->folder.kind));
    report->entry.key = target->name;
    if (target->file) {
        report->entry.folder = target->file;
        report->entry.repo = target->file;
    } else if (!target->snapshot.commit) {
        report->entry.folder = target->snapshot.dir;
    } else {
        report->entry.revision = target->snapshot.commit;
    }
}

/* What one picture of the recommended size would take. */
static enum xl_status ask_need(struct xl_models_report *report, struct xl_err *err) {
    const struct xl_catalogue_model *entry = &report->entry;
    struct xl_device_params params;
    struct xl_device *device = NULL;
    struct xl_picture picture = {.prompt = "x"};
    struct xl_request request;
    xl_device_params_default(&params);
    params.name = "cpu";
    xl_request_default(&request);
    request.pictures = &picture;
    request.n_pictures = 1;
    request.width = entry->width;
    request.height = entry->height;
    if (entry->steps) request.steps = entry->steps;
    if (xl_has_guidance(entry->guidance)) request.guidance = entry->guidance;
    enum xl_status status = xl_device_open(&params, &device, err);
    if (!status) status = xl_model_need(device, report->model, &request, &report->need, err);
    xl_device_close(device);
    report->has_need = !status;
    return status;
}

/* Open what is ready. */
static enum xl_status open_model(struct xl_models_report *report, struct xl_err *err) {
    struct xl_model_params params;
    struct xl_lora lora = {report->state.lora, 1, 1};
    struct xl_err why = {0};
    xl_model_params_default(&params);
    params.model = report->state.location;
    params.revision = report->state.lora ? NULL : report->entry.revision;
    if (report->state.lora) {
        if (!report->entry.base) return XL_OK; /* it goes on any model */
        params.loras = &lora;
        params.n_loras = 1;
    }
    enum xl_status status = xl_model_open(&params, &report->model, &why);
    if (!status) status = ask_need(report, &why);
    return status == XL_ENOMEM ? xl_fail(err, status, "%s", why.text) : XL_OK;
}

static enum xl_status look_at_file(struct xl_models_report *report, struct xl_arena *arena,
                                   struct xl_err *err) {
    const char *path = report->target.file;
    enum xl_status status = xl_hub_classify_file(path, arena, &report->file, err);
    if (!status) status = xl_hub_entry(path, arena, &report->entries, err);
    if (status || report->file.kind != XL_FILE_SDXL_CHECKPOINT) return status;
    report->state.location = path;
    return open_model(report, err);
}

enum xl_status xl_models_look(const struct xl_models_target *target, struct xl_arena *arena,
                              struct xl_models_report *out, struct xl_err *err) {
    struct xl_models_report report = {.target = *target};
    struct xl_err why = {0};
    enum xl_status status = XL_OK;
    if (!target->file)
        status = xl_hub_classify_folder(target->snapshot.dir, arena, &report.folder, &why);
    if (status) { /* a damaged model_index.json: the state says so */
        if (status == XL_ENOMEM) return xl_fail(err, status, "%s", why.text);
        report.folder.what = "a folder that cannot be read";
    }
    set_entry(&report);
    if (target->file) {
        status = look_at_file(&report, arena, err);
    } else {
        status = xl_hub_entries(&target->snapshot, arena, &report.entries, err);
        if (!status) status = xl_catalogue_state(&report.entry, NULL, arena, &report.state, err);
        if (!status && report.state.state == XL_MODEL_READY) status = open_model(&report, err);
    }
    if (status)
        xl_models_report_deinit(&report);
    else
        *out = report;
    return status;
}

void xl_models_report_deinit(struct xl_models_report *report) {
    xl_model_close(report->model);
    report->model = NULL;
}

const char *xl_models_what(const struct xl_models_report *report) {
    return report->target.file ? report->file.what : report->folder.what;
}

const char *xl_models_precision(const struct xl_models_report *report, struct xl_arena *arena) {
    struct xl_str line = {0};
    const struct xl_model_info *info = report->model ? xl_model_info(report->model) : NULL;
    for (int c = 0; info && c < info->n_components; c++)
        xl_str_printf(&line, "%s%s %s", c ? ", " : "", info->components[c].name,
                      info->components[c].dtype);
    if (!info && report->target.file) xl_str_puts(&line, report->file.precision);
    char *text = xl_str_take(&line);
    const char *copy = text ? xl_arena_strdup(arena, text) : NULL;
    free(text);
    return copy;
}

const char *xl_models_licence(const struct xl_catalogue_model *entry, struct xl_arena *arena) {
    bool is_known = strcmp(entry->licence, "unknown") != 0;
    if (!is_known) return xl_arena_strdup(arena, "unknown: its makers' page says");
    return xl_arena_printf(arena, "%s, commercial use: %s%s%s", entry->licence,
                           entry->is_commercial ? "yes" : "no", entry->licence_note[0] ? "; " : "",
                           entry->licence_note);
}

const char *xl_models_memory(const struct xl_need *need, struct xl_arena *arena) {
    char weights[XL_BYTES_MAX], work[XL_BYTES_MAX], free_text[XL_BYTES_MAX];
    int64_t available = xl_memory_available();
    bool fits = need->weight_bytes + need->work_bytes <= available;
    bool fits_somehow = need->weight_bytes + need->least_bytes <= available;
    return xl_arena_printf(
        arena, "%s of weights and %s of work for a picture; %s free%s",
        xl_bytes_text(need->weight_bytes, weights), xl_bytes_text(need->work_bytes, work),
        available == XL_MEMORY_UNKNOWN ? "not known what is" : xl_bytes_text(available, free_text),
        fits           ? ""
        : fits_somehow ? ": it will be drawn in tiles or part by part"
                       : ": too little, pictures will be drawn smaller");
}
