/* sweep_plan.h - what the files of planning share: sweep_plan.c multiplies the axes, sweep_axes.c
 * reads and checks them, sweep_models.c finds the models. Lives as long as a plan is made.
 */
#ifndef XL_LAB_SWEEP_PLAN_H
#define XL_LAB_SWEEP_PLAN_H

#include "lab/data/loras.h"
#include "lab/data/presets.h"
#include "lab/run/sweep.h"
#include "lab/settings/axes.h"
#include "prompts/wildcards.h"

enum { XL_MAX_AXES = 16 };
enum { XL_MANY_CELLS = 10000, XL_MAX_CELLS = 2000000 }; /* without --yes, and at all */

/* A picture to start from, as it was looked at. */
struct xl_sweep_init {
    const char *path, *digest;
    int width, height;
};

struct xl_sweep_plan {
    struct xl_settings *settings;
    struct xl_sweep *sweep;
    struct xl_presets *presets;
    struct xl_loras *loras;         /* NULL: none was looked for yet */
    struct xl_sweep_words *words;   /* of embeddings; NULL: not looked for yet */
    struct xl_wildcards *wildcards; /* NULL: none was looked for yet */
    struct xl_sweep_texts *texts;   /* all those of templates that were looked at */
    const char *prompt_template;    /* of the prompt that the settings have now; NULL: none */
    struct xl_axis axes[XL_MAX_AXES];
    int n_axes;
    int n_old[XL_MAX_AXES];           /* by axis: the first values of a run that is extended */
    const struct xl_axis *model_axis; /* NULL: none */
    const char *vae;                  /* for a model that has none of its own; NULL: none */
    struct xl_sweep_init *inits;      /* each picture once */
    int n_inits;
    const char *size; /* that was looked up last, and its sides */
    int size_width, size_height;
    int capacity; /* of sweep->cells */
    int n_jobs;
    int models_capacity; /* of sweep->models, where variants join them */
    bool *is_added;      /* by model: a run is extended by it; NULL: the plan is of a new run */
    int first_cell;      /* those before it were planned when the run was begun */
};

/* --- sweep_plan.c ----------------------------------------------------------------------------- */

/* Plan the cells of all axes and models, in the order of drawing, but those that only have old
 * values; equal ones once. Errors: XL_EINVAL, XL_EINPUT; those of xl_sweep_models_check */
enum xl_status xl_sweep_plan_cells(struct xl_sweep_plan *plan, struct xl_err *err) XL_CHECKED;

/* Append the cells of the plan's settings and axes for one model. Errors: as above */
enum xl_status xl_sweep_plan_model(struct xl_sweep_plan *plan, int model,
                                   struct xl_err *err) XL_CHECKED;
/* Drop cells that equal an earlier one. Errors: XL_ENOMEM */
enum xl_status xl_sweep_drop_duplicates(struct xl_sweep *sweep, struct xl_err *err) XL_CHECKED;

/* Release what is needed for planning alone; models are closed. */
void xl_sweep_plan_end(struct xl_sweep_plan *plan);

/* --- sweep_axes.c ----------------------------------------------------------------------------- */

/* Read the axes; what contradicts them is refused or noted; random seeds are drawn.
 * Errors: XL_EINVAL, XL_EINPUT */
enum xl_status xl_sweep_axes_read(struct xl_sweep_plan *plan, struct xl_err *err) XL_CHECKED;

/* Add the axes of the settings as they stand. Errors: XL_EINVAL, XL_EINPUT */
enum xl_status xl_sweep_axes_collect(struct xl_sweep_plan *plan, struct xl_err *err) XL_CHECKED;
/* "all" profiles as the values of an axis: the raw one, which is the first, and every style. */
enum xl_status xl_sweep_axis_fill(struct xl_sweep_plan *plan, struct xl_axis *axis,
                                  struct xl_err *err) XL_CHECKED;
/* Each "-1" of the seeds' axis becomes a seed of its own. */
enum xl_status xl_sweep_axis_draw_seeds(struct xl_sweep_plan *plan, struct xl_axis *axis,
                                        struct xl_err *err) XL_CHECKED;
/* An axis that is for img2img needs a picture to start from. Errors: XL_EINVAL */
enum xl_status xl_sweep_axis_check_init(const struct xl_sweep_plan *plan,
                                        const struct xl_axis *axis, struct xl_err *err) XL_CHECKED;

/* Check every new value of every axis, as far as it can be without a cell. The models are known.
 * Errors: XL_EINVAL, XL_EINPUT */
enum xl_status xl_sweep_axes_check(struct xl_sweep_plan *plan, struct xl_err *err) XL_CHECKED;

/* The axis of an option; NULL: there is none. */
const struct xl_axis *xl_sweep_axis_of(const struct xl_sweep_plan *plan, const char *name);

/* Look at a picture to start from. Errors: XL_EINPUT it cannot be read; XL_ENOMEM */
enum xl_status xl_sweep_init_find(struct xl_sweep_plan *plan, const char *path,
                                  const struct xl_sweep_init **out, struct xl_err *err) XL_CHECKED;

/* --- sweep_prompts.c -------------------------------------------------------------------------- */

/* All texts of a template. */
struct xl_sweep_texts {
    const char *from;
    const char *const *text; /* [n] */
    int n;
    struct xl_sweep_texts *next;
};

/* All texts of a template. Errors: XL_EINVAL it is wrong, or has more texts than go into a sweep;
 * XL_EINPUT a folder of wildcards that is not there */
enum xl_status xl_sweep_prompts_all(struct xl_sweep_plan *plan, const char *from,
                                    const struct xl_sweep_texts **out,
                                    struct xl_err *err) XL_CHECKED;
/* Make the prompts of a cell of what its settings have: templates, by the cell's seed.
 * Errors: as above */
enum xl_status xl_sweep_prompts_make(struct xl_sweep_plan *plan, struct xl_cell *cell,
                                     struct xl_err *err) XL_CHECKED;

/* --- sweep_models.c --------------------------------------------------------------------------- */

/* Room for one more model. Errors: XL_ENOMEM */
enum xl_status xl_sweep_models_grow(struct xl_sweep_plan *plan, struct xl_err *err) XL_CHECKED;

/* Look at a model: open it, and fill in what is known only then. *open: the caller's.
 * Errors: as xl_model_open */
enum xl_status xl_sweep_model_look_at(struct xl_arena *arena, struct xl_sweep_model *model,
                                      struct xl_model **open, struct xl_err *err) XL_CHECKED;

/* Leave a model out. Errors: XL_ENOMEM */
enum xl_status xl_sweep_model_leave_out(struct xl_sweep *sweep, struct xl_sweep_model *model,
                                        const char *why, struct xl_err *err) XL_CHECKED;

/* All models that settings and axes name, open. What was named by name must be there; of "all"
 * models those that cannot be used are left out. Errors: XL_EMODEL, XL_EFORMAT, XL_ENOMEM */
enum xl_status xl_sweep_models(struct xl_sweep_plan *plan, struct xl_err *err) XL_CHECKED;

/* The model that a name means, or with NULL the one that the settings name, else the first that is
 * there: one that the sweep has, opened again, or one more of it. *m: its index.
 * Errors: XL_EMODEL, XL_EFORMAT, XL_ENOMEM; XL_EINPUT its files are others than before */
enum xl_status xl_sweep_model_want(struct xl_sweep_plan *plan, const char *name, int *m,
                                   struct xl_err *err) XL_CHECKED;

/* Extend a run by the models of an axis; open those that it had.
 * Errors: as above; XL_EINPUT files of a model are others than when the run was begun */
enum xl_status xl_sweep_models_add(struct xl_sweep_plan *plan, const struct xl_axis *axis,
                                   struct xl_err *err) XL_CHECKED;
enum xl_status xl_sweep_models_reopen(const struct xl_sweep_plan *plan,
                                      struct xl_err *err) XL_CHECKED;

/* Check that each model can draw its new cells. Of "all" models those that cannot
 * draw are left out, and so are their cells. Errors: those of xl_model_check; XL_EMODEL no model is
 * left */
enum xl_status xl_sweep_models_check(const struct xl_sweep_plan *plan,
                                     struct xl_err *err) XL_CHECKED;

/* --- sweep_embeddings.c ----------------------------------------------------------------------- */

/* The textual inversions of a cell whose texts are known. A file of the folders that is for other
 * models is noted once and left a word. Errors: XL_EINVAL, XL_EMODEL one that was said or is named
 * "embedding:NAME" is nowhere; XL_EFORMAT, XL_EINPUT */
enum xl_status xl_sweep_embeddings_choose(struct xl_sweep_plan *plan,
                                          const struct xl_settings *settings, struct xl_cell *cell,
                                          struct xl_err *err) XL_CHECKED;
/* Note those that were said and stand in no text. */
void xl_sweep_embeddings_note(const struct xl_sweep_plan *plan);
void xl_sweep_words_free(struct xl_sweep_words *words);
/* The files of cells are those that they were planned with. Errors: XL_EINPUT one is not */
enum xl_status xl_sweep_embeddings_check(const struct xl_cell *cells, int n,
                                         struct xl_err *err) XL_CHECKED;

/* --- sweep_variants.c ------------------------------------------------------------------------- */

/* The model of a cell whose texts and base are known: what the settings and the tags of its prompt
 * (taken out of styled_prompt here) make of the base. A new variant is opened and joins the models.
 * Errors: XL_EINVAL a tag; XL_EMODEL a LoRA that is nowhere; those of xl_model_open */
enum xl_status xl_sweep_variant_choose(struct xl_sweep_plan *plan,
                                       const struct xl_settings *settings, struct xl_cell *cell,
                                       struct xl_err *err) XL_CHECKED;

/* The first VAE that settings and axes name; *vae NULL: none. Errors: as xl_vae_find */
enum xl_status xl_sweep_variant_first_vae(const struct xl_sweep_plan *plan, const char **vae,
                                          struct xl_err *err) XL_CHECKED;

/* Whether a text of --lora or --vae names what is there. Errors: as above */
enum xl_status xl_sweep_variant_check_lora(struct xl_sweep_plan *plan, const char *text,
                                           struct xl_err *err) XL_CHECKED;
enum xl_status xl_sweep_variant_check_vae(struct xl_sweep_plan *plan, const char *text,
                                          struct xl_err *err) XL_CHECKED;

#endif
