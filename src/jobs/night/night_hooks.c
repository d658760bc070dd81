/* night_hooks.c - following the runner: pictures, failures, and who may draw. On the threads of the
 * painters and of the writer.
 */
#include "jobs/night/night_run.h"

#include "base/clock.h"
#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* --- Whether to go on ------------------------------------------------------------------------- */

static bool on_progress(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct xl_night *night = user;
    (void)phase;
    (void)done;
    (void)total;
    return !atomic_load(&night->gives_up_now);
}

void xl_night_heed_interrupt(struct xl_night *night) {
    const struct xl_night_follow *follow = &night->params->follow;
    if (!follow->is_interrupted || !follow->is_interrupted(follow->user)) return;
    atomic_store(&night->is_interrupted, true);
    xl_night_end(night, XL_NIGHT_STOPPED, "it was interrupted");
}

static bool on_ends(void *user) {
    struct xl_night *night = user;
    xl_night_heed_interrupt(night);
    return atomic_load(&night->ends) || atomic_load(&night->is_added);
}

static bool may_draw(void *user, int painter) {
    struct xl_night *night = user;
    enum xl_night_verdict verdict = atomic_load(&night->verdict);
    if (verdict == XL_NIGHT_RESTS) xl_crew_rest(night->crew, painter);
    if (verdict != XL_NIGHT_MAY_DRAW || !xl_crew_may_draw(night->crew, painter)) return false;
    /* Before each picture: between two looks of the watch a disk may fill up. */
    int64_t free_bytes = xl_night_free_bytes(night->dir.dir);
    return free_bytes < 0 || free_bytes >= night->config->min_free;
}

/* --- What became of pictures ------------------------------------------------------------------ */

static void on_saved(void *user, const struct xl_cell *cell, const char *path, const char *label) {
    struct xl_night *night = user;
    const struct xl_night_follow *follow = &night->params->follow;
    struct stat file;
    int64_t bytes = stat(path, &file) ? 0 : file.st_size;
    xl_crew_count_picture(night->crew, label);
    pthread_mutex_lock(&night->mutex);
    night->state.n_done++;
    night->state.n_waiting--;
    night->state.bytes += bytes;
    night->n_in_a_row = night->n_pauses = 0;
    pthread_mutex_unlock(&night->mutex);
    if (follow->saved) follow->saved(follow->user, cell, path);
}

/* Too many failures in a row: a pause, each time twice as long, and at last the end. With the mutex
 * held; returns whether it is the end. */
static bool trip(struct xl_night *night) {
    static const double LONGEST_S = 1800;
    const struct xl_night_config *config = night->config;
    if (++night->n_in_a_row < config->breaker_failures) return false;
    night->n_in_a_row = 0;
    if (night->n_pauses >= config->breaker_rounds) return true;
    double pause_s = config->breaker_pause_s * pow(2, night->n_pauses++);
    night->pause_until_s = xl_now_s() + (pause_s < LONGEST_S ? pause_s : LONGEST_S);
    atomic_store(&night->verdict, XL_NIGHT_WAITS);
    return false;
}

static void count_failure(struct xl_night *night, const char *why) {
    char text[XL_NIGHT_WHY];
    pthread_mutex_lock(&night->mutex);
    snprintf(night->last_failure, sizeof night->last_failure, "%s", why);
    bool is_hopeless = trip(night);
    pthread_mutex_unlock(&night->mutex);
    if (!is_hopeless) return;
    snprintf(text, sizeof text,
             "after %d %s without a picture it gives up; the last failure: %.250s",
             night->config->breaker_rounds,
             xl_plural(night->config->breaker_rounds, "pause", "pauses"), why);
    xl_night_end(night, XL_NIGHT_GIVEN_UP, text);
}

void xl_night_note_failure(struct xl_night *night, const char *why) {
    xl_night_tell(night, why);
    count_failure(night, why);
}

/* What it asks for fails again; that is not counted against the machine. */
static bool is_of_request(enum xl_status status) {
    return status == XL_EINVAL || status == XL_EINPUT || status == XL_EFORMAT ||
           status == XL_ENUMERIC;
}

static void on_failed(void *user, const struct xl_cell *cell, enum xl_status status,
                      const char *text) {
    struct xl_night *night = user;
    pthread_mutex_lock(&night->mutex);
    int n = xl_night_state_fail(&night->state, cell->id, status, text);
    bool is_final = is_of_request(status) || n > night->config->retries;
    if (is_final) {
        night->state.n_failed++;
        night->state.n_waiting--;
    }
    pthread_mutex_unlock(&night->mutex);
    count_failure(night, text);
}

/* A process may have had two groups in hand, one of them to be put on disk: that is one loss. */
static void on_lost(void *user, const struct xl_loss *loss) {
    struct xl_night *night = user;
    char name[XL_CREW_NAME];
    const struct xl_night_loss lost = {
        .worker = loss->label,
        .name = xl_crew_name_of(night->crew, loss->painter, loss->label, name),
        .status = loss->status,
        .error = loss->text};
    pthread_mutex_lock(&night->mutex);
    json_t **entry = &night->losses[loss->painter].entry;
    if (!*entry || night->losses[loss->painter].life != loss->life) {
        json_decref(*entry);
        *entry = json_incref(xl_night_state_lose(&night->state, &lost));
        night->losses[loss->painter].life = loss->life;
    }
    for (int i = 0; i < loss->n; i++)
        xl_night_loss_add(*entry, night->sweep.cells[loss->cells[i]].id);
    pthread_mutex_unlock(&night->mutex);
}

struct xl_hooks xl_night_hooks(struct xl_night *night) {
    return (struct xl_hooks){.progress = on_progress,
                             .saved = on_saved,
                             .failed = on_failed,
                             .lost = on_lost,
                             .ends = on_ends,
                             .may_draw = may_draw,
                             .user = night};
}
