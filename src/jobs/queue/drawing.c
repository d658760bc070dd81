/* drawing.c - a job at work, on a thread of its own: planned or gone on with, its place awaited,
 * its run drawn by as many proxies as there are places, its end told.
 */
#include "jobs/queue/parts.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "lab/run/runner.h"

#include <stdlib.h>
#include <string.h>

/* What the thread of a job has to itself. */
struct work {
    struct xl_job_run *drawing;
    struct xl_asked asked; /* planned, or as the run directory has it */
    struct xl_run_dir dir;
    bool has_asked, has_dir; /* those two are there */
    bool is_drawing;         /* or has been */
};

static bool is_given_up(const struct xl_job_run *drawing) {
    return atomic_load(&drawing->is_given_up);
}

/* --- Hooks ------------------------------------------------------------------------------------ */

static bool on_progress(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    const struct work *work = user;
    (void)phase, (void)done, (void)total;
    return !is_given_up(work->drawing);
}

static bool may_draw(void *user, int painter) {
    struct work *work = user;
    return xl_proxy_may_draw(&work->drawing->proxies[painter]);
}

static void rests(void *user, int painter) {
    struct work *work = user;
    xl_proxy_rest(&work->drawing->proxies[painter]);
}

static json_t *describe_saved(const char *job, const struct xl_cell *cell, const char *path,
                              double seconds) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "job", json_string(job), &ok);
    xl_json_put(object, "cell", json_string(cell->id), &ok);
    xl_json_put(object, "path", xl_json_text(path), &ok);
    xl_json_put(object, "seconds", json_real(seconds), &ok);
    return xl_json_finish(object, ok);
}

static json_t *describe_failed(const char *job, const struct xl_cell *cell, enum xl_status status,
                               const char *text) {
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "job", json_string(job), &ok);
    xl_json_put(object, "cell", json_string(cell->id), &ok);
    xl_json_put(object, "status", json_string(xl_status_name(status)), &ok);
    xl_json_put(object, "error", xl_json_text(text), &ok);
    return xl_json_finish(object, ok);
}

static void on_saved(void *user, const struct xl_cell *cell, const char *path, const char *label) {
    struct work *work = user;
    struct xl_queue *queue = work->drawing->queue;
    struct xl_job *job = work->drawing->job;
    double seconds = work->dir.outcomes[cell->index].seconds;
    bool ok = true;
    pthread_mutex_lock(&queue->mutex);
    job->n_done++;
    queue->counts.n_pictures++;
    xl_job_add_picture(job, cell->id, path, seconds);
    const struct xl_pace_key key =
        xl_pace_key_of(xl_slots_device(queue, label), &work->asked.sweep, cell);
    xl_pace_learn(&queue->pace, &key, xl_pace_cell(cell), seconds);
    queue->n_hitches = 0;
    json_t *line = xl_history_line(queue, job, "cell"), *told = xl_tell_job(queue, job, true);
    pthread_mutex_unlock(&queue->mutex);
    xl_json_put(line, "cell", json_string(cell->id), &ok);
    xl_json_put(line, "path", xl_json_text(path), &ok);
    xl_json_put(line, "seconds", json_real(seconds), &ok);
    xl_history_note(queue, line, false); /* the picture itself says that it is there */
    xl_event_ring_put(queue->events, "cell", describe_saved(job->id, cell, path, seconds));
    xl_event_ring_put(queue->events, "job", told);
    xl_pace_file_save(queue, false);
}

static void on_failed(void *user, const struct xl_cell *cell, enum xl_status status,
                      const char *text) {
    struct work *work = user;
    struct xl_queue *queue = work->drawing->queue;
    struct xl_job *job = work->drawing->job;
    pthread_mutex_lock(&queue->mutex);
    job->n_failed++;
    pthread_mutex_unlock(&queue->mutex);
    xl_event_ring_put(queue->events, "cell", describe_failed(job->id, cell, status, text));
}

/* --- Beginning -------------------------------------------------------------------------------- */

static bool lists(const struct xl_jobs *jobs, const struct xl_job *but, const char *path) {
    size_t i;
    json_t *picture;
    for (const struct xl_job *job = jobs->first; job; job = job->after)
        if (job != but)
            json_array_foreach(job->pictures, i,
                               picture) if (!strcmp(json_string_value(json_array_get(picture, 1)),
                                                    path)) return true;
    return false;
}

/* Whether a picture is known to be another job's, which asked for the same in the same second. */
static bool is_of_other(struct xl_job_run *drawing, const char *path) {
    struct xl_queue *queue = drawing->queue;
    pthread_mutex_lock(&queue->mutex);
    bool is_others = lists(&queue->order, drawing->job, path) ||
                     lists(&queue->ended, drawing->job, path);
    pthread_mutex_unlock(&queue->mutex);
    return is_others;
}

/* Of a job that was begun before and has no directory of its own: the pictures of its stamp. */
static enum xl_status find_pictures(struct work *work, struct xl_err *err) {
    struct xl_run_dir *dir = &work->dir;
    const struct xl_sweep *sweep = &work->asked.sweep;
    enum xl_status status = XL_OK;
    for (int c = 0; !status && c < sweep->n_cells; c++) {
        struct xl_outcome *outcome = &dir->outcomes[c];
        status = xl_run_dir_find(dir->model_dirs[sweep->cells[c].model], dir->stamp,
                                 &sweep->cells[c], outcome, err);
        if (status || outcome->state != XL_CELL_DONE) continue;
        outcome->was_there = true;
        if (!is_of_other(work->drawing, outcome->path)) continue;
        free(outcome->path);
        json_decref(outcome->scheduler_config);
        json_decref(outcome->drawn_by);
        *outcome = (struct xl_outcome){.state = XL_CELL_WAITING};
    }
    return status;
}

/* Go on with a run directory. false: it is not there any more */
static bool has_run(const struct xl_job *job) {
    char *path = job->run_dir && job->is_own ? xl_path_join(job->run_dir, "run.json") : NULL;
    bool is_there = path && xl_file_exists(path);
    free(path);
    return is_there;
}

/* What is to be drawn: by the run directory that is there, or planned. */
static enum xl_status prepare(struct work *work, struct xl_err *err) {
    struct xl_job_run *drawing = work->drawing;
    struct xl_asked *asked = &work->asked;
    enum xl_status status;
    if (has_run(drawing->job)) {
        *asked = (struct xl_asked){.settings = drawing->queue->settings};
        status = xl_run_dir_open(drawing->job->run_dir, &asked->settings, &asked->sweep, &work->dir,
                                 err);
        work->has_dir = !status;
    } else {
        if (drawing->job->run_dir && drawing->job->is_own)
            xl_run_dir_abandon(drawing->job->run_dir);
        status = xl_asked_plan(drawing->queue, drawing->job->ask, true, asked, err);
    }
    work->has_asked = !status;
    return status;
}

/* Wait until the job is given a place. false: it is given up */
static bool await_place(struct xl_job_run *drawing) {
    struct xl_queue *queue = drawing->queue;
    bool has_place = false;
    pthread_mutex_lock(&queue->mutex);
    while (!has_place && !is_given_up(drawing)) {
        for (int i = 0; i < queue->n_slots; i++) has_place |= queue->slots[i].job == drawing->job;
        if (!has_place) pthread_cond_wait(&queue->changed, &queue->mutex);
    }
    pthread_mutex_unlock(&queue->mutex);
    return !is_given_up(drawing);
}

/* Where it is drawn. What a run directory holds comes after the journal has its name: of a process
 * that dies in between nothing is left that nobody knows of. */
static enum xl_status make_dir(struct work *work, struct xl_err *err) {
    const struct xl_job *job = work->drawing->job;
    struct xl_asked *asked = &work->asked;
    enum xl_status status = xl_run_dir_reserve(&asked->settings, &asked->sweep, &work->dir, err);
    if (status) return status;
    work->has_dir = true;
    if (!job->stamp || job->is_own || work->dir.is_own) return XL_OK;
    snprintf(work->dir.stamp, sizeof work->dir.stamp, "%s", job->stamp);
    return find_pictures(work, err);
}

static json_t *name_models(const struct xl_sweep *sweep) {
    json_t *names = json_array();
    for (int m = 0; m < sweep->n_models; m++)
        if (sweep->models[m].base == m && !sweep->models[m].skipped)
            json_array_append_new(names, xl_json_text(sweep->models[m].key));
    return names;
}

/* What is there already. With the mutex held. */
static void note_there(struct xl_job *job, const struct work *work) {
    const struct xl_sweep *sweep = &work->asked.sweep;
    job->n_cells = sweep->n_cells;
    job->n_done = job->n_failed = 0;
    json_array_clear(job->pictures);
    for (int c = 0; c < sweep->n_cells; c++) {
        const struct xl_outcome *outcome = &work->dir.outcomes[c];
        if (outcome->state != XL_CELL_DONE) continue;
        job->n_done++;
        xl_job_add_picture(job, sweep->cells[c].id, outcome->path, outcome->seconds);
    }
}

/* It is begun: told, and on the disk before anything is drawn. */
static enum xl_status note_begun(struct work *work, struct xl_err *err) {
    struct xl_job_run *drawing = work->drawing;
    struct xl_queue *queue = drawing->queue;
    struct xl_job *job = drawing->job;
    bool ok = true;
    xl_json_watch();
    json_t *models = name_models(&work->asked.sweep);
    pthread_mutex_lock(&queue->mutex);
    bool is_wanted = !is_given_up(drawing);
    json_t *line = NULL, *told = NULL;
    if (is_wanted) {
        job->state = XL_JOB_RUNNING;
        if (!(job->started_s > 0)) job->started_s = xl_tell_now();
        job->is_own = work->dir.is_own;
        ok = xl_job_set_text(&job->run_dir, work->dir.dir) &&
             xl_job_set_text(&job->stamp, work->dir.stamp) && xl_job_set_text(&job->error, NULL);
        json_decref(job->models);
        job->models = json_incref(models);
        if (work->asked.sweep.n_models > 1) drawing->first.n = 0; /* soon it is another */
        note_there(job, work);
        drawing->has_begun = true;
        line = xl_history_line(queue, job, "begin");
        if (job->n_done) xl_json_put(line, "pictures", json_deep_copy(job->pictures), &ok);
        told = xl_tell_job(queue, job, true);
    }
    pthread_mutex_unlock(&queue->mutex);
    json_decref(models);
    if (!is_wanted) return xl_fail(err, XL_ECANCELLED, "interrupted");
    xl_json_put(line, "at", json_real(job->started_s), &ok);
    xl_json_put(line, "has_own_dir", json_boolean(work->dir.is_own), &ok);
    xl_json_put(line, "run_dir", xl_json_text(work->dir.dir), &ok);
    xl_json_put(line, "stamp", xl_json_text(work->dir.stamp), &ok);
    xl_event_ring_put(queue->events, "job", told);
    return xl_history_put(queue, xl_json_finish(line, ok), true, true, err);
}

static enum xl_status make_proxies(struct work *work, struct xl_err *err) {
    struct xl_job_run *drawing = work->drawing;
    int n = drawing->queue->n_slots;
    if (work->asked.sweep.n_cells < n) n = work->asked.sweep.n_cells;
    struct xl_proxy *proxies = calloc((size_t)n, sizeof *proxies);
    if (!proxies) return xl_fail_nomem(err, "painters", 0);
    for (int i = 0; i < n; i++) xl_proxy_init(&proxies[i], drawing, i);
    pthread_mutex_lock(&drawing->queue->mutex);
    drawing->proxies = proxies;
    drawing->n_proxies = n;
    pthread_mutex_unlock(&drawing->queue->mutex);
    return XL_OK;
}

/* --- Drawing ---------------------------------------------------------------------------------- */

static enum xl_status draw(struct work *work, struct xl_err *err) {
    struct xl_job_run *drawing = work->drawing;
    struct xl_painter *painters[XL_PLACES_MAX];
    struct xl_run_counts counts;
    for (int i = 0; i < drawing->n_proxies; i++) painters[i] = &drawing->proxies[i].painter;
    const struct xl_run run = {.settings = &work->asked.settings,
                               .sweep = &work->asked.sweep,
                               .dir = &work->dir,
                               .hooks = {.progress = on_progress,
                                         .saved = on_saved,
                                         .failed = on_failed,
                                         .may_draw = may_draw,
                                         .rests = rests,
                                         .user = work},
                               .painters = painters,
                               .n_painters = drawing->n_proxies,
                               .log = drawing->queue->log,
                               .job = drawing->job->id};
    enum xl_status status = xl_run_draw(&run, &counts, err);
    xl_run_counts_deinit(&counts);
    return status;
}

static enum xl_status work_on(struct work *work, struct xl_err *err) {
    struct xl_job_run *drawing = work->drawing;
    enum xl_status status = prepare(work, err);
    if (!status) xl_next_offer(drawing, &work->asked);
    if (!status && !await_place(drawing)) status = xl_fail(err, XL_ECANCELLED, "interrupted");
    bool is_new = !work->has_dir;
    if (!status && is_new) status = make_dir(work, err);
    if (!status) status = make_proxies(work, err);
    if (!status) status = note_begun(work, err);
    if (!status && is_new)
        status = xl_run_dir_fill(&work->dir, &work->asked.settings, &work->asked.sweep, err);
    if (status && is_new && work->has_dir && work->dir.is_own) xl_run_dir_abandon(work->dir.dir);
    if (status) return status;
    work->is_drawing = true;
    return draw(work, err);
}

/* --- Ending ----------------------------------------------------------------------------------- */

/* Whether it was stopped by a disk that is full, or gone: the next job would be, too. */
static bool met_disk(const struct work *work, enum xl_status status) {
    for (int c = 0; work->has_dir && status == XL_EPARTIAL && c < work->dir.n_outcomes; c++)
        if (work->dir.outcomes[c].status == XL_EDISK) return true;
    return status == XL_EDISK;
}

/* With the mutex held. Returns the line for the journal; NULL: there is none */
static json_t *settle(struct work *work, enum xl_status status, const char *why) {
    struct xl_job_run *drawing = work->drawing;
    struct xl_queue *queue = drawing->queue;
    struct xl_job *job = drawing->job;
    bool is_open = job->state == XL_JOB_QUEUED || job->state == XL_JOB_RUNNING;
    if (!is_open || is_given_up(drawing)) return NULL;
    if (met_disk(work, status)) xl_dispatch_hold(queue, why);
    if (status) xl_job_set_text(&job->error, why);
    if (status == XL_EDISK && !work->is_drawing) { /* it waits for room, as those after it do */
        job->state = XL_JOB_QUEUED;
        return NULL;
    }
    job->state = status ? XL_JOB_FAILED : XL_JOB_DONE;
    job->status = status;
    job->ended_s = xl_tell_now();
    *(status ? &queue->counts.n_failed : &queue->counts.n_done) += 1;
    xl_order_end(queue, job);
    return xl_history_line(queue, job, "end");
}

static void give_places_back(struct xl_job_run *drawing) {
    struct xl_queue *queue = drawing->queue;
    for (int i = 0; i < queue->n_slots; i++)
        if (queue->slots[i].job == drawing->job) xl_dispatch_free(queue, &queue->slots[i]);
}

static void end(struct work *work, enum xl_status status, const struct xl_err *err) {
    struct xl_job_run *drawing = work->drawing;
    struct xl_queue *queue = drawing->queue;
    struct xl_job *job = drawing->job;
    bool ok = true;
    for (int i = 0; i < drawing->n_proxies; i++) xl_proxy_deinit(&drawing->proxies[i]);
    pthread_mutex_lock(&queue->mutex);
    give_places_back(drawing);
    json_t *line = settle(work, status, err->text), *told = NULL, *order = NULL;
    if (line) {
        xl_json_put(line, "state", json_string(xl_job_state_name(job->state)), &ok);
        xl_json_put(line, "n_done", json_integer(job->n_done), &ok);
        xl_json_put(line, "n_failed", json_integer(job->n_failed), &ok);
        xl_json_put(line, "status", json_string(xl_status_name(status)), &ok);
        xl_json_put(line, "error", xl_json_text(job->error), &ok);
    }
    told = xl_tell_job(queue, job, true);
    order = xl_tell_queue(queue);
    pthread_mutex_unlock(&queue->mutex);
    if (line) xl_history_note(queue, xl_json_finish(line, ok), true);
    xl_event_ring_put(queue->events, "job", told);
    xl_event_ring_put(queue->events, "queue", order);
}

static void *run(void *user) {
    struct xl_job_run *drawing = user;
    struct work work = {.drawing = drawing};
    struct xl_err err = {0};
    enum xl_status status = work_on(&work, &err);
    end(&work, status, &err);
    xl_next_withdraw(drawing);
    if (work.has_dir) xl_run_dir_close(&work.dir);
    if (work.has_asked) xl_asked_deinit(&work.asked);
    pthread_mutex_lock(&drawing->queue->mutex);
    drawing->has_ended = true; /* from here on the dispatcher may free it */
    pthread_cond_broadcast(&drawing->queue->changed);
    pthread_mutex_unlock(&drawing->queue->mutex);
    return NULL;
}

/* --- Threads ---------------------------------------------------------------------------------- */

bool xl_job_run_start(struct xl_queue *queue, struct xl_job *job, struct xl_err *err) {
    struct xl_job_run *drawing = calloc(1, sizeof *drawing);
    if (!drawing) {
        xl_fail_nomem(err, "a job's thread", 0);
        return false;
    }
    drawing->queue = queue;
    drawing->job = job;
    job->drawing = drawing; /* it looks for nothing else before it has the mutex */
    int failed = pthread_create(&drawing->thread, NULL, run, drawing);
    if (!failed) return true;
    job->drawing = NULL;
    free(drawing);
    xl_fail(err, XL_ENOMEM, "cannot start a job's thread: %s", strerror(failed));
    return false;
}

void xl_job_run_give_up(struct xl_job *job) {
    if (job->drawing) atomic_store(&job->drawing->is_given_up, true);
}

void xl_job_run_join(struct xl_job_run *drawing) {
    pthread_join(drawing->thread, NULL);
    free(drawing->proxies);
    free(drawing);
}
