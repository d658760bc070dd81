/* output_page.c - the page of a run: its cells as they were planned, and what became of them. */
#include "lab/run/output.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "image/sheet.h"
#include "lab/cell/cell_axes.h"
#include "lab/run/run_page.h"

#include <stdlib.h>
#include <string.h>

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

enum xl_status xl_output_page_update(const struct xl_writer_params *params, const int *list, int n,
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
