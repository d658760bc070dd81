/* output.c - pictures, log lines, page and contact sheets of a run, as they come to disk. */
#include "lab/run/output.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "image/sheet.h"
#include "lab/run/filename.h"
#include "lab/run/run_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Pictures --------------------------------------------------------------------------------- */

/* Save one picture under the first free number; *path is malloc'd. */
static enum xl_status save(const struct xl_writer_params *params, const struct xl_cell *cell,
                           const struct xl_result *result, int i, char **path, struct xl_err *err) {
    bool is_raw = !strcmp(cell->profile, XL_PROFILE_RAW);
    struct xl_output_name name = {.stamp = params->run->stamp,
                                  .profile = is_raw ? NULL : cell->profile,
                                  .prompt = cell->prompt,
                                  .seed = cell->seed};
    for (name.index = 0;; name.index++) {
        char file[XL_OUTPUT_NAME_MAX];
        xl_output_name(&name, file);
        char *candidate = xl_path_join(params->run->model_dirs[cell->model], file);
        if (!candidate) return xl_fail_nomem(err, "a path", 0);
        /* A name that is taken (another cell, another run in the same second) is skipped; the save
         * itself never replaces a file, so losing a race costs a try, not a picture. */
        enum xl_status status = XL_OK;
        if (access(candidate, F_OK) != 0) {
            status = xl_result_save_png(result, i, candidate, err);
            if (!status) {
                *path = candidate;
                return XL_OK;
            }
        }
        bool is_taken = access(candidate, F_OK) == 0;
        free(candidate);
        if (!is_taken) return status;
    }
}

static enum xl_status save_all(const struct xl_writer_params *params, struct xl_drawn *drawn,
                               struct xl_err *err) {
    for (int i = 0; i < drawn->n; i++) {
        const struct xl_cell *cell = &params->sweep->cells[drawn->cells[i]];
        struct xl_outcome *outcome = &params->run->outcomes[cell->index];
        char *path = NULL;
        enum xl_status status = save(params, cell, &drawn->result, i, &path, err);
        if (status) return status;
        *outcome = (struct xl_outcome){.state = XL_CELL_DONE,
                                       .path = path,
                                       .width = drawn->width,
                                       .height = drawn->height,
                                       .seconds = drawn->total_s / drawn->n};
        const struct xl_hooks *hooks = &params->sweep->hooks;
        if (hooks->saved) hooks->saved(hooks->user, cell, path);
    }
    return XL_OK;
}

static void note_failure(const struct xl_writer_params *params, const struct xl_drawn *drawn) {
    for (int i = 0; i < drawn->n; i++) {
        struct xl_outcome *outcome = &params->run->outcomes[drawn->cells[i]];
        free(outcome->error);
        *outcome = (struct xl_outcome){
            .state = XL_CELL_FAILED, .status = drawn->status, .error = strdup(drawn->error)};
    }
}

/* --- The job log ------------------------------------------------------------------------------ */

/* What a log line says of cells of one job; pictures are filled in by the caller. */
static struct xl_job_entry describe_job(const struct xl_writer_params *params,
                                        const struct xl_cell *cell) {
    const struct xl_sweep *sweep = params->sweep;
    const struct xl_sweep_model *model = &sweep->models[cell->model];
    return (struct xl_job_entry){
        .timestamp = params->run->stamp,
        .mode = cell->init_image ? "img2img" : "txt2img",
        .multi_profile = sweep->is_grid,
        .profile_style = cell->profile,
        .prompt = cell->prompt,
        .styled_prompt = cell->styled_prompt,
        .negative_prompt = cell->negative,
        .effective_negative_prompt = cell->effective_negative,
        .model_key = model->key,
        .model_id = model->repository,
        .revision = model->revision,
        .weights = model->identity,
        .scheduler = cell->scheduler,
        .steps = cell->steps,
        .guidance_scale = cell->guidance,
        .guidance_rescale = cell->guidance_rescale,
        .width = cell->width,
        .height = cell->height,
        .requested_width = cell->width,
        .requested_height = cell->height,
        .seed_base = cell->seed,
        .init_image = cell->init_image,
        .strength = cell->strength,
        .precision = model->precision,
        .device = model->backend,
        .rng = cell->rng == XL_RNG_TORCH_CUDA ? "torch-cuda" : "torch-cpu",
        .run_dir = params->run->dir,
        .encode_s = NAN,
        .sample_s = NAN,
        .decode_s = NAN,
        .total_s = NAN,
        .tflop = NAN,
    };
}

/* Log cells list[0..n) of one job. drawn: NULL for pictures that were found. */
static enum xl_status log_job(const struct xl_writer_params *params, const int *list, int n,
                              const struct xl_drawn *drawn, struct xl_err *err) {
    const struct xl_cell *cells = params->sweep->cells;
    struct xl_job_entry entry = describe_job(params, &cells[list[0]]);
    struct xl_job_picture *pictures = calloc((size_t)n, sizeof *pictures);
    if (!pictures) return xl_fail_nomem(err, "a log line", 0);
    for (int i = 0; i < n; i++) {
        const struct xl_outcome *outcome = &params->run->outcomes[list[i]];
        pictures[i] =
            (struct xl_job_picture){cells[list[i]].seed, outcome->path, cells[list[i]].id};
        if (outcome->state != XL_CELL_DONE) continue;
        entry.width = outcome->width;
        entry.height = outcome->height;
    }
    entry.pictures = pictures;
    entry.n_pictures = entry.batch_size = n;
    if (drawn) {
        double share = (double)n / drawn->n;
        entry.status = drawn->status;
        entry.error = drawn->error;
        entry.fallback = drawn->fallback;
        entry.encode_s = drawn->result.encode_s * share;
        entry.sample_s = drawn->result.sample_s * share;
        entry.decode_s = drawn->result.decode_s * share;
        entry.total_s = drawn->total_s * share;
        entry.tflop = drawn->tflop * share;
    }
    enum xl_status status = xl_job_log_append(params->log, &entry, err);
    free(pictures);
    return status;
}

/* One line for each job of the group; a group holds cells of a job side by side. */
static enum xl_status log_all(const struct xl_writer_params *params, const struct xl_drawn *drawn,
                              struct xl_err *err) {
    const struct xl_cell *cells = params->sweep->cells;
    for (int first = 0, n; first < drawn->n; first += n) {
        for (n = 1; first + n < drawn->n &&
                    cells[drawn->cells[first + n]].job == cells[drawn->cells[first]].job;)
            n++;
        enum xl_status status = log_job(params, drawn->cells + first, n, drawn, err);
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

static json_t *describe_outcome(const struct xl_writer_params *params, const struct xl_cell *cell) {
    const struct xl_outcome *outcome = &params->run->outcomes[cell->index];
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "id", json_string(cell->id), &ok);
    xl_json_put(object, "state", json_string(xl_cell_state_name(outcome->state)), &ok);
    if (outcome->path)
        xl_json_put(object, "path", xl_json_text(relative(params->run, outcome->path)), &ok);
    if (outcome->error) xl_json_put(object, "error", xl_json_text(outcome->error), &ok);
    if (outcome->seconds > 0) xl_json_put(object, "seconds", json_real(outcome->seconds), &ok);
    if (outcome->width) {
        xl_json_put(object, "width", json_integer(outcome->width), &ok);
        xl_json_put(object, "height", json_integer(outcome->height), &ok);
    }
    return xl_json_finish(object, ok);
}

static json_t *describe_cell(const struct xl_writer_params *params, const struct xl_cell *cell) {
    const struct xl_sweep_model *model = &params->sweep->models[cell->model];
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)cell->seed);
    json_t *object = json_object(), *outcome = describe_outcome(params, cell);
    bool ok = object && outcome;
    xl_json_put(object, "model", xl_json_text(model->key), &ok);
    xl_json_put(object, "profile", xl_json_text(cell->profile), &ok);
    xl_json_put(object, "prompt", xl_json_text(cell->styled_prompt), &ok);
    xl_json_put(object, "negative", xl_json_text(cell->effective_negative), &ok);
    xl_json_put(object, "seed", json_string(seed), &ok);
    xl_json_put(object, "steps", json_integer(cell->steps), &ok);
    xl_json_put(object, "guidance", json_real(cell->guidance), &ok);
    xl_json_put(object, "scheduler", xl_json_text(cell->scheduler), &ok);
    xl_json_put(object, "width", json_integer(cell->width), &ok);
    xl_json_put(object, "height", json_integer(cell->height), &ok);
    if (cell->init_image) xl_json_put(object, "strength", json_real(cell->strength), &ok);
    if (ok) ok = !json_object_update(object, outcome);
    json_decref(outcome);
    return xl_json_finish(object, ok);
}

static enum xl_status update_page(const struct xl_writer_params *params,
                                  const struct xl_drawn *drawn, struct xl_err *err) {
    if (!params->run->is_own) return XL_OK;
    json_t *cells = json_array();
    bool ok = cells != NULL;
    for (int i = 0; i < drawn->n; i++)
        ok &= !json_array_append_new(
            cells, describe_outcome(params, &params->sweep->cells[drawn->cells[i]]));
    enum xl_status status = ok ? xl_run_page_update(params->run->dir, cells, err)
                               : xl_fail_nomem(err, "the run's page", 0);
    json_decref(cells);
    return status;
}

enum xl_status xl_output_page_begin(const struct xl_writer_params *params, struct xl_err *err) {
    const struct xl_sweep *sweep = params->sweep;
    if (!params->run->is_own) return XL_OK;
    char started[21];
    xl_iso8601_utc(started);
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
    enum xl_status status = ok ? xl_run_page_begin(params->run->dir, run, cells, err)
                               : xl_fail_nomem(err, "the run's page", 0);
    json_decref(run);
    json_decref(cells);
    return status;
}

/* --- A group ---------------------------------------------------------------------------------- */

enum xl_status xl_output_group(const struct xl_writer_params *params, struct xl_drawn *drawn,
                               struct xl_err *err) {
    enum xl_status status = XL_OK;
    if (drawn->status)
        note_failure(params, drawn);
    else
        status = save_all(params, drawn, err);
    /* Logged even when saving stopped half-way: with the pictures that are there. */
    if (status) {
        struct xl_err ignored;
        drawn->status = status;
        drawn->error = err ? strdup(err->text) : NULL;
        enum xl_status again = log_all(params, drawn, &ignored);
        (void)again; /* the disk is full: the line has no place either */
        return status;
    }
    status = log_all(params, drawn, err);
    return status ? status : update_page(params, drawn, err);
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

enum xl_status xl_output_log_refusal(const struct xl_settings *settings, enum xl_status how,
                                     const char *message, struct xl_err *err) {
    if (!xl_environment_is_headless() && !xl_dir_exists(settings->output_dir)) return XL_OK;
    bool is_img2img = settings->mode == XL_MODE_IMG2IMG ||
                      (settings->mode == XL_MODE_AUTO && settings->init_image);
    const struct xl_job_entry entry = {
        .mode = is_img2img ? "img2img" : "txt2img",
        .multi_profile = settings->all_profiles || settings->all_models || settings->sweep.n,
        .profile_style = settings->profile ? settings->profile : XL_PROFILE_RAW,
        .prompt = settings->prompt,
        .negative_prompt = settings->negative,
        .model_key = settings->model,
        .revision = settings->revision,
        .scheduler = settings->scheduler,
        .steps = settings->steps,
        .guidance_scale = settings->guidance,
        .guidance_rescale = settings->guidance_rescale,
        .width = settings->width,
        .height = settings->height,
        .requested_width = settings->width,
        .requested_height = settings->height,
        .batch_size = settings->batch,
        .seed_base = settings->seed,
        .init_image = is_img2img ? settings->init_image : NULL,
        .strength = settings->strength,
        .status = how,
        .error = message,
        .encode_s = NAN,
        .sample_s = NAN,
        .decode_s = NAN,
        .total_s = NAN,
        .tflop = NAN,
    };
    struct xl_job_log *log = NULL;
    enum xl_status status = xl_job_log_open(settings->output_dir, settings->instance, &log, err);
    if (!status) status = xl_job_log_append(log, &entry, err);
    xl_job_log_close(log);
    return status;
}

enum xl_status xl_output_page_end(const struct xl_writer_params *params, enum xl_status how,
                                  const char *message, struct xl_err *err) {
    if (!params->run->is_own) return XL_OK;
    char finished[21];
    xl_iso8601_utc(finished);
    const char *state = how == XL_ECANCELLED ? "interrupted" : how ? "failed" : "done";
    json_t *summary = json_object(), *sheets = json_array();
    bool ok = summary && sheets;
    for (int m = 0; m < params->sweep->n_models; m++)
        for (int page = 1; params->run->model_dirs; page++) {
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
    xl_json_put(summary, "message", xl_json_text(message), &ok);
    xl_json_put(summary, "sheets", sheets, &ok);
    enum xl_status status = ok ? xl_run_page_end(params->run->dir, summary, err)
                               : xl_fail_nomem(err, "the run's page", 0);
    json_decref(summary);
    return status;
}
