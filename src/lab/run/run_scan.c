/* run_scan.c - which pictures of a run are there: by what they hold, not by what they are called.
 */
#include "lab/run/run_dir.h"

#include "base/file.h"
#include "base/log.h"
#include "image/sheet.h"
#include "lab/cell/cell_record.h"
#include "lab/run/blame.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Cells sorted by id. */
struct index {
    const struct xl_cell **cells;
    int n;
};

static int by_id(const void *a, const void *b) {
    return strcmp((*(const struct xl_cell *const *)a)->id, (*(const struct xl_cell *const *)b)->id);
}

static int against_id(const void *id, const void *cell) {
    return strcmp(id, (*(const struct xl_cell *const *)cell)->id);
}

static const struct xl_cell *find(const struct index *index, const char *id) {
    const struct xl_cell **found =
        bsearch(id, index->cells, (size_t)index->n, sizeof *index->cells, against_id);
    return found ? *found : NULL;
}

/* ".0123456789abcdef.tmp", as base/file.c names them: what a process that died left behind. */
static bool is_temporary(const char *name) {
    enum { DIGITS = 16 };
    return name[0] == '.' && strspn(name + 1, "0123456789abcdef") == DIGITS &&
           !strcmp(name + 1 + DIGITS, ".tmp");
}

static bool is_png(const char *name) {
    size_t n = strlen(name);
    return n > 4 && !strcmp(name + n - 4, ".png");
}

/* A picture that cannot be decoded keeps its bytes under another name and is made again. */
static enum xl_status set_aside(const char *path, const char *why, struct xl_err *err) {
    char *aside = NULL;
    for (int i = 1; i < 1000; i++) {
        if (asprintf(&aside, i > 1 ? "%s.damaged_%d" : "%s.damaged", path, i) < 0)
            return xl_fail_nomem(err, "a path", 0);
        if (access(aside, F_OK)) break;
        free(aside);
        aside = NULL;
    }
    enum xl_status status = XL_OK;
    if (!aside || rename(path, aside))
        status = xl_fail(err, XL_EDISK, "%s: damaged, and cannot be set aside: %s", path,
                         strerror(errno));
    else
        xl_warn("%s is damaged and set aside as %s: %s", path, aside, why);
    free(aside);
    return status;
}

/* What a record says of how a picture was computed. */
static void note_record(struct xl_outcome *outcome, const json_t *record) {
    outcome->scheduler_config = json_incref(json_object_get(record, "scheduler_config"));
    outcome->drawn_by = json_incref(json_object_get(record, "drawn_by"));
}

static void take(struct xl_outcome *outcome, const char *path, const struct xl_image *image,
                 const json_t *record) {
    if (outcome->state == XL_CELL_DONE) return; /* a copy of a picture that was found already */
    *outcome = (struct xl_outcome){.state = XL_CELL_DONE,
                                   .was_there = true,
                                   .path = strdup(path),
                                   .width = image->width,
                                   .height = image->height};
    note_record(outcome, record);
}

/* Keep the different ways in which pictures were computed. False: out of memory. */
static bool note_drawn_by(struct xl_run_dir *run, json_t *drawn_by) {
    size_t i;
    json_t *known;
    if (!json_is_object(drawn_by)) return true;
    json_array_foreach(run->drawn_by, i, known) if (json_equal(known, drawn_by)) return true;
    if (!run->drawn_by) run->drawn_by = json_array();
    return !json_array_append(run->drawn_by, drawn_by);
}

/* A contact sheet is known by its record; a damaged one by its name alone. It is made again. */
static bool is_sheet(const char *path, const char *record) {
    struct xl_sheet_record sheet;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return record ? xl_sheet_record_parse(record, &sheet) : !strncmp(name, "sheet_", 6);
}

static enum xl_status take_picture(struct xl_run_dir *run, const struct index *index,
                                   const char *path, const char *record,
                                   const struct xl_image *image) {
    json_t *object = NULL;
    struct xl_err why = {0};
    enum xl_status status = xl_record_parse(record, path, &object, &why);
    const char *id = json_string_value(json_object_get(object, "cell"));
    const struct xl_cell *cell = id ? find(index, id) : NULL;
    if (cell) take(&run->outcomes[cell->index], path, image, object);
    if (cell && !note_drawn_by(run, json_object_get(object, "drawn_by"))) status = XL_ENOMEM;
    json_decref(object);
    return status;
}

static enum xl_status look_at(struct xl_run_dir *run, const struct index *index, const char *path,
                              struct xl_err *err) {
    struct xl_image image = {0};
    struct xl_err why = {0};
    char *record = NULL;
    enum xl_status status = xl_record_read(path, &record, &why);
    if (status != XL_ENOMEM && is_sheet(path, record)) {
        free(record);
        return XL_OK;
    }
    if (status != XL_ENOMEM) status = xl_image_load(path, &image, &why);
    if (status == XL_ENOMEM)
        status = xl_fail(err, status, "%s", why.text);
    else if (status) /* who shares the run leaves that to who collects it */
        status = run->is_looked_at || run->is_shared ? XL_OK : set_aside(path, why.text, err);
    else if (record) /* a picture without a record is not ours */
        status = take_picture(run, index, path, record, &image) == XL_ENOMEM
                     ? xl_fail_nomem(err, path, 0)
                     : XL_OK;
    free(record);
    xl_image_free(&image);
    return status;
}

char *xl_run_dir_differs(const struct xl_run_dir *run, const json_t *now) {
    struct xl_str text = {0};
    size_t i;
    json_t *then;
    json_array_foreach(run->drawn_by, i, then) if (!text.len)
        xl_blame_members(&text, then, now, NULL);
    if (text.len) return xl_str_take(&text);
    xl_str_deinit(&text);
    return NULL;
}

static enum xl_status scan_dir(struct xl_run_dir *run, const struct index *index, const char *dir,
                               struct xl_err *err) {
    DIR *stream = opendir(dir);
    if (!stream && run->is_looked_at && errno == ENOENT) return XL_OK; /* it will be made */
    if (!stream) return xl_fail(err, XL_EDISK, "%s: cannot be read: %s", dir, strerror(errno));
    enum xl_status status = XL_OK;
    for (struct dirent *entry; !status && (entry = readdir(stream));) {
        bool is_left_over = is_temporary(entry->d_name);
        if (!is_left_over && !is_png(entry->d_name)) continue;
        char *path = xl_path_join(dir, entry->d_name);
        if (!path)
            status = xl_fail_nomem(err, "a path", 0);
        else if (is_left_over && !run->is_looked_at && !run->is_shared)
            unlink(path);
        else if (!is_left_over)
            status = look_at(run, index, path, err);
        free(path);
    }
    closedir(stream);
    return status;
}

enum xl_status xl_run_dir_scan(struct xl_run_dir *run, const struct xl_sweep *sweep,
                               struct xl_err *err) {
    struct index index = {calloc((size_t)sweep->n_cells, sizeof *index.cells), sweep->n_cells};
    if (!index.cells) return xl_fail_nomem(err, "cells", 0);
    for (int c = 0; c < sweep->n_cells; c++) index.cells[c] = &sweep->cells[c];
    qsort(index.cells, (size_t)index.n, sizeof *index.cells, by_id);
    enum xl_status status = scan_dir(run, &index, run->dir, err);
    for (int m = 0; !status && sweep->has_models && m < sweep->n_models; m++)
        if (!sweep->models[m].skipped && sweep->models[m].base == m)
            status = scan_dir(run, &index, run->model_dirs[m], err);
    free(index.cells);
    return status;
}

/* The record in a PNG, if it names this cell; else NULL. */
static enum xl_status read_of_cell(const char *path, const struct xl_cell *cell, json_t **out,
                                   struct xl_err *err) {
    struct xl_err why = {0};
    char *record = NULL;
    enum xl_status status = xl_record_read(path, &record, &why);
    if (status == XL_ENOMEM) return xl_fail(err, status, "%s", why.text);
    json_t *object = status ? NULL : json_loads(record, 0, NULL);
    const char *id = json_string_value(json_object_get(object, "cell"));
    bool is_its = id && !strcmp(id, cell->id);
    *out = is_its ? json_incref(object) : NULL;
    json_decref(object);
    free(record);
    return XL_OK;
}

static enum xl_status compare(const char *path, const struct xl_cell *cell, struct xl_outcome *out,
                              struct xl_err *err) {
    json_t *record = NULL;
    enum xl_status status = read_of_cell(path, cell, &record, err);
    if (status || !record) return status;
    struct xl_image image = {0};
    status = xl_image_load(path, &image, err);
    if (!status) {
        *out = (struct xl_outcome){.state = XL_CELL_DONE,
                                   .path = strdup(path),
                                   .width = image.width,
                                   .height = image.height};
        note_record(out, record);
        xl_image_free(&image);
        if (!out->path) status = xl_fail_nomem(err, "a path", 0);
    } else if (status != XL_ENOMEM) {
        status = XL_OK; /* not whole: not there */
    }
    json_decref(record);
    return status;
}

enum xl_status xl_run_dir_find(const char *dir, const char *stamp, const struct xl_cell *cell,
                               struct xl_outcome *out, struct xl_err *err) {
    char seed[32];
    size_t n = strlen(stamp);
    snprintf(seed, sizeof seed, "_seed%llu_", (unsigned long long)cell->seed);
    *out = (struct xl_outcome){.state = XL_CELL_WAITING};
    DIR *stream = opendir(dir);
    if (!stream) return xl_fail(err, XL_EDISK, "%s: cannot be read: %s", dir, strerror(errno));
    enum xl_status status = XL_OK;
    for (struct dirent *entry;
         !status && out->state != XL_CELL_DONE && (entry = readdir(stream));) {
        const char *name = entry->d_name;
        if (strncmp(name, stamp, n) || !strstr(name, seed) || !is_png(name)) continue;
        char *path = xl_path_join(dir, name);
        status = path ? compare(path, cell, out, err) : xl_fail_nomem(err, "a path", 0);
        free(path);
    }
    closedir(stream);
    return status;
}

static void tidy_dir(const char *dir) {
    DIR *stream = opendir(dir);
    for (struct dirent *entry; stream && (entry = readdir(stream));)
        if (is_temporary(entry->d_name)) unlinkat(dirfd(stream), entry->d_name, 0);
    if (stream) closedir(stream);
}

void xl_run_dir_abandon(const char *dir) {
    tidy_dir(dir);
    rmdir(dir); /* not where anything else is in it */
}

void xl_run_dir_tidy(const struct xl_run_dir *run, const struct xl_sweep *sweep) {
    if (!run->is_own) return;
    for (int m = 0; m < sweep->n_models; m++)
        if (!sweep->models[m].skipped && sweep->models[m].base == m) tidy_dir(run->model_dirs[m]);
}
