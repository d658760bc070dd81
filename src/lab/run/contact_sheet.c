/* contact_sheet.c - the contact sheet of a model and its variants: rows and columns of the two axes
 * with most values, a block for each combination of the others; of a single axis one picture after
 * the other, with what tells them apart. What is true of all stands above. */
#include "lab/run/output.h"

#include "base/file.h"
#include "base/sha256.h"
#include "image/sheet.h"
#include "lab/cell/cell_axes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Whether a sheet is there -----------------------------------------------------------------
 */

/* A digest of the cells of a model and of what became of them. */
static enum xl_status digest_of(const struct xl_writer_params *params, int model,
                                char out[XL_SHA256_HEX], struct xl_err *err) {
    struct xl_sha256 *sha = xl_sha256_new();
    for (int c = 0; c < params->sweep->n_cells; c++) {
        const struct xl_cell *cell = &params->sweep->cells[c];
        if (params->sweep->models[cell->model].base != model) continue;
        const char *state = xl_cell_state_name(params->run->outcomes[c].state);
        xl_sha256_add(sha, cell->id, strlen(cell->id));
        xl_sha256_add(sha, state, strlen(state));
    }
    return xl_sha256_end(sha, out, err);
}

/* The record of a page that is there and whole. */
static bool read_page(const char *dir, int page, struct xl_sheet_record *out) {
    char name[XL_SHEET_NAME_MAX], *text = NULL;
    struct xl_image image = {0};
    xl_sheet_page_name("sheet", page, name);
    char *path = xl_path_join(dir, name);
    bool is_whole = path && !xl_record_read(path, &text, NULL) &&
                    xl_sheet_record_parse(text, out) && !xl_image_load(path, &image, NULL);
    xl_image_free(&image);
    free(text);
    free(path);
    return is_whole;
}

enum xl_status xl_output_sheet_is_current(const struct xl_writer_params *params, int model,
                                          bool *is_current, struct xl_err *err) {
    char shows[XL_SHA256_HEX];
    struct xl_sheet_record record = {.n_pages = 1};
    int n_done = 0;
    for (int c = 0; c < params->sweep->n_cells; c++)
        n_done += params->sweep->models[params->sweep->cells[c].model].base == model &&
                  params->run->outcomes[c].state == XL_CELL_DONE;
    *is_current = true;
    if (!params->run->is_own || !n_done) return XL_OK; /* there is nothing to show */
    enum xl_status status = digest_of(params, model, shows, err);
    for (int page = 1; !status && *is_current && page <= record.n_pages; page++)
        *is_current = read_page(params->run->model_dirs[model], page, &record) &&
                      !strcmp(record.shows, shows);
    return status;
}

/* --- What stands on it -------------------------------------------------------------------------
 */

/* The cells of a model, in the order of asking. */
struct shown {
    const struct xl_writer_params *params;
    const struct xl_cell **cells;
    int n;
    struct xl_cell_axes axes;
    struct xl_arena arena; /* of axes and texts */
};

static enum xl_status collect(const struct xl_writer_params *params, int model, struct shown *shown,
                              struct xl_err *err) {
    const struct xl_sweep *sweep = params->sweep;
    *shown = (struct shown){.params = params};
    shown->cells = xl_arena_alloc(&shown->arena, (size_t)sweep->n_cells * sizeof *shown->cells);
    if (!shown->cells) return xl_fail_nomem(err, "a contact sheet", 0);
    for (int c = 0; c < sweep->n_cells; c++)
        if (sweep->models[sweep->cells[c].model].base == model)
            shown->cells[shown->n++] = &sweep->cells[c];
    return xl_cell_axes_find(shown->cells, shown->n, &shown->arena, &shown->axes, err);
}

/* The values of a set of columns, joined. NULL: out of memory */
static const char *join(struct shown *shown, const struct xl_cell *cell, xl_cell_columns set) {
    return xl_cell_join_labels(cell, set, &shown->arena);
}

/* What all pictures have in common: texts, then what is always told or is not as it would be
 * without being asked for. The model is in the title. */
static void put_lines(struct shown *shown, const char *lines[XL_SHEET_LINES]) {
    struct xl_settings settings;
    struct xl_cell plain;
    struct xl_cell_column column;
    xl_settings_default(&settings);
    xl_cell_from_settings(&plain, &settings);
    xl_cell_columns texts = xl_cell_columns_with(XL_CELL_LONG), short_ones = 0;
    xl_cell_columns told = xl_cell_columns_with(XL_CELL_ALWAYS) |
                           xl_cells_differ(&plain, shown->cells[0]);
    told &= ~shown->axes.varying;
    int n = 0;
    for (int i = 0; xl_cell_column_at(i, &column); i++) {
        xl_cell_columns this = told & UINT64_C(1) << i;
        if (!this || column.field == xl_cell_field_find("model_key")) continue;
        if (texts & this && n < XL_SHEET_LINES - 1)
            lines[n++] = join(shown, shown->cells[0], this);
        else
            short_ones |= this;
    }
    lines[n] = join(shown, shown->cells[0], short_ones);
}

static xl_cell_columns only(const struct xl_cell_axis *axis) {
    return UINT64_C(1) << axis->column;
}

/* --- Rows and columns ------------------------------------------------------------------------- */

/* A sheet as blocks: which cell stands where. */
struct table {
    struct xl_sheet_block *blocks;
    int n_blocks;
    const struct xl_cell **places; /* [n_places]; NULL: nobody asked for it */
    int n_places;
};

/* Headings of values from..from + n of an axis; NULL: out of memory */
static struct xl_sheet_heading *headings(struct shown *shown, const struct xl_cell_axis *axis,
                                         int from, int n) {
    struct xl_sheet_heading *list = xl_arena_alloc(&shown->arena, (size_t)n * sizeof *list);
    for (int i = 0; list && i < n; i++) {
        const struct xl_cell *cell = shown->cells[axis->first[from + i]];
        list[i].text = join(shown, cell, only(axis));
        list[i].more = join(shown, cell, axis->follows & shown->axes.varying);
    }
    return list;
}

/* The further axes, from the third on: their number of combinations, and where a cell is among
 * them. */
static int combination(const struct xl_cell_axes *axes, int cell, int *n) {
    int at = 0;
    *n = 1;
    for (int k = 2; k < axes->n; k++) {
        if (cell >= 0) at = at * axes->axes[k].n + axes->axes[k].value_of[cell];
        *n *= axes->axes[k].n;
    }
    return at;
}

/* Blocks of one combination, side by side below one another where columns are too many for one. */
static bool add_blocks(struct shown *shown, const struct xl_cell_axis *rows,
                       const struct xl_cell_axis *columns, const int *place, struct table *table) {
    enum { WIDE = 12 };
    const struct xl_cell_axes *axes = &shown->axes;
    int n_parts = (columns->n + WIDE - 1) / WIDE, each = (columns->n + n_parts - 1) / n_parts;
    xl_cell_columns further = 0;
    const struct xl_cell *any = NULL;
    for (int k = 2; k < axes->n; k++) further |= only(&axes->axes[k]);
    for (int i = 0; !any && i < rows->n * columns->n; i++)
        if (place[i] >= 0) any = shown->cells[place[i]];
    if (!any) return true; /* nobody asked for any of it */
    for (int from = 0; from < columns->n; from += each) {
        int n = columns->n - from < each ? columns->n - from : each;
        struct xl_sheet_block *block = &table->blocks[table->n_blocks++];
        *block = (struct xl_sheet_block){.heading = join(shown, any, further),
                                         .n_rows = rows->n,
                                         .n_columns = n,
                                         .rows = headings(shown, rows, 0, rows->n),
                                         .columns = headings(shown, columns, from, n)};
        if (!block->heading || !block->rows || !block->columns) return false;
        for (int i = 0; i < rows->n * n; i++) {
            int cell = place[i / n * columns->n + from + i % n];
            table->places[table->n_places++] = cell >= 0 ? shown->cells[cell] : NULL;
        }
    }
    return true;
}

static enum xl_status make_table(struct shown *shown, struct table *table, struct xl_err *err) {
    const struct xl_cell_axis *rows, *columns;
    int n_combinations;
    xl_cell_axes_sides(&shown->axes, &rows, &columns);
    combination(&shown->axes, -1, &n_combinations);
    size_t n_here = (size_t)rows->n * (size_t)columns->n;
    size_t n_places = n_here * (size_t)n_combinations;
    int *place = xl_arena_alloc(&shown->arena, n_places * sizeof *place);
    *table = (struct table){
        .blocks = xl_arena_alloc(&shown->arena, (size_t)n_combinations * (size_t)columns->n *
                                                    sizeof *table->blocks),
        .places = xl_arena_alloc(&shown->arena, n_places * sizeof *table->places)};
    bool ok = place && table->blocks && table->places;
    for (size_t i = 0; ok && i < n_places; i++) place[i] = -1;
    for (int c = 0, n; ok && c < shown->n; c++)
        place[(size_t)combination(&shown->axes, c, &n) * n_here +
              (size_t)rows->value_of[c] * (size_t)columns->n + (size_t)columns->value_of[c]] = c;
    for (int k = 0; ok && k < n_combinations; k++)
        ok = add_blocks(shown, rows, columns, place + (size_t)k * n_here, table);
    return ok ? XL_OK : xl_fail_nomem(err, "a contact sheet", 0);
}

/* --- Making it --------------------------------------------------------------------------------
 */

/* Bytes of a line below a picture that has this width at most, and below others. */
enum { SMALL = 256, SHORT = 20, COMFORTABLE = 40 };

/* cell NULL: a place that nobody asked for. */
static enum xl_status add_cell(const struct shown *shown, struct xl_sheet *sheet,
                               const struct xl_cell *cell, int n_labels, struct xl_err *err) {
    struct xl_sheet_cell frame = {.reason = "not asked for"};
    if (!cell) return xl_sheet_add(sheet, &frame, err);
    const struct xl_outcome *outcome = &shown->params->run->outcomes[cell->index];
    struct xl_image image = {0};
    struct xl_err why = {0};
    struct xl_str lines[XL_SHEET_LABELS] = {{0}};
    if (n_labels)
        xl_cell_put_labels(lines, XL_SHEET_LABELS, cell->width < SMALL ? SHORT : COMFORTABLE, cell,
                           shown->axes.varying);
    for (int i = 0; i < XL_SHEET_LABELS; i++) frame.labels[i] = lines[i].text;
    frame.reason = outcome->error ? outcome->error : "not drawn";
    if (outcome->path && !xl_image_load(outcome->path, &image, &why))
        frame.image = &image;
    else if (outcome->path)
        frame.reason = why.text;
    enum xl_status status = xl_sheet_add(sheet, &frame, err);
    xl_image_free(&image);
    for (int i = 0; i < XL_SHEET_LABELS; i++) xl_str_deinit(&lines[i]);
    return status;
}

static enum xl_status draw_sheet(struct shown *shown, struct xl_sheet_params *look,
                                 struct xl_err *err) {
    struct table table = {.n_blocks = 0};
    enum xl_status status = XL_OK;
    bool is_table = shown->axes.is_grid && shown->axes.n >= 2;
    int n_places = shown->n;
    if (is_table) status = make_table(shown, &table, err);
    if (status) return status;
    if (is_table) n_places = table.n_places;
    look->blocks = table.blocks;
    look->n_blocks = table.n_blocks;
    look->n_cells = n_places;
    look->n_labels = is_table ? 0 : XL_SHEET_LABELS;
    struct xl_sheet *sheet = NULL;
    status = xl_sheet_new(look, &sheet, err);
    for (int i = 0; !status && i < n_places; i++)
        status = add_cell(shown, sheet, is_table ? table.places[i] : shown->cells[i],
                          look->n_labels, err);
    if (!status) return xl_sheet_finish(sheet, NULL, err);
    xl_sheet_abandon(sheet);
    return status;
}

enum xl_status xl_output_sheet(const struct xl_writer_params *params, int model,
                               struct xl_err *err) {
    if (!params->run->is_own) return XL_OK;
    char shows[XL_SHA256_HEX];
    struct shown shown;
    enum xl_status status = digest_of(params, model, shows, err);
    if (!status) {
        status = collect(params, model, &shown, err);
        if (!status && shown.n) {
            struct xl_sheet_params look = {.dir = params->run->model_dirs[model],
                                           .stem = "sheet",
                                           .title = params->sweep->models[model].key,
                                           .width = shown.cells[0]->width,
                                           .height = shown.cells[0]->height,
                                           .shows = shows};
            put_lines(&shown, look.lines);
            status = draw_sheet(&shown, &look, err);
        }
        xl_arena_deinit(&shown.arena);
    }
    return status;
}
