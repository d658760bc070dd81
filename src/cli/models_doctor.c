/* models_doctor.c - sdxl-lab models doctor: is everything there that the list names, and what would
 * mend what is not. */
#include "cli/doctor.h"

static enum xl_status doctor(const struct xl_settings *settings, struct xl_err *err) {
    struct xl_catalogue *catalogue = NULL;
    struct xl_doctor found = {.n_models = 0};
    enum xl_status status =
        xl_catalogue_load(settings->model_files.item, settings->model_files.n, &catalogue, err);
    if (!status) status = xl_doctor_look(settings, catalogue, &found, err);
    if (!status)
        status = settings->json ? xl_doctor_print_json(&found, err) : xl_doctor_print(&found, err);
    if (!status && found.n_missing)
        status = xl_fail(err, XL_EMODEL, "%d of %d models cannot be drawn with", found.n_missing,
                         found.n_models);
    xl_doctor_deinit(&found);
    xl_catalogue_free(catalogue);
    return status;
}

const struct xl_command xl_command_models_doctor = {
    .name = "models doctor",
    .summary = "whether every model of the list is there and whole, and what would mend it",
    .usage = "[OPTIONS]",
    .commands = XL_FOR_DOCTOR,
    .epilogue =
        "Looks at headers, links and names, and with --deep at every byte. MEMORY is what weights "
        "and work of one picture take on the CPU; (!) is more than is free now. Lists the GPUs, "
        "their "
        "driver and libraries, or says why there is none. Writes nothing: a cache that is "
        "read-only is fine.\n"
        "Exit codes: 5 a model of the list is missing, incomplete or unusable; else 0. A list of "
        "your own (\"KEY: null\" in models.yaml) leaves out what you do not want.",
    .run = doctor,
};
