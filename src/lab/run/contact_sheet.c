/* contact_sheet.c - the contact sheet of a model: its pictures in the order of asking, labelled
 * with what tells them apart. */
#include "lab/run/output.h"

#include "image/sheet.h"
#include "lab/cell/cell_text.h"

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
    struct xl_sheet_params look = {.dir = params->run->model_dirs[model],
                                   .stem = "sheet",
                                   .title = sweep->models[model].key,
                                   .subtitle = params->settings->prompt,
                                   .n_cells = n,
                                   .width = typical->width,
                                   .height = typical->height};
    struct xl_sheet *sheet = NULL;
    xl_cell_columns varying = find_varying(sweep, typical);
    enum xl_status status = xl_sheet_new(&look, &sheet, err);
    for (int c = 0; !status && c < sweep->n_cells; c++)
        if (sweep->cells[c].model == model)
            status = add_cell(params, sheet, varying, &sweep->cells[c], err);
    if (!status) return xl_sheet_finish(sheet, NULL, err);
    xl_sheet_abandon(sheet);
    return status;
}
