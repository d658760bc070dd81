/* dry_run.c - what generate --dry-run prints: the pictures in their order, and what they take. */
#include "cli/cli.h"

#include "base/json.h"
#include "base/str.h"
#include "base/text_width.h"
#include "cli/table.h"
#include "lab/cell/cell_text.h"
#include "lab/run/estimate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WIDTH = 40 }; /* of a column; longer texts are cut */

/* --- Seeds ------------------------------------------------------------------------------------ */

/* A seed that nobody chose is another one in the run: what stands for it, "random", "random 2",
 * "random + 1" in a batch. False: somebody chose it. */
static bool put_random(struct xl_str *out, const struct xl_settings *settings,
                       const struct xl_sweep *sweep, uint64_t seed) {
    for (int i = 0; i < sweep->n_random; i++) {
        uint64_t away = seed - sweep->random[i];
        if (away >= (uint64_t)settings->batch) continue;
        xl_str_puts(out, "random");
        if (sweep->n_random > 1) xl_str_printf(out, " %d", i + 1);
        if (away) xl_str_printf(out, " + %d", (int)away);
        return true;
    }
    return false;
}

/* --- For programs ----------------------------------------------------------------------------- */

/* Without what will be another one when the run is planned. */
static json_t *describe_cell(const struct xl_settings *settings, const struct xl_sweep *sweep,
                             const struct xl_cell *cell) {
    json_t *object = xl_cell_write(cell);
    struct xl_str seed = {0};
    bool ok = object != NULL;
    if (put_random(&seed, settings, sweep, cell->seed)) {
        xl_json_put(object, "seed", xl_json_text(seed.text), &ok);
        xl_json_put(object, "id", json_null(), &ok);
    }
    xl_str_deinit(&seed);
    return xl_json_finish(object, ok);
}

static json_t *describe(const struct xl_settings *settings, const struct xl_sweep *sweep,
                        const struct xl_estimate *estimate) {
    json_t *object = json_object(), *order = json_array();
    bool ok = object && order;
    for (int i = 0; i < sweep->n_cells; i++)
        ok &= !json_array_append_new(
            order, describe_cell(settings, sweep, &sweep->cells[sweep->order[i]]));
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

/* The columns that a person needs to tell what will be drawn. */
struct columns {
    const struct xl_settings *settings;
    const struct xl_sweep *sweep;
    int n;
    struct xl_cell_column column[XL_CELL_MAX_FIELDS];
    size_t common[XL_CELL_MAX_FIELDS]; /* bytes that the values of all cells begin with */
    json_t *cut[XL_CELL_MAX_FIELDS];   /* texts that were cut: the value of each */
    int width[XL_CELL_MAX_FIELDS];     /* of the widest text */
};

/* The value of a column, malloc'd. NULL: out of memory */
static char *value_of(const struct columns *columns, int k, const struct xl_cell *cell) {
    struct xl_str text = {0};
    bool is_seed = !strcmp(columns->column[k].field->key, "seed");
    if (!is_seed || !put_random(&text, columns->settings, columns->sweep, cell->seed))
        xl_cell_put_value(&text, cell, &columns->column[k]);
    return xl_str_take(&text);
}

/* How much all values begin with. */
static enum xl_status find_common(struct columns *columns, int k, struct xl_err *err) {
    const struct xl_sweep *sweep = columns->sweep;
    char *first = value_of(columns, k, &sweep->cells[0]);
    size_t n = first ? strlen(first) : 0;
    bool failed = !first;
    for (int c = 1; !failed && n && c < sweep->n_cells; c++) {
        char *value = value_of(columns, k, &sweep->cells[c]);
        failed = !value;
        size_t same = value ? xl_common_beginning(first, value) : 0;
        if (same < n && strcmp(first, value) != 0) n = same;
        free(value);
    }
    columns->common[k] = n;
    free(first);
    return failed ? xl_fail_nomem(err, "a table", 0) : XL_OK;
}

static enum xl_status choose_columns(struct columns *columns, struct xl_err *err) {
    const struct xl_sweep *sweep = columns->sweep;
    xl_cell_columns varying = 0, always = xl_cell_columns_with(XL_CELL_ALWAYS);
    enum xl_status status = XL_OK;
    for (int c = 1; c < sweep->n_cells; c++)
        varying |= xl_cells_differ(&sweep->cells[0], &sweep->cells[c]);
    struct xl_cell_column column;
    for (int i = 0; !status && xl_cell_column_at(i, &column); i++) {
        if (!((varying | always) >> i & 1)) continue;
        int k = columns->n++;
        columns->column[k] = column;
        columns->cut[k] = json_object();
        if (!columns->cut[k]) return xl_fail_nomem(err, "a table", 0);
        if (varying >> i & 1) status = find_common(columns, k, err);
    }
    return status;
}

/* A text that has no room, in at most MAX_WIDTH columns. `other` (NULL: none) was cut to the same:
 * its beginning, and from where it differs; malloc'd. NULL: out of memory */
static char *shorten(const char *text, const char *value, const char *other, int number) {
    enum { HEAD = 14, NUMBER = 8 /* " (12345)" */ };
    struct xl_str out = {0};
    if (other) {
        xl_str_append(&out, text, xl_text_fit(text, HEAD));
        xl_str_puts(&out, "...");
        xl_str_puts(&out, value + xl_common_beginning(value, other));
    } else {
        xl_str_puts(&out, text);
    }
    if (!out.failed) xl_text_cut(out.text, number ? MAX_WIDTH - NUMBER : MAX_WIDTH);
    if (!out.failed) out.len = strlen(out.text);
    if (number) xl_str_printf(&out, " (%d)", number);
    return xl_str_take(&out);
}

/* Cut a text that has no room so that what is cut from different values differs. known: what was
 * cut before, and from which value. */
static bool cut(json_t *known, const char *value, struct xl_str *text) {
    char *whole = xl_str_take(text), *shown = NULL;
    const char *other = NULL, *known_value;
    for (int i = 1; whole; i++) {
        free(shown);
        shown = shorten(whole, value, other, i > 2 ? i - 1 : 0);
        if (!shown) break;
        known_value = json_string_value(json_object_get(known, shown));
        if (known_value && !strcmp(known_value, value)) break;
        if (!known_value) {
            text->failed |= json_object_set_new_nocheck(known, shown, json_string_nocheck(value));
            break;
        }
        if (!other) other = known_value;
    }
    if (shown) xl_str_puts(text, shown);
    bool ok = shown && !text->failed;
    free(whole);
    free(shown);
    return ok;
}

/* What is printed of a column, malloc'd. NULL: out of memory */
static char *text_of(struct columns *columns, int k, const struct xl_cell *cell) {
    struct xl_str text = {0}, label = {0};
    char *value = value_of(columns, k, cell);
    xl_cell_put_label(&label, cell, &columns->column[k]);
    struct xl_str plain = {0};
    xl_cell_put_value(&plain, cell, &columns->column[k]);
    bool ok = value && label.text && !label.failed && !plain.failed;
    if (ok) {
        xl_str_append(&text, label.text, label.len - plain.len); /* the caption */
        bool is_long = xl_text_width(text.text) + xl_text_width(value) > MAX_WIDTH;
        size_t common = is_long ? columns->common[k] : 0;
        if (common > 3) xl_str_puts(&text, "...");
        xl_str_puts(&text, common > 3 ? value + common : value);
        if (!text.failed && xl_text_width(text.text) > MAX_WIDTH)
            ok = cut(columns->cut[k], value, &text);
    }
    free(value);
    xl_str_deinit(&label);
    xl_str_deinit(&plain);
    char *taken = xl_str_take(&text);
    if (ok) return taken;
    free(taken);
    return NULL;
}

/* Two passes over the cells: the first finds the widths, the second prints. */
static enum xl_status print_cells(struct columns *columns, bool is_printing, struct xl_err *err) {
    const struct xl_sweep *sweep = columns->sweep;
    for (int i = 0; i < sweep->n_cells; i++) {
        if (is_printing) printf("%6d", i + 1);
        for (int k = 0; k < columns->n; k++) {
            char *text = text_of(columns, k, &sweep->cells[sweep->order[i]]);
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

static enum xl_status print_order(const struct xl_settings *settings, const struct xl_sweep *sweep,
                                  struct xl_err *err) {
    struct columns columns = {.settings = settings, .sweep = sweep};
    enum xl_status status = choose_columns(&columns, err);
    if (!status) status = print_cells(&columns, false, err);
    if (!status) status = print_cells(&columns, true, err);
    for (int k = 0; k < columns.n; k++) json_decref(columns.cut[k]);
    return status;
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
        status = print_order(settings, sweep, err);
        if (status) return status;
        print_estimate(sweep, &estimate);
        return XL_OK;
    }
    xl_json_watch();
    json_t *document = describe(settings, sweep, &estimate);
    document = xl_json_finish(document, !xl_json_ran_out());
    status = xl_print_json(document, err);
    json_decref(document);
    return status;
}
