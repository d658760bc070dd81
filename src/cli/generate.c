/* generate.c - sdxl-lab generate and resume: one picture or a sweep, from settings to a summary. */
#include "cli/cli.h"
#include "cli/compare.h"
#include "cli/painters.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "base/text_width.h"
#include "jobs/gpu_pool.h"
#include "lab/cell/cell_axes.h"
#include "lab/run/output.h"
#include "lab/run/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the hooks of a run need. */
struct follow {
    struct xl_progress progress;
    const struct xl_settings *settings;
    const struct xl_sweep *sweep;
    xl_cell_columns told; /* of a picture that begins */
};

static bool on_progress(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct follow *follow = user;
    return xl_progress_update(&follow->progress, phase, done, total);
}

static bool on_end(void *user) {
    (void)user;
    return xl_interrupt_wants_end();
}

static void on_model(void *user, int m) {
    struct follow *follow = user;
    xl_progress_model(&follow->progress, follow->sweep->models[m].key);
}

/* What tells the pictures of the run apart, but not those that begin together; of one alone, what
 * it is. */
static void on_begin(void *user, const struct xl_beginning *beginning) {
    enum { TEXT_COLUMNS = 60 };
    struct follow *follow = user;
    struct xl_str what = {0};
    struct xl_cell_column column;
    xl_cell_columns told = follow->told & ~xl_cells_differ(beginning->first, beginning->last);
    for (int i = 0; xl_cell_column_at(i, &column); i++) {
        if (!(told >> i & 1)) continue;
        struct xl_str label = {0};
        xl_cell_put_label(&label, beginning->first, &column);
        if (label.text) xl_text_cut(label.text, TEXT_COLUMNS);
        xl_str_printf(&what, "%s%s", what.len ? ", " : "", label.text ? label.text : "");
        xl_str_deinit(&label);
    }
    xl_progress_begin(&follow->progress, what.text ? what.text : "", beginning->i,
                      beginning->n_together, beginning->n);
    xl_str_deinit(&what);
}

static bool is_comparison(const struct xl_sweep *sweep) {
    return !strcmp(sweep->kind, XL_KIND_COMPARE);
}

static void on_saved(void *user, const struct xl_cell *cell, const char *path) {
    struct follow *follow = user;
    (void)cell;
    xl_progress_saved(&follow->progress);
    if (!follow->settings->json && !is_comparison(follow->sweep))
        xl_progress_print(&follow->progress, path);
}

/* The columns that a beginning is told by. */
static xl_cell_columns choose_told(const struct xl_sweep *sweep) {
    xl_cell_columns told = 0;
    if (xl_cells_told_by(sweep->cells, sweep->n_cells, &told, NULL)) told = 0;
    return told ? told : xl_cell_columns_with(XL_CELL_ALWAYS | XL_CELL_PLAIN);
}

static void print_lines(const struct xl_str *lines) {
    for (const char *line = lines->text; line && *line;) {
        int n = (int)strcspn(line, "\n");
        xl_warn("%.*s", n, line);
        line += n + (line[n] == '\n');
    }
}

/* ---- The summary ---- */

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

/* ---- The commands ---- */

/* Measure what was drawn; a run that was stopped is measured when it is through. */
static enum xl_status measure(const struct xl_settings *settings, const struct xl_sweep *sweep,
                              const struct xl_run_dir *dir, enum xl_status drawn,
                              struct measured *out, struct xl_err *err) {
    *out = (struct measured){.is_done = false};
    if (!is_comparison(sweep) || (drawn && drawn != XL_EPARTIAL)) return XL_OK;
    enum xl_status status =
        xl_compare_run(settings, sweep, dir, &out->comparison, &out->n_pages, err);
    out->is_done = !status;
    return status;
}

/* Tell what came of a run. drawn: how drawing ended. */
static enum xl_status tell(const struct xl_settings *settings, const struct xl_sweep *sweep,
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

static enum xl_status draw_and_report(const struct xl_settings *settings,
                                      const struct xl_sweep *sweep, struct xl_run_dir *dir,
                                      const struct xl_gpu_pool *gpus, struct follow *follow,
                                      struct xl_err *err) {
    struct xl_run_counts counts;
    struct xl_painters painters;
    follow->sweep = sweep;
    follow->told = choose_told(sweep);
    enum xl_status status = xl_painters_make(settings, dir, gpus, &painters, err);
    if (status) return status;
    xl_progress_init(&follow->progress, settings->quiet);
    follow->progress.n_painters = painters.n;
    if (dir->is_own || settings->verbose || settings->is_headless) follow->progress.is_held = false;
    const struct xl_run run = {.settings = settings,
                               .sweep = sweep,
                               .dir = dir,
                               .hooks = {on_progress, on_model, on_begin, on_saved, on_end, follow},
                               .painters = painters.item,
                               .n_painters = painters.n};
    status = xl_run_draw(&run, &counts, err);
    xl_painters_close(&painters);
    xl_progress_end(&follow->progress);
    xl_info("text %.2f s, %d %s %.2f s, decoding %.2f s, %.2f s in all", counts.encode_s,
            counts.n_evaluations, xl_plural(counts.n_evaluations, "evaluation", "evaluations"),
            counts.sample_s, counts.decode_s, counts.total_s);
    enum xl_status told = tell(settings, sweep, dir, &counts, status, status ? NULL : err);
    xl_run_counts_deinit(&counts);
    return status ? status : told;
}

/* Of a sweep over dtypes, one that the device does not compute in is refused before anything is
 * drawn in the others. With workers this process touches no device: they find out. */
static enum xl_status check_precisions(const struct xl_settings *settings,
                                       const struct xl_sweep *sweep, struct xl_err *err) {
    struct xl_device_params params = xl_settings_device(settings);
    struct xl_device *device = NULL;
    enum xl_status status = XL_OK;
    if (settings->workers) return XL_OK;
    for (int c = 1; !status && c < sweep->n_cells; c++) {
        enum xl_precision before = sweep->cells[c - 1].precision, now = sweep->cells[c].precision;
        if (now == before) continue;
        if (!device) {
            status = xl_device_open(&params, &device, err);
            if (!status) status = xl_device_check_precision(device, before, err);
        }
        if (!status) status = xl_device_check_precision(device, now, err);
    }
    xl_device_close(device);
    return status;
}

static enum xl_status new_run(struct xl_settings *settings, struct follow *follow,
                              struct xl_err *err) {
    struct xl_sweep sweep;
    struct xl_run_dir run;
    struct xl_gpu_pool *gpus = NULL;
    enum xl_status status = xl_sweep_plan(settings, &sweep, err);
    if (status) {
        struct xl_err why = {0};
        if (status != XL_ECANCELLED && !settings->dry_run &&
            xl_output_log_refusal(settings, status, err->text, &why))
            xl_warn("%s", why.text);
        return status;
    }
    print_lines(&sweep.notices);
    if (is_comparison(&sweep)) status = xl_comparison_check(settings, &sweep, err);
    if (!status && settings->dry_run) {
        status = xl_print_dry_run(settings, &sweep, err);
    } else if (!status) {
        status = xl_painters_lock(settings, &gpus, err); /* before there is a folder */
        /* GPUs compute in all of them, and this process opens none. */
        if (!status && !gpus) status = check_precisions(settings, &sweep, err);
        if (!status) status = xl_run_dir_create(settings, &sweep, &run, err);
        if (!status) {
            status = draw_and_report(settings, &sweep, &run, gpus, follow, err);
            xl_run_dir_close(&run);
        }
        xl_gpu_pool_close(gpus);
    }
    xl_sweep_deinit(&sweep);
    return status;
}

/* Of a run that is there, a dry run shows what would be drawn. */
static enum xl_status keep_waiting(struct xl_sweep *sweep, const struct xl_run_dir *run,
                                   struct xl_err *err) {
    int n = 0;
    for (int c = 0; c < sweep->n_cells; c++)
        if (run->outcomes[c].state == XL_CELL_WAITING) sweep->cells[n++] = sweep->cells[c];
    sweep->n_cells = n;
    return xl_sweep_sort(sweep, err);
}

static enum xl_status old_run(struct xl_settings *settings, struct follow *follow,
                              struct xl_err *err) {
    struct xl_sweep sweep;
    struct xl_run_dir run;
    enum xl_status status = xl_run_dir_open(settings->resume, settings, &sweep, &run, err);
    if (status) return status;
    print_lines(&sweep.notices);
    if (settings->dry_run) {
        status = keep_waiting(&sweep, &run, err);
        if (!status) status = xl_print_dry_run(settings, &sweep, err);
    } else {
        struct xl_gpu_pool *gpus = NULL;
        status = xl_painters_lock(settings, &gpus, err);
        if (!status) status = draw_and_report(settings, &sweep, &run, gpus, follow, err);
        xl_gpu_pool_close(gpus);
    }
    xl_run_dir_close(&run);
    xl_sweep_deinit(&sweep);
    return status;
}

/* A run is gone on with as it was begun: what would change its pictures is refused. The environment
 * of a container is the same when it goes on, so what is there says nothing. */
static enum xl_status check_resume(const struct xl_settings *settings, struct xl_err *err) {
    const struct xl_option *option;
    for (int i = 0; (option = xl_option_at(i)); i++)
        if ((settings->given & ~settings->from_environment) >> i & 1 &&
            !(option->commands & XL_FOR_RESUME) && !option->is_place &&
            strcmp(option->name, "resume") && strcmp(option->name, "job"))
            return xl_fail(err, XL_EINVAL,
                           "--resume: the run has its own settings, and --%s would change them; "
                           "leave it out, or start a new run",
                           option->name);
    return XL_OK;
}

enum xl_status xl_run_and_tell(const struct xl_settings *given, struct xl_err *err) {
    struct xl_settings settings = *given;
    struct follow follow = {.settings = &settings};
    enum xl_status status = XL_OK;
    if (settings.resume) status = check_resume(&settings, err);
    if (!status)
        status = settings.resume ? old_run(&settings, &follow, err)
                                 : new_run(&settings, &follow, err);
    xl_progress_end(&follow.progress);
    return status;
}

static enum xl_status resume(const struct xl_settings *given, struct xl_err *err) {
    struct xl_settings settings = *given;
    settings.resume = settings.arguments[0];
    return xl_run_and_tell(&settings, err);
}

const struct xl_command xl_command_generate = {
    .name = "generate",
    .summary = "draw pictures: one, a batch, or a sweep over profiles, models and settings",
    .usage = "--prompt TEXT [--model KEY|ID|DIR] [OPTIONS]",
    .commands = XL_FOR_GENERATE,
    .epilogue =
        "Each picture's path goes to standard output as it comes to disk; a sweep ends with a "
        "summary there.\nWithout a command, sdxl-lab reads these settings from the environment "
        "when HEADLESS=1 or PROMPT is set; flags come before it.",
    .run = xl_run_and_tell,
};

const struct xl_command xl_command_resume = {
    .name = "resume",
    .summary = "make what is missing or damaged in a run directory; with --sweep, add to it",
    .usage = "[OPTIONS]",
    .positional = "RUN_DIR",
    .words = XL_COMPLETE_DIR,
    .commands = XL_FOR_RESUME,
    .epilogue = "A picture is known by the record in it, not by its name.\nWith --sweep "
                "KEY=VALUES, an axis of the run gets these values beside those that it has, and a "
                "new axis crosses what is there; pictures that are there stay.",
    .run = resume,
};
