/* night_follow.c - signs of life of a night: what happens, a line each with its time, the path of
 * each picture on standard output, and on a terminal a line that is redrawn.
 */
#include "cli/night.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct {
    pthread_mutex_t mutex;
    bool is_quiet, is_json, has_line; /* a line is there that is redrawn */
    double begun_s;
    int n_begun; /* pictures that were there when this process began; -1: not known */
} follow_state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .n_begun = -1};

/* With the mutex held. */
static void clear_line(void) {
    if (follow_state.has_line) fputs("\r\033[K", stderr);
    follow_state.has_line = false;
}

static bool is_interrupted(void *user) {
    (void)user;
    return xl_interrupted() || xl_interrupt_wants_end();
}

static void tell(void *user, const char *sentence) {
    char at[16] = "";
    time_t now = time(NULL);
    struct tm tm;
    (void)user;
    if (localtime_r(&now, &tm)) strftime(at, sizeof at, "%H:%M:%S", &tm);
    pthread_mutex_lock(&follow_state.mutex);
    clear_line();
    if (!follow_state.is_quiet) fprintf(stderr, "%s  %s\n", at, sentence);
    pthread_mutex_unlock(&follow_state.mutex);
}

static void saved(void *user, const struct xl_cell *cell, const char *path) {
    (void)user;
    (void)cell;
    if (follow_state.is_json) return;
    pthread_mutex_lock(&follow_state.mutex);
    clear_line();
    printf("%s\n", path);
    fflush(stdout);
    pthread_mutex_unlock(&follow_state.mutex);
}

static void show(void *user, const struct xl_night_state *state) {
    (void)user;
    if (follow_state.is_quiet || !isatty(STDERR_FILENO)) return;
    pthread_mutex_lock(&follow_state.mutex);
    if (follow_state.n_begun < 0) follow_state.n_begun = state->n_done;
    double hours = (xl_now_s() - follow_state.begun_s) / 3600;
    int n = state->n_done - follow_state.n_begun;
    fprintf(stderr, "\r\033[K%s: %d drawn", xl_night_phase_name(state->phase), state->n_done);
    if (state->n_failed) fprintf(stderr, ", %d failed", state->n_failed);
    if (n > 1 && hours > 0) fprintf(stderr, ", %.0f an hour", n / hours);
    follow_state.has_line = true;
    pthread_mutex_unlock(&follow_state.mutex);
}

void xl_night_follow_init(struct xl_night_follow *follow, const struct xl_settings *settings) {
    follow_state.is_quiet = settings->quiet;
    follow_state.is_json = settings->json;
    follow_state.begun_s = xl_now_s();
    *follow = (struct xl_night_follow){
        .is_interrupted = is_interrupted, .tell = tell, .saved = saved, .now = show};
}

void xl_night_follow_end(void) {
    pthread_mutex_lock(&follow_state.mutex);
    clear_line();
    pthread_mutex_unlock(&follow_state.mutex);
}
