/* work.c - lanes of cells, one a model; what came back; who has which model at hand. */
#include "lab/run/work.h"

#include "lab/run/painter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_EQUAL_FAILURES = 10 };

/* The cells of one model that were not handed out yet: pending[next..end). */
struct lane {
    int next, end;
    int n_left; /* handed out or not, not settled */
};

struct xl_work {
    const struct xl_sweep *sweep;
    int most, n_painters;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    int *pending; /* cells to draw, in order */
    int n_pending, n_handed_out, n_left;
    struct lane *lanes; /* by model */
    struct xl_share *returned;
    int n_returned, capacity;
    int *at_hand;  /* by painter: its model; -1: none */
    int *expected; /* by painter: the model after that one; -1: none */
    int *n_taken;  /* by painter: cells that are neither settled nor back */
    int n_present; /* painters that have not left */
    bool is_stopped;
    enum xl_status status;
    struct xl_err err;
    int n_equal_failures;
    enum xl_status last_failure;
    struct xl_err last_error;
};

static enum xl_status find_pending(struct xl_work *work, const struct xl_run_dir *run,
                                   struct xl_err *err) {
    const struct xl_sweep *sweep = work->sweep;
    size_t n_painters = (size_t)work->n_painters;
    work->pending = malloc(((size_t)sweep->n_cells + 1) * sizeof *work->pending);
    work->lanes = calloc((size_t)sweep->n_models + 1, sizeof *work->lanes);
    work->at_hand = malloc(n_painters * sizeof *work->at_hand);
    work->expected = malloc(n_painters * sizeof *work->expected);
    work->n_taken = calloc(n_painters, sizeof *work->n_taken);
    if (!work->pending || !work->lanes || !work->at_hand || !work->expected || !work->n_taken)
        return xl_fail_nomem(err, "cells", 0);
    for (int p = 0; p < work->n_painters; p++) work->at_hand[p] = work->expected[p] = -1;
    for (int i = 0; i < sweep->n_cells; i++) {
        int c = sweep->order[i];
        if (run->outcomes[c].state != XL_CELL_WAITING) continue;
        struct lane *lane = &work->lanes[sweep->cells[c].model];
        if (!lane->n_left) lane->next = work->n_pending;
        work->pending[work->n_pending++] = c;
        lane->end = work->n_pending;
        lane->n_left++;
    }
    work->n_left = work->n_pending;
    return XL_OK;
}

enum xl_status xl_work_new(const struct xl_sweep *sweep, const struct xl_run_dir *run, int most,
                           int n_painters, struct xl_work **out, struct xl_err *err) {
    struct xl_work *work = calloc(1, sizeof *work);
    if (!work) return xl_fail_nomem(err, "cells", 0);
    work->sweep = sweep;
    work->most = most;
    work->n_painters = work->n_present = n_painters;
    pthread_mutex_init(&work->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&work->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    enum xl_status status = find_pending(work, run, err);
    if (status)
        xl_work_free(work);
    else
        *out = work;
    return status;
}

void xl_work_free(struct xl_work *work) {
    if (!work) return;
    pthread_cond_destroy(&work->changed);
    pthread_mutex_destroy(&work->mutex);
    free(work->pending);
    free(work->lanes);
    free(work->returned);
    free(work->at_hand);
    free(work->expected);
    free(work->n_taken);
    free(work);
}

int xl_work_count(const struct xl_work *work) {
    return work->n_pending;
}

/* --- Taking ----------------------------------------------------------------------------------- */

int xl_share_size(const struct xl_sweep *sweep, const int *cells, int n_cells, int most) {
    const struct xl_cell *first = &sweep->cells[cells[0]];
    int limit = most ? most : XL_GROUP_MAX, n = 1;
    while (n < limit && n < XL_GROUP_MAX && n < n_cells) {
        const struct xl_cell *cell = &sweep->cells[cells[n]];
        if (!xl_cell_fits(first, cell)) break;
        if (!most && cell->job != first->job) break;
        n++;
    }
    return n;
}

static int share_size(const struct xl_work *work, const struct lane *lane) {
    return xl_share_size(work->sweep, work->pending + lane->next, lane->end - lane->next,
                         work->most);
}

/* What came back goes first: it is the oldest. Index of it; -1: nothing of the model came back. */
static int find_returned(const struct xl_work *work, int model) {
    for (int i = 0; i < work->n_returned; i++)
        if (work->returned[i].model == model) return i;
    return -1;
}

static bool has_work(const struct xl_work *work, int model) {
    if (work->lanes[model].next < work->lanes[model].end) return true;
    return find_returned(work, model) >= 0;
}

static bool is_at_hand(const struct xl_work *work, int model) {
    for (int p = 0; p < work->n_painters; p++)
        if (work->at_hand[p] == model) return true;
    return false;
}

/* By another painter. */
static bool is_expected(const struct xl_work *work, int painter, int model) {
    for (int p = 0; p < work->n_painters; p++)
        if (p != painter && work->expected[p] == model) return true;
    return false;
}

/* The first model that nobody has, better one that nobody else expects; -1: none. */
static int find_free(const struct xl_work *work, int painter, bool may_be_expected) {
    int found = -1;
    for (int m = 0; m < work->sweep->n_models; m++) {
        if (!has_work(work, m) || is_at_hand(work, m)) continue;
        if (!is_expected(work, painter, m)) return m;
        if (may_be_expected && found < 0) found = m;
    }
    return found;
}

static int find_any(const struct xl_work *work) {
    for (int m = 0; m < work->sweep->n_models; m++)
        if (has_work(work, m)) return m;
    return -1;
}

/* The model that a painter should draw now: its own, the one that it expects, one that nobody has,
 * any; -1: none. */
static int choose_model(const struct xl_work *work, int painter) {
    int own = work->at_hand[painter], next = work->expected[painter];
    if (own >= 0 && has_work(work, own)) return own;
    if (next >= 0 && has_work(work, next) && !is_at_hand(work, next)) return next;
    int found = find_free(work, painter, true);
    return found >= 0 ? found : find_any(work);
}

/* The next share of a model that there is work of. */
static struct xl_share first_share(const struct xl_work *work, int model) {
    int returned = find_returned(work, model);
    if (returned >= 0) return work->returned[returned];
    const struct lane *lane = &work->lanes[model];
    return (struct xl_share){.cells = work->pending + lane->next,
                             .n = share_size(work, lane),
                             .model = model,
                             .n_before = work->n_handed_out};
}

static struct xl_share take_share(struct xl_work *work, int painter, int model) {
    struct xl_share share = first_share(work, model);
    int returned = find_returned(work, model);
    if (returned >= 0) {
        memmove(work->returned + returned, work->returned + returned + 1,
                (size_t)(--work->n_returned - returned) * sizeof *work->returned);
    } else {
        work->lanes[model].next += share.n;
        work->n_handed_out += share.n;
    }
    work->at_hand[painter] = model;
    if (work->expected[painter] == model) work->expected[painter] = -1;
    work->n_taken[painter] += share.n;
    return share;
}

bool xl_work_take(struct xl_work *work, int painter, struct xl_share *out) {
    int model = -1;
    pthread_mutex_lock(&work->mutex);
    while (!work->is_stopped && work->n_left && (model = choose_model(work, painter)) < 0)
        pthread_cond_wait(&work->changed, &work->mutex);
    bool is_there = !work->is_stopped && work->n_left;
    if (is_there) *out = take_share(work, painter, model);
    pthread_mutex_unlock(&work->mutex);
    return is_there;
}

struct xl_share xl_work_take_model(struct xl_work *work, int painter, int model) {
    pthread_mutex_lock(&work->mutex);
    struct lane *lane = &work->lanes[model];
    struct xl_share share = {.cells = work->pending + lane->next,
                             .n = lane->end - lane->next,
                             .model = model,
                             .n_before = work->n_handed_out};
    lane->next = lane->end;
    work->n_handed_out += share.n;
    work->n_taken[painter] += share.n;
    pthread_mutex_unlock(&work->mutex);
    return share;
}

bool xl_work_expect(struct xl_work *work, int painter, struct xl_share *out) {
    pthread_mutex_lock(&work->mutex);
    int next = find_free(work, painter, false);
    work->expected[painter] = next;
    if (next >= 0) *out = first_share(work, next);
    pthread_mutex_unlock(&work->mutex);
    return next >= 0;
}

/* --- What became of it ------------------------------------------------------------------------ */

void xl_work_wait(struct xl_work *work, int painter, int n) {
    pthread_mutex_lock(&work->mutex);
    while (!work->is_stopped && work->n_taken[painter] > n)
        pthread_cond_wait(&work->changed, &work->mutex);
    pthread_mutex_unlock(&work->mutex);
}

bool xl_work_offers(struct xl_work *work) {
    pthread_mutex_lock(&work->mutex);
    bool is_there = !work->is_stopped && find_any(work) >= 0;
    pthread_mutex_unlock(&work->mutex);
    return is_there;
}

bool xl_work_pause(struct xl_work *work) {
    enum { PAUSE_MS = 100 };
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += PAUSE_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&work->mutex);
    int failed = 0;
    while (!failed && !work->is_stopped && work->n_left)
        failed = pthread_cond_timedwait(&work->changed, &work->mutex, &until);
    bool is_left = !work->is_stopped && work->n_left;
    pthread_mutex_unlock(&work->mutex);
    return is_left;
}

bool xl_work_settle(struct xl_work *work, int painter, int model, int n) {
    pthread_mutex_lock(&work->mutex);
    struct lane *lane = &work->lanes[model];
    lane->n_left -= n;
    work->n_left -= n;
    work->n_taken[painter] -= n;
    bool is_last = n && !lane->n_left;
    pthread_cond_broadcast(&work->changed);
    pthread_mutex_unlock(&work->mutex);
    return is_last;
}

/* With the mutex held. */
static enum xl_status take_back(struct xl_work *work, int painter, const struct xl_share *share,
                                struct xl_err *err) {
    enum xl_status status = XL_OK;
    if (work->n_returned == work->capacity) {
        int capacity = work->capacity ? 2 * work->capacity : 16;
        struct xl_share *grown = realloc(work->returned, (size_t)capacity * sizeof *work->returned);
        if (grown) {
            work->returned = grown;
            work->capacity = capacity;
        } else {
            status = xl_fail_nomem(err, "cells that were lost", 0);
        }
    }
    if (!status) work->returned[work->n_returned++] = *share;
    work->n_taken[painter] -= share->n;
    pthread_cond_broadcast(&work->changed);
    return status;
}

enum xl_status xl_work_return(struct xl_work *work, int painter, const struct xl_share *share,
                              struct xl_err *err) {
    struct xl_share lost = *share;
    lost.n_lost++;
    pthread_mutex_lock(&work->mutex);
    enum xl_status status = take_back(work, painter, &lost, err);
    pthread_mutex_unlock(&work->mutex);
    return status;
}

static void stop(struct xl_work *work, enum xl_status status, const char *text) {
    if (work->is_stopped) return;
    work->is_stopped = true;
    work->status = status;
    if (status) xl_fail(&work->err, status, "%s", text);
    pthread_cond_broadcast(&work->changed);
}

enum xl_status xl_work_leave(struct xl_work *work, const struct xl_leaving *leaving,
                             struct xl_err *err) {
    const struct xl_share *share = &leaving->share;
    enum xl_status status = XL_OK;
    pthread_mutex_lock(&work->mutex);
    work->at_hand[leaving->painter] = work->expected[leaving->painter] = -1;
    if (share->n) status = take_back(work, leaving->painter, share, err);
    if (!leaving->may_return && !--work->n_present) stop(work, leaving->status, leaving->text);
    pthread_mutex_unlock(&work->mutex);
    return status;
}

void xl_work_stop(struct xl_work *work, enum xl_status status, const char *text) {
    pthread_mutex_lock(&work->mutex);
    stop(work, status, text);
    pthread_mutex_unlock(&work->mutex);
}

/* Count equal failures in a row; true when it is time to give up. */
static bool is_hopeless(struct xl_work *work, enum xl_status status, const char *text) {
    bool is_equal = status == work->last_failure && !strcmp(text, work->last_error.text);
    work->n_equal_failures = is_equal ? work->n_equal_failures + 1 : 1;
    work->last_failure = xl_fail(&work->last_error, status, "%s", text);
    return work->n_equal_failures >= MAX_EQUAL_FAILURES;
}

void xl_work_failed(struct xl_work *work, enum xl_status status, const char *text) {
    struct xl_err why;
    pthread_mutex_lock(&work->mutex);
    if (is_hopeless(work, status, text)) {
        xl_fail(&why, XL_EPARTIAL, "stopped after %d equal failures in a row: %s",
                MAX_EQUAL_FAILURES, text);
        stop(work, XL_EPARTIAL, why.text);
    }
    pthread_mutex_unlock(&work->mutex);
}

void xl_work_succeeded(struct xl_work *work) {
    pthread_mutex_lock(&work->mutex);
    work->n_equal_failures = 0;
    pthread_mutex_unlock(&work->mutex);
}

bool xl_work_is_stopped(struct xl_work *work) {
    pthread_mutex_lock(&work->mutex);
    bool is_stopped = work->is_stopped;
    pthread_mutex_unlock(&work->mutex);
    return is_stopped;
}

enum xl_status xl_work_status(struct xl_work *work, struct xl_err *err) {
    pthread_mutex_lock(&work->mutex);
    enum xl_status status = work->status;
    if (status) xl_fail(err, status, "%s", work->err.text);
    pthread_mutex_unlock(&work->mutex);
    return status;
}
