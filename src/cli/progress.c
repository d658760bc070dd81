/* progress.c - one line on the terminal: what is done, how fast, how long it will take. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const phase_names[] = {"loading", "reading the prompt", "sampling", "decoding"};

/* The terminal, and a struct xl_progress, are used by the threads that draw and by the one that
 * saves. */
static pthread_mutex_t terminal = PTHREAD_MUTEX_INITIALIZER;

/* A warning must not be written into the middle of the bar. */
static void clear_line(bool before) {
    if (before) {
        pthread_mutex_lock(&terminal);
        fputs("\r\033[K", stderr);
        fflush(stderr);
    } else {
        pthread_mutex_unlock(&terminal);
    }
}

void xl_progress_init(struct xl_progress *progress, bool quiet) {
    *progress = (struct xl_progress){.enabled = !quiet && isatty(STDERR_FILENO), .phase = -1};
    if (progress->enabled) xl_log_set_hook(clear_line);
}

static void format_duration(double seconds, char out[16]) {
    int s = (int)(seconds + 0.5);
    if (s < 60)
        snprintf(out, 16, "%d s", s);
    else if (s < 3600)
        snprintf(out, 16, "%d:%02d", s / 60, s % 60);
    else
        snprintf(out, 16, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
}

static int terminal_columns(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static void format_counts(enum xl_phase phase, int64_t done, int64_t total, double elapsed,
                          char *out, size_t size) {
    if (phase == XL_PHASE_LOAD) {
        double rate = elapsed > 0 ? (double)done / elapsed / 1e9 : 0;
        snprintf(out, size, "%.2f of %.2f GB, %.2f GB/s", (double)done / 1e9, (double)total / 1e9,
                 rate);
        return;
    }
    const char *unit = phase == XL_PHASE_SAMPLE   ? "step"
                       : phase == XL_PHASE_DECODE ? "part"
                                                  : "prompt";
    double rate = elapsed > 0 ? (double)done / elapsed : 0;
    if (rate >= 1)
        snprintf(out, size, "%s %lld/%lld, %.1f/s", unit, (long long)done, (long long)total, rate);
    else if (rate > 0)
        snprintf(out, size, "%s %lld/%lld, %.1f s each", unit, (long long)done, (long long)total,
                 1 / rate);
    else
        snprintf(out, size, "%s %lld/%lld", unit, (long long)done, (long long)total);
}

static void draw(const struct xl_progress *progress, int64_t done, int64_t total, double now) {
    enum { BAR = 24 };
    double elapsed = now - progress->phase_start_s;
    double part = total > 0 ? (double)done / (double)total : 0;
    char bar[BAR + 1], counts[80], left[16] = "", line[400];
    int filled = (int)(part * BAR);
    for (int i = 0; i < BAR; i++) bar[i] = i < filled ? '#' : '.';
    bar[BAR] = 0;
    format_counts(progress->phase, done, total, elapsed, counts, sizeof counts);
    if (done > 0 && done < total) format_duration(elapsed / part - elapsed, left);
    snprintf(line, sizeof line, "%s%s%-18s [%s] %s%s%s", progress->what,
             progress->what[0] ? ": " : "", phase_names[progress->phase], bar, counts,
             left[0] ? ", left " : "", left);
    fprintf(stderr, "\r%.*s\033[K", terminal_columns() - 1, line);
    fflush(stderr);
}

static void update(struct xl_progress *progress, enum xl_phase phase, int64_t done, int64_t total) {
    double now = xl_now_s();
    if (phase != progress->phase) {
        progress->phase = phase;
        progress->phase_start_s = now;
        progress->drawn_s = 0;
    }
    if (done < total && now - progress->drawn_s < 0.1) return;
    progress->drawn_s = now;
    draw(progress, done, total, now);
}

bool xl_progress_update(void *user, enum xl_phase phase, int64_t done, int64_t total) {
    struct xl_progress *progress = user;
    if (xl_interrupted()) return false;
    if (!progress->enabled || total < 0) return true;
    pthread_mutex_lock(&terminal);
    update(progress, phase, done, total);
    pthread_mutex_unlock(&terminal);
    return true;
}

void xl_progress_begin(struct xl_progress *progress, const char *what, int i, int n) {
    char left[16];
    double now = xl_now_s();
    pthread_mutex_lock(&terminal);
    if (!i) {
        progress->run_start_s = now;
        snprintf(progress->what, sizeof progress->what, "%d/%d, %.90s", i + 1, n, what);
    } else {
        format_duration((now - progress->run_start_s) / i * (n - i), left);
        snprintf(progress->what, sizeof progress->what, "%d/%d, %s left, %.80s", i + 1, n, left,
                 what);
    }
    pthread_mutex_unlock(&terminal);
}

void xl_progress_print(struct xl_progress *progress, const char *text) {
    if (progress->enabled) clear_line(true);
    printf("%s\n", text);
    fflush(stdout);
    if (progress->enabled) clear_line(false);
}

void xl_progress_end(struct xl_progress *progress) {
    if (!progress->enabled) return;
    clear_line(true);
    clear_line(false);
    xl_log_set_hook(NULL);
    progress->enabled = false;
}
