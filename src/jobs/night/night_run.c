/* night_run.c - a night from its first job to its last: begun or gone on with, round after round.
 */
#include "jobs/night/night_run.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "jobs/night/inbox.h"
#include "lab/run/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- What it says ----------------------------------------------------------------------------- */

void xl_night_tell(struct xl_night *night, const char *sentence) {
    const struct xl_night_follow *follow = &night->params->follow;
    pthread_mutex_lock(&night->mutex);
    xl_night_state_note(&night->state, sentence);
    pthread_mutex_unlock(&night->mutex);
    if (follow->tell) follow->tell(follow->user, sentence);
}

void xl_night_end(struct xl_night *night, enum xl_night_phase phase, const char *why) {
    pthread_mutex_lock(&night->mutex);
    bool is_first = !atomic_exchange(&night->ends, true) || night->end == XL_NIGHT_DRAWS;
    if (is_first) {
        night->end = phase;
        xl_night_state_say(&night->state, why);
    }
    pthread_mutex_unlock(&night->mutex);
    if (is_first) xl_night_tell(night, why);
}

void xl_night_write(struct xl_night *night) {
    struct xl_err why = {0};
    pthread_mutex_lock(&night->mutex);
    enum xl_status status = xl_night_state_write(&night->state, night->dir.dir, &why);
    pthread_mutex_unlock(&night->mutex);
    if (status) xl_info("%s", why.text);
}

/* --- Beginning and going on ------------------------------------------------------------------- */

/* The end by the clock, seen from now. It was checked when the configuration was read. */
static void set_end(struct xl_night *night) {
    const char *until = night->config->until;
    time_t now = time(NULL), when;
    struct xl_night_state *state = &night->state;
    state->until = 0;
    state->bound_s = 0;
    if (!until || !strcmp(until, XL_NIGHT_UNTIL_STOPPED) || xl_moment_read(until, now, &when, NULL))
        return;
    state->until = when;
    state->bound_s = state->elapsed_s + difftime(when, now);
}

static enum xl_status begin(struct xl_night *night, struct xl_err *err) {
    struct xl_night_state *state = &night->state;
    int n = 0;
    enum xl_status status = xl_night_state_init(state, err);
    if (!status) status = xl_night_config_digest(night->config, state->digest, err);
    if (status) return status;
    state->config = strdup(night->config->absolute);
    state->seed = xl_night_seed(night->config);
    xl_iso8601_utc(state->begun);
    set_end(night);
    status = state->config ? xl_night_source_open(night->config, state->seed, &night->source, err)
                           : xl_fail_nomem(err, "a path", 0);
    if (!status) status = xl_night_plan_more(night, &n, err);
    if (!status && n && night->config->learned)
        status = xl_night_learned_write(night->config->learned, night->dir.dir, err);
    if (!status && !n) status = xl_fail(err, XL_EINPUT, "%s: it makes no job", night->config->path);
    return status;
}

/* Only limits may have changed. */
static enum xl_status check_digest(const struct xl_night *night, const char *dir,
                                   struct xl_err *err) {
    char digest[XL_NIGHT_DIGEST];
    enum xl_status status = xl_night_config_digest(night->config, digest, err);
    if (status || !strcmp(digest, night->state.digest)) return status;
    return xl_fail(
        err, XL_EINPUT,
        "%s: it decides other jobs than when %s began, of which some are drawn; put back "
        "what it said, or begin a new night with --new",
        night->config->path, dir);
}

static int64_t count_bytes(const struct xl_run_dir *dir) {
    int64_t bytes = 0;
    struct stat file;
    for (int c = 0; c < dir->n_outcomes; c++)
        if (dir->outcomes[c].path && !stat(dir->outcomes[c].path, &file)) bytes += file.st_size;
    return bytes;
}

/* Pictures that are there, jobs that were taken, and where it stood in the list. */
static enum xl_status go_on(struct xl_night *night, struct xl_err *err) {
    const char *dir = night->params->dir;
    struct xl_settings request;
    xl_settings_default(&request);
    enum xl_status status = xl_night_state_read(dir, &night->state, err);
    if (!status) status = check_digest(night, dir, err);
    if (!status) status = xl_run_dir_open(dir, &request, &night->sweep, &night->dir, err);
    if (status) return status;
    night->has_dir = true;
    xl_night_forget_stop(dir);
    struct xl_night_state *state = &night->state;
    bool is_anew = state->phase == XL_NIGHT_STOPPED || state->phase == XL_NIGHT_GIVEN_UP;
    if (is_anew)
        set_end(night); /* a person starts it again; after a crash its end is what it was */
    state->phase = XL_NIGHT_DRAWS;
    state->bytes = count_bytes(&night->dir);
    xl_night_state_say(state, NULL);
    status = xl_night_source_open(night->config, state->seed, &night->source, err);
    return status ? status : xl_night_source_skip(night->source, state->n_taken, err);
}

/* --- Rounds ----------------------------------------------------------------------------------- */

static enum xl_status draw(struct xl_night *night, bool is_last, struct xl_err *err) {
    struct xl_run_counts counts;
    const struct xl_run run = {.settings = &night->defaults,
                               .sweep = &night->sweep,
                               .dir = &night->dir,
                               .hooks = xl_night_hooks(night),
                               .painters = xl_crew_painters(night->crew),
                               .n_painters = xl_crew_count(night->crew),
                               .has_no_sheets = !is_last};
    enum xl_status status = xl_run_draw(&run, &counts, err);
    xl_run_counts_deinit(&counts);
    return status;
}

/* What ended a round, other than that it is through. */
static void judge_round(struct xl_night *night, enum xl_status status, const struct xl_err *why) {
    bool is_usual = !status || status == XL_EPARTIAL || status == XL_EYIELD ||
                    status == XL_ECANCELLED;
    if (!is_usual) xl_night_note_failure(night, why->text);
}

/* Wait while nothing may be tried, after a failure that is no picture's. */
static void wait_for_leave(struct xl_night *night) {
    const struct timespec moment = {.tv_nsec = 100000000};
    while (!atomic_load(&night->ends) && atomic_load(&night->verdict) != XL_NIGHT_MAY_DRAW)
        nanosleep(&moment, NULL);
}

static enum xl_status work(struct xl_night *night, struct xl_err *err) {
    while (!atomic_load(&night->ends)) {
        struct xl_err why = {0};
        int n = 0;
        enum xl_status status = xl_night_plan_added(night, &why);
        if (!status && !xl_night_settle(night)) {
            status = xl_night_plan_more(night, &n, &why);
            if (!status && !n) {
                xl_night_end(night, XL_NIGHT_DONE, "all of its jobs are done");
                break;
            }
            if (!status) xl_night_settle(night);
        }
        bool is_ours = status && status != XL_EDISK; /* a disk may have room again */
        if (is_ours) return xl_fail(err, status, "%s", why.text);
        xl_night_write(night);
        if (!status) status = draw(night, false, &why);
        judge_round(night, status, &why);
        if (status) wait_for_leave(night);
    }
    return XL_OK;
}

/* Contact sheets and the run's page as they are now. */
static void finish(struct xl_night *night) {
    struct xl_err why = {0};
    atomic_store(&night->ends, true);
    enum xl_status status = draw(night, true, &why);
    if (status && status != XL_EYIELD && status != XL_EPARTIAL && status != XL_ECANCELLED)
        xl_warn("%s", why.text);
    xl_night_settle(night);
}

/* --- A night ---------------------------------------------------------------------------------- */

static bool goes_on(void *user) {
    struct xl_night *night = user;
    return !atomic_load(&night->is_over) && !atomic_load(&night->ends);
}

static enum xl_status open_crew(struct xl_night *night, struct xl_err *err) {
    const struct xl_crew_params params = {
        .config = night->config, .settings = &night->defaults, .goes_on = goes_on, .user = night};
    return xl_crew_open(&params, &night->crew, err);
}

static void tell_beginning(struct xl_night *night) {
    char crew[XL_CREW_TEXT], text[XL_CREW_TEXT + 120];
    xl_crew_text(night->crew, crew);
    if (night->params->dir)
        snprintf(text, sizeof text, "it goes on with %d of %d pictures drawn, on %s",
                 night->state.n_done, night->sweep.n_cells, crew);
    else
        snprintf(text, sizeof text, "it begins, on %s; seed %llu", crew,
                 (unsigned long long)night->state.seed);
    xl_night_tell(night, text);
}

static enum xl_status conclude(struct xl_night *night, enum xl_night_phase *phase,
                               struct xl_err *err) {
    struct xl_night_state *state = &night->state;
    state->phase = *phase = night->end;
    xl_night_write(night);
    if (atomic_load(&night->is_interrupted)) return xl_fail(err, XL_ECANCELLED, "interrupted");
    if (night->end == XL_NIGHT_GIVEN_UP) return xl_fail(err, XL_EPARTIAL, "%s", state->why);
    size_t n_refused = json_array_size(state->refused);
    if (!state->n_failed && !n_refused) return XL_OK;
    return xl_fail(err, XL_EPARTIAL, "%d of %d %s failed for good, %zu %s could not be planned",
                   state->n_failed, night->sweep.n_cells,
                   xl_plural(night->sweep.n_cells, "picture", "pictures"), n_refused,
                   xl_plural((int64_t)n_refused, "job", "jobs"));
}

static enum xl_status run(struct xl_night *night, enum xl_night_phase *phase, struct xl_err *err) {
    enum xl_status status = open_crew(night, err); /* before there is a folder */
    if (!status) status = night->params->dir ? go_on(night, err) : begin(night, err);
    if (status) return status;
    xl_crew_keep_open(night->crew, xl_lock_descriptor(night->dir.lock));
    xl_night_settle(night);
    tell_beginning(night);
    xl_night_write(night);
    status = xl_night_watch(night, err);
    if (!status) status = work(night, err);
    if (!status) finish(night);
    xl_night_unwatch(night);
    if (!status) return conclude(night, phase, err);
    night->state.phase = *phase = XL_NIGHT_GIVEN_UP;
    xl_night_state_say(&night->state, err ? err->text : NULL);
    xl_night_write(night);
    return status;
}

enum xl_status xl_night_run(const struct xl_night_params *params, char **dir,
                            enum xl_night_phase *phase, struct xl_err *err) {
    struct xl_night *night = calloc(1, sizeof *night);
    *dir = NULL;
    *phase = XL_NIGHT_GIVEN_UP;
    if (!night) return xl_fail_nomem(err, "a night", sizeof *night);
    night->params = params;
    night->config = params->config;
    night->defaults = xl_night_defaults(params->config);
    night->defaults.arena = NULL;
    pthread_mutex_init(&night->mutex, NULL);
    enum xl_status status = run(night, phase, err);
    xl_crew_close(night->crew);
    if (night->has_dir) {
        *dir = strdup(night->dir.dir);
        xl_run_dir_close(&night->dir);
    }
    xl_night_source_close(night->source);
    xl_sweep_deinit(&night->sweep);
    for (int i = 0; i < XL_GPUS_MAX; i++) json_decref(night->losses[i].entry);
    xl_night_state_deinit(&night->state);
    pthread_mutex_destroy(&night->mutex);
    free(night);
    return status;
}
