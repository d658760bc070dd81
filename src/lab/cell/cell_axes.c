/* cell_axes.c - values by sorting, axes by what decides what. Keeps no state. */
#include "lab/cell/cell_axes.h"

#include <stdlib.h>
#include <string.h>

/* --- Values of a column ----------------------------------------------------------------------- */

struct by_value {
    const struct xl_cell *const *cells;
    const struct xl_cell_column *column;
};

/* By value, equal ones in the order of the cells. */
static int compare(const void *a, const void *b, void *user) {
    const struct by_value *by = user;
    int i = *(const int *)a, j = *(const int *)b;
    int order = xl_cell_column_compare(by->cells[i], by->cells[j], by->column);
    return order ? order : i - j;
}

static int ascending(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* Fill in an axis from a column that varies. */
static enum xl_status read_values(const struct by_value *by, int n, struct xl_arena *arena,
                                  struct xl_cell_axis *axis, struct xl_err *err) {
    int *sorted = xl_arena_alloc(arena, (size_t)n * sizeof *sorted);
    int *leader = xl_arena_alloc(arena, (size_t)n * sizeof *leader);
    int *first = xl_arena_alloc(arena, (size_t)n * sizeof *first);
    int *number = xl_arena_alloc(arena, (size_t)n * sizeof *number);
    if (!sorted || !leader || !first || !number) return xl_fail_nomem(err, "axes", 0);
    for (int i = 0; i < n; i++) sorted[i] = i;
    qsort_r(sorted, (size_t)n, sizeof *sorted, compare, (void *)by);
    for (int i = 0; i < n; i++) {
        bool is_first = !i || xl_cell_column_compare(by->cells[sorted[i - 1]], by->cells[sorted[i]],
                                                     by->column);
        if (is_first) first[axis->n++] = sorted[i];
        leader[sorted[i]] = first[axis->n - 1];
    }
    qsort(first, (size_t)axis->n, sizeof *first, ascending);
    for (int v = 0; v < axis->n; v++) number[first[v]] = v;
    for (int i = 0; i < n; i++) sorted[i] = number[leader[i]];
    axis->first = first;
    axis->value_of = sorted;
    return XL_OK;
}

/* --- Which columns are axes ------------------------------------------------------------------- */

/* Whether the value of b is the same wherever that of a is. */
static bool decides(const struct xl_cell_axis *a, const struct xl_cell_axis *b, int n) {
    for (int i = 0; i < n; i++)
        if (b->value_of[i] != b->value_of[a->first[a->value_of[i]]]) return false;
    return true;
}

/* The number of places that the first k axes make, at most `most` + 1. */
static int64_t places(const struct xl_cell_axes *axes, int64_t most) {
    int64_t product = 1;
    for (int k = 0; k < axes->n && product <= most; k++) product *= axes->axes[k].n;
    return product;
}

static int by_place(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Whether no two cells have the same place. */
static enum xl_status are_apart(const struct xl_cell_axes *axes, int n, bool *out,
                                struct xl_err *err) {
    int64_t *at = calloc((size_t)n, sizeof *at);
    if (!at) return xl_fail_nomem(err, "axes", 0);
    int64_t most = (int64_t)1 << 40;
    *out = places(axes, most) <= most;
    for (int i = 0; *out && i < n; i++)
        for (int k = 0; k < axes->n; k++)
            at[i] = at[i] * axes->axes[k].n + axes->axes[k].value_of[i];
    qsort(at, (size_t)n, sizeof *at, by_place);
    for (int i = 1; i < n; i++) *out &= at[i] != at[i - 1];
    free(at);
    return XL_OK;
}

/* Seeds last: they tell pictures apart in everything else's place. */
static int rank(const struct xl_cell_axis *axis) {
    struct xl_cell_column column;
    xl_cell_column_at(axis->column, &column);
    return column.field->type == XL_CELL_SEED;
}

static int most_values_first(const void *a, const void *b) {
    const struct xl_cell_axis *x = a, *y = b;
    if (rank(x) != rank(y)) return rank(x) - rank(y);
    return x->n != y->n ? y->n - x->n : x->column - y->column;
}

static int by_size(const void *a, const void *b) {
    const struct xl_cell_axis *x = a, *y = b;
    return x->n != y->n ? y->n - x->n : x->column - y->column;
}

/* Keep a candidate unless one that was kept decides it. */
static void consider(struct xl_cell_axes *axes, const struct xl_cell_axis *candidate, int n) {
    for (int k = 0; k < axes->n; k++) {
        if (!decides(&axes->axes[k], candidate, n)) continue;
        axes->axes[k].follows |= UINT64_C(1) << candidate->column;
        return;
    }
    if (axes->n < XL_CELL_MAX_AXES) axes->axes[axes->n++] = *candidate;
}

enum xl_status xl_cell_axes_find(const struct xl_cell *const *cells, int n, struct xl_arena *arena,
                                 struct xl_cell_axes *out, struct xl_err *err) {
    struct xl_cell_axis candidates[XL_CELL_MAX_FIELDS] = {{0}};
    struct xl_cell_axes axes = {0};
    struct xl_cell_column column;
    int n_candidates = 0;
    enum xl_status status = XL_OK;
    for (int i = 1; i < n; i++) axes.varying |= xl_cells_differ(cells[0], cells[i]);
    for (int i = 0; !status && xl_cell_column_at(i, &column); i++) {
        if (!(axes.varying >> i & 1)) continue;
        struct xl_cell_axis *axis = &candidates[n_candidates++];
        axis->column = i;
        axis->is_long = column.field->bits & XL_CELL_LONG;
        status = read_values(&(struct by_value){cells, &column}, n, arena, axis, err);
    }
    qsort(candidates, (size_t)n_candidates, sizeof *candidates, most_values_first);
    bool are_told = n < 2;
    for (int i = 0; !status && i < n_candidates; i++) {
        if (!are_told) {
            consider(&axes, &candidates[i], n);
            status = are_apart(&axes, n, &are_told, err);
            continue;
        }
        for (int k = 0; k < axes.n; k++)
            if (decides(&axes.axes[k], &candidates[i], n)) {
                axes.axes[k].follows |= UINT64_C(1) << candidates[i].column;
                break;
            }
    }
    if (status) return status;
    axes.is_grid = are_told && places(&axes, 2 * (int64_t)n) <= 2 * (int64_t)n;
    qsort(axes.axes, (size_t)axes.n, sizeof *axes.axes, by_size);
    *out = axes;
    return XL_OK;
}

static xl_cell_columns columns_of(const struct xl_cell_axes *axes) {
    xl_cell_columns set = 0, follow = 0;
    for (int k = 0; k < axes->n; k++) {
        set |= UINT64_C(1) << axes->axes[k].column;
        follow |= axes->axes[k].follows;
    }
    return axes->is_grid ? set : set | (axes->varying & ~follow);
}

enum xl_status xl_cells_told_by(const struct xl_cell *cells, int n, xl_cell_columns *out,
                                struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_cell_axes axes;
    const struct xl_cell **list = xl_arena_alloc(&arena, (size_t)(n ? n : 1) * sizeof *list);
    for (int i = 0; list && i < n; i++) list[i] = &cells[i];
    enum xl_status status = list ? xl_cell_axes_find(list, n, &arena, &axes, err)
                                 : xl_fail_nomem(err, "axes", 0);
    if (!status) *out = columns_of(&axes);
    xl_arena_deinit(&arena);
    return status;
}

void xl_cell_axes_sides(const struct xl_cell_axes *axes, const struct xl_cell_axis **rows,
                        const struct xl_cell_axis **columns) {
    enum { FEW = 6 };
    const struct xl_cell_axis *more = &axes->axes[0], *less = &axes->axes[1];
    bool more_is_rows = more->is_long != less->is_long ? more->is_long : more->n > FEW;
    *rows = more_is_rows ? more : less;
    *columns = more_is_rows ? less : more;
}
