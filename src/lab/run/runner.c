/* runner.c - from cells to pictures. */
#include "lab/run/runner.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "lab/run/ladder.h"
#include "lab/run/output.h"
#include "lab/run/read_ahead.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_EQUAL_FAILURES = 10, MAX_SIZES = 32 };

/* The rung that fitted a size of the model at hand. */
struct fitting {
    int width, height;
    struct xl_rung rung;
};

/* The group that was drawn last: one like it needs no new plan, its memory is held. */
struct precedent {
    const struct xl_cell *cell; /* NULL: none */
    struct xl_rung rung;
    int n;
    double flops;
};

struct runner {
    const struct xl_settings *settings;
    struct xl_sweep *sweep;
    struct xl_run_dir *run;
    struct xl_run_counts *counts;
    struct xl_writer *writer;
    int *pending; /* cells to draw, in order */
    int n_pending, next;
    int model; /* at hand; -1: none */
    struct xl_device *device;
    struct xl_read_ahead *read_ahead;
    struct fitting fittings[MAX_SIZES];
    int n_fittings;
    struct precedent precedent;
    struct xl_image init; /* of init_path */
    const char *init_path;
    int n_equal_failures;
    enum xl_status last_failure;
    char last_error[sizeof((struct xl_err *)0)->text];
};

/* --- Requests --------------------------------------------------------------------------------- */

struct xl_request xl_cells_request(const struct xl_sweep *sweep, const int *list, int n,
                                   const struct xl_rung *rung, struct xl_picture *pictures) {
    struct xl_request request;
    for (int i = n - 1; i >= 0; i--) /* the first one's stays: they share the rest */
        xl_cell_request(&sweep->cells[list[i]], &request, &pictures[i]);
    request.n_pictures = n;
    request.width = rung->width;
    request.height = rung->height;
    request.vae_tile = rung->vae_tile;
    request.progress = sweep->hooks.progress;
    request.progress_user = sweep->hooks.user;
    return request;
}

/* What the record of a picture says beside what the engine knows. */
static char *describe(const struct xl_sweep *sweep, const struct xl_cell *cell,
                      const char *fallback) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "cell", json_string(cell->id), &ok);
    xl_json_put(object, "model_key", xl_json_text(sweep->models[cell->model].key), &ok);
    xl_json_put(object, "profile", xl_json_text(cell->profile), &ok);
    xl_json_put(object, "asked_prompt", xl_json_text(cell->prompt), &ok);
    xl_json_put(object, "asked_negative", xl_json_text(cell->negative), &ok);
    xl_json_put(object, "requested_width", json_integer(cell->width), &ok);
    xl_json_put(object, "requested_height", json_integer(cell->height), &ok);
    xl_json_put(object, "requested_scheduler", xl_json_text(cell->scheduler), &ok);
    if (fallback[0]) xl_json_put(object, "fallback", xl_json_text(fallback), &ok);
    if (cell->init_image) {
        xl_json_put(object, "init_image", xl_json_text(cell->init_image), &ok);
        xl_json_put(object, "init_digest", xl_json_text(cell->init_digest), &ok);
    }
    object = xl_json_finish(object, ok);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

/* Texts of n pictures for their records. Caller frees each and the array. */
static char **describe_all(const struct xl_sweep *sweep, const int *list, int n,
                           const char *fallback) {
    char **texts = calloc((size_t)n, sizeof *texts);
    bool ok = texts != NULL;
    for (int i = 0; ok && i < n; i++)
        ok = (texts[i] = describe(sweep, &sweep->cells[list[i]], fallback)) != NULL;
    for (int i = 0; texts && !ok && i < n; i++) free(texts[i]);
    if (!ok) free(texts);
    return ok ? texts : NULL;
}

static enum xl_status load_init(struct runner *runner, const char *path, struct xl_err *err) {
    if (!path || (runner->init_path && !strcmp(runner->init_path, path))) return XL_OK;
    xl_image_free(&runner->init);
    runner->init_path = NULL;
    enum xl_status status = xl_image_load(path, &runner->init, err);
    if (!status) runner->init_path = path;
    return status;
}

/* --- Models ----------------------------------------------------------------------------------- */

static void close_model(struct runner *runner) {
    if (runner->model < 0) return;
    struct xl_sweep_model *model = &runner->sweep->models[runner->model];
    xl_model_close(model->open);
    model->open = NULL;
    xl_device_close(runner->device);
    runner->device = NULL;
    xl_writer_end_model(runner->writer, runner->model);
    runner->model = -1;
    runner->n_fittings = 0;
    runner->precedent.cell = NULL;
}

/* The model after `model` among the pending cells; -1: none. */
static int model_after(const struct runner *runner, int model) {
    for (int i = runner->next; i < runner->n_pending; i++) {
        int other = runner->sweep->cells[runner->pending[i]].model;
        if (other != model) return other;
    }
    return -1;
}

static enum xl_status open_device(struct runner *runner, struct xl_sweep_model *model,
                                  struct xl_err *err) {
    const struct xl_settings *settings = runner->settings;
    struct xl_device_params params;
    xl_device_params_default(&params);
    params.name = settings->device;
    params.n_threads = settings->threads;
    params.budget_bytes = (int64_t)(settings->max_memory * 1e9);
    enum xl_status status = xl_device_open(&params, &runner->device, err);
    if (status) return status;
    enum xl_precision asked = (enum xl_precision)settings->precision;
    model->precision = xl_precision_name(xl_device_precision(runner->device, asked));
    const char *name = xl_device_info(runner->device)->name;
    model->backend = xl_arena_strdup(&runner->sweep->arena, name);
    return XL_OK;
}

static enum xl_status open_model(struct runner *runner, int m, struct xl_err *err) {
    struct xl_sweep *sweep = runner->sweep;
    struct xl_sweep_model *model = &sweep->models[m];
    char planned[XL_SHA256_HEX];
    strcpy(planned, model->digest);
    xl_read_ahead_end(runner->read_ahead);
    runner->read_ahead = NULL;
    runner->model = m;
    enum xl_status status = XL_OK;
    if (!model->open) status = xl_sweep_model_open(sweep, model, err);
    if (!status && planned[0] && strcmp(planned, model->digest))
        status = xl_fail(err, XL_EMODEL,
                         "%s: its files differ from those that the run was planned with, so its "
                         "pictures would not belong together; start a new run",
                         model->key);
    if (!status) status = open_device(runner, model, err);
    int next = model_after(runner, m);
    if (!status && next >= 0)
        runner->read_ahead =
            xl_read_ahead_begin(sweep->models[next].id, sweep->models[next].revision);
    return status;
}

/* --- Memory ----------------------------------------------------------------------------------- */

/* Only what had to be given up: a group that was small to begin with says nothing. */
static void remember(struct runner *runner, const struct xl_ladder *ladder) {
    if (!memcmp(&ladder->asked, &ladder->now, sizeof ladder->now)) return;
    struct fitting *fitting = NULL;
    for (int i = 0; i < runner->n_fittings; i++)
        if (runner->fittings[i].width == ladder->asked.width &&
            runner->fittings[i].height == ladder->asked.height)
            fitting = &runner->fittings[i];
    if (!fitting && runner->n_fittings < MAX_SIZES)
        fitting = &runner->fittings[runner->n_fittings++];
    if (fitting)
        *fitting = (struct fitting){ladder->asked.width, ladder->asked.height, ladder->now};
}

/* Begin at the rung that fitted this size before: the rest of a sweep does not fail again. */
static void recall(const struct runner *runner, struct xl_ladder *ladder) {
    for (int i = 0; i < runner->n_fittings; i++) {
        const struct xl_rung *rung = &runner->fittings[i].rung;
        if (runner->fittings[i].width != ladder->asked.width ||
            runner->fittings[i].height != ladder->asked.height)
            continue;
        while ((ladder->now.width > rung->width || ladder->now.height > rung->height ||
                ladder->now.group > rung->group || (rung->vae_tile && !ladder->now.vae_tile)) &&
               xl_ladder_lower(ladder)) {
        }
    }
}

/* Whether what the plan needs is there. The engine gives up one part of the model at a time by
 * itself before a rung with tiles fails. */
static bool fits(const struct xl_need *need, const struct xl_rung *rung, int64_t *short_by) {
    int64_t work = rung->vae_tile ? need->least_bytes : need->work_bytes;
    *short_by = need->weight_bytes + work - need->available_bytes;
    return *short_by <= 0;
}

double xl_need_flops(const struct xl_need *need, const struct xl_rung *rung, int n) {
    double decode = rung->vae_tile ? need->tiled_decode_flops : need->decode_flops;
    return need->n_evaluations * need->step_flops + n * (decode + need->init_flops);
}

static bool is_like_before(const struct runner *runner, const struct xl_cell *cell,
                           const struct xl_rung *rung, int n) {
    const struct precedent *before = &runner->precedent;
    return before->cell && before->n == n && xl_cell_fits(before->cell, cell) &&
           !memcmp(&before->rung, rung, sizeof *rung);
}

/* Go down until the plan fits; the sentence of the last try stays in err. */
static enum xl_status plan_rung(struct runner *runner, const int *list, struct xl_ladder *ladder,
                                int n, double *flops, struct xl_err *err) {
    struct xl_model *model = runner->sweep->models[runner->model].open;
    int part = ladder->now.group < n ? ladder->now.group : n;
    *flops = runner->precedent.flops;
    if (is_like_before(runner, &runner->sweep->cells[list[0]], &ladder->now, part)) return XL_OK;
    struct xl_picture *pictures = malloc((size_t)n * sizeof *pictures);
    if (!pictures) return xl_fail_nomem(err, "pictures", 0);
    enum xl_status status;
    for (;;) {
        int group = ladder->now.group < n ? ladder->now.group : n;
        struct xl_need need;
        int64_t short_by = 0;
        struct xl_request request =
            xl_cells_request(runner->sweep, list, group, &ladder->now, pictures);
        if (runner->sweep->cells[list[0]].init_image) request.init = &runner->init;
        status = xl_model_need(runner->device, model, &request, &need, err);
        if (status) break;
        *flops = xl_need_flops(&need, &ladder->now, group);
        if (fits(&need, &ladder->now, &short_by)) break;
        if (runner->settings->oom == XL_OOM_FAIL || !xl_ladder_lower(ladder)) {
            status = xl_fail(err, XL_ENOMEM,
                             "%d x %d needs %.3f GB more memory than there is%s; close "
                             "other programs or ask for a smaller picture",
                             ladder->now.width, ladder->now.height, (double)short_by / 1e9,
                             runner->settings->oom == XL_OOM_FAIL ? "" : ", the least there is");
            break;
        }
    }
    free(pictures);
    return status;
}

/* --- Groups ----------------------------------------------------------------------------------- */

/* Draw list[0..n) at the ladder's rung, all together. */
static enum xl_status draw(struct runner *runner, const int *list, int n,
                           const struct xl_ladder *ladder, struct xl_drawn *drawn,
                           struct xl_err *err) {
    char fallback[XL_LADDER_TEXT];
    xl_ladder_describe(ladder, fallback);
    struct xl_picture *pictures = malloc((size_t)n * sizeof *pictures);
    char **extra = describe_all(runner->sweep, list, n, fallback);
    enum xl_status status = pictures && extra ? XL_OK : xl_fail_nomem(err, "records", 0);
    double start = xl_now_s();
    if (!status) {
        struct xl_request request =
            xl_cells_request(runner->sweep, list, n, &ladder->now, pictures);
        for (int i = 0; i < n; i++) pictures[i].extra = extra[i];
        if (runner->sweep->cells[list[0]].init_image) request.init = &runner->init;
        status = xl_generate(runner->device, runner->sweep->models[runner->model].open, &request,
                             &drawn->result, err);
    }
    drawn->total_s = xl_now_s() - start;
    drawn->width = ladder->now.width;
    drawn->height = ladder->now.height;
    drawn->vae_tile = ladder->now.vae_tile;
    if (!status && fallback[0]) drawn->fallback = strdup(fallback);
    for (int i = 0; extra && i < n; i++) free(extra[i]);
    free(extra);
    free(pictures);
    return status;
}

static void set_cells(struct xl_drawn *drawn, const int *list, int n) {
    drawn->n = n;
    memcpy(drawn->cells, list, (size_t)n * sizeof *list);
}

/* Say what the engine had to say, each sentence once a run. */
static void warn_all(struct xl_str *said, const char *warnings) {
    for (const char *line = warnings; line && *line;) {
        size_t n = strcspn(line, "\n");
        char sentence[512];
        snprintf(sentence, sizeof sentence, "%.*s\n", (int)n, line);
        if (!said->text || !strstr(said->text, sentence)) {
            xl_warn("%.*s", (int)n, line);
            xl_str_puts(said, sentence);
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

/* Draw a group, in parts where the ladder says so. *n_drawn: how many of it were handed over. */
static enum xl_status draw_group(struct runner *runner, const int *list, int n, int *n_drawn,
                                 struct xl_err *err) {
    const struct xl_cell *cell = &runner->sweep->cells[list[0]];
    struct xl_ladder ladder;
    struct xl_rung asked = {cell->vae_tile, n, cell->width, cell->height};
    xl_ladder_init(&ladder, asked, runner->sweep->models[cell->model].unit);
    recall(runner, &ladder);
    enum xl_status status = load_init(runner, cell->init_image, err);
    *n_drawn = 0;
    while (!status && *n_drawn < n) {
        double flops = 0;
        struct xl_drawn drawn = {.n = 0};
        status = plan_rung(runner, list + *n_drawn, &ladder, n - *n_drawn, &flops, err);
        if (status) break;
        int left = n - *n_drawn, part = ladder.now.group < left ? ladder.now.group : left;
        status = draw(runner, list + *n_drawn, part, &ladder, &drawn, err);
        if (status == XL_ENOMEM && runner->settings->oom == XL_OOM_SHRINK &&
            xl_ladder_lower(&ladder)) {
            status = XL_OK; /* the next rung */
            continue;
        }
        if (status) break;
        if (drawn.fallback) xl_warn("memory is short: %s", drawn.fallback);
        add_up(runner->counts, &drawn.result);
        drawn.tflop = flops / 1e12;
        runner->precedent = (struct precedent){cell, ladder.now, part, flops};
        set_cells(&drawn, list + *n_drawn, part);
        xl_writer_put(runner->writer, &drawn);
        *n_drawn += part;
        remember(runner, &ladder);
    }
    return status;
}

/* Hand over a failure as what became of list[0..n). */
static void put_failure(struct runner *runner, const int *list, int n, enum xl_status status,
                        const char *text) {
    for (int first = 0; first < n; first += XL_LIST_MAX) {
        struct xl_drawn drawn = {.status = status, .error = strdup(text)};
        int part = n - first < XL_LIST_MAX ? n - first : XL_LIST_MAX;
        set_cells(&drawn, list + first, part);
        xl_writer_put(runner->writer, &drawn);
    }
}

/* Count equal failures in a row; true when it is time to give up. */
static bool is_hopeless(struct runner *runner, enum xl_status status, const char *text) {
    bool is_equal = status == runner->last_failure && !strcmp(text, runner->last_error);
    runner->n_equal_failures = is_equal ? runner->n_equal_failures + 1 : 1;
    runner->last_failure = status;
    snprintf(runner->last_error, sizeof runner->last_error, "%s", text);
    return runner->n_equal_failures >= MAX_EQUAL_FAILURES;
}

/* How many of the pending cells, from next on, are drawn together. */
static int group_size(const struct runner *runner) {
    const struct xl_cell *cells = runner->sweep->cells;
    const struct xl_cell *first = &cells[runner->pending[runner->next]];
    int most = runner->settings->group ? runner->settings->group : XL_LIST_MAX, n = 1;
    while (n < most && n < XL_LIST_MAX && runner->next + n < runner->n_pending) {
        const struct xl_cell *cell = &cells[runner->pending[runner->next + n]];
        if (!xl_cell_fits(first, cell)) break;
        if (!runner->settings->group && cell->job != first->job) break;
        n++;
    }
    return n;
}

static bool asked_to_stop(const struct runner *runner) {
    const struct xl_hooks *hooks = &runner->sweep->hooks;
    return hooks->progress && !hooks->progress(hooks->user, XL_PHASE_LOAD, -1, -1);
}

/* One group: drawn and handed over, or failed and handed over. Errors end the run. */
static enum xl_status next_group(struct runner *runner, struct xl_err *err) {
    const int *list = runner->pending + runner->next;
    int m = runner->sweep->cells[list[0]].model, n = group_size(runner), n_drawn = 0;
    struct xl_err why = {0};
    const struct xl_hooks *hooks = &runner->sweep->hooks;
    if (hooks->begin)
        hooks->begin(hooks->user, &runner->sweep->cells[list[0]], runner->next, runner->n_pending);
    enum xl_status status = XL_OK;
    if (runner->model != m) {
        close_model(runner);
        status = open_model(runner, m, &why);
        if (status) /* then all of this model's cells fail alike, in one go */
            while (runner->next + n < runner->n_pending && runner->sweep->cells[list[n]].model == m)
                n++;
    }
    if (!status) status = draw_group(runner, list, n, &n_drawn, &why);
    if (status == XL_ECANCELLED) return xl_fail(err, status, "%s", why.text);
    runner->next += n;
    if (!status) {
        runner->n_equal_failures = 0;
        return XL_OK;
    }
    put_failure(runner, list + n_drawn, n - n_drawn, status, why.text);
    if (runner->sweep->is_grid) xl_warn("%s", why.text);
    if (!is_hopeless(runner, status, why.text)) return XL_OK;
    return xl_fail(err, XL_EPARTIAL, "stopped after %d equal failures in a row: %s",
                   MAX_EQUAL_FAILURES, why.text);
}

/* --- A run ------------------------------------------------------------------------------------ */

static enum xl_status find_pending(struct runner *runner, struct xl_err *err) {
    const struct xl_sweep *sweep = runner->sweep;
    runner->pending = malloc(((size_t)sweep->n_cells + 1) * sizeof *runner->pending);
    if (!runner->pending) return xl_fail_nomem(err, "cells", 0);
    for (int i = 0; i < sweep->n_cells; i++)
        if (runner->run->outcomes[sweep->order[i]].state == XL_CELL_WAITING)
            runner->pending[runner->n_pending++] = sweep->order[i];
    return XL_OK;
}

static enum xl_status draw_all(struct runner *runner, struct xl_err *err) {
    enum xl_status status = XL_OK;
    while (!status && runner->next < runner->n_pending) {
        if (asked_to_stop(runner)) return xl_fail(err, XL_ECANCELLED, "interrupted");
        if (xl_writer_status(runner->writer)) return XL_OK; /* its own sentence comes later */
        status = next_group(runner, err);
    }
    return status;
}

static void count(const struct xl_run_dir *run, struct xl_run_counts *counts) {
    for (int i = 0; i < run->n_outcomes; i++) {
        const struct xl_outcome *outcome = &run->outcomes[i];
        counts->n_there += outcome->state == XL_CELL_DONE && outcome->was_there;
        counts->n_done += outcome->state == XL_CELL_DONE && !outcome->was_there;
        counts->n_failed += outcome->state == XL_CELL_FAILED;
        counts->n_waiting += outcome->state == XL_CELL_WAITING;
    }
}

/* The first failed cell speaks for a request of one batch; a sweep says how many failed. */
static enum xl_status judge(const struct xl_sweep *sweep, const struct xl_run_dir *run,
                            const struct xl_run_counts *counts, struct xl_err *err) {
    for (int i = 0; counts->n_failed && i < run->n_outcomes; i++) {
        const struct xl_outcome *outcome = &run->outcomes[i];
        if (outcome->state != XL_CELL_FAILED) continue;
        if (!sweep->is_grid) return xl_fail(err, outcome->status, "%s", outcome->error);
        return xl_fail(err, XL_EPARTIAL, "%d of %d pictures failed; the first: %s",
                       counts->n_failed, run->n_outcomes, outcome->error);
    }
    return XL_OK;
}

static enum xl_status start(struct runner *runner, struct xl_writer_params *params,
                            struct xl_err *err) {
    enum xl_status status = find_pending(runner, err);
    if (!status)
        status =
            xl_job_log_open(runner->run->output_dir, runner->settings->instance, &params->log, err);
    if (!status && runner->run->is_own) status = xl_output_log_missing(params, err);
    if (!status) status = xl_output_page_begin(params, err);
    if (!status) status = xl_writer_new(params, &runner->writer, err);
    return status;
}

enum xl_status xl_run_draw(const struct xl_settings *settings, struct xl_sweep *sweep,
                           struct xl_run_dir *run, struct xl_run_counts *counts,
                           struct xl_err *err) {
    double start_s = xl_now_s();
    struct runner runner = {
        .settings = settings, .sweep = sweep, .run = run, .counts = counts, .model = -1};
    struct xl_writer_params params = {.settings = settings, .sweep = sweep, .run = run};
    *counts = (struct xl_run_counts){0};
    enum xl_status status = start(&runner, &params, err), written;
    if (!status) status = draw_all(&runner, err);
    if (runner.writer) close_model(&runner);
    xl_read_ahead_end(runner.read_ahead);
    /* An interruption is the person's wish; a full disk is what they must hear of otherwise. */
    written = xl_writer_finish(runner.writer, status == XL_ECANCELLED ? NULL : err);
    if (written && status != XL_ECANCELLED) status = written;
    count(run, counts);
    counts->total_s = xl_now_s() - start_s;
    if (!status) status = judge(sweep, run, counts, err);
    if (params.log) {
        struct xl_err ignored;
        counts->log_path = strdup(xl_job_log_path(params.log));
        enum xl_status ended =
            xl_output_page_end(&params, status, status && err ? err->text : NULL, &ignored);
        if (!status && ended) status = xl_fail(err, ended, "%s", ignored.text);
    }
    xl_job_log_close(params.log);
    xl_image_free(&runner.init);
    free(runner.pending);
    return status;
}

void xl_run_counts_deinit(struct xl_run_counts *counts) {
    xl_str_deinit(&counts->warnings);
    free(counts->log_path);
    *counts = (struct xl_run_counts){0};
}
