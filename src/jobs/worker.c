/* worker.c - requests in, answers out: the main thread reads and draws, a second one saves. */
#include "jobs/worker.h"

#include "base/clock.h"
#include "base/handover.h"
#include "base/json.h"
#include "base/log.h"
#include "jobs/wire.h"
#include "lab/run/engine_painter.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SAVING = 16 }; /* pictures */

static const double PROGRESS_S = 0.1; /* between two reports */

struct worker {
    const struct xl_worker *params;
    struct xl_painter *painter;
    struct xl_line_reader reader;
    struct xl_arena arena; /* of the model */
    struct xl_sweep model; /* one model, no cells */
    struct xl_sweep_model models[1];
    struct task *expected[2]; /* what the painter was told to expect, and before that */
    bool is_drawing;
    json_t *heard; /* a request that was read while a group was drawn, to be obeyed; NULL: none */
    enum xl_status heard_status; /* of reading it */
    struct xl_err heard_err;
    struct xl_handover *saver;
    pthread_mutex_t output; /* a line at a time */
    double reported_s;
};

/* A group on its way: what was asked, and what came of it. */
struct task {
    struct worker *worker;
    struct xl_wire_group asked;
    struct xl_sweep_model models[1]; /* as they were then */
    struct xl_drawn *drawn;
};

/* --- Answering -------------------------------------------------------------------------------- */

/* Say what was built since xl_json_watch. That nobody listens is seen at the input. */
static void say(struct worker *worker, json_t *message, bool ok) {
    struct xl_err ignored;
    pthread_mutex_lock(&worker->output);
    enum xl_status status = xl_line_write(worker->params->output, message, ok, &ignored);
    pthread_mutex_unlock(&worker->output);
    (void)status;
}

static void say_failed(struct worker *worker, enum xl_status status, const struct xl_err *why) {
    xl_json_watch();
    json_t *message = xl_wire_failure("failed", status, why->text);
    say(worker, message, message != NULL);
}

/* Whether somebody is still there who could read an answer. */
static bool is_spoken_to(const struct worker *worker) {
    struct pollfd input = {.fd = worker->params->input};
    return poll(&input, 1, 0) <= 0 || !(input.revents & (POLLHUP | POLLERR));
}

/* Whether there is a request to be read. */
static bool is_asked(const struct worker *worker) {
    const struct xl_line_reader *reader = &worker->reader;
    struct pollfd input = {.fd = worker->params->input, .events = POLLIN};
    return reader->n > reader->n_used || (poll(&input, 1, 0) > 0 && input.revents & POLLIN);
}

static bool goes_on(const struct worker *worker) {
    const struct xl_worker *params = worker->params;
    return !params->goes_on || params->goes_on(params->user);
}

static bool hear_out(struct worker *worker);

static bool on_progress(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct worker *worker = user;
    if (!goes_on(worker) || !is_spoken_to(worker) || !hear_out(worker)) return false;
    double now_s = xl_now_s();
    if (total < 0 || (done < total && now_s - worker->reported_s < PROGRESS_S)) return true;
    worker->reported_s = now_s;
    xl_json_watch();
    json_t *message = xl_wire_event("progress");
    bool ok = message != NULL;
    xl_json_put(message, "phase", json_string(xl_wire_phase_name(phase)), &ok);
    xl_json_put(message, "done", json_integer(done), &ok);
    xl_json_put(message, "total", json_integer(total), &ok);
    say(worker, message, ok);
    return true;
}

static void on_preview(void *user, const struct xl_preview *preview) {
    struct worker *worker = user;
    xl_json_watch();
    json_t *message = xl_wire_preview(preview);
    say(worker, message, message != NULL);
}

/* --- Saving (on the saver's thread) ----------------------------------------------------------- */

static void free_task(struct task *task) {
    xl_drawn_free(task->drawn);
    xl_wire_group_deinit(&task->asked);
    free(task);
}

/* Say where picture i of a group is, or why it is nowhere. */
static enum xl_status save_one(struct task *task, int i) {
    struct worker *worker = task->worker;
    struct xl_err why = {0};
    char *path = NULL;
    enum xl_status status = worker->painter->save(worker->painter, task->drawn, i, &path, &why);
    xl_json_watch();
    json_t *message = status ? xl_wire_failure("unsaved", status, why.text)
                             : xl_wire_event("saved");
    bool ok = message != NULL;
    xl_json_put(message, "ticket", json_integer((json_int_t)task->asked.ticket), &ok);
    xl_json_put(message, "i", json_integer(i), &ok);
    if (path) xl_json_put(message, "path", xl_json_text(path), &ok);
    say(worker, message, ok);
    free(path);
    return status;
}

static void save_all(void *user, void *item) {
    struct task *task = item;
    (void)user;
    for (int i = 0; i < task->asked.group.n && !save_one(task, i); i++) {
    }
    free_task(task);
}

/* --- Requests --------------------------------------------------------------------------------- */

static enum xl_status open_model(struct worker *worker, const json_t *request, struct xl_err *err) {
    int unit = 0;
    struct xl_sweep_model model;
    enum xl_status status = xl_wire_read_model(request, &worker->arena, &model, err);
    if (status) return status;
    worker->models[0] = model;
    status = worker->painter->open(worker->painter, &worker->model, 0, &unit, err);
    if (status) return status;
    xl_json_watch();
    json_t *message = xl_wire_event("opened");
    bool ok = message != NULL;
    xl_json_put(message, "unit", json_integer(unit), &ok);
    xl_json_put(message, "drawn_by", json_incref(worker->painter->drawn_by), &ok);
    say(worker, message, ok);
    return XL_OK;
}

/* The group of a request, with what it needs to be drawn with a model. */
static enum xl_status new_task(struct worker *worker, const struct xl_sweep_model *model,
                               const json_t *request, struct task **out, struct xl_err *err) {
    if (!worker->models[0].id)
        return xl_fail(err, XL_EINPUT, "a message: there is no model at hand; say \"open\" before");
    struct task *task = calloc(1, sizeof *task);
    if (!task) return xl_fail_nomem(err, "a group", sizeof *task);
    task->worker = worker;
    task->models[0] = *model;
    enum xl_status status = xl_wire_read_group(request, task->models, &task->asked, err);
    if (!status && !(task->drawn = calloc(1, sizeof *task->drawn)))
        status = xl_fail_nomem(err, "a group", sizeof *task->drawn);
    if (status) {
        free_task(task);
        return status;
    }
    task->drawn->group = task->asked.group;
    *out = task;
    return XL_OK;
}

/* Nobody waits for an answer: what cannot be expected is met when it is asked for. */
static void expect(struct worker *worker, const json_t *request) {
    struct xl_sweep_model model;
    struct task *task = NULL;
    struct xl_err why = {0};
    enum xl_status status = xl_wire_read_model(request, &worker->arena, &model, &why);
    if (!status) status = new_task(worker, &model, request, &task, &why);
    if (status) {
        xl_info("reading ahead: %s", why.text);
        return;
    }
    worker->painter->expect(worker->painter, &task->asked.group);
    if (worker->expected[1]) free_task(worker->expected[1]);
    worker->expected[1] = worker->expected[0];
    worker->expected[0] = task;
}

/* Hear what is said while the worker is at something. While a group is drawn that may be what to
 * expect; all else is to be obeyed and ends what it is at. Returns whether it goes on. */
static bool hear_out(struct worker *worker) {
    while (worker->is_drawing && !worker->heard && !worker->heard_status && is_asked(worker)) {
        json_t *request = NULL;
        worker->heard_status = xl_line_read(&worker->reader, &request, &worker->heard_err);
        const char *what = json_string_value(json_object_get(request, "do"));
        bool is_expected = what && !strcmp(what, "expect");
        if (is_expected) expect(worker, request);
        if (is_expected)
            json_decref(request);
        else if (!(worker->heard = request))
            return false; /* nobody is there any more, or what was said is no request */
    }
    return !worker->heard && !worker->heard_status && !is_asked(worker);
}

static enum xl_status tell_need(struct worker *worker, const json_t *request, struct xl_err *err) {
    struct task *task = NULL;
    struct xl_need need;
    enum xl_status status = new_task(worker, worker->models, request, &task, err);
    if (status) return status;
    status = worker->painter->need(worker->painter, &task->asked.group, &need, err);
    free_task(task);
    if (status) return status;
    xl_json_watch();
    json_t *message = xl_wire_event("need");
    bool ok = message != NULL;
    xl_wire_put_need(message, &need, &ok);
    say(worker, message, ok);
    return XL_OK;
}

/* What is drawn is announced before it is saved: no picture is on disk that nobody expects. */
static enum xl_status draw(struct worker *worker, const json_t *request, struct xl_err *err) {
    struct task *task = NULL;
    enum xl_status status = new_task(worker, worker->models, request, &task, err);
    if (status) return status;
    worker->is_drawing = true;
    status = worker->painter->draw(worker->painter, task->drawn, err);
    worker->is_drawing = false;
    if (status) {
        free_task(task);
        return status;
    }
    xl_json_watch();
    json_t *message = xl_wire_event("drawn");
    bool ok = message != NULL;
    xl_json_put(message, "ticket", json_integer((json_int_t)task->asked.ticket), &ok);
    xl_wire_put_drawn(message, task->drawn, &ok);
    say(worker, message, ok);
    xl_handover_put(worker->saver, task, task->asked.group.n);
    return XL_OK;
}

static enum xl_status obey(struct worker *worker, const json_t *request) {
    const char *what = json_string_value(json_object_get(request, "do"));
    struct xl_err why = {0};
    enum xl_status status = XL_OK;
    if (!what) what = "";
    if (!strcmp(what, "open"))
        status = open_model(worker, request, &why);
    else if (!strcmp(what, "expect"))
        expect(worker, request);
    else if (!strcmp(what, "need"))
        status = tell_need(worker, request, &why);
    else if (!strcmp(what, "draw"))
        status = draw(worker, request, &why);
    else if (strcmp(what, "stop") != 0) /* that came too late, or has been obeyed */
        status = xl_fail(
            &why, XL_EINPUT,
            "a message: \"do\" is \"%.40s\", expected open, expect, need, draw or stop", what);
    bool is_stopped = status == XL_ECANCELLED && goes_on(worker) && is_spoken_to(worker);
    if (status && (status != XL_ECANCELLED || is_stopped)) say_failed(worker, status, &why);
    return is_stopped ? XL_OK : status;
}

/* The next request: what was heard before, or what is said now. *out: NULL at the end. */
static enum xl_status next_request(struct worker *worker, json_t **out, struct xl_err *err) {
    if (worker->heard_status)
        return xl_fail(err, worker->heard_status, "%s", worker->heard_err.text);
    if (!worker->heard) return xl_line_read(&worker->reader, out, err);
    *out = worker->heard;
    worker->heard = NULL;
    return XL_OK;
}

static enum xl_status obey_all(struct worker *worker, struct xl_err *err) {
    for (;;) {
        json_t *request = NULL;
        enum xl_status status = next_request(worker, &request, err);
        if (!goes_on(worker))
            status = xl_fail(err, XL_ECANCELLED, "interrupted");
        else if (!status && !request)
            return XL_OK;
        else if (!status)
            status = obey(worker, request) == XL_ECANCELLED ? XL_ECANCELLED : XL_OK;
        json_decref(request);
        if (status == XL_ECANCELLED && !is_spoken_to(worker)) return XL_OK;
        if (status) return status;
    }
}

enum xl_status xl_worker_run(const struct xl_worker *params, struct xl_err *err) {
    struct worker worker = {.params = params,
                            .reader = {.fd = params->input, .ends_at_signal = true}};
    worker.model = (struct xl_sweep){.models = worker.models, .n_models = 1};
    pthread_mutex_init(&worker.output, NULL);
    enum xl_status status = xl_engine_painter_new(params->settings, &worker.painter, err);
    if (!status) {
        worker.painter->progress = on_progress;
        worker.painter->preview = on_preview;
        worker.painter->user = &worker;
        status = xl_handover_new(MOST_SAVING, save_all, NULL, &worker.saver, err);
    }
    if (!status) status = obey_all(&worker, err);
    xl_handover_finish(worker.saver);
    if (worker.painter) worker.painter->close(worker.painter);
    for (int i = 0; i < 2; i++)
        if (worker.expected[i]) free_task(worker.expected[i]);
    json_decref(worker.heard);
    xl_line_reader_deinit(&worker.reader);
    xl_arena_deinit(&worker.arena);
    pthread_mutex_destroy(&worker.output);
    return status;
}
