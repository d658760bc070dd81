/* night_watch.c - a thread that looks at clock, disk, wishes and GPUs, and says what may be done
 * now. It keeps the time that the night ran, by the monotonic clock.
 */
#include "jobs/night/night_run.h"

#include "base/clock.h"
#include "base/log.h"
#include "jobs/night/inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

static const double TICK_S = 0.2, WRITE_S = 2;

int64_t xl_night_free_bytes(const char *dir) {
    struct statvfs disk;
    if (statvfs(dir, &disk)) return -1;
    return (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
}

/* --- Verdicts --------------------------------------------------------------------------------- */

/* Facts, and the time that passed since the last time added to the night's. */
static struct xl_night_facts gather(struct xl_night *night, char last_failure[300]) {
    double now_s = xl_now_s();
    int64_t free_bytes = xl_night_free_bytes(night->dir.dir);
    pthread_mutex_lock(&night->mutex);
    night->state.elapsed_s += now_s - night->counted_s;
    night->counted_s = now_s;
    if (night->pause_until_s <= now_s) night->pause_until_s = 0;
    const struct xl_night_facts facts = {
        .now = time(NULL),
        .until = night->state.until,
        .bound_s = night->state.bound_s,
        .elapsed_s = night->state.elapsed_s,
        .bytes = night->state.bytes,
        .free_bytes = free_bytes,
        .pause_s = night->pause_until_s > 0 ? night->pause_until_s - now_s : 0,
        .pause_why = last_failure};
    memcpy(last_failure, night->last_failure, sizeof night->last_failure);
    pthread_mutex_unlock(&night->mutex);
    return facts;
}

/* Say a verdict that is another than before. */
static void publish(struct xl_night *night, enum xl_night_verdict verdict, const char *why,
                    enum xl_night_verdict *before) {
    char text[XL_NIGHT_WHY + 40];
    atomic_store(&night->verdict, verdict);
    pthread_mutex_lock(&night->mutex);
    if (!atomic_load(&night->ends)) {
        night->state.phase = verdict == XL_NIGHT_MAY_DRAW ? XL_NIGHT_DRAWS : XL_NIGHT_PAUSES;
        xl_night_state_say(&night->state, why[0] ? why : NULL);
    }
    pthread_mutex_unlock(&night->mutex);
    if (verdict == *before) return;
    *before = verdict;
    if (verdict == XL_NIGHT_MAY_DRAW)
        snprintf(text, sizeof text, "it goes on");
    else
        snprintf(text, sizeof text, "it pauses: %s", why);
    xl_night_tell(night, text);
}

static void judge(struct xl_night *night, enum xl_night_verdict *before) {
    char why[XL_NIGHT_WHY], last_failure[300];
    const struct xl_night_facts facts = gather(night, last_failure);
    enum xl_night_verdict verdict = xl_night_judge(night->config, &facts, why);
    if (verdict == XL_NIGHT_ENDS)
        xl_night_end(night, XL_NIGHT_DONE, why);
    else
        publish(night, verdict, why, before);
}

static void heed_wishes(struct xl_night *night) {
    enum xl_night_wish wish = xl_night_asked_stop(night->dir.dir);
    if (wish == XL_NIGHT_STOP_NOW) atomic_store(&night->gives_up_now, true);
    if (wish != XL_NIGHT_GOES_ON) xl_night_end(night, XL_NIGHT_STOPPED, "it was stopped");
    xl_night_heed_interrupt(night);
    if (xl_night_has_added(night->dir.dir)) atomic_store(&night->is_added, true);
}

/* --- The thread ------------------------------------------------------------------------------- */

static void show(struct xl_night *night) {
    const struct xl_night_follow *follow = &night->params->follow;
    json_t *workers = xl_crew_describe(night->crew);
    pthread_mutex_lock(&night->mutex);
    xl_crew_take_energy(night->crew, night->state.energy_j);
    if (workers) {
        json_decref(night->state.workers);
        night->state.workers = workers;
    }
    if (follow->now) follow->now(follow->user, &night->state);
    pthread_mutex_unlock(&night->mutex);
    xl_night_write(night);
}

static void seek(struct xl_night *night) {
    struct xl_err why = {0};
    enum xl_status status = xl_crew_seek(night->crew, &why);
    if (status && status != XL_ECANCELLED) xl_night_note_failure(night, why.text);
}

static void *watch(void *user) {
    struct xl_night *night = user;
    enum xl_night_verdict before = XL_NIGHT_MAY_DRAW;
    double looked_s = xl_now_s(), written_s = 0, interval_s = night->defaults.interval;
    for (bool is_first = true; !atomic_load(&night->is_over); is_first = false) {
        judge(night, &before);
        heed_wishes(night);
        double now_s = xl_now_s();
        if (is_first || now_s - looked_s >= interval_s) {
            bool may_draw = atomic_load(&night->verdict) == XL_NIGHT_MAY_DRAW;
            if (may_draw && !atomic_load(&night->ends)) seek(night);
            now_s = xl_now_s();
            xl_crew_look(night->crew, now_s - looked_s);
            looked_s = now_s;
        }
        if (now_s - written_s >= WRITE_S) {
            show(night);
            written_s = now_s;
        }
        struct timespec tick = {.tv_nsec = (long)(TICK_S * 1e9)};
        nanosleep(&tick, NULL);
    }
    return NULL;
}

enum xl_status xl_night_watch(struct xl_night *night, struct xl_err *err) {
    char why[XL_NIGHT_WHY], last_failure[300];
    night->counted_s = xl_now_s();
    const struct xl_night_facts facts = gather(night, last_failure);
    enum xl_night_verdict verdict = xl_night_judge(night->config, &facts, why);
    atomic_store(&night->verdict, verdict == XL_NIGHT_MAY_DRAW ? verdict : XL_NIGHT_WAITS);
    int failed = pthread_create(&night->watch, NULL, watch, night);
    if (failed)
        return xl_fail(err, XL_ENOMEM, "cannot start the night's watch: %s", strerror(failed));
    night->has_watch = true;
    return XL_OK;
}

void xl_night_unwatch(struct xl_night *night) {
    atomic_store(&night->is_over, true);
    if (!night->has_watch) return;
    pthread_join(night->watch, NULL);
    night->has_watch = false;
    show(night);
}
