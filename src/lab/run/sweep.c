/* sweep.c - a sweep that is planned: its order of drawing, and its end. Keeps no state. */
#include "lab/run/sweep.h"

#include <stdlib.h>

enum xl_status xl_sweep_sort(struct xl_sweep *sweep, struct xl_err *err) {
    sweep->order = xl_arena_alloc(&sweep->arena, (size_t)sweep->n_cells * sizeof *sweep->order + 1);
    if (!sweep->order) return xl_fail_nomem(err, "cells", 0);
    return xl_cells_sort(sweep->cells, sweep->n_cells, sweep->order, err);
}

void xl_sweep_deinit(struct xl_sweep *sweep) {
    xl_profiles_free(sweep->profiles);
    xl_catalogue_free(sweep->catalogue);
    free(sweep->cells);
    xl_str_deinit(&sweep->notices);
    xl_arena_deinit(&sweep->arena);
    *sweep = (struct xl_sweep){0};
}
