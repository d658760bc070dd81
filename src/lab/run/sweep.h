/* sweep.h - a request as a list of cells: which models, which pictures of each, in which order.
 *
 * One picture is a sweep of one cell. Planning draws nothing: it resolves the models (and opens
 * each for a moment, to know its size and its weights), multiplies the axes, fills in what nobody
 * said from the profile, the catalogue and the model, in this order, and drops cells that are
 * equal. A sweep is data: who draws it, and who follows, is the run's affair (run.h).
 */
#ifndef XL_LAB_SWEEP_H
#define XL_LAB_SWEEP_H

#include "base/sha256.h"
#include "base/str.h"
#include "lab/cell/cell.h"
#include "lab/data/catalogue.h"
#include "lab/data/lora_text.h"
#include "lab/data/profiles.h"
#include "lab/settings/settings.h"
#include "prompts/wildcards.h"

/* A LoRA of a model of a sweep. */
struct xl_sweep_lora {
    const char *name;   /* of its file, without the ending */
    const char *file;   /* from the root */
    const char *digest; /* as xl_hub_file_digest has it */
    double text_scale, unet_scale;
};

/* A model of a sweep. One with another VAE or with LoRAs is one of its own, a variant: it follows
 * the models that were asked for, and shares key, place and folder of pictures with its base. */
struct xl_sweep_model {
    const char *key;                        /* of the catalogue, or what was asked for */
    const char *id;                         /* what xl_model_open takes */
    const char *revision;                   /* NULL: main */
    const struct xl_catalogue_model *entry; /* NULL: not in the catalogue */
    const char *skipped;                    /* why it cannot be used; NULL: it can */
    const char *skipped_as;                 /* the same in a word or two: "not cached" */
    const char *repository, *commit;        /* as the hub resolved them; commit NULL: a folder */
    char digest[XL_SHA256_HEX];             /* of xl_model_info; "": not known */
    int width, height;                      /* the model's own size */
    int unit;                               /* sides are multiples of it */
    int base;        /* index of the model that this is a variant of, else its own */
    const char *vae; /* as xl_model_open takes it; NULL: the model's own */
    const struct xl_sweep_lora *loras; /* [n_loras] in the order of their digests, each file once */
    int n_loras;
    struct xl_model *open; /* while the sweep is planned; NULL after it */
};

struct xl_sweep {
    struct xl_arena arena;
    struct xl_profiles *profiles; /* cells and models point into these two */
    struct xl_catalogue *catalogue;
    struct xl_sweep_model *models;
    int n_models;
    struct xl_cell *cells; /* by index */
    int n_cells;
    int *order;       /* cells in the order of drawing: models load once, equal shapes together */
    int n_duplicates; /* cells that equalled another and were dropped */
    bool has_models;  /* several models were asked for: a folder each */
    bool is_grid;     /* more than the pictures of one batch: gets a run directory */
    const char *kind; /* begins the name of the run directory */
    struct xl_str notices; /* sentences, one a line */
    uint64_t *random;      /* [n_random] seeds that nobody chose; each begins a batch */
    int n_random;
};

/* The kind of a sweep whose pictures are compared along its first axis. */
#define XL_KIND_COMPARE "compare"

/* Plan what the settings ask for: every value is checked, every cell is one that its model can
 * draw. Random seeds are drawn here, once, and put into the settings with what was read from files;
 * those texts live as long as *out. On success the caller owns *out (xl_sweep_deinit). Errors:
 * XL_EINVAL settings that contradict each other or an axis; XL_EMODEL no model that can be used, or
 * one that was named; XL_EFORMAT a model that cannot draw what is asked; XL_EINPUT init image,
 * profile or model files */
enum xl_status xl_sweep_plan(struct xl_settings *settings, struct xl_sweep *out,
                             struct xl_err *err) XL_CHECKED;
void xl_sweep_deinit(struct xl_sweep *sweep);

/* The textual inversions that stand in one text, for whoever only looks: *out: [*n], in the arena.
 * What is wrong and stops nothing is warned of. Errors: XL_EINVAL, XL_EMODEL one that was said or
 * is named "embedding:NAME" is nowhere; XL_EFORMAT, XL_EINPUT, XL_ENOMEM */
enum xl_status xl_text_embeddings(const struct xl_settings *settings, const char *text,
                                  struct xl_arena *arena, const struct xl_embedding **out, int *n,
                                  struct xl_err *err) XL_CHECKED;

/* The wildcards of settings: the folders that were said, else a person's own, which there need not
 * be. arena: for paths. Caller: xl_wildcards_free. Errors: as xl_wildcards_open */
enum xl_status xl_settings_wildcards(const struct xl_settings *settings, struct xl_arena *arena,
                                     struct xl_str *notices, struct xl_wildcards **out,
                                     struct xl_err *err) XL_CHECKED;

/* Extend a sweep that was read from a run directory by the axes of `more`: an axis that it has gets
 * the values that it has not, and one that it has not crosses what is there. *n_added cells follow
 * those that are there, which stay as they are; the request says the axes. Texts live in the sweep.
 * After a failure the sweep can be given up and nothing else. Errors: as xl_sweep_plan */
enum xl_status xl_sweep_extend(struct xl_settings *request, const struct xl_settings *more,
                               struct xl_sweep *sweep, int *n_added, struct xl_err *err) XL_CHECKED;

/* A job of a list: settings as xl_settings_read_object reads them, over those of the request. */
struct xl_sweep_job {
    const json_t *settings;
    const char *name;            /* opens the sentence of what is wrong with it */
    const char *prompt_template; /* what its prompt was made of; NULL: it was asked for */
};

/* sweep_jobs.c: plan a list of jobs, each with the axes that it says, instead of axes over one
 * request: the cells of a sweep that is begun here (no models yet) follow in the order of the jobs,
 * or those that are there already; equal ones come once. Each model has a folder of its own.
 * refused: told of a job that cannot be planned, which is left out then; NULL: the first one ends
 * it. *n_added: cells. After a failure the sweep can be given up and nothing else.
 * Errors: as xl_sweep_plan; XL_EINPUT a model has other files than when the sweep was begun */
struct xl_sweep_jobs {
    const struct xl_sweep_job *job; /* [n] */
    int n;
    const char *kind; /* of the sweep */
    void (*refused)(void *user, int job, const struct xl_err *why);
    void *user;
};
enum xl_status xl_sweep_plan_jobs(const struct xl_settings *request,
                                  const struct xl_sweep_jobs *jobs, struct xl_sweep *sweep,
                                  int *n_added, struct xl_err *err) XL_CHECKED;

/* sweep_names.c: fill in the tags of all cells. Errors: XL_ENOMEM */
enum xl_status xl_sweep_name_cells(struct xl_sweep *sweep, struct xl_err *err) XL_CHECKED;

/* Sort for drawing: by model, then shape, then text. Fills in sweep->order. */
enum xl_status xl_sweep_sort(struct xl_sweep *sweep, struct xl_err *err) XL_CHECKED;

/* sweep_models.c: open a model of a sweep: of the commit that it was planned with, whatever the
 * cache calls main by now; where that is gone, what is there instead if its files are the same.
 * Caller: xl_model_close. Errors: as xl_model_open */
enum xl_status xl_sweep_model_open(const struct xl_sweep_model *model, struct xl_model **out,
                                   struct xl_err *err) XL_CHECKED;

/* sweep_variants.c: what xl_model_open takes; loras: [XL_LORAS_MAX], which *out points to. */
void xl_sweep_model_params(const struct xl_sweep_model *model, struct xl_lora *loras,
                           struct xl_model_params *out);

/* What makes a model a variant, "vae_id" and "loras", as members of its object in run.json, of
 * messages to workers and of lines of the job log; nothing where there is nothing. read: texts are
 * kept in the arena; name opens the sentence. Errors: XL_EINPUT, XL_ENOMEM */
void xl_sweep_variant_put(json_t *object, const struct xl_sweep_model *model, bool *ok);
enum xl_status xl_sweep_variant_read(const json_t *object, const char *name, struct xl_arena *arena,
                                     struct xl_sweep_model *model, struct xl_err *err) XL_CHECKED;

/* The LoRA of a model whose file is another now than when the run was planned; NULL: none. */
const struct xl_sweep_lora *xl_sweep_lora_changed(const struct xl_sweep_model *model);

/* One line for people about all models that are left out: "not cached: A, B; incomplete: C";
 * nothing where there are none. */
void xl_sweep_put_skipped(struct xl_str *out, const struct xl_sweep *sweep);

#endif
