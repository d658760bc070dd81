/* cell_axes.h - the axes of a grid, found in its cells: the columns that tell them apart and do not
 * hang on each other. Contact sheets and the page of a run are laid out by them, whatever was
 * swept.
 */
#ifndef XL_LAB_CELL_AXES_H
#define XL_LAB_CELL_AXES_H

#include "base/arena.h"
#include "lab/cell/cell_text.h"

enum { XL_CELL_MAX_AXES = 8 };

struct xl_cell_axis {
    int column; /* of xl_cell_column_at */
    bool is_long;
    int n;                   /* values, in the order in which they were asked for */
    const int *first;        /* [n]: which of the cells is the first with that value */
    const int *value_of;     /* by cell: which value it has */
    xl_cell_columns follows; /* columns that this one decides alone: steps of a profile */
};

struct xl_cell_axes {
    int n;
    struct xl_cell_axis axes[XL_CELL_MAX_AXES]; /* the one with most values first */
    xl_cell_columns varying;                    /* all columns in which cells differ */
    bool is_grid; /* the axes tell every cell from every other, and at least half of the
                     places that they make have a cell */
};

/* The axes of n cells. What is found is in the arena. Errors: XL_ENOMEM */
enum xl_status xl_cell_axes_find(const struct xl_cell *const *cells, int n, struct xl_arena *arena,
                                 struct xl_cell_axes *out, struct xl_err *err) XL_CHECKED;

/* The columns that tell n cells apart: the axes; where these do not tell all, what differs as well
 * and hangs on no axis. Errors: XL_ENOMEM */
enum xl_status xl_cells_told_by(const struct xl_cell *cells, int n, xl_cell_columns *out,
                                struct xl_err *err) XL_CHECKED;

/* The two axes with most values (of two at least) as sides of a table: texts are rows, and so is
 * the one with more values where there are many. */
void xl_cell_axes_sides(const struct xl_cell_axes *axes, const struct xl_cell_axis **rows,
                        const struct xl_cell_axis **columns);

#endif
