/* sweep.h - a request as a list of cells: which models, which pictures of each, in which order.
 *
 * One picture is a sweep of one cell. Planning draws nothing: it resolves the models (and opens
 * each once, to know its size and its weights), multiplies the axes, fills in what nobody said from
 * the profile, the catalogue and the model, in this order, and drops cells that are equal.
 */
#ifndef XL_LAB_SWEEP_H
#define XL_LAB_SWEEP_H

#include "base/sha256.h"
#include "base/str.h"
#include "lab/cell/cell.h"
#include "lab/data/catalogue.h"
#include "lab/data/profiles.h"
#include "lab/settings/settings.h"

struct xl_model;

/* How a caller follows a run. All may be NULL. */
struct xl_hooks {
    xl_progress_fn *progress; /* of models; also asked now and then whether to go on */
    /* A group begins with this cell: the i-th of n that are to be drawn. */
    void (*begin)(void *user, const struct xl_cell *cell, int i, int n);
    /* On the writer's thread: a picture is on disk. path is borrowed. */
    void (*saved)(void *user, const struct xl_cell *cell, const char *path);
    void *user;
};

/* A model of a sweep. */
struct xl_sweep_model {
    const char *key;                        /* of the catalogue, or what was asked for */
    const char *id;                         /* what xl_model_open takes */
    const char *revision;                   /* NULL: main */
    const struct xl_catalogue_model *entry; /* NULL: not in the catalogue */
    const char *skipped;                    /* why it cannot be used; NULL: it can */
    const char *repository, *commit;        /* as the hub resolved them; commit NULL: a folder */
    char digest[XL_SHA256_HEX];             /* of xl_model_info; "": not known */
    const char *precision, *backend;        /* "BF16", "cpu": once it is drawn with; else NULL */
    int width, height;                      /* the model's own size */
    int unit;                               /* sides are multiples of it */
    struct xl_model *open; /* only while nothing else needs the memory; may be NULL */
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
    struct xl_hooks hooks;
};

/* Plan what the settings ask for. hooks: NULL for none; kept for the run. A random seed is drawn
 * here, once. On success the caller owns *out (xl_sweep_deinit). Errors: XL_EINVAL settings that
 * contradict each other or an axis; XL_EMODEL no model that can be used; XL_EINPUT init image,
 * profile or model files */
enum xl_status xl_sweep_plan(struct xl_settings *settings, const struct xl_hooks *hooks,
                             struct xl_sweep *out, struct xl_err *err) XL_CHECKED;
void xl_sweep_deinit(struct xl_sweep *sweep);

/* Sort for drawing: by model, then shape, then text. Fills in sweep->order. */
enum xl_status xl_sweep_sort(struct xl_sweep *sweep, struct xl_err *err) XL_CHECKED;

/* sweep_models.c: open the model of an id, fill in what is known only then, and keep it open.
 * Errors: XL_EMODEL, XL_EFORMAT */
enum xl_status xl_sweep_model_open(struct xl_sweep *sweep, struct xl_sweep_model *model,
                                   struct xl_err *err) XL_CHECKED;
/* All models that the settings (and a model axis, may be NULL) name, those that cannot be used with
 * the reason. */
struct xl_axis;
enum xl_status xl_sweep_models(const struct xl_settings *settings, const struct xl_axis *axis,
                               const struct xl_catalogue *catalogue, struct xl_sweep *sweep,
                               struct xl_err *err) XL_CHECKED;

#endif
