/* run_jobs.c - the loop of sdxl-lab run: what has ended, what is seen on our GPUs, what begins. */
#include "cli/run_jobs.h"
#include "cli/interrupt.h"
#include "cli/run_log.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "hub/location.h"
#include "jobs/container.h"
#include "jobs/environment.h"
#include "jobs/gpu_wish.h"
#include "jobs/job_process.h"
#include "lab/log/instance.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Failures in a row after which nothing more is begun; beginnings of a job that loses its GPU. */
enum { MOST_FAILURES = 3, MOST_TRIES = 3, CODE_YIELD = 75 };

static const double TICK_S = 0.1, PATIENCE_S = 30; /* with a job on a GPU that is lost */

/* A job that waits to be begun again. */
struct job {
    int number, n_tries;
    char *run_dir; /* malloc'd: to be resumed; NULL: from the beginning */
};

/* A job at work. */
struct slot {
    struct job job;
    pid_t pid; /* 0: the slot is free */
    struct xl_card card;
    double start_s, lost_s; /* since when its GPU is lost; 0: it is not */
    int log;
    off_t log_begin;
    char log_path[4096];
    bool is_told; /* that somebody else is on its GPU */
};

struct runner {
    const struct xl_run_jobs *params;
    struct xl_run_result *result;
    struct xl_gpus *gpus;
    struct xl_gpu_wish wish;
    struct slot slots[XL_GPUS_MAX];
    struct job waiting[XL_GPUS_MAX];         /* to be begun again */
    int n_running, n_waiting, n_made, total; /* total: jobs in all; 0: without end */
    int n_failures;                          /* in a row */
    bool is_ending;                          /* nothing more is begun */
    bool was_signalled, was_asked_to_end, says_waiting;
    double waits_since_s;
    char instance[XL_INSTANCE_MAX + 1];
};

static bool goes_on(void *user) {
    (void)user;
    return !xl_interrupted() && !xl_interrupt_wants_end();
}

/* --- Ending ----------------------------------------------------------------------------------- */

static void note_result(struct runner *runner, const struct slot *slot, int code, double seconds,
                        const char *error) {
    struct xl_run_result *result = runner->result;
    const struct xl_gpu *gpu = &slot->card.gpu;
    json_t *object = json_object();
    bool ok = object != NULL;
    xl_json_put(object, "job", json_integer(slot->job.number), &ok);
    xl_json_put(object, "exit_code", json_integer(code), &ok);
    xl_json_put(object, "seconds", json_real(seconds), &ok);
    xl_json_put(object, "gpu", json_integer(gpu->index), &ok);
    xl_json_put(object, "uuid", xl_json_text(gpu->uuid), &ok);
    xl_json_put(object, "log", xl_json_text(slot->log_path), &ok);
    xl_json_put(object, "error", xl_json_text(error[0] ? error : NULL), &ok);
    if (ok)
        json_array_append_new(result->jobs, object);
    else
        json_decref(object);
    if (!code || result->first_code) return;
    result->first_code = code;
    snprintf(result->first, sizeof result->first,
             "job %d on GPU %d, exit code %d%s%.500s; see %.200s", slot->job.number, gpu->index,
             code, error[0] ? ": " : "", error, slot->log_path);
}

static void tell(const struct runner *runner, const struct slot *slot, const char *what) {
    if (runner->params->settings->json) return;
    printf("job %-4d GPU %d  %s\n", slot->job.number, slot->card.gpu.index, what);
    fflush(stdout);
}

/* Whether a job that ended so is begun again: it gave way, or lost its GPU. */
static bool is_tried_again(const struct runner *runner, const struct slot *slot, int code) {
    if (runner->is_ending || xl_interrupted()) return false;
    if (code == CODE_YIELD) return true;
    bool lost = code == 4 || code > 128;
    return lost && slot->job.n_tries < MOST_TRIES;
}

static void free_slot(struct runner *runner, struct slot *slot) {
    xl_card_release(&slot->card);
    if (slot->log >= 0) close(slot->log);
    free(slot->job.run_dir);
    *slot = (struct slot){.log = -1};
    runner->n_running--;
}

static void put_back(struct runner *runner, struct slot *slot, int code, const char *run_dir) {
    struct job *job = &runner->waiting[runner->n_waiting++];
    *job = slot->job;
    slot->job.run_dir = NULL;
    if (code == CODE_YIELD) job->n_tries--; /* giving way is no failure */
    if (!run_dir) return;
    free(job->run_dir);
    job->run_dir = strdup(run_dir);
}

/* What will fail again in the same way is not begun again, and neither is anything else. Engines of
 * containers end with 125 to 127 when they cannot start one. */
static void judge(struct runner *runner, int code) {
    bool is_hopeless = code == 2 || code == 5 || code == 6 || (code >= 125 && code <= 127);
    runner->n_failures = code ? runner->n_failures + 1 : 0;
    if (!is_hopeless && runner->n_failures < MOST_FAILURES) return;
    if (!runner->is_ending && runner->total != 1)
        xl_warn("nothing more is begun: %s",
                is_hopeless ? "the next would fail likewise" : "three jobs failed in a row");
    runner->is_ending = true;
}

static void end_job(struct runner *runner, struct slot *slot, int code) {
    struct xl_arena arena = {0};
    const char *error = "", *run_dir = NULL;
    char text[600];
    double seconds = xl_now_s() - slot->start_s;
    if (code)
        xl_run_log_read(slot->log_path, slot->log_begin, runner->params->output, &arena, &error,
                        &run_dir);
    if (code > 128) error = strsignal(code - 128);
    xl_run_log_note(slot->log, "job %d ended with exit code %d after %.1f s", slot->job.number,
                    code, seconds);
    bool is_again = code && is_tried_again(runner, slot, code);
    bool is_stopped = code && !is_again && (xl_interrupted() || code == CODE_YIELD);
    if (!code)
        snprintf(text, sizeof text, "done in %.1f s", seconds);
    else
        snprintf(text, sizeof text, "exit code %d%s%s%.400s", code,
                 is_again ? (run_dir ? ", to be gone on with" : ", to be begun again") : "",
                 error[0] ? ": " : "", error);
    tell(runner, slot, text);
    if (is_again) {
        put_back(runner, slot, code, run_dir);
    } else if (is_stopped) {
        runner->result->n_stopped++;
    } else {
        note_result(runner, slot, code, seconds, error);
        runner->result->n_done += !code;
        runner->result->n_failed += code != 0;
        judge(runner, code);
    }
    xl_arena_deinit(&arena);
    free_slot(runner, slot);
}

static void reap(struct runner *runner) {
    int code;
    for (int i = 0; i < XL_GPUS_MAX; i++)
        if (runner->slots[i].pid && xl_job_has_ended(runner->slots[i].pid, &code))
            end_job(runner, &runner->slots[i], code);
}

static void signal_all(const struct runner *runner, int number) {
    for (int i = 0; i < XL_GPUS_MAX; i++)
        if (runner->slots[i].pid) kill(runner->slots[i].pid, number);
}

/* Hand on, once, what we were told; that an end is wanted is said again at every look, since a job
 * that has just begun does not listen yet. */
static void hand_on_signals(struct runner *runner) {
    if (xl_interrupted() && !runner->was_signalled) {
        runner->was_signalled = runner->is_ending = true;
        signal_all(runner, xl_interrupt_exit_code() - 128);
    }
    if (xl_interrupt_wants_end()) runner->was_asked_to_end = runner->is_ending = true;
}

/* --- Looking at our GPUs ---------------------------------------------------------------------- */

static void look_at(struct runner *runner, struct slot *slot) {
    const struct xl_settings *settings = runner->params->settings;
    const struct xl_gpu *gpu = &slot->card.gpu;
    enum xl_card_state state;
    char text[XL_BUSY_MAX];
    struct xl_err why;
    if (xl_card_check(runner->gpus, &slot->card, 1, &state, text, &why)) return;
    double now_s = xl_now_s();
    if (state == XL_CARD_LOST && slot->lost_s <= 0) {
        xl_warn("GPU %d (%s) is lost: %s; job %d is ended", gpu->index, gpu->uuid, text,
                slot->job.number);
        slot->lost_s = now_s;
        kill(slot->pid, SIGTERM);
    } else if (state == XL_CARD_LOST && now_s - slot->lost_s > PATIENCE_S) {
        kill(slot->pid, SIGKILL);
    }
    if (state != XL_CARD_SHARED) return;
    bool yields = settings->on_foreign_process == XL_FOREIGN_YIELD;
    if (yields) kill(slot->pid, SIGUSR1);
    if (slot->is_told) return;
    slot->is_told = true;
    xl_warn("GPU %d (%s) is shared with %s%s", gpu->index, gpu->uuid, text,
            yields ? "; the job ends with the pictures at hand and is gone on with elsewhere" : "");
}

/* --- Beginning -------------------------------------------------------------------------------- */

/* Names of variables that a container gets from us: settings of headless runs. */
static const char *const *list_variables(struct xl_arena *arena) {
    const struct xl_option *option;
    char name[XL_ENVIRONMENT_NAME_MAX];
    int n = 0;
    const char **list = xl_arena_alloc(arena, (2 * XL_OPTIONS_MAX + 2) * sizeof *list);
    if (!list) return NULL;
    if (getenv("HEADLESS")) list[n++] = "HEADLESS";
    for (int i = 0; (option = xl_option_at(i)); i++)
        for (int k = 0; xl_option_environment(option, k, name); k++)
            if (!option->is_place && strcmp(option->name, "gpus") != 0 && getenv(name) &&
                n < 2 * XL_OPTIONS_MAX)
                if (!(list[n++] = xl_arena_strdup(arena, name))) return NULL;
    return list;
}

/* The words of sdxl-lab's command for a job: what was asked for, or to go on. */
static const char *const *choose_words(const struct runner *runner, const struct job *job,
                                       const char *going_on[3]) {
    if (!job->run_dir) return runner->params->words;
    going_on[0] = "resume";
    going_on[1] = job->run_dir;
    going_on[2] = NULL;
    return going_on;
}

static const char *const *write_command(const struct runner *runner, const struct slot *slot,
                                        const char *instance, struct xl_arena *arena) {
    const struct xl_settings *settings = runner->params->settings;
    const char *going_on[3];
    const char *const *words = choose_words(runner, &slot->job, going_on);
    if (settings->container) {
        const char *cache = xl_hub_home(arena);
        const struct xl_container_job job = {.engine = (enum xl_container)settings->container,
                                             .image = settings->container_image,
                                             .name = xl_arena_printf(arena, "sdxl-lab-%s-%d-%d",
                                                                     instance, (int)getpid(),
                                                                     slot->job.number),
                                             .uuid = slot->card.gpu.uuid,
                                             .cache = cache && xl_dir_exists(cache) ? cache : NULL,
                                             .output = runner->params->output,
                                             .instance = instance,
                                             .variables = list_variables(arena),
                                             .words = words};
        return job.name && job.variables ? xl_container_command(&job, arena) : NULL;
    }
    int n = 0;
    while (words[n]) n++;
    const char **argv = xl_arena_alloc(arena, ((size_t)n + 2) * sizeof *argv);
    if (!argv) return NULL;
    argv[0] = "sdxl-lab";
    for (int i = 0; i < n; i++) argv[i + 1] = words[i];
    return argv;
}

/* Start the job of a slot, whose card and log are there. */
static enum xl_status start_job(struct runner *runner, struct slot *slot, const char *instance,
                                struct xl_err *err) {
    const struct xl_settings *settings = runner->params->settings;
    struct xl_arena arena = {0};
    const char *const *argv = write_command(runner, slot, instance, &arena);
    const char *const added[] = {
        xl_arena_printf(&arena, "CUDA_VISIBLE_DEVICES=%s", slot->card.gpu.uuid),
        xl_arena_printf(&arena, "NVIDIA_VISIBLE_DEVICES=%s", slot->card.gpu.uuid),
        xl_arena_printf(&arena, "INSTANCE_ID=%s", instance),
        xl_arena_printf(&arena, "OUTPUT_DIR=%s", runner->params->output),
        "GPUS=none",
        NULL};
    char **environment = added[0] && added[1] && added[2] && added[3] ? xl_environment_with(added)
                                                                      : NULL;
    enum xl_status status = XL_OK;
    if (!argv || !environment) status = xl_fail_nomem(err, "a command", 0);
    const struct xl_job_start start = {.path = settings->container ? argv[0] : "/proc/self/exe",
                                       .argv = argv,
                                       .environment = environment,
                                       .log = slot->log,
                                       .kept_open = xl_lock_descriptor(slot->card.lock)};
    if (!status) {
        struct xl_str line = {0};
        for (int i = 0; argv[i]; i++) {
            if (i) xl_str_puts(&line, " ");
            xl_str_put_shell_word(&line, argv[i]);
        }
        xl_run_log_note(slot->log, "job %d on GPU %d (%s): %.800s", slot->job.number,
                        slot->card.gpu.index, slot->card.gpu.uuid, line.text ? line.text : "");
        xl_str_deinit(&line);
        status = xl_job_start(&start, &slot->pid, err);
    }
    free(environment);
    xl_arena_deinit(&arena);
    return status;
}

/* The next job: one that waits to be begun again, or a new one. */
static struct job next_job(struct runner *runner) {
    if (!runner->n_waiting) return (struct job){.number = ++runner->n_made, .n_tries = 1};
    struct job job = runner->waiting[0];
    memmove(runner->waiting, runner->waiting + 1,
            (size_t)--runner->n_waiting * sizeof *runner->waiting);
    job.n_tries++;
    return job;
}

static enum xl_status begin_job(struct runner *runner, const struct xl_card *card,
                                struct xl_err *err) {
    int i = 0;
    char instance[XL_INSTANCE_MAX + 16];
    while (i < XL_GPUS_MAX - 1 && runner->slots[i].pid) i++;
    struct slot *slot = &runner->slots[i];
    *slot = (struct slot){.job = next_job(runner), .card = *card, .start_s = xl_now_s(), .log = -1};
    runner->n_running++;
    snprintf(instance, sizeof instance, "%s%sgpu%d", runner->instance,
             runner->instance[0] ? "-" : "", card->gpu.index);
    snprintf(slot->log_path, sizeof slot->log_path, "%s/run_%s.log", runner->params->output,
             instance);
    enum xl_status status = xl_run_log_open(slot->log_path, &slot->log, &slot->log_begin, err);
    if (!status) status = start_job(runner, slot, instance, err);
    if (status) {
        free_slot(runner, slot);
        return status;
    }
    char text[4200];
    snprintf(text, sizeof text, "%s, log %s", slot->job.run_dir ? "goes on" : "begins",
             slot->log_path);
    tell(runner, slot, text);
    return XL_OK;
}

/* How many jobs could be begun now. */
static int count_wanted(const struct runner *runner) {
    int left = runner->total ? runner->total - runner->n_made + runner->n_waiting : XL_GPUS_MAX;
    int room = runner->wish.said.most - runner->n_running;
    if (runner->is_ending) return 0;
    return left < room ? left : room;
}

/* Begin as many jobs as there are idle GPUs. */
static enum xl_status begin_jobs(struct runner *runner, struct xl_err *err) {
    struct xl_card cards[XL_GPUS_MAX];
    struct xl_str why = {0};
    int n = 0;
    runner->wish.wish.most = count_wanted(runner);
    enum xl_status status = xl_cards_take(runner->gpus, &runner->wish.wish, cards, &n, &why, err);
    for (int i = 0; i < n; i++) {
        if (status)
            xl_card_release(&cards[i]);
        else
            status = begin_job(runner, &cards[i], err);
    }
    double now_s = xl_now_s(), wait_s = runner->wish.wait.wait_s;
    if (runner->n_running) {
        runner->waits_since_s = now_s;
        runner->says_waiting = false;
    } else if (!status) {
        if (wait_s >= 0 && now_s - runner->waits_since_s >= wait_s)
            status = xl_cards_fail_busy(&why, err);
        else if (!runner->says_waiting)
            xl_warn("waiting for an idle GPU");
        runner->says_waiting = true;
    }
    xl_str_deinit(&why);
    return status == XL_ECANCELLED ? XL_OK : status; /* signals are looked at by the loop */
}

/* --- The loop --------------------------------------------------------------------------------- */

/* What goes wrong with beginning ends the rest when what runs is through. */
static enum xl_status run_loop(struct runner *runner, struct xl_err *err) {
    enum xl_status status = XL_OK;
    double next_s = 0;
    for (;;) {
        int n_before = runner->n_running;
        hand_on_signals(runner);
        reap(runner);
        if (!runner->n_running && (status || count_wanted(runner) <= 0)) return status;
        if (xl_now_s() < next_s && n_before == runner->n_running) {
            usleep((useconds_t)(TICK_S * 1e6));
            continue;
        }
        for (int i = 0; i < XL_GPUS_MAX; i++)
            if (runner->slots[i].pid) look_at(runner, &runner->slots[i]);
        if (runner->was_asked_to_end) signal_all(runner, SIGUSR1);
        if (!status && count_wanted(runner) > 0) status = begin_jobs(runner, err);
        next_s = xl_now_s() + runner->wish.wait.poll_s;
    }
}

/* Without --repeat, the command is run once for each GPU that was asked for. */
static enum xl_status count_total(struct runner *runner, struct xl_err *err) {
    const struct xl_settings *settings = runner->params->settings;
    if (xl_settings_is_given(settings, "repeat")) {
        runner->total = settings->repeat;
        return XL_OK;
    }
    runner->total = runner->wish.said.most;
    if (!runner->wish.said.is_all) return XL_OK;
    struct xl_gpu_list *list = malloc(sizeof *list);
    if (!list) return xl_fail_nomem(err, "readings of GPUs", sizeof *list);
    enum xl_status status = xl_gpus_read(runner->gpus, list, err);
    if (!status) runner->total = list->n > 0 ? list->n : 1;
    free(list);
    return status;
}

enum xl_status xl_run_jobs(const struct xl_run_jobs *jobs, struct xl_run_result *out,
                           struct xl_err *err) {
    struct runner *runner = calloc(1, sizeof *runner);
    *out = (struct xl_run_result){.jobs = json_array()};
    if (!runner || !out->jobs) {
        free(runner);
        return xl_fail_nomem(err, "jobs", 0);
    }
    runner->params = jobs;
    runner->result = out;
    runner->waits_since_s = xl_now_s();
    for (int i = 0; i < XL_GPUS_MAX; i++) runner->slots[i].log = -1;
    xl_instance_name(jobs->settings->instance, runner->instance);
    enum xl_status status = xl_gpu_wish_read(jobs->settings, goes_on, NULL, &runner->wish, err);
    if (!jobs->settings->wait) runner->wish.wait.wait_s = -1;
    if (!status) status = xl_gpus_open(true, &runner->gpus, err);
    if (!status) status = count_total(runner, err);
    if (!status) status = run_loop(runner, err);
    for (int i = 0; i < runner->n_waiting; i++) free(runner->waiting[i].run_dir);
    out->n_stopped += runner->n_waiting;
    xl_gpus_close(runner->gpus);
    bool was_signalled = runner->was_signalled, was_asked = runner->was_asked_to_end;
    free(runner);
    if (was_signalled) return xl_fail(err, XL_ECANCELLED, "interrupted");
    if (!status && was_asked && (out->n_stopped || !out->n_done))
        status = xl_fail(err, XL_EYIELD, "stopped after the pictures at hand, as asked");
    return status;
}
