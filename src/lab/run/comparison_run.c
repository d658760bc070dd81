/* comparison_run.c - which pictures of a run belong together. */
#include "lab/run/comparison.h"

#include "base/str.h"
#include "lab/cell/cell_axes.h"
#include "lab/settings/axes.h"

#include <stdlib.h>
#include <string.h>

bool xl_comparison_suits(const struct xl_option *option) {
    static const char *const others[] = {"prompt", "seed", "size", "width", "height", "init-image"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(option->name, others[i])) return false;
    return true;
}

/* A run on its way into a comparison. */
struct pairing {
    const struct xl_sweep *sweep;
    const struct xl_run_dir *run;
    struct xl_comparison *comparison;
    struct xl_cell_axes axes;
    int compared;                        /* which of the axes */
    int order[XL_COMPARISON_MAX_VALUES]; /* which value of the axis stands where */
};

/* --- The axis --------------------------------------------------------------------------------- */

/* The key of the field that an axis of the request is about; false: none suits. */
static bool find_key(const struct xl_settings *request, char key[XL_CELL_KEY_MAX]) {
    for (int i = 0; i < request->sweep.n; i++) {
        const char *text = request->sweep.item[i];
        size_t n = strcspn(text, "=");
        if (n >= XL_CELL_KEY_MAX) continue;
        memcpy(key, text, n);
        key[n] = 0;
        const struct xl_option *option = xl_option_find(key);
        if (!option || !xl_comparison_suits(option)) continue;
        strcpy(key, option->name);
        for (char *c = key; *c; c++)
            if (*c == '-') *c = '_';
        if (!strcmp(key, "model")) strcpy(key, "model_key");
        return true;
    }
    return false;
}

static const struct xl_cell_axis *compared(const struct pairing *pairing) {
    return &pairing->axes.axes[pairing->compared];
}

/* False: it has one value. */
static bool find_axis(struct pairing *pairing, const char *key) {
    struct xl_cell_column column;
    for (int k = 0; k < pairing->axes.n; k++)
        if (xl_cell_column_at(pairing->axes.axes[k].column, &column) &&
            !strcmp(column.field->key, key)) {
            pairing->comparison->caption = column.field->caption;
            pairing->compared = k;
            return true;
        }
    return false;
}

static enum xl_status choose_axis(struct pairing *pairing, const struct xl_settings *request,
                                  struct xl_err *err) {
    char key[XL_CELL_KEY_MAX];
    const char *dir = pairing->run ? pairing->run->dir : "compare";
    if (!find_key(request, key))
        return xl_fail(err, XL_EINPUT,
                       "%s: nothing in it can be compared: its pictures differ in no setting but "
                       "prompt, seed or size",
                       dir);
    if (!find_axis(pairing, key))
        return xl_fail(err, XL_EINPUT,
                       "%s: all pictures have the same %s; expected two values at least", dir, key);
    if (compared(pairing)->n > XL_COMPARISON_MAX_VALUES)
        return xl_fail(err, XL_EINPUT, "%s: %d values of %s; at most %d can be compared at once",
                       dir, compared(pairing)->n, key, XL_COMPARISON_MAX_VALUES);
    return XL_OK;
}

/* --- Values and rows -------------------------------------------------------------------------- */

/* What a cell has in a set of columns, joined. NULL: out of memory */
static const char *say(struct pairing *pairing, const struct xl_cell *cell, xl_cell_columns set) {
    return xl_cell_join_labels(cell, set, &pairing->comparison->arena);
}

/* What all pictures have in common. */
static const char *say_common(struct pairing *pairing) {
    xl_cell_columns set = xl_cell_columns_with(XL_CELL_ALWAYS) & ~pairing->axes.varying;
    return say(pairing, &pairing->sweep->cells[0], set);
}

static const struct xl_cell *cell_of(const struct pairing *pairing, int value) {
    return &pairing->sweep->cells[compared(pairing)->first[value]];
}

/* 0: the most exact */
static int exactness(enum xl_precision precision) {
    static const enum xl_precision order[] = {XL_PRECISION_F32, XL_PRECISION_F16,
                                              XL_PRECISION_BF16};
    int n = sizeof order / sizeof *order, i = 0;
    while (i < n && order[i] != precision) i++;
    return i;
}

/* The reference comes first; the others stay as they were asked for. */
static void choose_order(struct pairing *pairing) {
    int n = compared(pairing)->n, reference = 0, at = 1;
    struct xl_cell_column column;
    bool is_dtype = xl_cell_column_at(compared(pairing)->column, &column) &&
                    !strcmp(column.field->key, "dtype");
    for (int v = 1; is_dtype && v < n; v++)
        if (exactness(cell_of(pairing, v)->precision) <
            exactness(cell_of(pairing, reference)->precision))
            reference = v;
    pairing->order[0] = reference;
    for (int v = 0; v < n; v++)
        if (v != reference) pairing->order[at++] = v;
}

static enum xl_status name_values(struct pairing *pairing, struct xl_err *err) {
    struct xl_comparison *comparison = pairing->comparison;
    xl_cell_columns only = UINT64_C(1) << compared(pairing)->column;
    comparison->n_values = compared(pairing)->n;
    comparison->values = xl_arena_alloc(&comparison->arena,
                                        (size_t)comparison->n_values * sizeof *comparison->values);
    if (!comparison->values) return xl_fail_nomem(err, "a comparison", 0);
    for (int v = 0; v < comparison->n_values; v++) {
        comparison->values[v] = say(pairing, cell_of(pairing, pairing->order[v]), only);
        if (!comparison->values[v]) return xl_fail_nomem(err, "a comparison", 0);
    }
    return XL_OK;
}

/* Where a cell stands in the axes that are not compared. */
static int64_t place_of(const struct pairing *pairing, int c) {
    int64_t at = 0;
    for (int k = 0; k < pairing->axes.n; k++) {
        const struct xl_cell_axis *axis = &pairing->axes.axes[k];
        if (k != pairing->compared) at = at * axis->n + axis->value_of[c];
    }
    return at;
}

/* What a row is told by: the other axes; where there are none, the prompt. */
static const char *name_row(struct pairing *pairing, const struct xl_cell *cell) {
    xl_cell_columns set = 0;
    for (int k = 0; k < pairing->axes.n; k++)
        if (k != pairing->compared) set |= UINT64_C(1) << pairing->axes.axes[k].column;
    return set ? say(pairing, cell, set)
               : xl_arena_strdup(&pairing->comparison->arena, cell->prompt);
}

/* Which place of the compared axis has value i. */
static int position_of(const struct pairing *pairing, int i) {
    int v = 0;
    while (pairing->order[v] != i) v++;
    return v;
}

static enum xl_status put_cell(struct pairing *pairing, struct xl_comparison_row *row, int c,
                               struct xl_err *err) {
    const struct xl_outcome *outcome = &pairing->run->outcomes[c];
    struct xl_arena *arena = &pairing->comparison->arena;
    struct xl_compared *picture =
        &row->pictures[position_of(pairing, compared(pairing)->value_of[c])];
    picture->seconds = outcome->seconds;
    if (outcome->path) {
        picture->path = xl_arena_strdup(arena, outcome->path);
        picture->why = NULL;
        return picture->path ? XL_OK : xl_fail_nomem(err, "a comparison", 0);
    }
    picture->why = xl_arena_strdup(arena, outcome->error ? outcome->error : "not drawn yet");
    return picture->why ? XL_OK : xl_fail_nomem(err, "a comparison", 0);
}

static enum xl_status add_row(struct pairing *pairing, int c, struct xl_err *err) {
    struct xl_comparison *comparison = pairing->comparison;
    size_t n = (size_t)comparison->n_values;
    struct xl_comparison_row *row = &comparison->rows[comparison->n_rows];
    row->pictures = xl_arena_alloc(&comparison->arena, n * sizeof *row->pictures);
    row->name = name_row(pairing, &pairing->sweep->cells[c]);
    if (!row->pictures || !row->name) return xl_fail_nomem(err, "a comparison", 0);
    for (size_t v = 0; v < n; v++) row->pictures[v] = (struct xl_compared){.why = "not asked for"};
    comparison->n_rows++;
    return XL_OK;
}

static enum xl_status fill_rows(struct pairing *pairing, struct xl_err *err) {
    struct xl_comparison *comparison = pairing->comparison;
    int n = pairing->sweep->n_cells;
    comparison->rows = xl_arena_alloc(&comparison->arena, (size_t)n * sizeof *comparison->rows);
    int64_t *places = xl_arena_alloc(&comparison->arena, (size_t)n * sizeof *places);
    if (!comparison->rows || !places) return xl_fail_nomem(err, "a comparison", 0);
    enum xl_status status = XL_OK;
    for (int c = 0; !status && c < n; c++) {
        int r = 0;
        int64_t place = place_of(pairing, c);
        while (r < comparison->n_rows && places[r] != place) r++;
        if (r == comparison->n_rows) status = add_row(pairing, c, err);
        places[r] = place;
        if (!status) status = put_cell(pairing, &comparison->rows[r], c, err);
    }
    return status;
}

static enum xl_status find_axes(struct pairing *pairing, const struct xl_settings *request,
                                struct xl_err *err) {
    const struct xl_sweep *sweep = pairing->sweep;
    struct xl_arena *arena = &pairing->comparison->arena;
    size_t bytes = (size_t)(sweep->n_cells + 1) * sizeof(const struct xl_cell *);
    const struct xl_cell **cells = xl_arena_alloc(arena, bytes);
    if (!cells) return xl_fail_nomem(err, "a comparison", bytes);
    for (int c = 0; c < sweep->n_cells; c++) cells[c] = &sweep->cells[c];
    enum xl_status status = xl_cell_axes_find(cells, sweep->n_cells, arena, &pairing->axes, err);
    return status ? status : choose_axis(pairing, request, err);
}

enum xl_status xl_comparison_check(const struct xl_settings *request, const struct xl_sweep *sweep,
                                   struct xl_err *err) {
    struct xl_comparison comparison = {.n_rows = 0};
    struct pairing pairing = {.sweep = sweep, .comparison = &comparison};
    enum xl_status status = find_axes(&pairing, request, err);
    xl_comparison_deinit(&comparison);
    return status;
}

enum xl_status xl_comparison_of_run(const struct xl_settings *request, const struct xl_sweep *sweep,
                                    const struct xl_run_dir *run, struct xl_comparison *out,
                                    struct xl_err *err) {
    struct xl_comparison comparison = {.n_rows = 0};
    struct pairing pairing = {.sweep = sweep, .run = run, .comparison = &comparison};
    enum xl_status status = find_axes(&pairing, request, err);
    if (!status) choose_order(&pairing);
    if (!status) status = name_values(&pairing, err);
    if (!status) comparison.about = say_common(&pairing);
    if (!status) status = fill_rows(&pairing, err);
    if (status)
        xl_comparison_deinit(&comparison);
    else
        *out = comparison;
    return status;
}
