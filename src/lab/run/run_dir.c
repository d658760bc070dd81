/* run_dir.c - directories of runs, and run.json. */
#include "lab/run/run_dir.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "lab/run/claims.h"
#include "lab/run/filename.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SAME_SECOND = 1000, MODEL_NUMBER = sizeof "_9999" - 1 };

const char *xl_cell_state_name(enum xl_cell_state state) {
    static const char *const names[] = {"waiting", "done", "failed", "elsewhere"};
    return names[state];
}

/* --- Directories ------------------------------------------------------------------------------ */

/* A new directory KIND_STAMP, or KIND_STAMP_2, ... where one of this second is there. */
static enum xl_status make_own_dir(struct xl_run_dir *run, const char *kind, struct xl_err *err) {
    for (int i = 1; i < MAX_SAME_SECOND; i++) {
        char name[96], suffix[16] = "";
        if (i > 1) snprintf(suffix, sizeof suffix, "_%d", i);
        snprintf(name, sizeof name, "%s_%s%s", kind, run->stamp, suffix);
        run->dir = xl_path_join(run->output_dir, name);
        if (!run->dir) return xl_fail_nomem(err, "a path", 0);
        if (!mkdir(run->dir, 0777)) return XL_OK;
        if (errno != EEXIST)
            return xl_fail(err, XL_EDISK, "%s: cannot create the run directory: %s", run->dir,
                           strerror(errno));
        free(run->dir);
        run->dir = NULL;
    }
    return xl_fail(err, XL_EDISK, "%s: %d runs in this second already", run->output_dir,
                   MAX_SAME_SECOND);
}

/* model_SLUG; where two models have one slug, the second gets its number. A variant's pictures lie
 * with those of its base. */
static enum xl_status name_model_dirs(struct xl_run_dir *run, struct xl_sweep *sweep,
                                      struct xl_err *err) {
    size_t n = (size_t)sweep->n_models;
    int room = xl_dir_name_max(run->dir) - (int)sizeof "model_" + 1 - MODEL_NUMBER;
    run->model_dirs = xl_arena_alloc(&sweep->arena, n * sizeof *run->model_dirs);
    if (!run->model_dirs) return xl_fail_nomem(err, "a path", 0);
    for (int m = 0; m < sweep->n_models; m++) {
        char slug[XL_SLUG_MAX + 1];
        xl_slug(sweep->models[m].key, room < XL_SLUG_MAX ? room : XL_SLUG_MAX, slug);
        const char *dir = !sweep->has_models
                              ? run->dir
                              : xl_arena_printf(&sweep->arena, "%s/model_%s", run->dir, slug);
        int base = sweep->models[m].base;
        if (base < m) dir = run->model_dirs[base];
        for (int other = 0; dir && sweep->has_models && base == m && other < m; other++)
            if (!strcmp(run->model_dirs[other], dir))
                dir = xl_arena_printf(&sweep->arena, "%s/model_%s_%d", run->dir, slug, m + 1);
        if (!dir) return xl_fail_nomem(err, "a path", 0);
        run->model_dirs[m] = dir;
    }
    return XL_OK;
}

static enum xl_status make_model_dirs(const struct xl_run_dir *run, const struct xl_sweep *sweep,
                                      struct xl_err *err) {
    for (int m = 0; m < sweep->n_models; m++) {
        if (sweep->models[m].skipped || sweep->models[m].base != m) continue;
        int room;
        enum xl_status status = xl_dir_create(run->model_dirs[m], err);
        if (!status) status = xl_output_name_room(run->model_dirs[m], &room, err);
        if (status) return status;
    }
    return XL_OK;
}

static enum xl_status check_writable(const char *dir, struct xl_err *err) {
    if (!access(dir, W_OK | X_OK)) return XL_OK;
    return xl_fail(err, XL_EDISK, "%s: the output directory cannot be written to: %s", dir,
                   strerror(errno));
}

/* Before anything is made: whether paths of pictures, in the longest folders that there may be, are
 * paths that the system takes. */
static enum xl_status check_paths(const struct xl_run_dir *run, const struct xl_sweep *sweep,
                                  struct xl_err *err) {
    size_t n = strlen(run->output_dir) + XL_OUTPUT_NAME_LEAST + XL_OUTPUT_NAME_ASIDE + 2;
    if (run->is_own) n += strlen(sweep->kind) + sizeof "/_20260101-000000_999";
    if (sweep->has_models) n += sizeof "/model_" + XL_SLUG_MAX + MODEL_NUMBER;
    if (n <= PATH_MAX) return XL_OK;
    return xl_fail(err, XL_EDISK,
                   "the output directory's path has %zu bytes, and with the names of pictures "
                   "there would be %zu, of %d at most; choose one with a shorter path",
                   strlen(run->output_dir), n, PATH_MAX);
}

static enum xl_status make_outcomes(struct xl_run_dir *run, const struct xl_sweep *sweep,
                                    struct xl_err *err) {
    run->n_outcomes = sweep->n_cells;
    run->outcomes = calloc((size_t)sweep->n_cells + 1, sizeof *run->outcomes);
    return run->outcomes ? XL_OK : xl_fail_nomem(err, "outcomes", 0);
}

/* --- run.json --------------------------------------------------------------------------------- */

static json_t *model_to_json(const struct xl_sweep *sweep, int m) {
    const struct xl_sweep_model *model = &sweep->models[m];
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "key", xl_json_text(model->key), &ok);
    xl_json_put(object, "id", xl_json_text(model->id), &ok);
    xl_json_put(object, "revision", xl_json_text(model->revision), &ok);
    xl_json_put(object, "repository", xl_json_text(model->repository), &ok);
    xl_json_put(object, "commit", xl_json_text(model->commit), &ok);
    xl_json_put(object, "licence", xl_json_text(model->entry ? model->entry->licence : NULL), &ok);
    xl_json_put(object, "digest", xl_json_text(model->digest), &ok);
    xl_json_put(object, "skipped", xl_json_text(model->skipped), &ok);
    xl_json_put(object, "skipped_as", xl_json_text(model->skipped_as), &ok);
    if (model->base != m) xl_json_put(object, "base", json_integer(model->base), &ok);
    xl_sweep_variant_put(object, model, &ok);
    return xl_json_finish(object, ok);
}

static json_t *run_to_json(const struct xl_run_dir *run, const struct xl_settings *settings,
                           const struct xl_sweep *sweep) {
    json_t *object = json_object(), *models = json_array(), *cells = json_array();
    bool ok = object && models && cells;
    for (int m = 0; m < sweep->n_models; m++)
        ok &= !json_array_append_new(models, model_to_json(sweep, m));
    for (int c = 0; c < sweep->n_cells; c++)
        ok &= !json_array_append_new(cells, xl_cell_write(&sweep->cells[c]));
    xl_json_put(object, "format", json_integer(XL_FORMAT), &ok);
    xl_json_put(object, "program", json_string("sdxl-lab " XL_VERSION), &ok);
    xl_json_put(object, "kind", json_string(sweep->kind), &ok);
    xl_json_put(object, "stamp", json_string(run->stamp), &ok);
    xl_json_put(object, "has_models", json_boolean(sweep->has_models), &ok);
    xl_json_put(object, "request", xl_settings_write_object(settings), &ok);
    xl_json_put(object, "models", models, &ok);
    xl_json_put(object, "cells", cells, &ok);
    return xl_json_finish(object, ok);
}

enum xl_status xl_run_dir_write(const struct xl_run_dir *run, const struct xl_settings *settings,
                                const struct xl_sweep *sweep, struct xl_err *err) {
    xl_json_watch();
    char *text = xl_json_take_text(run_to_json(run, settings, sweep), true, JSON_INDENT(1));
    char *path = xl_path_join(run->dir, "run.json");
    enum xl_status status = path && text ? xl_file_replace(path, text, strlen(text), err)
                                         : xl_fail_nomem(err, "run.json", 0);
    free(path);
    free(text);
    return status;
}

/* Take the lock. Workers hold it, too: those of a process that was killed end a moment after it,
 * and until then may still put a picture where it belongs. */
static enum xl_status take_lock(const char *path, struct xl_lock **lock, char owner[XL_LOCK_OWNER],
                                struct xl_err *err) {
    enum { TRIES = 40, MS = 50 };
    const struct timespec moment = {.tv_nsec = MS * 1000000};
    enum xl_status status = XL_OK;
    for (int i = 0; i < TRIES; i++) {
        status = xl_lock_take(path, lock, owner, err);
        if (status || *lock) break;
        nanosleep(&moment, NULL);
    }
    return status;
}

/* Nobody else may work on the directory; the lock ends with the last process that holds it, however
 * it ends. Not on run.json itself: that is replaced as a whole, and read by others. */
static enum xl_status lock_run(struct xl_run_dir *run, struct xl_err *err) {
    char *path = xl_path_join(run->dir, ".lock"), owner[XL_LOCK_OWNER];
    if (!path) return xl_fail_nomem(err, "a path", 0);
    enum xl_status status = take_lock(path, &run->lock, owner, err);
    free(path);
    if (status || run->lock) return status;
    return xl_fail(err, XL_EDISK, "%s: %s is working on this run; wait for it or stop it first",
                   run->dir, owner);
}

/* Nor may processes that share it. */
static enum xl_status check_unshared(const struct xl_run_dir *run, struct xl_err *err) {
    struct xl_arena arena = {0};
    struct xl_claims_seen seen;
    enum xl_status status = xl_claims_see(run->dir, &arena, &seen, err);
    for (int i = 0; !status && i < seen.n; i++) {
        const struct xl_claims_worker *worker = &seen.workers[i];
        if (!worker->has_left && !worker->is_dead)
            status = xl_fail(err, XL_EDISK,
                             "%s: %d %s this run, one is process %d on host %s; join with resume "
                             "--share, or wait for them or stop them first",
                             run->dir, seen.n_at_work,
                             xl_plural(seen.n_at_work, "process draws", "processes share"),
                             worker->process.pid, worker->process.host);
    }
    xl_arena_deinit(&arena);
    return status;
}

/* Of a shared run: wait until nobody has it for himself. Who takes the lock looks for us after it,
 * and we look for the lock after we have joined: one of both sees the other. */
static enum xl_status wait_for_lock(const struct xl_run_dir *run, struct xl_err *err) {
    enum { TRIES = 300, MS = 100 };
    const struct timespec moment = {.tv_nsec = MS * 1000000};
    char *path = xl_path_join(run->dir, ".lock");
    enum xl_status status = path ? XL_OK : xl_fail_nomem(err, "a path", 0);
    bool is_taken = true;
    for (int i = 0; !status && is_taken && i < TRIES; i++) {
        status = xl_lock_look(path, &is_taken, err);
        if (!status && is_taken) nanosleep(&moment, NULL);
    }
    free(path);
    if (status || !is_taken) return status;
    return xl_fail(err, XL_EDISK,
                   "%s: another process has this run for itself; wait for it or stop it first",
                   run->dir);
}

static enum xl_status enter(struct xl_run_dir *run, struct xl_err *err) {
    if (run->is_looked_at) return XL_OK;
    if (run->is_shared) return wait_for_lock(run, err);
    enum xl_status status = lock_run(run, err);
    return status ? status : check_unshared(run, err);
}

/* What processes that shared the run failed at. */
static enum xl_status take_failures(struct xl_run_dir *run, const struct xl_sweep *sweep,
                                    struct xl_err *err) {
    char sentence[XL_CLAIM_SENTENCE];
    for (int c = 0; c < sweep->n_cells; c++) {
        struct xl_outcome *outcome = &run->outcomes[c];
        if (outcome->state != XL_CELL_WAITING ||
            !xl_claims_has_failed(run->dir, sweep->cells[c].id, sentence))
            continue;
        *outcome = (struct xl_outcome){
            .state = XL_CELL_FAILED, .status = XL_EPARTIAL, .error = strdup(sentence)};
        if (!outcome->error) return xl_fail_nomem(err, "outcomes", 0);
    }
    return XL_OK;
}

/* --- Creating --------------------------------------------------------------------------------- */

enum xl_status xl_run_dir_reserve(const struct xl_settings *settings, struct xl_sweep *sweep,
                                  struct xl_run_dir *out, struct xl_err *err) {
    struct xl_run_dir run = {.is_own = sweep->is_grid};
    xl_stamp_utc(run.stamp);
    run.output_dir = strdup(settings->output_dir);
    enum xl_status status = run.output_dir ? check_paths(&run, sweep, err)
                                           : xl_fail_nomem(err, "a path", 0);
    if (!status) status = xl_dir_create(run.output_dir, err);
    if (!status) status = check_writable(run.output_dir, err);
    if (!status && run.is_own) status = make_own_dir(&run, sweep->kind, err);
    if (!status && !run.is_own && !(run.dir = strdup(run.output_dir)))
        status = xl_fail_nomem(err, "a path", 0);
    if (!status) status = name_model_dirs(&run, sweep, err);
    if (!status) status = make_outcomes(&run, sweep, err);
    if (status)
        xl_run_dir_close(&run);
    else
        *out = run;
    return status;
}

enum xl_status xl_run_dir_fill(struct xl_run_dir *run, const struct xl_settings *settings,
                               const struct xl_sweep *sweep, struct xl_err *err) {
    enum xl_status status = run->is_own ? xl_run_dir_write(run, settings, sweep, err) : XL_OK;
    if (!status && run->is_own) status = lock_run(run, err);
    return status ? status : make_model_dirs(run, sweep, err);
}

enum xl_status xl_run_dir_create(const struct xl_settings *settings, struct xl_sweep *sweep,
                                 struct xl_run_dir *out, struct xl_err *err) {
    struct xl_run_dir run;
    enum xl_status status = xl_run_dir_reserve(settings, sweep, &run, err);
    if (status) return status;
    status = xl_run_dir_fill(&run, settings, sweep, err);
    if (status)
        xl_run_dir_close(&run);
    else
        *out = run;
    return status;
}

bool xl_run_dir_can_go_on(const struct xl_run_dir *run) {
    for (int i = 0; run->is_own && i < run->n_outcomes; i++) {
        const struct xl_outcome *outcome = &run->outcomes[i];
        bool is_hopeless = outcome->status == XL_EINVAL || outcome->status == XL_EINPUT ||
                           outcome->status == XL_EFORMAT || outcome->status == XL_ENUMERIC;
        if (outcome->state == XL_CELL_WAITING) return true;
        if (outcome->state == XL_CELL_FAILED && !is_hopeless) return true;
    }
    return false;
}

void xl_run_dir_close(struct xl_run_dir *run) {
    for (int i = 0; i < run->n_outcomes && run->outcomes; i++) {
        free(run->outcomes[i].path);
        free(run->outcomes[i].error);
        json_decref(run->outcomes[i].scheduler_config);
        json_decref(run->outcomes[i].drawn_by);
    }
    free(run->outcomes);
    json_decref(run->drawn_by);
    free(run->dir);
    free(run->output_dir);
    xl_lock_release(run->lock);
    *run = (struct xl_run_dir){.dir = NULL};
}

/* --- Opening ---------------------------------------------------------------------------------- */

static const char *kept(struct xl_sweep *sweep, const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? xl_arena_strdup(&sweep->arena, text) : NULL;
}

static enum xl_status read_models(const char *path, const json_t *root, struct xl_sweep *sweep,
                                  struct xl_err *err) {
    const json_t *models = json_object_get(root, "models");
    size_t n = json_array_size(models);
    if (!n) return xl_fail(err, XL_EINPUT, "%s: expected a list of \"models\"", path);
    sweep->models = xl_arena_alloc(&sweep->arena, n * sizeof *sweep->models);
    if (!sweep->models) return xl_fail_nomem(err, "models", 0);
    sweep->n_models = (int)n;
    for (size_t m = 0; m < n; m++) {
        const json_t *object = json_array_get(models, m);
        struct xl_sweep_model *model = &sweep->models[m];
        model->key = kept(sweep, object, "key");
        model->id = kept(sweep, object, "id");
        model->revision = kept(sweep, object, "revision");
        model->repository = kept(sweep, object, "repository");
        model->commit = kept(sweep, object, "commit");
        model->skipped = kept(sweep, object, "skipped");
        model->skipped_as = kept(sweep, object, "skipped_as");
        const char *digest = kept(sweep, object, "digest");
        snprintf(model->digest, sizeof model->digest, "%s", digest ? digest : "");
        if (!model->key || !model->id)
            return xl_fail(err, XL_EINPUT, "%s: model %zu has no \"key\" or no \"id\"", path,
                           m + 1);
        const json_t *base = json_object_get(object, "base");
        model->base = json_is_integer(base) ? (int)json_integer_value(base) : (int)m;
        if (model->base < 0 || model->base > (int)m)
            return xl_fail(err, XL_EINPUT, "%s: model %zu has base %d", path, m + 1, model->base);
        enum xl_status status = xl_sweep_variant_read(object, path, &sweep->arena, model, err);
        if (status) return status;
        model->entry = xl_catalogue_find(sweep->catalogue, model->key);
    }
    return XL_OK;
}

/* What cells of format 1 do not say: the model's name, and the arithmetic, which was one for all.
 */
static void fill_in(const struct xl_sweep *sweep, const struct xl_settings *settings,
                    struct xl_cell *cell) {
    if (cell->model_key) return;
    cell->model_key = sweep->models[cell->model].key;
    cell->precision = settings->precision;
}

static enum xl_status read_cells(const char *path, const json_t *root,
                                 const struct xl_settings *settings, struct xl_sweep *sweep,
                                 struct xl_err *err) {
    const json_t *cells = json_object_get(root, "cells");
    size_t n = json_array_size(cells);
    if (!n) return xl_fail(err, XL_EINPUT, "%s: expected a list of \"cells\"", path);
    sweep->cells = calloc(n, sizeof *sweep->cells);
    if (!sweep->cells) return xl_fail_nomem(err, "cells", 0);
    sweep->n_cells = (int)n;
    for (size_t c = 0; c < n; c++) {
        struct xl_cell *cell = &sweep->cells[c];
        enum xl_status status =
            xl_cell_read(json_array_get(cells, c), path, &sweep->arena, cell, err);
        if (status) return status;
        if (cell->index != (int)c || cell->model >= sweep->n_models)
            return xl_fail(err, XL_EINPUT, "%s: cell %zu has index %d and model %d", path, c,
                           cell->index, cell->model);
        fill_in(sweep, settings, cell);
    }
    return XL_OK;
}

static enum xl_status read_request(const char *path, const json_t *root, struct xl_sweep *sweep,
                                   struct xl_settings *request, struct xl_err *err) {
    xl_settings_default(request);
    enum xl_status status = xl_settings_read_object(request, path, json_object_get(root, "request"),
                                                    &sweep->arena, err);
    return status == XL_EINVAL ? XL_EINPUT : status;
}

/* What is given now comes before what run.json says. It can change how a cell is drawn (threads,
 * memory), not what it is. */
static void override(const struct xl_settings *given, struct xl_settings *request) {
    if (xl_settings_is_given(given, "threads")) request->threads = given->threads;
    if (xl_settings_is_given(given, "workers")) request->workers = given->workers;
    if (xl_settings_is_given(given, "instance")) request->instance = given->instance;
    if (xl_settings_is_given(given, "oom")) request->oom = given->oom;
    if (xl_settings_is_given(given, "max-memory")) request->max_memory = given->max_memory;
    if (xl_settings_is_given(given, "group")) request->group = given->group;
    if (xl_settings_is_given(given, "gpus")) request->gpus = given->gpus;
    if (xl_settings_is_given(given, "on-foreign-process"))
        request->on_foreign_process = given->on_foreign_process;
    if (xl_settings_is_given(given, "idle-memory")) request->idle_memory = given->idle_memory;
    if (xl_settings_is_given(given, "idle-utilization"))
        request->idle_utilization = given->idle_utilization;
    if (xl_settings_is_given(given, "allow-processes"))
        request->allow_processes = given->allow_processes;
    if (xl_settings_is_given(given, "wait")) request->wait = given->wait;
    if (xl_settings_is_given(given, "interval")) request->interval = given->interval;
    if (xl_settings_is_given(given, "gpu-lock-dir")) request->gpu_lock_dir = given->gpu_lock_dir;
    request->strict = given->strict;
    request->share = given->share;
    request->heartbeat = given->heartbeat;
    request->collects = given->collects;
    request->resume = given->resume;
    request->dry_run = given->dry_run;
    request->json = given->json;
    request->quiet = given->quiet;
    request->verbose = given->verbose;
}

/* Format 1 called it version. */
static enum xl_status check_format(const char *path, const json_t *root, struct xl_err *err) {
    struct xl_json json = {root, path};
    int format = 0;
    enum xl_status status = xl_json_int(json, "version", 0, 1000, &format, err);
    if (!status) status = xl_json_int(json, "format", 0, 1000, &format, err);
    if (status) return status;
    if (format == 1)
        xl_warn("%s: an older version made this run and named its models in another way; whether "
                "their files are still the same is not known",
                path);
    if (format >= 1 && format <= XL_FORMAT) return XL_OK;
    return xl_fail(err, XL_EINPUT,
                   "%s: its format is %d, and this program knows 1 to %d; a newer one made it",
                   path, format, XL_FORMAT);
}

static enum xl_status read_run(const char *path, struct xl_settings *settings,
                               struct xl_sweep *sweep, struct xl_run_dir *run, struct xl_err *err) {
    const struct xl_read_rule rule = {(size_t)4 << 30, XL_EINPUT, XL_EINPUT};
    char *text = NULL;
    size_t n = 0;
    json_t *root = NULL;
    enum xl_status status = xl_file_read(path, rule, &text, &n, err);
    if (!status) status = xl_json_parse(path, text, n, &root, err);
    free(text);
    if (!status) status = check_format(path, root, err);
    if (!status) status = read_request(path, root, sweep, settings, err);
    if (!status)
        status = xl_catalogue_load(settings->model_files.item, settings->model_files.n,
                                   &sweep->catalogue, err);
    if (!status) status = read_models(path, root, sweep, err);
    if (!status) status = read_cells(path, root, settings, sweep, err);
    if (!status) {
        const char *stamp = kept(sweep, root, "stamp"), *kind = kept(sweep, root, "kind");
        snprintf(run->stamp, sizeof run->stamp, "%s", stamp ? stamp : "");
        sweep->kind = kind ? kind : "sweep";
        sweep->has_models = json_is_true(json_object_get(root, "has_models"));
        sweep->is_grid = true;
    }
    json_decref(root);
    return status == XL_EFORMAT ? XL_EINPUT : status;
}

/* The folder that a run directory lies in: the job log is there. */
static char *parent_of(const char *dir) {
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/') n--;
    while (n && dir[n - 1] != '/') n--;
    while (n > 1 && dir[n - 1] == '/') n--;
    return n ? strndup(dir, n) : strdup(".");
}

/* Axes that are given now add to the plan. *is_extended: run.json is to be written. */
static enum xl_status extend(struct xl_settings *request, const struct xl_settings *given,
                             struct xl_sweep *sweep, bool *is_extended, struct xl_err *err) {
    int n_added = 0;
    if (!given->sweep.n) return XL_OK;
    enum xl_status status = xl_sweep_extend(request, given, sweep, &n_added, err);
    if (status) return status;
    *is_extended = n_added > 0;
    if (n_added)
        xl_str_printf(&sweep->notices, "%d %s added to the run, which has %d now\n", n_added,
                      xl_plural(n_added, "picture is", "pictures are"), sweep->n_cells);
    else
        xl_str_puts(&sweep->notices, "nothing is added: the run has all of these values\n");
    return XL_OK;
}

/* The folders of the models, and run.json where the run was extended: before that is there, the run
 * is what it was. */
static enum xl_status prepare(struct xl_run_dir *run, const struct xl_settings *request,
                              struct xl_sweep *sweep, bool is_extended, struct xl_err *err) {
    enum xl_status status = name_model_dirs(run, sweep, err);
    if (!status && run->is_shared && is_extended)
        status = xl_fail(err, XL_EINVAL,
                         "--share: --sweep would change the run for the others; extend it first, "
                         "without --share");
    if (!status && !run->is_looked_at) status = make_model_dirs(run, sweep, err);
    if (!status && !run->is_looked_at && is_extended)
        status = xl_run_dir_write(run, request, sweep, err);
    return status;
}

enum xl_status xl_run_dir_extend(struct xl_run_dir *run, const struct xl_settings *settings,
                                 struct xl_sweep *sweep, struct xl_err *err) {
    size_t n = (size_t)sweep->n_cells + 1;
    struct xl_outcome *grown = realloc(run->outcomes, n * sizeof *grown);
    if (!grown) return xl_fail_nomem(err, "outcomes", 0);
    run->outcomes = grown;
    for (int c = run->n_outcomes; c < sweep->n_cells; c++)
        grown[c] = (struct xl_outcome){.state = XL_CELL_WAITING};
    run->n_outcomes = sweep->n_cells;
    return prepare(run, settings, sweep, true, err);
}

enum xl_status xl_run_dir_open(const char *dir, struct xl_settings *settings,
                               struct xl_sweep *sweep_out, struct xl_run_dir *out,
                               struct xl_err *err) {
    const struct xl_settings given = *settings;
    struct xl_sweep sweep = {.n_cells = 0};
    struct xl_run_dir run = {
        .is_own = true, .is_looked_at = given.dry_run, .is_shared = given.share};
    bool is_extended = false;
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/') n--;
    run.dir = strndup(dir, n);
    run.output_dir = parent_of(dir);
    char *path = run.dir ? xl_path_join(run.dir, "run.json") : NULL;
    enum xl_status status = run.output_dir && path ? XL_OK : xl_fail_nomem(err, "a path", 0);
    if (!status && access(path, F_OK))
        status = xl_fail(err, XL_EINPUT,
                         "%s: %s; expected a run directory, made by a sweep of sdxl-lab", path,
                         strerror(errno));
    if (!status) status = enter(&run, err);
    if (!status) status = read_run(path, settings, &sweep, &run, err);
    free(path);
    if (!status) status = extend(settings, &given, &sweep, &is_extended, err);
    if (!status) status = prepare(&run, settings, &sweep, is_extended, err);
    if (!status) status = make_outcomes(&run, &sweep, err);
    if (!status) status = xl_run_dir_scan(&run, &sweep, err);
    if (!status && given.collects) status = take_failures(&run, &sweep, err);
    if (!status && run.lock && !given.collects) xl_claims_clear(run.dir);
    if (!status) status = xl_sweep_sort(&sweep, err);
    if (!status) status = xl_sweep_name_cells(&sweep, err);
    if (status) {
        xl_run_dir_close(&run);
        xl_sweep_deinit(&sweep);
        return status;
    }
    override(&given, settings);
    *out = run;
    *sweep_out = sweep;
    return XL_OK;
}
