/* output.c - pictures, log lines, page and contact sheets of a run, as they come to disk. */
#include "lab/run/output.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "hub/hub.h"
#include "image/sheet.h"
#include "lab/cell/cell_axes.h"
#include "lab/run/run_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Pictures --------------------------------------------------------------------------------- */

static const struct xl_cell *cell_of(const struct xl_drawn *drawn, int i) {
    return &drawn->group.sweep->cells[drawn->group.cells[i]];
}

static void note_picture(const struct xl_writer_params *params, const struct xl_cell *cell,
                         const struct xl_outcome *outcome, const char *label) {
    params->run->outcomes[cell->index] = *outcome;
    if (params->hooks.saved) params->hooks.saved(params->hooks.user, cell, outcome->path, label);
}

static void note_theirs(const struct xl_writer_params *params, const int *cells, int n) {
    for (int i = 0; i < n; i++) params->run->outcomes[cells[i]].state = XL_CELL_ELSEWHERE;
}

/* *n_saved: how many of the group, from its first on. */
static enum xl_status save_all(const struct xl_writer_params *params, struct xl_drawn *drawn,
                               int *n_saved, struct xl_err *err) {
    for (int i = 0; i < drawn->group.n; i++) {
        char *path = NULL;
        const struct xl_cell *cell = cell_of(drawn, i);
        enum xl_status status = drawn->painter->save(drawn->painter, drawn, i, &path, err);
        if (status) return status;
        *n_saved += 1;
        if (!path) { /* taken over */
            note_theirs(params, &drawn->group.cells[i], 1);
            continue;
        }
        const struct xl_outcome outcome = {.state = XL_CELL_DONE,
                                           .path = path,
                                           .width = drawn->group.rung.width,
                                           .height = drawn->group.rung.height,
                                           .scheduler_config = json_incref(drawn->scheduler_config),
                                           .drawn_by = json_incref(drawn->drawn_by),
                                           .seconds = drawn->total_s / drawn->group.n};
        note_picture(params, cell, &outcome, drawn->label);
    }
    return XL_OK;
}

/* What a sentence is about: of how much was cut off, the first one is told. */
static int subject_length(const char *line, int n) {
    static const char CUT[] = ": its last ";
    const char *at = memmem(line, (size_t)n, CUT, sizeof CUT - 1);
    return at ? (int)(at - line) : n;
}

/* Say what the engine had to say, each sentence once a run. */
static void warn_all(struct xl_str *said, const char *warnings) {
    for (const char *line = warnings; line && *line;) {
        size_t n = strcspn(line, "\n");
        char sentence[512];
        int n_subject = subject_length(line, (int)n);
        snprintf(sentence, sizeof sentence, "%.*s%s", n_subject, line,
                 n_subject == (int)n ? "\n" : ":");
        if (!said->text || !strstr(said->text, sentence)) {
            xl_warn("%.*s", (int)n, line);
            xl_str_printf(said, "%.*s\n", (int)n, line);
        }
        line += n + (line[n] == '\n');
    }
}

static void add_up(struct xl_run_counts *counts, const struct xl_result *result) {
    counts->encode_s += result->encode_s;
    counts->sample_s += result->sample_s;
    counts->decode_s += result->decode_s;
    counts->n_evaluations += result->n_evaluations;
    warn_all(&counts->warnings, result->warnings);
}

static void note_failure(const struct xl_writer_params *params, const int *cells, int n,
                         const struct xl_drawn *drawn) {
    for (int i = 0; i < n; i++) {
        struct xl_outcome *outcome = &params->run->outcomes[cells[i]];
        free(outcome->error);
        *outcome = (struct xl_outcome){
            .state = XL_CELL_FAILED, .status = drawn->status, .error = strdup(drawn->err.text)};
        if (params->hooks.failed)
            params->hooks.failed(params->hooks.user, &params->sweep->cells[cells[i]], drawn->status,
                                 drawn->err.text);
    }
}

/* --- The job log ------------------------------------------------------------------------------ */

/* What became of a group, of which the entry has a share. */
static void put_drawn(struct xl_job_entry *entry, const struct xl_drawn *drawn, double share) {
    entry->status = drawn->status;
    entry->error = drawn->status ? drawn->err.text : NULL;
    entry->fallback = drawn->group.fallback[0] ? drawn->group.fallback : NULL;
    entry->drawn_by = drawn->drawn_by;
    entry->worker = drawn->label[0] ? drawn->label : NULL;
    entry->scheduler_config = drawn->scheduler_config;
    if (!drawn->status) entry->vae_tile = drawn->group.rung.vae_tile;
    entry->encode_s = drawn->result.encode_s * share;
    entry->sample_s = drawn->result.sample_s * share;
    entry->decode_s = drawn->result.decode_s * share;
    entry->total_s = drawn->total_s * share;
    entry->tflop = drawn->tflop * share;
}

/* Log cells list[0..n) of one job. drawn: NULL for pictures that were found. */
static enum xl_status log_job(const struct xl_writer_params *params, const int *list, int n,
                              const struct xl_drawn *drawn, struct xl_err *err) {
    const struct xl_cell *cells = params->sweep->cells, *first = &cells[list[0]];
    const struct xl_sweep_model *model = &params->sweep->models[first->model];
    struct xl_job_entry entry = {.job = params->job,
                                 .timestamp = params->run->stamp,
                                 .multi_profile = params->sweep->is_grid,
                                 .cell = first,
                                 .model_id = model->repository,
                                 .revision = model->commit ? model->commit : model->revision,
                                 .weights = model->digest,
                                 .width = first->width,
                                 .height = first->height,
                                 .vae_tile = first->vae_tile,
                                 .batch_size = n,
                                 .n_pictures = n};
    struct xl_arena arena = {0};
    struct xl_job_picture *pictures = calloc((size_t)n, sizeof *pictures);
    xl_json_watch();
    json_t *variant = json_object();
    bool ok = variant && pictures;
    xl_sweep_variant_put(variant, model, &ok);
    if (first->embedding_files)
        xl_json_put(variant, "embedding_files", xl_json_text(first->embedding_files), &ok);
    entry.variant = variant;
    entry.pictures = pictures;
    entry.run_dir = xl_path_absolute(params->run->dir, &arena);
    enum xl_status status = ok && entry.run_dir ? XL_OK : xl_fail_nomem(err, "a log line", 0);
    for (int i = 0; !status && i < n; i++) {
        const struct xl_outcome *outcome = &params->run->outcomes[list[i]];
        pictures[i] =
            (struct xl_job_picture){.seed = cells[list[i]].seed, .cell = cells[list[i]].id};
        if (outcome->state != XL_CELL_DONE) continue;
        pictures[i].path = xl_path_absolute(outcome->path, &arena);
        if (!pictures[i].path) status = xl_fail_nomem(err, "a path", 0);
        entry.scheduler_config = outcome->scheduler_config;
        entry.drawn_by = outcome->drawn_by;
        entry.width = outcome->width;
        entry.height = outcome->height;
    }
    if (drawn) put_drawn(&entry, drawn, (double)n / drawn->group.n);
    if (!status) status = xl_job_log_append(params->log, &entry, err);
    free(pictures);
    json_decref(variant);
    xl_arena_deinit(&arena);
    return status;
}

/* One line for each job of some cells of a group, which holds cells of a job side by side. */
static enum xl_status log_all(const struct xl_writer_params *params, const int *list, int n_list,
                              const struct xl_drawn *drawn, struct xl_err *err) {
    const struct xl_cell *cells = params->sweep->cells;
    for (int first = 0, n; first < n_list; first += n) {
        for (n = 1; first + n < n_list && cells[list[first + n]].job == cells[list[first]].job;)
            n++;
        enum xl_status status = log_job(params, list + first, n, drawn, err);
        if (status) return status;
    }
    return XL_OK;
}

/* --- The page --------------------------------------------------------------------------------- */

/* A path below the run directory as the page names it. */
static const char *relative(const struct xl_run_dir *run, const char *path) {
    size_t n = strlen(run->dir);
    return path && !strncmp(path, run->dir, n) && path[n] == '/' ? path + n + 1 : path;
}

/* A sentence for the page, which others may get. */
static json_t *told(const char *sentence) {
    char *text = sentence ? xl_path_tell(sentence) : NULL;
    json_t *value = sentence && !text ? NULL : xl_json_text(text);
    free(text);
    return value;
}

static json_t *describe_outcome(const struct xl_writer_params *params, const struct xl_cell *cell) {
    const struct xl_outcome *outcome = &params->run->outcomes[cell->index];
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "id", json_string(cell->id), &ok);
    xl_json_put(object, "state", json_string(xl_cell_state_name(outcome->state)), &ok);
    if (outcome->path)
        xl_json_put(object, "path", xl_json_text(relative(params->run, outcome->path)), &ok);
    if (outcome->error) xl_json_put(object, "error", told(outcome->error), &ok);
    if (outcome->seconds > 0) xl_json_put(object, "seconds", json_real(outcome->seconds), &ok);
    if (outcome->width) {
        xl_json_put(object, "width", json_integer(outcome->width), &ok);
        xl_json_put(object, "height", json_integer(outcome->height), &ok);
    }
    return xl_json_finish(object, ok);
}

/* A cell as it was planned, and what became of it. */
static json_t *describe_cell(const struct xl_writer_params *params, const struct xl_cell *cell) {
    json_t *object = xl_cell_write_shown(cell), *outcome = describe_outcome(params, cell);
    bool ok = object && outcome && !json_object_update(object, outcome);
    json_decref(outcome);
    return xl_json_finish(object, ok);
}

static enum xl_status update_page(const struct xl_writer_params *params, const int *list, int n,
                                  struct xl_err *err) {
    if (!params->run->is_own || !n || params->claims) return XL_OK;
    xl_json_watch();
    json_t *cells = json_array();
    bool ok = cells != NULL;
    for (int i = 0; i < n; i++)
        ok &=
            !json_array_append_new(cells, describe_outcome(params, &params->sweep->cells[list[i]]));
    enum xl_status status = ok && !xl_json_ran_out()
                                ? xl_run_page_update(params->run->dir, cells, err)
                                : xl_fail_nomem(err, "the run's page", 0);
    json_decref(cells);
    return status;
}

/* The models that nothing is drawn with, and why. */
static json_t *describe_skipped(const struct xl_sweep *sweep) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int m = 0; m < sweep->n_models; m++) {
        const struct xl_sweep_model *model = &sweep->models[m];
        if (!model->skipped) continue;
        json_t *object = json_object();
        xl_json_put(object, "model", xl_json_text(model->key), &ok);
        xl_json_put(object, "reason", xl_json_text(model->skipped), &ok);
        ok &= !json_array_append_new(list, object);
    }
    return xl_json_finish(list, ok);
}

static json_t *key_of(int column) {
    struct xl_cell_column found;
    return xl_cell_column_at(column, &found) ? json_string(found.field->key) : NULL;
}

/* What the run's cells are laid out by. */
static enum xl_status put_axes(const struct xl_sweep *sweep, json_t *run, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_cell_axes axes;
    const struct xl_cell **cells = xl_arena_alloc(&arena, (size_t)sweep->n_cells * sizeof *cells);
    for (int c = 0; cells && c < sweep->n_cells; c++) cells[c] = &sweep->cells[c];
    enum xl_status status = cells ? xl_cell_axes_find(cells, sweep->n_cells, &arena, &axes, err)
                                  : xl_fail_nomem(err, "the run's page", 0);
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int k = 0; !status && k < axes.n; k++)
        ok &= !json_array_append_new(list, key_of(axes.axes[k].column));
    if (!status && axes.is_grid && axes.n >= 2) {
        const struct xl_cell_axis *rows, *columns;
        xl_cell_axes_sides(&axes, &rows, &columns);
        xl_json_put(run, "rows", key_of(rows->column), &ok);
        xl_json_put(run, "columns", key_of(columns->column), &ok);
    }
    xl_json_put(run, "axes", list, &ok);
    xl_arena_deinit(&arena);
    return status || ok ? status : xl_fail_nomem(err, "the run's page", 0);
}

/* The command that goes on with the run; a path that a shell would take apart is quoted. A page may
 * be given to others: the home folder is "~", and of a path that says whose it is all the same the
 * last part is left. */
static json_t *describe_resume(const struct xl_run_dir *run) {
    struct xl_str text = {0};
    const char *home = getenv("HOME"), *dir = run->dir, *slash = strrchr(dir, '/');
    size_t n_home = home ? strlen(home) : 0;
    bool is_below = n_home > 1 && !strncmp(dir, home, n_home) && dir[n_home] == '/';
    if (is_below && !xl_path_is_personal(dir + n_home))
        dir += n_home + 1;
    else if (xl_path_is_personal(dir) && slash)
        dir = slash + 1, is_below = false;
    xl_str_printf(&text, "sdxl-lab resume %s", is_below ? "~/" : "");
    xl_str_put_shell_word(&text, dir);
    json_t *value = xl_json_text(text.text);
    xl_str_deinit(&text);
    return value;
}

enum xl_status xl_output_page_begin(const struct xl_writer_params *params, struct xl_err *err) {
    const struct xl_sweep *sweep = params->sweep;
    if (!params->run->is_own) return XL_OK;
    char started[21];
    xl_iso8601_utc(started);
    xl_json_watch();
    json_t *run = json_object(), *cells = json_array();
    bool ok = run && cells;
    for (int c = 0; c < sweep->n_cells; c++)
        ok &= !json_array_append_new(cells, describe_cell(params, &sweep->cells[c]));
    const char *slash = strrchr(params->run->dir, '/');
    xl_json_put(run, "title", xl_json_text(slash ? slash + 1 : params->run->dir), &ok);
    xl_json_put(run, "kind", xl_json_text(sweep->kind), &ok);
    xl_json_put(run, "prompt", xl_json_text(params->settings->prompt), &ok);
    xl_json_put(run, "started", json_string(started), &ok);
    xl_json_put(run, "version", json_string(XL_VERSION), &ok);
    xl_json_put(run, "fields", xl_cell_describe_columns(), &ok);
    xl_json_put(run, "skipped", describe_skipped(sweep), &ok);
    xl_json_put(run, "resume", describe_resume(params->run), &ok);
    enum xl_status status = put_axes(sweep, run, err);
    if (!status)
        status = ok && !xl_json_ran_out() ? xl_run_page_begin(params->run->dir, run, cells, err)
                                          : xl_fail_nomem(err, "the run's page", 0);
    json_decref(run);
    json_decref(cells);
    return status;
}

/* --- A group ---------------------------------------------------------------------------------- */

/* What fails for what it asks for fails with every process; the rest another may try. */
static bool fails_everywhere(enum xl_status status) {
    return status == XL_EINVAL || status == XL_EINPUT || status == XL_EFORMAT ||
           status == XL_ENUMERIC || status == XL_EWORKER;
}

/* Say to the others what became of cells. */
static enum xl_status settle_claims(const struct xl_writer_params *params, const int *cells, int n,
                                    struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int i = 0; !status && i < n; i++) {
        const struct xl_outcome *outcome = &params->run->outcomes[cells[i]];
        bool has_failed = outcome->state == XL_CELL_FAILED;
        if (outcome->state == XL_CELL_DONE || (has_failed && fails_everywhere(outcome->status)))
            status = xl_claims_settle(params->claims, params->sweep->cells[cells[i]].id,
                                      has_failed ? outcome->error : NULL, err);
    }
    return status;
}

/* This process may have stood still since the painter asked whether a cell is still ours, for so
 * long that it was taken for dead: who took the cell over found the picture, or saved it under the
 * same name, and logs it. So it is asked again at the last moment, before each line. */
static bool is_taken(const struct xl_writer_params *params, int cell) {
    struct xl_outcome *outcome = &params->run->outcomes[cell];
    bool is_ours = outcome->state != XL_CELL_DONE ||
                   xl_claims_is_ours(params->claims, params->sweep->cells[cell].id);
    if (!is_ours) outcome->state = XL_CELL_ELSEWHERE;
    return outcome->state == XL_CELL_ELSEWHERE;
}

/* Of a shared run, only what is ours, and said so to the others job by job; the page waits until it
 * is collected. */
static enum xl_status log_shared(const struct xl_writer_params *params, const int *cells, int n,
                                 const struct xl_drawn *drawn, struct xl_err *err) {
    const struct xl_cell *all = params->sweep->cells;
    enum xl_status status = XL_OK;
    for (int first = 0, m; !status && first < n; first += m) {
        int ours[XL_GROUP_MAX], n_ours = 0;
        for (m = 0; first + m < n && m < XL_GROUP_MAX &&
                    all[cells[first + m]].job == all[cells[first]].job;
             m++)
            if (!is_taken(params, cells[first + m])) ours[n_ours++] = cells[first + m];
        if (n_ours) status = log_job(params, ours, n_ours, drawn, err);
        if (!status) status = settle_claims(params, ours, n_ours, err);
    }
    return status;
}

static enum xl_status log_and_show(const struct xl_writer_params *params, const int *cells, int n,
                                   const struct xl_drawn *drawn, struct xl_err *err) {
    if (params->claims) return log_shared(params, cells, n, drawn, err);
    enum xl_status status = log_all(params, cells, n, drawn, err);
    return status ? status : update_page(params, cells, n, err);
}

/* A cell that was lost may be on disk: its painter died between the picture and the word of it. */
static enum xl_status find_lost(const struct xl_writer_params *params, const struct xl_drawn *drawn,
                                int i, bool *is_there, struct xl_err *err) {
    const struct xl_cell *cell = cell_of(drawn, i);
    struct xl_outcome outcome;
    enum xl_status status =
        xl_run_dir_find(drawn->group.dir, drawn->group.stamp, cell, &outcome, err);
    *is_there = !status && outcome.state == XL_CELL_DONE;
    if (!*is_there) return status;
    note_picture(params, cell, &outcome, drawn->label);
    /* Of a process that shared the run and died, the line may be there as well: collecting tells.
     */
    if (params->claims) return settle_claims(params, &drawn->group.cells[i], 1, err);
    return log_and_show(params, &drawn->group.cells[i], 1, NULL, err);
}

/* cells[0..n) are neither drawn nor failed: again, or enough of it. *n_failed is added to. */
static enum xl_status bring_back(const struct xl_writer_params *params, const int *cells, int n,
                                 struct xl_drawn *drawn, int *n_failed, struct xl_err *err) {
    enum { MOST_LOST = 2 };
    const struct xl_share share = {.cells = cells,
                                   .n = n,
                                   .model = params->sweep->cells[cells[0]].model,
                                   .n_lost = drawn->n_lost};
    if (drawn->n_lost + 1 < MOST_LOST) {
        if (!xl_work_is_stopped(params->work))
            xl_warn("%s; what it had in hand is drawn again", drawn->err.text);
        return xl_work_return(params->work, drawn->who, &share, err);
    }
    note_failure(params, cells, n, drawn);
    if (params->sweep->is_grid) xl_warn("%s", drawn->err.text);
    xl_work_failed(params->work, drawn->status, drawn->err.text);
    *n_failed += n;
    return log_and_show(params, cells, n, drawn, err);
}

static void tell_loss(const struct xl_writer_params *params, const struct xl_drawn *drawn,
                      const int *cells, int n) {
    const struct xl_loss loss = {.painter = drawn->who,
                                 .life = drawn->life,
                                 .label = drawn->label,
                                 .status = drawn->status,
                                 .text = drawn->err.text,
                                 .cells = cells,
                                 .n = n};
    if (params->hooks.lost) params->hooks.lost(params->hooks.user, &loss);
}

/* The painter was lost with the group's cells from `first` on. */
static enum xl_status take_back(const struct xl_writer_params *params, struct xl_drawn *drawn,
                                int first, int *n_settled, struct xl_err *err) {
    enum xl_status status = XL_OK;
    int begin = first, n = drawn->group.n, lost[XL_GROUP_MAX], n_lost = 0;
    if (drawn->n_lost)
        xl_fail_context(&drawn->err, XL_EWORKER, "for the second time over the same pictures");
    for (int i = first; !status && i <= n; i++) {
        bool is_there = false;
        if (i < n) status = find_lost(params, drawn, i, &is_there, err);
        *n_settled += is_there;
        if (!status && i < n && !is_there) lost[n_lost++] = drawn->group.cells[i];
        if (status || (i < n && !is_there)) continue;
        if (i > begin)
            status =
                bring_back(params, drawn->group.cells + begin, i - begin, drawn, n_settled, err);
        begin = i + 1;
    }
    if (!status) tell_loss(params, drawn, lost, n_lost);
    return status;
}

/* Logged even when saving stopped half-way: with the pictures that are there. */
static enum xl_status log_broken_off(const struct xl_writer_params *params, struct xl_drawn *drawn,
                                     enum xl_status status, const struct xl_err *err) {
    struct xl_err ignored;
    drawn->status = status;
    if (err) drawn->err = *err;
    enum xl_status again = log_all(params, drawn->group.cells, drawn->group.n, drawn, &ignored);
    (void)again; /* the disk is full: the line has no place either */
    return status;
}

enum xl_status xl_output_group(const struct xl_writer_params *params, struct xl_drawn *drawn,
                               int *n_settled, struct xl_err *err) {
    const struct xl_group *group = &drawn->group;
    enum xl_status status = XL_OK;
    int n_saved = 0;
    if (drawn->is_theirs) {
        note_theirs(params, group->cells, group->n);
        *n_settled = group->n;
        return XL_OK;
    }
    if (drawn->status == XL_EWORKER) return take_back(params, drawn, 0, n_settled, err);
    if (drawn->status) {
        note_failure(params, group->cells, group->n, drawn);
    } else {
        add_up(params->counts, &drawn->result);
        status = save_all(params, drawn, &n_saved, &drawn->err);
    }
    if (status && status != XL_EWORKER) {
        xl_fail(err, status, "%s", drawn->err.text);
        return log_broken_off(params, drawn, status, err);
    }
    *n_settled = status ? n_saved : group->n;
    enum xl_status logged = log_and_show(params, group->cells, *n_settled, drawn, err);
    if (logged || !status) return logged;
    drawn->status = status;
    return take_back(params, drawn, n_saved, n_settled, err);
}

/* --- What an earlier process left ---------------------------------------------------------------
 */

/* Ids of cells that are in a log, as the keys of an object. */
static enum xl_status collect(void *ids, const json_t *line, int64_t number, struct xl_err *err) {
    size_t i;
    json_t *id, *paths = json_object_get(line, "paths");
    (void)number;
    if (!json_array_size(paths)) return XL_OK; /* nothing was written then */
    json_array_foreach(json_object_get(line, "cells"), i, id) {
        const char *text = json_string_value(id);
        if (text && json_object_set_new(ids, text, json_true()))
            return xl_fail_nomem(err, "the cells of a log", 0);
    }
    return XL_OK;
}

enum xl_status xl_output_log_missing(const struct xl_writer_params *params, struct xl_err *err) {
    const struct xl_sweep *sweep = params->sweep;
    struct xl_job_logs logs = {0};
    int n_there = 0;
    for (int c = 0; c < sweep->n_cells; c++)
        n_there += params->run->outcomes[c].state == XL_CELL_DONE;
    if (!n_there) return XL_OK; /* a new run: no need to read what may be years of logs */
    json_t *ids = json_object();
    enum xl_status status = ids ? xl_job_log_list(params->run->output_dir, &logs, err)
                                : xl_fail_nomem(err, "the cells of a log", 0);
    for (int i = 0; !status && i < logs.n; i++)
        status = xl_job_log_read(logs.paths[i], collect, ids, NULL, err);
    for (int c = 0; !status && c < sweep->n_cells; c++)
        if (params->run->outcomes[c].state == XL_CELL_DONE &&
            !json_object_get(ids, sweep->cells[c].id))
            status = log_job(params, &c, 1, NULL, err);
    xl_job_logs_free(&logs);
    json_decref(ids);
    return status;
}

/* The repository and the commit that a request means, as far as the cache knows them. */
static void name_commit(const struct xl_settings *settings, struct xl_arena *arena,
                        struct xl_job_entry *entry) {
    struct xl_catalogue *catalogue = NULL;
    struct xl_snapshot snapshot;
    const char *model = settings->model;
    if (!model ||
        xl_catalogue_load(settings->model_files.item, settings->model_files.n, &catalogue, NULL))
        return;
    const struct xl_catalogue_model *known = xl_catalogue_find(catalogue, model);
    if (known) model = known->folder ? known->folder : known->repo;
    if (!xl_hub_resolve(model, settings->revision, arena, &snapshot, NULL)) {
        entry->model_id = snapshot.id;
        entry->revision = snapshot.commit;
    }
    xl_catalogue_free(catalogue);
}

enum xl_status xl_output_log_refusal(const struct xl_settings *settings, enum xl_status how,
                                     const char *message, struct xl_err *err) {
    if (!settings->is_headless && !xl_dir_exists(settings->output_dir)) return XL_OK;
    struct xl_cell cell;
    xl_cell_from_settings(&cell, settings);
    cell.model_key = settings->model;
    if (!cell.profile) cell.profile = XL_PROFILE_RAW;
    if (settings->mode == XL_MODE_TXT2IMG) cell.init_image = NULL;
    if (settings->mode == XL_MODE_IMG2IMG && !cell.init_image) cell.init_image = "";
    struct xl_arena arena = {0};
    struct xl_job_entry entry = {
        .multi_profile = settings->all_profiles || settings->all_models || settings->sweep.n,
        .cell = &cell,
        .revision = settings->revision,
        .width = cell.width,
        .height = cell.height,
        .vae_tile = cell.vae_tile,
        .batch_size = settings->batch,
        .status = how,
        .error = message,
    };
    name_commit(settings, &arena, &entry);
    struct xl_job_log *log = NULL;
    enum xl_status status = xl_job_log_open(settings->output_dir, settings->instance, &log, err);
    if (!status) status = xl_job_log_append(log, &entry, err);
    xl_job_log_close(log);
    xl_arena_deinit(&arena);
    return status;
}

enum xl_status xl_output_page_end(const struct xl_writer_params *params, enum xl_status how,
                                  const char *message, struct xl_err *err) {
    if (!params->run->is_own) return XL_OK;
    char finished[21];
    xl_iso8601_utc(finished);
    bool is_stopped = how == XL_ECANCELLED || how == XL_EYIELD;
    const char *state = is_stopped ? "interrupted" : how ? "failed" : "done";
    xl_json_watch();
    json_t *summary = json_object(), *sheets = json_array();
    bool ok = summary && sheets;
    for (int m = 0; m < params->sweep->n_models; m++)
        for (int page = 1; params->run->model_dirs && params->sweep->models[m].base == m; page++) {
            char name[XL_SHEET_NAME_MAX];
            xl_sheet_page_name("sheet", page, name);
            char *path = xl_path_join(params->run->model_dirs[m], name);
            bool is_there = path && xl_file_exists(path);
            if (is_there)
                ok &= !json_array_append_new(sheets, xl_json_text(relative(params->run, path)));
            free(path);
            if (!is_there) break;
        }
    xl_json_put(summary, "finished", json_string(finished), &ok);
    xl_json_put(summary, "state", json_string(state), &ok);
    xl_json_put(summary, "message", told(message), &ok);
    xl_json_put(summary, "sheets", sheets, &ok);
    if (!xl_run_dir_can_go_on(params->run)) xl_json_put(summary, "resume", json_null(), &ok);
    enum xl_status status = ok && !xl_json_ran_out()
                                ? xl_run_page_end(params->run->dir, summary, err)
                                : xl_fail_nomem(err, "the run's page", 0);
    json_decref(summary);
    return status;
}
