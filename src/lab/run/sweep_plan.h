/* sweep_plan.h - what the files of planning share: sweep_plan.c multiplies the axes, sweep_axes.c
 * reads and checks them, sweep_models.c finds the models. Lives as long as a plan is made.
 */
#ifndef XL_LAB_SWEEP_PLAN_H
#define XL_LAB_SWEEP_PLAN_H

#include "lab/data/presets.h"
#include "lab/run/sweep.h"
#include "lab/settings/axes.h"

enum { XL_MAX_AXES = 16, XL_MAX_STACK = 8 };

/* A picture to start from, as it was looked at. */
struct xl_sweep_init {
    const char *path, *digest;
    int width, height;
};

struct xl_sweep_plan {
    struct xl_settings *settings;
    struct xl_sweep *sweep;
    struct xl_presets *presets;
    struct xl_axis axes[XL_MAX_AXES];
    int n_axes;
    const struct xl_axis *model_axis; /* NULL: none */
    struct xl_sweep_init *inits;      /* each picture once */
    int n_inits;
    int capacity; /* of sweep->cells */
    int n_jobs;
};

/* --- sweep_axes.c ----------------------------------------------------------------------------- */

/* Read the axes; what contradicts them is refused or noted; random seeds are drawn.
 * Errors: XL_EINVAL, XL_EINPUT */
enum xl_status xl_sweep_axes_read(struct xl_sweep_plan *plan, struct xl_err *err) XL_CHECKED;

/* Check every value of every axis, as far as it can be without a cell. The models are known.
 * Errors: XL_EINVAL, XL_EINPUT */
enum xl_status xl_sweep_axes_check(struct xl_sweep_plan *plan, struct xl_err *err) XL_CHECKED;

/* The axis of an option; NULL: there is none. */
const struct xl_axis *xl_sweep_axis_of(const struct xl_sweep_plan *plan, const char *name);

/* Look at a picture to start from. Errors: XL_EINPUT it cannot be read; XL_ENOMEM */
enum xl_status xl_sweep_init_find(struct xl_sweep_plan *plan, const char *path,
                                  const struct xl_sweep_init **out, struct xl_err *err) XL_CHECKED;

/* --- sweep_models.c --------------------------------------------------------------------------- */

/* All models that settings and axes name, open. What was named by name must be there; of "all"
 * models those that cannot be used are left out. Errors: XL_EMODEL, XL_EFORMAT, XL_ENOMEM */
enum xl_status xl_sweep_models(const struct xl_sweep_plan *plan, struct xl_err *err) XL_CHECKED;

/* Check that each model can draw its cells, and close the models. Of "all" models those that cannot
 * draw are left out, and so are their cells. Errors: those of xl_model_check; XL_EMODEL no model is
 * left */
enum xl_status xl_sweep_models_check(const struct xl_sweep_plan *plan,
                                     struct xl_err *err) XL_CHECKED;

#endif
