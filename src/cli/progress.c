/* progress.c - signs of life: one line on a terminal, now and then a line elsewhere. */
#include "cli/progress.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/interrupt.h"
#include "cli/progress_line.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Seconds: between two drawings of the line, between two lines of a log, and how long a run that is
 * soon over is left alone. */
static const double REDRAW_S = 0.1, LOG_S = 60, PATIENCE_S = 2;

/* The terminal, and a struct xl_progress, are used by the threads that draw and by the one that
 * saves. */
static pthread_mutex_t terminal = PTHREAD_MUTEX_INITIALIZER;

/* A warning must not be written into the middle of the line. */
static void clear_line(bool before) {
    if (before) {
        pthread_mutex_lock(&terminal);
        fputs("\r\033[K", stderr);
        fflush(stderr);
    } else {
        pthread_mutex_unlock(&terminal);
    }
}

/* Whether a line can be drawn over: a terminal that knows how. */
static bool can_redraw(void) {
    const char *kind = getenv("TERM");
    return isatty(STDERR_FILENO) && !(kind && !strcmp(kind, "dumb"));
}

void xl_progress_init(struct xl_progress *progress, bool is_quiet) {
    double now = xl_now_s();
    *progress = (struct xl_progress){.phase = -1, .run_left_s = -1, .start_s = now, .shown_s = now};
    if (is_quiet) return;
    progress->kind = can_redraw() ? XL_PROGRESS_LINE : XL_PROGRESS_LOG;
    progress->is_held = progress->kind == XL_PROGRESS_LOG;
    if (progress->kind == XL_PROGRESS_LINE) xl_log_set_hook(clear_line);
}

/* Asked each time: it follows the window. */
static int terminal_columns(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

/* ---- What is done ---- */

static void describe(const struct xl_progress *progress, int64_t done, int64_t total, double now,
                     struct xl_progress_state *out) {
    *out = (struct xl_progress_state){.phase = (enum xl_phase)progress->phase,
                                      .done = done,
                                      .total = total,
                                      .phase_s = now - progress->phase_start_s,
                                      .i = progress->i,
                                      .n_together = progress->n_together,
                                      .n = progress->n,
                                      .run_left_s = progress->run_left_s,
                                      .what = progress->what,
                                      .verb = progress->verb};
}

/* By the time that pictures took so far, the one in hand included. */
static double estimate(const struct xl_progress *progress, int64_t done, int64_t total,
                       double now) {
    double pictures = progress->n_painters > 1 ? progress->n_saved : progress->i;
    if (progress->n_painters == 1 && progress->phase == XL_PHASE_SAMPLE && total > 0)
        pictures += progress->n_together * (double)done / (double)total;
    if (pictures < 0.2 || pictures > progress->n) return -1;
    return (now - progress->run_start_s) / pictures * (progress->n - pictures);
}

static void draw(const struct xl_progress *progress, int64_t done, int64_t total, double now) {
    struct xl_progress_state state;
    struct xl_str line = {0};
    describe(progress, done, total, now, &state);
    xl_progress_put_line(&line, &state, terminal_columns() - 1);
    if (!line.failed) fprintf(stderr, "\r%s\033[K", line.text);
    fflush(stderr);
    xl_str_deinit(&line);
}

/* ---- A log ---- */

/* *line is given back. */
static void note(struct xl_progress *progress, struct xl_str *line, double now) {
    if (line->text && !line->failed) xl_note("%s", line->text);
    xl_str_deinit(line);
    progress->shown_s = now;
}

static void note_begin(struct xl_progress *progress, double now) {
    struct xl_str line = {0};
    struct xl_progress_state state;
    describe(progress, 0, 0, now, &state);
    xl_str_puts(&line, progress->n > 1 ? "drawing " : "drawing");
    if (progress->n > 1) xl_progress_put_pictures(&line, &state);
    if (progress->what[0]) xl_str_printf(&line, ": %s", progress->what);
    note(progress, &line, now);
}

static void note_model(struct xl_progress *progress, const char *name, double now) {
    struct xl_str line = {0};
    xl_str_printf(&line, "loading %s", name);
    note(progress, &line, now);
}

/* What was not said of a run that might have been over at once. */
static void end_patience(struct xl_progress *progress, double now) {
    if (!progress->is_held || now - progress->start_s < PATIENCE_S) return;
    progress->is_held = false;
    if (progress->model[0]) note_model(progress, progress->model, now);
    if (progress->n && progress->phase != XL_PHASE_LOAD) note_begin(progress, now);
}

static void log_progress(struct xl_progress *progress, int64_t done, int64_t total, double now) {
    struct xl_str line = {0};
    struct xl_progress_state state;
    end_patience(progress, now);
    if (progress->is_held || now - progress->shown_s < LOG_S || done >= total) return;
    describe(progress, done, total, now, &state);
    xl_progress_put_sentence(&line, &state);
    note(progress, &line, now);
}

/* ---- Following ---- */

static void update(struct xl_progress *progress, enum xl_phase phase, int64_t done, int64_t total) {
    double now = xl_now_s();
    bool is_new = (int)phase != progress->phase;
    if (is_new) {
        progress->phase = (int)phase;
        progress->phase_start_s = now;
    }
    progress->run_left_s = estimate(progress, done, total, now);
    if (progress->kind == XL_PROGRESS_LOG) {
        log_progress(progress, done, total, now);
    } else if (is_new || done >= total || now - progress->shown_s >= REDRAW_S) {
        progress->shown_s = now;
        draw(progress, done, total, now);
    }
}

bool xl_progress_update(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct xl_progress *progress = user;
    if (xl_interrupted()) return false;
    if (!progress->kind || total < 0) return true;
    pthread_mutex_lock(&terminal);
    update(progress, phase, done, total);
    pthread_mutex_unlock(&terminal);
    return true;
}

void xl_progress_model(struct xl_progress *progress, const char *name) {
    pthread_mutex_lock(&terminal);
    snprintf(progress->model, sizeof progress->model, "%s", name);
    if (progress->kind == XL_PROGRESS_LOG && !progress->is_held)
        note_model(progress, name, xl_now_s());
    pthread_mutex_unlock(&terminal);
}

void xl_progress_begin(struct xl_progress *progress, const char *what, int i, int n_together,
                       int n) {
    double now = xl_now_s();
    pthread_mutex_lock(&terminal);
    if (!progress->n) progress->run_start_s = now;
    progress->i = i;
    progress->n_together = n_together;
    progress->n = n;
    progress->phase = -1;
    snprintf(progress->what, sizeof progress->what, "%s", what);
    if (progress->kind == XL_PROGRESS_LOG && !progress->is_held) note_begin(progress, now);
    pthread_mutex_unlock(&terminal);
}

void xl_progress_name(struct xl_progress *progress, const char *what) {
    pthread_mutex_lock(&terminal);
    snprintf(progress->what, sizeof progress->what, "%s", what);
    pthread_mutex_unlock(&terminal);
}

void xl_progress_saved(struct xl_progress *progress) {
    pthread_mutex_lock(&terminal);
    progress->n_saved++;
    pthread_mutex_unlock(&terminal);
}

void xl_progress_print(struct xl_progress *progress, const char *text) {
    bool is_line = progress->kind == XL_PROGRESS_LINE;
    if (is_line) clear_line(true);
    printf("%s\n", text);
    fflush(stdout);
    if (is_line) clear_line(false);
    pthread_mutex_lock(&terminal);
    if (!is_line) progress->shown_s = xl_now_s(); /* a sign of life as well */
    pthread_mutex_unlock(&terminal);
}

void xl_progress_end(struct xl_progress *progress) {
    if (progress->kind == XL_PROGRESS_LINE) {
        clear_line(true);
        clear_line(false);
        xl_log_set_hook(NULL);
    }
    progress->kind = XL_PROGRESS_NONE;
}
