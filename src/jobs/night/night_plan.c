/* night_plan.c - more jobs for a night, between two rounds. On the main thread. */
#include "jobs/night/night_run.h"

#include "base/json.h"
#include "base/log.h"
#include "jobs/night/inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a round, for each painter: the others wait for the last picture of a round, so rounds are
 * long; what is planned and not drawn when the night ends is of no use, so they are not longer. */
enum { ROUND = 64, LONGEST = 5000 };

/* A job that cannot be planned does not end a night that has begun. */
static void refused(void *user, const char *name, const struct xl_err *why) {
    struct xl_night *night = user;
    bool ok = true;
    json_t *object = json_object();
    xl_json_put(object, "job", xl_json_text(name), &ok);
    xl_json_put(object, "error", xl_json_text(why->text), &ok);
    xl_warn("%s", why->text);
    pthread_mutex_lock(&night->mutex);
    json_array_append_new(night->state.refused, xl_json_finish(object, ok));
    pthread_mutex_unlock(&night->mutex);
}

static void print_notices(struct xl_sweep *sweep) {
    for (const char *line = sweep->notices.text; line && *line;) {
        int n = (int)strcspn(line, "\n");
        xl_warn("%.*s", n, line);
        line += n + (line[n] == '\n');
    }
    xl_str_deinit(&sweep->notices);
}

static int count_jobs(const struct xl_sweep *sweep) {
    int n = 0;
    for (int c = 0; c < sweep->n_cells; c++)
        if (sweep->cells[c].job >= n) n = sweep->cells[c].job + 1;
    return n;
}

/* The cells are there: on the disk before anything of them is drawn. */
static enum xl_status keep(struct xl_night *night, struct xl_err *err) {
    enum xl_status status = XL_OK;
    print_notices(&night->sweep);
    if (night->has_dir) {
        status = xl_run_dir_extend(&night->dir, &night->defaults, &night->sweep, err);
    } else {
        status = xl_run_dir_create(&night->defaults, &night->sweep, &night->dir, err);
        night->has_dir = !status;
    }
    pthread_mutex_lock(&night->mutex);
    night->state.n_jobs = count_jobs(&night->sweep);
    pthread_mutex_unlock(&night->mutex);
    return status;
}

/* Rounds that add nothing, because all is there already, are not tried without end. */
enum xl_status xl_night_plan_more(struct xl_night *night, int *n, struct xl_err *err) {
    enum { BARREN = 20 };
    struct xl_night_state *state = &night->state;
    *n = 0;
    for (int i = 0; !*n && i < BARREN; i++) {
        int round = ROUND * xl_crew_count(night->crew);
        int64_t left = night->config->until_jobs - state->n_taken;
        if (night->config->until_jobs) round = left < LONGEST ? (int)left : LONGEST;
        if (round <= 0) return XL_OK;
        const struct xl_night_plan plan = {.source = night->source,
                                           .defaults = &night->defaults,
                                           .n = round,
                                           .refused = night->has_dir ? refused : NULL,
                                           .user = night};
        struct xl_night_planned planned;
        enum xl_status status = xl_night_plan(&plan, &night->sweep, &planned, err);
        if (!status && planned.n_added) status = keep(night, err);
        if (status) return status;
        pthread_mutex_lock(&night->mutex);
        state->n_taken += planned.n_taken;
        pthread_mutex_unlock(&night->mutex);
        *n = planned.n_added;
        if (planned.n_taken < round) break;
    }
    return XL_OK;
}

static enum xl_status plan_list(struct xl_night *night, const json_t *list, struct xl_err *err) {
    size_t n = json_array_size(list);
    struct xl_night_job *jobs = calloc(n + 1, sizeof *jobs);
    if (!jobs) return xl_fail_nomem(err, "jobs", 0);
    for (size_t i = 0; i < n; i++)
        jobs[i] = (struct xl_night_job){.number = night->state.n_jobs + (int64_t)i,
                                        .settings = json_array_get(list, i)};
    const struct xl_night_plan plan = {
        .defaults = &night->defaults, .refused = refused, .user = night};
    int n_added = 0;
    enum xl_status status = xl_night_plan_jobs(&plan, jobs, (int)n, &night->sweep, &n_added, err);
    free(jobs);
    if (!status && n_added) status = keep(night, err);
    if (!status) {
        char text[80];
        snprintf(text, sizeof text, "%d %s added", n_added,
                 xl_plural(n_added, "picture was", "pictures were"));
        xl_night_tell(night, text);
    }
    return status;
}

enum xl_status xl_night_plan_added(struct xl_night *night, struct xl_err *err) {
    json_t *jobs = NULL, *files = NULL;
    atomic_store(&night->is_added, false);
    if (!xl_night_has_added(night->dir.dir)) return XL_OK;
    enum xl_status status = xl_night_added(night->dir.dir, &jobs, &files, err);
    if (!status && json_array_size(jobs)) status = plan_list(night, jobs, err);
    if (!status) xl_night_drop(files);
    json_decref(jobs);
    json_decref(files);
    return status;
}

/* --- What waits ------------------------------------------------------------------------------- */

static bool is_hopeless(enum xl_status status) {
    return status == XL_EINVAL || status == XL_EINPUT || status == XL_EFORMAT ||
           status == XL_ENUMERIC;
}

int xl_night_settle(struct xl_night *night) {
    struct xl_night_state *state = &night->state;
    int n_done = 0, n_failed = 0, n_waiting = 0;
    pthread_mutex_lock(&night->mutex);
    for (int c = 0; c < night->dir.n_outcomes; c++) {
        struct xl_outcome *outcome = &night->dir.outcomes[c];
        enum xl_status status;
        const char *error;
        if (outcome->state == XL_CELL_DONE) {
            n_done++;
            continue;
        }
        int n = xl_night_state_failures(state, night->sweep.cells[c].id, &status, &error);
        bool is_given_up = n && (n > night->config->retries || is_hopeless(status));
        outcome->state = is_given_up ? XL_CELL_FAILED : XL_CELL_WAITING;
        if (!is_given_up) {
            free(outcome->error);
            outcome->error = NULL;
            outcome->status = XL_OK;
        }
        if (is_given_up && !outcome->error) {
            outcome->error = strdup(error ? error : "");
            outcome->status = status;
        }
        n_failed += is_given_up;
        n_waiting += !is_given_up;
    }
    state->n_done = n_done;
    state->n_failed = n_failed;
    state->n_waiting = n_waiting;
    pthread_mutex_unlock(&night->mutex);
    return n_waiting;
}
