/* output_log.c - the lines that a run writes to the job log: of what was drawn or failed, of what
 * an earlier process left without a line, of what was refused. */
#include "lab/run/output.h"

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "hub/hub.h"

#include <stdlib.h>
#include <string.h>

/* --- A line ----------------------------------------------------------------------------------- */

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

/* Cells of a shared run that are about to be logged. */
struct last_word {
    const struct xl_writer_params *params;
    const int *list;
    int n;
    bool is_lost; /* another process has taken one */
};

/* This process may have stood still since the painter asked whether a cell is still ours, for so
 * long that it was taken for dead: who took the cell over found the picture, or saved it under the
 * same name, and logs it. So it is asked again at the last moment, before each line. */
static bool are_ours(void *user) {
    struct last_word *word = user;
    const struct xl_writer_params *params = word->params;
    for (int i = 0; i < word->n; i++) {
        struct xl_outcome *outcome = &params->run->outcomes[word->list[i]];
        if (outcome->state != XL_CELL_DONE ||
            xl_claims_is_ours(params->claims, params->sweep->cells[word->list[i]].id))
            continue;
        outcome->state = XL_CELL_ELSEWHERE;
        word->is_lost = true;
    }
    return !word->is_lost;
}

/* Log cells list[0..n) of one job. drawn: NULL for pictures that were found; word: NULL where
 * nobody else can have them. */
static enum xl_status log_job(const struct xl_writer_params *params, const int *list, int n,
                              const struct xl_drawn *drawn, struct last_word *word,
                              struct xl_err *err) {
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
                                 .n_pictures = n,
                                 .is_wanted = word ? are_ours : NULL,
                                 .user = word};
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
        enum xl_status status = log_job(params, list + first, n, drawn, NULL, err);
        if (status) return status;
    }
    return XL_OK;
}

/* --- A run that others draw, too -------------------------------------------------------------- */

/* What fails for what it asks for fails with every process; the rest another may try. */
static bool fails_everywhere(enum xl_status status) {
    return status == XL_EINVAL || status == XL_EINPUT || status == XL_EFORMAT ||
           status == XL_ENUMERIC || status == XL_EWORKER;
}

enum xl_status xl_output_settle(const struct xl_writer_params *params, const int *cells, int n,
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

/* Of a shared run, only what is ours, and said so to the others job by job; the page waits until it
 * is collected. */
static enum xl_status log_shared(const struct xl_writer_params *params, const int *cells, int n,
                                 const struct xl_drawn *drawn, struct xl_err *err) {
    const struct xl_cell *all = params->sweep->cells;
    enum xl_status status = XL_OK;
    for (int first = 0, m; !status && first < n; first += m) {
        int ours[XL_GROUP_MAX];
        struct last_word word;
        for (m = 1; first + m < n && m < XL_GROUP_MAX &&
                    all[cells[first + m]].job == all[cells[first]].job;)
            m++;
        do {
            word = (struct last_word){.params = params, .list = ours};
            for (int i = first; i < first + m; i++)
                if (params->run->outcomes[cells[i]].state != XL_CELL_ELSEWHERE)
                    ours[word.n++] = cells[i];
            if (word.n) status = log_job(params, ours, word.n, drawn, &word, err);
        } while (word.is_lost && !status);
        if (!status) status = xl_output_settle(params, ours, word.n, err);
    }
    return status;
}

enum xl_status xl_output_log(const struct xl_writer_params *params, const int *cells, int n,
                             const struct xl_drawn *drawn, struct xl_err *err) {
    return params->claims ? log_shared(params, cells, n, drawn, err)
                          : log_all(params, cells, n, drawn, err);
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
            status = log_job(params, &c, 1, NULL, NULL, err);
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
