/* download_progress.c - how far the transfers of all plans are. What threads share is behind the
 * mutex; the line on the terminal is progress.c's. */
#include "cli/download.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/models.h"
#include "cli/progress_line.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between two lines of a log; files below this size come without a line that they begin. */
static const double LOG_S = 60;
enum { LARGE = 10000000 };

struct xl_download_progress {
    struct xl_progress line; /* NONE: a log, or quiet */
    bool is_log;
    int64_t total;  /* bytes to transfer, of all plans */
    int64_t before; /* of them in plans that are done */
    int64_t there;  /* of the plan in hand there were so many when it began */
    int64_t left;   /* and so many were to come */
    int n_files, n_done;
    double start_s, shown_s;
    pthread_mutex_t mutex;
};

struct xl_download_progress *xl_download_progress_new(const struct xl_download_item *items, int n,
                                                      bool is_quiet) {
    struct xl_download_progress *progress = calloc(1, sizeof *progress);
    if (!progress) return NULL;
    for (int i = 0; i < n; i++) {
        if (items[i].status) continue;
        progress->total += items[i].plan.bytes_left;
        progress->n_files += items[i].plan.n_absent;
    }
    pthread_mutex_init(&progress->mutex, NULL);
    xl_progress_init(&progress->line, is_quiet);
    progress->line.verb = "downloading";
    progress->is_log = progress->line.kind == XL_PROGRESS_LOG;
    if (progress->is_log) progress->line.kind = XL_PROGRESS_NONE;
    progress->start_s = progress->shown_s = xl_now_s();
    return progress;
}

static void name_files(struct xl_download_progress *progress, const char *path) {
    char what[300];
    snprintf(what, sizeof what, "%d of %d files, %s", progress->n_done, progress->n_files, path);
    xl_progress_name(&progress->line, what);
}

/* The line of a log that says how far it is. */
static void log_state(struct xl_download_progress *progress, int64_t done, double now) {
    struct xl_str line = {0};
    const struct xl_progress_state state = {.phase = XL_PHASE_LOAD,
                                            .done = done,
                                            .total = progress->total,
                                            .phase_s = now - progress->start_s,
                                            .what = "",
                                            .verb = "downloading"};
    xl_progress_put_sentence(&line, &state);
    if (line.text && !line.failed) xl_note("%s", line.text);
    xl_str_deinit(&line);
    progress->shown_s = now;
}

static void on_begin(void *user, const struct xl_download_file *file) {
    struct xl_download_progress *progress = user;
    char size[XL_BYTES_MAX], part[XL_BYTES_MAX];
    if (!progress) return;
    pthread_mutex_lock(&progress->mutex);
    if (!progress->is_log) {
        name_files(progress, file->file.path);
    } else if (file->partial) {
        xl_note("%s: going on behind %s of %s", file->file.path, xl_bytes_text(file->partial, part),
                xl_bytes_text(file->file.size, size));
    } else if (file->file.size >= LARGE) {
        xl_note("%s: downloading %s", file->file.path, xl_bytes_text(file->file.size, size));
    }
    pthread_mutex_unlock(&progress->mutex);
}

static void log_end(const struct xl_download_progress *progress,
                    const struct xl_download_file *file, double seconds, bool was_there) {
    char size[XL_BYTES_MAX], rate[XL_BYTES_MAX + 8] = "";
    double bytes = (double)(file->file.size - file->partial);
    if (file->file.size >= LARGE)
        snprintf(rate, sizeof rate, ", %.1f MB/s",
                 bytes / 1e6 / (seconds > 0.001 ? seconds : 0.001));
    if (was_there)
        xl_note("%s: another process brought it (%d of %d)", file->file.path, progress->n_done,
                progress->n_files);
    else
        xl_note("%s: %s%s (%d of %d)", file->file.path, xl_bytes_text(file->file.size, size), rate,
                progress->n_done, progress->n_files);
}

static void on_end(void *user, const struct xl_download_file *file, double seconds,
                   bool was_there) {
    struct xl_download_progress *progress = user;
    if (!progress) return;
    pthread_mutex_lock(&progress->mutex);
    progress->n_done++;
    if (progress->is_log)
        log_end(progress, file, seconds, was_there);
    else
        name_files(progress, file->file.path);
    pthread_mutex_unlock(&progress->mutex);
}

static void on_progress(void *user, int64_t bytes) {
    struct xl_download_progress *progress = user;
    if (!progress) return;
    pthread_mutex_lock(&progress->mutex);
    int64_t done = progress->before + bytes - progress->there;
    if (done < 0) done = 0; /* a partial was begun again */
    double now = xl_now_s();
    if (progress->is_log && now - progress->shown_s >= LOG_S && done < progress->total)
        log_state(progress, done, now);
    xl_progress_update(&progress->line, XL_PHASE_LOAD, done, progress->total);
    pthread_mutex_unlock(&progress->mutex);
}

struct xl_download_watcher xl_download_watch(struct xl_download_progress *progress,
                                             const struct xl_download_plan *plan) {
    if (progress) {
        progress->before += progress->left;
        progress->there = plan->bytes - plan->bytes_left;
        progress->left = plan->bytes_left;
    }
    return (struct xl_download_watcher){on_begin, on_end, on_progress, progress};
}

void xl_download_progress_free(struct xl_download_progress *progress) {
    if (!progress) return;
    xl_progress_end(&progress->line);
    pthread_mutex_destroy(&progress->mutex);
    free(progress);
}
