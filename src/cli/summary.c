/* summary.c - what came of a run: a summary for people, a document for programs. */
#include "cli/summary.h"

#include "cli/cli.h"
#include "cli/compare.h"

#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "lab/cell/cell_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool xl_is_comparison(const struct xl_sweep *sweep) {
    return !strcmp(sweep->kind, XL_KIND_COMPARE);
}

/* From the root: whoever reads the answer may work in another folder. NULL: null */
static void put_path(json_t *object, const char *key, const char *path, bool *ok) {
    struct xl_arena arena = {0};
    const char *absolute = path ? xl_path_absolute(path, &arena) : NULL;
    if (path && !absolute) *ok = false;
    xl_json_put(object, key, xl_json_text(absolute), ok);
    xl_arena_deinit(&arena);
}

static json_t *describe_cell(const struct xl_sweep *sweep, const struct xl_run_dir *run, int c) {
    const struct xl_cell *cell = &sweep->cells[c];
    const struct xl_outcome *outcome = &run->outcomes[c];
    json_t *object = xl_cell_write_drawn(cell);
    bool ok = object != NULL, is_done = outcome->state == XL_CELL_DONE;
    xl_json_put(object, "model_id", xl_json_text(sweep->models[cell->model].repository), &ok);
    xl_json_put(object, "revision", xl_json_text(sweep->models[cell->model].commit), &ok);
    if (outcome->scheduler_config)
        xl_json_put(object, "scheduler_config", json_incref(outcome->scheduler_config), &ok);
    if (is_done) {
        put_path(object, "path", outcome->path, &ok);
        xl_json_put(object, "width", json_integer(outcome->width), &ok);
        xl_json_put(object, "height", json_integer(outcome->height), &ok);
    }
    if (outcome->error) xl_json_put(object, "error", xl_json_text(outcome->error), &ok);
    return xl_json_finish(object, ok);
}

/* The pictures of one state. */
static json_t *describe_cells(const struct xl_sweep *sweep, const struct xl_run_dir *run,
                              enum xl_cell_state state) {
    json_t *array = json_array();
    for (int c = 0; c < sweep->n_cells; c++)
        if (run->outcomes[c].state == state &&
            json_array_append_new(array, describe_cell(sweep, run, c))) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *describe_skipped(const struct xl_sweep *sweep) {
    json_t *array = json_array();
    for (int m = 0; m < sweep->n_models; m++) {
        const struct xl_sweep_model *model = &sweep->models[m];
        if (!model->skipped) continue;
        json_t *object = json_object();
        bool ok = object != NULL;
        xl_json_put(object, "model", xl_json_text(model->key), &ok);
        xl_json_put(object, "reason", xl_json_text(model->skipped), &ok);
        json_array_append_new(array, xl_json_finish(object, ok));
    }
    return array;
}

/* The record of the first picture: what a script most often looks at. */
static json_t *first_record(const struct xl_run_dir *run) {
    char *text = NULL;
    for (int i = 0; i < run->n_outcomes && !text; i++)
        if (run->outcomes[i].state == XL_CELL_DONE)
            if (xl_record_read(run->outcomes[i].path, &text, NULL)) return json_null();
    json_t *record = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return record ? record : json_null();
}

/* What pictures of a run are measured for: nothing where the run is no comparison. */
struct measured {
    bool is_done;
    struct xl_comparison comparison;
    int n_pages;
};

static enum xl_status print_document(const struct xl_sweep *sweep, const struct xl_run_dir *run,
                                     const struct xl_run_counts *counts, struct measured *measured,
                                     struct xl_err *err) {
    xl_json_watch();
    json_t *document = json_object();
    bool ok = document != NULL;
    xl_json_put(document, "images", describe_cells(sweep, run, XL_CELL_DONE), &ok);
    xl_json_put(document, "failed", describe_cells(sweep, run, XL_CELL_FAILED), &ok);
    xl_json_put(document, "waiting", describe_cells(sweep, run, XL_CELL_WAITING), &ok);
    xl_json_put(document, "skipped_models", describe_skipped(sweep), &ok);
    xl_json_put(document, "encode_s", json_real(counts->encode_s), &ok);
    xl_json_put(document, "sample_s", json_real(counts->sample_s), &ok);
    xl_json_put(document, "decode_s", json_real(counts->decode_s), &ok);
    xl_json_put(document, "total_s", json_real(counts->total_s), &ok);
    xl_json_put(document, "evaluations", json_integer(counts->n_evaluations), &ok);
    xl_json_put(document, "warnings", xl_json_text(counts->warnings.text), &ok);
    xl_json_put(document, "notices", xl_json_text(sweep->notices.text), &ok);
    put_path(document, "log", counts->log_path, &ok);
    put_path(document, "run_dir", run->is_own ? run->dir : NULL, &ok);
    if (!run->is_own) xl_json_put(document, "record", first_record(run), &ok);
    if (measured->is_done)
        xl_json_put(document, "comparison",
                    xl_compare_describe(&measured->comparison, run->dir, measured->n_pages), &ok);
    document = xl_json_finish(document, ok && !xl_json_ran_out());
    enum xl_status status = xl_print_json(document, err);
    json_decref(document);
    return status;
}

/* Failures by their sentence, the first few of them: a night's thousand equal ones are one line. */
static void print_failures(const struct xl_sweep *sweep, const struct xl_run_dir *run) {
    enum { MOST = 10 };
    int first[MOST], n_same[MOST], n = 0;
    for (int c = 0; c < sweep->n_cells; c++) {
        const char *error = run->outcomes[c].error;
        int i = 0;
        if (!error) continue;
        while (i < n && strcmp(run->outcomes[first[i]].error, error)) i++;
        if (i == MOST) continue;
        if (i == n) first[n] = c, n_same[n++] = 0;
        n_same[i]++;
    }
    for (int i = 0; i < n; i++) {
        const struct xl_cell *cell = &sweep->cells[first[i]];
        printf("failed   %s, %s%s: %s\n", sweep->models[cell->model].key, cell->profile,
               n_same[i] > 1 ? " and others" : "", run->outcomes[first[i]].error);
    }
}

/* A path on its line: on a terminal the home folder is "~", as a shell takes it. */
static void print_path(const char *before, const char *path, const char *after) {
    const char *home = getenv("HOME");
    size_t n = home ? strlen(home) : 0;
    bool is_below = n > 1 && isatty(STDOUT_FILENO) && !strncmp(path, home, n) && path[n] == '/';
    printf("%s%s%s%s\n", before, is_below ? "~" : "", is_below ? path + n : path, after);
}

static void print_summary(const struct xl_sweep *sweep, const struct xl_run_dir *run,
                          const struct xl_run_counts *counts) {
    printf("\n%d drawn", counts->n_done);
    if (counts->n_there)
        printf(", %d %s there", counts->n_there, xl_plural(counts->n_there, "was", "were"));
    if (counts->n_elsewhere) printf(", %d by others", counts->n_elsewhere);
    if (counts->n_failed) printf(", %d failed", counts->n_failed);
    if (counts->n_waiting) printf(", %d left", counts->n_waiting);
    printf(", of %d, in %.1f s\n", run->n_outcomes, counts->total_s);
    print_failures(sweep, run);
    struct xl_str skipped = {0};
    xl_sweep_put_skipped(&skipped, sweep);
    if (skipped.len) printf("skipped  %s\n", skipped.text);
    xl_str_deinit(&skipped);
    for (int c = 0, n = 0; c < sweep->n_cells; c++) {
        const struct xl_outcome *outcome = &run->outcomes[c];
        if (outcome->state != XL_CELL_DONE ||
            (outcome->width == sweep->cells[c].width && outcome->height == sweep->cells[c].height))
            continue;
        if (!n++) printf("smaller  for want of memory:\n");
        printf("         %dx%d instead of %dx%d", outcome->width, outcome->height,
               sweep->cells[c].width, sweep->cells[c].height);
        print_path(": ", outcome->path, "");
    }
    if (run->is_own) print_path("page     ", run->dir, "/index.html");
    if (counts->log_path) print_path("log      ", counts->log_path, "");
    if (!xl_run_dir_can_go_on(run)) return;
    struct xl_str dir = {0};
    xl_str_put_shell_word(&dir, run->dir);
    printf("go on    sdxl-lab resume %s\n", dir.text ? dir.text : run->dir);
    xl_str_deinit(&dir);
}

/* Measure what was drawn; a run that was stopped is measured when it is through. */
static enum xl_status measure(const struct xl_settings *settings, const struct xl_sweep *sweep,
                              const struct xl_run_dir *dir, enum xl_status drawn,
                              struct measured *out, struct xl_err *err) {
    *out = (struct measured){.is_done = false};
    if (!xl_is_comparison(sweep) || (drawn && drawn != XL_EPARTIAL)) return XL_OK;
    enum xl_status status =
        xl_compare_run(settings, sweep, dir, &out->comparison, &out->n_pages, err);
    out->is_done = !status;
    return status;
}

enum xl_status xl_tell_run(const struct xl_settings *settings, const struct xl_sweep *sweep,
                           struct xl_run_dir *dir, const struct xl_run_counts *counts,
                           enum xl_status drawn, struct xl_err *err) {
    struct measured measured;
    bool has_summary = !settings->json && (dir->is_own || settings->is_headless);
    enum xl_status status = measure(settings, sweep, dir, drawn, &measured, err), told = XL_OK;
    if (settings->json && (!drawn || dir->is_own))
        told = print_document(sweep, dir, counts, &measured, status ? NULL : err);
    else if (has_summary)
        print_summary(sweep, dir, counts);
    if (measured.is_done && has_summary) {
        printf("\n");
        told = xl_compare_print(&measured.comparison, dir->dir, measured.n_pages, err);
    }
    if (!status) status = told;
    if (!status && measured.is_done) status = xl_compare_judge(settings, &measured.comparison, err);
    xl_comparison_deinit(&measured.comparison);
    return status;
}
