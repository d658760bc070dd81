/* dry_run.c - what generate --dry-run prints: the pictures in their order, and what they take. */
#include "cli/cli.h"

#include "base/json.h"
#include "base/text_width.h"
#include "cli/table.h"
#include "lab/cell/cell_text.h"
#include "lab/run/estimate.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_WIDTH = 40 }; /* of a column; longer texts are cut */

/* --- For programs ----------------------------------------------------------------------------- */

static json_t *describe(const struct xl_sweep *sweep, const struct xl_estimate *estimate) {
    json_t *object = json_object(), *order = json_array();
    bool ok = object && order;
    for (int i = 0; i < sweep->n_cells; i++)
        ok &= !json_array_append_new(order, xl_cell_write(&sweep->cells[sweep->order[i]]));
    xl_json_put(object, "pictures", json_integer(sweep->n_cells), &ok);
    xl_json_put(object, "seconds", json_real(estimate->seconds), &ok);
    xl_json_put(object, "tflop", json_real(estimate->tflop), &ok);
    xl_json_put(object, "tflop_per_s", json_real(estimate->tflop_per_s), &ok);
    xl_json_put(object, "is_measured", json_boolean(estimate->is_measured), &ok);
    xl_json_put(object, "memory_bytes", json_integer(estimate->memory_bytes), &ok);
    xl_json_put(object, "memory_free", json_integer(estimate->memory_free), &ok);
    xl_json_put(object, "disk_bytes", json_integer(estimate->disk_bytes), &ok);
    xl_json_put(object, "disk_free", json_integer(estimate->disk_free), &ok);
    xl_json_put(object, "notices", xl_json_text(sweep->notices.text), &ok);
    xl_json_put(object, "order", order, &ok);
    return xl_json_finish(object, ok);
}

/* --- For people ------------------------------------------------------------------------------- */

/* The columns that a person needs to tell what will be drawn, and the widest text of each. */
struct columns {
    int n;
    struct xl_cell_column column[XL_CELL_MAX_FIELDS];
    int width[XL_CELL_MAX_FIELDS];
};

static void choose_columns(const struct xl_sweep *sweep, struct columns *columns) {
    xl_cell_columns shown = xl_cell_columns_with(XL_CELL_ALWAYS);
    for (int c = 1; c < sweep->n_cells; c++)
        shown |= xl_cells_differ(&sweep->cells[0], &sweep->cells[c]);
    struct xl_cell_column column;
    for (int i = 0; xl_cell_column_at(i, &column); i++)
        if (shown >> i & 1) columns->column[columns->n++] = column;
}

/* The text of a column, cut to MAX_WIDTH; malloc'd. NULL: out of memory */
static char *text_of(const struct xl_cell *cell, const struct xl_cell_column *column) {
    struct xl_str text = {0};
    xl_cell_put_label(&text, cell, column);
    char *taken = xl_str_take(&text);
    if (taken) xl_text_cut(taken, MAX_WIDTH);
    return taken;
}

/* Two passes over the cells: the first finds the widths, the second prints. */
static enum xl_status print_cells(const struct xl_sweep *sweep, struct columns *columns,
                                  bool is_printing, struct xl_err *err) {
    for (int i = 0; i < sweep->n_cells; i++) {
        if (is_printing) printf("%6d", i + 1);
        for (int k = 0; k < columns->n; k++) {
            char *text = text_of(&sweep->cells[sweep->order[i]], &columns->column[k]);
            if (!text) return xl_fail_nomem(err, "a table", 0);
            int width = xl_text_width(text);
            if (is_printing) {
                printf("  ");
                xl_print_text(text, XL_COLOR_NONE);
                if (k + 1 < columns->n) printf("%*s", columns->width[k] - width, "");
            }
            if (width > columns->width[k]) columns->width[k] = width;
            free(text);
        }
        if (is_printing) printf("\n");
    }
    return XL_OK;
}

static enum xl_status print_order(const struct xl_sweep *sweep, struct xl_err *err) {
    struct columns columns = {.n = 0};
    choose_columns(sweep, &columns);
    enum xl_status status = print_cells(sweep, &columns, false, err);
    return status ? status : print_cells(sweep, &columns, true, err);
}

static void print_duration(double s) {
    if (s < 90)
        printf("%.0f s", s);
    else if (s < 5400)
        printf("%.0f min", s / 60);
    else
        printf("%.1f h", s / 3600);
}

static void print_estimate(const struct xl_sweep *sweep, const struct xl_estimate *estimate) {
    printf("\npictures %d\ntime     ", sweep->n_cells);
    print_duration(estimate->seconds);
    printf(" (%.2f TFLOP at %.2f TFLOP/s, %s), and loading the models\n", estimate->tflop,
           estimate->tflop_per_s,
           estimate->is_measured ? "as logged here before"
                                 : "a guess: nothing is logged in the output directory yet");
    printf("disk     %.2f GB of %.1f GB free%s\n", (double)estimate->disk_bytes / 1e9,
           (double)estimate->disk_free / 1e9,
           estimate->disk_bytes > estimate->disk_free ? ": NOT ENOUGH" : "");
    printf("memory   %.2f GB of %.1f GB free%s\n", (double)estimate->memory_bytes / 1e9,
           (double)estimate->memory_free / 1e9,
           estimate->memory_bytes > estimate->memory_free
               ? ": some pictures will be drawn in tiles or smaller"
               : "");
}

/* ---------------------------------------------------------------------------------------------- */

enum xl_status xl_print_dry_run(const struct xl_settings *settings, struct xl_sweep *sweep,
                                struct xl_err *err) {
    struct xl_estimate estimate;
    enum xl_status status = xl_estimate(settings, sweep, &estimate, err);
    if (status) return status;
    if (!settings->json) {
        status = print_order(sweep, err);
        if (status) return status;
        print_estimate(sweep, &estimate);
        return XL_OK;
    }
    xl_json_watch();
    json_t *document = describe(sweep, &estimate);
    document = xl_json_finish(document, !xl_json_ran_out());
    status = xl_print_json(document, err);
    json_decref(document);
    return status;
}
