/* worker_painter.c - the parent's side of a worker process: a request, and the wait for its answer;
 * pictures that the worker saves while it draws the next ones.
 */
#include "jobs/worker_painter.h"

#include "base/clock.h"
#include "base/json.h"
#include "jobs/environment.h"
#include "jobs/wire.h"
#include "jobs/worker_process.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ASK_MS = 50, PATIENCE_S = 8, MAX_ARGUMENTS = 16, NUMBER = 32 };

/* A group whose pictures the worker puts on disk. */
struct saving {
    struct saving *next;
    uint64_t ticket;
    char *paths[XL_GROUP_MAX];    /* by picture; NULL: not there yet, or handed on */
    bool is_theirs[XL_GROUP_MAX]; /* likewise: it is another process's, and was not put there */
    enum xl_status status;        /* why no more will come */
    struct xl_err err;
};

struct worker_painter {
    struct xl_painter painter; /* first: one is the other */
    struct xl_worker_params params;
    struct xl_process *process; /* NULL: none; the drawing thread's, as what follows */
    json_t *model;              /* the request that made the model at hand; NULL: none */
    uint64_t last_ticket;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    bool is_alive;
    char how[96];     /* what became of the last process */
    json_t *answer;   /* to the last request; NULL: not there yet */
    json_t *progress; /* the newest that was not reported; NULL: none */
    json_t *preview;  /* likewise */
    struct saving *savings;
};

static struct worker_painter *worker_of(struct xl_painter *painter) {
    return (struct worker_painter *)painter;
}

/* --- Hearing (on the process's thread) -------------------------------------------------------- */

static struct saving *find_saving(const struct worker_painter *worker, uint64_t ticket) {
    struct saving *saving = worker->savings;
    while (saving && saving->ticket != ticket) saving = saving->next;
    return saving;
}

static void note_saved(struct worker_painter *worker, const json_t *message, bool is_saved) {
    uint64_t ticket = (uint64_t)json_integer_value(json_object_get(message, "ticket"));
    json_int_t i = json_integer_value(json_object_get(message, "i"));
    const char *path = json_string_value(json_object_get(message, "path"));
    struct saving *saving = find_saving(worker, ticket);
    if (!saving || i < 0 || i >= XL_GROUP_MAX) return;
    if (!is_saved)
        saving->status = xl_wire_read_failure(message, &saving->err);
    else if (!path)
        saving->is_theirs[i] = true;
    else if (!saving->paths[i] && !(saving->paths[i] = strdup(path)))
        saving->status = xl_fail_nomem(&saving->err, "a path", 0);
}

/* by is handed over. */
static void replace(json_t **at, json_t *by) {
    json_decref(*at);
    *at = by;
}

static void heard(void *user, json_t *message) {
    struct worker_painter *worker = user;
    const char *event = json_string_value(json_object_get(message, "event"));
    if (!event) event = "";
    pthread_mutex_lock(&worker->mutex);
    if (!strcmp(event, "progress")) {
        replace(&worker->progress, message);
    } else if (!strcmp(event, "preview")) {
        replace(&worker->preview, message);
    } else if (!strcmp(event, "saved") || !strcmp(event, "unsaved")) {
        note_saved(worker, message, event[0] == 's');
        json_decref(message);
    } else {
        replace(&worker->answer, message);
    }
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
}

static enum xl_status say_died(const struct worker_painter *worker, struct xl_err *err) {
    return xl_fail(err, XL_EWORKER, "a worker process %s", worker->how);
}

static void ended(void *user, const char *how) {
    struct worker_painter *worker = user;
    pthread_mutex_lock(&worker->mutex);
    worker->is_alive = false;
    snprintf(worker->how, sizeof worker->how, "%s", how);
    for (struct saving *saving = worker->savings; saving; saving = saving->next)
        if (!saving->status) saving->status = say_died(worker, &saving->err);
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
}

/* --- Processes -------------------------------------------------------------------------------- */

static bool is_alive(struct worker_painter *worker) {
    pthread_mutex_lock(&worker->mutex);
    bool is_alive = worker->is_alive;
    pthread_mutex_unlock(&worker->mutex);
    return is_alive;
}

static void end_process(struct worker_painter *worker) {
    xl_process_end(worker->process, PATIENCE_S);
    worker->process = NULL;
    replace(&worker->answer, NULL);
    replace(&worker->progress, NULL);
    replace(&worker->preview, NULL);
}

static enum xl_status start_process(struct worker_painter *worker, struct xl_err *err) {
    const struct xl_settings *settings = worker->params.settings;
    const struct xl_worker_gpu *gpu = worker->params.gpu;
    const char *program = worker->params.program;
    char threads[NUMBER], memory[NUMBER];
    char *argv[MAX_ARGUMENTS] = {
        (char *)"sdxl-lab",     (char *)"worker",
        (char *)"--device",     (char *)settings->device,
        (char *)"--threads",    threads,
        (char *)"--max-memory", memory,
        (char *)"--dtype",      (char *)xl_option_find("dtype")->choices[settings->precision]};
    int n = 10;
    snprintf(threads, sizeof threads, "%d", settings->threads);
    snprintf(memory, sizeof memory, "%.9g", settings->max_memory);
    if (settings->quiet) argv[n++] = (char *)"--quiet";
    if (settings->verbose) argv[n++] = (char *)"--verbose";
    end_process(worker);
    /* CUDA numbers GPUs in an order of its own, so it is told by UUID. */
    char visible[160];
    const char *const added[] = {visible, NULL};
    snprintf(visible, sizeof visible, "CUDA_VISIBLE_DEVICES=%s", gpu ? gpu->uuid : "");
    char **environment = gpu ? xl_environment_with(added) : NULL;
    if (gpu && !environment) return xl_fail_nomem(err, "an environment", 0);
    const struct xl_process_params params = {
        .path = program ? program : "/proc/self/exe",
        .argv = argv,
        .environment = environment,
        .kept_open = {worker->params.kept_open, gpu ? gpu->kept_open : -1},
        .heard = heard,
        .ended = ended,
        .user = worker};
    if (gpu)
        snprintf(worker->painter.label, sizeof worker->painter.label, "%s", gpu->uuid);
    else
        snprintf(worker->painter.label, sizeof worker->painter.label, "worker %d",
                 worker->params.number + 1);
    worker->painter.life++;
    worker->is_alive = true; /* before it can end; nobody else looks while there is none */
    enum xl_status status = xl_process_start(&params, &worker->process, err);
    if (status) worker->is_alive = false;
    free(environment);
    return status;
}

/* --- Asking ----------------------------------------------------------------------------------- */

static void tell_preview(const struct xl_painter *painter, const json_t *message) {
    struct xl_preview preview;
    if (!message || !painter->preview || !xl_wire_read_preview(message, &preview)) return;
    painter->preview(painter->user, &preview);
    free((void *)preview.jpeg);
}

/* Report the newest progress, or ask whether to go on. */
static bool goes_on(struct worker_painter *worker) {
    const struct xl_painter *painter = &worker->painter;
    pthread_mutex_lock(&worker->mutex);
    json_t *progress = worker->progress, *preview = worker->preview;
    worker->progress = worker->preview = NULL;
    pthread_mutex_unlock(&worker->mutex);
    tell_preview(painter, preview);
    json_decref(preview);
    int phase = xl_wire_phase(json_string_value(json_object_get(progress, "phase")));
    int64_t done = json_integer_value(json_object_get(progress, "done"));
    int64_t total = json_integer_value(json_object_get(progress, "total"));
    json_decref(progress);
    if (!painter->progress) return true;
    return phase < 0 ? painter->progress(painter->user, XL_PHASE_LOAD, -1, -1)
                     : painter->progress(painter->user, (enum xl_phase)phase, done, total);
}

/* Wait for a moment, or until there is something new. */
static void wait_a_moment(struct worker_painter *worker) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ASK_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&worker->mutex);
    if (!worker->answer && !worker->progress && !worker->preview && worker->is_alive)
        pthread_cond_timedwait(&worker->changed, &worker->mutex, &until);
    pthread_mutex_unlock(&worker->mutex);
}

/* Ask the worker to give up what it is at; it keeps its model. */
static void say_stop(struct worker_painter *worker) {
    struct xl_err ignored;
    bool ok = true;
    xl_json_watch();
    json_t *message = json_object();
    xl_json_put(message, "do", json_string("stop"), &ok);
    enum xl_status status = xl_process_say(worker->process, message, message && ok, &ignored);
    (void)status; /* it has died, or will be ended */
}

/* The answer to the last request, if it is there. Progress of what is stopped is not reported. */
static enum xl_status take_answer(struct worker_painter *worker, bool is_stopped, json_t **out,
                                  struct xl_err *err) {
    pthread_mutex_lock(&worker->mutex);
    if (is_stopped) replace(&worker->progress, NULL), replace(&worker->preview, NULL);
    *out = worker->answer;
    worker->answer = NULL;
    enum xl_status status = !worker->is_alive && !*out ? say_died(worker, err) : XL_OK;
    pthread_mutex_unlock(&worker->mutex);
    return status;
}

/* The answer to the last request. *out: caller json_decref. A worker that is told to stop and does
 * not is ended.
 * Errors: XL_EWORKER it died; XL_ECANCELLED: it was stopped; what the worker failed with */
static enum xl_status await(struct worker_painter *worker, const char *event, json_t **out,
                            struct xl_err *err) {
    json_t *answer = NULL;
    double stopped_s = 0; /* when it was told to stop; 0: it was not */
    for (;;) {
        if (stopped_s == 0 && !goes_on(worker)) {
            stopped_s = xl_now_s();
            say_stop(worker);
        }
        enum xl_status died = take_answer(worker, stopped_s > 0, &answer, err);
        bool is_late = stopped_s > 0 && !answer && xl_now_s() - stopped_s > PATIENCE_S;
        if (is_late) end_process(worker);
        if (stopped_s > 0 && (died || is_late)) return xl_fail(err, XL_ECANCELLED, "interrupted");
        if (died) return died;
        if (answer) break;
        wait_a_moment(worker);
    }
    const char *found = json_string_value(json_object_get(answer, "event"));
    if (found && !strcmp(found, event)) {
        *out = answer;
        return XL_OK;
    }
    enum xl_status status = xl_wire_read_failure(answer, err);
    json_decref(answer);
    return status;
}

/* Say a message (built since xl_json_watch, released here) and wait for the answer. */
static enum xl_status ask(struct worker_painter *worker, json_t *message, const char *event,
                          json_t **out, struct xl_err *err) {
    enum xl_status status = xl_process_say(worker->process, message, message != NULL, err);
    /* Who does not listen has died, or is about to: how, is known when the end is. */
    return status && status != XL_EWORKER ? status : await(worker, event, out, err);
}

/* A process with the model at hand that this one was last asked to have: one that died since was
 * not killed by what is asked now. */
static enum xl_status revive(struct worker_painter *worker, struct xl_err *err) {
    const struct xl_painter *painter = &worker->painter;
    json_t *answer = NULL;
    struct xl_err how;
    if (worker->process && is_alive(worker)) return XL_OK;
    if (worker->process && painter->died && say_died(worker, &how))
        painter->died(painter->user, how.text);
    enum xl_status status = start_process(worker, err);
    if (status || !worker->model) return status;
    xl_json_watch();
    status = ask(worker, json_incref(worker->model), "opened", &answer, err);
    json_decref(answer);
    return status;
}

/* --- The GPU ---------------------------------------------------------------------------------- */

static enum xl_status leave(struct worker_painter *worker, enum xl_status status) {
    const struct xl_worker_gpu *gpu = worker->params.gpu;
    end_process(worker);
    gpu->leave(gpu->user);
    worker->painter.has_left = true;
    return status;
}

void xl_worker_painter_keep_open(struct xl_painter *painter, int descriptor) {
    worker_of(painter)->params.kept_open = descriptor;
}

void xl_worker_painter_rest(struct xl_painter *painter) {
    struct worker_painter *worker = worker_of(painter);
    if (worker->params.gpu)
        (void)leave(worker, XL_EYIELD); /* also one that was found and never drawn with */
    else if (!painter->has_left)
        end_process(worker);
}

/* Whether the GPU is still ours. */
static enum xl_status check_gpu(struct worker_painter *worker, bool at_once, struct xl_err *err) {
    const struct xl_worker_gpu *gpu = worker->params.gpu;
    if (!gpu) return XL_OK;
    int n_own = worker->process && is_alive(worker);
    enum xl_status status = gpu->check(gpu->user, n_own, at_once, err);
    return status == XL_EYIELD || status == XL_EDEVICE ? leave(worker, status) : status;
}

/* What a failure of the worker's means: a GPU that cannot be opened, or that the driver says is
 * lost, is of no use to this run. Else the worker is, after an error that CUDA does not forget: it
 * counts as one that died. */
static enum xl_status judge_failure(struct worker_painter *worker, enum xl_status status,
                                    bool is_opening, struct xl_err *err) {
    struct xl_err why = {0};
    if (!worker->params.gpu || status != XL_EDEVICE) return status;
    if (is_opening) return leave(worker, status);
    enum xl_status checked = check_gpu(worker, true, &why);
    if (worker->painter.has_left) return xl_fail(err, checked, "%s", why.text);
    end_process(worker);
    return XL_EWORKER; /* with its sentence */
}

/* --- The painter ------------------------------------------------------------------------------ */

static enum xl_status open_model(struct xl_painter *painter, const struct xl_sweep *sweep, int m,
                                 int *unit, struct xl_err *err) {
    struct worker_painter *worker = worker_of(painter);
    json_t *request = NULL, *answer = NULL;
    replace(&worker->model, NULL);
    enum xl_status status = revive(worker, err);
    xl_json_watch();
    if (!status) status = xl_wire_open(&sweep->models[m], &request, err);
    if (status) return judge_failure(worker, status, true, err);
    json_incref(request);
    status = ask(worker, request, "opened", &answer, err);
    if (!status) {
        *unit = (int)json_integer_value(json_object_get(answer, "unit"));
        replace(&painter->drawn_by, json_incref(json_object_get(answer, "drawn_by")));
        replace(&worker->model, json_incref(request));
    }
    json_decref(request);
    json_decref(answer);
    return judge_failure(worker, status, true, err);
}

/* It is not answered: a worker that has died, or does not listen, is met again by what is. */
static void expect(struct xl_painter *painter, const struct xl_group *group) {
    struct worker_painter *worker = worker_of(painter);
    json_t *message = NULL;
    struct xl_err ignored;
    if (!group || !worker->process || !is_alive(worker)) return;
    xl_json_watch();
    if (xl_wire_expect(group, &message, &ignored)) return;
    enum xl_status status = xl_process_say(worker->process, message, true, &ignored);
    (void)status;
}

static enum xl_status need(struct xl_painter *painter, const struct xl_group *group,
                           struct xl_need *out, struct xl_err *err) {
    struct worker_painter *worker = worker_of(painter);
    json_t *request = NULL, *answer = NULL;
    enum xl_status status = revive(worker, err);
    if (status) return judge_failure(worker, status, true, err);
    xl_json_watch();
    if (!status) status = xl_wire_group(group, 0, &request, err);
    if (!status) status = ask(worker, request, "need", &answer, err);
    if (!status) xl_wire_read_need(answer, out);
    json_decref(answer);
    return judge_failure(worker, status, false, err);
}

static void free_saving(struct saving *saving) {
    for (int i = 0; i < XL_GROUP_MAX; i++) free(saving->paths[i]);
    free(saving);
}

/* Be ready for the paths of a group before it is asked for. */
static enum xl_status add_saving(struct worker_painter *worker, uint64_t ticket,
                                 struct xl_err *err) {
    struct saving *saving = calloc(1, sizeof *saving);
    if (!saving) return xl_fail_nomem(err, "paths", sizeof *saving);
    saving->ticket = ticket;
    pthread_mutex_lock(&worker->mutex);
    saving->next = worker->savings;
    worker->savings = saving;
    pthread_mutex_unlock(&worker->mutex);
    return XL_OK;
}

/* With the mutex held. */
static void drop_saving(struct worker_painter *worker, uint64_t ticket) {
    struct saving **at = &worker->savings;
    while (*at && (*at)->ticket != ticket) at = &(*at)->next;
    struct saving *saving = *at;
    if (!saving) return;
    *at = saving->next;
    free_saving(saving);
}

static enum xl_status draw(struct xl_painter *painter, struct xl_drawn *drawn, struct xl_err *err) {
    struct worker_painter *worker = worker_of(painter);
    json_t *request = NULL, *answer = NULL;
    drawn->ticket = ++worker->last_ticket;
    enum xl_status status = check_gpu(worker, false, err);
    if (status) return status;
    status = revive(worker, err);
    if (status) return judge_failure(worker, status, true, err);
    status = add_saving(worker, drawn->ticket, err);
    xl_json_watch();
    if (!status) status = xl_wire_group(&drawn->group, drawn->ticket, &request, err);
    if (!status) status = ask(worker, request, "drawn", &answer, err);
    if (!status) status = xl_wire_read_drawn(answer, drawn, err);
    json_decref(answer);
    if (!status) return XL_OK;
    pthread_mutex_lock(&worker->mutex);
    drop_saving(worker, drawn->ticket);
    pthread_mutex_unlock(&worker->mutex);
    return judge_failure(worker, status, false, err);
}

static enum xl_status save(struct xl_painter *painter, struct xl_drawn *drawn, int i, char **path,
                           struct xl_err *err) {
    struct worker_painter *worker = worker_of(painter);
    pthread_mutex_lock(&worker->mutex);
    struct saving *saving = find_saving(worker, drawn->ticket);
    while (saving && !saving->paths[i] && !saving->is_theirs[i] && !saving->status)
        pthread_cond_wait(&worker->changed, &worker->mutex);
    enum xl_status status = XL_OK;
    if (saving && saving->paths[i]) {
        *path = saving->paths[i];
        saving->paths[i] = NULL;
    } else if (saving && saving->status) {
        status = xl_fail(err, saving->status, "%s", saving->err.text);
    } else if (!saving || !drawn->group.claimant.name) {
        status = xl_fail(err, XL_EINTERNAL, "a picture that no worker drew");
    }
    if (status || i == drawn->group.n - 1) drop_saving(worker, drawn->ticket);
    pthread_mutex_unlock(&worker->mutex);
    return status;
}

static void close_painter(struct xl_painter *painter) {
    struct worker_painter *worker = worker_of(painter);
    end_process(worker);
    while (worker->savings) drop_saving(worker, worker->savings->ticket);
    json_decref(worker->model);
    json_decref(painter->drawn_by);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->mutex);
    free(worker);
}

enum xl_status xl_worker_painter_new(const struct xl_worker_params *params, struct xl_painter **out,
                                     struct xl_err *err) {
    struct worker_painter *worker = calloc(1, sizeof *worker);
    pthread_condattr_t monotonic;
    if (!worker) return xl_fail_nomem(err, "the painter", sizeof *worker);
    worker->painter = (struct xl_painter){.open = open_model,
                                          .expect = expect,
                                          .need = need,
                                          .draw = draw,
                                          .save = save,
                                          .close = close_painter};
    worker->params = *params;
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *out = &worker->painter;
    return XL_OK;
}
