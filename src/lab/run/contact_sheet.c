/* contact_sheet.c - the contact sheet of a model: its pictures in the order of asking, labelled
 * with what tells them apart. */
#include "lab/run/output.h"

#include "image/sheet.h"

#include <stdio.h>
#include <string.h>

/* What differs among the cells of a model. */
struct varying {
    bool profile, prompt, scheduler, size;
};

static struct varying find_varying(const struct xl_sweep *sweep, const struct xl_cell *first) {
    struct varying varying = {.profile = false};
    for (int c = first->index; c < sweep->n_cells; c++) {
        const struct xl_cell *cell = &sweep->cells[c];
        if (cell->model != first->model) continue;
        varying.profile |= strcmp(cell->profile, first->profile) != 0;
        varying.prompt |= strcmp(cell->prompt, first->prompt) != 0;
        varying.scheduler |= strcmp(cell->scheduler, first->scheduler) != 0;
        varying.size |= cell->width != first->width || cell->height != first->height;
    }
    return varying;
}

/* Three lines: what a person chose it by, then the rest. */
static void write_labels(const struct varying *varying, const struct xl_cell *cell,
                         char lines[XL_SHEET_LABELS][160]) {
    char seed[32], size[32] = "";
    snprintf(seed, sizeof seed, "seed %llu", (unsigned long long)cell->seed);
    if (varying->size) snprintf(size, sizeof size, ", %dx%d", cell->width, cell->height);
    bool by_prompt = varying->prompt && !varying->profile;
    snprintf(lines[0], sizeof lines[0], "%s", by_prompt ? cell->prompt : cell->profile);
    if (varying->prompt && varying->profile)
        snprintf(lines[1], sizeof lines[1], "%s", cell->prompt);
    else
        snprintf(lines[1], sizeof lines[1], "%s%s%s", seed, varying->scheduler ? ", " : "",
                 varying->scheduler ? cell->scheduler : "");
    snprintf(lines[2], sizeof lines[2], "%s%s%d steps, guidance %g%s",
             varying->prompt && varying->profile ? seed : "",
             varying->prompt && varying->profile ? ", " : "", cell->steps, cell->guidance, size);
}

static enum xl_status add_cell(const struct xl_writer_params *params, struct xl_sheet *sheet,
                               const struct varying *varying, const struct xl_cell *cell,
                               struct xl_err *err) {
    const struct xl_outcome *outcome = &params->run->outcomes[cell->index];
    struct xl_image image = {0};
    struct xl_err why = {0};
    char lines[XL_SHEET_LABELS][160];
    write_labels(varying, cell, lines);
    struct xl_sheet_cell frame = {.labels = {lines[0], lines[1], lines[2]},
                                  .reason = outcome->error ? outcome->error : "not drawn"};
    if (outcome->path && !xl_image_load(outcome->path, &image, &why))
        frame.image = &image;
    else if (outcome->path)
        frame.reason = why.text;
    enum xl_status status = xl_sheet_add(sheet, &frame, err);
    xl_image_free(&image);
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
    struct varying varying = find_varying(sweep, typical);
    enum xl_status status = xl_sheet_new(&look, &sheet, err);
    for (int c = 0; !status && c < sweep->n_cells; c++)
        if (sweep->cells[c].model == model)
            status = add_cell(params, sheet, &varying, &sweep->cells[c], err);
    if (!status) return xl_sheet_finish(sheet, NULL, err);
    xl_sheet_abandon(sheet);
    return status;
}
