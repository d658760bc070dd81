/* runner.c - a run from its first cell to its last: easels, writer, what it all came to. */
#include "lab/run/runner.h"

#include "base/clock.h"
#include "base/str.h"
#include "lab/run/easel.h"
#include "lab/run/output.h"

#include <stdlib.h>
#include <string.h>

struct runner {
    const struct xl_run *run;
    struct xl_writer_params params;
    struct xl_work *work;
    struct xl_writer *writer;
    struct xl_easel *easels; /* [run->n_painters] */
    atomic_int shown;
    atomic_bool is_told;
};

/* --- Drawing ---------------------------------------------------------------------------------- */

static enum xl_status make_easels(struct runner *runner, struct xl_err *err) {
    const struct xl_run *run = runner->run;
    runner->easels = calloc((size_t)run->n_painters, sizeof *runner->easels);
    if (!runner->easels) return xl_fail_nomem(err, "painters", 0);
    for (int i = 0; i < run->n_painters; i++)
        runner->easels[i] = (struct xl_easel){.run = run,
                                              .work = runner->work,
                                              .writer = runner->writer,
                                              .shown = &runner->shown,
                                              .is_told = &runner->is_told,
                                              .painter = run->painters[i],
                                              .number = i,
                                              .model = -1};
    return XL_OK;
}

/* The first easel is this thread's own. */
static enum xl_status draw_all(struct runner *runner, struct xl_err *err) {
    enum xl_status status = make_easels(runner, err);
    if (status) return status;
    int n_started = 1;
    for (; n_started < runner->run->n_painters; n_started++) {
        struct xl_easel *easel = &runner->easels[n_started];
        int failed = pthread_create(&easel->thread, NULL, xl_easel_run, easel);
        if (!failed) continue;
        status = xl_fail(err, XL_ENOMEM, "cannot start a painter's thread: %s", strerror(failed));
        xl_work_stop(runner->work, status, err ? err->text : "");
        break;
    }
    xl_easel_run(&runner->easels[0]);
    for (int i = 1; i < n_started; i++) pthread_join(runner->easels[i].thread, NULL);
    return xl_work_status(runner->work, err);
}

/* A model that was interrupted has a sheet of what there is; one that is lost is made again. */
static enum xl_status finish_sheets(struct runner *runner, struct xl_err *err) {
    enum xl_status status = XL_OK;
    for (int m = 0; !status && m < runner->run->sweep->n_models && !runner->run->has_no_sheets;
         m++) {
        bool is_current = false;
        if (runner->run->sweep->models[m].base != m) continue;
        status = xl_output_sheet_is_current(&runner->params, m, &is_current, err);
        if (!status && !is_current) status = xl_output_sheet(&runner->params, m, err);
    }
    return status;
}

/* --- A run ------------------------------------------------------------------------------------ */

static void count(const struct xl_run_dir *run, struct xl_run_counts *counts) {
    for (int i = 0; i < run->n_outcomes; i++) {
        const struct xl_outcome *outcome = &run->outcomes[i];
        counts->n_there += outcome->state == XL_CELL_DONE && outcome->was_there;
        counts->n_done += outcome->state == XL_CELL_DONE && !outcome->was_there;
        counts->n_failed += outcome->state == XL_CELL_FAILED;
        counts->n_waiting += outcome->state == XL_CELL_WAITING;
        counts->n_elsewhere += outcome->state == XL_CELL_ELSEWHERE;
    }
}

/* The first failed cell speaks for a request of one batch; a sweep says how many failed. */
static enum xl_status judge(const struct xl_sweep *sweep, const struct xl_run_dir *run,
                            const struct xl_run_counts *counts, struct xl_err *err) {
    for (int i = 0; counts->n_failed && i < run->n_outcomes; i++) {
        const struct xl_outcome *outcome = &run->outcomes[i];
        if (outcome->state != XL_CELL_FAILED) continue;
        if (!sweep->is_grid) return xl_fail(err, outcome->status, "%s", outcome->error);
        return xl_fail(err, XL_EPARTIAL, "%d of %d %s failed; the first: %s", counts->n_failed,
                       run->n_outcomes, xl_plural(run->n_outcomes, "picture", "pictures"),
                       outcome->error);
    }
    return XL_OK;
}

static enum xl_status start(struct runner *runner, struct xl_err *err) {
    const struct xl_run *run = runner->run;
    struct xl_writer_params *params = &runner->params;
    enum xl_status status = xl_work_new(run->sweep, run->dir, run->settings->group, run->n_painters,
                                        &runner->work, err);
    params->work = runner->work;
    params->log = run->log;
    if (!status && !run->log)
        status = xl_job_log_open(run->dir->output_dir, run->settings->instance, &params->log, err);
    if (!status && !run->claims) status = xl_output_log_missing(params, err);
    if (!status && !run->claims) status = xl_output_page_begin(params, err);
    if (!status) status = xl_writer_new(params, &runner->writer, err);
    return status;
}

/* Let the writer finish. An interruption is the person's wish; a full disk is what they must hear
 * of otherwise. */
static enum xl_status finish(struct runner *runner, enum xl_status status, struct xl_err *err) {
    bool is_cancelled = status == XL_ECANCELLED, has_writer = runner->writer != NULL;
    bool is_alone = has_writer && !runner->run->claims;
    struct xl_err why = {0};
    enum xl_status written = xl_writer_finish(runner->writer, &why);
    if (is_alone && !written) written = finish_sheets(runner, &why);
    if (is_alone) xl_run_dir_tidy(runner->run->dir, runner->run->sweep);
    return written && !is_cancelled ? xl_fail(err, written, "%s", why.text) : status;
}

static void end_log(struct runner *runner, enum xl_status *status, struct xl_err *err) {
    struct xl_err why;
    if (!runner->params.log) return;
    runner->params.counts->log_path = strdup(xl_job_log_path(runner->params.log));
    enum xl_status ended = XL_OK;
    if (!runner->run->claims)
        ended =
            xl_output_page_end(&runner->params, *status, *status && err ? err->text : NULL, &why);
    if (!*status && ended) *status = xl_fail(err, ended, "%s", why.text);
    if (!runner->run->log) xl_job_log_close(runner->params.log);
}

static struct runner make_runner(const struct xl_run *run, struct xl_run_counts *counts) {
    *counts = (struct xl_run_counts){0};
    return (struct runner){.run = run,
                           .params = {.settings = run->settings,
                                      .sweep = run->sweep,
                                      .run = run->dir,
                                      .job = run->job,
                                      .claims = run->claims,
                                      .hooks = run->hooks,
                                      .counts = counts,
                                      .n_painters = run->n_painters,
                                      .has_no_sheets = run->has_no_sheets}};
}

enum xl_status xl_run_draw(const struct xl_run *run, struct xl_run_counts *counts,
                           struct xl_err *err) {
    double start_s = xl_now_s();
    struct runner runner = make_runner(run, counts);
    enum xl_status status = start(&runner, err);
    if (!status) status = draw_all(&runner, err);
    status = finish(&runner, status, err);
    count(run->dir, counts);
    counts->total_s = xl_now_s() - start_s;
    if (status == XL_EYIELD && !counts->n_waiting) status = XL_OK; /* there was no more to draw */
    if (!status) status = judge(run->sweep, run->dir, counts, err);
    end_log(&runner, &status, err);
    xl_work_free(runner.work);
    free(runner.easels);
    return status;
}

enum xl_status xl_run_collect(const struct xl_run *run, struct xl_run_counts *counts,
                              struct xl_err *err) {
    double start_s = xl_now_s();
    struct xl_run collected = *run;
    collected.n_painters = 1; /* it has nothing to do */
    struct runner runner = make_runner(&collected, counts);
    enum xl_status status = start(&runner, err);
    status = finish(&runner, status, err);
    count(run->dir, counts);
    counts->total_s = xl_now_s() - start_s;
    if (!status && counts->n_waiting)
        status = xl_fail(err, XL_EPARTIAL, "%d of %d %s not there yet", counts->n_waiting,
                         run->dir->n_outcomes,
                         xl_plural(run->dir->n_outcomes, "picture is", "pictures are"));
    if (!status) status = judge(run->sweep, run->dir, counts, err);
    end_log(&runner, &status, err);
    xl_work_free(runner.work);
    return status;
}

enum xl_status xl_run_announce(const struct xl_run *run, struct xl_err *err) {
    struct xl_run_counts counts;
    struct runner runner = make_runner(run, &counts);
    return xl_output_page_begin(&runner.params, err);
}

void xl_run_counts_deinit(struct xl_run_counts *counts) {
    xl_str_deinit(&counts->warnings);
    free(counts->log_path);
    *counts = (struct xl_run_counts){0};
}
