/* models_report.h - all that the models commands tell of one model. */
#ifndef XL_CLI_MODELS_REPORT_H
#define XL_CLI_MODELS_REPORT_H

#include "cli/models.h"
#include "sdxl/sdxl.h"

struct xl_models_report {
    struct xl_models_target target;
    struct xl_catalogue_model entry;   /* of the catalogue, or what stands for one */
    struct xl_catalogue_status state;  /* not of a lone LoRA, VAE or textual inversion */
    struct xl_hub_folder_class folder; /* where the target is a folder */
    struct xl_file_class file;         /* where it is a file */
    struct xl_hub_entries entries;
    struct xl_model *model; /* NULL: it cannot be opened, or is no model */
    bool has_need;
    struct xl_need need;
};

/* Look at a model; opens it, and asks a CPU device what drawing one picture of its size would take.
 * What is wrong with the model stands in state.why. On success *out is the caller's:
 * xl_models_report_deinit. Errors: XL_ENOMEM; XL_EFORMAT a file that cannot be classified */
enum xl_status xl_models_look(const struct xl_models_target *target, struct xl_arena *arena,
                              struct xl_models_report *out, struct xl_err *err) XL_CHECKED;
void xl_models_report_deinit(struct xl_models_report *report);

/* "a LoRA for SDXL", "an SDXL pipeline". */
const char *xl_models_what(const struct xl_models_report *report);

/* The precision of each component: "unet F16, vae F32". In the arena; NULL: out of memory */
const char *xl_models_precision(const struct xl_models_report *report, struct xl_arena *arena);

/* "openrail++, commercial use: yes; use restrictions in ..."; in the arena; NULL: out of memory */
const char *xl_models_licence(const struct xl_catalogue_model *entry, struct xl_arena *arena);

/* "7.1 GB of weights and 2.1 GB of work; 12.3 GB are free"; in the arena; NULL: out of memory */
const char *xl_models_memory(const struct xl_need *need, struct xl_arena *arena);

#endif
