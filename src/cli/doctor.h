/* doctor.h - what sdxl-lab models doctor finds: of each model of the list, of the cache, of what
 * was not finished, of GPUs. doctor.c looks, doctor_tell.c tells, models_doctor.c is the command.
 */
#ifndef XL_CLI_DOCTOR_H
#define XL_CLI_DOCTOR_H

#include "backend/backend.h"
#include "cli/models.h"
#include "lab/settings/settings.h"

/* Sentences, in the order in which they were found. */
struct xl_doctor_notes {
    const char **text;
    int n, capacity;
};

struct xl_doctor_model {
    const struct xl_catalogue_model *entry;
    enum xl_model_state state;
    const char *what;      /* "an SDXL pipeline"; NULL: not there */
    const char *precision; /* "unet F16, vae F16, ..." */
    const char *command;   /* what would mend it, as a shell takes it; NULL: nothing to mend */
    const char *wanted;    /* the model that is to be fetched: itself, or its base */
    struct xl_doctor_notes problems;
    bool is_verified;   /* each file was read, and is what its digest says */
    int64_t disk_bytes; /* of all files of the snapshot */
    bool has_need;      /* then the next two are known: of a picture of its size */
    int64_t weight_bytes, work_bytes;
};

/* GPUs and what computes on them. */
struct xl_doctor_gpus {
    const struct xl_cuda_device *device; /* [n] */
    const int64_t *free_bytes;           /* [n]; -1: it cannot be used */
    int n;
    const char *why;       /* there is none; NULL where there are some */
    const char *libraries; /* "cuBLASLt 13.0.2, cuDNN 9.19.0" */
};

struct xl_doctor {
    struct xl_arena arena;
    struct xl_doctor_model *model; /* those of the list */
    int n_models, n_missing;       /* n_missing: that cannot be drawn with */
    struct xl_hub_places places;
    struct xl_hub_partials partials;
    struct xl_hub_scan others;    /* repositories that the list does not know */
    const char **others_why;      /* [others.n]: why a model cannot be drawn with; NULL: it can, or
                                     is none */
    bool is_deep;                 /* every file was read */
    struct xl_doctor_notes notes; /* about the cache: variables, links */
    int64_t memory_free;
    struct xl_doctor_gpus gpus;
};

/* Look at everything. With settings->deep every file is read and its digest compared.
 * On success *out is the caller's: xl_doctor_deinit. Errors: XL_ENOMEM, XL_ECANCELLED */
enum xl_status xl_doctor_look(const struct xl_settings *settings,
                              const struct xl_catalogue *catalogue, struct xl_doctor *out,
                              struct xl_err *err) XL_CHECKED;
void xl_doctor_deinit(struct xl_doctor *doctor);

/* doctor_tell.c: for people, and for programs. Errors: XL_ENOMEM */
enum xl_status xl_doctor_print(struct xl_doctor *doctor, struct xl_err *err) XL_CHECKED;
enum xl_status xl_doctor_print_json(struct xl_doctor *doctor, struct xl_err *err) XL_CHECKED;

#endif
