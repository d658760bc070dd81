/* doctor_tell.c - what was found, as tables and sentences, and as a document. */
#include "cli/doctor.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/str.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>

/* ---- For people ---- */

static void print_title(const char *text) {
    putchar('\n');
    xl_print_text(text, XL_COLOR_BOLD);
    putchar('\n');
}

/* "8.1 GB"; with a mark where that is more than is free. */
static void need_text(const struct xl_doctor *doctor, const struct xl_doctor_model *model,
                      char out[XL_BYTES_MAX + 8]) {
    char bytes[XL_BYTES_MAX];
    int64_t need = model->weight_bytes + model->work_bytes;
    if (!model->has_need) {
        strcpy(out, "");
        return;
    }
    snprintf(out, XL_BYTES_MAX + 8, "%s%s", xl_bytes_text(need, bytes),
             need > doctor->memory_free ? " (!)" : "");
}

static void print_line(struct xl_str *line) {
    if (!line->failed) xl_print_lines(2, "", line->text, XL_COLOR_NONE);
    xl_str_deinit(line);
}

static enum xl_status print_models(const struct xl_doctor *doctor, struct xl_err *err) {
    enum { MODEL, STATE, KIND, DISK, NEEDS, LICENCE, PRECISION, N };
    static const char *const heading[N] = {"MODEL",  "STATE",   "KIND",     "DISK",
                                           "MEMORY", "LICENCE", "PRECISION"};
    struct xl_table table = {.n_columns = N, .spared = {PRECISION, KIND, LICENCE, DISK}};
    xl_table_add(&table, heading, XL_COLOR_BOLD);
    for (int i = 0; i < doctor->n_models; i++) {
        const struct xl_doctor_model *model = &doctor->model[i];
        char disk[XL_BYTES_MAX] = "", need[XL_BYTES_MAX + 8];
        if (model->disk_bytes) xl_bytes_text(model->disk_bytes, disk);
        need_text(doctor, model, need);
        char state[48];
        snprintf(state, sizeof state, "%s%s", xl_model_state_name(model->state),
                 model->is_verified ? ", verified" : "");
        const char *const cells[N] = {model->entry->key,
                                      state,
                                      xl_catalogue_kind_name(model->entry->kind),
                                      disk,
                                      need,
                                      model->entry->licence,
                                      model->precision ? model->precision : ""};
        xl_table_add(&table, cells,
                     model->state == XL_MODEL_READY ? XL_COLOR_NONE : XL_COLOR_YELLOW);
    }
    return xl_table_print(&table, 0, err);
}

static void print_problems(const struct xl_doctor *doctor) {
    for (int i = 0; i < doctor->n_models; i++) {
        const struct xl_doctor_model *model = &doctor->model[i];
        if (!model->problems.n) continue;
        print_title(model->entry->key);
        for (int k = 0; k < model->problems.n; k++)
            xl_print_lines(2, "", model->problems.text[k], XL_COLOR_NONE);
    }
}

static void print_cache(const struct xl_doctor *doctor) {
    char bytes[XL_BYTES_MAX];
    print_title("cache");
    for (int i = 0; i < doctor->places.n; i++) {
        const struct xl_hub_place *place = &doctor->places.place[i];
        struct xl_str line = {0};
        xl_str_puts(&line, place->dir);
        if (place->is_there)
            xl_str_printf(&line, ": %d %s, %s free%s", place->n_repositories,
                          xl_plural(place->n_repositories, "repository", "repositories"),
                          place->free_bytes < 0 ? "not known what is"
                                                : xl_bytes_text(place->free_bytes, bytes),
                          place->is_writable ? "" : ", read-only");
        else
            xl_str_puts(&line, ": not there");
        print_line(&line);
    }
    for (int i = 0; i < doctor->notes.n; i++)
        xl_print_lines(2, "", doctor->notes.text[i], XL_COLOR_YELLOW);
    if (doctor->memory_free != XL_MEMORY_UNKNOWN)
        printf("  memory: %s free\n", xl_bytes_text(doctor->memory_free, bytes));
}

static void put_gpu(struct xl_str *line, const struct xl_doctor_gpus *gpus, int i) {
    const struct xl_cuda_device *device = &gpus->device[i];
    char bytes[XL_BYTES_MAX];
    xl_str_printf(line, "cuda:%d: %s, compute capability %d.%d, %s", i, device->name, device->major,
                  device->minor, xl_bytes_text(device->total_bytes, bytes));
    if (gpus->free_bytes[i] < 0)
        xl_str_puts(line, ", cannot be used now");
    else
        xl_str_printf(line, ", %s free", xl_bytes_text(gpus->free_bytes[i], bytes));
    if (!device->is_supported) xl_str_puts(line, "; this sdxl-lab has no kernels for it");
}

/* One driver has them all. */
static void put_driver(struct xl_str *line, const struct xl_doctor_gpus *gpus) {
    const struct xl_cuda_device *first = &gpus->device[0];
    xl_str_printf(line, "driver for CUDA %d.%d, built with CUDA %d.%d; libraries: %s",
                  first->driver_version / 1000, first->driver_version % 1000 / 10,
                  first->runtime_version / 1000, first->runtime_version % 1000 / 10,
                  gpus->libraries[0] ? gpus->libraries : "none was found");
}

static void print_gpus(const struct xl_doctor *doctor) {
    const struct xl_doctor_gpus *gpus = &doctor->gpus;
    struct xl_str line = {0};
    print_title("GPUs");
    if (gpus->why) {
        xl_str_printf(&line, "none: %s", gpus->why);
        print_line(&line);
        return;
    }
    for (int i = 0; i < gpus->n; i++) {
        struct xl_str gpu = {0};
        put_gpu(&gpu, gpus, i);
        print_line(&gpu);
    }
    put_driver(&line, gpus);
    print_line(&line);
}

static const char *age_text(double seconds, char *out, size_t size) {
    long long hours = (long long)(seconds / 3600);
    if (hours < 2)
        snprintf(out, size, "%lld minutes ago", (long long)(seconds / 60));
    else if (hours < 48)
        snprintf(out, size, "%lld hours ago", hours);
    else
        snprintf(out, size, "%lld days ago", hours / 24);
    return out;
}

static void print_partials(const struct xl_doctor *doctor) {
    char bytes[XL_BYTES_MAX], age[48];
    if (!doctor->partials.n) return;
    print_title("interrupted downloads");
    for (int i = 0; i < doctor->partials.n; i++) {
        const struct xl_hub_partial *partial = &doctor->partials.partial[i];
        struct xl_str line = {0};
        xl_str_printf(&line, "%s: %s, %s: %s", partial->id, xl_bytes_text(partial->bytes, bytes),
                      age_text(partial->age_s, age, sizeof age), partial->path);
        print_line(&line);
    }
    xl_print_lines(
        2, "", "downloading such a repository again goes on; one that nobody wants may be removed",
        XL_COLOR_NONE);
}

static void print_others(const struct xl_doctor *doctor) {
    if (!doctor->others.n) return;
    print_title("other repositories of the cache");
    for (int i = 0; i < doctor->others.n; i++) {
        const struct xl_hub_found *found = &doctor->others.found[i];
        const char *rest = found->is.need ? found->is.need : doctor->others_why[i];
        struct xl_str line = {0};
        xl_str_printf(&line, "%s: %s%s%s", found->id, found->is.what, rest ? "; " : "",
                      rest ? rest : "");
        print_line(&line);
    }
}

static void print_commands(const struct xl_doctor *doctor) {
    bool is_first = true;
    for (int i = 0; i < doctor->n_models; i++) {
        if (!doctor->model[i].command) continue;
        if (is_first) print_title("what to do");
        is_first = false;
        printf("  "); /* whole, whatever its width: it is to be copied */
        xl_print_text(doctor->model[i].command, XL_COLOR_NONE);
        putchar('\n');
    }
}

enum xl_status xl_doctor_print(struct xl_doctor *doctor, struct xl_err *err) {
    enum xl_status status = print_models(doctor, err);
    if (status) return status;
    print_problems(doctor);
    print_cache(doctor);
    print_gpus(doctor);
    print_partials(doctor);
    print_others(doctor);
    print_commands(doctor);
    return XL_OK;
}

/* ---- For programs ---- */

static json_t *texts(const struct xl_doctor_notes *notes) {
    json_t *array = json_array();
    bool ok = array != NULL;
    for (int i = 0; ok && i < notes->n; i++)
        ok = !json_array_append_new(array, xl_json_text(notes->text[i]));
    return xl_json_finish(array, ok);
}

static json_t *describe_model(const struct xl_doctor_model *model, bool is_deep) {
    const struct xl_catalogue_model *entry = model->entry;
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "key", xl_json_text(entry->key), &ok);
    xl_json_put(object, "repository", xl_json_text(entry->repo), &ok);
    xl_json_put(object, "embedded", json_boolean(entry->is_embedded), &ok);
    xl_json_put(object, "state", json_string(xl_model_state_name(model->state)), &ok);
    xl_json_put(object, "verified", is_deep ? json_boolean(model->is_verified) : json_null(), &ok);
    xl_json_put(object, "kind", json_string(xl_catalogue_kind_name(entry->kind)), &ok);
    xl_json_put(object, "found", xl_json_text(model->what), &ok);
    xl_json_put(object, "precision", xl_json_text(model->precision), &ok);
    xl_json_put(object, "disk_bytes", json_integer(model->disk_bytes), &ok);
    xl_json_put(object, "weight_bytes",
                model->has_need ? json_integer(model->weight_bytes) : json_null(), &ok);
    xl_json_put(object, "work_bytes",
                model->has_need ? json_integer(model->work_bytes) : json_null(), &ok);
    xl_json_put(object, "licence", xl_json_text(entry->licence), &ok);
    xl_json_put(object, "commercial", json_boolean(entry->is_commercial), &ok);
    xl_json_put(object, "problems", texts(&model->problems), &ok);
    xl_json_put(object, "command", xl_json_text(model->command), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_place(const struct xl_hub_place *place) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "dir", xl_json_text(place->dir), &ok);
    xl_json_put(object, "there", json_boolean(place->is_there), &ok);
    xl_json_put(object, "writable", json_boolean(place->is_writable), &ok);
    xl_json_put(object, "repositories", json_integer(place->n_repositories), &ok);
    xl_json_put(object, "free_bytes",
                place->free_bytes < 0 ? json_null() : json_integer(place->free_bytes), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_partial(const struct xl_hub_partial *partial) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "repository", xl_json_text(partial->id), &ok);
    xl_json_put(object, "path", xl_json_text(partial->path), &ok);
    xl_json_put(object, "bytes", json_integer(partial->bytes), &ok);
    xl_json_put(object, "age_s", json_integer((json_int_t)partial->age_s), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_other(const struct xl_hub_found *found, const char *why) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "repository", xl_json_text(found->id), &ok);
    xl_json_put(object, "kind", json_string(xl_hub_folder_kind_name(found->is.kind)), &ok);
    xl_json_put(object, "what", xl_json_text(found->is.what), &ok);
    xl_json_put(object, "needs", xl_json_text(found->is.need), &ok);
    xl_json_put(object, "why", xl_json_text(why), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_gpu(const struct xl_doctor_gpus *gpus, int i) {
    const struct xl_cuda_device *device = &gpus->device[i];
    char capability[32], driver[32], runtime[32];
    json_t *object = json_object();
    bool ok = object != NULL;
    snprintf(capability, sizeof capability, "%d.%d", device->major, device->minor);
    snprintf(driver, sizeof driver, "%d.%d", device->driver_version / 1000,
             device->driver_version % 1000 / 10);
    snprintf(runtime, sizeof runtime, "%d.%d", device->runtime_version / 1000,
             device->runtime_version % 1000 / 10);
    xl_json_put(object, "name", xl_json_text(device->name), &ok);
    xl_json_put(object, "compute_capability", json_string(capability), &ok);
    xl_json_put(object, "supported", json_boolean(device->is_supported), &ok);
    xl_json_put(object, "total_bytes", json_integer(device->total_bytes), &ok);
    xl_json_put(object, "free_bytes",
                gpus->free_bytes[i] < 0 ? json_null() : json_integer(gpus->free_bytes[i]), &ok);
    xl_json_put(object, "driver_cuda", json_string(driver), &ok);
    xl_json_put(object, "built_with_cuda", json_string(runtime), &ok);
    return xl_json_finish(object, ok);
}

/* {devices, why there is none or null, libraries or null} */
static json_t *describe_gpus(const struct xl_doctor_gpus *gpus) {
    json_t *object = json_object(), *devices = json_array();
    bool ok = object && devices;
    for (int i = 0; ok && i < gpus->n; i++)
        ok = !json_array_append_new(devices, describe_gpu(gpus, i));
    xl_json_put(object, "devices", devices, &ok);
    xl_json_put(object, "why", xl_json_text(gpus->why), &ok);
    xl_json_put(object, "libraries", xl_json_text(gpus->libraries), &ok);
    return xl_json_finish(object, ok);
}

enum xl_status xl_doctor_print_json(struct xl_doctor *doctor, struct xl_err *err) {
    json_t *document = json_object(), *models = json_array(), *cache = json_array(),
           *partials = json_array(), *others = json_array();
    bool ok = document && models && cache && partials && others;
    for (int i = 0; ok && i < doctor->n_models; i++)
        ok = !json_array_append_new(models, describe_model(&doctor->model[i], doctor->is_deep));
    for (int i = 0; ok && i < doctor->places.n; i++)
        ok = !json_array_append_new(cache, describe_place(&doctor->places.place[i]));
    for (int i = 0; ok && i < doctor->partials.n; i++)
        ok = !json_array_append_new(partials, describe_partial(&doctor->partials.partial[i]));
    for (int i = 0; ok && i < doctor->others.n; i++)
        ok = !json_array_append_new(
            others, describe_other(&doctor->others.found[i], doctor->others_why[i]));
    xl_json_put(document, "models", models, &ok);
    xl_json_put(document, "missing", json_integer(doctor->n_missing), &ok);
    xl_json_put(document, "cache", cache, &ok);
    xl_json_put(document, "notes", texts(&doctor->notes), &ok);
    xl_json_put(document, "interrupted", partials, &ok);
    xl_json_put(document, "others", others, &ok);
    xl_json_put(document, "gpus", describe_gpus(&doctor->gpus), &ok);
    xl_json_put(document, "memory_free",
                doctor->memory_free == XL_MEMORY_UNKNOWN ? json_null()
                                                         : json_integer(doctor->memory_free),
                &ok);
    document = xl_json_finish(document, ok);
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}
