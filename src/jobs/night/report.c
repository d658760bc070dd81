/* report.c - counting what the job logs say of a night. */
#include "jobs/night/report.h"

#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "lab/log/job_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is kept while logs are read: failures by cell, until it is known what came later. */
struct reading {
    struct xl_night_report *report;
    const char *run_dir; /* as lines name it */
    json_t *drawn;       /* object: cells that are there -> their number in the report */
    json_t *failed;      /* object: cell -> {"error", "prompt", "n"} */
};

static const char *kept(struct xl_night_report *report, const json_t *line, const char *key) {
    const char *text = json_string_value(json_object_get(line, key));
    const char *copy = xl_arena_strdup(&report->arena, text ? text : "");
    return copy ? copy : "";
}

/* "2026-11-24T03:15:00Z" as a moment; 0: it is none. */
static time_t moment_of(const char *text) {
    struct tm tm = {.tm_isdst = 0};
    if (!text || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                        &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    return timegm(&tm);
}

/* --- Lines ------------------------------------------------------------------------------------ */

static struct xl_night_worker *worker_of(struct xl_night_report *report, const char *label) {
    for (int i = 0; i < report->n_workers; i++)
        if (!strcmp(report->workers[i].label, label)) return &report->workers[i];
    if (report->n_workers == XL_NIGHT_WORKERS) return &report->workers[XL_NIGHT_WORKERS - 1];
    struct xl_night_worker *worker = &report->workers[report->n_workers++];
    *worker = (struct xl_night_worker){.label = label, .name = ""};
    return worker;
}

static enum xl_status add_picture(struct xl_night_report *report,
                                  const struct xl_night_picture *picture, struct xl_err *err) {
    if (report->n == report->capacity) {
        int capacity = report->capacity ? 2 * report->capacity : 256;
        struct xl_night_picture *grown =
            realloc(report->pictures, (size_t)capacity * sizeof *grown);
        if (!grown) return xl_fail_nomem(err, "pictures", 0);
        report->pictures = grown;
        report->capacity = capacity;
    }
    report->pictures[report->n++] = *picture;
    struct xl_night_worker *worker = worker_of(report, picture->worker);
    worker->n++;
    worker->seconds += picture->seconds;
    if (picture->at && (!report->first || picture->at < report->first)) report->first = picture->at;
    if (picture->at > report->last) report->last = picture->at;
    return XL_OK;
}

/* A cell that two lines name was found again by a process that went on: it is one picture. */
static enum xl_status read_pictures(struct reading *reading, const json_t *line,
                                    struct xl_err *err) {
    struct xl_night_report *report = reading->report;
    const json_t *paths = json_object_get(line, "paths"), *cells = json_object_get(line, "cells");
    const json_t *seeds = json_object_get(line, "seeds");
    size_t n = json_array_size(paths);
    struct xl_night_picture picture = {
        .prompt = kept(report, line, "prompt"),
        .model = kept(report, line, "model_key"),
        .profile = kept(report, line, "profile_style"),
        .worker = kept(report, line, "worker"),
        .width = (int)json_integer_value(json_object_get(line, "width")),
        .height = (int)json_integer_value(json_object_get(line, "height")),
        .at = moment_of(json_string_value(json_object_get(line, "logged_at"))),
        .seconds = n ? json_number_value(json_object_get(line, "total_s")) / (double)n : 0};
    for (size_t i = 0; i < n; i++) {
        const char *cell = json_string_value(json_array_get(cells, i));
        const char *path = json_string_value(json_array_get(paths, i));
        const char *seed = json_string_value(json_array_get(seeds, i));
        if (!cell || !path || json_object_get(reading->drawn, cell)) continue;
        picture.cell = xl_arena_strdup(&report->arena, cell);
        picture.path = xl_arena_strdup(&report->arena, path);
        picture.seed = xl_arena_strdup(&report->arena, seed ? seed : "");
        if (!picture.cell || !picture.path || !picture.seed ||
            json_object_set_new(reading->drawn, cell, json_integer(report->n)))
            return xl_fail_nomem(err, "pictures", 0);
        enum xl_status status = add_picture(report, &picture, err);
        if (status) return status;
    }
    return XL_OK;
}

static void read_failures(const struct reading *reading, const json_t *line) {
    size_t i;
    json_t *cell;
    json_array_foreach(json_object_get(line, "cells"), i, cell) {
        const char *id = json_string_value(cell);
        json_t *failure = id ? json_object_get(reading->failed, id) : NULL;
        json_int_t n = json_integer_value(json_object_get(failure, "n")) + 1;
        json_t *now = json_pack("{s:O?, s:O?, s:I}", "error", json_object_get(line, "error"),
                                "prompt", json_object_get(line, "prompt"), "n", n);
        if (id) json_object_set_new(reading->failed, id, now);
    }
}

static enum xl_status read_line(void *user, const json_t *line, int64_t number,
                                struct xl_err *err) {
    struct reading *reading = user;
    const char *run_dir = json_string_value(json_object_get(line, "run_dir"));
    const char *status = json_string_value(json_object_get(line, "status"));
    (void)number;
    if (!run_dir || strcmp(run_dir, reading->run_dir) != 0 || !status) return XL_OK;
    if (!strcmp(status, "XL_OK")) return read_pictures(reading, line, err);
    read_failures(reading, line);
    return XL_OK;
}

/* --- What it comes to ------------------------------------------------------------------------- */

static void add_failure(struct xl_night_report *report, const char *error, const char *prompt) {
    int i = 0;
    while (i < report->n_failures && strcmp(report->failures[i].error, error) != 0) i++;
    if (i == XL_NIGHT_FAILURES) i--; /* with the last kind */
    if (i == report->n_failures)
        report->failures[report->n_failures++] = (struct xl_night_failure){error, prompt, 0};
    report->failures[i].n++;
}

/* Failures of pictures that never came; jobs that could not be planned. */
static void judge_failures(const struct reading *reading) {
    struct xl_night_report *report = reading->report;
    const char *cell;
    json_t *failure;
    size_t i;
    json_object_foreach(reading->failed, cell, failure) {
        if (json_object_get(reading->drawn, cell)) {
            report->n_retried += (int)json_integer_value(json_object_get(failure, "n"));
            continue;
        }
        report->n_failed++;
        add_failure(report, kept(report, failure, "error"), kept(report, failure, "prompt"));
    }
    json_array_foreach(report->state.refused, i, failure)
        add_failure(report, kept(report, failure, "error"), kept(report, failure, "job"));
}

/* Names of GPUs: of those at work now, and of those that are gone. */
static void name_workers(struct xl_night_report *report, const json_t *list) {
    size_t i;
    json_t *worker;
    json_array_foreach(list, i, worker) {
        const char *label = json_string_value(json_object_get(worker, "worker"));
        for (int k = 0; label && k < report->n_workers; k++)
            if (!report->workers[k].name[0] && !strcmp(report->workers[k].label, label))
                report->workers[k].name = kept(report, worker, "name");
    }
}

static void add_energy(struct xl_night_report *report) {
    json_t *joules;
    const char *uuid;
    json_object_foreach(report->state.energy_j, uuid, joules) {
        report->energy_j += json_number_value(joules);
        for (int k = 0; k < report->n_workers; k++)
            if (!strcmp(report->workers[k].label, uuid))
                report->workers[k].energy_j = json_number_value(joules);
    }
}

/* What was lost, and what became of the pictures. */
static enum xl_status add_losses(const struct reading *reading, struct xl_err *err) {
    struct xl_night_report *report = reading->report;
    size_t i, k, n = json_array_size(report->state.losses);
    json_t *entry, *cell;
    report->losses = xl_arena_alloc(&report->arena, (n + 1) * sizeof *report->losses);
    if (!report->losses) return xl_fail_nomem(err, "a report", 0);
    json_array_foreach(report->state.losses, i, entry) {
        const json_t *cells = json_object_get(entry, "cells");
        struct xl_night_lost *lost = &report->losses[report->n_losses++];
        *lost = (struct xl_night_lost){.at = kept(report, entry, "at"),
                                       .worker = kept(report, entry, "worker"),
                                       .name = kept(report, entry, "name"),
                                       .how = kept(report, entry, "how"),
                                       .error = kept(report, entry, "error")};
        size_t room = (json_array_size(cells) + 1) * sizeof *lost->pictures;
        lost->pictures = xl_arena_alloc(&report->arena, room);
        if (!lost->pictures) return xl_fail_nomem(err, "a report", 0);
        json_array_foreach(cells, k, cell) {
            const char *id = json_string_value(cell);
            const json_t *at = id ? json_object_get(reading->drawn, id) : NULL;
            if (at)
                lost->pictures[lost->n++] = (int)json_integer_value(at);
            else
                lost->n_missing++;
        }
    }
    return XL_OK;
}

/* Bars of a round width, as many as there is room for. */
static void draw_bars(struct xl_night_report *report) {
    static const int widths[] = {1,   5,    10,   30,   60,   120,   300,
                                 600, 1200, 1800, 3600, 7200, 14400, 86400};
    enum { WANTED = 48, N = sizeof widths / sizeof *widths };
    if (!report->first) return;
    time_t span = report->last - report->first;
    int k = 0;
    while (k < N - 1 && span / widths[k] >= WANTED) k++;
    report->bar_s = widths[k];
    report->bars_from = report->first - report->first % widths[k];
    for (int i = 0; i < report->n; i++) {
        if (!report->pictures[i].at) continue;
        int64_t bar = (report->pictures[i].at - report->bars_from) / widths[k];
        if (bar >= XL_NIGHT_BARS) bar = XL_NIGHT_BARS - 1;
        report->bars[bar]++;
        if (bar >= report->n_bars) report->n_bars = (int)bar + 1;
    }
}

double xl_night_report_rate(const struct xl_night_report *report) {
    return report->state.elapsed_s > 0 ? report->n / report->state.elapsed_s * 3600 : 0;
}

const char *xl_night_report_state(const struct xl_night_report *report) {
    return xl_night_state_name(&report->state, report->is_running);
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* The folder that the run's lies in. */
static char *parent_of(const char *dir) {
    const char *slash = strrchr(dir, '/');
    return slash && slash > dir ? strndup(dir, (size_t)(slash - dir)) : strdup("/");
}

static enum xl_status read_logs(struct reading *reading, struct xl_err *err) {
    struct xl_job_logs logs = {0};
    char *parent = parent_of(reading->run_dir);
    enum xl_status status = parent ? xl_job_log_list(parent, &logs, err)
                                   : xl_fail_nomem(err, "a path", 0);
    for (int i = 0; !status && i < logs.n; i++)
        status = xl_job_log_read(logs.paths[i], read_line, reading, NULL, err);
    xl_job_logs_free(&logs);
    free(parent);
    return status;
}

enum xl_status xl_night_report_read(const char *dir, struct xl_night_report *out,
                                    struct xl_err *err) {
    *out = (struct xl_night_report){.dir = NULL};
    struct reading reading = {.report = out, .drawn = json_object(), .failed = json_object()};
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/') n--;
    const char *trimmed = xl_arena_strndup(&out->arena, dir, n);
    out->dir = reading.run_dir = trimmed ? xl_path_absolute(trimmed, &out->arena) : NULL;
    enum xl_status status = out->dir && reading.drawn && reading.failed
                                ? xl_night_state_read(dir, &out->state, err)
                                : xl_fail_nomem(err, "a report", 0);
    bool has_state = !status;
    if (!status) status = xl_night_is_running(dir, &out->is_running, err);
    if (!status) status = read_logs(&reading, err);
    if (!status) judge_failures(&reading);
    if (!status) add_energy(out);
    if (!status) name_workers(out, out->state.workers);
    if (!status) name_workers(out, out->state.losses);
    if (!status) status = add_losses(&reading, err);
    if (!status) draw_bars(out);
    json_decref(reading.drawn);
    json_decref(reading.failed);
    if (!status) return XL_OK;
    if (!has_state) out->state = (struct xl_night_state){.config = NULL};
    xl_night_report_deinit(out);
    return status;
}

void xl_night_report_deinit(struct xl_night_report *report) {
    xl_night_state_deinit(&report->state);
    free(report->pictures);
    xl_arena_deinit(&report->arena);
    *report = (struct xl_night_report){.dir = NULL};
}

static enum xl_status write_one(const char *dir, const char *name, struct xl_str *text,
                                struct xl_err *err) {
    char *path = xl_path_join(dir, name);
    enum xl_status status = path && !text->failed
                                ? xl_file_replace(path, text->text, text->len, err)
                                : xl_fail_nomem(err, "a report", 0);
    free(path);
    xl_str_deinit(text);
    return status;
}

enum xl_status xl_night_report_write(const struct xl_night_report *report, struct xl_err *err) {
    struct xl_str text = {0}, html = {0};
    xl_night_report_put_text(&text, report);
    enum xl_status status = write_one(report->dir, "report.txt", &text, err);
    if (!status) status = xl_night_report_put_html(&html, report, err);
    if (!status) return write_one(report->dir, "report.html", &html, err);
    xl_str_deinit(&html);
    return status;
}
