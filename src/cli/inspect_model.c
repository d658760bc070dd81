/* inspect_model.c - inspect model: what the model consists of that a picture would be drawn with,
 * another VAE and LoRAs included. */
#include "cli/cli.h"

#include "base/json.h"
#include "base/str.h"
#include "engine/lora_json.h"
#include "lab/run/sweep.h"

#include <stdio.h>
#include <string.h>

static json_t *describe_files(const struct xl_component_info *component) {
    json_t *array = json_array();
    bool ok = true;
    for (int i = 0; i < component->n_files; i++) {
        const struct xl_file_info *info = &component->files[i];
        json_t *file = json_object();
        xl_json_put(file, "path", xl_json_text(info->path), &ok);
        xl_json_put(file, "digest", json_string(info->digest), &ok);
        if (json_array_append_new(array, file)) ok = false;
    }
    return xl_json_finish(array, ok);
}

static json_t *describe_components(const struct xl_model_info *info) {
    json_t *array = json_array();
    bool ok = true;
    for (int i = 0; i < info->n_components; i++) {
        const struct xl_component_info *component = &info->components[i];
        json_t *object = json_object();
        xl_json_put(object, "name", json_string(component->name), &ok);
        xl_json_put(object, "parameters", json_integer(component->n_parameters), &ok);
        xl_json_put(object, "dtype", json_string(component->dtype), &ok);
        xl_json_put(object, "bytes", json_integer(component->bytes), &ok);
        xl_json_put(object, "files", describe_files(component), &ok);
        if (json_array_append_new(array, object)) ok = false;
    }
    return xl_json_finish(array, ok);
}

static json_t *describe_loras(const struct xl_model_info *info) {
    json_t *array = json_array();
    bool ok = true;
    for (int i = 0; i < info->n_loras; i++) {
        const struct xl_lora_info *lora = &info->loras[i];
        json_t *object = xl_lora_json(lora);
        xl_json_put(object, "path", xl_json_text(lora->path), &ok);
        xl_json_put(object, "modules", json_integer(lora->n_modules), &ok);
        xl_json_put(object, "applied", json_integer(lora->n_applied), &ok);
        if (json_array_append_new(array, object)) ok = false;
    }
    return xl_json_finish(array, ok);
}

static json_t *describe_model(const struct xl_model_info *info) {
    json_t *object = json_object();
    bool ok = true;
    xl_json_put(object, "id", xl_json_text(info->id), &ok);
    xl_json_put(object, "folder", xl_json_text(info->dir), &ok);
    if (info->commit) xl_json_put(object, "commit", json_string(info->commit), &ok);
    xl_json_put(object, "digest", json_string(info->digest), &ok);
    xl_json_put(object, "width", json_integer(info->width), &ok);
    xl_json_put(object, "height", json_integer(info->height), &ok);
    xl_json_put(object, "unit", json_integer(info->unit), &ok);
    xl_json_put(object, "scheduler", xl_json_text(info->scheduler_class), &ok);
    xl_json_put(object, "force_zeros_for_empty_prompt",
                json_boolean(info->force_zeros_for_empty_prompt), &ok);
    xl_json_put(object, "components", describe_components(info), &ok);
    if (info->n_loras) xl_json_put(object, "loras", describe_loras(info), &ok);
    return xl_json_finish(object, ok);
}

static void print_model(const struct xl_model_info *info) {
    printf("%s\n  %-12s %s\n", info->id, "folder", info->dir);
    if (info->commit) printf("  %-12s %s\n", "commit", info->commit);
    printf("  %-12s %s\n", "digest", info->digest);
    printf("  %-12s %s\n", "scheduler", info->scheduler_class);
    printf("  %-12s %d x %d\n", "size", info->width, info->height);
    for (int i = 0; i < info->n_components; i++) {
        const struct xl_component_info *component = &info->components[i];
        printf("  %-16s %14lld parameters  %s  %.2f GB\n", component->name,
               (long long)component->n_parameters, component->dtype,
               (double)component->bytes / 1e9);
        for (int k = 0; k < component->n_files; k++) printf("      %s\n", component->files[k].path);
    }
    for (int i = 0; i < info->n_loras; i++) {
        const struct xl_lora_info *lora = &info->loras[i];
        char text[XL_REAL_MAX], unet[XL_REAL_MAX];
        xl_real_text(lora->text_scale, text);
        xl_real_text(lora->unet_scale, unet);
        printf("  LoRA %s: text encoders %s, UNet %s; %d of its %d modules\n      %s\n", lora->name,
               text, unet, lora->n_applied, lora->n_modules, lora->path);
    }
}

/* The model that generate would draw with: names of the list, LoRAs and VAE mean the same. */
static enum xl_status open_model(const struct xl_settings *settings, struct xl_model **out,
                                 struct xl_err *err) {
    struct xl_settings one = *settings;
    struct xl_sweep sweep;
    one.prompt = settings->prompt ? settings->prompt : "a picture";
    enum xl_status status = xl_require_model(settings, err);
    if (!status) status = xl_sweep_plan(&one, &sweep, err);
    if (status) return status;
    status = xl_sweep_model_open(&sweep.models[sweep.cells[0].model], out, err);
    xl_sweep_deinit(&sweep);
    return status;
}

static enum xl_status inspect_model(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_model *model;
    enum xl_status status = open_model(settings, &model, err);
    if (status) return status;
    if (settings->json) {
        json_t *document = describe_model(xl_model_info(model));
        status = xl_print_json(document, err);
        json_decref(document);
    } else {
        print_model(xl_model_info(model));
    }
    xl_model_close(model);
    return status;
}

const struct xl_command xl_command_inspect_model = {
    .name = "inspect model",
    .summary = "what a model consists of: files, digests, sizes, scheduler, LoRAs",
    .usage = "--model KEY|ID|DIR|FILE [--lora NAME[:SCALE]]... [--vae NAME|ID|DIR|FILE] [--json]",
    .commands = XL_FOR_MODEL,
    .run = inspect_model,
};
