/* contact_sheet.c - the contact sheet of a model: its pictures in the order of asking, labelled
 * with what tells them apart. */
#include "lab/run/output.h"

#include "base/file.h"
#include "base/sha256.h"
#include "image/sheet.h"
#include "lab/cell/cell_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The columns in which cells of a model differ. */
static xl_cell_columns find_varying(const struct xl_sweep *sweep, const struct xl_cell *first) {
    xl_cell_columns varying = 0;
    for (int c = first->index; c < sweep->n_cells; c++)
        if (sweep->cells[c].model == first->model)
            varying |= xl_cells_differ(first, &sweep->cells[c]);
    return varying;
}

static enum xl_status add_cell(const struct xl_writer_params *params, struct xl_sheet *sheet,
                               xl_cell_columns varying, const struct xl_cell *cell,
                               struct xl_err *err) {
    const struct xl_outcome *outcome = &params->run->outcomes[cell->index];
    struct xl_image image = {0};
    struct xl_err why = {0};
    struct xl_str lines[XL_SHEET_LABELS] = {{0}};
    xl_cell_put_labels(lines, XL_SHEET_LABELS, cell, varying);
    struct xl_sheet_cell frame = {.labels = {lines[0].text, lines[1].text, lines[2].text},
                                  .reason = outcome->error ? outcome->error : "not drawn"};
    if (outcome->path && !xl_image_load(outcome->path, &image, &why))
        frame.image = &image;
    else if (outcome->path)
        frame.reason = why.text;
    enum xl_status status = xl_sheet_add(sheet, &frame, err);
    xl_image_free(&image);
    for (int i = 0; i < XL_SHEET_LABELS; i++) xl_str_deinit(&lines[i]);
    return status;
}

/* --- Whether a sheet is there -----------------------------------------------------------------
 */

/* A digest of the cells of a model and of what became of them. */
static enum xl_status digest_of(const struct xl_writer_params *params, int model,
                                char out[XL_SHA256_HEX], struct xl_err *err) {
    struct xl_sha256 *sha = xl_sha256_new();
    for (int c = 0; c < params->sweep->n_cells; c++) {
        const struct xl_cell *cell = &params->sweep->cells[c];
        if (cell->model != model) continue;
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
        n_done += params->sweep->cells[c].model == model &&
                  params->run->outcomes[c].state == XL_CELL_DONE;
    *is_current = true;
    if (!params->run->is_own || !n_done) return XL_OK; /* there is nothing to show */
    enum xl_status status = digest_of(params, model, shows, err);
    for (int page = 1; !status && *is_current && page <= record.n_pages; page++)
        *is_current = read_page(params->run->model_dirs[model], page, &record) &&
                      !strcmp(record.shows, shows);
    return status;
}

/* --- Making it --------------------------------------------------------------------------------
 */

enum xl_status xl_output_sheet(const struct xl_writer_params *params, int model,
                               struct xl_err *err) {
    const struct xl_sweep *sweep = params->sweep;
    if (!params->run->is_own) return XL_OK;
    const struct xl_cell *typical = NULL;
    int n = 0;
    for (int c = 0; c < sweep->n_cells; c++) {
        if (sweep->cells[c].model != model) continue;
        if (!n++) typical = &sweep->cells[c];
    }
    if (!n) return XL_OK;
    char shows[XL_SHA256_HEX];
    enum xl_status status = digest_of(params, model, shows, err);
    if (status) return status;
    struct xl_sheet_params look = {.dir = params->run->model_dirs[model],
                                   .stem = "sheet",
                                   .title = sweep->models[model].key,
                                   .subtitle = params->settings->prompt,
                                   .n_cells = n,
                                   .width = typical->width,
                                   .height = typical->height,
                                   .shows = shows};
    struct xl_sheet *sheet = NULL;
    xl_cell_columns varying = find_varying(sweep, typical);
    status = xl_sheet_new(&look, &sheet, err);
    for (int c = 0; !status && c < sweep->n_cells; c++)
        if (sweep->cells[c].model == model)
            status = add_cell(params, sheet, varying, &sweep->cells[c], err);
    if (!status) return xl_sheet_finish(sheet, NULL, err);
    xl_sheet_abandon(sheet);
    return status;
}
