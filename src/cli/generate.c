/* generate.c - sdxl-lab generate and resume: one picture or a sweep, from settings to a summary. */
#include "cli/cli.h"
#include "cli/compare.h"
#include "cli/painters.h"
#include "cli/shared_run.h"
#include "cli/submit.h"
#include "cli/summary.h"

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
#include "lab/run/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the hooks of a run need. */
struct follow {
    struct xl_progress progress;
    const struct xl_settings *settings;
    const struct xl_sweep *sweep;
    xl_cell_columns told;     /* of a picture that begins */
    struct xl_claims *claims; /* of a run that is shared; NULL: it is not */
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

static void on_saved(void *user, const struct xl_cell *cell, const char *path, const char *label) {
    struct follow *follow = user;
    (void)cell;
    (void)label;
    xl_progress_saved(&follow->progress);
    if (!follow->settings->json && !xl_is_comparison(follow->sweep))
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

/* ---- The commands ---- */

static bool goes_on(void *user) {
    (void)user;
    return !xl_interrupted() && !xl_interrupt_wants_end();
}

/* Draw what is waiting. In a run that others draw, too, then what they left behind, if they die
 * meanwhile. */
static enum xl_status draw(const struct xl_run *run, struct xl_run_counts *counts,
                           struct xl_err *err) {
    int n_again = 0;
    enum xl_status status = xl_run_draw(run, counts, err);
    while (run->claims && !status) {
        xl_shared_review(run, goes_on, NULL, &n_again);
        if (!n_again) break;
        xl_run_counts_deinit(counts);
        status = xl_run_draw(run, counts, err);
    }
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
                               .claims = follow->claims,
                               .hooks = {.progress = on_progress,
                                         .model = on_model,
                                         .begin = on_begin,
                                         .saved = on_saved,
                                         .ends = on_end,
                                         .user = follow},
                               .painters = painters.item,
                               .n_painters = painters.n};
    status = draw(&run, &counts, err);
    xl_painters_close(&painters);
    xl_progress_end(&follow->progress);
    xl_info("text %.2f s, %d %s %.2f s, decoding %.2f s, %.2f s in all", counts.encode_s,
            counts.n_evaluations, xl_plural(counts.n_evaluations, "evaluation", "evaluations"),
            counts.sample_s, counts.decode_s, counts.total_s);
    enum xl_status told = xl_tell_run(settings, sweep, dir, &counts, status, status ? NULL : err);
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

/* A run directory is made, and a cluster draws. One picture is a run, too. */
static enum xl_status new_run_elsewhere(struct xl_settings *settings, struct xl_sweep *sweep,
                                        struct xl_err *err) {
    struct xl_run_dir run;
    sweep->is_grid = true;
    enum xl_status status = xl_run_dir_create(settings, sweep, &run, err);
    if (status) return status;
    status = xl_submit(settings, sweep, &run, err);
    xl_run_dir_close(&run);
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
    if (xl_is_comparison(&sweep)) status = xl_comparison_check(settings, &sweep, err);
    if (!status && settings->dry_run) {
        status = xl_print_dry_run(settings, &sweep, err);
    } else if (!status && settings->on) {
        status = new_run_elsewhere(settings, &sweep, err);
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

/* The settings of a run with what is said now about who draws it. */
static struct xl_settings submission(const struct xl_settings *given,
                                     const struct xl_settings *request) {
    struct xl_settings settings = *request;
    settings.given = given->given;
    settings.from_environment = given->from_environment;
    settings.on = given->on;
    settings.print = given->print;
    settings.tasks = given->tasks;
    settings.at_once = given->at_once;
    settings.gres = given->gres;
    settings.partition = given->partition;
    settings.account = given->account;
    settings.qos = given->qos;
    settings.time_limit = given->time_limit;
    settings.sbatch = given->sbatch;
    settings.volumes = given->volumes;
    settings.container_image = given->container_image;
    return settings;
}

static enum xl_status old_run(struct xl_settings *settings, struct follow *follow,
                              struct xl_err *err) {
    struct xl_sweep sweep;
    struct xl_run_dir run;
    const struct xl_settings given = *settings;
    enum xl_status status = xl_run_dir_open(settings->resume, settings, &sweep, &run, err);
    if (status) return status;
    print_lines(&sweep.notices);
    if (settings->dry_run) {
        status = keep_waiting(&sweep, &run, err);
        if (!status) status = xl_print_dry_run(settings, &sweep, err);
    } else if (given.on) {
        const struct xl_settings sent = submission(&given, settings);
        status = xl_submit(&sent, &sweep, &run, err);
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

/* A run that others draw at the same time: whoever is the last to leave collects it. */
static enum xl_status shared_run(struct xl_settings *settings, struct follow *follow,
                                 struct xl_err *err) {
    const struct xl_settings given = *settings;
    enum xl_status status = xl_shared_run_join(settings, &follow->claims, err);
    if (!status) status = old_run(settings, follow, err);
    xl_claims_close(follow->claims);
    if (!status) status = xl_shared_run_leave(&given, err);
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
    if (!status && (settings.on || settings.print)) status = xl_submit_check(&settings, err);
    if (!status)
        status = settings.share    ? shared_run(&settings, &follow, err)
                 : settings.resume ? old_run(&settings, &follow, err)
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
        "summary there. sdxl-lab sweep is the same command.\nWithout a command, sdxl-lab reads "
        "these settings from the environment "
        "when HEADLESS=1 or PROMPT is set; flags come before it.",
    .also = "sweep",
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
